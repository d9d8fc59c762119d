//! Expressions of every type: signs, comparisons, calls, `if` and `switch` as values.

use super::world::{FACTS, PERIODS, ROUNDINGS, TABLES, TERMS};
use super::{Elapse, Ex, Maker, Ty};

/// How deep expressions and blocks may nest.
pub(super) const DEPTH_MAX: usize = 6;

impl Maker<'_> {
    /// An operand: nothing in it assigns.
    pub(super) fn expr(&mut self, ty: Ty) -> Ex {
        self.operands += 1;
        self.depth += 1;
        let ex = self.any(ty);
        self.depth -= 1;
        self.operands -= 1;
        ex
    }

    fn any(&mut self, ty: Ty) -> Ex {
        if self.fuel < 2 || self.depth > DEPTH_MAX {
            return self.leaf(ty);
        }
        self.fuel -= 1;
        match self.dice.below(10) {
            0..3 => self.leaf(ty),
            3..8 => self.made(ty),
            8 => self.called(ty).unwrap_or_else(|| self.leaf(ty)),
            _ => self.chosen(ty),
        }
    }

    /// The same, fit to stand beside a sign or before a dot.
    pub(super) fn tight(&mut self, ty: Ty) -> Ex {
        let ex = self.expr(ty);
        if ex.tight && !self.dice.one_in(12) {
            ex
        } else {
            Ex { text: format!("({})", ex.text), tight: true, ..ex }
        }
    }

    /// What has no parts, or only written-out ones.
    pub(super) fn leaf(&mut self, ty: Ty) -> Ex {
        if let (Some(ex), true) = (self.variable(ty), self.dice.one_in(2)) {
            return ex;
        }
        match self.dice.below(3) {
            0 => self.literal(ty).unwrap_or_else(|| self.asked(ty)),
            _ => self.asked(ty),
        }
    }

    fn variable(&mut self, ty: Ty) -> Option<Ex> {
        let fits = |var: &&super::Var| {
            var.ty == ty || matches!((var.ty, ty), (Ty::Time(Elapse::Plain), Ty::Time(_)))
        };
        let all: Vec<super::Var> = self.vars.iter().filter(fits).cloned().collect();
        if all.is_empty() {
            return None;
        }
        let var = self.dice.pick(&all).clone();
        Some(Ex { text: var.name, tight: true, known: var.known, tame: var.tame })
    }

    /// The ticket, if there is one in sight.
    pub(super) fn ticket(&mut self) -> Option<String> {
        let views: Vec<super::Var> = self.vars.iter().filter(|var| self.has_ticket(var)).cloned().collect();
        if views.is_empty() {
            return None;
        }
        let var = self.dice.pick(&views).clone();
        let ticket = match var.ty {
            Ty::Breach => format!("{}.{}", var.name, self.dice.pick(&["ticket", "工单"])),
            _ => var.name,
        };
        if self.fuel > 4 && self.dice.one_in(40) {
            self.fuel -= 4;
            let condition = self.tight(Ty::Bool).text;
            return Some(format!("(if {condition} {{ {ticket} }} else {{ {ticket} }})"));
        }
        Some(ticket)
    }

    /// Whether a variable is a ticket or leads to one.
    pub(super) fn has_ticket(&self, var: &super::Var) -> bool {
        var.ty == Ty::Ticket || var.ty == Ty::Breach && !self.of_duties
    }

    /// What the entry function was given, if it is of this type: by itself, in a variable, or chosen.
    pub(super) fn given(&mut self, ty: Ty) -> Option<String> {
        let all: Vec<String> =
            self.vars.iter().filter(|var| var.ty == ty).map(|var| var.name.clone()).collect();
        let name = (!all.is_empty()).then(|| self.dice.pick(&all))?;
        if self.fuel > 4 && self.dice.one_in(40) {
            self.fuel -= 4;
            let condition = self.tight(Ty::Bool).text;
            return Some(format!("(if {condition} {{ {name} }} else {{ {name} }})"));
        }
        Some(name)
    }

    /// The name of the clock, duty or level that it is about, with the names that there are.
    pub(super) fn named_view(&mut self) -> Option<(String, Vec<&'static str>)> {
        let (of, fields, names) = if let Some(breach) = self.given(Ty::Breach) {
            (breach, ["clock", "期限名"], self.clocks.clone())
        } else if let Some(period) = self.given(Ty::Period) {
            (period, ["name", "名称"], self.levels.clone())
        } else {
            let names = self.clocks.iter().chain(&self.levels).copied().collect();
            (self.given(Ty::Again)?, ["clock", "期限名"], names)
        };
        let field = self.dice.pick(&fields);
        (!names.is_empty()).then(|| (format!("{of}.{field}"), names))
    }

    /// The fields of a breach, a period or a repetition that have a type.
    fn fields(&mut self, ty: Ty) -> Vec<String> {
        let breach: &[(Ty, [&str; 2])] =
            &[(Ty::Instant, ["due", "到期时间"]), (Ty::Time(Elapse::Working), ["late", "逾期"])];
        let period: &[(Ty, [&str; 2])] = &[
            (Ty::Instant, ["from", "起"]),
            (Ty::Instant, ["end", "止"]),
            (Ty::Share, ["share", "达标率"]),
            (Ty::Count, ["total", "总数"]),
            (Ty::Count, ["met", "达标数"]),
            (Ty::Count, ["missed", "未达标数"]),
            (Ty::Time(Elapse::Working), ["downtime", "中断时间"]),
            (Ty::Money, ["invoiced", "开票金额"]),
        ];
        let again: &[(Ty, [&str; 2])] = &[(Ty::Instant, ["at", "时间"]), (Ty::Money, ["amount", "金额"])];
        let mut all = Vec::new();
        for (of, rows) in [(Ty::Breach, breach), (Ty::Period, period), (Ty::Again, again)] {
            let Some(name) = self.given(of) else { continue };
            for (_, names) in rows.iter().filter(|(has, _)| *has == ty) {
                let field = self.dice.pick(names);
                all.push(format!("{name}.{field}"));
            }
        }
        all
    }

    /// Whether a value of one type may stand for another.
    fn fits(has: Ty, ty: Ty) -> bool {
        has == ty || matches!((has, ty), (Ty::Time(Elapse::Plain), Ty::Time(_)))
    }

    /// A fact, a term or a field: the checker does not know its value.
    pub(super) fn asked(&mut self, ty: Ty) -> Ex {
        let mut all: Vec<String> = Vec::new();
        for row in &TERMS {
            let terms = self.dice.pick(&["terms", "约定"]);
            for name in row.names.into_iter().flatten().filter(|_| Self::fits(row.ty, ty)) {
                all.push(format!("{terms}.{name}"));
            }
        }
        if let Some(ticket) = self.ticket() {
            let first = self.dice.pick(&["", "", ".first", ".首次"]);
            for row in &FACTS {
                for (name, of) in row.names.into_iter().zip(row.types) {
                    all.extend(name.filter(|_| of == ty).map(|name| format!("{ticket}{first}.{name}")));
                }
            }
            match ty {
                Ty::Instant => all.push(format!("{ticket}.{}", self.dice.pick(&["reported_at", "报告时间"]))),
                Ty::Text => {
                    all.push(format!("{ticket}.{}", self.dice.pick(&["via", "渠道", "id", "编号"])));
                }
                Ty::Ticket => return Ex { text: ticket, tight: true, known: true, tame: true },
                _ => {}
            }
        }
        if ty == Ty::Instant {
            let contract = self.dice.pick(&["contract", "合同"]);
            let field = self.dice.pick(&["accepted_at", "验收时间", "signed_at", "签订时间"]);
            all.push(format!("{contract}.{field}"));
        }
        for field in self.fields(ty) {
            // Often, among so many terms.
            all.extend([field.clone(), field.clone(), field]);
        }
        if all.is_empty() {
            return self.literal(ty).unwrap_or_else(|| self.list(ty));
        }
        let text = self.dice.pick(&all).clone();
        Ex { text, tight: true, known: false, tame: false }
    }

    /// An instance of a type out of smaller parts.
    fn made(&mut self, ty: Ty) -> Ex {
        match ty {
            Ty::Bool => self.condition(),
            Ty::Count => self.count(),
            Ty::Money => self.money(),
            Ty::Time(elapse) => self.time(elapse),
            Ty::Days(unit) => {
                let n = self.amount_of();
                self.word(&PERIODS[unit], vec![n])
            }
            Ty::Share => self.share(),
            Ty::Instant => self.instant(),
            _ => self.list(ty),
        }
    }

    /// A number that a length is made of: the checker refuses a known one below zero.
    pub(super) fn amount_of(&mut self) -> Ex {
        self.unless(Ty::Count, |n| n.known && !n.tame)
    }

    /// An expression, or something asked for where the checker would refuse it.
    pub(super) fn unless(&mut self, ty: Ty, refused: impl Fn(&Ex) -> bool) -> Ex {
        let set = (self.clocks.clone(), self.levels.clone());
        let ex = self.tight(ty);
        if !refused(&ex) {
            return ex;
        }
        // The clocks that it sets are not set then.
        (self.clocks, self.levels) = set;
        self.asked(ty)
    }

    /// Two operands of which not both are known and wild: such a computation would be refused.
    fn pair(&mut self, left: Ty, right: Ty) -> (Ex, Ex) {
        let a = self.tight(left);
        let b = self.unless(right, |b| a.known && b.known && !(a.tame && b.tame));
        (a, b)
    }

    fn signed(&mut self, left: Ty, sign: &str, right: Ty) -> Ex {
        let (a, mut b) = self.pair(left, right);
        if sign == "%" && a.known && b.known {
            b = Ex { text: "7".to_owned(), tight: true, known: true, tame: true };
        }
        let known = a.known && b.known;
        let (before, after) = (self.gap(), self.gap());
        let text = format!("{}{before}{sign}{after}{}", a.text, b.text);
        let tame = known && (sign == "+" || sign == "%");
        Ex { text, tight: false, known, tame }
    }

    fn share(&mut self) -> Ex {
        match self.dice.below(8) {
            0..2 => {
                let sign = self.dice.pick(&["+", "-", "*"]);
                self.signed(Ty::Share, sign, Ty::Share)
            }
            2 => self.signed(Ty::Share, "*", Ty::Count),
            3..6 => self.looked_up(Ty::Share),
            _ => {
                let n = self.expr(Ty::Count);
                self.word(&["percent", "百分之"], vec![n])
            }
        }
    }

    /// What a table gives.
    fn looked_up(&mut self, ty: Ty) -> Ex {
        let tables: Vec<usize> = (0..TABLES.len()).filter(|table| TABLES[*table][1] == ty).collect();
        let which = self.dice.pick(&tables);
        let (table, x) = (self.tight(Ty::Table(which)), self.expr(TABLES[which][0]));
        Ex { known: false, tame: false, ..self.word(&["at", "对应"], vec![table, x]) }
    }

    fn count(&mut self) -> Ex {
        if let (Some(again), true) = (self.given(Ty::Again), self.dice.one_in(3)) {
            let unit = self.dice.pick(&[0, 0, 2]);
            let days = self.expr(Ty::Days(unit));
            let again = Ex { text: again, tight: true, known: true, tame: true };
            return Ex {
                known: false, tame: false, ..self.word(&["within", "不超过"], vec![again, days])
            };
        }
        match self.dice.below(10) {
            0..3 => {
                let sign = self.dice.pick(&["+", "-", "*", "%"]);
                self.signed(Ty::Count, sign, Ty::Count)
            }
            3 => {
                let inner = self.tight(Ty::Count);
                Ex { text: format!("-{}", inner.text), tight: false, known: inner.known, tame: false }
            }
            4 => {
                let n = 1 + self.dice.below(9);
                let text = format!("{} / {n}", n * self.dice.below(9));
                Ex { text, tight: false, known: true, tame: true }
            }
            5..8 => self.parts(),
            8 => self.share_parts(),
            _ => self.either(Ty::Count),
        }
    }

    /// `started` and `full`.
    fn parts(&mut self) -> Ex {
        let elapse = self.elapse();
        let time = self.expr(Ty::Time(elapse));
        let unit = if time.known || self.dice.one_in(2) {
            let n = 1 + self.dice.below(9);
            Ex { text: format!("hours({n})"), tight: true, known: true, tame: true }
        } else {
            self.expr(Ty::Time(elapse))
        };
        let names = self.dice.pick(&[["started", "不足计一"], ["full", "满一计一"]]);
        let tame = time.known && unit.known;
        Ex { tame: false, known: tame, ..self.word(&names, vec![time, unit]) }
    }

    /// The same of shares.
    fn share_parts(&mut self) -> Ex {
        let share = self.unless(Ty::Share, |share| share.known && !share.tame);
        let unit = if share.known || self.dice.one_in(2) {
            let n = 1 + self.dice.below(9);
            Ex { text: format!("percent({n})"), tight: true, known: true, tame: true }
        } else {
            self.unless(Ty::Share, |unit| unit.known)
        };
        let names = self.dice.pick(&[["started", "不足计一"], ["full", "满一计一"]]);
        let known = share.known && unit.known;
        Ex { tame: false, known, ..self.word(&names, vec![share, unit]) }
    }

    fn either(&mut self, ty: Ty) -> Ex {
        let (a, b) = (self.expr(ty), self.expr(ty));
        let (known, tame) = (a.known && b.known, a.tame && b.tame);
        let names = self.dice.pick(&[["min", "较小者"], ["max", "较大者"]]);
        Ex { known, tame, ..self.word(&names, vec![a, b]) }
    }

    fn money(&mut self) -> Ex {
        match self.dice.below(11) {
            0..2 => {
                let sign = self.dice.pick(&["+", "-"]);
                self.signed(Ty::Money, sign, Ty::Money)
            }
            2 => self.signed(Ty::Money, "*", Ty::Count),
            3 => self.signed(Ty::Count, "*", Ty::Money),
            4..6 => {
                let (share, whole) = self.pair(Ty::Share, Ty::Money);
                let rounding = self.dice.pick(&ROUNDINGS);
                let known = share.known && whole.known;
                let rounding = self.named(rounding);
                Ex { known, tame: known, ..self.word(&["of", "乘以"], vec![share, whole, rounding]) }
            }
            6..8 => self.either(Ty::Money),
            8..10 => self.looked_up(Ty::Money),
            _ => {
                let n = self.amount_of();
                self.word(&["yuan", "元"], vec![n])
            }
        }
    }

    fn time(&mut self, elapse: Elapse) -> Ex {
        match self.dice.below(7) {
            0 => {
                let sign = self.dice.pick(&["+", "-"]);
                self.signed(Ty::Time(elapse), sign, Ty::Time(elapse))
            }
            1 => self.signed(Ty::Time(elapse), "*", Ty::Count),
            2..4 if elapse == Elapse::Elapsed => self.signed(Ty::Instant, "-", Ty::Instant),
            _ => {
                let names = self.dice.pick(&[["hours", "小时"], ["minutes", "分钟"], ["seconds", "秒"]]);
                let n = self.amount_of();
                self.word(&names, vec![n])
            }
        }
    }

    fn instant(&mut self) -> Ex {
        match self.dice.below(3) {
            0 => {
                let elapse = self.dice.pick(&[Elapse::Plain, Elapse::Elapsed]);
                self.signed(Ty::Instant, "+", Ty::Time(elapse))
            }
            1 => self.leaf(Ty::Instant),
            _ => {
                let unit = self.dice.below(PERIODS.len());
                let (from, days) = (self.expr(Ty::Instant), self.expr(Ty::Days(unit)));
                self.word(&["plus", "加上"], vec![from, days])
            }
        }
    }

    pub(super) fn elapse(&mut self) -> Elapse {
        self.dice.pick(&[Elapse::Plain, Elapse::Working, Elapse::Elapsed])
    }

    /// A call of a function of the file.
    fn called(&mut self, ty: Ty) -> Option<Ex> {
        let all: Vec<super::Function> = self.functions.iter().filter(|f| f.gives == ty).cloned().collect();
        if all.is_empty() {
            return None;
        }
        let function = self.dice.pick(&all).clone();
        let mut args = Vec::new();
        for (param, known) in function.params {
            args.push(match (param, known) {
                (Ty::Ticket, _) => self.ticket()?,
                (_, true) => self.dice.below(10).to_string(),
                (param, false) => self.unless(param, |arg| arg.known).text,
            });
        }
        let comma = self.comma();
        let text = format!("{}({})", function.name, args.join(&comma));
        Some(Ex { text, tight: true, known: false, tame: false })
    }

    /// A word with its arguments, as a function or as a method, in either language.
    pub(super) fn word(&mut self, names: &[&str; 2], args: Vec<Ex>) -> Ex {
        let name = self.dice.pick(names);
        let (known, tame) = (args.iter().all(|arg| arg.known), args.iter().all(|arg| arg.tame));
        let comma = self.comma();
        let list = |args: &[Ex]| args.iter().map(|arg| arg.text.as_str()).collect::<Vec<_>>().join(&comma);
        let text = match args.split_first() {
            Some((first, rest)) if self.dice.one_in(2) => {
                let number = first.text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
                let receiver =
                    if first.tight && !number { first.text.clone() } else { format!("({})", first.text) };
                let dot = if self.odd { self.dice.pick(&[".", "\n  .", ". "]) } else { "." };
                format!("{receiver}{dot}{name}({})", list(rest))
            }
            _ => format!("{name}({})", list(&args)),
        };
        Ex { text, tight: true, known, tame }
    }
}
