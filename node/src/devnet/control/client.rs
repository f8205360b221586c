//! The side of commands.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{Answer, LINE_TIMEOUT, MAX_ANSWER, Outcome, Request};
use crate::devnet::{Attachment, DevnetError};

/// How long the longest of all requests may take: many blocks, or a chain that travels over slow links.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Asks a devnet that runs.
///
/// # Errors
///
/// When it does not answer, or why it does not do it.
pub(crate) async fn ask(devnet: &Attachment, request: &Request) -> Result<Outcome, DevnetError> {
    let silent = |reason: String| DevnetError::Silent { name: devnet.name.clone(), reason };
    let line = match timeout(ANSWER_TIMEOUT, exchange(devnet, request)).await {
        Ok(line) => line.map_err(|error| silent(error.to_string()))?,
        Err(_) => return Err(silent(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))),
    };
    match serde_json::from_str(&line) {
        Ok(Answer::Done(outcome)) => Ok(outcome),
        Ok(Answer::Failed(reason)) => Err(DevnetError::Impossible(reason)),
        Err(_) if line.is_empty() => Err(silent("it ended".to_owned())),
        Err(error) => Err(silent(format!("what it says makes no sense: {error}"))),
    }
}

async fn exchange(devnet: &Attachment, request: &Request) -> io::Result<String> {
    let stream = UnixStream::connect(&devnet.control).await?;
    let (reader, mut writer) = stream.into_split();
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    timeout(LINE_TIMEOUT, writer.write_all(&line)).await??;
    let mut answer = String::new();
    BufReader::new(reader.take(MAX_ANSWER)).read_line(&mut answer).await?;
    Ok(answer)
}
