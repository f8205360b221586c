//! JSON of every kind: what fits a parameter, what nearly fits, and what does not.

use std::fmt::Write;

use cairn_tests::random::Random;

use crate::world::{PRIVATE_KEYS, PUBLIC_KEYS, ParameterKind, World};

/// Numbers at the edges of types. None makes a method work for long that believes it.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "6",
    "20",
    "-1",
    "-2",
    "120",
    "121",
    "-0",
    "0.0",
    "0.1",
    "1.5",
    "1e0",
    "1E+1",
    "1.00000000",
    "0.00000001",
    "0.000000001",
    "0.0001",
    "21000000",
    "21000000.00000001",
    "92233720368.54775808",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "1e19",
    "1e400",
    "-1e400",
    "1e-400",
    "1e999999999999",
    "0.1e-1",
    "1e18",
    "1e-8",
    "-0.5",
    "-1e-8",
    "340282366920938463463374607431768211456",
];

/// What looks like JSON and is none.
const NO_VALUES: &[&str] = &[
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "nan",
    "inf",
    "01",
    "-01",
    "1.",
    ".5",
    "+1",
    "0x10",
    "-",
    "1e",
    "1e+",
    "--1",
    "1_000",
    "True",
    "nul",
    "undefined",
    "'a'",
    "\"",
    "\"\\x41\"",
    "\"\\u12\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud83d\\u0041\"",
    "\"a\nb\"",
    "\"\t\"",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{a:1}",
    "{\"a\":1,}",
    "{1:2}",
    "[1}",
    "{\"a\":1]",
    "/*a*/1",
    "1//a",
    "\u{feff}1",
    "\u{0}",
];

/// Words that mean something to one method or another.
const WORDS: &[&str] = &[
    "",
    " ",
    "a",
    "none",
    "muhash",
    "hash_serialized_3",
    "start",
    "status",
    "abort",
    "stats",
    "mallocinfo",
    "unset",
    "conservative",
    "economical",
    "ALL",
    "ALL|ANYONECANPAY",
    "NONE",
    "SINGLE",
    "DEFAULT",
    "legacy",
    "bech32",
    "p2sh-segwit",
    "bech32m",
    "main",
    "test",
    "regtest",
    "txindex",
    "getblock",
    "help",
    "0",
    "-1",
    "1e400",
    "null",
    "true",
    "[]",
    "{}",
    "0x00",
    "%s%n%x",
    "../x",
    "\\u0000",
    "\\ud834\\udd1e",
    "\\\"\\\\\\/\\b\\f\\n\\r\\t",
    "ä€𝄞",
    "template",
    "proposal",
    "segwit",
    "csv",
    "avgfee",
    "txs",
    "feerate_percentiles",
    "utxo_size_inc",
];

/// A signature of a message, by some key.
const SIGNATURE: &str = "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0=";

/// A value that no parser may take.
pub(crate) fn no_value(random: &mut Random) -> String {
    random.pick(NO_VALUES).to_owned()
}

/// Any value.
pub(crate) fn any(random: &mut Random, world: &World, depth: usize) -> String {
    match random.below(if depth < 4 { 14 } else { 10 }) {
        0 => "null".to_owned(),
        1 => random.pick(&["true", "false"]).to_owned(),
        2 | 3 => number(random),
        4 | 5 => quote(random.pick(WORDS)),
        6 => quote(&hash(random, world)),
        7 => quote(&hex(random, world)),
        8 => quote(&text(random, world)),
        9 => quote(&"x".repeat(random.below(2000))),
        10 | 11 => {
            let count = random.below(4);
            list(count, || any(random, world, depth + 1))
        }
        _ => {
            let mut members = Vec::new();
            for _ in 0..random.below(4) {
                let name = random.pick(MEMBERS);
                let value = any(random, world, depth + 1);
                members.push(format!("\"{name}\":{value}"));
                // The same name again.
                if random.chance(10) {
                    members.push(format!("\"{name}\":{value}"));
                }
            }
            format!("{{{}}}", members.join(","))
        }
    }
}

/// Names of members of objects that some method looks at.
const MEMBERS: &[&str] = &[
    "txid",
    "vout",
    "sequence",
    "data",
    "desc",
    "range",
    "scriptPubKey",
    "redeemScript",
    "witnessScript",
    "amount",
    "mode",
    "rules",
    "longpollid",
    "capabilities",
    "workid",
    "verbosity",
    "verbose",
    "minfee",
    "fee_rate",
    "use_current_time",
    "mempool_only",
    "return_spending_tx",
    "",
    "a",
    "\\u0061",
    "__proto__",
    "args",
    "maxfeerate",
];

