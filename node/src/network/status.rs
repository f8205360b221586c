//! What we say of ourselves.

use cairn_net::protocol::{Services, Status};

use super::settings::USER_AGENT;
use crate::chain_service::ChainStopped;
use crate::context::SharedContext;

/// What we say of ourselves.
pub(crate) async fn own_status(context: &SharedContext) -> Result<Status, ChainStopped> {
    let spec_hash = context.params.spec_hash();
    context
        .chain
        .call(move |chain| {
            let tip = chain.chainstate.tip();
            let work = chain.chainstate.lookup(&tip.hash).map(|block| block.work).unwrap_or_default();
            let now = chain.chainstate.adjusted_time();
            let is_pruned = chain.chainstate.options().prune_target.is_some();
            let services = if is_pruned { Services::NETWORK_LIMITED } else { Services::NETWORK };
            let relay = chain.mempool.options().min_relay_fee_rate.fee_per_kvb();
            let fee_filter = chain.mempool.min_fee_rate(now).fee_per_kvb().max(relay);
            Status {
                spec_hash,
                tip_hash: tip.hash,
                height: tip.height,
                work: work.to_be_bytes(),
                services: services.with(Services::WITNESS),
                prune_height: chain.chainstate.status().map_or(tip.height, |status| status.first_body),
                fee_filter: u64::try_from(fee_filter).unwrap_or(0),
                user_agent: USER_AGENT.to_owned(),
            }
        })
        .await
}
