//! The service levels of a contract: each closed period measured and priced.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::ends::ClockEnds;
use super::epochs::Epoch;
use super::form::Form;
use super::{ContractCase, ContractFinding, Cost, Frame};
use crate::assess::accrual::PenaltyRun;
use crate::event::Kind;
use crate::level::{
    Measured, Outage, OutageBook, OutageFinding, Period, availability, earned_back, in_time, invoiced,
};
use crate::policy::ClauseFault;
use crate::ticket::{Detail, Entry, insert};
use crate::vocabulary::{Level, Measure};
use crate::{Instant, Money};

/// The levels as of an instant.
pub(crate) struct Levels {
    forms: Vec<Form>,
    book: OutageBook,
    /// An event came that lies before one the book has read: the book is to be read anew.
    is_late: bool,
    /// All events the book is made of.
    told: Vec<Arc<Entry>>,
    invoices: Vec<Arc<Entry>>,
    runs: BTreeMap<LevelKey, LevelRun>,
    /// Findings that were told, and how many of the book's were looked at.
    known: HashSet<ContractFinding>,
    /// Those of them that were told since they were last asked for.
    fresh: Vec<ContractFinding>,
    looked: usize,
    /// The periods of which the findings must be looked at.
    look: BTreeSet<LevelKey>,
    marks: Vec<Mark>,
    /// Everything must be measured anew.
    anew: bool,
    /// Up to here all closings have been looked at.
    closed_to: Instant,
    /// The end of the last period that was closed.
    last_end: Instant,
}

/// Clause, level and period.
pub(crate) type LevelKey = (u16, Arc<str>, String);

/// One closed period.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LevelRun {
    pub(crate) level: Arc<Level>,
    pub(crate) period: Period,
    pub(crate) measured: Measured,
    pub(crate) invoiced: Money,
    pub(crate) cost: Option<Cost>,
    /// When the credit is given back.
    pub(crate) earned_back: Option<Instant>,
    pub(crate) fault: Option<Box<ClauseFault>>,
    epoch: usize,
}

/// One closed period, before and after.
#[derive(Debug)]
pub(crate) struct LevelChange {
    pub(crate) key: LevelKey,
    pub(crate) before: Option<LevelRun>,
    pub(crate) after: Option<LevelRun>,
}

/// What closed periods an event bears on.
enum Mark {
    /// Outages from here on.
    After(Instant),
    /// Planned downtime.
    Between(Instant, Instant),
    Invoiced(Instant),
    /// The end of a clock of this name.
    Clock(Arc<str>, Instant),
}

impl Mark {
    fn touches(&self, run: &LevelRun) -> bool {
        let (from, until) = (run.period.from, run.period.until);
        match (self, &run.level.measure) {
            (Mark::After(at), Measure::Availability(_)) => until > *at,
            (Mark::Between(start, end), Measure::Availability(_)) => *start < until && from < *end,
            (Mark::Invoiced(at), _) => from <= *at && *at < until,
            (Mark::Clock(name, at), Measure::InTime(names)) => {
                from <= *at && *at < until && names.iter().any(|known| **known == **name)
            }
            _ => false,
        }
    }
}

impl Levels {
    /// All that was told up to now; nothing is measured yet.
    pub(super) fn new(
        case: ContractCase<'_>,
        frame: &Frame,
        epochs: &[Epoch],
        deeds: &[Arc<Entry>],
    ) -> Levels {
        let so_far = |entry: &&Arc<Entry>| entry.at <= case.as_of;
        let outages = |entry: &&Arc<Entry>| matches!(entry.detail, Detail::Outage(_) | Detail::Downtime(_));
        let reliefs = case.entries.iter().filter(|entry| matches!(entry.detail, Detail::Relief(_)));
        let told: Vec<_> = deeds.iter().filter(outages).chain(reliefs).filter(so_far).cloned().collect();
        let mut invoices: Vec<_> =
            deeds.iter().filter(|e| e.kind == Kind::INVOICED).filter(so_far).cloned().collect();
        invoices.sort_by(|a, b| a.order().cmp(&b.order()));
        let forms = epochs.iter().enumerate().flat_map(|(place, epoch)| {
            let form = move |(clause, level): &(u16, Arc<Level>)| {
                let begins = frame.begins(level.begins)?;
                let level = Arc::clone(level);
                Some(Form { clause: *clause, level, epoch: place, begins, next: None, fault: None })
            };
            epoch.levels.iter().filter_map(form)
        });
        Levels {
            forms: forms.collect(),
            book: OutageBook::of(&told),
            is_late: false,
            told,
            invoices,
            runs: BTreeMap::new(),
            known: HashSet::new(),
            fresh: Vec::new(),
            looked: 0,
            look: BTreeSet::new(),
            marks: Vec::new(),
            anew: true,
            closed_to: Instant::MIN,
            last_end: Instant::MIN,
        }
    }

