//! Shares of time and of clocks, against a count of minutes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::stretches::Stretches;
use super::outages::histories;
use super::*;
use crate::clock::ClockState;
use crate::ticket::InvoiceDetail;
use crate::{Calendar, CalendarDef, Currency, Money};

fn measured(level: &Level, entries: &[Arc<Entry>], period: &Period) -> Measured {
    availability(level, &OutageBook::of(entries), period, &Calendar::always(), Instant::MAX).unwrap()
}

fn of_service(service: &str) -> Level {
    Level { measure: Measure::Availability(Some(service.into())), ..level(LevelPeriod::Month) }
}

/// Downtime in minutes and the number of outages within the first hundred minutes.
fn down(level: &Level, entries: &[Arc<Entry>]) -> (i64, i64) {
    let found = measured(level, entries, &period(0, 100));
    let minutes = found.downtime.whole_seconds() / 60;
    assert_eq!(found.share, (Decimal::ONE_HUNDRED - Decimal::from(minutes)) / Decimal::ONE_HUNDRED);
    assert_eq!(found.missed, found.total);
    (minutes, found.total)
}

#[test]
fn outages_that_overlap_nest_or_touch_count_once() {
    let entries = [
        start("1", minute(10), "a", "web"),
        start("2", minute(15), "b", "web"),
        end("3", minute(20), "a", "web"),
        end("4", minute(30), "b", "web"),
        start("5", minute(30), "c", ""),
        end("6", minute(35), "c", ""),
        start("7", minute(50), "d", "db"),
        start("8", minute(52), "e", "db"),
        end("9", minute(53), "e", "db"),
        end("a", minute(60), "d", "db"),
    ];
    assert_eq!(down(&level(LevelPeriod::Month), &entries), (35, 2));
    assert_eq!(down(&of_service("web"), &entries), (25, 1));
    assert_eq!(down(&of_service("db"), &entries), (15, 2));
    assert_eq!(down(&of_service("mail"), &entries), (5, 1));
}

#[test]
fn outages_are_cut_to_the_period_and_to_the_present() {
    let entries = [
        start("1", minute(-50), "a", ""),
        end("2", minute(10), "a", ""),
        start("3", minute(90), "b", ""),
        end("4", minute(150), "b", ""),
        start("5", minute(100), "c", ""),
        start("6", minute(60), "d", ""),
        end("7", minute(60), "d", ""),
    ];
    assert_eq!(down(&level(LevelPeriod::Month), &entries), (20, 2));
    let book = OutageBook::of(&entries);
    let at = |as_of| {
        let level = level(LevelPeriod::Month);
        let found = availability(&level, &book, &period(0, 100), &Calendar::always(), minute(as_of)).unwrap();
        (found.downtime, found.total, found.share)
    };
    assert_eq!(at(40), (Span::minutes(10), 1, dec("0.75")));
    assert_eq!(at(95), (Span::minutes(15), 2, Decimal::from(80) / Decimal::from(95)));
    assert_eq!(at(0), (Span::ZERO, 0, Decimal::ONE));
    assert_eq!(at(-10), (Span::ZERO, 0, Decimal::ONE));
}

#[test]
fn planned_downtime_is_excused_when_announced_in_time() {
    let announced = |notice| Level { planned: Planned::Announced(notice), ..of_service("web") };
    let micros = |n| minute(20).checked_add(Span::from_micros(n)).unwrap();
    for (level, told, minutes) in [
        (announced(Span::hours(72)), micros(-72 * 3_600_000_000), 10),
        (announced(Span::hours(72)), micros(-72 * 3_600_000_000 + 1), 30),
        (announced(Span::ZERO), micros(0), 10),
        (announced(Span::ZERO), micros(1), 30),
        (of_service("web"), micros(-1_000_000_000_000), 30),
    ] {
        for (service, excused) in [("", true), ("web", true), ("db", false)] {
            let entries = [
                start("1", minute(10), "", "web"),
                end("2", minute(40), "", "web"),
                planned("3", told, minute(20), minute(40), service),
            ];
            assert_eq!(down(&level, &entries), (if excused { minutes } else { 30 }, 1), "{told} {service}");
        }
    }
}

