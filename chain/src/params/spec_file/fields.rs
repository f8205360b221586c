//! The keys of a spec file and what they may hold.

use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use bitcoin::{Amount, BlockHash, CompactTarget, Denomination};
use ruint::aliases::U256;

use super::error::SpecError;
use super::reader::{self, Entry, Section};
use super::{NetworkSpec, retarget};
use crate::params::compact::target_from_bits;
use crate::params::genesis::unspendable_script;
use crate::params::{
    ActivationHeights, AddressFormat, BUILTIN_NETWORKS, ChainParams, ChainTxData, ConsensusParams, Deployment,
    GenesisParts, HeadersSyncParams, MAX_ACTIVATION_HEIGHT, MAX_GENESIS_MESSAGE_BYTES, VersionBitsDeployment, regtest,
};
use crate::pow::{PowParams, Work};

const KEYS: [&str; 11] = [
    "name",
    "target_spacing",
    "pow_limit",
    "magic",
    "mockable",
    "seeds",
    "genesis",
    "retarget",
    "subsidy",
    "ports",
    "activation",
];
/// The longest name, in characters: it is part of protocol names and of directory names.
const MAX_NAME_CHARS: usize = 32;
/// The longest spacing, in seconds: a day.
const MAX_SPACING: u32 = 24 * 60 * 60;
/// The most coins an amount may hold (Core: `MAX_MONEY`, `consensus/amount.h`).
const MAX_COINS: u64 = 21_000_000;
/// The earliest genesis time: that of Bitcoin's first block, before which nobody knew how.
const FIRST_TIME: u32 = 1_231_006_505;
/// Most seeds of a network: far more than anybody keeps running.
const MAX_SEEDS: usize = 64;
/// Longest seed, in bytes: a multiaddress with a domain name of full length fits.
const MAX_SEED_BYTES: usize = 320;

/// Reads and checks all keys.
pub(super) fn read(text: &str) -> Result<NetworkSpec, SpecError> {
    let document = reader::parse(text)?;
    let root = Section::root(text, document.get_ref(), &KEYS)?;
    let name = name(&root)?;
    let target_spacing =
        root.require("target_spacing", "seconds between blocks")?.number("seconds", 1..=MAX_SPACING)?;
    let subsidy = root.require_table("subsidy.", &["initial", "halving_interval"])?;
    let subsidy_initial = amount(&subsidy.require("initial", "coins a block creates at first")?)?;
    let genesis = root.require_table("genesis.", &["time", "message", "bits", "nonce", "version"])?;
    let parts = genesis_parts(&genesis, subsidy_initial)?;
    let nonce = genesis.get("nonce");
    let limit = pow_limit(&root, &genesis, parts.bits)?;
    let magic = root.get("magic").map(|entry| entry.parsed("8 hex digits", |text| <[u8; 4]>::from_hex(text).ok()));
    let (default_p2p_port, default_rpc_port) = ports(&root)?;
    let block = parts.build();
    let pow = PowParams { limit, target_spacing, retarget: retarget::read(&root, target_spacing, limit, parts.bits)? };
    let headers_sync = HeadersSyncParams::for_pow(&pow);
    let params = ChainParams {
        name,
        // Private networks use regtest's addresses and say so, because tools choose by this name.
        rpc_name: "regtest",
        address_format: AddressFormat::REGTEST,
        magic: magic.transpose()?.unwrap_or_default(),
        default_p2p_port,
        default_rpc_port,
        consensus: ConsensusParams {
            genesis_hash: BlockHash::all_zeros(),
            subsidy_initial,
            subsidy_halving_interval: subsidy
                .require("halving_interval", "blocks between halvings")?
                .number("blocks", 1..=MAX_ACTIVATION_HEIGHT)?,
            activation: activation(&root)?,
            bip34_hash: None,
            script_flag_exceptions: Vec::new(),
            bip30_exceptions: Vec::new(),
            bip30_unspendable: Vec::new(),
            pow,
            signet_challenge: None,
        },
        genesis: block,
        minimum_chain_work: Work::ZERO,
        assume_valid: None,
        is_mockable: root.flag("mockable")?,
        prune_after_height: 1000,
        testdummy: VersionBitsDeployment::testdummy_never(VersionBitsDeployment::NINETY_PERCENT),
        chain_tx_data: ChainTxData::default(),
        headers_sync,
        seeds: seeds(&root)?,
    };
    Ok(NetworkSpec {
        params,
        genesis: parts,
        nonce_line: nonce.as_ref().map_or(genesis.line, Entry::line),
        nonce: nonce.map(|entry| entry.number("a nonce", 0..=u32::MAX)).transpose()?,
        derive_magic: root.get("magic").is_none(),
    })
}

