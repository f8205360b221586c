//! Blocks found on the spot, for tests (Core: `generateblock`, `generatetoaddress`, `generatetodescriptor`, `rpc/mining.cpp`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bitcoin::{BlockHash, ScriptBuf, Txid};
use cairn_chain::chainstate::Acceptance;
use cairn_chain::mining::{BlockTemplate, DEFAULT_MAX_TRIES, Mined, TemplateOptions, mine_block};
use cairn_chain::primitives::{Block, Transaction};
use cairn_chain::validation::ProposalChecks;
use serde::Serialize;

use super::super::rawtransactions::decode::{Form, decode_hex_tx};
use crate::chain_service::Chain;
use crate::rpc::address::decode_address;
use crate::rpc::descriptor::{Descriptor, DescriptorError};
use crate::rpc::{
    Call, Category, DisplayString, Example, Hex, Method, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode,
    RpcResult, find_method, to_result,
};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "generate",
        category: Category::Hidden,
        description: "has been replaced by the -generate cli option. Refer to -help for more information.",
        parameters: &[],
        results: &[],
        examples: &[],
        handler: |call| Box::pin(generate(call)),
    },
    Method {
        name: "generateblock",
        category: Category::Hidden,
        description: "Mine a set of ordered transactions to a specified address or descriptor and return the block hash.\n\
            Transaction fees are not collected in the block reward.",
        parameters: &[
            Parameter::string(
                "output",
                Presence::Required,
                "The address or descriptor to send the newly generated bitcoin to.",
            ),
            Parameter::array(
                "transactions",
                Presence::Required,
                "An array of hex strings which are either txids or raw transactions.\n\
                 Txids must reference transactions currently in the mempool.\n\
                 All transactions must be valid and in valid order, otherwise the block will be rejected.",
                &[Parameter::hex("rawtx/txid", Presence::Omitted, "")],
            ),
            Parameter::boolean(
                "submit",
                Presence::Default("true"),
                "Whether to submit the block before the RPC call returns or to return it as hex.",
            ),
        ],
        results: &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::hex("hash", "hash of generated block"),
                ResultDoc::hex("hex", "hex of generated block, only present when submit=false").optional(),
            ],
        )],
        examples: &[
            Example::text("\nGenerate a block to myaddress, with txs rawtx and mempool_txid\n"),
            Example::cli("\"myaddress\" '[\"rawtx\", \"mempool_txid\"]'"),
        ],
        handler: |call| Box::pin(generateblock(call)),
    },
    Method {
        name: "generatetoaddress",
        category: Category::Hidden,
        description: "Mine to a specified address and return the block hashes.",
        parameters: &[
            Parameter::number("nblocks", Presence::Required, "How many blocks are generated."),
            Parameter::string("address", Presence::Required, "The address to send the newly generated bitcoin to."),
            MAX_TRIES,
        ],
        results: HASHES,
        examples: &[Example::text("\nGenerate 11 blocks to myaddress\n"), Example::cli("11 \"myaddress\"")],
        handler: |call| Box::pin(generatetoaddress(call)),
    },
    Method {
        name: "generatetodescriptor",
        category: Category::Hidden,
        description: "Mine to a specified descriptor and return the block hashes.",
        parameters: &[
            Parameter::number("num_blocks", Presence::Required, "How many blocks are generated."),
            Parameter::string(
                "descriptor",
                Presence::Required,
                "The descriptor to send the newly generated bitcoin to.",
            ),
            MAX_TRIES,
        ],
        results: HASHES,
        examples: &[Example::text("\nGenerate 11 blocks to mydesc\n"), Example::cli("11 \"mydesc\"")],
        handler: |call| Box::pin(generatetodescriptor(call)),
    },
];

const MAX_TRIES: Parameter = Parameter::number("maxtries", Presence::Default("1000000"), "How many iterations to try.");

const HASHES: &[ResultDoc] = &[ResultDoc::array("", "hashes of blocks generated", &[ResultDoc::hex("", "blockhash")])];

async fn generate(call: Call) -> RpcResult {
    let help = find_method("generate").map(|method| method.help(call.dispatcher.rpc_port));
    Err(RpcError::new(RpcErrorCode::MethodNotFound, help.unwrap_or_default()))
}

async fn generatetoaddress(call: Call) -> RpcResult {
    let count: i32 = call.arguments.get("nblocks")?;
    let max_tries: i32 = call.arguments.get("maxtries")?;
    let address: String = call.arguments.get("address")?;
    let address = decode_address(&address, call.context.params.address_format)
        .map_err(|_| RpcError::invalid_address_or_key("Error: Invalid address"))?;
    // As in Core, a number below zero is a very large one.
    let max_tries = i64::from(max_tries).cast_unsigned();
    generate_blocks(&call, &address.script_pubkey(), count, max_tries).await
}

async fn generatetodescriptor(call: Call) -> RpcResult {
    let count: i32 = call.arguments.get("num_blocks")?;
    let max_tries: u64 = call.arguments.get("maxtries")?;
    let descriptor: String = call.arguments.get("descriptor")?;
    let script =
        descriptor_script(&call, &descriptor)?.map_err(|error| RpcError::invalid_address_or_key(error.to_string()))?;
    generate_blocks(&call, &script, count, max_tries).await
}

