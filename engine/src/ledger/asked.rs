//! What the books ask of the clauses: the deposit's floor, the caps, what a repeated breach costs.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use super::books::Owed;
use super::caps::{CapHere, Capped};
use crate::assess::Case;
use crate::policy::ClauseFault;
use crate::ticket::Entry;
use crate::vocabulary::{AgainInputs, Cap, CapPer, Inputs};
use crate::{Instant, Money, Pack};

/// A contract as its clauses are asked about it: its entries that have happened.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) pack: &'a Pack,
    history: &'a [Arc<Entry>],
}

impl<'a> Asking<'a> {
    /// What is told ahead of its instant is not looked at before.
    pub(super) fn new(pack: &'a Pack, history: &'a [Arc<Entry>], now: Instant) -> Asking<'a> {
        let happened = history.partition_point(|entry| entry.at <= now);
        Asking { pack, history: history.get(..happened).unwrap_or_default() }
    }

    fn inputs(&self, at: Instant) -> Arc<Inputs> {
        let nobody = Arc::from("");
        let (pack, contract) = (self.pack, self.history);
        let case = Case { pack, contract, relief: &[], history: &[], ticket: &nobody, as_of: Instant::MAX };
        case.inputs(&[], at)
    }

    /// Below what the deposit may not fall by the terms in force at an instant.
    pub(super) fn floor(&self, at: Instant) -> Result<i64, Box<ClauseFault>> {
        let floor = self.pack.policy.deposit_floor(&self.inputs(at));
        floor.map(|floor| floor.map_or(0, Money::minor)).map_err(Box::new)
    }

    /// What the steps of a penalty come to in view of the breaches of its clause before it.
    pub(super) fn repeated(
        &self,
        owed: &Owed,
        earlier: &Arc<[Instant]>,
        steps: &[(Instant, i64)],
    ) -> Result<Vec<(Instant, i64)>, Box<ClauseFault>> {
        let inputs = self.inputs(owed.reported_at);
        let mut sums = Vec::with_capacity(steps.len());
        for (at, sum) in steps {
            let again = AgainInputs {
                clock: Arc::clone(&owed.name),
                at: owed.at,
                amount: Money::from_minor(*sum, self.pack.currency),
                earlier: Arc::clone(earlier),
            };
            let amount = self.pack.policy.repeated(&inputs, owed.clause, &again).map_err(Box::new)?;
            if amount.minor() < 0 {
                let what = format!("a repeated breach that costs {amount}: expected zero or more");
                return Err(self.fault(owed.clause, what));
            }
            sums.push((*at, amount.minor()));
        }
        Ok(sums)
    }

    /// How many clauses have begun or ended on a date.
    fn begun(&self, date: NaiveDate) -> usize {
        let dates = self.pack.policy.clauses.iter().flat_map(|clause| [clause.from, clause.until]);
        dates.flatten().filter(|begun| *begun <= date).count()
    }

    fn fault(&self, clause: u16, message: String) -> Box<ClauseFault> {
        let script = self.pack.policy.clauses.get(usize::from(clause));
        let (clause, file) =
            script.map(|script| (script.id.to_string(), script.file.clone())).unwrap_or_default();
        Box::new(ClauseFault { clause, file, line: 0, column: 0, message })
    }
}

/// What tells one cap from another, whatever its limit: the clause, what it adds up, of which clauses, and which of several
/// alike it is.
type Identity = (u16, CapPer, Option<Arc<[rhai::ImmutableString]>>, usize);

/// The version of the terms, and how many clauses have begun or ended.
type Version = (usize, usize);

/// Floors and caps by version of the terms, as they were answered. A fault is not kept: it names the instant asked about.
#[derive(Default)]
pub(super) struct Answers {
    floors: HashMap<usize, i64>,
    caps: HashMap<Version, Vec<(Cap, CapHere)>>,
    /// The caps that limit one clause, by version and clause.
    of_clause: HashMap<(Version, u16), Arc<[CapHere]>>,
    identities: Vec<Identity>,
}

impl Answers {
    /// The contract's own facts have changed: what was answered may be answered otherwise.
    pub(super) fn forget(&mut self) {
        self.floors.clear();
        self.caps.clear();
        self.of_clause.clear();
    }

