//! Keeps a contract's ledger in step with what it owes and what its events pay and say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::asked::{Answers, Asking};
use super::plan::{Plan, Planned};
use super::say::{SayKind, Sayings};
use super::settlement::{Filed, Item, ItemKey};
use super::{Ledger, LedgerError, StatementLine, Subject, line};
use crate::event::Kind;
use crate::policy::ClauseFault;
use crate::ticket::{Detail, Entry};
use crate::{Instant, Pack};

/// A contract's money: what is owed, and the ledger that follows from it.
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(super) penalties: BTreeMap<String, Penalty>,
    pub(super) said: Sayings,
    /// Payments in and out by event.
    moves: BTreeMap<String, (Instant, Item)>,
    pub(super) answers: Answers,
    /// The breaches of each clause that says what a repetition costs, in their order.
    breaches: BTreeMap<u16, BTreeSet<(Instant, String)>>,
    /// What has changed since the last settlement.
    changed: Changed,
    pub(crate) low: bool,
    pub(crate) exhausted: bool,
    /// The penalties that were filed or struck since they were last asked for, where that is wanted.
    touched: Option<BTreeSet<String>>,
    /// Those of which the statement may say something else.
    lines: Option<BTreeSet<String>>,
}

/// What is to be put into the ledger anew.
#[derive(Default)]
struct Changed {
    penalties: BTreeMap<String, Change>,
    moves: BTreeSet<String>,
    /// From which breach on those of a clause see others before them.
    breaches: BTreeMap<u16, (Instant, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// It has new steps after the old ones.
    Grown,
    Whole,
}

/// A penalty as assessed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Owed {
    /// What it belongs to: which sort of thing, and its id.
    pub(crate) subject: Subject,
    pub(crate) of: String,
    /// The place of the clause that prices it.
    pub(crate) clause: u16,
    /// The clock, duty or level.
    pub(crate) name: Arc<str>,
    /// When it was missed.
    pub(crate) at: Instant,
    /// The instant by which it counts into caps, and whose terms give them.
    pub(crate) counts_at: Instant,
    /// The instant whose terms say whether it waits for a confirmation, and what a repetition costs.
    pub(crate) reported_at: Instant,
    /// What it costs in minor units from each instant on, ascending; at least one.
    pub(crate) steps: Vec<(Instant, i64)>,
    /// From when on it is given back.
    pub(crate) earned_back: Option<Instant>,
}

/// A penalty and where it stands in the ledger.
pub(super) struct Penalty {
    pub(super) owed: Owed,
    /// Its steps in view of earlier breaches, where that makes a difference.
    pub(super) repeated: Option<Vec<(Instant, i64)>>,
    /// Why it cannot be deducted, if so.
    pub(super) fault: Option<Box<ClauseFault>>,
    pub(super) keys: Vec<ItemKey>,
    /// How many of its steps were looked at; none when they must be looked at anew.
    pub(super) filed: usize,
    /// At least its first step takes effect.
    pub(super) due: bool,
}

impl Owed {
    /// A penalty of one sum, or of steps that each cost so much in all.
    pub(crate) fn new(subject: Subject, of: &str, clause: u16, name: Arc<str>, at: Instant) -> Owed {
        Owed {
            subject,
            of: of.to_owned(),
            clause,
            name,
            at,
            counts_at: at,
            reported_at: at,
            steps: Vec::new(),
            earned_back: None,
        }
    }

    pub(super) fn last(&self) -> (Instant, i64) {
        self.steps.last().copied().unwrap_or((self.at, 0))
    }

    /// What a cap per ticket adds up: the ticket, or one occurrence of a duty, or one period of a level.
    pub(super) fn bucket(&self) -> Arc<str> {
        match self.subject {
            Subject::Ticket => format!("ticket {}", self.of).into(),
            Subject::Duty | Subject::Level => format!("{} {} {}", self.clause, self.of, self.name).into(),
        }
    }

    /// Whether it is the other one with more steps after it.
    fn continues(&self, other: &Owed) -> bool {
        let same = |owed: &Owed| (owed.clause, owed.at, owed.counts_at, owed.reported_at, owed.earned_back);
        same(self) == same(other)
            && (&self.of, &self.name, self.subject) == (&other.of, &other.name, other.subject)
            && self.steps.len() > other.steps.len()
            && self.steps.starts_with(&other.steps)
    }
}

impl Penalty {
    /// Its steps as they cost.
    pub(super) fn steps(&self) -> &[(Instant, i64)] {
        self.repeated.as_deref().unwrap_or(&self.owed.steps)
    }

    /// What it costs before caps.
    pub(super) fn amount(&self) -> i64 {
        self.steps().last().map_or(0, |(_, sum)| *sum)
    }
}

