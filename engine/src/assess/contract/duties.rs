//! All duties of a contract, each occurrence judged and priced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::epochs::{DutyForm, Epoch};
use super::{ContractCase, ContractFinding, DutyChange, Frame};
use crate::assess::accrual::{Breach, PenaltyRun, Stumble};
use crate::clock::{ClockRun, ClockState, Lateness, Stretch};
use crate::duty::{self, DutySpec, Flaw, MOST_OCCURRENCES, Series, Stage, Told, Track};
use crate::nearest::hint;
use crate::policy::{ClauseFault, Price};
use crate::ticket::{Detail, Entry};
use crate::vocabulary::Inputs;
use crate::{Calendar, Instant, Money, Pack, Span};

/// The duties as of an instant.
pub(crate) struct Duties {
    tracks: Vec<Lane>,
    by_name: BTreeMap<Arc<str>, usize>,
    /// The rules of all tracks, each with the beginning it counts from.
    rules: Vec<(Arc<str>, Instant)>,
    series: Vec<Series>,
    ended: Option<Instant>,
    /// When to look again: at which occurrence of which track, or (nothing) for the next one.
    wakes: BTreeSet<(Instant, usize, Option<usize>)>,
    /// Events that name no duty.
    strangers: BTreeMap<Told, Box<str>>,
    /// Some clauses cannot say what their duties are: then no name is strange.
    hidden: bool,
}

/// One duty with its occurrences judged.
struct Lane {
    track: Track,
    /// As many as the track has occurrences.
    judged: Vec<Judged>,
    still: Vec<(Instant, Option<Instant>)>,
    fault: Option<Box<ClauseFault>>,
}

/// How one occurrence stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) run: ClockRun,
    pub(crate) cost: Option<Cost>,
    pub(crate) fault: Option<Box<ClauseFault>>,
    wake: Option<Instant>,
}

/// What a missed occurrence or a closed period costs.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) penalty: PenaltyRun,
    /// What the clause was asked with.
    pub(crate) inputs: Arc<Inputs>,
}

impl PartialEq for Cost {
    fn eq(&self, other: &Cost) -> bool {
        self.penalty.steps == other.penalty.steps && self.penalty.reads == other.penalty.reads
    }
}

impl Cost {
    /// What it costs by now, if it costs something.
    pub(crate) fn amount(&self) -> Option<Money> {
        Some(self.penalty.amount).filter(|amount| amount.minor() > 0)
    }
}

impl Judged {
    fn blank() -> Judged {
        Judged { run: ClockRun::waiting(ClockState::Waiting), cost: None, fault: None, wake: None }
    }

    /// Whether nothing that is told of differs.
    fn says_as(&self, other: &Judged) -> bool {
        let said = |judged: &Judged| (judged.run.state, judged.run.due, judged.run.stopped);
        said(self) == said(other) && self.cost == other.cost && self.fault == other.fault
    }
}

impl Duties {
    pub(super) fn build(
        case: ContractCase<'_>,
        frame: &Frame,
        epochs: &[Epoch],
        deeds: &[Arc<Entry>],
    ) -> Duties {
        let mut duties = Duties {
            tracks: Vec::new(),
            by_name: BTreeMap::new(),
            rules: Vec::new(),
            series: Vec::new(),
            ended: frame.ended,
            wakes: BTreeSet::new(),
            strangers: BTreeMap::new(),
            hidden: epochs.iter().any(|epoch| epoch.fault.is_some()),
        };
        let mut stages: Vec<(Arc<str>, Vec<Stage>)> = Vec::new();
        for epoch in epochs {
            for form in &epoch.duties {
                let stage = duties.stage(case, frame, epoch, form);
                match stages.iter_mut().find(|(name, _)| *name == form.spec.name) {
                    Some((_, known)) => known.extend(stage),
                    None => stages.push((Arc::clone(&form.spec.name), stage.into_iter().collect())),
                }
            }
        }
        for (name, stages) in stages {
            let still = duty::still(&frame.reliefs, &name);
            duties.by_name.insert(Arc::clone(&name), duties.tracks.len());
            let mut track = Track::new(name, stages, &mut duties.series, frame.ended);
            while track.extend(case.as_of, &mut duties.series, frame.ended).is_some() {}
            let judged = vec![Judged::blank(); track.occurrences.len()];
            duties.tracks.push(Lane { track, judged, still, fault: None });
        }
        for deed in deeds.iter().filter(|deed| deed.at <= case.as_of) {
            duties.take(deed, &mut Vec::new());
        }
        for place in 0..duties.tracks.len() {
            let count = duties.tracks.get(place).map_or(0, |lane| lane.judged.len());
            (0..count).for_each(|occurrence| drop(duties.judge(case, epochs, place, occurrence)));
            duties.await_next(case, place);
        }
        duties
    }

