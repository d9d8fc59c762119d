//! Statements, branches, and what entry functions give.

use super::{check, deadlines, number, whole};

#[test]
#[rustfmt::skip]
fn choosing() {
    check(number, &[
        (r#"switch ticket.kind { "failure" => 1, "emergency" | "question" => 2 }"#, "the amount 1.00 CNY"),
        (r#"switch ticket.类别 { "紧急" | "故障" => 1, _ => 2 }"#, "the amount 1.00 CNY"),
        ("switch ticket.in_scope { true => 1, false => 2 }", "the amount 1.00 CNY"),
        ("switch ticket.seats { 0..5 => 1, 5..=6 => 2, 7..=7 => 3, _ => 4 }", "the amount 3.00 CNY"),
        ("switch ticket.seats { 7 => 0, 0..7 => 1, 8..=9 => 3, _ => 4 }", "the amount 0.00 CNY"),
        ("switch ticket.seats { -1 | 7 => 0, 9223372036854775807 => 1, _ => 4 }", "the amount 0.00 CNY"),
        (r#"switch ticket.memo { "y" => 1, "x" => { let a = 2; a }, _ => 3 }"#, "the amount 2.00 CNY"),
        (r#"switch (switch ticket.seats { 7 => "x", _ => "y" }) { "x" => 1, _ => 2 }"#, "the amount 1.00 CNY"),
        ("switch if ticket.in_scope { 1 } else { 2 } { 1 => 10, _ => 20 }", "the amount 10.00 CNY"),
        ("switch { ticket.seats } { 7 => 1, _ => 2 }", "the amount 1.00 CNY"),
        ("switch !{ ticket.in_scope } { true => 1, false => 2 }", "the amount 2.00 CNY"),
        (r#"switch terms.later { 3 => switch ticket.kind { "failure" => 7, _ => 8 }, _ => 9 }"#, "the amount 7.00 CNY"),
        (r#"switch ticket.kind { "failure" => 1, "emergency" => 2 }"#, "E0302 1:16"),
        (r#"switch ticket.kind { "faliure" => 1, _ => 2 }"#, "E0104 1:37"),
        ("switch ticket.seats { 1..3 => 1, 2..5 => 2, _ => 3 }", "E0303 1:49"),
        ("switch ticket.seats { 1..3 => 1, 5..6 => 2, _ => 3 }", "E0304 1:49"),
        (r#"switch ticket.seats { "x" => 1, _ => 2 }"#, "E0202 1:38"),
        ("switch ticket.seats { 7 if ticket.in_scope => 1, _ => 2 }", "E0507 1:43"),
        ("switch ticket.memo { 'x' => 1, _ => 2 }", "E0507 1:37"),
        (r#"switch ticket.memo { "\x78" => 1, _ => 2 }"#, "E0507 1:37"),
        (r##"switch ticket.memo { #"x"# => 1, _ => 2 }"##, "E0507 1:37"),
        ("switch ticket.amount { 1 => 1, _ => 2 }", "E0202 1:16"),
    ]);
}

#[test]
#[rustfmt::skip]
fn statements() {
    check(number, &[
        ("let x = 1; if ticket.in_scope { x = 2; } x", "the amount 2.00 CNY"),
        ("let x = 1; if ticket.visited { x = 2; } else { x += 5; } x", "the amount 6.00 CNY"),
        ("let x = 0; for i in 1..=3 { if i == 2 { x += 10; } else { x += i; } } x", "the amount 14.00 CNY"),
        ("let x = 0; for i in -1..2 { for j in 0..2 { x += i * j; } } x", "the amount 0.00 CNY"),
        ("let s = 0; for i in 0..3 { i += 10; s += i; } s", "the amount 33.00 CNY"),
        ("for i in 0..3 { if ticket.seats == 7 { return i; } } 9", "the amount 0.00 CNY"),
        ("if ticket.in_scope { return 4; } 5", "the amount 4.00 CNY"),
        ("return if ticket.visited { 1 } else { 2 };", "the amount 2.00 CNY"),
        ("const TWO = 2; TWO * TWO", "the amount 4.00 CNY"),
        ("let x = { let y = ticket.seats; y + 1 }; x", "the amount 8.00 CNY"),
        ("let x = if ticket.in_scope { return 3; } else { 4 }; x", "the amount 3.00 CNY"),
        (r#"switch ticket.kind { "failure" => return 1, _ => {} } 2"#, "the amount 1.00 CNY"),
        (r#"let x = 0; switch ticket.kind { "failure" => x = 1, _ => x += 2, } x"#, "the amount 1.00 CNY"),
        ("let x = 1; { let y = 2; x += y; } x", "the amount 3.00 CNY"),
        (";; ticket.seats; 3", "the amount 3.00 CNY"),
        ("let x = 1; x += { x = 5; 1 }; x", "the amount 6.00 CNY"),
        ("let x = 2; x *= if ticket.in_scope { x += 1; x } else { 1 }; x", "the amount 9.00 CNY"),
        ("let t = ticket; t.seats", "the amount 7.00 CNY"),
        ("let f = ticket.first; f.seats", "the amount 7.00 CNY"),
        ("let c = contract; if c.signed_at == c.signed_at { 1 } else { 2 }", "the amount 1.00 CNY"),
        (r#"let t = ticket; t = ticket; if t.knows("seats") { t.人数 } else { 0 }"#, "the amount 40.00 CNY"),
        ("(if ticket.visited { ticket } else { ticket }).seats", "the amount 7.00 CNY"),
    ]);
}

#[test]
#[rustfmt::skip]
fn deadlines_in_every_order() {
    check(deadlines, &[
        (r#"due("repair").within(hours(2)).met_by("resolved")"#, "[repair [Kind(0)] Span(Span(7200000000)) [Kind(6)] None None]"),
        (r#"限时("响应").不超过(分钟(10)).视为完成("已响应", "closed")"#, "[响应 [Kind(0)] Span(Span(600000000)) [Kind(1), Kind(14)] None None]"),
        (r#"due("a").met_by(["resolved", "receipt_sent"]).within(terms.work)"#, "[a [Kind(0)] Period(Period { unit: WorkingDays, n: 0 }) [Kind(6), Kind(33)] None None]"),
        (r#"met_by(within(due("a"), days(3)), "resolved")"#, "[a [Kind(0)] Period(Period { unit: Days, n: 3 }) [Kind(6)] None None]"),
        (r#"due("a").within(terms.plan).by("plan_due").met_by("resolved")"#, "[a [Kind(0)] Fact(7) [Kind(6)] None None]"),
        (r#"due("a").by("方案日期").within(terms.plan).met_by("resolved")"#, "[a [Kind(0)] Period(Period { unit: Days, n: 4294967295 }) [Kind(6)] None None]"),
        (r#"due("a").met_by("resolved").met_by("closed").starts_on("plan_agreed", "已响应").within(weeks(1))"#, "[a [Kind(4), Kind(1)] Period(Period { unit: Weeks, n: 1 }) [Kind(6), Kind(14)] None None]"),
        (r#"due("a").in_calendar("work").pauses().within(terms.repair).met_by("closed")"#, "[a [Kind(0)] Span(Span(7200000000000000000)) [Kind(14)] Some(1) Some([])]"),
        (r#"due("a").in_calendar(terms.calendar).pauses_for("customer", "假期").within(months(1)).met_by("closed")"#, r#"[a [Kind(0)] Period(Period { unit: Months, n: 1 }) [Kind(14)] Some(0) Some(["customer", "假期"])]"#),
        (r#"due("a").pauses_for(ticket.memo).pauses().met_by("closed").within(years(1))"#, "[a [Kind(0)] Period(Period { unit: Years, n: 1 }) [Kind(14)] None Some([])]"),
        (r#"due("a").pauses_for([ticket.memo, ""]).met_by("closed").within(years(1))"#, r#"[a [Kind(0)] Period(Period { unit: Years, n: 1 }) [Kind(14)] None Some(["x", ""])]"#),
        (r#"due("a").within(hours(terms.limit)).met_by("closed")"#, "1:41 -9223372036854775808 is too long a time"),
        (r#"due("a").within(hours(terms.limit)).pauses_for(ticket.first.memo).met_by("closed")"#, "1:41 -9223372036854775808 is too long a time"),
        (r#"within(due("a"), days(ticket.seats - 8)).within(hours(terms.limit)).met_by("closed")"#, "1:73 -9223372036854775808 is too long a time"),
        (r#"due("a").within(days(ticket.seats)).met_by(["resolved"])"#, "[a [Kind(0)] Period(Period { unit: Days, n: 7 }) [Kind(6)] None None]"),
        (r#"due("a").within(hours(-1)).met_by("closed")"#, "E0209 1:41"),
        (r#"due("a").within(hours(1))"#, "E0602 1:25"),
        (r#"due("a").met_by("closed")"#, "E0603 1:25"),
        (r#"due("a").within(hours(1)).met_by("signed")"#, "E0106 1:58"),
        (r#"due("a").within(hours(1)).met_by("resolvd")"#, "E0106 1:58"),
        (r#"due("a").within(hours(1)).in_calendar("wrk").met_by("closed")"#, "E0107 1:63"),
        (r#"due("a").by("seats").met_by("closed")"#, "E0205 1:37"),
        (r#"due("a").within(hours(1)).met_by(ticket.memo)"#, "E0604 1:58"),
        (r#"due("a").within(yuan(1)).met_by("closed")"#, "E0205 1:41"),
        (r#"due("a").within(hours(1)).met_by("closed"), due("a").within(hours(1)).met_by("closed")"#, "E0601 1:73"),
        (r#"due("a").within(hours(1)).met_by("closed"), due("b").after_breach_of("a").within(hours(1)).met_by("closed")"#, "[a [Kind(0)] Span(Span(3600000000)) [Kind(14)] None None, b [Kind(0)] Span(Span(3600000000)) [Kind(14)] None None]"),
        (r#"due("b").after_breach_of("a").within(hours(1)).met_by("closed")"#, "E0110 1:50"),
    ]);
}

#[test]
#[rustfmt::skip]
fn steps_verdicts_and_findings() {
    check(whole, &[
        (r#"fn deadlines(t) { [due("a").within(hours(1)).met_by("closed")] } fn escalation(t) { [at_share("a", percent(50)).notify("lead"), at_breach("a").notify("engineer", "lead")] }"#, r#"[a [Kind(0)] Span(Span(3600000000)) [Kind(14)] None None]; [a Share(0.50) ["lead"], a Breach ["engineer", "lead"]]"#),
        (r#"fn deadlines(t) { [due("a").within(hours(1)).met_by("closed")] } fn 升级(t) { [违约后("a", 小时(t.seats)).通知(["班长", "lead"])] }"#, r#"[a [Kind(0)] Span(Span(3600000000)) [Kind(14)] None None]; [a After(Span(25200000000)) ["班长", "lead"]]"#),
        (r#"fn deadlines(t) { [due("a").within(hours(1)).met_by("closed")] } fn escalation(t) { [at_share("a", percent(t.seats * 20)).notify("lead")] }"#, "[a [Kind(0)] Span(Span(3600000000)) [Kind(14)] None None]; 1:86 a step at a share lies between 0 and 100 percent; `at_breach` is the whole"),
        (r#"fn deadlines(t) { [due("a").within(hours(1)).met_by("closed")] } fn escalation(t) { [at_share("a", percent(100)).notify("lead")] }"#, "E0209 1:86"),
        (r#"fn deadlines(t) { [due("a").within(hours(1)).met_by("closed")] } fn escalation(t) { [at_breach("a")] }"#, "E0605 1:86"),
        (r#"fn deadlines(t) { [due("a").within(hours(1)).met_by("closed")] } fn escalation(t) { [at_breach("b").notify("lead")] }"#, "E0110 1:96"),
        (r#"fn deadlines(t) { [due("a").within(hours(1)).met_by("closed")] } fn escalation(t) { [at_breach("a").notify("leed")] }"#, "E0108 1:108"),
        (r#"fn classify(t) { if t.in_scope { free("in scope") } else { undecided() } }"#, "free in scope"),
        ("fn 判定(t) { 收费(t.memo) }", "paid x"),
        ("fn classify(t) { undecided() }", "a class"),
        (r#"fn findings(t) { if t.has("closed") && !t.有("已验收") { [finding("closed"), 问题(t.via)] } else { [] } }"#, "[found closed, found phone]"),
        ("fn findings(t) { [] }", "[]"),
        (r#"fn applies(t) { t.has("closed") }"#, "E0511 1:19"),
        ("fn applies(t) { yuan(1) }", "E0206 1:4"),
        ("fn penalty(b) { true }", "E0206 1:4"),
        ("fn deposit_floor() { terms.floor }", "the amount 1000.00 CNY"),
        ("fn 质保金最低额() { yuan(terms.limit) }", "1:15 an amount leaves the range of 64-bit minor units"),
    ]);
}

#[test]
#[rustfmt::skip]
fn functions_of_the_clause() {
    check(whole, &[
        ("fn f(t) { t.seats > 5 } fn applies(ticket) { f(ticket) }", "`true`"),
        ("fn f(t, n) { t.seats > n } fn applies(ticket) { f(ticket, 7) || f(ticket, ticket.seats - 1) }", "`true`"),
        ("fn f(x) { x += 1; x } fn applies(ticket) { let x = 1; f(x) == 2 && x == 1 }", "`true`"),
        ("fn f() { return 1; } fn g() { f() + f() } fn applies(ticket) { g() == 2 }", "`true`"),
        ("fn f(b) { b.late } fn penalty(breach) { terms.fee * f(breach).started(hours(1)) }", "the amount 0.03 CNY, late"),
        (r#"fn limit(t) { if t.visited { hours(1) } else { terms.repair } } fn deadlines(t) { [due("a").within(limit(t)).met_by("closed")] }"#, "[a [Kind(0)] Span(Span(7200000000000000000)) [Kind(14)] None None]"),
        (r#"fn clock(name) { due(name).met_by("closed") } fn deadlines(t) { [clock("a").within(hours(1)), within(clock("b"), hours(2))] }"#, "[a [Kind(0)] Span(Span(3600000000)) [Kind(14)] None None, b [Kind(0)] Span(Span(7200000000)) [Kind(14)] None None]"),
        ("fn f() { terms.limit + 1 } fn g() { f() } fn applies(t) { g() == 1 }", "`false`"),
        ("fn f(t) { t.seats } fn applies(ticket) { ticket.f() == 7 }", "E0205 1:49"),
        ("fn f(a, b) { a == b } fn f(a) { a } fn applies(ticket) { f(1, 1) && f(true) }", "E0205 1:69"),
        ("fn f() { g() } fn g() { f() } fn applies(ticket) { f() }", "E0501 1:4"),
        ("fn f(x) { x } fn applies(ticket) { f() }", "E0205 1:36"),
        ("fn hours(x) { x } fn applies(ticket) { true }", "E0401 1:4"),
    ]);
}
