//! Blocks as files.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Chainstate, ChainstateError};

/// Which blocks of the active chain to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportRange {
    /// The first height.
    pub from: u32,
    /// The last height; the tip's when nothing is given, or when it is lower.
    pub to: Option<u32>,
}

impl Chainstate {
    /// Writes blocks of the active chain in the framing of Core's `blk*.dat` and returns how many: magic, length (4 bytes
    /// little-endian), block. `progress` is told after each block how many were written, of how many.
    ///
    /// # Errors
    ///
    /// When a body was pruned or cannot be read, when the stream cannot be written, or when `progress` asks to stop.
    pub fn export(
        &self,
        range: ExportRange,
        stream: &mut dyn Write,
        progress: &mut dyn FnMut(u32, u32) -> ControlFlow<()>,
    ) -> Result<u32, ChainstateError> {
        let last = range.to.unwrap_or(u32::MAX).min(self.active.height());
        let all = (last + 1).saturating_sub(range.from);
        let failed = |source| ChainstateError::Stream { action: "write", source: Arc::new(source) };
        let mut written = 0;
        for id in self.active_blocks(range.from..=last) {
            let hash = self.index[id].hash;
            let position = self.index.body(id).ok_or(ChainstateError::NotAvailable { hash, reason: "pruned" })?;
            let bytes = self.files.read_block(position)?;
            stream
                .write_all(&self.params.magic)
                .and_then(|()| stream.write_all(&position.length.to_le_bytes()))
                .and_then(|()| stream.write_all(&bytes))
                .map_err(failed)?;
            written += 1;
            if progress(written, all).is_break() {
                return Err(ChainstateError::Interrupted);
            }
        }
        stream.flush().map_err(failed)?;
        Ok(written)
    }
}
