//! The key a file is combined with.

use crate::store::obfuscate;

/// What the bytes of a file are combined with by exclusive or (Core: `Obfuscation`, `util/obfuscation.h`). It keeps nothing
/// secret: it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObfuscationKey(pub [u8; 8]);

impl ObfuscationKey {
    /// A key as good as any other.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn random() -> Self {
        let mut key = [0; 8];
        getrandom::fill(&mut key).expect("the operating system provides randomness");
        Self(key)
    }

    /// Combines bytes that stand at `offset` of the file with the key; a second time takes it back.
    pub(super) fn apply(self, bytes: &mut [u8], offset: u64) {
        obfuscate(bytes, self.0, offset);
    }
}
