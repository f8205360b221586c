//! What to do about errors of the chain state.

use std::error::Error;
use std::io::ErrorKind;

use cairn_chain::chainstate::ChainstateError;
use cairn_chain::store::StoreError;

use crate::cli::failure::Failure;

/// The error, and what to do about it.
pub(crate) fn with_advice(error: ChainstateError) -> Box<dyn Error> {
    let advice = match &error {
        ChainstateError::Interrupted => {
            return Failure::Interrupted { outcome: "nothing was changed".to_owned() }.into();
        }
        ChainstateError::Store(store) => for_store(store),
        ChainstateError::NotAvailable { .. } => Some("'cairn chain status' says from which height on blocks are there"),
        ChainstateError::PruneTooHigh { .. } => Some("the newest blocks are needed for reorganisations"),
        _ => None,
    };
    match advice {
        Some(advice) => format!("{error}; {advice}").into(),
        None => error.into(),
    }
}

fn for_store(error: &StoreError) -> Option<&'static str> {
    const MAKE_ROOM: &str = "make room and run the same command again: it goes on from what was saved last";
    match error {
        StoreError::InUse { .. } => Some("end that process, or choose another directory with --datadir"),
        StoreError::SchemaVersion { .. } => Some(
            "use the version of cairn that wrote it, or export its blocks with that version and import them into \
             another --datadir",
        ),
        StoreError::OtherNetwork { .. } => {
            Some("run it with that network's options, or choose another directory with --datadir")
        }
        StoreError::DiskFull { .. } => Some(MAKE_ROOM),
        StoreError::Io { source, .. } => match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(MAKE_ROOM),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Some("make it writable for this user, or choose another directory with --datadir")
            }
            _ => None,
        },
        StoreError::Damaged { .. } | StoreError::Database { .. } => {
            Some("if it comes again, 'cairn chain reindex' computes everything but the blocks anew")
        }
    }
}
