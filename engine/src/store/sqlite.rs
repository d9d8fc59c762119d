//! A store in one SQLite file, with its log beside it while it is open.

use std::path::{Path, PathBuf};

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, params};

use super::digest::Digest;
use super::schema::{SCHEMA, migrate, schema_of};
use super::seal::{Mark, broken_seal, failed, has_log, remove, seal, unseal};
use super::{Inspection, PackedRows, Record, Removable, Store, StoreError};

/// What a store is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// To be written, by this process alone.
    Write,
    /// To be read, also beside a writer.
    Read,
}

/// A store in one SQLite file: WAL, synchronous FULL, so that a commit that returned outlives a pulled plug.
///
/// One process writes at a time; others may read meanwhile. Beside the file stand SQLite's own `-wal` and `-shm` while it is open,
/// `-mark` (how far it has come, and the writer's lock) and, once it is closed, `-seal` (a digest of all its bytes).
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Nothing when it is open for reading, or nobody's to keep.
    mark: Option<Mark>,
    /// It may be written.
    writes: bool,
    /// The last record of the open transaction, to be marked once it is committed.
    appended: Option<(u64, Digest)>,
    /// The last record, when it is committed and its mark could not be written.
    unmarked: Option<(u64, Digest)>,
    last: u64,
    version: i64,
}

impl SqliteStore {
    /// Makes a new file. Its folder must be there.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or what the disk says.
    pub fn create(path: &Path) -> Result<SqliteStore, StoreError> {
        let exists = std::fs::exists(path).map_err(|error| failed(path, &error))?;
        if exists {
            return Err(StoreError::Exists { path: path.display().to_string() });
        }
        let mark = Mark::lock(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        SqliteStore::with(path, flags, Some(mark), 0)
    }

    /// An empty store for work whose result is not kept, such as a replay: what does not fit into some tens of megabytes of memory
    /// lies in a file of SQLite's own, which has no name and is gone with this value or with the process.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn temporary() -> Result<SqliteStore, StoreError> {
        let path = PathBuf::from("a temporary file");
        let opened = || -> rusqlite::Result<Connection> {
            let mut connection = Connection::open("")?;
            connection.set_prepared_statement_cache_capacity(32);
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.pragma_update(None, "cache_size", -32_768)?;
            connection.pragma_update(None, "journal_mode", "MEMORY")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            migrate(&mut connection, 0)?;
            Ok(connection)
        };
        let connection = opened().map_err(|error| refused(&path, &error))?;
        let (mark, appended, unmarked) = (None, None, None);
        Ok(SqliteStore { connection, path, mark, writes: true, appended, unmarked, last: 0, version: 0 })
    }

    /// Removes a store that holds no record, with the files beside it; one that holds some stays. Says whether it is gone.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], or what the disk says.
    pub fn remove_empty(path: &Path) -> Result<bool, StoreError> {
        let store = SqliteStore::open(path, Access::Write)?;
        if store.last()? > 0 {
            return Ok(false);
        }
        // The connection goes first, and takes its log along; the lock stays until the file is gone.
        let SqliteStore { connection, mark, .. } = store;
        drop(connection);
        remove(path)?;
        drop(mark);
        Ok(true)
    }

    /// Opens a file that is there.
    ///
    /// # Errors
    /// [`StoreError`]: each says what is wrong with the file and the way out; the file is left as it was.
    pub fn open(path: &Path, access: Access) -> Result<SqliteStore, StoreError> {
        let found = schema_of(path)?;
        let name = || path.display().to_string();
        if found > SCHEMA {
            return Err(StoreError::Newer { path: name(), found, known: SCHEMA });
        }
        match access {
            Access::Write => {
                let mark = Mark::lock(path)?;
                SqliteStore::with(path, OpenFlags::SQLITE_OPEN_READ_WRITE, Some(mark), found)
            }
            Access::Read if found < SCHEMA => Err(StoreError::Older { path: name(), found, known: SCHEMA }),
            Access::Read => match SqliteStore::with(path, OpenFlags::SQLITE_OPEN_READ_ONLY, None, found) {
                // In a folder that cannot be written SQLite makes no `-shm`; without a log none is needed.
                Err(_) if !has_log(path) => {
                    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                    SqliteStore::with(path, flags, None, found)
                }
                opened => opened,
            },
        }
    }

