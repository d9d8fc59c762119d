//! The stages wired together: events and time go in, decisions come out.

mod answers;
mod contract;
mod settle;
mod shelf;
mod tickets;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::assess::{Case, is_deed, is_frame};
use crate::decision::{Comparison, Decision};
use crate::event::{Event, EventError};
use crate::journal::{Journal, Told};
use crate::ledger::LedgerError;
use crate::nearest::hint;
use crate::outbox::{Notice, notices};
use crate::policy::Derivation;
use crate::store::StoreError;
use crate::ticket::{Entry, insert};
use crate::{Instant, Pack};
use contract::{Contract, book, share};
pub(crate) use contract::{ContractStanding, ITSELF};
pub use settle::{Charge, ClockEnded, SettleError, Settled, Settlement, deposit_floor, settle};
pub(crate) use shelf::{Moved, Shelf};
pub(crate) use tickets::Standing;

/// The rules engine. Holds contracts, their tickets and their books; has no clock and no threads of its own.
///
/// Events may come late, twice and in any order; when all are told, the answers are the same. Cost of an event: the clauses'
/// evaluation when it carries facts (some microseconds a clause), else the clocks alone (under a microsecond each).
///
/// ```
/// use holdback::{ClockState, Engine, Event, Pack};
/// # let files = [
/// #     ("pack.toml", "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]"),
/// #     ("contract.md", "# [1] Repair\n# [2] Deposit"),
/// #     ("clauses/1.rhai", "//! clause: 1\nfn deadlines(ticket) { [due(\"repair\").within(hours(2)).met_by(\"resolved\")] }
/// #         fn penalty(breach) { yuan(500) }"),
/// #     ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }"),
/// # ].map(|(path, text)| (path.to_owned(), text.to_owned()));
/// let pack = Pack::from_files(files.into()).map_err(|e| e.to_string())?;
/// let mut engine = Engine::new();
/// engine.open(pack.into())?;
/// let event = |text: &str| Event::from_json(text).map_err(|e| e.to_string());
/// engine.submit(event(r#"{"id":"1","contract":"c","ticket":"T1","kind":"reported","at":"2026-03-02T10:00:00Z"}"#)?)?;
/// assert_eq!(engine.next_due().map(|at| at.to_string()).as_deref(), Some("2026-03-02T12:00:00.000001Z"));
/// engine.submit(event(r#"{"id":"2","contract":"c","ticket":"T1","kind":"resolved","at":"2026-03-02T12:00:01Z"}"#)?)?;
/// let assessment = engine.assessment("c", "T1").ok_or("no ticket")?;
/// assert_eq!(assessment.clocks[0].state, ClockState::Late);
/// assert_eq!(assessment.penalties[0].amount.to_string(), "500.00 CNY");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Engine {
    pub(crate) contracts: Vec<Contract>,
    by_id: HashMap<String, usize>,
    journal: Journal,
    now: Instant,
    /// The host says what time it is; events do not.
    host_keeps_time: bool,
    /// When which ticket (or the contract itself) must be looked at again: instant, contract, ticket.
    pub(crate) wakes: BTreeSet<(Instant, usize, usize)>,
    derivations: HashSet<Arc<Derivation>>,
    /// Decisions of a step whose books failed: told with the next.
    pub(crate) unsaid: Vec<Decision>,
    notices: Vec<Notice>,
    told: HashSet<String>,
    /// Where contracts and tickets are that are not in memory; nothing: all are.
    shelf: Option<Box<dyn Shelf>>,
    /// As of when the shelf stands: the time before the step.
    shelf_now: Instant,
    moved: Moved,
    /// The contract of which an entry of its own came in this step, with those it had before: the shelf knows no other.
    had: Option<(usize, [Vec<Arc<Entry>>; 2])>,
    /// Why the shelf could not be read. The step is void then.
    fault: Option<StoreError>,
}

/// Why the engine refuses. Nothing that was told before is lost by it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The event is refused; nothing has changed. The sender's fault.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Two packs for one contract.
    #[error("contract `{0}` is open already")]
    Open(String),
    /// The event is written down, but the contract's books cannot follow. The decisions of the step come with the next one.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store cannot be read or written. What was acknowledged before is kept; nothing of this step is.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

