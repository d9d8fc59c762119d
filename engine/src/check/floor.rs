//! The deposit never below its floor: small histories of the whole pack, played through the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::cells::{Asks, Window, windows};
use super::chance::Dice;
use super::ticket::{Asked, FLOOR, Sketch, is_design};
use super::{Counterexample, Law, LawOutcome, LawVerdict, outcome};
use crate::engine::{Engine, EngineError};
use crate::event::{Event, TICKET_KINDS};
use crate::ledger::{EntryKind, Statement};
use crate::policy::ClauseScript;
use crate::ticket::{ContractFacts, FactType, Facts};
use crate::vocabulary::Value;
use crate::{Instant, Money, Pack};

const HOUR: i64 = 3_600_000_000;
const HISTORIES_MAX: u64 = 32;
const EVENTS_MAX: usize = 16;
/// How many parts of programs may be evaluated in all, about.
const EFFORT: u64 = 40_000_000;

/// Plays histories; nothing when no clause states a floor. `told_before`: why penalties cannot be deducted was found already.
pub(super) fn law(pack: &Pack, told_before: bool) -> Option<LawOutcome> {
    let has_floor = |clause: &&ClauseScript| matches!(clause.program.entries.get(FLOOR), Some(Some(_)));
    let clause = pack.policy.clauses.iter().find(has_floor)?;
    let told = |verdict| LawOutcome { place: clause.head(FLOOR), ..outcome(Law::Floor, clause, verdict) };
    if let Some(found) = below_nothing(pack, clause) {
        return Some(told(LawVerdict::Broken(Box::new(found))));
    }
    // The engine shares its pack; this one is only lent.
    let Some(shared) = again(pack).map(Arc::new) else { return Some(told(LawVerdict::Tried(0))) };
    let functions = pack.policy.clauses.iter().flat_map(|clause| clause.program.entries.iter().flatten());
    let histories = (EFFORT / (Asks::of(functions).nodes.max(1) * 64)).min(HISTORIES_MAX);
    let terms: BTreeSet<usize> = (0..pack.policy.words.terms.list.len()).collect();
    let spans = windows(pack, &[], &terms);
    let mut dice = Dice::new(0xf1002);
    for _ in 0..histories {
        let mut play = Play::new(&shared, clause, told_before);
        let Some(sentence) = play.at_random(&spans, &mut dice) else { continue };
        let events = smallest(&shared, clause, told_before, play.events);
        return Some(told(LawVerdict::Broken(Box::new(Counterexample {
            sentence,
            facts: Vec::new(),
            reported_at: None,
            clock: None,
            prices: Vec::new(),
            events,
        }))));
    }
    Some(told(LawVerdict::Tried(histories)))
}

/// The same pack once more.
fn again(pack: &Pack) -> Option<Pack> {
    let mut same = Pack::from_files(pack.files.clone()).ok()?;
    for (name, value) in pack.overrides() {
        same = same.with_term(name, value).ok()?;
    }
    Some(same)
}

/// The floor at an instant, in minor units, if it can be had.
fn floor_at(pack: &Pack, clause: &ClauseScript, at: Instant, contract: ContractFacts) -> Option<i64> {
    let unknown = vec![None; pack.schema.facts.len()];
    let sketch = Sketch {
        reported_at: at,
        via: None,
        facts: Facts { first: unknown.clone(), current: unknown },
        contract,
        standing: Vec::new(),
    };
    match (Asked { pack, clause }).entry(FLOOR, &sketch.inputs(pack), None) {
        Ok(Some(Value::Money(money))) => Some(money.minor()),
        _ => None,
    }
}

/// A floor below nothing at some date, which the engine refuses to keep.
fn below_nothing(pack: &Pack, clause: &ClauseScript) -> Option<Counterexample> {
    let function = clause.program.entries.get(FLOOR)?.as_ref()?;
    for window in windows(pack, &[], &Asks::of([function]).terms) {
        let at = Instant::from_micros(window.reported.0).ok()?;
        for told in [ContractFacts::default(), ContractFacts { signed_at: Some(at), accepted_at: Some(at) }] {
            let Some(floor) = floor_at(pack, clause, at, told).filter(|floor| *floor < 0) else { continue };
            let floor = Money::from_minor(floor, pack.currency);
            return Some(Counterexample {
                sentence: format!("the deposit's floor is {floor} at {at}: expected zero or more"),
                facts: Vec::new(),
                reported_at: None,
                clock: None,
                prices: Vec::new(),
                events: Vec::new(),
            });
        }
    }
    None
}

