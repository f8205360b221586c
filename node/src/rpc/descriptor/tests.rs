use bitcoin::hex::DisplayHex;
use proptest::prelude::*;

use super::*;

const KEY: &str = "03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd";
const LONG: &str = "04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918\
                    ba2d492eea75abea235";
const X_ONLY: &str = "a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd";
const WIF: &str = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1";
const XPUB: &str =
    "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB";
const XPRV: &str =
    "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U";

fn parse(text: &str) -> Result<Vec<Descriptor>, String> {
    Descriptor::parse(text, AddressFormat::MAIN, false).map_err(|error| error.to_string())
}

fn scripts(text: &str, index: u32) -> Vec<String> {
    let descriptor = parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).swap_remove(0);
    let scripts = descriptor.scripts(index).unwrap_or_else(|| panic!("{text}"));
    scripts.iter().map(|script| script.as_bytes().to_lower_hex_string()).collect()
}

/// What Core says about descriptors, good and bad ones (`descriptor_tests.cpp`), but for `musig()` and `unused()`, for `d:` where
/// tapscript's rules make it leave exactly one, and for what is wrong with the types of miniscripts.
#[derive(serde::Deserialize)]
struct Vectors {
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
}

#[derive(serde::Deserialize)]
struct Valid {
    private: String,
    public: String,
    /// Whether the private key is needed to derive others.
    hardened: bool,
    /// For one index after the other.
    scripts: Vec<Vec<String>>,
}

#[derive(serde::Deserialize)]
struct Invalid {
    text: String,
    error: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("tests/vectors.json")).unwrap()
}

#[test]
fn scripts_are_those_that_core_makes() {
    let vectors = vectors().valid;
    assert_eq!(vectors.len(), 59);
    for Valid { private, public, hardened, scripts: expected } in vectors {
        for (index, expected) in (0..).zip(&expected) {
            assert_eq!(scripts(&private, index), *expected, "{private}");
            if !hardened {
                assert_eq!(scripts(&public, index), *expected, "{public}");
            }
        }
        let shown = parse(&private).unwrap()[0].to_string();
        assert_eq!(shown.split('#').next(), public.split('#').next(), "{private}");
        assert_eq!(parse(&public).unwrap()[0].to_string(), shown);
    }
}

#[test]
fn errors_are_cores() {
    let vectors = vectors().invalid;
    assert_eq!(vectors.len(), 80);
    for Invalid { text, error } in vectors {
        assert_eq!(parse(&text).expect_err(&text), error, "{text}");
    }
}

/// Private keys stay private, and what is written is read back as what it was.
#[test]
fn canonical_texts_are_read_back() {
    let texts = [
        format!("pk({KEY})"),
        format!("pk({LONG})"),
        format!("combo([01234567/1h/2]{KEY})"),
        format!("wpkh({XPUB}/0/*)"),
        format!("pkh({XPUB}/0'/*')"),
        format!("pkh([01234567]{XPUB}/0h/*h)"),
        format!("sh(multi(2,{KEY},{XPUB}/1))"),
        format!("sh(wsh(sortedmulti(1,{KEY},{XPUB}/1)))"),
        format!("tr({X_ONLY})"),
        format!("tr({KEY},pk({X_ONLY}))"),
        format!("tr({X_ONLY},{{pk({XPUB}/1),{{pk({XPUB}/2),multi_a(2,{XPUB}/3,{XPUB}/4)}}}})"),
        format!("tr({X_ONLY},{{{{pk({XPUB}/1),pk({XPUB}/2)}},sortedmulti_a(1,{XPUB}/3)}})"),
        format!("rawtr({X_ONLY})"),
        format!("wsh(and_v(v:pk({KEY}),older(144)))"),
        format!("tr({X_ONLY},and_v(v:pk({XPUB}/*),after(100)))"),
        "raw(6a)".to_owned(),
        "addr(bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3)".to_owned(),
    ];
    for text in texts {
        let descriptor = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")).swap_remove(0);
        let shown = descriptor.to_string();
        assert_eq!(shown.split('#').next().unwrap(), text);
        let again = Descriptor::parse(&shown, AddressFormat::MAIN, true).unwrap().swap_remove(0);
        assert_eq!(again.scripts(7), descriptor.scripts(7), "{text}");
    }
    for (secret, public) in [
        (format!("pkh({WIF})"), format!("pkh({KEY})")),
        (format!("tr({WIF})"), format!("tr({X_ONLY})")),
        (format!("wpkh({XPRV}/1h/*)"), format!("wpkh({XPUB}/1h/*)")),
    ] {
        let descriptor = parse(&secret).unwrap().swap_remove(0);
        assert!(descriptor.has_private_keys() && descriptor.scripts(0).is_some());
        assert!(descriptor.to_string().starts_with(&format!("{public}#")), "{descriptor}");
    }
    assert_eq!(parse(&format!("wpkh({XPUB}/1h/*)")).unwrap()[0].scripts(0), None);
}

