//! Chains of fields and methods: `contract.accepted_at.plus(terms.warranty)`.

use rhai::{ASTFlags, Expr, FnCallExpr, ImmutableString, Position};

use super::call::Arg;
use super::{Lowering, Node, Op, Type, begins};
use crate::diagnostic::Code;
use crate::nearest::hint;
use crate::program::{Choice, Elapse};
use crate::ticket::FactType;
use crate::vocabulary::{Asked, FIELDS, Measured, Sort, Value, fact_zh, field};

/// One link of a chain.
enum Link<'a> {
    Field(&'a ImmutableString, Position),
    Method(&'a FnCallExpr, Position),
}

impl Lowering<'_> {
    /// rhai evaluates the arguments of all methods of a chain first, then its root, then link by link.
    pub(super) fn chain(&mut self, expr: &Expr) -> Node {
        let mut links = Vec::new();
        let Expr::Dot(first, flags, at) = expr else { return super::unknown(expr.position()) };
        let root = &first.lhs;
        if !unfold(&first.rhs, *flags, &mut links) {
            let message =
                "`?.` and the like are not part of the language: ask `ticket.knows(\"fact\")` first";
            return self.refuse(Code::CONSTRUCT, *at, message);
        }
        let mut arguments: Vec<Vec<Arg>> = Vec::new();
        for link in &links {
            arguments.push(match link {
                Link::Method(call, _) => self.method_args(call),
                Link::Field(..) => Vec::new(),
            });
        }
        let root_at = begins(root);
        let mut node = self.operand(root);
        // Only where both the arguments and what comes before them can fail does their order show, or where an argument
        // returns and what comes before it is not read at all.
        let fixed = |op: &Op| match op {
            Op::Const(_) | Op::Slot(_) => true,
            Op::Deadline { fill, .. } => fill.is_empty(),
            _ => false,
        };
        let methods = links.iter().filter(|link| matches!(link, Link::Method(..))).count();
        let returns = arguments.iter().flatten().any(|arg| returns(&arg.node));
        let firm = fixed(&node.op) && !returns && cannot_fail(node.of.sort(), &links);
        let mut before = Vec::new();
        if !(firm && (methods <= 1 || matches!(node.op, Op::Deadline { .. }))) {
            arguments = arguments
                .into_iter()
                .map(|args| args.into_iter().map(|arg| self.held(arg, &mut before)).collect())
                .collect();
        }
        for (link, args) in links.iter().zip(arguments) {
            node = match link {
                Link::Field(name, at) => self.field(node, name, *at),
                Link::Method(call, at) if self.scripts.contains_key(call.name.as_str()) => {
                    let message =
                        format!("`{0}` is a function of the clause: it is called as `{0}(...)`", call.name);
                    self.called.push(call.name.clone());
                    return self.refuse(Code::ARGUMENT, *at, message);
                }
                Link::Method(call, at) => {
                    let mut all = vec![Arg { node, at: root_at }];
                    all.extend(args);
                    self.called(&call.name, all, *at)
                }
            };
        }
        if before.is_empty() {
            return node;
        }
        let (of, at) = (node.of.clone(), node.at);
        before.push(node);
        self.node(Op::Block(before), of, at)
    }

    fn field(&mut self, of: Node, name: &ImmutableString, at: Position) -> Node {
        let sort = match of.of.sort() {
            Some(sort) => sort,
            None => return super::unknown(at),
        };
        // A ticket, a contract or a breach is known by its name; what chose it is evaluated all the same.
        let read = self.field_of(&of.of, sort, name, at);
        self.chosen(of, read)
    }

    /// What is read of a ticket, a contract or a breach after what chose it.
    pub(super) fn chosen(&mut self, root: Node, read: Node) -> Node {
        if matches!(root.op, Op::Const(_) | Op::Slot(_)) || read.of.is_settled() {
            return read;
        }
        let (of, at) = (read.of.clone(), read.at);
        self.node(Op::Block(vec![root, read]), of, at)
    }

    fn field_of(&mut self, of: &Type, sort: Sort, name: &ImmutableString, at: Position) -> Node {
        if let Some(field) = field(sort, name) {
            return match field.what {
                Asked::Ticket if self.has_entry(super::DUTIES) => {
                    let message = "unknown fact `breach.ticket`: the file sets duties, which have no ticket";
                    self.refuse(Code::UNKNOWN_FACT, at, message)
                }
                Asked::First | Asked::Ticket => {
                    Node::known(Value::View(field.gives), Type::of(field.gives), at)
                }
                Asked::Late => self.node(Op::Ask(field.what), Type::Time(Elapse::Working), at),
                Asked::Clock => {
                    let of = self.name_choice("breach.clock", true, false);
                    self.node(Op::Ask(field.what), of, at)
                }
                Asked::Of(Measured::Name) => {
                    let of = self.name_choice("the period's name", false, true);
                    self.node(Op::Ask(field.what), of, at)
                }
                Asked::Of(Measured::AgainClock) => {
                    let of = self.name_choice("again.clock", true, true);
                    self.node(Op::Ask(field.what), of, at)
                }
                Asked::Of(Measured::Downtime) => {
                    self.node(Op::Ask(field.what), Type::Time(Elapse::Working), at)
                }
                what => self.node(Op::Ask(what), Type::of(field.gives), at),
            };
        }
        match sort {
            Sort::Ticket | Sort::First => self.fact(name, sort == Sort::First, at),
            Sort::Terms => self.term(name, at),
            Sort::Contract | Sort::Breach | Sort::Period | Sort::Again => {
                let near =
                    hint(name, FIELDS.iter().filter(|field| field.of == sort).flat_map(|field| field.names));
                let whose = sort.name();
                let help = match self.words.fact(name) {
                    Some(_) if sort == Sort::Breach => {
                        format!("; the facts of its ticket are `breach.ticket.{name}`")
                    }
                    _ => String::new(),
                };
                self.refuse(Code::UNKNOWN_FACT, at, format!("unknown fact `{whose}.{name}`{near}{help}"))
            }
            _ => self.refuse(Code::UNKNOWN_FACT, at, format!("{of} has no `{name}`")),
        }
    }

    fn fact(&mut self, name: &ImmutableString, first: bool, at: Position) -> Node {
        let words = self.words;
        let Some((place, chinese)) = words.fact(name) else {
            let fields = FIELDS.iter().filter(|field| field.of == Sort::Ticket).flat_map(|field| field.names);
            let near = hint(name, words.fact_names().chain(fields));
            return self.refuse(Code::UNKNOWN_FACT, at, format!("unknown fact `ticket.{name}`{near}"));
        };
        self.names.note_input(place);
        let Some(fact) = words.schema.facts.get(place) else { return super::unknown(at) };
        let seen = fact_zh(fact).filter(|(_, values)| chinese && !values.is_empty());
        let seen: Option<std::sync::Arc<[ImmutableString]>> = seen.map(|(_, values)| values.into());
        let of = match &fact.of {
            FactType::Bool => Type::Bool,
            FactType::Integer => Type::Count,
            FactType::Money => Type::Money,
            FactType::Text => Type::Text,
            FactType::Instant => Type::Instant,
            FactType::OneOf(values) => Type::OneOf(Choice {
                of: format!("ticket.{name}"),
                values: seen.clone().unwrap_or_else(|| values.as_slice().into()),
            }),
        };
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        self.node(Op::Fact { place, first, chinese: seen }, of, at)
    }

    fn term(&mut self, name: &ImmutableString, at: Position) -> Node {
        let words = self.words;
        let Some(place) = words.term(name) else {
            let near = hint(name, words.term_names());
            return self.refuse(Code::UNKNOWN_TERM, at, format!("unknown term `terms.{name}`{near}"));
        };
        self.names.note_term(place);
        let of = self.term_type(place);
        self.node(Op::Term(u16::try_from(place).unwrap_or(u16::MAX)), of, at)
    }
}

