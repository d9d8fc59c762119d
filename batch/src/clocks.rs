//! Clocks over columns: from a start to a stop for most tickets, through pauses and reopenings for the rest. The same rules as
//! the engine's own clocks, which are the reference.

use holdback::ClockState;
use holdback::graph::PauseColumn;
use pulp::Arch;

use crate::kernel::vectors;
use crate::open_time::OpenTime;
use crate::sheet::Moved;

/// How a clock stands, small.
pub(crate) mod state {
    pub(crate) const WAITING: u8 = 0;
    pub(crate) const RUNNING: u8 = 1;
    pub(crate) const PAUSED: u8 = 2;
    pub(crate) const MET: u8 = 3;
    pub(crate) const BREACHED: u8 = 4;
    pub(crate) const LATE: u8 = 5;
    pub(crate) const CANCELLED: u8 = 6;
    /// The ticket does not have the clock.
    pub(crate) const NONE: u8 = 7;
}

/// The number of a state.
pub(crate) fn number_of(clock: ClockState) -> u8 {
    match clock {
        ClockState::Waiting => state::WAITING,
        ClockState::Running => state::RUNNING,
        ClockState::Paused => state::PAUSED,
        ClockState::Met => state::MET,
        ClockState::Breached => state::BREACHED,
        ClockState::Late => state::LATE,
        ClockState::Cancelled => state::CANCELLED,
    }
}

/// The states by their numbers, as they are written.
pub(crate) const STATES: [&str; 7] = ["waiting", "running", "paused", "met", "breached", "late", "cancelled"];

/// Kinds of events with a meaning of their own, by their places among all kinds.
pub(crate) mod kind {
    pub(crate) const REPORTED: u16 = 0;
    pub(crate) const RESOLVED: u16 = 6;
    pub(crate) const ACCEPTED: u16 = 7;
    pub(crate) const REJECTED: u16 = 8;
    pub(crate) const REOPENED: u16 = 9;
    pub(crate) const PAUSED: u16 = 10;
    pub(crate) const RESUMED: u16 = 11;
    pub(crate) const CANCELLED: u16 = 13;
    pub(crate) const CLOSED: u16 = 14;

    /// With one of these a clock does not just run from its start to its stop.
    pub(crate) const IRREGULAR: [u16; 4] = [REJECTED, REOPENED, PAUSED, CANCELLED];

    /// Taken back by a reopening.
    pub(crate) fn is_revocable(kind: u16) -> bool {
        matches!(kind, RESOLVED | ACCEPTED | CLOSED)
    }
}

/// A clock of one column of tickets, row by row.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    pub(crate) state: Vec<u8>,
    pub(crate) started: Vec<i64>,
    pub(crate) due: Vec<i64>,
    /// Whether the due instant is known.
    pub(crate) is_due: Vec<u8>,
    pub(crate) stopped: Vec<i64>,
    pub(crate) late: Vec<i64>,
    /// Elapsed time in which a pause held it; ends after the last row that has some.
    pub(crate) paused: Vec<i64>,
}

/// One clock of one ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) state: u8,
    pub(crate) started: i64,
    pub(crate) due: Option<i64>,
    pub(crate) stopped: i64,
    pub(crate) late: i64,
    pub(crate) paused: i64,
}

impl Run {
    pub(crate) const NONE: Run =
        Run { state: state::NONE, started: 0, due: None, stopped: 0, late: 0, paused: 0 };
}

impl Runs {
    /// Makes room for so many rows.
    pub(crate) fn reserve(&mut self, rows: usize, bare: bool) {
        let more = rows.saturating_sub(self.state.len());
        self.state.reserve(more);
        self.due.reserve(more);
        self.late.reserve(more);
        if !bare {
            self.is_due.reserve(more);
            self.started.reserve(more);
            self.stopped.reserve(more);
        }
    }

