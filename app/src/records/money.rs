//! The money of a contract: its settlement, whole or of one month.

use std::collections::BTreeMap;

use holdback::{
    ContractAssessment, Instant, LedgerEntry, Money, PenaltyState, SayKind, Statement, StatementLine, Subject,
};
use serde::Serialize;

use super::month::{Month, month_of};
use super::table::{Cell, Table};
use super::words::Words;
use crate::page::amount;

/// A settlement as the templates see it. All amounts are in the contract's currency.
#[derive(Serialize)]
pub(super) struct SettlementView {
    /// Lines of the deposit: a label and an amount.
    pub(super) deposit: Vec<AmountView>,
    /// Sums over the penalties of the settlement.
    pub(super) count: usize,
    pub(super) amount: String,
    pub(super) cut: String,
    pub(super) deducted: String,
    pub(super) shortfall: String,
    /// Waiting, disputed, waived and given back, each if there is any.
    pub(super) rests: Vec<AmountView>,
    /// What of the contract's money needs a person.
    pub(super) remarks: Vec<String>,
}

/// An amount with its label.
#[derive(Clone, Serialize)]
pub(super) struct AmountView {
    pub(super) label: String,
    pub(super) amount: String,
}

/// Sums of penalties.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sums {
    pub(super) count: usize,
    pub(super) amount: Money,
    pub(super) cut: Money,
    pub(super) deducted: Money,
    pub(super) shortfall: Money,
    pub(super) rest: Money,
}

/// Sums of amounts that each fit; where a sum would not, it stays at what it was, like the engine's own.
fn plus(a: Money, b: Money) -> Money {
    a.checked_add(b).unwrap_or(a)
}

impl Sums {
    fn none(zero: Money) -> Sums {
        Sums { count: 0, amount: zero, cut: zero, deducted: zero, shortfall: zero, rest: zero }
    }

    fn add(&mut self, line: &StatementLine) {
        self.count += 1;
        self.amount = plus(self.amount, line.amount);
        self.cut = plus(self.cut, line.cut);
        self.deducted = plus(self.deducted, line.deducted);
        self.shortfall = plus(self.shortfall, line.shortfall);
        self.rest = plus(self.rest, line.rest());
    }

    pub(super) fn of<'l>(lines: impl IntoIterator<Item = &'l StatementLine>, zero: Money) -> Sums {
        let mut sums = Sums::none(zero);
        lines.into_iter().for_each(|line| sums.add(line));
        sums
    }

    fn cells(&self) -> [Cell; 5] {
        [self.amount, self.cut, self.deducted, self.shortfall, self.rest].map(Cell::from)
    }
}

/// A settlement with its tables.
pub(super) struct Settlement {
    pub(super) view: SettlementView,
    pub(super) tables: Vec<Table>,
}

impl Settlement {
    /// Of the whole contract, or of what was missed and booked in one month of its zone.
    pub(super) fn of(
        statement: &Statement,
        ledger: &[LedgerEntry],
        obligations: &ContractAssessment,
        month: Option<Month>,
        words: &Words<'_>,
    ) -> Settlement {
        let within = |at: Instant| month.is_none_or(|month| month_of(words.pack, at) == month);
        let missed = |line: &StatementLine| missed_in(line, obligations, words);
        let lines: Vec<StatementLine> = statement
            .penalties
            .iter()
            .filter(|line| month.is_none_or(|month| missed(line) == month))
            .cloned()
            .collect();
        let entries: Vec<&LedgerEntry> = ledger.iter().filter(|entry| within(entry.at)).collect();
        let zero = Money::zero(words.pack.currency);
        let sums = Sums::of(&lines, zero);
        let view = SettlementView {
            deposit: match month {
                None => deposit(statement, words),
                Some(month) => deposit_of_month(statement, &entries, month, words),
            },
            count: sums.count,
            amount: amount(sums.amount),
            cut: amount(sums.cut),
            deducted: amount(sums.deducted),
            shortfall: amount(sums.shortfall),
            rests: rests(&lines, zero, words),
            remarks: statement.remarks.clone(),
        };
        let tables = vec![
            by_clause(&lines, &missed, words),
            penalties(&lines, words),
            booked(&entries, words),
            sayings(&lines, words),
        ];
        Settlement { view, tables }
    }
}

