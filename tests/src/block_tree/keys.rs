//! The keys that coins are locked to.

use std::sync::LazyLock;

use bitcoin::secp256k1::{All, Keypair, Message, PublicKey, Secp256k1, SecretKey, XOnlyPublicKey};

use crate::random::Random;

pub(super) static SECP256K1: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// Enough that most scripts have different keys; making one costs as much as a signature.
const KEYS: usize = 12;

/// What a signature may have that is odd, and still or no longer valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Usual,
    /// The other S: valid, as only policy wants the low one.
    HighS,
    /// R padded with a zero it does not need, which BIP66 forbids.
    Padded,
}

/// A set of keys, named by their positions.
pub(super) struct Keys(Vec<Keypair>);

impl Keys {
    pub(super) fn new(rng: &mut Random) -> Self {
        let key = |_| {
            let secret = SecretKey::from_slice(&rng.array::<32>()).expect("all but a few of 2^256 numbers are keys");
            Keypair::from_secret_key(&SECP256K1, &secret)
        };
        Self((0..KEYS).map(key).collect())
    }

    pub(super) fn random(rng: &mut Random) -> usize {
        rng.below(KEYS)
    }

    pub(super) fn pair(&self, key: usize) -> &Keypair {
        &self.0[key]
    }

    pub(super) fn public(&self, key: usize) -> PublicKey {
        self.0[key].public_key()
    }

    pub(super) fn x_only(&self, key: usize) -> XOnlyPublicKey {
        self.0[key].x_only_public_key().0
    }

    pub(super) fn sign_ecdsa(&self, key: usize, sighash: [u8; 32], hash_type: u8, encoding: Encoding) -> Vec<u8> {
        let signature = SECP256K1.sign_ecdsa(&Message::from_digest(sighash), &self.0[key].secret_key());
        let compact = signature.serialize_compact();
        let (r, s) = compact.split_at(32);
        let s = match encoding {
            // A secret key is a number below the order, as S is.
            Encoding::HighS => SecretKey::from_slice(s).unwrap().negate().secret_bytes(),
            Encoding::Usual | Encoding::Padded => s.try_into().unwrap(),
        };
        let mut r = unsigned(r);
        if encoding == Encoding::Padded {
            r.insert(0, 0);
        }
        let integers = [vec![2], with_length(&r), vec![2], with_length(&unsigned(&s))].concat();
        [vec![0x30], with_length(&integers), vec![hash_type]].concat()
    }
}

pub(super) fn sign_schnorr(pair: &Keypair, sighash: [u8; 32], hash_type: u8) -> Vec<u8> {
    let mut signature = SECP256K1.sign_schnorr_no_aux_rand(&Message::from_digest(sighash), pair).serialize().to_vec();
    // The default type is said by leaving it out (BIP341).
    if hash_type != 0 {
        signature.push(hash_type);
    }
    signature
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// Big-endian without padding, but with the zero a high first bit asks for.
fn unsigned(integer: &[u8]) -> Vec<u8> {
    let start = integer.iter().position(|&byte| byte != 0).unwrap();
    let sign: &[u8] = if integer[start] & 0x80 == 0 { &[] } else { &[0] };
    [sign, &integer[start..]].concat()
}