/// What fits a parameter, by its name, or nearly so.
pub(crate) fn fitting(random: &mut Random, world: &World, name: &str, kind: ParameterKind) -> String {
    match name {
        "maxfeerate" | "maxburnamount" => {
            return random.pick(&["0", "0.1", "\"0.1\"", "1", "2", "-1", "0.000000001", "null"]).to_owned();
        }
        "range" => return range(random),
        "locktime" | "version" => {
            return random.pick(&["0", "1", "2", "3", "4294967295", "4294967296", "-1"]).to_owned();
        }
        "options" if random.chance(50) => return "{}".to_owned(),
        _ => {}
    }
    match kind {
        ParameterKind::Boolean => random.pick(&["true", "false", "0", "1", "null"]).to_owned(),
        ParameterKind::Number => match name {
            "dummy" | "nrequired" | "fee_delta" => random.pick(&["0", "1", "2", "0", "1", "-1", "1000"]).to_owned(),
            "vout" | "n" => random.pick(&["0", "1", "2", "199", "-1"]).to_owned(),
            "height" | "blocks" | "nblocks" => random.up_to(125).to_string(),
            _ => number(random),
        },
        ParameterKind::Text => quote(&fitting_text(random, world, name)),
        ParameterKind::Array => array(random, world, name),
        ParameterKind::Object => object(random, world),
        ParameterKind::Any if name.contains("hash") => match random.below(3) {
            0 => random.up_to(125).to_string(),
            _ => quote(&hash(random, world)),
        },
        ParameterKind::Any => any(random, world, 0),
    }
}

fn fitting_text(random: &mut Random, world: &World, name: &str) -> String {
    // A file must lie where the test may write.
    if name.contains("path") || name.contains("file") {
        return if random.chance(50) { world.pool_file.clone() } else { "nothing".to_owned() };
    }
    match name {
        "hexstring" if random.chance(80) => return hex_of(random, &world.transactions),
        "hexdata" if random.chance(60) => return hex_of(random, &world.blocks),
        "action" if random.chance(60) => return "start".to_owned(),
        "address_type" => return random.pick(&["legacy", "bech32", "p2sh-segwit", "bech32m", "x"]).to_owned(),
        _ => {}
    }
    let all = if name.contains("hash") || name.contains("txid") {
        return hash(random, world);
    } else if name.contains("hex") || name.contains("data") {
        return hex(random, world);
    } else if name.contains("proof") {
        return hex_of(random, &world.proofs);
    } else if name.contains("privkey") {
        return random.pick(PRIVATE_KEYS).to_owned();
    } else if name == "signature" {
        return random.pick(&[SIGNATURE, "AAAA", "====", ""]).to_owned();
    } else if name.contains("address") {
        &world.addresses
    } else if name.contains("desc") || name == "output" {
        &world.descriptors
    } else {
        return random.pick(WORDS).to_owned();
    };
    damaged(random, all)
}

/// An element of a list, or one that misses or has too much of something.
fn damaged(random: &mut Random, all: &[String]) -> String {
    let mut text = all[random.below(all.len())].clone();
    if random.chance(20) && !text.is_empty() {
        let at = random.below(text.len());
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            let other = random.pick(&["", "0", "q", "(", ")", "#", "/", "*", "'", ",", "é"]);
            text.replace_range(at..=at, other);
        }
    }
    text
}

fn array(random: &mut Random, world: &World, name: &str) -> String {
    let count = random.below(4);
    match name {
        "inputs" | "outputs" if random.chance(40) => list(count, || coin(random, world)),
        "outputs" if random.chance(60) => list(count, || output(random, world)),
        "inputs" | "outputs" | "prevtxs" if random.chance(70) => list(count, || object(random, world)),
        "scanobjects" => list(count, || descriptor_object(random, world)),
        "stats" => list(count, || quote(random.pick(WORDS))),
        "txids" if random.chance(50) => list(1, || quote(&world.txids[random.below(world.txids.len())])),
        "txids" => list(count, || quote(&hash(random, world))),
        "rawtxs" | "package" | "txs" if random.chance(50) => {
            let transaction = hex_of(random, &world.transactions);
            list(count, || quote(&transaction))
        }
        "rawtxs" | "package" | "txs" => list(count, || quote(&hex(random, world))),
        "transactions" => list(count, || {
            let is_hash = random.chance(50);
            quote(&if is_hash { hash(random, world) } else { hex(random, world) })
        }),
        "keys" => list(count, || quote(random.pick(PUBLIC_KEYS))),
        "privkeys" => list(count, || quote(random.pick(PRIVATE_KEYS))),
        _ => list(count, || any(random, world, 1)),
    }
}

