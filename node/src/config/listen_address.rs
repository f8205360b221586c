//! Where to listen.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// An address, with a port or without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenAddress {
    /// The address of an interface, or an unspecified one for all.
    pub(crate) ip: IpAddr,
    /// The port, where 0 is any that is free; nothing for the one of the service.
    pub(crate) port: Option<u16>,
}

impl ListenAddress {
    /// The address, with the service's port if it has none of its own.
    pub(crate) fn with_default_port(self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip, self.port.unwrap_or(port))
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.parse() {
            return Ok(Self { ip, port: None });
        }
        let address: SocketAddr = text.parse().map_err(|_| {
            "expected an IP address, with or without a port, such as 127.0.0.1 or [::1]:9332".to_owned()
        })?;
        Ok(Self { ip: address.ip(), port: Some(address.port()) })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}
