//! Outages, planned downtime and force majeure as the contract's events tell them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::period::Period;
use super::stretches::Stretches;
use crate::event::Kind;
use crate::ticket::{Detail, Entry, OutageDetail, ReliefDetail};
use crate::{Instant, Span};

/// What is out or to be down; nothing: everything.
type Service = Option<Arc<str>>;

/// One outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// The event that began it.
    pub(crate) event: Arc<str>,
    /// Its own id, if it was given one.
    pub(crate) id: Option<Arc<str>>,
    /// What was out; nothing: everything.
    pub(crate) service: Option<Arc<str>>,
    pub(crate) from: Instant,
    /// Nothing while no end was told.
    pub(crate) until: Option<Instant>,
}

/// Downtime as it was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Downtime {
    pub(crate) announced: Instant,
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

/// A window of force majeure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relief {
    /// The clocks, duties and levels that stand still; none: all.
    pub(crate) names: Box<[Box<str>]>,
    pub(crate) from: Instant,
    /// Nothing while no end was told.
    pub(crate) until: Option<Instant>,
}

/// What is odd about the events of outages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Flaw {
    EndWithoutStart,
    /// The outage of this id begins only later. It has no length.
    EndBeforeStart,
    /// An outage of this id began before.
    StartedTwice,
    /// It had not ended when the period closed.
    NeverEnded,
    /// The end of a force majeure that was not under way.
    ReliefWithoutStart,
}

/// Something odd, with the event that tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutageFinding {
    pub(crate) flaw: Flaw,
    pub(crate) event: Arc<str>,
    pub(crate) at: Instant,
    /// The outage or window, as the event names it.
    pub(crate) id: Option<Arc<str>>,
    pub(crate) service: Option<Arc<str>>,
}

/// All outages, planned downtime and force majeure of a contract: the same for every order in which the events
/// come.
///
/// Of one instant outages begin before they end, so that one that is over within its second ends. All else goes
/// by instant and id.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutageBook {
    last: Option<(Instant, bool, Arc<str>)>,
    /// In the order of their beginnings.
    outages: Vec<Outage>,
    /// What awaits an end, by its id and by its service in the order of beginnings.
    open_ids: HashMap<Arc<str>, BTreeMap<Service, usize>>,
    open_services: HashMap<Service, BTreeSet<usize>>,
    ids: HashSet<Arc<str>>,
    /// How long the longest lasted that has ended: what began earlier before a stretch does not reach into it.
    longest: Span,
    /// The beginning of an outage that had no length until the last event ended it: what came before counts anew.
    lengthened: Option<Instant>,
    /// The place of the first finding that the last event made another one.
    altered: Option<usize>,
    /// Findings of ends whose id never began so far.
    stray: HashMap<Arc<str>, Vec<usize>>,
    /// By what is to be down.
    downtimes: HashMap<Service, Vec<Downtime>>,
    reliefs: Vec<Relief>,
    open_reliefs: HashMap<Option<Arc<str>>, Vec<usize>>,
    /// In the order of their instants.
    findings: Vec<OutageFinding>,
}

impl OutageBook {
    /// Reads the events of a contract, whatever their order.
    pub(crate) fn of(entries: &[Arc<Entry>]) -> OutageBook {
        let mut told: Vec<&Arc<Entry>> = entries.iter().filter(|entry| bears(entry)).collect();
        told.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut book = OutageBook::default();
        for entry in told {
            book.take(entry);
        }
        book
    }

    /// Adds one event. False when it comes before another one that was read already: the book is unchanged then,
    /// and to be read anew.
    pub(crate) fn add(&mut self, entry: &Entry) -> bool {
        if !bears(entry) {
            return true;
        }
        let (at, ends, id) = key(entry);
        if self
            .last
            .as_ref()
            .is_some_and(|(last, last_ends, last_id)| (*last, *last_ends, &**last_id) > (at, ends, id))
        {
            return false;
        }
        self.take(entry);
        true
    }

    pub(crate) fn outages(&self) -> &[Outage] {
        &self.outages
    }

    /// From when on outages count otherwise by the last event than they did, if that was before it.
    pub(crate) fn lengthened(&self) -> Option<Instant> {
        self.lengthened
    }

    /// From which place on the findings are others by the last event than they were, if any is that was there before it.
    pub(crate) fn altered(&self) -> Option<usize> {
        self.altered
    }

    /// What is odd, in the order of instants; without outages that never end, which a period decides.
    pub(crate) fn findings(&self) -> &[OutageFinding] {
        &self.findings
    }

