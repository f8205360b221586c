use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::opcodes::OP_0;
use bitcoin::script::Builder;
use bitcoin::{Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness};
use tempfile::TempDir;

use super::*;
use crate::chainstate::ChainstateOptions;
use crate::params::{ChainParams, RegtestOptions};
use crate::primitives::Block;
use crate::store::StoreError;

/// Anyone may spend it.
const TRUE: u8 = 0x51;
/// Nobody can spend it, which only its script says.
const FALSE: u8 = 0x00;
const RETURN: u8 = 0x6a;

/// Blocks on regtest, one on top of the other.
struct Blocks(Vec<bitcoin::Block>);

impl Blocks {
    /// So many blocks above genesis whose coinbases pay to this script.
    fn new(count: usize, script: &[u8]) -> Self {
        let mut blocks = Self(vec![bitcoin::constants::genesis_block(Network::Regtest)]);
        for _ in 0..count {
            blocks.add(script, Vec::new());
        }
        blocks
    }

    fn add(&mut self, script: &[u8], mut transactions: Vec<Transaction>) {
        let below = self.0.last().unwrap();
        let height = u32::try_from(self.0.len()).unwrap();
        let script_sig = Builder::new().push_int(i64::from(height)).push_opcode(OP_0).into_script();
        let subsidy = Amount::from_sat(50 * 100_000_000);
        transactions.insert(0, transaction(OutPoint::null(), script_sig, subsidy, script));
        let mut block = bitcoin::Block {
            header: Header {
                version: Version::from_consensus(0x2000_0000),
                prev_blockhash: below.block_hash(),
                merkle_root: TxMerkleNode::all_zeros(),
                time: below.header.time + 600,
                bits: below.header.bits,
                nonce: 0,
            },
            txdata: transactions,
        };
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        while block.header.validate_pow(block.header.target()).is_err() {
            block.header.nonce += 1;
        }
        self.0.push(block);
    }

    /// Adds a block that spends the coinbase of the block at that height.
    fn add_spending(&mut self, height: usize) {
        let output = OutPoint { txid: self.0[height].txdata[0].compute_txid(), vout: 0 };
        self.add(&[TRUE], vec![transaction(output, ScriptBuf::new(), Amount::from_sat(1000), &[TRUE])]);
    }

    fn frame(&self, height: usize) -> Vec<u8> {
        let bytes = serialize(&self.0[height]);
        [&params().magic[..], &u32::try_from(bytes.len()).unwrap().to_le_bytes(), &bytes].concat()
    }

    fn frames(&self) -> Vec<u8> {
        (1..self.0.len()).flat_map(|height| self.frame(height)).collect()
    }
}

fn transaction(previous_output: OutPoint, script_sig: ScriptBuf, value: Amount, script: &[u8]) -> Transaction {
    let input = TxIn { previous_output, script_sig, sequence: Sequence::MAX, witness: Witness::new() };
    let output = TxOut { value, script_pubkey: ScriptBuf::from_bytes(script.to_vec()) };
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    }
}

fn params() -> ChainParams {
    ChainParams::regtest(RegtestOptions::default())
}

fn open(directory: &TempDir) -> Chainstate {
    let options = ChainstateOptions { threads: 1, ..ChainstateOptions::default() };
    Chainstate::open(directory.path(), params(), options).unwrap()
}

fn import(chainstate: &mut Chainstate, stream: Vec<u8>) -> Result<ImportSummary, ChainstateError> {
    let mut source = BlockSource::stream(io::Cursor::new(stream), params().magic);
    chainstate.import(&mut source, &mut |_| ControlFlow::Continue(()))
}

fn is_disk_full(error: &ChainstateError) -> bool {
    matches!(error, ChainstateError::Store(error) if matches!(**error, StoreError::DiskFull { .. }))
}

#[test]
fn a_frame_that_breaks_off_hides_no_block_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut chainstate = open(&directory);
    let blocks = Blocks::new(4, &[TRUE]);
    let broken = |height: usize, length: usize| blocks.frame(height)[..length].to_vec();
    let stream = [blocks.frame(1), broken(2, 100), blocks.frame(2), blocks.frame(3)].concat();
    assert_eq!(import(&mut chainstate, stream).unwrap().accepted, 3);
    // The block that breaks off is known already, the one behind it is not. Of many lengths, since what follows the
    // claimed end may be anything, zeros too.
    for length in (88..blocks.frame(2).len()).step_by(9) {
        let directory = tempfile::tempdir().unwrap();
        let mut chainstate = open(&directory);
        import(&mut chainstate, [blocks.frame(1), blocks.frame(2)].concat()).unwrap();
        let stream = [broken(2, length), blocks.frame(3), blocks.frame(4)].concat();
        let summary = import(&mut chainstate, stream).unwrap();
        assert_eq!((summary.accepted, summary.known), (2, 0), "{length}");
        assert_eq!(summary.skipped_bytes, u64::try_from(length).unwrap());
    }
}

