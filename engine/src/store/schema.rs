//! The tables of a SQLite store, and the steps that lead older files here.

use std::path::Path;

use rusqlite::Connection;

use super::StoreError;
use super::seal::first_bytes;

/// `Hbk1`: tells a store from other programs' databases.
const APPLICATION: i64 = 0x4862_6b31;

/// Each step leads from the schema of its place to the next one. Steps are never edited: files that an earlier program wrote are
/// brought here by those they have not had, in one transaction.
const STEPS: [&str; 1] = ["
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY,
        head BLOB NOT NULL,
        link BLOB NOT NULL,
        salt BLOB NOT NULL,
        body BLOB,
        results BLOB
    );
    CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"];

/// The schema of this program: how many steps there are.
pub(super) const SCHEMA: i64 = STEPS.len().cast_signed() as i64;

/// The schema of a file, by its first bytes: nothing is touched.
pub(super) fn schema_of(path: &Path) -> Result<i64, StoreError> {
    let bytes = first_bytes(path)?;
    let foreign = |found: String| StoreError::Foreign { path: path.display().to_string(), found };
    if bytes.is_empty() {
        return Err(foreign("an empty file".to_owned()));
    }
    if !bytes.starts_with(b"SQLite format 3\0") {
        return Err(foreign("no SQLite database".to_owned()));
    }
    let number =
        |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
    let application = number(68).unwrap_or_default();
    if i64::from(application) != APPLICATION {
        return Err(foreign(format!("a database with application id {application:#x}")));
    }
    Ok(i64::from(number(60).unwrap_or_default()))
}

/// Leads a file of an earlier schema to this one.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(from).unwrap_or(0);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    transaction.commit()
}
