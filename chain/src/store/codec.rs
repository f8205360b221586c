//! How coins are written: in pages, in undo records and in the journal.
//!
//! Numbers are unsigned LEB128: seven bits a byte, the lowest first, the highest bit set where more follow. A coin is its height
//! and whether a coinbase made it (twice the height, plus one), its amount and its script, each compressed. The bytes are
//! pinned by golden tests: to change them is to change [`SCHEMA_VERSION`](super::SCHEMA_VERSION).

use bitcoin::hashes::Hash;
use bitcoin::{Amount, OutPoint, Txid};

use super::StoreError;
use crate::coins::{Coin, CoinScript};
use crate::script::MAX_SCRIPT_SIZE;

/// Reads what the functions beside it wrote; every failure means that the data is damaged.
#[derive(Debug, Clone)]
pub(crate) struct StoredReader<'a> {
    left: &'a [u8],
    what: &'static str,
}

impl<'a> StoredReader<'a> {
    /// A reader of `what`, such as "a page of coins".
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { left: bytes, what }
    }

    /// What is left to read.
    pub(crate) fn left(&self) -> &'a [u8] {
        self.left
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The error for bytes that cannot be.
    pub(crate) fn damaged(&self, detail: impl Into<String>) -> StoreError {
        StoreError::Damaged { what: self.what, detail: detail.into() }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], StoreError> {
        let (taken, left) = self
            .left
            .split_at_checked(count)
            .ok_or_else(|| self.damaged(format!("expected {count} more bytes, got {}", self.left.len())))?;
        self.left = left;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        Ok(self.take(N)?.try_into().expect("`take` returns as many bytes as asked for"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, StoreError> {
        Ok(self.array::<1>()?[0])
    }

    /// Four bytes, little-endian.
    pub(crate) fn u32(&mut self) -> Result<u32, StoreError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn number(&mut self) -> Result<u64, StoreError> {
        let mut value = 0u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged("a number exceeds 64 bits"))
    }

    pub(crate) fn number_u32(&mut self) -> Result<u32, StoreError> {
        let got = self.number()?;
        u32::try_from(got).map_err(|_| self.damaged(format!("expected a number of at most 32 bits, got {got}")))
    }

    /// An outpoint as [`write_outpoint`] wrote it.
    pub(crate) fn outpoint(&mut self) -> Result<OutPoint, StoreError> {
        let txid = Txid::from_byte_array(self.array()?);
        Ok(OutPoint { txid, vout: self.number_u32()? })
    }

    /// A coin as [`write_coin`] wrote it.
    pub(crate) fn coin(&mut self) -> Result<Coin, StoreError> {
        let code = self.number()?;
        let height = u32::try_from(code >> 1).map_err(|_| self.damaged(format!("a coin of height {}", code >> 1)))?;
        let amount = self.number()?;
        let amount = decompress_amount(amount).ok_or_else(|| self.damaged("an amount exceeds 64 bits"))?;
        let script_pubkey = self.script()?;
        Ok(Coin { amount: Amount::from_sat(amount), script_pubkey, height, is_coinbase: code & 1 == 1 })
    }

    /// Skips a coin.
    pub(crate) fn skip_coin(&mut self) -> Result<(), StoreError> {
        self.number()?;
        self.number()?;
        let (_, size) = self.script_form()?;
        self.take(size)?;
        Ok(())
    }

    /// The template of a script, if it has one, and how many bytes of it follow.
    fn script_form(&mut self) -> Result<(Option<&'static Template>, usize), StoreError> {
        let tag = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        match TEMPLATES.get(tag) {
            Some(template) => Ok((Some(template), template.hole)),
            None if tag - TEMPLATES.len() <= MAX_SCRIPT_SIZE => Ok((None, tag - TEMPLATES.len())),
            None => Err(self.damaged(format!("a script of {} bytes", tag - TEMPLATES.len()))),
        }
    }

    fn script(&mut self) -> Result<CoinScript, StoreError> {
        let (template, size) = self.script_form()?;
        let bytes = self.take(size)?;
        let Some(Template { before, after, .. }) = template else { return Ok(CoinScript::from(bytes)) };
        let mut script = [0; LONGEST_TEMPLATE];
        let (start, end) = (before.len(), before.len() + size);
        script[..start].copy_from_slice(before);
        script[start..end].copy_from_slice(bytes);
        script[end..end + after.len()].copy_from_slice(after);
        Ok(CoinScript::from(&script[..end + after.len()]))
    }
}

/// Appends a number.
pub(crate) fn write_number(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low & 0x7f);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Appends an outpoint: the txid, then the index.
pub(crate) fn write_outpoint(bytes: &mut Vec<u8>, outpoint: &OutPoint) {
    bytes.extend_from_slice(outpoint.txid.as_byte_array());
    write_number(bytes, outpoint.vout.into());
}

/// Appends a coin.
pub(crate) fn write_coin(bytes: &mut Vec<u8>, coin: &Coin) {
    write_number(bytes, u64::from(coin.height) << 1 | u64::from(coin.is_coinbase));
    write_number(bytes, compress_amount(coin.amount.to_sat()));
    let script = coin.script_pubkey.as_bytes();
    let form = (0u64..).zip(&TEMPLATES).find_map(|(tag, template)| Some((tag, template.hole_in(script)?)));
    if let Some((tag, hole)) = form {
        write_number(bytes, tag);
        bytes.extend_from_slice(hole);
    } else {
        write_number(bytes, (TEMPLATES.len() + script.len()) as u64);
        bytes.extend_from_slice(script);
    }
}

/// A script that is the same for all its users but for one hash or key.
struct Template {
    before: &'static [u8],
    /// Size of what differs, in bytes.
    hole: usize,
    after: &'static [u8],
}

/// The outputs that addresses stand for, in the order of their tags; the tag of any other script is its length behind them.
const TEMPLATES: [Template; 5] = [
    // P2PKH: OP_DUP OP_HASH160 <20> OP_EQUALVERIFY OP_CHECKSIG
    Template { before: &[0x76, 0xa9, 0x14], hole: 20, after: &[0x88, 0xac] },
    // P2SH: OP_HASH160 <20> OP_EQUAL
    Template { before: &[0xa9, 0x14], hole: 20, after: &[0x87] },
    // P2WPKH: OP_0 <20>
    Template { before: &[0x00, 0x14], hole: 20, after: &[] },
    // P2WSH: OP_0 <32>
    Template { before: &[0x00, 0x20], hole: 32, after: &[] },
    // P2TR: OP_1 <32>
    Template { before: &[0x51, 0x20], hole: 32, after: &[] },
];
const LONGEST_TEMPLATE: usize = 34;

impl Template {
    fn hole_in<'a>(&self, script: &'a [u8]) -> Option<&'a [u8]> {
        let hole = script.strip_prefix(self.before)?.strip_suffix(self.after)?;
        (hole.len() == self.hole).then_some(hole)
    }
}

