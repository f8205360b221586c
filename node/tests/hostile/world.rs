//! What the node knows, and what requests are therefore made of.

use bitcoin::consensus::encode::serialize_hex;
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
use serde_json::Value;

use crate::harness::node_process::{CHAIN_OPTIONS, HEIGHT, chain};
use crate::http::Access;

/// Blocks whose parts are used; the last ones are left out and found again.
const BLOCKS_USED: u64 = 6;
/// Blocks after the last that are known here and not to the node.
const BLOCKS_AHEAD: u32 = 8;

/// A parameter as the help text has it.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: ParameterKind,
}

/// What a parameter is, as the help text has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Text,
    Number,
    Boolean,
    Array,
    Object,
    Any,
}

/// A method.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
}

/// What the node knows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) methods: Vec<Method>,
    pub(crate) block_hashes: Vec<String>,
    pub(crate) blocks: Vec<String>,
    pub(crate) txids: Vec<String>,
    pub(crate) transactions: Vec<String>,
    pub(crate) proofs: Vec<String>,
    pub(crate) addresses: Vec<String>,
    pub(crate) descriptors: Vec<String>,
    /// Where the pool is saved.
    pub(crate) pool_file: String,
}

impl World {
    /// Asks a node that has the chain of [`chain`].
    pub(crate) fn ask(access: &Access) -> Self {
        let text = |value: Value| value.as_str().unwrap().to_owned();
        let mut world = Self {
            methods: methods(access),
            block_hashes: Vec::new(),
            blocks: Vec::new(),
            txids: Vec::new(),
            transactions: Vec::new(),
            proofs: Vec::new(),
            addresses: ADDRESSES.iter().map(|&address| address.to_owned()).collect(),
            descriptors: DESCRIPTORS.iter().map(|&descriptor| descriptor.to_owned()).collect(),
            pool_file: text(access.call("savemempool", "[]")["filename"].clone()),
        };
        let height = access.call("getblockcount", "[]").as_u64().unwrap();
        assert_eq!(access.call("getbestblockhash", "[]"), chain().tip().to_string());
        world.block_hashes.push(text(access.call("getblockhash", "[0]")));
        for height in height - BLOCKS_USED + 1..=height {
            let hash = text(access.call("getblockhash", &format!("[{height}]")));
            world.blocks.push(text(access.call("getblock", &format!(r#"["{hash}",0]"#))));
            for transaction in access.call("getblock", &format!(r#"["{hash}",2]"#))["tx"].as_array().unwrap() {
                world.txids.push(text(transaction["txid"].clone()));
                world.transactions.push(text(transaction["hex"].clone()));
                let outputs = transaction["vout"].as_array().unwrap();
                let addresses = outputs.iter().filter_map(|output| output["scriptPubKey"]["address"].as_str());
                world.addresses.extend(addresses.map(str::to_owned));
            }
            let txid = world.txids.last().unwrap();
            world.proofs.push(text(access.call("gettxoutproof", &format!(r#"[["{txid}"],"{hash}"]"#))));
            world.block_hashes.push(hash);
        }
        for descriptor in DESCRIPTORS {
            // With the checksum that some methods want.
            if let Ok(info) = access.try_call("getdescriptorinfo", &format!("[\"{descriptor}\"]")) {
                world.descriptors.push(text(info["descriptor"].clone()));
            }
        }
        world.add_unconfirmed();
        for address in world.addresses.iter().take(20) {
            world.descriptors.push(format!("addr({address})"));
        }
        world
    }
}

impl World {
    /// What comes after the chain: blocks, and transactions that the pool takes.
    fn add_unconfirmed(&mut self) {
        let options = ChainOptions { blocks: HEIGHT + BLOCKS_AHEAD, ..CHAIN_OPTIONS };
        for generated in ChainGenerator::new(options).skip(usize::try_from(HEIGHT).unwrap()) {
            self.blocks.push(serialize_hex(&generated.block));
            for transaction in &generated.block.txdata[1..] {
                self.txids.push(transaction.compute_txid().to_string());
                self.transactions.push(serialize_hex(transaction));
            }
        }
    }
}

/// All methods but the one that ends the node.
fn methods(access: &Access) -> Vec<Method> {
    let list = access.call("help", "[]");
    let lines = list.as_str().unwrap().lines().filter(|line| !line.is_empty() && !line.starts_with("=="));
    let mut names: Vec<String> = lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    // Hidden ones, which the list leaves out.
    for name in HIDDEN {
        let help = access.call("help", &format!("[\"{name}\"]"));
        if !help.as_str().unwrap().starts_with("help: unknown command") {
            names.push((*name).to_owned());
        }
    }
    assert!(names.len() > 70, "{names:?}");
    names.sort();
    names.dedup();
    names.retain(|name| name != "stop");
    let method = |name: String| {
        let help = access.call("help", &format!("[\"{name}\"]"));
        Method { parameters: help.as_str().unwrap().lines().filter_map(parameter).collect(), name }
    };
    names.into_iter().map(method).collect()
}

/// The parameter in a line of a help text, if it is one like `2. verbosity    (numeric, optional, default=1) …`.
fn parameter(line: &str) -> Option<Parameter> {
    let (number, rest) = line.split_once(". ")?;
    number.parse::<u32>().ok()?;
    let (name, rest) = rest.split_once(' ')?;
    let kind = match rest.trim_start().strip_prefix('(')?.split(',').next()? {
        "string" => ParameterKind::Text,
        "json array" => ParameterKind::Array,
        "json object" => ParameterKind::Object,
        "boolean" => ParameterKind::Boolean,
        "numeric" => ParameterKind::Number,
        _ => ParameterKind::Any,
    };
    Some(Parameter { name: name.to_owned(), kind })
}

const HIDDEN: &[&str] = &[
    "echo",
    "echoipc",
    "echojson",
    "estimaterawfee",
    "generate",
    "generateblock",
    "generatetoaddress",
    "generatetodescriptor",
    "getmempoolfeeratediagram",
    "getorphantxs",
    "getrawaddrman",
    "invalidateblock",
    "mockscheduler",
    "reconsiderblock",
    "setmocktime",
    "syncwithvalidationinterfacequeue",
    "waitforblock",
    "waitforblockheight",
    "waitfornewblock",
];

/// Addresses: of this network and others, right and almost right.
const ADDRESSES: &[&str] = &[
    "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv",
    "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnw",
    "BCRT1QTMP74AYG7P24USLCTSSVJM06Q5PHZ4YRXUCGNV",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
    "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
];

/// Private keys: of this network and another, right and almost right.
pub(crate) const PRIVATE_KEYS: &[&str] = &[
    "cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psW",
    "cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psW",
    "cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psX",
    "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss",
];

/// Public keys: right, and of no point.
pub(crate) const PUBLIC_KEYS: &[&str] = &[
    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817ff",
    "04",
];

/// Texts that stand for scripts.
const DESCRIPTORS: &[&str] = &[
    "raw(51)",
    "pkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)",
    "combo(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)",
    "wsh(multi(1,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798))",
    "wsh(multi(2,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798))",
    "sh(wpkh(cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psW))",
    "tr(79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,pk(cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psW))",
    "wpkh(tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B/0/*)",
    "wpkh(tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B/<0;1>/*h)",
    "wsh(and_v(v:pk(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798),older(144)))",
    "sh(sh(pk(00)))",
    "wsh(((((((((",
    "tr(79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,{{{{pk(00)}}}})",
    "addr()",
    "multi(99,00)",
];
