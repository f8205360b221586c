//! A wallet of BDK that is pointed at a devnet by its variables alone, as in anybody's tests.

use std::path::PathBuf;

use bdk_bitcoind_rpc::bitcoincore_rpc::{Auth, Client, RpcApi};
use bdk_bitcoind_rpc::{Emitter, NO_EXPECTED_MEMPOOL_TXS};
use bdk_wallet::{KeychainKind, SignOptions, Wallet};
use bitcoin::{Address, Amount, Network};

use crate::running::Place;

/// The master key of the public words, as BIP39 and BIP32 have it for test networks.
fn master() -> String {
    let words = "test test test test test test test test test test test junk";
    let seed = bip39::Mnemonic::parse(words).unwrap().to_seed("");
    bitcoin::bip32::Xpriv::new_master(Network::Regtest, &seed).unwrap().to_string()
}

#[test]
#[allow(deprecated, reason = "what replaces it signs without a wallet")]
fn alices_coins_are_spent_by_bdk() {
    let place = Place::new();
    let devnet = place.up(&["-n", "2", "--block-time", "off"]);
    let variables = devnet.variables();
    let cookie = PathBuf::from(&variables["BITCOIN_RPC_COOKIE"]);
    let client = Client::new(&variables["BITCOIN_RPC_URL"], Auth::CookieFile(cookie)).unwrap();

    let master = master();
    let descriptor = |chain| format!("wpkh({master}/84'/1'/0'/{chain}/*)");
    let mut wallet =
        Wallet::create(descriptor(0), descriptor(1)).network(Network::Regtest).create_wallet_no_persist().unwrap();
    let mut emitter = Emitter::new(&client, wallet.latest_checkpoint(), 0, NO_EXPECTED_MEMPOOL_TXS);
    while let Some(event) = emitter.next_block().unwrap() {
        wallet.apply_block_connected_to(&event.block, event.block_height(), event.connected_to()).unwrap();
    }
    assert_eq!(wallet.balance().confirmed, Amount::from_int_btc(100));
    assert_eq!(
        wallet.peek_address(KeychainKind::External, 0).to_string(),
        devnet.attached["accounts"][0]["address"].as_str().unwrap()
    );

    let judy: Address<_> = devnet.attached["accounts"][9]["address"].as_str().unwrap().parse().unwrap();
    let mut builder = wallet.build_tx();
    builder.add_recipient(judy.assume_checked().script_pubkey(), Amount::from_int_btc(60));
    let mut psbt = builder.finish().unwrap();
    assert!(wallet.sign(&mut psbt, SignOptions::default()).unwrap());
    let txid = client.send_raw_transaction(&psbt.extract_tx().unwrap()).unwrap();
    assert_eq!(devnet.ask(&["mine", "--node", "bob"])["agree"], 2);
    let seen = devnet.call("bob", "getrawtransaction", &[&txid.to_string(), "1"]);
    assert_eq!(seen["confirmations"], 1, "{seen}");
}
