//! Bytes from strangers: no decoder or check panics on any, and none takes more memory than the bytes justify.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use bitcoin::Script;
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use cairn_chain::coins::{Coin, CoinScript};
use cairn_chain::compact_blocks::{CompactBlock, PartiallyDownloadedBlock};
use cairn_chain::params::spec_file::NetworkSpec;
use cairn_chain::params::{ActivationOverride, ChainParams, RegtestOptions};
use cairn_chain::pow::Work;
use cairn_chain::primitives::{Block, Transaction, TransactionRef, WitnessRef, decode_header};
use cairn_chain::script::{
    Instructions, PrecomputedTransactionData, ScriptVerifyFlags, TransactionSignatureChecker, count_p2sh_sigops,
    count_sigops, count_witness_sigops, is_push_only, verify_script, witness_program,
};
use cairn_chain::validation::{check_block, check_transaction};
use proptest::prelude::*;

/// The system's allocator, with the largest amount each thread held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // Threads allocate while they end, when there is nothing left to count with.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

#[allow(unsafe_code, reason = "the trait demands it; every call is passed on as it is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes this thread held during `action` beyond what it held before.
fn peak_memory<T>(action: impl FnOnce() -> T) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    let result = action();
    let peak = PEAK.get() - before;
    drop(result);
    peak.unsigned_abs()
}

/// Bytes of memory for each byte of input; reached by a block of transactions that have nothing but a version and a lock
/// time, ten bytes each, for each of which two hashes are kept.
const MEMORY_PER_BLOCK_BYTE: usize = 12;
/// The same for a transaction; reached by outputs without scripts, nine bytes each.
const MEMORY_PER_TRANSACTION_BYTE: usize = 5;
/// The same for a compact block; reached by a single transaction of outputs without scripts.
const MEMORY_PER_COMPACT_BLOCK_BYTE: usize = 5;
/// The same for the block it becomes, while nothing is there; reached by short ids, six bytes each.
const MEMORY_PER_PARTIAL_BLOCK_BYTE: usize = 12;
/// What a decoder may hold whatever it reads.
const FIXED_MEMORY: usize = 1024;

fn assert_memory(input: &[u8], per_byte: usize, peak: usize) {
    let limit = input.len() * per_byte + FIXED_MEMORY;
    assert!(peak <= limit, "{peak} bytes for {} bytes of input, expected at most {limit}", input.len());
}

/// Decodes and checks, and does whatever else can be done with bytes.
fn exercise(bytes: &[u8]) {
    let copy = bytes.to_vec();
    assert_memory(bytes, MEMORY_PER_BLOCK_BYTE, peak_memory(|| Block::decode(copy)));
    let copy = bytes.to_vec();
    assert_memory(bytes, MEMORY_PER_TRANSACTION_BYTE, peak_memory(|| Transaction::decode(copy)));
    if let Ok(transaction) = Transaction::decode(bytes.to_vec()) {
        let tx = transaction.as_ref();
        let _ = check_transaction(tx);
        let _ = (tx.weight(), tx.is_coinbase(), format!("{tx:?}"));
        for input in tx.inputs() {
            exercise_script(input.script_sig().as_bytes(), input.witness());
        }
        exercise_spends(tx);
        for output in tx.outputs() {
            exercise_script(output.script_pubkey().as_bytes(), WitnessRef::EMPTY);
        }
    }
    assert_memory(bytes, MEMORY_PER_COMPACT_BLOCK_BYTE, peak_memory(|| CompactBlock::decode(bytes)));
    if let Ok(compact) = CompactBlock::decode(bytes) {
        assert_eq!(compact.encode(), bytes);
        assert_memory(
            bytes,
            MEMORY_PER_PARTIAL_BLOCK_BYTE,
            peak_memory(|| PartiallyDownloadedBlock::start(compact, [])),
        );
    }
    if let Ok(witness) = WitnessRef::decode(bytes) {
        assert_eq!(witness.items().count(), witness.len());
        exercise_script(bytes, witness);
    }
    exercise_script(bytes, WitnessRef::EMPTY);
    if let Some(header) = bytes.first_chunk() {
        assert_eq!(encode::serialize(&decode_header(header)), header);
    }
}

