//! Differences that the differential test found, each with its story and the smallest clause that showed it.

use super::battery::say;
use super::{Said, both, policy, put, settled};

/// What both say, and the inputs and terms that both record as read.
fn reads(text: &str, entry: usize) -> (Vec<usize>, Vec<usize>) {
    let mut policy = policy();
    assert_eq!(put(&mut policy, text), [], "{text}");
    let ticket = settled(&policy);
    let [program, reference] = both(&mut policy, entry, &ticket).unwrap();
    assert_eq!(program, reference, "{text}");
    match program {
        Said::Value(_, reads, _) => (reads.inputs().collect(), reads.terms().collect()),
        Said::Fault(fault) => panic!("{fault}"),
    }
}

fn one(text: &str) -> String {
    say(&mut policy(), text)
}

/// The condition that chose the ticket was dropped: the program did not cite its term, nor stop where it had no value.
#[test]
fn what_chooses_a_ticket_is_evaluated() {
    let text = "fn applies(ticket) { (if terms.auto { ticket } else { ticket }).via == \"\" }";
    assert_eq!(reads(text, 0), (vec![23], vec![0]));
    let text = "fn applies(t) { (if t.paid_by == yuan(1) { t } else { t }).knows(\"seats\") }";
    assert_eq!(one(text), "1:23 the fact `paid_by` is not known: no event of the ticket has given it");
    let text = "fn f(t) { if t.visited { t } else { t } } fn applies(t) { f(t).first.seats == 7 }";
    assert_eq!(reads(text, 0), (vec![10, 19], vec![]));
}

/// `t.knows(..)` of a ticket in a variable that is assigned was a fault of the program's own.
#[test]
fn a_ticket_in_an_assigned_variable_is_asked() {
    assert_eq!(one("fn applies(t) { let u = t; u = t; u.knows(\"seats\") }"), "`true`");
    assert_eq!(
        one("fn findings(t) { let u = t; u = t; if u.has(\"closed\") { [] } else { [finding(\"\")] } }"),
        "[]"
    );
}

/// The return was lost: the program stopped at a value that does not fit, or went on. Now refused.
#[test]
fn what_always_returns_is_no_operand() {
    assert_eq!(one("fn applies(t) { ({ return true; }) == false }"), "E0507 1:18");
    assert_eq!(one("fn applies(t) { let x = 1; x += { return true; }; x == 1 }"), "E0507 1:30");
    assert_eq!(one("fn applies(t) { (switch t.seats { _ => { return true; } }) == \"x\" }"), "E0507 1:18");
}

/// What was known was filled in first, and the term, filled in later, won over the fact.
#[test]
fn by_after_within_counts() {
    let text = "fn deadlines(t) { [due(\"a\").within(terms.plan).by(\"plan_due\").met_by(\"closed\")] }";
    assert_eq!(one(text), "[a [Kind(0)] Fact(7) [Kind(14)] None None]");
    let text =
        "fn deadlines(t) { [due(\"a\").pauses_for(t.memo).pauses().within(days(1)).met_by(\"closed\")] }";
    assert!(one(text).ends_with("Some([])]"), "{}", one(text));
}

/// rhai evaluates the arguments of a method before what it is called on; a deadline still to be filled in was taken for firm.
#[test]
fn arguments_come_before_a_deadline_to_be_filled_in() {
    let text = "fn deadlines(t) { [within(due(\"a\"), days(t.seats - 8)).within(hours(-t.seats)).met_by(\"closed\")] }";
    assert_eq!(one(text), "1:63 a length of time is zero or more, not -7");
}

/// Next to an argument that can fail, a list of names was put into a variable, and refused as a computed name.
#[test]
fn a_list_of_names_stays_in_sight() {
    let text = "fn deadlines(t) { [within(due(\"a\"), days(t.seats)).met_by([\"closed\", \"resolved\"])] }";
    assert_eq!(one(text), "[a [Kind(0)] Period(Period { unit: Days, n: 7 }) [Kind(14), Kind(6)] None None]");
}

/// The cases were looked for before the arm's value, and found in a switch inside of it.
#[test]
fn a_switch_in_an_arm_has_its_own_cases() {
    let inner = "(if t.visited { switch t.kind { \"question\" => 1, _ => 2 } } else { 3 }) == t.seats - 4";
    let text = format!("fn applies(t) {{ switch t.memo {{ \"x\" => ({inner}), _ => false }} }}");
    assert_eq!(one(&text), "`true`");
}

