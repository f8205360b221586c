//! Chains on disk, made once and kept.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bitcoin::consensus::encode::serialize;
use bitcoin::constants::genesis_block;
use bitcoin::{Block, BlockHash, Network};

use super::{ChainGenerator, ChainOptions, SignatureCheck};

/// Part of each folder's name: to be raised when the same options give another chain or other files.
const GENERATION: u32 = 1;

/// A chain in a folder of its own.
#[derive(Clone, Debug)]
pub struct GeneratedChain {
    folder: PathBuf,
    tip: BlockHash,
    transactions: u64,
    spendable_coins: u64,
}

impl GeneratedChain {
    /// The chain with these options: the one `parent` has, or a new one that is put there. A folder with the chain's name
    /// is complete; what an interrupted call leaves has another.
    ///
    /// # Errors
    ///
    /// When files cannot be read or written.
    pub fn open_or_generate(parent: &Path, options: &ChainOptions) -> io::Result<Self> {
        let ChainOptions { blocks, transactions_per_block, coins, seed } = options;
        let name = format!(
            "chain-{GENERATION}-{blocks}-blocks-{transactions_per_block}-transactions-{coins}-coins-seed-{seed}"
        );
        let folder = parent.join(&name);
        if !folder.exists() {
            let partial = parent.join(format!("{name}.partial"));
            if partial.exists() {
                fs::remove_dir_all(&partial)?;
            }
            fs::create_dir_all(&partial)?;
            generate(&partial, options)?;
            fs::rename(&partial, &folder)?;
        }
        let summary = fs::read_to_string(folder.join("summary"))?;
        Self::read(folder, &summary)
            .ok_or_else(|| io::Error::other(format!("the summary in {name} should be three lines, is {summary:?}")))
    }

    fn read(folder: PathBuf, summary: &str) -> Option<Self> {
        let mut lines = summary.lines();
        let tip = lines.next()?.parse().ok()?;
        let transactions = lines.next()?.parse().ok()?;
        let spendable_coins = lines.next()?.parse().ok()?;
        Some(Self { folder, tip, transactions, spendable_coins })
    }

    /// The blocks from genesis on, framed as Core's `blk*.dat` files are: magic, length, block.
    #[must_use]
    pub fn block_file(&self) -> PathBuf {
        self.folder.join("blk00000.dat")
    }

    /// Hash of the last block.
    #[must_use]
    pub fn tip(&self) -> BlockHash {
        self.tip
    }

    /// Transactions after genesis that are not coinbases.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        self.transactions
    }

    /// Coins that a block after the tip could spend.
    #[must_use]
    pub fn spendable_coins(&self) -> u64 {
        self.spendable_coins
    }

    /// How many signatures the chain's scripts verify.
    ///
    /// # Errors
    ///
    /// When the file of them cannot be read.
    pub fn signature_check_count(&self) -> io::Result<u64> {
        let size = u64::try_from(SignatureCheck::ENCODED_SIZE).map_err(io::Error::other)?;
        Ok(fs::metadata(checks_path(&self.folder))?.len() / size)
    }

    /// Every signature check of the chain's scripts, in their order.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds anything else.
    pub fn signature_checks(&self) -> io::Result<Vec<SignatureCheck>> {
        let bytes = fs::read(checks_path(&self.folder))?;
        let (encoded, []) = bytes.as_chunks() else {
            return Err(io::Error::other("the file of signature checks ends within a check"));
        };
        let checks: Option<Vec<_>> = encoded.iter().map(SignatureCheck::decode).collect();
        checks.ok_or_else(|| io::Error::other("the file of signature checks holds something else"))
    }
}

fn checks_path(folder: &Path) -> PathBuf {
    folder.join("signature_checks")
}

fn generate(folder: &Path, options: &ChainOptions) -> io::Result<()> {
    let mut blocks = BufWriter::new(File::create_new(folder.join("blk00000.dat"))?);
    let mut checks = BufWriter::new(File::create_new(checks_path(folder))?);
    let genesis = genesis_block(Network::Regtest);
    let (mut tip, mut transactions) = (genesis.block_hash(), 0);
    write_block(&mut blocks, &genesis)?;
    let mut generator = ChainGenerator::new(*options);
    for generated in &mut generator {
        tip = generated.block.block_hash();
        transactions += generated.block.txdata.len() - 1;
        write_block(&mut blocks, &generated.block)?;
        for check in &generated.signature_checks {
            checks.write_all(&check.encode())?;
        }
    }
    let coins = generator.spendable_coins();
    fs::write(folder.join("summary"), format!("{tip}\n{transactions}\n{coins}\n"))?;
    // Whatever is measured next should not share the disk with what is still to be written here.
    for file in [blocks, checks] {
        file.into_inner()?.sync_all()?;
    }
    Ok(())
}

fn write_block(file: &mut impl Write, block: &Block) -> io::Result<()> {
    let bytes = serialize(block);
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    file.write_all(&Network::Regtest.magic().to_bytes())?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&bytes)
}
