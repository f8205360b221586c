//! Addresses of nodes as clients write and read them: `host:port`, as with Core, for TCP; multiaddresses for everything else.

use std::net::{IpAddr, SocketAddr};

use cairn_net::{Direction, Multiaddr, PeerFacts, PeerId};

/// Parts of a name of a host, each at most so long (RFC1035); a name has at most four times as many bytes.
const MAX_LABEL: usize = 63;
const MAX_NAME: usize = 253;

/// An address as a client gives it: a multiaddress, or `host:port`. Without a port it is `default_port`.
pub(super) fn parse(text: &str, default_port: u16) -> Option<Multiaddr> {
    if text.starts_with('/') {
        return text.parse().ok().filter(|address: &Multiaddr| !address.is_empty());
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return multiaddr(address);
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return multiaddr(SocketAddr::new(ip, default_port));
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, port.parse().ok()?),
        None => (text, default_port),
    };
    is_name(name).then(|| format!("/dns/{name}/tcp/{port}").parse().ok()).flatten()
}

fn multiaddr(address: SocketAddr) -> Option<Multiaddr> {
    let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{kind}/{}/tcp/{}", address.ip(), address.port()).parse().ok()
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= MAX_LABEL && label.bytes().all(is_usual)
    };
    name.len() <= MAX_NAME && name.strip_suffix('.').unwrap_or(name).split('.').all(is_label)
}

/// An address as clients read it: `host:port` if it says no more than that, and otherwise a multiaddress.
pub(super) fn show(address: &Multiaddr) -> String {
    let text = address.to_string();
    let parts: Vec<_> = text.split('/').skip(1).collect();
    match parts[..] {
        ["ip4" | "dns" | "dns4" | "dns6", host, "tcp", port] => format!("{host}:{port}"),
        ["ip6", host, "tcp", port] => format!("[{host}]:{port}"),
        _ => text,
    }
}

/// Where an address leads: the same without who must be there.
pub(super) fn place(address: &Multiaddr) -> String {
    let text = address.to_string();
    text.rsplit_once("/p2p/").map_or(&*text, |(place, _)| place).to_owned()
}

/// The IP address and the port of a place, on whatever transport.
pub(super) fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let text = address.to_string();
    let mut parts = text.split('/').skip(1);
    let (Some("ip4" | "ip6"), Some(ip), Some("tcp" | "udp"), Some(port)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

/// Where a peer is, as Core shows it: `ip:port`, or a name that was dialled.
pub(super) fn show_place(address: &Multiaddr) -> String {
    match socket_address(address) {
        Some(address) => address.to_string(),
        None => place(address).parse().map_or_else(|_| address.to_string(), |place| show(&place)),
    }
}

/// Whether a client means this peer: by its `ip:port`, its multiaddress, or its name.
pub(super) fn is_meant(facts: &PeerFacts, text: &str) -> bool {
    let address = &facts.peer.address;
    let is_peer = text.parse().is_ok_and(|peer: PeerId| peer == facts.peer.peer);
    is_peer || text == show_place(address) || text == address.to_string() || text == place(address)
}

/// The kind of network that an address is of (Core: `GetNetworkName`, `netbase.cpp`).
pub(super) fn network(ip: Option<IpAddr>) -> &'static str {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) if !ip.is_private() && !ip.is_loopback() && !ip.is_link_local() => "ipv4",
        Some(IpAddr::V6(ip)) if !ip.is_unique_local() && !ip.is_loopback() && !ip.is_unicast_link_local() => "ipv6",
        _ => "not_publicly_routable",
    }
}

/// The word for who opened a connection.
pub(super) fn direction(facts: &PeerFacts) -> &'static str {
    match facts.peer.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_core_reads_them() {
        for (text, expected) in [
            ("1.2.3.4:5", "/ip4/1.2.3.4/tcp/5"),
            ("1.2.3.4", "/ip4/1.2.3.4/tcp/8433"),
            ("[2001:db8::1]:5", "/ip6/2001:db8::1/tcp/5"),
            ("[2001:db8::1]", "/ip6/2001:db8::1/tcp/8433"),
            ("2001:db8::1", "/ip6/2001:db8::1/tcp/8433"),
            ("node.example.org:5", "/dns/node.example.org/tcp/5"),
            ("localhost", "/dns/localhost/tcp/8433"),
            ("/ip4/1.2.3.4/udp/5/quic-v1", "/ip4/1.2.3.4/udp/5/quic-v1"),
        ] {
            assert_eq!(parse(text, 8433).map(|address| address.to_string()).as_deref(), Some(expected), "{text}");
        }
        for wrong in ["", "/", "/ip4", "a b", "a/b:1", "host:", "host:70000", "host:x", "a..b", ":1", "[::1", "::1]:x"]
        {
            assert_eq!(parse(wrong, 8433), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_are_shown_as_they_were_given() {
        for text in ["1.2.3.4:5", "[2001:db8::1]:5", "node.example.org:5", "/ip4/1.2.3.4/udp/5/quic-v1"] {
            assert_eq!(show(&parse(text, 1).unwrap()), text);
        }
        let peer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
        let address: Multiaddr = format!("/ip4/1.2.3.4/tcp/5/p2p/{peer}").parse().unwrap();
        assert_eq!(show(&address), address.to_string());
        assert_eq!((show_place(&address), place(&address)), ("1.2.3.4:5".to_owned(), "/ip4/1.2.3.4/tcp/5".to_owned()));
        assert_eq!(show_place(&"/ip6/::1/udp/5/quic-v1".parse().unwrap()), "[::1]:5");
        let name: Multiaddr = format!("/dns4/node.example/tcp/5/p2p/{peer}").parse().unwrap();
        assert_eq!(show_place(&name), "node.example:5");
    }
}
