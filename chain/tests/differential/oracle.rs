//! What Cairn and Bitcoin Core say about a spend.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use bitcoinconsensus::Utxo;
use cairn_chain::primitives::Transaction;
use cairn_chain::script::{
    CachePolicy, PrecomputedTransactionData, ScriptError, SignatureCache, TransactionSignatureChecker, verify_input,
};

use crate::spend::Spend;

static CACHE: LazyLock<SignatureCache> = LazyLock::new(|| SignatureCache::new(16 << 20));

/// Both answers to the question whether a spend is valid.
pub(crate) struct Verdicts {
    /// Ours; nothing when we panicked.
    pub(crate) ours: Option<Result<(), ScriptError>>,
    /// That of Bitcoin Core 26 as a library, which has one error for every broken rule, and others for bytes it cannot
    /// read.
    pub(crate) core: Result<(), bitcoinconsensus::Error>,
}

impl Verdicts {
    pub(crate) fn of(spend: &Spend) -> Self {
        let bytes = spend.serialize();
        Self { ours: catch_unwind(AssertUnwindSafe(|| ours(spend, bytes.clone()))).ok(), core: core(spend, &bytes) }
    }

    /// Whether both agree that the spend is valid, or that it is not.
    pub(crate) fn agree(&self) -> bool {
        match self.core {
            Ok(()) => self.ours == Some(Ok(())),
            Err(bitcoinconsensus::Error::ERR_SCRIPT) => matches!(self.ours, Some(Err(_))),
            // The question did not arrive; a case like this proves nothing.
            Err(_) => false,
        }
    }
}

fn ours(spend: &Spend, bytes: Vec<u8>) -> Result<(), ScriptError> {
    let transaction = Transaction::decode(bytes).expect("the bytes are a transaction");
    let coins = spend.coins();
    let data = PrecomputedTransactionData::new(transaction.as_ref(), &coins);
    let checker = || TransactionSignatureChecker::new(&data, spend.index);
    let verdict = verify_input(&mut checker(), spend.flags);
    // The cache knows the signatures of all cases before this one, and this one's the second time.
    for _ in 0..2 {
        let cached = verify_input(&mut checker().with_cache(&CACHE, CachePolicy::Store), spend.flags);
        assert_eq!(cached, verdict, "the signature cache changed the verdict");
    }
    verdict
}

fn core(spend: &Spend, bytes: &[u8]) -> Result<(), bitcoinconsensus::Error> {
    let spent: Vec<_> = spend
        .inputs
        .iter()
        .map(|input| Utxo {
            script_pubkey: input.spent.script_pubkey.as_ptr(),
            script_pubkey_len: input.spent.script_pubkey.len() as u32,
            value: input.spent.value.cast_signed(),
        })
        .collect();
    let Spend { index, flags, .. } = *spend;
    let output = &spend.input().spent;
    bitcoinconsensus::verify_with_flags(&output.script_pubkey, output.value, bytes, Some(&spent), index, flags.bits())
}
