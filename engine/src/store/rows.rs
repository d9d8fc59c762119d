//! Keys of rows: a letter for the sort of row, then numbers with the high byte first, so that they sort as they count.

use super::fault::StoreError;

/// A key being put together.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) Vec<u8>);

impl Key {
    pub(crate) fn new(sort: u8) -> Key {
        let mut key = Vec::with_capacity(24);
        key.push(sort);
        Key(key)
    }

    pub(crate) fn u32(mut self, n: u32) -> Key {
        self.0.extend(n.to_be_bytes());
        self
    }

    pub(crate) fn u64(mut self, n: u64) -> Key {
        self.0.extend(n.to_be_bytes());
        self
    }

    /// A signed number, so that negative ones come first.
    pub(crate) fn i64(self, n: i64) -> Key {
        self.u64(n.cast_unsigned() ^ (1 << 63))
    }

    pub(crate) fn text(mut self, text: &str) -> Key {
        self.0.extend(text.as_bytes());
        self
    }

    /// A text that something follows: with its length before it, so that none is the beginning of another.
    pub(crate) fn part(self, text: &str) -> Key {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.u32(length).text(text)
    }

    /// The first key after all that begin with this one.
    pub(crate) fn end(&self) -> Vec<u8> {
        key_end(&self.0)
    }
}

/// The first key after all that begin so.
pub(crate) fn key_end(key: &[u8]) -> Vec<u8> {
    let mut end = key.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    // No key begins with this byte.
    vec![u8::MAX; 9]
}

/// Puts a text with its length before it into a value.
pub(crate) fn put_text(value: &mut Vec<u8>, text: &str) {
    value.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    value.extend(text.as_bytes());
}

/// Reads keys and values back.
pub(crate) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { left: bytes }
    }

    /// After the letter and so many more bytes of a key.
    pub(crate) fn after(bytes: &'a [u8], skipped: usize) -> Reader<'a> {
        Reader { left: bytes.get(skipped..).unwrap_or_default() }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], StoreError> {
        let short = || StoreError::damaged("a row of the store is too short");
        let (taken, left) = self.left.split_at_checked(length).ok_or_else(short)?;
        self.left = left;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, StoreError> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    pub(crate) fn u32(&mut self) -> Result<u32, StoreError> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().unwrap_or_default()))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, StoreError> {
        Ok(u64::from_be_bytes(self.take(8)?.try_into().unwrap_or_default()))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, StoreError> {
        Ok((self.u64()? ^ (1 << 63)).cast_signed())
    }

    pub(crate) fn part(&mut self) -> Result<&'a str, StoreError> {
        let length = self.u32()?;
        text(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], StoreError> {
        self.take(length)
    }

    /// What is left, as text.
    pub(crate) fn rest(self) -> Result<&'a str, StoreError> {
        text(self.left)
    }
}

fn text(bytes: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes).map_err(|_| StoreError::damaged("a row of the store is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_numbers_and_end_after_all_that_begin_so() {
        let numbers = [i64::MIN, -1, 0, 1, i64::MAX];
        let keys: Vec<Vec<u8>> = numbers.iter().map(|n| Key::new(b'w').i64(*n).0).collect();
        assert!(keys.is_sorted());
        for (key, n) in keys.iter().zip(numbers) {
            assert_eq!(Reader::after(key, 1).i64(), Ok(n));
        }
        let key = Key::new(b'h').u32(u32::MAX);
        assert!(key.end() > key.clone().u64(u64::MAX).0);
        assert!(key.end() <= Key::new(b'i').0);
        assert!(Reader::new(&[0, 0, 0, 9, 1]).part().is_err());
    }
}
