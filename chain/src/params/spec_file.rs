//! Network spec files: a private network written down in TOML.
//!
//! ```toml
//! name = "acme"                   # a-z, 0-9 and '-', at most 32
//! target_spacing = 30             # seconds between blocks
//! pow_limit = 0x1f00ffff          # easiest target: compact, or 64 hex digits in quotes; default: the genesis target
//! magic = "c0ffee01"              # opens records of block files; default: from the spec hash
//! mockable = false                # for tests: clocks may be set, and an old tip says nothing; default: false
//! seeds = ["/dns4/seed.acme.example/tcp/8533"]
//!
//! [genesis]
//! time = 1795219200               # seconds since 1970
//! message = "who, when, why"      # at most 91 bytes
//! bits = 0x1f00ffff               # compact target
//! nonce = 0                       # `cairn network mine-genesis FILE` finds it
//! version = 1                     # default: 1
//!
//! [retarget]
//! algorithm = "asert"             # after every block; below it: "bitcoin"
//! anchor_height = 0               # default: 0
//! anchor_bits = 0x1f00ffff        # default: the genesis bits
//! half_life = 8640                # seconds; default: 288 blocks' time
//! # algorithm = "bitcoin"         # once per timespan
//! # timespan = 60480              # seconds, a multiple of target_spacing
//! # allow_min_difficulty_blocks = false
//! # enforce_bip94 = false
//! # no_retargeting = false
//!
//! [subsidy]
//! initial = 50                    # coins; fractions in quotes: "12.5"
//! halving_interval = 2102400      # blocks
//!
//! [ports]                         # default: those of the network cairn
//! p2p = 8533
//! rpc = 18443
//!
//! [activation]                    # default: every rule from the start
//! csv = 1
//! ```
//!
//! Everything is checked before it becomes a [`ChainParams`], so that nothing later divides by zero or overflows. An
//! unknown key is an error: a misspelt rule would otherwise silently be another network.

mod error;
mod fields;
mod reader;
mod retarget;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bitcoin::block::Header;

pub use error::{SpecError, SpecFileError, SpecProblem};

use super::{ChainParams, GenesisParts};
use crate::params::compact::target_from_bits;
use crate::pow::Target;

/// The largest spec file that is read, in bytes; a complete one is below two thousand.
pub const MAX_SPEC_BYTES: usize = 64 * 1024;

/// A spec file whose every value is fit for use, except that the genesis block's work is not checked yet.
///
/// That check is [`NetworkSpec::into_params`]; before it the nonce can be searched.
#[derive(Debug, Clone)]
pub struct NetworkSpec {
    /// The network, with the genesis block as written.
    params: ChainParams,
    /// The genesis block's parts but for the nonce.
    genesis: GenesisParts,
    /// The nonce, if the file has one.
    nonce: Option<u32>,
    /// Whether the magic is to be derived.
    derive_magic: bool,
    /// Line of the nonce, or else of the genesis table.
    nonce_line: usize,
}

impl NetworkSpec {
    /// Reads a spec out of the text of its file.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line and, if it has one, its key.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        if text.len() > MAX_SPEC_BYTES {
            return Err(SpecError::TooLarge);
        }
        fields::read(text)
    }

    /// Reads a spec file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or as [`NetworkSpec::parse`].
    pub fn read(path: &Path) -> Result<Self, SpecFileError> {
        let io = |source| SpecFileError::Io { path: path.to_owned(), source };
        let spec = |source| SpecFileError::Spec { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        // One byte more than allowed tells a file that is too large from one that just fits.
        let limit = u64::try_from(MAX_SPEC_BYTES).expect("64 KiB").saturating_add(1);
        File::open(path).map_err(io)?.take(limit).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() > MAX_SPEC_BYTES {
            return Err(spec(SpecError::TooLarge));
        }
        let text = String::from_utf8(bytes).map_err(|error| spec(SpecError::not_utf8(&error)))?;
        Self::parse(&text).map_err(spec)
    }

    /// The genesis block's header, with nonce 0 if the file has none: what [`mine_genesis`](super::mine_genesis) needs.
    #[must_use]
    pub fn genesis_header(&self) -> Header {
        self.genesis_with(self.nonce.unwrap_or(0)).build().header
    }

    /// The network, if its genesis block has the work its bits promise.
    ///
    /// # Errors
    ///
    /// When the nonce is missing or does not meet the bits.
    pub fn into_params(self) -> Result<ChainParams, SpecError> {
        let problem = |problem| SpecError::Key { line: self.nonce_line, key: "genesis.nonce".to_owned(), problem };
        let nonce = self.nonce.ok_or_else(|| problem(SpecProblem::NoNonce))?;
        let genesis = self.genesis_with(nonce).build();
        let bits = genesis.header.bits;
        let target = target_from_bits(bits).expect("checked when the file was read");
        if !Target::new(target).is_met_by(&genesis.hash) {
            return Err(problem(SpecProblem::NotEnoughWork { nonce, hash: genesis.hash, bits: bits.to_consensus() }));
        }
        let mut params = self.params;
        params.consensus.genesis_hash = genesis.hash;
        params.genesis = genesis;
        if self.derive_magic {
            let [a, b, c, d, ..] = params.spec_hash();
            params.magic = [a, b, c, d];
        }
        Ok(params)
    }

    fn genesis_with(&self, nonce: u32) -> GenesisParts {
        GenesisParts { nonce, ..self.genesis.clone() }
    }
}

impl ChainParams {
    /// The network a spec file's text describes.
    ///
    /// # Errors
    ///
    /// As [`NetworkSpec::parse`] and [`NetworkSpec::into_params`].
    pub fn from_spec(text: &str) -> Result<Self, SpecError> {
        NetworkSpec::parse(text)?.into_params()
    }

    /// The network a spec file describes.
    ///
    /// # Errors
    ///
    /// As [`NetworkSpec::read`] and [`NetworkSpec::into_params`].
    pub fn from_spec_file(path: &Path) -> Result<Self, SpecFileError> {
        NetworkSpec::read(path)?.into_params().map_err(|source| SpecFileError::Spec { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests;
