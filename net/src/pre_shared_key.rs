//! The secret of a private network.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Bytes of a key.
const KEY_SIZE: usize = 32;

/// The first line of a key's file.
const KEY_TYPE: &str = "/key/swarm/psk/1.0.0/";

/// The second line: how the third one is written.
const ENCODING: &str = "/base16/";

/// Why a text is not a pre-shared key. Nothing of the text is repeated, since it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PreSharedKeyError {
    /// The first line does not say that this is a key.
    #[error("the first line is another, expected {KEY_TYPE}")]
    KeyType,
    /// The second line does not name an encoding that we know.
    #[error("the second line is another, expected {ENCODING}")]
    Encoding,
    /// The key is longer or shorter than a key.
    #[error("{got} hexadecimal digits in the third line, expected 64")]
    Length {
        /// The length of the line, in bytes.
        got: usize,
    },
    /// A character of the key is no hexadecimal digit.
    #[error("character {position} of the third line is no hexadecimal digit")]
    Digit {
        /// Its place in the line, from 1.
        position: usize,
    },
    /// There is something behind the key.
    #[error("more than three lines")]
    TrailingLines,
}

/// The secret of a private network: without it nobody gets as far as to say who it is, and whoever listens hears nothing.
///
/// As text it is the file that IPFS calls `swarm.key`: the lines `/key/swarm/psk/1.0.0/`, `/base16/` and 64 hexadecimal
/// digits (libp2p's specification `pnet/Private-Networks-PSK-V1.md`).
#[derive(Clone, PartialEq, Eq)]
pub struct PreSharedKey([u8; KEY_SIZE]);

impl PreSharedKey {
    /// The key of these bytes, which should be random.
    #[must_use]
    pub const fn new(key: [u8; KEY_SIZE]) -> Self {
        Self(key)
    }

    pub(crate) fn bytes(&self) -> [u8; KEY_SIZE] {
        self.0
    }
}

impl fmt::Debug for PreSharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreSharedKey(..)")
    }
}

impl FromStr for PreSharedKey {
    type Err = PreSharedKeyError;

    fn from_str(text: &str) -> Result<Self, PreSharedKeyError> {
        let mut lines = text.lines().map(str::trim_end);
        if lines.next() != Some(KEY_TYPE) {
            return Err(PreSharedKeyError::KeyType);
        }
        if lines.next() != Some(ENCODING) {
            return Err(PreSharedKeyError::Encoding);
        }
        let digits = lines.next().unwrap_or_default().as_bytes();
        let mut key = [0; KEY_SIZE];
        if digits.len() != 2 * KEY_SIZE {
            return Err(PreSharedKeyError::Length { got: digits.len() });
        }
        for (position, digit) in digits.iter().enumerate() {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                b'A'..=b'F' => digit - b'A' + 10,
                _ => return Err(PreSharedKeyError::Digit { position: position + 1 }),
            };
            key[position / 2] = key[position / 2] << 4 | value;
        }
        if lines.any(|line| !line.is_empty()) {
            return Err(PreSharedKeyError::TrailingLines);
        }
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str) -> String {
        format!("/key/swarm/psk/1.0.0/\n/base16/\n{key}\n")
    }

    #[test]
    fn reads_the_file_of_ipfs() {
        let digits = "6189c5cf0b87fb800c1a9feeda73c6ab5e998db48fb9e6a978575c770ceEF683";
        let key: PreSharedKey = file(digits).parse().unwrap();
        assert_eq!(key.bytes()[..3], [0x61, 0x89, 0xc5]);
        assert_eq!(key.bytes()[29..], [0xee, 0xf6, 0x83]);
        assert_eq!(file(digits).replace('\n', "\r\n").parse(), Ok(key.clone()));
        assert_eq!(file(digits).trim_end().parse(), Ok(key));
    }

    #[test]
    fn says_what_is_wrong_and_not_what_is_there() {
        let good = "ab".repeat(32);
        let wrong = |text: &str| text.parse::<PreSharedKey>().unwrap_err();
        assert_eq!(wrong(""), PreSharedKeyError::KeyType);
        assert_eq!(wrong(&good), PreSharedKeyError::KeyType);
        assert_eq!(wrong(&file(&good).replace("16", "64")), PreSharedKeyError::Encoding);
        assert_eq!(wrong("/key/swarm/psk/1.0.0/\n/base16/"), PreSharedKeyError::Length { got: 0 });
        assert_eq!(wrong(&file(&good[1..])), PreSharedKeyError::Length { got: 63 });
        assert_eq!(wrong(&file(&good.replace("ab", "ö"))), PreSharedKeyError::Digit { position: 1 });
        assert_eq!(wrong(&file(&format!("{}+1", &good[2..]))), PreSharedKeyError::Digit { position: 63 });
        assert_eq!(wrong(&(file(&good) + "more")), PreSharedKeyError::TrailingLines);
    }

    #[test]
    fn is_not_shown() {
        let key = PreSharedKey::new([0xab; 32]);
        assert_eq!(format!("{key:?}"), "PreSharedKey(..)");
    }
}
