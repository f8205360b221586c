//! What a process takes of the machine.

use std::fs;

/// What a process takes of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Memory, in KiB.
    pub(crate) resident: usize,
    /// The most memory it ever took, in KiB.
    pub(crate) most_resident: usize,
    /// Threads.
    pub(crate) threads: usize,
    /// Open files and sockets.
    pub(crate) files: usize,
}

impl Usage {
    /// What a process takes now.
    pub(crate) fn of(process: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Self {
            resident: field("VmRSS:"),
            most_resident: field("VmHWM:"),
            threads: field("Threads:"),
            files: fs::read_dir(format!("/proc/{process}/fd")).unwrap().count(),
        }
    }
}
