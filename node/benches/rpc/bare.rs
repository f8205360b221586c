//! What the signatures alone cost.

use std::time::Duration;

use cairn_tests::chain_generator::SignatureCheck;

use crate::Result;

/// Parses and verifies all signatures, on threads that share them out.
pub(crate) fn measure(checks: &[SignatureCheck], threads: usize) -> Result<Duration> {
    Ok(SignatureCheck::time_all(checks, threads).ok_or("a bare signature check gave the wrong answer")?)
}
