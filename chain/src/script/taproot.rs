//! The tree of scripts behind a taproot output (BIP341).

use std::sync::LazyLock;

use secp256k1::{Scalar, XOnlyPublicKey};

use super::signature::SECP256K1;
use crate::hash::HashWriter;

static TAP_LEAF: LazyLock<HashWriter> = LazyLock::new(|| HashWriter::tagged("TapLeaf"));
static TAP_BRANCH: LazyLock<HashWriter> = LazyLock::new(|| HashWriter::tagged("TapBranch"));
static TAP_TWEAK: LazyLock<HashWriter> = LazyLock::new(|| HashWriter::tagged("TapTweak"));

/// The bits of a control block's first byte that are the leaf version (Core: `TAPROOT_LEAF_MASK`).
const LEAF_MASK: u8 = 0xfe;
/// The leaf version of tapscript (Core: `TAPROOT_LEAF_TAPSCRIPT`; BIP342).
const LEAF_TAPSCRIPT: u8 = 0xc0;
/// Size of the leaf version and the internal key, in bytes (Core: `TAPROOT_CONTROL_BASE_SIZE`).
const CONTROL_BASE_SIZE: usize = 33;
/// Size of one hash of the path, in bytes (Core: `TAPROOT_CONTROL_NODE_SIZE`).
const CONTROL_NODE_SIZE: usize = 32;
/// Longest path (Core: `TAPROOT_CONTROL_MAX_NODE_COUNT`).
const CONTROL_MAX_NODE_COUNT: usize = 128;

/// Tagged hash of a leaf (Core: `ComputeTapleafHash`, `script/interpreter.cpp`).
#[must_use]
pub fn tap_leaf_hash(leaf_version: u8, script: &[u8]) -> [u8; 32] {
    let mut writer = TAP_LEAF.clone();
    writer.write(&[leaf_version]).write_with_size(script);
    writer.sha256()
}

/// Tagged hash of two children in lexicographic order (Core: `ComputeTapbranchHash`, `script/interpreter.cpp`).
#[must_use]
pub fn tap_branch_hash(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    let mut writer = TAP_BRANCH.clone();
    writer.write(first).write(second);
    writer.sha256()
}

/// Tagged hash that tweaks an internal key, with the root of its scripts if it has any (Core: `ComputeTapTweakHash`,
/// `pubkey.cpp`).
#[must_use]
pub fn tap_tweak_hash(internal_key: &[u8; 32], merkle_root: Option<&[u8; 32]>) -> [u8; 32] {
    let mut writer = TAP_TWEAK.clone();
    writer.write(internal_key);
    if let Some(root) = merkle_root {
        writer.write(root);
    }
    writer.sha256()
}

/// Whether a control block that starts with `first` proves a leaf that is a tapscript (BIP342).
pub(crate) fn is_tapscript_leaf(first: u8) -> bool {
    first & LEAF_MASK == LEAF_TAPSCRIPT
}

/// A control block of a permitted size: leaf version and parity, internal key, path to the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct ControlBlock<'a> {
    first: u8,
    internal_key: &'a [u8; 32],
    path: &'a [u8],
}

impl<'a> ControlBlock<'a> {
    /// Splits a control block, unless its size is not 33 + 32k bytes with k at most 128.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (base, path) = bytes.split_at_checked(CONTROL_BASE_SIZE)?;
        if !path.len().is_multiple_of(CONTROL_NODE_SIZE) || path.len() > CONTROL_NODE_SIZE * CONTROL_MAX_NODE_COUNT {
            return None;
        }
        Some(Self { first: base[0], internal_key: base[1..].try_into().expect("33 bytes less one"), path })
    }

    pub(super) fn leaf_version(&self) -> u8 {
        self.first & LEAF_MASK
    }

    pub(super) fn is_tapscript(&self) -> bool {
        is_tapscript_leaf(self.first)
    }

    /// Whether the output key commits to the leaf (Core: `VerifyTaprootCommitment`, `script/interpreter.cpp`).
    pub(super) fn commits(&self, output_key: &[u8], leaf_hash: [u8; 32]) -> bool {
        let root = self
            .path
            .chunks_exact(CONTROL_NODE_SIZE)
            .fold(leaf_hash, |hash, node| tap_branch_hash(&hash, node.try_into().expect("chunks of 32 bytes")));
        let Ok(internal_key) = XOnlyPublicKey::from_slice(self.internal_key) else { return false };
        let Ok(tweak) = Scalar::from_be_bytes(tap_tweak_hash(self.internal_key, Some(&root))) else { return false };
        // Comparing bytes spares lifting the output key onto the curve; a key that is not on it equals none that is.
        internal_key
            .add_tweak(&SECP256K1, &tweak)
            .is_ok_and(|(tweaked, parity)| tweaked.serialize() == output_key && parity.to_u8() == self.first & 1)
    }
}
