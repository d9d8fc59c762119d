//! Numbers as Parquet packs them: levels, codes of a dictionary, differences.

use arrow::buffer::NullBuffer;

use super::numbers::{BLOCK, Numbers};

/// So many of a block share a width.
const SHARED: usize = 32;

/// A number in groups of seven bits, the lowest first.
pub(crate) fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n > 0x7f {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push((n & 0x7f) as u8);
}

/// A signed number as an unsigned one that is small when it is near zero.
fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

/// Which of so many values are there, with the length in bytes before it.
pub(super) fn levels(nulls: Option<&NullBuffer>, rows: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    out.extend_from_slice(&[0; 4]);
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) if nulls.null_count() < rows => {
            varint((rows.div_ceil(8) as u64) << 1 | 1, out);
            out.extend_from_slice(nulls.inner().sliced().as_slice().get(..rows.div_ceil(8)).unwrap_or(&[]));
        }
        Some(_) => {
            out.truncate(begin);
            return none(rows, out);
        }
        None => {
            // One run.
            varint((rows as u64) << 1, out);
            out.push(1);
        }
    }
    let length = u32::try_from(out.len() - begin - 4).unwrap_or(u32::MAX);
    out[begin..begin + 4].copy_from_slice(&length.to_le_bytes());
}

/// The levels of so many values none of which is there.
pub(super) fn none(rows: usize, out: &mut Vec<u8>) {
    let mut run = Vec::new();
    varint((rows as u64) << 1, &mut run);
    run.push(0);
    out.extend_from_slice(&u32::try_from(run.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&run);
}

/// Codes of a dictionary, each of so many bits, with the width before them.
pub(super) fn codes<T: Copy + Default + PartialEq + Into<u32>>(codes: &[T], width: usize, out: &mut Vec<u8>) {
    out.push(u8::try_from(width).unwrap_or(32));
    let first = codes.first().copied().unwrap_or_default();
    if codes.iter().all(|code| *code == first) {
        varint((codes.len() as u64) << 1, out);
        return out.extend_from_slice(&first.into().to_le_bytes()[..width.div_ceil(8)]);
    }
    varint((codes.len().div_ceil(8) as u64) << 1 | 1, out);
    let begin = out.len();
    let bytes = codes.len().div_ceil(8) * width;
    // Every group of eight is written with some bytes too many, which the next one overwrites.
    out.resize(begin + bytes + 32, 0);
    let mut at = begin;
    for group in codes.chunks(8) {
        let mut eight = [0_u32; 8];
        eight.iter_mut().zip(group).for_each(|(place, code)| *place = (*code).into());
        if width <= 8 {
            let word = eight
                .iter()
                .enumerate()
                .fold(0_u64, |word, (i, code)| word | u64::from(*code) << (i * width));
            out[at..at + 8].copy_from_slice(&word.to_le_bytes());
        } else if width <= 16 {
            let word = eight
                .iter()
                .enumerate()
                .fold(0_u128, |word, (i, code)| word | u128::from(*code) << (i * width));
            out[at..at + 16].copy_from_slice(&word.to_le_bytes());
        } else {
            let mut bits = Bits::default();
            let mut to = at;
            for code in eight {
                if let Some(word) = bits.push(u64::from(code), width) {
                    out[to..to + 8].copy_from_slice(&word.to_le_bytes());
                    to += 8;
                }
            }
            out[to..to + 8].copy_from_slice(&bits.word.to_le_bytes());
        }
        at += width;
    }
    out.truncate(begin + bytes);
}

/// Codes that come again and again up to so many rows, told as [`codes`] tells them.
pub(super) fn pattern(of: &[u32], rows: usize, width: usize, out: &mut Vec<u8>) {
    // Eight times the pattern is whole bytes.
    let most = of.len().saturating_mul(8);
    if of.len() <= 1 || rows <= most {
        let all: Vec<u32> = of.iter().copied().cycle().take(rows.min(most)).collect();
        if rows <= most || all.is_empty() {
            return codes(&all, width, out);
        }
        out.push(u8::try_from(width).unwrap_or(32));
        varint((rows as u64) << 1, out);
        return out.extend_from_slice(&all[0].to_le_bytes()[..width.div_ceil(8)]);
    }
    let mut one = Vec::new();
    codes(&of.repeat(8), width, &mut one);
    // Without its own width and length.
    let one = &one[one.len() - of.len() * width..];
    out.push(u8::try_from(width).unwrap_or(32));
    varint((rows.div_ceil(8) as u64) << 1 | 1, out);
    let (begin, bytes) = (out.len(), rows.div_ceil(8) * width);
    out.resize(begin + bytes, 0);
    out[begin..].chunks_mut(one.len()).for_each(|place| place.copy_from_slice(&one[..place.len()]));
    // What is beyond the last row is zero.
    let last = out.len() - width;
    let kept = rows % 8 * width;
    if kept > 0 {
        for (at, byte) in out[last..].iter_mut().enumerate() {
            let bits = kept.saturating_sub(at * 8).min(8);
            *byte &= ((1_u16 << bits) - 1) as u8;
        }
    }
}

/// Bits on their way into words.
#[derive(Default)]
struct Bits {
    word: u64,
    filled: usize,
}

impl Bits {
    /// Adds a value of so many bits, at least one; gives a word that is full.
    fn push(&mut self, value: u64, width: usize) -> Option<u64> {
        self.word |= value << self.filled;
        let filled = self.filled + width;
        if filled < 64 {
            self.filled = filled;
            return None;
        }
        let full = self.word;
        self.filled = filled - 64;
        self.word = if self.filled == 0 { 0 } else { value >> (width - self.filled) };
        Some(full)
    }
}

/// Whether numbers lie near each other, as far as samples tell: packing differences of many bits takes time and saves little.
pub(super) fn are_near(values: &dyn Numbers) -> bool {
    const SAMPLES: usize = 16;
    let apart = (values.rows() / SAMPLES).next_multiple_of(BLOCK).max(BLOCK);
    let (mut bits, mut count) = (0, 0);
    let mut near = [0; SHARED + 1];
    for from in (0..values.rows()).step_by(apart) {
        let near = &mut near[..(SHARED + 1).min(values.rows() - from)];
        values.fill(from, near);
        let differences = near.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
        let (least, most) = differences.fold((i64::MAX, i64::MIN), |(a, b), n| (a.min(n), b.max(n)));
        bits += 64 - most.wrapping_sub(least).leading_zeros();
        count += 1;
    }
    bits <= count * 24
}

/// Numbers as the differences from one to the next.
pub(super) fn differences(values: &dyn Numbers, out: &mut Vec<u8>) {
    let rows = values.rows();
    varint(BLOCK as u64, out);
    varint((BLOCK / SHARED) as u64, out);
    varint(rows as u64, out);
    if rows == 0 {
        return varint(0, out);
    }
    let mut here = [0_i64; BLOCK + 1];
    values.fill(0, &mut here[..1]);
    varint(zigzag(here[0]), out);
    let mut block = [0_i64; BLOCK];
    for from in (1..rows).step_by(BLOCK) {
        let until = rows.min(from + BLOCK);
        let here = &mut here[..=until - from];
        values.fill(from - 1, here);
        let (now, before) = (&here[1..], &here[..until - from]);
        let n = now.len();
        // A difference that leaves 64 bits comes back when it is added in 64 bits.
        for ((slot, now), before) in block.iter_mut().zip(now).zip(before) {
            *slot = now.wrapping_sub(*before);
        }
        let least = block[..n].iter().copied().fold(i64::MAX, i64::min);
        for slot in &mut block[..n] {
            *slot = slot.wrapping_sub(least);
        }
        block[n..].fill(0);
        varint(zigzag(least), out);
        let mut widths = [0_u8; BLOCK / SHARED];
        for (width, shared) in widths.iter_mut().zip(block.chunks_exact(SHARED)) {
            let any = shared.iter().fold(0, |any, n| any | n.cast_unsigned());
            *width = (64 - any.leading_zeros()) as u8;
        }
        out.extend_from_slice(&widths);
        for (width, shared) in widths.iter().zip(block.chunks_exact(SHARED)) {
            if *width > 0 {
                thirty_two(shared, usize::from(*width), out);
            }
        }
    }
}

/// Thirty-two numbers of so many bits.
fn thirty_two(values: &[i64], width: usize, out: &mut Vec<u8>) {
    let Ok(values) = <&[i64; SHARED]>::try_from(values) else { return };
    let mut words = [0_u64; SHARED];
    // Of a width that is known the compiler makes straight code.
    macro_rules! widths {
        ($($width:literal)*) => {
            match width {
                $($width => packed::<$width>(values, &mut words),)*
                _ => {}
            }
        };
    }
    widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
    widths!(33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64);
    let bytes = words.map(u64::to_le_bytes);
    out.extend_from_slice(bytes.as_flattened().get(..width * SHARED / 8).unwrap_or_default());
}

#[inline]
fn packed<const WIDTH: usize>(values: &[i64; SHARED], words: &mut [u64; SHARED]) {
    for (at, value) in values.iter().enumerate() {
        let (value, bit) = (value.cast_unsigned(), at * WIDTH);
        words[bit / 64] |= value << (bit % 64);
        if bit % 64 + WIDTH > 64 {
            words[bit / 64 + 1] |= value >> (64 - bit % 64);
        }
    }
}