    /// The outages of a service (or of all) within a period that had not ended when it closed.
    pub(crate) fn never_ended<'a>(
        &'a self,
        service: Option<&'a str>,
        period: &'a Period,
    ) -> impl Iterator<Item = OutageFinding> + 'a {
        let open = |outage: &&Outage| outage.until.is_none_or(|until| until > period.closes);
        self.begun_before(period.until)
            .iter()
            .filter(open)
            .filter(move |outage| bears_on(outage, service))
            .map(|outage| OutageFinding {
                flaw: Flaw::NeverEnded,
                event: Arc::clone(&outage.event),
                at: outage.from,
                id: outage.id.clone(),
                service: outage.service.clone(),
            })
    }

    /// The outages within a stretch that bear on a service (or on all), by what was out.
    pub(super) fn within<'a>(
        &'a self,
        service: Option<&'a str>,
        from: Instant,
        until: Instant,
    ) -> HashMap<Option<&'a str>, Vec<(Instant, Instant)>> {
        let mut found: HashMap<Option<&str>, Vec<(Instant, Instant)>> = HashMap::new();
        let near = from.checked_add(Span::ZERO - self.longest).unwrap_or(Instant::MIN);
        let first = self.outages.partition_point(|outage| outage.from < near);
        let far = self.open_services.values().flatten().filter(|place| **place < first);
        let far = far.filter_map(|place| self.outages.get(*place)).filter(|outage| outage.from < until);
        let near = self.begun_before(until).get(first..).unwrap_or_default();
        for outage in far.chain(near).filter(|outage| bears_on(outage, service)) {
            let end = outage.until.map_or(until, |end| end.min(until));
            if end > from {
                // An outage of everything is one of the service that is measured.
                let of = service.or(outage.service.as_deref());
                found.entry(of).or_default().push((outage.from.max(from), end));
            }
        }
        found
    }

    /// The downtime within a stretch that was announced so long before it began: of this service alone, or of
    /// everything.
    pub(super) fn planned(
        &self,
        service: Option<&str>,
        notice: Span,
        from: Instant,
        until: Instant,
    ) -> Stretches {
        let all = self.downtimes.get(&service.map(Arc::from)).map_or(&[][..], Vec::as_slice);
        let in_time = |downtime: &&Downtime| downtime.from.since(downtime.announced) >= notice;
        let cut = |downtime: &Downtime| (downtime.from.max(from), downtime.until.min(until));
        Stretches::of(all.iter().filter(in_time).map(cut))
    }

    /// The force majeure within a stretch under which a name stands still.
    pub(crate) fn relief(&self, name: &str, from: Instant, until: Instant) -> Stretches {
        let named =
            |relief: &&Relief| relief.names.is_empty() || relief.names.iter().any(|known| **known == *name);
        let begun = self.reliefs.partition_point(|relief| relief.from < until);
        let all = self.reliefs.get(..begun).unwrap_or_default().iter().filter(named);
        Stretches::of(
            all.map(|relief| (relief.from.max(from), relief.until.map_or(until, |end| end.min(until)))),
        )
    }

    fn begun_before(&self, until: Instant) -> &[Outage] {
        let begun = self.outages.partition_point(|outage| outage.from < until);
        self.outages.get(..begun).unwrap_or_default()
    }

    fn take(&mut self, entry: &Entry) {
        (self.lengthened, self.altered) = (None, None);
        let event: Arc<str> = Arc::from(&*entry.id);
        match (&entry.detail, entry.kind) {
            (Detail::Outage(told), Kind::OUTAGE_STARTED) => self.start(entry.at, &event, told),
            (Detail::Outage(told), _) => self.end(entry.at, &event, told),
            (Detail::Downtime(told), _) => {
                let of = self.downtimes.entry(told.service.as_deref().map(Arc::from)).or_default();
                of.push(Downtime { announced: entry.at, from: told.from, until: told.until });
            }
            (Detail::Relief(told), Kind::FORCE_MAJEURE_STARTED) => {
                let open = self.open_reliefs.entry(told.window.as_deref().map(Arc::from)).or_default();
                open.push(self.reliefs.len());
                let names = told.clocks.clone();
                self.reliefs.push(Relief { names, from: entry.at, until: None });
            }
            (Detail::Relief(told), _) => self.end_relief(entry.at, &event, told),
            _ => {}
        }
        self.last = Some((entry.at, key(entry).1, event));
    }

    fn start(&mut self, at: Instant, event: &Arc<str>, told: &OutageDetail) {
        let (id, service) = (told.outage.as_deref().map(Arc::from), told.service.as_deref().map(Arc::from));
        let place = self.outages.len();
        let mut outage = Outage { event: Arc::clone(event), id, service, from: at, until: None };
        let Some(id) = outage.id.clone() else {
            self.open_services.entry(outage.service.clone()).or_default().insert(place);
            self.outages.push(outage);
            return;
        };
        if !self.ids.insert(Arc::clone(&id)) {
            self.find(Flaw::StartedTwice, at, event, told);
        }
        // While it is under way another beginning says nothing new, unless something else is out.
        let running = self.open_ids.get(&id).and_then(|open| open.get(&outage.service));
        if running.and_then(|place| self.outages.get(*place)).is_some_and(|running| running.until.is_none()) {
            return;
        }
        let ended_before = self.stray.remove(&id);
        for place in ended_before.iter().flatten() {
            if let Some(finding) = self.findings.get_mut(*place) {
                finding.flaw = Flaw::EndBeforeStart;
                self.altered = Some(self.altered.map_or(*place, |first| first.min(*place)));
            }
        }
        if ended_before.is_some() {
            outage.until = Some(at);
        } else {
            self.open_services.entry(outage.service.clone()).or_default().insert(place);
        }
        self.open_ids.entry(id).or_default().insert(outage.service.clone(), place);
        self.outages.push(outage);
    }

    fn end(&mut self, at: Instant, event: &Arc<str>, told: &OutageDetail) {
        let ended: Vec<usize> = match told.outage.as_deref() {
            Some(id) => self.open_ids.remove(id).into_iter().flat_map(BTreeMap::into_values).collect(),
            None => {
                let service: Service = told.service.as_deref().map(Arc::from);
                self.open_services.get(&service).and_then(|open| open.first().copied()).into_iter().collect()
            }
        };
        for place in &ended {
            let Some(outage) = self.outages.get_mut(*place) else { continue };
            if outage.until.replace(at).is_some() {
                self.lengthened = Some(self.lengthened.map_or(outage.from, |from| from.min(outage.from)));
            }
            self.longest = self.longest.max(at.since(outage.from));
            if let Some(open) = self.open_services.get_mut(&outage.service) {
                open.remove(place);
            }
            if let Some(open) = outage.id.as_ref().and_then(|id| self.open_ids.get_mut(id)) {
                open.remove(&outage.service);
            }
        }
        if ended.is_empty() {
            if let Some(id) = told.outage.as_deref().filter(|id| !self.ids.contains(*id)) {
                self.stray.entry(Arc::from(id)).or_default().push(self.findings.len());
            }
            self.find(Flaw::EndWithoutStart, at, event, told);
        }
    }

    /// An end without a name ends every window.
    fn end_relief(&mut self, at: Instant, event: &Arc<str>, told: &ReliefDetail) {
        let window: Option<Arc<str>> = told.window.as_deref().map(Arc::from);
        let ended: Vec<usize> = match &window {
            Some(_) => self.open_reliefs.remove(&window).unwrap_or_default(),
            None => self.open_reliefs.drain().flat_map(|(_, open)| open).collect(),
        };
        for place in &ended {
            if let Some(relief) = self.reliefs.get_mut(*place) {
                relief.until = Some(at);
            }
        }
        if ended.is_empty() {
            let (flaw, event) = (Flaw::ReliefWithoutStart, Arc::clone(event));
            self.findings.push(OutageFinding { flaw, event, at, id: window, service: None });
        }
    }

    fn find(&mut self, flaw: Flaw, at: Instant, event: &Arc<str>, told: &OutageDetail) {
        let (id, service) = (told.outage.as_deref().map(Arc::from), told.service.as_deref().map(Arc::from));
        self.findings.push(OutageFinding { flaw, event: Arc::clone(event), at, id, service });
    }
}