/// The month to which a penalty belongs: that of the breach, for a service level that of its period's last instant, as with
/// caps.
fn missed_in(line: &StatementLine, obligations: &ContractAssessment, words: &Words<'_>) -> Month {
    let level = obligations.levels.iter().find(|level| {
        line.subject == Subject::Level
            && level.subject == line.ticket
            && level.level == line.clock
            && level.clause == line.clause
    });
    let last = level.and_then(|level| Instant::from_micros(level.until.micros() - 1).ok());
    month_of(words.pack, last.unwrap_or(line.at))
}

fn view(words: &Words<'_>, english: &str, chinese: &str, value: Money) -> AmountView {
    AmountView { label: words.pick(english, chinese).to_owned(), amount: amount(value) }
}

fn deposit(statement: &Statement, words: &Words<'_>) -> Vec<AmountView> {
    let deposit = &statement.deposit;
    vec![
        view(words, "Deposit paid in", "质保金已缴存", deposit.paid),
        view(words, "Given back", "已退还", deposit.released),
        view(words, "Deducted for penalties", "违约金已扣", deposit.deducted),
        view(words, "Deposit held now", "质保金现有余额", deposit.balance),
        view(words, "Least to be left", "最低保留额", deposit.floor),
        view(words, "Owed, not covered by the deposit", "质保金不足的欠额", deposit.shortfall),
    ]
}

fn deposit_of_month(
    statement: &Statement,
    entries: &[&LedgerEntry],
    month: Month,
    words: &Words<'_>,
) -> Vec<AmountView> {
    let zero = Money::zero(words.pack.currency);
    let held = |kept: &dyn Fn(Month) -> bool| {
        let before = statement.history.iter().filter(|point| kept(month_of(words.pack, point.at)));
        before.last().map_or(zero, |point| point.balance)
    };
    let moved =
        |kind| entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.amount).fold(zero, plus);
    vec![
        view(words, "Deposit at the beginning of the month", "月初质保金余额", held(&|of| of < month)),
        view(words, "Paid in during the month", "本月缴存", moved(holdback::EntryKind::Paid)),
        view(words, "Given back during the month", "本月退还", moved(holdback::EntryKind::Released)),
        view(words, "Deposit at the end of the month", "月末质保金余额", held(&|of| of <= month)),
    ]
}

/// What of the penalties is neither taken, missing nor cut, by its state.
fn rests(lines: &[StatementLine], zero: Money, words: &Words<'_>) -> Vec<AmountView> {
    [
        (PenaltyState::Held, "To be confirmed", "待确认"),
        (PenaltyState::Disputed, "Disputed", "争议中"),
        (PenaltyState::Waived, "Waived", "已免除"),
        (PenaltyState::EarnedBack, "Earned back", "达标返还"),
    ]
    .into_iter()
    .filter_map(|(state, english, chinese)| {
        let of_state = lines.iter().filter(|line| line.state == state);
        let sum = of_state.map(StatementLine::rest).fold(zero, plus);
        (sum.minor() != 0).then(|| view(words, english, chinese, sum))
    })
    .collect()
}

/// Penalties by month and clause.
fn by_clause(lines: &[StatementLine], missed: &dyn Fn(&StatementLine) -> Month, words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["月份", "条款", "#笔数", "#应扣", "#封顶免扣", "#已扣", "#欠额", "#未扣"]
    } else {
        [
            "Month",
            "Clause",
            "#Penalties",
            "#Assessed",
            "#Cut by caps",
            "#Deducted",
            "#Not covered",
            "#Not taken",
        ]
    };
    let mut table = Table::new("by_clause", &head);
    let zero = Money::zero(words.pack.currency);
    let mut all: BTreeMap<(Month, &str), Sums> = BTreeMap::new();
    for line in lines {
        let key = (missed(line), line.clause.as_str());
        all.entry(key).or_insert(Sums::none(zero)).add(line);
    }
    for ((month, clause), sums) in &all {
        let mut row: Vec<Cell> =
            vec![month.to_string().into(), words.clause(clause).into(), sums.count.into()];
        row.extend(sums.cells());
        table.push(row);
    }
    let sums = Sums::of(lines, zero);
    table.foot = vec![words.pick("Sum", "合计").into(), "".into(), sums.count.into()];
    table.foot.extend(sums.cells());
    table
}

