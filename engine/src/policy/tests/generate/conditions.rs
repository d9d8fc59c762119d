//! What is true or false: comparisons, and what a ticket is asked.

use super::world::{CHOICES, CONTRACT_EVENTS, Entry, FACTS, PERIODS};
use super::{Ex, Maker, Ty};

/// Signs that compare; the first two need no order.
const RELATIONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

impl Maker<'_> {
    /// Something that is true or false.
    pub(super) fn condition(&mut self) -> Ex {
        let text = match self.dice.below(10) {
            0 => {
                let inner = self.tight(Ty::Bool).text;
                format!("!{inner}")
            }
            1..3 => {
                let sign = self.dice.pick(&["&&", "||"]);
                let count = 2 + self.dice.below(2);
                let items: Vec<String> = (0..count).map(|_| self.tight(Ty::Bool).text).collect();
                let gap = self.gap();
                items.join(&format!("{gap}{sign}{gap}"))
            }
            3 => return self.known_or_happened(),
            4..6 => return self.chosen_compared(),
            _ => {
                let elapse = self.elapse();
                let unit = self.dice.below(PERIODS.len());
                let (sort, from) = self.dice.pick(&[
                    (Ty::Count, 0),
                    (Ty::Money, 0),
                    (Ty::Time(elapse), 0),
                    (Ty::Days(unit), 0),
                    (Ty::Share, 0),
                    (Ty::Instant, 0),
                    (Ty::Bool, 4),
                    (Ty::Text, 4),
                ]);
                let relation = self.dice.pick(&RELATIONS[..RELATIONS.len() - from]);
                let (a, b) = (self.tight(sort).text, self.tight(sort).text);
                let gap = self.gap();
                format!("{a}{gap}{relation}{gap}{b}")
            }
        };
        Ex { text, tight: false, known: false, tame: false }
    }

    /// A one-of beside one of its values.
    pub(super) fn chosen_compared(&mut self) -> Ex {
        let choice = self.choice();
        let relation = self.dice.pick(&RELATIONS[..2]);
        let (a, b) = match self.named_view() {
            Some((name, names)) if self.dice.one_in(2) => (name, self.quoted_of(&names)),
            _ => {
                let one = self.tight(Ty::OneOf(choice)).text;
                // A text that the checker knows must be a value.
                let other = match self.dice.below(4) {
                    0 => self.tight(Ty::OneOf(choice)).text,
                    1 => self.asked(Ty::Text).text,
                    _ => self.quoted_of(CHOICES[choice]),
                };
                (one, other)
            }
        };
        let text =
            if self.dice.one_in(3) { format!("{b} {relation} {a}") } else { format!("{a} {relation} {b}") };
        Ex { text, tight: false, known: false, tame: false }
    }

    /// A one-of that something in sight has.
    pub(super) fn choice(&mut self) -> usize {
        match self.ticket_in_sight() {
            true => self.dice.below(CHOICES.len()),
            false => 4 + self.dice.below(CHOICES.len() - 4),
        }
    }

    pub(super) fn known_or_happened(&mut self) -> Ex {
        let facts: Vec<&str> = FACTS.iter().flat_map(|row| row.names).flatten().collect();
        let happened = self.entry == Entry::Findings && self.dice.one_in(2);
        let ex = match self.ticket() {
            Some(ticket) if !self.dice.one_in(4) => {
                let ticket = Ex { text: ticket, tight: true, known: true, tame: true };
                if happened && self.dice.one_in(2) {
                    let (fact, event) = (self.dice.pick(&facts), self.event());
                    let args = vec![ticket, self.named(fact), self.named(event)];
                    return Ex { known: false, ..self.word(&["knew", "当时已知"], args) };
                }
                let name = if happened { self.event() } else { self.dice.pick(&facts) };
                let name = self.named(name);
                let word = if happened { ["has", "有"] } else { ["knows", "已知"] };
                self.word(&word, vec![ticket, name])
            }
            _ => {
                let contract = (self.dice.pick(&["contract", "合同"])).to_owned();
                let contract = Ex { text: contract, tight: true, known: true, tame: true };
                let name = self.dice.pick(&CONTRACT_EVENTS);
                let name = self.named(name);
                self.word(&["has", "有"], vec![contract, name])
            }
        };
        Ex { known: false, tame: false, ..ex }
    }
}
