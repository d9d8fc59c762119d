//! Which rows are judged by which terms and by which segment of the clauses.

use super::Judge;
use super::rows::Rows;
use crate::kernel::bounds;
use crate::plan::Epoch;

impl Judge<'_> {
    /// The rows of each epoch; nothing when there is but one. Rows that were not reported belong to none.
    pub(super) fn by_epoch(&self) -> Vec<(usize, Option<Vec<u32>>)> {
        let Some(reported) = self.sheet.reported() else { return Vec::new() };
        let epochs = &self.batch.epochs;
        if reported.valid.is_none() {
            if epochs.len() == 1 {
                return vec![(0, None)];
            }
            let values = reported.values.get(..self.sheet.rows).unwrap_or_default();
            let (least, most) = bounds(self.arch, values);
            let (first, last) = (self.batch.epoch_of(least), self.batch.epoch_of(most));
            if first == last {
                return vec![(first, None)];
            }
        }
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); epochs.len()];
        for (row, at) in reported.values.iter().take(self.sheet.rows).enumerate() {
            if reported.valid.as_ref().is_none_or(|valid| valid.get(row) == Some(&1)) {
                let of = rows.get_mut(self.batch.epoch_of(*at));
                of.into_iter().for_each(|rows| rows.push(u32::try_from(row).unwrap_or(u32::MAX)));
            }
        }
        rows.into_iter()
            .enumerate()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(at, rows)| (at, Some(rows)))
            .collect()
    }

    /// The rows of each segment that has a guard, found by the values of its fact.
    pub(super) fn buckets(&self, epoch: &Epoch, all: Rows<'_>) -> Vec<Option<Vec<u32>>> {
        let mut buckets: Vec<Option<Vec<u32>>> =
            epoch.segments.iter().map(|segment| segment.guard.as_ref().map(|_| Vec::new())).collect();
        let mut facts: Vec<(u16, bool)> = epoch
            .segments
            .iter()
            .filter_map(|s| s.guard.as_ref())
            .map(|guard| (guard.fact, guard.first))
            .collect();
        facts.sort_unstable();
        facts.dedup();
        for (fact, first) in facts {
            let Some(numbers) = self.fact(fact, first) else { continue };
            // Which segments want a value.
            let mut wanted: Vec<Vec<usize>> = Vec::new();
            for (place, segment) in epoch.segments.iter().enumerate() {
                let Some(guard) = segment.guard.as_ref().filter(|g| (g.fact, g.first) == (fact, first))
                else {
                    continue;
                };
                wanted.resize(wanted.len().max(guard.values.len()), Vec::new());
                let taken = wanted.iter_mut().zip(guard.values.iter()).filter(|(_, yes)| **yes);
                taken.for_each(|(wanted, _)| wanted.push(place));
            }
            for at in 0..all.len() {
                let row = all.row(at);
                let known = numbers.valid.as_ref().is_none_or(|valid| valid.get(row) == Some(&1));
                let value = numbers.values.get(row).and_then(|value| usize::try_from(*value).ok());
                let segments = value.filter(|_| known).and_then(|value| wanted.get(value));
                for place in segments.into_iter().flatten() {
                    if let Some(Some(bucket)) = buckets.get_mut(*place) {
                        bucket.push(u32::try_from(row).unwrap_or(u32::MAX));
                    }
                }
            }
        }
        buckets
    }
}
