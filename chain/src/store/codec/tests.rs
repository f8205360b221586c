use super::*;
use crate::validation::MAX_MONEY;
use bitcoin::hex::{DisplayHex, FromHex};
use proptest::prelude::*;

fn coin(amount: u64, height: u32, is_coinbase: bool, script: &str) -> Coin {
    let script = Vec::from_hex(script).unwrap();
    Coin { amount: Amount::from_sat(amount), script_pubkey: CoinScript::from(&script[..]), height, is_coinbase }
}

/// What is on disks today must be read for ever.
#[test]
fn golden_coins() {
    let hash20 = "000102030405060708090a0b0c0d0e0f10111213";
    let hash32 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let golden = [
        (coin(5_000_000_000, 1, true, &format!("76a914{hash20}88ac")), format!("033200{hash20}")),
        (coin(0, 0, false, &format!("a914{hash20}87")), format!("000001{hash20}")),
        (coin(123_456_789, 840_000, false, &format!("0014{hash20}")), format!("80c566bdebe8910402{hash20}")),
        (coin(1, 100, true, &format!("0020{hash32}")), format!("c9010103{hash32}")),
        (coin(100_000_000, 100, false, &format!("5120{hash32}")), format!("c8010904{hash32}")),
        (coin(7, 2, false, ""), "043d05".to_owned()),
        (coin(7, 2, false, "51"), "043d0651".to_owned()),
        (coin(2_100_000_000_000_000, u32::MAX, true, "6a"), "ffffffff1fc0de810a066a".to_owned()),
    ];
    for (coin, expected) in golden {
        let mut bytes = Vec::new();
        write_coin(&mut bytes, &coin);
        assert_eq!(bytes.to_lower_hex_string(), expected, "{coin:?}");
    }
}

#[test]
fn golden_outpoint() {
    let mut bytes = Vec::new();
    write_outpoint(&mut bytes, &OutPoint { txid: Txid::from_byte_array([7; 32]), vout: 300 });
    assert_eq!(bytes.to_lower_hex_string(), "07".repeat(32) + "ac02");
}

#[test]
fn numbers_above_64_bits_are_refused() {
    let read = |bytes: &[u8]| StoredReader::new(bytes, "a test").number();
    assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).unwrap(), u64::MAX);
    assert!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]).is_err());
    assert!(read(&[0x80; 10]).is_err());
    assert_eq!(read(&[0x80]).unwrap_err().to_string(), "a test is damaged: expected 1 more bytes, got 0");
}

proptest! {
    #[test]
    fn coins_survive(
        amount in prop_oneof![0..=MAX_MONEY.unsigned_abs(), (0..21_000_000u64).prop_map(|coins| coins * 100_000_000)],
        height: u32,
        is_coinbase: bool,
        script in prop::collection::vec(any::<u8>(), 0..80),
        vout: u32,
    ) {
        let coin = Coin { amount: Amount::from_sat(amount), script_pubkey: CoinScript::from(&script[..]), height, is_coinbase };
        let outpoint = OutPoint { txid: Txid::from_byte_array([1; 32]), vout };
        let mut bytes = Vec::new();
        write_outpoint(&mut bytes, &outpoint);
        write_coin(&mut bytes, &coin);
        let mut reader = StoredReader::new(&bytes, "a test");
        prop_assert_eq!(reader.outpoint().unwrap(), outpoint);
        let mut skipping = reader.clone();
        prop_assert_eq!(reader.coin().unwrap(), coin);
        prop_assert!(reader.is_empty());
        skipping.skip_coin().unwrap();
        prop_assert!(skipping.is_empty());
    }

    #[test]
    fn damaged_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut reader = StoredReader::new(&bytes, "a test");
        while reader.coin().is_ok() {}
        let mut reader = StoredReader::new(&bytes, "a test");
        while reader.skip_coin().is_ok() {}
    }
}
