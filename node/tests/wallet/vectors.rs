//! Published vectors, end to end: known words give the known first addresses. No node runs.

use crate::harness::node_process::Datadir;
use crate::scene::{ABANDON, Wallets};

fn on_main(datadir: &Datadir) -> Wallets<'_> {
    Wallets { datadir, network: "main", node: Vec::new() }
}

fn restore(wallets: &Wallets<'_>, name: &str, input: &str, args: &[&str]) {
    let args = [&["--offline", "--no-passphrase"], args].concat();
    wallets.restore(name, input, &args).success();
}

/// The first two addresses of BIP44, BIP49, BIP84 and BIP86 for the words of the latter two.
#[test]
fn words_give_the_addresses_of_bip44_49_84_and_86() {
    let datadir = Datadir::new();
    let wallets = on_main(&datadir);
    for (kind, first, second) in [
        ("wpkh", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
        (
            "tr",
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
            "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
        ),
        ("sh-wpkh", "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf", "3LtMnn87fqUeHBUG414p9CWwnoV6E2pNKS"),
        ("pkh", "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA", "1Ak8PffB2meyfYnbXZR9EGfLfFZVpzJvQP"),
    ] {
        restore(&wallets, kind, ABANDON, &["--type", kind]);
        assert_eq!(wallets.say(&["receive", "-w", kind]), first);
        assert_eq!(wallets.say(&["receive", "-w", kind]), second);
    }
    // The account keys of BIP84 and BIP86; BIP84 writes its own with a prefix of another version.
    let exported = wallets.json(&["export", "-w", "tr", "--key", "m/86h/0h/0h"]);
    let key = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ";
    assert_eq!(exported["key"], format!("[73c5da0a/86'/0'/0']{key}"));
}

/// The first change address of BIP84 and BIP86.
#[test]
fn change_is_on_the_path_of_its_own() {
    let datadir = Datadir::new();
    let wallets = on_main(&datadir);
    for (kind, change) in [
        ("wpkh", "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
        ("tr", "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"),
    ] {
        restore(&wallets, kind, ABANDON, &["--type", kind]);
        let internal = wallets.json(&["export", "-w", kind])["internal"].as_str().unwrap().to_owned();
        restore(&wallets, &format!("{kind}-change"), &internal, &["--descriptor", "-"]);
        assert_eq!(wallets.say(&["receive", "-w", &format!("{kind}-change")]), change);
    }
}

/// BIP39's vectors (with the passphrase TREZOR): words give the master key, here as its public part.
#[test]
fn words_and_their_passphrase_give_the_master_key_of_bip39() {
    let datadir = Datadir::new();
    let wallets = on_main(&datadir);
    for (name, words, private) in [
        (
            "zero",
            ABANDON,
            "xprv9s21ZrQH143K3h3fDYiay8mocZ3afhfULfb5GX8kCBdno77K4HiA15Tg23wpbeF1pLfs1c5SPmYHrEpTuuRhxMwvKDwqdKiGJS9XFKzUsAF",
        ),
        (
            "legal",
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
            "xprv9s21ZrQH143K2gA81bYFHqU68xz1cX2APaSq5tt6MFSLeXnCKV1RVUJt9FWNTbrrryem4ZckN8k4Ls1H6nwdvDTvnV7zEXs2HgPezuVccsq",
        ),
        (
            "void",
            "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space \
             point ten exist slush involve unfold",
            "xprv9s21ZrQH143K39rnQJknpH1WEPFJrzmAqqasiDcVrNuk926oizzJDDQkdiTvNPr2FYDYzWgiMiC63YmfPAa2oPyNB23r2g7d1yiK6WpqaQS",
        ),
    ] {
        restore(&wallets, name, &format!("{words}\nTREZOR\n"), &["--bip39-passphrase"]);
        let key = wallets.say(&["export", "-w", name, "--key", "m"]);
        let known = private.parse::<bitcoin::bip32::Xpriv>().unwrap();
        let public = bitcoin::bip32::Xpub::from_priv(&secp256k1::Secp256k1::new(), &known);
        assert_eq!(key, format!("[{}]{public}", public.fingerprint()));
    }
}

/// BIP32's vectors 1 to 3: master keys, and keys that are derived from them with and without hardening.
#[test]
fn keys_are_derived_as_in_bip32() {
    let datadir = Datadir::new();
    let wallets = on_main(&datadir);
    for (name, master, keys) in [
        (
            "one",
            "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
            vec![
                (
                    "m",
                    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
                ),
                (
                    "m/0h/1/2h/2/1000000000",
                    "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy",
                ),
            ],
        ),
        (
            "two",
            "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U",
            vec![(
                "m/0/2147483647h/1/2147483646h/2",
                "xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5agb9rXpVGyy3bdW6EEgAtqt",
            )],
        ),
        (
            "three",
            "xprv9s21ZrQH143K25QhxbucbDDuQ4naNntJRi4KUfWT7xo4EKsHt2QJDu7KXp1A3u7Bi1j8ph3EGsZ9Xvz9dGuVrtHHs7pXeTzjuxBrCmmhgC6",
            vec![(
                "m/0h",
                "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y",
            )],
        ),
    ] {
        restore(&wallets, name, &format!("pkh({master}/0/*)"), &["--descriptor", "-"]);
        for (path, expected) in keys {
            let key = wallets.say(&["export", "-w", name, "--key", path]);
            assert_eq!(key.split(']').nth(1), Some(expected), "{name} {path}");
        }
    }
}
