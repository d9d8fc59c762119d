use std::collections::BTreeMap;
use std::path::PathBuf;

use holdback::Pack;

use super::*;
use crate::args::Adapter;
use crate::read::{Item, Reading, read};

const HEADER: &str = "caller_id,number,incident_state,opened_at,sys_updated_at,priority";

/// What the log gives: events as `kind at` with the data, faults as `line: reason`; and the report.
fn told(rows: &[(&str, &str, &str, &str)]) -> (Vec<String>, Import) {
    let mut text = HEADER.to_owned();
    for (number, state, updated, priority) in rows {
        text += &format!("\nx,{number},{state},1/3/2016 08:00,{updated},{priority}");
    }
    let files = [
        (
            "pack.toml",
            "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"desk\", \"other\"]",
        ),
        ("contract.md", "# [2] Deposit"),
        ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }"),
    ];
    let pack = Pack::from_files(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap();
    let mut list = Vec::new();
    let mut sink = |item| {
        list.push(match item {
            Item::Event(_, event) => {
                assert_eq!(event.contract, "desk");
                assert_eq!(event.ticket.as_deref(), event.id.split('#').next());
                let data: BTreeMap<_, _> = event.data.iter().map(|(k, v)| (k, v.as_str().unwrap())).collect();
                let data: String = data.iter().map(|(k, v)| format!(" {k}={v}")).collect();
                format!("{} {}{data}", event.kind, &event.at.to_string()[5..16])
            }
            Item::Malformed(malformed) => format!("{}: {}", malformed.line, malformed.reason),
        });
        std::ops::ControlFlow::Continue(())
    };
    let reading = Reading { pack: &pack, asked: Some(Adapter::ServicenowLog), usual: None };
    let notes = read(&PathBuf::from("-"), &mut text.as_bytes(), reading, &mut sink).unwrap();
    (list, notes.import.unwrap())
}

#[test]
fn a_plain_ticket_is_reported_responded_resolved_and_closed() {
    let (events, import) = told(&[
        ("A", "New", "1/3/2016 08:05", "3 - Moderate"),
        ("A", "Active", "1/3/2016 09:00", "3 - Moderate"),
        ("A", "Active", "1/3/2016 09:30", "3 - Moderate"),
        ("A", "Resolved", "2/3/2016 10:00", "3 - Moderate"),
        ("A", "Closed", "7/3/2016 10:00", "3 - Moderate"),
    ]);
    let expected = [
        "reported 03-01T08:00 priority=P3",
        "responded 03-01T09:00",
        "resolved 03-02T10:00",
        "closed 03-07T10:00",
    ];
    assert_eq!(events, expected);
    assert_eq!((import.rows, import.tickets, import.raised, import.ignored), (5, 1, 0, 0));
    assert_eq!(import.last.unwrap().to_string(), "2016-03-07T10:00:00Z");
}

#[test]
fn only_waiting_for_the_customer_is_a_pause() {
    let states =
        ["Awaiting User Info", "Awaiting Vendor", "Awaiting User Info", "Active", "Awaiting Problem", "New"];
    let rows: Vec<_> =
        states.into_iter().map(|state| ("A", state, "1/3/2016 09:00", "1 - Critical")).collect();
    let (events, _) = told(&rows);
    let kinds: Vec<&str> = events.iter().map(|event| event.split(' ').next().unwrap()).collect();
    // Leaving the supplier's own waiting resumes too, which changes nothing where no pause is.
    assert_eq!(kinds, ["reported", "responded", "paused", "resumed", "paused", "resumed", "resumed"]);
    assert_eq!(events[2], "paused 03-01T09:00 reason=customer");
}