#[test]
fn what_is_planned_for_one_service_excuses_no_other() {
    let level = Level { planned: Planned::Announced(Span::ZERO), ..level(LevelPeriod::Month) };
    let entries = [
        start("1", minute(10), "", "web"),
        end("2", minute(30), "", "web"),
        start("3", minute(20), "", "db"),
        end("4", minute(50), "", "db"),
        start("5", minute(60), "", ""),
        end("6", minute(70), "", ""),
        planned("7", minute(0), minute(0), minute(100), "web"),
        planned("8", minute(0), minute(45), minute(65), ""),
    ];
    assert_eq!(down(&level, &entries), (30, 2));
}

#[test]
fn force_majeure_is_no_downtime() {
    let entries = [
        start("1", minute(10), "", "web"),
        end("2", minute(40), "", "web"),
        start("3", minute(60), "", "web"),
        end("4", minute(70), "", "web"),
        relief("5", minute(20), true, "storm", &["portal"]),
        relief("6", minute(30), false, "storm", &[]),
        relief("7", minute(60), true, "flood", &[]),
        relief("8", minute(35), true, "war", &["repair"]),
    ];
    assert_eq!(down(&of_service("web"), &entries), (20, 1));
}

#[test]
fn both_times_are_open_time_of_the_calendar() {
    // 1 January 2026 is a Thursday.
    let def: CalendarDef = serde_json::from_str(
        r#"{"zone": "UTC", "hours": {"thu": [["01:00", "01:30"], ["01:40", "02:00"]]}}"#,
    )
    .unwrap();
    let calendar = Calendar::build(&def).unwrap();
    let book = OutageBook::of(&[
        start("1", minute(0), "", ""),
        end("2", minute(61), "", ""),
        start("3", minute(80), "", ""),
        end("4", minute(105), "", ""),
        start("5", minute(91), "x", ""),
        end("6", minute(99), "x", ""),
        start("7", minute(200), "", ""),
        end("8", minute(300), "", ""),
    ]);
    let of = |period: &Period| {
        let level = level(LevelPeriod::Month);
        let found = availability(&level, &book, period, &calendar, Instant::MAX).unwrap();
        (found.downtime, found.total, found.share)
    };
    assert_eq!(of(&period(0, 1440)), (Span::minutes(16), 2, dec("0.68")));
    assert_eq!(of(&period(120, 1440)), (Span::ZERO, 0, Decimal::ONE));
    let lines = [at("1800-01-01T00:00:00Z"), at("1800-02-01T00:00:00Z")];
    let outside = Period { from: lines[0], until: lines[1], ..period(0, 1) };
    let level = level(LevelPeriod::Month);
    assert!(availability(&level, &book, &outside, &calendar, Instant::MAX).is_err());
}

#[test]
fn a_clock_counts_where_it_was_met_or_missed() {
    use ClockState::{Breached, Cancelled, Late, Met, Paused, Running, Waiting};
    let level = Level {
        measure: Measure::InTime(["resolution".into(), "repair".into()].into()),
        ..level(LevelPeriod::Month)
    };
    let clock = |name, state, due: Option<i64>, stopped: Option<i64>| ClockEnd {
        name,
        state,
        due: due.map(minute),
        stopped: stopped.map(minute),
    };
    let clocks = [
        clock("resolution", Met, Some(120), Some(99)),
        clock("repair", Met, None, Some(0)),
        clock("repair", Met, Some(50), Some(-1)),
        clock("repair", Met, Some(120), Some(100)),
        clock("repair", Late, Some(0), Some(500)),
        clock("repair", Breached, Some(99), None),
        clock("repair", Breached, Some(100), None),
        clock("repair", Late, Some(-1), Some(50)),
        clock("resolution", Met, Some(120), Some(98)),
        clock("response", Met, Some(50), Some(40)),
        clock("repair", Running, Some(50), None),
        clock("repair", Paused, None, None),
        clock("repair", Waiting, None, None),
        clock("repair", Cancelled, None, None),
    ];
    let found = in_time(&level, clocks, &period(0, 100));
    assert_eq!((found.total, found.missed, found.share), (5, 2, dec("0.6")));
    let none = in_time(&level, [], &period(0, 100));
    assert_eq!((none.total, none.missed, none.share), (0, 0, Decimal::ONE));
    let money = Money::from_minor(5, "CNY".parse().unwrap());
    let inputs = found.inputs(&level, &period(0, 100), money);
    assert_eq!((&*inputs.name, inputs.total, inputs.missed, inputs.invoiced), ("portal", 5, 2, money));
    assert_eq!((inputs.from, inputs.until, inputs.downtime), (minute(0), minute(100), Span::ZERO));
}

