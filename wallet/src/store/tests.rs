use bitcoin::hashes::Hash;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn record() -> Record {
    Record {
        network: "regtest".to_owned(),
        genesis: BlockHash::all_zeros(),
        descriptor: "wpkh(…)".to_owned(),
        birthday: 7,
        gap_limit: 20,
        fingerprints: vec![Fingerprint::from([1, 2, 3, 4]), Fingerprint::from([5, 6, 7, 8])],
    }
}

fn sealed() -> Sealed {
    Sealed { memory: 8, passes: 1, lanes: 1, salt: [3; 16], nonce: [4; 24], ciphertext: vec![5; 40] }
}

fn create(path: &Path) -> Result<(), StoreError> {
    Store::create(path, &record(), Some((&sealed(), true)), |store| Store::initialize(store).map(drop))
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallets/alice.wallet");
    create(&path).unwrap();
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.record().unwrap(), record());
    assert_eq!(store.secret().unwrap(), Some((sealed(), true)));
    store.set_label(Labelled::Address, "somewhere", "rent").unwrap();
    store.set_label(Labelled::Address, "somewhere", "rent of May").unwrap();
    assert_eq!(store.labels(Labelled::Address).unwrap()["somewhere"], "rent of May");
    assert!(store.labels(Labelled::Transaction).unwrap().is_empty());

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let copy = folder.path().join("copy");
    store.backup(&copy).unwrap();
    assert_eq!(mode(&copy), 0o600);
    assert!(matches!(store.backup(&copy), Err(StoreError::Exists { .. })));
    assert_eq!(Store::open(&copy).unwrap().secret().unwrap(), Some((sealed(), true)));
    drop(store);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn one_command_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alice.wallet");
    create(&path).unwrap();
    let store = Store::open(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::InUse { .. })));
    drop(store);
    Store::open(&path).unwrap();
}

#[test]
fn a_wallet_never_takes_anothers_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alice.wallet");
    assert!(matches!(Store::open(&path), Err(StoreError::Missing { .. })));
    create(&path).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(create(&path), Err(StoreError::Exists { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    // One that cannot be filled is not there at all.
    let half = folder.path().join("bob.wallet");
    let failed = Store::create(&half, &record(), None, |_| Err(StoreError::Missing { path: half.clone() }));
    assert!(failed.is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn other_files_are_no_wallets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alice.wallet");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE other (id INTEGER)").unwrap();
    drop(other);
    assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. })));
    let later = folder.path().join("later.wallet");
    create(&later).unwrap();
    let connection = Connection::open(&later).unwrap();
    connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    drop(connection);
    assert!(matches!(Store::open(&later), Err(StoreError::OtherVersion { got: 2, expected: 1, .. })));
}
