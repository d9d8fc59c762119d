//! SHA-256 digests, each made for one purpose, and the sum over rows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// What a digest is of. The first byte of what is hashed, so that no digest can stand for another; 0 and 1 are those of
/// RFC 9162.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    Leaf = 0,
    Node = 1,
    Link = 2,
    Removable = 3,
    Row = 4,
    Pack = 5,
    Event = 6,
    Result = 7,
    #[cfg(feature = "sqlite")]
    Mark = 8,
}

/// A SHA-256 digest; as text 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    pub(crate) fn of(what: Of, parts: &[&[u8]]) -> Digest {
        let mut hash = Sha256::new();
        hash.update([what as u8]);
        for part in parts {
            hash.update(part);
        }
        Digest(hash.finalize().into())
    }

    /// The same with the length before each part, where parts could be cut otherwise.
    pub(crate) fn of_parts(what: Of, parts: &[&[u8]]) -> Digest {
        let mut hash = Sha256::new();
        hash.update([what as u8]);
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Digest(hash.finalize().into())
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Digest> {
        bytes.try_into().ok().map(Digest)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(&self.0) {
            for (place, half) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *place = DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// In the place of a digit's value.
const NO_DIGIT: u8 = 0x80;

/// The value of every hexadecimal digit, by its byte.
const HALVES: [u8; 256] = {
    let mut halves = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        halves[b"0123456789abcdef"[value] as usize] = value as u8;
        halves[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    halves
};

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Digest, String> {
        let wrong = || format!("`{text}` is no digest: expected 64 hexadecimal digits");
        if text.len() != 64 {
            return Err(wrong());
        }
        let half = |digit: &u8| HALVES.get(usize::from(*digit)).copied().unwrap_or(NO_DIGIT);
        // Whether any was no digit is looked at once, at the end: heads are full of digests.
        let (mut bytes, mut all) = ([0; 32], 0);
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else { return Err(wrong()) };
            let (high, low) = (half(high), half(low));
            all |= high | low;
            *byte = high << 4 | low & 15;
        }
        if all & NO_DIGIT == 0 { Ok(Digest(bytes)) } else { Err(wrong()) }
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Digest, E> {
                text.parse().map_err(E::custom)
            }
        }
        from.deserialize_str(Text)
    }
}

/// The sum of the digests of all rows, modulo 2^256: whatever the order of writing, the same rows have the same sum. A row that
/// was changed, lost or added by itself alters it. It is kept up at the cost of one digest a row written.
///
/// It guards against damage. Somebody with great means could seek other rows with the same sum; what the rows should hold can be
/// had anew from the records, and `verify` with a replay does so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RowSum([u64; 4]);

impl RowSum {
    /// A row has come.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        let mut carry = false;
        for (sum, word) in self.0.iter_mut().zip(words(key, value)) {
            let (part, over) = sum.overflowing_add(word);
            let (part, again) = part.overflowing_add(u64::from(carry));
            (*sum, carry) = (part, over || again);
        }
    }

    /// A row has gone.
    pub fn take(&mut self, key: &[u8], value: &[u8]) {
        let mut borrow = false;
        for (sum, word) in self.0.iter_mut().zip(words(key, value)) {
            let (part, under) = sum.overflowing_sub(word);
            let (part, again) = part.overflowing_sub(u64::from(borrow));
            (*sum, borrow) = (part, under || again);
        }
    }

    /// The sum as a digest, for heads.
    pub fn digest(&self) -> Digest {
        let mut bytes = [0; 32];
        for (part, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            part.copy_from_slice(&word.to_be_bytes());
        }
        Digest(bytes)
    }

    /// The sum that a head holds.
    pub fn from_digest(digest: Digest) -> RowSum {
        let mut sum = RowSum::default();
        for (word, part) in sum.0.iter_mut().zip(digest.0.chunks_exact(8)) {
            *word = u64::from_be_bytes(part.try_into().unwrap_or_default());
        }
        sum
    }
}

fn words(key: &[u8], value: &[u8]) -> [u64; 4] {
    RowSum::from_digest(Digest::of_parts(Of::Row, &[key, value])).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written_and_nothing_else_is() {
        let digest = Digest::of(Of::Leaf, &[b""]);
        // The hash of an empty leaf, as RFC 9162 has it.
        assert_eq!(digest.to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("6e".parse::<Digest>().is_err());
        assert!("g".repeat(64).parse::<Digest>().is_err());
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }

    #[test]
    fn the_sum_forgets_the_order_and_what_was_taken_back() {
        let (mut one, mut other) = (RowSum::default(), RowSum::default());
        let rows: Vec<(Vec<u8>, Vec<u8>)> = (0..200_u8).map(|n| (vec![n], vec![n, n])).collect();
        rows.iter().for_each(|(key, value)| one.add(key, value));
        rows.iter().rev().for_each(|(key, value)| other.add(key, value));
        assert_eq!(one, other);
        assert_eq!(RowSum::from_digest(one.digest()), one);
        other.take(b"\x07", b"\x07\x07");
        assert_ne!(one, other);
        rows.iter().for_each(|(key, value)| one.take(key, value));
        assert_eq!(one, RowSum::default());
        // The parts of a row cannot be cut otherwise.
        one.add(b"ab", b"c");
        one.take(b"a", b"bc");
        assert_ne!(one, RowSum::default());
    }
}
