//! The hostile scripts, each with where it is stopped and what is said.

use super::Stopped::{self, Judging, Nowhere};

/// A good body of `deadlines`.
const DUE: &str = "[due(\"x\").within(hours(1)).met_by(\"resolved\")]";

type Row = (String, Stopped, &'static str);

/// The clause, run for hostile tickets only, with this body of `deadlines`.
fn deadlines(body: &str) -> String {
    format!("fn applies(ticket) {{ ticket.kind == \"hostile\" }}\nfn deadlines(ticket) {{ {body} }}")
}

/// The same with more functions below.
fn and(body: &str, more: &str) -> String {
    format!("{}\n{more}", deadlines(body))
}

fn loading(codes: &str) -> Stopped {
    Stopped::Loading(codes.to_owned())
}

/// A body of `deadlines` that is refused.
fn body(body: &str, codes: &str, words: &'static str) -> Row {
    (deadlines(body), loading(codes), words)
}

/// A body of `deadlines` that only a ticket stops.
fn judged(body: &str, words: &'static str) -> Row {
    (deadlines(body), Judging, words)
}

/// A body of `deadlines` that looks worse than it is.
fn harmless(body: &str) -> Row {
    (deadlines(body), Nowhere, "judged")
}

pub(super) fn table() -> Vec<Row> {
    [loops(), growth(), texts(), numbers(), facts(), lengths(), words(), intent(), answers(), clocks()]
        .concat()
}

/// Loops and recursion.
fn loops() -> Vec<Row> {
    let never = "may never end";
    vec![
        body("loop { }", "E0502", "`loop` may never end"),
        body("while true { let x = 1; }", "E0502", "`while` may never end"),
        body("for x in 0..9223372036854775807 { }", "E0509", "at most 64 turns"),
        body("for x in 0..ticket.most { }", "E0502", "a range written out"),
        body("for x in [1, 2] { }", "E0502", "a range written out"),
        body("do { } until false;", "E0502", "`do` may never end"),
        body("loop { try { loop { } } catch { } }", "E0502", never),
        body("loop { try { throw \"again\"; } catch { } }", "E0502", never),
        body("for x in 0..3 { continue; } []", "E0507", "`continue`"),
        (and("f(0)", "fn f(n) { f(n + 1) }"), loading("E0501"), "`f` calls `f`"),
        (and("f(0)", "fn f(n) { g(n) }\nfn g(n) { f(n) }"), loading("E0501"), "`f` calls `g` calls `f`"),
        (and("f()", "fn f() { try { f() } catch { f() } }"), loading("E0506"), "`try` is not part"),
        (and("deadlines(ticket)", ""), loading("E0501"), "`deadlines` calls `deadlines`"),
        (and("[]", "fn penalty(breach) { loop {} }"), loading("E0502"), never),
        (and("[]", "fn findings(ticket) { loop {} }"), loading("E0502"), never),
        (and("[]", "fn escalation(ticket) { loop {} }"), loading("E0502"), never),
        (and("[]", "fn classify(ticket) { loop {} }"), loading("E0502"), never),
    ]
}

/// What grows while it runs, or while it is read.
fn growth() -> Vec<Row> {
    let ladder: String =
        (0..12).map(|i| format!("fn f{i}() {{ {} }}\n", format!("f{}(); ", i + 1).repeat(4))).collect();
    let nested = |inner: &str| {
        let heads: String = ["a", "b", "c", "d"].map(|name| format!("for {name} in 0..64 {{ ")).concat();
        format!("{heads}{inner}{} []", "}".repeat(4))
    };
    vec![
        body("let s = \"0123456789\"; loop { s += s; }", "E0502", ""),
        body(
            "let s = \"0123456789\"; for i in 0..60 { s += s; } []",
            "E0201",
            "`+` does not take text and text",
        ),
        body("let s = \"0123456789\"; loop { s = `${s}${s}`; }", "E0502", ""),
        body(
            "let s = \"0123456789\"; for i in 0..9 { s = `${s}${s}`; } []",
            "E0507",
            "a text with values in it",
        ),
        body("let a = []; loop { a.push(1); }", "E0502", ""),
        body("let a = []; for i in 0..60 { a.push(1); } []", "E0103", "unknown function `push`"),
        body("let a = [1]; loop { a += a; }", "E0502", ""),
        body("let a = [1]; for i in 0..60 { a += a; } []", "E0201", "`+` does not take"),
        body("let a = []; loop { a = [a, a]; }", "E0502", ""),
        body("let a = [1]; for i in 0..60 { a = [a, a]; } []", "E0507", "a list does not hold lists"),
        body("let a = []; a.pad(1000000000, \"x\"); []", "E0103", "unknown function `pad`"),
        body("let m = #{}; loop { m = #{a: m, b: m}; }", "E0502 E0507", "maps are not part"),
        body("let m = #{}; let i = 0; loop { m[`${i}`] = i; i += 1; }", "E0502 E0507", "maps are not part"),
        (and("f0()", &format!("{ladder}fn f12() {{ [] }}")), loading("E0509"), "at most 4000 parts"),
        body(&nested("ticket.id; "), "E0509", "too large"),
        body(&nested(""), "E0509", "too large"),
    ]
}

/// Texts that are hard to read.
fn texts() -> Vec<Row> {
    let many = |n: usize, part: &str| part.repeat(n);
    let wrapped = |open: &str, n: usize, inner: &str, close: &str| {
        format!("let x = {}{inner}{}; []", open.repeat(n), close.repeat(n))
    };
    let deep = "too large";
    let cases: String = (0..500).map(|i| format!("{i} => [], ")).collect();
    let bars: String = (0..3_000).map(|i| format!("{i} | ")).collect();
    vec![
        body(&wrapped("(", 10_000, "1", ")"), "E0509", deep),
        body(&wrapped("-", 10_000, "1", ""), "E0510", "'--' is a reserved symbol"),
        body(&wrapped("- ", 10_000, "1", ""), "E0509", deep),
        body(&wrapped("!", 10_000, "true", ""), "E0509", deep),
        body(&wrapped("[", 10_000, "", "]"), "E0509", deep),
        body(&wrapped("1 + ", 10_000, "1", ""), "E0509", deep),
        body(&format!("{}[]{}", many(5_000, "if true {"), many(5_000, "}")), "E0509", deep),
        body(&format!("{}{{ [] }}", many(5_000, "if ticket.kind == \"a\" { [] } else ")), "E0509", deep),
        body(&format!("{}{}", many(10_000, "{"), many(10_000, "}")), "E0509", deep),
        body(&format!("let x = ticket{}.kind; []", many(10_000, ".first")), "E0509", deep),
        body(&many(10_000, "`${"), "E0509", deep),
        body(&format!("[due(\"x\"){}]", many(10_000, ".pauses()")), "E0509", deep),
        (
            format!("fn applies(ticket) {{ {}false }}", many(10_000, "ticket.kind == \"a\" || ")),
            loading("E0509"),
            deep,
        ),
        body(&format!("\"{}\"", many(1 << 20, "x")), "E0509", "too large"),
        body(&format!("`{}`", many(1 << 20, "x")), "E0509", "too large"),
        body(&many(20_000, "let x = 1;"), "E0509", "too large"),
        (and("[]", &many(10_000, "fn f() { 1 }\n")), loading("E0509"), "too large"),
        (
            and("[]", &(0..1_000).map(|i| format!("fn f{i}() {{ 1 }}\n")).collect::<String>()),
            loading("E0509"),
            "number of functions defined",
        ),
        body(&format!("[{}", many(100_000, "1,")), "E0509", "too large"),
        body(&format!("min({}1)", many(10_000, "1, ")), "E0509", "too large"),
        (deadlines("[]") + "\u{0}\u{ffff}", loading("E0801"), "is 0"),
        ("fn deadlines(ticket) { [] ".to_owned(), loading("E0510"), "cannot be read here"),
        body(&many(50_000, "/*"), "E0510", "cannot be read here"),
        body(&format!("\"{}", many(50_000, "x")), "E0509", "too large"),
        harmless(&format!("{}{} []", many(20_000, "/*"), many(20_000, "*/"))),
        harmless(&format!("let x = {}; []", many(10_000, "0"))),
        harmless(&format!("switch ticket.most {{ {cases}_ => [] }}")),
        harmless(&format!("switch ticket.most {{ {bars}10000 => [], _ => [] }}")),
    ]
}

/// Numbers that have no answer and stand in the script.
fn numbers() -> Vec<Row> {
    vec![
        body("let x = 9223372036854775807 + 1; []", "E0209", "9223372036854775807 + 1 is too large"),
        body("let x = -9223372036854775807 - 2; []", "E0209", "-9223372036854775807 - 2 is too large"),
        body("let x = 4611686018427387904 * 2; []", "E0209", "4611686018427387904 * 2 is too large"),
        body("let x = (-9223372036854775807 - 1) / -1; []", "E0203", "division"),
        body("let x = (-9223372036854775807 - 1) % -1; []", "E0209", "cannot be divided by -1"),
        body("let x = -(-9223372036854775807 - 1); []", "E0209", "the opposite of -9223372036854775808"),
        body("let x = 1 / 0; []", "E0209", "cannot be divided by 0"),
        body("let x = 1 % 0; []", "E0209", "1 cannot be divided by 0"),
        body("let x = 2 ** 64; []", "E0507", "`**` is not part"),
        body("let x = 1 << 64; []", "E0507", "`<<` is not part"),
        body("let x = 5 / 2; []", "E0203", "drops its remainder"),
        body("let x = yuan(5) / 2; []", "E0203", "money is not divided by count"),
        body("let x = 1.5; []", "E0507", "a number with decimals"),
        body("let x = hours(2000000000) * 9223372036854775807; []", "E0209", "a time overflows"),
        body("let x = started(hours(1), seconds(0)); []", "E0209", "longer than nothing"),
        body("let x = yuan(9223372036854775807); []", "E0209", "64-bit minor units"),
        body("let x = yuan(\"0.001\"); []", "E0209", "0.001"),
        body(
            "let x = percent(\"79228162514264337593543950335\").of(yuan(900000), \"up\"); []",
            "E0209",
            "64-bit",
        ),
        body("let x = yuan(\"1e3\"); []", "E0209", "`1e3` is not an amount"),
        body("let x = -yuan(5); []", "E0201", "`-` before money"),
        body("let x = 99999999999999999999; []", "E0507", "a number"),
        body("let x = percent(5).of(yuan(5), \"sideways\"); []", "E0113", "`sideways` is not a rounding"),
    ]
}

/// The same numbers, given by the ticket: nobody can know before.
fn facts() -> Vec<Row> {
    vec![
        judged("let x = ticket.most + 1; []", "9223372036854775807 + 1 is too large"),
        judged("let x = -ticket.most - 2; []", "-9223372036854775807 - 2 is too large"),
        judged("let x = ticket.most * 2; []", "9223372036854775807 * 2 is too large"),
        judged("let x = (-ticket.most - 1) % (ticket.none - 1); []", "cannot be divided by -1"),
        judged("let x = -(-ticket.most - 1); []", "the opposite of -9223372036854775808"),
        judged("let x = 1 % ticket.none; []", "1 cannot be divided by 0"),
        body("let x = 1 / ticket.none; []", "E0203", "drops its remainder"),
        judged("let x = hours(2000000000) * ticket.most; []", "a time overflows"),
        judged("let x = started(hours(1), seconds(ticket.none)); []", "longer than nothing"),
        judged("let x = full(hours(1), seconds(ticket.none)); []", "longer than nothing"),
        judged("let x = yuan(ticket.most); []", "64-bit minor units"),
        judged("let x = ticket.fee + yuan(1); []", "64-bit minor units"),
        judged("let x = ticket.fee * 2; []", "64-bit minor units"),
        judged("let x = percent(200).of(ticket.fee, \"up\"); []", "64-bit minor units"),
        judged("let x = ticket.last + hours(1); []", "years 0000 to 9999"),
        judged("let x = ticket.last.plus(days(1)); []", "1900 to 2299"),
        judged("let x = ticket.reported_at + hours(90000000); []", "years 0000 to 9999"),
        judged("let x = contract.accepted_at; []", "`contract.accepted_at` is not known"),
        judged("[due(\"x\").within(hours(ticket.most)).met_by(\"resolved\")]", "too long a time"),
        judged("[due(\"x\").within(hours(ticket.none - 1)).met_by(\"resolved\")]", "zero or more"),
        judged("[due(\"x\").within(days(ticket.most)).met_by(\"resolved\")]", "zero or more days"),
        judged("let x = ticket.reported_at.plus(years(4000000000)); []", "1900 to 2299"),
        (and(DUE, "fn penalty(breach) { yuan(1) * breach.ticket.most }"), Judging, "64-bit minor units"),
        (
            and(DUE, "fn penalty(breach) { yuan(1) * started(breach.late, seconds(breach.ticket.none)) }"),
            Judging,
            "longer than nothing",
        ),
        (
            and(DUE, "fn penalty(breach) { breach.ticket.fee + breach.ticket.fee }"),
            Judging,
            "64-bit minor units",
        ),
        (and(DUE, "fn penalty(breach) { breach.ticket.fee * -1 }"), Judging, "expected zero or more"),
        judged("for i in 0..60 { let x = ticket.most + i; } []", "9223372036854775807 + 1 is too large"),
    ]
}

/// Lengths that no calendar holds.
fn lengths() -> Vec<Row> {
    let within = |length: &str| format!("[due(\"x\").within({length}).met_by(\"resolved\")]");
    let working =
        |length: &str| format!("[due(\"x\").within({length}).in_calendar(\"work\").met_by(\"resolved\")]");
    let years = "1900 to 2299";
    vec![
        body(&within("hours(9223372036854775807)"), "E0209", "too long a time"),
        body(&within("hours(-1)"), "E0209", "zero or more"),
        body(&within("days(4294967296)"), "E0209", "zero or more days"),
        judged(&working("hours(2000000000)"), "more than the calendar holds"),
        judged(&within("days(4294967295)"), years),
        judged(&working("working_days(4294967295)"), years),
        judged(&within("weeks(4294967295)"), years),
        judged(&within("months(4294967295)"), years),
        judged(&within("years(4294967295)"), years),
        judged(&within("ticket.last - ticket.reported_at"), "more than the calendar holds"),
        judged(&within("ticket.reported_at - ticket.last"), "expected open time of zero or more"),
        judged(&working("working_days(0)"), "a count of 0 has no last day"),
    ]
}

/// Words that are not given.
fn words() -> Vec<Row> {
    vec![
        body("eval(\"1\")", "E0503", "`eval` is not part"),
        body("import \"x\" as x; []", "E0504", "`import`"),
        body("print(\"x\"); []", "E0103", "unknown function `print`"),
        body("debug(1); []", "E0103", "unknown function `debug`"),
        body("loop { debug(1); }", "E0502", ""),
        body("let f = |x| x; []", "E0505", "a function without a name"),
        body("let f = Fn(\"applies\"); []", "E0505", "`Fn` is not part"),
        body("[1].map(|x| x + 1)", "E0103 E0505", "unknown function `map`"),
        body("ticket.kind.call()", "E0505", "`call` is not part"),
        body("call(\"applies\")", "E0505", "`call` is not part"),
        body("sleep(1000); []", "E0103", "unknown function `sleep`"),
        body("let x = timestamp(); []", "E0103", "unknown function `timestamp`"),
        body("let x = rand(); []", "E0103", "unknown function `rand`"),
        body("let x = open(\"/etc/passwd\"); []", "E0103", "unknown function `open`"),
        body("let x = is_def_var(\"x\"); []", "E0103", "unknown function `is_def_var`"),
        body("let x = type_of(1); []", "E0103", "unknown function `type_of`"),
        body("let x = 1 in [1]; []", "E0103", "unknown function"),
        body("goto x; []", "E0510", "'goto' is a reserved keyword"),
        body("fn g() { 1 } []", "E0510", "function definitions must be at global level"),
        body("undefined_name", "E0105", "unknown variable `undefined_name`"),
        body("let x = this; []", "E0507", "`this` is not part"),
        body("let ticket = 1; []", "E0401", "`ticket` hides"),
        body("let terms = 1; []", "E0401", "`terms` hides"),
        body("let x = 1; { let x = 2; } []", "E0401", "`x` hides"),
        (and("[]", "fn hours(n) { minutes(n) }"), loading("E0401"), "`hours` hides a word"),
        ("loop { }\nfn deadlines(ticket) { [] }".to_owned(), loading("E0508"), "only functions"),
        ("let x = 1;\nfn deadlines(ticket) { [] }".to_owned(), loading("E0508"), "only functions"),
        ("fn deadlines() { [] }".to_owned(), loading("E0111"), "`deadlines` takes 1 parameter(s), not 0"),
        ("fn deadlnes(ticket) { [] }".to_owned(), loading("E0111"), "did you mean `deadlines`?"),
        ("fn other(ticket) { [] }".to_owned(), loading("E0111"), "defines none of"),
        (String::new(), loading("E0111"), "defines none of"),
    ]
}

/// Ends by intent.
fn intent() -> Vec<Row> {
    vec![
        body("throw \"I will not\";", "E0506", "`throw` is not part"),
        body("throw;", "E0506", "`throw` is not part"),
        body("throw ticket;", "E0506", "`throw` is not part"),
        body("try { [] } catch { [] }", "E0506", "`try` is not part"),
        body("ticket.kind = \"honest\"; []", "E0507", "only variables are assigned to"),
        body("terms.x = 1; []", "E0507", "only variables are assigned to"),
        body("ticket = 1; []", "E0201", "`ticket` is"),
        body("const X = 5; X = 6; []", "E0510", "cannot assign to constant X"),
        body("ticket.kind.kind.kind", "E0101", "text has no `kind`"),
        body("let x = [1][5]; []", "E0507", "`[...]` after a value"),
        body("let x = #{a: 1}.b; []", "E0507", "maps are not part"),
        body("let x = ticket?.kind; []", "E0507", "`?.`"),
        body("let x = ticket.kind ?? \"a\"; []", "E0507", "`??`"),
    ]
}

/// Answers of the wrong sort.
fn answers() -> Vec<Row> {
    vec![
        body("switch ticket.kind { \"never\" => [] }", "E0302", "does not cover"),
        body("switch ticket.most { 5..1 => [], _ => [] }", "E0209", "this range holds no number"),
        body(
            "switch ticket.most { 9223372036854775808 => [], _ => [] }",
            "E0507",
            "a case is a text, a number",
        ),
        body("let x; []", "E0507", "`x` needs a value"),
        body("let x = if ticket.kind == \"a\" { 1 }; []", "E0301", "`x` has a path without a result"),
        body("return;", "E0301", "`return` without a result"),
        body("5", "E0206", "`deadlines` gives count: expected a list of `due(...)`"),
        body("[1]", "E0206", "`deadlines` gives list of counts: expected a list of `due(...)`"),
        body("[[]]", "E0507", "a list does not hold lists"),
        body("due(\"x\")", "E0206", "`deadlines` gives deadline: expected a list"),
        body("terms", "E0206", "`deadlines` gives terms: expected a list"),
        body("if ticket.kind == \"a\" { [] }", "E0301", "`deadlines` has a path without a result"),
        (
            "fn applies(ticket) { if ticket.kind == \"hostile\" { 1 } else { false } }".to_owned(),
            loading("E0207"),
            "this branch gives true or false, another gives count",
        ),
        ("fn applies(ticket) { 1 }".to_owned(), loading("E0206"), "gives count: expected true or false"),
        (
            and("[]", "fn classify(ticket) { \"free\" }"),
            loading("E0206"),
            "`classify` gives text: expected `free(",
        ),
        (and("[]", "fn classify(ticket) { }"), loading("E0301"), "`classify` has a path without a result"),
        (
            and("[]", "fn findings(ticket) { finding(\"x\") }"),
            loading("E0206"),
            "`findings` gives finding: expected",
        ),
        (and("[]", "fn findings(ticket) { [\"x\"] }"), loading("E0206"), "`findings` gives list of texts"),
        (
            and("[]", "fn escalation(ticket) { [due(\"x\")] }"),
            loading("E0206"),
            "`escalation` gives list of deadlines",
        ),
        (and(DUE, "fn penalty(breach) { 500 }"), loading("E0206"), "`penalty` gives count: expected money"),
        (
            and(DUE, "fn penalty(breach) { yuan(-1) }"),
            Judging,
            "a penalty of -1.00 CNY: expected zero or more",
        ),
    ]
}

/// Clocks and steps that cannot be.
fn clocks() -> Vec<Row> {
    vec![
        body("[due(\"x\")]", "E0602 E0603", "can never be met"),
        body("[due(\"x\").within(hours(1))]", "E0602", "can never be met"),
        body("[due(\"x\").met_by(\"resolved\")]", "E0603", "has no end"),
        body(
            "[due(\"x\").after_breach_of(\"x\").within(hours(2)).met_by(\"resolved\")]",
            "E0110",
            "not set before it",
        ),
        body("[due(\"x\").within(hours(1)).met_by([])]", "E0205", "`met_by` takes text here"),
        body("ticket.knows(ticket.kind); []", "E0604", "a name is written out"),
        body("ticket.has(\"resolved\"); []", "E0511", "`ticket.has` is for `findings`"),
        body("[due(ticket.kind).within(hours(1)).met_by(\"resolved\")]", "E0604", "a name is written out"),
        body(
            &format!("[{}]", vec![&DUE[1..DUE.len() - 1]; 100].join(", ")),
            "E0601",
            "the clock `x` is set twice",
        ),
        (
            and("[]", "fn escalation(ticket) { [at_breach(\"x\").notify(\"boss\")] }"),
            loading("E0110"),
            "names the clock `x`, which this clause does not set",
        ),
        (and(DUE, "fn escalation(ticket) { [at_breach(\"x\")] }"), loading("E0605"), "tells nobody"),
        (
            and(DUE, "fn escalation(ticket) { [at_breach(\"x\").notify(\"bos\")] }"),
            loading("E0108"),
            "did you mean `boss`?",
        ),
        (
            and(DUE, "fn escalation(ticket) { [at_share(\"x\", percent(-5)).notify(\"boss\")] }"),
            loading("E0209"),
            "between 0 and 100 percent",
        ),
        (
            and(DUE, "fn escalation(ticket) { [at_share(\"x\", percent(ticket.most)).notify(\"boss\")] }"),
            Judging,
            "between 0 and 100 percent",
        ),
    ]
}
