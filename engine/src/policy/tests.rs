//! The typed program and rhai's interpreter are asked the same: they must give the same values, record the same reads, and
//! stop at the same fault in the same place.

mod battery;
mod generate;
mod limits;
mod regressions;
mod tickets;

use std::sync::Arc;

use chrono::NaiveDate;

use super::ask::Answer;
use super::{Evaluator, Policy};
use crate::clock::CountRule;
use crate::diagnostic::Diagnostic;
use crate::event::Kinds;
use crate::policy::ClauseFault;
use crate::terms::{Term, Terms};
use crate::ticket::{Fact, FactType, Schema};
use crate::vocabulary::{About, ENTRIES, FIELDS, GLOBALS, ROUNDINGS, Reads, Value, WORDS, Words};
use crate::{Calendar, Currency};
use generate::choices::{Choices, shrink};
use generate::world::{CALENDARS, CHOICES, DECLARED, FACTS, ROLES, TERMS};
use generate::{Ty, clause};
use tickets::{Ticket, settled, ticket};

/// So many evaluations in the usual run.
const EVALUATIONS: usize = 20_000;
/// So many tickets for each clause file.
const TICKETS: usize = 12;

/// What one evaluator says: the answer with everything it looked at, or the fault.
#[derive(Debug, PartialEq)]
enum Said {
    Value(Value, Reads, bool),
    Fault(ClauseFault),
}

fn said(answer: Result<Answer, ClauseFault>) -> Said {
    match answer {
        Ok(answer) => Said::Value(answer.value, answer.reads, answer.late_read),
        Err(fault) => Said::Fault(fault),
    }
}

fn fact(row: &generate::world::FactRow) -> Fact {
    let [english, chinese] = row.types;
    let values = |ty: Ty| match ty {
        Ty::OneOf(choice) => CHOICES[choice].iter().map(|text| (*text).into()).collect(),
        _ => Vec::new(),
    };
    let of = match english {
        Ty::Bool => FactType::Bool,
        Ty::Count => FactType::Integer,
        Ty::Money => FactType::Money,
        Ty::Instant => FactType::Instant,
        Ty::OneOf(_) => FactType::OneOf(values(english)),
        _ => FactType::Text,
    };
    Fact {
        name: row.names[0].unwrap_or_default().to_owned(),
        of,
        doc: String::new(),
        zh: row.names[1].map(str::to_owned),
        zh_values: if chinese == english { Vec::new() } else { values(chinese) },
    }
}

fn term(row: &generate::world::TermRow, currency: Currency) -> Term {
    let mut term = Term {
        name: row.names[0].unwrap_or_default().into(),
        clause: "1".to_owned(),
        unit: row.unit.to_owned(),
        of: match row.ty {
            Ty::OneOf(choice) => CHOICES[choice].iter().map(|text| (*text).to_owned()).collect(),
            _ => Vec::new(),
        },
        doc: String::new(),
        zh: row.names[1].map(str::to_owned),
        values: Vec::new(),
    };
    let dates = [NaiveDate::MIN, NaiveDate::from_ymd_opt(2026, 1, 1).unwrap()];
    for (from, value) in dates.into_iter().zip(row.values) {
        if let Some(value) = value {
            let value = term.read(value, currency).unwrap();
            term.values.push((from, value));
        }
    }
    term
}

/// A policy over the world of the generator, without clauses yet.
fn policy() -> Policy {
    let currency: Currency = "CNY".parse().unwrap();
    let schema = Schema {
        kinds: Kinds::with_declared(&DECLARED.map(str::to_owned)),
        facts: FACTS.iter().map(fact).collect(),
        currency,
        days: Arc::new(Calendar::always_in(chrono_tz::Asia::Shanghai)),
    };
    let words = Words::new(
        Arc::new(schema),
        Arc::new(Terms::new(TERMS.iter().map(|row| term(row, currency)).collect())),
        CALENDARS.map(str::to_owned).to_vec(),
        ROLES.map(str::to_owned).to_vec(),
        currency,
    );
    Policy::new(Arc::new(words), vec![CountRule::default(); 2], chrono_tz::Asia::Shanghai)
}

/// Puts one clause file into the policy; what is wrong with it, if anything.
fn put(policy: &mut Policy, text: &str) -> Vec<Diagnostic> {
    policy.clauses.clear();
    let told = policy.add("1".to_owned(), "clauses/1.rhai".to_owned(), text, [None, None]);
    told.into_iter().filter(Diagnostic::is_error).collect()
}