    /// At least as many rows as that; those that come new do not have the clock yet, others are as they were. Of bare ones nothing is
    /// kept but state, due instant and lateness.
    pub(crate) fn grow(&mut self, rows: usize, bare: bool) {
        if self.state.len() < rows {
            self.state.resize(rows, state::NONE);
        }
        for column in [&mut self.due, &mut self.late] {
            if column.len() < rows {
                column.resize(rows, 0);
            }
        }
        if !bare && self.is_due.len() < rows {
            self.is_due.resize(rows, 0);
            self.started.resize(rows, 0);
            self.stopped.resize(rows, 0);
        }
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.state.truncate(rows);
        self.is_due.truncate(rows);
        for column in [&mut self.started, &mut self.due, &mut self.stopped, &mut self.late, &mut self.paused]
        {
            column.truncate(rows);
        }
    }

    /// These rows do not have the clock.
    pub(crate) fn clear(&mut self, rows: std::ops::Range<usize>) {
        self.state.get_mut(rows.clone()).into_iter().for_each(|part| part.fill(state::NONE));
        self.is_due.get_mut(rows.clone()).into_iter().for_each(|part| part.fill(0));
        for column in [&mut self.started, &mut self.due, &mut self.stopped, &mut self.late, &mut self.paused]
        {
            column.get_mut(rows.clone()).into_iter().for_each(|part| part.fill(0));
        }
    }

    pub(crate) fn set(&mut self, row: usize, run: Run) {
        if run.paused != 0 && self.paused.len() <= row {
            self.paused.resize(self.state.len(), 0);
        }
        for (column, value) in [
            (&mut self.started, run.started),
            (&mut self.due, run.due.unwrap_or_default()),
            (&mut self.stopped, run.stopped),
            (&mut self.late, run.late),
            (&mut self.paused, run.paused),
        ] {
            column.get_mut(row).into_iter().for_each(|place| *place = value);
        }
        self.state.get_mut(row).into_iter().for_each(|place| *place = run.state);
        self.is_due.get_mut(row).into_iter().for_each(|place| *place = u8::from(run.due.is_some()));
    }
}

/// What a clock lasts for one row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// So much open time.
    Open(i64),
    /// Until an instant that was counted in days from the start.
    Days(holdback::Period, holdback::CountRule),
    /// Until an instant that an event gives; nothing when none has.
    At(Option<i64>),
}

/// The columns of regular rows of one clock in a calendar that never closes: everything at once.
pub(crate) struct Plain<'a> {
    pub(crate) exists: &'a [u8],
    pub(crate) start: &'a [i64],
    pub(crate) has_start: &'a [u8],
    pub(crate) length: &'a [i64],
    pub(crate) stop: &'a [i64],
    pub(crate) has_stop: &'a [u8],
    pub(crate) as_of: i64,
}

/// Where the results go, as many rows as there are.
pub(crate) struct Into<'a> {
    pub(crate) state: &'a mut [u8],
    pub(crate) due: &'a mut [i64],
    pub(crate) stopped: &'a mut [i64],
    pub(crate) late: &'a mut [i64],
}

