use chrono_tz::Tz;

use super::*;

/// A VCALENDAR of events, each given as its lines.
pub(super) fn feed(events: &[&str]) -> String {
    let events: String = events.iter().map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n")).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n")
}

pub(super) fn contact(key: &str) -> Contact {
    Contact {
        key: key.to_owned(),
        name: key.to_owned(),
        phone: "1".to_owned(),
        position: String::new(),
        remark: String::new(),
        roles: vec!["engineer".to_owned()],
        from: None,
        until: None,
    }
}

/// A roster of `a`, `b` and `c`, who share the role `engineer` by these shifts.
pub(super) fn roster(zone: Tz, events: &[&str]) -> Roster {
    let (shifts, faults) = read("s.ics", &feed(events), zone);
    assert_eq!(faults, []);
    let mut roster = Roster { zone, contacts: ["a", "b", "c"].map(contact).into(), ..Roster::default() };
    let place = |key: &str| roster.contacts.iter().position(|contact| contact.key == key).unwrap();
    let shifts =
        shifts.into_iter().map(|event| Shift { contact: place(&event.contact), series: event.series });
    let shifts = shifts.collect();
    roster.shifts.insert("engineer".to_owned(), shifts);
    roster
}

pub(super) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// The keys of those on call, one after the other.
pub(super) fn who(roster: &Roster, at_text: &str) -> String {
    roster.on_call("engineer", at(at_text)).iter().map(|contact| contact.key.as_str()).collect()
}

fn both(roster: &Roster, at: [&str; 2]) -> String {
    at.map(|at| who(roster, at)).concat()
}

fn next(roster: &Roster, at_text: &str) -> String {
    roster.next_hand_over("engineer", at(at_text)).map_or("none".to_owned(), |at| at.to_string())
}

const DAY: &str = "UID:d\nSUMMARY:a\nDTSTART:20260301T080000\nDTEND:20260301T200000\nRRULE:FREQ=DAILY";
const NIGHT: &str = "UID:n\nSUMMARY:b\nDTSTART:20260228T200000\nDTEND:20260301T080000\nRRULE:FREQ=DAILY";

#[test]
fn a_shift_covers_its_beginning_and_not_its_end() {
    let roster = roster(Tz::Asia__Shanghai, &[DAY, NIGHT]);
    assert_eq!(who(&roster, "2026-03-02T07:59:59.999999+08:00"), "b");
    assert_eq!(who(&roster, "2026-03-02T08:00:00+08:00"), "a");
    assert_eq!(who(&roster, "2026-03-02T19:59:59.999999+08:00"), "a");
    assert_eq!(who(&roster, "2026-03-02T20:00:00+08:00"), "b");
    assert_eq!(who(&roster, "2026-03-03T00:00:00+08:00"), "b");
    assert_eq!(next(&roster, "2026-03-02T08:00:00+08:00"), "2026-03-02T12:00:00Z");
    assert_eq!(next(&roster, "2026-03-02T07:59:59+08:00"), "2026-03-02T00:00:00Z");
    assert_eq!(who(&roster, "2026-02-28T19:59:59+08:00"), "", "before the first shift");
    assert_eq!(roster.on_call("nobody", at("2026-03-02T00:00:00Z")), Vec::<&Contact>::new());
}

#[test]
fn a_night_shift_over_a_change_of_offset_is_an_hour_shorter_or_longer() {
    for (zone, spring, autumn) in [
        (
            Tz::Europe__Berlin,
            ["2026-03-28T22:00:00+01:00", "2026-03-29T06:00:00+02:00"],
            ["2026-10-24T22:00:00+02:00", "2026-10-25T06:00:00+01:00"],
        ),
        (
            Tz::America__New_York,
            ["2026-03-07T22:00:00-05:00", "2026-03-08T06:00:00-04:00"],
            ["2026-10-31T22:00:00-04:00", "2026-11-01T06:00:00-05:00"],
        ),
    ] {
        for end in ["DTEND:20260102T060000", "DURATION:PT8H"] {
            let event = format!("SUMMARY:a\nDTSTART:20260101T220000\n{end}\nRRULE:FREQ=DAILY");
            let roster = roster(zone, &[&event]);
            for ([begin, end], hours) in [(spring, 7), (autumn, 9)] {
                let (begin, end) = (at(begin), at(end));
                assert_eq!(end.since(begin), Span::hours(hours));
                let before = Instant::from_micros(begin.micros() - 1).unwrap();
                let turns = roster.turns("engineer", before, end.succ());
                let told: Vec<_> = turns.iter().map(|turn| (turn.from, turn.contacts.len())).collect();
                assert_eq!(told, [(before, 0), (begin, 1), (end, 0)], "{zone} {hours}");
                assert_eq!(roster.next_hand_over("engineer", begin), Some(end));
            }
        }
    }
}

