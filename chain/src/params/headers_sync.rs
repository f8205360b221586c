//! How much is remembered of headers that a peer shows for the first time.

use crate::pow::{PowParams, Retarget};

/// Years of headers our own parameters are made for: what Bitcoin's chain will have when Core's are due to be computed again.
const LIFETIME_YEARS: u64 = 20;
/// Seconds of a year of 365.25 days.
const YEAR: u64 = 31_557_600;
/// The most blocks a second that a chain can have for long: eleven blocks have to move the median time by a second, so six
/// share each one (Core: `find_max_headers`, `headerssync-params.py`).
pub(crate) const MAX_BLOCKS_PER_SECOND: u64 = 6;
/// Commitments that are checked on top of a header before it is let out, on networks of our own.
const COMMITMENTS_ON_TOP: u32 = 32;
/// Bits a header takes in the redownload buffer, where it has no previous hash (Core: `COMPACT_HEADER_SIZE`,
/// `headerssync-params.py`).
const COMPRESSED_HEADER_BITS: u64 = 48 * 8;

/// What [`HeadersSyncState`](crate::headers_sync::HeadersSyncState) trades memory for safety by (Core: `HeadersSyncParams`,
/// `kernel/chainparams.h`). No rule depends on it, and the nodes of a network need not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadersSyncParams {
    /// Headers for which one bit is remembered in the first pass; zero counts as one (Core: `commitment_period`).
    pub commitment_period: u32,
    /// Headers that have to be on top of one in the second pass before it is let out (Core: `redownload_buffer_size`).
    pub redownload_buffer_size: usize,
}

impl HeadersSyncParams {
    /// Parameters for a network that is not Core's.
    ///
    /// Core searches for them by simulation (`contrib/devtools/headerssync-params.py`). Here a formula gives nearly the same:
    ///
    /// - In the second pass 32 commitments stand between a header and its way out. A peer that shows one chain and then sends
    ///   another guesses all of them once in 2^32 times, and has to send both chains again each time. Core has about 24, which
    ///   is enough for a chain of a million headers; we have more because a young chain is sent again sooner. In Core's model of
    ///   the attack, with 6 Gbit/s and spacings of up to ten minutes, less than one header in 30 spacings then gets through,
    ///   however short the chain. One that is no longer than the buffer is held back whole until its work is known.
    /// - The bits of the first pass, for the longest chain there can be, take as much memory as the buffer of the second:
    ///   `longest / period = 32 * period * 384`.
    ///
    /// The longest chain is twenty years of blocks. Under Bitcoin's rule timestamps can be moved so that six blocks a second
    /// stay easy (the timewarp attack). Under ASERT they cannot: whoever is ahead of the schedule pays for it with work, so
    /// that the schedule's number of blocks will do.
    pub(super) fn for_pow(pow: &PowParams) -> Self {
        let seconds = LIFETIME_YEARS * YEAR;
        let longest = match pow.retarget {
            Retarget::Bitcoin(_) => seconds * MAX_BLOCKS_PER_SECOND,
            Retarget::Asert(_) => seconds / u64::from(pow.target_spacing.max(1)),
        };
        let period = (longest / (u64::from(COMMITMENTS_ON_TOP) * COMPRESSED_HEADER_BITS)).isqrt().max(1);
        let commitment_period = u32::try_from(period).expect("the root of a number of seconds");
        let redownload_buffer_size = (COMMITMENTS_ON_TOP * commitment_period) as usize;
        Self { commitment_period, redownload_buffer_size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::ChainParams;

    fn numbers(params: HeadersSyncParams) -> (u32, usize) {
        (params.commitment_period, params.redownload_buffer_size)
    }

    #[test]
    fn ours_follow_the_spacing() {
        assert_eq!(numbers(ChainParams::cairn().headers_sync), (29, 928));
        assert_eq!(numbers(ChainParams::devnet().headers_sync), (130, 4160));
        let daily = PowParams { target_spacing: 24 * 60 * 60, ..ChainParams::cairn().consensus.pow };
        assert_eq!(numbers(HeadersSyncParams::for_pow(&daily)), (1, 32));
    }

    #[test]
    fn for_bitcoins_rule_the_formula_is_close_to_cores_simulation() {
        // More commitments on top than Core has make the period shorter and the buffer longer.
        let main = ChainParams::main();
        assert_eq!(numbers(HeadersSyncParams::for_pow(&main.consensus.pow)), (555, 17760));
        assert_eq!(numbers(main.headers_sync), (641, 15218));
    }
}
