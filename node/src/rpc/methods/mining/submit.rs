//! What miners found (Core: `submitblock`, `submitheader`, `rpc/mining.cpp`; BIP22).

use std::sync::Arc;

use bitcoin::hex::FromHex;
use cairn_chain::mining::{bip22_result, update_uncommitted_block_structures};
use cairn_chain::primitives::{Block, HEADER_SIZE, decode_header};

use super::decode_block;
use crate::chain_service::Chain;
use crate::rpc::{
    Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode, RpcResult, to_result,
};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "submitblock",
        category: Category::Mining,
        description: "Attempts to submit new block to network.\n\
            See https://en.bitcoin.it/wiki/BIP_0022 for full specification.\n",
        parameters: &[
            Parameter::hex("hexdata", Presence::Required, "the hex-encoded block data to submit"),
            Parameter::string(
                "dummy",
                Presence::Hint("ignored"),
                "dummy value, for compatibility with BIP22. This value is ignored.",
            ),
        ],
        results: &[
            ResultDoc::null("", "").when("If the block was accepted"),
            ResultDoc::string("", "According to BIP22").when("Otherwise"),
        ],
        examples: &[Example::cli("\"mydata\""), Example::rpc("\"mydata\"")],
        handler: |call| Box::pin(submitblock(call)),
    },
    Method {
        name: "submitheader",
        category: Category::Mining,
        description: "Decode the given hexdata as a header and submit it as a candidate chain tip if valid.\n\
            Throws when the header is invalid.\n",
        parameters: &[Parameter::hex("hexdata", Presence::Required, "the hex-encoded block header data")],
        results: &[ResultDoc::null("", "None")],
        examples: &[Example::cli("\"aabbcc\""), Example::rpc("\"aabbcc\"")],
        handler: |call| Box::pin(submitheader(call)),
    },
];

async fn submitblock(call: Call) -> RpcResult {
    let block = decode_block(&call.arguments.get::<String>("hexdata")?)?;
    to_result(&call.context.chain.call(move |chain| submit(chain, block)).await??)
}

/// Takes a block and says what a miner is told: nothing when it is the tip now, or why not.
fn submit(chain: &mut Chain, block: Arc<Block>) -> Result<Option<String>, RpcError> {
    let block = update_uncommitted_block_structures(&chain.chainstate, block);
    let hash = block.hash();
    let outcome = chain.process_new_block(block, true)?;
    let is_active = chain.chainstate.lookup(&hash).is_some_and(|known| known.is_active);
    Ok(bip22_result(&outcome, is_active))
}

async fn submitheader(call: Call) -> RpcResult {
    let text: String = call.arguments.get("hexdata")?;
    let bytes = Vec::from_hex(&text).ok();
    // What follows the header is ignored, as in Core.
    let header = bytes.as_deref().and_then(|bytes| bytes.first_chunk::<HEADER_SIZE>()).map(decode_header);
    let header = header.ok_or_else(|| RpcError::deserialization("Block header decode failed"))?;
    let refused = |message: String| RpcError::new(RpcErrorCode::VerifyError, message);
    let accept = move |chain: &mut Chain| {
        let parent = header.prev_blockhash;
        if chain.chainstate.lookup(&parent).is_none() {
            return Err(refused(format!("Must submit previous header ({parent}) first")));
        }
        let accepted = chain.chainstate.accept_headers(&[header], true)?;
        accepted.map_err(|error| refused(error.reject_reason().into_owned()))
    };
    call.context.chain.call(accept).await??;
    to_result(&())
}