/// Runs the scripts of all inputs against outputs whose scripts are those of the transaction's own outputs.
fn exercise_spends(tx: TransactionRef<'_>) {
    let scripts: Vec<_> = tx.outputs().map(|output| output.script_pubkey()).collect();
    let coin = |index: usize| Coin {
        amount: bitcoin::Amount::from_sat(1),
        script_pubkey: CoinScript::from(*scripts.get(index % scripts.len().max(1)).unwrap_or(&Script::new())),
        height: 0,
        is_coinbase: false,
    };
    let spent: Vec<_> = (0..tx.input_count()).map(coin).collect();
    let data = PrecomputedTransactionData::new(tx, &spent);
    for (index, input) in tx.inputs().enumerate() {
        for flags in [ScriptVerifyFlags::empty(), ScriptVerifyFlags::MANDATORY, ScriptVerifyFlags::STANDARD] {
            let mut checker = TransactionSignatureChecker::new(&data, index);
            let script_pubkey = spent[index].script_pubkey.as_script();
            let _ = verify_script(input.script_sig(), script_pubkey, input.witness(), flags, &mut checker);
        }
    }
}

fn exercise_script(script: &[u8], witness: WitnessRef<'_>) {
    for instruction in Instructions::new(script).flatten() {
        let _ = (instruction.is_minimal_push(), instruction.is_op_success());
    }
    let _ = (is_push_only(script), witness_program(script));
    let _ =
        (count_sigops(script, true), count_p2sh_sigops(script, script), count_witness_sigops(script, script, witness));
}

/// A real block: bytes to start mutations from.
fn signet_genesis() -> Vec<u8> {
    ChainParams::signet().genesis.block
}

/// A transaction with two witnesses, several outputs, and every kind of length.
fn transaction() -> Vec<u8> {
    let outpoint = |vout| bitcoin::OutPoint { txid: bitcoin::Txid::from_byte_array([9; 32]), vout };
    let input = |vout, witness: &[&[u8]]| bitcoin::TxIn {
        previous_output: outpoint(vout),
        script_sig: vec![0; 20].into(),
        witness: bitcoin::Witness::from_slice(witness),
        ..bitcoin::TxIn::default()
    };
    let output = |length| bitcoin::TxOut {
        value: bitcoin::Amount::from_sat(length as u64),
        script_pubkey: vec![0x51; length].into(),
    };
    encode::serialize(&bitcoin::Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![input(0, &[&[1; 72], &[2; 33]]), input(1, &[]), input(2, &[&[], &[3; 300]])],
        output: vec![output(0), output(22), output(300)],
    })
}

/// A compact block with three short ids and two transactions, the second at the end.
fn compact_block() -> Vec<u8> {
    let mut bytes = signet_genesis()[..80].to_vec();
    bytes.extend([7; 8]);
    bytes.push(3);
    bytes.extend(0..18);
    bytes.extend([2, 0]);
    bytes.extend(transaction());
    bytes.push(3);
    bytes.extend(transaction());
    CompactBlock::decode(&bytes).unwrap();
    bytes
}

/// Bytes that look like something: real ones with some places overwritten, cut out or repeated.
fn mutated(original: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = original.len();
    let edits = prop::collection::vec((0..length, 0..40usize, any::<u8>(), 0..4u8), 1..5);
    edits.prop_map(move |edits| {
        let mut bytes = original.clone();
        for (at, span, value, kind) in edits {
            let start = at.min(bytes.len());
            let end = (start + span).min(bytes.len());
            match kind {
                0 => bytes[start..end].fill(value),
                1 => drop(bytes.drain(start..end)),
                2 => drop(bytes.splice(start..start, vec![value; span])),
                _ => bytes.truncate(end),
            }
        }
        bytes
    })
}

/// More cases than usual, which are cheap here, unless the environment asks for a number.
fn config() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(2_000),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    /// Small values are small counts and lengths, which decode further.
    #[test]
    fn small_bytes(bytes in prop::collection::vec(0u8..5, 0..400)) {
        exercise(&bytes);
    }

    #[test]
    fn mutated_transactions(bytes in mutated(transaction())) {
        exercise(&bytes);
    }

    #[test]
    fn mutated_blocks(bytes in mutated(signet_genesis())) {
        exercise(&bytes);
        if let Ok(block) = Block::decode(bytes) {
            let block = Arc::new(block);
            for params in [ChainParams::signet(), ChainParams::regtest(RegtestOptions::default())] {
                let _ = check_block(Arc::clone(&block), &params.consensus);
            }
        }
    }

    #[test]
    fn mutated_compact_blocks(bytes in mutated(compact_block())) {
        exercise(&bytes);
    }

    #[test]
    fn any_text(text in ".{0,200}") {
        let _ = (NetworkSpec::parse(&text).is_ok(), text.parse::<ActivationOverride>().is_ok(), Work::from_hex(&text));
    }
}

