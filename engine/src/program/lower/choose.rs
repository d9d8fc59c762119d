//! `if` and `switch`.

use rhai::{Expr, FlowControl, ImmutableString, Position, Stmt, StmtBlock, SwitchCasesCollection};

use super::{Lowering, Node, Op, Type, begins};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::hint;
use crate::program::source::{Sort as TokenSort, Token};
use crate::program::{Case, Switch};
use crate::vocabulary::Value;

/// A case as it is written.
struct Written {
    case: Case,
    text: String,
    place: Place,
    arm: u16,
}

impl Lowering<'_> {
    pub(super) fn condition(&mut self, expr: &Expr) -> Node {
        let node = self.operand(expr);
        if !matches!(node.of, Type::Bool | Type::Unknown | Type::Never) {
            let message = format!("a condition is true or false, and this is {}", node.of);
            self.error(Code::CONDITION, begins(expr), message);
        } else if let Op::Const(Value::Bool(yes)) = node.op {
            let place = self.source.place(begins(expr));
            self.tell(Diagnostic::new(Code::CONSTANT_CONDITION, place, format!("this is always {yes}")));
        }
        node
    }

    pub(super) fn choose(&mut self, control: &FlowControl, at: Position, wants: bool) -> Node {
        let condition = self.condition(&control.expr);
        let then = self.block(control.body.statements(), control.body.position(), wants);
        if control.branch.is_empty() {
            if wants || !matches!(then.of, Type::Nothing | Type::Never) {
                self.open_if = Some(self.source.place(at));
            }
            return self.node(Op::If(Box::new([condition, then]), None), Type::Nothing, at);
        }
        let other = self.block(control.branch.statements(), control.branch.position(), wants);
        let of = self.joined([(&control.body, &then), (&control.branch, &other)], wants);
        self.node(Op::If(Box::new([condition, then]), Some(Box::new(other))), of, at)
    }

    /// The one type of several branches.
    fn joined<'b>(
        &mut self,
        branches: impl IntoIterator<Item = (&'b StmtBlock, &'b Node)>,
        wants: bool,
    ) -> Type {
        let mut branches = branches.into_iter();
        let Some((first_block, first)) = branches.next() else { return Type::Nothing };
        let mut of = first.of.clone();
        for (block, node) in branches {
            if of == Type::Nothing || node.of == Type::Nothing {
                // One branch without a value leaves all without.
                let both_end = of == Type::Never && node.of == Type::Never;
                of = if both_end { Type::Never } else { Type::Nothing };
                if wants && self.open_if.is_none() {
                    let empty = if node.of == Type::Nothing { block } else { first_block };
                    self.open_if = last_begins(empty).map(|at| self.source.place(at));
                }
                continue;
            }
            match of.join(&node.of) {
                Some(joined) => of = joined,
                None if wants => {
                    let place = last_begins(block)
                        .map(|at| self.source.place(at))
                        .unwrap_or_else(|| self.source.place(node.at));
                    let first_place = last_begins(first_block)
                        .map_or_else(|| self.source.place(first.at), |at| self.source.place(at));
                    let message = format!("this branch gives {}, another gives {of}", node.of);
                    let diagnostic =
                        Diagnostic::new(Code::BRANCHES, place, message).label(node.of.to_string());
                    self.tell(diagnostic.related(first_place, of.to_string()));
                    of = Type::Unknown;
                }
                None => of = Type::Nothing,
            }
        }
        of
    }

    pub(super) fn switch(
        &mut self,
        on: &Expr,
        parts: &SwitchCasesCollection,
        at: Position,
        wants: bool,
    ) -> Node {
        let on = self.operand(on);
        // Not borrowed from what is told of the cases.
        let source = self.source;
        let texts = source.arms(at).unwrap_or_default();
        let told = self.diagnostics.len();
        let mut written = Vec::new();
        let mut default = None;
        let mut arms = Vec::new();
        let mut blocks = Vec::new();
        for (i, arm) in parts.expressions.iter().enumerate() {
            let place = u16::try_from(i).unwrap_or(u16::MAX);
            let (Expr::Stmt(block), Some(text)) = (&arm.rhs, texts.get(i)) else {
                return self.refuse(
                    Code::CONSTRUCT,
                    arm.rhs.position(),
                    "this case is not part of the language",
                );
            };
            if !matches!(arm.lhs, Expr::BoolConstant(true, _)) {
                let message = "a case has no condition of its own: say `if` inside of it";
                self.error(Code::CONSTRUCT, begins(&arm.lhs), message);
            } else if parts.def_case == Some(i) {
                default = Some(place);
            } else {
                self.cases(text, place, at, &on.of, &mut written);
            }
            blocks.push(&**block);
        }
        self.check_cases(&written, default.is_some(), &on.of, at);
        // Should the text have been read otherwise than rhai reads it, nothing is guessed.
        if written.len() != parts.cases.len() && told == self.diagnostics.len() {
            return self.refuse(Code::CONSTRUCT, at, "the cases of this switch cannot be told apart");
        }
        for block in &blocks {
            arms.push(self.block(block.statements(), block.position(), wants));
        }
        let of = self.joined(blocks.into_iter().zip(&arms), wants);
        // rhai looks for exact values first, and then for ranges, each in their order.
        let (exact, ranges): (Vec<Written>, Vec<Written>) =
            written.into_iter().partition(|written| matches!(written.case, Case::Value(_)));
        let cases = exact.into_iter().chain(ranges).map(|written| (written.case, written.arm)).collect();
        let covered = default.is_some() || of == Type::Unknown || self.covers(&on.of, &arms);
        let of = if covered { of } else { Type::Nothing };
        self.node(Op::Switch(Box::new(Switch { on, cases, arms, default })), of, at)
    }

    /// Whether nothing is left for a `_` to catch; what is missing was told with the cases.
    fn covers(&self, on: &Type, _: &[Node]) -> bool {
        matches!(on, Type::OneOf(_) | Type::Bool | Type::Text | Type::Count | Type::Unknown)
    }

    /// Reads the constants before a `=>`.
    fn cases(&mut self, text: &[Token], arm: u16, arm_at: Position, on: &Type, written: &mut Vec<Written>) {
        for part in text.split(|token| token.sort == TokenSort::Sign && token.text == "|") {
            let Some(first) = part.first() else { continue };
            self.nodes += 1;
            if self.is_full(arm_at) {
                return;
            }
            let place = self.source.place_of(first);
            match read_case(part) {
                Some(case) => {
                    self.check_case(&case, on, &place, part);
                    let text = part.iter().map(|token| token.text.as_str()).collect();
                    written.push(Written { case, text, place, arm });
                }
                None => {
                    let message =
                        "a case is a text, a number, a range of numbers, `true` or `false`, written out";
                    self.tell(Diagnostic::new(Code::CONSTRUCT, place, message));
                }
            }
        }
    }

    fn check_case(&mut self, case: &Case, on: &Type, place: &Place, part: &[Token]) {
        let told = match (case, on) {
            (_, Type::Unknown | Type::Never) => None,
            (Case::Value(Value::Text(text)), Type::OneOf(choice)) if !choice.values.contains(text) => {
                let near = hint(text, choice.values.iter().map(ImmutableString::as_str));
                let message = format!("`{text}` is none of the values of {}{near}", choice.of);
                Some(
                    Diagnostic::new(Code::UNKNOWN_VALUE, place.clone(), message).help(listed(&choice.values)),
                )
            }
            (Case::Value(Value::Text(_)), Type::OneOf(_) | Type::Text)
            | (Case::Value(Value::Count(_)) | Case::Range(..), Type::Count)
            | (Case::Value(Value::Bool(_)), Type::Bool) => None,
            _ => {
                let text = part.first().map_or("", |token| token.text.as_str());
                let message = format!("the case {text} is compared with {on}");
                Some(Diagnostic::new(Code::COMPARISON, place.clone(), message))
            }
        };
        if let Case::Range(first, last) = case
            && first > last
        {
            let message = "this range holds no number";
            self.tell(Diagnostic::new(Code::CONSTANT, place.clone(), message));
        }
        self.diagnostics.extend(told);
    }

    /// Overlaps, gaps, and what no case covers.
    fn check_cases(&mut self, written: &[Written], has_default: bool, on: &Type, at: Position) {
        for (i, later) in written.iter().enumerate() {
            if let Some(earlier) = written.iter().take(i).find(|earlier| overlap(&earlier.case, &later.case))
            {
                let text = &later.text;
                let message = format!(
                    "the case {text} overlaps with an earlier one: which counts would be left to their order"
                );
                let diagnostic = Diagnostic::new(Code::OVERLAP, later.place.clone(), message);
                self.tell(diagnostic.related(earlier.place.clone(), "the earlier case"));
            }
        }
        let mut ranges: Vec<(i64, i64, &Place)> = written
            .iter()
            .filter_map(|written| match &written.case {
                Case::Range(first, last) => Some((*first, *last, &written.place)),
                Case::Value(Value::Count(n)) => Some((*n, *n, &written.place)),
                Case::Value(_) => None,
            })
            .collect();
        ranges.sort_by_key(|(first, ..)| *first);
        let has_range = written.iter().any(|written| matches!(written.case, Case::Range(..)));
        for pair in ranges.windows(2).filter(|_| has_range) {
            let [(_, before, place_before), (after, _, place)] = pair else { continue };
            if before.checked_add(1).is_some_and(|next| next < *after) {
                let message = format!(
                    "between this range and the one before it {} to {} are left out",
                    before + 1,
                    after - 1
                );
                let diagnostic = Diagnostic::new(Code::GAP, (*place).clone(), message);
                let help = "let the ranges meet: `1..5` ends at 4, `1..=5` at 5";
                self.tell(diagnostic.related((*place_before).clone(), "the range before").help(help));
            }
        }
        self.check_cover(written, has_default, on, at);
    }

    fn check_cover(&mut self, written: &[Written], has_default: bool, on: &Type, at: Position) {
        let has = |value: &Value| written.iter().any(|written| written.case.matches(value));
        let missing: Vec<String> = match on {
            Type::OneOf(choice) => {
                let left = choice.values.iter().filter(|text| !has(&Value::Text((*text).clone())));
                left.map(|text| format!("`{text}`")).collect()
            }
            Type::Bool => {
                let left = [true, false].into_iter().filter(|yes| !has(&Value::Bool(*yes)));
                left.map(|yes| format!("`{yes}`")).collect()
            }
            Type::Unknown | Type::Never => return,
            Type::Text | Type::Count => vec!["everything else".to_owned()],
            other => {
                let message =
                    format!("a switch chooses by a text, a number, true or false, and this is {other}");
                return self.error(Code::COMPARISON, at, message);
            }
        };
        if !missing.is_empty() && !has_default {
            let message = format!("the switch does not cover {}", missing.join(", "));
            let place = self.source.place(at);
            let help = "add the missing cases, or `_ => ...` for all the rest";
            self.tell(Diagnostic::new(Code::UNCOVERED, place, message).help(help));
        }
    }
}

