use bitcoin::{Amount, BlockHash, Txid};
use proptest::prelude::*;

use super::super::json::parse_document;
use super::super::table::{Category, Parameter};
use super::super::values::{Btc, HexBytes};
use super::super::{ResultDoc, find_method, to_result};
use super::*;

static METHOD: Method = Method {
    name: "sample",
    category: Category::Hidden,
    description: "For tests.",
    parameters: &[
        Parameter::number("height", Presence::Required, ""),
        Parameter::number("verbosity|verbose", Presence::Default("1"), "").any_type(),
        Parameter::string("mode", Presence::Default("\"all\""), ""),
        Parameter::object("options", Presence::Omitted, "", &[]),
    ],
    results: &[ResultDoc::any("", "")],
    examples: &[],
    handler: |_| Box::pin(async { to_result(&()) }),
};

fn json(text: &str) -> &RawValue {
    parse_document(text.as_bytes()).unwrap()
}

fn arguments(params: &str) -> Arguments {
    Arguments::match_parameters(&METHOD, Some(json(params)), 1).unwrap()
}

fn read<T: FromArgument>(text: &str) -> Result<T, (i32, String)> {
    T::from_argument(json(text), "name").map_err(|error| (error.code.number(), error.message))
}

#[test]
fn arguments_defaults_and_what_is_absent() {
    let few = arguments("[7]");
    assert_eq!(few.get::<i32>("height").unwrap(), 7);
    assert_eq!(few.get::<i32>("verbosity").unwrap(), 1);
    assert_eq!(few.get::<String>("mode").unwrap(), "all");
    assert_eq!(few.optional::<String>("mode").unwrap(), None);
    assert!(few.optional::<Object>("options").unwrap().is_none());
    assert!(few.raw("mode").is_none());
    assert_eq!((few.count(), few.json_type("height"), few.json_type("mode")), (1, JsonType::Number, JsonType::Null));
    let all = arguments(r#"{"height":7,"verbose":2,"mode":null,"options":{"a":1}}"#);
    assert_eq!(all.get::<u32>("verbosity").unwrap(), 2);
    assert_eq!(all.get::<String>("mode").unwrap(), "all");
    assert_eq!(all.get::<Object>("options").unwrap().get::<u64>("a").unwrap(), 1);
    assert_eq!(all.count(), 4);
    assert_eq!(Arguments::match_parameters(&METHOD, None, 1).unwrap_err().message, METHOD.help(1));
    let params = Some(json("[1,2,\"\",{},5]"));
    assert_eq!(Arguments::match_parameters(&METHOD, params, 1).unwrap_err().message, METHOD.help(1));
    assert!(Arguments::match_parameters(find_method("uptime").unwrap(), None, 1).is_ok());
}

#[test]
fn verbosity_is_a_number_or_a_boolean() {
    let verbosity = |value: &str, allow_bool| {
        arguments(&format!("[0,{value}]")).verbosity("verbosity", 9, allow_bool).map_err(|error| error.message)
    };
    assert_eq!(verbosity("2", true), Ok(2));
    assert_eq!(verbosity("true", true), Ok(1));
    assert_eq!(verbosity("false", true), Ok(0));
    assert_eq!(verbosity("null", true), Ok(9));
    assert_eq!(verbosity("true", false).unwrap_err(), "Verbosity was boolean but only integer allowed");
    assert_eq!(verbosity("\"1\"", true).unwrap_err(), "JSON value of type string is not of expected type number");
}

#[test]
fn numbers() {
    let out_of_range = |code: &str| (-1, format!("JSON {code} out of range"));
    assert_eq!(read::<i32>("-2147483648"), Ok(i32::MIN));
    assert_eq!(read::<i32>("2147483648"), Err(out_of_range("integer")));
    assert_eq!(read::<i64>("9223372036854775807"), Ok(i64::MAX));
    assert_eq!(read::<u64>("18446744073709551615"), Ok(u64::MAX));
    assert_eq!(read::<u32>("-1"), Err(out_of_range("integer")));
    for text in ["1.0", "1e3", "18446744073709551616"] {
        assert_eq!(read::<u64>(text), Err(out_of_range("integer")), "{text}");
    }
    assert_eq!(read::<f64>("1.5e3"), Ok(1500.0));
    assert_eq!(read::<f64>("1e999"), Err(out_of_range("double")));
    let wrong = (-3, "JSON value of type string is not of expected type number".to_owned());
    assert_eq!(read::<i32>("\"1\""), Err(wrong));
    assert_eq!(read::<bool>("1").unwrap_err().1, "JSON value of type number is not of expected type bool");
    assert_eq!(read::<bool>("true"), Ok(true));
}

#[test]
fn hashes_and_bytes() {
    let hash = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
    assert_eq!(read::<BlockHash>(&format!("\"{hash}\"")).unwrap().to_string(), hash);
    assert_eq!(read::<Txid>(&format!("\"{}\"", hash.to_uppercase())).unwrap().to_string(), hash);
    assert_eq!(read::<Txid>("\"\""), Err((-8, "name must be of length 64 (not 0, for '')".to_owned())));
    let wrong = format!("{}xy", &hash[2..]);
    let message = format!("name must be hexadecimal string (not '{wrong}')");
    assert_eq!(read::<Txid>(&format!("\"{wrong}\"")), Err((-8, message)));
    assert_eq!(read::<Txid>("5").unwrap_err().0, -3);
    // 64 bytes that are not 64 characters.
    assert_eq!(read::<Txid>(&format!("\"{}\"", "é".repeat(32))).unwrap_err().0, -8);
    assert_eq!(read::<HexBytes>("\"00fF\"").unwrap().0, [0, 255]);
    for (text, shown) in [("\"0\"", "0"), ("\"\"", ""), ("\"0g\"", "0g"), ("5", "")] {
        assert_eq!(
            read::<HexBytes>(text),
            Err((-8, format!("name must be hexadecimal string (not '{shown}')"))),
            "{text}"
        );
    }
}

#[test]
fn amounts() {
    assert_eq!(read::<Amount>("0.1"), Ok(Amount::from_sat(10_000_000)));
    assert_eq!(read::<Amount>("\"0.00000001\""), Ok(Amount::from_sat(1)));
    assert_eq!(read::<Amount>("21000000"), Ok(Amount::MAX_MONEY));
    // It would be the same as 0.3 if it went through a floating-point number.
    assert_eq!(read::<Amount>("0.30000000000000001").unwrap_err().1, "Invalid amount");
    assert_eq!(read::<Amount>("2099999999999.9997e-5"), Err((-3, "Invalid amount".to_owned())));
    for text in ["21000000.00000001", "-0.00000001", "\"-1\"", "9999999999"] {
        assert_eq!(read::<Amount>(text), Err((-3, "Amount out of range".to_owned())), "{text}");
    }
    for text in ["0.000000001", "\"\"", "\"x\"", "\" 1\"", "\"1 \"", "1e17"] {
        assert_eq!(read::<Amount>(text), Err((-3, "Invalid amount".to_owned())), "{text}");
    }
    for text in ["true", "null", "[]", "{}"] {
        assert_eq!(read::<Amount>(text), Err((-3, "Amount is not a number or string".to_owned())), "{text}");
    }
}

#[test]
fn lists_and_objects() {
    assert_eq!(read::<Vec<u32>>("[1,2]"), Ok(vec![1, 2]));
    assert_eq!(read::<Vec<u32>>("[1,\"2\"]").unwrap_err().0, -3);
    assert_eq!(read::<Vec<u32>>("{}").unwrap_err().1, "JSON value of type object is not of expected type array");
    assert_eq!(read::<Vec<u32>>(&format!("[{}]", vec!["1"; (1 << 20) + 1].join(","))).unwrap_err().0, -37);
    let object: Object = read(r#"{"a":1,"b":"x","a":2,"c":null}"#).unwrap();
    assert_eq!(object.keys().collect::<Vec<_>>(), ["a", "b", "a", "c"]);
    assert_eq!(object.get::<u32>("a").unwrap(), 1);
    assert_eq!(object.optional::<u32>("c").unwrap(), None);
    assert_eq!(
        object.get::<String>("c").unwrap_err().message,
        "JSON value of type null is not of expected type string"
    );
    let check = |types: &[(&str, Option<JsonType>)], allow_null, strict| {
        object.check_types(types, allow_null, strict).map_err(|error| error.message)
    };
    let known = [("a", Some(JsonType::Number)), ("b", None), ("c", Some(JsonType::Bool))];
    assert_eq!(check(&known, true, true), Ok(()));
    assert_eq!(check(&known, false, true).unwrap_err(), "Missing c");
    assert_eq!(check(&known[..2], false, true).unwrap_err(), "Unexpected key c");
    assert_eq!(check(&known[..2], false, false), Ok(()));
    let wrong = "JSON value of type number for field a is not of expected type string";
    assert_eq!(check(&[("a", Some(JsonType::String))], true, false).unwrap_err(), wrong);
}

proptest! {
    #[test]
    fn amounts_come_back_as_they_were_written(satoshis in 0..=Amount::MAX_MONEY.to_sat()) {
        let amount = Amount::from_sat(satoshis);
        prop_assert_eq!(read::<Amount>(&Btc::from(amount).to_string()), Ok(amount));
    }

    #[test]
    fn fixed_point_agrees_with_exact_arithmetic(mantissa in -999_999_999_i64..=999_999_999, exponent in -12_i32..=12, decimals in 0..=8_u8) {
        let text = format!("{mantissa}e{exponent}");
        let shift = exponent + i32::from(decimals);
        let wide = i128::from(mantissa);
        let expected = if shift >= 0 {
            Some(wide * 10_i128.pow(u32::try_from(shift).unwrap()))
        } else {
            let divisor = 10_i128.pow(u32::try_from(-shift).unwrap());
            (wide % divisor == 0).then_some(wide / divisor)
        };
        // Zero with a large exponent is refused as any number with one; those are not made here but for 18 and above.
        let in_range = expected.filter(|value| value.abs() <= 999_999_999_999_999_999);
        if mantissa != 0 {
            prop_assert_eq!(parse_fixed_point(&text, decimals).map(i128::from), in_range);
        }
    }

    #[test]
    fn any_text_is_a_number_or_none(text in "-?[0-9]{0,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{0,20})?", decimals in 0..=18_u8) {
        let _ = parse_fixed_point(&text, decimals);
    }
}