#[test]
fn a_skipped_time_moves_forward_and_one_that_occurs_twice_is_the_first() {
    let events = [
        "SUMMARY:a\nDTSTART:20260101T000000\nDTEND:20260101T023000\nRRULE:FREQ=DAILY",
        "SUMMARY:b\nDTSTART:20260101T023000\nDTEND:20260102T000000\nRRULE:FREQ=DAILY",
    ];
    let roster = roster(Tz::Europe__Berlin, &events);
    // 02:30 is skipped: the hand-over is at 03:30 summer time.
    assert_eq!(next(&roster, "2026-03-29T00:00:00+01:00"), "2026-03-29T01:30:00Z");
    assert_eq!(both(&roster, ["2026-03-29T03:29:59+02:00", "2026-03-29T03:30:00+02:00"]), "ab");
    // 02:30 comes twice: the first one counts.
    assert_eq!(next(&roster, "2026-10-25T00:00:00+02:00"), "2026-10-25T00:30:00Z");
    assert_eq!(both(&roster, ["2026-10-25T02:30:00+02:00", "2026-10-25T02:29:00+01:00"]), "bb");
    // A shift within the skipped hour does not take place.
    let skipped = self::roster(
        Tz::Europe__Berlin,
        &["SUMMARY:a\nDTSTART:20260328T020000\nDTEND:20260328T030000\nRRULE:FREQ=DAILY;COUNT=3"],
    );
    let turns = skipped.turns("engineer", at("2026-03-28T00:00:00Z"), at("2026-03-31T00:00:00Z"));
    assert_eq!(turns.iter().filter(|turn| !turn.contacts.is_empty()).count(), 2);
}

#[test]
fn zones_of_times_are_told_apart() {
    let events = [
        "SUMMARY:a\nDTSTART;TZID=America/New_York:20260302T080000\nDTEND;TZID=Europe/Berlin:20260302T150000",
        "SUMMARY:b\nDTSTART:20260302T140000Z\nDURATION:PT1H",
        "SUMMARY:c\nDTSTART;VALUE=DATE:20260304\nDTEND;VALUE=DATE:20260306",
    ];
    let roster = roster(Tz::Asia__Shanghai, &events);
    assert_eq!(next(&roster, "2026-03-02T00:00:00Z"), "2026-03-02T13:00:00Z");
    assert_eq!(next(&roster, "2026-03-02T13:00:00Z"), "2026-03-02T14:00:00Z");
    assert_eq!(both(&roster, ["2026-03-02T13:00:00Z", "2026-03-02T14:59:59Z"]), "ab");
    assert_eq!(both(&roster, ["2026-03-04T00:00:00+08:00", "2026-03-05T23:59:59+08:00"]), "cc");
    assert_eq!(who(&roster, "2026-03-06T00:00:00+08:00"), "");
    let single = self::roster(Tz::UTC, &["SUMMARY:a\nDTSTART;VALUE=DATE:20260304"]);
    assert_eq!(next(&single, "2026-03-04T00:00:00Z"), "2026-03-05T00:00:00Z");
    assert_eq!(next(&single, "2026-03-05T00:00:00Z"), "none");
}

