//! rhai's syntax tree into a [`Program`](super::Program), with everything wrong on the way.

mod call;
mod chain;
mod choose;
mod compute;
mod deadlines;
mod duties;
mod names;
mod statement;
mod texts;

use statement::statement_begins as statement_at;

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, ImmutableString, Position, Stmt};

use super::source::{Source, Token};
use super::{Choice, Function, Node, Op, Program, Type};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::vocabulary::{ENTRIES, Names, Reads, Sort, Value, Words, global};

/// Entry functions by their places in [`ENTRIES`].
const DEADLINES: usize = 1;
const DUTIES: usize = 7;
const LEVELS: usize = 8;
const CREDIT: usize = 9;
const PENALTY: usize = 2;
const ESCALATION: usize = 4;
const REPEATED: usize = 11;

/// A program may have so many parts once its functions are inlined and its loops unrolled. The interpreter takes fewer than
/// four operations for each, and stays within its own limit.
const NODES_MAX: usize = 4_000;
/// Functions may call one another so deep; the interpreter allows one level more than is counted here.
const CALLS_MAX: usize = 14;
/// A message quotes names of the script; nobody reads longer ones.
const MESSAGE_MAX: usize = 400;
/// A function may have so many variables at once.
const VARIABLES_MAX: usize = 60;

/// One function of a clause file as rhai read it.
pub(crate) struct Script {
    pub(crate) name: ImmutableString,
    pub(crate) params: Vec<ImmutableString>,
    pub(crate) body: Vec<Stmt>,
    /// Where its `{` stands.
    pub(crate) start: Position,
}

/// What came of a clause file.
pub(crate) struct Lowered {
    pub(crate) program: Program,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The facts and terms that its text names anywhere.
    pub(crate) names: Reads,
    /// Where the name of each entry function stands.
    pub(crate) heads: [Option<Place>; ENTRIES.len()],
    /// The clocks, duties and levels that it sets, each with what it is.
    pub(crate) sets: Vec<(Sort, ImmutableString)>,
    /// Texts that must name something of the pack, which only the pack knows.
    pub(crate) named: Vec<(Names, ImmutableString, Place)>,
}

/// A variable while its function is read.
struct Variable {
    name: ImmutableString,
    slot: u16,
    of: Type,
    /// Its value, where it is known and never assigned.
    known: Option<Value>,
    constant: bool,
    declared: Place,
}

/// The work in hand.
struct Lowering<'a> {
    words: &'a Words,
    source: &'a Source,
    scripts: &'a BTreeMap<ImmutableString, Script>,
    /// The entry function being read.
    entry: usize,
    /// Variables in sight, from the outermost block of the function being read.
    variables: Vec<Variable>,
    /// Names assigned somewhere in the function being read: their values are not known.
    assigned: Vec<ImmutableString>,
    /// The functions being read, each called by the one before.
    calls: Vec<ImmutableString>,
    /// What the function being read returns early, joined.
    returned: Vec<(Type, Place)>,
    called: Vec<ImmutableString>,
    slots: usize,
    nodes: usize,
    /// The clocks and duties that the clause sets.
    clocks: Vec<ImmutableString>,
    /// The levels that it sets.
    levels: Vec<ImmutableString>,
    named: Vec<(Names, ImmutableString, Place)>,
    names: Reads,
    /// That there are too many parts was told.
    too_large: bool,
    /// Where variables are declared whose known value stands in for them.
    stood_in: BTreeSet<Place>,
    /// How many expressions deep: nothing there may assign.
    operands: usize,
    /// Reading what a time is cut into.
    counts_units: bool,
    /// The last `if` or branch without a value.
    open_if: Option<Place>,
    diagnostics: Vec<Diagnostic>,
}

/// The functions of a syntax tree. rhai keeps their bodies in a type that it does not name: a tree with one function alone is
/// walked, and what stands outermost is its body.
pub(crate) fn scripts(ast: &AST) -> BTreeMap<ImmutableString, Script> {
    // rhai keeps them in no order; of two of one name, which is told elsewhere, the first is read.
    let mut all: Vec<_> = ast.iter_fn_def().collect();
    all.sort_by_key(|def| {
        std::cmp::Reverse((def.body.start_position().line(), def.body.start_position().position()))
    });
    let definitions = all.into_iter().map(|def| {
        let mut alone = ast.clone_functions_only();
        alone.retain_functions(|_, _, name, params| name == def.name && params == def.params.len());
        let mut body = Vec::new();
        alone.walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(statement)] = path {
                body.push((*statement).clone());
            }
            true
        });
        let params = def.params.iter().cloned().collect();
        let script = Script { name: def.name.clone(), params, body, start: def.body.start_position() };
        (def.name.clone(), script)
    });
    definitions.collect()
}

