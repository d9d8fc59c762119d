//! Clocks the slow way: minute by minute through a ticket's history, with calendars laid out day by day.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use holdback::{ClockState, Event};

/// Minutes of local days, from one to another.
type Hours = &'static [(i64, i64)];

/// A calendar of the test pack.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Cal {
    Always,
    Work,
    Next,
    Night,
}

impl Cal {
    fn zone(self) -> Tz {
        if self == Cal::Night { chrono_tz::Europe::Berlin } else { chrono_tz::Asia::Shanghai }
    }

    fn hours(self, date: NaiveDate) -> Hours {
        match self {
            Cal::Always => &[(0, 1440)],
            Cal::Night => &[(0, 150), (160, 300), (1320, 1440)],
            _ if matches!(date.weekday(), Weekday::Sat | Weekday::Sun) => &[],
            _ => &[(540, 720), (780, 1080)],
        }
    }

    /// Minutes since 1970 of a local time of day; `1440` is the end of the day. A time that does not exist is moved
    /// on by the gap, one that exists twice is the first.
    fn at(self, date: NaiveDate, of_day: i64) -> i64 {
        let (days, rest) = (of_day / 1440, of_day % 1440);
        let date = date + Days::new(days.unsigned_abs());
        let time = NaiveTime::from_hms_opt((rest / 60) as u32, (rest % 60) as u32, 0).unwrap();
        let local: NaiveDateTime = date.and_time(time);
        let found = match self.zone().from_local_datetime(&local) {
            chrono::LocalResult::Single(at) | chrono::LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
            chrono::LocalResult::None => {
                let before = self.zone().from_local_datetime(&(local - chrono::Duration::hours(3))).unwrap();
                before.with_timezone(&Utc) + chrono::Duration::hours(3)
            }
        };
        found.timestamp() / 60
    }

    fn date_of(self, minute: i64) -> NaiveDate {
        DateTime::from_timestamp(minute * 60, 0).unwrap().with_timezone(&self.zone()).date_naive()
    }
}

/// Which minutes are open, over the months around a base.
pub(crate) struct Table {
    cal: Cal,
    first: i64,
    open: Vec<bool>,
}

const BEFORE: i64 = 5 * 1440;
const AFTER: i64 = 90 * 1440;

/// The table of a calendar around a base; made once.
pub(crate) fn table(cal: Cal, base: i64) -> Arc<Table> {
    type Tables = HashMap<(Cal, i64), Arc<Table>>;
    static TABLES: LazyLock<Mutex<Tables>> = LazyLock::new(Mutex::default);
    let mut tables = TABLES.lock().unwrap();
    Arc::clone(tables.entry((cal, base)).or_insert_with(|| Arc::new(Table::new(cal, base))))
}

impl Table {
    fn new(cal: Cal, base: i64) -> Table {
        let first = base - BEFORE;
        let mut open = vec![false; usize::try_from(BEFORE + AFTER).unwrap()];
        let mut date = cal.date_of(first) - Days::new(2);
        while cal.at(date, 0) < base + AFTER {
            for (from, to) in cal.hours(date) {
                for minute in cal.at(date, *from)..cal.at(date, *to) {
                    if let Some(slot) = usize::try_from(minute - first).ok().and_then(|i| open.get_mut(i)) {
                        *slot = true;
                    }
                }
            }
            date = date + Days::new(1);
        }
        Table { cal, first, open }
    }

    fn is_open(&self, minute: i64) -> bool {
        self.open[usize::try_from(minute - self.first).unwrap()]
    }

    fn opening(&self, mut minute: i64) -> i64 {
        while !self.is_open(minute) {
            minute += 1;
        }
        minute
    }

    fn between(&self, from: i64, to: i64) -> i64 {
        (from..to).filter(|minute| self.is_open(*minute)).count() as i64
    }

    /// When so many minutes are used up from an instant on.
    fn after(&self, from: i64, minutes: i64) -> i64 {
        if minutes == 0 {
            return self.opening(from);
        }
        let (mut at, mut left) = (from, minutes);
        while left > 0 {
            left -= i64::from(self.is_open(at));
            at += 1;
        }
        self.used_up(at)
    }

    /// Time is used up at the end of an open minute: due then, or at the next opening.
    fn used_up(&self, at: i64) -> i64 {
        if self.cal == Cal::Next { self.opening(at) } else { at }
    }

    /// The close of the n-th day after that of `from`, counting all days or those with hours.
    fn close_of_day(&self, from: i64, n: usize, working: bool) -> i64 {
        let mut date = self.cal.date_of(from);
        let has_hours = |date: NaiveDate| !self.cal.hours(date).is_empty();
        for _ in 0..n {
            date = date + Days::new(1);
            while working && !has_hours(date) {
                date = date + Days::new(1);
            }
        }
        while !has_hours(date) {
            date = date + Days::new(1);
        }
        self.close(date)
    }

