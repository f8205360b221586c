//! Blocks that came before, and bytes that are none.

use bitcoin::block::Version;
use bitcoin::consensus::encode;
use bitcoin::{Block, Witness};

use super::super::draft::mine;
use super::super::step::{answer, rejected, stored};
use super::super::tree::Node;
use super::Generator;
use crate::block_judge::{Answer, Class};

impl Generator {
    /// A block that was stored or condemned before, perhaps with other transactions or witnesses now.
    pub(super) fn resubmit(&mut self) {
        if !self.condemned.is_empty() && self.forge.rng.chance(30) {
            let bytes = self.condemned[self.forge.rng.below(self.condemned.len())].clone();
            let invalid = rejected(Class::CachedInvalid, "duplicate-invalid");
            return self.submit("invalid block again", bytes, invalid);
        }
        let node = &self.forge.tree.nodes[self.forge.rng.below(self.forge.tree.nodes.len())];
        let bytes = node.bytes.clone();
        if self.forge.rng.chance(50) {
            return self.submit("valid block again", bytes, answer(Answer::Known));
        }
        let mut block: Block = encode::deserialize(&bytes).unwrap();
        if self.forge.rng.chance(50) {
            // Nobody looks at the witnesses of what is known.
            block.txdata[0].input[0].witness = Witness::from_slice(&[[3; 3]]);
            self.submit("valid block again, with another witness", encode::serialize(&block), answer(Answer::Known));
        } else {
            block.txdata[0].version.0 += 1;
            let mutated = rejected(Class::Mutated, "bad-txnmrklroot");
            self.submit("valid block again, with another transaction", encode::serialize(&block), mutated);
        }
    }

    /// The transactions of the last block once more, in a block beside it.
    pub(super) fn sibling(&mut self) {
        let Node { bytes, parent, height, created, spent, .. } = &self.forge.tree.nodes[self.best];
        let mut block: Block = encode::deserialize(bytes).unwrap();
        // Any version from 4 on will do, and this one was not taken before.
        let version = 0x2000_0000 + self.forge.rng.up_to(0x0fff_ffff);
        block.header.version = Version::from_consensus(i32::try_from(version).unwrap());
        mine(&mut block.header, true);
        let bytes = encode::serialize(&block);
        let node = Node {
            hash: block.block_hash(),
            bytes: bytes.clone(),
            parent: *parent,
            height: *height,
            time: block.header.time,
            created: created.clone(),
            spent: spent.clone(),
        };
        self.forge.tree.nodes.push(node);
        self.submit("the same transactions in another block", bytes, stored());
    }

    /// Bytes that are no block.
    pub(super) fn undecodable(&mut self) {
        let mut draft = self.forge.filled(self.best, 2);
        draft.pay();
        draft.commit();
        draft.seal();
        let mut bytes = encode::serialize(&draft.block);
        // The number of transactions comes after the header, then the version of the first, then what says that it has a
        // witness.
        let (count, flag) = (80, 86);
        let name = match self.forge.rng.below(6) {
            0 => {
                bytes.truncate(self.forge.rng.below(bytes.len()));
                "truncated"
            }
            1 => {
                bytes.push(0);
                "a byte too many"
            }
            2 => {
                bytes.splice(count..=count, [0xfd, bytes[count], 0]);
                "count not encoded minimally"
            }
            3 => {
                bytes[flag] = self.forge.rng.pick(&[2, 3, 0xff]);
                "unknown witness flag"
            }
            4 => {
                draft.coinbase().input[0].witness.clear();
                let coinbase = encode::serialize(&draft.block.txdata[0]);
                let (body, lock_time) = coinbase[4..].split_at(coinbase.len() - 8);
                // The coinbase alone, with one stack, which is empty.
                bytes = [&bytes[..count], &[1], &coinbase[..4], &[0, 1], body, &[0], lock_time].concat();
                "superfluous witness"
            }
            _ => {
                bytes.splice(count..=count, [0xfe, 0, 0, 0, 0x10]);
                "count too large"
            }
        };
        self.covers.push(("undecodable", name));
        self.submit(name, bytes, answer(Answer::Undecodable));
    }
}
