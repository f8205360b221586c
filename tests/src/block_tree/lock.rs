//! What a coin is locked with.

use bitcoin::opcodes::all::*;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::taproot::{LeafVersion, TaprootBuilder, TaprootSpendInfo};
use bitcoin::{ScriptBuf, TapNodeHash, TapTweakHash, WitnessProgram, WitnessVersion};

use super::keys::{Keys, SECP256K1};
use crate::random::Random;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// Every kind of lock.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            pub(super) const ALL: &[Self] = &[$(Self::$kind,)*];

            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)*
                }
            }
        }
    };
}

kinds! {
    P2pk,
    P2pkUncompressed,
    P2pkh,
    BareMultisig,
    P2sh,
    P2shMultisig,
    P2shP2wpkh,
    P2shP2wsh,
    P2wpkh,
    P2wsh,
    P2wshMultisig,
    /// BIP65, in P2WSH.
    Cltv,
    /// BIP112, in P2WSH.
    Csv,
    /// BIP65, in P2SH.
    P2shCltv,
    /// BIP112, in a bare script.
    BareCsv,
    TaprootKeyPath,
    TaprootKeyPathAnnex,
    TaprootCheckSig,
    TaprootCheckSigAnnex,
    TaprootCheckSigAdd,
    TaprootUnknownLeaf,
    TaprootOpSuccess,
    AnyoneCanSpend,
    /// Nothing in the script: the spender brings the one.
    Empty,
    /// Witness versions and sizes that have no meaning yet.
    UnknownWitness,
    /// Many signature operations that are never reached, in P2SH.
    P2shSigops,
    /// The same in P2WSH.
    P2wshSigops,
}

/// What a coin is locked with, and all that is needed to unlock it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lock {
    pub(super) kind: Kind,
    pub(super) keys: [usize; 3],
    /// How many of the keys sign; the lock time or sequence; the version of an unknown witness program; how often twenty
    /// signature operations are counted.
    pub(super) number: u32,
}

impl Lock {
    pub(super) fn random(rng: &mut Random, height: u32, median: u32) -> Self {
        let kind = rng.pick(Kind::ALL);
        Self::of_kind(rng, kind, height, median)
    }

    /// A lock that can be opened within a few blocks of `height`, with a median time not far from `median`.
    pub(super) fn of_kind(rng: &mut Random, kind: Kind, height: u32, median: u32) -> Self {
        let number = match kind {
            Kind::BareMultisig | Kind::P2shMultisig | Kind::P2wshMultisig | Kind::TaprootCheckSigAdd => {
                1 + rng.up_to(2)
            }
            Kind::Cltv | Kind::P2shCltv if rng.chance(50) => height.saturating_sub(3) + rng.up_to(8),
            Kind::Cltv | Kind::P2shCltv => median + rng.up_to(3_000),
            Kind::Csv | Kind::BareCsv if rng.chance(60) => rng.up_to(6),
            Kind::Csv | Kind::BareCsv => SEQUENCE_TIME | rng.up_to(5),
            Kind::UnknownWitness => rng.up_to(15),
            // At most 201 operations are allowed in a script, reached or not.
            Kind::P2shSigops | Kind::P2wshSigops => rng.pick(&[1, 195]),
            _ => 0,
        };
        Self { kind, keys: std::array::from_fn(|_| Keys::random(rng)), number }
    }

    /// What the output holds.
    pub(super) fn script_pubkey(&self, keys: &Keys) -> ScriptBuf {
        let script = || self.script(keys);
        let key = self.keys[0];
        match self.kind {
            Kind::P2pk
            | Kind::P2pkUncompressed
            | Kind::P2pkh
            | Kind::BareMultisig
            | Kind::BareCsv
            | Kind::AnyoneCanSpend
            | Kind::Empty => script(),
            Kind::P2sh | Kind::P2shMultisig | Kind::P2shCltv | Kind::P2shSigops => script().to_p2sh(),
            Kind::P2shP2wpkh | Kind::P2shP2wsh => self.nested(keys).to_p2sh(),
            Kind::P2wpkh => ScriptBuf::new_p2wpkh(&bitcoin::CompressedPublicKey(keys.public(key)).wpubkey_hash()),
            Kind::P2wsh | Kind::P2wshMultisig | Kind::Cltv | Kind::Csv | Kind::P2wshSigops => script().to_p2wsh(),
            Kind::TaprootKeyPath | Kind::TaprootKeyPathAnnex => {
                ScriptBuf::new_p2tr(&SECP256K1, keys.x_only(key), self.merkle_root())
            }
            Kind::TaprootCheckSig
            | Kind::TaprootCheckSigAnnex
            | Kind::TaprootCheckSigAdd
            | Kind::TaprootUnknownLeaf
            | Kind::TaprootOpSuccess => ScriptBuf::new_p2tr_tweaked(self.taproot(keys).output_key()),
            Kind::UnknownWitness => self.unknown_program(),
        }
    }

