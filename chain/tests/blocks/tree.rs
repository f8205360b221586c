//! All blocks, each with the headers up to it and the coins after it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, OutPoint};
use cairn_chain::coins::{Coin, CoinsError, CoinsHashType, CoinsOverlay, CoinsScan, CoinsStatistics, CoinsView};
use cairn_chain::header_chain::{HeaderChain, HeaderFacts};
use cairn_chain::params::ChainParams;
use cairn_chain::primitives::Block;
use cairn_chain::validation::{
    BlockError, CheckedBlock, HeaderError, ValidationCache, check_block, check_inputs, check_scripts,
    contextual_check_block, contextual_check_header,
};

type Coins = HashMap<OutPoint, Coin>;

/// A valid block: the headers from genesis to it, and the coins it leaves.
struct Node {
    headers: Vec<HeaderFacts>,
    coins: Coins,
}

pub(crate) struct BlockTree {
    params: ChainParams,
    nodes: HashMap<BlockHash, Node>,
    /// Why blocks are invalid for ever.
    condemned: HashMap<BlockHash, String>,
    last: BlockHash,
    now: u64,
    cache: ValidationCache,
}

impl BlockTree {
    /// A tree that holds genesis.
    pub(crate) fn new(params: ChainParams) -> Self {
        let genesis = &params.genesis;
        let Header { version, time, bits, .. } = genesis.header;
        let facts = HeaderFacts { hash: genesis.hash, time, bits, version };
        let root = Node { headers: vec![facts], coins: Coins::new() };
        let last = genesis.hash;
        let nodes = HashMap::from([(last, root)]);
        let condemned = HashMap::new();
        Self { params, nodes, condemned, last, now: u64::MAX, cache: ValidationCache::new(1 << 20) }
    }

    /// Sets the clock, in seconds since 1970.
    pub(crate) fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    /// The block that was accepted last.
    pub(crate) fn last(&self) -> BlockHash {
        self.last
    }

    /// The headers up to the block that was accepted last.
    pub(crate) fn headers(&self) -> &[HeaderFacts] {
        &self.nodes[&self.last].headers
    }

    /// Takes a block as Core's `submitblock` does, and gives Core's reject reason. On top of an invalid block that is the
    /// reason of the first invalid one, which is what Core reports when it tries to connect such a chain.
    pub(crate) fn submit(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let Ok(block) = Block::decode(bytes) else {
            return Err("RPC-22:Block decode failed".to_owned());
        };
        let block = Arc::new(block);
        // Core's ProcessNewBlock checks the block before it looks at its header, so a block that fails here leaves no trace.
        let checked = check_block(Arc::clone(&block), &self.params.consensus);
        let checked = checked.map_err(|error| error.reject_reason().into_owned())?;
        match self.connect(checked) {
            Ok(node) => {
                self.last = node.headers.tip().hash;
                self.nodes.insert(self.last, node);
                Ok(())
            }
            Err(error) => {
                let inherited = self.condemned.get(&block.header().prev_blockhash);
                let reason = inherited.cloned().unwrap_or_else(|| error.reject_reason().into_owned());
                if error.verdict().condemns_hash() || inherited.is_some() {
                    self.condemned.insert(block.hash(), reason.clone());
                }
                Err(reason)
            }
        }
    }

    /// Judges a block without taking it, against its parent's coins or others.
    pub(crate) fn judge(&self, bytes: Vec<u8>, coins: Option<&dyn CoinsView>) -> Result<(), BlockError> {
        let block = Arc::new(Block::decode(bytes).unwrap());
        let checked = check_block(block, &self.params.consensus)?;
        let parent = self.parent(&checked)?;
        self.check(checked, parent, coins.unwrap_or(&parent.coins))?;
        Ok(())
    }

    /// Takes a block and forgets its parent's coins: for long chains that never fork.
    pub(crate) fn extend(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let parent = self.last;
        self.submit(bytes)?;
        self.nodes.remove(&parent);
        Ok(())
    }

    fn parent(&self, block: &CheckedBlock) -> Result<&Node, HeaderError> {
        let parent = block.block().header().prev_blockhash;
        self.nodes.get(&parent).ok_or(HeaderError::PreviousNotFound { parent })
    }

    fn connect(&self, checked: CheckedBlock) -> Result<Node, BlockError> {
        let parent = self.parent(&checked)?;
        let (facts, changes) = self.check(checked, parent, &parent.coins)?;
        let mut coins = parent.coins.clone();
        for (outpoint, change) in changes {
            match change {
                Some(coin) => coins.insert(outpoint, coin),
                None => coins.remove(&outpoint),
            };
        }
        Ok(Node { headers: [&parent.headers[..], &[facts]].concat(), coins })
    }

    /// Every check but the first, and what the block changes.
    fn check(
        &self,
        checked: CheckedBlock,
        parent: &Node,
        coins: &dyn CoinsView,
    ) -> Result<(HeaderFacts, HashMap<OutPoint, Option<Coin>>), BlockError> {
        let params = &self.params.consensus;
        let chain = &parent.headers[..];
        let header = contextual_check_header(checked.header(), chain, params, self.now)?;
        let block = contextual_check_block(checked, &header, chain, params)?;

        let mut overlay = CoinsOverlay::new(coins);
        let block = check_inputs(block, &mut overlay, chain, params)?;
        let changes = overlay.into_changes();
        check_scripts(block, Some(&self.cache))?;
        Ok((header.facts(), changes))
    }

    /// The hash of the coins after a block, as Core's `gettxoutsetinfo hash_serialized_3` gives it.
    pub(crate) fn coins_hash(&self, block: &BlockHash) -> String {
        BlockHash::from_byte_array(self.coins_statistics(block).hash.unwrap()).to_string()
    }

    /// What Core's `gettxoutsetinfo hash_serialized_3` gives after a block.
    pub(crate) fn coins_statistics(&self, block: &BlockHash) -> CoinsStatistics {
        let set = Set(&self.nodes[block].coins);
        // So little that it takes several scans.
        let budget = 20_000;
        let hash_type = CoinsHashType::HashSerialized3;
        CoinsStatistics::compute(&set, hash_type, budget, &mut |_| ControlFlow::Continue(())).unwrap()
    }
}

/// The coins after a block, as statistics are taken of them.
struct Set<'a>(&'a Coins);

impl CoinsScan for Set<'_> {
    fn scan(&self, visit: &mut dyn FnMut(&OutPoint, &Coin) -> Result<(), CoinsError>) -> Result<(), CoinsError> {
        self.0.iter().try_for_each(|(outpoint, coin)| visit(outpoint, coin))
    }
}