/// A private key derives what its public key derives.
#[test]
fn both_halves_of_a_key_derive_the_same() {
    for index in [0, 1, 0x7fff_ffff] {
        assert_eq!(scripts(&format!("wpkh({XPRV}/1/*)"), index), scripts(&format!("wpkh({XPUB}/1/*)"), index));
    }
}

#[test]
fn paths_with_alternatives_are_as_many_descriptors() {
    let all = parse(&format!("wsh(multi(2,{XPUB}/<0;1;2>/*,{KEY}))")).unwrap();
    let single = |branch: u32| parse(&format!("wsh(multi(2,{XPUB}/{branch}/*,{KEY}))")).unwrap().swap_remove(0);
    assert_eq!(all.len(), 3);
    for (branch, descriptor) in (0..).zip(&all) {
        assert_eq!(descriptor.to_string(), single(branch).to_string());
        assert_eq!(descriptor.scripts(5), single(branch).scripts(5));
    }
}

#[test]
fn what_is_wrong_is_told_in_cores_words() {
    let cases = [
        (format!("pk({KEY})#"), "Expected 8 character checksum, not 0 characters".to_owned()),
        (format!("pk({KEY})##"), "Multiple '#' symbols".to_owned()),
        ("pk(ß)".to_owned(), "Invalid characters in payload".to_owned()),
        ("pk()".to_owned(), "pk(): No key provided".to_owned()),
        (format!("pkh({X_ONLY})"), format!("pkh(): Pubkey '{X_ONLY}' is invalid")),
        (format!("wpkh({LONG})"), "wpkh(): Uncompressed keys are not allowed".to_owned()),
        (format!("wsh(pk({LONG}))"), "pk(): Uncompressed keys are not allowed".to_owned()),
        ("pkh(nokey)".to_owned(), "pkh(): key 'nokey' is not valid".to_owned()),
        (format!("pkh( {KEY})"), format!("pkh(): Key ' {KEY}' is invalid due to whitespace")),
        (format!("pkh({XPUB}/2147483648)"), "pkh(): Key path value 2147483648 is out of range".to_owned()),
        (format!("pkh({XPUB}/1aa)"), "pkh(): Key path value '1aa' is not a valid uint32".to_owned()),
        (format!("pkh({XPUB}/+1)"), "pkh(): Key path value '+1' is not a valid uint32".to_owned()),
        (format!("pkh([aaaaaaaa]aaaa]{KEY})"), "pkh(): Multiple ']' characters found for a single pubkey".to_owned()),
        (
            format!("pkh(aaaaaaaa]{KEY})"),
            "pkh(): Key origin start '[ character expected but not found, got 'a' instead".to_owned(),
        ),
        (
            format!("pkh([aaaaaaa]{KEY})"),
            "pkh(): Fingerprint is not 4 bytes (7 characters instead of 8 characters)".to_owned(),
        ),
        (format!("pkh([gaaaaaaa]{KEY})"), "pkh(): Fingerprint 'gaaaaaaa' is not hex".to_owned()),
        (format!("pkh({XPUB}/<0>)"), "pkh(): Multipath key path specifiers must have at least two items".to_owned()),
        (format!("pkh({XPUB}/<0;1>/<0;1>)"), "pkh(): Multiple multipath key path specifiers found".to_owned()),
        (format!("pkh({XPUB}/<0;0>)"), "pkh(): Duplicated key path value 0 in multipath specifier".to_owned()),
        (
            format!("sh(multi(1,{XPUB}/<0;1>,{XPUB}/<0;1;2>))"),
            "multi(): Multipath derivation paths have mismatched lengths".to_owned(),
        ),
        (format!("multi(a,{KEY})"), "Multi threshold 'a' is not valid".to_owned()),
        (format!("multi(0,{KEY})"), "Multisig threshold cannot be 0, must be at least 1".to_owned()),
        (
            format!("multi(2,{KEY})"),
            "Multisig threshold cannot be larger than the number of keys; threshold is 2 but only 1 keys specified"
                .to_owned(),
        ),
        (
            format!("multi(1,{KEY},{KEY},{KEY},{KEY})"),
            "Cannot have 4 pubkeys in bare multisig; only at most 3 pubkeys".to_owned(),
        ),
        (
            format!("sh(multi(1{}))", format!(",{KEY}").repeat(16)),
            "P2SH script is too large, 547 bytes is larger than 520 bytes".to_owned(),
        ),
        (
            format!("wsh(multi(1{}))", format!(",{KEY}").repeat(21)),
            "Cannot have 21 keys in multisig; must have between 1 and 20 keys, inclusive".to_owned(),
        ),
        (format!("sh(combo({KEY}))"), "Can only have combo() at top level".to_owned()),
        (format!("wsh(wpkh({KEY}))"), "Can only have wpkh() at top level or inside sh()".to_owned()),
        (format!("sh(sh(pk({KEY})))"), "Can only have sh() at top level".to_owned()),
        (format!("wsh(wsh(pk({KEY})))"), "Can only have wsh() at top level or inside sh()".to_owned()),
        (format!("wsh(tr({X_ONLY}))"), "Can only have tr at top level".to_owned()),
        ("sh(raw(6a))".to_owned(), "Can only have raw() at top level".to_owned()),
        ("raw(zz)".to_owned(), "Raw script is not hex".to_owned()),
        ("addr(asdf)".to_owned(), "Address is not valid".to_owned()),
        ("sh(asdf)".to_owned(), "A function is needed within P2SH".to_owned()),
        ("wsh(asdf)".to_owned(), "A function is needed within P2WSH".to_owned()),
        ("asdf(1)".to_owned(), "'asdf(1)' is not a valid descriptor function".to_owned()),
        (
            format!("sh(and_v(v:pk({KEY}),older(1)))"),
            "Miniscript expressions can only be used in wsh or tr.".to_owned(),
        ),
        ("wsh(older(1))".to_owned(), "older(1) is not sane: witnesses without signature exist".to_owned()),
        (format!("tr({X_ONLY},pk({X_ONLY})"), format!("'pk({X_ONLY}' is not a valid descriptor function")),
        (format!("tr({X_ONLY},{{pk({X_ONLY})}})"), "tr(): expected ',' after script expression".to_owned()),
        (format!("tr({X_ONLY},{{pk({X_ONLY}),pk({X_ONLY}))"), "tr(): expected '}' after script expression".to_owned()),
        (format!("tr({X_ONLY},pk({X_ONLY}),pk({X_ONLY}))"), "tr(): expected ')' after script expression".to_owned()),
        (
            format!("tr({X_ONLY},{}pk({X_ONLY}))", "{".repeat(129)),
            "tr() supports at most 128 nesting levels".to_owned(),
        ),
        (format!("rawtr({X_ONLY},{X_ONLY})"), "rawtr(): only one key expected.".to_owned()),
        (format!("pkh(musig({KEY},{KEY}))"), "pkh(): musig() is only allowed in tr() and rawtr()".to_owned()),
    ];
    for (text, message) in cases {
        assert_eq!(parse(&text).expect_err(&text), message, "{text}");
    }
    let test = "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK";
    assert_eq!(parse(&format!("pk({test})")).unwrap_err(), format!("pk(): key '{test}' is not valid"));
}

