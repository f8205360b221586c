//! Standard input that an interruption ends.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::cli::interruption::Interruption;

/// Bytes that are read at once.
const CHUNK_SIZE: usize = 1 << 20;
/// Chunks that are read ahead.
const CHUNKS_AHEAD: usize = 2;
/// Time between two looks for an interruption while nothing comes.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Standard input, which seems to end when the user asks to stop.
///
/// A thread of its own reads: a read from a pipe into which nothing is written returns when the writer likes, not when the user
/// does.
pub(super) struct StandardInput {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    interruption: Interruption,
}

impl StandardInput {
    pub(super) fn new(interruption: Interruption) -> Self {
        let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
        thread::spawn(move || {
            let mut input = io::stdin().lock();
            loop {
                let mut chunk = vec![0; CHUNK_SIZE];
                let read = match input.read(&mut chunk) {
                    Ok(0) => return,
                    Ok(count) => {
                        chunk.truncate(count);
                        Ok(chunk)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let is_last = read.is_err();
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        Self { chunks, chunk: io::Cursor::default(), interruption }
    }
}

impl Read for StandardInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.chunk.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.chunks.recv_timeout(LOOK_INTERVAL) {
                Ok(chunk) => self.chunk = io::Cursor::new(chunk?),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) if self.interruption.is_requested() => return Ok(0),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