impl Engine {
    /// An engine whose time is the latest instant told to it, by an event or by [`Engine::advance`]: for replaying histories.
    pub fn new() -> Engine {
        Engine {
            contracts: Vec::new(),
            by_id: HashMap::new(),
            journal: Journal::default(),
            now: Instant::MIN,
            host_keeps_time: false,
            wakes: BTreeSet::new(),
            derivations: HashSet::new(),
            unsaid: Vec::new(),
            notices: Vec::new(),
            told: HashSet::new(),
            shelf: None,
            shelf_now: Instant::MIN,
            moved: Moved::default(),
            had: None,
            fault: None,
        }
    }

    /// An engine for live events: only [`Engine::advance`] moves its time. An event from the future is written down and waits
    /// for its instant, so that one helpdesk with a wrong clock does not breach every open ticket.
    pub fn live(now: Instant) -> Engine {
        Engine { now, host_keeps_time: true, ..Engine::new() }
    }

    /// Takes a pack for all the contracts it names.
    ///
    /// # Errors
    /// [`EngineError::Open`] when one of them is open already.
    pub fn open(&mut self, pack: Arc<Pack>) -> Result<Vec<Decision>, EngineError> {
        let mut decisions = Vec::new();
        for contract in &pack.contracts {
            decisions.extend(self.open_as(contract, Arc::clone(&pack))?);
        }
        Ok(decisions)
    }

    /// Takes a pack for one contract, whatever ids the pack itself names.
    ///
    /// # Errors
    /// [`EngineError::Open`] when the contract is open already.
    pub fn open_as(&mut self, contract: &str, pack: Arc<Pack>) -> Result<Vec<Decision>, EngineError> {
        if self.by_id.contains_key(contract) {
            return Err(EngineError::Open(contract.to_owned()));
        }
        self.by_id.insert(contract.to_owned(), self.contracts.len());
        let opening = pack.opening_events(contract);
        self.contracts.push(Contract::new(contract, pack, self.now));
        self.rewake(self.contracts.len() - 1);
        let mut decisions = Vec::new();
        for event in opening {
            // What comes with the pack waits for its instant: it is no sign that time has passed.
            decisions.extend(self.take(event, false)?);
        }
        Ok(decisions)
    }

    /// Takes an event and says what it changes. An event that was told before changes nothing.
    ///
    /// # Errors
    /// [`EngineError::Event`]: refused, nothing has changed. [`EngineError::Ledger`]: taken, but the books cannot follow.
    pub fn submit(&mut self, event: Event) -> Result<Vec<Decision>, EngineError> {
        self.take(event, !self.host_keeps_time)
    }

    fn take(&mut self, event: Event, moves_time: bool) -> Result<Vec<Decision>, EngineError> {
        let (place, entry) = self.admit(&event)?;
        let (id, ticket): (Arc<str>, _) = (event.id.as_str().into(), event.ticket.clone());
        if self.journal.append(event)? == Told::Again {
            return Ok(Vec::new());
        }
        self.take_entry(place, ticket.as_deref(), entry, &id, moves_time)
    }

    /// Checks an event without taking it; gives the place of its contract.
    pub(crate) fn admit(&self, event: &Event) -> Result<(usize, Arc<Entry>), EventError> {
        let unknown = || EventError::UnknownContract {
            id: event.id.clone(),
            contract: event.contract.clone(),
            hint: hint(&event.contract, self.by_id.keys().map(String::as_str)),
        };
        let place = *self.by_id.get(&event.contract).ok_or_else(unknown)?;
        let contract = self.contracts.get(place).ok_or_else(unknown)?;
        Ok((place, Arc::new(contract.pack.schema.admit(event)?)))
    }

