//! A reorganisation that was asked for: one node, parted from the others, mines a branch of its own, which is longer in the end.
//!
//! Nothing is taken back by decree but on that node. All others see what they would see of an attacker with more than half of the
//! work: a partition that ends, and a branch that has more work than theirs.

use bitcoin::Amount;
use serde_json::{Value, json};

use super::blocks::tip_of;
use super::faucet::{btc, sign};
use super::{Slot, Supervisor};
use crate::devnet::control::{Outcome, Status};
use crate::devnet::node_rpc::NodeRpc;
use crate::devnet::{DevnetError, accounts};

/// The deepest reorganisation: beyond it coinbases of the pre-mine that were spent would be in danger.
const MAX_DEPTH: u32 = 100;
/// What a transaction that takes the place of another pays, in satoshis.
const FEE: Amount = Amount::from_sat(10_000);

/// A block of the branch that is to go.
struct OldBlock {
    hash: String,
    /// Seconds since 1970.
    time: u64,
    payee: Option<String>,
}

impl Supervisor {
    /// Takes the newest blocks back by a branch that is one block longer. With `double_spend`, that branch spends the inputs of a
    /// transaction otherwise.
    pub(super) async fn reorg(
        &mut self,
        depth: u32,
        node: Option<String>,
        double_spend: Option<&str>,
    ) -> Result<Outcome, DevnetError> {
        if !(1..=MAX_DEPTH).contains(&depth) {
            return Err(DevnetError::Impossible(format!("expected a depth of 1 to {MAX_DEPTH} blocks, got {depth}")));
        }
        if !self.links.groups().is_empty() {
            let advice = "nodes are parted already; 'cairn devnet heal' joins them";
            return Err(DevnetError::Impossible(advice.to_owned()));
        }
        let before = self.wait_for_one_tip().await;
        if !before.agree {
            let advice =
                "the nodes do not agree on a tip; 'cairn devnet mine' decides between branches with the same work";
            return Err(DevnetError::Impossible(advice.to_owned()));
        }
        let names: Vec<String> = self.running().map(|(name, _)| name.to_owned()).collect();
        if names.len() < 2 {
            return Err(DevnetError::Impossible("a branch behind a partition takes two nodes that run".to_owned()));
        }
        let attacker = node.or_else(|| names.last().cloned()).unwrap_or_default();
        self.rpc(&attacker)?;
        self.partition(&[vec![attacker.clone()]], None).await?;
        let branch = self.mine_branch(&attacker, depth, double_spend).await;
        // Whatever became of it, the nodes are joined again.
        self.links.heal();
        let joined = self.apply_links().await;
        let spent = branch?;
        joined?;
        let after = self.wait_for_one_tip().await;
        let mut reorganisations = self.reorganisations(&before, &after).await;
        reorganisations.retain(|reorganisation| reorganisation.node != attacker);
        let of = names.len();
        let agree = after.leading_tip().map_or(0, |(_, _, agree)| agree);
        let took_back = reorganisations.len();
        match reorganisations.into_iter().max_by_key(|reorganisation| reorganisation.disconnected) {
            Some(reorganisation) => {
                Ok(Outcome::Reorganised { attacker, reorganisation, took_back, double_spend: spent, agree, of })
            }
            None => Err(DevnetError::Impossible("nothing changed: the others did not take the new branch".to_owned())),
        }
    }

    /// Has a parted node take back blocks and mine one more. The id of the transaction that spends something a second time.
    async fn mine_branch(
        &mut self,
        attacker: &str,
        depth: u32,
        double_spend: Option<&str>,
    ) -> Result<Option<String>, DevnetError> {
        let index = self.index(attacker)?;
        let rpc = self.rpc(attacker)?;
        let (height, _) = tip_of(rpc).await?;
        let fork = height
            .checked_sub(depth)
            .ok_or_else(|| DevnetError::Impossible(format!("there are {height} blocks, and {depth} are to go")))?;
        let mut old = Vec::new();
        for height in fork + 1..=height {
            old.push(old_block(rpc, height).await?);
        }
        let Some(first) = old.first().map(|block| block.hash.clone()) else { return Ok(None) };
        let second = match double_spend {
            Some(txid) => Some(spend_otherwise(rpc, txid).await?),
            None => None,
        };
        // Before it is told: it may do it and not answer.
        self.slots[index].forbidden = Some(first.clone());
        let rpc = self.rpc(attacker)?;
        let mined = match rpc.call::<Value>("invalidateblock", json!([first])).await {
            Ok(_) => self.mine_instead(rpc, &old, second.as_deref()).await,
            Err(error) => Err(error),
        };
        let released = self.release(index).await;
        mined?;
        released?;
        let rpc = self.rpc(attacker)?;
        match second {
            Some(transaction) => {
                let decoded: Value = rpc.call("decoderawtransaction", json!([transaction])).await?;
                Ok(decoded["txid"].as_str().map(ToOwned::to_owned))
            }
            None => Ok(None),
        }
    }

