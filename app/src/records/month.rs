//! Months of a contract's zone, and the records of one.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use chrono::Datelike;
use holdback::{Assessment, ClockState, ContractAssessment, Engine, Event, Instant, Pack, Statement};
use serde::Serialize;

use super::act::Acts;
use super::table::Table;
use super::ticket::{ClassView, register_head, register_row};
use super::words::Words;

/// A calendar month in the contract's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month {
    year: i32,
    month: u32,
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = String;
    fn from_str(text: &str) -> Result<Month, String> {
        let unfit = || "expected a year and a month, such as `2026-03`".to_owned();
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let (year, month) = text.split_once('-').ok_or_else(unfit)?;
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(unfit());
        }
        let (year, month) = (year.parse().map_err(|_| unfit())?, month.parse().map_err(|_| unfit())?);
        if (1..=12).contains(&month) { Ok(Month { year, month }) } else { Err(unfit()) }
    }
}

impl Month {
    fn since(self, other: Month) -> i32 {
        (self.year - other.year) * 12 + i32::try_from(self.month).unwrap_or(0)
            - i32::try_from(other.month).unwrap_or(0)
    }
}

/// The month of an instant in the contract's zone.
pub(super) fn month_of(pack: &Pack, at: Instant) -> Month {
    let local = at.to_chrono().with_timezone(&pack.zone).date_naive();
    Month { year: local.year(), month: local.month() }
}

/// A month as the templates see it.
#[derive(Serialize)]
pub(super) struct MonthView {
    pub(super) name: String,
    /// Its last instant has not come as of the record's.
    pub(super) running: bool,
    /// Tickets reported in it.
    pub(super) reported: usize,
    /// Tickets from before that were not ended when it began.
    pub(super) carried_over: usize,
    /// Faults of what was told of the contract itself.
    pub(super) findings: Vec<String>,
}

/// A month with its tables.
pub(super) struct MonthRecord {
    pub(super) view: MonthView,
    pub(super) tables: Vec<Table>,
}

/// A contract's events by ticket, each list in the order in which they count.
pub(super) struct Histories<'e> {
    by_ticket: HashMap<&'e str, Vec<&'e Event>>,
    /// Months in which anything happened.
    months: Vec<Month>,
}

impl<'e> Histories<'e> {
    pub(super) fn of(engine: &'e Engine, contract: &str, pack: &Pack) -> Histories<'e> {
        let mut by_ticket: HashMap<&str, Vec<&Event>> = HashMap::new();
        let mut months = Vec::new();
        for event in engine.events().filter(|event| event.contract == contract && event.at <= engine.now()) {
            months.push(month_of(pack, event.at));
            if let Some(ticket) = &event.ticket {
                by_ticket.entry(ticket).or_default().push(event);
            }
        }
        by_ticket.values_mut().for_each(|events| events.sort_by(|a, b| a.order().cmp(&b.order())));
        months.sort_unstable();
        months.dedup();
        Histories { by_ticket, months }
    }

    /// Tickets reported up to a month's end and not ended when it began, by the instants of their reports, each with
    /// whether it was reported in the month.
    fn tickets(&self, month: Month, pack: &Pack) -> Vec<(&'e str, bool, &[&'e Event])> {
        let mut found: BTreeMap<(Instant, &str), (bool, &[&Event])> = BTreeMap::new();
        for (ticket, events) in &self.by_ticket {
            let Some(report) = events.iter().find(|event| event.kind == "reported") else { continue };
            let reported = month_of(pack, report.at);
            let before = events.iter().rev().filter(|event| month_of(pack, event.at) < month);
            let mut last = before.map(|event| event.kind.as_str());
            let ended = last
                .find(|kind| ["closed", "cancelled", "reopened", "rejected"].contains(kind))
                .is_some_and(|kind| ["closed", "cancelled"].contains(&kind));
            if reported == month || (reported < month && !ended) {
                found.insert((report.at, ticket), (reported == month, events));
            }
        }
        found.into_iter().map(|((_, ticket), (new, events))| (ticket, new, events)).collect()
    }

