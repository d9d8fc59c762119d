//! Tickets as columns: what the clauses and clocks look at, one row a ticket.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use holdback::Event;
use holdback::graph::TextOf;

/// Numbers of which some may be missing.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub(crate) values: ScalarBuffer<i64>,
    /// One where there is a value; nothing when all are there.
    pub(crate) valid: Option<Vec<u8>>,
}

/// Texts, each standing once.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    /// Which text each row has; [`Texts::NONE`] for none.
    pub(crate) codes: ScalarBuffer<u32>,
    pub(crate) texts: Vec<Arc<str>>,
}

impl Texts {
    pub(crate) const NONE: u32 = u32::MAX;
}

/// An event of a ticket as far as clocks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) at: i64,
    pub(crate) kind: u16,
    /// The reason's number; zero for none.
    pub(crate) reason: u32,
}

/// The full histories of some rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histories {
    /// The rows, ascending.
    pub(crate) rows: Vec<u32>,
    /// Where each history ends among the events.
    pub(crate) ends: Vec<u32>,
    pub(crate) events: Vec<Moved>,
}

impl Histories {
    pub(crate) fn of(&self, place: usize) -> &[Moved] {
        let end = self.ends.get(place).map_or(0, |end| *end as usize);
        let begin =
            place.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        self.events.get(begin..end).unwrap_or_default()
    }

    pub(crate) fn push(&mut self, row: u32, events: impl IntoIterator<Item = Moved>) {
        self.rows.push(row);
        self.events.extend(events);
        self.ends.push(u32::try_from(self.events.len()).unwrap_or(u32::MAX));
    }

    /// The histories of rows of a range, by their places here.
    pub(crate) fn within(&self, from: u32, until: u32) -> std::ops::Range<usize> {
        self.rows.partition_point(|row| *row < from)..self.rows.partition_point(|row| *row < until)
    }
}

/// The events of one ticket told in full, for judging it row by row.
pub(crate) trait Origin: Send + Sync {
    /// The events of a row, those after the assessment's instant included.
    fn events(&self, row: usize) -> Vec<Event>;
    /// The ticket's id.
    fn ticket(&self, row: usize) -> &str;
    /// The ids of the tickets of some rows, one after another, and where each ends.
    fn tickets(&self, rows: &[u32]) -> (Vec<u8>, OffsetBuffer<i32>) {
        let mut text = Vec::with_capacity(rows.len() * 12);
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        for row in rows {
            text.extend_from_slice(self.ticket(*row as usize).as_bytes());
            offsets.push(i32::try_from(text.len()).unwrap_or(i32::MAX));
        }
        (text, OffsetBuffer::new(offsets.into()))
    }
}

/// Tickets as columns.
pub(crate) struct Sheet {
    pub(crate) rows: usize,
    /// The contract of each row, by number.
    pub(crate) contract: ScalarBuffer<u32>,
    /// By kind: its first event that counts. Nothing where no ticket has one, or nobody asks.
    pub(crate) firsts: Vec<Option<Numbers>>,
    /// By kind: its last event; nothing where it is the first.
    pub(crate) lasts: Vec<Option<Numbers>>,
    /// By fact: as it was first given, when that differs.
    pub(crate) first_facts: Vec<Option<Numbers>>,
    /// By fact: as it stands.
    pub(crate) facts: Vec<Option<Numbers>>,
    /// By fact: when it was first given; nothing: with the report.
    pub(crate) given: Vec<Option<Numbers>>,
    pub(crate) texts: HashMap<TextOf, Texts>,
    /// Rows on which clocks do not just run from a start to a stop.
    pub(crate) irregular: Histories,
    /// Rows that are not for columns, ascending.
    pub(crate) doubtful: Vec<u32>,
    /// Rows of which nothing is told, ascending.
    pub(crate) left_out: Vec<u32>,
    /// Events after the assessment's instant, which do not count.
    pub(crate) later: u64,
    pub(crate) origin: Box<dyn Origin>,
}

impl Sheet {
    /// When a row was reported.
    pub(crate) fn reported(&self) -> Option<&Numbers> {
        self.firsts.first().and_then(Option::as_ref)
    }
}
