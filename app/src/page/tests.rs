use std::collections::BTreeMap;

use holdback::{
    CapCut, ClauseTotal, Deposit, DepositPoint, Money, PenaltyState, Say, SayKind, StatementLine, Subject,
};

use super::*;

fn pack() -> Pack {
    let files = [
        (
            "pack.toml",
            "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\ncontracts = [\"c\"]\nexample = true",
        ),
        ("contract.md", "# [1] Repair & <care>\n# [2] Deposit"),
        (
            "clauses/1.rhai",
            "//! clause: 1\nfn deadlines(ticket) { [due(\"repair\").within(hours(2)).met_by(\"resolved\")] }\n\
             fn penalty(breach) { yuan(500) }",
        ),
        ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(1000) }"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    Pack::from_files(files.into()).unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn yuan(minor: i64) -> Money {
    Money::from_minor(minor, "CNY".parse().unwrap())
}

fn statement(history: Vec<DepositPoint>, penalties: Vec<StatementLine>) -> Statement {
    let sum: i64 = penalties.iter().map(|line| line.amount.minor()).sum();
    let total =
        ClauseTotal { count: penalties.len() as u64, amount: yuan(sum), cut: yuan(0), deducted: yuan(sum) };
    let by_clause =
        if penalties.is_empty() { BTreeMap::new() } else { BTreeMap::from([("1".to_owned(), total)]) };
    Statement {
        format: 1,
        contract: "c".into(),
        pack: "p@1".into(),
        as_of: at("2026-04-01T00:00:00+08:00"),
        deposit: Deposit {
            paid: yuan(1_000_000),
            released: yuan(0),
            deducted: yuan(sum),
            balance: history.last().map_or(yuan(0), |point| point.balance),
            floor: yuan(100_000),
            shortfall: yuan(0),
            held: yuan(0),
            waived: yuan(0),
            disputed: yuan(0),
            cut: yuan(0),
            earned_back: yuan(0),
        },
        balances: BTreeMap::new(),
        by_clause,
        penalties,
        history,
        remarks: Vec::new(),
    }
}

fn line(ticket: &str, n: i64) -> StatementLine {
    StatementLine {
        id: format!("{ticket}/1/repair"),
        subject: Subject::Ticket,
        ticket: ticket.into(),
        clause: "1".into(),
        clock: "repair".into(),
        at: Instant::from_seconds(1_772_000_000 + n).unwrap(),
        base: yuan(50_000),
        amount: yuan(50_000),
        cut: yuan(0),
        cut_by: Vec::new(),
        deducted: yuan(50_000),
        shortfall: yuan(0),
        state: PenaltyState::Deducted,
        say: Vec::new(),
    }
}

fn points(n: i64) -> Vec<DepositPoint> {
    let point = |i: i64| DepositPoint {
        at: Instant::from_seconds(1_767_200_000 + i * 100).unwrap(),
        balance: yuan(1_000_000 - (i * 7919) % 900_000),
    };
    (0..n).map(point).collect()
}

fn drawn(statement: Statement, clocks: Vec<ClockTotals>) -> String {
    let pack = pack();
    page(&PageView {
        pack: &pack,
        statements: &[statement],
        clocks,
        class: ClassTotals { free: 1, paid: 2, undecided: 3 },
        tickets: 6,
        faults: 1,
        as_of: at("2026-04-01T00:00:00+08:00"),
        notes: &["3 events were <refused>".to_owned()],
    })
}

/// Every tag that opens is closed, in order; attributes have closed quotes; nothing is fetched.
fn check_form(html: &str) {
    const VOID: [&str; 3] = ["meta", "br", "!DOCTYPE"];
    let body = html.replace(STYLE, "");
    let mut open: Vec<String> = Vec::new();
    let mut rest = body.as_str();
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "a bare `>` in `{}`", &rest[..start]);
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        assert!(!tag.contains('<') && tag.matches('"').count().is_multiple_of(2), "`<{tag}>`");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed));
        } else if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(!["http:", "https:", "src=", "href=", "@import", "url("].iter().any(|word| html.contains(word)));
}

