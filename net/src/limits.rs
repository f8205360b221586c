//! Every number that bounds what peers can make us do. Sizes of messages stand with the messages.

use std::time::Duration;

/// An allowance that fills up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// What may be used at once after a long silence.
    pub burst: u32,
    /// What comes back each `period`.
    pub refill: u32,
    /// The period.
    pub period: Duration,
}

impl Quota {
    /// `amount` in each period, at once or bit by bit.
    #[must_use]
    pub const fn per(amount: u32, period: Duration) -> Self {
        Self { burst: amount, refill: amount, period }
    }
}

/// Limits of a node.
///
/// The numbers of [`Limits::public`] are those of the design that was measured; where one is Core's, its name is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all (Core: `DEFAULT_MAX_PEER_CONNECTIONS`, `net.h`).
    pub max_connections: u32,
    /// Connections that peers opened: what is left of Core's 125 after eight outbound peers, two that relay blocks only, and
    /// a feeler (`net.h`).
    pub max_inbound: u32,
    /// Connections that peers are opening.
    pub max_pending_inbound: u32,
    /// Connections that we are opening.
    pub max_pending_outbound: u32,
    /// Connections with one peer. Two, since both sides may dial at once.
    pub max_connections_per_peer: u32,
    /// Connections that one host opened: an IPv4 address, or a /64 of IPv6. Hosts that only a local network reaches have no
    /// limit there.
    pub max_inbound_per_host: usize,
    /// Connections that hosts of one neighbourhood opened: a /16 of IPv4, or a /32 of IPv6. A tenth of all, and not less
    /// than eight.
    pub max_inbound_per_group: usize,
    /// `status` requests of one peer.
    pub status_requests: Quota,
    /// `headers` requests of one peer.
    pub headers_requests: Quota,
    /// Bytes of blocks sent to one peer.
    pub block_bytes: Quota,
    /// Transactions that one peer asks for.
    pub transactions: Quota,
    /// Requests for blocks in work at one time, of all peers together: each may hold
    /// [`MAX_BLOCKS_RESPONSE_BYTES`](crate::protocol::MAX_BLOCKS_RESPONSE_BYTES).
    pub max_blocks_requests: usize,
    /// Places in the queue of headers.
    pub header_queue: usize,
    /// Places in the queue of transactions.
    pub transaction_queue: usize,
    /// Places in the queue of requests to serve.
    pub request_queue: usize,
}

impl Limits {
    /// For a network with strangers.
    #[must_use]
    pub const fn public() -> Self {
        let ten_seconds = Duration::from_secs(10);
        Self {
            max_connections: 125,
            max_inbound: 114,
            max_pending_inbound: 32,
            max_pending_outbound: 16,
            max_connections_per_peer: 2,
            max_inbound_per_host: 4,
            max_inbound_per_group: 11,
            status_requests: Quota::per(5, Duration::from_secs(15)),
            headers_requests: Quota::per(100, ten_seconds),
            block_bytes: Quota { burst: 64_000_000, refill: 16_000_000, period: Duration::from_secs(1) },
            transactions: Quota::per(1000, ten_seconds),
            max_blocks_requests: 32,
            header_queue: 64,
            transaction_queue: 2048,
            request_queue: 256,
        }
    }

    /// For a network on one's own machines, where speed matters more than fairness.
    #[must_use]
    pub const fn local() -> Self {
        let second = Duration::from_secs(1);
        Self {
            status_requests: Quota::per(100, second),
            headers_requests: Quota::per(5000, second),
            block_bytes: Quota::per(2_000_000_000, second),
            transactions: Quota::per(100_000, second),
            ..Self::public()
        }
    }
}