    /// Why there is nothing to tell of a month; nothing when there is.
    pub(super) fn nothing_in(
        &self,
        month: Month,
        pack: &Pack,
        statement: &Statement,
        obligations: &ContractAssessment,
    ) -> Option<String> {
        let of_contract = obligations.duties.iter().map(|duty| duty.at);
        let of_levels = obligations.levels.iter().map(|level| level.from);
        let of_money = statement.penalties.iter().map(|line| line.at);
        let others = of_contract.chain(of_levels).chain(of_money).map(|at| month_of(pack, at));
        let mut told: Vec<Month> = self.months.iter().copied().chain(others).collect();
        told.sort_unstable();
        let as_of = month_of(pack, statement.as_of);
        let carried = month <= as_of && !self.tickets(month, pack).is_empty();
        if told.contains(&month) || carried {
            return None;
        }
        let near = told.into_iter().min_by_key(|told| told.since(month).abs());
        let hint = near.map_or_else(
            || "; the log has no event of this contract".to_owned(),
            |near| format!("; the nearest month with something is `{near}`"),
        );
        Some(format!("nothing happened in `{month}`{hint}"))
    }
}

impl MonthRecord {
    pub(super) fn of(
        engine: &Engine,
        contract: &str,
        histories: &Histories<'_>,
        month: Month,
        obligations: &ContractAssessment,
        words: &Words<'_>,
    ) -> MonthRecord {
        let (mut register, mut status) = (register_head(words), status_head(words));
        let (mut reported, mut carried_over) = (0, 0);
        for (ticket, new, events) in histories.tickets(month, words.pack) {
            let Some(found) = engine.assessment(contract, ticket) else { continue };
            let acts = Acts::of(events, words);
            status.push(status_row(&found, &acts, new, words));
            if new {
                reported += 1;
                register.push(register_row(&found, &acts, words));
            } else {
                carried_over += 1;
            }
        }
        let within = |at: Instant| month_of(words.pack, at) == month;
        let findings = obligations.findings.iter().filter(|finding| within(finding.at)).map(|finding| {
            let clause =
                finding.clause.as_deref().map_or_else(String::new, |id| format!(" {}", words.clause(id)));
            let subject = finding.subject.as_deref().map_or_else(String::new, |of| format!(" {of}"));
            format!("{}{clause}{subject}: {}", words.moment(finding.at), words.split(&finding.text))
        });
        let view = MonthView {
            name: month.to_string(),
            running: month_of(words.pack, engine.now()) <= month,
            reported,
            carried_over,
            findings: findings.collect(),
        };
        let tables =
            vec![register, status, duties(obligations, month, words), levels(obligations, month, words)];
        MonthRecord { view, tables }
    }
}

fn status_head(words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        [
            "编号",
            "@登记时间",
            "收费",
            "@方案商定",
            "@解决",
            "@验收",
            "@结案",
            "#按时",
            "#逾期",
            "逾期的期限",
            "状况",
            "备注",
        ]
    } else {
        [
            "No.",
            "@Registered",
            "Charge",
            "@Plan agreed",
            "@Resolved",
            "@Accepted",
            "@Closed",
            "#In time",
            "#Missed",
            "What was missed",
            "Status",
            "Remarks",
        ]
    };
    Table::new("status", &head)
}

fn status_row(found: &Assessment, acts: &Acts, new: bool, words: &Words<'_>) -> Vec<super::table::Cell> {
    let standing = acts.standing(&[]);
    let at = |kind: &str| standing.get(kind).map_or_else(String::new, |act| act.at.clone());
    let is_missed = |state| matches!(state, ClockState::Breached | ClockState::Late);
    let met = found.clocks.iter().filter(|clock| clock.state == ClockState::Met).count();
    let missed: Vec<String> = found
        .clocks
        .iter()
        .filter(|clock| is_missed(clock.state))
        .map(|clock| format!("{} {}", clock.clause, words.label(&clock.clock)))
        .collect();
    let mut remarks: Vec<String> = found.findings.iter().map(|finding| words.split(&finding.text)).collect();
    remarks.extend(found.fault.iter().map(ToString::to_string));
    if !new {
        remarks.insert(0, words.pick("from an earlier month", "以前月份转来").to_owned());
    }
    vec![
        found.ticket.as_str().into(),
        at("reported").into(),
        ClassView::of(found, words).word.into(),
        at("plan_agreed").into(),
        at("resolved").into(),
        at("accepted").into(),
        at("closed").into(),
        met.into(),
        missed.len().into(),
        missed.join(words.pick("; ", "；")).into(),
        words.value(&found.status).into(),
        remarks.join(words.pick("; ", "；")).into(),
    ]
}

