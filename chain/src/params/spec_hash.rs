//! One hash for all that nodes of a network must agree on.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use ruint::aliases::U256;

use super::{ActivationHeights, BaseScriptRules, BlockPosition, ChainParams, ConsensusParams, ScriptFlagException};
use crate::pow::{AsertRetarget, BitcoinRetarget, PowParams, Retarget};

/// What the encoding opens with. Another encoding needs another number here, and then no node meets an older one.
const VERSION_TAG: &[u8] = b"cairn network spec 1";

impl ChainParams {
    /// SHA-256 over everything a block's validity depends on, and the network's name. It is part of every protocol and
    /// topic name, so that nodes with different rules do not even shake hands.
    ///
    /// The encoding that is hashed, version 1. Integers are little-endian; *bytes* are a 4-byte length and the bytes;
    /// a *list* is a 4-byte count and the items; an *option* is a byte 0, or a byte 1 and the value; a *flag* is a byte
    /// 0 or 1; hashes are in the order they are hashed in, not the displayed one.
    ///
    /// | field | encoding |
    /// |---|---|
    /// | version tag | bytes `cairn network spec 1` |
    /// | name | bytes |
    /// | genesis block | bytes |
    /// | genesis hash | 32 bytes |
    /// | initial subsidy, in satoshis | 8-byte integer |
    /// | halving interval, in blocks | 4-byte integer |
    /// | heights of bip34, bip65, bip66, csv, segwit | 5 4-byte integers |
    /// | BIP34 hash | option of 32 bytes |
    /// | script flag exceptions | list of 32-byte hash, 1 byte: 0 none, 1 P2SH and witness, 2 and taproot |
    /// | BIP30 exceptions, then BIP30 unspendable | 2 lists of 4-byte height, 32-byte hash |
    /// | easiest target | 32-byte integer |
    /// | target spacing, in seconds | 4-byte integer |
    /// | retarget rule, Bitcoin's | byte 0, 4-byte timespan in seconds, 3 flags: minimum-difficulty blocks, BIP94, none at all |
    /// | retarget rule, ASERT | byte 1, 4-byte anchor height, 4-byte anchor bits, 4-byte half-life in seconds |
    /// | signet challenge | option of bytes |
    #[must_use]
    pub fn spec_hash(&self) -> [u8; 32] {
        crate::hash::sha256(&self.canonical_encoding().0)
    }

    fn canonical_encoding(&self) -> Encoder {
        // Taken apart field by field, so that a new field does not compile before somebody decided about it.
        let ConsensusParams {
            genesis_hash,
            subsidy_initial,
            subsidy_halving_interval,
            activation: ActivationHeights { bip34, bip65, bip66, csv, segwit },
            bip34_hash,
            script_flag_exceptions,
            bip30_exceptions,
            bip30_unspendable,
            pow,
            signet_challenge,
        } = &self.consensus;
        let mut out = Encoder(Vec::new());
        out.bytes(VERSION_TAG);
        out.bytes(self.name.as_bytes());
        out.bytes(&self.genesis.block);
        out.hash(genesis_hash);
        out.0.extend(subsidy_initial.to_sat().to_le_bytes());
        out.u32(*subsidy_halving_interval);
        for height in [bip34, bip65, bip66, csv, segwit] {
            out.u32(*height);
        }
        out.option(bip34_hash.as_ref(), Encoder::hash);
        out.list(script_flag_exceptions, |out, ScriptFlagException { hash, rules }| {
            out.hash(hash);
            out.0.push(match rules {
                BaseScriptRules::None => 0,
                BaseScriptRules::P2shWitness => 1,
                BaseScriptRules::P2shWitnessTaproot => 2,
            });
        });
        for positions in [bip30_exceptions, bip30_unspendable] {
            out.list(positions, |out, BlockPosition { height, hash }| {
                out.u32(*height);
                out.hash(hash);
            });
        }
        out.pow(pow);
        out.option(signet_challenge.as_ref(), |out, challenge| out.bytes(challenge.as_bytes()));
        out
    }
}

/// Bytes under construction; one method per kind of value in the table above.
struct Encoder(Vec<u8>);

impl Encoder {
    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn flag(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    fn hash(&mut self, hash: &BlockHash) {
        self.0.extend(hash.to_byte_array());
    }

    fn u256(&mut self, value: U256) {
        self.0.extend(value.to_le_bytes::<32>());
    }

    fn length(&mut self, length: usize) {
        self.u32(u32::try_from(length).expect("parameters are far smaller than 4 GiB"));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend(bytes);
    }

    fn option<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.length(items.len());
        for item in items {
            write(self, item);
        }
    }

    fn pow(&mut self, pow: &PowParams) {
        let PowParams { limit, target_spacing, retarget } = pow;
        self.u256(*limit);
        self.u32(*target_spacing);
        match retarget {
            Retarget::Bitcoin(rule) => {
                let BitcoinRetarget { target_timespan, allow_min_difficulty_blocks, enforce_bip94, no_retargeting } =
                    rule;
                self.0.push(0);
                self.u32(*target_timespan);
                self.flag(*allow_min_difficulty_blocks);
                self.flag(*enforce_bip94);
                self.flag(*no_retargeting);
            }
            Retarget::Asert(rule) => {
                let AsertRetarget { anchor_height, anchor_bits, half_life } = rule;
                self.0.push(1);
                self.u32(*anchor_height);
                self.u32(anchor_bits.to_consensus());
                self.u32(*half_life);
            }
        }
    }
}
