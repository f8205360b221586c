//! Opening locks, and failing to.

use bitcoin::hashes::Hash;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::sighash::{Annex, Prevouts, SighashCache};
use bitcoin::taproot::TapLeafHash;
use bitcoin::{EcdsaSighashType, ScriptBuf, TapSighashType, Transaction, TxOut, Witness};

use super::keys::{Encoding, Keys, SECP256K1, sign_schnorr};
use super::lock::{Kind, Lock};
use crate::random::Random;

/// What is wrong with an attempt to open a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// The signatures are for another transaction.
    Signature,
    /// A signature is missing: there is nothing in its place.
    NoSignature,
    /// The signatures are padded in a way BIP66 forbids.
    Encoding,
    /// The item that `OP_CHECKMULTISIG` takes and does not need is something (BIP147).
    Dummy,
    /// A witness program is opened with a script that is not empty.
    ScriptSig,
    /// What is no witness program has a witness.
    Witness,
    /// A script hash is opened with operations.
    Operation,
    /// A script that the output does not commit to.
    OtherScript,
}

impl Flaw {
    pub(super) const ALL: [Self; 8] = [
        Self::Signature,
        Self::NoSignature,
        Self::Encoding,
        Self::Dummy,
        Self::ScriptSig,
        Self::Witness,
        Self::Operation,
        Self::OtherScript,
    ];

    /// Whether the flaw makes the attempt on this kind of lock fail.
    pub(super) fn spoils(self, kind: Kind) -> bool {
        use Kind::*;
        let multisig = matches!(kind, BareMultisig | P2shMultisig | P2wshMultisig);
        let script_hash = matches!(kind, P2sh | P2shMultisig | P2shCltv | P2shSigops);
        let nested = matches!(kind, P2shP2wpkh | P2shP2wsh);
        let program = matches!(kind, P2wpkh | P2wsh | P2wshMultisig | Cltv | Csv | P2wshSigops);
        let key_path = matches!(kind, TaprootKeyPath | TaprootKeyPathAnnex);
        let tapscript = matches!(kind, TaprootCheckSig | TaprootCheckSigAnnex | TaprootCheckSigAdd);
        let no_rules = matches!(kind, TaprootUnknownLeaf | TaprootOpSuccess);
        let unsigned = no_rules || matches!(kind, AnyoneCanSpend | Empty | UnknownWitness | P2shSigops | P2wshSigops);
        match self {
            Self::None => false,
            Self::Signature | Self::NoSignature => !unsigned,
            Self::Encoding => !unsigned && !key_path && !tapscript,
            Self::Dummy => multisig,
            Self::ScriptSig => nested || program || key_path || tapscript || no_rules || kind == UnknownWitness,
            Self::Witness => !(nested || program || key_path || tapscript || no_rules || kind == UnknownWitness),
            Self::Operation => script_hash || nested,
            Self::OtherScript => script_hash || nested || program || tapscript || no_rules,
        }
    }
}

/// One attempt to open a lock.
pub(super) struct Unlocking<'a> {
    pub(super) lock: Lock,
    pub(super) keys: &'a Keys,
    pub(super) tx: &'a Transaction,
    pub(super) index: usize,
    /// The outputs that the transaction spends.
    pub(super) spent: &'a [TxOut],
    pub(super) flaw: Flaw,
}

