//! What must hold for a directory that was left behind.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use cairn_chain::chainstate::{BlockSource, Chainstate, ChainstateError, ChainstateOptions, VerifyLevel};
use cairn_chain::coins::CoinsHashType;

use crate::child::params;
use crate::stream::Stream;

/// Opening takes no longer than this, whatever happened before.
pub(crate) const MAX_OPENING: Duration = Duration::from_secs(5);
/// Blocks that are verified: more than any reorganisation of the stream is deep.
const VERIFIED_BLOCKS: u32 = 25;

/// The last blocks and their undo data agree with the coins.
pub(crate) fn verify(chainstate: &mut Chainstate) -> Result<(), ChainstateError> {
    let summary = chainstate.verify(VerifyLevel::Disconnect, VERIFIED_BLOCKS, &mut |_, _| ControlFlow::Continue(()))?;
    assert_eq!(summary.failure, None, "{summary:?}");
    Ok(())
}

/// MuHash of the coins; what can be connected is connected before.
pub(crate) fn muhash(chainstate: &mut Chainstate) -> [u8; 32] {
    let statistics = chainstate.coins_statistics(CoinsHashType::MuHash, 1 << 20, &mut |_| ControlFlow::Continue(()));
    statistics.unwrap().hash.unwrap()
}

/// Opens the directory, looks whether everything is in order and nothing lost that was `durable`, goes on with the stream, and
/// compares with what is right. Gives the time that opening took.
pub(crate) fn check(
    directory: &Path,
    options: &ChainstateOptions,
    stream: &Stream,
    durable: Option<BlockHash>,
) -> Duration {
    let start = Instant::now();
    let mut chainstate = Chainstate::open(directory, params(), options.clone()).unwrap();
    let opening = start.elapsed();
    assert!(opening < MAX_OPENING, "opening took {opening:?}");

    stream.tip(chainstate.tip().hash);
    verify(&mut chainstate).unwrap();
    if let Some(durable) = durable {
        // A crash within a later reorganisation may leave the tip further down, but all blocks are there.
        let (expected, tip) = (stream.tip(durable).height, chainstate.tip());
        assert!(tip.height >= expected, "{durable} at height {expected} was durable, the tip is {tip:?}");
        let known = chainstate.lookup(&durable);
        assert!(known.is_some_and(|block| block.has_body || options.prune_target.is_some()), "{durable} was durable");
    }
    assert_coins(&mut chainstate, stream);

    let mut source = BlockSource::files(stream.files.clone(), params().magic).unwrap();
    chainstate.import(&mut source, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(chainstate.tip().hash, stream.last);
    assert_coins(&mut chainstate, stream);
    opening
}

#[track_caller]
fn assert_coins(chainstate: &mut Chainstate, stream: &Stream) {
    let coins = muhash(chainstate);
    let tip = chainstate.tip();
    let expected = stream.tip(tip.hash);
    assert_eq!((tip.height, coins), (expected.height, expected.coins), "at {tip:?}");
}
