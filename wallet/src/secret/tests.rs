use bitcoin::hashes::Hash;

use super::*;

const ABANDON: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn network(stakes: Stakes) -> Network {
    let genesis = bitcoin::BlockHash::all_zeros();
    Network { name: "cairn".to_owned(), addresses: bitcoin::Network::Regtest, genesis, stakes }
}

#[test]
fn a_sealed_secret_opens_with_its_passphrase_alone() {
    let secret = Secret::from_words(ABANDON, "extra", &network(Stakes::Money)).unwrap();
    let passphrase = Passphrase::new("correct horse".to_owned());
    let sealed = Sealed::seal(&secret, &passphrase).unwrap();
    assert_eq!(*sealed.open(&passphrase).unwrap().to_text(), *secret.to_text());
    assert_eq!(*secret.to_text(), format!("words\n{ABANDON}\nextra"));

    let wrong = sealed.open(&Passphrase::new("correct hors".to_owned())).unwrap_err();
    assert!(matches!(wrong, SealError::WrongPassphrase));
    for place in [0, sealed.ciphertext.len() / 2, sealed.ciphertext.len() - 1] {
        let mut changed = sealed.clone();
        changed.ciphertext[place] ^= 1;
        assert!(matches!(changed.open(&passphrase), Err(SealError::WrongPassphrase)));
    }
    let again = Sealed::seal(&secret, &passphrase).unwrap();
    assert_ne!(again.ciphertext, sealed.ciphertext, "each has a salt of its own");
}

#[test]
fn a_file_cannot_choose_our_memory() {
    let secret = Secret::from_words(ABANDON, "", &network(Stakes::Local)).unwrap();
    let sealed = Sealed::seal(&secret, &Passphrase::default()).unwrap();
    for changed in [
        Sealed { memory: u32::MAX, ..sealed.clone() },
        Sealed { passes: u32::MAX, ..sealed.clone() },
        Sealed { lanes: u32::MAX, ..sealed.clone() },
        Sealed { memory: 0, ..sealed },
    ] {
        assert!(matches!(changed.open(&Passphrase::default()), Err(SealError::Unreasonable { .. })));
    }
}

#[test]
fn words_are_checked() {
    let network = network(Stakes::Money);
    let error = |text: &str| Secret::from_words(text, "", &network).unwrap_err().to_string();
    assert!(error("abandon abandon").contains("expected 12, 15, 18, 21 or 24 of them, got 2"));
    assert!(error(&ABANDON.replace("about", "abandon")).contains("checksum"));
    assert!(error(&ABANDON.replace("about", "abbout")).contains("word 12 of 12"));
    assert!(error(PUBLIC_WORDS).contains("everybody knows these words"));
    assert!(Secret::from_words(&format!("  {}\n", ABANDON.to_uppercase()), "", &network).is_ok());
}

#[test]
fn new_words_are_new() {
    let words = |count| Secret::generate(count).unwrap().words().unwrap().collect::<Vec<_>>();
    for count in [12, 15, 18, 21, 24] {
        assert_eq!(words(count).len(), count);
        assert_ne!(words(count), words(count));
    }
    assert!(Secret::generate(13).is_err());
    assert!(Secret::generate(48).is_err());
}

#[test]
fn nothing_of_a_secret_is_printed_for_debugging() {
    let secret = Secret::from_words(ABANDON, "", &network(Stakes::Local)).unwrap();
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    assert_eq!(format!("{:?}", Passphrase::new("tell nobody".to_owned())), "Passphrase(..)");
}
