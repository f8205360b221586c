//! Any chain, in any messages, with any parameters.

use super::*;
use proptest::prelude::*;

/// How a peer cuts its chain into messages.
#[derive(Debug, Clone)]
struct Messages {
    lengths: Vec<usize>,
    next: usize,
}

impl Messages {
    fn next_length(&mut self) -> usize {
        self.next += 1;
        self.lengths[self.next % self.lengths.len()]
    }
}

/// A network, parameters and messages.
fn any_sync() -> impl Strategy<Value = (ChainParams, Messages, u32)> {
    let messages = prop::collection::vec(1_usize..40, 1..8).prop_map(|lengths| Messages { lengths, next: 0 });
    (any::<bool>(), 1_u32..30, 0_usize..100, messages, any::<u32>()).prop_map(
        |(is_asert, commitment_period, redownload_buffer_size, messages, offset)| {
            let headers_sync = HeadersSyncParams { commitment_period, redownload_buffer_size };
            let params = if is_asert { asert(headers_sync) } else { regtest(headers_sync) };
            (params, messages, offset % commitment_period)
        },
    )
}

/// Asks a peer for its chain as long as there is more to ask for: what was let out, and how it ended.
fn fetch(
    sync: &mut HeadersSyncState,
    mut peer: impl FnMut(HeadersSyncPhase) -> Vec<Header>,
    messages: &mut Messages,
) -> (Vec<Header>, Result<NextStep, HeadersSyncError>) {
    let mut validated = Vec::new();
    loop {
        let chain = peer(sync.phase());
        let last = sync.next_headers_request_locator()[0];
        let known = chain.iter().position(|header| hash(header) == last).map_or(0, |index| index + 1);
        let length = messages.next_length();
        let message: Vec<Header> = chain[known..].iter().copied().take(length).collect();
        match sync.process_next_headers(&message, message.len() == length, NOW) {
            Ok(result) => {
                validated.extend(result.pow_validated_headers);
                if result.next != NextStep::RequestMore {
                    return (validated, Ok(result.next));
                }
            }
            Err(error) => return (validated, Err(error)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn exactly_a_chain_of_enough_work_comes_out(
        (params, mut messages, offset) in any_sync(),
        seconds in prop::collection::vec(1_u32..120, 1..250),
        enough in 0_usize..300,
    ) {
        let chain = Miner::new(&params, 1).mine(seconds);
        // The work of part of the chain, or a little more than all of it.
        let minimum = match chain.headers.get(..enough) {
            Some(part) => work(&[params.genesis.header]) + work(part),
            None => chain.chain_work() + Work::new(crate::pow::U256::from(1)),
        };
        let mut sync = sync(&params, minimum, offset);
        let (validated, end) = fetch(&mut sync, |_| chain.headers.clone(), &mut messages);
        if minimum <= chain.chain_work() {
            prop_assert_eq!(end, Ok(NextStep::Complete));
            prop_assert!(validated.len() >= enough);
            prop_assert_eq!(&validated[..], &chain.headers[..validated.len()]);
        } else {
            prop_assert_eq!(end, Ok(NextStep::TooLittleWork));
            prop_assert!(validated.is_empty());
        }
        prop_assert_eq!(sync.phase(), HeadersSyncPhase::Final);
    }

    #[test]
    fn another_chain_is_let_out_only_behind_a_buffer_of_guessed_commitments(
        (params, mut messages, offset) in any_sync(),
        fork in 0_usize..150,
    ) {
        let chain = Miner::new(&params, 1).mine([60; 150]);
        let mut other = Miner::new(&params, 2);
        chain.headers[..fork].iter().for_each(|&header| other.push(header));
        // One header less, so that all its work never suffices.
        let other = other.mine(std::iter::repeat_n(60, 149_usize.saturating_sub(fork)));
        let mut sync = sync(&params, chain.chain_work(), offset);
        let peer = |phase| match phase {
            HeadersSyncPhase::Presync => chain.headers.clone(),
            _ => other.headers.clone(),
        };
        let (validated, end) = fetch(&mut sync, peer, &mut messages);
        prop_assert!(!matches!(end, Ok(NextStep::Complete | NextStep::RequestMore)), "{end:?}");
        prop_assert_eq!(&validated[..], &other.headers[..validated.len()]);
        if validated.len() > fork {
            // What is on top of the first forged header was compared as far as the buffer goes.
            let salted = |miner: &Miner, height: u32| {
                let mut commitments = Commitments::new([9; 16], params.headers_sync.commitment_period, offset);
                commitments.add(height, &miner.facts[height as usize].hash);
                commitments
            };
            let top = validated.len() + params.headers_sync.redownload_buffer_size;
            for height in (fork..=top).map(|height| u32::try_from(height).unwrap()) {
                let hash = other.facts[height as usize].hash;
                prop_assert_eq!(salted(&chain, height).verify(height, &hash), Ok(()));
            }
        }
    }

    #[test]
    fn no_header_does_harm(
        (params, _, offset) in any_sync(),
        headers in prop::collection::vec((any::<[u8; 32]>(), any::<u32>(), any::<u32>(), any::<bool>()), 1..20),
        now: u64,
    ) {
        let chain = Miner::new(&params, 1).mine([60; 10]);
        let mut sync = sync_at(&params, chain.chain_work(), offset, now);
        let mut message = chain.headers.clone();
        for (bytes, time, bits, connects) in headers {
            let last = message[message.len() - 1];
            let prev_blockhash = if connects { hash(&last) } else { BlockHash::from_byte_array(bytes) };
            let bits = CompactTarget::from_consensus(bits);
            message.push(Header { prev_blockhash, time, bits, merkle_root: TxMerkleNode::from_byte_array(bytes), ..last });
        }
        let result = sync.process_next_headers(&message, true, now);
        prop_assert_eq!(result.is_err(), sync.phase() == HeadersSyncPhase::Final);
    }
}
