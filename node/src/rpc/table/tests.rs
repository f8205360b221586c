use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::super::json::{JsonType, parse_document};
use super::super::methods::{ELSEWHERE, TABLE};
use super::super::to_result;
use super::result_doc::ResultType;
use super::*;

/// A method with parameters of every kind, as `walletcreatefundedpsbt` and `sendall` have them.
const SAMPLE: Method = Method {
    name: "sample",
    category: Category::Util,
    description: "Does something.\nIn two lines.\n",
    parameters: &[
        Parameter::array(
            "inputs",
            Presence::Required,
            "The inputs",
            &[Parameter::object(
                "",
                Presence::Omitted,
                "",
                &[
                    Parameter::hex("txid", Presence::Required, "The transaction id"),
                    Parameter::number("vout", Presence::Hint("depends"), "The output number"),
                ],
            )],
        ),
        Parameter::amount("fee|fees", Presence::Default("0.10"), "The fee\nin bitcoins"),
        Parameter::number("conf_target", Presence::Omitted, "Blocks").any_type(),
        Parameter::named_options(
            "options",
            Presence::Omitted,
            "",
            &[
                Parameter::boolean("replaceable|rbf", Presence::Default("true"), "May be replaced"),
                Parameter::number("conf_target", Presence::Omitted, "Blocks").also_positional(),
                Parameter::array(
                    "sign",
                    Presence::Default("[]"),
                    "Who signs",
                    &[Parameter::string("who", Presence::Omitted, "Somebody")],
                ),
            ],
        ),
        Parameter::user_keys(
            "amounts",
            Presence::Omitted,
            "To whom",
            &[Parameter::amount("address", Presence::Required, "How much")
                .type_texts("amount in BTC", "numeric, really")],
        )
        .oneline("{\"address\":amount}"),
        Parameter::range("range", Presence::Omitted, "From and to"),
        Parameter::string("secret", Presence::Omitted, "Not shown").hidden(),
    ],
    results: &[
        ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::string("a", "First").optional(),
                ResultDoc::object_dynamic("b", "", &[ResultDoc::amount("key", "An amount")]),
                ResultDoc::array("c", "", &[ResultDoc::time("", "When")]),
            ],
        )
        .and(&[ResultDoc::boolean("d", "Shared")])
        .and_elided(&[ResultDoc::number("e", "Elided"), ResultDoc::number("f", "Elided")], "Same as elsewhere")
        .when("for x = 1"),
        ResultDoc::array_fixed("", "", &[ResultDoc::number("", "One"), ResultDoc::null("", "")]).when("for x = 2"),
        ResultDoc::any("", ""),
    ],
    examples: &[
        Example::cli("'[]'"),
        Example::rpc("[], 1"),
        Example::text("\nAnd then\n"),
        Example::cli_of("uptime", ""),
        Example::rpc_of("uptime", ""),
    ],
    handler: |_| Box::pin(async { to_result(&()) }),
};

#[test]
fn help_has_cores_layout() {
    let expected = r#"sample [{"txid":"hex","vout":n},...] ( fee conf_target {"replaceable":bool,"conf_target":n,"sign":["who",...],...} {"address":amount} range )

Does something.
In two lines.

Arguments:
1. inputs                          (json array, required) The inputs
     [
       {                           (json object)
         "txid": "hex",            (string, required) The transaction id
         "vout": n,                (numeric, optional, default=depends) The output number
       },
       ...
     ]
2. fee                             (numeric or string, optional, default=0.10) The fee
                                   in bitcoins
3. conf_target                     (numeric, optional) Blocks
4. options                         (json object, optional) Options object that can be used to pass named arguments, listed below.
5. amounts                         (json object, optional) To whom
     {
       "address": amount in BTC,    (numeric, really, required) How much
       ...
     }
6. range                           (numeric or array, optional) From and to

Named Arguments:
replaceable      (boolean, optional, default=true) May be replaced
conf_target      (numeric, optional) Blocks
sign             (json array, optional, default=[]) Who signs
     [
       "who",    (string) Somebody
       ...
     ]

Result (for x = 1):
{                     (json object)
  "a" : "str",        (string, optional) First
  "b" : {             (json object)
    "key" : n,        (numeric) An amount
    ...
  },
  "c" : [             (json array)
    xxx,              (numeric) When
    ...
  ],
  "d" : true|false,    (boolean) Shared
  ...                 Same as elsewhere
}

Result (for x = 2):
[         (json array)
  n,      (numeric) One
  null    (json null)
]

Examples:
> cairn rpc sample '[]'
> curl --user myusername --data-binary '{"jsonrpc": "2.0", "id": "curltest", "method": "sample", "params": [[], 1]}' -H 'content-type: application/json' http://127.0.0.1:8332/

And then
> cairn rpc uptime
> curl --user myusername --data-binary '{"jsonrpc": "2.0", "id": "curltest", "method": "uptime", "params": []}' -H 'content-type: application/json' http://127.0.0.1:8332/
"#;
    // Columns are checked apart from the words.
    let squeeze =
        |text: &str| text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    let help = SAMPLE.help(8332);
    assert_eq!(squeeze(&help), squeeze(expected), "{help}");
}

