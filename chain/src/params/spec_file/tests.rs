mod messages;

use super::*;
use ruint::aliases::U256;

use crate::params::{ActivationHeights, mine_genesis};
use crate::pow::{AsertRetarget, BitcoinRetarget, Retarget};
use bitcoin::{Amount, CompactTarget};
use proptest::prelude::*;

/// The smallest spec there is. Every second hash meets its target, so tests find a nonce at once.
const MINIMAL: &str = r#"name = "acme"
target_spacing = 30
[genesis]
time = 1795219200
message = "acme"
bits = 0x207fffff
nonce = 0
[retarget]
algorithm = "asert"
[subsidy]
initial = 50
halving_interval = 1000
"#;

/// `MINIMAL` with the nonce that works.
fn minimal() -> String {
    with_nonce(MINIMAL)
}

fn with_nonce(text: &str) -> String {
    let nonce = mine_genesis(&NetworkSpec::parse(text).unwrap().genesis_header()).unwrap();
    text.replace("nonce = 0", &format!("nonce = {nonce}"))
}

#[test]
fn the_smallest_spec_has_all_defaults() {
    let params = ChainParams::from_spec(&minimal()).unwrap();
    assert_eq!(params.name, "acme");
    assert_eq!(params.rpc_name, "regtest");
    assert_eq!((params.default_p2p_port, params.default_rpc_port), (8533, 18443));
    assert_eq!(params.magic, params.spec_hash()[..4]);
    assert_eq!(params.consensus.genesis_hash, params.genesis.hash);
    assert_eq!(params.consensus.activation, ActivationHeights::FROM_THE_START);
    assert_eq!(params.consensus.subsidy_initial, Amount::from_int_btc(50));
    assert_eq!(params.consensus.pow.limit, target_from_bits(CompactTarget::from_consensus(0x207fffff)).unwrap());
    let anchor_bits = CompactTarget::from_consensus(0x207fffff);
    let asert = AsertRetarget { anchor_height: 0, anchor_bits, half_life: 8640 };
    assert_eq!(params.consensus.pow.retarget, Retarget::Asert(asert));
    assert_eq!(params.genesis.header.version.to_consensus(), 1);
    assert!(!params.is_mockable);
}

#[test]
fn a_full_spec_is_read_as_written() {
    let text = with_nonce(
        r#"
name = "acme-2"
target_spacing = 60
pow_limit = "0001ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
magic = "c0ffee01"
mockable = true
seeds = ["/dns4/seed.acme.example/tcp/8533", "/ip6/::1/udp/8533/quic-v1"]
[genesis]
time = 1795219201
message = "stein auf stein, öffentlich"
bits = "1f00ffff"
nonce = 0
version = 4
[retarget]
algorithm = "bitcoin"
timespan = 3600
allow_min_difficulty_blocks = true
enforce_bip94 = true
[subsidy]
initial = "12.5"
halving_interval = 5
[ports]
p2p = 4000
rpc = 4001
[activation]
csv = 432
segwit = 500
"#,
    );
    let params = ChainParams::from_spec(&text).unwrap();
    assert_eq!(params.magic, [0xc0, 0xff, 0xee, 0x01]);
    assert!(params.is_mockable);
    assert_eq!((params.default_p2p_port, params.default_rpc_port), (4000, 4001));
    assert_eq!(params.seeds[1], "/ip6/::1/udp/8533/quic-v1");
    assert_eq!(params.consensus.subsidy_initial, Amount::from_sat(1_250_000_000));
    assert_eq!(params.consensus.pow.limit, U256::MAX >> 15);
    let rule = BitcoinRetarget {
        target_timespan: 3600,
        allow_min_difficulty_blocks: true,
        enforce_bip94: true,
        no_retargeting: false,
    };
    assert_eq!(params.consensus.pow.retarget, Retarget::Bitcoin(rule));
    assert_eq!((params.consensus.activation.csv, params.consensus.activation.segwit), (432, 500));
    assert_eq!(params.genesis.header.version.to_consensus(), 4);
}

#[test]
fn a_genesis_without_work_names_the_command_that_mines_one() {
    let text = MINIMAL.replace("0x207fffff", "0x1d00ffff");
    let message = ChainParams::from_spec(&text).unwrap_err().to_string();
    let hash = NetworkSpec::parse(&text).unwrap().genesis_header().block_hash();
    assert_eq!(
        message,
        format!(
            "line 7: key 'genesis.nonce': expected a genesis hash that meets bits 0x1d00ffff, got {hash} with nonce 0; \
             'cairn network mine-genesis FILE' finds a nonce that works"
        )
    );
}

#[test]
fn size_is_bounded() {
    let padding = MAX_SPEC_BYTES - minimal().len();
    let fits = minimal() + &"#".repeat(padding);
    assert!(ChainParams::from_spec(&fits).is_ok());
    let message = ChainParams::from_spec(&(fits + "#")).unwrap_err().to_string();
    assert_eq!(message, "expected at most 65536 bytes, got more");
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    for opening in ["[", "{a="] {
        let text = format!("name = {}", opening.repeat(20_000));
        assert!(ChainParams::from_spec(&text).is_err());
    }
    assert!(ChainParams::from_spec(&format!("{} = 1", ["a"; 20_000].join("."))).is_err());
}

#[test]
fn the_spec_in_the_documentation_is_one() {
    let source = include_str!("../spec_file.rs");
    let lines =
        source.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line));
    let text: Vec<&str> =
        lines.skip_while(|line| *line != "```toml").skip(1).take_while(|line| *line != "```").collect();
    assert!(text.len() > 30);
    NetworkSpec::parse(&text.join("\n")).unwrap();
}

/// Fragments that get a random text past the first checks.
fn toml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(MINIMAL.lines().collect::<Vec<_>>()).prop_map(str::to_owned),
        prop::sample::select(vec!["= ", "[", "]", "\"", "'''", "0x", "-", "\n", "{", "}", ".", "é", "pow_limit"])
            .prop_map(str::to_owned),
        any::<i128>().prop_map(|number| number.to_string()),
        ".{0,8}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join("\n"))
}

/// `MINIMAL` with one value replaced by anything.
fn nearly_right() -> impl Strategy<Value = String> {
    let value = prop_oneof![any::<i64>().prop_map(|number| number.to_string()), "\"[0-9a-fx.]{0,70}\"", ".{0,8}"];
    (0..MINIMAL.lines().count(), value).prop_map(|(index, value)| {
        let change = |(at, line): (usize, &str)| match line.split_once('=') {
            Some((key, _)) if at == index => format!("{key}= {value}"),
            _ => line.to_owned(),
        };
        MINIMAL.lines().enumerate().map(change).collect::<Vec<_>>().join("\n")
    })
}

proptest! {
    #[test]
    fn any_text_is_a_spec_or_an_error(text in prop_oneof![any::<String>(), toml_like(), nearly_right()]) {
        if let Err(error) = ChainParams::from_spec(&text) {
            let message = error.to_string();
            prop_assert!(message.starts_with("line ") && !message.contains('\n'), "{}", message);
        }
    }

    #[test]
    fn any_bytes_are_a_spec_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        match String::from_utf8(bytes) {
            Ok(text) => drop(ChainParams::from_spec(&text)),
            Err(error) => drop(SpecError::not_utf8(&error).to_string()),
        }
    }
}