    /// The stretch of an epoch in which a duty holds; nothing when it has not begun.
    fn stage(
        &mut self,
        case: ContractCase<'_>,
        frame: &Frame,
        epoch: &Epoch,
        form: &DutyForm,
    ) -> Option<Stage> {
        let begins = frame.begins(form.begins)?;
        let series = form.rule.as_ref().map(|rule| {
            let key = (Arc::clone(rule.text()), begins);
            self.rules.iter().position(|known| *known == key).unwrap_or_else(|| {
                self.rules.push(key);
                self.series.push(rule.series(begins, case.pack.zone));
                self.series.len() - 1
            })
        });
        Some(Stage { from: epoch.from, until: epoch.until, spec: Arc::clone(&form.spec), series, begins })
    }

    /// Takes an event that says a duty was done: the occurrence to judge anew. Events with a new flaw are told.
    fn take(&mut self, deed: &Arc<Entry>, found: &mut Vec<Told>) -> Option<(usize, usize)> {
        let Detail::Duty(done) = &deed.detail else { return None };
        let Some(place) = self.by_name.get(&*done.duty).copied() else {
            let told = (deed.at, deed.id.clone());
            self.strangers.insert(told.clone(), done.duty.clone());
            found.push(told);
            return None;
        };
        let lane = self.tracks.get_mut(place)?;
        let (did, flawed) = lane.track.tell(deed);
        found.extend(flawed);
        did.map(|occurrence| (place, occurrence))
    }

    /// Takes events that have happened by now, looks at everything whose instant has come, and judges what they bear on.
    pub(super) fn step(
        &mut self,
        case: ContractCase<'_>,
        epochs: &[Epoch],
        deeds: &[Arc<Entry>],
        found: &mut Vec<Told>,
        out: &mut Vec<DutyChange>,
    ) {
        let (mut lanes, mut anew) = (BTreeSet::new(), BTreeSet::new());
        while let Some(wake) = self.wakes.first().copied().filter(|wake| wake.0 <= case.as_of) {
            self.wakes.remove(&wake);
            match wake {
                (_, place, Some(occurrence)) => drop(anew.insert((place, occurrence))),
                (_, place, None) => drop(lanes.insert(place)),
            }
        }
        for deed in deeds {
            let Detail::Duty(done) = &deed.detail else { continue };
            lanes.extend(self.by_name.get(&*done.duty));
        }
        // Nothing is judged before all that has happened is known: it may have been done in time.
        for place in lanes {
            self.extend(case, place, &mut anew);
        }
        for deed in deeds {
            anew.extend(self.take(deed, found));
        }
        for (place, occurrence) in anew {
            out.extend(self.judge(case, epochs, place, occurrence));
        }
    }

    /// Takes the occurrences whose own time has begun into the list.
    fn extend(&mut self, case: ContractCase<'_>, place: usize, anew: &mut BTreeSet<(usize, usize)>) {
        let Some(lane) = self.tracks.get_mut(place) else { return };
        if let Some(at) = lane.track.next_at() {
            self.wakes.remove(&(at, place, None));
        }
        while let Some(new) = lane.track.extend(case.as_of, &mut self.series, self.ended) {
            lane.judged.push(Judged::blank());
            anew.insert((place, new));
        }
        self.await_next(case, place);
    }

    /// Notes when the next occurrence falls, and whether there are too many.
    fn await_next(&mut self, case: ContractCase<'_>, place: usize) {
        let Some(lane) = self.tracks.get_mut(place) else { return };
        if lane.judged.len() >= MOST_OCCURRENCES && lane.fault.is_none() {
            let name = &lane.track.name;
            let message = format!("the duty `{name}` has fallen {MOST_OCCURRENCES} times: expected less");
            lane.fault = Some(case.fault(lane.track.clause(), message));
        }
        // While everything stands still nothing falls due; the event that ends it has all judged anew.
        let stands = lane.still.last().is_some_and(|(_, until)| until.is_none());
        if let Some(at) = lane.track.next_at().filter(|_| !stands) {
            self.wakes.insert((at, place, None));
        }
    }

