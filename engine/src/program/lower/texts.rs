//! Texts that name something: events, facts, calendars, clocks, clauses, roundings, rules of recurrence.

use rhai::{ImmutableString, Position};

use super::call::Arg;
use super::choose::listed;
use super::{Lowering, Node, Op, Type};
use crate::Money;
use crate::diagnostic::{Code, Diagnostic};
use crate::duty::Recurrence;
use crate::nearest::hint;
use crate::program::Choice;
use crate::ticket::FactType;
use crate::vocabulary::{Names, ROUNDINGS, Sort, Value, Word, Words};

impl Lowering<'_> {
    /// Whether every text that must name something does.
    pub(super) fn names_fit(&mut self, word: &Word, args: &[Arg]) -> bool {
        let mut fit = true;
        for (i, arg) in args.iter().enumerate() {
            let Some(take) = word.takes.get(i).or(word.takes.last()) else { continue };
            if take.sort != Sort::Text {
                continue;
            }
            let items: Vec<&Node> = match &arg.node.op {
                Op::List(items) => items.iter().collect(),
                _ => vec![&arg.node],
            };
            for item in items {
                let at = if matches!(arg.node.op, Op::List(_)) { item.at } else { arg.at };
                fit &= self.name_fits(word, take.names, item, at);
            }
        }
        fit
    }

    fn name_fits(&mut self, word: &Word, names: Names, node: &Node, at: Position) -> bool {
        let text = match &node.op {
            Op::Const(Value::Text(text)) => text.clone(),
            _ => return self.choice_fits(names, &node.of, at),
        };
        let words = self.words;
        let (code, message) = match names {
            Names::Prose | Names::Reason => return true,
            Names::NewClock => {
                let known = match self.entry {
                    super::DEADLINES | super::DUTIES => &mut self.clocks,
                    super::LEVELS => &mut self.levels,
                    _ => return true,
                };
                if !known.contains(&text) {
                    known.push(text);
                }
                return true;
            }
            Names::PackClock | Names::Clause => {
                let place = self.source.place(at);
                if !self.named.iter().any(|(_, _, known)| *known == place) {
                    self.named.push((names, text, place));
                }
                return true;
            }
            Names::Recurrence => match recurrence(&text) {
                Ok(()) => return true,
                Err(message) => (Code::RECURRENCE, message),
            },
            Names::Clock if self.has_entry(super::DUTIES) && self.clocks.contains(&text) => {
                let message = format!("`{text}` is a duty: steps tell of the clocks of tickets");
                (Code::UNKNOWN_CLOCK, message)
            }
            Names::Clock if self.entry == 1 || self.clocks.contains(&text) => return true,
            Names::Clock => {
                let near = hint(&text, self.clocks.iter().map(ImmutableString::as_str));
                (
                    Code::UNKNOWN_CLOCK,
                    format!("a step names the clock `{text}`, which this clause does not set{near}"),
                )
            }
            Names::Event => match words.ticket_kind(&text) {
                Ok(_) => return true,
                Err(message) => (Code::UNKNOWN_EVENT, message),
            },
            Names::ContractEvent if words.contract_event(&text).is_some() => return true,
            Names::ContractEvent => {
                let near = hint(&text, ["signed", "project_accepted", "已签订", "项目已验收"]);
                let message = match word.names[0] {
                    "has" => "`contract.has` answers for `signed` and `project_accepted`, not for",
                    _ => "duties and service levels begin with `signed` or `project_accepted`, not with",
                };
                (Code::UNKNOWN_EVENT, format!("{message} `{text}`{near}"))
            }
            Names::Role if words.roles.contains(&text.to_string()) => return true,
            Names::Role => {
                let near = hint(&text, words.roles.iter().map(String::as_str));
                (Code::UNKNOWN_ROLE, format!("unknown role `{text}`{near}"))
            }
            Names::Calendar if words.calendars.iter().any(|known| *known == text.as_str()) => return true,
            Names::Calendar => {
                let near = hint(&text, words.calendars.iter().map(String::as_str));
                (Code::UNKNOWN_CALENDAR, format!("unknown calendar `{text}`{near}"))
            }
            Names::Fact | Names::Date => return self.fact_fits(names, &text, at),
            Names::Rounding if ROUNDINGS.iter().any(|names| names.contains(&text.as_str())) => return true,
            Names::Rounding => {
                let near = hint(&text, ROUNDINGS.iter().flatten().copied());
                let known: Vec<_> = ROUNDINGS.iter().map(|names| format!("`{}`", names[0])).collect();
                (Code::ROUNDING, format!("`{text}` is not a rounding: expected {}{near}", known.join(", ")))
            }
            Names::Amount | Names::Percent => match number_of(names, &text, words) {
                Ok(()) => {
                    // Nothing is nobody's number.
                    if text.parse::<rust_decimal::Decimal>().map_or(true, |number| !number.is_zero()) {
                        self.lint_number(at);
                    }
                    return true;
                }
                Err(message) => (Code::CONSTANT, message),
            },
        };
        self.error(code, at, message);
        false
    }

    fn fact_fits(&mut self, names: Names, text: &str, at: Position) -> bool {
        let words = self.words;
        let Some((place, _)) = words.fact(text) else {
            let near = hint(text, words.fact_names());
            self.error(Code::UNKNOWN_FACT, at, format!("unknown fact `{text}`{near}"));
            return false;
        };
        self.names.note_input(place);
        let is_date = words.schema.facts.get(place).is_some_and(|fact| fact.of == FactType::Instant);
        if names == Names::Date && !is_date {
            let message = format!("`{text}` is not an instant among the ticket's facts");
            self.error(Code::ARGUMENT, at, message);
            return false;
        }
        true
    }

    /// A name that is not written out: a one-of will do when each of its values does.
    fn choice_fits(&mut self, names: Names, of: &Type, at: Position) -> bool {
        if matches!(names, Names::Prose | Names::Reason) {
            return true;
        }
        let calendars = &self.words.calendars;
        if let (Names::Calendar, Type::OneOf(Choice { of, values })) = (names, of) {
            let stray = values.iter().find(|value| !calendars.iter().any(|known| *known == value.as_str()));
            let Some(stray) = stray else { return true };
            let message = format!("`{stray}`, a value of {of}, is not a calendar");
            let place = self.source.place(at);
            self.tell(Diagnostic::new(Code::UNKNOWN_CALENDAR, place, message).help(listed(values)));
            return false;
        }
        if let (Names::Recurrence, Type::OneOf(Choice { of, values })) = (names, of) {
            let wrong = values.iter().find_map(|value| Some((value, recurrence(value).err()?)));
            let Some((value, message)) = wrong else { return true };
            self.error(Code::RECURRENCE, at, format!("`{value}`, a value of {of}: {message}"));
            return false;
        }
        let message = "a name is written out here, so that it can be checked";
        self.error(Code::NAME_COMPUTED, at, message);
        false
    }
}

/// Whether a text is a recurrence rule that a duty can follow.
fn recurrence(text: &str) -> Result<(), String> {
    Recurrence::read(text).map(drop).map_err(|error| error.to_string())
}

/// Whether a text is an amount or a number of percent.
fn number_of(names: Names, text: &str, words: &Words) -> Result<(), String> {
    match names {
        Names::Amount => Money::parse(text, words.currency).map(drop).map_err(|error| error.to_string()),
        _ => match text.parse::<rust_decimal::Decimal>() {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("`{text}` is not a number of percent")),
        },
    }
}