#[test]
fn right_parts_stand_below_each_other() {
    let help = SAMPLE.help(1);
    let result: Vec<&str> =
        help.lines().skip_while(|line| !line.starts_with("Result (for x = 1)")).skip(1).take(13).collect();
    let column = "  \"d\" : true|false,".len() + 4;
    for line in result.iter().filter(|line| line.contains("(") || line.contains("Same")) {
        assert!(line[..column].ends_with(' ') && !line[column..].starts_with(' '), "{help}");
    }
    assert!(
        help.contains(&format!("\n{}in bitcoins\n", " ".repeat("       \"address\": amount in BTC,".len() + 4))),
        "{help}"
    );
}

#[test]
fn the_table_is_sound() {
    let mut names = HashSet::new();
    for method in TABLE.iter().copied().flatten() {
        let name = method.name;
        assert!(names.insert(name), "{name} is there twice");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
        assert!(!method.description.is_empty() && !method.description.starts_with('\n'), "{name}");
        // That one only says what took its place, as in Core.
        assert!(!method.results.is_empty() || name == "generate", "{name} has no result");
        let mut parameters: HashMap<&str, bool> = HashMap::new();
        for parameter in method.parameters {
            assert!(!parameter.first_name().is_empty(), "{name} has a parameter without a name");
            for alias in parameter.aliases() {
                assert!(alias != "args" && parameters.insert(alias, false).is_none(), "{name}: {alias} is there twice");
            }
            check_default(name, parameter);
        }
        for option in method.parameters.iter().flat_map(Parameter::named_only) {
            for alias in option.aliases() {
                let known = parameters.insert(alias, true);
                assert!(known.is_none() || (known == Some(false) && option.is_also_positional), "{name}: {alias}");
            }
            check_default(name, option);
        }
        let help = method.help(1);
        assert!(help.starts_with(name) && !help.contains("bitcoin-cli"), "{help}");
    }
    for name in ELSEWHERE.iter().flat_map(|(names, _)| *names) {
        assert!(names.insert(name), "{name} is a method, or is there twice");
    }
}

/// A default is JSON of the parameter's type.
fn check_default(method: &str, parameter: &Parameter) {
    let Presence::Default(text) = parameter.presence else { return };
    let value = parse_document(text.as_bytes()).unwrap_or_else(|| panic!("{method} {}: {text}", parameter.names));
    let got = JsonType::of(value);
    let expected = parameter.kind.json_type();
    assert!(
        expected.is_none_or(|expected| expected == got) || got == JsonType::Null || parameter.is_any_type,
        "{method} {}: {text}",
        parameter.names
    );
}

fn json(text: &str) -> &RawValue {
    parse_document(text.as_bytes()).unwrap()
}