impl Books {
    pub(crate) fn new(contract: &str, pack: &Pack) -> Books {
        Books {
            ledger: Ledger::new(contract, pack.currency),
            penalties: BTreeMap::new(),
            said: Sayings::default(),
            moves: BTreeMap::new(),
            answers: Answers::default(),
            breaches: BTreeMap::new(),
            changed: Changed::default(),
            low: false,
            exhausted: false,
            touched: None,
            lines: None,
        }
    }

    /// The books as they stood at an instant: of the contract's entries that had happened then, of what was owed, and of so many
    /// entries in the ledger.
    pub(crate) fn again(
        contract: &str,
        pack: &Pack,
        history: &[Arc<Entry>],
        owed: Vec<(String, Owed)>,
        entries: u64,
        now: Instant,
    ) -> Books {
        let mut books = Books::new(contract, pack);
        history.iter().filter(|entry| entry.at <= now).for_each(|entry| books.apply(entry));
        for (id, owed) in owed {
            books.file(pack, &id, owed);
        }
        books.put_changed(pack, history, now);
        books.ledger.resume(entries);
        books.touched = Some(BTreeSet::new());
        books.lines = Some(BTreeSet::new());
        books
    }

    /// The penalties that were filed or struck since this was asked last: what each comes to, nothing for those that are no more.
    pub(crate) fn take_touched(&mut self) -> Vec<(String, Option<Owed>)> {
        let touched = self.touched.as_mut().map(std::mem::take).unwrap_or_default();
        let owed = |id: String| {
            let owed = self.penalties.get(&id).map(|penalty| penalty.owed.clone());
            (id, owed)
        };
        touched.into_iter().map(owed).collect()
    }

    /// The lines of the statement that may have changed since this was asked last: nothing for a penalty that is no more.
    pub(crate) fn take_lines(&mut self, pack: &Pack) -> Vec<(String, Option<StatementLine>)> {
        let settled = self.ledger.settled_anew.as_mut().map(std::mem::take).unwrap_or_default();
        let mut ids = self.lines.as_mut().map(std::mem::take).unwrap_or_default();
        ids.extend(settled);
        let line = |id: String| {
            let line = line(&id, pack, self);
            (id, line)
        };
        ids.into_iter().map(line).collect()
    }

    fn touch(&mut self, id: &str) {
        for ids in [&mut self.touched, &mut self.lines].into_iter().flatten() {
            ids.insert(id.to_owned());
        }
    }