/// The occurrences of duties that fall into a month.
fn duties(obligations: &ContractAssessment, month: Month, words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["条款", "义务", "@应做", "@最迟", "@完成", "状态", "逾期时长"]
    } else {
        ["Clause", "Duty", "@Falls", "@Due", "@Done", "State", "Late by"]
    };
    let mut table = Table::new("duties", &head);
    for duty in obligations.duties.iter().filter(|duty| month_of(words.pack, duty.at) == month) {
        let late = if duty.late > holdback::Span::ZERO { words.span(duty.late) } else { String::new() };
        table.push(vec![
            duty.clause.as_str().into(),
            words.label(&duty.duty).into(),
            words.moment(duty.at).into(),
            words.due_if(duty.due).into(),
            words.moment_if(duty.done).into(),
            words.value(&duty.state).into(),
            late.into(),
        ]);
    }
    table
}

/// The periods of service levels that touch a month: those that begin before its end and end after its beginning.
fn levels(obligations: &ContractAssessment, month: Month, words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["条款", "服务水平", "期间", "#水平 (%)", "#总数", "#按时", "#逾期", "中断时长", "#抵扣", "状态"]
    } else {
        [
            "Clause",
            "Level",
            "Period",
            "#Level (%)",
            "#Total",
            "#In time",
            "#Missed",
            "Downtime",
            "#Credit",
            "State",
        ]
    };
    let mut table = Table::new("levels", &head);
    let touches = |from: Instant, until: Instant| {
        // `until` is the instant after the last one.
        let last = Instant::from_micros(until.micros() - 1).unwrap_or(until);
        month_of(words.pack, from) <= month && month <= month_of(words.pack, last)
    };
    for level in obligations.levels.iter().filter(|level| touches(level.from, level.until)) {
        let closed = if level.closed {
            words.pick("closed", "已结算")
        } else {
            words.pick("not closed yet", "统计中")
        };
        table.push(vec![
            words.clause(&level.clause).into(),
            words.label(&level.level).into(),
            level.subject.as_str().into(),
            percent(&level.share).into(),
            level.total.to_string().into(),
            level.met.to_string().into(),
            level.missed.to_string().into(),
            words.span(level.downtime).into(),
            level.credit.map_or_else(|| "".into(), Into::into),
            closed.into(),
        ]);
    }
    table
}

/// A share as percent: cut, not rounded, to four digits after the point, so that no level looks met that was not.
fn percent(share: &impl fmt::Display) -> String {
    let text = share.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits: String = part.chars().chain("000000".chars()).take(6).collect();
    let all = format!("{whole}{digits}");
    let (before, after) = all.split_at(all.len().saturating_sub(4));
    let before = before.trim_start_matches('0');
    let before = if before.is_empty() { "0" } else { before };
    let after = after.trim_end_matches('0');
    if after.is_empty() { before.to_owned() } else { format!("{before}.{after}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_a_year_and_a_month() {
        assert_eq!("2026-03".parse::<Month>().map(|month| month.to_string()).as_deref(), Ok("2026-03"));
        for text in ["2026-13", "2026-00", "2026-3", "26-03", "2026", "2026-03-01", "+026-03", "", "2026-+3"]
        {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
        let (a, b) = ("2025-12".parse::<Month>().unwrap(), "2026-03".parse::<Month>().unwrap());
        assert_eq!((b.since(a), a.since(b), a < b), (3, -3, true));
    }

    #[test]
    fn a_share_is_cut_not_rounded() {
        for (share, told) in [
            ("1", "100"),
            ("0.99990000", "99.99"),
            ("0.99989999999", "99.9899"),
            ("0", "0"),
            ("0.005", "0.5"),
        ] {
            assert_eq!(percent(&share), told);
        }
    }
}
