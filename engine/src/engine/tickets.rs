//! The tickets of a contract that are in memory: all of them, or those that were touched of many on a shelf.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Instant;
use crate::assess::Outcome;
use crate::clock::ClockState;
use crate::ticket::{Entry, Status};

pub(crate) struct TicketState {
    pub(crate) id: Arc<str>,
    pub(crate) entries: Vec<Arc<Entry>>,
    /// As judged last. In a box, since the room for more tickets is made ahead.
    pub(crate) outcome: Option<Box<Outcome>>,
    pub(crate) wake: Option<Instant>,
    /// How it stands on the shelf; nothing while it is not there, and in engines without one.
    pub(crate) shelved: Option<Box<Standing>>,
}

/// What a shelf finds a ticket by, beside its id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// When time alone changes something.
    pub(crate) wake: Option<Instant>,
    /// The last instant on which its answers hang; [`Instant::MAX`] while it is open.
    pub(crate) until: Instant,
    /// The step in which it was touched last.
    pub(crate) touched: u64,
}

pub(crate) struct Tickets {
    held: Held,
    by_id: HashMap<Arc<str>, usize>,
    /// How many there are, in memory or not.
    count: usize,
}

enum Held {
    All(Vec<TicketState>),
    Touched(HashMap<usize, TicketState>),
}

impl TicketState {
    pub(super) fn new(id: Arc<str>) -> TicketState {
        TicketState { id, entries: Vec::new(), outcome: None, wake: None, shelved: None }
    }

    /// Whether an event that was told ahead of its instant, and decides what the clauses say, came due between two instants.
    pub(super) fn is_told_facts(&self, after: Instant, to: Instant) -> bool {
        let first = self.entries.partition_point(|entry| entry.at <= after);
        let mut came_due = self.entries.iter().skip(first).take_while(|entry| entry.at <= to);
        came_due.any(|entry| entry.bears_on_clauses())
    }

    /// How it stands now.
    pub(crate) fn standing(&self, touched: u64) -> Standing {
        Standing { wake: self.wake, until: self.until(), touched }
    }

    /// A ticket that is done hangs on no calendar and no term after the last of its clocks and events.
    fn until(&self) -> Instant {
        let Some(outcome) = &self.outcome else { return Instant::MAX };
        let done = |state| matches!(state, ClockState::Met | ClockState::Late | ClockState::Cancelled);
        let open = matches!(outcome.status, Status::Open | Status::Unreported) || outcome.fault.is_some();
        if open || self.wake.is_some() || outcome.clocks.iter().any(|run| !done(run.state)) {
            return Instant::MAX;
        }
        let clocks = outcome.clocks.iter().flat_map(|run| [run.stopped, run.due]).flatten();
        let events = self.entries.last().map(|entry| entry.at);
        clocks.chain(events).max().unwrap_or(Instant::MAX)
    }
}

impl Tickets {
    /// None yet, and all will be held.
    pub(super) fn all() -> Tickets {
        Tickets { held: Held::All(Vec::new()), by_id: HashMap::new(), count: 0 }
    }

    /// So many, of which none is held yet.
    pub(super) fn on_shelf(count: usize) -> Tickets {
        Tickets { held: Held::Touched(HashMap::new()), by_id: HashMap::new(), count }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// How many are in memory.
    pub(crate) fn held(&self) -> usize {
        match &self.held {
            Held::All(all) => all.len(),
            Held::Touched(some) => some.len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&TicketState> {
        match &self.held {
            Held::All(all) => all.get(index),
            Held::Touched(some) => some.get(&index),
        }
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut TicketState> {
        match &mut self.held {
            Held::All(all) => all.get_mut(index),
            Held::Touched(some) => some.get_mut(&index),
        }
    }

    /// The place of one that is held.
    pub(crate) fn find(&self, ticket: &str) -> Option<usize> {
        self.by_id.get(ticket).copied()
    }

    /// One that was never heard of.
    pub(super) fn push(&mut self, ticket: &str) -> usize {
        let (index, id): (usize, Arc<str>) = (self.count, ticket.into());
        self.count += 1;
        self.hold(index, TicketState::new(id));
        index
    }

    /// One that comes from the shelf, or a new one.
    pub(super) fn hold(&mut self, index: usize, state: TicketState) {
        self.by_id.insert(Arc::clone(&state.id), index);
        match &mut self.held {
            Held::All(all) => all.push(state),
            Held::Touched(some) => {
                some.insert(index, state);
            }
        }
    }

    /// Those that are held, in the order in which they were first heard of, if all are.
    pub(super) fn iter(&self) -> impl Iterator<Item = &TicketState> {
        match &self.held {
            Held::All(all) => all.iter(),
            Held::Touched(_) => [].iter(),
        }
    }

    /// Lets go of those on the shelf that were touched before a step.
    pub(crate) fn let_go(&mut self, before: u64) {
        let Tickets { held: Held::Touched(some), by_id, .. } = self else { return };
        some.retain(|_, state| {
            let kept = state.shelved.as_ref().is_none_or(|standing| standing.touched >= before);
            if !kept {
                by_id.remove(&state.id);
            }
            kept
        });
    }

    /// The steps in which those that are held were touched.
    pub(crate) fn touched(&self) -> Vec<u64> {
        match &self.held {
            Held::All(_) => Vec::new(),
            Held::Touched(some) => {
                some.values().filter_map(|state| Some(state.shelved.as_ref()?.touched)).collect()
            }
        }
    }
}