#[test]
fn invoices_belong_to_the_period_that_holds_their_instant() {
    let cny: Currency = "CNY".parse().unwrap();
    let invoice = |minor, service: Option<&str>| {
        let amount = Money::from_minor(minor, cny);
        Detail::Invoice(Box::new(InvoiceDetail { amount, service: service.map(Box::from) }))
    };
    let amount = |id: &str, minutes, minor, kind| entry(id, minute(minutes), kind, invoice(minor, None));
    let history = [
        amount("1", -1, 1, Kind::INVOICED),
        amount("2", 0, 20, Kind::INVOICED),
        amount("3", 50, 300, Kind::DEPOSIT_PAID),
        amount("4", 99, 4_000, Kind::INVOICED),
        amount("5", 100, 50_000, Kind::INVOICED),
    ];
    let all = level(LevelPeriod::Month);
    let sum = |from, until| invoiced(&all, &history, minute(from), minute(until), cny).unwrap().minor();
    assert_eq!([sum(0, 100), sum(-1, 101), sum(1, 99), sum(100, 0)], [4_020, 54_021, 0, 0]);
    let most = [amount("1", 0, i64::MAX, Kind::INVOICED), amount("2", 0, 1, Kind::INVOICED)];
    assert!(invoiced(&all, &most, minute(0), minute(1), cny).is_err());
    let other = invoiced(&all, &history, minute(0), minute(1), "USD".parse().unwrap());
    assert!(other.is_err(), "{other:?}");
    let of = |service: &str| Level {
        measure: Measure::Availability(Some(service.into())),
        ..level(LevelPeriod::Month)
    };
    let web = invoice(7, Some("web"));
    let history = [amount("1", 0, 20, Kind::INVOICED), entry("2", minute(1), Kind::INVOICED, web)];
    let sum = |level: &Level| invoiced(level, &history, minute(0), minute(9), cny).unwrap().minor();
    assert_eq!([sum(&of("web")), sum(&of("mail")), sum(&all)], [27, 20, 27]);
}

#[test]
fn a_credit_is_earned_back_when_all_periods_asked_for_are_good() {
    let level = Level { earned_back: Some((2, dec("0.99"))), ..level(LevelPeriod::Month) };
    let month = |(i, share): (usize, &str)| {
        let n = i64::try_from(i).unwrap();
        let period = Period { number: n, closes: minute(n * 100 + 107), ..period(n * 100, n * 100 + 100) };
        (period, dec(share))
    };
    let mut shares: Vec<_> = ["0.9", "0.99", "1", "0.98999", "0.995", "0.9", "1", "1", "1"]
        .into_iter()
        .enumerate()
        .map(month)
        .collect();
    let back = |shares: &[(Period, Decimal)]| {
        let closes =
            |closes: Option<Instant>| closes.map(|at| (at.since(minute(7)).whole_seconds() / 6000) - 1);
        earned_back(&level, shares).into_iter().map(closes).collect::<Vec<_>>()
    };
    let expected = [Some(2), None, None, None, None, Some(7), Some(8), None, None];
    assert_eq!(back(&shares), expected);
    // A period cut short by the end of the contract does not count, nor one that is not there.
    shares[8].0.whole = false;
    assert_eq!(back(&shares), [Some(2), None, None, None, None, Some(7), None, None, None]);
    let mut holes = shares.clone();
    holes.remove(6);
    assert_eq!(back(&holes), [Some(2), None, None, None, None, None, None, None]);
    holes.remove(1);
    assert_eq!(back(&holes), [None; 7]);
    assert_eq!(back(&shares[..1]), [None]);
    for asked in [None, Some((0, Decimal::ZERO)), Some((u32::MAX, Decimal::ZERO))] {
        let level = Level { earned_back: asked, ..level.clone() };
        assert_eq!(earned_back(&level, &shares), [None; 9]);
    }
}

