//! What a method is: one record, from which dispatch, checks of arguments, help and the command line come.
//!
//! The records are in [`methods`](super::methods). Core builds the same from `RPCMethod` (`rpc/util.{h,cpp}`).
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `parameter` | what may be passed | `RPCArg` |
//! | `result_doc` | what comes back | `RPCResult` |
//! | `example` | how to call it | `RPCExamples` |
//! | `checks` | whether arguments fit | `RPCMethod::HandleRequest`, `RPCArg::MatchesType` |
//! | `named` | named arguments get their places | `transformNamedArguments` |
//! | `help` | the text of `help METHOD` | `RPCMethod::ToString`, `Sections` |
//! | `list` | finding methods, and the text of `help` | `CRPCTable` |
//! | `doc_check` | for tests: results are as documented | `RPCResult::MatchesType` |

mod checks;
#[cfg(test)]
mod doc_check;
mod example;
mod help;
mod list;
mod named;
mod parameter;
mod result_doc;

use std::future::Future;
use std::pin::Pin;

use super::call::Call;
use super::error::RpcResult;

pub(super) use checks::{check_arguments, is_valid_argument_count, unexpected_type};
#[cfg(test)]
pub(super) use doc_check::check_result;
pub(crate) use example::Example;
pub(crate) use list::find_method;
#[cfg(test)]
pub(super) use list::list_methods;
pub(super) use list::{help_list, not_found};
pub(super) use named::place_named_arguments;
pub(crate) use parameter::{Parameter, ParameterType, Presence};
pub(crate) use result_doc::ResultDoc;
#[cfg(test)]
use result_doc::ResultType;

/// The heading a method is listed under by `help`. Hidden ones are not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Category {
    /// Blocks, coins and the mempool.
    Blockchain,
    /// What Core does not have.
    Cairn,
    /// The node itself.
    Control,
    /// For tests.
    Hidden,
    /// Templates of blocks, and making blocks.
    Mining,
    /// Peers.
    Network,
    /// Transactions.
    Rawtransactions,
    /// What needs no chain.
    Util,
}

impl Category {
    /// The heading.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blockchain => "Blockchain",
            Self::Cairn => "Cairn",
            Self::Control => "Control",
            Self::Hidden => "Hidden",
            Self::Mining => "Mining",
            Self::Network => "Network",
            Self::Rawtransactions => "Rawtransactions",
            Self::Util => "Util",
        }
    }
}

/// What a handler returns.
pub(crate) type Answer = Pin<Box<dyn Future<Output = RpcResult> + Send>>;

/// One method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method {
    /// What clients call it.
    pub(crate) name: &'static str,
    /// Where `help` lists it.
    pub(crate) category: Category,
    /// What it does.
    pub(crate) description: &'static str,
    /// What may be passed, in order.
    pub(crate) parameters: &'static [Parameter],
    /// What comes back, one for each case.
    pub(crate) results: &'static [ResultDoc],
    /// How to call it.
    pub(crate) examples: &'static [Example],
    /// Does it. Called when the arguments were checked.
    pub(crate) handler: fn(Call) -> Answer,
}

#[cfg(test)]
mod tests;