impl Plain<'_> {
    /// Runs them all. Says whether a sum left 64 bits, and the latest due instant of the clocks that have begun.
    pub(crate) fn run(&self, arch: Arch, into: &mut Into<'_>) -> (bool, i64) {
        let rows = into.state.len().min(crate::kernel::CHUNK);
        let (Some(exists), Some(start), Some(length), Some(stop), Some(has_start), Some(has_stop)) = (
            self.exists.get(..rows),
            self.start.get(..rows),
            self.length.get(..rows),
            self.stop.get(..rows),
            self.has_start.get(..rows),
            self.has_stop.get(..rows),
        ) else {
            return (true, i64::MAX);
        };
        let as_of = self.as_of;
        let (state, due, stopped, late) = (
            &mut into.state[..rows],
            &mut into.due[..rows],
            &mut into.stopped[..rows],
            &mut into.late[..rows],
        );
        vectors!(
            arch,
            [
                exists: &'a [u8] = exists,
                start: &'a [i64] = start,
                has_start: &'a [u8] = has_start,
                length: &'a [i64] = length,
                stop: &'a [i64] = stop,
                has_stop: &'a [u8] = has_stop,
                state: &'a mut [u8] = state,
                due: &'a mut [i64] = due,
                stopped: &'a mut [i64] = stopped,
                late: &'a mut [i64] = late,
                as_of: i64 = as_of,
            ] -> (bool, i64) {
                let rows = state.len();
                // Lists of one length need no checks of bounds.
                let (exists, start, has_start) = (&exists[..rows], &start[..rows], &has_start[..rows]);
                let (length, stop, has_stop) = (&length[..rows], &stop[..rows], &has_stop[..rows]);
                let (due, stopped, late) = (&mut due[..rows], &mut stopped[..rows], &mut late[..rows]);
                // Sums wrap and are looked at afterwards: a check of each would keep them out of the vector units.
                let (mut overflow, mut latest) = (0, i64::MIN);
                for i in 0..rows {
                    let begun = i64::from(has_start[i]);
                    let is_stopped = i64::from(has_stop[i]);
                    let runs = -(i64::from(exists[i]) & begun);
                    let sum = start[i].wrapping_add(length[i]);
                    let ended = stop[i].max(start[i]);
                    let end = if is_stopped != 0 { ended } else { as_of };
                    let behind = end.wrapping_sub(sum);
                    overflow |= (((start[i] ^ sum) & (length[i] ^ sum)) | ((end ^ sum) & (end ^ behind))) & runs;
                    due[i] = sum;
                    stopped[i] = ended;
                    // A clock that has not started is not late.
                    let behind = behind.max(0) & -begun;
                    late[i] = behind;
                    latest = latest.max(if runs != 0 { sum } else { i64::MIN });
                    // Numbers of states are made by arithmetic: 1 running, 3 met, 4 breached, 5 late.
                    let running = is_stopped.wrapping_add(is_stopped).wrapping_add(1);
                    let stands = if behind > 0 { is_stopped.wrapping_add(4) } else { running };
                    let stands = if begun != 0 { stands } else { i64::from(state::WAITING) };
                    let stands = if exists[i] != 0 { stands } else { i64::from(state::NONE) };
                    state[i] = stands.to_le_bytes()[0];
                }
                (overflow < 0, latest)
            }
        )
    }
}

/// A regular row in any calendar. Nothing when the calendar has no answer.
pub(crate) fn regular(
    open: &OpenTime,
    start: i64,
    length: Length,
    stop: Option<i64>,
    as_of: i64,
) -> Option<Run> {
    let ended = stop.map(|stop| stop.max(start));
    let end = ended.unwrap_or(as_of);
    // What stops it before it starts leaves it no time to run.
    let runs = ended.is_none_or(|ended| ended > start);
    let (due, late) = match length {
        Length::At(due) => {
            let due = due?;
            let breached = due < end && runs;
            (due, if breached { Some(open.between(start.max(due), end)?) } else { None })
        }
        Length::Open(target) => {
            let due = open.add(start, target)?;
            (due, late_by(open, start, end, due, target)?)
        }
        Length::Days(period, count) => {
            let due = open.period_end(start, period, count)?;
            let target = open.between(start, due)?;
            (due, late_by(open, start, end, due, target)?)
        }
    };
    let state = match (late.is_some(), ended.is_some()) {
        (true, true) => state::LATE,
        (true, false) => state::BREACHED,
        (false, true) => state::MET,
        (false, false) => state::RUNNING,
    };
    let late = late.unwrap_or_default();
    Some(Run { state, started: start, due: Some(due), stopped: end, late, paused: 0 })
}