/// Types a clause file.
pub(crate) fn lower(words: &Words, source: &Source, scripts: &BTreeMap<ImmutableString, Script>) -> Lowered {
    let mut lowering = Lowering {
        words,
        source,
        scripts,
        entry: 0,
        variables: Vec::new(),
        assigned: Vec::new(),
        calls: Vec::new(),
        returned: Vec::new(),
        called: Vec::new(),
        slots: 0,
        nodes: 0,
        clocks: Vec::new(),
        levels: Vec::new(),
        named: Vec::new(),
        names: Reads::default(),
        too_large: false,
        stood_in: BTreeSet::new(),
        operands: 0,
        counts_units: false,
        open_if: None,
        diagnostics: Vec::new(),
    };
    lowering.check_names();
    lowering.check_letters();
    let mut program = Program::default();
    // `deadlines`, `duties` and `service_levels` before the others: they name what these set.
    for place in [DEADLINES, DUTIES, LEVELS, 0, 2, 3, 4, 5, 6, CREDIT, 10, 11] {
        if let Some(script) = lowering.entry_script(place)
            && let Some(function) = lowering.entry_function(place, script)
            && let Some(slot) = program.entries.get_mut(place)
        {
            *slot = Some(function);
        }
    }
    lowering.check_unused();
    lowering.check_company();
    lowering.duty_findings(&program);
    lowering.clock_findings(&program);
    // What an error hides may be what reads a value.
    if !lowering.diagnostics.iter().any(Diagnostic::is_error) {
        super::unread::check(&program, source, &lowering.stood_in, &mut lowering.diagnostics);
    }
    let clock = if lowering.has_entry(DUTIES) { Sort::Duty } else { Sort::Deadline };
    let mut diagnostics = lowering.diagnostics;
    // A function that is called twice is read twice.
    diagnostics.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
    diagnostics.dedup();
    let heads = std::array::from_fn(|place| {
        let names = ENTRIES.get(place).map_or(["", ""], |entry| entry.names);
        names.iter().find_map(|name| source.function(name)).map(|(token, _)| source.place_of(token))
    });
    let clocks = lowering.clocks.into_iter().map(|name| (clock, name));
    let sets = clocks.chain(lowering.levels.into_iter().map(|name| (Sort::Level, name))).collect();
    Lowered { program, diagnostics, names: lowering.names, heads, sets, named: lowering.named }
}

impl<'a> Lowering<'a> {
    fn tell(&mut self, mut diagnostic: Diagnostic) {
        if diagnostic.message.chars().count() > MESSAGE_MAX {
            diagnostic.message = diagnostic.message.chars().take(MESSAGE_MAX).chain(['…']).collect();
        }
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, code: Code, at: Position, message: impl Into<String>) {
        let place = self.source.place(at);
        self.tell(Diagnostic::new(code, place, message));
    }

    /// Tells of a mistake and gives a part of no known type, so that it is told once.
    fn refuse(&mut self, code: Code, at: Position, message: impl Into<String>) -> Node {
        self.error(code, at, message);
        unknown(at)
    }

    fn node(&mut self, op: Op, of: Type, at: Position) -> Node {
        self.nodes += 1;
        Node { op, of, at }
    }

    /// Whether there are too many parts already; told once.
    fn is_full(&mut self, at: Position) -> bool {
        let full = self.nodes > NODES_MAX;
        if full && !self.too_large {
            self.too_large = true;
            let message = format!(
                "the clause is too large: at most {NODES_MAX} parts, with all calls and all turns of loops written out"
            );
            self.error(Code::TOO_LARGE, at, message);
        }
        full
    }

    fn script_place(&self, name: &str) -> Place {
        self.source
            .function(name)
            .map_or_else(|| Place::file(&self.source.file), |(token, _)| self.source.place_of(token))
    }

