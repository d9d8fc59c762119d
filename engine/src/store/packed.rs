//! Very many rows in one piece of memory.

use super::Row;

/// Rows one behind the other, in the order in which they were put: for who reads through a store, and needs no row for itself.
///
/// ```
/// let mut rows = holdback::store::PackedRows::default();
/// rows.push(b"key", b"value");
/// assert_eq!(rows.iter().collect::<Vec<_>>(), [(&b"key"[..], &b"value"[..])]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedRows {
    bytes: Vec<u8>,
    /// The length of each key and of each value.
    lengths: Vec<(usize, usize)>,
}

impl PackedRows {
    /// Puts a row after the others.
    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.lengths.push((key.len(), value.len()));
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Keys and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut left = &self.bytes[..];
        self.lengths.iter().map_while(move |(key, value)| {
            let (own, after) = left.split_at_checked(*key)?;
            let (value, after) = after.split_at_checked(*value)?;
            left = after;
            Some((own, value))
        })
    }
}

impl FromIterator<Row> for PackedRows {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> PackedRows {
        let mut packed = PackedRows::default();
        rows.into_iter().for_each(|(key, value)| packed.push(&key, &value));
        packed
    }
}
