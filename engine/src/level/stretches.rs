//! Sets of stretches of time: sorted, apart from each other, each with its beginning and without its end.

use crate::Instant;

/// Stretches of time that neither overlap nor touch, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stretches(Vec<(Instant, Instant)>);

impl Stretches {
    /// All that lies in any of these; what ends before it begins holds nothing.
    pub(crate) fn of(stretches: impl IntoIterator<Item = (Instant, Instant)>) -> Stretches {
        let mut list: Vec<_> = stretches.into_iter().filter(|(from, until)| from < until).collect();
        list.sort_unstable();
        let mut merged: Vec<(Instant, Instant)> = Vec::with_capacity(list.len());
        for (from, until) in list {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => merged.push((from, until)),
            }
        }
        Stretches(merged)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Instant, Instant)> + '_ {
        self.0.iter().copied()
    }

    /// What lies in these and not in the others.
    pub(crate) fn minus(&self, other: &Stretches) -> Stretches {
        let mut left = Vec::with_capacity(self.0.len());
        let mut taken = other.0.iter().peekable();
        for (from, until) in self.iter() {
            let mut begun = from;
            while let Some((cut, end)) = taken.peek().filter(|(cut, _)| *cut < until) {
                if begun < *cut {
                    left.push((begun, *cut));
                }
                begun = begun.max(*end);
                if *end > until {
                    // It may reach into the next stretch as well.
                    break;
                }
                taken.next();
            }
            if begun < until {
                left.push((begun, until));
            }
        }
        Stretches(left)
    }
}

impl IntoIterator for Stretches {
    type Item = (Instant, Instant);
    type IntoIter = std::vec::IntoIter<(Instant, Instant)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