/// Amounts are mostly round, so their trailing zeros go into one digit (Core: `CompressAmount`, `compressor.cpp`).
fn compress_amount(satoshis: u64) -> u64 {
    if satoshis == 0 {
        return 0;
    }
    let exponent = (0..9).find(|&exponent| !satoshis.is_multiple_of(10u64.pow(exponent + 1))).unwrap_or(9);
    let rest = satoshis / 10u64.pow(exponent);
    // Saturates only far above any amount there can be, which a coin's amount never is.
    if exponent < 9 {
        let (rest, digit) = (rest / 10, rest % 10);
        rest.saturating_mul(9).saturating_add(digit - 1).saturating_mul(10).saturating_add(u64::from(exponent) + 1)
    } else {
        (rest - 1) * 10 + 10
    }
}

/// The amount in satoshis, or nothing when it exceeds 64 bits (Core: `DecompressAmount`).
fn decompress_amount(compressed: u64) -> Option<u64> {
    let Some(number) = compressed.checked_sub(1) else { return Some(0) };
    let (number, exponent) = (number / 10, u32::try_from(number % 10).expect("a digit"));
    let rest = if exponent < 9 { number / 9 * 10 + number % 9 + 1 } else { number.checked_add(1)? };
    rest.checked_mul(10u64.pow(exponent))
}

#[cfg(test)]
mod tests;
