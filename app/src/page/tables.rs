//! The tables of the page.

use std::collections::BTreeMap;

use holdback::{CapCut, Money, Pack, PenaltyState, SayKind, Statement, StatementLine};

use super::text::{amount, both, count, escape, moment, rough, share};
use super::{ClockTotals, PageView};

/// Penalties listed one by one; the others are counted.
const MOST_PENALTIES: usize = 200;

/// A head of a column: its label in both languages, and whether it holds numbers.
type Column = (&'static str, &'static str, bool);

fn head(columns: &[Column]) -> String {
    let cells: String = columns
        .iter()
        .map(|(english, chinese, number)| {
            let class = if *number { " class=\"n\"" } else { "" };
            format!("<th scope=\"col\"{class}>{english}<br><span lang=\"zh\">{chinese}</span></th>")
        })
        .collect();
    format!("<thead><tr>{cells}</tr></thead>\n")
}

fn table(class: &str, columns: &[Column], rows: &str, foot: &str) -> String {
    let head = head(columns);
    format!("<div class=\"scroll\"><table{class}>\n{head}<tbody>\n{rows}</tbody>\n{foot}</table></div>\n")
}

fn number(text: &str) -> String {
    format!("<td class=\"n\">{text}</td>")
}

/// The deadlines by clause and name.
pub(super) fn clocks(view: &PageView<'_>) -> String {
    if view.clocks.is_empty() {
        return format!("<p>{}</p>\n", both("No deadline was set.", "没有期限。"));
    }
    let columns = [
        ("Clause", "条款", false),
        ("Deadline", "期限", false),
        ("Met", "按时", true),
        ("Missed", "逾期", true),
        ("In time", "按时率", true),
        ("Open", "进行中", true),
        ("Called off", "取消", true),
        ("Longest late", "最长逾期", true),
    ];
    let rows: String = view.clocks.iter().map(|clock| clock_row(clock, view.pack)).collect();
    table("", &columns, &rows, "")
}

fn clock_row(clock: &ClockTotals, pack: &Pack) -> String {
    let longest = clock.late_seconds.iter().max().map_or("–".to_owned(), |late| rough(*late));
    let cells = [
        count(clock.met),
        count(clock.breached),
        share(clock.met, clock.met + clock.breached),
        count(clock.open),
        count(clock.cancelled),
        longest,
    ];
    format!(
        "<tr><th scope=\"row\">{}</th><td>{}</td>{}</tr>\n",
        clause(pack, &clock.clause),
        escape(&clock.clock),
        cells.iter().map(|cell| number(cell)).collect::<String>()
    )
}

/// The clause's number with its heading.
fn clause(pack: &Pack, id: &str) -> String {
    let title = pack.clauses.iter().find(|clause| clause.id == id).map_or("", |clause| clause.title.as_str());
    format!("{} <span class=\"soft\">{}</span>", escape(id), escape(title))
}

/// What a column of the table adds up of each penalty.
type Sum = fn(&StatementLine) -> Money;

/// The sums of the table of clauses. The last ones are shown only where there is something to show.
const SUMS: [(&str, &str, Sum); 8] = [
    ("Assessed", "应扣", |line| line.amount),
    ("Deducted", "已扣", |line| line.deducted),
    ("Not covered", "欠额", |line| line.shortfall),
    ("To confirm", "待确认", |line| rest_if(line, PenaltyState::Held)),
    ("Waived", "免除", |line| rest_if(line, PenaltyState::Waived)),
    ("Cut by caps", "封顶免扣", |line| line.cut),
    ("Disputed", "争议中", |line| rest_if(line, PenaltyState::Disputed)),
    ("Earned back", "达标返还", |line| rest_if(line, PenaltyState::EarnedBack)),
];
const ALWAYS_SHOWN: usize = 5;

fn rest_if(line: &StatementLine, state: PenaltyState) -> Money {
    if line.state == state { line.rest() } else { Money::zero(line.amount.currency()) }
}

/// Penalties by clause, with their sum.
pub(super) fn clauses(statement: &Statement, pack: &Pack) -> String {
    if statement.by_clause.is_empty() {
        return format!("<p>{}</p>\n", both("No penalty is owed.", "没有违约金。"));
    }
    let mut by_clause: BTreeMap<&str, (usize, [i64; SUMS.len()])> = BTreeMap::new();
    let mut all = (0, [0; SUMS.len()]);
    for line in &statement.penalties {
        for (count, sums) in [by_clause.entry(&line.clause).or_default(), &mut all] {
            *count += 1;
            for (sum, (_, _, of)) in sums.iter_mut().zip(SUMS) {
                *sum = sum.saturating_add(of(line).minor());
            }
        }
    }
    let shown = |place: usize| place < ALWAYS_SHOWN || all.1.get(place).is_some_and(|sum| *sum != 0);
    let row = |name: String, (n, sums): &(usize, [i64; SUMS.len()])| {
        let cells = sums.iter().enumerate().filter(|(place, _)| shown(*place));
        let cells = cells.map(|(_, sum)| number(&amount(Money::from_minor(*sum, pack.currency))));
        let cells: String = cells.collect();
        format!("<tr><th scope=\"row\">{name}</th>{}{cells}</tr>\n", number(&count(*n)))
    };
    let rows: String = by_clause.iter().map(|(id, sums)| row(clause(pack, id), sums)).collect();
    let foot = format!("<tfoot>\n{}</tfoot>\n", row(both("Sum", "合计"), &all));
    let sums = SUMS.iter().enumerate().filter(|(place, _)| shown(*place));
    let mut columns: Vec<Column> = vec![("Clause", "条款", false), ("Penalties", "笔数", true)];
    columns.extend(sums.map(|(_, (english, chinese, _))| (*english, *chinese, true)));
    table("", &columns, &rows, &foot)
}

