//! What a data directory holds after the process or the machine stopped at a bad moment, and what is left of a full disk.
//!
//! The tests run this program again, as the child that is to be stopped (`child`). The usual run is short; the long one is
//!
//! ```text
//! CAIRN_KILLS=50 CAIRN_CUTS=250 CAIRN_FAULTS=200 cargo test --release -p cairn-tests --test crash
//! cargo test --release -p cairn-tests --test crash -- --ignored --nocapture
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CAIRN_KILLS` | how often the child is killed |
//! | `CAIRN_CUTS` | how many power cuts are made up |
//! | `CAIRN_FAULTS` | how many writes and syncs fail, one in each run |
//! | `CAIRN_SEED` | another seed, other moments |
//!
//! | file | holds |
//! |---|---|
//! | `stream` | blocks with reorganisations, and what the coins are after each |
//! | `child` | the import that is stopped, and what it says of itself |
//! | `recovery` | what must hold for a directory that was left behind |
//! | `sigkill` | the child is killed |
//! | `recorder`, `disk_recorder.c` | what the child asked of the disk; faults of the disk |
//! | `disk` | what a power cut leaves of that |
//! | `power_cuts` | power cuts at random moments |
//! | `faults` | full disks, short writes, failed syncs |
//! | `environment` | what the environment asks for |
//! | `opening` | time and memory for opening 900,000 headers |
//! | `pruning` | what a pruned directory takes on disk |
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::print_stdout, reason = "the child talks to the test, and long runs report figures")]

mod child;
mod disk;
mod environment;
mod faults;
mod opening;
mod power_cuts;
mod pruning;
mod recorder;
mod recovery;
mod sigkill;
mod stream;
