//! Bodies: declarations, assignments, branches, loops, early returns; and branches as values.

use super::expressions::DEPTH_MAX;
use super::world::{CHOICES, HELD, TABLES};
use super::{Ex, Maker, Ty, Var};

impl Maker<'_> {
    /// The body of a function, without its brackets.
    pub(super) fn body(&mut self, gives: Ty) -> String {
        let (outer, outer_gives) = (self.vars.len(), self.gives);
        self.gives = gives;
        (self.operands, self.loops, self.depth) = (0, 0, 0);
        let mut text = self.statements(4);
        text.push_str(&self.result(gives));
        self.gives = outer_gives;
        self.vars.truncate(outer);
        text
    }

    /// A block in its brackets: its value, or nothing.
    fn block(&mut self, gives: Option<Ty>) -> String {
        let outer = self.vars.len();
        self.depth += 1;
        let mut text = if self.depth > DEPTH_MAX { String::new() } else { self.statements(2) };
        if let Some(ty) = gives {
            text.push_str(&self.result_value(ty));
        }
        self.depth -= 1;
        self.vars.truncate(outer);
        format!("{{{text}{}}}", self.gap())
    }

    fn statements(&mut self, most: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.dice.below(most + 1) {
            if self.fuel < 6 {
                break;
            }
            self.fuel -= 2;
            text.push_str(self.space());
            text.push_str(&self.statement());
        }
        text.push_str(self.space());
        text
    }

    /// The end of a function: its result.
    fn result(&mut self, ty: Ty) -> String {
        match self.dice.below(6) {
            0..3 => self.result_value(ty),
            3 => format!("return {};", self.value(ty).text),
            4 => {
                let condition = self.tight(Ty::Bool).text;
                let early = self.value(ty).text;
                let end = if self.dice.one_in(2) { ";" } else { "" };
                format!("if {condition} {{ return {early}{end} }}{}{}", self.space(), self.result_value(ty))
            }
            _ => format!("return {}", self.value(ty).text),
        }
    }

    /// A value at the end of a block, where statements may stand in its branches.
    fn result_value(&mut self, ty: Ty) -> String {
        match self.dice.below(4) {
            0 if self.roomy() => self.if_value(ty),
            1 if self.roomy() => self.switch(Some(ty)),
            _ => {
                let ex = self.expr(ty);
                // At the head of a statement an `if` or a bracket ends what is in sight.
                if ex.tight || !ex.text.starts_with(['i', 's', '{']) {
                    ex.text
                } else {
                    format!("({})", ex.text)
                }
            }
        }
    }

    fn roomy(&self) -> bool {
        self.fuel > 8 && self.depth < DEPTH_MAX
    }

    /// A value on the right of `=` or after `return`: its blocks may assign.
    fn value(&mut self, ty: Ty) -> Ex {
        let text = match self.dice.below(8) {
            0 if self.roomy() => self.if_value(ty),
            1 if self.roomy() => self.switch(Some(ty)),
            2 if self.roomy() => return self.block_value(ty),
            _ => return self.expr(ty),
        };
        Ex { text, tight: false, known: false, tame: false }
    }

    /// `if`, `switch` or a block inside an expression.
    pub(super) fn chosen(&mut self, ty: Ty) -> Ex {
        let text = match self.dice.below(4) {
            0..2 => self.if_value(ty),
            2 => self.switch(Some(ty)),
            _ => return self.block_value(ty),
        };
        Ex { text, tight: false, known: false, tame: false }
    }

    /// A block of one value is that value, which may be known.
    fn block_value(&mut self, ty: Ty) -> Ex {
        Ex { text: self.block(Some(ty)), tight: false, known: true, tame: false }
    }

    fn if_value(&mut self, ty: Ty) -> String {
        self.fuel = self.fuel.saturating_sub(4);
        let mut text = format!("if{}{}{}", self.space(), self.tight(Ty::Bool).text, self.gap());
        text.push_str(&self.branch(ty));
        while self.fuel > 10 && self.dice.one_in(4) {
            self.fuel -= 4;
            let condition = self.tight(Ty::Bool).text;
            text.push_str(&format!("{}else if {condition} {}", self.gap(), self.branch(ty)));
        }
        // Not all branches return: a value must come out.
        format!("{text}{}else{}{}", self.gap(), self.gap(), self.block(Some(ty)))
    }

    /// A branch that gives a value, or returns.
    fn branch(&mut self, ty: Ty) -> String {
        if self.dice.one_in(12) && self.fuel > 4 {
            let value = self.expr(self.gives).text;
            return format!("{{ return {value}; }}");
        }
        self.block(Some(ty))
    }

    fn statement(&mut self) -> String {
        match self.dice.below(12) {
            0..4 => self.declaration(),
            4..6 => self.assignment().unwrap_or_else(|| self.declaration()),
            6 => {
                let condition = self.tight(Ty::Bool).text;
                let (then, gap) = (self.block(None), self.gap());
                match self.dice.below(3) {
                    0 => format!("if {condition}{gap}{then}"),
                    1 => format!("if {condition}{gap}{then}{gap}else{gap}{}", self.block(None)),
                    _ => {
                        let second = self.tight(Ty::Bool).text;
                        format!("if {condition}{gap}{then} else if {second} {}", self.block(None))
                    }
                }
            }
            7 => {
                let condition = self.tight(Ty::Bool).text;
                let value = self.value(self.gives).text;
                format!("if {condition} {{{}return {value}; }}", self.comment())
            }
            8 => self.switch(None),
            9 => self.turns(),
            10 => match self.dice.below(3) {
                0 => ";".to_owned(),
                1 => {
                    let ty = self.plain_type();
                    format!("{};", self.tight(ty).text)
                }
                _ => format!("{}{}", self.block(None), self.comment()),
            },
            _ => self.declaration(),
        }
    }

    fn declaration(&mut self) -> String {
        let views = [Ty::Breach, Ty::Period, Ty::Again];
        let holds = self.held < HELD.len();
        let ty = match self.dice.below(10) {
            0 if self.gives == Ty::Deadlines => Ty::Deadline,
            0..2 if self.gives == Ty::Duties && holds => Ty::Duty,
            0..2 if self.gives == Ty::Levels && holds => Ty::Level,
            0..2 if self.gives == Ty::Caps && holds => Ty::Cap,
            1 if views.iter().any(|ty| self.vars.iter().any(|var| var.ty == *ty)) => {
                let held: Vec<Ty> =
                    self.vars.iter().map(|var| var.ty).filter(|ty| views.contains(ty)).collect();
                self.dice.pick(&held)
            }
            2 => Ty::Table(self.dice.below(TABLES.len())),
            1 if self.gives == Ty::Ticket || self.ticket_in_sight() => Ty::Ticket,
            _ => self.plain_type(),
        };
        let open = !self.dice.one_in(3);
        let word = if open { "let" } else { self.dice.pick(&["let", "const"]) };
        let (text, known, tame) = match ty {
            Ty::Deadline => {
                let name = self.clock_name();
                (self.deadline(name, &[]).text, false, false)
            }
            Ty::Duty | Ty::Level | Ty::Cap => {
                // Names of their own: a list may set each once.
                (self.held_item(ty).text, false, false)
            }
            Ty::Breach | Ty::Period | Ty::Again => (self.given(ty).unwrap_or_default(), true, true),
            Ty::Ticket => (self.ticket().unwrap_or_default(), true, true),
            _ => {
                let ex = self.value(ty);
                (ex.text, ex.known, ex.tame)
            }
        };
        let name = self.fresh();
        let gap = self.gap();
        let text = format!("{word} {name}{gap}={gap}{text};");
        let open = open && !matches!(ty, Ty::Deadline | Ty::Duty | Ty::Level | Ty::Cap);
        self.vars.push(Var { name, ty, open, known, tame });
        text
    }

    pub(super) fn ticket_in_sight(&self) -> bool {
        self.vars.iter().any(|var| self.has_ticket(var))
    }

    fn assignment(&mut self) -> Option<String> {
        let open: Vec<Var> = self.vars.iter().filter(|var| var.open).cloned().collect();
        if self.operands > 0 || open.is_empty() {
            return None;
        }
        let var = self.dice.pick(&open).clone();
        if var.ty == Ty::Ticket {
            return Some(format!("{} = {};", var.name, self.ticket()?));
        }
        let signs: &[(&str, Ty)] = match var.ty {
            Ty::Count => &[("+", Ty::Count), ("-", Ty::Count), ("*", Ty::Count), ("%", Ty::Count)],
            Ty::Money => &[("+", Ty::Money), ("-", Ty::Money), ("*", Ty::Count)],
            Ty::Time(_) => &[("+", var.ty), ("-", var.ty), ("*", Ty::Count)],
            Ty::Share => &[("+", Ty::Share), ("-", Ty::Share), ("*", Ty::Share), ("*", Ty::Count)],
            Ty::Breach | Ty::Period | Ty::Again => {
                return Some(format!("{} = {};", var.name, self.given(var.ty)?));
            }
            Ty::Instant => &[("+", Ty::Time(super::Elapse::Elapsed))],
            _ => &[],
        };
        let (sign, ty) = match signs.is_empty() || self.dice.one_in(2) {
            true => ("", var.ty),
            false => self.dice.pick(signs),
        };
        let gap = self.gap();
        let value = self.value(ty).text;
        Some(format!("{}{gap}{sign}={gap}{value};", var.name))
    }

    /// `for` over a range written out.
    fn turns(&mut self) -> String {
        if self.loops >= 2 || self.fuel < 10 {
            return self.declaration();
        }
        let first = self.dice.pick(&[1, 0, -2]);
        let last = first + i64::try_from(self.dice.below(4)).unwrap_or(0);
        let range = match self.dice.one_in(2) {
            true => format!("{first}..={last}"),
            false => format!("{first}..{}", last + 1),
        };
        let outer = self.vars.len();
        let name = self.fresh();
        let open = self.dice.one_in(4);
        self.vars.push(Var {
            name: name.clone(),
            ty: Ty::Count,
            open,
            known: true,
            tame: first >= 0 && !open,
        });
        self.loops += 1;
        self.fuel /= 2;
        let body = self.block(None);
        self.loops -= 1;
        self.vars.truncate(outer);
        format!("for {name} in {range} {body}")
    }

    /// `switch`, as a value or as a statement.
    fn switch(&mut self, gives: Option<Ty>) -> String {
        self.fuel = self.fuel.saturating_sub(5);
        let choice = self.choice();
        let named = self.named_view();
        let (on, mut cases, whole) = match self.dice.below(5) {
            0 => (self.tight(Ty::Bool).text, texts(&["true", "false"], ""), true),
            1 => (self.tight(Ty::Count).text, self.count_cases(), false),
            2 => (self.tight(Ty::Text).text, texts(&["x", "故障", "web", "=> , |"], "\""), false),
            3 if named.is_some() => {
                let (on, names) = named.unwrap_or_default();
                (on, texts(&names, "\""), true)
            }
            _ => (self.tight(Ty::OneOf(choice)).text, texts(CHOICES[choice], "\""), true),
        };
        let rest = !whole || self.dice.one_in(2);
        if rest && whole {
            cases.truncate(self.dice.below(cases.len()).max(1));
        }
        let mut arms: Vec<Vec<String>> = Vec::new();
        for case in cases {
            match arms.len() {
                n if n > 0 && self.dice.one_in(3) => arms[n - 1].push(case),
                _ => arms.push(vec![case]),
            }
        }
        let mut text = format!("switch {on}{}{{", self.gap());
        let mut first = true;
        for cases in arms {
            let bar = format!("{}|{}", self.gap(), self.gap());
            let (gap, space) = (self.gap(), self.space());
            let arm = self.arm(gives, first);
            first = false;
            text.push_str(&format!("{space}{}{gap}=>{gap}{arm}", cases.join(&bar)));
        }
        if rest {
            text.push_str(&format!(" _{}=> {}", self.gap(), self.arm(gives, false)));
        }
        text.push_str(self.space());
        text.push('}');
        text
    }

    /// What a case does, and the comma after it.
    fn arm(&mut self, gives: Option<Ty>, first: bool) -> String {
        match gives {
            Some(ty) if self.dice.one_in(2) => {
                let ex = self.expr(ty);
                let text = if ex.tight { ex.text } else { format!("({})", ex.text) };
                format!("{text},")
            }
            Some(ty) => {
                let branch = if first { self.block(Some(ty)) } else { self.branch(ty) };
                format!("{branch}{}", self.dice.pick(&[",", ""]))
            }
            None => {
                let block = self.block(None);
                format!("{block}{}", self.dice.pick(&[",", ""]))
            }
        }
    }

    /// Numbers far apart, or ranges that meet.
    fn count_cases(&mut self) -> Vec<String> {
        if self.dice.one_in(2) {
            return texts(&["0", "3", "-1", "9223372036854775807", "1_000"], "");
        }
        let mut next = self.dice.pick(&[0_i64, -5, 1]);
        let mut cases = Vec::new();
        for _ in 0..=self.dice.below(4) {
            let length = self.dice.pick(&[1_i64, 3, 20, 400]);
            cases.push(match (length, self.dice.below(3)) {
                (1, 0) => next.to_string(),
                (_, 1) => format!("{next}..{}", next + length),
                _ => format!("{next}..={}", next + length - 1),
            });
            next += length;
        }
        if self.dice.one_in(3) {
            cases.reverse();
        }
        // rhai wants single numbers before ranges.
        cases.sort_by_key(|case| case.contains(".."));
        cases
    }
}

fn texts(of: &[&str], quote: &str) -> Vec<String> {
    of.iter().map(|text| format!("{quote}{text}{quote}")).collect()
}