/// The script that a descriptor stands for; inside why it is none (Core: `getScriptFromDescriptor`).
fn descriptor_script(call: &Call, text: &str) -> Result<Result<ScriptBuf, DescriptorError>, RpcError> {
    let descriptors = match Descriptor::parse(text, call.context.params.address_format, false) {
        Ok(descriptors) => descriptors,
        Err(error) => return Ok(Err(error)),
    };
    let [descriptor] = &descriptors[..] else {
        return Err(RpcError::invalid_parameter("Multipath descriptor not accepted"));
    };
    if descriptor.is_range() {
        let message = "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?";
        return Err(RpcError::invalid_parameter(message));
    }
    let mut scripts = descriptor
        .scripts(0)
        .ok_or_else(|| RpcError::invalid_address_or_key("Cannot derive script without private keys"))?;
    // Of combo() with a long key P2PKH, with a short one P2WPKH.
    let wanted = match scripts.len() {
        1 => 0,
        4 => 2,
        _ => 1,
    };
    if wanted >= scripts.len() {
        return Err(RpcError::internal("Internal bug detected: a descriptor without scripts"));
    }
    Ok(Ok(scripts.swap_remove(wanted)))
}

/// Finds blocks, one on top of the other, until there are enough or too many hashes were tried (Core: `generateBlocks`).
async fn generate_blocks(call: &Call, script: &ScriptBuf, count: i32, mut max_tries: u64) -> RpcResult {
    let count = usize::try_from(count).unwrap_or(0);
    let mut hashes = Vec::new();
    while hashes.len() < count {
        let options = TemplateOptions { coinbase_script: script.clone(), ..TemplateOptions::default() };
        let template = call.context.chain.call(move |chain| chain.create_block_template(&options)).await??;
        match mine(call, template, &mut max_tries).await? {
            Mined::Block(block) => {
                hashes.push(DisplayString(block.hash()));
                process(call, block).await?;
            }
            Mined::NoNonce => {}
            Mined::Stopped => break,
        }
    }
    to_result(&hashes)
}

/// Searches the nonces of a template on a thread of its own, until the node is to stop or nobody waits.
async fn mine(call: &Call, template: BlockTemplate, max_tries: &mut u64) -> Result<Mined, RpcError> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let mut left = *max_tries;
    let search = {
        let interrupt = Arc::clone(&interrupt);
        tokio::task::spawn_blocking(move || {
            let mined = mine_block(template, &mut left, &interrupt);
            (mined, left)
        })
    };
    tokio::pin!(search);
    let ended = tokio::select! {
        ended = &mut search => ended,
        () = call.abandoned() => {
            interrupt.store(true, Ordering::Relaxed);
            search.await
        }
    };
    let (mined, left) = ended.map_err(|error| RpcError::internal(error.to_string()))?;
    *max_tries = left;
    Ok(mined)
}

async fn process(call: &Call, block: Arc<Block>) -> Result<(), RpcError> {
    let outcome = call.context.chain.call(move |chain| chain.process_new_block(block, true)).await??;
    match outcome {
        Ok(Acceptance::New | Acceptance::Duplicate | Acceptance::Ignored) => Ok(()),
        Err(_) => Err(RpcError::internal("ProcessNewBlock, block not accepted")),
    }
}

async fn generateblock(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct Generated<'a> {
        hash: DisplayString<BlockHash>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hex: Option<Hex<'a>>,
    }
    let output: String = call.arguments.get("output")?;
    let script = match descriptor_script(&call, &output)? {
        Ok(script) => script,
        Err(_) => decode_address(&output, call.context.params.address_format)
            .map_err(|_| RpcError::invalid_address_or_key("Error: Invalid address or descriptor"))?
            .script_pubkey(),
    };
    let texts: Vec<String> = call.arguments.get("transactions")?;
    let submit: bool = call.arguments.get("submit")?;
    let template = call.context.chain.call(move |chain| template_of(chain, script, &texts)).await??;
    let mut max_tries = DEFAULT_MAX_TRIES;
    let Mined::Block(block) = mine(&call, template, &mut max_tries).await? else {
        return Err(RpcError::misc("Failed to make block."));
    };
    if submit {
        process(&call, Arc::clone(&block)).await?;
    }
    to_result(&Generated { hash: DisplayString(block.hash()), hex: (!submit).then(|| Hex(block.bytes())) })
}

/// A template with these transactions, given by their ids or bytes, that was checked but for its proof of work.
fn template_of(chain: &mut Chain, coinbase_script: ScriptBuf, texts: &[String]) -> Result<BlockTemplate, RpcError> {
    let transactions: Vec<_> = texts.iter().map(|text| find_transaction(chain, text)).collect::<Result<_, _>>()?;
    let options = TemplateOptions { coinbase_script, use_mempool: false, ..TemplateOptions::default() };
    let mut template = chain.create_block_template(&options)?;
    template.replace_transactions(transactions);
    let checks = ProposalChecks { proof_of_work: false, merkle_root: false };
    chain.chainstate.test_block_validity(template.block(), checks)?.map_err(|error| {
        let message = format!("TestBlockValidity failed: {}", error.reject_reason());
        RpcError::new(RpcErrorCode::VerifyError, message)
    })?;
    Ok(template)
}

fn find_transaction(chain: &Chain, text: &str) -> Result<Arc<Transaction>, RpcError> {
    if let Ok(txid) = text.parse::<Txid>() {
        let entry = chain.mempool.get(&txid);
        let found = entry.map(|entry| Arc::clone(&entry.transaction));
        return found.ok_or_else(|| RpcError::invalid_address_or_key(format!("Transaction {text} not in mempool.")));
    }
    decode_hex_tx(text, Form::Any).map(Arc::new).ok_or_else(|| {
        let advice = "Make sure the tx has at least one input.";
        RpcError::deserialization(format!("Transaction decode failed for {text}. {advice}"))
    })
}