/// BIP380's examples.
#[test]
fn checksums_guard_the_text() {
    assert_eq!(descriptor_checksum("raw(deadbeef)").as_deref(), Some("89f8spxm"));
    for (text, message) in [
        ("raw(deadbeef)#", "Expected 8 character checksum, not 0 characters"),
        ("raw(deadbeef)#89f8spxmx", "Expected 8 character checksum, not 9 characters"),
        ("raw(deadbeef)#89f8spx", "Expected 8 character checksum, not 7 characters"),
        ("raw(dedbeef)#89f8spxm", "Provided checksum '89f8spxm' does not match computed checksum '8tltpr0d'"),
        ("raw(deadbeef)##9f8spxm", "Multiple '#' symbols"),
    ] {
        let error = parse(text).unwrap_err();
        if text.starts_with("raw(dedbeef") {
            assert!(error.starts_with("Provided checksum '89f8spxm' does not match"), "{error}");
        } else {
            assert_eq!(error, message);
        }
    }
    assert_eq!(
        Descriptor::parse("raw(deadbeef)", AddressFormat::MAIN, true).unwrap_err().to_string(),
        "Missing checksum"
    );
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "[a-z0-9(){},/*'\\[\\]#;<>:_@]{0,80}") {
        for function in ["", "sh", "wsh", "tr", "multi"] {
            let _ = parse(&format!("{function}({text})"));
        }
    }
}
