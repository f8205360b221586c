//! Blocks to be mined: what is in them, the search for their nonces, and what becomes of them.
//!
//! ```text
//! Chainstate, Mempool ── create_block_template ──▶ BlockTemplate ──▶ MiningJob ── search, roll ──▶ Block
//!                                                       │                                           │
//!                                                       └──▶ somebody else's miner ──▶ Block ──▶ submit_block
//! ```
//!
//! A template shares its transactions with the pool and copies none; bytes are put together once, when its nonce is found. Nothing
//! here knows a clock or starts a thread, but for those of the search.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `assembler` | which transactions are mined | `BlockAssembler`, `node/miner.cpp` |
//! | `template` | [`BlockTemplate`]: a block but for its nonce | `CBlockTemplate`, `node/miner.h` |
//! | `coinbase` | the transaction that pays the miner | `CoinbaseTx`, `node/mining_types.h` |
//! | `next_block` | which times and targets the next block may have | `GetMinimumTime`, `UpdateTime` |
//! | `rules` | what a miner has to know | `getblocktemplate`, `rpc/mining.cpp` |
//! | `job` | the search | `GenerateBlock`, `rpc/mining.cpp` |
//! | `submit` | blocks from outside | `submitblock`, `rpc/mining.cpp` |
//! | `options`, `error` | choices, and one variant for each rule | `BlockCreateOptions`, `CheckMiningOptions` |

mod assembler;
mod coinbase;
mod error;
mod job;
mod next_block;
mod options;
mod rules;
mod submit;
mod template;

pub use assembler::create_block_template;
pub use coinbase::CoinbaseTemplate;
pub use error::{TemplateError, TemplateOptionsError};
pub use job::{DEFAULT_MAX_TRIES, Mined, MiningJob, mine_block};
pub use next_block::NextBlock;
pub use options::{
    DEFAULT_BLOCK_MIN_FEE, DEFAULT_BLOCK_RESERVED_WEIGHT, DEFAULT_COINBASE_OUTPUT_MAX_ADDITIONAL_SIGOPS,
    MINIMUM_BLOCK_RESERVED_WEIGHT, TemplateOptions,
};
pub use rules::{MAX_BLOCK_SERIALIZED_SIZE, TemplateLimits, TemplateRules};
pub use submit::{bip22_result, propose_block, submit_block, update_uncommitted_block_structures};
pub use template::{BlockTemplate, TemplateTransaction};