    /// Goes on from what was judged before what they rest on changed: the differences will be told.
    pub(super) fn go_on_from(&mut self, before: &mut Levels) {
        self.runs = std::mem::take(&mut before.runs);
        self.known = std::mem::take(&mut before.known);
        self.fresh = std::mem::take(&mut before.fresh);
    }

    /// Takes an event that has happened by now.
    pub(super) fn take(&mut self, deed: &Arc<Entry>) {
        match &deed.detail {
            Detail::Outage(_) => self.mark(Mark::After(deed.at), deed.at),
            Detail::Downtime(planned) => self.mark(Mark::Between(planned.from, planned.until), planned.from),
            _ if deed.kind == Kind::INVOICED => {
                insert(&mut self.invoices, Arc::clone(deed));
                return self.mark(Mark::Invoiced(deed.at), deed.at);
            }
            _ => return,
        }
        self.told.push(Arc::clone(deed));
        if self.is_late || !self.book.add(deed) {
            self.is_late = true;
            return;
        }
        if let Some(from) = self.book.lengthened() {
            self.mark(Mark::After(from), from);
        }
        if let Some(first) = self.book.altered() {
            self.looked = self.looked.min(first);
        }
    }

    /// A ticket's clock ended, or did not after all.
    pub(super) fn clock_ended(&mut self, name: &Arc<str>, at: Instant) {
        self.mark(Mark::Clock(Arc::clone(name), at), at);
    }