    fn close(&self, date: NaiveDate) -> i64 {
        self.cal.at(date, self.cal.hours(date).last().unwrap().1)
    }

    /// The close of the day before which so many whole working days lie, up to an instant.
    pub(crate) fn close_before(&self, until: i64, n: usize) -> i64 {
        let mut date = self.cal.date_of(until) + Days::new(1);
        let mut whole = 0;
        loop {
            date = date - Days::new(1);
            if self.cal.hours(date).is_empty() || self.close(date) > until {
                continue;
            }
            if whole == n {
                return self.close(date);
            }
            whole += 1;
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Start {
    On(&'static [&'static str]),
    BreachOf(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) enum Length {
    Minutes(i64),
    Days(usize),
    WorkingDays(usize),
    Until(i64),
}

#[derive(Clone, Debug)]
pub(crate) enum Pauses {
    Never,
    Any,
    For(&'static [&'static str]),
}

/// A clock, as the test pack's scripts set it.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) clause: &'static str,
    pub(crate) name: &'static str,
    pub(crate) start: Start,
    pub(crate) length: Length,
    pub(crate) stops: &'static [&'static str],
    pub(crate) cal: Cal,
    pub(crate) pauses: Pauses,
    /// Minutes for which pauses may hold it.
    pub(crate) pause_max: Option<i64>,
}

/// How a clock stands, in minutes since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) state: ClockState,
    /// Nothing where the meaning leaves it open.
    pub(crate) due: Option<i64>,
    pub(crate) stopped: Option<i64>,
    pub(crate) late: i64,
    /// The minutes by which it was late: when each had passed.
    pub(crate) late_at: Vec<i64>,
}

/// One clock on its way.
struct Walk<'a> {
    spec: &'a Spec,
    table: &'a Table,
    started: Option<i64>,
    /// The ticket was called off.
    called_off: bool,
    /// The clock ended by it.
    cancelled: bool,
    /// Its stops that stand.
    stops: Vec<(i64, String)>,
    /// When a stop ended its last run; nothing when a pause did, or nothing has.
    ran_to_stop: Option<i64>,
    /// Reasons of the pauses that last.
    pauses: Vec<Option<String>>,
    /// Minutes for which they may hold it yet.
    pauses_left: i64,
    /// Windows of force majeure that hold it.
    windows: Vec<Option<String>>,
    /// Open minutes not used yet.
    left: i64,
    /// When the time is used up, if it is and nothing has come between.
    ends: Option<i64>,
    breached: Option<i64>,
    late_at: Vec<i64>,
}

const REVOCABLE: [&str; 3] = ["resolved", "accepted", "closed"];

