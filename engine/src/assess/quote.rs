//! What the clauses say of a ticket before any time has run.

use std::sync::Arc;

use chrono::NaiveDate;

use super::{Case, admitted};
use crate::event::{Event, EventError, Kind};
use crate::policy::{ClauseFault, Derivation};
use crate::vocabulary::Inputs;
use crate::{Instant, Money, Pack, Span};

/// What a pack says of a ticket before any time has run: the clocks it sets, whether the work is free, and what a breach of
/// each clock costs at any lateness. For previews, for tables of prices, and for measuring the clauses alone.
///
/// ```
/// use holdback::{Event, Pack, Span};
/// let pack = Pack::open("../rules/it-incidents".as_ref())?;
/// let report = r#"{"id": "1", "contract": "it-desk", "ticket": "T1", "kind": "reported", "at": "2016-03-01T10:00:00Z",
///     "data": {"priority": "P1"}}"#;
/// let quote = pack.quote(&[], &[Event::from_json(report)?])?;
/// assert_eq!(quote.clocks().collect::<Vec<_>>(), [("1-response", "response"), ("2-resolution", "resolution")]);
/// assert_eq!(quote.price(0, Span::hours(1))?.map(|money| money.to_string()), Some("100.00 USD".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Quote<'p> {
    pack: &'p Pack,
    inputs: Arc<Inputs>,
    on: NaiveDate,
    derivation: Derivation,
}

/// Why there is no [`Quote`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// The pack's schema refuses an event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// No event reports the ticket, so that nothing is known of it.
    #[error("the ticket was not reported: expected an event `reported`")]
    Unreported,
    /// A clause cannot judge the ticket.
    #[error(transparent)]
    Clause(#[from] ClauseFault),
}

impl Pack {
    /// Asks the clauses about a ticket. The order of the events does not matter.
    ///
    /// # Errors
    /// [`QuoteError`].
    pub fn quote(&self, contract_events: &[Event], ticket_events: &[Event]) -> Result<Quote<'_>, QuoteError> {
        let (contract, history) = (admitted(self, contract_events)?, admitted(self, ticket_events)?);
        let first = ticket_events.first();
        let ticket = Arc::from(first.and_then(|event| event.ticket.as_deref()).unwrap_or_default());
        let as_of = Instant::MAX;
        let case =
            Case { pack: self, contract: &contract, relief: &[], history: &history, ticket: &ticket, as_of };
        let reported =
            history.iter().find(|entry| entry.kind == Kind::REPORTED).ok_or(QuoteError::Unreported)?;
        let (inputs, on) = (case.inputs(&history, reported.at), self.local_date(reported.at));
        let derivation = self.policy.derive(&inputs, on)?;
        Ok(Quote { pack: self, inputs, on, derivation })
    }
}

impl Quote<'_> {
    /// The clocks, each with its clause.
    pub fn clocks(&self) -> impl Iterator<Item = (&str, &str)> {
        self.derivation.clocks.iter().map(|clock| (self.pack.clause_id(clock.clause), &*clock.name))
    }

    /// Whether the work is free; nothing when no clause says.
    pub fn free(&self) -> Option<bool> {
        self.derivation.class.as_ref().map(|class| class.free)
    }

    /// What a breach costs that is so late by now; nothing when the clause has no penalty, or there is no such clock.
    /// `clock` counts from 0 in the order of [`Quote::clocks`]; `late` is open time of its calendar.
    ///
    /// # Errors
    /// [`ClauseFault`] when the clause cannot price it.
    pub fn price(&self, clock: usize, late: Span) -> Result<Option<Money>, ClauseFault> {
        let Some(spec) = self.derivation.clocks.get(clock) else { return Ok(None) };
        let price = self.pack.policy.price(&self.inputs, spec, self.inputs.reported_at, late)?;
        Ok(price.map(|price| price.amount))
    }

    /// Asks the clauses once more: what applies, the limits, the class, and the price of each clock so late. Nothing is put
    /// together of the answers; gives how many functions were asked. For measuring the evaluators.
    ///
    /// # Errors
    /// [`ClauseFault`] when a clause cannot judge the ticket.
    pub fn again(&self, late: Span) -> Result<usize, ClauseFault> {
        self.pack.policy.ask_all(&self.inputs, self.on, &self.derivation.clocks, late)
    }
}
