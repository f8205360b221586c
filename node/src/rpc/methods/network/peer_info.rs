//! What is told of a peer (Core: `getpeerinfo`, `rpc/net.cpp`).

use crate::rpc::ResultDoc;

/// The fields of a peer.
pub(super) const PEER_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("id", "Peer index"),
    ResultDoc::string("addr", "(host:port) The IP address/hostname optionally followed by :port of the peer"),
    ResultDoc::string("addrbind", "(ip:port) Bind address of the connection to the peer").optional(),
    ResultDoc::string("addrlocal", "(ip:port) Local address as reported by the peer").optional(),
    ResultDoc::string("network", "Network (ipv4, ipv6, onion, i2p, cjdns, not_publicly_routable)"),
    ResultDoc::number(
        "mapped_as",
        "Mapped AS (Autonomous System) number at the end of the BGP route to the peer, used for diversifying\n\
         peer selection (only displayed if the -asmap config option is set)",
    )
    .optional(),
    ResultDoc::hex("services", "The services offered"),
    ResultDoc::array(
        "servicesnames",
        "the services offered, in human-readable form",
        &[ResultDoc::string("SERVICE_NAME", "the service name if it is recognised")],
    ),
    ResultDoc::boolean("relaytxes", "Whether we relay transactions to this peer"),
    ResultDoc::number("last_inv_sequence", "Mempool sequence number of this peer's last INV"),
    ResultDoc::number("inv_to_send", "How many txs we have queued to announce to this peer"),
    ResultDoc::time("lastsend", "The UNIX epoch time of the last send"),
    ResultDoc::time("lastrecv", "The UNIX epoch time of the last receive"),
    ResultDoc::time("last_transaction", "The UNIX epoch time of the last valid transaction received from this peer"),
    ResultDoc::time("last_block", "The UNIX epoch time of the last block received from this peer"),
    ResultDoc::number("bytessent", "The total bytes sent"),
    ResultDoc::number("bytesrecv", "The total bytes received"),
    ResultDoc::time("conntime", "The UNIX epoch time of the connection"),
    ResultDoc::number("timeoffset", "The time offset in seconds"),
    ResultDoc::number("pingtime", "The last ping time in seconds, if any").optional(),
    ResultDoc::number("minping", "The minimum observed ping time in seconds, if any").optional(),
    ResultDoc::number("pingwait", "The duration in seconds of an outstanding ping (if non-zero)").optional(),
    ResultDoc::number("version", "The peer version, such as 70001"),
    ResultDoc::string("subver", "The string version"),
    ResultDoc::boolean("inbound", "Inbound (true) or Outbound (false)"),
    ResultDoc::boolean("bip152_hb_to", "Whether we selected peer as (compact blocks) high-bandwidth peer"),
    ResultDoc::boolean("bip152_hb_from", "Whether peer selected us as (compact blocks) high-bandwidth peer"),
    ResultDoc::number(
        "presynced_headers",
        "The current height of header pre-synchronization with this peer, or -1 if no low-work sync is in progress",
    ),
    ResultDoc::number("synced_headers", "The last header we have in common with this peer"),
    ResultDoc::number("synced_blocks", "The last block we have in common with this peer"),
    ResultDoc::array(
        "inflight",
        "",
        &[ResultDoc::number("n", "The heights of blocks we're currently asking from this peer")],
    ),
    ResultDoc::boolean("addr_relay_enabled", "Whether we participate in address relay with this peer"),
    ResultDoc::number(
        "addr_processed",
        "The total number of addresses processed, excluding those dropped due to rate limiting",
    ),
    ResultDoc::number("addr_rate_limited", "The total number of addresses dropped due to rate limiting"),
    ResultDoc::array(
        "permissions",
        "Any special permissions that have been granted to this peer",
        &[ResultDoc::string(
            "permission_type",
            "bloomfilter (allow requesting BIP37 filtered blocks and transactions),\n\
             noban (do not ban for misbehavior; implies download),\n\
             forcerelay (relay transactions that are already in the mempool; implies relay),\n\
             relay (relay even in -blocksonly mode, and unlimited transaction announcements),\n\
             mempool (allow requesting BIP35 mempool contents),\n\
             download (allow getheaders during IBD, no disconnect after maxuploadtarget limit),\n\
             addr (responses to GETADDR avoid hitting the cache and contain random records with the most up-to-date \
             info).\n",
        )],
    ),
    ResultDoc::number("minfeefilter", "The minimum fee rate for transactions this peer accepts"),
    ResultDoc::object_dynamic(
        "bytessent_per_msg",
        "",
        &[ResultDoc::number(
            "msg",
            "The total bytes sent aggregated by message type\n\
             When a message type is not listed in this json object, the bytes sent are 0.\n\
             Only known message types can appear as keys in the object.",
        )],
    ),
    ResultDoc::object_dynamic(
        "bytesrecv_per_msg",
        "",
        &[ResultDoc::number(
            "msg",
            "The total bytes received aggregated by message type\n\
             When a message type is not listed in this json object, the bytes received are 0.\n\
             Only known message types can appear as keys in the object and all bytes received\n\
             of unknown message types are listed under '*other*'.",
        )],
    ),
    ResultDoc::string(
        "connection_type",
        "Type of connection: \n\
         outbound-full-relay (default automatic connections),\n\
         block-relay-only (does not relay transactions or addresses),\n\
         inbound (initiated by the peer),\n\
         manual (added via addnode RPC or -addnode/-connect configuration options),\n\
         addr-fetch (short-lived automatic connection for soliciting addresses),\n\
         feeler (short-lived automatic connection for testing addresses),\n\
         private-broadcast (short-lived automatic connection for broadcasting privacy-sensitive transactions).\n\
         Please note this output is unlikely to be stable in upcoming releases as we iterate to\n\
         best capture connection behaviors.",
    ),
    ResultDoc::string(
        "transport_protocol_type",
        "Type of transport protocol: \n\
         detecting (peer could be v1 or v2),\n\
         v1 (plaintext transport protocol),\n\
         v2 (BIP324 encrypted transport protocol).\n",
    ),
    ResultDoc::string(
        "session_id",
        "The session ID for this connection, or \"\" if there is none (\"v2\" transport protocol only).\n",
    ),
];
