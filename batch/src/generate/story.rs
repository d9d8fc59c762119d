//! What happens to one ticket.

use super::arrivals::END;
use super::draw::Draws;
use super::fitted;

/// The kinds of events that occur; a kind is its place here.
pub(super) const KINDS: [&str; 8] =
    ["reported", "responded", "paused", "resumed", "resolved", "reopened", "updated", "closed"];

/// One of [`KINDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Reported,
    Responded,
    Paused,
    Resumed,
    Resolved,
    Reopened,
    Updated,
    Closed,
}

/// An event of a ticket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    /// Seconds since the beginning of the history.
    pub(super) at: u64,
    /// P1 is 0. Meaningful with `reported` and `updated`.
    pub(super) priority: u8,
}

/// The events of one ticket in the order in which they happen.
#[derive(Default)]
pub(super) struct Story {
    /// Up to the end of the history; the first is `reported`.
    pub(super) steps: Vec<Step>,
    now: u64,
}

impl Story {
    /// Draws what happens to a ticket reported at this second.
    pub(super) fn tell(&mut self, draws: &mut Draws, reported: u64) {
        self.steps.clear();
        self.now = reported;
        let priority = draws.pick(&fitted::PRIORITIES);
        self.steps.push(Step { kind: Kind::Reported, at: reported, priority: priority as u8 });
        let (response, work): (&[u32], &[u32]) = match priority {
            0 => (&fitted::RESPONSE_P1, &fitted::WORK_P1),
            1 => (&fitted::RESPONSE_P2, &fitted::WORK_P2),
            2 => (&fitted::RESPONSE_P3, &fitted::WORK_P3),
            _ => (&fitted::RESPONSE_P4, &fitted::WORK_P4),
        };
        self.after(draws.delay(response), Kind::Responded);
        let responded = self.now;
        match draws.pick(&fitted::PAUSES) {
            0 => self.now += draws.delay(work),
            pauses => self.pause(draws, pauses),
        }
        let ended = self.now;
        if draws.pick(&fitted::RESOLVED) == 0 {
            self.after(0, Kind::Resolved);
            for _ in 0..draws.pick(&fitted::REOPENINGS) {
                self.after(draws.delay(&fitted::TO_REOPENING), Kind::Reopened);
                if draws.pick(&fitted::REOPENED_TO_PAUSE) == 1 {
                    self.after(0, Kind::Paused);
                }
                self.after(draws.delay(&fitted::AGAIN), Kind::Resolved);
            }
            self.after(draws.delay(&fitted::CLOSING), Kind::Closed);
        } else {
            self.after(0, Kind::Closed);
        }
        let first = fitted::PRIORITIES[priority];
        let changed = fitted::CHANGED[priority];
        if draws.pick(&[first - changed, changed]) == 1 {
            self.change_priority(draws, priority, [reported, responded, ended]);
        }
        // In order of time, so what lies beyond the end is the last of it.
        while self.steps.last().is_some_and(|step| step.at >= END) {
            self.steps.pop();
        }
    }

    /// Work with pauses, up to the resolution.
    fn pause(&mut self, draws: &mut Draws, pauses: usize) {
        self.now += draws.delay(&fitted::TO_PAUSE);
        for pause in 1..=pauses {
            self.after(0, Kind::Paused);
            if pause < pauses {
                self.after(draws.delay(&fitted::PAUSE), Kind::Resumed);
                self.now += draws.delay(&fitted::BETWEEN_PAUSES);
            }
        }
        // As the log has it, a resolution ends a pause without a word of its own.
        if draws.pick(&fitted::LAST_PAUSES) == 1 {
            self.now += draws.delay(&fitted::PAUSE_TO_END);
        } else {
            self.after(draws.delay(&fitted::PAUSE), Kind::Resumed);
            self.now += draws.delay(&fitted::FROM_PAUSE);
        }
    }

    fn change_priority(&mut self, draws: &mut Draws, first: usize, [reported, responded, ended]: [u64; 3]) {
        let changes = draws.pick(&fitted::CHANGES) + 1;
        let mut times = [0; fitted::CHANGES.len()];
        let times = &mut times[..changes];
        for time in times.iter_mut() {
            let (from, to) = match draws.pick(&fitted::CHANGE_TIMES) {
                0 => (reported, responded),
                _ => (responded, ended),
            };
            *time = from + (((to - from) * u64::from(draws.half())) >> 32);
        }
        times.sort_unstable();
        let mut priority = first;
        for &at in &*times {
            priority = draws.pick(&fitted::TURNS[priority]);
            let place = self.steps.partition_point(|step| step.at <= at);
            self.steps.insert(place, Step { kind: Kind::Updated, at, priority: priority as u8 });
        }
    }

    fn after(&mut self, delay: u64, kind: Kind) {
        self.now += delay;
        self.steps.push(Step { kind, at: self.now, priority: 0 });
    }
}
