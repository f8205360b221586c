//! Makes valid blocks on any block of the tree.

use std::collections::BTreeMap;

use bitcoin::{Amount, OutPoint, ScriptBuf, TxOut};

use super::coin::LockedCoin;
use super::draft::Draft;
use super::keys::Keys;
use super::lock::{Kind, Lock, SEQUENCE_TIME};
use super::spend::{Payment, Spend};
use super::tree::{Node, Tree};
use super::unlock::Flaw;
use crate::random::Random;

/// The first lock time that is not a height (Core: `LOCKTIME_THRESHOLD`, `script/script.h`).
pub(super) const THRESHOLD: u32 = 500_000_000;
const MATURITY: u32 = 100;
/// Says that a sequence locks nothing (BIP68).
const SEQUENCE_DISABLED: u32 = 1 << 31;
/// The most a sequence can say.
const SEQUENCE_MASK: u32 = 0xffff;

/// Makes valid blocks on any block of the tree.
pub(super) struct Forge {
    pub(super) rng: Random,
    pub(super) keys: Keys,
    pub(super) tree: Tree,
    /// How often a lock of each kind was kept closed by a flaw.
    pub(super) refused: BTreeMap<Kind, usize>,
}

impl Forge {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Random::new(seed);
        let keys = Keys::new(&mut rng);
        Self { rng, keys, tree: Tree::new(), refused: Kind::ALL.iter().map(|&kind| (kind, 0)).collect() }
    }

    /// A block on `parent` with a coinbase that has outputs of several kinds.
    pub(super) fn draft(&mut self, parent: usize) -> Draft {
        self.tree.go_to(parent);
        let node = &self.tree.nodes[parent];
        let (hash, height) = (node.hash, node.height + 1);
        let median = self.tree.median(parent);
        // Miners' clocks differ, and the earliest time that is allowed is an edge.
        let time = match self.rng.below(20) {
            0 => median + 1,
            1 => (median + 1).max(node.time.saturating_sub(600)),
            _ => (median + 1).max(node.time + 200 + self.rng.up_to(800)),
        };
        let mut draft = Draft::new(&mut self.rng, parent, hash, height, median, time);
        let outputs = self.rng.between(1, 3);
        let locks: Vec<_> = (0..outputs).map(|_| Lock::random(&mut self.rng, height + MATURITY, median)).collect();
        let share = draft.most_value() / 4;
        let output =
            |lock: &Lock| TxOut { value: Amount::from_sat(share), script_pubkey: lock.script_pubkey(&self.keys) };
        draft.coinbase().output = locks.iter().map(output).collect();
        draft.locks[0] = locks.into_iter().map(Some).collect();
        draft
    }

    /// A draft with a few transactions.
    pub(super) fn filled(&mut self, parent: usize, most: usize) -> Draft {
        let mut draft = self.draft(parent);
        for _ in 0..self.rng.between(0, most) {
            self.add_any(&mut draft);
        }
        draft
    }

    /// Adds a valid transaction, if there is a coin for one.
    pub(super) fn add_any(&mut self, draft: &mut Draft) -> Option<()> {
        let spend = self.spend(draft)?;
        self.add(draft, &spend);
        Some(())
    }

    /// Signs a transaction and adds it to the block.
    pub(super) fn add(&mut self, draft: &mut Draft, spend: &Spend) {
        let tx = spend.sign(&mut self.rng, &self.keys);
        let txid = tx.compute_txid();
        draft.fees = draft.fees.saturating_add(spend.value_in().saturating_sub(spend.value_out()));
        for (coin, _) in &spend.inputs {
            draft.taken.insert(coin.outpoint);
            draft.kinds.push(coin.lock.kind);
            match draft.fresh.iter().position(|fresh| fresh.outpoint == coin.outpoint) {
                Some(position) => drop(draft.fresh.remove(position)),
                None => draft.spent.push(coin.clone()),
            }
        }
        for (vout, payment) in (0..).zip(&spend.outputs) {
            if let Some(lock) = payment.lock {
                let outpoint = OutPoint { txid, vout };
                let (output, height) = (payment.output.clone(), draft.height);
                draft.fresh.push(LockedCoin { outpoint, output, height, is_coinbase: false, lock });
            }
        }
        draft.locks.push(spend.outputs.iter().map(|payment| payment.lock).collect());
        draft.block.txdata.push(tx);
    }

    /// A valid transaction that spends some of the coins that can be spent in this block.
    pub(super) fn spend(&mut self, draft: &Draft) -> Option<Spend> {
        let first = self.any_coin(draft)?;
        let mut coins = vec![first];
        for _ in 0..self.rng.pick(&[0, 0, 0, 1, 2]) {
            let other = self.any_coin(draft)?;
            if coins.iter().all(|coin| coin.outpoint != other.outpoint && lock_times_mix(coin, &other)) {
                coins.push(other);
            }
        }
        Some(self.spend_coins(draft, coins))
    }

    /// A valid transaction that spends these coins, which must be ready.
    pub(super) fn spend_coins(&mut self, draft: &Draft, coins: Vec<LockedCoin>) -> Spend {
        let lock_time = self.lock_time(draft, &coins);
        let relative = coins.iter().any(|coin| matches!(coin.lock.kind, Kind::Csv | Kind::BareCsv));
        let version = self.rng.pick(if relative { &[2, 2, 3, -1][..] } else { &[2, 2, 2, 1, 3, 0, -1, i32::MAX] });
        let with_sequence = |coin: LockedCoin| {
            let sequence = self.sequence(draft, &coin, version);
            (coin, sequence)
        };
        let inputs: Vec<_> = coins.into_iter().map(with_sequence).collect();
        let mut spend = Spend { version, lock_time, inputs, outputs: Vec::new(), flaw: Flaw::None };
        self.add_payments(draft, &mut spend);
        spend
    }

    fn add_payments(&mut self, draft: &Draft, spend: &mut Spend) {
        let mut left = spend.value_in();
        left -= (self.rng.word() % 10_000).min(left);
        for position in (0..self.rng.between(1, 4)).rev() {
            let value = if position == 0 { left } else { self.rng.pick(&[0, left / 3, left / 2]) };
            left -= value;
            let lock = Lock::random(&mut self.rng, draft.height, draft.median);
            let payment = if value == 0 && self.rng.chance(30) {
                let data = [vec![0x6a, 20], self.rng.bytes(20)].concat();
                Payment { output: TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from(data) }, lock: None }
            } else {
                let script_pubkey = lock.script_pubkey(&self.keys);
                Payment { output: TxOut { value: Amount::from_sat(value), script_pubkey }, lock: Some(lock) }
            };
            spend.outputs.push(payment);
        }
    }

    /// A coin that can be spent in this block, some of them outputs of the block itself.
    fn any_coin(&mut self, draft: &Draft) -> Option<LockedCoin> {
        const TRIES: usize = 20;
        if !draft.fresh.is_empty() && self.rng.chance(30) {
            let coin = &draft.fresh[self.rng.below(draft.fresh.len())];
            if self.is_ready(draft, coin) {
                return Some(coin.clone());
            }
        }
        for _ in 0..TRIES {
            let coin = self.tree.coins.pick(&mut self.rng)?.clone();
            if self.is_ready(draft, &coin) && !draft.taken.contains(&coin.outpoint) {
                return Some(coin);
            }
        }
        None
    }

    /// A coin of a kind that can be spent in this block.
    pub(super) fn coin_of_kind(&mut self, draft: &Draft, kind: Kind) -> Option<LockedCoin> {
        self.coin_where(draft, |coin| coin.lock.kind == kind)
    }

    /// A coin that can be spent in this block and fulfils a condition.
    pub(super) fn coin_where(&mut self, draft: &Draft, fits: impl Fn(&LockedCoin) -> bool) -> Option<LockedCoin> {
        let ready: Vec<_> = {
            let condition = |coin: &LockedCoin| fits(coin) && !draft.taken.contains(&coin.outpoint);
            let tries = (0..8).filter_map(|_| self.tree.coins.pick_where(&mut self.rng, condition).cloned());
            tries.collect()
        };
        ready.into_iter().find(|coin| self.is_ready(draft, coin))
    }

    /// Whether maturity and locks allow to spend the coin in this block.
    pub(super) fn is_ready(&self, draft: &Draft, coin: &LockedCoin) -> bool {
        let mature = !coin.is_coinbase || draft.height - coin.height >= MATURITY;
        let number = coin.lock.number;
        mature
            && match coin.lock.kind {
                Kind::Cltv | Kind::P2shCltv if number < THRESHOLD => number < draft.height,
                Kind::Cltv | Kind::P2shCltv => number < draft.median,
                Kind::Csv | Kind::BareCsv => {
                    number & SEQUENCE_MASK <= self.longest(draft, coin, number & SEQUENCE_TIME)
                }
                _ => true,
            }
    }

    /// The longest relative lock time of a kind, heights or time, that has passed for a coin.
    pub(super) fn longest(&self, draft: &Draft, coin: &LockedCoin, kind: u32) -> u32 {
        if kind == 0 {
            return draft.height - coin.height;
        }
        (draft.median - self.tree.median_before(draft.parent, coin.height)) >> 9
    }

    fn lock_time(&mut self, draft: &Draft, coins: &[LockedCoin]) -> u32 {
        let wanted = coins.iter().filter(|coin| matches!(coin.lock.kind, Kind::Cltv | Kind::P2shCltv));
        match wanted.map(|coin| coin.lock.number).max() {
            Some(number) => {
                let last = if number < THRESHOLD { draft.height - 1 } else { draft.median - 1 };
                number + self.rng.up_to(last - number)
            }
            None => self.rng.pick(&[0, 0, 0, draft.height - 1, draft.median - 1]),
        }
    }

    fn sequence(&mut self, draft: &Draft, coin: &LockedCoin, version: i32) -> u32 {
        let kind = match coin.lock.kind {
            Kind::Csv | Kind::BareCsv => coin.lock.number & SEQUENCE_TIME,
            _ => self.rng.pick(&[0, SEQUENCE_TIME]),
        };
        let longest = self.longest(draft, coin, kind).min(SEQUENCE_MASK);
        match coin.lock.kind {
            Kind::Csv | Kind::BareCsv => {
                let shortest = coin.lock.number & SEQUENCE_MASK;
                kind | (shortest + self.rng.up_to(longest - shortest))
            }
            Kind::Cltv | Kind::P2shCltv => self.rng.pick(&[u32::MAX - 1, SEQUENCE_DISABLED, kind | longest]),
            // A version below two switches relative lock times off.
            _ if (0..2).contains(&version) => self.rng.pick(&[u32::MAX, 0, SEQUENCE_MASK, SEQUENCE_TIME | 5_000]),
            _ => self.rng.pick(&[u32::MAX, u32::MAX - 2, 0, kind, kind | longest, SEQUENCE_DISABLED | 70]),
        }
    }

    /// Puts a finished block, which must be valid, into the tree.
    pub(super) fn plant(&mut self, draft: &Draft) -> usize {
        let header = &draft.block.header;
        self.tree.nodes.push(Node {
            hash: draft.block.block_hash(),
            bytes: bitcoin::consensus::encode::serialize(&draft.block),
            parent: draft.parent,
            height: draft.height,
            time: header.time,
            created: draft.created(),
            spent: draft.spent.clone(),
        });
        self.tree.nodes.len() - 1
    }
}

/// Whether one lock time can satisfy both: a height and a time cannot be said at once (BIP65).
fn lock_times_mix(one: &LockedCoin, other: &LockedCoin) -> bool {
    let by_height = |coin: &LockedCoin| {
        matches!(coin.lock.kind, Kind::Cltv | Kind::P2shCltv).then_some(coin.lock.number < THRESHOLD)
    };
    match (by_height(one), by_height(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}
