//! How a network writes addresses and keys.

use bitcoin::{KnownHrp, NetworkKind};

/// Prefixes of base58 and bech32 strings.
///
/// The two fields are what rust-bitcoin's constructors take; the methods name the bytes behind them, which are Core's
/// `base58Prefixes` and `bech32_hrp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressFormat {
    /// Chooses the base58 prefixes.
    pub kind: NetworkKind,
    /// Chooses the human-readable part of segwit addresses.
    pub hrp: KnownHrp,
}

impl AddressFormat {
    /// Bitcoin's main network.
    pub const MAIN: Self = Self { kind: NetworkKind::Main, hrp: KnownHrp::Mainnet };
    /// Bitcoin's public test networks.
    pub const TEST: Self = Self { kind: NetworkKind::Test, hrp: KnownHrp::Testnets };
    /// Regtest and every network of our own.
    pub const REGTEST: Self = Self { kind: NetworkKind::Test, hrp: KnownHrp::Regtest };

    /// Version byte of pay-to-public-key-hash addresses (Core: `PUBKEY_ADDRESS`).
    #[must_use]
    pub fn pubkey_prefix(self) -> u8 {
        self.by_kind(0, 111)
    }

    /// Version byte of pay-to-script-hash addresses (Core: `SCRIPT_ADDRESS`).
    #[must_use]
    pub fn script_prefix(self) -> u8 {
        self.by_kind(5, 196)
    }

    /// Version byte of private keys in wallet import format (Core: `SECRET_KEY`).
    #[must_use]
    pub fn secret_key_prefix(self) -> u8 {
        self.by_kind(128, 239)
    }

    /// Version bytes, in written order, of extended public keys (Core: `EXT_PUBLIC_KEY`; BIP32).
    #[must_use]
    pub fn ext_public_prefix(self) -> [u8; 4] {
        self.by_kind([0x04, 0x88, 0xb2, 0x1e], [0x04, 0x35, 0x87, 0xcf])
    }

    /// Version bytes, in written order, of extended private keys (Core: `EXT_SECRET_KEY`; BIP32).
    #[must_use]
    pub fn ext_secret_prefix(self) -> [u8; 4] {
        self.by_kind([0x04, 0x88, 0xad, 0xe4], [0x04, 0x35, 0x83, 0x94])
    }

    /// Human-readable part of segwit addresses (Core: `bech32_hrp`; BIP173).
    #[must_use]
    pub fn bech32_hrp(self) -> &'static str {
        match self.hrp {
            KnownHrp::Mainnet => "bc",
            KnownHrp::Testnets => "tb",
            // rust-bitcoin may learn of further parts; our networks use these three.
            _ => "bcrt",
        }
    }

    fn by_kind<T>(self, main: T, test: T) -> T {
        match self.kind {
            NetworkKind::Main => main,
            NetworkKind::Test => test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;
    use bitcoin::hex::FromHex;
    use bitcoin::{Address, CompressedPublicKey, PubkeyHash, ScriptHash, WitnessProgram, base58};

    /// The bytes we name are the bytes rust-bitcoin writes.
    #[test]
    fn prefixes_are_those_of_real_addresses() {
        for format in [AddressFormat::MAIN, AddressFormat::TEST, AddressFormat::REGTEST] {
            let pubkey = Address::p2pkh(PubkeyHash::all_zeros(), format.kind).to_string();
            assert_eq!(base58::decode_check(&pubkey).unwrap()[0], format.pubkey_prefix());
            let script = Address::p2sh_from_hash(ScriptHash::all_zeros(), format.kind).to_string();
            assert_eq!(base58::decode_check(&script).unwrap()[0], format.script_prefix());
            let program = WitnessProgram::p2wpkh(&CompressedPublicKey(generator()));
            let segwit = Address::from_witness_program(program, format.hrp).to_string();
            assert!(segwit.starts_with(&format!("{}1", format.bech32_hrp())), "{segwit}");
        }
    }

    fn generator() -> bitcoin::secp256k1::PublicKey {
        let generator =
            Vec::from_hex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798").expect("the generator");
        bitcoin::secp256k1::PublicKey::from_slice(&generator).expect("the generator is on the curve")
    }

    #[test]
    fn extended_keys_open_as_wallets_expect() {
        let text = |prefix: [u8; 4]| {
            let mut payload = prefix.to_vec();
            payload.resize(78, 0);
            base58::encode_check(&payload)[..4].to_owned()
        };
        assert_eq!(text(AddressFormat::MAIN.ext_public_prefix()), "xpub");
        assert_eq!(text(AddressFormat::MAIN.ext_secret_prefix()), "xprv");
        assert_eq!(text(AddressFormat::REGTEST.ext_public_prefix()), "tpub");
        assert_eq!(text(AddressFormat::REGTEST.ext_secret_prefix()), "tprv");
        assert_eq!(AddressFormat::MAIN.secret_key_prefix(), 128);
        assert_eq!(AddressFormat::TEST.secret_key_prefix(), 239);
    }
}