    /// Gives a node that mined a branch its own clock again, and takes back what it was told of a block: by now its branch has more
    /// work, or never will. What it does not hear now, it is told when it answers again.
    async fn release(&mut self, index: usize) -> Result<(), DevnetError> {
        let slot = &mut self.slots[index];
        let (Some(process), Some(first)) = (&slot.process, slot.forbidden.clone()) else { return Ok(()) };
        let time = process.rpc.call::<Value>("setmocktime", json!([self.clock.mock_time()])).await;
        process.rpc.call::<Value>("reconsiderblock", json!([first])).await?;
        time?;
        slot.forbidden = None;
        Ok(())
    }

    /// Tells nodes that answer again what they were not told while they did not.
    pub(super) async fn catch_up(&mut self, status: &Status) {
        let answers = |name: &str| status.facts().any(|(node, _)| node.name == name);
        let waits = |slot: &&Slot| slot.told.values().any(Option::is_none) && answers(&slot.launch.name);
        let waiting: Vec<String> = self.slots.iter().filter(waits).map(|slot| slot.launch.name.clone()).collect();
        if !waiting.is_empty() {
            self.tell_links(|name| waiting.iter().any(|waiting| waiting == name)).await;
        }
        for index in 0..self.slots.len() {
            if self.slots[index].forbidden.is_some() && answers(&self.slots[index].launch.name) {
                // It is tried again with the next look.
                let _ = self.release(index).await;
            }
        }
    }

    /// Mines a block in the place of each old one, of the same time and so of the same work, and one more. They are empty: what was
    /// in the old ones goes back to the pools.
    async fn mine_instead(
        &self,
        rpc: &NodeRpc,
        old: &[OldBlock],
        first_transaction: Option<&str>,
    ) -> Result<(), DevnetError> {
        let mut transactions: Vec<&str> = first_transaction.into_iter().collect();
        let now = self.clock.now();
        let places = old.iter().map(|block| (block.time, block.payee.as_deref()));
        for (time, old_payee) in places.chain([(now, None)]) {
            // To the same payee it could be the same block.
            let payee = accounts().all().iter().rev().map(|account| account.address.to_string());
            let payee = payee.into_iter().find(|address| Some(address.as_str()) != old_payee).unwrap_or_default();
            rpc.call::<Value>("setmocktime", json!([time])).await?;
            rpc.call::<Value>("generateblock", json!([payee, std::mem::take(&mut transactions)])).await?;
        }
        Ok(())
    }
}

async fn old_block(rpc: &NodeRpc, height: u32) -> Result<OldBlock, DevnetError> {
    let hash: String = rpc.call("getblockhash", json!([height])).await?;
    let block: Value = rpc.call("getblock", json!([hash, 2])).await?;
    let payee = block["tx"][0]["vout"][0]["scriptPubKey"]["address"].as_str().map(ToOwned::to_owned);
    Ok(OldBlock { hash, time: block["time"].as_u64().unwrap_or_default(), payee })
}

/// A transaction that spends the inputs of another one, and gives all back to whoever owned the first of them.
async fn spend_otherwise(rpc: &NodeRpc, txid: &str) -> Result<String, DevnetError> {
    let original: Value = rpc.call("getrawtransaction", json!([txid, 1])).await?;
    let (mut inputs, mut previous_outputs, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    let (mut total, mut owner) = (Amount::ZERO, None);
    for input in original["vin"].as_array().into_iter().flatten() {
        let (Some(parent), Some(vout)) = (input["txid"].as_str(), input["vout"].as_u64()) else {
            return Err(DevnetError::Impossible(format!("{txid} is a coinbase, which spends nothing")));
        };
        let previous: Value = rpc.call("getrawtransaction", json!([parent, 1])).await?;
        let output = &previous["vout"][usize::try_from(vout).unwrap_or(usize::MAX)];
        let address = output["scriptPubKey"]["address"].as_str().unwrap_or_default();
        let account = accounts().all().iter().find(|account| account.address.to_string() == address);
        let account = account.ok_or_else(|| {
            let problem = format!("{txid} spends a coin of {address:?}, whose key only its owner has");
            DevnetError::Impossible(format!(
                "{problem}; what can be spent twice is that of the ten accounts and the faucet"
            ))
        })?;
        total += Amount::from_btc(output["value"].as_f64().unwrap_or_default()).unwrap_or(Amount::ZERO);
        keys.push(account.key.to_wif());
        let script = output["scriptPubKey"]["hex"].clone();
        previous_outputs
            .push(json!({ "txid": parent, "vout": vout, "scriptPubKey": script, "amount": output["value"] }));
        owner.get_or_insert_with(|| address.to_owned());
        inputs.push(json!({ "txid": parent, "vout": vout }));
    }
    let Some(owner) = owner else { return Err(DevnetError::Impossible(format!("{txid} spends nothing"))) };
    let left = total.checked_sub(FEE).unwrap_or(Amount::ZERO);
    let transaction: String = rpc.call("createrawtransaction", json!([inputs, [{ owner: btc(left) }]])).await?;
    // The original has spent the coins, so they are described instead of looked up.
    sign(rpc, &transaction, &keys, &previous_outputs).await
}