/// The largest penalties one by one, the newest first among equals.
pub(super) fn penalties(statement: &Statement, pack: &Pack) -> String {
    if statement.penalties.is_empty() {
        return String::new();
    }
    let mut lines: Vec<&StatementLine> = statement.penalties.iter().collect();
    lines.sort_by(|a, b| {
        (b.amount.minor(), b.at).cmp(&(a.amount.minor(), a.at)).then_with(|| a.id.cmp(&b.id))
    });
    let more = lines.len().saturating_sub(MOST_PENALTIES);
    lines.truncate(MOST_PENALTIES);
    let rows: String = lines.iter().map(|line| penalty_row(line, pack)).collect();
    let columns = [
        ("Missed at", "逾期时刻", false),
        ("Ticket", "工单", false),
        ("Clause", "条款", false),
        ("Deadline", "期限", false),
        ("Amount", "金额", true),
        ("Deducted", "已扣", true),
        ("Not covered", "欠额", true),
        ("State", "状态", false),
    ];
    let rest = match more {
        0 => String::new(),
        n => {
            let n = count(n);
            let text = both(
                &format!("{n} more penalties are not listed here; they stand in <code>ledger.csv</code>."),
                &format!("另有 {n} 笔未列出，见 <code>ledger.csv</code>。"),
            );
            format!("<p>{text}</p>\n")
        }
    };
    format!(
        "<p>{}</p>\n{}{rest}",
        both("The largest first, the newest first among equals.", "金额大的在前，同额的新的在前。"),
        table(" class=\"long\"", &columns, &rows, "")
    )
}

fn penalty_row(line: &StatementLine, pack: &Pack) -> String {
    let (english, chinese) = match line.state {
        PenaltyState::Deducted => ("deducted", "已扣"),
        PenaltyState::Partly => ("in part", "部分扣除"),
        PenaltyState::Shortfall => ("not covered", "欠额"),
        PenaltyState::Held => ("to confirm", "待确认"),
        PenaltyState::Waived => ("waived", "免除"),
        PenaltyState::Disputed => ("disputed", "争议中"),
        PenaltyState::EarnedBack => ("earned back", "达标返还"),
    };
    format!(
        "<tr><td class=\"when\">{}</td><td class=\"id\">{}</td><td class=\"k\">{}</td>\
         <td class=\"k\">{}</td>{}{}{}<td class=\"k\">{}</td></tr>\n",
        moment(pack, line.at),
        escape(&line.ticket),
        escape(&line.clause),
        escape(&line.clock),
        number(&amount(line.amount)),
        number(&amount(line.deducted)),
        number(&amount(line.shortfall)),
        both(english, chinese) + reasons(line, pack).as_str()
    )
}

/// Under the state of a penalty: what earlier breaches and caps made of its price, and who said what.
fn reasons(line: &StatementLine, pack: &Pack) -> String {
    let mut reasons = Vec::new();
    if line.base != line.amount {
        let base = amount(line.base);
        reasons
            .push(both(&format!("a repetition: {base} the first time"), &format!("再次违约，首次为 {base}")));
    }
    for CapCut { cap, amount: cut } in &line.cut_by {
        let (cap, cut) = (escape(cap), amount(*cut));
        reasons.push(both(&format!("{cut} cut ({cap})"), &format!("封顶免扣 {cut}")));
    }
    for say in &line.say {
        let (english, chinese) = match say.kind {
            SayKind::Confirmed => ("confirmed", "确认"),
            SayKind::Waived => ("waived", "免除"),
            SayKind::Disputed => ("disputed", "提出争议"),
            SayKind::DisputeEnded => ("dispute ended", "争议结束"),
        };
        let by = say.by.as_deref().map_or(String::new(), |by| format!(" {}", escape(by)));
        let why = say.why.as_deref().map_or(String::new(), |why| format!(": {}", escape(why)));
        reasons.push(format!("{} {}{by}{why}", both(english, chinese), moment(pack, say.at)));
    }
    reasons.iter().map(|reason| format!("<br><span class=\"soft\">{reason}</span>")).collect()
}