/// Whether an event says something of outages.
fn bears(entry: &Entry) -> bool {
    matches!(entry.detail, Detail::Outage(_) | Detail::Downtime(_) | Detail::Relief(_))
}

/// Whether an outage bears on the level of a service, or on one of all.
fn bears_on(outage: &Outage, service: Option<&str>) -> bool {
    match (service, outage.service.as_deref()) {
        (Some(measured), Some(out)) => measured == out,
        _ => true,
    }
}

/// The order in which events are read.
fn key(entry: &Entry) -> (Instant, bool, &str) {
    (entry.at, entry.kind != Kind::OUTAGE_STARTED, &entry.id)
}

impl fmt::Display for OutageFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, then) = match self.flaw {
            Flaw::EndWithoutStart => ("outage", "ends, but is not under way"),
            Flaw::EndBeforeStart => ("outage", "ends before it begins: it counts for nothing"),
            Flaw::StartedTwice => ("outage", "begins, but one of this id began before"),
            Flaw::NeverEnded => {
                ("outage", "had not ended when the period closed: it counts to the period's end")
            }
            Flaw::ReliefWithoutStart => ("force majeure", "ends, but is not under way"),
        };
        f.write_str(what)?;
        if let Some(id) = &self.id {
            write!(f, " `{id}`")?;
        }
        if let Some(service) = &self.service {
            write!(f, " of `{service}`")?;
        }
        write!(f, " {then}")
    }
}
