//! Clause files made up at random: well typed, over the whole language. Text in, text out: nothing of the engine is used, so
//! that the fuzz targets can share it.

#[path = "generate/choices.rs"]
pub(crate) mod choices;
#[path = "generate/clocks.rs"]
mod clocks;
#[path = "generate/conditions.rs"]
mod conditions;
#[path = "generate/contract.rs"]
mod contract;
#[path = "generate/expressions.rs"]
mod expressions;
#[path = "generate/statements.rs"]
mod statements;
#[path = "generate/values.rs"]
mod values;
#[path = "generate/world.rs"]
pub(crate) mod world;

use choices::Choices;
use world::{ENTRIES, Entry};

/// The type of an expression, as far as the generator must know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Bool,
    Count,
    Money,
    Time(Elapse),
    /// With the place of its word in [`world::PERIODS`].
    Days(usize),
    Share,
    Instant,
    Text,
    /// With its place in [`world::CHOICES`].
    OneOf(usize),
    Ticket,
    Breach,
    Period,
    Again,
    /// A table of terms, with its place in [`world::TABLES`].
    Table(usize),
    Deadline,
    Deadlines,
    Steps,
    Verdict,
    Findings,
    Duty,
    Duties,
    Level,
    Levels,
    Cap,
    Caps,
}

/// How a time was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elapse {
    Plain,
    Elapsed,
    Working,
}

/// An expression as text.
#[derive(Clone, Debug)]
pub(crate) struct Ex {
    pub(crate) text: String,
    /// It can stand beside a sign or before a dot without brackets.
    pub(crate) tight: bool,
    /// The checker knows its value, and would refuse a computation that cannot be.
    pub(crate) known: bool,
    /// A known value that is small and not negative.
    pub(crate) tame: bool,
}

/// A variable in sight.
#[derive(Clone, Debug)]
struct Var {
    name: String,
    ty: Ty,
    /// May be assigned to.
    open: bool,
    known: bool,
    tame: bool,
}

/// A function of the file that can be called.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    /// Each parameter, and whether it is given a written-out small number.
    params: Vec<(Ty, bool)>,
    gives: Ty,
}

/// A clause file being made up.
pub(crate) struct Maker<'c> {
    dice: &'c mut Choices,
    vars: Vec<Var>,
    functions: Vec<Function>,
    /// The clocks that `deadlines` may set, when it was written.
    clocks: Vec<&'static str>,
    /// The levels that `service_levels` may set.
    levels: Vec<&'static str>,
    /// How many duties, levels and caps are held in variables.
    held: usize,
    /// The file sets duties, whose breaches have no ticket.
    of_duties: bool,
    entry: Entry,
    /// What the function being written gives.
    gives: Ty,
    names: usize,
    /// How much may still be written.
    fuel: usize,
    /// Inside an expression nothing may be assigned.
    operands: usize,
    /// How many loops deep.
    loops: usize,
    /// How many brackets deep.
    depth: usize,
    odd: bool,
}

