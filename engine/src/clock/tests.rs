//! Clocks with limited pauses, at every minute.

use std::sync::Arc;

use super::{ClockSpec, ClockState, Lateness, Length, Pauses, Start, Stretch, run};
use crate::event::Kind;
use crate::ticket::{Detail, Entry, ReliefDetail};
use crate::{Calendar, Instant, Span};

fn minute(n: i64) -> Instant {
    Instant::from_seconds(n * 60).unwrap()
}

fn entry(n: i64, kind: Kind, detail: Detail) -> Arc<Entry> {
    let id = format!("{n}").into();
    Arc::new(Entry { at: minute(n), id, kind, via: None, reason: None, detail })
}

fn spec(target: i64, pause_max: i64) -> ClockSpec {
    ClockSpec {
        clause: 0,
        name: "repair".into(),
        start: Start::On([Kind::REPORTED].into()),
        length: Length::Open(Span::minutes(target)),
        stops: [Kind::RESOLVED].into(),
        calendar: 0,
        pauses: Pauses::Always,
        pause_max: Some(Span::minutes(pause_max)),
    }
}

/// When a clock runs on or falls due it says so ahead, and nothing else changes between.
#[test]
fn a_clock_says_when_it_changes_by_itself() {
    let window = |name: &str| {
        let window = Some(name.into());
        Detail::Relief(Box::new(ReliefDetail { window, clocks: Box::default() }))
    };
    let history = [
        entry(10, Kind::REPORTED, Detail::None),
        entry(20, Kind::PAUSED, Detail::None),
        entry(30, Kind::FORCE_MAJEURE_STARTED, window("flood")),
        entry(50, Kind::FORCE_MAJEURE_ENDED, window("flood")),
        entry(55, Kind::RESUMED, Detail::None),
        entry(60, Kind::PAUSED, Detail::None),
    ];
    let calendar = Calendar::always();
    let spec = spec(30, 25);
    let at = |as_of: Instant| {
        let told = history.partition_point(|entry| entry.at <= as_of);
        run(&spec, &calendar, &history[..told], &[], as_of, &mut |_| {}).unwrap()
    };
    let states = [(19, ClockState::Running), (20, ClockState::Paused), (49, ClockState::Paused)];
    for (n, state) in states {
        assert_eq!(at(minute(n)).state, state, "at {n}");
    }
    // 15 of the 25 minutes went by before; the rest is used up at 70, and 15 minutes are left to run then.
    assert_eq!(at(minute(54)).runs_on, Some(minute(65)));
    assert_eq!((at(minute(60)).runs_on, at(minute(69)).state), (Some(minute(70)), ClockState::Paused));
    assert_eq!(at(minute(40)).runs_on, None, "force majeure holds it until its end");
    assert_eq!((at(minute(70)).state, at(minute(70)).due), (ClockState::Running, Some(minute(85))));
    assert_eq!(at(minute(85)).state, ClockState::Running);
    let missed = at(minute(85).succ());
    assert_eq!((missed.state, missed.due, missed.runs_on), (ClockState::Breached, Some(minute(85)), None));
}

#[test]
fn lateness_is_reached_in_the_stretches_after_the_breach() {
    let calendar = Calendar::always();
    let stretch = |from, to, ended_by| Stretch { from: minute(from), to: minute(to), ended_by };
    let ended = [stretch(0, 10, Some(Kind::PAUSED)), stretch(30, 60, Some(Kind::RESOLVED))];
    let reached = |lateness: &Lateness<'_>, late| lateness.reached(Span::minutes(late)).unwrap();
    let lateness = Lateness::new(&calendar, minute(5), &ended, None).unwrap();
    assert_eq!(lateness.runs(), [(minute(5), minute(10)), (minute(30), minute(60))]);
    for (late, wanted) in [(1, Some(6)), (5, Some(10)), (6, Some(31)), (35, Some(60)), (36, None)] {
        assert_eq!(reached(&lateness, late), wanted.map(minute), "{late} min late");
    }
    let running = [ended[0], stretch(30, 40, None)];
    let lateness = Lateness::new(&calendar, minute(5), &running, None).unwrap();
    assert_eq!((reached(&lateness, 15), reached(&lateness, 20)), (Some(minute(40)), Some(minute(45))));
    let held = Lateness::new(&calendar, minute(5), &ended[..1], Some(minute(50))).unwrap();
    assert_eq!((reached(&held, 5), reached(&held, 6)), (Some(minute(10)), Some(minute(51))));
}
