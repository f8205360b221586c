//! Who may not connect (Core: `setban`, `listbanned`, `clearbanned`, `rpc/net.cpp`).

use cairn_net::Banned;
use serde::Serialize;

use super::{help_of, reputation};
use crate::penalty::{BAN_TIME, unix_time};
use crate::rpc::{
    Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode, RpcResult, to_result,
};

/// Why somebody is banned whom a client bans (Core of old: `BanReasonManuallyAdded`).
const REASON: &str = "manually added";

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "setban",
        category: Category::Network,
        description: "Attempts to add or remove an IP/Subnet from the banned list.\n",
        parameters: &[
            Parameter::string(
                "subnet",
                Presence::Required,
                "The IP/Subnet (see getpeerinfo for nodes IP) with an optional netmask (default is /32 = single IP), or the \
                 key that a peer is known by",
            ),
            Parameter::string(
                "command",
                Presence::Required,
                "'add' to add an IP/Subnet to the list, 'remove' to remove an IP/Subnet from the list",
            ),
            Parameter::number(
                "bantime",
                Presence::Default("0"),
                "time in seconds how long (or until when if [absolute] is set) the IP is banned (0 or empty means using the \
                 default time of 24h)",
            ),
            Parameter::boolean(
                "absolute",
                Presence::Default("false"),
                "If set, the bantime must be an absolute timestamp expressed in UNIX epoch time",
            ),
        ],
        results: &[ResultDoc::null("", "")],
        examples: &[
            Example::cli("\"192.168.0.6\" \"add\" 86400"),
            Example::cli("\"192.168.0.0/24\" \"add\""),
            Example::rpc("\"192.168.0.6\", \"add\", 86400"),
        ],
        handler: |call| Box::pin(setban(call)),
    },
    Method {
        name: "listbanned",
        category: Category::Network,
        description: "List all manually banned IPs/Subnets.\nThose that misbehaved are among them.\n",
        parameters: &[],
        results: &[ResultDoc::array(
            "",
            "",
            &[ResultDoc::object(
                "",
                "",
                &[
                    ResultDoc::string("address", "The IP/Subnet of the banned node, or the key that it is known by"),
                    ResultDoc::time("ban_created", "The UNIX epoch time the ban was created"),
                    ResultDoc::time("banned_until", "The UNIX epoch time the ban expires"),
                    ResultDoc::time("ban_duration", "The ban duration, in seconds"),
                    ResultDoc::time("time_remaining", "The time remaining until the ban expires, in seconds"),
                    ResultDoc::string("ban_reason", "Why it is banned"),
                ],
            )],
        )],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(listbanned(call)),
    },
    Method {
        name: "clearbanned",
        category: Category::Network,
        description: "Clear all banned IPs.\n",
        parameters: &[],
        results: &[ResultDoc::null("", "")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(clearbanned(call)),
    },
];

async fn setban(call: Call) -> RpcResult {
    let command: String = call.arguments.get("command")?;
    if command != "add" && command != "remove" {
        return Err(help_of(&call, "setban"));
    }
    let reputation = reputation(&call.context)?;
    let invalid = |message| RpcError::new(RpcErrorCode::ClientInvalidIpOrSubnet, message);
    let subnet: String = call.arguments.get("subnet")?;
    let banned: Banned = subnet.parse().map_err(|_| invalid("Error: Invalid IP/Subnet"))?;
    if command == "remove" {
        if !reputation.unban(&banned).await {
            let message = "Error: Unban failed. Requested address/subnet was not previously manually banned.";
            return Err(invalid(message));
        }
        return to_result(&());
    }
    if is_banned(&reputation.list().into_iter().map(|(banned, _)| banned).collect::<Vec<_>>(), &banned, &subnet) {
        return Err(RpcError::new(RpcErrorCode::ClientNodeAlreadyAdded, "Error: IP/Subnet already banned"));
    }
    let until = until(unix_time(), call.arguments.get("bantime")?, call.arguments.get("absolute")?)?;
    reputation.ban(banned, until, REASON).await;
    to_result(&())
}

/// Whether somebody is banned: an address by any range that holds it, a range by itself (Core: `BanMan::IsBanned`).
fn is_banned(bans: &[Banned], banned: &Banned, text: &str) -> bool {
    let ip = text.parse().ok();
    let holds = |other: &Banned| match (other, ip) {
        (Banned::Subnet(subnet), Some(ip)) => subnet.contains(ip),
        _ => other == banned,
    };
    bans.iter().any(holds)
}

/// Until when, in seconds since 1970 (Core: `BanMan::Ban`).
fn until(now: u64, time: i64, is_absolute: bool) -> Result<u64, RpcError> {
    let time = u64::try_from(time).ok();
    if is_absolute && time.is_none_or(|time| time < now) {
        return Err(RpcError::invalid_parameter("Error: Absolute timestamp is in the past"));
    }
    Ok(match time.filter(|time| *time > 0) {
        Some(time) if is_absolute => time,
        time => now.saturating_add(time.unwrap_or(BAN_TIME.as_secs())),
    })
}

async fn listbanned(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct BanView {
        address: String,
        ban_created: u64,
        banned_until: u64,
        ban_duration: u64,
        time_remaining: u64,
        ban_reason: String,
    }
    let now = unix_time();
    let bans = reputation(&call.context)?.list();
    let views: Vec<_> = bans
        .into_iter()
        .map(|(banned, ban)| BanView {
            address: banned.to_string(),
            ban_created: ban.created,
            banned_until: ban.until,
            ban_duration: ban.until.saturating_sub(ban.created),
            time_remaining: ban.until.saturating_sub(now),
            ban_reason: ban.reason,
        })
        .collect();
    to_result(&views)
}

async fn clearbanned(call: Call) -> RpcResult {
    reputation(&call.context)?.clear().await;
    to_result(&())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_end_when_they_are_told_to() {
        assert_eq!(until(1000, 0, false).unwrap(), 1000 + 86_400);
        assert_eq!(until(1000, -5, false).unwrap(), 1000 + 86_400);
        assert_eq!(until(1000, 60, false).unwrap(), 1060);
        assert_eq!(until(1000, 2000, true).unwrap(), 2000);
        assert_eq!(until(1000, i64::MAX, false).unwrap(), 1000 + i64::MAX.unsigned_abs());
        for past in [999, 0, -1] {
            assert_eq!(until(1000, past, true).unwrap_err().to_string(), "Error: Absolute timestamp is in the past");
        }
    }

    #[test]
    fn an_address_is_banned_by_any_range_and_a_range_by_itself() {
        let bans = ["192.0.2.0/24".parse().unwrap()];
        for (text, expected) in
            [("192.0.2.7", true), ("192.0.2.0/24", true), ("192.0.2.0/25", false), ("192.0.3.7", false)]
        {
            assert_eq!(is_banned(&bans, &text.parse().unwrap(), text), expected, "{text}");
        }
    }
}
