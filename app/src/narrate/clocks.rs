//! Each deadline: what it says, when it ran, when it falls due, how it ended.

use holdback::{
    ClockOutcome, ClockReason, ClockState, Event, Explanation, Instant, Pack, Span, StretchReason,
};

use super::lines::{Lines, Unit, day_end, glued, moment, period, short_moment};
use super::{clause_name, days, named};

/// What sets a clock going again.
const RESTARTS: [&str; 4] = ["resumed", "reopened", "rejected", "force_majeure_ended"];

pub(super) fn tell(out: &mut Lines, explanation: &Explanation, pack: &Pack) {
    let found = &explanation.assessment;
    if explanation.clocks.is_empty() {
        if found.fault.is_none() && found.reported_at.is_some() {
            out.heading("DEADLINES");
            out.put(2, "No clause sets any.");
        }
        return;
    }
    out.heading("DEADLINES");
    for (place, of_clause) in
        explanation.clocks.chunk_by(|a, b| a.outcome.clause == b.outcome.clause).enumerate()
    {
        let Some(first) = of_clause.first() else { continue };
        if place > 0 {
            out.blank();
        }
        out.put(2, &format!("Clause {}", clause_name(pack, &first.outcome.clause)));
        for (label, values) in [("Facts", &first.inputs), ("Terms", &first.terms)] {
            if let Some(values) = named(pack, values.iter()) {
                out.label(2, label, &values);
            }
        }
        for clock in of_clause {
            out.blank();
            Clock::new(clock, explanation, pack).tell(out);
        }
    }
}

/// One deadline being told.
struct Clock<'a> {
    reason: &'a ClockReason,
    found: &'a ClockOutcome,
    explanation: &'a Explanation,
    pack: &'a Pack,
    unit: Unit,
}

impl<'a> Clock<'a> {
    fn new(reason: &'a ClockReason, explanation: &'a Explanation, pack: &'a Pack) -> Clock<'a> {
        let unit = if reason.outcome.calendar == "always" { Unit::Elapsed } else { Unit::Open };
        Clock { reason, found: &reason.outcome, explanation, pack, unit }
    }

    fn tell(&self, out: &mut Lines) {
        out.put(4, &format!("{}: {}", self.found.clock, self.state()));
        out.label(6, "Rule", &self.reason.rule);
        if let Some(count) = &self.reason.count {
            out.label(6, "Count", count);
        }
        if let (Some(_), Some(target), true) =
            (&self.reason.count, self.found.target, self.reason.stretches.len() > 1)
        {
            out.label(6, "", &format!("from the start that is {} of open time", self.unit.write(target)));
        }
        self.ran(out);
        self.used(out);
        self.due(out);
        self.ended(out);
    }

    /// Whether time still runs.
    fn runs(&self) -> bool {
        self.reason.stretches.last().is_some_and(|last| last.ended_by.is_none())
    }

    /// What is left of the target.
    fn left(&self) -> Option<Span> {
        self.found.target?.checked_sub(self.found.used)
    }

    /// Lateness after an agreed date is time on the wall, whatever the calendar.
    fn late_unit(&self) -> Unit {
        if self.found.target.is_some() { self.unit } else { Unit::Elapsed }
    }

    /// What lateness is measured in, where it is not time on the wall.
    fn of_what(&self) -> &'static str {
        if self.late_unit() == Unit::Open { " of open time" } else { "" }
    }

