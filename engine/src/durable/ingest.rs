//! Events and time taken, each step written before it is answered.

use std::sync::Arc;

use super::reading::event as stored_event;
use super::rows::{self, sort};
use super::writing::{head, json};
use super::{DurableEngine, TimeFrom};
use crate::event::{Event, EventError};
use crate::store::{HeadKind, Key, StoreError};
use crate::{Decision, EngineError, Instant};

/// Contracts whose own events and books may be in memory.
const CONTRACTS: usize = 1000;

impl DurableEngine {
    /// Takes an event and says what it changes. What is answered is on the disk.
    ///
    /// # Errors
    /// As [`DurableEngine::ingest`], for one event.
    pub fn submit(&mut self, event: Event) -> Result<Vec<Decision>, EngineError> {
        self.ingest(vec![event]).pop().unwrap_or(Ok(Vec::new()))
    }

    /// Takes events in their order, all in one transaction, and says for each what it changes. A batch costs one wait for the
    /// disk.
    ///
    /// # Errors
    /// For each event: [`EngineError::Event`], refused, which does not concern the others; [`EngineError::Ledger`], taken and
    /// written down with its decisions, but the books cannot follow; [`EngineError::Store`], and then for all: none was taken.
    pub fn ingest(&mut self, events: Vec<Event>) -> Vec<Result<Vec<Decision>, EngineError>> {
        let count = events.len();
        let all = |error: StoreError| vec![Err(EngineError::Store(error)); count];
        if let Err(error) = self.may_step().and_then(|()| self.begin()) {
            return all(error);
        }
        let mut results = Vec::with_capacity(count);
        for event in events {
            match self.take(event, self.time == TimeFrom::Events) {
                Err(EngineError::Store(error)) => return all(self.give_up(error)),
                told => results.push(told),
            }
        }
        match self.commit() {
            Ok(()) => results,
            Err(error) => all(error),
        }
    }

    /// Says that time has passed, and what that changes. Earlier instants than [`DurableEngine::now`] change nothing: a clock
    /// that was set back does no harm.
    ///
    /// # Errors
    /// [`EngineError::Ledger`]: done and written down, but the books cannot follow; [`EngineError::Store`]: nothing was done.
    pub fn advance(&mut self, to: Instant) -> Result<Vec<Decision>, EngineError> {
        if to <= self.engine.now() {
            return Ok(Vec::new());
        }
        self.may_step()?;
        self.begin()?;
        let advanced = self.pass(to);
        match advanced {
            Err(EngineError::Store(error)) => Err(self.give_up(error).into()),
            told => self.commit().map_err(EngineError::Store).and(told),
        }
    }

    fn pass(&mut self, to: Instant) -> Result<Vec<Decision>, EngineError> {
        self.step += 1;
        self.expect_due(to)?;
        let told = self.engine.advance(to);
        self.engine.take_fault()?;
        let (decisions, result) = self.told(told)?;
        let mut head = head(HeadKind::Advance, self.engine.now());
        head.at = Some(to);
        self.write_step(head, None, None, &decisions)?;
        result.map(|()| decisions)
    }

    /// Takes an event within the open transaction.
    pub(super) fn take(&mut self, event: Event, moves_time: bool) -> Result<Vec<Decision>, EngineError> {
        let (place, entry) = self.engine.admit(&event)?;
        if self.is_told(&event)? {
            return Ok(Vec::new());
        }
        self.step += 1;
        if moves_time && entry.at > self.engine.now() {
            self.expect_due(entry.at)?;
        }
        let id: Arc<str> = event.id.as_str().into();
        let told = self.engine.take_entry(place, event.ticket.as_deref(), entry, &id, moves_time);
        self.engine.take_fault()?;
        let (decisions, result) = self.told(told)?;
        let mut head = head(HeadKind::Event, self.engine.now());
        head.contract = Some(event.contract.clone());
        head.ticket.clone_from(&event.ticket);
        head.event = Some(event.id.clone());
        head.told = Some(event.kind.clone());
        head.at = Some(event.at);
        let body = json(&event)?;
        self.write_step(head, Some((place, &event)), Some(body), &decisions)?;
        result.map(|()| decisions)
    }

