//! Bitcoin's consensus rules, proof of work and chain state, by code of our own.
//!
//! What this crate guarantees:
//!
//! - **Exactness.** Every rule is Bitcoin Core's, in Core's order, and every rejection carries Core's reason. Where a rule
//!   or a number comes from stands beside it.
//! - **Progress in the type.** A block that was not checked cannot be connected, because that does not compile.
//! - **Bounds.** Nothing that arrives from outside can make it panic or choose its memory.
//! - **Durability.** What was acknowledged as flushed survives a kill and a power cut, and nothing is ever torn.
//! - **Solitude.** It is synchronous: no async runtime, no network, no RPC. Heavy work runs on rayon.
//!
//! ```text
//!                bytes ──▶ primitives ──▶ validation ──▶ a block that may be connected ──▶ chainstate ──▶ store
//!                          decode once    │   │   │                                        which chain    what is on disk,
//!                                         │   │   └─▶ script   may this input spend        is best?       and in what order
//!                                         │   │                that output?
//!                                         │   └─────▶ coins    which outputs are unspent?
//!                                         └─────────▶ pow      how hard must a block be to find?
//!                                                      │
//!                  params: which network is it? ───────┘   header_chain: what came before?
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`primitives`] | blocks and transactions as received bytes and offsets, with their hashes |
//! | [`script`] | the interpreter, signature hashes, the signature cache |
//! | [`validation`] | every rule about headers, blocks and transactions, and what breaking it means |
//! | [`coins`] | unspent outputs, views of them, the write-back cache, statistics |
//! | [`chainstate`] | the block index, the best chain, reorganisations, import, pruning, verification |
//! | [`compact_blocks`] | blocks by short ids of their transactions, and putting them together from the pool |
//! | [`index`] | where the transactions of the chain are, by their ids |
//! | [`mempool`] | transactions that wait for a block, and the order they are mined in |
//! | [`mining`] | block templates, the search for nonces in them, blocks from outside |
//! | [`store`] | the data directory: block files, pages of coins in sled, the journal |
//! | [`pow`] | targets, work, retargeting, the search for nonces |
//! | [`params`] | the networks, and files that define one |
//! | [`header_chain`] | what rules ask about the headers before a block |
//! | [`headers_sync`] | headers from peers whose chain may have too little work, at next to no memory |
//! | [`hash`] | SHA-256 the way Bitcoin uses it, and the hash of a set |

pub mod chainstate;
pub mod coins;
pub mod compact_blocks;
pub mod hash;
pub mod header_chain;
pub mod headers_sync;
pub mod index;
pub mod mempool;
pub mod mining;
pub mod params;
pub mod pow;
pub mod primitives;
pub mod script;
mod serialize;
pub mod store;
pub mod validation;
