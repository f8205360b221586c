use super::*;
use crate::params::{ActivationHeights, mine_genesis};
use crate::pow::retarget::{AsertRetarget, BitcoinRetarget, Retarget};
use bitcoin::{Amount, CompactTarget};
use proptest::prelude::*;

/// The smallest spec there is; two in three of the easiest target's hashes meet it, and so does nonce 0's or 1's.
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
}

#[test]
fn a_full_spec_is_read_as_written() {
    let text = with_nonce(
        r#"
name = "acme-2"
target_spacing = 60
pow_limit = "0001ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
magic = "c0ffee01"
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

/// One line of `MINIMAL` replaced (or added in front, if the line is not there) and what the user then reads.
#[test]
fn errors_name_line_key_expected_and_got() {
    let bits = "a compact target such as 0x1f00ffff";
    let coins = "coins from 0 to 21000000, fractions of up to 8 digits in quotes";
    let long_name = format!("name = \"{}\"", "a".repeat(33));
    let long_message = format!("message = \"{}\"", "a".repeat(92));
    let cases = [
        ("target_spacing = 30", "target_spacing = 0", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got 0".to_owned()),
        ("target_spacing = 30", "target_spacing = -5", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got -5".to_owned()),
        ("target_spacing = 30", "target_spacing = 1.5", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got 1.5".to_owned()),
        ("target_spacing = 30", "target_spacing = \"30\"", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got '30'".to_owned()),
        ("target_spacing = 30", "target_spacing = 0x1_0000_0000_0000_0000_0000", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got 0x100000000000000000000".to_owned()),
        ("target_spacing = 30", "", "line 1: key 'target_spacing': missing; expected seconds between blocks".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\nblock_time = 3", "line 3: key 'block_time': unknown; expected one of name, target_spacing, pow_limit, magic, seeds, genesis, retarget, subsidy, ports, activation".to_owned()),
        ("name = \"acme\"", "name = \"\"", "line 1: key 'name': expected 1 to 32 characters out of a-z, 0-9 and '-', got ''".to_owned()),
        ("name = \"acme\"", "name = \"Acme\"", "line 1: key 'name': expected 1 to 32 characters out of a-z, 0-9 and '-', got 'Acme'".to_owned()),
        ("name = \"acme\"", &long_name, format!("line 1: key 'name': expected 1 to 32 characters out of a-z, 0-9 and '-', got '{}'", "a".repeat(33))),
        ("name = \"acme\"", "name = \"main\"", "line 1: key 'name': expected a name that no built-in network has, got 'main'".to_owned()),
        ("name = \"acme\"", "name = [1, 2]", "line 1: key 'name': expected 1 to 32 characters out of a-z, 0-9 and '-', got an array of 2".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\nmagic = \"c0ffee\"", "line 3: key 'magic': expected 8 hex digits, got 'c0ffee'".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\npow_limit = 7", format!("line 3: key 'pow_limit': expected {bits} or a target of 64 hex digits, got 7")),
        ("target_spacing = 30", "target_spacing = 30\npow_limit = 0x1f00ffff", "line 7: key 'genesis.bits': expected a target not above pow_limit, got 0x207fffff".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\nseeds = [\"host:1\"]", "line 3: key 'seeds': expected at most 64 multiaddresses such as '/dns4/seed.example/tcp/8533', got 'host:1'".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\nports = 5", "line 3: key 'ports': expected a table, got 5".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\nports = { p2p = 0 }", "line 3: key 'ports.p2p': expected a port from 1 to 65535, got 0".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\nports = { p2p = 5, rpc = 5 }", "line 3: key 'ports.rpc': expected different ports for p2p and rpc, got 5".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\nactivation.taproot = 5", "line 3: key 'activation.taproot': unknown; expected one of segwit, bip34, dersig, cltv, csv".to_owned()),
        ("target_spacing = 30", "target_spacing = 30\nactivation.csv = 2147483647", "line 3: key 'activation.csv': expected a height from 0 to 2147483646, got 2147483647".to_owned()),
        ("time = 1795219200", "time = 5", "line 4: key 'genesis.time': expected seconds since 1970 from 1231006505 to 4294967295, got 5".to_owned()),
        ("time = 1795219200", "", "line 3: key 'genesis.time': missing; expected seconds since 1970".to_owned()),
        ("time = 1795219200", "time = 2026-11-21T00:00:00Z", "line 4: key 'genesis.time': expected seconds since 1970 from 1231006505 to 4294967295, got 2026-11-21T00:00:00Z".to_owned()),
        ("message = \"acme\"", &long_message, format!("line 5: key 'genesis.message': expected a text of 1 to 91 bytes, got '{}…'", "a".repeat(60))),
        ("bits = 0x207fffff", "bits = 0x1d80ffff", format!("line 6: key 'genesis.bits': expected {bits}, got 0x1d80ffff")),
        ("bits = 0x207fffff", "bits = \"1d00fffg\"", format!("line 6: key 'genesis.bits': expected {bits}, got '1d00fffg'")),
        ("nonce = 0", "nonce = 4294967296", "line 7: key 'genesis.nonce': expected a nonce from 0 to 4294967295, got 4294967296".to_owned()),
        ("nonce = 0", "", "line 3: key 'genesis.nonce': missing; 'cairn network mine-genesis FILE' finds it".to_owned()),
        ("nonce = 0", "nonce = 0\ncoinbase = 1", "line 8: key 'genesis.coinbase': unknown; expected one of time, message, bits, nonce, version".to_owned()),
        ("nonce = 0", "version = 0", "line 7: key 'genesis.version': expected a version from 1 to 2147483647, got 0".to_owned()),
        ("algorithm = \"asert\"", "", "line 8: key 'retarget.algorithm': missing; expected 'asert' or 'bitcoin'".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"lwma\"", "line 9: key 'retarget.algorithm': expected 'asert' or 'bitcoin', got 'lwma'".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"asert\"\nhalf_life = 0", "line 10: key 'retarget.half_life': expected seconds from 1 to 31536000, got 0".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"asert\"\nanchor_bits = 0x2100ffff", "line 10: key 'retarget.anchor_bits': expected a target not above pow_limit, got 0x2100ffff".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"asert\"\ntimespan = 60", "line 10: key 'retarget.timespan': unknown; expected one of algorithm, anchor_height, anchor_bits, half_life".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"bitcoin\"", "line 8: key 'retarget.timespan': missing; expected seconds of one period".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"bitcoin\"\ntimespan = 45", "line 10: key 'retarget.timespan': expected a multiple of target_spacing (30), at least twice it, got 45".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"bitcoin\"\ntimespan = 30", "line 10: key 'retarget.timespan': expected a multiple of target_spacing (30), at least twice it, got 30".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"bitcoin\"\ntimespan = 60", "line 10: key 'retarget.timespan': expected a timespan that four times over, multiplied by pow_limit, fits in 256 bits, got 60".to_owned()),
        ("algorithm = \"asert\"", "algorithm = \"bitcoin\"\ntimespan = 60\nno_retargeting = 1", "line 11: key 'retarget.no_retargeting': expected true or false, got 1".to_owned()),
        ("initial = 50", "initial = 21000001", format!("line 11: key 'subsidy.initial': expected {coins}, got 21000001")),
        ("initial = 50", "initial = \"0.123456789\"", format!("line 11: key 'subsidy.initial': expected {coins}, got '0.123456789'")),
        ("initial = 50", "initial = -1", format!("line 11: key 'subsidy.initial': expected {coins}, got -1")),
        ("initial = 50", "initial = 0.5", format!("line 11: key 'subsidy.initial': expected {coins}, got 0.5")),
        ("halving_interval = 1000", "halving_interval = 0", "line 12: key 'subsidy.halving_interval': expected blocks from 1 to 2147483646, got 0".to_owned()),
        ("[subsidy]\ninitial = 50\nhalving_interval = 1000\n", "", "line 1: key 'subsidy': missing; expected a table [subsidy]".to_owned()),
        ("name = \"acme\"", "name = \"acme\"\nname = \"acme\"", "line 2: not valid TOML at 'name = \"acme\"': duplicate key".to_owned()),
        ("time = 1795219200", "time = ", "line 4: not valid TOML at 'time =': string values must be quoted, expected literal string".to_owned()),
        ("time = 1795219200", "\"a\\u001b[31m\" = 1", "line 4: key 'genesis.a\u{fffd}[31m': unknown; expected one of time, message, bits, nonce, version".to_owned()),
    ];
    for (line, replacement, message) in cases {
        assert!(MINIMAL.contains(line), "{line}");
        let text = MINIMAL.replacen(line, replacement, 1);
        assert_eq!(ChainParams::from_spec(&text).unwrap_err().to_string(), message, "{text}");
    }
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