/// The minutes of an hour or two that a set holds.
fn bits(set: &Stretches) -> BTreeSet<i64> {
    (-10..200).filter(|n| set.iter().any(|(from, until)| from <= minute(*n) && minute(*n) < until)).collect()
}

fn pairs() -> impl Strategy<Value = Vec<(Instant, Instant)>> {
    proptest::collection::vec(
        (0i64..60, -5i64..20).prop_map(|(from, long)| (minute(from), minute(from + long))),
        0..12,
    )
}

/// Whether a set is sorted and its stretches lie apart.
fn apart(set: &Stretches) -> bool {
    let list: Vec<_> = set.iter().collect();
    list.iter().all(|(from, until)| from < until) && list.windows(2).all(|w| w[0].1 < w[1].0)
}

/// What counts of the first hundred minutes, minute by minute, and how many outages it is.
fn by_minutes(level: &Level, book: &OutageBook, entries: &[Arc<Entry>]) -> (i64, i64) {
    let Measure::Availability(service) = &level.measure else { panic!("not availability") };
    let (mut down, mut outages, mut counted) = (0, 0, false);
    let standing = |n: i64, from: Instant, until: Option<Instant>| {
        from <= minute(n) && until.is_none_or(|until| minute(n) < until)
    };
    let reliefs = book.relief("portal", minute(0), minute(100));
    for n in 0..100 {
        let out: Vec<Option<&str>> = book
            .outages()
            .iter()
            .filter(|o| standing(n, o.from, o.until))
            .map(|o| o.service.as_deref())
            .filter(|out| service.is_none() || out.is_none() || *out == service.as_deref())
            .collect();
        let excused = |out: Option<&str>| {
            let of = service.as_deref().or(out);
            entries.iter().any(|entry| match (&entry.detail, level.planned) {
                (Detail::Downtime(told), Planned::Announced(notice)) => {
                    entry.at.checked_add(notice).unwrap() <= told.from
                        && standing(n, told.from, Some(told.until))
                        && (told.service.is_none() || of.is_some() && told.service.as_deref() == of)
                }
                _ => false,
            })
        };
        let counts =
            out.iter().any(|out| !excused(*out)) && !reliefs.iter().any(|(a, b)| standing(n, a, Some(b)));
        if out.is_empty() {
            counted = false;
            continue;
        }
        down += i64::from(counts);
        if counts && !counted {
            outages += 1;
        }
        counted |= counts;
    }
    (down, outages)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sets_of_stretches_hold_the_minutes_they_should(a in pairs(), b in pairs()) {
        let (x, y) = (Stretches::of(a.clone()), Stretches::of(b));
        let naive: BTreeSet<i64> =
            (-10..200).filter(|n| a.iter().any(|(from, until)| *from <= minute(*n) && minute(*n) < *until)).collect();
        prop_assert_eq!(bits(&x), naive);
        let left = x.minus(&y);
        prop_assert_eq!(bits(&left), bits(&x).difference(&bits(&y)).copied().collect::<BTreeSet<_>>());
        prop_assert!(apart(&x) && apart(&left));
    }

    #[test]
    fn availability_is_what_a_count_of_minutes_says(
        entries in histories(), service in 0usize..3, notice in proptest::option::of(0i64..20),
    ) {
        let service = [None, Some("web".into()), Some("db".into())][service].clone();
        let planned = notice.map_or(Planned::Counts, |notice| Planned::Announced(Span::minutes(notice)));
        let level = Level { measure: Measure::Availability(service), planned, ..level(LevelPeriod::Month) };
        let book = OutageBook::of(&entries);
        let found = down(&level, &entries);
        prop_assert_eq!(found, by_minutes(&level, &book, &entries));
    }
}
