//! What is said of tickets in words, each text once.

use std::collections::HashMap;

use arrow::array::{ArrayRef, new_null_array};
use arrow::error::ArrowError;

use super::names_type;
use crate::batch::Batch;
use crate::cells::dictionary;
use crate::judge::Judged;
use crate::sheet::Texts;

/// Texts that were met, each with its number.
#[derive(Default)]
pub(super) struct Words {
    numbers: HashMap<String, u32>,
    pub(super) texts: Vec<String>,
}

impl Words {
    fn number(&mut self, text: String) -> u32 {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    /// A column of the codes of the tickets of all rows.
    pub(super) fn column(&self, of_tickets: &[u32], tickets: &[u32]) -> Result<ArrayRef, ArrowError> {
        if self.texts.is_empty() {
            return Ok(new_null_array(&names_type(), tickets.len()));
        }
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let code = |ticket: &u32| of_tickets.get(*ticket as usize).copied().unwrap_or(Texts::NONE);
        dictionary(tickets.iter().map(code).collect(), &texts)
    }
}

/// What is said of each ticket, as numbers of texts.
pub(super) struct TicketWords {
    pub(super) class: Words,
    pub(super) class_clause: Words,
    pub(super) applies: Words,
    pub(super) findings: Words,
    pub(super) fault: Words,
    pub(super) class_codes: Vec<u32>,
    pub(super) class_clause_codes: Vec<u32>,
    pub(super) applies_codes: Vec<u32>,
    pub(super) finding_codes: Vec<u32>,
    pub(super) fault_codes: Vec<u32>,
}

impl TicketWords {
    pub(super) fn of(batch: &Batch, judged: &Judged) -> TicketWords {
        let mut of = TicketWords {
            class: Words::default(),
            class_clause: Words::default(),
            applies: Words::default(),
            findings: Words::default(),
            fault: Words::default(),
            class_codes: Vec::with_capacity(judged.class.len()),
            class_clause_codes: Vec::with_capacity(judged.class.len()),
            applies_codes: Vec::with_capacity(judged.class.len()),
            finding_codes: Vec::new(),
            fault_codes: Vec::new(),
        };
        let word = |free: bool| if free { "free" } else { "paid" };
        let mut known: HashMap<u16, (u32, u32)> = HashMap::new();
        let mut last = (0_u16, (Texts::NONE, Texts::NONE));
        for number in &judged.class {
            if *number == 0 {
                of.class_codes.push(Texts::NONE);
                of.class_clause_codes.push(Texts::NONE);
                continue;
            }
            if last.0 != *number {
                let codes = known.entry(*number).or_insert_with(|| match batch.class(*number) {
                    Some(class) => (
                        of.class.number(word(class.free).to_owned()),
                        of.class_clause.number(class.id.to_string()),
                    ),
                    None => (Texts::NONE, Texts::NONE),
                });
                last = (*number, *codes);
            }
            of.class_codes.push(last.1.0);
            of.class_clause_codes.push(last.1.1);
        }
        of.applies_codes = bits(&judged.applies, judged.clause_words, &mut of.applies, &|bit| {
            batch.clause_ids.get(bit).map_or(String::new(), |id| id.to_string())
        });
        of.finding_codes =
            bits(&judged.findings, judged.finding_words, &mut of.findings, &|bit| batch.finding(bit));
        for (row, assessment) in &judged.singles {
            let row = *row as usize;
            let Ok(assessment) = assessment else { continue };
            let class = assessment.class.as_ref();
            let set = |codes: &mut Vec<u32>, code: Option<u32>| {
                if codes.len() <= row {
                    codes.resize(row + 1, Texts::NONE);
                }
                codes[row] = code.unwrap_or(Texts::NONE);
            };
            let code = class.map(|class| of.class.number(word(class.free).to_owned()));
            set(&mut of.class_codes, code);
            let code = class.map(|class| of.class_clause.number(class.clause.clone()));
            set(&mut of.class_clause_codes, code);
            let code = Some(assessment.applies.join(", ")).filter(|text| !text.is_empty());
            let code = code.map(|text| of.applies.number(text));
            set(&mut of.applies_codes, code);
            let found: Vec<String> =
                assessment.findings.iter().map(|f| format!("{}: {}", f.clause, f.text)).collect();
            let code = Some(found.join("; ")).filter(|text| !text.is_empty());
            let code = code.map(|text| of.findings.number(text));
            set(&mut of.finding_codes, code);
            if let Some(fault) = &assessment.fault {
                let number = of.fault.number(fault.to_string());
                set(&mut of.fault_codes, Some(number));
            }
        }
        of
    }
}

/// The texts of bit sets, each set once.
fn bits(sets: &[u64], words: usize, texts: &mut Words, name: &dyn Fn(usize) -> String) -> Vec<u32> {
    if words == 0 {
        return Vec::new();
    }
    let mut known: HashMap<&[u64], u32> = HashMap::new();
    let mut codes = Vec::with_capacity(sets.len() / words);
    let mut last: Option<(&[u64], u32)> = None;
    // Most sets are of one word, and like the one before.
    let same = |a: &[u64], b: &[u64]| a.first() == b.first() && (words == 1 || a == b);
    for set in sets.chunks_exact(words) {
        if let Some((_, code)) = last.filter(|(before, _)| same(before, set)) {
            codes.push(code);
            continue;
        }
        let code = *known.entry(set).or_insert_with(|| {
            let on = (0..words * 64).filter(|bit| set[bit / 64] >> (bit % 64) & 1 == 1);
            let names: Vec<String> = on.map(name).collect();
            let separator = if names.iter().any(|name| name.contains(": ")) { "; " } else { ", " };
            if names.is_empty() { Texts::NONE } else { texts.number(names.join(separator)) }
        });
        last = Some((set, code));
        codes.push(code);
    }
    codes
}
