//! Every call of `corepc-client` 0.18, in its module for Core 31, that needs no wallet, each held against what is known of
//! the chain.
//!
//! | file | |
//! |---|---|
//! | `chain.rs` | blocks, headers, tips, coins |
//! | `mempool.rs` | the mempool and how it orders |
//! | `transactions.rs` | transactions that are made, shown and sent |
//! | `mining.rs` | templates, blocks that are found and submitted, reorganisations |
//! | `control.rs` | the node itself, its network, addresses, descriptors, messages |

#![allow(deprecated, reason = "the whole client is, in favour of one that tests Core with wallets")]

mod chain;
mod control;
mod mempool;
mod mining;
mod transactions;

use corepc_client::client_sync::v31::Client;
use corepc_client::client_sync::{Auth, Error};

use crate::scene::Scene;

/// The client, with the cookie that it reads by itself.
fn connect(scene: &Scene) -> Client {
    let cookie = scene.datadir.path().join("regtest").join(".cookie");
    Client::new_with_auth(&scene.rpc.url(), Auth::CookieFile(cookie)).unwrap()
}

/// The same scene for each test, and a client that asks about it.
fn scene() -> (Scene, Client) {
    let scene = Scene::new();
    let client = connect(&scene);
    (scene, client)
}

/// The code and the message of the error that the node answered. The client shows them, but has no name for their type.
fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> (i32, String) {
    let Err(Error::JsonRpc(error)) = answer else { panic!("no refusal: {answer:?}") };
    let text = error.to_string();
    let after = |from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("{text}"));
        rest.split_once(to).unwrap_or_else(|| panic!("{text}")).0.to_owned()
    };
    (after("code: ", ",").parse().unwrap(), after("message: \"", "\", data"))
}