    /// Judges an occurrence anew; says what has changed, if anything has.
    fn judge(
        &mut self,
        case: ContractCase<'_>,
        epochs: &[Epoch],
        place: usize,
        occurrence: usize,
    ) -> Option<DutyChange> {
        let lane = self.tracks.get_mut(place)?;
        let mut after = lane.judge(case, epochs, occurrence);
        let stands = lane.still.last().is_some_and(|(_, until)| until.is_none());
        let at = lane.track.occurrences.get(occurrence)?.at;
        after.wake = match after.run.state {
            _ if after.fault.is_some() || stands => None,
            ClockState::Waiting => Some(at),
            ClockState::Running => after.run.due.map(Instant::succ),
            ClockState::Breached => after.wake,
            _ => None,
        };
        let before = lane.judged.get_mut(occurrence)?;
        if let Some(old) = before.wake {
            self.wakes.remove(&(old, place, Some(occurrence)));
        }
        if let Some(new) = after.wake {
            self.wakes.insert((new, place, Some(occurrence)));
        }
        let before = std::mem::replace(before, after);
        let (lane, pack) = (self.tracks.get(place)?, case.pack);
        let after = lane.judged.get(occurrence)?;
        if before.says_as(after) {
            return None;
        }
        let clause = lane.track.occurrences.get(occurrence)?.spec.clause;
        Some(DutyChange {
            subject: subject(pack, at),
            name: Arc::clone(&lane.track.name),
            at,
            before: Some((clause, before)),
            after: Some((clause, after.clone())),
        })
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        self.wakes.first().map(|(at, _, _)| *at)
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = &ClauseFault> {
        self.tracks.iter().flat_map(|lane| {
            let own = lane.judged.iter().filter_map(|judged| judged.fault.as_deref());
            lane.fault.as_deref().into_iter().chain(own)
        })
    }

    /// All occurrences by instant and name: the clause and how it stands.
    pub(super) fn all(&self) -> BTreeMap<(Instant, &Arc<str>), (u16, Instant, &Judged)> {
        let mut all = BTreeMap::new();
        for lane in &self.tracks {
            for (occurrence, judged) in lane.track.occurrences.iter().zip(&lane.judged) {
                let key = (occurrence.at, &lane.track.name);
                all.insert(key, (occurrence.spec.clause, occurrence.opens, judged));
            }
        }
        all
    }

    pub(super) fn compare(
        case: ContractCase<'_>,
        before: Option<&Duties>,
        now: &Duties,
        out: &mut Vec<DutyChange>,
    ) {
        let mut old = before.map(Duties::all).unwrap_or_default();
        let change =
            |at: Instant, name: &Arc<str>, before: Option<(u16, &Judged)>, after: Option<(u16, &Judged)>| {
                DutyChange {
                    subject: subject(case.pack, at),
                    name: Arc::clone(name),
                    at,
                    before: before.map(|(clause, judged)| (clause, judged.clone())),
                    after: after.map(|(clause, judged)| (clause, judged.clone())),
                }
            };
        for ((at, name), (clause, _, judged)) in now.all() {
            match old.remove(&(at, name)) {
                Some((was, _, known)) if was == clause && known.says_as(judged) => {}
                Some((was, _, known)) => {
                    out.push(change(at, name, Some((was, known)), Some((clause, judged))))
                }
                None => out.push(change(at, name, None, Some((clause, judged)))),
            }
        }
        for ((at, name), (was, _, known)) in old {
            out.push(change(at, name, Some((was, known)), None));
        }
    }

    pub(super) fn findings(&self, case: ContractCase<'_>) -> Vec<ContractFinding> {
        let flawed = self.tracks.iter().flat_map(|lane| lane.track.flaws.keys());
        let told = flawed.chain(self.strangers.keys());
        let of_events = told.filter_map(|told| self.finding(case, told));
        of_events.chain(self.never(case)).collect()
    }

    /// Duties of which the rule gives no date in the contract's life.
    fn never(&self, case: ContractCase<'_>) -> impl Iterator<Item = ContractFinding> {
        let empty = self.tracks.iter().filter(|lane| lane.track.is_empty() && self.ended.is_none());
        empty.filter_map(move |lane| {
            Some(ContractFinding {
                at: lane.track.begins()?,
                event: None,
                clause: case.pack.clause_name(lane.track.clause()).map(|clause| clause.to_string()),
                subject: None,
                text: format!(
                    "the duty `{}` never falls: its rule gives no date since the beginning",
                    lane.track.name
                ),
            })
        })
    }

    /// What is wrong with an event that says a duty was done.
    pub(super) fn finding(&self, case: ContractCase<'_>, told: &Told) -> Option<ContractFinding> {
        let (at, event) = (told.0, Some(told.1.to_string()));
        if let Some(name) = self.strangers.get(told) {
            if self.hidden {
                return None;
            }
            let near = hint(name, self.by_name.keys().map(|known| &**known));
            let text = format!("no clause knows the duty `{name}`{near}");
            return Some(ContractFinding { at, event, clause: None, subject: None, text });
        }
        let flawed = |lane: &Lane| lane.track.flaws.get(told).copied();
        let (lane, (flaw, clause)) = self.tracks.iter().find_map(|lane| Some((lane, flawed(lane)?)))?;
        let name = &lane.track.name;
        let text = match flaw {
            Flaw::Early => format!("the duty `{name}` was done before it was due"),
            Flaw::Again => format!("the duty `{name}` was done again"),
            Flaw::Unproved(fact) => {
                let fact = case.pack.schema.facts.get(usize::from(fact)).map_or("", |fact| &fact.name);
                format!("the duty `{name}` is said to be done without `{fact}`: it does not count")
            }
        };
        let after = lane.track.occurrences.partition_point(|occurrence| occurrence.opens <= told.0);
        let owner = after.checked_sub(1).and_then(|place| lane.track.occurrences.get(place));
        let subject = owner.map(|owner| subject(case.pack, owner.at));
        let clause = case.pack.clause_name(clause).map(|clause| clause.to_string());
        Some(ContractFinding { at, event, clause, subject, text })
    }
}

impl Lane {
    fn judge(&self, case: ContractCase<'_>, epochs: &[Epoch], occurrence: usize) -> Judged {
        let mut judged = Judged::blank();
        let Some(of) = self.track.occurrences.get(occurrence) else { return judged };
        let calendar = case.pack.calendars.get(usize::from(of.spec.calendar));
        let Some(calendar) = calendar.and_then(|calendar| calendar.known_at(case.as_of)) else {
            return judged;
        };
        let done = of.done.as_ref().map(|done| done.at);
        let mut stretches = Vec::new();
        let run = duty::run(&of.spec, calendar, of.at, done, &self.still, case.as_of, &mut |stretch| {
            stretches.push(stretch);
        });
        match run {
            Ok(run) => judged.run = run,
            Err(error) => {
                let message = format!("the duty `{}` on {}: {error}", of.spec.name, of.at);
                judged.fault = Some(case.fault(of.spec.clause, message));
                return judged;
            }
        }
        let epoch = epochs.partition_point(|epoch| epoch.from <= of.at).checked_sub(1);
        let Some(epoch) = epoch.and_then(|place| epochs.get(place)) else { return judged };
        let before = self.judged.get(occurrence).and_then(|before| before.cost.as_ref());
        let found = cost(case, &of.spec, epoch, calendar, (&judged.run, &stretches), before);
        match found {
            Ok(Some((cost, next))) => (judged.cost, judged.wake) = (Some(cost), next),
            Ok(None) => {}
            Err(fault) => judged.fault = Some(fault),
        }
        judged
    }
}

/// What a missed occurrence costs, and when it costs more. `before` is what it cost at an earlier instant.
fn cost(
    case: ContractCase<'_>,
    spec: &DutySpec,
    epoch: &Epoch,
    calendar: &Calendar,
    ran: (&ClockRun, &[Stretch]),
    before: Option<&Cost>,
) -> Result<Option<(Cost, Option<Instant>)>, Box<ClauseFault>> {
    let (run, stretches) = ran;
    let Some(due) = run.breached_at() else { return Ok(None) };
    let before = before.filter(|before| before.penalty.at == due);
    if let Some(before) = before.filter(|before| !before.penalty.grows) {
        return Ok(Some((before.clone(), None)));
    }
    let price = |late: Span| -> Result<Option<Price>, ClauseFault> {
        let priced = case.pack.policy.duty_price(&epoch.inputs, spec.clause, &spec.name, due, late)?;
        Ok(priced.map(|credit| Price { amount: credit.amount, grows: credit.grows, reads: credit.reads }))
    };
    let fault = |stumble| {
        let what = match stumble {
            Stumble::Calendar(error) => error.to_string(),
            Stumble::Price(what) => what,
        };
        case.fault(spec.clause, format!("the penalty of the duty `{}`: {what}", spec.name))
    };
    let lateness =
        Lateness::new(calendar, due, stretches, None).map_err(|error| fault(Stumble::Calendar(error)))?;
    let ahead = |late: Span| price(late).ok().flatten().map(|price| price.amount);
    let breach = Breach { price: &price, ahead: &ahead, fault: &fault, due, late: run.late };
    let accrued = breach.accrued(0, &lateness, before.map(|before| &before.penalty))?;
    Ok(accrued.map(|(penalty, next)| (Cost { penalty, inputs: Arc::clone(&epoch.inputs) }, next)))
}

/// What an occurrence is called: its local time in the contract's zone, with seconds where it has some.
pub(crate) fn subject(pack: &Pack, at: Instant) -> String {
    let local = at.to_chrono().with_timezone(&pack.zone);
    let whole = at.micros() % 60_000_000 == 0;
    local.format(if whole { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" }).to_string()
}
