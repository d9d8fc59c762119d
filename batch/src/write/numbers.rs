//! Numbers on their way into a file, wherever they lie.

use arrow::buffer::NullBuffer;

/// Numbers one after another, made when they are asked for.
pub(crate) trait Numbers {
    fn rows(&self) -> usize;
    /// The numbers from a place on, as many as there is room for. The place is a multiple of [`BLOCK`].
    fn fill(&self, from: usize, into: &mut [i64]);
}

/// So many numbers are asked for at a time.
pub(crate) const BLOCK: usize = 128;

impl Numbers for &[i64] {
    fn rows(&self) -> usize {
        self.len()
    }

    fn fill(&self, from: usize, into: &mut [i64]) {
        let here = self.get(from..).unwrap_or_default();
        let n = here.len().min(into.len());
        into[..n].copy_from_slice(&here[..n]);
    }
}

/// Numbers each of which stands so many times.
pub(crate) struct Times<'a> {
    pub(crate) values: &'a [i64],
    pub(crate) times: usize,
}

impl Numbers for Times<'_> {
    fn rows(&self) -> usize {
        self.values.len() * self.times
    }

    fn fill(&self, from: usize, into: &mut [i64]) {
        let here = self.values.get(from / self.times..).unwrap_or_default();
        let skip = from % self.times;
        match self.times {
            1 => here.fill(0, into),
            2 if skip == 0 => {
                for (pair, value) in into.chunks_mut(2).zip(here) {
                    pair.fill(*value);
                }
            }
            times => {
                let all = here.iter().flat_map(|value| std::iter::repeat_n(*value, times));
                into.iter_mut().zip(all.skip(skip)).for_each(|(place, value)| *place = value);
            }
        }
    }
}

/// Columns of so many rows, row by row. What a column does not reach is zero.
pub(crate) struct Weave<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: Vec<&'a [i64]>,
}

impl Numbers for Weave<'_> {
    fn rows(&self) -> usize {
        self.rows * self.columns.len()
    }

    fn fill(&self, from: usize, into: &mut [i64]) {
        let count = self.columns.len();
        let (row, skip) = (from / count, from % count);
        match &*self.columns {
            [one] if one.len() == self.rows => one.fill(from, into),
            [one, two] if skip == 0 && one.len() == self.rows && two.len() == self.rows => {
                let (one, two) = (one.get(row..).unwrap_or_default(), two.get(row..).unwrap_or_default());
                let n = into.len() / 2;
                for ((pair, one), two) in into.chunks_exact_mut(2).zip(one).zip(two) {
                    (pair[0], pair[1]) = (*one, *two);
                }
                if let (1, Some(place), Some(last)) = (into.len() % 2, into.get_mut(n * 2), one.get(n)) {
                    *place = *last;
                }
            }
            columns if columns.iter().all(|column| column.is_empty()) => into.fill(0),
            columns => {
                let (mut row, mut nth) = (row, skip);
                for place in into {
                    *place = columns.get(nth).and_then(|column| column.get(row)).copied().unwrap_or_default();
                    nth += 1;
                    if nth == count {
                        (row, nth) = (row + 1, 0);
                    }
                }
            }
        }
    }
}

/// Those that are there.
pub(super) fn picked(values: &dyn Numbers, valid: &NullBuffer) -> Vec<i64> {
    let mut picked = Vec::with_capacity(valid.len() - valid.null_count() + BLOCK);
    let mut block = [0; BLOCK];
    let bits = valid.inner().sliced();
    let words = bits.as_slice();
    for from in (0..values.rows()).step_by(BLOCK) {
        let n = BLOCK.min(values.rows() - from);
        values.fill(from, &mut block[..n]);
        let begin = picked.len();
        picked.resize(begin + BLOCK, 0);
        let mut to = begin;
        for (eight, bits) in block[..n].chunks(8).zip(words.get(from / 8..).unwrap_or_default()) {
            for (bit, value) in eight.iter().enumerate() {
                // Written in any case, and overwritten by the next when it is not there.
                picked[to] = *value;
                to += usize::from(bits >> bit & 1);
            }
        }
        picked.truncate(to);
    }
    picked
}

/// Few numbers that stand often, and which of them stands where; nothing when there are too many of them.
pub(super) fn few(values: &dyn Numbers) -> Option<(Vec<i64>, Vec<u8>)> {
    const MOST: usize = 64;
    let mut found: Vec<i64> = Vec::with_capacity(MOST);
    let mut codes = Vec::with_capacity(values.rows());
    // Where a number was seen last, by the highest bits of a product; a full table would be looked through for long.
    let mut table = [u8::MAX; MOST * 4];
    let mut block = [0; BLOCK];
    for from in (0..values.rows()).step_by(BLOCK) {
        let n = BLOCK.min(values.rows() - from);
        values.fill(from, &mut block[..n]);
        for value in &block[..n] {
            let mut slot = (value.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize;
            let code = loop {
                let code = table[slot];
                if code == u8::MAX {
                    if found.len() == MOST {
                        return None;
                    }
                    table[slot] = found.len() as u8;
                    found.push(*value);
                    break table[slot];
                }
                if found.get(usize::from(code)) == Some(value) {
                    break code;
                }
                slot = (slot + 1) % table.len();
            };
            codes.push(code);
        }
    }
    Some((found, codes))
}
