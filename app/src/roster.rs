//! `holdback roster`: who is on call.

use std::fmt::Write as _;

use holdback::{Contact, Instant, Pack, Role, Span, Turn};
use serde::Serialize;

use crate::args::{Format, RosterArgs};
use crate::replay::open_pack;
use crate::{Console, FINDINGS, FINE, Stop, did_you_mean};

/// What is answered of a role.
#[derive(Serialize)]
struct OnCall<'p> {
    role: &'p str,
    doc: &'p str,
    /// Who is on call at the instant; empty when nobody is.
    contacts: Vec<&'p Contact>,
    /// When that changes; nothing when it does not within 400 days.
    next_hand_over: Option<Instant>,
    /// The turns of the days asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    turns: Option<Vec<Turn<'p>>>,
}

#[derive(Serialize)]
struct Report<'p> {
    format: u32,
    pack: String,
    at: Instant,
    /// The end of the days asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Instant>,
    roles: Vec<OnCall<'p>>,
}

pub(crate) fn roster(args: &RosterArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let pack = open_pack(&args.pack, &[])?;
    if pack.file("roster.toml").is_none() {
        let file = args.pack.join("roster.toml");
        return Err(Stop::Unusable(format!(
            "{}: is missing: the pack says nothing of who is on call",
            file.display()
        )));
    }
    let roles = asked(&pack, args.role.as_deref())?;
    let until = match args.days {
        Some(days) => {
            let end = args.at.checked_add(Span::hours(24 * i64::from(days)));
            Some(end.map_err(|error| Stop::Unusable(format!("--days {days}: {error}")))?)
        }
        None => None,
    };
    let roles: Vec<OnCall<'_>> = roles.into_iter().map(|role| answer(&pack, role, args.at, until)).collect();
    let gap = |role: &OnCall<'_>| match &role.turns {
        Some(turns) => turns.iter().any(|turn| turn.contacts.is_empty()),
        None => role.contacts.is_empty(),
    };
    let code = if roles.iter().any(gap) { FINDINGS } else { FINE };
    let name = format!("{}@{}", pack.name, pack.version);
    let report = Report { format: holdback::FORMAT, pack: name, at: args.at, until, roles };
    let text = match args.format {
        Format::Text => text(&pack, &report),
        Format::Json => {
            serde_json::to_string_pretty(&report).map_err(|error| Stop::Unusable(error.to_string()))? + "\n"
        }
    };
    console.say(&text)?;
    Ok(code)
}

/// The roles that are asked about.
fn asked<'p>(pack: &'p Pack, role: Option<&str>) -> Result<Vec<&'p Role>, Stop> {
    let Some(name) = role else { return Ok(pack.roles.iter().collect()) };
    let found = pack.roles.iter().find(|role| role.name == name);
    found.map(|role| vec![role]).ok_or_else(|| {
        let near = did_you_mean(name, pack.roles.iter().map(|role| role.name.as_str()));
        Stop::Unusable(format!("unknown role `{name}`{near}"))
    })
}

fn answer<'p>(pack: &'p Pack, role: &'p Role, at: Instant, until: Option<Instant>) -> OnCall<'p> {
    let roster = pack.roster();
    OnCall {
        role: &role.name,
        doc: &role.doc,
        contacts: roster.on_call(&role.name, at),
        next_hand_over: roster.next_hand_over(&role.name, at),
        turns: until.map(|until| roster.turns(&role.name, at, until)),
    }
}

fn text(pack: &Pack, report: &Report<'_>) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = match report.until {
        Some(until) => writeln!(
            text,
            "On call from {} to {} ({})",
            local(pack, report.at),
            local(pack, until),
            pack.zone.name()
        ),
        None => writeln!(text, "On call at {} ({})", local(pack, report.at), pack.zone.name()),
    };
    for role in &report.roles {
        let doc = if role.doc.is_empty() { String::new() } else { format!(": {}", role.doc) };
        let _ = writeln!(text, "\n{}{doc}", role.role);
        match &role.turns {
            Some(turns) => turns.iter().for_each(|turn| {
                let _ = writeln!(
                    text,
                    "  {}  to  {}  {}{}",
                    local(pack, turn.from),
                    local(pack, turn.until),
                    people(&turn.contacts, "; "),
                    instead(turn)
                );
            }),
            None => {
                let _ = writeln!(text, "  {}", people(&role.contacts, "\n  "));
                let _ = match role.next_hand_over {
                    Some(next) => writeln!(text, "  until {}", local(pack, next)),
                    None => writeln!(text, "  no hand-over in the next 400 days"),
                };
            }
        }
    }
    text
}

