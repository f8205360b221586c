//! The coins that a transaction spends: those of chain and pool, and those that a client tells of.

use std::collections::HashMap;

use bitcoin::hashes::{Hash, hash160};
use bitcoin::{Amount, OutPoint, ScriptBuf, Txid};
use cairn_chain::coins::{Coin, CoinScript, CoinsError};
use cairn_chain::primitives::TransactionRef;

use super::signing::Keystore;
use crate::chain_service::ChainHandle;
use crate::rpc::views::script_asm;
use crate::rpc::{FromArgument, HexBytes, JsonType, Object, RpcError};

/// What a coin is worth whose amount was not told: more than there is (Core: `MAX_MONEY`, as `ParsePrevouts` uses it).
pub(super) const UNKNOWN_AMOUNT: Amount = Amount::MAX_MONEY;

/// Coins by the outputs they are.
pub(super) type SpentCoins = HashMap<OutPoint, Coin>;

/// What a transaction spends, as far as chain and pool know it (Core: `FindCoins`, `node/coin.cpp`).
pub(super) async fn find_coins(chain: &ChainHandle, tx: TransactionRef<'_>) -> Result<SpentCoins, RpcError> {
    let outpoints: Vec<_> = tx.inputs().map(|input| input.prevout()).collect();
    let found = chain.call(move |chain| {
        let mut coins = SpentCoins::with_capacity(outpoints.len());
        for outpoint in outpoints {
            coins.extend(chain.mempool.coin(&chain.chainstate, &outpoint)?.map(|coin| (outpoint, coin)));
        }
        Ok(coins)
    });
    found.await?.map_err(|error: CoinsError| RpcError::internal(error.to_string()))
}

/// Adds a coin that a client tells of, and the scripts that belong to it (Core: `ParsePrevouts`,
/// `rpc/rawtransaction_util.cpp`).
pub(super) fn parse_prevout(prevout: &Object, keystore: &mut Keystore, coins: &mut SpentCoins) -> Result<(), RpcError> {
    let types =
        [("txid", Some(JsonType::String)), ("vout", Some(JsonType::Number)), ("scriptPubKey", Some(JsonType::String))];
    prevout.check_types(&types, false, false)?;
    let txid: Txid = prevout.get("txid")?;
    let vout =
        u32::try_from(prevout.get::<i32>("vout")?).map_err(|_| RpcError::deserialization("vout cannot be negative"))?;
    let outpoint = OutPoint { txid, vout };
    let script: HexBytes = prevout.get("scriptPubKey")?;
    let script = script.0;
    if let Some(known) = coins.get(&outpoint).filter(|known| known.script_pubkey.as_bytes() != script) {
        return Err(RpcError::deserialization(format!(
            "Previous output scriptPubKey mismatch:\n{}\nvs:\n{}",
            script_asm(known.script_pubkey.as_bytes(), false),
            script_asm(&script, false)
        )));
    }
    let amount = prevout.optional("amount")?.unwrap_or(UNKNOWN_AMOUNT);
    let script_pubkey = CoinScript::from(script.as_slice());
    coins.insert(outpoint, Coin { amount, script_pubkey, height: 1, is_coinbase: false });
    let script = ScriptBuf::from_bytes(script);
    if script.is_p2sh() || script.is_p2wsh() { add_scripts(prevout, &script, keystore) } else { Ok(()) }
}

fn add_scripts(prevout: &Object, script_pubkey: &ScriptBuf, keystore: &mut Keystore) -> Result<(), RpcError> {
    let types = [("redeemScript", Some(JsonType::String)), ("witnessScript", Some(JsonType::String))];
    prevout.check_types(&types, true, false)?;
    let (redeem, witness) = (prevout.raw("redeemScript"), prevout.raw("witnessScript"));
    let script = match (witness, redeem) {
        (Some(witness), _) => HexBytes::from_argument(witness, "witnessScript")?.0,
        (None, Some(redeem)) => HexBytes::from_argument(redeem, "redeemScript")?.0,
        (None, None) => return Err(RpcError::invalid_parameter("Missing redeemScript/witnessScript")),
    };
    // A redeem script may be meant as the witness script behind it.
    let witness_program = ScriptBuf::new_p2wsh(&bitcoin::WScriptHash::hash(&script));
    keystore.add_script(script.clone());
    keystore.add_script(witness_program.to_bytes());
    if let (Some(witness), Some(redeem)) = (witness, redeem)
        && witness.get() != redeem.get()
        && HexBytes::from_argument(redeem, "redeemScript")?.0 != witness_program.as_bytes()
    {
        return Err(RpcError::invalid_parameter("redeemScript does not correspond to witnessScript"));
    }
    let p2sh = |script: &[u8]| ScriptBuf::new_p2sh(&bitcoin::ScriptHash::from_raw_hash(hash160::Hash::hash(script)));
    let is_of_output = if script_pubkey.is_p2sh() {
        [p2sh(&script), p2sh(witness_program.as_bytes())].contains(script_pubkey)
    } else {
        witness_program == *script_pubkey
    };
    if is_of_output {
        Ok(())
    } else {
        Err(RpcError::invalid_parameter("redeemScript/witnessScript does not match scriptPubKey"))
    }
}
