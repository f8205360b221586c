//! The devnet's side: a socket, and a queue to whoever does what is asked.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Answer, LINE_TIMEOUT, MAX_LINE, Outcome, Request};
use crate::devnet::DevnetError;
use crate::devnet::state_directory::TEMPORARY_PREFIX;

/// Where sockets are when the usual folder's name is too long for one.
const SHORT_FOLDER: &str = "/tmp";
/// The longest path of a socket, in bytes: BSD's `sun_path` has 104, Linux's 108, and a zero byte ends it.
const MAX_PATH: usize = 103;
/// The name of a socket in its folder.
const NAME: &str = "control";
/// Commands that wait at most; others are not heard before one of them is done.
const MAX_WAITING: usize = 16;

/// Something that is asked, and where the answer goes.
#[derive(Debug)]
pub(crate) struct Command {
    /// What is asked.
    pub(crate) request: Request,
    /// Takes what became of it.
    pub(crate) reply: oneshot::Sender<Result<Outcome, DevnetError>>,
}

/// The socket. It goes, with its folder, when this is dropped.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    _folder: TempDir,
}

impl ControlSocket {
    /// Makes a socket in a folder that its owner alone may enter. Names of sockets are short (`sockaddr_un`), so it is not among
    /// the data, whose folder may be anywhere.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn bind() -> Result<Self, DevnetError> {
        let usual = std::env::temp_dir();
        let folder = folder_in(&usual)?;
        let folder = if is_short(folder.path()) { folder } else { folder_in(Path::new(SHORT_FOLDER))? };
        let path = folder.path().join(NAME);
        let listener = UnixListener::bind(&path).map_err(DevnetError::file("listen at", &path))?;
        Ok(Self { listener, path, _folder: folder })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Hands on what is asked, until nobody takes it any more. That it is to end is not a thing that waits for others: `ending` says
    /// it at once.
    pub(crate) async fn serve(self, commands: mpsc::Sender<Command>, ending: CancellationToken) {
        let places = Arc::new(Semaphore::new(MAX_WAITING));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = commands.closed() => return,
            };
            let Ok((stream, _)) = accepted else { continue };
            let (commands, ending) = (commands.clone(), ending.clone());
            tokio::spawn(async move {
                // Whoever hung up does not want to know.
                let _ = converse(stream, &commands, &ending).await;
                drop(place);
            });
        }
    }
}

fn folder_in(parent: &Path) -> Result<TempDir, DevnetError> {
    let made = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempdir_in(parent);
    made.map_err(DevnetError::file("make a folder in", parent))
}

/// Whether a socket in a folder has a path that the system takes.
fn is_short(folder: &Path) -> bool {
    folder.join(NAME).as_os_str().len() <= MAX_PATH
}

async fn converse(stream: UnixStream, commands: &mpsc::Sender<Command>, ending: &CancellationToken) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    timeout(LINE_TIMEOUT, BufReader::new(reader.take(MAX_LINE)).read_line(&mut line)).await??;
    // Whoever only looks whether there is somebody says nothing.
    if line.is_empty() {
        return Ok(());
    }
    let answer = match serde_json::from_str(&line) {
        Ok(Request::Down) => {
            ending.cancel();
            Answer::Done(Outcome::Ending)
        }
        Ok(request) => ask(request, commands).await,
        Err(error) => Answer::Failed(format!("this is no request: {error}")),
    };
    let mut answer = serde_json::to_vec(&answer)?;
    answer.push(b'\n');
    timeout(LINE_TIMEOUT, writer.write_all(&answer)).await?
}

async fn ask(request: Request, commands: &mpsc::Sender<Command>) -> Answer {
    let (reply, answered) = oneshot::channel();
    let sent = commands.send(Command { request, reply }).await;
    match (sent, answered.await) {
        (Ok(()), Ok(Ok(outcome))) => Answer::Done(outcome),
        (Ok(()), Ok(Err(error))) => Answer::Failed(error.to_string()),
        _ => Answer::Failed("the devnet is ending".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_told_to_end_while_it_does_something_else() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        // Nobody takes what is asked.
        let (commands, _waiting) = mpsc::channel(1);
        let ending = CancellationToken::new();
        let (reader, mut writer) = ours.into_split();
        let line = serde_json::to_string(&Request::Down).unwrap() + "\n";
        writer.write_all(line.as_bytes()).await.unwrap();
        converse(theirs, &commands, &ending).await.unwrap();
        assert!(ending.is_cancelled());
        let mut answer = String::new();
        BufReader::new(reader).read_line(&mut answer).await.unwrap();
        assert!(matches!(serde_json::from_str(&answer).unwrap(), Answer::Done(Outcome::Ending)));
    }

    #[test]
    fn a_long_name_is_known() {
        assert!(is_short(Path::new("/tmp/cairn-devnet-abcdef")));
        assert!(!is_short(&Path::new("/").join("a".repeat(100))));
    }
}
