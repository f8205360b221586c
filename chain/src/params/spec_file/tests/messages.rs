//! Each mistake and the message it earns.

use super::{ChainParams, MINIMAL};

/// What the user reads when `line` of `MINIMAL` is replaced by each of the texts.
fn assert_errors(line: &str, cases: &[(&str, &str)]) {
    assert!(MINIMAL.contains(line), "{line}");
    for (replacement, message) in cases {
        let text = MINIMAL.replacen(line, replacement, 1);
        assert_eq!(ChainParams::from_spec(&text).unwrap_err().to_string(), *message, "{text}");
    }
}

#[test]
fn errors_in_the_name() {
    let long_name = format!("name = \"{}\"", "a".repeat(33));
    assert_errors(
        "name = \"acme\"",
        &[
            ("name = \"\"", "line 1: key 'name': expected 1 to 32 characters from a-z, 0-9 and '-', got ''"),
            ("name = \"Acme\"", "line 1: key 'name': expected 1 to 32 characters from a-z, 0-9 and '-', got 'Acme'"),
            (
                &long_name,
                &format!(
                    "line 1: key 'name': expected 1 to 32 characters from a-z, 0-9 and '-', got '{}'",
                    "a".repeat(33)
                ),
            ),
            ("name = \"main\"", "line 1: key 'name': expected a name that no built-in network has, got 'main'"),
            (
                "name = [1, 2]",
                "line 1: key 'name': expected 1 to 32 characters from a-z, 0-9 and '-', got an array of 2",
            ),
        ],
    );
}

