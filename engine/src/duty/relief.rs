//! Windows of force majeure, as the contract's events tell them.

use std::sync::Arc;

use crate::Instant;
use crate::event::Kind;
use crate::ticket::{Detail, Entry};

/// A time in which what it names stands still.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Relief {
    window: Option<Box<str>>,
    pub(crate) from: Instant,
    /// Nothing while it lasts.
    pub(crate) until: Option<Instant>,
    /// Clocks, duties and levels by name; none: all of them.
    names: Box<[Box<str>]>,
}

impl Relief {
    pub(crate) fn covers(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|known| **known == *name)
    }
}

/// The windows that a history tells of up to an instant, in the order of their beginnings.
pub(crate) fn reliefs(history: &[Arc<Entry>], as_of: Instant) -> Vec<Relief> {
    let mut windows: Vec<Relief> = Vec::new();
    for entry in history.iter().take_while(|entry| entry.at <= as_of) {
        let Detail::Relief(detail) = &entry.detail else { continue };
        if entry.kind == Kind::FORCE_MAJEURE_STARTED {
            windows.push(Relief {
                window: detail.window.clone(),
                from: entry.at,
                until: None,
                names: detail.clocks.clone(),
            });
            continue;
        }
        let ends = |relief: &&mut Relief| {
            relief.until.is_none() && (detail.window.is_none() || detail.window == relief.window)
        };
        windows.iter_mut().filter(ends).for_each(|relief| relief.until = Some(entry.at));
    }
    windows
}

/// When a name stands still: times in order that neither touch nor overlap; the last may have no end yet.
pub(crate) fn still(reliefs: &[Relief], name: &str) -> Vec<(Instant, Option<Instant>)> {
    let mut times: Vec<(Instant, Option<Instant>)> = Vec::new();
    for relief in reliefs.iter().filter(|relief| relief.covers(name) && relief.until != Some(relief.from)) {
        match times.last_mut() {
            Some((_, None)) => {}
            Some((_, Some(end))) if relief.from <= *end => match relief.until {
                Some(until) => *end = until.max(*end),
                None => {
                    let from = times.pop().map_or(relief.from, |(from, _)| from);
                    times.push((from, None));
                }
            },
            _ => times.push((relief.from, relief.until)),
        }
    }
    times
}
