//! Blocks that are yet to be found (Core: `rpc/mining.cpp`).
//!
//! | file | holds |
//! |---|---|
//! | `info` | how hard it is |
//! | `template` | what miners work on |
//! | `submit` | what they found |
//! | `generate` | blocks found on the spot, for tests |

mod generate;
mod info;
mod submit;
mod template;

use std::sync::Arc;

use bitcoin::hex::FromHex;
use cairn_chain::mining::TemplateError;
use cairn_chain::primitives::{Block, DecodeError};

use crate::rpc::{Method, RpcError};

/// One list for each file.
pub(super) const METHODS: [&[Method]; 4] = [generate::METHODS, info::METHODS, submit::METHODS, template::METHODS];

impl From<TemplateError> for RpcError {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Chainstate(error) => error.into(),
            error => Self::misc(error.to_string()),
        }
    }
}

/// A block written in hexadecimal digits. What follows it is ignored, as in Core (`DecodeHexBlk`, `core_io.cpp`).
fn decode_block(text: &str) -> Result<Arc<Block>, RpcError> {
    let failed = || RpcError::deserialization("Block decode failed");
    let bytes = Vec::from_hex(text).map_err(|_| failed())?;
    match Block::try_decode(bytes) {
        Ok(block) => Ok(Arc::new(block)),
        Err((DecodeError::TrailingData { extra }, mut bytes)) => {
            bytes.truncate(bytes.len().saturating_sub(extra));
            Block::decode(bytes).map(Arc::new).map_err(|_| failed())
        }
        Err(_) => Err(failed()),
    }
}

#[cfg(test)]
mod tests;
