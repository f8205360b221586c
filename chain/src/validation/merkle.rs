//! Merkle roots of transactions and of witnesses.

use bitcoin::hashes::Hash;

use crate::hash::sha256d_pair;
use crate::primitives::Block;

/// The root of a merkle tree, and whether other leaves have it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MerkleRoot {
    /// The root; zero when there are no leaves.
    pub root: [u8; 32],
    /// Whether two equal hashes were paired: then leaving leaves out, or repeating them, gives the same root
    /// (CVE-2012-2459).
    pub mutated: bool,
}

/// The merkle root of a block's txids (Core: `BlockMerkleRoot`, `consensus/merkle.cpp`).
#[must_use]
pub fn merkle_root(block: &Block) -> MerkleRoot {
    root_of(block.transactions().map(|tx| tx.txid().to_byte_array()).collect())
}

/// The merkle root of a block's wtxids, with zero for the coinbase's (Core: `BlockWitnessMerkleRoot`,
/// `consensus/merkle.cpp`; BIP141).
#[must_use]
pub fn witness_merkle_root(block: &Block) -> [u8; 32] {
    let coinbase = block.transactions().take(1).map(|_| [0; 32]);
    let others = block.transactions().skip(1).map(|tx| tx.wtxid().to_byte_array());
    root_of(coinbase.chain(others).collect()).root
}

/// The root over `hashes` (Core: `ComputeMerkleRoot`, `consensus/merkle.cpp`).
pub(crate) fn root_of(mut hashes: Vec<[u8; 32]>) -> MerkleRoot {
    let mut mutated = false;
    let mut count = hashes.len();
    while count > 1 {
        for pair in 0..count.div_ceil(2) {
            let left = hashes[2 * pair];
            // An odd one is paired with itself; a pair that is equal for another reason was made so.
            let right = if 2 * pair + 1 < count { hashes[2 * pair + 1] } else { left };
            mutated |= 2 * pair + 1 < count && left == right;
            hashes[pair] = sha256d_pair(&left, &right);
        }
        count = count.div_ceil(2);
    }
    MerkleRoot { root: hashes.first().copied().unwrap_or_default(), mutated }
}

/// What the first leaf is hashed with on its way to the root, when the others are `rest` (Core:
/// `TransactionMerklePath`, `consensus/merkle.cpp`).
pub(crate) fn merkle_branch(rest: impl IntoIterator<Item = [u8; 32]>) -> Vec<[u8; 32]> {
    // The first place of each level stands for what is not known yet.
    let mut level: Vec<[u8; 32]> = std::iter::once([0; 32]).chain(rest).collect();
    let mut branch = Vec::new();
    while level.len() > 1 {
        branch.push(level[1]);
        for pair in 1..level.len().div_ceil(2) {
            let left = level[2 * pair];
            let right = level.get(2 * pair + 1).copied().unwrap_or(left);
            level[pair] = sha256d_pair(&left, &right);
        }
        level.truncate(level.len().div_ceil(2));
    }
    branch
}

/// The root above a first leaf and its branch.
pub(crate) fn root_with_branch(first: [u8; 32], branch: &[[u8; 32]]) -> [u8; 32] {
    branch.iter().fold(first, |left, right| sha256d_pair(&left, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(numbers: &[u8]) -> Vec<[u8; 32]> {
        numbers.iter().map(|&number| [number; 32]).collect()
    }

    #[test]
    fn repeating_the_tail_keeps_the_root_and_is_noticed() {
        let honest = root_of(leaves(&[1, 2, 3, 4, 5, 6]));
        let repeated = root_of(leaves(&[1, 2, 3, 4, 5, 6, 5, 6]));
        assert_eq!(honest.root, repeated.root);
        assert!(!honest.mutated && repeated.mutated);
        assert_eq!(root_of(leaves(&[1, 2, 3])).root, root_of(leaves(&[1, 2, 3, 3])).root);
        assert!(root_of(leaves(&[1, 2, 3, 3])).mutated && !root_of(leaves(&[1, 2, 3])).mutated);
    }

    #[test]
    fn equals_rust_bitcoins_root() {
        for count in 1..40 {
            let numbers: Vec<u8> = (0..count).collect();
            let theirs = leaves(&numbers).into_iter().map(bitcoin::TxMerkleNode::from_byte_array);
            let theirs = bitcoin::merkle_tree::calculate_root(theirs).unwrap();
            assert_eq!(root_of(leaves(&numbers)).root, theirs.to_byte_array());
            let branch = merkle_branch(leaves(&numbers[1..]));
            assert_eq!(root_with_branch([0; 32], &branch), theirs.to_byte_array(), "{count}");
        }
        assert_eq!(root_of(Vec::new()), MerkleRoot { root: [0; 32], mutated: false });
    }
}
