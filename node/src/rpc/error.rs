//! Errors that clients are told (Core: `rpc/protocol.h`, `JSONRPCError`).

use cairn_chain::chainstate::ChainstateError;
use cairn_net::NetworkStopped;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::chain_service::ChainStopped;
use crate::tx_index::TxIndexError;

/// What kind of error it is, under the number that clients know it by (Core: `RPCErrorCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
#[allow(dead_code, reason = "Core's list, whole: a number with a meaning gets no other")]
pub(crate) enum RpcErrorCode {
    /// The request is no JSON-RPC request. Not for methods to use.
    InvalidRequest = -32600,
    /// There is no such method. Not for methods to use.
    MethodNotFound = -32601,
    /// The parameters do not fit; Core keeps it for the wallet's sake.
    InvalidParams = -32602,
    /// Something is wrong with the node, such as damaged data.
    InternalError = -32603,
    /// The request is no JSON.
    ParseError = -32700,

    /// Anything without a code of its own, and wrong numbers of parameters.
    MiscError = -1,
    /// A parameter has the wrong type.
    TypeError = -3,
    /// An address, a key or a hash that is wrong or unknown.
    InvalidAddressOrKey = -5,
    /// Memory ran out.
    OutOfMemory = -7,
    /// A parameter is missing, repeated or out of range.
    InvalidParameter = -8,
    /// The database failed.
    DatabaseError = -20,
    /// A transaction or block that cannot be decoded.
    DeserializationError = -22,
    /// A transaction or block could not be submitted.
    VerifyError = -25,
    /// A transaction or block breaks a rule of the network.
    VerifyRejected = -26,
    /// The transaction is in the chain already.
    VerifyAlreadyInUtxoSet = -27,
    /// The node is still starting.
    InWarmup = -28,
    /// The method is deprecated.
    MethodDeprecated = -32,
    /// Something bounded is full.
    LimitExceeded = -37,

    /// The node has no peers, or is stopping.
    ClientNotConnected = -9,
    /// Blocks are still being downloaded.
    ClientInInitialDownload = -10,
    /// The peer was added before.
    ClientNodeAlreadyAdded = -23,
    /// The peer was not added before.
    ClientNodeNotAdded = -24,
    /// The peer is not connected.
    ClientNodeNotConnected = -29,
    /// An address or range of addresses that is wrong.
    ClientInvalidIpOrSubnet = -30,
    /// There is no network.
    ClientP2pDisabled = -31,
    /// All connections are taken.
    ClientNodeCapacityReached = -34,
    /// There is no mempool.
    ClientMempoolDisabled = -33,

    /// The wallet failed.
    WalletError = -4,
    /// There is no such wallet.
    WalletNotFound = -18,
}

impl RpcErrorCode {
    /// The number.
    #[must_use]
    pub(crate) fn number(self) -> i32 {
        self as i32
    }
}

/// An error that a client is told.
#[derive(Debug, Clone, Error)]
#[error("{message}")]
pub(crate) struct RpcError {
    /// What kind of error.
    pub(crate) code: RpcErrorCode,
    /// What is wrong, in Core's words where Core has the error.
    pub(crate) message: String,
}

/// What a method answers with: the text of a JSON value.
pub(crate) type RpcResult = Result<Box<RawValue>, RpcError>;

impl RpcError {
    /// An error.
    #[must_use]
    pub(crate) fn new(code: RpcErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Code -1.
    #[must_use]
    pub(crate) fn misc(message: impl Into<String>) -> Self {
        Self::new(RpcErrorCode::MiscError, message)
    }

    /// Code -3.
    #[must_use]
    pub(crate) fn type_error(message: impl Into<String>) -> Self {
        Self::new(RpcErrorCode::TypeError, message)
    }

    /// Code -5.
    #[must_use]
    pub(crate) fn invalid_address_or_key(message: impl Into<String>) -> Self {
        Self::new(RpcErrorCode::InvalidAddressOrKey, message)
    }

    /// Code -8.
    #[must_use]
    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(RpcErrorCode::InvalidParameter, message)
    }

    /// Code -22.
    #[must_use]
    pub(crate) fn deserialization(message: impl Into<String>) -> Self {
        Self::new(RpcErrorCode::DeserializationError, message)
    }

    /// Code -32600.
    #[must_use]
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(RpcErrorCode::InvalidRequest, message)
    }

    /// Code -32603.
    #[must_use]
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(RpcErrorCode::InternalError, message)
    }

    /// The node is stopping (Core: `RpcInterruptionPoint`).
    #[must_use]
    pub(crate) fn shutting_down() -> Self {
        Self::new(RpcErrorCode::ClientNotConnected, "Shutting down")
    }
}

/// An object with `code` and `message`.
impl Serialize for RpcError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Error<'a> {
            code: i32,
            message: &'a str,
        }
        Error { code: self.code.number(), message: &self.message }.serialize(serializer)
    }
}

impl From<ChainStopped> for RpcError {
    fn from(_: ChainStopped) -> Self {
        Self::shutting_down()
    }
}

impl From<NetworkStopped> for RpcError {
    fn from(_: NetworkStopped) -> Self {
        Self::shutting_down()
    }
}

impl From<TxIndexError> for RpcError {
    fn from(error: TxIndexError) -> Self {
        match error {
            TxIndexError::Stopped(stopped) => stopped.into(),
            error => Self::internal(format!("The index of transactions: {error}")),
        }
    }
}

impl From<ChainstateError> for RpcError {
    fn from(error: ChainstateError) -> Self {
        Self::internal(error.to_string())
    }
}