impl Walk<'_> {
    fn stands_still(&self) -> bool {
        !self.windows.is_empty() || self.is_paused()
    }

    fn is_paused(&self) -> bool {
        self.pauses_left > 0 && self.has_pause()
    }

    fn has_pause(&self) -> bool {
        match self.spec.pauses {
            Pauses::Never => false,
            Pauses::Any => !self.pauses.is_empty(),
            Pauses::For(reasons) => {
                self.pauses.iter().flatten().any(|reason| reasons.contains(&reason.as_str()))
            }
        }
    }

    fn runs(&self) -> bool {
        self.started.is_some() && !self.cancelled && self.stops.is_empty() && !self.stands_still()
    }

    /// The minute before `at` has passed.
    fn pass(&mut self, at: i64) {
        let could_run = self.started.is_some() && !self.cancelled && self.stops.is_empty();
        if could_run && self.windows.is_empty() && self.is_paused() && self.spec.pause_max.is_some() {
            self.pauses_left -= 1;
            if self.pauses_left == 0 && self.breached.is_none() {
                self.go(at);
            }
            return;
        }
        if !self.runs() || !self.table.is_open(at - 1) {
            return;
        }
        if self.breached.is_some() {
            self.late_at.push(at);
        } else if self.left > 0 && !matches!(self.spec.length, Length::Until(_)) {
            self.left -= 1;
            if self.left == 0 {
                self.ends = Some(self.table.used_up(at));
            }
        }
    }

    /// It runs from now on, perhaps again.
    fn go(&mut self, at: i64) {
        self.ends = match self.spec.length {
            Length::Until(end) => Some(end),
            _ if self.left == 0 => Some(self.table.opening(at)),
            _ => None,
        };
    }

    fn start(&mut self, at: i64) {
        self.started = Some(at);
        self.left = match self.spec.length {
            Length::Minutes(n) => n,
            Length::Days(n) => self.table.between(at, self.table.close_of_day(at, n, false)),
            Length::WorkingDays(n) => self.table.between(at, self.table.close_of_day(at, n, true)),
            Length::Until(_) => 0,
        };
        self.ran_to_stop = Some(at);
        for stop in &mut self.stops {
            stop.0 = at;
        }
        if self.runs() {
            self.go(at);
        }
    }

    fn event(&mut self, at: i64, event: &Event) {
        let ran = self.runs();
        // An agreed date can lie before the event that set the clock running. What happens at the start's own instant
        // counts as there before it.
        if ran && self.breached.is_none() && self.started != Some(at) {
            self.breached = self.ends.filter(|ends| *ends < at);
        }
        let kind = event.kind.as_str();
        let reason = event.data.get("reason").and_then(|reason| reason.as_str());
        if self.spec.stops.contains(&kind) && !self.cancelled {
            self.stops.push((at, kind.to_owned()));
        }
        match kind {
            "paused" => self.pauses.push(reason.map(str::to_owned)),
            "resumed" if reason.is_some() => self.pauses.retain(|pause| pause.as_deref() != reason),
            "resumed" | "resolved" | "closed" => self.pauses.clear(),
            "cancelled" => {
                self.pauses.clear();
                self.called_off = true;
                self.cancelled = self.stops.is_empty();
            }
            "force_majeure_started" => {
                let named = event.data.get("clocks").and_then(|names| names.as_array());
                if named.is_none_or(|names| names.iter().any(|name| name == self.spec.name)) {
                    self.windows.push(window(event));
                }
            }
            "force_majeure_ended" => match window(event) {
                Some(name) => self.windows.retain(|open| open.as_ref() != Some(&name)),
                None => self.windows.clear(),
            },
            // The ticket is worked on again: nothing holds the clock but what was done for good.
            "reopened" | "rejected" => {
                self.pauses.clear();
                (self.called_off, self.cancelled) = (false, false);
                self.stops.retain(|(_, kind)| !REVOCABLE.contains(&kind.as_str()));
            }
            _ => {}
        }
        match (ran, self.runs()) {
            (false, true) if self.breached.is_none() => self.go(at),
            (true, false) => {
                self.ran_to_stop = (!self.stops.is_empty()).then_some(at);
                self.ends = self.ends.filter(|_| self.ran_to_stop.is_some());
            }
            _ => {}
        }
    }

    fn found(&self, at: i64) -> Found {
        let stopped = self.stops.first().map(|(stop, _)| *stop);
        let due = self.breached.or_else(|| match (stopped, &self.spec.length) {
            (_, Length::Until(end)) => Some(*end),
            // Stopped in a pause: when it would have been due, nobody can say.
            (Some(_), _) if stopped != self.ran_to_stop => None,
            (None, _) if self.stands_still() => None,
            _ => self.ends.or_else(|| Some(self.table.after(stopped.unwrap_or(at), self.left))),
        });
        let state = match (stopped, self.breached) {
            _ if self.started.is_none() && self.called_off => ClockState::Cancelled,
            _ if self.started.is_none() => ClockState::Waiting,
            (Some(_), None) => ClockState::Met,
            (Some(_), Some(_)) => ClockState::Late,
            (None, Some(_)) => ClockState::Breached,
            (None, None) if self.cancelled => ClockState::Cancelled,
            (None, None) if self.stands_still() => ClockState::Paused,
            (None, None) => ClockState::Running,
        };
        let due = due.filter(|_| !matches!(state, ClockState::Waiting | ClockState::Cancelled));
        let (stopped, late_at) = (stopped.filter(|_| self.started.is_some()), self.late_at.clone());
        Found { state, due, stopped, late: late_at.len() as i64, late_at }
    }
}

fn window(event: &Event) -> Option<String> {
    event.data.get("window").and_then(|name| name.as_str()).map(str::to_owned)
}

/// Walks one clock through a ticket's events, which are in order and not after `as_of`.
pub(crate) fn walk(spec: &Spec, base: i64, events: &[&Event], parent: Option<&Found>, as_of: i64) -> Found {
    let table = table(spec.cal, base);
    let mut walk = Walk {
        spec,
        table: &table,
        started: None,
        called_off: false,
        cancelled: false,
        stops: Vec::new(),
        ran_to_stop: None,
        pauses: Vec::new(),
        pauses_left: spec.pause_max.unwrap_or(i64::MAX),
        windows: Vec::new(),
        left: 0,
        ends: None,
        breached: None,
        late_at: Vec::new(),
    };
    let breach = parent.filter(|found| matches!(found.state, ClockState::Breached | ClockState::Late));
    let breach = breach.and_then(|found| found.due);
    let mut next = events.iter().peekable();
    for at in base..=as_of {
        walk.pass(at);
        if breach == Some(at) {
            walk.start(at);
        }
        while let Some(event) = next.next_if(|event| event.at.micros() / 60_000_000 <= at) {
            walk.event(at, event);
            if walk.started.is_none()
                && let Start::On(kinds) = spec.start
                && kinds.contains(&event.kind.as_str())
            {
                walk.start(at);
            }
        }
        // Still running when its time is up, and a moment later too.
        if walk.runs() && walk.breached.is_none() {
            walk.breached = walk.ends.filter(|ends| *ends <= at && *ends < as_of);
        }
    }
    walk.found(as_of)
}
