//! The descriptor that stands for a script.

use bitcoin::XOnlyPublicKey;
use cairn_chain::params::AddressFormat;
use cairn_chain::script::{TxoutType, solve};

use super::script::address;
use crate::rpc::values::push_hex;

/// Characters a descriptor may hold; which group of 32 one stands in is a part of the checksum (Core: `INPUT_CHARSET`,
/// `script/descriptor.cpp`; BIP380).
const INPUT_CHARSET: &[u8; 95] =
    b"0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
/// Characters of a checksum, as in bech32 (Core: `CHECKSUM_CHARSET`).
const CHECKSUM_CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Characters of a checksum.
const CHECKSUM_SIZE: usize = 8;
/// What stands for a character that no descriptor may hold.
const NOT_IN_CHARSET: u8 = 0xff;

/// Where each character stands in [`INPUT_CHARSET`].
static POSITIONS: [u8; 256] = {
    let mut positions = [NOT_IN_CHARSET; 256];
    let mut position: u8 = 0;
    while position < 95 {
        positions[INPUT_CHARSET[position as usize] as usize] = position;
        position += 1;
    }
    positions
};

/// The descriptor that stands for an output's script, with its checksum (Core: `InferDescriptor` without any keys known,
/// `script/descriptor.cpp`).
#[must_use]
pub(in crate::rpc) fn infer_descriptor(script: &[u8], format: AddressFormat) -> String {
    let form = solve(script);
    let address = address(&form, format).map(|address| address.to_string());
    infer_solved(script, &form, address.as_deref())
}

/// The same, of a script whose form and address are known.
pub(super) fn infer_solved(script: &[u8], form: &TxoutType<'_>, address: Option<&str>) -> String {
    let mut text = String::with_capacity(2 * script.len() + 24);
    match (form, address) {
        (TxoutType::Pubkey(key), _) if !is_hybrid(key) => {
            text.push_str("pk(");
            push_hex(&mut text, key);
        }
        (TxoutType::Multisig { required, keys }, _) if !keys.iter().any(|key| is_hybrid(key)) => {
            text.push_str("multi(");
            text.push_str(&required.to_string());
            for key in keys {
                text.push(',');
                push_hex(&mut text, key);
            }
        }
        (TxoutType::WitnessV1Taproot(key), _) if XOnlyPublicKey::from_slice(*key).is_ok() => {
            text.push_str("rawtr(");
            push_hex(&mut text, *key);
        }
        (_, Some(address)) => {
            text.push_str("addr(");
            text.push_str(address);
        }
        (_, None) => {
            text.push_str("raw(");
            push_hex(&mut text, script);
        }
    }
    text.push(')');
    let checksum = descriptor_checksum(&text).expect("the characters above are all in the set");
    text.push('#');
    text.push_str(&checksum);
    text
}

/// Whether a public key is uncompressed and tells the sign of its Y as well, which no descriptor can say.
fn is_hybrid(key: &[u8]) -> bool {
    matches!(key.first(), Some(6 | 7))
}

/// The checksum of a descriptor, eight characters; none when it holds a character that no descriptor may hold (Core:
/// `DescriptorChecksum`, `script/descriptor.cpp`).
#[must_use]
pub(in crate::rpc) fn descriptor_checksum(descriptor: &str) -> Option<String> {
    let mut checksum = 1;
    for characters in descriptor.as_bytes().chunks(3) {
        let mut groups = 0;
        for &character in characters {
            let position = POSITIONS[usize::from(character)];
            if position == NOT_IN_CHARSET {
                return None;
            }
            checksum = polynomial_modulo(checksum, position & 31);
            groups = groups * 3 + (position >> 5);
        }
        checksum = polynomial_modulo(checksum, groups);
    }
    for _ in 0..CHECKSUM_SIZE {
        checksum = polynomial_modulo(checksum, 0);
    }
    checksum ^= 1;
    let character =
        |place: usize| char::from(CHECKSUM_CHARSET[usize::from((checksum >> (5 * place)).to_le_bytes()[0] & 31)]);
    Some((0..CHECKSUM_SIZE).rev().map(character).collect())
}

/// Appends a symbol to a checksum (Core: `PolyMod`, `script/descriptor.cpp`).
fn polynomial_modulo(checksum: u64, symbol: u8) -> u64 {
    const GENERATOR: [u64; 5] = [0xf5_dee5_1989, 0xa9_fdca_3312, 0x1b_ab10_e32d, 0x37_06b1_677a, 0x64_4d62_6ffd];
    let top = checksum >> 35;
    let shifted = (checksum & 0x7_ffff_ffff) << 5 ^ u64::from(symbol);
    (0..).zip(GENERATOR).filter(|(bit, _)| top >> bit & 1 == 1).fold(shifted, |sum, (_, term)| sum ^ term)
}