#[test]
fn turns_are_left_out_added_moved_and_cancelled() {
    let day = format!(
        "{DAY}\nEXDATE:20260303T080000,20260304T080000\nEXDATE:20260305T000000Z\nRDATE:20260303T140000"
    );
    let events = [
        day.as_str(),
        "UID:d\nRECURRENCE-ID:20260306T080000\nSUMMARY:c\nDTSTART:20260306T100000\nDTEND:20260306T120000",
        "UID:d\nRECURRENCE-ID:20260307T000000Z\nSTATUS:CANCELLED\nDTSTART:20260307T080000",
        "UID:e\nRECURRENCE-ID:20260308T080000\nSUMMARY:b\nDTSTART:20260309T080000\nDTEND:20260309T090000",
    ];
    let roster = roster(Tz::Asia__Shanghai, &events);
    let noon = |day: u8| who(&roster, &format!("2026-03-{day:02}T11:00:00+08:00"));
    assert_eq!(noon(2), "a");
    assert_eq!((noon(3), noon(4), noon(5)), (String::new(), String::new(), String::new()));
    assert_eq!(who(&roster, "2026-03-03T14:00:00+08:00"), "a", "the added turn");
    assert_eq!(who(&roster, "2026-03-04T01:59:59+08:00"), "a", "it is as long as the others");
    assert_eq!(both(&roster, ["2026-03-06T09:59:59+08:00", "2026-03-06T11:00:00+08:00"]), "c");
    assert_eq!(who(&roster, "2026-03-06T12:00:00+08:00"), "");
    assert_eq!(noon(7), "");
    assert_eq!(noon(8), "a", "another UID stands in for nothing of this one");
    assert_eq!(who(&roster, "2026-03-09T08:00:00+08:00"), "ab");
}

#[test]
fn the_last_override_of_the_file_decides() {
    let mut roster = roster(Tz::Asia__Shanghai, &[DAY, NIGHT]);
    let over = |role: &str, from: &str, until: &str, contact| Override {
        role: role.to_owned(),
        from: at(from).micros(),
        until: at(until).micros(),
        contact,
        reason: "ill".to_owned(),
    };
    roster.overrides = vec![
        over("engineer", "2026-03-02T10:00:00+08:00", "2026-03-02T14:00:00+08:00", 1),
        over("engineer", "2026-03-02T12:00:00+08:00", "2026-03-02T13:00:00+08:00", 2),
        over("manager", "2026-03-02T10:00:00+08:00", "2026-03-02T14:00:00+08:00", 0),
    ];
    let hour = |hour: u8| who(&roster, &format!("2026-03-02T{hour:02}:00:00+08:00"));
    assert_eq!([9, 10, 12, 13, 14].map(hour).concat(), "abcba");
    assert_eq!(roster.roles(), ["engineer", "manager"]);
    let turns = roster.turns("engineer", at("2026-03-02T00:00:00Z"), at("2026-03-02T12:00:00Z"));
    let told: String =
        turns.iter().flat_map(|turn| &turn.contacts).map(|contact| contact.key.as_str()).collect();
    assert_eq!(told, "abcba");
    assert_eq!(turns[1].instead, Some("ill"));
    assert_eq!(turns[0].instead, None);
    assert_eq!(turns.last().map(|turn| turn.until), Some(at("2026-03-02T12:00:00Z")));
    assert_eq!(roster.turns("engineer", at("2026-03-02T00:00:00Z"), at("2026-03-02T00:00:00Z")), []);
    // An override may cover a role without shifts, and it covers whoever is left out as well.
    assert_eq!(roster.on_call("manager", at("2026-03-02T02:00:00Z"))[0].key, "a");
}

