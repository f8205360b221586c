//! A node with a chain, a branch that lost, and a mempool; and what is known of them without asking any client.

use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::script::PushBytesBuf;
use bitcoin::{Amount, Block, BlockHash, ScriptBuf, Transaction, TxOut, Txid};
use serde_json::{Value, json};

use crate::harness::node_process::{Datadir, Node};
use crate::harness::rpc::Rpc;
use crate::purse::{Coin, Purse};

/// Height of the tip.
pub(crate) const TIP: usize = 105;
/// Height of the block with [`Scene::fund`] in it.
pub(crate) const FUND: usize = 102;
/// What a block of this height creates.
pub(crate) const SUBSIDY: Amount = Amount::from_int_btc(50);
/// What [`Scene::fund`] pays.
pub(crate) const FUND_FEE: Amount = Amount::from_sat(10_000);
/// What [`Scene::parent`] pays.
pub(crate) const PARENT_FEE: Amount = Amount::from_sat(2_000);
/// What [`Scene::child`] pays.
pub(crate) const CHILD_FEE: Amount = Amount::from_sat(5_000);
/// The difficulty of every block on regtest: 0xffff·2^208 over the target of 0x207fffff.
pub(crate) const DIFFICULTY: f64 = 65_535.0 / 8_388_607.0 / 16_777_216.0;

/// 105 blocks, of which the one at height 102 holds a transaction; two others above that one, which lost; and two
/// transactions in the mempool, one of which spends the other.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) rpc: Rpc,
    /// Who finds the blocks.
    pub(crate) purse: Purse,
    /// The chain by height, from genesis.
    pub(crate) blocks: Vec<Block>,
    /// The branch that lost, the lowest first.
    pub(crate) stale: Vec<Block>,
    /// Spends the coinbase of block 1; pays P2WPKH, P2TR, P2PKH, nobody (`OP_RETURN`), and back.
    pub(crate) fund: Transaction,
    /// Spends the P2WPKH output and the P2TR output of `fund`.
    pub(crate) parent: Transaction,
    /// Spends the first output of `parent`.
    pub(crate) child: Transaction,
    pub(crate) node: Node,
    pub(crate) datadir: Datadir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let datadir = Datadir::new();
        let node = datadir.start("regtest", &[]);
        let rpc = Rpc::of(&datadir, "regtest", &node);
        let purse = Purse::new(1);
        generate(&rpc, 101, &purse);
        let first = Coin::of(&block_at(&rpc, 1).txdata[0], 0);
        let paid = [30, 10, 5].map(Amount::from_int_btc);
        let back = SUBSIDY - paid.into_iter().sum() - FUND_FEE;
        let fund = purse.spend(
            &[&first],
            vec![
                TxOut { value: paid[0], script_pubkey: purse.address().script_pubkey() },
                TxOut { value: paid[1], script_pubkey: purse.taproot_address().script_pubkey() },
                TxOut { value: paid[2], script_pubkey: purse.legacy_address().script_pubkey() },
                TxOut {
                    value: Amount::ZERO,
                    script_pubkey: ScriptBuf::new_op_return(PushBytesBuf::try_from(b"cairn".to_vec()).unwrap()),
                },
                TxOut { value: back, script_pubkey: purse.address().script_pubkey() },
            ],
        );
        send(&rpc, &fund);
        generate(&rpc, 1, &purse);

        let lost = generate(&rpc, 2, &Purse::new(2));
        let stale = lost.iter().map(|hash| block(&rpc, *hash)).collect();
        rpc.call("invalidateblock", &json!([lost[0]]));
        generate(&rpc, 3, &purse);
        rpc.call("reconsiderblock", &json!([lost[0]]));

        let parent = purse.spend(
            &[&Coin::of(&fund, 0), &Coin::of(&fund, 1)],
            vec![TxOut { value: paid[0] + paid[1] - PARENT_FEE, script_pubkey: purse.address().script_pubkey() }],
        );
        send(&rpc, &parent);
        let child = purse.spend(
            &[&Coin::of(&parent, 0)],
            vec![TxOut {
                value: parent.output[0].value - CHILD_FEE,
                script_pubkey: purse.taproot_address().script_pubkey(),
            }],
        );
        send(&rpc, &child);

        let blocks: Vec<Block> = (0..=TIP).map(|height| block_at(&rpc, height)).collect();
        let scene = Self { rpc, purse, blocks, stale, fund, parent, child, node, datadir };
        scene.check();
        scene
    }

    /// Looks at the blocks themselves, which everything else is held against.
    fn check(&self) {
        assert_eq!(self.blocks[0], bitcoin::constants::genesis_block(bitcoin::Network::Regtest));
        for pair in self.blocks.windows(2) {
            check_block(&pair[0], &pair[1]);
        }
        check_block(&self.blocks[FUND], &self.stale[0]);
        check_block(&self.stale[0], &self.stale[1]);
        assert_eq!(self.blocks[FUND].txdata[1], self.fund);
        assert_eq!(self.blocks[FUND].txdata[0].output[0].value, SUBSIDY + FUND_FEE);
    }

    pub(crate) fn hash(&self, height: usize) -> BlockHash {
        self.blocks[height].block_hash()
    }

    pub(crate) fn tip(&self) -> &Block {
        &self.blocks[TIP]
    }

    /// The coin that the coinbase of a block created.
    pub(crate) fn coinbase(&self, height: usize) -> Coin {
        Coin::of(&self.blocks[height].txdata[0], 0)
    }

    /// The median of the times of the last eleven blocks, seconds.
    pub(crate) fn median_time(&self, height: usize) -> u64 {
        let mut times: Vec<u32> =
            self.blocks[height.saturating_sub(10)..=height].iter().map(|block| block.header.time).collect();
        times.sort_unstable();
        times[times.len() / 2].into()
    }

    /// The work of the chain up to a height: every block on regtest is worth two hashes.
    pub(crate) fn chain_work(height: usize) -> [u8; 32] {
        let mut work = [0; 32];
        work[24..].copy_from_slice(&(2 * (height as u64 + 1)).to_be_bytes());
        work
    }

    /// The coins of the chain, without those that cannot be spent.
    pub(crate) fn coins(&self) -> Vec<(usize, Coin)> {
        let spent: Vec<_> = self.blocks.iter().flat_map(|block| &block.txdata).flat_map(|tx| &tx.input).collect();
        let mut coins = Vec::new();
        // The coinbase of genesis is no coin.
        for (height, block) in self.blocks.iter().enumerate().skip(1) {
            for transaction in &block.txdata {
                for vout in 0..u32::try_from(transaction.output.len()).unwrap() {
                    let coin = Coin::of(transaction, vout);
                    let is_spent = spent.iter().any(|input| input.previous_output == coin.outpoint);
                    if !is_spent && !coin.output.script_pubkey.is_op_return() {
                        coins.push((height, coin));
                    }
                }
            }
        }
        coins
    }
}

