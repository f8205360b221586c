//! The transaction that pays the miner.

use bitcoin::opcodes::OP_0;
use bitcoin::{Amount, ScriptBuf, Sequence};

use crate::script::{append_number_push, append_push};
use crate::serialize::{append_compact_size, append_with_size};
use crate::validation::commitment_script;

/// Version of coinbases (Core: `CTransaction::CURRENT_VERSION`, `primitives/transaction.h`).
const VERSION: u32 = 2;
/// The one item of the witness of a coinbase: any 32 bytes that the commitment is made with (BIP141, "witness reserved
/// value").
const WITNESS_RESERVED_VALUE: [u8; 32] = [0; 32];

/// The coinbase of a template, to which a miner adds what tells its work from that of others (Core: `CoinbaseTx`,
/// `node/mining_types.h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoinbaseTemplate {
    /// Version.
    pub version: u32,
    /// What its script starts with: the push of the height (BIP34).
    pub script_sig_prefix: Vec<u8>,
    /// Sequence of its input, which keeps the lock time in force.
    pub sequence: u32,
    /// Subsidy and fees, in satoshis.
    pub reward: Amount,
    /// The script that is paid.
    pub output_script: ScriptBuf,
    /// The script of the output behind that, which commits to the witnesses (BIP141).
    pub witness_commitment: ScriptBuf,
    /// The one item of its witness; nothing before segwit.
    pub witness: Option<[u8; 32]>,
    /// Lock time, which is one less than the height, so that no two coinbases are equal.
    pub lock_time: u32,
}

impl CoinbaseTemplate {
    /// The coinbase of the block at `height`, which is not zero (Core: `CreateNewBlock`, `node/miner.cpp`).
    /// `witness_root` is the merkle root of the block's witnesses.
    pub(super) fn new(
        height: u32,
        reward: Amount,
        output_script: ScriptBuf,
        witness_root: &[u8; 32],
        has_segwit: bool,
    ) -> Self {
        let mut script_sig_prefix = Vec::with_capacity(6);
        append_number_push(&mut script_sig_prefix, height.into());
        Self {
            version: VERSION,
            script_sig_prefix,
            sequence: Sequence::ENABLE_LOCKTIME_NO_RBF.to_consensus_u32(),
            reward,
            output_script,
            witness_commitment: witness_commitment(witness_root),
            witness: has_segwit.then_some(WITNESS_RESERVED_VALUE),
            lock_time: height.saturating_sub(1),
        }
    }

    /// Commits to other witnesses (Core: `RegenerateCommitments`, `node/miner.cpp`).
    pub(super) fn set_witness_root(&mut self, witness_root: &[u8; 32]) {
        self.witness_commitment = witness_commitment(witness_root);
    }

    /// Its script, with an extra nonce at the end.
    #[must_use]
    pub fn script_sig(&self, extra_nonce: Option<u64>) -> Vec<u8> {
        let mut script = self.script_sig_prefix.clone();
        // The push of a height up to 16 is one byte, and the script of a coinbase has at least two.
        if script.len() == 1 {
            script.push(OP_0.to_u8());
        }
        if let Some(extra_nonce) = extra_nonce {
            append_push(&mut script, &extra_nonce.to_le_bytes());
        }
        script
    }

    /// The serialized transaction.
    #[must_use]
    pub fn bytes(&self, extra_nonce: Option<u64>) -> Vec<u8> {
        self.serialized(extra_nonce, self.witness.as_ref())
    }

    /// The serialized transaction without its witness, which its id is the hash of.
    #[must_use]
    pub fn stripped_bytes(&self, extra_nonce: Option<u64>) -> Vec<u8> {
        self.serialized(extra_nonce, None)
    }

    fn serialized(&self, extra_nonce: Option<u64>, witness: Option<&[u8; 32]>) -> Vec<u8> {
        let mut bytes = self.version.to_le_bytes().to_vec();
        if witness.is_some() {
            bytes.extend([0, 1]);
        }
        append_compact_size(&mut bytes, 1);
        bytes.extend([0; 32]);
        bytes.extend(u32::MAX.to_le_bytes());
        append_with_size(&mut bytes, &self.script_sig(extra_nonce));
        bytes.extend(self.sequence.to_le_bytes());
        append_compact_size(&mut bytes, 2);
        for (value, script) in [(self.reward, &self.output_script), (Amount::ZERO, &self.witness_commitment)] {
            bytes.extend(value.to_sat().to_le_bytes());
            append_with_size(&mut bytes, script.as_bytes());
        }
        if let Some(witness) = witness {
            append_compact_size(&mut bytes, 1);
            append_with_size(&mut bytes, witness);
        }
        bytes.extend(self.lock_time.to_le_bytes());
        bytes
    }
}

fn witness_commitment(witness_root: &[u8; 32]) -> ScriptBuf {
    commitment_script(&crate::hash::sha256d_pair(witness_root, &WITNESS_RESERVED_VALUE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::Transaction;
    use bitcoin::consensus::encode;

    fn coinbase(height: u32, has_segwit: bool) -> CoinbaseTemplate {
        let script = ScriptBuf::from_bytes(vec![0x51]);
        CoinbaseTemplate::new(height, Amount::from_sat(5_000_000_123), script, &[7; 32], has_segwit)
    }

    #[test]
    fn scripts_start_with_the_height_and_have_two_bytes_at_least() {
        for (height, expected) in [
            (1, &[0x51, 0][..]),
            (16, &[0x60, 0]),
            (17, &[1, 17]),
            (128, &[2, 128, 0]),
            (500_000, &[3, 0x20, 0xa1, 0x07]),
        ] {
            assert_eq!(coinbase(height, true).script_sig(None), expected, "{height}");
        }
        assert_eq!(coinbase(1, true).script_sig(Some(0x0102)), [0x51, 0, 8, 2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(coinbase(1, true).script_sig_prefix, [0x51]);
    }

    #[test]
    fn what_is_serialized_is_the_transaction_it_says() {
        let coinbase = coinbase(300, true);
        let ours = Transaction::decode(coinbase.bytes(None)).unwrap();
        let theirs: bitcoin::Transaction = encode::deserialize(&coinbase.bytes(None)).unwrap();
        assert!(theirs.is_coinbase() && ours.as_ref().is_coinbase());
        assert_eq!((theirs.version.0, theirs.lock_time.to_consensus_u32()), (2, 299));
        assert_eq!(theirs.input[0].sequence.0, 0xffff_fffe);
        assert_eq!(theirs.input[0].witness.to_vec(), [[0; 32]]);
        assert_eq!(theirs.output.len(), 2);
        assert_eq!((theirs.output[0].value.to_sat(), theirs.output[1].value.to_sat()), (5_000_000_123, 0));
        let commitment = bitcoin::Block::compute_witness_commitment(
            &bitcoin::hashes::Hash::from_byte_array([7; 32]),
            &WITNESS_RESERVED_VALUE,
        );
        let expected = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], commitment.as_ref()].concat();
        assert_eq!(theirs.output[1].script_pubkey.as_bytes(), expected);
        let stripped = Transaction::decode(coinbase.stripped_bytes(None)).unwrap();
        assert_eq!(stripped.as_ref().txid(), ours.as_ref().txid());
        assert!(!stripped.as_ref().has_witness());
    }

    #[test]
    fn before_segwit_there_is_a_commitment_and_no_witness() {
        let coinbase = coinbase(300, false);
        assert_eq!(coinbase.bytes(Some(1)), coinbase.stripped_bytes(Some(1)));
        assert_eq!(coinbase.witness_commitment.len(), 38);
    }
}