#[test]
fn errors_in_the_spacing() {
    assert_errors(
        "target_spacing = 30",
        &[
            ("target_spacing = 0", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got 0"),
            ("target_spacing = -5", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got -5"),
            ("target_spacing = 1.5", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got 1.5"),
            ("target_spacing = \"30\"", "line 2: key 'target_spacing': expected seconds from 1 to 86400, got '30'"),
            (
                "target_spacing = 0x1_0000_0000_0000_0000_0000",
                "line 2: key 'target_spacing': expected seconds from 1 to 86400, got 0x100000000000000000000",
            ),
            ("", "line 1: key 'target_spacing': missing; expected seconds between blocks"),
            (
                "target_spacing = 30\nblock_time = 3",
                "line 3: key 'block_time': unknown; expected one of name, target_spacing, pow_limit, magic, mockable, \
             seeds, genesis, retarget, subsidy, ports, activation",
            ),
        ],
    );
}

#[test]
fn errors_in_optional_keys() {
    assert_errors(
        "target_spacing = 30",
        &[
            ("target_spacing = 30\nmagic = \"c0ffee\"", "line 3: key 'magic': expected 8 hex digits, got 'c0ffee'"),
            (
                "target_spacing = 30\npow_limit = 7",
                "line 3: key 'pow_limit': expected a compact target such as 0x1f00ffff or a target of 64 hex digits, \
                 none easier than 0x207fffff, got 7",
            ),
            (
                "target_spacing = 30\npow_limit = 0x2100ffff",
                "line 3: key 'pow_limit': expected a compact target such as 0x1f00ffff or a target of 64 hex digits, \
                 none easier than 0x207fffff, got 0x2100ffff",
            ),
            (
                "target_spacing = 30\npow_limit = 0x1f00ffff",
                "line 7: key 'genesis.bits': expected a target not above pow_limit, got 0x207fffff",
            ),
            (
                "target_spacing = 30\nseeds = [\"host:1\"]",
                "line 3: key 'seeds': expected at most 64 multiaddresses such as '/dns4/seed.example/tcp/8533', \
             got 'host:1'",
            ),
            ("target_spacing = 30\nports = 5", "line 3: key 'ports': expected a table, got 5"),
            (
                "target_spacing = 30\nports = { p2p = 0 }",
                "line 3: key 'ports.p2p': expected a port from 1 to 65535, got 0",
            ),
            (
                "target_spacing = 30\nports = { p2p = 5, rpc = 5 }",
                "line 3: key 'ports.rpc': expected different ports for p2p and rpc, got 5",
            ),
            (
                "target_spacing = 30\nactivation.taproot = 5",
                "line 3: key 'activation.taproot': unknown; expected one of segwit, bip34, dersig, cltv, csv",
            ),
            (
                "target_spacing = 30\nactivation.csv = 2147483647",
                "line 3: key 'activation.csv': expected a height from 0 to 2147483646, got 2147483647",
            ),
        ],
    );
}

#[test]
fn errors_in_the_genesis_table() {
    let bits = "a compact target such as 0x1f00ffff";
    let long_message = format!("message = \"{}\"", "a".repeat(92));
    assert_errors(
        "time = 1795219200",
        &[
            (
                "time = 5",
                "line 4: key 'genesis.time': expected seconds since 1970 from 1231006505 to 4294967295, got 5",
            ),
            ("", "line 3: key 'genesis.time': missing; expected seconds since 1970"),
            (
                "time = 2026-11-21T00:00:00Z",
                "line 4: key 'genesis.time': expected seconds since 1970 from 1231006505 to 4294967295, got \
             2026-11-21T00:00:00Z",
            ),
        ],
    );
    assert_errors(
        "message = \"acme\"",
        &[(
            &long_message,
            &format!("line 5: key 'genesis.message': expected a text of 1 to 91 bytes, got '{}…'", "a".repeat(60)),
        )],
    );
    assert_errors(
        "bits = 0x207fffff",
        &[
            ("bits = 0x2100ffff", "line 6: key 'genesis.bits': expected a target not above 0x207fffff, got 0x2100ffff"),
            ("bits = 0x1d80ffff", &format!("line 6: key 'genesis.bits': expected {bits}, got 0x1d80ffff")),
            ("bits = \"1d00fffg\"", &format!("line 6: key 'genesis.bits': expected {bits}, got '1d00fffg'")),
        ],
    );
    assert_errors(
        "nonce = 0",
        &[
            (
                "nonce = 4294967296",
                "line 7: key 'genesis.nonce': expected a nonce from 0 to 4294967295, got 4294967296",
            ),
            ("", "line 3: key 'genesis.nonce': missing; 'cairn network mine-genesis FILE' finds it"),
            (
                "nonce = 0\ncoinbase = 1",
                "line 8: key 'genesis.coinbase': unknown; expected one of time, message, bits, nonce, version",
            ),
            ("version = 0", "line 7: key 'genesis.version': expected a version from 1 to 2147483647, got 0"),
        ],
    );
}

#[test]
fn errors_in_the_retarget_table() {
    assert_errors(
        "algorithm = \"asert\"",
        &[
            ("", "line 8: key 'retarget.algorithm': missing; expected 'asert' or 'bitcoin'"),
            ("algorithm = \"lwma\"", "line 9: key 'retarget.algorithm': expected 'asert' or 'bitcoin', got 'lwma'"),
            (
                "algorithm = \"asert\"\nhalf_life = 0",
                "line 10: key 'retarget.half_life': expected seconds from 1 to 31536000, got 0",
            ),
            (
                "algorithm = \"asert\"\nanchor_bits = 0x2100ffff",
                "line 10: key 'retarget.anchor_bits': expected a target not above pow_limit, got 0x2100ffff",
            ),
            (
                "algorithm = \"asert\"\ntimespan = 60",
                "line 10: key 'retarget.timespan': unknown; expected one of algorithm, anchor_height, \
             anchor_bits, half_life",
            ),
            ("algorithm = \"bitcoin\"", "line 8: key 'retarget.timespan': missing; expected seconds of one period"),
            (
                "algorithm = \"bitcoin\"\ntimespan = 45",
                "line 10: key 'retarget.timespan': expected a multiple of target_spacing (30), at least twice \
             it, got 45",
            ),
            (
                "algorithm = \"bitcoin\"\ntimespan = 30",
                "line 10: key 'retarget.timespan': expected a multiple of target_spacing (30), at least twice \
             it, got 30",
            ),
            (
                "algorithm = \"bitcoin\"\ntimespan = 60",
                "line 10: key 'retarget.timespan': expected a timespan that four times over, multiplied by \
             pow_limit, fits in 256 bits, got 60",
            ),
            (
                "algorithm = \"bitcoin\"\ntimespan = 60\nno_retargeting = 1",
                "line 11: key 'retarget.no_retargeting': expected true or false, got 1",
            ),
        ],
    );
}

#[test]
fn errors_in_the_subsidy_table() {
    let coins = "coins from 0 to 21000000, fractions of up to 8 digits in quotes";
    assert_errors(
        "initial = 50",
        &[
            ("initial = 21000001", &format!("line 11: key 'subsidy.initial': expected {coins}, got 21000001")),
            (
                "initial = \"0.123456789\"",
                &format!("line 11: key 'subsidy.initial': expected {coins}, got '0.123456789'"),
            ),
            ("initial = -1", &format!("line 11: key 'subsidy.initial': expected {coins}, got -1")),
            ("initial = 0.5", &format!("line 11: key 'subsidy.initial': expected {coins}, got 0.5")),
        ],
    );
    assert_errors(
        "halving_interval = 1000",
        &[(
            "halving_interval = 0",
            "line 12: key 'subsidy.halving_interval': expected blocks from 1 to 2147483646, got 0",
        )],
    );
    assert_errors(
        "[subsidy]\ninitial = 50\nhalving_interval = 1000\n",
        &[("", "line 1: key 'subsidy': missing; expected a table [subsidy]")],
    );
}

#[test]
fn errors_in_the_toml_itself() {
    assert_errors(
        "name = \"acme\"",
        &[("name = \"acme\"\nname = \"acme\"", "line 2: not valid TOML at 'name = \"acme\"': duplicate key")],
    );
    assert_errors(
        "time = 1795219200",
        &[
            ("time = ", "line 4: not valid TOML at 'time =': string values must be quoted, expected literal string"),
            (
                "\"a\\u001b[31m\" = 1",
                "line 4: key 'genesis.a\u{fffd}[31m': unknown; expected one of time, message, bits, nonce, version",
            ),
        ],
    );
}