impl Unlocking<'_> {
    /// What the input must hold.
    pub(super) fn run(&self, rng: &mut Random) -> (ScriptBuf, Witness) {
        let (mut script_sig, mut witness) = self.open(rng);
        match self.flaw {
            Flaw::ScriptSig | Flaw::Operation => {
                let first = if self.flaw == Flaw::Operation { 0x61 } else { 0x51 };
                script_sig = ScriptBuf::from([&[first], script_sig.as_bytes()].concat());
            }
            Flaw::Witness => witness.push([1]),
            _ => {}
        }
        (script_sig, witness)
    }

    fn open(&self, rng: &mut Random) -> (ScriptBuf, Witness) {
        use Kind::*;
        let kind = self.lock.kind;
        let script = self.lock.script(self.keys);
        match kind {
            P2pk | P2pkUncompressed | P2pkh | BareMultisig | BareCsv => {
                (push_all(&self.legacy_items(rng, &script)), Witness::new())
            }
            P2sh | P2shMultisig | P2shCltv | P2shSigops => {
                let mut items = self.legacy_items(rng, &script);
                items.push(self.revealed(&script));
                (push_all(&items), Witness::new())
            }
            P2wpkh | P2wsh | P2wshMultisig | Cltv | Csv | P2wshSigops => {
                (ScriptBuf::new(), self.segwit_witness(rng, &script))
            }
            P2shP2wpkh | P2shP2wsh => {
                (push_all(&[self.lock.nested(self.keys).to_bytes()]), self.segwit_witness(rng, &script))
            }
            TaprootKeyPath | TaprootKeyPathAnnex => (ScriptBuf::new(), self.key_path(rng)),
            TaprootCheckSig | TaprootCheckSigAnnex | TaprootCheckSigAdd | TaprootUnknownLeaf | TaprootOpSuccess => {
                (ScriptBuf::new(), self.script_path(rng, &script))
            }
            AnyoneCanSpend => (ScriptBuf::new(), Witness::new()),
            Empty => (ScriptBuf::from(vec![0x51]), Witness::new()),
            UnknownWitness => {
                let items: Vec<_> = (0..rng.below(3)).map(|length| rng.bytes(length * 40)).collect();
                (ScriptBuf::new(), Witness::from_slice(&items))
            }
        }
    }

    /// The script as it is shown to whoever checks.
    fn revealed(&self, script: &ScriptBuf) -> Vec<u8> {
        let mut bytes = script.to_bytes();
        if self.flaw == Flaw::OtherScript {
            bytes.push(0x61);
        }
        bytes
    }

    /// Signatures, and what goes with them, below the script.
    fn legacy_items(&self, rng: &mut Random, script: &ScriptBuf) -> Vec<Vec<u8>> {
        let cache = SighashCache::new(self.tx);
        let mut sign = |key: usize| {
            let hash_type = ecdsa_type(rng);
            let sighash = cache.legacy_signature_hash(self.index, script, hash_type.to_u32()).unwrap();
            self.ecdsa(rng, key, sighash.to_byte_array(), hash_type)
        };
        self.items(&mut sign)
    }

    fn segwit_witness(&self, rng: &mut Random, script: &ScriptBuf) -> Witness {
        let mut cache = SighashCache::new(self.tx);
        let value = self.spent[self.index].value;
        let by_key_hash = matches!(self.lock.kind, Kind::P2wpkh | Kind::P2shP2wpkh);
        let mut sign = |key: usize| {
            let hash_type = ecdsa_type(rng);
            let sighash = if by_key_hash {
                let program = ScriptBuf::new_p2wpkh(&self.compressed(key).wpubkey_hash());
                cache.p2wpkh_signature_hash(self.index, &program, value, hash_type).unwrap()
            } else {
                cache.p2wsh_signature_hash(self.index, script, value, hash_type).unwrap()
            };
            self.ecdsa(rng, key, sighash.to_byte_array(), hash_type)
        };
        let mut items = self.items(&mut sign);
        if by_key_hash {
            let other = (self.lock.keys[0] + 1) % 2;
            let key = if self.flaw == Flaw::OtherScript { other } else { self.lock.keys[0] };
            items.push(self.compressed(key).to_bytes().to_vec());
        } else {
            items.push(self.revealed(script));
        }
        Witness::from_slice(&items)
    }

    fn compressed(&self, key: usize) -> bitcoin::CompressedPublicKey {
        bitcoin::CompressedPublicKey(self.keys.public(key))
    }

    /// What the script wants, lowest first.
    fn items(&self, sign: &mut dyn FnMut(usize) -> Vec<u8>) -> Vec<Vec<u8>> {
        let first = self.lock.keys[0];
        match self.lock.kind {
            Kind::BareMultisig | Kind::P2shMultisig | Kind::P2wshMultisig => {
                let dummy = if self.flaw == Flaw::Dummy { vec![1] } else { Vec::new() };
                let signers = usize::try_from(self.lock.number).unwrap();
                std::iter::once(dummy).chain(self.lock.keys[..signers].iter().map(|&key| sign(key))).collect()
            }
            Kind::P2pkh => vec![sign(first), bitcoin::PublicKey::new(self.keys.public(first)).to_bytes()],
            Kind::P2shSigops | Kind::P2wshSigops => Vec::new(),
            _ => vec![sign(first)],
        }
    }

    fn ecdsa(&self, rng: &mut Random, key: usize, mut sighash: [u8; 32], hash_type: EcdsaSighashType) -> Vec<u8> {
        let encoding = match self.flaw {
            Flaw::NoSignature => return Vec::new(),
            Flaw::Encoding => Encoding::Padded,
            _ if rng.chance(20) => Encoding::HighS,
            _ => Encoding::Usual,
        };
        if self.flaw == Flaw::Signature {
            sighash[0] ^= 1;
        }
        let hash_type = u8::try_from(hash_type.to_u32()).unwrap();
        self.keys.sign_ecdsa(key, sighash, hash_type, encoding)
    }

    fn key_path(&self, rng: &mut Random) -> Witness {
        let annex = self.annex(rng);
        let hash_type = self.taproot_type(rng);
        let sighash = self.taproot_sighash(hash_type, annex.as_deref(), None);
        let pair = self.keys.pair(self.lock.keys[0]).add_xonly_tweak(&SECP256K1, &self.lock.tweak(self.keys)).unwrap();
        let signature = match self.flaw {
            Flaw::NoSignature => Vec::new(),
            _ => sign_schnorr(&pair, sighash, hash_type_byte(hash_type)),
        };
        let items: Vec<_> = std::iter::once(signature).chain(annex).collect();
        Witness::from_slice(&items)
    }

    fn script_path(&self, rng: &mut Random, script: &ScriptBuf) -> Witness {
        let annex = self.annex(rng);
        let version = self.lock.leaf_version();
        let leaf = TapLeafHash::from_script(script, version);
        let mut sign = |key: usize| {
            if self.flaw == Flaw::NoSignature {
                return Vec::new();
            }
            let hash_type = self.taproot_type(rng);
            let sighash = self.taproot_sighash(hash_type, annex.as_deref(), Some(leaf));
            sign_schnorr(self.keys.pair(key), sighash, hash_type_byte(hash_type))
        };
        let mut items = match self.lock.kind {
            Kind::TaprootCheckSigAdd => {
                let signers = usize::try_from(self.lock.number).unwrap();
                let signature = |position: usize| {
                    if position < signers { sign(self.lock.keys[position]) } else { Vec::new() }
                };
                // The first key is checked first, so its signature lies on top.
                let mut signatures: Vec<_> = (0..3).map(signature).collect();
                signatures.reverse();
                signatures
            }
            Kind::TaprootCheckSig | Kind::TaprootCheckSigAnnex => vec![sign(self.lock.keys[0])],
            _ => Vec::new(),
        };
        items.push(self.revealed(script));
        let control_block = self.lock.taproot(self.keys).control_block(&(script.clone(), version)).unwrap();
        items.push(control_block.serialize());
        items.extend(annex);
        Witness::from_slice(&items)
    }

    fn annex(&self, rng: &mut Random) -> Option<Vec<u8>> {
        let wanted = matches!(self.lock.kind, Kind::TaprootKeyPathAnnex | Kind::TaprootCheckSigAnnex);
        wanted.then(|| {
            let length = rng.below(60);
            [vec![0x50], rng.bytes(length)].concat()
        })
    }

    fn taproot_type(&self, rng: &mut Random) -> TapSighashType {
        use TapSighashType::*;
        let of_own_output = self.index < self.tx.output.len();
        match rng.pick(&[Default, All, None, Single, AllPlusAnyoneCanPay, NonePlusAnyoneCanPay, SinglePlusAnyoneCanPay])
        {
            Single | SinglePlusAnyoneCanPay if !of_own_output => Default,
            hash_type => hash_type,
        }
    }

    fn taproot_sighash(&self, hash_type: TapSighashType, annex: Option<&[u8]>, leaf: Option<TapLeafHash>) -> [u8; 32] {
        /// No `OP_CODESEPARATOR` was executed.
        const NO_SEPARATOR: u32 = u32::MAX;
        let annex = annex.map(|annex| Annex::new(annex).unwrap());
        let leaf = leaf.map(|leaf| (leaf, NO_SEPARATOR));
        let mut cache = SighashCache::new(self.tx);
        let sighash = cache.taproot_signature_hash(self.index, &Prevouts::All(self.spent), annex, leaf, hash_type);
        let mut sighash = sighash.unwrap().to_byte_array();
        if self.flaw == Flaw::Signature {
            sighash[0] ^= 1;
        }
        sighash
    }
}

fn hash_type_byte(hash_type: TapSighashType) -> u8 {
    use TapSighashType::*;
    match hash_type {
        Default => 0,
        All => 1,
        None => 2,
        Single => 3,
        AllPlusAnyoneCanPay => 0x81,
        NonePlusAnyoneCanPay => 0x82,
        SinglePlusAnyoneCanPay => 0x83,
    }
}

fn ecdsa_type(rng: &mut Random) -> EcdsaSighashType {
    use EcdsaSighashType::*;
    rng.pick(&[All, All, None, Single, AllPlusAnyoneCanPay, NonePlusAnyoneCanPay, SinglePlusAnyoneCanPay])
}

fn push_all(items: &[Vec<u8>]) -> ScriptBuf {
    let push = |builder: Builder, item: &Vec<u8>| builder.push_slice(PushBytesBuf::try_from(item.clone()).unwrap());
    items.iter().fold(Builder::new(), push).into_script()
}