#[test]
fn what_was_done_and_goes_on_is_reopened() {
    let states =
        ["Resolved", "Active", "Resolved", "Awaiting User Info", "Closed", "Active", "Closed", "Resolved"];
    let rows: Vec<_> =
        states.into_iter().map(|state| ("A", state, "1/3/2016 09:00", "1 - Critical")).collect();
    let (events, import) = told(&rows);
    let kinds: Vec<&str> = events.iter().skip(2).map(|event| event.split(' ').next().unwrap()).collect();
    let expected = [
        "resolved", "reopened", "resolved", "reopened", "paused", "closed", "reopened", "closed", "reopened",
        "resolved",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(import.events["reopened"], 4);
}

#[test]
fn a_change_of_priority_is_told_and_state_minus_100_is_nothing() {
    let (events, import) = told(&[
        ("A", "-100", "1/3/2016 08:01", "?"),
        ("A", "New", "1/3/2016 08:05", "3 - Moderate"),
        ("A", "-100", "1/3/2016 08:06", "1 - Critical"),
        ("A", "New", "1/3/2016 08:07", "2 - High"),
        ("A", "New", "1/3/2016 08:08", "2 - High"),
    ]);
    assert_eq!(events, ["reported 03-01T08:00 priority=P3", "updated 03-01T08:07 priority=P2"]);
    assert_eq!((import.rows, import.ignored), (5, 2));
}

#[test]
fn a_time_that_goes_back_is_raised_and_counted() {
    let (events, import) = told(&[
        ("A", "Active", "1/3/2016 07:00", "4"),
        ("A", "Active", "1/3/2016 12:00", "4"),
        ("A", "Resolved", "1/3/2016 11:00", "4"),
        ("B", "Active", "1/3/2016 09:00", "4"),
    ]);
    let expected = [
        "reported 03-01T08:00 priority=P4",
        "responded 03-01T08:00",
        "resolved 03-01T12:00",
        "reported 03-01T08:00 priority=P4",
        "responded 03-01T09:00",
    ];
    assert_eq!(events, expected);
    assert_eq!((import.raised, import.tickets), (2, 2));
}

#[test]
fn an_unreadable_row_is_told_with_its_line_and_the_ticket_goes_on() {
    let (events, import) = told(&[
        ("A", "Pending", "1/3/2016 09:00", "3"),
        ("A", "New", "2016-03-01 09:00", "3"),
        ("A", "New", "31/2/2016 09:00", "3"),
        ("A", "New", "1/3/2016 09:00", "5 - None"),
        ("A", "New", "1/3/2016 09:00", "12"),
        ("", "New", "1/3/2016 09:00", "3"),
        ("A", "Active", "1/3/2016 09:00", "3"),
    ]);
    let starts = [
        "2: column `incident_state`: unknown state `Pending`",
        "3: column `sys_updated_at`: `2016-03-01 09:00`",
        "4: column `sys_updated_at`: `31/2/2016 09:00`",
        "5: column `priority`: `5 - None`",
        "6: column `priority`: `12`",
        "7: column `number` is empty",
        "reported",
        "responded",
    ];
    assert_eq!(events.len(), starts.len(), "{events:#?}");
    for (event, start) in events.iter().zip(starts) {
        assert!(event.starts_with(start), "{event}");
    }
    assert_eq!((import.rows, import.tickets), (1, 1));
}

#[test]
fn times_are_day_month_year_and_minutes() {
    let at = |text| read_time(text).map(|at| at.to_string());
    assert_eq!(at("29/2/2016 01:16").as_deref(), Some("2016-02-29T01:16:00Z"));
    assert_eq!(at("05/03/2016 1:16").as_deref(), Some("2016-03-05T01:16:00Z"));
    for text in [
        "",
        "29/2/2015 01:16",
        "1/1/16 01:16",
        "1/1/2016",
        "1/1/2016 24:00",
        "1/1/2016 01:60",
        "1/1/2016 01:1",
        "+1/1/2016 01:16",
        "1/1/2016 01:16 ",
    ] {
        assert_eq!(at(text), None, "{text}");
    }
}
