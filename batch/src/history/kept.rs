//! What is kept of a part that was judged whole, so that work that was broken off goes on after it.

use std::path::Path;
use std::sync::Arc;

use holdback::{ClockEnded, Instant};
use serde::{Deserialize, Serialize};

use super::totals::Totals;
use super::units::TicketOrder;
use crate::charges::Charges;
use crate::error::{BatchError, Refused};
use crate::write::{Group, Part};

/// A clock by its place in a list of names, when it ended, and whether it was met.
type Ended = (u16, i64, bool);

/// A part judged and written but for what the deposits paid, told so that it can be gone on with.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptPart {
    /// Of a log whose events had to be put together first.
    pub(super) sorted: bool,
    /// Units judged so far, and the number of the row after the last.
    pub(super) units: u64,
    pub(super) next_row: u64,
    /// Contracts and clocks that came first in this part, in the order of their numbers.
    pub(super) names: Vec<String>,
    clocks: Vec<(String, String)>,
    pub(super) totals: Totals,
    pub(super) order: TicketOrder,
    pub(super) refused: Vec<Refused>,
    /// The file: so long, with these row groups.
    pub(super) length: u64,
    pub(super) groups: Vec<Group>,
    contract: Vec<u32>,
    at: Vec<i64>,
    reported: Vec<i64>,
    amount: Vec<i64>,
    clock: Vec<u16>,
    tickets: Vec<u8>,
    ends: Vec<u64>,
    steps: Vec<(u64, Vec<(i64, i64)>)>,
    ended: Vec<(u32, Vec<Ended>)>,
    ended_clocks: Vec<String>,
}

impl KeptPart {
    /// What there is of it, with its charges as they are.
    pub(super) fn of(charges: &Charges) -> KeptPart {
        let mut ended_clocks: Vec<String> = Vec::new();
        let mut number = |clock: &str| {
            let known = ended_clocks.iter().position(|known| known == clock);
            let place = known.unwrap_or_else(|| {
                ended_clocks.push(clock.to_owned());
                ended_clocks.len() - 1
            });
            u16::try_from(place).unwrap_or(u16::MAX)
        };
        let ended = charges.ended.iter().map(|(contract, all)| {
            let all = all.iter().map(|ended| (number(&ended.clock), ended.at.micros(), ended.met));
            (*contract, all.collect())
        });
        let ended = ended.collect();
        let steps = charges.steps.iter().map(|(place, steps)| {
            (*place, steps.iter().map(|(at, amount)| (at.micros(), *amount)).collect())
        });
        KeptPart {
            sorted: false,
            units: 0,
            next_row: 0,
            names: Vec::new(),
            clocks: charges.clocks.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect(),
            totals: Totals::default(),
            order: TicketOrder::default(),
            refused: Vec::new(),
            length: 0,
            groups: Vec::new(),
            contract: charges.contract.clone(),
            at: charges.at.clone(),
            reported: charges.reported.clone(),
            amount: charges.amount.clone(),
            clock: charges.clock.clone(),
            tickets: charges.tickets.clone(),
            ends: charges.ends.clone(),
            steps: steps.collect(),
            ended,
            ended_clocks,
        }
    }

    pub(super) fn charges(&self) -> Charges {
        let instant = |at: i64| Instant::from_micros(at).unwrap_or(Instant::MIN);
        let clocks: Vec<Arc<str>> = self.ended_clocks.iter().map(|clock| clock.as_str().into()).collect();
        let ended = self.ended.iter().map(|(contract, all)| {
            let all = all.iter().filter_map(|(clock, at, met)| {
                let clock = Arc::clone(clocks.get(usize::from(*clock))?);
                Some(ClockEnded { clock, at: instant(*at), met: *met })
            });
            (*contract, all.collect())
        });
        let steps = self.steps.iter().map(|(place, steps)| {
            (*place, steps.iter().map(|(at, amount)| (instant(*at), *amount)).collect())
        });
        Charges {
            contract: self.contract.clone(),
            at: self.at.clone(),
            reported: self.reported.clone(),
            amount: self.amount.clone(),
            clock: self.clock.clone(),
            tickets: self.tickets.clone(),
            ends: self.ends.clone(),
            steps: steps.collect(),
            clocks: self.clocks.iter().map(|(a, b)| (a.as_str().into(), b.as_str().into())).collect(),
            ended: ended.collect(),
        }
    }

    /// So many charges are in it.
    pub(super) fn owing(&self) -> usize {
        self.at.len()
    }

    /// Whether its lists fit together: a file that somebody changed is not gone on with.
    fn is_whole(&self) -> bool {
        let rows = self.at.len();
        let bytes = self.tickets.len() as u64;
        [self.contract.len(), self.reported.len(), self.amount.len(), self.clock.len(), self.ends.len()]
            .iter()
            .all(|len| *len == rows)
            && self.ends.last().copied().unwrap_or(0) == bytes
            && self.ends.is_sorted()
            && self.clock.iter().all(|clock| usize::from(*clock) < self.clocks.len())
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), BatchError> {
        let bytes = postcard::to_stdvec(self).map_err(|error| BatchError::File {
            path: path.display().to_string(),
            reason: format!("cannot be written: {error}"),
        })?;
        let mut part = Part::begin(path)?;
        part.write(&bytes)?;
        part.finish()
    }

    /// One that is there and whole.
    #[expect(clippy::disallowed_methods, reason = "what was kept lies in the folder of the results")]
    pub(super) fn read(path: &Path) -> Option<KeptPart> {
        let bytes = std::fs::read(path).ok()?;
        postcard::from_bytes::<KeptPart>(&bytes).ok().filter(KeptPart::is_whole)
    }
}