    fn with(
        path: &Path,
        flags: OpenFlags,
        mut mark: Option<Mark>,
        found: i64,
    ) -> Result<SqliteStore, StoreError> {
        let refuse = |error: rusqlite::Error| refused(path, &error);
        let noted = mark.as_mut().map_or_else(|| Mark::peek(path), Mark::read);
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = match flags.contains(OpenFlags::SQLITE_OPEN_URI) {
            true => Connection::open_with_flags(immutable(path), flags),
            false => Connection::open_with_flags(path, flags),
        }
        .map_err(refuse)?;
        connection.busy_timeout(std::time::Duration::from_secs(2)).map_err(refuse)?;
        connection.set_prepared_statement_cache_capacity(32);
        // Else every scan is planned anew for the keys that it is given.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(refuse)?;
        // Half of it is the page cache's usual use; it is what bounds the memory of a store of any size.
        connection.pragma_update(None, "cache_size", -32_768).map_err(refuse)?;
        if mark.is_some() {
            connection.pragma_update(None, "journal_mode", "WAL").map_err(refuse)?;
            connection.pragma_update(None, "synchronous", "FULL").map_err(refuse)?;
            // What is erased is overwritten.
            connection.pragma_update(None, "secure_delete", true).map_err(refuse)?;
            if found < SCHEMA {
                migrate(&mut connection, found).map_err(refuse)?;
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(refuse)?;
            }
            unseal(path)?;
        } else {
            // All that a reader sees is of one moment, whatever a writer does meanwhile.
            connection.execute_batch("BEGIN").map_err(refuse)?;
        }
        let last =
            connection.query_row("SELECT coalesce(max(seq), 0) FROM records", [], |row| row.get::<_, i64>(0));
        let last = last.map_err(refuse)?.cast_unsigned();
        let version = connection.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(refuse)?;
        let (path, appended, unmarked) = (path.to_owned(), None, None);
        let writes = mark.is_some();
        let store = SqliteStore { connection, path, mark: None, writes, appended, unmarked, last, version };
        if let Some(noted) = noted {
            store.has_come_to(noted)?;
        }
        Ok(SqliteStore { mark, ..store })
    }

    /// Whether the file holds the record that was acknowledged last.
    fn has_come_to(&self, (seq, link): (u64, Digest)) -> Result<(), StoreError> {
        let path = self.path.display();
        let found = if seq == 0 { None } else { self.record(seq)? };
        if seq > 0 && found.is_none() {
            return Err(StoreError::damaged(format!(
                "`{path}` ends with record {}, but record {seq} was acknowledged: its `-wal` file is torn or missing. Put that \
                 back; or, to go on without the lost records, remove `{path}-mark`",
                self.last
            )));
        }
        if found.is_some_and(|found| found.link != link) {
            return Err(StoreError::damaged(format!(
                "`{path}`: record {seq} is not the one that was acknowledged: the file was altered, or another one was put in \
                 its place; if that was meant, remove `{path}-mark`"
            )));
        }
        Ok(())
    }