/// Whether no link of a chain can fail once its arguments are there: lateness, the report and the like are always known.
fn cannot_fail(mut of: Option<Sort>, links: &[Link<'_>]) -> bool {
    links.iter().all(|link| match link {
        Link::Field(name, _) => {
            let asked = of.and_then(|sort| field(sort, name));
            of = asked.map(|field| field.gives);
            asked.is_some_and(|field| !matches!(field.what, Asked::SignedAt | Asked::AcceptedAt))
        }
        Link::Method(call, _) => {
            of = None;
            // Of what fills in a deadline, this alone looks at its argument.
            !["pauses_at_most", "暂停不超过"].contains(&call.name.as_str())
        }
    })
}

/// Whether a value, while it is computed, may end the function it stands in.
fn returns(value: &Node) -> bool {
    match &value.op {
        Op::Return(_) => true,
        Op::Call { args, .. } => args.iter().any(returns),
        _ => value.below().into_iter().any(returns),
    }
}

/// The links of a chain in their order; false for what is not part of the language.
fn unfold<'a>(expr: &'a Expr, flags: ASTFlags, links: &mut Vec<Link<'a>>) -> bool {
    if flags.contains(ASTFlags::NEGATED) {
        return false;
    }
    match expr {
        Expr::Property(parts, pos) => links.push(Link::Field(&parts.2, *pos)),
        Expr::MethodCall(call, pos) => links.push(Link::Method(call, *pos)),
        Expr::Dot(pair, inner, _) => {
            return unfold(&pair.lhs, ASTFlags::empty(), links) && unfold(&pair.rhs, *inner, links);
        }
        _ => return false,
    }
    true
}