/// The points of the drawn line, as written.
fn path(html: &str) -> &str {
    let path = html.split_once("class=\"line\" d=\"").map_or("", |(_, rest)| rest);
    path.split_once('"').map_or("", |(path, _)| path)
}

#[test]
fn hostile_ids_stay_text() {
    let ticket = "<script>alert('x')</script>\"&\u{202e}\u{7}";
    let clock = ClockTotals {
        clause: "1\"><b>".into(),
        clock: "<i>".into(),
        breached: 1,
        late_seconds: vec![5],
        ..ClockTotals::default()
    };
    let mut statement = statement(points(2), vec![line(ticket, 0)]);
    statement.contract = "</title><img>".into();
    statement.remarks = vec!["`<u>` is waived".into()];
    let html = drawn(statement, vec![clock]);
    check_form(&html);
    assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\u{fffd}\u{fffd}"));
    for tag in ["<script", "<img", "<u>", "<i>", "<refused>", "<care>"] {
        assert!(!html.contains(tag), "{tag}");
    }
}

#[test]
fn a_page_of_nothing_is_whole() {
    let html = drawn(statement(Vec::new(), Vec::new()), Vec::new());
    check_form(&html);
    assert!(html.contains("No deposit has been paid yet"));
    assert!(html.contains("No penalty is owed"));
    assert!(html.contains("Example money"));
}

#[test]
fn one_point_is_a_level_line_to_the_end() {
    let html = drawn(statement(points(1), Vec::new()), Vec::new());
    check_form(&html);
    // 10,000.00 at the top of the axis from the left edge to the right one.
    assert_eq!(path(&html), "M110.0 18.0H884.0");
}

#[test]
fn two_points_are_one_step() {
    let mut history = points(1);
    // Half of the time until the page's instant, half of the amount.
    let first = history[0].at;
    let half = at("2026-04-01T00:00:00+08:00").since(first).micros() / 2;
    let middle = first.checked_add(holdback::Span::from_micros(half)).unwrap();
    history.push(DepositPoint { at: middle, balance: yuan(500_000) });
    let html = drawn(statement(history, Vec::new()), Vec::new());
    check_form(&html);
    assert_eq!(path(&html), "M110.0 18.0H497.0V152.0H884.0");
}

#[test]
fn fifty_thousand_points_keep_their_peaks_and_troughs() {
    let mut history = points(50_000);
    history[20_001].balance = yuan(1_234_500);
    history[30_003].balance = yuan(-70_000);
    let all: Vec<(i64, i64)> = history.iter().map(|p| (p.at.micros(), p.balance.minor())).collect();
    let (from, to) = (all[0].0, all[49_999].0);
    let kept = deposit::thin(&all, from, to);
    assert!(kept.len() <= 4 * 781, "{}", kept.len());
    assert!(kept.is_sorted_by_key(|point| point.0));
    for point in [all[0], all[20_001], all[30_003], all[49_999]] {
        assert!(kept.contains(&point), "{point:?}");
    }
    assert!(kept.iter().all(|point| all.binary_search(point).is_ok()), "no point is made up");
    let html = drawn(statement(history, Vec::new()), Vec::new());
    check_form(&html);
    assert!(path(&html).len() < 60_000, "{}", path(&html).len());
}

#[test]
fn penalties_beyond_two_hundred_are_counted() {
    let lines: Vec<StatementLine> = (0..1234).map(|n| line(&format!("T{n}"), n)).collect();
    let html = drawn(statement(points(2), lines), Vec::new());
    check_form(&html);
    assert!(html.contains("1,034 more penalties are not listed here"));
    // The newest first among equals.
    assert!(html.contains(">T1233<") && html.contains(">T1034<") && !html.contains(">T1033<"));
    assert!(html.contains("617,000.00"));
}