    /// Takes what was written down of an event.
    pub(crate) fn take_entry(
        &mut self,
        place: usize,
        ticket: Option<&str>,
        entry: Arc<Entry>,
        id: &Arc<str>,
        moves_time: bool,
    ) -> Result<Vec<Decision>, EngineError> {
        let mut decisions = Vec::new();
        // Books that cannot follow do not keep an event from its ticket.
        let mut behind = None;
        if moves_time && entry.at > self.now {
            match self.advance(entry.at) {
                Ok(told) => decisions = told,
                Err(error) => behind = Some(error),
            }
        }
        let cause = Some(id);
        self.load(place);
        match ticket {
            Some(ticket) => self.take_ticket_entry(place, ticket, entry, cause, &mut decisions),
            None => self.take_contract_entry(place, entry, cause, &mut decisions),
        }
        self.close_step(&[place], cause, &mut decisions)?;
        match behind {
            None => Ok(decisions),
            Some(error) => {
                self.unsaid.append(&mut decisions);
                Err(error)
            }
        }
    }

    /// Says that time has passed, and what that changes. Earlier instants than [`Engine::now`] change nothing.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] when the books cannot follow.
    pub fn advance(&mut self, to: Instant) -> Result<Vec<Decision>, EngineError> {
        let mut decisions = Vec::new();
        if to <= self.now {
            return Ok(decisions);
        }
        let from = std::mem::replace(&mut self.now, to);
        let mut touched = BTreeSet::new();
        while let Some(wake) = self.wakes.first().copied().filter(|(at, _, _)| *at <= to) {
            self.wakes.remove(&wake);
            touched.insert((wake.1, wake.2));
        }
        let moved: BTreeSet<usize> = touched.iter().map(|(contract, _)| *contract).collect();
        moved.iter().for_each(|place| self.load(*place));
        for (place, _) in touched.iter().filter(|(_, ticket)| *ticket == ITSELF) {
            if self.contract_wakes(*place, from, &mut decisions) {
                self.reassess_all(*place, None, &mut decisions);
            }
        }
        for (contract, ticket) in touched.into_iter().filter(|(_, ticket)| *ticket != ITSELF) {
            self.fetch(contract, ticket);
            let state = self.contracts.get(contract).and_then(|contract| contract.tickets.get(ticket));
            let same_facts = !state.is_some_and(|state| state.is_told_facts(from, to));
            self.reassess(contract, ticket, same_facts, None, &mut decisions);
        }
        let moved: Vec<usize> = moved.into_iter().collect();
        self.close_step(&moved, None, &mut decisions)?;
        decisions.sort_by_key(|decision| decision.at);
        Ok(decisions)
    }

    /// Takes what comes due of a contract's own events and obligations. Says whether all its tickets must be looked at again:
    /// a fact of the contract has come due, or a calendar is known otherwise.
    fn contract_wakes(&mut self, place: usize, from: Instant, out: &mut Vec<Decision>) -> bool {
        let now = self.now;
        self.load_books(place);
        let Some(contract) = self.contracts.get_mut(place) else { return false };
        let amended = contract.amendments.iter().any(|at| from < *at && *at <= now);
        let mut due: Vec<Arc<Entry>> = Vec::new();
        while let Some(first) = contract.future.first_entry().filter(|first| first.key().0 <= now) {
            due.push(first.remove());
        }
        let frame = due.iter().any(|entry| is_frame(entry.kind));
        for entry in due.iter().filter(|entry| !is_deed(entry.kind)) {
            contract.books.apply(entry);
        }
        if frame {
            contract.books.refile_all();
        }
        due.retain(|entry| is_deed(entry.kind));
        self.judge_contract(place, &due, frame || amended, None, out);
        frame || amended
    }

    fn take_ticket_entry(
        &mut self,
        place: usize,
        ticket: &str,
        entry: Arc<Entry>,
        cause: Option<&Arc<str>>,
        out: &mut Vec<Decision>,
    ) {
        let Some(index) = self.ticket_place(place, ticket) else { return };
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let Some(state) = contract.tickets.get_mut(index) else { return };
        let same_facts = !entry.bears_on_clauses();
        insert(&mut state.entries, entry);
        self.reassess(place, index, same_facts, cause, out);
    }

