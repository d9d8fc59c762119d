//! The tables of the page.

use std::collections::BTreeMap;

use holdback::{Money, Pack, PenaltyState, Statement, StatementLine};

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

/// What has become of a clause's penalties, in minor units.
#[derive(Default)]
struct Shares {
    held: i64,
    waived: i64,
    shortfall: i64,
}

/// Penalties by clause, with their sum.
pub(super) fn clauses(statement: &Statement, pack: &Pack) -> String {
    if statement.by_clause.is_empty() {
        return format!("<p>{}</p>\n", both("No penalty is owed.", "没有违约金。"));
    }
    let mut shares: BTreeMap<&str, Shares> = BTreeMap::new();
    for line in &statement.penalties {
        let of_clause = shares.entry(&line.clause).or_default();
        let sum = match line.state {
            PenaltyState::Held => &mut of_clause.held,
            PenaltyState::Waived => &mut of_clause.waived,
            _ => &mut of_clause.shortfall,
        };
        let part = if line.state == PenaltyState::Held || line.state == PenaltyState::Waived {
            line.amount
        } else {
            line.shortfall
        };
        *sum = sum.saturating_add(part.minor());
    }
    let money = |minor: i64| amount(Money::from_minor(minor, pack.currency));
    let row = |name: String, n: u64, assessed: i64, deducted: i64, shares: &Shares| {
        let cells = [assessed, deducted, shares.shortfall, shares.held, shares.waived].map(money);
        format!(
            "<tr><th scope=\"row\">{name}</th>{}{}</tr>\n",
            number(&count(usize::try_from(n).unwrap_or(usize::MAX))),
            cells.iter().map(|cell| number(cell)).collect::<String>()
        )
    };
    let (mut rows, mut all, mut total) = (String::new(), Shares::default(), (0_u64, 0_i64, 0_i64));
    let none = Shares::default();
    for (id, sum) in &statement.by_clause {
        let of_clause = shares.get(id.as_str()).unwrap_or(&none);
        let (assessed, deducted) = (sum.amount.minor(), sum.deducted.minor());
        rows.push_str(&row(clause(pack, id), sum.count, assessed, deducted, of_clause));
        total = (
            total.0.saturating_add(sum.count),
            total.1.saturating_add(assessed),
            total.2.saturating_add(deducted),
        );
        all.held = all.held.saturating_add(of_clause.held);
        all.waived = all.waived.saturating_add(of_clause.waived);
        all.shortfall = all.shortfall.saturating_add(of_clause.shortfall);
    }
    let sum = row(both("Sum", "合计"), total.0, total.1, total.2, &all);
    let columns = [
        ("Clause", "条款", false),
        ("Penalties", "笔数", true),
        ("Assessed", "应扣", true),
        ("Deducted", "已扣", true),
        ("Not covered", "欠额", true),
        ("To confirm", "待确认", true),
        ("Waived", "免除", true),
    ];
    table("", &columns, &rows, &format!("<tfoot>\n{sum}</tfoot>\n"))
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
        both(english, chinese)
    )
}
