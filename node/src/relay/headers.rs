//! Announced headers, and what becomes of them.

use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use cairn_chain::chainstate::Chainstate;
use cairn_chain::pow::Work;
use cairn_chain::validation::{HeaderError, Verdict};
use cairn_net::{Acceptance, GossipHeader};
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

use super::Relay;
use super::recent_blocks::Coming;
use crate::chain_service::ChainStopped;
use crate::penalty::Conduct;
use crate::sync::Claim;

/// Blocks below the tip at which a branch that is announced may begin: one that begins further down is not news, and comes in
/// order once it has more work.
const MAX_FORK_DEPTH: u32 = 288;

/// Blocks below the tip down to which a block that is here already is worth forwarding: peers may lack it.
const MAX_KNOWN_DEPTH: u32 = 6;

/// What is known of a header that was announced.
#[derive(Debug)]
enum Announced {
    /// Its body is here already.
    Known { height: u32 },
    /// It breaks a rule, or cannot be judged.
    Refused(Verdict),
    /// Its parent is not known.
    Unconnected,
    /// It is old, its branch begins too far below the tip, or has too little work to be remembered.
    Stale,
    /// Its body is wanted, and that of its parent is here.
    Next { height: u32 },
    /// Its body is wanted, and others before it.
    Later { height: u32 },
}

impl Relay {
    /// A header was announced: judged, forwarded, and its body fetched.
    pub(crate) async fn header_announced(&self, announced: GossipHeader) -> Result<(), ChainStopped> {
        let GossipHeader { source, header, token } = announced;
        let found = self.context.chain.call(move |chain| look_up(&mut chain.chainstate, &header)).await?;
        let acceptance = match &found {
            Announced::Known { .. } | Announced::Next { .. } | Announced::Later { .. } => Acceptance::Accept,
            Announced::Stale | Announced::Unconnected => Acceptance::Ignore,
            Announced::Refused(verdict) => self.reputation.judge(source, &Conduct::Header(*verdict)).await,
        };
        let hash = header.block_hash();
        // Before others hear of the block from us, and ask for it.
        let fetch = matches!(found, Announced::Next { .. }).then(|| self.begin_to_fetch(hash)).flatten();
        // The service ends before the node does.
        let _ = self.network.report(token, acceptance).await;
        match found {
            Announced::Unconnected => self.sync.announced_unconnected(source).await,
            Announced::Known { height } | Announced::Later { height } | Announced::Next { height } => {
                if let Some(Fetch { place, claim, coming }) = fetch {
                    let relay = self.clone();
                    tokio::spawn(async move {
                        relay.fetch_body(coming, hash, source).await;
                        drop((claim, place));
                    });
                }
                self.sync.announced(source, height).await;
            }
            Announced::Stale | Announced::Refused(_) => {}
        }
        Ok(())
    }
}

/// What it takes to fetch a block.
struct Fetch {
    place: OwnedSemaphorePermit,
    claim: Claim,
    coming: Coming,
}

impl Relay {
    /// Nothing while many are fetched, or this one is: then somebody else gets it.
    fn begin_to_fetch(&self, hash: BlockHash) -> Option<Fetch> {
        let place = Arc::clone(&self.bodies).try_acquire_owned().ok()?;
        let claim = self.sync.claim(hash)?;
        Some(Fetch { place, claim, coming: self.recent.expect(hash) })
    }
}

fn look_up(chainstate: &mut Chainstate, header: &Header) -> Announced {
    let hash = header.block_hash();
    let Some(parent) = chainstate.lookup(&header.prev_blockhash) else { return Announced::Unconnected };
    let tip = chainstate.tip();
    if let Some(known) = chainstate.lookup(&hash) {
        return match (known.is_invalid, known.has_body) {
            (true, _) => Announced::Refused(Verdict::CachedInvalid),
            // Anybody can send old headers round again.
            (false, true) if known.height + MAX_KNOWN_DEPTH < tip.height => Announced::Stale,
            (false, true) => Announced::Known { height: known.height },
            (false, false) if parent.has_body => Announced::Next { height: known.height },
            (false, false) => Announced::Later { height: known.height },
        };
    }
    let work = parent.work + Work::from_compact(header.bits);
    if parent.height + MAX_FORK_DEPTH < tip.height || work < chainstate.anti_dos_work_threshold() {
        return Announced::Stale;
    }
    let height = parent.height + 1;
    match chainstate.accept_headers(&[*header], true) {
        Ok(Ok(())) if parent.has_body => Announced::Next { height },
        Ok(Ok(())) => Announced::Later { height },
        Ok(Err(error)) => {
            debug!(%hash, %error, "an announced header breaks a rule");
            Announced::Refused(error.verdict())
        }
        // The chain thread says what is wrong, and ends.
        Err(_) => Announced::Refused(HeaderError::TooLittleChainWork.verdict()),
    }
}