    /// Takes a contract event that has happened, if it is about money.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        let said = match (&entry.detail, entry.kind) {
            (Detail::Amount(amount), Kind::DEPOSIT_PAID) => {
                return self.moved(entry, Item::Paid(amount.minor()));
            }
            (Detail::Amount(amount), Kind::DEPOSIT_RELEASED) => {
                return self.moved(entry, Item::Released(amount.minor()));
            }
            (_, Kind::SETTLED) => {
                for id in self.said.settle(entry.at, &entry.id) {
                    self.changed.penalties.insert(id.clone(), Change::Whole);
                }
                return;
            }
            (Detail::Penalty(..), Kind::PENALTY_CONFIRMED) => SayKind::Confirmed,
            (Detail::Penalty(..), Kind::PENALTY_WAIVED) => SayKind::Waived,
            (Detail::Penalty(..), Kind::PENALTY_DISPUTED) => SayKind::Disputed,
            (Detail::Penalty(..), Kind::DISPUTE_ENDED) => SayKind::DisputeEnded,
            _ => return,
        };
        if let Detail::Penalty(word) = &entry.detail {
            let (id, by) = (&word.penalty, word.by.as_deref());
            self.said.say(id, (entry.at, &entry.id), said, by, entry.reason.as_ref());
            self.changed.penalties.insert(id.to_string(), Change::Whole);
        }
    }

    fn moved(&mut self, entry: &Entry, item: Item) {
        self.moves.insert(entry.id.to_string(), (entry.at, item));
        self.changed.moves.insert(entry.id.to_string());
    }

    /// Files a penalty, or files it anew when it has changed. It is put into the ledger by the next [`Books::settle`].
    pub(crate) fn file(&mut self, pack: &Pack, id: &str, owed: Owed) {
        self.touch(id);
        let known = self.penalties.get_mut(id);
        if let Some(known) =
            known.filter(|known| known.owed.clause == owed.clause && known.owed.at == owed.at)
        {
            let change = if owed.continues(&known.owed) { Change::Grown } else { Change::Whole };
            known.owed = owed;
            let before = self.changed.penalties.entry(id.to_owned()).or_insert(change);
            *before = change.max(*before);
            return;
        }
        let keys = self.take(id);
        if pack.policy.repeats(owed.clause) {
            let breach = (owed.at, id.to_owned());
            self.saw(owed.clause, &breach);
            self.breaches.entry(owed.clause).or_default().insert(breach);
        }
        self.changed.penalties.insert(id.to_owned(), Change::Whole);
        let penalty = Penalty { owed, repeated: None, fault: None, keys, filed: 0, due: false };
        self.penalties.insert(id.to_owned(), penalty);
    }

    /// Takes a penalty out that is no longer owed.
    pub(crate) fn strike(&mut self, id: &str) {
        self.touch(id);
        for key in self.take(id) {
            self.ledger.remove(&key);
        }
    }

    /// Takes a penalty out of the list and leaves its items in the ledger.
    fn take(&mut self, id: &str) -> Vec<ItemKey> {
        let Some(penalty) = self.penalties.remove(id) else { return Vec::new() };
        let (clause, breach) = (penalty.owed.clause, (penalty.owed.at, id.to_owned()));
        if self.breaches.get_mut(&clause).is_some_and(|breaches| breaches.remove(&breach)) {
            self.saw(clause, &breach);
        }
        penalty.keys
    }

    /// Those of the clause from this breach on have others before them than they had.
    fn saw(&mut self, clause: u16, breach: &(Instant, String)) {
        let from = self.changed.breaches.entry(clause).or_insert_with(|| breach.clone());
        if *breach < *from {
            from.clone_from(breach);
        }
    }

    /// The contract's own facts have changed: floors, caps and all that rests on them are taken anew.
    pub(crate) fn refile_all(&mut self) {
        self.answers.forget();
        self.changed.moves.extend(self.moves.keys().cloned());
        self.changed.penalties.extend(self.penalties.keys().map(|id| (id.clone(), Change::Whole)));
    }

    /// Puts what has changed into the ledger and settles it; says whether anything was. `history` holds the contract's
    /// entries, of which those count that have happened when this is booked.
    pub(crate) fn settle(
        &mut self,
        pack: &Pack,
        history: &[Arc<Entry>],
        booked: Instant,
        cause: Option<&str>,
    ) -> Result<bool, LedgerError> {
        self.put_changed(pack, history, booked);
        self.ledger.settle(booked, cause)
    }

    fn put_changed(&mut self, pack: &Pack, history: &[Arc<Entry>], booked: Instant) {
        let asking = Asking::new(pack, history, booked);
        let mut changed = std::mem::take(&mut self.changed);
        for (clause, from) in &changed.breaches {
            let later = self.breaches.get(clause).into_iter().flat_map(|all| all.range(from.clone()..));
            changed.penalties.extend(later.map(|(_, id)| (id.clone(), Change::Whole)));
        }
        for event in &changed.moves {
            let Some((at, item)) = self.moves.get(event) else { continue };
            let floor = self.answers.floor(asking, *at).ok();
            self.ledger.put(item.key(*at, event), Filed { item: item.clone(), floor });
        }
        if let Some(lines) = &mut self.lines {
            lines.extend(changed.penalties.keys().cloned());
        }
        for (id, change) in changed.penalties {
            self.refile(asking, &id, change);
        }
    }

    /// Puts a penalty into the ledger as its steps, and what was said of it, have it.
    fn refile(&mut self, asking: Asking<'_>, id: &str, change: Change) {
        let Some(penalty) = self.penalties.get_mut(id) else { return };
        let heard = self.said.hear(id, penalty.owed.last().0);
        let earlier = earlier(self.breaches.get(&penalty.owed.clause), penalty.owed.at, id);
        let mut plan = Plan { asking, answers: &mut self.answers, heard: &heard, id, earlier };
        if change == Change::Grown && plan.grow(penalty, &mut self.ledger) {
            return;
        }
        let (planned, fault) = match plan.whole(&penalty.owed) {
            Ok(planned) => (planned, None),
            Err(fault) => (Planned::default(), Some(fault)),
        };
        let Planned { repeated, items, due } = planned;
        let keys: BTreeSet<&ItemKey> = items.iter().map(|(key, _)| key).collect();
        for key in penalty.keys.iter().filter(|key| !keys.contains(key)) {
            self.ledger.remove(key);
        }
        penalty.keys = items.iter().map(|(key, _)| key.clone()).collect();
        penalty.filed = if due && heard.is_plain() { penalty.owed.steps.len() } else { 0 };
        (penalty.repeated, penalty.due, penalty.fault) = (repeated, due, fault);
        for (key, filed) in items {
            self.ledger.put(key, filed);
        }
    }

    /// Below what the deposit may not fall by the terms in force at an instant.
    pub(crate) fn floor_at(
        pack: &Pack,
        history: &[Arc<Entry>],
        at: Instant,
    ) -> Result<i64, Box<ClauseFault>> {
        Asking::new(pack, history, at).floor(at)
    }
}

/// The breaches of the clause before this one; nothing when the clause says nothing of repetitions.
fn earlier(breaches: Option<&BTreeSet<(Instant, String)>>, at: Instant, id: &str) -> Option<Arc<[Instant]>> {
    let before = breaches?.range(..(at, id.to_owned()));
    Some(before.map(|(at, _)| *at).collect())
}
