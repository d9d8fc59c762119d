//! Deadlines and steps: setters in any order, as methods and as functions.

use super::world::{CLOCKS, PERIODS, REASONS, ROLES};
use super::{Ex, Maker, Ty};

impl Maker<'_> {
    pub(super) fn clock_name(&mut self) -> &'static str {
        let name = self.dice.pick(&CLOCKS);
        self.sets(name);
        name
    }

    pub(super) fn sets(&mut self, name: &'static str) {
        if !self.clocks.contains(&name) {
            self.clocks.push(name);
        }
    }

    pub(super) fn deadlines(&mut self) -> String {
        let mut items = Vec::new();
        let mut seen: Vec<&'static str> = Vec::new();
        let count = self.dice.below(4);
        let start = self.dice.below(CLOCKS.len());
        for i in 0..count {
            let name = CLOCKS[(start + i) % CLOCKS.len()];
            let held: Vec<String> =
                self.vars.iter().filter(|var| var.ty == Ty::Deadline).map(|var| var.name.clone()).collect();
            let item = match self.dice.below(8) {
                0 if !held.is_empty() => {
                    let held = self.dice.pick(&held).clone();
                    let length = self.length();
                    let held = Ex { text: held, tight: true, known: false, tame: false };
                    self.word(&["within", "不超过"], vec![held, length]).text
                }
                1 if self.fuel > 10 => {
                    self.fuel -= 5;
                    self.sets(name);
                    let condition = self.tight(Ty::Bool).text;
                    let (a, b) = (self.deadline(name, &seen).text, self.deadline(name, &[]).text);
                    format!("if {condition} {{ {a} }} else {{ {b} }}")
                }
                _ => {
                    self.sets(name);
                    let deadline = self.deadline(name, &seen).text;
                    seen.push(name);
                    deadline
                }
            };
            items.push(item);
        }
        self.bracketed(&items)
    }

    pub(super) fn length(&mut self) -> Ex {
        let (elapse, unit) = (self.elapse(), self.dice.below(PERIODS.len()));
        let ty = if self.dice.one_in(2) { Ty::Time(elapse) } else { Ty::Days(unit) };
        self.expr(ty)
    }

    /// A deadline with everything that it needs; may start after one of the clocks before it.
    pub(super) fn deadline(&mut self, name: &str, before: &[&'static str]) -> Ex {
        self.fuel = self.fuel.saturating_sub(3);
        let mut setters = vec![0, 1];
        for _ in 0..self.dice.below(5) {
            setters.push(2 + self.dice.below(8));
        }
        for i in (1..setters.len()).rev() {
            setters.swap(i, self.dice.below(i + 1));
        }
        let name = self.named(name);
        let mut due = self.word(&["due", "限时"], vec![name]);
        for setter in setters {
            due = self.set(due, setter, before);
        }
        Ex { known: false, tame: false, ..due }
    }

    fn set(&mut self, due: Ex, setter: usize, before: &[&'static str]) -> Ex {
        match setter {
            0 if self.dice.one_in(6) => {
                let name = self.dice.pick(&["plan_due", "方案日期"]);
                let unit = self.dice.below(PERIODS.len());
                let (fact, days) = (self.named(name), self.expr(Ty::Days(unit)));
                self.word(&["before", "早于"], vec![due, fact, days])
            }
            0 if self.dice.one_in(6) => {
                let name = self.dice.pick(&["plan_due", "方案日期"]);
                let fact = self.named(name);
                self.word(&["by", "截止于"], vec![due, fact])
            }
            0 | 2 => {
                let length = self.length();
                self.word(&["within", "不超过"], vec![due, length])
            }
            1 | 3 => self.repeated(&["met_by", "视为完成"], due, Self::event_name),
            4 => self.repeated(&["starts_on", "起算于"], due, Self::event_name),
            5 if !before.is_empty() => {
                let name = self.dice.pick(before);
                let clock = self.named(name);
                self.word(&["after_breach_of", "违约后起算"], vec![due, clock])
            }
            6 => self.word(&["pauses", "可暂停"], vec![due]),
            7 => self.repeated(&["pauses_for", "因故暂停"], due, |maker| match maker.dice.below(4) {
                0 => maker.expr(Ty::Text),
                _ => {
                    let reason = maker.dice.pick(&REASONS);
                    maker.named(reason)
                }
            }),
            8 => {
                let time = self.positive_time();
                self.word(&["pauses_at_most", "暂停不超过"], vec![due, time])
            }
            _ => {
                let calendar = self.calendar();
                self.word(&["in_calendar", "按日历"], vec![due, calendar])
            }
        }
    }

    fn event_name(&mut self) -> Ex {
        let name = self.event();
        self.named(name)
    }

    /// A word that takes several names, or one list of them.
    pub(super) fn repeated(
        &mut self,
        names: &[&str; 2],
        of: Ex,
        mut item: impl FnMut(&mut Self) -> Ex,
    ) -> Ex {
        let count = 1 + self.dice.below(3);
        let mut items: Vec<Ex> = (0..count).map(|_| item(self)).collect();
        if self.dice.one_in(4) {
            let texts: Vec<String> = items.iter().map(|item| item.text.clone()).collect();
            items = vec![Ex { text: self.bracketed(&texts), tight: true, known: false, tame: false }];
        }
        items.insert(0, of);
        self.word(names, items)
    }

    pub(super) fn steps(&mut self) -> String {
        let clocks = self.clocks.clone();
        let mut items = Vec::new();
        let count = if clocks.is_empty() || self.of_duties { 0 } else { self.dice.below(4) };
        for _ in 0..count {
            let clock = self.dice.pick(&clocks);
            let clock = self.named(clock);
            let step = match self.dice.below(3) {
                0 => self.word(&["at_breach", "违约时"], vec![clock]),
                1 => {
                    let elapse = self.elapse();
                    let time = self.expr(Ty::Time(elapse));
                    self.word(&["after_breach", "违约后"], vec![clock, time])
                }
                _ => {
                    let share = self.unless(Ty::Share, |share| share.known);
                    self.word(&["at_share", "用时达"], vec![clock, share])
                }
            };
            let told = self.repeated(&["notify", "通知"], step, |maker| {
                let role = maker.dice.pick(&ROLES);
                maker.named(role)
            });
            items.push(told.text);
        }
        self.bracketed(&items)
    }
}
