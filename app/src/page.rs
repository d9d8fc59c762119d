//! The statement as one page for a browser or for paper: no network, no scripts, nothing beside the file itself.

mod axis;
mod deposit;
mod lateness;
mod tables;
#[cfg(test)]
mod tests;
mod text;

use holdback::{Instant, Pack, Statement};
pub(crate) use text::{amount, escape};
use text::{both, count, moment, share};

const STYLE: &str = include_str!("page/style.css");

/// What the page tells.
pub(crate) struct PageView<'a> {
    /// The pack that judged.
    pub(crate) pack: &'a Pack,
    /// One statement a contract, in the order in which they are to be told.
    pub(crate) statements: &'a [Statement],
    /// The clocks of all tickets, added up by clause and name, in the order of the pack's clauses.
    pub(crate) clocks: Vec<ClockTotals>,
    /// Free and paid tickets.
    pub(crate) class: ClassTotals,
    /// How many tickets were heard of.
    pub(crate) tickets: usize,
    /// How many of them could not be assessed.
    pub(crate) faults: usize,
    /// As of when.
    pub(crate) as_of: Instant,
    /// Sentences of the run itself, such as how many events were refused; told after the statements' remarks.
    pub(crate) notes: &'a [String],
}

/// All clocks of one name and clause.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClockTotals {
    /// The clause that sets them.
    pub(crate) clause: String,
    /// Their name.
    pub(crate) clock: String,
    /// Met in time.
    pub(crate) met: usize,
    /// Missed, whether stopped since (`late`) or not (`breached`).
    pub(crate) breached: usize,
    /// Neither met nor missed yet: waiting, running or paused.
    pub(crate) open: usize,
    /// Called off.
    pub(crate) cancelled: usize,
    /// How late each missed one is, in whole seconds of its calendar's open time; in any order.
    pub(crate) late_seconds: Vec<i64>,
}

/// How many tickets are free, paid, or not decided.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClassTotals {
    /// Free of charge.
    pub(crate) free: usize,
    /// Paid.
    pub(crate) paid: usize,
    /// No clause decides.
    pub(crate) undecided: usize,
}

/// The page as HTML text: one file that needs nothing else, for the screen and for A4.
pub(crate) fn page(view: &PageView<'_>) -> String {
    let pack = view.pack;
    let mut out = String::with_capacity(64 * 1024);
    out.push_str(&format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escape(&pack.name),
        moment(pack, view.as_of)
    ));
    header(&mut out, view);
    section(&mut out, &both("Key figures", "主要数字"), &key_figures(view));
    section(&mut out, &both("Deadlines", "期限"), &tables::clocks(view));
    section(&mut out, &both("How late", "逾期多久"), &lateness::figures(&view.clocks));
    for statement in view.statements {
        contract(&mut out, statement, view);
    }
    if !view.notes.is_empty() {
        let notes: String = view.notes.iter().map(|note| format!("<li>{}</li>\n", escape(note))).collect();
        section(&mut out, &both("Notes on this run", "本次运行的说明"), &format!("<ul>\n{notes}</ul>\n"));
    }
    out.push_str(&format!(
        "<footer>holdback {} · {} {}</footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        escape(&pack.name),
        escape(&pack.version)
    ));
    out
}

fn section(out: &mut String, heading: &str, body: &str) {
    out.push_str(&format!("<section>\n<h2>{heading}</h2>\n{body}</section>\n"));
}

fn header(out: &mut String, view: &PageView<'_>) {
    let pack = view.pack;
    let title = if pack.title.is_empty() { &pack.name } else { &pack.title };
    let contracts: Vec<String> =
        view.statements.iter().map(|statement| escape(&statement.contract)).collect();
    let rows = [
        (both("Contract", "合同"), contracts.join(", ")),
        (both("Pack", "规则包"), format!("{} {}", escape(&pack.name), escape(&pack.version))),
        (both("As of", "截至"), format!("{} ({})", moment(pack, view.as_of), pack.zone.name())),
        (both("Currency", "币种"), pack.currency.to_string()),
    ];
    let rows: String =
        rows.iter().map(|(label, text)| format!("<dt>{label}</dt><dd>{text}</dd>\n")).collect();
    out.push_str(&format!("<header>\n<h1>{}</h1>\n<dl>\n{rows}</dl>\n", escape(title)));
    if pack.example {
        let text = both("Example money: nobody signed this contract.", "示例金额：并非任何一方签署的合同。");
        out.push_str(&format!("<p class=\"banner\">{text}</p>\n"));
    }
    if !pack.overrides().is_empty() {
        let terms: Vec<String> = pack
            .overrides()
            .iter()
            .map(|(name, value)| format!("<code>{} = {}</code>", escape(name), escape(value)))
            .collect();
        let text = both("What if: terms changed for this run", "假设：本次运行改动的数字");
        out.push_str(&format!("<p class=\"banner\">{text}: {}</p>\n", terms.join(", ")));
    }
    out.push_str("</header>\n");
}