    fn take_contract_entry(
        &mut self,
        place: usize,
        entry: Arc<Entry>,
        cause: Option<&Arc<str>>,
        out: &mut Vec<Decision>,
    ) {
        let now = self.now;
        self.load_books(place);
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let deed = is_deed(entry.kind);
        if self.shelf.is_some() && is_frame(entry.kind) {
            self.had = Some((place, [contract.entries.clone(), contract.relief.clone()]));
        }
        match deed {
            true => contract.deeds.push(Arc::clone(&entry)),
            false => insert(&mut contract.entries, Arc::clone(&entry)),
        }
        if entry.holds_clocks() {
            insert(&mut contract.relief, Arc::clone(&entry));
        }
        if entry.at > now {
            contract.future.insert((entry.at, entry.id.clone()), entry);
            return self.rewake(place);
        }
        if deed {
            return self.judge_contract(place, &[entry], false, cause, out);
        }
        contract.books.apply(&entry);
        if is_frame(entry.kind) {
            contract.books.refile_all();
            self.judge_contract(place, &[], true, cause, out);
            self.reassess_all(place, cause, out);
        }
    }

    fn reassess_all(&mut self, place: usize, cause: Option<&Arc<str>>, out: &mut Vec<Decision>) {
        let tickets = self.contracts.get(place).map_or(0, |contract| contract.tickets.len());
        for ticket in 0..tickets {
            self.reassess(place, ticket, false, cause, out);
        }
    }

    /// Judges a ticket again and books what has changed.
    fn reassess(
        &mut self,
        place: usize,
        index: usize,
        same_facts: bool,
        cause: Option<&Arc<str>>,
        out: &mut Vec<Decision>,
    ) {
        self.fetch(place, index);
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let Contract { id, pack, entries, relief, tickets, .. } = contract;
        let Some(state) = tickets.get(index) else { return };
        let (history, ticket) = (&state.entries, &state.id);
        let case = Case { pack, contract: entries, relief, history, ticket, as_of: self.now };
        let before = state.outcome.as_deref();
        let known = before.filter(|_| same_facts).and_then(|before| before.derivation.as_ref());
        let mut after = case.outcome(known, before);
        if known.is_none()
            && let Some(derivation) = &mut after.derivation
        {
            share(&mut self.derivations, derivation);
        }
        Comparison { case, contract: id, cause, before, after: &after }.decisions(out);
        if before.is_some_and(|before| !before.penalties.is_empty()) || !after.penalties.is_empty() {
            self.load_books(place);
        }
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let Contract { pack, tickets, books, state: of_contract, ends, .. } = contract;
        let Some(state) = tickets.get_mut(index) else { return };
        let before = state.outcome.as_deref();
        book(pack, books, &state.id, before, &after);
        if pack.policy.has_obligations() {
            for (name, at) in ends.update(index, before, &after) {
                of_contract.clock_ended(&name, at);
            }
        }
        let future = state.entries.get(state.entries.partition_point(|entry| entry.at <= self.now));
        let wake = [after.wake, future.map(|entry| entry.at)].into_iter().flatten().min();
        if let Some(old) = state.wake.take() {
            self.wakes.remove(&(old, place, index));
        }
        if let Some(at) = wake {
            self.wakes.insert((at, place, index));
        }
        state.wake = wake;
        state.outcome = Some(Box::new(after));
        if self.shelf.is_some() {
            self.moved.tickets.insert((place, index));
        }
    }

    /// Settles the books that moved and writes down what is to be told.
    fn close_step(
        &mut self,
        moved: &[usize],
        cause: Option<&Arc<str>>,
        decisions: &mut Vec<Decision>,
    ) -> Result<(), EngineError> {
        let mut result = Ok(());
        if self.shelf.is_some() {
            self.moved.contracts.extend(moved);
        }
        for place in moved {
            self.close_levels(*place, cause, decisions);
        }
        decisions.splice(0..0, self.unsaid.drain(..));
        for place in moved {
            let Some(contract) = self.contracts.get_mut(*place).filter(|contract| contract.has_books) else {
                continue;
            };
            let Contract { pack, entries, books, .. } = contract;
            match books.settle(pack, entries, self.now, cause.map(|id| &**id)) {
                Ok(true) => contract.watch_deposit(self.now, cause, decisions),
                Ok(false) => {}
                Err(error) => result = Err(error.into()),
            }
        }
        for notice in decisions.iter().flat_map(notices) {
            if self.told.insert(notice.id.clone()) {
                self.notices.push(notice);
            }
        }
        if let Some(fault) = self.fault.take() {
            return Err(fault.into());
        }
        if result.is_err() {
            self.unsaid.append(decisions);
        }
        result
    }
}
