//! Expressions.

use rhai::{Expr, FnCallExpr, ImmutableString, Position};

use super::choose::listed;
use super::{Lowering, Node, Op, Type, begins, unknown};
use crate::diagnostic::{Code, Diagnostic};
use crate::nearest::hint;
use crate::program::Elapse;
use crate::vocabulary::{ENTRIES, GLOBALS, Relation, Sign, Value, global, negate};

/// The entry in which numbers are the supplier's own and not the contract's.
const ESCALATION: usize = 4;

impl Lowering<'_> {
    /// An expression whose value is wanted or not; blocks may stand here.
    pub(super) fn expr_wanted(&mut self, expr: &Expr, wants: bool) -> Node {
        match expr {
            Expr::Stmt(block) => self.block(block.statements(), block.position(), wants),
            other => self.expr(other),
        }
    }

    /// An expression inside another: nothing in it may assign.
    pub(super) fn operand(&mut self, expr: &Expr) -> Node {
        self.operands += 1;
        let node = self.expr_wanted(expr, true);
        self.operands -= 1;
        if node.of == Type::Nothing {
            self.needed(&node, begins(expr), "this");
            return unknown(node.at);
        }
        self.comes_out(node, begins(expr))
    }

    /// A value that is computed with must come out: one that always returns is a line of its own.
    pub(super) fn comes_out(&mut self, node: Node, at: Position) -> Node {
        match node.of {
            Type::Never => {
                self.refuse(Code::CONSTRUCT, at, "this always returns: `return` stands on a line of its own")
            }
            _ => node,
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Node {
        let at = expr.position();
        if self.is_full(at) {
            return unknown(at);
        }
        let node = match expr {
            Expr::BoolConstant(yes, _) => Node::known(Value::Bool(*yes), Type::Bool, at),
            Expr::IntegerConstant(n, _) => {
                self.number(*n, at);
                Node::known(Value::Count(*n), Type::Count, at)
            }
            Expr::StringConstant(text, _) => Node::known(Value::Text(text.clone()), Type::Text, at),
            Expr::Variable(parts, ..) => self.name(&parts.1, at),
            Expr::And(items, _) => self.logic(items, Op::And, at),
            Expr::Or(items, _) => self.logic(items, Op::Or, at),
            Expr::FnCall(call, pos) if call.is_operator_call() => self.sign(call, *pos),
            Expr::FnCall(call, pos) => self.call(call, *pos),
            Expr::Dot(..) => self.chain(expr),
            Expr::Array(items, _) => self.list(items, at),
            Expr::Stmt(block) => self.block(block.statements(), block.position(), true),
            other => self.foreign(other, at),
        };
        // A value that is known is a part too: the interpreter computes it.
        self.nodes += usize::from(matches!(node.op, Op::Const(_)));
        node
    }

    /// What rhai has and the language has not.
    fn foreign(&mut self, expr: &Expr, at: Position) -> Node {
        let message = match expr {
            Expr::DynamicConstant(value, _) if value.is_fnptr() => {
                return self.refuse(Code::CLOSURE, at, "a function without a name: define it with `fn`");
            }
            Expr::DynamicConstant(..) => {
                "a number with decimals: write `percent(\"2.5\")` or `money(\"2.50\")`, so that its unit is known"
            }
            Expr::InterpolatedString(..) => "a text with values in it: texts stand as they are written",
            Expr::Unit(_) => "`()` is nothing: every path needs a result",
            Expr::Map(..) => "maps are not part of the language: read facts and terms",
            Expr::Index(..) => {
                "`[...]` after a value is not part of the language: facts are read by their names"
            }
            Expr::ThisPtr(_) => "`this` is not part of the language",
            Expr::Coalesce(..) => "`??` is not part of the language: ask `ticket.knows(\"fact\")` first",
            Expr::CharConstant(..) => "a text stands in double quotes",
            _ => "this is not part of the language",
        };
        self.refuse(Code::CONSTRUCT, at, message)
    }

    /// A number written in a script: the contract's numbers belong in dated terms.
    fn number(&mut self, n: i64, at: Position) {
        if self.entry != ESCALATION && !self.counts_units && !(-1..=1).contains(&n) {
            self.lint_number(at);
        }
    }

    pub(super) fn lint_number(&mut self, at: Position) {
        if self.entry == ESCALATION || self.counts_units {
            return;
        }
        let place = self.source.place(at);
        let text = self
            .source
            .at(at)
            .and_then(|i| self.source.tokens.get(i))
            .map_or("", |token| token.text.as_str());
        let message = format!("a number of the contract stands in the script: {text}");
        let help = "put it into terms.toml with its date and clause, and read it as `terms.name`";
        self.tell(Diagnostic::new(Code::NUMBER, place, message).help(help));
    }

    fn name(&mut self, name: &ImmutableString, at: Position) -> Node {
        if let Some(variable) = self.variables.iter().rev().find(|variable| variable.name == *name) {
            let (slot, of, known) = (variable.slot, variable.of.clone(), variable.known.clone());
            let declared = variable.declared.clone();
            return match known {
                Some(value) => {
                    self.stood_in.insert(declared);
                    Node::known(value, of, at)
                }
                None => self.node(Op::Slot(slot), of, at),
            };
        }
        if let Some(sort) = global(name) {
            return Node::known(Value::View(sort), Type::of(sort), at);
        }
        let known = self.variables.iter().map(|variable| variable.name.as_str());
        let near = hint(name, known.chain(GLOBALS.iter().flat_map(|(names, ..)| *names)));
        let more = if near.is_empty() && ENTRIES.iter().any(|entry| entry.names.contains(&name.as_str())) {
            "; a function is called with `()`"
        } else {
            ""
        };
        self.refuse(Code::UNKNOWN_NAME, at, format!("unknown variable `{name}`{near}{more}"))
    }

    fn logic(&mut self, items: &[Expr], make: fn(Vec<Node>) -> Op, at: Position) -> Node {
        let mut nodes = Vec::new();
        for item in items {
            let node = self.operand(item);
            if !matches!(node.of, Type::Bool | Type::Unknown | Type::Never) {
                let message = format!("`&&` and `||` join what is true or false, and this is {}", node.of);
                self.error(Code::CONDITION, begins(item), message);
            }
            nodes.push(node);
        }
        self.node(make(nodes), Type::Bool, at)
    }

    fn list(&mut self, items: &[Expr], at: Position) -> Node {
        let mut of: Option<Type> = None;
        let mut nodes = Vec::new();
        for item in items {
            let mut node = self.operand(item);
            if matches!(node.of, Type::List(_)) {
                // A list of lists of lists would grow beyond all bounds, and no function takes one.
                node = self.refuse(
                    Code::CONSTRUCT,
                    begins(item),
                    "a list does not hold lists: write its items out",
                );
            }
            match of.as_ref().map(|known| known.join(&node.of)) {
                None => of = Some(node.of.clone()),
                Some(Some(joined)) => of = Some(joined),
                Some(None) => {
                    let known = of.clone().unwrap_or(Type::Unknown);
                    self.error(Code::BRANCHES, begins(item), format!("a list of {known}s holds {}", node.of));
                    of = Some(Type::Unknown);
                }
            }
            nodes.push(node);
        }
        self.node(Op::List(nodes), Type::List(of.map(Box::new)), at)
    }

    /// Signs: `!`, `-`, comparisons and computations.
    fn sign(&mut self, call: &FnCallExpr, at: Position) -> Node {
        match (call.name.as_str(), call.args.as_slice()) {
            ("!", [only]) => {
                let node = self.operand(only);
                if !matches!(node.of, Type::Bool | Type::Unknown | Type::Never) {
                    let message = format!("`!` turns true and false round, and this is {}", node.of);
                    self.error(Code::CONDITION, begins(only), message);
                    return unknown(at);
                }
                self.node(Op::Not(Box::new(node)), Type::Bool, at)
            }
            ("-", [only]) => {
                let node = self.operand(only);
                if !matches!(node.of, Type::Count | Type::Unknown | Type::Never) {
                    self.error(Code::UNITS, at, format!("`-` before {} has no meaning here", node.of));
                    return unknown(at);
                }
                if let Op::Const(Value::Count(n)) = node.op {
                    return match negate(n) {
                        Ok(value) => Node::known(value, Type::Count, at),
                        Err(message) => self.refuse(Code::CONSTANT, at, message),
                    };
                }
                self.node(Op::Negate(Box::new(node)), Type::Count, at)
            }
            (name, [left, right]) => {
                let (a, b) = (self.operand(left), self.operand(right));
                if let Some(relation) = Relation::of(name) {
                    return self.compared(relation, a, b, right, at);
                }
                match Sign::of(name) {
                    Some(sign) => {
                        let node = self.computed(sign, a, b, at);
                        self.folded(node)
                    }
                    None if name == ".." || name == "..=" => {
                        self.refuse(Code::CONSTRUCT, at, "a range stands in `for` and `switch` only")
                    }
                    None => self.refuse(Code::CONSTRUCT, at, format!("`{name}` is not part of the language")),
                }
            }
            (name, _) => self.refuse(Code::CONSTRUCT, at, format!("`{name}` is not part of the language")),
        }
    }

    /// A computation of two known values; one that can never be is told now.
    fn folded(&mut self, node: Node) -> Node {
        let Op::Compute(sign, pair) = &node.op else { return node };
        let [Node { op: Op::Const(a), .. }, Node { op: Op::Const(b), .. }] = &**pair else { return node };
        if pair.iter().any(|side| side.of == Type::Unknown) {
            return node;
        }
        match crate::vocabulary::compute(*sign, a, b) {
            Ok(value) => Node { op: Op::Const(value), ..node },
            Err(message) => self.refuse(Code::CONSTANT, node.at, message),
        }
    }

    fn compared(&mut self, relation: Relation, a: Node, b: Node, right: &Expr, at: Position) -> Node {
        if a.of.is_settled() || b.of.is_settled() {
            return Node { of: Type::Bool, ..unknown(at) };
        }
        let told = match (&a.of, &b.of) {
            (Type::Bool, Type::Bool) if relation.is_order() => {
                Some("true and false have no order".to_owned())
            }
            (Type::Text | Type::OneOf(_), Type::Text | Type::OneOf(_)) if relation.is_order() => {
                Some("texts have no order here".to_owned())
            }
            (Type::Days(unit_a), Type::Days(unit_b)) => match unit_a.is_some() && unit_a == unit_b {
                true => None,
                false => {
                    Some(format!("{} are compared with {}: which is more depends on the date", a.of, b.of))
                }
            },
            (Type::Time(x), Type::Time(y)) => match x.join(*y) {
                Some(_) => None,
                None => Some(format!("{} is compared with {}", a.of, b.of)),
            },
            (Type::Text | Type::OneOf(_), Type::Text | Type::OneOf(_)) => {
                return self.same_choice(relation, a, b, right, at);
            }
            (Type::Bool, Type::Bool)
            | (Type::Count, Type::Count)
            | (Type::Money, Type::Money)
            | (Type::Share, Type::Share)
            | (Type::Instant, Type::Instant) => None,
            (x, y) if x.sort() == y.sort() => Some(format!("{x} cannot be compared")),
            (x, y) => Some(format!("{x} is compared with {y}")),
        };
        if let Some(message) = told {
            let place = self.source.place(at);
            let label = format!("{} {} {}", a.of, relation.text(), b.of);
            self.tell(Diagnostic::new(Code::COMPARISON, place, message).label(label));
            return Node { of: Type::Bool, ..unknown(at) };
        }
        self.node(Op::Compare(relation, Box::new([a, b])), Type::Bool, at)
    }

    /// Texts: one that is written out must be among the values of the one-of beside it.
    fn same_choice(&mut self, relation: Relation, a: Node, b: Node, right: &Expr, at: Position) -> Node {
        for (choice, other, place) in [(&a, &b, begins(right)), (&b, &a, a.at)] {
            if let (Type::OneOf(choice), Op::Const(Value::Text(text))) = (&choice.of, &other.op)
                && !choice.values.contains(text)
            {
                let near = hint(text, choice.values.iter().map(ImmutableString::as_str));
                let message = format!("`{text}` is none of the values of {}{near}", choice.of);
                let place = self.source.place(place);
                self.tell(Diagnostic::new(Code::UNKNOWN_VALUE, place, message).help(listed(&choice.values)));
            }
        }
        if let (Type::OneOf(x), Type::OneOf(y)) = (&a.of, &b.of)
            && !x.values.iter().any(|value| y.values.contains(value))
        {
            let message = format!("{} and {} have no value in common", x.of, y.of);
            self.error(Code::COMPARISON, at, message);
        }
        self.node(Op::Compare(relation, Box::new([a, b])), Type::Bool, at)
    }

    /// The type of a term or fact by its place.
    pub(super) fn term_type(&self, place: usize) -> Type {
        use crate::terms::PeriodUnit;
        let Some(term) = self.words.terms.list.get(place) else { return Type::Unknown };
        match term.unit.as_str() {
            "seconds" | "minutes" | "hours" => Type::Time(Elapse::Plain),
            "days" => Type::Days(Some(PeriodUnit::Days)),
            "working_days" => Type::Days(Some(PeriodUnit::WorkingDays)),
            "weeks" => Type::Days(Some(PeriodUnit::Weeks)),
            "months" => Type::Days(Some(PeriodUnit::Months)),
            "years" => Type::Days(Some(PeriodUnit::Years)),
            "count" => Type::Count,
            "percent" => Type::Share,
            "bool" => Type::Bool,
            "text" => Type::Text,
            "one-of" => Type::OneOf(crate::program::Choice {
                of: format!("terms.{}", term.name),
                values: term.of.iter().map(ImmutableString::from).collect(),
            }),
            unit => match crate::terms::TierUnit::parse(unit) {
                Some(table) => {
                    Type::Tiers(crate::vocabulary::Sort::of_table(table.by, table.gives.is_some()))
                }
                None => Type::Money,
            },
        }
    }
}