/// Asks both evaluators for one entry function; nothing when the file does not define it.
fn both(policy: &mut Policy, entry: usize, ticket: &Ticket) -> Option<[Said; 2]> {
    let clause = policy.clauses.first()?;
    if !clause.defines(entry) {
        return None;
    }
    let about = match entry {
        super::PENALTY => About::Breach(&ticket.breach),
        super::CREDIT => About::Period(&ticket.period),
        super::REPEATED => About::Again(&ticket.again),
        _ => About::Nothing,
    };
    let reference = said(policy.interpret(clause, entry, &ticket.inputs, about));
    policy.evaluator = Evaluator::Program;
    let program = said(policy.ask(policy.clauses.first()?, entry, &ticket.inputs, about));
    Some([program, reference])
}

/// What came of one made-up clause file.
#[derive(Debug, Default)]
struct Tried {
    text: String,
    evaluations: usize,
    faults: usize,
    refused: Vec<Diagnostic>,
    /// What differs, with the ticket for which it does.
    difference: Option<String>,
}

/// Makes up a clause file and tickets from a tape, and asks both evaluators about them.
fn try_tape(policy: &mut Policy, dice: &mut Choices, tickets: usize) -> Tried {
    let (text, clocks) = clause(dice);
    let mut tried = Tried { text, ..Tried::default() };
    tried.refused = put(policy, &tried.text);
    if !tried.refused.is_empty() {
        return tried;
    }
    for _ in 0..tickets {
        let ticket = ticket(dice, &policy.words, &clocks);
        for entry in 0..ENTRIES.len() {
            let Some([program, reference]) = both(policy, entry, &ticket) else { continue };
            tried.evaluations += 1;
            tried.faults += usize::from(matches!(reference, Said::Fault(_)));
            if program != reference {
                let inputs = &ticket.inputs;
                tried.difference = Some(format!(
                    "entry {entry}\nprogram:   {program:?}\nreference: {reference:?}\nfacts: {:?}\nreported {} via {:?}, \
                     contract {:?}, standing {:?}\nbreach: {:?}",
                    inputs.facts,
                    inputs.reported_at,
                    inputs.via,
                    inputs.contract,
                    inputs.standing,
                    ticket.breach
                ));
                return tried;
            }
        }
    }
    tried
}

/// How many evaluations to run; more when asked for.
#[expect(clippy::disallowed_methods, reason = "a longer run is asked for from outside; the default is fixed")]
fn asked_for() -> (usize, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    (number("HOLDBACK_DIFF").unwrap_or(EVALUATIONS as u64) as usize, number("HOLDBACK_SEED").unwrap_or(1))
}

/// Everything that the vocabulary names, in both languages.
fn all_names() -> Vec<&'static str> {
    let words = WORDS.iter().flat_map(|word| word.names);
    let fields = FIELDS.iter().flat_map(|field| field.names);
    let globals = GLOBALS.iter().flat_map(|(names, ..)| *names);
    let rest = ENTRIES.iter().flat_map(|entry| entry.names).chain(ROUNDINGS.into_iter().flatten());
    words.chain(fields).chain(globals).chain(rest).collect()
}

#[test]
fn the_program_says_what_the_interpreter_says() {
    let (wanted, seed) = asked_for();
    let mut policy = policy();
    let (mut evaluations, mut faults, mut files, mut refused) = (0, 0, 0_u64, Vec::new());
    let mut unseen = all_names();
    while evaluations < wanted {
        let mut dice = Choices::random(seed << 32 | files);
        files += 1;
        let tried = try_tape(&mut policy, &mut dice, TICKETS);
        evaluations += tried.evaluations;
        unseen.retain(|name| !tried.text.contains(name));
        faults += tried.faults;
        if let Some(first) = tried.refused.first() {
            let line = tried.text.lines().nth(first.place.line.saturating_sub(1)).unwrap_or_default();
            refused.push(format!(
                "{} {}:{} {}\n    {line}",
                first.code, first.place.line, first.place.column, first.message
            ));
        }
        if tried.difference.is_some() {
            let shows = |tape: &[u16]| {
                let mut dice = Choices::replay(tape.to_vec());
                try_tape(&mut policy, &mut dice, TICKETS).difference.is_some()
            };
            let least = shrink(dice.tape().to_vec(), 20_000, shows);
            let least = try_tape(&mut policy, &mut Choices::replay(least), TICKETS);
            panic!("file {files} of seed {seed}:\n{}\n{}", least.text, least.difference.unwrap_or_default());
        }
    }
    println!("{evaluations} evaluations of {files} files, {faults} faults, {} refused", refused.len());
    let told: Vec<&String> = refused.iter().take(30).collect();
    assert!(refused.len() * 50 < files as usize, "{} of {files} refused: {told:#?}", refused.len());
    assert!(unseen.is_empty(), "never made up: {unseen:?}");
    // Should everything fault, or nothing, the generator would be of little use.
    assert!(
        faults * 10 > evaluations && faults * 10 < 9 * evaluations,
        "{faults} of {evaluations} are faults"
    );
}
