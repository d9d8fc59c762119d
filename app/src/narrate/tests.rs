use holdback::{Engine, Event, Span};

use super::lines::{Unit, width};
use super::*;

const PACK: &str = "format = 1\nname = \"p\"\nversion = \"1\"\ntitle = \"A small contract\"\ncurrency = \"CNY\"\n\
    zone = \"Asia/Shanghai\"\ncontracts = [\"c\"]\n[calendars.office]\nboundary = \"next_opening\"\n\
    hours = { mon = [[\"09:00\", \"18:00\"]], tue = [[\"09:00\", \"18:00\"]] }\n\
    [roles.lead]\ndoc = \"who leads\"\n[facts.urgent]\ntype = \"bool\"\ndoc = \"in a hurry\"\n";
const TERMS: &str = "[limit]\nclause = \"1\"\nunit = \"hours\"\nvalues = [{ from = 2020-01-01, value = 10 }]\n\
    [price]\nclause = \"1\"\nunit = \"CNY\"\nvalues = [{ from = 2020-01-01, value = \"1500.00\" }]\n";
const REPAIR: &str = "//! clause: 1\nfn applies(ticket) { ticket.urgent }\nfn deadlines(ticket) {\n\
    [due(\"repair\").within(terms.limit).in_calendar(\"office\").pauses_for(\"customer\").met_by(\"resolved\"),\n\
    due(\"answer\").within(hours(1)).met_by(\"responded\")] }\n\
    fn penalty(breach) { if breach.clock == \"repair\" { terms.price } else { yuan(0) } }\n\
    fn escalation(ticket) { [at_breach(\"repair\").notify(\"lead\")] }";
const WISH: &str = "//! clause: 2\nfn applies(ticket) { !ticket.urgent }\n\
    fn deadlines(ticket) { [due(\"wish\").within(hours(1)).met_by(\"resolved\")] }";
const DEPOSIT: &str = "//! clause: 3\nfn deposit_floor() { yuan(1000) }";