#[test]
fn named_arguments_take_their_places() {
    let place = |params: &str| {
        place_named_arguments(&SAMPLE, json(params))
            .map(|values| values.iter().map(|value| value.get().to_owned()).collect::<Vec<_>>().join(";"))
            .map_err(|error| (error.code.number(), error.message))
    };
    let good = [
        ("{}", ""),
        (r#"{"inputs":[]}"#, "[]"),
        (r#"{"fee":1}"#, "null;1"),
        (r#"{"fees":1}"#, "null;1"),
        (r#"{"range":5,"inputs":[]}"#, "[];null;null;null;null;5"),
        (r#"{"args":[]}"#, ""),
        (r#"{"args":[[1],2]}"#, "[1];2"),
        (r#"{"args":[[1]],"range":3}"#, "[1];null;null;null;null;3"),
        (r#"{"fee":2,"args":[[1]]}"#, "[1];2"),
        (r#"{"rbf":false}"#, r#"null;null;null;{"rbf":false}"#),
        (r#"{"sign":[],"replaceable":null,"inputs":1}"#, r#"1;null;null;{"replaceable":null,"sign":[]}"#),
        // The parameter comes first.
        (r#"{"conf_target":6}"#, "null;null;6"),
        (r#"{"options":{"rbf":true}}"#, r#"null;null;null;{"rbf":true}"#),
        // What is no list is not looked at, as in Core.
        (r#"{"args":5}"#, ""),
        (r#"{"args":[1,2,3,4,5,6,7,8,9,10]}"#, "1;2;3;4;5;6;7;8"),
    ];
    for (params, values) in good {
        assert_eq!(place(params).unwrap(), values, "{params}");
    }
    let bad = [
        (r#"{"x":1}"#, "Unknown named parameter x"),
        (r#"{"inputs":[],"Fee":1}"#, "Unknown named parameter Fee"),
        (r#"{"fee":1,"fee":2}"#, "Parameter fee specified multiple times"),
        (r#"{"x":1,"x":2}"#, "Parameter x specified multiple times"),
        (r#"{"fee":1,"fees":2}"#, "Unknown named parameter fees"),
        (r#"{"args":[[],1],"fee":2}"#, "Parameter fee|fees specified twice both as positional and named argument"),
        (r#"{"inputs":[],"args":[[]]}"#, "Parameter inputs specified twice both as positional and named argument"),
        (r#"{"options":{},"rbf":true}"#, "Parameter options conflicts with parameter rbf"),
    ];
    for (params, message) in bad {
        assert_eq!(place(params).unwrap_err(), (-8, message.to_owned()), "{params}");
    }
    let many: Vec<String> = (0..100_000).map(|number| format!("\"n{number}\":1")).collect();
    assert_eq!(place(&format!("{{{}}}", many.join(","))).unwrap_err().1, "Unknown named parameter n0");
}

#[test]
fn numbers_and_types_of_arguments() {
    assert!(!is_valid_argument_count(&SAMPLE, 0));
    assert!(is_valid_argument_count(&SAMPLE, 1));
    assert!(is_valid_argument_count(&SAMPLE, 7));
    assert!(!is_valid_argument_count(&SAMPLE, 8));
    let check = |values: &str| {
        let values: Vec<_> = super::super::json::Elements::of(json(values)).map(ToOwned::to_owned).collect();
        check_arguments(&SAMPLE, &values).map_err(|error| (error.code.number(), error.message))
    };
    assert_eq!(check(r#"[[]]"#), Ok(()));
    assert_eq!(check(r#"[[],"0.1","any",{},{},[1,2],"x"]"#), Ok(()));
    assert_eq!(check(r#"[[],null,null,null,null,null,null]"#), Ok(()));
    let message = "Wrong type passed:\n{\n    \"Position 1 (inputs)\": \"JSON value of type null is not of expected type \
                   array\",\n    \"Position 4 (options)\": \"JSON value of type array is not of expected type object\"\n}";
    assert_eq!(check(r#"[null,1,1,[]]"#), Err((-3, message.to_owned())));
}

#[test]
fn methods_are_found_and_near_names_are_named() {
    assert_eq!(find_method("getblockcount").unwrap().name, "getblockcount");
    assert!(find_method("GETBLOCKCOUNT").is_none());
    assert!(find_method("").is_none());
    let message = |name: &str| not_found(name).message;
    assert_eq!(message("getblokhash"), "Method not found (nearest: getblockhash)");
    assert_eq!(message("sendtoaddress"), "Method not found (the node keeps no wallet)");
    for name in ["", "x", "qqqqqqqqqqqq", &"getblockhash".repeat(100_000), "日本語日本語"] {
        let expected = if name.is_empty() || name == "x" { message(name) } else { "Method not found".to_owned() };
        assert_eq!(message(name), expected);
    }
}

#[test]
fn results_that_are_not_as_documented_are_found() {
    let check = |text: &str| check_result(&SAMPLE_WITHOUT_ANY, json(text));
    const SAMPLE_WITHOUT_ANY: Method = Method { results: &[SAMPLE.results[0], SAMPLE.results[1]], ..SAMPLE };
    let good = r#"{"b":{"x":1,"y":2},"c":[5],"d":true,"e":1,"f":2}"#;
    check(good).unwrap();
    check(&good.replace("{\"b\"", "{\"a\":\"x\",\"b\"")).unwrap();
    check("[1,null]").unwrap();
    for bad in [
        "5".to_owned(),
        "{}".to_owned(),
        good.replace("\"f\"", "\"g\""),
        good.replace("\"f\":2", "\"f\":2,\"g\":2"),
        good.replace("true", "1"),
        good.replace("[5]", "[\"5\"]"),
        good.replace("\"y\":2", "\"y\":null"),
        "[null,null]".to_owned(),
    ] {
        assert!(check(&bad).is_err(), "{bad}");
    }
    assert_eq!(SAMPLE.results[2].kind, ResultType::Any);
}