    /// The one function of an entry, by either of its names.
    fn entry_script(&self, place: usize) -> Option<&'a Script> {
        let names = ENTRIES.get(place)?.names;
        names.iter().find_map(|name| self.scripts.get(*name))
    }

    fn entry_function(&mut self, place: usize, script: &'a Script) -> Option<Function> {
        let entry = ENTRIES.get(place)?;
        if script.params.len() != usize::from(entry.takes.is_some()) {
            return None;
        }
        self.entry = place;
        self.slots = 0;
        self.nodes = 0;
        let args =
            entry.takes.into_iter().map(|sort| Node::known(Value::View(sort), Type::of(sort), script.start));
        let args: Vec<Node> = args.collect();
        let body = self.inlined(script, args, script.start)?;
        let name = self.source.function(&script.name).map(|(token, _)| token.clone());
        self.check_result(entry.expected, place, &body.of, &script.name, name.as_ref());
        Some(Function { body, slots: self.slots })
    }

    /// Whether an entry function gives what it must.
    fn check_result(&mut self, expected: &str, place: usize, of: &Type, script: &str, name: Option<&Token>) {
        let Some(entry) = ENTRIES.get(place) else { return };
        let fits = match of {
            Type::Unknown | Type::Nothing => return,
            Type::List(None) => entry.gives == Sort::List,
            Type::List(Some(item)) => {
                entry.gives == Sort::List && (item.is_settled() || item.sort() == Some(entry.of))
            }
            other => entry.gives != Sort::List && other.sort() == Some(entry.gives),
        };
        if !fits {
            let place =
                name.map_or_else(|| Place::file(&self.source.file), |token| self.source.place_of(token));
            let message = format!("`{script}` gives {of}: expected {expected}");
            self.tell(Diagnostic::new(Code::RESULT, place, message).label(format!("gives {of}")));
        }
    }

    /// The body of a function with its parameters bound. Nothing when it is too deep or calls itself.
    fn inlined(&mut self, script: &'a Script, args: Vec<Node>, at: Position) -> Option<Node> {
        if self.calls.contains(&script.name) {
            let first = self.calls.iter().position(|name| *name == script.name).unwrap_or(0);
            let mut chain: Vec<String> =
                self.calls.iter().skip(first).map(|name| format!("`{name}`")).collect();
            chain.push(format!("`{}`", script.name));
            let message = format!("`{}` calls itself: {}", script.name, chain.join(" calls "));
            let place = self.script_place(&script.name);
            let told = Diagnostic::new(Code::RECURSION, place, message);
            let told = match self.calls.get(first + 1) {
                Some(other) => told.related(self.script_place(other), "by way of this function"),
                None => told.related(self.source.place(at), "called again here"),
            };
            self.tell(told);
            return None;
        }
        if self.is_full(at) {
            return None;
        }
        if self.calls.len() >= CALLS_MAX {
            let message = format!(
                "the calls go too deep: at most {CALLS_MAX} functions, each called by the one before"
            );
            self.error(Code::TOO_LARGE, at, message);
            return None;
        }
        let outer_variables = std::mem::take(&mut self.variables);
        let outer_assigned = std::mem::replace(&mut self.assigned, statement::assigned(&script.body));
        let outer_returned = std::mem::take(&mut self.returned);
        let outer_operands = std::mem::take(&mut self.operands);
        let outer_units = std::mem::take(&mut self.counts_units);
        let outer_if = self.open_if.take();
        self.calls.push(script.name.clone());
        let places: Vec<Place> = self
            .source
            .function(&script.name)
            .map(|(_, params)| params.iter().map(|token| self.source.place_of(token)).collect())
            .unwrap_or_default();
        let mut sets = Vec::new();
        for (i, (name, arg)) in script.params.iter().zip(args).enumerate() {
            let declared = places.get(i).cloned().unwrap_or_else(|| Place::file(&self.source.file));
            sets.extend(self.parameter(name, arg, declared));
        }
        let body = self.block(&script.body, script.start, true);
        let returned = std::mem::replace(&mut self.returned, outer_returned);
        let of = self.result(script, &body, returned);
        self.calls.pop();
        (self.operands, self.counts_units, self.open_if) = (outer_operands, outer_units, outer_if);
        self.variables = outer_variables;
        self.assigned = outer_assigned;
        if sets.is_empty() && !body.returns() {
            // Nothing of the call is left but its body.
            return Some(Node { of, ..body });
        }
        let op = Op::Call { args: sets, body: Box::new(body) };
        Some(self.node(op, of, at))
    }

    /// Binds a parameter: a value that is known stands for itself.
    fn parameter(&mut self, name: &ImmutableString, arg: Node, declared: Place) -> Option<Node> {
        self.check_shadowing(name, &declared);
        let known = match &arg.op {
            Op::Const(value) if !self.assigned.contains(name) => Some(value.clone()),
            _ => None,
        };
        let of = arg.of.clone();
        let keeps = known.is_some();
        // A value that stands for itself needs no place.
        let slot = if keeps { u16::MAX } else { self.slot() };
        self.variables.push(Variable { name: name.clone(), slot, of, known, constant: false, declared });
        let at = self.token_position(&self.variables.last().map(|v| v.declared.clone()), arg.at);
        let op = Op::Set { slot, value: Box::new(arg), name: name.clone(), declares: true };
        (!keeps).then(|| self.node(op, Type::Nothing, at))
    }

    fn token_position(&self, declared: &Option<Place>, otherwise: Position) -> Position {
        let number = |n: usize| u16::try_from(n).ok().filter(|n| *n > 0);
        match declared.as_ref().and_then(|place| Some((number(place.line)?, number(place.column)?))) {
            Some((line, column)) => Position::new(line, column),
            None => otherwise,
        }
    }

    fn slot(&mut self) -> u16 {
        self.slots += 1;
        u16::try_from(self.slots - 1).unwrap_or(u16::MAX)
    }

    fn check_shadowing(&mut self, name: &ImmutableString, declared: &Place) {
        if let Some(known) = self.variables.iter().find(|variable| variable.name == *name) {
            let message = format!("`{name}` hides another variable of this name");
            let diagnostic = Diagnostic::new(Code::SHADOWING, declared.clone(), message)
                .related(known.declared.clone(), "the one it hides")
                .help("give it another name, or assign to the first without `let`");
            self.tell(diagnostic);
        } else if global(name).is_some() {
            let message = format!(
                "`{name}` hides the {}: name it otherwise",
                if global(name) == Some(Sort::Terms) { "terms" } else { "contract" }
            );
            self.tell(Diagnostic::new(Code::SHADOWING, declared.clone(), message));
        }
        if self.variables.len() >= VARIABLES_MAX && !std::mem::replace(&mut self.too_large, true) {
            let message = format!("more than {VARIABLES_MAX} variables at once");
            self.tell(Diagnostic::new(Code::TOO_LARGE, declared.clone(), message));
        }
    }

    /// What a function gives on all its paths together.
    fn result(&mut self, script: &Script, body: &Node, returned: Vec<(Type, Place)>) -> Type {
        if body.of == Type::Nothing {
            let place = self.open_if.take().unwrap_or_else(|| self.script_place(&script.name));
            let message = format!("`{}` has a path without a result", script.name);
            let help = "give every `if` an `else`, and let the last line of the function be its result";
            self.tell(Diagnostic::new(Code::NO_RESULT, place, message).help(help));
            return Type::Unknown;
        }
        let mut of = body.of.clone();
        for (other, place) in returned {
            match of.join(&other) {
                Some(joined) => of = joined,
                None => {
                    let message = format!("`{}` gives {other} here and {of} elsewhere", script.name);
                    self.tell(Diagnostic::new(Code::BRANCHES, place, message));
                    of = Type::Unknown;
                }
            }
        }
        of
    }

    /// The texts that the name of a clock, duty or level can be.
    fn name_choice(&self, of: &str, clocks: bool, levels: bool) -> Type {
        let named = self.clocks.iter().filter(|_| clocks).chain(self.levels.iter().filter(|_| levels));
        let values: Vec<ImmutableString> = named.cloned().collect();
        match values.is_empty() {
            true => Type::Text,
            false => Type::OneOf(Choice { of: of.to_owned(), values: values.into() }),
        }
    }
}

/// A part about which something was told already.
fn unknown(at: Position) -> Node {
    Node { op: Op::Block(Vec::new()), of: Type::Unknown, at }
}

/// Where an expression begins in the text: for `a + b` at `a`.
fn begins(expr: &Expr) -> Position {
    match expr {
        Expr::FnCall(call, pos) if call.is_operator_call() && call.args.len() == 2 => {
            call.args.first().map_or(*pos, begins)
        }
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => begins(&pair.lhs),
        Expr::And(items, _) | Expr::Or(items, _) | Expr::Coalesce(items, _) => {
            items.first().map_or_else(|| expr.position(), begins)
        }
        _ => expr.position(),
    }
}
