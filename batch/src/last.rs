//! The last instant of a history, as of which it is assessed when nobody says otherwise.

use std::path::Path;

use arrow::array::Array;
use holdback::{Instant, Pack};

use crate::BatchError;
use crate::cells::instants;
use crate::log::{LogLayout, Tells};
use crate::source::Source;
use crate::table::{Holds, Layout};

/// The end of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The last instant at which an event happened.
    pub at: Instant,
    /// This is what the statistics of a Parquet file say, which could be wrong: [`Job::ends`](crate::Job::ends) makes sure.
    pub said: bool,
}

/// The last instant at which an event of a history happened; nothing when there is none.
///
/// # Errors
/// [`BatchError`] when the file cannot be read, or its columns are neither those of a ticket table nor of an event log.
pub fn last_instant(pack: &Pack, input: &Path) -> Result<Option<End>, BatchError> {
    let source = Source::open(input, pack)?;
    let places: Vec<(usize, String)> = if LogLayout::fits(source.schema()) {
        let layout = LogLayout::of(pack, source.schema())?;
        layout
            .columns
            .into_iter()
            .filter(|(_, _, tells)| *tells == Tells::At)
            .map(|(at, name, _)| (at, name))
            .collect()
    } else {
        let layout = Layout::of(pack, source.schema())?;
        let is_kind = |holds: &Holds| matches!(holds, Holds::Kind(_));
        layout
            .columns
            .into_iter()
            .filter(|(_, _, holds)| is_kind(holds))
            .map(|(at, name, _)| (at, name))
            .collect()
    };
    let columns: Vec<usize> = places.iter().map(|(place, _)| *place).collect();
    if let Some(last) = source.last_of(&columns)
        && (crate::batch::YEARS.0..crate::batch::YEARS.1).contains(&last)
    {
        return Ok(end(last, true));
    }
    let mut last = None;
    for rows in source.batches(Some(&columns))? {
        let rows = rows?;
        for (place, name) in &places {
            let Some(array) = rows.columns().get(*place).filter(|array| array.null_count() < array.len())
            else {
                continue;
            };
            let (mut faults, mut beyond) = Default::default();
            let numbers = instants(name, array, None, &mut faults, &mut beyond, &mut 0)?;
            let is = |row: usize| numbers.valid.as_ref().is_none_or(|valid| valid.get(row) == Some(&1));
            // What lies beyond all calendars is no end to go by.
            let known =
                (0..array.len()).filter(|row| is(*row)).filter_map(|row| numbers.values.get(row).copied());
            last = last
                .max(known.filter(|at| (crate::batch::YEARS.0..crate::batch::YEARS.1).contains(at)).max());
        }
    }
    Ok(last.and_then(|at| end(at, false)))
}

fn end(at: i64, said: bool) -> Option<End> {
    Some(End { at: Instant::from_micros(at).ok()?, said })
}
