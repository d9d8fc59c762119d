//! The whole chain carried as text: one record a line, out of any store and into any other.

use serde::{Deserialize, Serialize};

use super::verify::{again, begun};
use super::{DurableEngine, DurableError};
use crate::store::{Digest, Head, Record, Removable, Store, StoreError};

/// A record as a line. Head, body and results are the texts that were hashed.
#[derive(Serialize, Deserialize)]
struct Line {
    seq: u64,
    head: String,
    link: Digest,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    salt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    results: Option<String>,
}

/// Records that are written in one transaction when a chain is carried in.
const PART: u64 = 1000;

/// Writes every record as a line of JSON, in order.
///
/// # Errors
/// [`StoreError`] when the store cannot be read or the lines cannot be written.
pub fn export(
    store: &dyn Store,
    write: &mut dyn FnMut(&str) -> std::io::Result<()>,
) -> Result<u64, StoreError> {
    let mut next = 1;
    loop {
        let part = store.records(next, 1000)?;
        let Some(last) = part.last() else { return Ok(next - 1) };
        next = last.seq + 1;
        for record in part {
            let seq = record.seq;
            let text = |bytes: Vec<u8>| {
                String::from_utf8(bytes).map_err(|_| StoreError::damaged(format!("record {seq} is no text")))
            };
            let Removable { salt, body, results } = record.removable;
            let line = Line {
                seq,
                head: text(record.head)?,
                link: record.link,
                salt: salt.iter().map(|byte| format!("{byte:02x}")).collect(),
                body: body.map(text).transpose()?,
                results: results.map(text).transpose()?,
            };
            let line =
                serde_json::to_string(&line).map_err(|error| StoreError::damaged(error.to_string()))?;
            write(&line).map_err(|error| StoreError::Failed {
                path: "the export".to_owned(),
                reason: error.to_string(),
            })?;
        }
    }
}

/// Reads a chain into an empty store: the same records byte for byte; the rows are made anew from them, and must be those that
/// the records close over.
///
/// # Errors
/// [`DurableError`]: the first line that is none, or does not follow from those before it. What was read before it is in the store.
pub fn import(
    lines: impl Iterator<Item = std::io::Result<String>>,
    into: Box<dyn Store>,
) -> Result<DurableEngine, DurableError> {
    let mut into = Some(into);
    let mut engine: Option<DurableEngine> = None;
    for (n, line) in (1_u64..).zip(lines) {
        let wrong = |what: String| StoreError::damaged(format!("line {n}: {what}"));
        let line = line.map_err(|error| wrong(error.to_string()))?;
        let record = read(&line).map_err(wrong)?;
        let head: Head = serde_json::from_slice(&record.head).map_err(|error| wrong(error.to_string()))?;
        let engine = match (&mut engine, into.take()) {
            (Some(engine), _) => engine,
            (none, Some(into)) => {
                let mut first = begun(into, &head)?;
                first.shared.lock().begin()?;
                first.bulk = true;
                none.insert(first)
            }
            (None, None) => return Err(wrong("no store".to_owned()).into()),
        };
        if record.seq != n {
            return Err(wrong(format!("record {} where {n} is due", record.seq)).into());
        }
        engine.given = Some(record.clone());
        again(engine, &record, &head)?;
        if engine.tip.seq != n || engine.given.is_some() {
            return Err(wrong("it does not follow from the lines before it".to_owned()).into());
        }
        if n % PART == 0 {
            engine.shared.lock().commit()?;
            engine.let_go();
            engine.shared.lock().begin()?;
        }
    }
    let Some(mut engine) = engine else {
        return Err(StoreError::damaged("there is no line to import").into());
    };
    engine.shared.lock().commit()?;
    engine.bulk = false;
    engine.reload()?;
    Ok(engine)
}

fn read(line: &str) -> Result<Record, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| format!("no record: {error}"))?;
    let hex = |text: &str| -> Option<Vec<u8>> {
        let pairs = text.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    };
    let salt = hex(&line.salt).ok_or_else(|| format!("`{}` is no salt", line.salt))?;
    let bytes = |text: Option<String>| text.map(String::into_bytes);
    let removable = Removable { salt, body: bytes(line.body), results: bytes(line.results) };
    Ok(Record { seq: line.seq, head: line.head.into_bytes(), link: line.link, removable })
}

impl DurableEngine {
    /// Writes every record as a line of JSON, as [`export`] does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn export(&self, write: &mut dyn FnMut(&str) -> std::io::Result<()>) -> Result<u64, StoreError> {
        export(&**self.shared.lock(), write)
    }
}
