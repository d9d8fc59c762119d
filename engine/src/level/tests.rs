//! Periods, outages and what they come to.

mod measures;
mod outages;
mod periods;

use std::sync::Arc;

use rust_decimal::Decimal;

use super::*;
use crate::event::Kind;
use crate::ticket::{Detail, DowntimeDetail, Entry, OutageDetail, ReliefDetail};
use crate::vocabulary::{Begin, Level, LevelPeriod, Measure, Planned};
use crate::{Instant, Span};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// So many minutes after the beginning of 2026 in UTC.
fn minute(n: i64) -> Instant {
    at("2026-01-01T00:00:00Z").checked_add(Span::minutes(n)).unwrap()
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn level(period: LevelPeriod) -> Level {
    Level {
        name: "portal".into(),
        measure: Measure::Availability(None),
        planned: Planned::Counts,
        period,
        begins: Begin::Signed,
        settles: None,
        calendar: None,
        earned_back: None,
    }
}

fn entry(id: &str, at: Instant, kind: Kind, detail: Detail) -> Arc<Entry> {
    Arc::new(Entry { at, id: id.into(), kind, via: None, reason: None, detail })
}

fn outage(id: &str, at: Instant, kind: Kind, own: &str, service: &str) -> Arc<Entry> {
    let named = |text: &str| Some(Box::from(text)).filter(|_| !text.is_empty());
    let detail = OutageDetail { outage: named(own), service: named(service) };
    entry(id, at, kind, Detail::Outage(Box::new(detail)))
}

/// Event `id`: an outage begins; `own` is its id and `service` what is out, or nothing.
fn start(id: &str, at: Instant, own: &str, service: &str) -> Arc<Entry> {
    outage(id, at, Kind::OUTAGE_STARTED, own, service)
}

fn end(id: &str, at: Instant, own: &str, service: &str) -> Arc<Entry> {
    outage(id, at, Kind::OUTAGE_ENDED, own, service)
}

fn planned(id: &str, at: Instant, from: Instant, until: Instant, service: &str) -> Arc<Entry> {
    let service = Some(Box::from(service)).filter(|_| !service.is_empty());
    entry(id, at, Kind::DOWNTIME_PLANNED, Detail::Downtime(Box::new(DowntimeDetail { from, until, service })))
}

/// Force majeure: `begins` says whether it begins or ends.
fn relief(id: &str, at: Instant, begins: bool, window: &str, names: &[&str]) -> Arc<Entry> {
    let kind = if begins { Kind::FORCE_MAJEURE_STARTED } else { Kind::FORCE_MAJEURE_ENDED };
    let window = Some(Box::from(window)).filter(|_| !window.is_empty());
    let clocks = names.iter().map(|name| Box::from(*name)).collect();
    entry(id, at, kind, Detail::Relief(Box::new(ReliefDetail { window, clocks })))
}

/// A period from one minute to another that closes at its end.
fn period(from: i64, until: i64) -> Period {
    Period {
        subject: "2026-01".into(),
        number: 24_312,
        from: minute(from),
        until: minute(until),
        closes: minute(until),
        whole: true,
    }
}
