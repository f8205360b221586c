//! Coins in few bytes: a chain may hold millions.

use bitcoin::{OutPoint, Txid};

use super::keys::KEYS;
use crate::random::Random;

/// What an output demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputKind {
    P2wpkh,
    P2tr,
    P2pkh,
    /// P2WSH of a 2-of-3.
    Multisig,
}

/// Whom an output pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) kind: OutputKind,
    /// Index of the only key, or of the first.
    pub(super) key: u16,
}

impl Destination {
    pub(super) fn draw(random: &mut Random) -> Self {
        let kind = match random.below(10) {
            0..=4 => OutputKind::P2wpkh,
            5..=7 => OutputKind::P2tr,
            8 => OutputKind::P2pkh,
            _ => OutputKind::Multisig,
        };
        Self { kind, ..Self::draw_miner(random) }
    }

    /// Miners are paid by P2WPKH.
    pub(super) fn draw_miner(random: &mut Random) -> Self {
        let key = random.below(usize::from(KEYS));
        Self { kind: OutputKind::P2wpkh, key: key.try_into().expect("below a u16") }
    }
}

/// An output that is not spent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coin {
    pub(super) txid: Txid,
    pub(super) vout: u32,
    pub(super) destination: Destination,
    /// Satoshis.
    pub(super) amount: u64,
}

impl Coin {
    pub(super) fn outpoint(&self) -> OutPoint {
        OutPoint { txid: self.txid, vout: self.vout }
    }
}