/// Penalties one by one.
pub(super) fn penalties(lines: &[StatementLine], words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["@逾期时刻", "工单或期次", "条款", "期限", "#应扣", "#封顶免扣", "#已扣", "#欠额", "#未扣", "状态"]
    } else {
        [
            "@Missed at",
            "Ticket or period",
            "Clause",
            "Deadline",
            "#Assessed",
            "#Cut by caps",
            "#Deducted",
            "#Not covered",
            "#Not taken",
            "State",
        ]
    };
    let mut table = Table::new("penalties", &head);
    for line in lines {
        let mut row: Vec<Cell> = vec![
            words.due(line.at).into(),
            line.ticket.as_str().into(),
            line.clause.as_str().into(),
            words.label(&line.clock).into(),
        ];
        row.extend(Sums::of([line], Money::zero(words.pack.currency)).cells());
        row.push(state(line, words).into());
        table.push(row);
    }
    table.foot = vec![words.pick("Sum", "合计").into(), "".into(), "".into(), "".into()];
    table.foot.extend(Sums::of(lines, Money::zero(words.pack.currency)).cells());
    table.foot.push("".into());
    table
}

/// What became of a penalty, and what earlier breaches and caps made of its price.
fn state(line: &StatementLine, words: &Words<'_>) -> String {
    let mut text = match line.cut == line.amount {
        true => words.pick("nothing left to take", "封顶后不再扣").to_owned(),
        false => words.value(&line.state),
    };
    if line.base != line.amount {
        let base = amount(line.base);
        text.push_str(&if words.is_chinese() {
            format!("；再次违约，首次为 {base}")
        } else {
            format!("; a repetition, {base} the first time")
        });
    }
    for cut in &line.cut_by {
        let (cap, cut) = (cap_text(&cut.cap, words), amount(cut.amount));
        text.push_str(&if words.is_chinese() {
            format!("；封顶免扣 {cut}（{cap}）")
        } else {
            format!("; {cut} cut, {cap}")
        });
    }
    text
}

/// A cap, which the engine tells in English: `per month, clause 7.3`.
fn cap_text(cap: &str, words: &Words<'_>) -> String {
    let Some((per, clause)) = cap.rsplit_once(", clause ").filter(|_| words.is_chinese()) else {
        return cap.to_owned();
    };
    let over = per.strip_prefix("over ").and_then(|per| per.strip_suffix(" months"));
    let per = match (per, over) {
        ("per ticket", _) => "每张工单",
        ("per month", _) => "每月",
        ("per quarter", _) => "每季度",
        ("per year", _) => "每年",
        ("in all", _) => "总额",
        (_, Some(months)) => return format!("{months} 个月内，条款 {clause}"),
        _ => return cap.to_owned(),
    };
    format!("{per}，条款 {clause}")
}

/// Who confirmed, waived or disputed what, and why.
pub(super) fn sayings(lines: &[StatementLine], words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["@时间", "违约金", "意见", "何人", "理由"]
    } else {
        ["@Time", "Penalty", "Said", "By", "Why"]
    };
    let mut table = Table::new("sayings", &head);
    let mut said: Vec<_> =
        lines.iter().flat_map(|line| line.say.iter().map(move |say| (line, say))).collect();
    said.sort_by(|(_, a), (_, b)| (a.at, &a.event).cmp(&(b.at, &b.event)));
    for (line, say) in said {
        table.push(vec![
            words.moment(say.at).into(),
            line.id.as_str().into(),
            words.kind(act_of(say.kind)).into(),
            say.by.as_deref().unwrap_or_default().into(),
            say.why.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

/// The kind of event that says so.
fn act_of(kind: SayKind) -> &'static str {
    match kind {
        SayKind::Confirmed => "penalty_confirmed",
        SayKind::Waived => "penalty_waived",
        SayKind::Disputed => "penalty_disputed",
        SayKind::DisputeEnded => "dispute_ended",
    }
}

/// Entries of the ledger.
fn booked(entries: &[&LedgerEntry], words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["#序号", "@时间", "类别", "项目", "#金额", "自", "至", "#质保金余额"]
    } else {
        ["#No.", "@Time", "Kind", "Item", "#Amount", "From", "To", "#Deposit then"]
    };
    let mut table = Table::new("ledger", &head);
    for entry in entries {
        table.push(vec![
            entry.number.into(),
            words.due(entry.at).into(),
            words.entry(entry.kind).into(),
            entry.item.as_str().into(),
            entry.amount.into(),
            words.value(&entry.from).into(),
            words.value(&entry.to).into(),
            entry.balance.into(),
        ]);
    }
    table
}