    /// Copies the store as it stands into a new file, also while it is being written.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or what the disk says.
    pub fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        if std::fs::exists(to).map_err(|error| failed(to, &error))? {
            return Err(StoreError::Exists { path: to.display().to_string() });
        }
        let copied = || -> rusqlite::Result<i64> {
            let mut copy = Connection::open(to)?;
            Backup::new(&self.connection, &mut copy)?.run_to_completion(
                1024,
                std::time::Duration::ZERO,
                None,
            )?;
            // One file, that needs no log beside it.
            copy.pragma_update(None, "journal_mode", "DELETE")?;
            copy.query_row("SELECT coalesce(max(seq), 0) FROM records", [], |row| row.get(0))
        };
        let records = copied().map_err(|error| refused(to, &error))?;
        seal(to, records.cast_unsigned())
    }

    /// Writes the file anew without the room that removed values left.
    ///
    /// # Errors
    /// [`StoreError`]; the file is then as before.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("VACUUM").map_err(|error| refused(&self.path, &error))
    }

    fn query<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let all = || -> rusqlite::Result<Vec<T>> {
            self.connection.prepare_cached(sql)?.query_map(params, read)?.collect()
        };
        all().map_err(|error| refused(&self.path, &error))
    }

    fn write(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, StoreError> {
        if self.connection.is_autocommit() {
            return Err(self.failed("nothing can be written outside of a transaction"));
        }
        let written = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params));
        written.map_err(|error| refused(&self.path, &error))
    }

    /// Writes the mark of a record that is committed, if it could not be written before.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        if let (Some((seq, link)), Some(mark)) = (self.unmarked, &mut self.mark) {
            mark.note(seq, link).map_err(|error| StoreError::Unmarked {
                path: self.path.display().to_string(),
                reason: error.to_string(),
            })?;
            self.unmarked = None;
        }
        Ok(())
    }

    fn failed(&self, reason: &str) -> StoreError {
        StoreError::Failed { path: self.path.display().to_string(), reason: reason.to_owned() }
    }
}

/// The file as it is, for a folder in which nothing can be written.
fn immutable(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri + "?immutable=1"
}

fn refused(path: &Path, error: &rusqlite::Error) -> StoreError {
    let (name, reason) = (path.display().to_string(), error.to_string());
    // A write or a sync that fails: no room, a quota, a limit on the size of files.
    if let rusqlite::Error::SqliteFailure(told, _) = error
        && [778, 1034, 1290, 4874].contains(&told.extended_code)
    {
        return StoreError::Full { path: name };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { path: name },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { path: name },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::ReadOnly { path: name, reason }
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::damaged(format!("`{name}`: SQLite cannot read it: {reason}"))
        }
        _ => StoreError::Failed { path: name, reason },
    }
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<Record> {
    // A link of another length is none, and fits nowhere in the chain.
    let link = Digest::from_slice(row.get_ref(2)?.as_blob()?).unwrap_or(Digest([0; 32]));
    let removable = Removable { salt: row.get(3)?, body: row.get(4)?, results: row.get(5)? };
    Ok(Record { seq: row.get::<_, i64>(0)?.cast_unsigned(), head: row.get(1)?, link, removable })
}