/// How late, if it is; nothing when the calendar has no answer.
#[expect(clippy::option_option, reason = "no answer, or not late")]
fn late_by(open: &OpenTime, start: i64, end: i64, due: i64, target: i64) -> Option<Option<i64>> {
    let used = open.between(start, end)?;
    Some((due < end).then(|| (used - target).max(0)))
}

/// What moves a clock through a history.
pub(crate) struct Rules<'a> {
    pub(crate) stops: &'a [u16],
    pub(crate) pauses: &'a PauseColumn,
    /// The numbers of the reasons that hold it.
    pub(crate) reasons: &'a [u32],
    pub(crate) pause_max: Option<i64>,
    pub(crate) open: &'a OpenTime,
    pub(crate) as_of: i64,
}

/// The hands of a clock: the stops that stand, the pauses that hold it.
#[derive(Debug, Default)]
pub(crate) struct Hands {
    stops: Vec<(i64, u16)>,
    pauses: Vec<u32>,
    cancelled: bool,
    left: Option<i64>,
}

impl Hands {
    fn begin(&mut self, left: Option<i64>) {
        self.stops.clear();
        self.pauses.clear();
        (self.cancelled, self.left) = (false, left);
    }

    fn held(&self) -> bool {
        !self.pauses.is_empty() && self.left.is_none_or(|left| left > 0)
    }

    fn run(&self) -> bool {
        self.stops.is_empty() && !self.cancelled && !self.held()
    }

    fn runs_on(&self, at: i64) -> Option<i64> {
        let holds = self.held() && self.stops.is_empty() && !self.cancelled;
        at.checked_add(self.left.filter(|_| holds)?)
    }

    /// Time passes without an event.
    fn pass(&mut self, from: i64, to: i64) -> Option<i64> {
        let runs_on = self.runs_on(from)?;
        self.left = Some((runs_on - to).max(0));
        (runs_on <= to).then_some(runs_on)
    }

    fn turn(&mut self, rules: &Rules<'_>, event: Moved) {
        if rules.stops.contains(&event.kind) && !self.cancelled {
            self.stops.push((event.at, event.kind));
        }
        match event.kind {
            kind::PAUSED if rules.covers(event.reason) && !self.pauses.contains(&event.reason) => {
                self.pauses.push(event.reason);
            }
            kind::RESUMED if event.reason != 0 => self.pauses.retain(|pause| *pause != event.reason),
            kind::RESUMED | kind::RESOLVED | kind::CLOSED => self.pauses.clear(),
            kind::CANCELLED => {
                self.pauses.clear();
                self.cancelled = self.stops.is_empty();
            }
            kind::REOPENED | kind::REJECTED => {
                self.pauses.clear();
                self.cancelled = false;
                self.stops.retain(|(_, stop)| !kind::is_revocable(*stop));
            }
            _ => {}
        }
    }
}

