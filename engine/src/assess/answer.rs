//! An assessment as it is told: names instead of places.

use std::sync::Arc;

use serde::Serialize;

use super::{Case, Outcome, penalty_id};
use crate::clock::ClockState;
use crate::policy::ClauseFault;
use crate::ticket::Status;
use crate::{Instant, Money, Span};

/// The version of the JSON that this program writes. It grows when a field changes its meaning or goes away.
pub const FORMAT: u32 = 1;

/// A ticket judged as of an instant, every part with the clause it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    /// [`FORMAT`].
    pub format: u32,
    /// Name and version of the pack that judged.
    pub pack: String,
    /// The contract.
    pub contract: String,
    /// The ticket.
    pub ticket: String,
    /// Events up to this instant count, and clocks are read at it.
    pub as_of: Instant,
    /// Where the ticket stands.
    pub status: Status,
    /// When it was reported; terms and clauses in force then govern it.
    pub reported_at: Option<Instant>,
    /// Free or paid; nothing when no clause decides.
    pub class: Option<ClassOutcome>,
    /// Its clocks, in the order of the pack's clause files.
    pub clocks: Vec<ClockOutcome>,
    /// What its breaches cost, before the deposit is asked.
    pub penalties: Vec<PenaltyOutcome>,
    /// Faults of the process.
    pub findings: Vec<Finding>,
    /// The clauses that apply.
    pub applies: Vec<String>,
    /// Why the ticket could not be assessed. Then it has no clocks and owes nothing until that is mended.
    pub fault: Option<ClauseFault>,
}

/// Free or paid maintenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassOutcome {
    /// `true`: free of charge.
    pub free: bool,
    /// The clause that decides.
    pub clause: String,
    /// Why, in the clause's words.
    pub reason: String,
}

/// One deadline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockOutcome {
    /// The clause that set it.
    pub clause: String,
    /// Its name within the clause.
    pub clock: String,
    /// The calendar it runs in.
    pub calendar: String,
    /// Where it stands.
    pub state: ClockState,
    /// When it started.
    pub started: Option<Instant>,
    /// When it is or was due: reaching exactly this instant is in time. Not known while it waits or is paused.
    pub due: Option<Instant>,
    /// When it was stopped.
    pub stopped: Option<Instant>,
    /// Open time of its calendar that has run, in seconds.
    pub used: Span,
    /// Its target in open time, in seconds; nothing for a clock that ends on an agreed date.
    pub target: Option<Span>,
    /// Open time beyond the target, in seconds.
    pub late: Span,
}

/// The price of one breach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PenaltyOutcome {
    /// `<ticket>/<clause>/<clock>`.
    pub id: String,
    /// The clause that prices it.
    pub clause: String,
    /// The clock that was missed.
    pub clock: String,
    /// When it was missed: the due instant.
    pub at: Instant,
    /// What it costs.
    pub amount: Money,
    /// From which instant on it costs how much in all, ascending; the last one is `amount`. Not in JSON: the ledger tells them.
    #[serde(skip)]
    pub steps: Vec<(Instant, Money)>,
}

/// A fault of the process, which costs nothing by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The clause that asks for it.
    pub clause: String,
    /// What is wrong.
    pub text: String,
}

/// What a script looked at: names with the values they had, in the order of the pack. In JSON an object.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Readings(pub Vec<(Arc<str>, String)>);

impl Readings {
    /// Whether nothing was looked at.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value read under a name, as it was written down.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.as_str())
    }

    /// Names and values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }
}

impl Serialize for Readings {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.iter())
    }
}

impl Case<'_> {
    /// The outcome with names instead of places.
    pub(crate) fn assessment(&self, contract: &str, outcome: &Outcome) -> Assessment {
        let pack = self.pack;
        let derivation = outcome.derivation.as_deref();
        let specs = derivation.map(|d| &*d.clocks).unwrap_or_default();
        let clocks = specs.iter().zip(&outcome.clocks).map(|(spec, run)| ClockOutcome {
            clause: pack.clause_id(spec.clause).to_owned(),
            clock: spec.name.to_string(),
            calendar: pack
                .calendars
                .get(usize::from(spec.calendar))
                .map_or(String::new(), |c| c.name.clone()),
            state: run.state,
            started: run.started,
            due: run.due,
            stopped: run.stopped,
            used: run.used,
            target: run.target,
            late: run.late,
        });
        let penalties = outcome.owed().filter_map(|penalty| {
            let spec = outcome.spec(penalty.clock)?;
            Some(PenaltyOutcome {
                id: penalty_id(pack, self.ticket, spec),
                clause: pack.clause_id(spec.clause).to_owned(),
                clock: spec.name.to_string(),
                at: penalty.at,
                amount: penalty.amount,
                steps: penalty.steps.to_vec(),
            })
        });
        let class = derivation.and_then(|d| d.class.as_ref()).map(|class| ClassOutcome {
            free: class.free,
            clause: pack.clause_id(class.clause).to_owned(),
            reason: class.reason.to_string(),
        });
        let applied = derivation.map(|d| &*d.clauses).unwrap_or_default();
        let applies = pack.policy.clauses.iter().zip(applied).filter(|(_, applied)| applied.applies);
        Assessment {
            format: FORMAT,
            pack: format!("{}@{}", pack.name, pack.version),
            contract: contract.to_owned(),
            ticket: self.ticket.to_string(),
            as_of: self.as_of,
            status: outcome.status,
            reported_at: outcome.reported_at,
            class,
            clocks: clocks.collect(),
            penalties: penalties.collect(),
            findings: outcome
                .findings
                .iter()
                .map(|(clause, text)| Finding {
                    clause: pack.clause_id(*clause).to_owned(),
                    text: text.to_string(),
                })
                .collect(),
            applies: applies.map(|(clause, _)| clause.id.to_string()).collect(),
            fault: outcome.fault.as_deref().cloned(),
        }
    }
}
