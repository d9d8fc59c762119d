//! Which outages the events make, and what is odd about them.

use proptest::prelude::*;

use super::super::outage::{Flaw, Outage};
use super::*;

/// The first and the last minute of an outage.
type Minutes = (i64, Option<i64>);

/// The outages by minutes since the beginning of 2026, and the flaws with their events.
fn told(entries: &[Arc<Entry>]) -> (Vec<Minutes>, Vec<(Flaw, String)>) {
    let book = OutageBook::of(entries);
    let minutes = |at: Instant| at.since(minute(0)).whole_seconds() / 60;
    let outages = book.outages().iter().map(|o| (minutes(o.from), o.until.map(minutes))).collect();
    (outages, book.findings().iter().map(|f| (f.flaw, f.event.to_string())).collect())
}

#[test]
fn an_end_belongs_to_its_id_else_to_the_first_open_one_of_its_service() {
    let entries = [
        start("1", minute(0), "a", "web"),
        start("2", minute(5), "b", "web"),
        start("3", minute(6), "", "web"),
        start("4", minute(7), "", ""),
        end("5", minute(10), "b", ""),
        end("6", minute(11), "", "web"),
        end("7", minute(12), "", "web"),
        end("8", minute(13), "", ""),
    ];
    let outages = vec![(0, Some(11)), (5, Some(10)), (6, Some(12)), (7, Some(13))];
    assert_eq!(told(&entries), (outages, vec![]));
}

#[test]
fn odd_events_are_told_and_lose_nothing() {
    use Flaw::{EndBeforeStart, EndWithoutStart, ReliefWithoutStart, StartedTwice};
    let (outages, flaws) = told(&[
        end("1", minute(1), "", "web"),
        start("2", minute(2), "", "db"),
        end("3", minute(3), "", "web"),
        // One id: begun again while it lasts, after it ended, and elsewhere.
        start("4", minute(10), "a", "web"),
        start("5", minute(11), "a", "web"),
        end("6", minute(12), "a", "web"),
        end("7", minute(13), "a", "web"),
        start("8", minute(14), "a", "web"),
        start("9", minute(15), "a", "db"),
        end("a", minute(16), "a", ""),
        // It ends before it begins, and is told to end again.
        end("b", minute(20), "late", ""),
        start("c", minute(21), "late", ""),
        end("d", minute(30), "other", ""),
        start("e", minute(31), "other", ""),
        end("f", minute(32), "other", ""),
        relief("g", minute(40), false, "storm", &[]),
    ]);
    let expected =
        [(2, None), (10, Some(12)), (14, Some(16)), (15, Some(16)), (21, Some(21)), (31, Some(32))];
    assert_eq!(outages, expected);
    let expected = [
        (EndWithoutStart, "1"),
        (EndWithoutStart, "3"),
        (StartedTwice, "5"),
        (EndWithoutStart, "7"),
        (StartedTwice, "8"),
        (StartedTwice, "9"),
        (EndBeforeStart, "b"),
        (EndBeforeStart, "d"),
        (ReliefWithoutStart, "g"),
    ];
    assert_eq!(flaws, expected.map(|(flaw, event)| (flaw, event.to_owned())));
}

#[test]
fn an_outage_within_one_instant_ends_whatever_its_ids() {
    for (first, second) in [("1", "2"), ("2", "1")] {
        let blip = [start(first, minute(5), "", "web"), end(second, minute(5), "", "web")];
        assert_eq!(told(&blip), (vec![(5, Some(5))], vec![]));
    }
}

