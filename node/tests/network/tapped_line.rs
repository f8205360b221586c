//! A line on which every byte is heard, and may take its time.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Pieces that are on the line at a time; whoever sends more has to wait.
const ON_THE_LINE: usize = 1024;

/// Takes connections at an address of its own, carries their bytes to another, and keeps all of them.
pub(crate) struct TappedLine {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl TappedLine {
    /// A line to an address on which every byte takes so long.
    pub(crate) fn to(target: SocketAddr, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let tap = Arc::clone(&heard);
        thread::spawn(move || {
            for incoming in listener.incoming() {
                let Ok(incoming) = incoming else { return };
                let Ok(outgoing) = TcpStream::connect(target) else { continue };
                carry(incoming.try_clone().unwrap(), outgoing.try_clone().unwrap(), Arc::clone(&tap), delay);
                carry(outgoing, incoming, Arc::clone(&tap), delay);
            }
        });
        Self { address, heard }
    }

    /// Everything that went over the line so far, in either direction.
    pub(crate) fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, heard: Arc<Mutex<Vec<u8>>>, delay: Duration) {
    let (sender, pieces) = sync_channel::<(Instant, Vec<u8>)>(ON_THE_LINE);
    thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            heard.lock().unwrap().extend_from_slice(&buffer[..length]);
            if sender.send((Instant::now() + delay, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, piece) in pieces {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
