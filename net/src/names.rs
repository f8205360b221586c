//! What protocols and topics are called on one network.

use std::fmt::Write;

/// Bytes of the network's hash that names carry: 64 bits are short enough to read, and enough that nobody makes a network
/// that shares the names of a given one.
const HASH_BYTES: usize = 8;

/// The names of a network's protocols and topics: `/cairn/<network>/<hash>/<name>/<version>`.
///
/// The hash is over everything the network's nodes must agree on, so a node that disagrees about anything negotiates
/// nothing and hears no gossip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkNames {
    prefix: String,
}

impl NetworkNames {
    /// Names for the network called `network` whose rules have the hash `spec_hash`.
    #[must_use]
    pub fn new(network: &str, spec_hash: &[u8; 32]) -> Self {
        let mut prefix = format!("/cairn/{network}/");
        for byte in &spec_hash[..HASH_BYTES] {
            write!(prefix, "{byte:02x}").expect("writing to a string succeeds");
        }
        Self { prefix }
    }

    /// The name of version `version` of a protocol or topic.
    #[must_use]
    pub fn name(&self, what: &str, version: u32) -> String {
        format!("{}/{what}/{version}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_network_and_hash() {
        let names = NetworkNames::new("devnet", &[0xab; 32]);
        assert_eq!(names.name("headers", 1), "/cairn/devnet/abababababababab/headers/1");
    }

    #[test]
    fn networks_that_differ_share_no_name() {
        let blocks = |network, hash| NetworkNames::new(network, &hash).name("blocks", 1);
        assert_ne!(blocks("devnet", [1; 32]), blocks("devnet", [2; 32]));
        assert_ne!(blocks("devnet", [1; 32]), blocks("cairn", [1; 32]));
    }
}
