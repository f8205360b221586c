//! Notes to addresses and transactions (the kinds of BIP329).

use std::collections::HashMap;

use bdk_wallet::rusqlite::params;

use super::{Store, StoreError};

/// What a label is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labelled {
    /// An address of the wallet.
    Address,
    /// A transaction, by its id.
    Transaction,
}

impl Labelled {
    /// Its name in BIP329.
    const fn name(self) -> &'static str {
        match self {
            Self::Address => "addr",
            Self::Transaction => "tx",
        }
    }
}

impl Store {
    /// Notes something; what was noted before is replaced.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn set_label(&mut self, labelled: Labelled, reference: &str, text: &str) -> Result<(), StoreError> {
        let statement = "INSERT OR REPLACE INTO label VALUES (?1, ?2, ?3)";
        self.connection.execute(statement, params![labelled.name(), reference, text])?;
        Ok(())
    }

    /// All labels of a kind, by what they are for.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn labels(&self, labelled: Labelled) -> Result<HashMap<String, String>, StoreError> {
        let mut statement = self.connection.prepare("SELECT reference, text FROM label WHERE kind = ?1")?;
        let rows = statement.query_map([labelled.name()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
