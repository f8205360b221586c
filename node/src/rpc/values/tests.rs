use super::*;

fn json<T: Serialize>(value: T) -> String {
    to_result(&value).unwrap().get().to_owned()
}

#[test]
fn amounts_have_eight_decimals() {
    // The vectors of `rpc_format_monetary_values` in Core's rpc_tests.cpp, and the ends.
    let vectors = [
        (0, "0.00000000"),
        (1, "0.00000001"),
        (-1, "-0.00000001"),
        (17_622_195, "0.17622195"),
        (50_000_000, "0.50000000"),
        (89_898_989, "0.89898989"),
        (100_000_000, "1.00000000"),
        (-100_000_000, "-1.00000000"),
        (2_099_999_999_999_990, "20999999.99999990"),
        (2_099_999_999_999_999, "20999999.99999999"),
        (12_345_678_900_000, "123456.78900000"),
        (i64::MAX, "92233720368.54775807"),
        (i64::MIN, "-92233720368.54775808"),
    ];
    for (satoshis, text) in vectors {
        assert_eq!(json(Btc(satoshis)), text);
    }
    assert_eq!(json(vec![Some(Btc(10)), None]), "[0.00000010,null]");
    assert_eq!(json(Btc::from(Amount::ONE_BTC)), "1.00000000");
    assert_eq!(json(Btc::from(SignedAmount::from_sat(-5))), "-0.00000005");
}

#[test]
fn reals_are_written_as_c_writes_them() {
    let vectors = [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (0.5, "0.5"),
        (-7.21, "-7.21"),
        (1.0 / 3.0, "0.3333333333333333"),
        (2.0 / 3.0, "0.6666666666666666"),
        // Difficulty of regtest, of a block of 2023 and of 2025.
        (4.656_542_373_906_925e-10, "4.656542373906925e-10"),
        (53_911_173_001_054.59, "53911173001054.59"),
        (126_271_255_279_306.86, "126271255279306.9"),
        (123_456_789.0, "123456789"),
        (1e15, "1000000000000000"),
        (9_999_999_999_999_998.0, "9999999999999998"),
        (1e16, "1e+16"),
        (1.5e300, "1.5e+300"),
        (0.0001, "0.0001"),
        (0.000_01, "1e-05"),
        (0.000_012_345, "1.2345e-05"),
        (1e-300, "1e-300"),
        (0.1 + 0.2, "0.3"),
        (99.999_999_999_999_999, "100"),
        (f64::MAX, "1.797693134862316e+308"),
        (f64::MIN_POSITIVE, "2.225073858507201e-308"),
    ];
    for (value, text) in vectors {
        assert_eq!(Real(value).to_string(), text);
        assert_eq!(json(Real(value)), text);
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(to_result(&Real(value)).is_err());
    }
}

#[test]
fn bytes_are_hexadecimal() {
    assert_eq!(json(Hex(&[0x00, 0xab, 0xff])), "\"00abff\"");
    assert_eq!(json(HexBytes(Vec::new())), "\"\"");
    assert_eq!(json(DisplayString(5)), "\"5\"");
}
