//! Adapters: logs of other systems, told as events.

mod servicenow;

use std::collections::BTreeMap;

use holdback::{Event, Instant};
use serde::Serialize;

pub(crate) use servicenow::ServiceNow;

use crate::read::{LogNotes, Record};

/// Makes events of the rows of a table.
pub(crate) trait Rows {
    /// Takes a row and adds its events.
    ///
    /// # Errors
    /// Why the row makes no events.
    fn take(&mut self, row: &Record, events: &mut Vec<Event>) -> Result<(), String>;

    /// What there is to say when all rows were taken.
    fn notes(&self) -> LogNotes;
}

/// What an adapter made of a log.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Import {
    /// The adapter.
    pub(crate) adapter: &'static str,
    /// Rows that could be read.
    pub(crate) rows: u64,
    /// Tickets they are about.
    pub(crate) tickets: u64,
    /// Events made of them, by kind.
    pub(crate) events: BTreeMap<&'static str, u64>,
    /// Rows whose time lay before that of the ticket's row before, and was raised to it.
    pub(crate) raised: u64,
    /// Rows that mean nothing.
    pub(crate) ignored: u64,
    /// The last instant of the log.
    pub(crate) last: Option<Instant>,
}
