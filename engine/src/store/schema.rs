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
    lead(connection, from, &STEPS)
}

fn lead(connection: &mut Connection, from: i64, steps: &[&str]) -> rusqlite::Result<()> {
    let done = usize::try_from(from).unwrap_or(0);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for step in steps.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", steps.len().cast_signed() as i64)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    fn filled() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, 0).unwrap();
        connection
            .execute_batch(
                "INSERT INTO records VALUES (1, x'01', x'02', x'03', x'04', NULL); INSERT INTO rows VALUES (x'61', x'62')",
            )
            .unwrap();
        connection
    }

    /// The step that a next schema may be, tried before there is one.
    #[test]
    fn a_file_is_led_from_schema_to_schema_with_all_that_is_in_it() {
        let mut connection = filled();
        let before = version(&connection);
        let next = "CREATE TABLE made_up (seq INTEGER PRIMARY KEY, size INTEGER NOT NULL);
                    INSERT INTO made_up SELECT seq, length(body) FROM records;
                    ALTER TABLE rows ADD COLUMN extra BLOB";
        let last = "DROP TABLE made_up; UPDATE rows SET extra = key";
        let steps = [&STEPS[..], &[next]].concat();
        lead(&mut connection, before, &steps).unwrap();
        assert_eq!(version(&connection), before + 1);
        let size: i64 = connection.query_row("SELECT size FROM made_up", [], |row| row.get(0)).unwrap();
        assert_eq!(size, 1);
        // A file that has had some of the steps gets the others alone; one that has had all is left as it is.
        let steps = [&steps[..], &[last]].concat();
        lead(&mut connection, before + 1, &steps).unwrap();
        lead(&mut connection, before + 2, &steps).unwrap();
        let row = connection.query_row("SELECT key, value, extra FROM rows", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
        });
        assert_eq!((version(&connection), row.unwrap()), (before + 2, (vec![0x61], vec![0x62], vec![0x61])));
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_at_its_schema() {
        let mut connection = filled();
        let before = version(&connection);
        let steps =
            [&STEPS[..], &["CREATE TABLE half (n); DELETE FROM rows", "INSERT INTO nowhere VALUES (1)"]]
                .concat();
        assert!(lead(&mut connection, before, &steps).is_err());
        assert_eq!(version(&connection), before);
        let count = |table: &str| {
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
        };
        assert_eq!((count("rows"), count("records")), (Ok(1), Ok(1)));
        assert!(count("half").is_err());
    }
}
