//! Questions and answers between two peers: the frames, and how they travel.
//!
//! A question opens a stream of its own. Each side writes one frame behind its length (four bytes, little-endian) and closes
//! its half. A length is compared with the protocol's limit before anything is reserved for it, and memory grows only with
//! what has arrived.
//!
//! | file | holds |
//! |---|---|
//! | `frame` | [`Frame`]: one binary form for one value; reading with limits; `Answer`, which wraps every response |
//! | `codec` | frames on a libp2p stream |
//! | `status` | [`Status`]: which chain a peer follows, and how far |
//! | `headers` | up to 2000 headers after a locator |
//! | `blocks` | bodies by hash |
//! | `transactions` | transactions by wtxid |
//! | `compact` | compact blocks by hash |
//! | `block_transactions` | transactions of a block by their places in it |

mod block_transactions;
mod blocks;
mod codec;
mod compact;
mod frame;
mod headers;
mod status;
#[cfg(test)]
mod tests;
mod transactions;

use std::time::Duration;

pub(crate) use block_transactions::BlockTransactions;
pub use block_transactions::{
    BlockTransactionsRequest, BlockTransactionsResponse, MAX_BLOCK_TRANSACTIONS_RESPONSE_BYTES,
    MAX_BLOCK_TRANSACTIONS_TO_REQUEST,
};
pub(crate) use blocks::Blocks;
pub use blocks::{BlocksRequest, BlocksResponse, MAX_BLOCK_SIZE, MAX_BLOCKS_RESPONSE_BYTES, MAX_BLOCKS_TO_REQUEST};
pub(crate) use codec::{FrameCodec, Received, frame_error};
pub(crate) use compact::CompactBlocks;
pub use compact::{CompactBlockRequest, CompactBlockResponse, MAX_COMPACT_BLOCK_SIZE};
pub(crate) use frame::Answer;
pub use frame::{Frame, FrameError};
pub(crate) use headers::Headers;
pub use headers::{HeadersRequest, HeadersResponse, MAX_HEADERS_RESULTS, MAX_LOCATOR_SIZE};
pub(crate) use status::StatusExchange;
pub use status::{MAX_USER_AGENT_LENGTH, Services, Status};
pub(crate) use transactions::Transactions;
pub use transactions::{
    MAX_TRANSACTION_SIZE, MAX_TRANSACTIONS_RESPONSE_BYTES, MAX_TRANSACTIONS_TO_REQUEST, TransactionsRequest,
    TransactionsResponse,
};

/// One protocol of question and answer, as a type.
pub(crate) trait Exchange: Clone + Send + Sync + 'static {
    /// What is asked.
    type Request: Frame + Send + 'static;
    /// What is answered.
    type Response: Frame + Send + 'static;

    /// Its name within the network's names.
    const NAME: &'static str;
    /// Its version; another layout of a frame is another version.
    const VERSION: u32;
    /// The longest request, in bytes.
    const MAX_REQUEST_SIZE: usize;
    /// The longest response, in bytes, without what [`Answer`] adds.
    const MAX_RESPONSE_SIZE: usize;
    /// How long a question may take, from opening the stream to the last byte of the answer.
    const TIMEOUT: Duration;
    /// How many questions one peer may have open with another.
    const MAX_IN_FLIGHT: usize;
}