fn coin(random: &mut Random, world: &World) -> String {
    format!(r#"{{"txid":"{}","vout":{}}}"#, hash(random, world), random.pick(&["0", "0", "1", "-1", "4294967295"]))
}

fn output(random: &mut Random, world: &World) -> String {
    match random.below(3) {
        0 => format!(r#"{{"data":"{}"}}"#, hex(random, world)),
        _ => {
            format!(r#"{{"{}":{}}}"#, damaged(random, &world.addresses), random.pick(&["1", "0.1", "0", "\"1\"", "-1"]))
        }
    }
}

/// An object like those that inputs, outputs and options are.
fn object(random: &mut Random, world: &World) -> String {
    match random.below(6) {
        0 | 1 => {
            let (txid, vout, sequence) = (hash(random, world), number(random), number(random));
            let script = hex(random, world);
            match random.below(3) {
                0 => format!(r#"{{"txid":"{txid}","vout":0}}"#),
                1 => format!(r#"{{"txid":"{txid}","vout":{vout},"sequence":{sequence}}}"#),
                _ => format!(r#"{{"txid":"{txid}","vout":0,"scriptPubKey":"{script}","amount":{vout}}}"#),
            }
        }
        2 => format!(r#"{{"{}":{}}}"#, damaged(random, &world.addresses), number(random)),
        3 => format!(r#"{{"data":"{}"}}"#, hex(random, world)),
        4 => random
            .pick(&[
                r#"{"rules":["segwit"]}"#,
                r#"{"rules":["segwit"],"mode":"template","capabilities":["longpoll"]}"#,
                r#"{"rules":[]}"#,
                r#"{"mode":1}"#,
                r#"{"mode":"proposal","rules":["segwit"],"data":"00"}"#,
            ])
            .to_owned(),
        _ if random.chance(50) => {
            let block = hex_of(random, &world.blocks);
            format!(r#"{{"mode":"proposal","rules":["segwit"],"data":"{block}"}}"#)
        }
        _ => any(random, world, 1),
    }
}

fn descriptor_object(random: &mut Random, world: &World) -> String {
    let descriptor = quote(&damaged(random, &world.descriptors));
    if random.chance(50) { descriptor } else { format!(r#"{{"desc":{descriptor},"range":{}}}"#, range(random)) }
}

/// A range of keys: short, or wrong. One of a million keys is right and takes minutes.
fn range(random: &mut Random) -> String {
    random
        .pick(&[
            "0",
            "10",
            "100",
            "[0,10]",
            "[5,1]",
            "[-1,3]",
            "[2147483640,2147483647]",
            "[0,2147483648]",
            "[0]",
            "[]",
            "1.5",
        ])
        .to_owned()
}

fn number(random: &mut Random) -> String {
    match random.below(40) {
        0 => "9".repeat(random.between(1, 2000)),
        1 => format!("0.{}", "0".repeat(random.between(1, 2000))),
        _ => random.pick(NUMBERS).to_owned(),
    }
}

/// The hash of something there is, or of nothing.
fn hash(random: &mut Random, world: &World) -> String {
    match random.below(10) {
        0..=3 => world.block_hashes[random.below(world.block_hashes.len())].clone(),
        4..=7 => world.txids[random.below(world.txids.len())].clone(),
        8 => to_hex(&random.array::<32>()),
        _ => random
            .pick(&["", "00", "0000000000000000000000000000000000000000000000000000000000000000", "zz"])
            .to_owned(),
    }
}

/// Bytes: a transaction, a block, a proof, a part of one, one that was damaged, or none of these.
fn hex(random: &mut Random, world: &World) -> String {
    match random.below(10) {
        0..=5 => hex_of(random, &world.transactions),
        6 => hex_of(random, &world.blocks),
        7 => hex_of(random, &world.proofs),
        8 => {
            let length = random.below(200);
            to_hex(&random.bytes(length))
        }
        _ => random
            .pick(&["", "0", "0g", "51", "00000000", "ff".repeat(81).as_str(), "fdffff", "ffffffffffffffffff"])
            .to_owned(),
    }
}

/// One of these, whole, cut, or with bytes changed.
fn hex_of(random: &mut Random, all: &[String]) -> String {
    let mut hex = all[random.below(all.len())].clone().into_bytes();
    match random.below(4) {
        0 => hex.truncate(random.below(hex.len())),
        1 => {
            for _ in 0..random.between(1, 4) {
                // Counts and lengths mostly stand near the beginning.
                let end = if random.chance(50) { hex.len().min(200) } else { hex.len() };
                let at = random.below(end);
                hex[at] = random.pick(b"0123456789abcdefF");
            }
        }
        _ => {}
    }
    String::from_utf8(hex).unwrap()
}

fn text(random: &mut Random, world: &World) -> String {
    let all = if random.chance(50) { &world.addresses } else { &world.descriptors };
    damaged(random, all)
}

/// A string of JSON. What is in it must not need to be escaped.
pub(crate) fn quote(text: &str) -> String {
    format!("\"{text}\"")
}

pub(crate) fn list(count: usize, mut element: impl FnMut() -> String) -> String {
    let elements: Vec<String> = (0..count).map(|_| element()).collect();
    format!("[{}]", elements.join(","))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
