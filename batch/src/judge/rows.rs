//! Some of a sheet's rows, and what columns hold of them.

use crate::sheet::Numbers;

/// The rows of one run: some of the sheet's, one after another.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    /// So many from the first.
    From(usize, usize),
    These(&'a [u32]),
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Rows::From(_, rows) => *rows,
            Rows::These(rows) => rows.len(),
        }
    }

    pub(super) fn row(&self, at: usize) -> usize {
        match self {
            Rows::From(first, _) => first + at,
            Rows::These(rows) => rows.get(at).map_or(0, |row| *row as usize),
        }
    }

    pub(super) fn part(&self, from: usize, most: usize) -> Rows<'_> {
        match self {
            Rows::From(first, rows) => Rows::From(first + from, most.min(rows - from.min(*rows))),
            Rows::These(rows) => {
                let rest = rows.get(from..).unwrap_or_default();
                Rows::These(rest.get(..most.min(rest.len())).unwrap_or_default())
            }
        }
    }

    /// The rows' values where they lie, if they lie together.
    pub(super) fn slice<'v, T>(&self, from: &'v [T]) -> Option<&'v [T]> {
        match self {
            Rows::From(first, rows) => from.get(*first..first + rows),
            Rows::These(_) => None,
        }
    }

    /// Something made of each row's value. A row beyond the column leaves its place as it is.
    pub(super) fn each<T: Copy, U>(&self, from: &[T], into: &mut [U], make: impl Fn(T) -> U) {
        match self {
            Rows::From(first, rows) => {
                let part = from.get(*first..first + rows).unwrap_or_default();
                into.iter_mut().zip(part).for_each(|(into, value)| *into = make(*value));
            }
            Rows::These(rows) => {
                for (into, row) in into.iter_mut().zip(*rows) {
                    if let Some(value) = from.get(*row as usize) {
                        *into = make(*value);
                    }
                }
            }
        }
    }

    /// The rows' values.
    pub(super) fn gather<T: Copy>(&self, from: &[T], into: &mut [T]) {
        self.each(from, into, |value| value);
    }

    /// Missing numbers come as they lie; which are there is in the second list, filled with ones when all are.
    pub(super) fn numbers(&self, numbers: Option<&Numbers>, values: &mut [i64], valid: &mut [u8]) {
        match numbers {
            None => valid.fill(0),
            Some(numbers) => {
                self.gather(&numbers.values, values);
                match &numbers.valid {
                    None => valid.fill(1),
                    Some(known) => self.gather(known, valid),
                }
            }
        }
    }
}