#[test]
fn the_worst_block_takes_as_much_memory_as_stated() {
    // Transactions of ten bytes, as many as a message holds.
    let count = 400_000u32;
    let mut bytes = signet_genesis()[..80].to_vec();
    bytes.push(254);
    bytes.extend(count.to_le_bytes());
    bytes.resize(85 + 10 * count as usize, 0);
    let input = bytes.clone();
    let peak = peak_memory(|| Block::decode(bytes).unwrap());
    assert_memory(&input, MEMORY_PER_BLOCK_BYTE, peak);
    assert!(peak > 8 * input.len(), "the bound is not far above what is reached: {peak}");
}

#[test]
fn the_worst_transaction_takes_as_much_memory_as_stated() {
    // No inputs, flag 1 and outputs of nine bytes: refused in the end, but decoded first.
    let count = 300_000u32;
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 0, 254];
    bytes.extend(count.to_le_bytes());
    bytes.resize(12 + 9 * count as usize + 4, 0);
    let input = bytes.clone();
    let peak = peak_memory(|| Transaction::decode(bytes).unwrap_err());
    assert_memory(&input, MEMORY_PER_TRANSACTION_BYTE, peak);
    assert!(peak > input.len(), "the bound is not far above what is reached: {peak}");
}

#[test]
fn the_worst_compact_blocks_take_as_much_memory_as_stated() {
    let head = [&signet_genesis()[..80], &[0; 8]].concat();
    // Transactions of ten bytes, as many as indexes can say.
    let small = [&head[..], &[0, 253, 255, 255], &[0; 65_535 * 11]].concat();
    // One with outputs of nine bytes, one more than a list had room for before it grew.
    let outputs = 65_537u32;
    let mut large = [&head[..], &[0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 254], &outputs.to_le_bytes()[..]].concat();
    large.resize(large.len() + 9 * outputs as usize + 4, 0);
    for bytes in [small, large] {
        let peak = peak_memory(|| CompactBlock::decode(&bytes));
        assert_memory(&bytes, MEMORY_PER_COMPACT_BLOCK_BYTE, peak);
        assert!(peak > 3 * bytes.len(), "the bound is not far above what is reached: {peak}");
    }
}

#[test]
fn the_worst_partial_block_takes_as_much_memory_as_stated() {
    // One more than a table has room for before it grows.
    let ids = 57_345u16;
    let mut bytes = [&signet_genesis()[..80], &[0; 8], &[253], &ids.to_le_bytes()[..]].concat();
    bytes.extend((0..u32::from(ids)).flat_map(|number| [&number.to_le_bytes()[..], &[0; 2]].concat()));
    bytes.push(0);
    let compact = CompactBlock::decode(&bytes).unwrap();
    let peak = peak_memory(|| PartiallyDownloadedBlock::start(compact, []).unwrap());
    assert_memory(&bytes, MEMORY_PER_PARTIAL_BLOCK_BYTE, peak);
    assert!(peak > 8 * bytes.len(), "the bound is not far above what is reached: {peak}");
}

#[test]
fn counts_without_bytes_take_no_memory() {
    let head = [&signet_genesis()[..80], &[0; 8]].concat();
    for claim in [&[253, 255, 255][..], &[0, 253, 255, 255], &[0, 253, 255, 255, 0, 2, 0, 0, 0, 254, 0, 0, 0, 2]] {
        let claim = [&head[..], claim].concat();
        assert_memory(&claim, 0, peak_memory(|| CompactBlock::decode(&claim).unwrap_err()));
    }
    let header = &signet_genesis()[..80];
    let largest = [254, 0, 0, 0, 2];
    let claims = [
        [header, &largest[..]].concat(),
        [header, &[1, 2, 0, 0, 0], &largest[..]].concat(),
        [header, &[1, 2, 0, 0, 0, 0, 1], &largest[..]].concat(),
    ];
    for claim in claims {
        let input = claim.clone();
        assert_memory(&input, 0, peak_memory(|| Block::decode(claim).unwrap_err()));
    }
}
