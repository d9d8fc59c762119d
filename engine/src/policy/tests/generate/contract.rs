//! Duties, service levels and caps: setters in any order, as methods and as functions, held in variables, made by functions.

use super::world::{
    CALENDARS, CLAUSES, CLOCKS, CONTRACT_EVENTS, FACTS, HELD, LEVELS, PERIODS, RULES, SERVICES,
};
use super::{Ex, Maker, Ty};

impl Maker<'_> {
    /// A list of duties, levels or caps.
    pub(super) fn contract_list(&mut self, ty: Ty) -> String {
        let mut items: Vec<String> = Vec::new();
        let mut held: Vec<String> =
            self.vars.iter().filter(|var| var.ty == ty).map(|var| var.name.clone()).collect();
        let count = self.dice.below(4);
        let start = self.dice.below(12);
        for i in 0..count {
            let item = match self.dice.below(9) {
                0 | 1 if !held.is_empty() => {
                    let text = held.remove(self.dice.below(held.len()));
                    let var = Ex { text, tight: true, known: false, tame: false };
                    self.any_setter(ty, var).text
                }
                2 if self.fuel > 12 => {
                    self.fuel -= 6;
                    let condition = self.tight(Ty::Bool).text;
                    let (a, b) =
                        (self.contract_item(ty, start + i).text, self.contract_item(ty, start + i).text);
                    format!("if {condition} {{ {a} }} else {{ {b} }}")
                }
                3 | 4 => self.wrapped(ty, start + i),
                _ => self.contract_item(ty, start + i).text,
            };
            items.push(item);
        }
        self.bracketed(&items)
    }

    /// One of them through a function of the file that changes it.
    fn wrapped(&mut self, ty: Ty, which: usize) -> String {
        let item = self.contract_item(ty, which).text;
        let all: Vec<super::Function> =
            self.functions.iter().filter(|function| function.gives == ty).cloned().collect();
        if all.is_empty() {
            return item;
        }
        let function = self.dice.pick(&all);
        let mut args = vec![item];
        for (param, _) in function.params.iter().skip(1) {
            args.push(self.unless(*param, |arg| arg.known).text);
        }
        let comma = self.comma();
        format!("{}({})", function.name, args.join(&comma))
    }

    /// A function that changes a duty, a level or a cap.
    pub(super) fn wrapper(&mut self) -> String {
        self.names += 1;
        let name = format!("{}{}", self.dice.pick(&["with", "改"]), self.names);
        let ty = self.dice.pick(&[Ty::Duty, Ty::Level, Ty::Cap, Ty::Deadline]);
        let more = self.plain_type();
        self.entry = super::world::Entry::Applies;
        self.fuel = 10 + self.dice.below(10);
        self.vars.clear();
        let mut list = Vec::new();
        for ty in [ty, more] {
            let named = self.fresh();
            list.push(named.clone());
            self.vars.push(super::Var { name: named, ty, open: false, known: false, tame: false });
        }
        let held = Ex { text: list[0].clone(), tight: true, known: false, tame: false };
        let (mut text, space) = (String::new(), self.space());
        if self.dice.one_in(3) {
            text = format!("{space}let 先 = {};", self.any_setter(ty, held.clone()).text);
        }
        let held = if text.is_empty() { held } else { Ex { text: "先".to_owned(), ..held } };
        let result = self.any_setter(ty, held).text;
        self.functions.push(super::Function {
            name: name.clone(),
            params: vec![(ty, false), (more, false)],
            gives: ty,
        });
        let comma = self.comma();
        format!("fn {name}({}) {{{text}{space}{result} }}", list.join(&comma))
    }

    /// A duty, a level or a cap for a variable.
    pub(super) fn held_item(&mut self, ty: Ty) -> Ex {
        let name = HELD.get(self.held).copied();
        self.held += 1;
        self.contract_item_named(ty, 0, name)
    }

    /// A duty, a level or a cap with everything that it needs.
    pub(super) fn contract_item(&mut self, ty: Ty, which: usize) -> Ex {
        self.contract_item_named(ty, which, None)
    }

    fn contract_item_named(&mut self, ty: Ty, which: usize, held: Option<&'static str>) -> Ex {
        self.fuel = self.fuel.saturating_sub(3);
        let (mut made, mut setters, kinds) = match ty {
            Ty::Duty => {
                let name = held.unwrap_or(CLOCKS[which % CLOCKS.len()]);
                self.sets(name);
                let name = self.named(name);
                (self.word(&["duty", "一项义务"], vec![name]), vec![0, 1], 6)
            }
            Ty::Level => {
                let name = held.unwrap_or(LEVELS[which % LEVELS.len()]);
                if !self.levels.contains(&name) {
                    self.levels.push(name);
                }
                let name = self.named(name);
                if self.dice.one_in(3) {
                    let clock = |maker: &mut Self| {
                        let name = maker.dice.pick(&CLOCKS);
                        maker.named(name)
                    };
                    (self.repeated(&["in_time", "按时率"], name, clock), Vec::new(), 7)
                } else {
                    (self.word(&["availability", "可用率"], vec![name]), Vec::new(), 10)
                }
            }
            _ => (self.cap(), Vec::new(), 1),
        };
        for _ in 0..self.dice.below(4) {
            setters.push(self.dice.below(kinds));
        }
        for i in (1..setters.len()).rev() {
            setters.swap(i, self.dice.below(i + 1));
        }
        for setter in setters {
            made = self.contract_setter(ty, made, setter);
        }
        Ex { known: false, tame: false, ..made }
    }

    /// A setter that fits whatever was made before.
    fn any_setter(&mut self, ty: Ty, held: Ex) -> Ex {
        let setter = match ty {
            Ty::Duty => self.dice.below(6),
            Ty::Level => self.dice.below(7),
            _ => 0,
        };
        if ty == Ty::Deadline {
            let length = self.length();
            return self.word(&["within", "不超过"], vec![held, length]);
        }
        self.contract_setter(ty, held, setter)
    }

    fn contract_setter(&mut self, ty: Ty, of: Ex, setter: usize) -> Ex {
        match (ty, setter) {
            (Ty::Duty, 0) if self.dice.one_in(3) => self.word(&["once", "仅一次"], vec![of]),
            (Ty::Duty, 0) => {
                let rule = match self.dice.below(4) {
                    0 => self.expr(Ty::OneOf(super::world::RHYTHM)),
                    _ => {
                        let rule = self.dice.pick(RULES);
                        self.named(rule)
                    }
                };
                self.word(&["every", "每逢"], vec![of, rule])
            }
            (Ty::Duty, 1) => {
                let length = self.positive_length();
                self.word(&["within", "不超过"], vec![of, length])
            }
            (Ty::Duty, 2) => {
                let time = self.positive_time();
                self.word(&["early", "可提前"], vec![of, time])
            }
            (Ty::Duty, 3) => self.repeated(&["needs", "须附"], of, |maker| {
                let facts: Vec<&str> = FACTS.iter().flat_map(|row| row.names).flatten().collect();
                let fact = maker.dice.pick(&facts);
                maker.named(fact)
            }),
            (Ty::Duty, 4) | (Ty::Level, 4) => {
                let calendar = self.calendar();
                self.word(&["in_calendar", "按日历"], vec![of, calendar])
            }
            (Ty::Duty, _) | (Ty::Level, 5) => {
                let event = self.dice.pick(&CONTRACT_EVENTS);
                let event = self.named(event);
                self.word(&["starts_on", "起算于"], vec![of, event])
            }
            (Ty::Cap, _) => self.repeated(&["for_clauses", "适用条款"], of, |maker| {
                let clause = maker.dice.pick(&CLAUSES);
                maker.named(clause)
            }),
            (_, setter) => self.level_setter(of, setter),
        }
    }

    fn level_setter(&mut self, of: Ex, setter: usize) -> Ex {
        match setter {
            0 => {
                let all = [["per_month", "按月"], ["per_quarter", "按季"], ["per_year", "按年"]];
                let names = self.dice.pick(&all);
                self.word(&names, vec![of])
            }
            1 => {
                let n = self.months();
                self.word(&["over_months", "连续数月"], vec![of, n])
            }
            2 | 3 => {
                let length = self.positive_length();
                self.word(&["settles_after", "结算期"], vec![of, length])
            }
            6 => {
                let (n, share) = (self.months(), self.expr(Ty::Share));
                self.word(&["earned_back", "可赚回"], vec![of, n, share])
            }
            7 => {
                let service = match self.dice.below(3) {
                    0 => self.expr(Ty::Text),
                    _ => {
                        let service = self.dice.pick(&SERVICES);
                        self.named(service)
                    }
                };
                self.word(&["of_service", "针对服务"], vec![of, service])
            }
            8 => {
                let time = self.positive_time();
                self.word(&["announced", "须提前公告"], vec![of, time])
            }
            _ => self.word(&["planned_counts", "计划停机计入"], vec![of]),
        }
    }

    fn cap(&mut self) -> Ex {
        let limit = self.unless(Ty::Money, |limit| limit.known && !limit.tame);
        let all = [
            ["cap_per_ticket", "每单封顶"],
            ["cap_per_month", "每月封顶"],
            ["cap_per_quarter", "每季封顶"],
            ["cap_per_year", "每年封顶"],
            ["cap_in_all", "总额封顶"],
        ];
        if self.dice.one_in(5) {
            let n = self.months();
            return self.word(&["cap_over_months", "连续数月封顶"], vec![n, limit]);
        }
        let names = self.dice.pick(&all);
        self.word(&names, vec![limit])
    }

    /// So many months: written out, or something that the checker does not know.
    fn months(&mut self) -> Ex {
        match self.dice.below(3) {
            0 => self.unless(Ty::Count, |n| n.known),
            _ => {
                let n = self.dice.pick(&["12", "1", "3", "120"]);
                Ex { text: n.to_owned(), tight: true, known: true, tame: true }
            }
        }
    }

    pub(super) fn positive_time(&mut self) -> Ex {
        let elapse = self.elapse();
        self.unless(Ty::Time(elapse), |time| time.known && !time.tame)
    }

    fn positive_length(&mut self) -> Ex {
        let unit = self.dice.below(PERIODS.len());
        match self.dice.one_in(2) {
            true => self.positive_time(),
            false => self.expr(Ty::Days(unit)),
        }
    }

    pub(super) fn calendar(&mut self) -> Ex {
        match self.dice.below(3) {
            0 => self.expr(Ty::OneOf(5)),
            _ => {
                let name = self.dice.pick(&CALENDARS);
                self.named(name)
            }
        }
    }
}