/// The same history without the events that it does not need.
fn smallest(
    pack: &Arc<Pack>,
    clause: &ClauseScript,
    told_before: bool,
    mut events: Vec<Event>,
) -> Vec<Event> {
    let mut i = events.len();
    while i > 0 {
        i -= 1;
        let mut fewer = events.clone();
        fewer.remove(i);
        let mut play = Play::new(pack, clause, told_before);
        if fewer.iter().any(|event| play.tell(event.clone()).is_some()) {
            events = fewer;
        }
    }
    events
}

/// One history as it is told.
struct Play<'a> {
    pack: &'a Arc<Pack>,
    clause: &'a ClauseScript,
    contract: String,
    engine: Engine,
    told: ContractFacts,
    /// Penalties that cannot be deducted are told elsewhere.
    told_before: bool,
    events: Vec<Event>,
}

impl<'a> Play<'a> {
    fn new(pack: &'a Arc<Pack>, clause: &'a ClauseScript, told_before: bool) -> Play<'a> {
        let contract = pack.contracts.first().cloned().unwrap_or_default();
        let mut engine = Engine::new();
        // What comes with the pack may be refused by its own books: then there is nothing to play.
        let _ = engine.open_as(&contract, Arc::clone(pack));
        Play {
            pack,
            clause,
            contract,
            engine,
            told: ContractFacts::default(),
            told_before,
            events: Vec::new(),
        }
    }

    /// Plays a history by chance until something is wrong, if anything is.
    fn at_random(&mut self, spans: &[Window], dice: &mut Dice) -> Option<String> {
        let span = dice.pick(spans)?.reported;
        let mut at = span.0.saturating_add(dice.between(-360, 240) * HOUR).max(spans.first()?.reported.0);
        for kind in ["signed", "project_accepted", "deposit_paid"] {
            if dice.below(8) > 0 {
                let event = self.act(kind, at, dice);
                if let Some(wrong) = self.tell(event) {
                    return Some(wrong);
                }
            }
        }
        for _ in 0..EVENTS_MAX {
            let hours = *dice.pick(&[0, 1, 3, 26, 24 * 8, 24 * 40]).unwrap_or(&1);
            at = at.saturating_add(dice.between(0, hours * HOUR));
            let event = match dice.below(8) {
                0 => self.act("deposit_paid", at, dice),
                1 => self.act("deposit_released", at, dice),
                2 => self.act("penalty_waived", at, dice),
                3 => self.act("penalty_confirmed", at, dice),
                4 | 5 => self.report(at, dice),
                _ => self.other(at, dice),
            };
            if let Some(wrong) = self.tell(event) {
                return Some(wrong);
            }
        }
        None
    }

    fn event(&self, kind: &str, ticket: Option<String>, at: i64, data: Map<String, Json>) -> Event {
        Event {
            id: format!("{}", self.events.len() + 1),
            contract: self.contract.clone(),
            ticket,
            kind: kind.to_owned(),
            at: Instant::from_micros(at).unwrap_or(Instant::MAX),
            actor: None,
            via: None,
            data,
        }
    }

    /// An act on the contract.
    fn act(&self, kind: &str, at: i64, dice: &mut Dice) -> Event {
        let mut data = Map::new();
        if kind.starts_with("deposit") {
            let amount = match dice.below(3) {
                0 => dice.between(0, 100_000),
                1 => dice.between(0, 10_000_000),
                _ => *dice.pick(&[0, 1, 50_000, 1_000_000]).unwrap_or(&0),
            };
            let amount = Money::from_minor(amount, self.pack.currency).amount();
            data.insert("amount".to_owned(), json!(amount));
        }
        if kind.starts_with("penalty") {
            let statement = self.engine.statement(&self.contract);
            let ids: Vec<String> =
                statement.into_iter().flat_map(|s| s.penalties).map(|line| line.id).collect();
            data.insert("penalty".to_owned(), json!(dice.pick(&ids).map_or("none", String::as_str)));
        }
        self.event(kind, None, at, data)
    }

    fn report(&self, at: i64, dice: &mut Dice) -> Event {
        let mut data = Map::new();
        for fact in &self.pack.schema.facts {
            let value = match &fact.of {
                FactType::Bool => json!(dice.below(2) == 0),
                FactType::Integer => json!(dice.between(0, 20)),
                FactType::Money => {
                    json!(Money::from_minor(dice.between(0, 100_000), self.pack.currency).amount())
                }
                FactType::Text => json!("other"),
                FactType::OneOf(values) => json!(dice.pick(values).map_or("", |value| value.as_str())),
                FactType::Instant => continue,
            };
            data.insert(fact.name.clone(), value);
        }
        let ticket = format!("T{}", dice.below(4) + 1);
        let via = dice.pick(&["phone", "web", "written"]).map(|via| (*via).to_owned());
        Event { via, ..self.event("reported", Some(ticket), at, data) }
    }

    /// Something else that happens to a ticket.
    fn other(&self, at: i64, dice: &mut Dice) -> Event {
        let kind = dice.pick(&TICKET_KINDS).copied();
        let ticket = format!("T{}", dice.below(4) + 1);
        self.event(kind.unwrap_or("updated"), Some(ticket), at, Map::new())
    }

    /// Tells an event; what is then wrong, if anything.
    fn tell(&mut self, event: Event) -> Option<String> {
        let (at, kind) = (event.at, event.kind.clone());
        match self.engine.submit(event.clone()) {
            Ok(_) => {}
            Err(EngineError::Ledger(error)) => {
                self.events.push(event);
                return Some(format!("the books cannot be kept: {error}"));
            }
            // Refused: as if it had not been told.
            Err(_) => return None,
        }
        self.events.push(event);
        match kind.as_str() {
            "signed" => self.told.signed_at = Some(at),
            "project_accepted" => self.told.accepted_at = Some(at),
            _ => {}
        }
        self.wrong()
    }

    /// What is wrong with the books as they stand.
    fn wrong(&self) -> Option<String> {
        let statement = self.engine.statement(&self.contract)?;
        let not_deducted =
            |remark: &&String| remark.starts_with("penalties are not deducted") && !is_design(remark);
        if let Some(remark) = statement.remarks.iter().find(not_deducted).filter(|_| !self.told_before) {
            return Some(remark.clone());
        }
        self.off_balance(&statement).or_else(|| self.too_low(&statement))
    }

    fn off_balance(&self, statement: &Statement) -> Option<String> {
        let mut accounts: BTreeMap<_, i64> = BTreeMap::new();
        for entry in self.engine.ledger(&self.contract) {
            *accounts.entry(entry.from).or_default() -= entry.amount.minor();
            *accounts.entry(entry.to).or_default() += entry.amount.minor();
        }
        for (account, balance) in &statement.balances {
            let sum = accounts.get(account).copied().unwrap_or_default();
            if sum != balance.minor() {
                return Some(format!(
                    "the entries of {account:?} add up to {sum}, not to {}",
                    balance.minor()
                ));
            }
        }
        let deposit = &statement.deposit;
        let out = deposit.released.minor() + deposit.deducted.minor() + deposit.balance.minor();
        (deposit.paid.minor() != out).then(|| {
            format!("{} was paid into the deposit, and {out} minor units are accounted for", deposit.paid)
        })
    }

    /// A deduction that took the deposit below the floor of its time. A release may go below: it is the buyer's act, and what
    /// is posted after one may correct what was before it.
    fn too_low(&self, statement: &Statement) -> Option<String> {
        let floor = |at| floor_at(self.pack, self.clause, at, self.told);
        let of_penalties: Option<i64> = statement.penalties.iter().map(|line| floor(line.at)).min().flatten();
        let entries = self.engine.ledger(&self.contract).iter();
        for entry in entries.take_while(|entry| entry.kind != EntryKind::Released) {
            let (Some(floor), EntryKind::Deducted) = (floor(entry.at).min(of_penalties), entry.kind) else {
                continue;
            };
            if entry.balance.minor() < floor {
                let floor = Money::from_minor(floor, self.pack.currency);
                return Some(format!(
                    "a deduction of {} leaves {} of the deposit, below its floor of {floor}",
                    entry.amount, entry.balance
                ));
            }
        }
        None
    }
}