#[test]
fn a_full_disk_costs_nothing_that_was_committed() {
    let directory = tempfile::tempdir().unwrap();
    let mut chainstate = open(&directory);
    let blocks = Blocks::new(50, &[TRUE]);
    import(&mut chainstate, blocks.frame(1)).unwrap();
    chainstate.files.pretend_full_after(Some(3 * u64::try_from(blocks.frame(50).len()).unwrap()));
    let error = import(&mut chainstate, blocks.frames()).unwrap_err();
    assert!(is_disk_full(&error), "{error}");
    drop(chainstate);
    let mut chainstate = open(&directory);
    assert_eq!(chainstate.active.height(), 4);
    assert_eq!(import(&mut chainstate, blocks.frames()).unwrap().accepted, 46);
}

#[test]
fn blocks_in_flight_when_the_disk_is_full_are_connected_later() {
    let directory = tempfile::tempdir().unwrap();
    let mut chainstate = open(&directory);
    let mut blocks = Blocks::new(101, &[TRUE]);
    import(&mut chainstate, blocks.frames()).unwrap();
    blocks.add_spending(1);
    blocks.add(&[TRUE], Vec::new());
    // There is room for the blocks, and none for a first file of undo data.
    chainstate.files.pretend_full_after(Some(1 << 20));
    let error = import(&mut chainstate, blocks.frames()).unwrap_err();
    assert!(is_disk_full(&error), "{error}");
    assert_eq!(chainstate.active.height(), 101);
    // Nor do the others that connect blocks do any harm.
    let block = Arc::new(Block::decode(serialize(&blocks.0[103])).unwrap());
    assert!(is_disk_full(&chainstate.process_new_block(block, true).unwrap_err()));
    assert!(is_disk_full(&chainstate.flush().unwrap_err()));
    assert_eq!((chainstate.active.height(), chainstate.in_flight.len()), (101, 0));

    chainstate.files.pretend_full_after(None);
    chainstate.activate().unwrap();
    assert_eq!(import(&mut chainstate, blocks.frames()).unwrap().rejected, 0);
    assert_eq!(chainstate.active.height(), 103);
}

/// A stream that has to wait after its first bytes, and then notes how many blocks were accepted before.
struct Slow {
    first: io::Cursor<Vec<u8>>,
    accepted: Arc<AtomicU64>,
    accepted_before_wait: Arc<AtomicU64>,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.first.read(buffer)?;
        if count == 0 {
            self.accepted_before_wait.store(self.accepted.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        Ok(count)
    }
}

#[test]
fn what_a_slow_stream_brought_does_not_wait_for_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let large: Vec<u8> = std::iter::once(RETURN).chain([0; 60_000]).collect();
    let stream = Blocks::new(20, &large).frames();
    let (accepted, before_wait) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let slow = Slow {
        first: io::Cursor::new(stream),
        accepted: Arc::clone(&accepted),
        accepted_before_wait: Arc::clone(&before_wait),
    };
    let mut source = BlockSource::stream(slow, params().magic);
    let mut progress = |progress: ImportProgress| {
        accepted.store(progress.blocks, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    assert_eq!(open(&directory).import(&mut source, &mut progress).unwrap().accepted, 20);
    assert!(before_wait.load(Ordering::Relaxed) >= 10, "{before_wait:?}");
}

#[test]
fn a_block_that_is_taken_back_is_not_counted_and_stays_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let mut chainstate = open(&directory);
    let mut blocks = Blocks::new(101, &[FALSE]);
    blocks.add_spending(1);
    let first = import(&mut chainstate, blocks.frames()).unwrap();
    assert_eq!((first.accepted, first.transactions, first.rejected), (101, 101, 1));
    let again = import(&mut chainstate, blocks.frames()).unwrap();
    assert_eq!((again.accepted, again.known, again.rejected), (0, 101, 1));
    let rejection = (blocks.0[102].block_hash(), "duplicate-invalid".to_owned());
    assert_eq!(again.first_rejection, Some(rejection));
}
