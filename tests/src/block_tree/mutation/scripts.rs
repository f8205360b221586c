//! Locks that do not open.

use super::super::draft::Draft;
use super::super::forge::Forge;
use super::super::lock::Kind;
use super::super::unlock::Flaw;
use super::{Effect, Mutation, mutation};

const FAILS: Effect = Effect::Unconnectable("block-script-verify-flag-failed");

pub(super) const ALL: &[Mutation] = &[
    mutation("signature of another transaction", FAILS, |forge, draft| flawed(forge, draft, Flaw::Signature)),
    mutation("no signature", FAILS, |forge, draft| flawed(forge, draft, Flaw::NoSignature)),
    mutation("signature that is not strict DER", FAILS, |forge, draft| flawed(forge, draft, Flaw::Encoding)),
    mutation("dummy that is not empty", FAILS, |forge, draft| flawed(forge, draft, Flaw::Dummy)),
    mutation("script beside a witness program", FAILS, |forge, draft| flawed(forge, draft, Flaw::ScriptSig)),
    mutation("witness without a program", FAILS, |forge, draft| flawed(forge, draft, Flaw::Witness)),
    mutation("operation before a redeem script", FAILS, |forge, draft| flawed(forge, draft, Flaw::Operation)),
    mutation("script the output does not commit to", FAILS, |forge, draft| flawed(forge, draft, Flaw::OtherScript)),
];

/// Adds a transaction with a flaw in how it opens a lock, of a kind that was least often kept closed, and among those of one
/// that the fewest flaws keep closed.
fn flawed(forge: &mut Forge, draft: &mut Draft, flaw: Flaw) -> Option<()> {
    let flaws_of = |kind: Kind| Flaw::ALL.iter().filter(|flaw| flaw.spoils(kind)).count();
    let spoiled = forge.refused.iter().filter(|(kind, _)| flaw.spoils(**kind));
    let mut kinds: Vec<_> = spoiled.map(|(&kind, &count)| (count, flaws_of(kind), kind)).collect();
    kinds.sort_unstable();
    let coin = kinds.into_iter().find_map(|(_, _, kind)| forge.coin_of_kind(draft, kind))?;
    *forge.refused.get_mut(&coin.lock.kind)? += 1;
    draft.refused = Some(coin.lock.kind);
    let mut spend = forge.spend_coins(draft, vec![coin]);
    spend.flaw = flaw;
    forge.add(draft, &spend);
    draft.finish();
    Some(())
}
