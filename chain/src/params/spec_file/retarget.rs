//! The `retarget` table of a spec file.

use bitcoin::CompactTarget;
use ruint::aliases::U256;

use super::error::SpecError;
use super::reader::Section;
use crate::params::MAX_ACTIVATION_HEIGHT;
use crate::params::compact::target_from_bits;
use crate::pow::{AsertRetarget, BitcoinRetarget, Retarget};

const ASERT_KEYS: [&str; 4] = ["algorithm", "anchor_height", "anchor_bits", "half_life"];
const BITCOIN_KEYS: [&str; 5] =
    ["algorithm", "timespan", "allow_min_difficulty_blocks", "enforce_bip94", "no_retargeting"];
/// The longest half-life, in seconds: a year.
const MAX_HALF_LIFE: u32 = 365 * 24 * 60 * 60;
/// The longest period, in seconds: ten years.
const MAX_TIMESPAN: u32 = 10 * 365 * 24 * 60 * 60;
/// Blocks in the default half-life (as in Bitcoin Cash's aserti3-2d, where they take two days).
const HALF_LIFE_BLOCKS: u32 = 288;

/// Reads the rule; `limit` is the network's easiest target and `spacing` is in seconds.
pub(super) fn read(
    root: &Section<'_>,
    spacing: u32,
    limit: U256,
    genesis_bits: CompactTarget,
) -> Result<Retarget, SpecError> {
    let every_key: Vec<&str> = ASERT_KEYS.iter().chain(&BITCOIN_KEYS[1..]).copied().collect();
    let table = root.require_table("retarget.", &every_key)?;
    let expected = "'asert' or 'bitcoin'";
    let algorithm =
        table.require("algorithm", expected)?.string(expected, |name| ["asert", "bitcoin"].contains(&name))?;
    if algorithm == "asert" {
        asert(&table.checked(&ASERT_KEYS)?, spacing, limit, genesis_bits).map(Retarget::Asert)
    } else {
        bitcoin(&table.checked(&BITCOIN_KEYS)?, spacing, limit).map(Retarget::Bitcoin)
    }
}

fn asert(
    table: &Section<'_>,
    spacing: u32,
    limit: U256,
    genesis_bits: CompactTarget,
) -> Result<AsertRetarget, SpecError> {
    let anchor_bits = match table.get("anchor_bits") {
        None => genesis_bits,
        Some(entry) => {
            let bits = entry.bits()?;
            if target_from_bits(bits).is_none_or(|target| target > limit) {
                return Err(entry.wrong("a target not above pow_limit"));
            }
            bits
        }
    };
    Ok(AsertRetarget {
        anchor_height: table
            .get("anchor_height")
            .map_or(Ok(0), |entry| entry.number("a height", 0..=MAX_ACTIVATION_HEIGHT))?,
        anchor_bits,
        // A day's spacing 288 times is within the year.
        half_life: table
            .get("half_life")
            .map_or(Ok(spacing * HALF_LIFE_BLOCKS), |entry| entry.number("seconds", 1..=MAX_HALF_LIFE))?,
    })
}

fn bitcoin(table: &Section<'_>, spacing: u32, limit: U256) -> Result<BitcoinRetarget, SpecError> {
    let entry = table.require("timespan", "seconds of one period")?;
    let target_timespan: u32 = entry.number("seconds", 4..=MAX_TIMESPAN)?;
    // A period is measured from its first block to its last, so one of a single block would last no time at all.
    if !target_timespan.is_multiple_of(spacing) || target_timespan / spacing < 2 {
        return Err(entry.wrong(&format!("a multiple of target_spacing ({spacing}), at least twice it")));
    }
    let no_retargeting = table.flag("no_retargeting")?;
    // The rule multiplies a target by up to four timespans in 256 bits, wrapping (Core: `CalculateNextWorkRequired`,
    // `pow.cpp`; its `sanity_check_chainparams` asks the same of Core's own networks).
    let highest = U256::MAX / (U256::from(target_timespan) * U256::from(4));
    if !no_retargeting && limit >= highest {
        return Err(entry.wrong("a timespan that four times over, multiplied by pow_limit, fits in 256 bits"));
    }
    Ok(BitcoinRetarget {
        target_timespan,
        allow_min_difficulty_blocks: table.flag("allow_min_difficulty_blocks")?,
        enforce_bip94: table.flag("enforce_bip94")?,
        no_retargeting,
    })
}
