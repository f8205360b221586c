//! The eight characters at the end of a descriptor (BIP380; Core: `DescriptorChecksum`, `script/descriptor.cpp`).

use super::DescriptorError;
use crate::rpc::views::descriptor_checksum;

/// Characters of a checksum.
const CHECKSUM: usize = 8;

/// The checksum that a text should have, whether it has one or not (Core: `GetDescriptorChecksum`).
pub(crate) fn required_checksum(text: &str) -> Option<String> {
    split(text, false).ok().map(|(_, checksum)| checksum)
}

/// A text without its checksum, and what that is (Core: `CheckChecksum`).
pub(super) fn split(text: &str, is_required: bool) -> Result<(&str, String), DescriptorError> {
    let mut parts = text.split('#');
    let (payload, given) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() {
        return Err(DescriptorError::new("Multiple '#' symbols"));
    }
    if given.is_none() && is_required {
        return Err(DescriptorError::new("Missing checksum"));
    }
    if let Some(given) = given.filter(|given| given.len() != CHECKSUM) {
        let message = format!("Expected 8 character checksum, not {} characters", given.len());
        return Err(DescriptorError::new(message));
    }
    let computed = descriptor_checksum(payload).ok_or_else(|| DescriptorError::new("Invalid characters in payload"))?;
    match given.filter(|given| *given != computed) {
        Some(given) => {
            let message = format!("Provided checksum '{given}' does not match computed checksum '{computed}'");
            Err(DescriptorError::new(message))
        }
        None => Ok((payload, computed)),
    }
}
