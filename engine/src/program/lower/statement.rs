//! Statements and blocks.

use rhai::{ASTFlags, ASTNode, Expr, ImmutableString, Position, Stmt};

use super::{Lowering, Node, Op, Type, Variable, begins, unknown};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::hint;
use crate::program::Elapse;
use crate::vocabulary::{Sign, Sort, Value, gives};

/// A loop over a written-out range is unrolled so often at most.
const TURNS_MAX: i64 = 64;

/// The names that a body assigns to anywhere.
pub(super) fn assigned(body: &[Stmt]) -> Vec<ImmutableString> {
    let mut names = Vec::new();
    let mut path = Vec::new();
    for statement in body {
        statement.walk(&mut path, &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Stmt(Stmt::Assignment(pair))) = path.last()
                && let Expr::Variable(parts, ..) = &pair.1.lhs
            {
                names.push(parts.1.clone());
            }
            true
        });
        path.clear();
    }
    names
}

impl Lowering<'_> {
    /// A block; `wants` its value, or not.
    pub(super) fn block(&mut self, statements: &[Stmt], at: Position, wants: bool) -> Node {
        let outer = self.variables.len();
        let mut nodes = Vec::new();
        let mut of = Type::Nothing;
        let last = statements.len().saturating_sub(1);
        for (i, statement) in statements.iter().enumerate() {
            if of == Type::Never {
                let place = self.source.place(statement_begins(statement));
                self.tell(Diagnostic::new(
                    Code::UNREACHABLE,
                    place,
                    "this is never reached: the line before returns",
                ));
                break;
            }
            if self.is_full(at) {
                nodes.push(unknown(at));
                of = Type::Unknown;
                break;
            }
            let node = self.statement(statement, wants && i == last);
            if i != last {
                self.open_if = None;
            }
            // A statement in the middle gives its value away, but may end the function.
            of = if i == last || node.of == Type::Never { node.of.clone() } else { Type::Nothing };
            nodes.push(node);
        }
        self.variables.truncate(outer);
        match (nodes.len(), nodes.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                nodes.extend(last);
                self.node(Op::Block(nodes), of, at)
            }
        }
    }

    fn statement(&mut self, statement: &Stmt, wants: bool) -> Node {
        let at = statement_begins(statement);
        match statement {
            Stmt::Noop(_) => self.node(Op::Block(Vec::new()), Type::Nothing, at),
            Stmt::Expr(expr) => self.expr_wanted(expr, wants),
            Stmt::FnCall(call, pos) => self.call(call, *pos),
            Stmt::Block(block) => self.block(block.statements(), block.position(), wants),
            Stmt::If(control, pos) => self.choose(control, *pos, wants),
            Stmt::Switch(parts, pos) => self.switch(&parts.0, &parts.1, *pos, wants),
            Stmt::Var(parts, flags, _) => self.variable(&parts.0.name, parts.0.pos, &parts.1, *flags),
            Stmt::Assignment(parts) => self.assignment(&parts.0, &parts.1.lhs, &parts.1.rhs),
            Stmt::Return(value, flags, pos) if !flags.contains(ASTFlags::BREAK) => {
                self.returns(value.as_deref(), *pos)
            }
            Stmt::Return(_, _, pos) => self.refuse(
                Code::EXCEPTION,
                *pos,
                "`throw` is not part of the language: a clause gives an answer for every ticket",
            ),
            Stmt::TryCatch(_, pos) => self.refuse(
                Code::EXCEPTION,
                *pos,
                "`try` is not part of the language: an error must stop the ticket, not be hidden",
            ),
            Stmt::While(_, pos) | Stmt::Do(_, _, pos) => {
                let word = self.source.at(*pos).and_then(|i| self.source.tokens.get(i));
                let word = word.map_or("while", |token| token.text.as_str()).to_owned();
                let help = "count in `for i in 1..=3`, or say it without a loop";
                let place = self.source.place(*pos);
                let message =
                    format!("`{word}` may never end: only `for` over a range written out ends for sure");
                self.tell(Diagnostic::new(Code::LOOP, place, message).help(help));
                unknown(*pos)
            }
            Stmt::For(parts, pos) => {
                let (name, counter, control) = &**parts;
                if let Some(counter) = counter {
                    return self.refuse(Code::CONSTRUCT, counter.pos, "a `for` has one variable here");
                }
                self.turns(&name.name, name.pos, &control.expr, control.body.statements(), *pos)
            }
            Stmt::BreakLoop(_, _, pos) => {
                self.refuse(Code::CONSTRUCT, *pos, "`break` and `continue` are not part of the language")
            }
            _ => self.refuse(Code::CONSTRUCT, at, "this is not part of the language"),
        }
    }

    fn variable(&mut self, name: &ImmutableString, pos: Position, init: &Expr, flags: ASTFlags) -> Node {
        let place = self.source.place(pos);
        if flags.contains(ASTFlags::EXPORTED) {
            return self.refuse(Code::IMPORT, pos, "`export` is not part of the language");
        }
        if matches!(init, Expr::Unit(_)) {
            return self.refuse(Code::CONSTRUCT, pos, format!("`{name}` needs a value: `let {name} = ...`"));
        }
        let value = self.expr_wanted(init, true);
        self.check_shadowing(name, &place);
        let of = self.needed(&value, pos, &format!("`{name}`"));
        let known = match &value.op {
            Op::Const(known) if !self.assigned.contains(name) && value.of != Type::Unknown => {
                Some(known.clone())
            }
            _ => None,
        };
        let slot = self.slot();
        let constant = flags.contains(ASTFlags::CONSTANT);
        self.variables.push(Variable { name: name.clone(), slot, of, known, constant, declared: place });
        let ends = value.of == Type::Never;
        let op = Op::Set { slot, value: Box::new(value), name: name.clone(), declares: true };
        self.node(op, if ends { Type::Never } else { Type::Nothing }, pos)
    }

    /// The type of a value that is used; told when there is none.
    pub(super) fn needed(&mut self, value: &Node, at: Position, whose: &str) -> Type {
        if value.of != Type::Nothing {
            return value.of.clone();
        }
        let place = self.open_if.take().unwrap_or_else(|| self.source.place(at));
        let message = format!("{whose} has a path without a result");
        let help = "give every `if` an `else`, and let each branch end in a value";
        self.tell(Diagnostic::new(Code::NO_RESULT, place, message).help(help));
        Type::Unknown
    }

    fn assignment(&mut self, op: &rhai::OpAssignment, target: &Expr, value: &Expr) -> Node {
        let at = begins(target);
        let Some(name) = variable_name(target) else {
            let message = "only variables are assigned to: facts and terms stand as they are";
            return self.refuse(Code::CONSTRUCT, at, message);
        };
        let value = self.expr_wanted(value, true);
        let of = self.needed(&value, at, &format!("`{name}`"));
        if self.operands > 0 {
            let message = "an assignment inside an expression: assign on a line of its own";
            return self.refuse(Code::CONSTRUCT, at, message);
        }
        let found = self.variables.iter().rev().find(|variable| variable.name == name);
        let Some(variable) = found else {
            if crate::vocabulary::global(&name).is_some() {
                return self.refuse(Code::CONSTRUCT, at, format!("`{name}` cannot be assigned to"));
            }
            let near = hint(&name, self.variables.iter().map(|variable| variable.name.as_str()));
            return self.refuse(Code::UNKNOWN_NAME, at, format!("unknown variable `{name}`{near}"));
        };
        let (slot, was, declared) = (variable.slot, variable.of.clone(), variable.declared.clone());
        if variable.constant {
            let message = format!("`{name}` is a constant: declare it with `let` to change it");
            let diagnostic = Diagnostic::new(Code::CONSTRUCT, self.source.place(at), message);
            self.tell(diagnostic.related(declared, "declared here"));
            return unknown(at);
        }
        let mut before = None;
        let (value, of) = match op.get_op_assignment_info() {
            None => (value, of),
            Some((.., syntax)) => {
                let mut value = self.comes_out(value, op.position());
                // What is on the right comes first, and may assign to the same variable.
                if assigns(&value, slot) {
                    let (held, at) = (self.slot(), value.at);
                    let of = value.of.clone();
                    let name = ImmutableString::new();
                    let op = Op::Set { slot: held, value: Box::new(value), name, declares: true };
                    before = Some(self.node(op, Type::Nothing, at));
                    value = self.node(Op::Slot(held), of, at);
                }
                let read = self.node(Op::Slot(slot), was.clone(), at);
                let sum = match Sign::of(syntax) {
                    Some(sign) => self.computed(sign, read, value, op.position()),
                    None => self.refuse(
                        Code::CONSTRUCT,
                        op.position(),
                        format!("`{syntax}=` is not part of the language"),
                    ),
                };
                let of = sum.of.clone();
                (sum, of)
            }
        };
        match was.join(&of) {
            Some(joined) => {
                if let Some(variable) = self.variables.iter_mut().rev().find(|variable| variable.slot == slot)
                {
                    variable.of = joined;
                }
            }
            None => {
                let message = format!("`{name}` is {was}, and is given {of}");
                let diagnostic = Diagnostic::new(Code::UNITS, self.source.place(at), message);
                self.tell(diagnostic.related(declared, format!("{was} here")));
            }
        }
        let op = Op::Set { slot, value: Box::new(value), name, declares: false };
        let set = self.node(op, Type::Nothing, at);
        match before {
            Some(before) => self.node(Op::Block(vec![before, set]), Type::Nothing, at),
            None => set,
        }
    }

    fn returns(&mut self, value: Option<&Expr>, at: Position) -> Node {
        let Some(value) = value else {
            return self.refuse(Code::NO_RESULT, at, "`return` without a result");
        };
        let node = self.expr_wanted(value, true);
        let of = self.needed(&node, begins(value), "`return`");
        let place = self.source.place(begins(value));
        self.returned.push((of, place));
        self.node(Op::Return(Box::new(node)), Type::Never, at)
    }

    /// `for i in 1..=3`, turn by turn.
    fn turns(
        &mut self,
        name: &ImmutableString,
        pos: Position,
        range: &Expr,
        body: &[Stmt],
        at: Position,
    ) -> Node {
        let literal = |expr: &Expr| match expr {
            Expr::IntegerConstant(n, _) => Some(*n),
            _ => None,
        };
        let ends = match range {
            Expr::FnCall(call, _) if call.name == ".." || call.name == "..=" => {
                let last = call.args.get(1).and_then(literal);
                let last = if call.name == ".." { last.map(|n| n.saturating_sub(1)) } else { last };
                call.args.first().and_then(literal).zip(last)
            }
            _ => None,
        };
        let Some((first, last)) = ends else {
            let message = "a `for` goes over a range written out in numbers, such as `1..=3`";
            return self.refuse(Code::LOOP, at, message);
        };
        if first > last {
            return self.refuse(
                Code::CONSTANT,
                at,
                "this range holds no number: what stands in it never runs",
            );
        }
        if last.saturating_sub(first) >= TURNS_MAX {
            return self.refuse(Code::TOO_LARGE, at, format!("a `for` has at most {TURNS_MAX} turns"));
        }
        let declared = self.source.place(pos);
        self.check_shadowing(name, &declared);
        let known = !self.assigned.contains(name);
        let mut turns = Vec::new();
        let mut of = Type::Nothing;
        for n in first..=last {
            let slot = if known { u16::MAX } else { self.slot() };
            let value = Node::known(Value::Count(n), Type::Count, pos);
            self.variables.push(Variable {
                name: name.clone(),
                slot,
                of: Type::Count,
                known: known.then_some(Value::Count(n)),
                constant: false,
                declared: declared.clone(),
            });
            if !known {
                // The turn's number is not the author's assignment: it has no name to be told of.
                let op =
                    Op::Set { slot, value: Box::new(value), name: ImmutableString::new(), declares: true };
                turns.push(self.node(op, Type::Nothing, pos));
            }
            let turn = self.block(body, at, false);
            let returns = turn.of == Type::Never;
            turns.push(turn);
            self.variables.pop();
            if returns {
                of = Type::Never;
                break;
            }
            if self.is_full(at) {
                return unknown(at);
            }
        }
        self.node(Op::Block(turns), of, at)
    }

    /// Two numbers with a sign between them, as the table of signs has them.
    pub(super) fn computed(&mut self, sign: Sign, left: Node, right: Node, at: Position) -> Node {
        let Some(of) = self.sign_type(sign, &left, &right, at) else { return unknown(at) };
        self.node(Op::Compute(sign, Box::new([left, right])), of, at)
    }

    /// What a sign gives; told and nothing when it does not fit.
    fn sign_type(&mut self, sign: Sign, left: &Node, right: &Node, at: Position) -> Option<Type> {
        let (a, b) = (left.of.sort()?, right.of.sort()?);
        let place = self.source.place(at);
        let (l, r) = (&left.of, &right.of);
        if sign == Sign::Over {
            return self.division(left, right, place);
        }
        let fraction = [a, b].contains(&Sort::Share) && [a, b].contains(&Sort::Money);
        if fraction && sign == Sign::Times {
            let message = "a share of an amount needs a named rounding";
            let help = "say `share.of(amount, \"half_up\")`";
            self.tell(
                Diagnostic::new(Code::FRACTION, place, message).label(format!("{l} times {r}")).help(help),
            );
            return None;
        }
        let mixed = |message: String| {
            Diagnostic::new(Code::UNITS, place.clone(), message).label(format!("{l} and {r}"))
        };
        let Some(given) = gives(a, sign, b) else {
            let told = mixed(format!("`{}` does not take {l} and {r}", sign.text()));
            self.tell(told);
            return None;
        };
        let elapse = |of: &Type| if let Type::Time(elapse) = of { *elapse } else { Elapse::Plain };
        match (a, sign, b) {
            (Sort::Instant, Sign::Minus, Sort::Instant) => Some(Type::Time(Elapse::Elapsed)),
            (Sort::Instant, Sign::Plus, Sort::Time) if elapse(r) == Elapse::Working => {
                let told =
                    mixed("working time is added to an instant: only a calendar can do that".to_owned());
                self.tell(
                    told.help("give the clock this length with `within`, or compare lateness with lateness"),
                );
                None
            }
            (Sort::Time, _, Sort::Time) => match elapse(l).join(elapse(r)) {
                Some(joined) => Some(Type::Time(joined)),
                None => {
                    let told = mixed(format!("`{}` mixes {l} with {r}", sign.text()));
                    self.tell(told);
                    None
                }
            },
            (Sort::Time, _, _) => Some(l.clone()),
            _ => Some(Type::of(given)),
        }
    }

    /// `/`: between numbers only when it is written out and comes out even; never of money or time.
    fn division(&mut self, left: &Node, right: &Node, place: Place) -> Option<Type> {
        let (l, r) = (&left.of, &right.of);
        let told = |message: String, help: &str| {
            Diagnostic::new(Code::DIVISION, place.clone(), message)
                .label(format!("{l} by {r}"))
                .help(help.to_owned())
        };
        let diagnostic = match (l, r) {
            (Type::Count, Type::Count) => match (&left.op, &right.op) {
                (Op::Const(Value::Count(a)), Op::Const(Value::Count(b))) if a.checked_rem(*b) == Some(0) => {
                    return Some(Type::Count);
                }
                (Op::Const(Value::Count(a)), Op::Const(Value::Count(0))) => {
                    Diagnostic::new(Code::CONSTANT, place, format!("{a} cannot be divided by 0"))
                }
                _ => told(
                    "a division of whole numbers drops its remainder".to_owned(),
                    "count in smaller units, or write the result as a term",
                ),
            },
            (Type::Time(_), _) => told(
                format!("{l} is not divided by {r}: say how a part counts"),
                "`late.started(hours(1))` counts the hour begun, `late.full(hours(1))` only full ones",
            ),
            (Type::Money, _) => told(
                format!("{l} is not divided by {r}: a fraction of the smallest coin must be rounded by name"),
                "take a share of it: `percent(50).of(amount, \"half_up\")`",
            ),
            _ => told(format!("`/` does not take {l} and {r}"), "count in whole units"),
        };
        self.tell(diagnostic);
        None
    }
}

/// Whether a value, while it is computed, assigns to a variable.
fn assigns(value: &Node, variable: u16) -> bool {
    let mut found = false;
    value.walk(&mut |node| found |= matches!(&node.op, Op::Set { slot, .. } if *slot == variable));
    found
}

fn variable_name(expr: &Expr) -> Option<ImmutableString> {
    match expr {
        Expr::Variable(parts, ..) => Some(parts.1.clone()),
        _ => None,
    }
}

/// Where a statement begins in the text.
pub(super) fn statement_begins(statement: &Stmt) -> Position {
    match statement {
        Stmt::Expr(expr) => begins(expr),
        Stmt::Assignment(parts) => begins(&parts.1.lhs),
        other => other.position(),
    }
}