fn name(root: &Section<'_>) -> Result<String, SpecError> {
    let expected = "1 to 32 characters from a-z, 0-9 and '-'";
    let entry = root.require("name", expected)?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let name =
        entry.string(expected, |name| (1..=MAX_NAME_CHARS).contains(&name.len()) && name.bytes().all(allowed))?;
    if BUILTIN_NETWORKS.contains(&name) {
        return Err(entry.wrong("a name that no built-in network has"));
    }
    Ok(name.to_owned())
}

fn amount(entry: &Entry<'_>) -> Result<Amount, SpecError> {
    let expected = "coins from 0 to 21000000, fractions of up to 8 digits in quotes";
    let coins = match entry.integer() {
        Some(coins) => u64::try_from(coins).ok().filter(|coins| *coins <= MAX_COINS).map(Amount::from_int_btc),
        None => entry.parsed(expected, |text| Amount::from_str_in(text, Denomination::Bitcoin).ok()).map(Some)?,
    };
    coins.filter(|coins| *coins <= Amount::MAX_MONEY).ok_or_else(|| entry.wrong(expected))
}

fn genesis_parts(genesis: &Section<'_>, reward: Amount) -> Result<GenesisParts, SpecError> {
    let message = "a text of 1 to 91 bytes";
    Ok(GenesisParts {
        message: genesis
            .require("message", message)?
            .string(message, |text| (1..=MAX_GENESIS_MESSAGE_BYTES).contains(&text.len()))?
            .to_owned(),
        output_script: unspendable_script(),
        reward,
        // BIP34, BIP66 and BIP65 ask for versions from 2, 3 and 4, but not of the first block, so 1 is as good as any.
        version: genesis.get("version").map_or(Ok(1), |entry| entry.number("a version", 1..=i32::MAX))?,
        time: genesis.require("time", "seconds since 1970")?.number("seconds since 1970", FIRST_TIME..=u32::MAX)?,
        bits: genesis.require("bits", "a compact target such as 0x1f00ffff")?.bits()?,
        nonce: 0,
    })
}

/// The easiest target: given, or that of the genesis block, which must not be easier.
fn pow_limit(root: &Section<'_>, genesis: &Section<'_>, genesis_bits: CompactTarget) -> Result<U256, SpecError> {
    let genesis_target = target_from_bits(genesis_bits).expect("checked when read");
    let given = root.get("pow_limit").map(|entry| {
        let expected = "a compact target such as 0x1f00ffff or a target of 64 hex digits, none easier than 0x207fffff";
        let full = |text: &str| <[u8; 32]>::from_hex(text).ok().map(U256::from_be_bytes);
        let limit = entry.parsed(expected, full).ok().or_else(|| entry.bits().ok().and_then(target_from_bits));
        limit.filter(|limit| *limit <= regtest::POW_LIMIT).ok_or_else(|| entry.wrong(expected))
    });
    let limit = given.transpose()?;
    let highest = limit.unwrap_or(regtest::POW_LIMIT);
    if genesis_target > highest {
        let expected = if limit.is_some() { "a target not above pow_limit" } else { "a target not above 0x207fffff" };
        return Err(genesis.require("bits", expected)?.wrong(expected));
    }
    Ok(limit.unwrap_or(genesis_target))
}

fn ports(root: &Section<'_>) -> Result<(u16, u16), SpecError> {
    let cairn = ChainParams::cairn();
    let Some(ports) = root.table("ports.")? else { return Ok((cairn.default_p2p_port, cairn.default_rpc_port)) };
    let ports = ports.checked(&["p2p", "rpc"])?;
    let port =
        |key, default| ports.get(key).map_or(Ok(default), |entry: Entry<'_>| entry.number("a port", 1..=u16::MAX));
    let p2p = port("p2p", cairn.default_p2p_port)?;
    let rpc = port("rpc", cairn.default_rpc_port)?;
    match ports.get("rpc").or_else(|| ports.get("p2p")) {
        Some(entry) if p2p == rpc => Err(entry.wrong("different ports for p2p and rpc")),
        _ => Ok((p2p, rpc)),
    }
}

fn activation(root: &Section<'_>) -> Result<ActivationHeights, SpecError> {
    let mut heights = ActivationHeights::FROM_THE_START;
    let Some(table) = root.table("activation.")? else { return Ok(heights) };
    let table = table.checked(&Deployment::ALL.map(Deployment::name))?;
    for deployment in Deployment::ALL {
        if let Some(entry) = table.get(deployment.name()) {
            heights.set_height(deployment, entry.number("a height", 0..=MAX_ACTIVATION_HEIGHT)?);
        }
    }
    Ok(heights)
}

/// Multiaddresses, kept as strings: this crate knows no network.
fn seeds(root: &Section<'_>) -> Result<Vec<String>, SpecError> {
    let Some(entry) = root.get("seeds") else { return Ok(Vec::new()) };
    let printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    entry.strings("at most 64 multiaddresses such as '/dns4/seed.example/tcp/8533'", MAX_SEEDS, |text| {
        text.starts_with('/') && text.len() <= MAX_SEED_BYTES && printable(text)
    })
}