/// The values of a one-of, for a help line.
pub(super) fn listed(values: &[ImmutableString]) -> String {
    let values: Vec<_> = values.iter().map(ImmutableString::as_str).collect();
    format!("the values are {}", values.join(", "))
}

fn overlap(a: &Case, b: &Case) -> bool {
    let ends = |case: &Case| match case {
        Case::Range(first, last) => Some((*first, *last)),
        Case::Value(Value::Count(n)) => Some((*n, *n)),
        Case::Value(_) => None,
    };
    match (ends(a), ends(b)) {
        (Some((a1, a2)), Some((b1, b2))) => a1 <= b2 && b1 <= a2,
        _ => a == b,
    }
}

fn read_case(part: &[Token]) -> Option<Case> {
    let text = |token: &Token| token.text.clone();
    match part {
        [only] if only.sort == TokenSort::Text => {
            // A text is read as rhai reads it; one with escapes is compared as it is written.
            let inner = only.text.strip_prefix('"')?.strip_suffix('"')?;
            (!inner.contains('\\')).then(|| Case::Value(Value::Text(inner.into())))
        }
        [only] if only.text == "true" || only.text == "false" => {
            Some(Case::Value(Value::Bool(only.text == "true")))
        }
        _ => {
            let mut signs = part.iter().map(text).collect::<Vec<_>>();
            let range = signs.iter().position(|sign| sign == ".." || sign == "..=");
            match range {
                None => number(&signs).map(|n| Case::Value(Value::Count(n))),
                Some(i) => {
                    let last = number(signs.get(i + 1..)?)?;
                    let last = if signs.get(i)? == ".." { last.checked_sub(1)? } else { last };
                    signs.truncate(i);
                    Some(Case::Range(number(&signs)?, last))
                }
            }
        }
    }
}

fn number(signs: &[String]) -> Option<i64> {
    match signs {
        [n] => n.replace('_', "").parse().ok(),
        [minus, n] if minus == "-" => format!("-{}", n.replace('_', "")).parse().ok(),
        _ => None,
    }
}

/// Where the result of a block begins.
fn last_begins(block: &StmtBlock) -> Option<Position> {
    match block.statements().last()? {
        Stmt::Expr(expr) => Some(begins(expr)),
        other => Some(super::statement_at(other)),
    }
}
