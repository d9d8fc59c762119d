//! Scripts at the limits and far beyond: refused by name and soon, or evaluated alike by both.

use std::time::Duration;

use super::battery::say;
use super::policy;

/// Checking may take so long on a busy machine; on an idle one it takes a tenth.
const TIME_MAX: Duration = Duration::from_secs(1);

fn applies(body: &str) -> String {
    format!("fn applies(t) {{ {body} true }}")
}

/// Functions that call one another so deep, each with the next inside of something.
fn deep(before: &str, after: &str, n: usize, calls: usize) -> String {
    let mut text = format!("fn applies(t) {{ f0() }} fn f{calls}() {{ terms.auto }}");
    for i in 0..calls {
        text += &format!(" fn f{i}() {{ {}f{}(){} }}", before.repeat(n), i + 1, after.repeat(n));
    }
    text
}

fn listed(n: usize, make: impl Fn(usize) -> String) -> String {
    (0..n).map(make).collect()
}

#[expect(clippy::disallowed_methods, reason = "the time that checking takes is what is measured")]
fn time(work: impl FnOnce() -> String) -> (String, Duration) {
    let start = std::time::Instant::now();
    (work(), start.elapsed())
}

#[test]
fn a_script_beyond_the_limits_is_refused_soon() {
    let nested = "for a in 0..64 { for b in 0..64 { for c in 0..64 {";
    let twice = listed(40, |i| format!("fn f{i}() {{ f{n}() && f{n}() }} ", n = i + 1));
    let wide = listed(12, |i| format!("fn f{i}() {{ {} true }} ", format!("f{}();", i + 1).repeat(30)));
    let scripts = [
        (applies(&format!("{nested} }} }} }}")), "E0509"),
        (applies(&format!("{nested} 1; }} }} }}")), "E0509"),
        (applies(&format!("{nested} let x = a; }} }} }}")), "E0509"),
        (format!("fn applies(t) {{ f0() }} fn f40() {{ true }} {twice}"), "E0509"),
        (format!("fn applies(t) {{ f0() }} fn f12() {{ true }} {wide}"), "E0509"),
        (applies(&format!("{}1{};", "(".repeat(10_000), ")".repeat(10_000))), "E0509"),
        (applies(&"{".repeat(100_000)), "E0509"),
        (applies(&format!("{}1;", "-".repeat(10_000))), "E0510"),
        (applies(&format!("{}true;", "!".repeat(100_000))), "E0509"),
        (applies(&format!("1{};", " + 1".repeat(25_000))), "E0509"),
        (applies(&format!("t{};", ".first".repeat(20_000))), "E0509"),
        (applies(&"1; ".repeat(40_000)), "E0509"),
        (applies(&"t.seats == 0; ".repeat(9_000)), "E0509"),
        (applies(&listed(8_000, |i| format!("let a{i} = 1;"))), "E0509"),
        (applies(&listed(8_000, |i| format!("a{i};"))), "E0105"),
        (applies(&format!("if t.seats == 0 {{ }} {}", "else if t.seats == 1 { } ".repeat(4_000))), "E0509"),
        (
            applies(&format!(
                "switch t.seats {{ {} _ => {{}} }}",
                listed(9_000, |i| format!("{i} => {{}} "))
            )),
            "E0509",
        ),
        (
            applies(&format!(
                "switch t.memo {{ {}\"\" => {{}}, _ => {{}} }}",
                listed(9_000, |i| format!("\"{i}\"|"))
            )),
            "E0509",
        ),
        (listed(10_000, |i| format!("fn f{i}() {{}}")), "E0509"),
        ("fn ".repeat(10_000), "E0510"),
        (listed(60, |i| format!("fn f{i}() {{ 1 + }}\n")), "E0510"),
        (applies(&format!("[{}];", "1,".repeat(60_000))), "E0509"),
        ("/*".repeat(60_000), "E0111"),
        ("\"".repeat(100_001), "E0509"),
        ("`${".repeat(10_000), "E0509"),
        ("a".repeat(100_000), "E0508"),
        (applies(&"1".repeat(100_000)), "E0510"),
        ("x".repeat(100 << 20), "E0509"),
        (deep("!(", ")", 1, 14), "E0509"),
    ];
    let mut policy = policy();
    let mut wrong = Vec::new();
    for (script, code) in scripts {
        let (found, took) = time(|| say(&mut policy, &script));
        if !found.starts_with(code) || took > TIME_MAX {
            let short: String = script.chars().take(80).collect();
            wrong.push(format!("{short}: expected {code}, found {found} in {took:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the checker lets through, the interpreter evaluates within its limits, and neither runs out of stack.
#[test]
fn a_script_at_the_limits_is_evaluated() {
    let variables = listed(58, |i| format!("let a{i} = t.seats;"));
    let floors = listed(58, |i| format!("let b{i} = terms.fee;"));
    for script in [
        deep("if terms.auto { ", " } else { false }", 14, 12),
        deep("switch terms.auto { true => ", ", false => false }", 14, 12),
        deep("g(", ")", 16, 12) + " fn g(x) { x }",
        deep("!(", ")", 14, 12),
        format!("fn applies(t) {{ {}true{} }} fn f(x) {{ x }}", "f(".repeat(20), ")".repeat(20)),
        applies(&format!("if t.seats == 0 {{ }} {}", "else if t.seats == 1 { } ".repeat(40))),
        applies(&variables),
        format!("fn f(x) {{ {floors} true }} fn applies(t) {{ {variables} f(1) }}"),
        applies(&"1; ".repeat(3_900)),
        applies(&"; ".repeat(3_900)),
        applies(&"{ } ".repeat(3_900)),
        applies(&"{ 1 } ".repeat(3_800)),
        applies(&"if true { } ".repeat(1_200)),
        applies(&"switch true { true => {}, _ => {} }\n".repeat(600)),
        format!("fn f() {{ 1 }} {}", applies(&"f(); ".repeat(1_900))),
        format!("fn f(a) {{ return a; }} {}", applies(&"f(t.seats); ".repeat(500))),
        applies(&"t.knows(\"seats\"); ".repeat(1_200)),
        applies(&"t.first.seats.days(); ".repeat(1_000)),
        applies(&"t.first; ".repeat(1_900)),
        applies(&"(true && true && true); ".repeat(900)),
        applies(&"for i in 0..64 { }\n".repeat(55)),
        applies(&"for i in 0..64 { i; }\n".repeat(28)),
        applies(&"[1,2,3]; ".repeat(900)),
        format!("fn applies(t) {{ let x = t.seats; {} true }}", "x += 0; ".repeat(700)),
    ] {
        let found = say(&mut policy(), &script);
        let short: String = script.chars().take(80).collect();
        assert!(found == "`true`" || found == "`false`", "{short}: {found}");
    }
}

/// Texts of a helpdesk are as long as they are.
#[test]
fn long_texts_are_taken_alike() {
    let mut policy = policy();
    let long = "长".repeat(3_000);
    for script in [
        "fn applies(t) { t.memo == \"x\" }",
        "fn applies(t) { let a = t.memo; a = t.memo; a != \"x\" }",
        "fn f(a) { a } fn classify(t) { free(f(t.memo)) }",
        "fn classify(t) { if t.in_scope { paid(t.memo) } else { free(\"\") } }",
        "fn findings(t) { [finding(t.memo), finding(t.first.memo)] }",
        "fn deadlines(t) { [due(\"a\").pauses_for([t.memo, t.memo]).within(hours(1)).met_by(\"closed\")] }",
        "fn deadlines(t) { [due(\"a\").pauses_for(t.memo).within(hours(1)).met_by(\"closed\")] }",
        "fn applies(t) { switch t.memo { \"x\" => true, _ => false } }",
        "fn applies(t) { [t.memo, t.memo, t.memo]; true }",
    ] {
        let refused = super::put(&mut policy, script);
        assert_eq!(refused, [], "{script}");
        let ticket = super::tickets::with_text(&policy, &long);
        for entry in 0..7 {
            let Some([program, reference]) = super::both(&mut policy, entry, &ticket) else { continue };
            assert_eq!(program, reference, "{script}");
        }
    }
}