/// Makes up a clause file, header included, and tells the clocks or duties and the levels that it sets.
pub(crate) fn clause(dice: &mut Choices) -> (String, [Vec<&'static str>; 2]) {
    let crlf = dice.one_in(8);
    let odd = dice.one_in(3);
    let mut maker = Maker {
        dice,
        vars: Vec::new(),
        functions: Vec::new(),
        clocks: Vec::new(),
        levels: Vec::new(),
        held: 0,
        of_duties: false,
        entry: Entry::Applies,
        gives: Ty::Bool,
        names: 0,
        fuel: 0,
        operands: 0,
        loops: 0,
        depth: 0,
        odd,
    };
    let body = maker.file();
    let text = format!("//! clause: 1\n{body}");
    (if crlf { text.replace('\n', "\r\n") } else { text }, [maker.clocks, maker.levels])
}

impl Maker<'_> {
    fn file(&mut self) -> String {
        let mut parts = Vec::new();
        for _ in 0..self.dice.below(4) {
            let part = if self.dice.one_in(5) { self.wrapper() } else { self.helper() };
            parts.push(part);
        }
        for row in self.chosen_entries() {
            parts.push(self.entry(row));
        }
        if self.dice.one_in(3) {
            parts.reverse();
        }
        let mut text = String::new();
        for part in parts {
            text.push_str(&self.comment());
            text.push_str(self.dice.pick(&["", "", "/// told\n"]));
            text.push_str(&part);
            text.push_str(if self.dice.one_in(4) { "\n\n\t" } else { "\n" });
        }
        text
    }

    /// Which entry functions the file has; what others name comes first.
    fn chosen_entries(&mut self) -> Vec<&'static world::EntryRow> {
        let first = self.dice.below(ENTRIES.len());
        let mut chosen: Vec<&'static world::EntryRow> = Vec::new();
        for (entry, row) in ENTRIES.iter().enumerate() {
            if entry == first || self.dice.one_in(4) {
                chosen.push(row);
            }
        }
        let has = |chosen: &[&world::EntryRow], entry| chosen.iter().any(|row| row.entry == entry);
        // `credit` prices levels, which may be none.
        if has(&chosen, Entry::Credit) && !has(&chosen, Entry::Levels) {
            chosen.extend(ENTRIES.iter().filter(|row| row.entry == Entry::Levels));
        }
        if has(&chosen, Entry::Repeated) && !has(&chosen, Entry::Penalty) && !has(&chosen, Entry::Credit) {
            chosen.extend(ENTRIES.iter().filter(|row| row.entry == Entry::Penalty));
        }
        if has(&chosen, Entry::Deadlines) && has(&chosen, Entry::Duties) {
            let other = self.dice.pick(&[Entry::Duties, Entry::Deadlines]);
            chosen.retain(|row| row.entry != other);
        }
        self.of_duties = has(&chosen, Entry::Duties);
        chosen.sort_by_key(|row| !matches!(row.entry, Entry::Deadlines | Entry::Duties | Entry::Levels));
        chosen
    }

    fn entry(&mut self, row: &world::EntryRow) -> String {
        let name = self.dice.pick(&row.names).to_owned();
        self.entry = row.entry;
        let (ty, names) = match row.entry {
            Entry::Floor | Entry::Duties | Entry::Levels | Entry::Caps => (Ty::Bool, &[][..]),
            Entry::Penalty => (Ty::Breach, &["breach", "b", "违约"][..]),
            Entry::Credit => (Ty::Period, &["level", "l", "水平"][..]),
            Entry::Repeated => (Ty::Again, &["again", "r", "前例"][..]),
            _ => (Ty::Ticket, &["ticket", "t", "工单"][..]),
        };
        let param = (!names.is_empty()).then(|| self.dice.pick(names));
        self.fuel = 30 + self.dice.below(60);
        self.vars = param
            .map(|name| Var { name: name.to_owned(), ty, open: false, known: true, tame: true })
            .into_iter()
            .collect();
        let body = self.body(row.gives);
        if row.entry == Entry::Floor && name == "deposit_floor" || row.entry == Entry::Applies {
            let params = if row.entry == Entry::Floor { Vec::new() } else { vec![(Ty::Ticket, false)] };
            self.functions.push(Function { name: name.clone(), params, gives: row.gives });
        }
        let gap = self.gap();
        format!("fn{}{name}{gap}({}){gap}{{{body}}}", " ", param.unwrap_or_default())
    }

    /// A function of the file's own.
    fn helper(&mut self) -> String {
        self.names += 1;
        let name = format!("{}{}", self.dice.pick(&["help", "计算", "_f"]), self.names);
        self.entry = Entry::Applies;
        self.fuel = 10 + self.dice.below(30);
        let gives = self.plain_type();
        let mut params = Vec::new();
        self.vars.clear();
        for _ in 0..self.dice.below(4) {
            let ty = if self.dice.one_in(3) { Ty::Ticket } else { self.plain_type() };
            let known = ty == Ty::Count && self.dice.one_in(3);
            let is_ticket = ty == Ty::Ticket;
            let named = self.fresh();
            params.push((ty, known));
            let open = !known && !is_ticket;
            self.vars.push(Var { name: named, ty, open, known: known || is_ticket, tame: known });
        }
        let list: Vec<String> = self.vars.iter().map(|var| var.name.clone()).collect();
        let body = self.body(gives);
        self.functions.push(Function { name: name.clone(), params, gives });
        let comma = self.comma();
        format!("fn {name}({}) {{{body}}}", list.join(&comma))
    }

    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("{}{}", self.dice.pick(&["x", "值", "v_", "_n"]), self.names)
    }

    /// Nothing, or a comment line.
    fn comment(&mut self) -> String {
        self.dice.pick(&["", "", "// once { \"\n", "/* 注 /* in */ */\n"]).to_owned()
    }

    /// Space that may be left out.
    fn gap(&mut self) -> &'static str {
        match self.odd {
            true => self.dice.pick(&[" ", "", "  ", "\n", " /* } */ ", "\t", "// \"\n"]),
            false => " ",
        }
    }

    /// Space that may not.
    fn space(&mut self) -> &'static str {
        match self.odd {
            true => self.dice.pick(&[" ", "  ", "\n", " /* => */ ", "\t", "// ,\n"]),
            false => " ",
        }
    }

    fn comma(&mut self) -> String {
        format!("{},{}", if self.odd { self.gap() } else { "" }, self.gap())
    }
}
