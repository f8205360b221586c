//! Keys and signatures, in every encoding that was ever valid.

use std::sync::LazyLock;

use secp256k1::{All, Keypair, Message, Scalar, Secp256k1, SecretKey};

use crate::rng::Rng;

static SECP256K1: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// Order of the curve.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

#[derive(Clone)]
pub(crate) struct Key(Keypair);

impl Key {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let secret = SecretKey::from_slice(&rng.array::<32>()).expect("all but a few of 2^256 numbers are keys");
        Self(Keypair::from_secret_key(&SECP256K1, &secret))
    }

    pub(crate) fn compressed(&self) -> Vec<u8> {
        self.0.public_key().serialize().to_vec()
    }

    pub(crate) fn uncompressed(&self) -> Vec<u8> {
        self.0.public_key().serialize_uncompressed().to_vec()
    }

    /// Uncompressed, with the parity that compressed keys have in front.
    pub(crate) fn hybrid(&self) -> Vec<u8> {
        let mut bytes = self.uncompressed();
        bytes[0] = 6 + (bytes[64] & 1);
        bytes
    }

    pub(crate) fn x_only(&self) -> [u8; 32] {
        self.0.x_only_public_key().0.serialize()
    }

    /// The key of a taproot output, and whether its y is odd.
    pub(crate) fn tweaked(&self, tweak: [u8; 32]) -> (Self, u8) {
        let tweak = Scalar::from_be_bytes(tweak).expect("a hash is below the order");
        let key = Self(self.0.add_xonly_tweak(&SECP256K1, &tweak).expect("the sum is not zero"));
        let parity = key.0.x_only_public_key().1.to_u8();
        (key, parity)
    }

    /// R and S of an ECDSA signature, S low.
    pub(crate) fn sign_ecdsa(&self, sighash: [u8; 32]) -> ([u8; 32], [u8; 32]) {
        let signature = SECP256K1.sign_ecdsa(&Message::from_digest(sighash), &self.0.secret_key()).serialize_compact();
        let half = |start: usize| signature[start..start + 32].try_into().expect("half of 64 bytes");
        (half(0), half(32))
    }

    pub(crate) fn sign_schnorr(&self, sighash: [u8; 32]) -> Vec<u8> {
        SECP256K1.sign_schnorr_no_aux_rand(&Message::from_digest(sighash), &self.0).serialize().to_vec()
    }
}

/// Strict DER of R and S.
pub(crate) fn der((r, s): ([u8; 32], [u8; 32])) -> Vec<u8> {
    let integers = [&[2], &with_length(&unsigned(&r))[..], &[2], &with_length(&unsigned(&s))].concat();
    [&[0x30], &with_length(&integers)[..]].concat()
}

/// The other S that is valid, as everyone can compute.
pub(crate) fn negate_s((r, s): ([u8; 32], [u8; 32])) -> ([u8; 32], [u8; 32]) {
    let mut negated = [0; 32];
    let mut borrow = 0;
    for i in (0..32).rev() {
        let difference = i16::from(ORDER[i]) - i16::from(s[i]) - borrow;
        borrow = i16::from(difference < 0);
        negated[i] = difference as u8;
    }
    (r, negated)
}

/// DER as OpenSSL took it before BIP66: padded or negative integers, long lengths, lengths that lie, bytes at the end.
pub(crate) fn lax_der(rng: &mut Rng, (r, s): ([u8; 32], [u8; 32])) -> Vec<u8> {
    let mut integers = Vec::new();
    for integer in [r, s] {
        let bytes = match rng.below(4) {
            0 => integer.to_vec(), // without the zero that says it is not negative
            1 => [&vec![0; rng.between(1, 4)], &integer[..]].concat(),
            _ => unsigned(&integer),
        };
        integers.push(2);
        integers.extend(lax_length(rng, bytes.len()));
        integers.extend(bytes);
    }
    let claimed = if rng.chance(20) { rng.below(128) } else { integers.len() };
    let mut bytes = vec![0x30];
    bytes.extend(lax_length(rng, claimed));
    bytes.extend(integers);
    if rng.chance(20) {
        let length = rng.between(1, 10);
        bytes.extend(rng.bytes(length));
    }
    bytes
}

fn lax_length(rng: &mut Rng, length: usize) -> Vec<u8> {
    match rng.below(6) {
        0 => vec![0x81, length as u8],
        1 => vec![0x83, 0, 0, length as u8],
        _ => vec![length as u8],
    }
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

/// Big-endian without padding, but with the zero a high first bit asks for.
fn unsigned(integer: &[u8; 32]) -> Vec<u8> {
    let start = integer.iter().position(|&byte| byte != 0).unwrap_or(31);
    let sign: &[u8] = if integer[start] & 0x80 == 0 { &[] } else { &[0] };
    [sign, &integer[start..]].concat()
}
