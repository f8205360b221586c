//! Which chain a peer follows, how far it is, and what it offers. Both sides say it in one exchange.

use std::time::Duration;

use bitcoin::BlockHash;

use super::Exchange;
use super::frame::{Frame, FrameError, Reader};

/// The longest user agent, in bytes (Core: `MAX_SUBVERSION_LENGTH`, `net.h`).
pub const MAX_USER_AGENT_LENGTH: usize = 256;

/// What a peer offers, as Bitcoin's bits of `services` (Core: `ServiceFlags`, `protocol.h`). Unknown bits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Services(pub u64);

impl Services {
    /// Serves every block.
    pub const NETWORK: Self = Self(1);
    /// Serves blocks and transactions with witnesses (BIP144).
    pub const WITNESS: Self = Self(1 << 3);
    /// Serves the last 288 blocks at least (BIP159).
    pub const NETWORK_LIMITED: Self = Self(1 << 10);

    /// Whether every bit of `other` is set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What one peer tells another about its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The hash over everything the nodes of the network must agree on. The service refuses any but its own.
    pub spec_hash: [u8; 32],
    /// The tip of the active chain.
    pub tip_hash: BlockHash,
    /// The tip's height.
    pub height: u32,
    /// Expected hashes behind the active chain, big-endian.
    pub work: [u8; 32],
    /// What the peer offers.
    pub services: Services,
    /// The lowest height from which on it has every body: 0 when it has all of them.
    pub prune_height: u32,
    /// It wants no transaction that pays less, in satoshis per 1000 virtual bytes (BIP133).
    pub fee_filter: u64,
    /// The program and its version, as in BIP14; at most [`MAX_USER_AGENT_LENGTH`] bytes.
    pub user_agent: String,
}

impl Frame for Status {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.spec_hash);
        out.extend_from_slice(self.tip_hash.as_ref());
        out.extend_from_slice(&self.height.to_le_bytes());
        out.extend_from_slice(&self.work);
        out.extend_from_slice(&self.services.0.to_le_bytes());
        out.extend_from_slice(&self.prune_height.to_le_bytes());
        out.extend_from_slice(&self.fee_filter.to_le_bytes());
        out.extend_from_slice(&u16::try_from(self.user_agent.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(self.user_agent.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let status = Self {
            spec_hash: reader.array()?,
            tip_hash: reader.hash()?,
            height: reader.u32()?,
            work: reader.array()?,
            services: Services(reader.u64()?),
            prune_height: reader.u32()?,
            fee_filter: reader.u64()?,
            user_agent: decode_user_agent(&mut reader)?,
        };
        reader.finish()?;
        Ok(status)
    }
}

fn decode_user_agent(reader: &mut Reader<'_>) -> Result<String, FrameError> {
    let length = usize::from(reader.u16()?);
    if length > MAX_USER_AGENT_LENGTH {
        return Err(FrameError::TooLong { got: length, limit: MAX_USER_AGENT_LENGTH });
    }
    let text = str::from_utf8(reader.bytes(length)?).map_err(|_| FrameError::NotText { what: "user agent" })?;
    Ok(text.to_owned())
}

/// The protocol `status`: each side's [`Status`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatusExchange;

impl StatusExchange {
    /// All fields with the longest user agent.
    const MAX_SIZE: usize = 32 + 32 + 4 + 32 + 8 + 4 + 8 + 2 + MAX_USER_AGENT_LENGTH;
}

impl Exchange for StatusExchange {
    type Request = Status;
    type Response = Status;

    const NAME: &'static str = "status";
    const VERSION: u32 = 1;
    const MAX_REQUEST_SIZE: usize = Self::MAX_SIZE;
    const MAX_RESPONSE_SIZE: usize = Self::MAX_SIZE;
    const TIMEOUT: Duration = Duration::from_secs(10);
    const MAX_IN_FLIGHT: usize = 1;
}
