//! Every call of `bitcoincore-rpc` 0.19 that needs no wallet, each held against what is known of the chain.
//!
//! | file | |
//! |---|---|
//! | `chain.rs` | blocks, headers, tips, coins |
//! | `transactions.rs` | transactions in blocks, in the mempool, and those that are made |
//! | `mining.rs` | templates, blocks that are found and submitted, reorganisations |
//! | `control.rs` | the node itself, its network, descriptors |

mod chain;
mod control;
mod mining;
mod transactions;

use bitcoincore_rpc::jsonrpc::error::RpcError;
use bitcoincore_rpc::{Auth, Client, Error};

use crate::scene::Scene;
use crate::support::rpc::Rpc;

/// The client, with the cookie that it reads by itself.
fn connect(scene: &Scene) -> Client {
    let cookie = scene.datadir.path().join("regtest").join(".cookie");
    Client::new(&scene.rpc.url(), Auth::CookieFile(cookie)).unwrap()
}

/// The same scene for each test, and a client that asks about it.
fn scene() -> (Scene, Client) {
    let scene = Scene::new();
    let client = connect(&scene);
    (scene, client)
}

/// The error that the node answered, as the client tells it.
fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> (i32, String) {
    match answer {
        Err(Error::JsonRpc(bitcoincore_rpc::jsonrpc::Error::Rpc(RpcError { code, message, .. }))) => (code, message),
        other => panic!("no refusal: {other:?}"),
    }
}

#[test]
fn a_wrong_password_is_told_apart_from_a_wrong_call() {
    let (scene, _) = scene();
    let stranger = Client::new(&scene.rpc.url(), Auth::UserPass("__cookie__".into(), "wrong".into())).unwrap();
    let error = bitcoincore_rpc::RpcApi::get_block_count(&stranger).unwrap_err();
    let Error::JsonRpc(bitcoincore_rpc::jsonrpc::Error::Transport(transport)) = error else { panic!("{error:?}") };
    assert!(transport.to_string().contains("401"), "{transport}");
}

/// A client keeps nothing between calls, so that it survives a node that starts again with another cookie.
#[test]
fn the_node_starts_again_under_the_same_client_settings() {
    use bitcoincore_rpc::RpcApi;
    let (scene, client) = scene();
    let tip = client.get_best_block_hash().unwrap();
    let Scene { node, datadir, .. } = scene;
    node.stop();
    assert!(client.get_best_block_hash().is_err());
    let node = datadir.start("regtest", &[]);
    let rpc = Rpc::of(&datadir, "regtest", &node);
    let cookie = datadir.path().join("regtest").join(".cookie");
    let client = Client::new(&rpc.url(), Auth::CookieFile(cookie)).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), tip);
    assert_eq!(client.get_raw_mempool().unwrap().len(), 2);
}