#[test]
fn without_shifts_all_contacts_are_on_call_as_long_as_they_are_there() {
    let mut roster = roster(Tz::Asia__Shanghai, &[DAY]);
    roster.shifts.clear();
    roster.contacts[1].from = "2026-03-02".parse().ok();
    roster.contacts[2].until = "2026-03-02".parse().ok();
    assert_eq!(who(&roster, "2026-03-01T23:59:59+08:00"), "ac");
    assert_eq!(who(&roster, "2026-03-02T00:00:00+08:00"), "ab");
    assert_eq!(next(&roster, "2026-02-01T00:00:00Z"), "2026-03-01T16:00:00Z");
    assert_eq!(next(&roster, "2026-03-02T00:00:00Z"), "none");
    assert_eq!(roster.contact("b").map(|contact| contact.key.as_str()), Some("b"));
    let json = serde_json::to_string(&roster.contacts()[2]).unwrap();
    assert!(json.contains(r#""from":null,"until":"2026-03-02""#), "{json}");
}

#[test]
fn rules_that_are_old_give_the_same_turns_as_new_ones() {
    // The first date of each rule, and what follows after it.
    for (start, rule) in [
        ("19300106", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"),
        ("19300101", "FREQ=DAILY;INTERVAL=3"),
        ("19300131", "FREQ=MONTHLY"),
        ("19300131", "FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=-1"),
        ("19320229", "FREQ=YEARLY"),
        ("19300602", "FREQ=YEARLY;BYMONTH=6;BYDAY=1MO"),
        ("19300101", "FREQ=HOURLY;INTERVAL=7"),
    ] {
        let event = format!("SUMMARY:a\nDTSTART:{start}T080000\nDURATION:PT1H\nRRULE:{rule}");
        let roster = roster(Tz::UTC, &[&event]);
        let series = &roster.shifts["engineer"][0].series;
        let (from, until) = (at("2019-06-01T00:00:00Z").micros(), at("2025-06-01T00:00:00Z").micros());
        let mut left = usize::MAX;
        let late = series.turns(from, until, &mut left).unwrap();
        // All turns from the beginning on, counted without a shortcut.
        let all = series.turns(i64::from(i32::MIN) * 1_000_000, until, &mut left).unwrap();
        let all: Vec<_> = all.into_iter().filter(|(_, end)| *end > from).collect();
        assert!(!late.is_empty(), "{rule}");
        assert_eq!(late, all, "{rule}");
    }
}

#[test]
fn what_is_wrong_with_a_shift_is_told_at_its_line() {
    let faults = |event: &str| {
        let (_, faults) = read("s.ics", &feed(&[event]), Tz::Asia__Shanghai);
        let told =
            faults.into_iter().map(|(place, message)| format!("{}:{} {message}", place.line, place.column));
        told.collect::<Vec<_>>().join("\n")
    };
    let base = "SUMMARY:a\nDTSTART:20260302T080000\nDTEND:20260302T160000";
    assert_eq!(faults(base), "");
    let ruled = |rule: &str| faults(&format!("{base}\nRRULE:{rule}"));
    for (told, expected) in [
        (faults(&base.replace("T16", "T07")), "6:7 the shift ends before it starts"),
        (faults(&base.replace("T16", "T08")), "6:7 the shift ends when it starts"),
        (faults(&base.replace("DTEND:20260302", "DTEND:20280302")), "6:7 the shift lasts 731 days"),
        (faults("SUMMARY:a\nDTSTART:20260302T080000"), "5:9 the shift has no end"),
        (faults("SUMMARY:a"), "3:7 the shift has no DTSTART"),
        (faults(&base.replace("SUMMARY:a\n", "")), "the shift names nobody"),
        (faults(&base.replace("20260302T08", "20260332T08")), "5:9 DTSTART is `20260332T080000`"),
        (
            faults(&base.replace("DTSTART:", "DTSTART;TZID=Asia/Shangai:")),
            "5:27 unknown time zone `Asia/Shangai`",
        ),
        (faults(&base.replace("DTSTART:", "DTSTART;TZID=Asia/Shangai:")), "did you mean `Asia/Shanghai`"),
        (faults(&base.replace("DTEND:20260302T160000", "DURATION:8H")), "6:10 the DURATION is `8H`"),
        (faults(&format!("{base}\nDURATION:PT8H")), "7:10 the shift has both"),
        (ruled("FREQ=MINUTELY"), "7:7 the RRULE `FREQ=MINUTELY` happens more often than hourly"),
        (ruled("FREQ=SECONDLY"), "more often than hourly"),
        (ruled("FREQ=DAILY;BYHOUR=8;BYMINUTE=0,30"), "as at 2026-03-02 08:00 and 2026-03-02 08:30"),
        (ruled("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "never happens"),
        (ruled("FREQ=DAILY;COUNT=0"), "never happens"),
        (ruled("FREQ=DAILY;UNTIL=20260301T000000Z"), "never happens: it ends before DTSTART"),
        (ruled("FREQ=WEEKLY;BYDAY=TU"), "first happens at 2026-03-03 08:00, but DTSTART is 2026-03-02 08:00"),
        (ruled("FREQ=DAILY;INTERVAL=0"), "INTERVAL"),
        (ruled("FREQ=DAILY;COUNT=30000"), "has the COUNT 30000"),
        (ruled("FREQ=DAILY;COUNT=3;UNTIL=20270101"), "both COUNT and UNTIL"),
        (ruled("FREQ=FORTNIGHTLY"), "is not read"),
        (ruled("FREQ=DAILY;UNTIL=tomorrow"), "has the UNTIL `TOMORROW`"),
        (ruled("FREQ=DAILY\nRRULE:FREQ=WEEKLY"), "more than one RRULE"),
        (ruled("FREQ=DAILY;COUNT=1\nEXDATE:20260302T080000"), "8:8 the shift never happens"),
        (
            ruled("FREQ=DAILY\nEXDATE;VALUE=DATE:20260303"),
            "8:19 EXDATE `20260303`: expected a date with a time",
        ),
        (faults(&format!("{base}\nEXRULE:FREQ=DAILY")), "EXRULE is not read"),
        (faults(&format!("{base}\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260302T080000")), "RANGE is not read"),
    ] {
        assert!(told.contains(expected), "`{told}` does not say `{expected}`");
    }
    let (_, faults) = read("s.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", Tz::UTC);
    assert_eq!((faults[0].0.line, faults.len()), (3, 1), "{faults:?}");
    assert_eq!(read("s.ics", "", Tz::UTC).1.len(), 1);
}

#[test]
fn a_contact_is_named_by_the_first_of_three_properties() {
    let rest = "DTSTART:20260302T080000\nDURATION:PT1H";
    for (named, expected, line) in [
        ("SUMMARY:a\nX-HOLDBACK-CONTACT:b\nATTENDEE:mailto:c@example.org", "b", 5),
        ("ATTENDEE;CN=\"C: the third\":mailto:c@example.org\nSUMMARY:a", "a", 5),
        ("ATTENDEE;CN=\"C: the third\":MAILTO:c@example.org", "c", 4),
        ("SUMMARY:张\n 工", "张工", 4),
    ] {
        let (shifts, faults) = read("s.ics", &feed(&[&format!("{named}\n{rest}")]), Tz::UTC);
        assert_eq!(faults, []);
        assert_eq!((shifts[0].contact.as_str(), shifts[0].place.line), (expected, line));
    }
}

#[test]
fn gaps_and_overlaps_are_found() {
    let zone = Tz::Asia__Shanghai;
    let whole = roster(zone, &[DAY, NIGHT]).survey("engineer", None, "2027-01-01".parse().ok());
    assert_eq!(whole, Survey::default());
    let hour = |text: &str| at(text).micros();
    let late = NIGHT.replace("T200000", "T210000");
    let survey =
        roster(zone, &[DAY, &late]).survey("engineer", "2026-03-02".parse().ok(), "2026-03-04".parse().ok());
    assert_eq!(
        survey.gaps,
        [
            (hour("2026-03-02T20:00:00+08:00"), hour("2026-03-02T21:00:00+08:00")),
            (hour("2026-03-03T20:00:00+08:00"), hour("2026-03-03T21:00:00+08:00")),
        ]
    );
    assert_eq!(survey.overlaps, []);
    let early = NIGHT.replace("T200000", "T190000");
    let survey =
        roster(zone, &[DAY, &early]).survey("engineer", "2026-03-02".parse().ok(), "2026-03-03".parse().ok());
    let hours = (hour("2026-03-02T19:00:00+08:00"), hour("2026-03-02T20:00:00+08:00"));
    assert_eq!(survey.overlaps, [(hours, [0, 1])]);
    let covered =
        roster(zone, &[DAY, NIGHT]).survey("engineer", "2026-02-01".parse().ok(), "2026-03-04".parse().ok());
    assert_eq!(covered.gaps, [(hour("2026-02-01T00:00:00+08:00"), hour("2026-02-28T20:00:00+08:00"))]);
    let mut left = roster(zone, &[DAY, NIGHT]);
    left.contacts[1].until = "2026-03-10".parse().ok();
    let survey = left.survey("engineer", None, "2026-03-11".parse().ok());
    assert_eq!(
        survey.gaps,
        [
            (hour("2026-03-10T00:00:00+08:00"), hour("2026-03-10T08:00:00+08:00")),
            (hour("2026-03-10T20:00:00+08:00"), hour("2026-03-11T00:00:00+08:00")),
        ]
    );
    // 200 rules of an hour each are more turns than are looked through.
    let hourly = "SUMMARY:a\nDTSTART:20260301T080000\nDURATION:PT1H\nRRULE:FREQ=HOURLY";
    assert!(roster(zone, &[hourly; 200]).survey("engineer", None, None).too_many);
}