#[test]
fn what_has_not_ended_when_the_period_closes_is_told_of_it() {
    let entries = [
        start("1", minute(0), "", "web"),
        start("2", minute(5), "x", "db"),
        end("3", minute(70), "x", "db"),
        start("4", minute(60), "", ""),
        start("5", minute(61), "", ""),
    ];
    let book = OutageBook::of(&entries);
    let never = |service, closes| {
        let period = Period { closes: minute(closes), ..period(0, 61) };
        book.never_ended(service, &period).map(|found| found.event.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(never(None, 69), ["1", "2", "4"]);
    assert_eq!(never(None, 70), ["1", "4"]);
    assert_eq!(never(Some("web"), 69), ["1", "4"]);
    assert_eq!(never(Some("mail"), 69), ["4"]);
    let period = period(0, 61);
    let text = book.never_ended(Some("db"), &period).next().unwrap().to_string();
    assert_eq!(
        text,
        "outage `x` of `db` had not ended when the period closed: it counts to the period's end"
    );
}

#[test]
fn force_majeure_holds_for_the_names_it_names() {
    let book = OutageBook::of(&[
        relief("1", minute(0), true, "storm", &["portal", "repair"]),
        relief("2", minute(5), true, "flood", &[]),
        relief("3", minute(10), false, "flood", &[]),
        relief("4", minute(20), true, "", &["repair"]),
        relief("5", minute(25), false, "", &[]),
        relief("6", minute(40), true, "war", &["portal"]),
    ]);
    let of = |name: &str| {
        let set = book.relief(name, minute(2), minute(50));
        set.iter().map(|(a, b)| (a.since(minute(0)), b.since(minute(0)))).collect::<Vec<_>>()
    };
    let m = Span::minutes;
    assert_eq!(of("portal"), [(m(2), m(25)), (m(40), m(50))]);
    assert_eq!(of("repair"), [(m(2), m(25))]);
    assert_eq!(of("other"), [(m(5), m(10))]);
}

#[test]
fn a_hundred_thousand_hostile_events_are_read_at_once() {
    // All at once open, under one id or none, ended by names that fit no start and by names that fit all.
    let many = 50_000;
    let mut entries = Vec::new();
    for i in 0..many {
        let (own, service) = (format!("o{i}"), format!("s{i}"));
        entries.push(match i % 4 {
            0 => start(&format!("a{i:06}"), minute(i), "same", &service),
            1 => start(&format!("a{i:06}"), minute(i), &own, "web"),
            2 => start(&format!("a{i:06}"), minute(i), "", "web"),
            _ => relief(&format!("a{i:06}"), minute(i), true, &own, &["x"]),
        });
        entries.push(match i % 3 {
            0 => end(&format!("b{i:06}"), minute(i + 1), &format!("o{}", i + 7), ""),
            1 => planned(&format!("b{i:06}"), minute(i), minute(i), minute(i + 5), &service),
            _ => relief(&format!("b{i:06}"), minute(i + 1), false, &own, &[]),
        });
    }
    entries.push(end("z", minute(many + 9), "same", ""));
    let book = OutageBook::of(&entries);
    assert_eq!(book.outages().len(), 37_500);
    assert!(book.outages().iter().filter(|o| o.id.as_deref() == Some("same")).all(|o| o.until.is_some()));
    let level = Level { planned: Planned::Announced(Span::ZERO), ..level(LevelPeriod::Month) };
    let measured =
        availability(&level, &book, &period(0, 40_000), &crate::Calendar::always(), Instant::MAX).unwrap();
    assert_eq!((measured.total, measured.share), (1, Decimal::ZERO));
}

/// A hostile little history.
pub(super) fn histories() -> impl Strategy<Value = Vec<Arc<Entry>>> {
    let one = (0u8..8, 0i64..120, 0i64..40, 0usize..4, 0usize..3, 0i64..30);
    proptest::collection::vec(one, 0..24).prop_map(|list| {
        let entry = |(i, (kind, minutes, length, own, service, notice)): (
            usize,
            (u8, i64, i64, usize, usize, i64),
        )| {
            // Ids do not rise with time.
            let id = format!("{}{i}", ["q", "c", "x"][i % 3]);
            let (own, service) = (["", "a", "b", "c"][own], ["", "web", "db"][service]);
            let names: &[&str] =
                [&[][..], &["portal"], &["repair", "portal"], &["repair"]][length as usize % 4];
            match kind {
                0..=2 => start(&id, minute(minutes), own, service),
                3 | 4 => end(&id, minute(minutes), own, service),
                5 => {
                    let (from, until) = (minute(minutes), minute(minutes + length));
                    planned(&id, minute(minutes - notice), from, until, service)
                }
                6 => relief(&id, minute(minutes), true, own, names),
                _ => relief(&id, minute(minutes), false, own, &[]),
            }
        };
        let mut list: Vec<_> = list.into_iter().enumerate().map(entry).collect();
        list.sort_by(|a, b| a.order().cmp(&b.order()));
        list
    })
}

/// An outage that awaits its end; `undone` when it was told to end before it began.
struct Open {
    outage: Outage,
    waits: bool,
    undone: bool,
}

/// The same rules, told once more as plainly as can be.
fn plainly(entries: &[Arc<Entry>]) -> Vec<Outage> {
    let mut events: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.detail {
            Detail::Outage(told) => {
                Some((entry.at, entry.kind == Kind::OUTAGE_ENDED, entry.id.clone(), told))
            }
            _ => None,
        })
        .collect();
    events.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
    let mut found: Vec<Open> = Vec::new();
    for (i, (now, ends, event, told)) in events.iter().enumerate() {
        let text = |text: &Option<Box<str>>| text.as_deref().map(Arc::<str>::from);
        let (id, service) = (text(&told.outage), text(&told.service));
        let of_id = |open: &&mut Open| open.waits && open.outage.id == id;
        if *ends {
            let ended: Vec<&mut Open> = match &id {
                Some(_) => found.iter_mut().filter(of_id).collect(),
                None => {
                    let mut all = found.iter_mut();
                    let first = all.find(|o| o.waits && !o.undone && o.outage.service == service);
                    first.into_iter().collect()
                }
            };
            for open in ended {
                (open.outage.until, open.waits) = (Some(*now), false);
            }
            continue;
        }
        let mut undone = false;
        if id.is_some() {
            let same = |open: &&mut Open| of_id(open) && open.outage.service == service;
            if found.iter_mut().filter(same).any(|open| !open.undone) {
                continue;
            }
            found.iter_mut().filter(same).for_each(|open| open.waits = false);
            let told_before: Vec<bool> =
                events[..i].iter().filter(|e| e.3.outage == told.outage).map(|e| e.1).collect();
            undone = !told_before.is_empty() && told_before.iter().all(|ends| *ends);
        }
        let until = undone.then_some(*now);
        let outage = Outage { event: (&**event).into(), id, service, from: *now, until };
        found.push(Open { outage, waits: true, undone });
    }
    found.into_iter().map(|open| open.outage).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn outages_are_the_same_in_every_order_and_by_the_plain_rules(
        entries in histories(), swaps in proptest::collection::vec((0usize..24, 0usize..24), 12),
    ) {
        let book = OutageBook::of(&entries);
        prop_assert_eq!(book.outages(), &plainly(&entries)[..]);
        let mut mixed = entries.clone();
        for (a, b) in swaps {
            if a < mixed.len() && b < mixed.len() {
                mixed.swap(a, b);
            }
        }
        let other = OutageBook::of(&mixed);
        // Told one by one as well; what comes too late is read anew.
        let mut live = OutageBook::default();
        for (i, entry) in mixed.iter().enumerate() {
            if !live.add(entry) {
                live = OutageBook::of(&mixed[..=i]);
            }
        }
        for other in [&other, &live] {
            prop_assert_eq!(book.outages(), other.outages());
            prop_assert_eq!(book.findings(), other.findings());
            let relief = |book: &OutageBook| book.relief("portal", minute(0), minute(100));
            prop_assert_eq!(relief(&book), relief(other));
        }
        prop_assert!(book.findings().is_sorted_by_key(|found| found.at));
        let ended = |outage: &Outage| outage.until.is_none_or(|until| until >= outage.from);
        prop_assert!(book.outages().iter().all(ended));
    }
}