/// A line beyond column 65,535 has no places in rhai: a switch there had no cases, and quietly took `_`.
#[test]
fn a_switch_out_of_sight_is_refused() {
    let far = |gap: &str| {
        let gap = gap.repeat(70_000);
        one(&format!("fn applies(t) {{ {gap}switch t.seats {{ 7 => true, _ => false }} }}"))
    };
    assert_eq!(far(" "), "E0507 1:65535");
    assert_eq!(far("\n"), "E0507 65535:23");
}

/// The variable was read before the right side, which had assigned to it.
#[test]
fn the_right_side_of_an_assignment_comes_first() {
    assert_eq!(one("fn applies(t) { let x = 1; x += { x = 5; 1 }; x == 6 }"), "`true`");
    assert_eq!(
        one("fn applies(t) { let x = t.seats; x -= if t.in_scope { x *= 2; 1 } else { 2 }; x == 13 }"),
        "`true`"
    );
}

/// The report was noted as read before an argument that returned.
#[test]
fn nothing_is_read_before_an_argument_that_returns() {
    let text =
        "fn applies(t) { t.reported_at.plus({ if t.in_scope { return true; } days(1) }) == t.plan_due }";
    assert_eq!(reads(text, 0), (vec![2], vec![]));
}

/// The body of a loop without turns was never typed: a fact that does not exist went through.
#[test]
fn a_loop_without_turns_is_refused() {
    assert_eq!(one("fn applies(t) { for i in 1..1 { t.nothing; } true }"), "E0209 1:17");
}

/// The program called it with the ticket; the interpreter looks for a function without parameters.
#[test]
fn a_function_of_the_clause_is_no_method() {
    assert_eq!(one("fn f(t) { t.in_scope } fn applies(ticket) { ticket.f() }"), "E0205 1:52");
}

/// Of two functions of one name the program knew one, and nobody said which.
#[test]
fn one_name_is_one_function() {
    assert_eq!(one("fn f(a, b) { a == b } fn f(a) { a } fn applies(t) { true }"), "E0402 1:4");
    assert_eq!(one("fn int.deposit_floor() { yuan(1) }"), "E0402 0:0");
}

/// What fills in a deadline could not fail when faults of it were told at its beginning; then came a word that can.
#[test]
fn a_word_that_fills_in_a_deadline_fails_where_it_stands() {
    let text = "fn deadlines(t) { [due(\"a\").pauses_at_most(hours(0) - terms.repair).within(terms.plan).met_by(\"closed\")] }";
    assert_eq!(one(text), "1:29 pauses last zero or more, not -2000000000 h");
    // All arguments of the chain come first.
    let text = "fn deadlines(t) { [due(\"a\").pauses_at_most(hours(0) - terms.repair).within(days(t.seats - 8)).met_by(\"closed\")] }";
    assert_eq!(one(text), "1:76 a period is zero or more days, not -1");
}

/// The fact `amount` was taken for the field `again.amount`, which is always known, and read before the argument.
#[test]
fn a_fact_named_like_a_field_may_be_unknown() {
    let text = "fn applies(t) { t.paid_by == yuan(1) || t.amount.min(t.paid_by) == yuan(1) }";
    assert_eq!(one(text), "1:19 the fact `paid_by` is not known: no event of the ticket has given it");
    let text = "fn f(t) { t.amount.min(yuan(terms.limit)) } fn applies(t) { f(t) == yuan(1) }";
    assert_eq!(one(text), "1:24 an amount leaves the range of 64-bit minor units");
}

/// Tables had no known type, so that nothing done with them was checked, and a table asked with a number was a fault.
#[test]
fn tables_have_types() {
    let levels = "fn service_levels() { [availability(\"a\")] }";
    assert_eq!(one(&format!("{levels} fn credit(l) {{ terms.sums.at(l.missed) }}")), "E0205 1:74");
    assert_eq!(one(&format!("{levels} fn credit(l) {{ terms.credits.at(l.share) }}")), "E0206 1:48");
}

/// `until` is a word of rhai's own: `level.until` could not be read.
#[test]
fn a_period_has_an_end() {
    let text = "fn service_levels() { [availability(\"a\")] } fn credit(l) { if l.end > l.from { yuan(1) } else { yuan(2) } }";
    assert!(one(text).ends_with("the amount 1.00 CNY"), "{}", one(text));
}