    /// What lies after all closed periods is measured when its own closes.
    fn mark(&mut self, mark: Mark, from: Instant) {
        if from < self.last_end {
            self.marks.push(mark);
        }
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        self.forms.iter().filter_map(|form| form.next).min()
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = &ClauseFault> {
        self.form_faults().chain(self.runs.values().filter_map(|run| run.fault.as_deref()))
    }

    /// Faults that are not of a single period.
    pub(super) fn form_faults(&self) -> impl Iterator<Item = &ClauseFault> {
        self.forms.iter().filter_map(|form| form.fault.as_deref())
    }

    /// Measures what has closed by now, and what was closed and is touched by what was told since. All tickets have been
    /// judged as of now.
    pub(super) fn close(
        &mut self,
        case: ContractCase<'_>,
        frame: &Frame,
        epochs: &[Epoch],
        ends: &ClockEnds,
        out: &mut Vec<LevelChange>,
    ) {
        let closing = self.forms.iter().any(|form| form.next.is_some_and(|next| next <= case.as_of));
        // At once, whatever it costs: what an engine says must not depend on when it was opened, which reads all anew.
        if std::mem::take(&mut self.is_late) {
            let before = std::mem::replace(&mut self.book, OutageBook::of(&self.told));
            if let Some(from) = first_difference(before.outages(), self.book.outages()) {
                self.mark(Mark::After(from), from);
            }
            self.looked = 0;
            self.look.extend(self.runs.keys().cloned());
        }
        if !self.anew && !closing && self.marks.is_empty() {
            return;
        }
        let mut before: BTreeMap<LevelKey, Option<LevelRun>> = BTreeMap::new();
        if self.anew {
            before.extend(std::mem::take(&mut self.runs).into_iter().map(|(key, run)| (key, Some(run))));
            (self.closed_to, self.last_end) = (Instant::MIN, Instant::MIN);
        } else {
            let touched = self.runs.iter().filter(|(_, run)| self.marks.iter().any(|mark| mark.touches(run)));
            before.extend(touched.map(|(key, run)| (key.clone(), Some(run.clone()))));
            let again: Vec<(LevelKey, usize, Period)> = before
                .iter()
                .filter_map(|(key, run)| run.as_ref().map(|run| (key.clone(), run.epoch, run.period.clone())))
                .collect();
            for (key, epoch, period) in again {
                let form = self
                    .forms
                    .iter()
                    .find(|form| form.epoch == epoch && form.clause == key.0 && form.level.name == key.1);
                let Some(form) = form else { continue };
                let run = self.measure(case, epochs, ends, form, period);
                self.runs.insert(key, run);
            }
        }
        if self.anew || closing {
            self.close_new(case, frame, epochs, ends, &mut before);
        }
        // A period whose measure is the same may hold an outage that never ended all the same.
        match self.anew {
            true => self.look.extend(self.runs.keys().cloned()),
            false => self.look.extend(before.keys().cloned()),
        }
        (self.anew, self.closed_to) = (false, case.as_of);
        self.marks.clear();
        self.give_back(&mut before);
        for (key, before) in before {
            let after = self.runs.get(&key);
            if before.as_ref() != after {
                self.look.insert(key.clone());
                out.push(LevelChange { after: after.cloned(), key, before });
            }
        }
    }

    /// Measures the periods that have closed since the last time.
    fn close_new(
        &mut self,
        case: ContractCase<'_>,
        frame: &Frame,
        epochs: &[Epoch],
        ends: &ClockEnds,
        before: &mut BTreeMap<LevelKey, Option<LevelRun>>,
    ) {
        let mut new = Vec::new();
        for form in &mut self.forms {
            let (clause, name) = (form.clause, Arc::clone(&form.level.name));
            let closed = form.closing(case, frame, epochs, self.closed_to);
            let next = form.next_close(case, frame, epochs);
            match closed.and_then(|closed| next.map(|next| (closed, next))) {
                Ok((closed, next)) => {
                    form.next = next;
                    new.extend(closed.into_iter().map(|period| (form.place(), period)));
                }
                Err(error) => {
                    form.next = None;
                    form.fault = Some(case.fault(clause, format!("the level `{name}`: {error}")));
                }
            }
        }
        for ((clause, name, epoch), period) in new {
            let form = self.forms.iter().find(|form| form.place() == (clause, Arc::clone(&name), epoch));
            let Some(form) = form else { continue };
            self.last_end = self.last_end.max(period.until);
            let key = (clause, name, period.subject.clone());
            let run = self.measure(case, epochs, ends, form, period);
            before.entry(key.clone()).or_insert(None);
            self.runs.insert(key, run);
        }
    }

    /// Measures and prices one period.
    fn measure(
        &self,
        case: ContractCase<'_>,
        epochs: &[Epoch],
        ends: &ClockEnds,
        form: &Form,
        period: Period,
    ) -> LevelRun {
        let fault = |error: &dyn std::fmt::Display| {
            let what = format!("the level `{}` of {}: {error}", form.level.name, period.subject);
            case.fault(form.clause, what)
        };
        let zero = Money::zero(case.pack.currency);
        let mut faults = Vec::new();
        let measured = match (&form.level.measure, form.calendar(case)) {
            (Measure::InTime(names), _) => {
                let ends = names.iter().flat_map(|name| ends.within(name, period.from, period.until));
                Some(in_time(&form.level, ends, &period))
            }
            (_, Some(calendar)) => availability(&form.level, &self.book, &period, calendar, case.as_of)
                .map_err(|error| faults.push(fault(&error)))
                .ok(),
            _ => None,
        };
        let billed = invoiced(&form.level, &self.invoices, period.from, period.until, case.pack.currency)
            .map_err(|error| faults.push(fault(&error)))
            .unwrap_or(zero);
        let sound = faults.is_empty() && measured.is_some();
        let mut run = LevelRun {
            level: Arc::clone(&form.level),
            measured: measured.unwrap_or_default(),
            invoiced: billed,
            cost: None,
            earned_back: None,
            fault: faults.into_iter().next(),
            epoch: form.epoch,
            period,
        };
        if let Some(epoch) = epochs.get(form.epoch).filter(|_| sound && run.period.closes <= case.as_of) {
            let asked = run.measured.inputs(&form.level, &run.period, run.invoiced);
            match case.pack.policy.credit(&epoch.inputs, form.clause, &asked) {
                Ok(None) => {}
                Ok(Some(credit)) => {
                    let penalty = PenaltyRun::fixed(run.period.closes, credit.amount, credit.reads);
                    run.cost = Some(Cost { penalty, inputs: Arc::clone(&epoch.inputs) });
                }
                Err(fault) => run.fault = Some(Box::new(fault)),
            }
        }
        run
    }

    /// Finds which credits are given back, among the levels of which a period has changed.
    fn give_back(&mut self, before: &mut BTreeMap<LevelKey, Option<LevelRun>>) {
        let changed: BTreeSet<(u16, Arc<str>)> =
            before.keys().map(|(clause, name, _)| (*clause, Arc::clone(name))).collect();
        for (clause, name) in changed {
            let own = || (clause, Arc::clone(&name), String::new())..;
            let same = |(key, _): &(&LevelKey, &LevelRun)| key.0 == clause && key.1 == name;
            let runs: Vec<_> = self.runs.range(own()).take_while(same).collect();
            if !runs.iter().any(|(_, run)| run.level.earned_back.is_some() || run.earned_back.is_some()) {
                continue;
            }
            let mut shares: Vec<(Period, rust_decimal::Decimal)> =
                runs.iter().map(|(_, run)| (run.period.clone(), run.measured.share)).collect();
            shares.sort_by_key(|(period, _)| (period.until, period.number));
            let mut given = Vec::new();
            for (key, run) in &runs {
                let backs = earned_back(&run.level, &shares);
                let place = shares.iter().position(|(period, _)| *period == run.period);
                let back = place.and_then(|place| backs.get(place).copied().flatten());
                let costs = run.cost.as_ref().is_some_and(|cost| cost.amount().is_some());
                let back = back.filter(|_| costs);
                if back != run.earned_back {
                    given.push(((*key).clone(), back));
                }
            }
            for (key, back) in given {
                let Some(run) = self.runs.get_mut(&key) else { continue };
                before.entry(key).or_insert_with(|| Some(run.clone()));
                run.earned_back = back;
            }
        }
    }

    /// The findings that were not told yet. Only a book that has grown, or a period that has changed, can have some.
    pub(super) fn new_findings(&mut self, case: ContractCase<'_>) -> Vec<ContractFinding> {
        let look = std::mem::take(&mut self.look);
        let mut found = self.of_book(self.looked);
        self.looked = self.book.findings().len();
        for key in look {
            if let Some(run) = self.runs.get(&key) {
                found.extend(self.of_period(case, &key, run));
            }
        }
        found.retain(|finding| self.known.insert(finding.clone()));
        self.fresh.extend(found.iter().cloned());
        found
    }

    /// The findings that were told since this was asked last.
    pub(super) fn take_told(&mut self) -> Vec<ContractFinding> {
        std::mem::take(&mut self.fresh)
    }

    /// These were told before, and no others.
    pub(super) fn were_told(&mut self, told: Vec<ContractFinding>) {
        self.known = told.into_iter().collect();
        self.fresh.clear();
    }

    /// What is odd about outages and force majeure.
    pub(super) fn findings(&self, case: ContractCase<'_>) -> Vec<ContractFinding> {
        let mut all = self.of_book(0);
        all.extend(self.runs.iter().flat_map(|(key, run)| self.of_period(case, key, run)));
        all
    }

    /// What is odd about the events themselves, from a place of the book's list on.
    fn of_book(&self, first: usize) -> Vec<ContractFinding> {
        let new = self.book.findings().iter().skip(first);
        new.map(|found| finding(found, None, None)).collect()
    }

    /// The outages that had not ended when a period closed.
    fn of_period(&self, case: ContractCase<'_>, key: &LevelKey, run: &LevelRun) -> Vec<ContractFinding> {
        let Measure::Availability(service) = &run.level.measure else { return Vec::new() };
        let clause = case.pack.clause_name(key.0).map(|clause| clause.to_string());
        let open = self.book.never_ended(service.as_deref(), &run.period);
        open.map(|found| finding(&found, clause.clone(), Some(key.2.clone()))).collect()
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = (&LevelKey, &LevelRun)> {
        self.runs.iter()
    }

    /// The periods that have begun and not closed, measured so far.
    pub(super) fn open(
        &self,
        case: ContractCase<'_>,
        frame: &Frame,
        epochs: &[Epoch],
        ends: &ClockEnds,
    ) -> Vec<(LevelKey, LevelRun)> {
        let mut open = Vec::new();
        for form in &self.forms {
            let periods = form.course(case, frame).map(|course| course.periods(case.as_of));
            for period in periods.into_iter().flatten().flatten() {
                if form.governs(epochs, &period) && period.closes > case.as_of {
                    let key = (form.clause, Arc::clone(&form.level.name), period.subject.clone());
                    open.push((key, self.measure(case, epochs, ends, form, period)));
                }
            }
        }
        open
    }
}

/// The beginning of the first outage that differs between two books.
fn first_difference(before: &[Outage], now: &[Outage]) -> Option<Instant> {
    let same = before.iter().zip(now).take_while(|(before, now)| before == now).count();
    [before.get(same), now.get(same)].into_iter().flatten().map(|outage| outage.from).min()
}

fn finding(found: &OutageFinding, clause: Option<String>, subject: Option<String>) -> ContractFinding {
    let (event, text) = (Some(found.event.to_string()), found.to_string());
    ContractFinding { at: found.at, event, clause, subject, text }
}
