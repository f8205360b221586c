//! The program.

use super::Family;

pub(crate) const BUILD_INFO: Family =
    Family::gauge("cairn_build_info", "Always 1; which program this is, and its network.")
        .with_labels(&["version", "network"]);

#[cfg(test)]
pub(crate) const ALL: &[&Family] = &[&BUILD_INFO];