/// A figure with its label; `alert` marks one that asks for attention.
fn card(label: &str, figure: &str, alert: bool) -> String {
    let class = if alert { "card alert" } else { "card" };
    format!("<div class=\"{class}\"><b>{figure}</b><span class=\"label\">{label}</span></div>\n")
}

/// The run in a few figures; the money too when there is one contract only, for its amounts can be added up.
fn key_figures(view: &PageView<'_>) -> String {
    let sum = |of: fn(&ClockTotals) -> usize| view.clocks.iter().map(of).sum::<usize>();
    let (met, missed) = (sum(|clock| clock.met), sum(|clock| clock.breached));
    let mut cards = card(&both("tickets", "工单"), &count(view.tickets), false);
    cards.push_str(&card(&both("deadlines met", "按时"), &count(met), false));
    cards.push_str(&card(&both("deadlines missed", "逾期"), &count(missed), missed > 0));
    cards.push_str(&card(&both("in time", "按时率"), &share(met, met + missed), false));
    if let [statement] = view.statements {
        let deposit = &statement.deposit;
        let owed = deposit.shortfall;
        cards.push_str(&card(&both("deducted", "已扣违约金"), &amount(deposit.deducted), false));
        cards.push_str(&card(&both("owed, not covered", "欠额"), &amount(owed), owed.minor() > 0));
        cards.push_str(&card(&both("deposit now", "现有质保金"), &amount(deposit.balance), false));
    }
    let class = view.class;
    if class.free + class.paid > 0 {
        cards.push_str(&card(&both("free of charge", "无偿"), &count(class.free), false));
        cards.push_str(&card(&both("paid", "有偿"), &count(class.paid), false));
        cards.push_str(&card(&both("undecided", "未定"), &count(class.undecided), false));
    }
    if view.faults > 0 {
        cards.push_str(&card(&both("could not be assessed", "无法评定"), &count(view.faults), true));
    }
    format!("<div class=\"cards\">\n{cards}</div>\n")
}

/// The money of one contract.
fn contract(out: &mut String, statement: &Statement, view: &PageView<'_>) {
    let (pack, deposit) = (view.pack, &statement.deposit);
    let name = escape(&statement.contract);
    out.push_str(&format!("<section class=\"contract\">\n<h2>{}: {name}</h2>\n", both("Deposit", "质保金")));
    let cards = [
        (both("deposit now", "现有质保金"), deposit.balance, false),
        (both("paid in", "已交"), deposit.paid, false),
        (both("released", "已退"), deposit.released, false),
        (both("deducted for penalties", "已扣违约金"), deposit.deducted, false),
        (both("owed, not covered", "欠额"), deposit.shortfall, deposit.shortfall.minor() > 0),
        (both("to be confirmed", "待确认"), deposit.held, false),
        (both("waived", "已免除"), deposit.waived, false),
        (both("floor", "最低保留额"), deposit.floor, false),
    ];
    let seldom = [
        (both("cut by caps", "封顶免扣"), deposit.cut, false),
        (both("disputed", "争议中"), deposit.disputed, deposit.disputed.minor() > 0),
        (both("earned back", "达标返还"), deposit.earned_back, false),
    ];
    let seldom = seldom.iter().filter(|(_, value, _)| value.minor() != 0);
    let cards: String = cards
        .iter()
        .chain(seldom)
        .map(|(label, value, alert)| card(label, &amount(*value), *alert))
        .collect();
    out.push_str(&format!("<div class=\"cards\">\n{cards}</div>\n"));
    out.push_str(&deposit::lowest(statement, pack));
    out.push_str(&deposit::figure(statement, pack));
    out.push_str(&format!("<h2>{}</h2>\n", both("Penalties by clause", "按条款的违约金")));
    out.push_str(&tables::clauses(statement, pack));
    if !statement.remarks.is_empty() {
        let remarks: String =
            statement.remarks.iter().map(|remark| format!("<li>{}</li>\n", escape(remark))).collect();
        let heading = both("Needs a person", "需人工处理");
        out.push_str(&format!("<h2>{heading}</h2>\n<ul>\n{remarks}</ul>\n"));
    }
    if !statement.penalties.is_empty() {
        out.push_str(&format!("<h2>{}</h2>\n", both("Penalties", "违约金明细")));
        out.push_str(&tables::penalties(statement, pack));
    }
    out.push_str("</section>\n");
}