#[test]
fn a_penalty_tells_what_was_cut_and_who_said_what() {
    let mut cut = line("T1", 0);
    (cut.base, cut.deducted, cut.cut) = (yuan(25_000), yuan(30_000), yuan(20_000));
    cut.cut_by = vec![CapCut { cap: "per month, clause <7.3>".into(), amount: yuan(20_000) }];
    let mut disputed = line("T2", 1);
    (disputed.deducted, disputed.state) = (yuan(10_000), PenaltyState::Disputed);
    disputed.say = vec![Say {
        kind: SayKind::Disputed,
        at: at("2026-03-02T10:00:00+08:00"),
        event: "d1".into(),
        by: Some("<b>王老师".into()),
        why: Some("no <access>".into()),
    }];
    let plain = drawn(statement(points(2), vec![line("T1", 0)]), Vec::new());
    assert!(!plain.contains("Cut by caps") && !plain.contains("Disputed"));
    let html = drawn(statement(points(2), vec![cut, disputed]), Vec::new());
    check_form(&html);
    for told in ["200.00 cut (per month, clause &lt;7.3&gt;)", "封顶免扣 200.00", "250.00 the first time"]
    {
        assert!(html.contains(told), "{told}");
    }
    assert!(html.contains("&lt;b&gt;王老师: no &lt;access&gt;"));
    assert!(html.contains("<th scope=\"col\" class=\"n\">Disputed<br>") && html.contains(">400.00<"));
}

#[test]
fn a_bucket_holds_its_upper_end() {
    let late = [1, 300, 301, 3600, 3601, 14_400, 86_400, 86_401, 604_800, 604_801, i64::MAX];
    assert_eq!(lateness::buckets(&late), [2, 2, 2, 1, 2, 2]);
}

#[test]
fn amounts_and_shares_read_well() {
    for (minor, text) in [
        (0, "0.00"),
        (-5, "-0.05"),
        (99_999, "999.99"),
        (100_000, "1,000.00"),
        (-123_456_789, "-1,234,567.89"),
    ] {
        assert_eq!(amount(yuan(minor)), text);
    }
    assert_eq!(amount(Money::from_minor(1_234_567, "JPY".parse().unwrap())), "1,234,567");
    assert_eq!(amount(yuan(i64::MIN)), "-92,233,720,368,547,758.08");
    assert_eq!(share(9999, 10_000), "99.9 %");
    assert_eq!(share(0, 0), "–");
    assert_eq!(text::rough(5_284_800 + 61), "1,468 h 1 min");
    assert_eq!(text::rough(61), "1 min 1 s");
    assert_eq!(text::rough(0), "0 s");
}

#[test]
fn ticks_are_round_and_cover_the_line() {
    assert_eq!(axis::amounts(0, 1_000_000, 2), [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]);
    assert_eq!(axis::amounts(0, 0, 2), [0, 100]);
    for (low, high) in [(-70_000, 1_234_500), (i64::MIN / 2, i64::MAX / 2), (5, 5), (-1, 0)] {
        let ticks = axis::amounts(low, high, 2);
        assert!(ticks.first().is_some_and(|tick| *tick <= low) && ticks.len() <= 8, "{ticks:?}");
        assert!(ticks.last().is_some_and(|tick| *tick >= high), "{ticks:?}");
    }
    let wall = |text: &str| at(text).micros();
    let labels = |from: &str, to: &str| -> Vec<String> {
        axis::dates(wall(from), wall(to)).into_iter().map(|(_, label)| label).collect()
    };
    let year = labels("2026-01-15T00:00:00Z", "2026-12-20T00:00:00Z");
    assert_eq!(year, ["2026-03", "2026-05", "2026-07", "2026-09", "2026-11"]);
    let week = labels("2026-03-02T10:00:00Z", "2026-03-08T10:00:00Z");
    assert_eq!(week.first().map(String::as_str), Some("2026-03-03"));
    assert!(labels("2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z").len() <= 1);
    assert!(labels("0000-01-01T00:00:00Z", "9999-12-31T00:00:00Z").len() <= 20);
}