const COLUMNS: &str = "seq, head, link, salt, body, results";
const SCAN: &str = "SELECT key, value FROM rows WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3";

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<(), StoreError> {
        if !self.writes {
            return Err(self.failed("it was opened for reading"));
        }
        self.catch_up()?;
        let begun = self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
        begun.map(|_| ()).map_err(|error| refused(&self.path, &error))
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let done = self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if let Err(error) = done {
            self.rollback();
            return Err(refused(&self.path, &error));
        }
        if let Some((seq, link)) = self.appended.take() {
            self.last = seq;
            self.unmarked = Some((seq, link));
            // It is committed whether or not the mark follows: that is what is answered. Without the mark nothing more is begun.
            let _ = self.catch_up();
        }
        Ok(())
    }

    fn rollback(&mut self) {
        self.appended = None;
        if !self.connection.is_autocommit() {
            // When even this fails, SQLite has rolled back by itself, or will when the file is opened again.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let next = self.last()? + 1;
        if record.seq != next {
            return Err(StoreError::damaged(format!("record {} comes where {next} is due", record.seq)));
        }
        let Removable { salt, body, results } = &record.removable;
        self.write(
            "INSERT INTO records (seq, head, link, salt, body, results) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![record.seq.cast_signed(), record.head, record.link.0, salt, body, results],
        )?;
        self.appended = Some((record.seq, record.link));
        Ok(())
    }

    fn replace(&mut self, seq: u64, removable: &Removable) -> Result<(), StoreError> {
        let Removable { salt, body, results } = removable;
        let params = params![seq.cast_signed(), salt, body, results];
        let found =
            self.write("UPDATE records SET salt = ?2, body = ?3, results = ?4 WHERE seq = ?1", params)?;
        if found == 0 {
            return Err(StoreError::damaged(format!("record {seq} is not there")));
        }
        Ok(())
    }

    fn record(&self, seq: u64) -> Result<Option<Record>, StoreError> {
        let sql = "SELECT seq, head, link, salt, body, results FROM records WHERE seq = ?1";
        let found = self.connection.prepare_cached(sql);
        let found = found.and_then(|mut sql| sql.query_row([seq.cast_signed()], read_record).optional());
        found.map_err(|error| refused(&self.path, &error))
    }

    fn records(&self, from: u64, most: usize) -> Result<Vec<Record>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM records WHERE seq >= ?1 ORDER BY seq LIMIT ?2");
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.query(&sql, params![i64::try_from(from).unwrap_or(i64::MAX), most], read_record)
    }

    fn last(&self) -> Result<u64, StoreError> {
        Ok(self.appended.map_or(self.last, |(seq, _)| seq))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.connection.prepare_cached("SELECT value FROM rows WHERE key = ?1");
        let found = found.and_then(|mut sql| sql.query_row([key], |row| row.get(0)).optional());
        found.map_err(|error| refused(&self.path, &error))
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.write("INSERT OR REPLACE INTO rows (key, value) VALUES (?1, ?2)", params![key, value])
            .map(|_| ())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.write("DELETE FROM rows WHERE key = ?1", params![key]).map(|_| ())
    }

    fn scan(&self, from: &[u8], until: &[u8], most: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.query(SCAN, params![from, until, most], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn scan_packed(&self, from: &[u8], until: &[u8], most: usize) -> Result<PackedRows, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let packed = || -> rusqlite::Result<PackedRows> {
            let mut statement = self.connection.prepare_cached(SCAN)?;
            let (mut rows, mut packed) =
                (statement.query(params![from, until, most])?, PackedRows::default());
            while let Some(row) = rows.next()? {
                packed.push(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
            }
            Ok(packed)
        };
        packed().map_err(|error| refused(&self.path, &error))
    }

    fn inspect(&self) -> Result<Inspection, StoreError> {
        let mut found = Inspection::default();
        let sealed = !has_log(&self.path);
        let structure = || self.query("PRAGMA integrity_check(20)", [], |row| row.get::<_, String>(0));
        // The seal is the same work again, over the bytes: it is done beside, where a thread can be had.
        let (structure, seal) = std::thread::scope(|scope| {
            let path = &self.path;
            let look = move || broken_seal(path);
            let beside = sealed.then(|| std::thread::Builder::new().spawn_scoped(scope, look).ok()).flatten();
            let structure = structure();
            let seal = match beside.map(|beside| beside.join()) {
                Some(Ok(seal)) => Some(seal),
                Some(Err(_)) | None => sealed.then(look),
            };
            (structure, seal)
        });
        match structure {
            Ok(told) => found
                .faults
                .extend(told.into_iter().filter(|told| told != "ok").map(|told| format!("SQLite: {told}"))),
            Err(error) => found.faults.push(error.to_string()),
        }
        let Some(seal) = seal else {
            let what =
                "the store is open, or was not closed: bytes that hold nothing are sealed when it is closed";
            found.remarks.push(what.to_owned());
            return Ok(found);
        };
        match seal? {
            None => found
                .remarks
                .push("the file is not sealed: bytes that hold nothing were not looked at".to_owned()),
            Some(Err(broken)) => found.faults.push(broken),
            Some(Ok(_)) => {}
        }
        Ok(found)
    }

    fn written_by_others(&mut self) -> Result<bool, StoreError> {
        let now = self.connection.prepare_cached("PRAGMA data_version");
        let now = now.and_then(|mut sql| sql.query_row([], |row| row.get::<_, i64>(0)));
        let now = now.map_err(|error| refused(&self.path, &error))?;
        Ok(std::mem::replace(&mut self.version, now) != now)
    }

    fn place(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if self.mark.is_none() {
            return Ok(());
        }
        self.catch_up()?;
        let busy =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        let busy = busy.map_err(|error| refused(&self.path, &error))?;
        // A reader beside it still needs the log: then it stays, and there is no seal.
        if busy == 0 && !has_log(&self.path) {
            seal(&self.path, self.last()?)?;
        }
        Ok(())
    }
}
