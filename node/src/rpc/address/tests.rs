use proptest::prelude::*;

use super::locate::locate_errors;
use super::*;

/// `bech32_tests.cpp` of Core: texts that are wrong, and where.
const WRONG: &[(&str, &str, &[usize])] = &[
    (" 1nwldj5", "Invalid character or mixed case", &[0]),
    ("\x7f1axkwrx", "Invalid character or mixed case", &[0]),
    (
        "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
        "Bech32 string too long",
        &[90],
    ),
    ("pzry9x0s0muk", "Missing separator", &[]),
    ("1pzry9x0s0muk", "Invalid separator position", &[0]),
    ("x1b4n0q5v", "Invalid Base 32 character", &[2]),
    ("li1dgmt3", "Invalid separator position", &[2]),
    ("A1G7SGD8", "Invalid checksum", &[]),
    ("10a06t8", "Invalid separator position", &[0]),
    ("1qzzfhee", "Invalid separator position", &[0]),
    ("a12UEL5L", "Invalid character or mixed case", &[3, 4, 5, 7]),
    ("A12uEL5L", "Invalid character or mixed case", &[3]),
    ("abcdef1qpzrz9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "Invalid Bech32 checksum", &[11]),
    ("test1zg69w7y6hn0aqy352euf40x77qddq3dc", "Invalid Bech32 checksum", &[9, 16]),
    ("qyrz8wqd2c9m", "Missing separator", &[]),
    ("y1b0jsk6g", "Invalid Base 32 character", &[2]),
    ("lt1igcx5c0", "Invalid Base 32 character", &[3]),
    ("in1muywd", "Invalid separator position", &[2]),
    ("mm1crxm3i", "Invalid Base 32 character", &[8]),
    ("au1s5cgom", "Invalid Base 32 character", &[7]),
    ("M1VUXWEZ", "Invalid checksum", &[]),
    ("16plkw9", "Invalid separator position", &[0]),
    ("abcdef1l7aum6echk45nj2s0wdvt2fg8x9yrzpqzd3ryx", "Invalid Bech32m checksum", &[21]),
    ("test1zg69v7y60n00qy352euf40x77qcusag6", "Invalid Bech32m checksum", &[13, 32]),
];

#[test]
fn errors_are_where_core_finds_them() {
    for (text, message, places) in WRONG {
        assert_eq!(bech32::decode(text), None, "{text}");
        assert_eq!(locate_errors(text), (*message, places.to_vec()), "{text}");
    }
}

/// `rpc_invalid_address_message.py` and `rpc_validateaddress.py` of Core.
#[test]
fn wrong_addresses_get_cores_answers() {
    const NO_ENCODING: &str = "Invalid or unsupported Segwit (Bech32) or Base58 encoding.";
    const NEEDS_BECH32M: &str = "Version 1+ witness address must use Bech32m checksum";
    const NO_CHECKSUM: &str = "Invalid checksum or length of Base58 address (P2PKH or P2SH)";
    let regtest: &[(&str, &str, &[usize])] = &[
        ("bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqdmchcc", NEEDS_BECH32M, &[]),
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7k35mrzd", "Version 0 witness address must use Bech32 checksum", &[]),
        (
            "bcrt130xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqynjegk",
            "Invalid Bech32 address witness version",
            &[],
        ),
        (
            "bcrt1s0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav25430mtr",
            "Invalid Bech32 address program size (41 bytes)",
            &[],
        ),
        (
            "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kqqq5k3my",
            "Invalid Bech32 v0 address program size (21 bytes), per BIP141",
            &[],
        ),
        ("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx", NO_ENCODING, &[]),
        ("bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Bech32 checksum", &[9]),
        ("BCRT1QPLMTZKC2XHARPPZDLNPAQL78RSHJ68U32RAH7R", "Invalid Bech32 checksum", &[38]),
        ("bcrt1qax9suht3qv95sw33xavx8crpxduefdrsvgsklu", "Invalid Bech32 checksum", &[22, 43]),
        ("bcrtq049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Missing separator", &[]),
        ("bcrt1q04oldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Base 32 character", &[8]),
        ("bcrt1qdg3myrgvzw7ml8q0ejxhlkyxn7vl9r56yzkfgvzclrf4hkpx9yfqhpsuks", "Invalid Bech32 checksum", &[19, 30]),
        ("bcrt1ptmp74ayg7p24uslctssvjm06q5phz4yrxucgnv", "Invalid Bech32 checksum", &[5]),
        ("17VZNX1SN5NtKa8UQFxwQbFeFc3iqRYhem", "Invalid or unsupported Base58-encoded address.", &[]),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJJfn", NO_CHECKSUM, &[]),
        ("2VKf7XKMrp4bVNVmuRbyCewkP8FhGLP2E54LHDPakr9Sq5mtU2", NO_CHECKSUM, &[]),
        ("asfah14i8fajz0123f", NO_ENCODING, &[]),
        ("1q049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv", NO_ENCODING, &[]),
        ("", NO_CHECKSUM, &[]),
        ("bcrt", "Missing separator", &[]),
    ];
    let main: &[(&str, &str, &[usize])] = &[
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "Invalid Bech32 checksum", &[41]),
        ("BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", NEEDS_BECH32M, &[]),
        ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "Invalid Bech32 v0 address program size (16 bytes), per BIP141", &[]),
        ("bc1gmk9yu", "Empty Bech32 data section", &[]),
        ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "Invalid Base 32 character", &[59]),
        ("bc1pw5dgrnzv", "Invalid Bech32 address program size (1 byte)", &[]),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
            "Invalid padding in Bech32 data section",
            &[],
        ),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "Invalid or unsupported Base58-encoded address.", &[]),
    ];
    for (format, cases) in [(AddressFormat::REGTEST, regtest), (AddressFormat::MAIN, main)] {
        for (text, message, places) in cases {
            let error = decode_address(text, format).expect_err(text);
            assert_eq!((&*error.message, &error.locations[..]), (*message, *places), "{text}");
        }
    }
    let long =
        "bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv049edschfnwystcqnsvyfpj23mpsg3jcedq9xv049edschfnwystcqnsvyfpj23m";
    let error = decode_address(long, AddressFormat::REGTEST).unwrap_err();
    assert_eq!((&*error.message, error.locations), ("Bech32 string too long", (90..108).collect()));
    assert_eq!(decode_address(&"1".repeat(1 << 20), AddressFormat::MAIN).unwrap_err().message, NO_ENCODING);
}

