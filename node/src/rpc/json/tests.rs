use super::*;

fn is_json(text: &str) -> bool {
    parse_document(text.as_bytes()).is_some()
}

#[test]
fn documents_are_checked_as_a_whole() {
    for good in
        ["1", " [1, 2]\n", r#"{"a":{"b":[null,true,-0.5e+3]}}"#, r#""\ud834\udd1e \\ud800 \" ""#, "\"\u{1d11e}\""]
    {
        assert!(is_json(good), "{good}");
    }
    for bad in [
        "",
        " ",
        "[",
        "[1,]",
        "{\"a\"}",
        "1 2",
        "01",
        "+1",
        ".5",
        "1.",
        "nul",
        "'a'",
        "\"\u{1}\"",
        r#""\ud834""#,
        r#""\udd1e""#,
        r#""\ud834\ud834""#,
        r#""\ud834x""#,
        r#"["\udd1e\ud834"]"#,
        r#""\x""#,
        "[1}",
        "\u{feff}1",
    ] {
        assert!(!is_json(bad), "{bad:?}");
    }
    assert!(parse_document(b"\"\xff\"").is_none());
    assert!(parse_document(b"\"\xc0\xaf\"").is_none());
}

#[test]
fn depth_is_bounded_and_strings_do_not_count() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(is_json(&nested(MAX_DEPTH)));
    assert!(!is_json(&nested(MAX_DEPTH + 1)));
    assert!(!is_json(&nested(5_000_000)));
    let objects = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
    assert!(is_json(&objects(MAX_DEPTH)));
    assert!(!is_json(&objects(MAX_DEPTH + 1)));
    assert!(is_json(&format!("[\"{}\\\"[\"]", "[".repeat(2 * MAX_DEPTH))));
    assert!(is_json(&format!("[{}]", vec!["[]"; 2 * MAX_DEPTH].join(","))));
}

#[test]
fn elements_come_one_by_one() {
    let texts = |json: &'static str| {
        Elements::of(parse_document(json.as_bytes()).unwrap()).map(RawValue::get).collect::<Vec<_>>()
    };
    assert_eq!(texts("[]"), Vec::<&str>::new());
    assert_eq!(texts("[ \n ]"), Vec::<&str>::new());
    assert_eq!(
        texts(r#"[1 , "a,]" ,[2,3],{"b":[4]} ,null,-5]"#),
        ["1", "\"a,]\"", "[2,3]", "{\"b\":[4]}", "null", "-5"]
    );
    assert_eq!(texts("{}"), Vec::<&str>::new());
    assert_eq!(texts("7"), Vec::<&str>::new());
}

#[test]
fn pretty_text_keeps_numbers_and_strings() {
    assert_eq!(pretty("1.50000000", 2), "1.50000000");
    assert_eq!(pretty("[]", 2), "[]");
    assert_eq!(pretty("{ }", 2), "{}");
    assert_eq!(
        pretty(r#"{"a":[1.10,{"b":"x: {,\"}"}],"c":{}}"#, 2),
        "{\n  \"a\": [\n    1.10,\n    {\n      \"b\": \"x: {,\\\"}\"\n    }\n  ],\n  \"c\": {}\n}"
    );
    assert_eq!(pretty("[\"\\\\\",1]", 4), "[\n    \"\\\\\",\n    1\n]");
}

#[test]
fn types_have_cores_names() {
    let names = ["null", "true", "{}", "[]", "\"\"", "-1"]
        .map(|text| JsonType::of(parse_document(text.as_bytes()).unwrap()).name());
    assert_eq!(names, ["null", "bool", "object", "array", "string", "number"]);
}
