//! Templates of blocks.

use bitcoin::BlockHash;
use cairn_chain::mining::{BlockTemplate, TemplateError, TemplateOptions, create_block_template};

use super::Chain;

/// Seconds for which clients get the same template although the pool has changed (Core: `getblocktemplate`, `rpc/mining.cpp`).
const MAX_AGE: u64 = 5;

/// What is remembered of templates that were made.
#[derive(Debug, Default)]
pub(super) struct Templates {
    /// The one that clients get.
    client: Option<ClientTemplate>,
    /// How large the last one was.
    last: Option<TemplateSize>,
}

/// A template that several clients get.
#[derive(Debug)]
struct ClientTemplate {
    template: BlockTemplate,
    /// When it was made, in seconds since 1970.
    made: u64,
}

impl ClientTemplate {
    fn is_good(&self, tip: BlockHash, mempool_updates: u64, now: u64) -> bool {
        let is_fresh = now.saturating_sub(self.made) <= MAX_AGE;
        self.template.previous_block == tip && (is_fresh || self.template.mempool_updates == mempool_updates)
    }
}

/// How large a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TemplateSize {
    /// Weight units, with those kept free for header and coinbase.
    pub(crate) weight: usize,
    /// Transactions, without the coinbase.
    pub(crate) transactions: usize,
}

impl Chain {
    /// A new template (see [`create_block_template`]).
    pub(crate) fn create_block_template(&mut self, options: &TemplateOptions) -> Result<BlockTemplate, TemplateError> {
        let template = create_block_template(&self.chainstate, &self.mempool, options)?;
        self.templates.last = Some(TemplateSize { weight: template.weight, transactions: template.transactions.len() });
        Ok(template)
    }

    /// The template for clients that add a coinbase of their own. It is made again when there is a new tip, or when the pool
    /// has changed and it is some seconds old; its time is the present one.
    pub(crate) fn client_template(&mut self) -> Result<BlockTemplate, TemplateError> {
        let now = self.chainstate.adjusted_time();
        let (tip, updates) = (self.chainstate.tip().hash, self.mempool.updates());
        let kept = self.templates.client.take().filter(|kept| kept.is_good(tip, updates, now));
        let kept = match kept {
            Some(kept) => kept,
            None => ClientTemplate { template: self.create_block_template(&TemplateOptions::default())?, made: now },
        };
        let mut template = kept.template.clone();
        self.templates.client = Some(kept);
        template.update_time(now);
        Ok(template)
    }

    /// How often the pool had changed when the template for clients was made; zero if there is none.
    pub(crate) fn client_template_updates(&self) -> u64 {
        self.templates.client.as_ref().map_or(0, |kept| kept.template.mempool_updates)
    }

    /// How large the last template was, if there was any.
    pub(crate) fn last_template_size(&self) -> Option<TemplateSize> {
        self.templates.last
    }
}