fn pack(repair: &str) -> Pack {
    let files = [
        ("pack.toml", PACK),
        ("terms.toml", TERMS),
        ("contract.md", "# [1] Repair\n# [2] Wishes\n# [3] Deposit"),
        ("clauses/1.rhai", repair),
        ("clauses/2.rhai", WISH),
        ("clauses/3.rhai", DEPOSIT),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    Pack::from_files(files.into()).unwrap()
}

/// The story of `T1` after these events: id, kind, local time, further fields.
fn story(events: &[(&str, &str, &str, &str)], as_of: &str) -> String {
    story_of(REPAIR, events, as_of)
}

fn story_of(repair: &str, events: &[(&str, &str, &str, &str)], as_of: &str) -> String {
    let mut engine = Engine::new();
    engine.open(pack(repair).into()).unwrap();
    for (id, kind, at, more) in events {
        let of_contract = *kind == "deposit_paid" || kind.starts_with("force_majeure");
        let ticket = if of_contract { "" } else { "\"ticket\": \"T1\"," };
        let text = format!(
            "{{\"id\": \"{id}\", \"contract\": \"c\", {ticket} \"kind\": \"{kind}\", \"at\": \"{at}+08:00\"{more}}}"
        );
        engine.submit(Event::from_json(&text).unwrap()).unwrap();
    }
    engine.advance(as_of.parse().unwrap()).unwrap();
    narrate(&engine.explain("c", "T1").unwrap(), engine.pack("c").unwrap())
}

#[test]
fn a_ticket_told_to_the_last_second() {
    let text = story(
        &[
            ("e1", "deposit_paid", "2026-01-05T09:00:00", ", \"data\": {\"amount\": \"2000.00\"}"),
            ("e2", "reported", "2026-03-02T10:00:00", ", \"via\": \"phone\", \"data\": {\"urgent\": true}"),
            ("e3", "paused", "2026-03-02T12:00:00", ", \"data\": {\"reason\": \"customer\"}"),
            ("e4", "resumed", "2026-03-02T14:00:00", ""),
            ("e5", "responded", "2026-03-02T14:00:00", ""),
            ("e6", "resolved", "2026-03-03T13:00:01", ""),
        ],
        "2026-03-04T00:00:00+08:00",
    );
    let golden = include_str!("golden.txt");
    assert_eq!(text, golden, "\n{text}");
}

#[test]
fn a_clock_that_stands_still_has_no_due_instant() {
    let text = story(
        &[
            ("e1", "reported", "2026-03-02T10:00:00", ", \"data\": {\"urgent\": true}"),
            ("e2", "paused", "2026-03-02T12:30:00", ", \"data\": {\"reason\": \"customer\"}"),
        ],
        "2026-03-03T00:00:00+08:00",
    );
    assert!(text.contains("repair: STANDS STILL, 7 h 30 min left (open time)"), "{text}");
    assert!(text.contains("Due      not known while it stands still"), "{text}");
}

#[test]
fn time_used_up_at_a_closing_falls_due_at_the_next_opening() {
    // 1 h on Tuesday and the 9 h of the next Monday.
    let text = story(
        &[("e1", "reported", "2026-03-03T17:00:00", ", \"data\": {\"urgent\": true}")],
        "2026-03-03T17:30:00+08:00",
    );
    assert!(text.contains("Due      2026-03-10 Tue 09:00:00 +08:00: 10 h of open time"), "{text}");
    assert!(text.contains("Together: 1 h + 9 h = 10 h"), "{text}");
    assert!(text.contains("the limit is the opening that follows"), "{text}");
}

#[test]
fn what_held_a_clock_and_how_its_penalty_grew() {
    let repair = "//! clause: 1\nfn applies(ticket) { ticket.urgent }\nfn deadlines(ticket) {\n\
        [due(\"repair\").within(hours(2)).pauses().pauses_at_most(hours(1)).met_by(\"resolved\")] }\n\
        fn penalty(breach) { yuan(10) * started(breach.late, hours(1)) }";
    let text = story_of(
        repair,
        &[
            ("e1", "reported", "2026-03-02T10:00:00", ", \"data\": {\"urgent\": true}"),
            ("e2", "force_majeure_started", "2026-03-02T10:30:00", ", \"data\": {\"reason\": \"flood\"}"),
            ("e3", "force_majeure_ended", "2026-03-02T12:00:00", ""),
            ("e4", "paused", "2026-03-02T12:30:00", ""),
        ],
        "2026-03-03T04:00:00+08:00",
    );
    for line in [
        "until `force_majeure_started` (reason: flood)",
        "still 2026-03-02 Mon 10:30:00 to 12:00:00, until `force_majeure_ended`",
        "still 2026-03-02 Mon 12:30:00 to 13:30:00, until its pauses were used up",
        "Grew     2026-03-02 Mon 14:30:00 +08:00: 10.00 CNY",
        "2026-03-02 Mon 15:30:00 +08:00: + 10.00 = 20.00 CNY",
        "3 steps: + 30.00 = 140.00 CNY",
    ] {
        let plain = text.replace('\u{a0}', " ");
        assert!(plain.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_ticket_that_cannot_be_assessed_says_why() {
    let text = story(&[("e1", "reported", "2026-03-02T10:00:00", "")], "2026-03-03T00:00:00+08:00");
    assert!(text.contains("Stopped  this ticket could not be assessed"), "{text}");
    assert!(text.contains("the fact `urgent` is not known"), "{text}");
    assert!(!text.contains("DEADLINES"), "{text}");
}

#[test]
fn hostile_texts_do_not_steer_the_terminal() {
    let text = story(
        &[(
            "e\\u001b[2J",
            "reported",
            "2026-03-02T10:00:00",
            ", \"actor\": \"a\\nMONEY\\u202e\\u0007\", \"data\": {\"urgent\": true}",
        )],
        "2026-03-02T10:30:00+08:00",
    );
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(text.contains("e\\u{1b}[2J") && text.contains("a\\nMONEY\\u{202e}\\u{7}"), "{text}");
    assert!(!text.contains("\nMONEY"), "{text}");
}

#[test]
fn lines_stay_within_their_columns() {
    let mut out = Lines::default();
    out.put(4, &"服务方须在一小时内派出人员，并在一个工作日内交付应急预案。".repeat(9));
    out.put(4, &"some words of a sentence ".repeat(20));
    out.put(4, &"x".repeat(200));
    let text = out.finish();
    let widths: Vec<usize> = text.lines().map(width).collect();
    assert!(widths.iter().filter(|width| **width > 98).count() == 1, "{text}");
    assert!(widths.len() > 10, "{text}");
    assert!(text.lines().all(|line| !line.trim_start().starts_with(['，', '。'])), "{text}");
}

#[test]
fn lengths_and_sums_are_written_in_full() {
    let day = Span::hours(24);
    assert_eq!(Unit::Elapsed.write(day + Span::seconds(3723)).replace('\u{a0}', " "), "1 d 1 h 2 min 3 s");
    assert_eq!(Unit::Open.write(day + Span::seconds(3)).replace('\u{a0}', " "), "24 h 3 s");
    assert_eq!(Unit::Elapsed.write(Span::ZERO - day).replace('\u{a0}', " "), "-1 d");
    let parts = [Span::hours(8), Span::hours(1)];
    assert_eq!(Unit::Open.sum(&parts, Span::hours(9)).replace('\u{a0}', " "), "8 h + 1 h = 9 h");
    // Parts that do not give the total are not written as if they did.
    assert_eq!(Unit::Open.sum(&parts, Span::hours(10)).replace('\u{a0}', " "), "10 h");
}
