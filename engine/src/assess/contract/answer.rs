//! An assessment of a contract as it is told: names instead of places.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{ClockEnds, ContractCase, ContractState, LevelRun};
use crate::assess::{FORMAT, PenaltyOutcome};
use crate::clock::ClockState;
use crate::policy::ClauseFault;
use crate::{Instant, Money, Span};

/// A contract's own obligations judged as of an instant, every part with the clause it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContractAssessment {
    /// [`FORMAT`].
    pub format: u32,
    /// Name and version of the pack that judged.
    pub pack: String,
    /// The contract.
    pub contract: String,
    /// Events up to this instant count, and clocks are read at it.
    pub as_of: Instant,
    /// When it was signed; the last word counts.
    pub signed_at: Option<Instant>,
    /// When the project was accepted; the last word counts.
    pub accepted_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// The occurrences of duties whose own time has begun, by instant, then by duty.
    pub duties: Vec<DutyOutcome>,
    /// The periods of service levels that have begun, by their ends.
    pub levels: Vec<LevelOutcome>,
    /// What missed duties and closed periods cost, before the deposit is asked.
    pub penalties: Vec<PenaltyOutcome>,
    /// What is wrong with what was told, in the order of the events.
    pub findings: Vec<ContractFinding>,
    /// Why something could not be judged; the first reason. What it concerns owes nothing until that is mended.
    pub fault: Option<ClauseFault>,
}

/// One occurrence of a duty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DutyOutcome {
    /// Its local time in the contract's zone, such as `2026-03-02T01:00`.
    pub subject: String,
    /// The clause that sets it.
    pub clause: String,
    /// The duty's name.
    pub duty: String,
    /// Where it stands.
    pub state: ClockState,
    /// From here on being done counts for it.
    pub opens: Instant,
    /// When it falls.
    pub at: Instant,
    /// When it is or was due: reaching exactly this instant is in time. Not known before it falls, or while it stands still.
    pub due: Option<Instant>,
    /// When it was done.
    pub done: Option<Instant>,
    /// Open time beyond its time, in seconds.
    pub late: Span,
}

/// One period of a service level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelOutcome {
    /// The period: `2026-03`, `2026-Q1`, `2026`; of several months the last one.
    pub subject: String,
    /// The clause that sets it.
    pub clause: String,
    /// The level's name.
    pub level: String,
    /// The period's first instant within the contract's life.
    pub from: Instant,
    /// The instant after its last.
    pub until: Instant,
    /// When it closes: its end and the settling time.
    pub closes: Instant,
    /// Whether it has closed by now. Before that all numbers are those so far.
    pub closed: bool,
    /// The share of time or of clocks that was good; 1 when there was nothing to measure. In JSON a text, `"0.9995"`.
    #[serde(serialize_with = "as_text")]
    pub share: Decimal,
    /// Clocks that were met or missed; for availability the outages.
    pub total: i64,
    /// Clocks that were met.
    pub met: i64,
    /// Clocks that were missed.
    pub missed: i64,
    /// Outage time that counts, in open time of its calendar, in seconds.
    pub downtime: Span,
    /// What was invoiced within the period.
    pub invoiced: Money,
    /// What it costs; nothing before it closes, or when the clause gives no credit.
    pub credit: Option<Money>,
    /// From when on the credit is given back, since the level was kept for long enough afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earned_back: Option<Instant>,
}

/// Something that is wrong with what was told of a contract. It costs nothing by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, serde::Deserialize)]
pub struct ContractFinding {
    /// When it happened.
    pub at: Instant,
    /// The event it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The clause, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// The occurrence or period, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is wrong.
    pub text: String,
}

/// A decimal keeps all its digits as a text.
fn as_text<S: serde::Serializer>(share: &Decimal, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(&share.normalize())
}

impl ContractState {
    /// The state with names instead of places.
    pub(crate) fn assessment(
        &self,
        case: ContractCase<'_>,
        contract: &str,
        ends: &ClockEnds,
    ) -> ContractAssessment {
        let pack = case.pack;
        let (mut duties, mut penalties) = (Vec::new(), Vec::new());
        for ((at, name), (clause, opens, judged)) in self.duties.all() {
            let (subject, clause) = (super::duties::subject(pack, at), pack.clause_id(clause).to_owned());
            let owed =
                judged.cost.as_ref().and_then(|cost| Some((cost.amount()?, cost.penalty.steps.to_vec())));
            if let (Some((amount, steps)), Some(missed)) = (owed, judged.run.breached_at()) {
                penalties.push(PenaltyOutcome {
                    id: format!("{subject}/{clause}/{name}"),
                    clause: clause.clone(),
                    clock: name.to_string(),
                    at: missed,
                    amount,
                    steps,
                });
            }
            duties.push(DutyOutcome {
                subject,
                clause,
                duty: name.to_string(),
                state: judged.run.state,
                opens,
                at,
                due: judged.run.due,
                done: judged.run.stopped,
                late: judged.run.late,
            });
        }
        let levels = self.level_outcomes(case, ends, &mut penalties);
        ContractAssessment {
            format: FORMAT,
            pack: format!("{}@{}", pack.name, pack.version),
            contract: contract.to_owned(),
            as_of: case.as_of,
            signed_at: self.frame.facts.signed_at,
            accepted_at: self.frame.facts.accepted_at,
            ended_at: self.frame.ended,
            duties,
            levels,
            penalties,
            findings: self.findings(case),
            fault: self.fault(),
        }
    }

    fn level_outcomes(
        &self,
        case: ContractCase<'_>,
        ends: &ClockEnds,
        penalties: &mut Vec<PenaltyOutcome>,
    ) -> Vec<LevelOutcome> {
        let closed = self.levels.runs().map(|(key, run)| (key.clone(), run.clone()));
        let open = self.levels.open(case, &self.frame, &self.epochs, ends);
        let mut all: Vec<_> = closed.chain(open).collect();
        all.sort_by(|(a, x), (b, y)| (x.period.until, a).cmp(&(y.period.until, b)));
        let outcome = |((clause, name, subject), run): (super::levels::LevelKey, LevelRun)| {
            let clause = case.pack.clause_id(clause).to_owned();
            let owed = run.cost.as_ref().and_then(|cost| Some((cost.amount()?, cost.penalty.steps.to_vec())));
            if let Some((amount, steps)) = owed {
                penalties.push(PenaltyOutcome {
                    id: format!("{subject}/{clause}/{name}"),
                    clause: clause.clone(),
                    clock: name.to_string(),
                    at: run.period.closes,
                    amount,
                    steps,
                });
            }
            LevelOutcome {
                subject,
                clause,
                level: name.to_string(),
                from: run.period.from,
                until: run.period.until,
                closes: run.period.closes,
                closed: run.period.closes <= case.as_of,
                share: run.measured.share,
                total: run.measured.total,
                met: run.measured.total - run.measured.missed,
                missed: run.measured.missed,
                downtime: run.measured.downtime,
                invoiced: run.invoiced,
                credit: run.cost.as_ref().map(|cost| cost.penalty.amount),
                earned_back: run.earned_back,
            }
        };
        all.into_iter().map(outcome).collect()
    }
}