impl Rules<'_> {
    fn covers(&self, reason: u32) -> bool {
        match self.pauses {
            PauseColumn::Never => false,
            PauseColumn::Always => true,
            PauseColumn::For(_) => reason != 0 && self.reasons.contains(&reason),
        }
    }

    /// A clock whose start has not come.
    pub(crate) fn waiting(events: &[Moved]) -> Run {
        let word = |event: &&Moved| [kind::CANCELLED, kind::REOPENED, kind::REJECTED].contains(&event.kind);
        let cancelled = events.iter().rev().find(word).is_some_and(|event| event.kind == kind::CANCELLED);
        let state = if cancelled { state::CANCELLED } else { state::WAITING };
        Run { state, ..Run::NONE }
    }

    /// A clock through a whole history, which holds the events up to the assessment's instant in their order.
    pub(crate) fn run(&self, hands: &mut Hands, events: &[Moved], start: i64, length: Length) -> Option<Run> {
        let mut meter = Meter::new(self.open, start, length)?;
        hands.begin(self.pause_max);
        let (before, after) = events.split_at(events.partition_point(|event| event.at <= start));
        before.iter().for_each(|event| hands.turn(self, *event));
        hands.stops.iter_mut().for_each(|stop| stop.0 = start);
        let mut from = hands.run().then_some(start);
        let (mut at, mut paused) = (start, 0);
        for event in after {
            if let Some(runs_on) = hands.pass(at, event.at) {
                from = Some(runs_on);
                paused += runs_on - at;
            } else if hands.held() && hands.stops.is_empty() && !hands.cancelled {
                paused += event.at - at;
            }
            at = event.at;
            let ran = hands.run();
            hands.turn(self, *event);
            match (ran, hands.run()) {
                (true, false) => {
                    if let Some(from) = from.take() {
                        meter.consume(from, event.at)?;
                    }
                }
                (false, true) => from = Some(event.at),
                _ => {}
            }
        }
        if let Some(runs_on) = hands.pass(at, self.as_of) {
            from = Some(runs_on);
            paused += runs_on - at;
        } else if hands.held() && hands.stops.is_empty() && !hands.cancelled {
            paused += self.as_of - at;
        }
        if let Some(from) = from {
            meter.consume(from, self.as_of)?;
        }
        let due = match meter.due {
            Some(due) => due,
            None => meter.due_from(start)?,
        };
        let stopped = hands.stops.first().map(|(at, _)| *at);
        let state = match (meter.breached, stopped.is_some()) {
            (true, true) => state::LATE,
            (true, false) => state::BREACHED,
            (false, true) => state::MET,
            (false, false) if hands.cancelled => state::CANCELLED,
            (false, false) if hands.held() => state::PAUSED,
            (false, false) => state::RUNNING,
        };
        let dated = matches!(meter.goal, Goal::At(_));
        let due = match state {
            state::PAUSED | state::CANCELLED if !dated => None,
            state::MET if !dated && stopped.is_some_and(|stopped| stopped > due) => None,
            _ => Some(due),
        };
        Some(Run {
            state,
            started: start,
            due,
            stopped: stopped.unwrap_or_default(),
            late: meter.late,
            paused,
        })
    }
}

enum Goal {
    Open(i64, Option<(i64, i64)>),
    At(i64),
}

/// Adds up the open time of the stretches and finds the due instant.
struct Meter<'a> {
    open: &'a OpenTime,
    goal: Goal,
    used: i64,
    due: Option<i64>,
    breached: bool,
    late: i64,
}

impl<'a> Meter<'a> {
    fn new(open: &'a OpenTime, start: i64, length: Length) -> Option<Meter<'a>> {
        let goal = match length {
            Length::Open(target) => Goal::Open(target, None),
            Length::Days(period, count) => {
                let due = open.period_end(start, period, count)?;
                Goal::Open(open.between(start, due)?, Some((start, due)))
            }
            Length::At(due) => Goal::At(due?),
        };
        Some(Meter { open, goal, used: 0, due: None, breached: false, late: 0 })
    }

    fn due_from(&self, from: i64) -> Option<i64> {
        match self.goal {
            Goal::At(due) => Some(due),
            Goal::Open(_, Some((start, due))) if from == start && self.used == 0 => Some(due),
            Goal::Open(target, _) => self.open.add(from, target - self.used),
        }
    }

    fn consume(&mut self, from: i64, to: i64) -> Option<()> {
        if !self.breached {
            let due = self.due_from(from)?;
            self.breached = due < to;
            self.due = Some(due);
        }
        let ran = self.open.between(from, to)?;
        self.used = self.used.saturating_add(ran);
        match self.goal {
            Goal::Open(target, _) if self.breached => self.late = (self.used - target).max(0),
            Goal::At(due) if self.breached => {
                self.late = self.late.saturating_add(self.open.between(from.max(due), to)?);
            }
            _ => {}
        }
        Some(())
    }
}
