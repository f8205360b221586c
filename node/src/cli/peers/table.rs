//! Tables for people.

use indicatif::DecimalBytes;

use super::duration::show_duration;
use super::{Ban, Peer};

/// Who is connected, at a time in seconds since 1970.
pub(super) fn of_peers(peers: &[Peer], now: u64) -> String {
    let titles = ["PEER", "ADDRESS", "DIRECTION", "SINCE", "PING", "SENT", "RECEIVED", "CLIENT"];
    let row = |peer: &Peer| {
        [
            peer.peer_id.clone(),
            peer.addr.clone(),
            if peer.inbound { "inbound" } else { "outbound" }.to_owned(),
            show_duration(now.saturating_sub(peer.conntime)),
            peer.pingtime.map_or_else(|| "-".to_owned(), |seconds| format!("{:.1} ms", seconds * 1000.0)),
            DecimalBytes(peer.bytessent).to_string(),
            DecimalBytes(peer.bytesrecv).to_string(),
            peer.subver.clone(),
        ]
    };
    table(titles, peers.iter().map(row).collect())
}

/// Who is banned.
pub(super) fn of_bans(bans: &[Ban]) -> String {
    let row = |ban: &Ban| [ban.address.clone(), show_duration(ban.time_remaining), ban.ban_reason.clone()];
    table(["BANNED", "LEFT", "REASON"], bans.iter().map(row).collect())
}

/// Columns as wide as what is in them.
fn table<const N: usize>(titles: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut lines = vec![titles.map(str::to_owned)];
    lines.extend(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..N).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_stand_in_columns() {
        let peer = |addr: &str, inbound, pingtime| Peer {
            peer_id: "12D3KooW".to_owned(),
            addr: addr.to_owned(),
            inbound,
            conntime: 1000,
            pingtime,
            bytessent: 1500,
            bytesrecv: 3,
            subver: "/cairn:0.1.0/".to_owned(),
        };
        let peers = [peer("127.0.0.1:8433", true, Some(0.0012)), peer("[::1]:5", false, None)];
        let expected = "\
            PEER      ADDRESS         DIRECTION  SINCE  PING    SENT     RECEIVED  CLIENT\n\
            12D3KooW  127.0.0.1:8433  inbound    1m     1.2 ms  1.50 kB  3 B       /cairn:0.1.0/\n\
            12D3KooW  [::1]:5         outbound   1m     -       1.50 kB  3 B       /cairn:0.1.0/\n";
        assert_eq!(of_peers(&peers, 1090), expected);
        assert_eq!(of_bans(&[]), "BANNED  LEFT  REASON\n");
    }
}
