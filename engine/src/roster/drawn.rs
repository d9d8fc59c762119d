//! Shifts drawn at random: who is on call must agree with a plain list of all turns, and no text may do harm.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use proptest::prelude::*;

use super::tests::{at, feed, roster, who};
use super::*;

/// One event of the property: who, first day, hour, length in hours, rule, and days left out.
#[derive(Clone, Debug)]
struct Drawn {
    contact: usize,
    day: u8,
    hour: u8,
    hours: u8,
    every: u8,
    weekly: bool,
    without: Vec<u8>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let without = prop::collection::vec(0..20_u8, 0..4);
    (0..3_usize, 1..28_u8, 0..24_u8, 1..60_u8, 1..6_u8, any::<bool>(), without).prop_map(
        |(contact, day, hour, hours, every, weekly, without)| Drawn {
            contact,
            day,
            hour,
            hours,
            every,
            weekly,
            without,
        },
    )
}

impl Drawn {
    fn step(&self) -> i64 {
        i64::from(self.every) * if self.weekly { 7 * 24 } else { 24 }
    }

    fn first(&self) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 1, self.day.into())
            .and_then(|day| day.and_hms_opt(self.hour.into(), 15, 0))
            .unwrap()
    }

    fn lines(&self) -> String {
        let stamp = |time: NaiveDateTime| time.format("%Y%m%dT%H%M%S").to_string();
        let freq = if self.weekly { "WEEKLY" } else { "DAILY" };
        let mut text = format!(
            "SUMMARY:{}\nDTSTART:{}\nDURATION:PT{}H\nRRULE:FREQ={freq};INTERVAL={}",
            ["a", "b", "c"][self.contact],
            stamp(self.first()),
            self.hours,
            self.every
        );
        for nth in &self.without {
            let time = self.first() + chrono::TimeDelta::hours(i64::from(*nth) * self.step());
            text += &format!("\nEXDATE:{}", stamp(time));
        }
        text
    }

    /// Every turn of two years, each begun and ended by chrono's own reading of local times.
    fn listed(&self, zone: Tz) -> Vec<(Instant, Instant)> {
        let end = chrono::TimeDelta::hours(self.hours.into());
        let nths = (0..800_i64).filter(|nth| !self.without.iter().any(|without| i64::from(*without) == *nth));
        let starts = nths.map(|nth| self.first() + chrono::TimeDelta::hours(nth * self.step()));
        starts.map(|start| (instant(zone, start), instant(zone, start + end))).collect()
    }
}

/// A local time as the first instant with it; a skipped one by the offset of the hours before.
fn instant(zone: Tz, local: NaiveDateTime) -> Instant {
    use chrono::TimeZone;
    let found = zone.from_local_datetime(&local).earliest().unwrap_or_else(|| {
        let gap = chrono::TimeDelta::hours(1);
        zone.from_local_datetime(&(local - gap)).earliest().unwrap() + gap
    });
    Instant::from_chrono(&found).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_is_on_call_is_who_has_a_turn_among_all_of_the_year(
        events in prop::collection::vec(drawn(), 1..5),
        zone in prop::sample::select(vec![Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Shanghai]),
        minutes in prop::collection::vec(0..525_600_i64, 30),
        near in prop::collection::vec(-3_i64..4, 6),
    ) {
        let lines: Vec<String> = events.iter().map(Drawn::lines).collect();
        let roster = roster(zone, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        let listed: Vec<_> = events.iter().flat_map(|event| {
            event.listed(zone).into_iter().map(|(from, until)| (from, until, event.contact))
        }).collect();
        let new_year = at("2026-01-01T00:00:00Z").micros();
        let mut instants: Vec<i64> = minutes.iter().map(|minute| new_year + minute * 60 * MICROS).collect();
        // Hand-overs and what lies about them.
        let two_years = new_year + 700 * 86_400 * MICROS;
        let soon = listed.iter().filter(|(from, _, _)| from.micros() < two_years).step_by(37);
        instants.extend(soon.zip(near.iter().cycle()).map(|((from, _, _), near)| from.micros() + near));
        for at in instants.into_iter().map(|at| Instant::from_micros(at).unwrap()) {
            let expected: BTreeSet<usize> = listed.iter()
                .filter(|(from, until, _)| *from <= at && at < *until)
                .map(|(_, _, contact)| *contact).collect();
            let expected: String = expected.into_iter().map(|place| ["a", "b", "c"][place]).collect();
            prop_assert_eq!(who(&roster, &at.to_string()), expected.clone(), "at {}", at);
            let end = at.checked_add(Span::hours(30)).unwrap();
            let turns = roster.turns("engineer", at, end);
            let first: String = turns[0].contacts.iter().map(|contact| contact.key.as_str()).collect();
            prop_assert_eq!(first, expected);
            prop_assert!(turns.iter().zip(turns.iter().skip(1)).all(|(a, b)| a.until == b.from && a.contacts != b.contacts));
            prop_assert_eq!(turns.last().map(|turn| turn.until), Some(end));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        lines in prop::collection::vec(prop::sample::select(vec![
            "BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR", "BEGIN:VALARM", "END:VALARM", "SUMMARY:a",
            "DTSTART:20260302T080000", "DTSTART;VALUE=DATE:20240229", "DTEND:20260302T160000Z", "DURATION:P1D", "DURATION:-PT",
            "RRULE:FREQ=DAILY", "RRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU", "RRULE:;;", "EXDATE:,,", "RDATE:20260101",
            " folded", "\u{feff}", "X", "UID:1", "RECURRENCE-ID:20260302T080000", "RRULE:FREQ=YEARLY;BYWEEKNO=53", "ATTENDEE:mailto:",
        ]), 0..30),
        rule in "(FREQ=(HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY))\
            (;(INTERVAL|COUNT|BYMONTH|BYDAY|BYSETPOS|BYMONTHDAY|BYHOUR|WKST|UNTIL)=[-0-9MOTU,]{1,5}){0,3}",
    ) {
        let _ = read("s.ics", &lines.join("\n"), Tz::Europe__Berlin);
        let event = format!("SUMMARY:a\nDTSTART:20260302T080000\nDURATION:PT1H\nRRULE:{rule}");
        let _ = read("s.ics", &feed(&[&event]), Tz::Europe__Berlin);
        let _ = read("s.ics", &feed(&[&lines.join("\n")]), Tz::Europe__Berlin);
    }
}
