//! Values written out, and lists of what entry functions give.

use super::world::{EVENTS, PERIODS};
use super::{Elapse, Ex, Maker, Ty};

impl Maker<'_> {
    /// A value written out; nothing for types that have none.
    pub(super) fn literal(&mut self, ty: Ty) -> Option<Ex> {
        let wild = self.dice.one_in(12);
        let small = self.dice.below(30);
        let text = match ty {
            Ty::Bool => (self.dice.pick(&["true", "false"])).to_owned(),
            Ty::Count if wild => {
                let all =
                    ["9223372036854775807", "-9223372036854775807", "-1", "4611686018427387904", "0x10"];
                (self.dice.pick(&all)).to_owned()
            }
            Ty::Count => small.to_string(),
            Ty::Money if wild => {
                (self.dice.pick(&["money(\"92233720368547758.07\")", "yuan(\"-0.01\")"])).to_owned()
            }
            Ty::Money => {
                let all =
                    ["yuan(5)", "元(500)", "money(\"12.50\")", "金额(\"0.01\")", "元(\"0.50\")", "yuan(0)"];
                (self.dice.pick(&all)).to_owned()
            }
            Ty::Time(_) => {
                let name = self.dice.pick(&["hours", "小时", "minutes", "分钟", "seconds", "秒"]);
                format!("{name}({small})")
            }
            Ty::Days(unit) => format!("{}({small})", self.dice.pick(&PERIODS[unit])),
            Ty::Share if wild => "percent(\"79228162514264337593543950335\")".to_owned(),
            Ty::Share => {
                let all =
                    ["percent(5)", "百分之(50)", "percent(\"2.5\")", "百分之(\"33.333\")", "percent(0)"];
                (self.dice.pick(&all)).to_owned()
            }
            Ty::Text => {
                let all = ["x", "", "web", "故障", "a } b", "it's // no", "failure", "=> , |"];
                let text = self.dice.pick(&all);
                return Some(self.named(text));
            }
            _ => return None,
        };
        let tight = !text.starts_with(['-', '0']);
        Some(Ex { text, tight, known: true, tame: !wild })
    }

    /// A text in quotes, known.
    pub(super) fn named(&mut self, text: &str) -> Ex {
        Ex { text: format!("\"{text}\""), tight: true, known: true, tame: true }
    }

    pub(super) fn quoted_of(&mut self, of: &[&str]) -> String {
        format!("\"{}\"", self.dice.pick(of))
    }

    pub(super) fn event(&mut self) -> &'static str {
        self.dice.pick(&EVENTS)
    }

    /// Words for people: written out, or computed.
    pub(super) fn prose(&mut self) -> Ex {
        let choice = self.choice();
        match self.dice.below(4) {
            0..2 => self.literal(Ty::Text).unwrap_or_else(|| self.named("why")),
            2 => self.expr(Ty::Text),
            _ => self.expr(Ty::OneOf(choice)),
        }
    }

    /// What is not computed with: verdicts, and lists of what clauses set.
    pub(super) fn list(&mut self, ty: Ty) -> Ex {
        let text = match ty {
            Ty::Verdict => {
                let names = self.dice.pick(&[["undecided", "未定"], ["free", "免费"], ["paid", "收费"]]);
                let args = if names[0] == "undecided" { Vec::new() } else { vec![self.prose()] };
                return self.word(&names, args);
            }
            Ty::Deadline => {
                let name = self.clock_name();
                return self.deadline(name, &[]);
            }
            Ty::Duty | Ty::Level | Ty::Cap => {
                let which = self.dice.below(12);
                return self.contract_item(ty, which);
            }
            Ty::Duties => self.contract_list(Ty::Duty),
            Ty::Levels => self.contract_list(Ty::Level),
            Ty::Caps => self.contract_list(Ty::Cap),
            Ty::Deadlines => self.deadlines(),
            Ty::Steps => self.steps(),
            Ty::Findings => {
                let mut items = Vec::new();
                for _ in 0..self.dice.below(3) {
                    let what = self.prose();
                    items.push(self.word(&["finding", "问题"], vec![what]).text);
                }
                self.bracketed(&items)
            }
            // A type of which nothing can be written out without a ticket in sight.
            Ty::OneOf(choice) => match self.ticket() {
                Some(ticket) if choice < 4 => {
                    let name = ["kind", "类别", "cause", "level"][choice];
                    format!("{ticket}.{name}")
                }
                _ => {
                    let all = ["usual", "usual", "usual", "usual", "mode", "calendar", "usual", "rhythm"];
                    let name = all[choice];
                    format!("terms.{name}")
                }
            },
            _ => return self.leaf(ty),
        };
        Ex { text, tight: true, known: false, tame: false }
    }

    pub(super) fn bracketed(&mut self, items: &[String]) -> String {
        let (gap, comma) = (self.gap(), self.comma());
        let last = if !items.is_empty() && self.dice.one_in(3) { "," } else { "" };
        format!("[{gap}{}{last}{gap}]", items.join(&comma))
    }

    /// A type that functions of the file take and give.
    pub(super) fn plain_type(&mut self) -> Ty {
        let unit = self.dice.below(PERIODS.len());
        let all = [
            Ty::Bool,
            Ty::Count,
            Ty::Money,
            Ty::Time(Elapse::Plain),
            Ty::Days(unit),
            Ty::Share,
            Ty::Instant,
            Ty::Text,
            Ty::OneOf(5),
            Ty::Time(Elapse::Elapsed),
        ];
        self.dice.pick(&all)
    }
}
