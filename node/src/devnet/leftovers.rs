//! What a devnet leaves that was killed: its file, its socket, and its data unless it has a name.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::attachment::Attachment;
use super::node_process::UNTIL_STDIN_CLOSES;
use super::state_directory::TEMPORARY_PREFIX;

/// How long its nodes may take to end, which they do by themselves.
const LIMIT: Duration = Duration::from_secs(15);
/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(50);
/// An argument of a Prometheus of ours, before the folder of its data.
const PROMETHEUS_DATA: &str = "--storage.tsdb.path=";

/// Waits for the end of what still runs, and takes away what goes with the devnet. Whether nothing of it is left; otherwise its file
/// must stay, which alone knows of the rest.
pub(crate) fn clear(devnet: &Attachment) -> bool {
    let mut folders: Vec<&Path> = devnet.control.parent().into_iter().collect();
    folders.extend(devnet.is_temporary.then_some(devnet.directory.as_path()));
    folders.retain(|folder| is_temporary_of_ours(folder));
    let deadline = Instant::now() + LIMIT;
    loop {
        // What writes there would make it anew, and a devnet of the same name could not open it.
        let still_runs = runs_in(&devnet.directory);
        if !still_runs {
            for folder in &folders {
                let _ = fs::remove_dir_all(folder);
            }
            if folders.iter().all(|folder| !folder.exists()) {
                return true;
            }
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(INTERVAL);
    }
}

fn is_temporary_of_ours(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    folder.is_absolute() && name.starts_with(TEMPORARY_PREFIX)
}

/// Whether a node or a Prometheus of a devnet still runs. Processes are looked for by what they were told: the file may be older than
/// its nodes, and the number of a process that ended may be another's. Where there is no /proc, nothing is found.
fn runs_in(directory: &Path) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok()).any(|line| is_of(&line, directory))
}

/// Whether a command line (proc(5): arguments that end in a zero byte) is that of a node or a Prometheus with its data in a folder.
fn is_of(line: &[u8], directory: &Path) -> bool {
    let line = String::from_utf8_lossy(line);
    let arguments: Vec<&str> = line.split('\0').collect();
    let is_within = |path: &str| PathBuf::from(path).starts_with(directory);
    let is_node = arguments.contains(&UNTIL_STDIN_CLOSES) && arguments.iter().any(|argument| is_within(argument));
    is_node || arguments.iter().filter_map(|argument| argument.strip_prefix(PROMETHEUS_DATA)).any(is_within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_a_devnet_are_known_by_what_they_were_told() {
        let directory = Path::new("/tmp/cairn-devnet-a");
        let is_of = |line: &str| is_of(line.replace(' ', "\0").as_bytes(), directory);
        assert!(is_of("/bin/cairn run --datadir /tmp/cairn-devnet-a/alice --until-stdin-closes "));
        assert!(is_of("prometheus --storage.tsdb.path=/tmp/cairn-devnet-a/prometheus/data "));
        assert!(!is_of("/bin/cairn run --datadir /tmp/cairn-devnet-ab/alice --until-stdin-closes "));
        assert!(!is_of("tail -f /tmp/cairn-devnet-a/alice/node.log "));
        assert!(!is_of(""));
    }

    #[test]
    fn only_folders_of_ours_are_taken_away() {
        assert!(is_temporary_of_ours(Path::new("/tmp/cairn-devnet-a")));
        assert!(!is_temporary_of_ours(Path::new("/home/alice")));
        assert!(!is_temporary_of_ours(Path::new("cairn-devnet-a")));
        assert!(!is_temporary_of_ours(Path::new("/")));
    }
}