#[test]
fn good_addresses_are_read_and_written_the_same() {
    for text in [
        "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv",
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
        "2N2JD6wb56AfK4tfmM6PwdVmoYk2dCKf4Br",
        "bcrt1pfeesnyr2tx",
    ] {
        assert_eq!(decode_address(text, AddressFormat::REGTEST).unwrap().to_string(), text);
    }
    let text = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
    let decoded = decode_address(&text.to_uppercase(), AddressFormat::MAIN).unwrap();
    assert_eq!(decoded.to_string(), text);
    let spaced = decode_address(" \tmipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn\n", AddressFormat::REGTEST).unwrap();
    assert_eq!(spaced.to_string(), "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn");
}

proptest! {
    #[test]
    fn any_address_is_read_back(version in 0_u8..=16, program in prop::collection::vec(any::<u8>(), 2..=40)) {
        let version = WitnessVersion::try_from(version).unwrap();
        let Ok(program) = WitnessProgram::new(version, &program) else { return Ok(()) };
        let address = Address::from_witness_program(program, AddressFormat::REGTEST.hrp);
        prop_assert_eq!(decode_address(&address.to_string(), AddressFormat::REGTEST).unwrap(), address);
    }

    /// The code's distance lets one mistake be found with certainty among texts with two at most.
    #[test]
    fn a_mistake_is_found(hash in any::<[u8; 20]>(), place in 6_usize..44, change in 1_usize..32) {
        const CHARACTERS: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        let program = WitnessProgram::new(WitnessVersion::V0, &hash).unwrap();
        let mut text = Address::from_witness_program(program, AddressFormat::REGTEST.hrp).to_string().into_bytes();
        let value = CHARACTERS.iter().position(|known| *known == text[place]).unwrap();
        text[place] = CHARACTERS[value ^ change];
        let error = decode_address(std::str::from_utf8(&text).unwrap(), AddressFormat::REGTEST).unwrap_err();
        prop_assert_eq!((&*error.message, error.locations), ("Invalid Bech32 checksum", vec![place]));
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,120}", tail in "[a-z0-9]{0,90}") {
        let _ = decode_address(&text, AddressFormat::REGTEST);
        let _ = decode_address(&format!("bcrt1{tail}"), AddressFormat::REGTEST);
    }
}