fn check_block(previous: &Block, block: &Block) {
    assert_eq!(block.header.prev_blockhash, previous.block_hash());
    assert!(block.check_merkle_root() && block.check_witness_commitment());
    block.header.validate_pow(block.header.target()).unwrap();
}

/// Finds blocks, and returns their hashes.
pub(crate) fn generate(rpc: &Rpc, count: usize, purse: &Purse) -> Vec<BlockHash> {
    let hashes = rpc.call("generatetoaddress", &json!([count, purse.address().to_string()]));
    let hashes: Vec<BlockHash> = serde_json::from_value(hashes).unwrap();
    assert_eq!(hashes.len(), count);
    hashes
}

/// Fetches a block; it has that hash.
pub(crate) fn block(rpc: &Rpc, hash: BlockHash) -> Block {
    let hex = rpc.call("getblock", &json!([hash, 0]));
    let block: Block = deserialize_hex(hex.as_str().unwrap()).unwrap();
    assert_eq!(block.block_hash(), hash);
    block
}

pub(crate) fn block_at(rpc: &Rpc, height: usize) -> Block {
    let hash: BlockHash = serde_json::from_value(rpc.call("getblockhash", &json!([height]))).unwrap();
    block(rpc, hash)
}

/// Sends a transaction, which is accepted.
pub(crate) fn send(rpc: &Rpc, transaction: &Transaction) -> Txid {
    let txid = rpc.call("sendrawtransaction", &json!([serialize_hex(transaction)]));
    assert_eq!(txid, Value::String(transaction.compute_txid().to_string()));
    transaction.compute_txid()
}

/// Finds a nonce. Half of them do on regtest.
pub(crate) fn solve(header: &mut Header) {
    while header.validate_pow(header.target()).is_err() {
        header.nonce += 1;
    }
}