    /// The decisions of a step, also of one whose books could not follow: they are written down with it.
    fn told(
        &mut self,
        told: Result<Vec<Decision>, EngineError>,
    ) -> Result<(Vec<Decision>, Result<(), EngineError>), EngineError> {
        match told {
            Ok(decisions) => Ok((decisions, Ok(()))),
            Err(error @ EngineError::Ledger(_)) => Ok((std::mem::take(&mut self.engine.unsaid), Err(error))),
            Err(error) => Err(error),
        }
    }

    /// Whether the event was told before.
    fn is_told(&self, event: &Event) -> Result<bool, EngineError> {
        let store = self.shared.lock();
        let Some(seq) = store.get(&rows::named(sort::EVENT, &event.id).0)? else { return Ok(false) };
        let seq = rows::read_seq(&seq)?;
        let known = stored_event(&**store, seq)?;
        let mut event = event.clone();
        if store.get(&rows::numbered(sort::ERASED, seq).0)?.is_some() {
            // What was erased cannot be compared any more.
            (event.actor, event.data) = (known.actor.clone(), known.data.clone());
        }
        match known.difference(&event) {
            None => Ok(true),
            Some(field) => Err(EventError::Conflict { id: event.id, field }.into()),
        }
    }

    /// Tells the engine what comes due up to an instant.
    fn expect_due(&mut self, to: Instant) -> Result<(), StoreError> {
        if self.tip.next.is_none_or(|next| next > to) {
            return Ok(());
        }
        let store = self.shared.lock();
        let all = Key::new(sort::WAKE);
        let mut due = Vec::new();
        let until = all.clone().i64(to.micros()).u32(u32::MAX).u32(u32::MAX);
        let mut from = all.0;
        loop {
            let mut last = until.0.clone();
            last.push(0);
            let rows = store.scan(&from, &last, 4096)?;
            for (key, _) in &rows {
                due.push(rows::read_wake(key)?);
            }
            let full = rows.len() == 4096;
            let Some((key, _)) = rows.into_iter().last().filter(|_| full) else { break };
            from = key;
            from.push(0);
        }
        drop(store);
        self.engine.wakes.extend(due);
        Ok(())
    }

    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        if self.bulk {
            return Ok(());
        }
        if self.shared.lock().written_by_others()? {
            self.stand_again()?;
        }
        self.shared.lock().begin()
    }

    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        if self.bulk {
            return Ok(());
        }
        let committed = self.shared.lock().commit();
        match committed {
            Ok(()) => {
                self.let_go();
                Ok(())
            }
            Err(error) => Err(self.give_up(error)),
        }
    }

    /// Takes back what the open transaction wrote, in memory as well.
    pub(super) fn give_up(&mut self, error: StoreError) -> StoreError {
        self.shared.lock().rollback();
        // When the store cannot even be read, the next step tells so: nothing of this one is in memory.
        match self.stand_again() {
            Ok(()) => error,
            Err(worse) => {
                StoreError::damaged(format!("{error}; then the store could not be read again: {worse}"))
            }
        }
    }

    pub(super) fn stand_again(&mut self) -> Result<(), StoreError> {
        self.reload().map_err(|error| match error {
            super::DurableError::Store(error) => error,
            other => StoreError::damaged(other.to_string()),
        })
    }

    /// Lets go of tickets that were not touched for long, when there are more than there is room for.
    pub(super) fn let_go(&mut self) {
        let mut loaded: Vec<u64> = self
            .engine
            .contracts
            .iter()
            .filter(|contract| contract.is_loaded)
            .map(|contract| contract.touched)
            .collect();
        if loaded.len() > CONTRACTS {
            let middle = loaded.len() / 2;
            let before = *loaded.select_nth_unstable(middle).1;
            let long_ago = self
                .engine
                .contracts
                .iter_mut()
                .filter(|contract| contract.is_loaded && contract.touched < before);
            long_ago.for_each(|contract| contract.let_go());
        }
        self.held = self.engine.contracts.iter().map(|contract| contract.tickets.held()).sum();
        if self.held <= self.room {
            return;
        }
        let mut touched: Vec<u64> =
            self.engine.contracts.iter().flat_map(|contract| contract.tickets.touched()).collect();
        let half = touched.len().saturating_sub(self.room / 2).min(touched.len().saturating_sub(1));
        let (_, first, _) = touched.select_nth_unstable(half);
        let before = *first;
        for contract in &mut self.engine.contracts {
            contract.tickets.let_go(before);
        }
    }
}