    pub(super) fn floor(&mut self, asking: Asking<'_>, at: Instant) -> Result<i64, Box<ClauseFault>> {
        let version = asking.pack.terms_at(at).version;
        if let Some(floor) = self.floors.get(&version) {
            return Ok(*floor);
        }
        let floor = asking.floor(at)?;
        self.floors.insert(version, floor);
        Ok(floor)
    }

    /// The caps of a penalty; nothing when none limits it.
    pub(super) fn capped(
        &mut self,
        asking: Asking<'_>,
        owed: &Owed,
    ) -> Result<Option<Arc<Capped>>, Box<ClauseFault>> {
        let date = asking.pack.local_date(owed.counts_at);
        let version = (asking.pack.terms_at(owed.counts_at).version, asking.begun(date));
        let of_clause = match self.of_clause.get(&(version, owed.clause)) {
            Some(known) => Arc::clone(known),
            None => {
                let clause = asking.pack.clause_id(owed.clause);
                let caps: Arc<[CapHere]> = self
                    .caps(asking, version, owed.counts_at)?
                    .iter()
                    .filter(|(cap, _)| limits(cap, clause))
                    .map(|(_, here)| here.clone())
                    .collect();
                self.of_clause.insert((version, owed.clause), Arc::clone(&caps));
                caps
            }
        };
        if of_clause.is_empty() {
            return Ok(None);
        }
        let month = date.year() * 12 + i32::try_from(date.month0()).unwrap_or_default();
        Ok(Some(Arc::new(Capped { caps: of_clause, subject: owed.bucket(), month })))
    }

    fn caps(
        &mut self,
        asking: Asking<'_>,
        version: Version,
        at: Instant,
    ) -> Result<&[(Cap, CapHere)], Box<ClauseFault>> {
        if !self.caps.contains_key(&version) {
            let caps = asking.pack.policy.caps(&asking.inputs(at)).map_err(Box::new)?;
            let caps = self.known(asking, caps)?;
            self.caps.insert(version, caps);
        }
        Ok(self.caps.get(&version).map_or(&[], Vec::as_slice))
    }

    /// The caps of one version, each with its number and name.
    fn known(
        &mut self,
        asking: Asking<'_>,
        caps: Vec<(u16, Cap)>,
    ) -> Result<Vec<(Cap, CapHere)>, Box<ClauseFault>> {
        let mut list: Vec<(Identity, Cap, CapHere)> = Vec::with_capacity(caps.len());
        for (clause, cap) in caps {
            let limit = cap.limit.minor();
            if limit < 0 {
                return Err(asking.fault(clause, format!("a cap of {}: expected zero or more", cap.limit)));
            }
            let same = |(other, _, _): &&(Identity, Cap, CapHere)| {
                (other.0, other.1, &other.2) == (clause, cap.per, &cap.clauses)
            };
            let identity = (clause, cap.per, cap.clauses.clone(), list.iter().filter(same).count());
            let id = match self.identities.iter().position(|known| *known == identity) {
                Some(known) => known,
                None => {
                    self.identities.push(identity.clone());
                    self.identities.len() - 1
                }
            };
            let name = name(&cap, asking.pack.clause_id(clause));
            let here = CapHere { id, per: cap.per, limit, name: name.into() };
            list.push((identity, cap, here));
        }
        Ok(list.into_iter().map(|(_, cap, here)| (cap, here)).collect())
    }
}

fn limits(cap: &Cap, clause: &str) -> bool {
    cap.clauses.as_ref().is_none_or(|clauses| clauses.iter().any(|of| of.as_str() == clause))
}

/// A cap in words: `per month, clause 7.3`.
fn name(cap: &Cap, clause: &str) -> String {
    let per = match cap.per {
        CapPer::Ticket => "per ticket".to_owned(),
        CapPer::Month => "per month".to_owned(),
        CapPer::Quarter => "per quarter".to_owned(),
        CapPer::Year => "per year".to_owned(),
        CapPer::Months(n) => format!("over {n} months"),
        CapPer::Contract => "in all".to_owned(),
    };
    match &cap.clauses {
        None => format!("{per}, clause {clause}"),
        Some(of) => {
            let of: Vec<&str> = of.iter().map(|of| of.as_str()).collect();
            format!("{per} for {}, clause {clause}", of.join(" and "))
        }
    }
}