    /// The script that has to be satisfied, wherever it stands.
    pub(super) fn script(&self, keys: &Keys) -> ScriptBuf {
        let [first, second, third] = self.keys;
        let public = |key: usize| bitcoin::PublicKey::new(keys.public(key));
        let number = i64::from(self.number);
        let builder = Builder::new();
        match self.kind {
            Kind::P2pkUncompressed => {
                builder.push_key(&bitcoin::PublicKey::new_uncompressed(keys.public(first))).push_opcode(OP_CHECKSIG)
            }
            Kind::P2pkh => return ScriptBuf::new_p2pkh(&public(first).pubkey_hash()),
            Kind::BareMultisig | Kind::P2shMultisig | Kind::P2wshMultisig => {
                let builder = builder.push_int(number).push_key(&public(first)).push_key(&public(second));
                builder.push_key(&public(third)).push_int(3).push_opcode(OP_CHECKMULTISIG)
            }
            Kind::Cltv | Kind::P2shCltv => {
                let builder = builder.push_int(number).push_opcode(OP_CLTV).push_opcode(OP_DROP);
                builder.push_key(&public(first)).push_opcode(OP_CHECKSIG)
            }
            Kind::Csv | Kind::BareCsv => {
                let builder = builder.push_int(number).push_opcode(OP_CSV).push_opcode(OP_DROP);
                builder.push_key(&public(first)).push_opcode(OP_CHECKSIG)
            }
            Kind::TaprootCheckSig | Kind::TaprootCheckSigAnnex => {
                builder.push_x_only_key(&keys.x_only(first)).push_opcode(OP_CHECKSIG)
            }
            Kind::TaprootCheckSigAdd => {
                let builder = builder.push_x_only_key(&keys.x_only(first)).push_opcode(OP_CHECKSIG);
                let builder = builder.push_x_only_key(&keys.x_only(second)).push_opcode(OP_CHECKSIGADD);
                let builder = builder.push_x_only_key(&keys.x_only(third)).push_opcode(OP_CHECKSIGADD);
                builder.push_int(number).push_opcode(OP_NUMEQUAL)
            }
            // Means nothing under a leaf version nobody knows.
            Kind::TaprootUnknownLeaf => builder.push_opcode(OP_RETURN),
            // Succeeds before the rest is looked at.
            Kind::TaprootOpSuccess => builder.push_opcode(OP_RETURN).push_opcode(OP_RESERVED),
            Kind::AnyoneCanSpend => builder.push_opcode(OP_PUSHNUM_1),
            Kind::Empty => builder,
            Kind::P2shSigops | Kind::P2wshSigops => {
                let mut builder = builder.push_int(0).push_opcode(OP_IF);
                for _ in 0..self.number {
                    builder = builder.push_opcode(OP_CHECKMULTISIG);
                }
                builder.push_opcode(OP_ENDIF).push_opcode(OP_PUSHNUM_1)
            }
            _ => builder.push_key(&public(first)).push_opcode(OP_CHECKSIG),
        }
        .into_script()
    }

    /// The witness program that a P2SH output wraps.
    pub(super) fn nested(&self, keys: &Keys) -> ScriptBuf {
        match self.kind {
            Kind::P2shP2wpkh => {
                ScriptBuf::new_p2wpkh(&bitcoin::CompressedPublicKey(keys.public(self.keys[0])).wpubkey_hash())
            }
            _ => self.script(keys).to_p2wsh(),
        }
    }

    pub(super) fn leaf_version(&self) -> LeafVersion {
        match self.kind {
            Kind::TaprootUnknownLeaf => LeafVersion::from_consensus(0xc2).unwrap(),
            _ => LeafVersion::TapScript,
        }
    }

    /// The script beside a leaf that nobody knows.
    pub(super) fn taproot(&self, keys: &Keys) -> TaprootSpendInfo {
        let sibling = TapNodeHash::assume_hidden([7; 32]);
        let builder = TaprootBuilder::new().add_leaf_with_ver(1, self.script(keys), self.leaf_version()).unwrap();
        let builder = builder.add_hidden_node(1, sibling).unwrap();
        builder.finalize(&SECP256K1, keys.x_only(self.keys[0])).unwrap()
    }

    /// The scripts a key path leaves aside: none, or some nobody knows.
    pub(super) fn merkle_root(&self) -> Option<TapNodeHash> {
        (self.keys[1].is_multiple_of(2)).then(|| TapNodeHash::assume_hidden([9; 32]))
    }

    /// What the internal key of a key path is tweaked by.
    pub(super) fn tweak(&self, keys: &Keys) -> bitcoin::secp256k1::Scalar {
        TapTweakHash::from_key_and_tweak(keys.x_only(self.keys[0]), self.merkle_root()).to_scalar()
    }

    fn unknown_program(&self) -> ScriptBuf {
        const VERSIONS: [WitnessVersion; 16] = [
            WitnessVersion::V1,
            WitnessVersion::V2,
            WitnessVersion::V3,
            WitnessVersion::V4,
            WitnessVersion::V5,
            WitnessVersion::V6,
            WitnessVersion::V7,
            WitnessVersion::V8,
            WitnessVersion::V9,
            WitnessVersion::V10,
            WitnessVersion::V11,
            WitnessVersion::V12,
            WitnessVersion::V13,
            WitnessVersion::V14,
            WitnessVersion::V15,
            WitnessVersion::V16,
        ];
        let version = VERSIONS[usize::try_from(self.number).unwrap()];
        // No size is 32, which version 1 would give a meaning.
        let size = [2, 3, 20, 33, 40][self.keys[0] % 5];
        let program = PushBytesBuf::try_from(vec![0x4e; size]).unwrap();
        ScriptBuf::new_witness_program(&WitnessProgram::new(version, program.as_bytes()).unwrap())
    }
}

/// Says that a sequence counts time, in units of 512 seconds (BIP68).
pub(super) const SEQUENCE_TIME: u32 = 1 << 22;
