//! What needs no chain (Core: `rpc/output_script.cpp`, `rpc/signmessage.cpp`, `rpc/node.cpp`).
//!
//! | file | holds |
//! |---|---|
//! | `addresses` | what an address is |
//! | `multisig` | addresses of many keys |
//! | `descriptors` | descriptors, and the addresses they stand for |
//! | `messages` | messages signed with the key of an address |
//! | `node` | indices, memory and the clock |

pub(super) mod addresses;
pub(super) mod descriptors;
pub(super) mod messages;
pub(super) mod multisig;
pub(super) mod node;