    /// The same in brackets, for headings.
    fn in_what(&self) -> &'static str {
        if self.late_unit() == Unit::Open { " (open time)" } else { "" }
    }

    fn state(&self) -> String {
        let late = || format!("{} late", self.late_unit().write(self.found.late));
        let left = || match self.left() {
            Some(left) => format!("{} left{}", self.unit.write(left), self.in_what()),
            None => "until the agreed date".to_owned(),
        };
        match self.found.state {
            ClockState::Waiting => "NOT STARTED".to_owned(),
            ClockState::Running => format!("RUNNING, {}", left()),
            ClockState::Paused => format!("STANDS STILL, {}", left()),
            ClockState::Met if self.left() == Some(Span::ZERO) => {
                "MET, at the very end of its time: reaching the limit is in time".to_owned()
            }
            ClockState::Met if self.found.target.is_none() => "MET".to_owned(),
            ClockState::Met => format!("MET, {}", left()),
            ClockState::Breached if self.runs() => {
                format!("MISSED and not done yet, {} so far{}", late(), self.in_what())
            }
            ClockState::Breached => format!("MISSED and not done, {}{}", late(), self.in_what()),
            ClockState::Late => format!("MISSED, done {}{}", late(), self.in_what()),
            ClockState::Cancelled => "CALLED OFF".to_owned(),
        }
    }

    fn ran(&self, out: &mut Lines) {
        let Some(started) = self.found.started else {
            let why = match self.found.state {
                ClockState::Cancelled => "no: the ticket was cancelled before",
                _ => "no: what starts it has not come",
            };
            out.label(6, "Started", why);
            return;
        };
        out.label(6, "Started", &moment(self.pack, started));
        if self.reason.stretches.first().is_none_or(|first| first.from != started) {
            self.stood(out, started, self.reason.stretches.first().map(|first| first.from));
        }
        for (place, stretch) in self.reason.stretches.iter().enumerate() {
            self.stretch(out, stretch);
            if let Some(next) = self.reason.stretches.get(place + 1) {
                self.stood(out, stretch.to, Some(next.from));
            }
        }
    }

    fn stretch(&self, out: &mut Lines, stretch: &StretchReason) {
        let until = match &stretch.ended_by {
            Some(kind) => format!("until `{kind}`{}", self.why(kind, stretch.to)),
            None => "still running then".to_owned(),
        };
        let counted = self.unit.write(stretch.counted);
        let text = format!("{}, {until}: {counted}", period(self.pack, stretch.from, stretch.to));
        out.label(6, "Ran", &text);
        // One day that counts whole needs no list.
        if stretch.days.len() > 1 || stretch.counted != stretch.to.since(stretch.from) {
            days::tell(out, 17, &stretch.days, stretch.counted);
        }
    }

    fn stood(&self, out: &mut Lines, from: Instant, to: Option<Instant>) {
        let Some(to) = to else {
            if self.found.stopped.is_none() {
                out.label(6, "Stood", "still from its start on: paused or cancelled before");
            }
            return;
        };
        let until = match self.kinds_at(to, &RESTARTS) {
            kinds if kinds.is_empty() => "its pauses were used up".to_owned(),
            kinds => kinds,
        };
        let text = format!("still {}, until {until}", period(self.pack, from, to));
        out.label(6, "Stood", &text);
    }

    /// The reason that an event gave.
    fn why(&self, kind: &str, at: Instant) -> String {
        let event = self.explanation.events.iter().find(|event| event.at == at && event.kind == kind);
        match event.and_then(|event| event.data.get("reason")).and_then(|reason| reason.as_str()) {
            Some(reason) => format!(" (reason: {reason})"),
            None => String::new(),
        }
    }

    /// The events at an instant that move clocks: those of the kinds looked for, or all when there is none of them.
    fn kinds_at(&self, at: Instant, wanted: &[&str]) -> String {
        let moves = |event: &&Event| event.ticket.is_some() || event.kind.starts_with("force_majeure");
        let events = self.explanation.events.iter().filter(|event| event.at == at).filter(moves);
        let all: Vec<&str> = events.map(|event| event.kind.as_str()).collect();
        let found: Vec<&str> = all.iter().copied().filter(|kind| wanted.contains(kind)).collect();
        let kinds = if found.is_empty() { all } else { found };
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
        kinds.join(" and ")
    }

    fn used(&self, out: &mut Lines) {
        if self.reason.stretches.is_empty() {
            return;
        }
        let Some(target) = self.found.target else { return };
        let parts: Vec<Span> = self.reason.stretches.iter().map(|stretch| stretch.counted).collect();
        let sum = self.unit.sum(&parts, self.found.used);
        out.label(6, "Used", &format!("{sum}, of {}{}", self.unit.write(target), self.of_what()));
    }

    fn due(&self, out: &mut Lines) {
        let Some(due) = self.found.due else {
            if self.found.state == ClockState::Paused {
                out.label(6, "Due", "not known while it stands still");
            }
            return;
        };
        let at = format!("{}{}", moment(self.pack, due), day_end(self.pack, due));
        let Some(target) = self.found.target else {
            out.label(6, "Due", &format!("{at}, the agreed date"));
            return;
        };
        // The stretch in which it falls due: the one that ran beyond it, else the last.
        let stretches = &self.reason.stretches;
        let place = stretches.iter().position(|stretch| due < stretch.to);
        let place = place.unwrap_or(stretches.len().saturating_sub(1));
        let Some(stretch) = stretches.get(place) else {
            out.label(6, "Due", &at);
            return;
        };
        let before = stretches.iter().take(place).fold(Span::ZERO, |sum, stretch| sum + stretch.counted);
        let left = target - before;
        let how_much = if before == Span::ZERO {
            self.unit.write(left)
        } else {
            let sum = format!("({} - {})", self.unit.write(target), self.unit.write(before));
            format!("{} {}", self.unit.write(left), glued(&sum))
        };
        if self.reason.to_due.is_empty() {
            let plain = stretch.from.checked_add(left) == Ok(due);
            let sum = format!("{at} = {} + {how_much}", short_moment(self.pack, stretch.from));
            out.label(6, "Due", if plain { &sum } else { &at });
            return;
        }
        let zone = match self.reason.zone.as_str() {
            zone if zone == self.pack.zone.name() => String::new(),
            zone => format!(" (days in {zone})"),
        };
        let from = short_moment(self.pack, stretch.from);
        out.label(6, "Due", &format!("{at}: {how_much} of open time from {from}{zone}"));
        days::tell(out, 17, &self.reason.to_due, left);
        let counted = self.reason.to_due.iter().any(|day| day.counted > Span::ZERO);
        if counted && self.reason.to_due.last().is_some_and(|day| day.counted == Span::ZERO) {
            out.put(17, "The time is used up at a closing; the limit is the opening that follows.");
        }
    }

    fn ended(&self, out: &mut Lines) {
        if let Some(stopped) = self.found.stopped {
            let last = self.reason.stretches.last().filter(|last| last.to == stopped);
            let by: Vec<&str> = last.and_then(|last| last.ended_by.as_deref()).into_iter().collect();
            let by = self.kinds_at(stopped, &by);
            let text = match self.reason.stretches.is_empty() {
                true => {
                    format!("{}, at its start: what stops it had come before", moment(self.pack, stopped))
                }
                false => format!("{} by {by}", moment(self.pack, stopped)),
            };
            out.label(6, "Stopped", &text);
        }
        if matches!(self.found.state, ClockState::Late | ClockState::Breached) {
            out.label(6, "Late", &self.lateness());
        }
    }

    fn lateness(&self) -> String {
        let (late, unit) = (self.found.late, self.late_unit());
        let Some(due) = self.found.due else { return unit.write(late) };
        match self.found.target {
            Some(target) if self.found.used.checked_sub(target) == Some(late) => format!(
                "{} - {} = {}{}",
                unit.write(self.found.used),
                unit.write(target),
                unit.write(late),
                self.of_what()
            ),
            Some(_) => unit.write(late),
            None => {
                let beyond = self.reason.stretches.iter().filter(|stretch| due < stretch.to);
                let parts: Vec<Span> =
                    beyond.map(|stretch| stretch.to.since(stretch.from.max(due))).collect();
                format!("{} after the agreed date", unit.sum(&parts, late))
            }
        }
    }
}