/// `zhang  Zhang Wei, engineer, 010-5550-0101`, one after the other.
fn people(contacts: &[&Contact], between: &str) -> String {
    let one = |contact: &&Contact| {
        let parts = [&contact.name, &contact.position, &contact.phone, &contact.remark];
        let said: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        format!("{}  {}", contact.key, said.join(", "))
    };
    match contacts {
        [] => "NOBODY".to_owned(),
        _ => contacts.iter().map(one).collect::<Vec<_>>().join(between),
    }
}

fn instead(turn: &Turn<'_>) -> String {
    match turn.instead {
        Some("") => "  [stands in]".to_owned(),
        Some(reason) => format!("  [stands in: {reason}]"),
        None => String::new(),
    }
}

/// An instant in the contract's zone, with its offset: over a change of offset local times occur twice.
fn local(pack: &Pack, at: Instant) -> String {
    let time = at.to_chrono().with_timezone(&pack.zone);
    let seconds = at.micros().rem_euclid(60_000_000) != 0;
    let shape = if seconds { "%Y-%m-%d %a %H:%M:%S%.f%:z" } else { "%Y-%m-%d %a %H:%M%:z" };
    time.format(shape).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/school-after-sales");

    fn answer(pack: &str, args: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let all = ["holdback", "roster", pack].into_iter().chain(args.iter().copied());
        let code = crate::run(all, &mut std::io::empty(), &mut out, &mut err);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn each_role_is_told_with_its_next_hand_over() {
        let (code, out, err) = answer(PACK, &["--at", "2026-03-02T22:00:00+08:00"]);
        assert_eq!((code, err.as_str()), (0, ""));
        for part in [
            "On call at 2026-03-02 Mon 22:00+08:00 (Asia/Shanghai)\n",
            "\n  li  李示例, 工程师, 010-5550-0102",
            "  until 2026-03-03 Tue 08:00+08:00\n",
            "\nservice_manager: ",
            "\n  chen  陈示例",
            "  no hand-over in the next 400 days\n",
        ] {
            assert!(out.contains(part), "`{part}` is missing in\n{out}");
        }
    }

    #[test]
    fn the_turns_of_some_days_are_listed_with_who_stands_in() {
        let args = ["--at", "2026-03-09T00:00:00+08:00", "--days", "1", "--role", "engineer"];
        let (code, out, _) = answer(PACK, &args);
        assert_eq!(code, 0);
        let turns: Vec<&str> = out.lines().filter(|line| line.contains("  to  ")).collect();
        assert_eq!(turns.len(), 4, "{out}");
        let stands_in = "  2026-03-09 Mon 08:00+08:00  to  2026-03-09 Mon 14:00+08:00  wang  ";
        assert!(turns[1].starts_with(stands_in) && turns[1].contains("[stands in: "), "{out}");
        assert!(
            turns[3].starts_with("  2026-03-09 Mon 20:00+08:00  to  2026-03-10 Tue 00:00+08:00  li"),
            "{out}"
        );
        let (_, out, _) = answer(PACK, &[&args[..], &["--format", "json"]].concat());
        let told: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(told["until"], "2026-03-09T16:00:00Z");
        let turns = told["roles"][0]["turns"].as_array().unwrap();
        assert_eq!((turns.len(), &turns[1]["contacts"][0]["key"]), (4, &"wang".into()));
        assert_eq!(turns[0]["until"], turns[1]["from"]);
    }

    #[test]
    fn a_gap_ends_with_one() {
        let (code, out, _) = answer(PACK, &["--at", "2025-01-01T00:00:00Z", "--role", "engineer"]);
        assert_eq!(code, 1);
        assert!(out.contains("\n  NOBODY\n  until 2025-12-31 Wed 20:00+08:00\n"), "{out}");
        let (code, ..) = answer(PACK, &["--at", "2025-12-31T00:00:00Z", "--role", "engineer", "--days", "2"]);
        assert_eq!(code, 1);
    }

    #[test]
    fn what_is_of_no_use_ends_with_two() {
        let at = ["--at", "2026-03-02T22:00:00+08:00"];
        let without = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/it-incidents");
        for (pack, args, said) in [
            (PACK, vec!["--role", "enginer"], "did you mean `engineer`?"),
            (PACK, vec!["--days", "0"], "--days"),
            (PACK, vec!["--days", "401"], "--days"),
            (without, vec![], "roster.toml: is missing"),
            ("nowhere", vec![], "nowhere"),
        ] {
            let (code, out, err) = answer(pack, &[&at[..], &args].concat());
            assert_eq!((code, out.as_str()), (2, ""));
            assert!(err.contains(said), "`{said}` is missing in {err}");
        }
        assert_eq!(answer(PACK, &[]).0, 2, "the instant must be given");
        let (code, ..) = answer(PACK, &["--at", "9999-12-31T00:00:00Z", "--days", "400"]);
        assert_eq!(code, 2);
    }
}
