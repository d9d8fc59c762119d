//! Books kept in any order of filing: the same statement, within floors and caps.

mod laws;
mod stories;

use std::sync::{Arc, LazyLock};

use super::books::{Books, Owed};
use super::{Statement, Subject, statement};
use crate::event::Kind;
use crate::ticket::{Detail, Entry, PenaltyDetail};
use crate::{Instant, Money, Pack, Span};

const HEAD: &str = r#"
format = 1
name = "books"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c"]
[deposit]
deduction = "deduction"
"#;

const TERMS: &str = r#"
deduction = { clause = "3", unit = "one-of", of = ["automatic", "on_confirmation"], values = [{ from = 2026-01-01, value = "automatic" }, { from = 2026-04-01, value = "on_confirmation" }] }
floor = { clause = "3", unit = "CNY", values = [{ from = 2026-01-01, value = "1.00" }, { from = 2026-03-01, value = "4.00" }, { from = 2026-05-01, value = "0.00" }] }
month = { clause = "3", unit = "CNY", values = [{ from = 2026-01-01, value = "5.00" }, { from = 2026-03-15, value = "3.00" }] }
"#;

const PRICED: &str = "//! clause: 1\nfn deadlines(ticket) { [due(\"a\").within(hours(1)).met_by(\"resolved\")] }\n\
                      fn penalty(breach) { yuan(1) }";
/// Again within thirty days: twice as much, three times as much.
const AGAIN: &str = "//! clause: 2\nfn deadlines(ticket) { [due(\"a\").within(hours(1)).met_by(\"resolved\")] }\n\
                     fn penalty(breach) { yuan(1) }\nfn repeated(again) { again.amount * again.within(days(30)) }";
const FLOOR: &str = "//! clause: 3\nfn deposit_floor() { terms.floor }\n";

fn pack(caps: &str) -> Arc<Pack> {
    let caps = if caps.is_empty() { String::new() } else { format!("fn caps() {{ {caps} }}\n") };
    let files = [
        ("pack.toml", HEAD.to_owned()),
        ("terms.toml", TERMS.to_owned()),
        ("contract.md", "# [1] Once\n# [2] Again\n# [3] Deposit".to_owned()),
        ("clauses/1.rhai", PRICED.to_owned()),
        ("clauses/2.rhai", AGAIN.to_owned()),
        ("clauses/3.rhai", format!("{FLOOR}{caps}")),
    ];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
    Arc::new(Pack::from_files(files).unwrap_or_else(|faults| panic!("{faults}")))
}

static PLAIN: LazyLock<Arc<Pack>> = LazyLock::new(|| pack(""));
static CAPPED: LazyLock<Arc<Pack>> = LazyLock::new(|| {
    pack(
        "[cap_per_ticket(yuan(4)), cap_per_month(terms.month).for_clauses(\"1\"), cap_over_months(2, yuan(9)), \
         cap_per_quarter(yuan(12)), cap_per_year(yuan(20)), cap_in_all(yuan(18))]",
    )
});

/// So many hours after the beginning of 2026.
fn at(hours: i64) -> Instant {
    let start: Instant = "2026-01-01T00:00:00+08:00".parse().unwrap();
    start.checked_add(Span::hours(hours)).unwrap()
}

fn day(date: &str) -> Instant {
    format!("2026-{date}T12:00:00+08:00").parse().unwrap()
}

/// The end of everything told here.
fn end() -> Instant {
    "2027-01-01T00:00:00+08:00".parse().unwrap()
}

fn clause(pack: &Pack, id: &str) -> u16 {
    u16::try_from(pack.policy.clauses.iter().position(|clause| &*clause.id == id).unwrap()).unwrap()
}

fn owed(pack: &Pack, ticket: &str, of: &str, steps: &[(Instant, i64)]) -> Owed {
    let place = clause(pack, of);
    Owed { steps: steps.to_vec(), ..Owed::new(Subject::Ticket, ticket, place, "a".into(), steps[0].0) }
}

fn event(id: &str, kind: Kind, at: Instant, detail: Detail) -> Entry {
    Entry { at, id: id.into(), kind, via: None, reason: Some("so agreed".into()), detail }
}

fn paid(pack: &Pack, id: &str, at: Instant, minor: i64) -> Entry {
    event(id, Kind::DEPOSIT_PAID, at, Detail::Amount(Money::from_minor(minor, pack.currency)))
}

/// What somebody says of a penalty.
fn said(penalty: &str, by: Option<&str>) -> Detail {
    Detail::Penalty(Box::new(PenaltyDetail { penalty: penalty.into(), by: by.map(Box::from) }))
}

fn word(id: &str, kind: Kind, at: Instant, penalty: &str) -> Entry {
    event(id, kind, at, said(penalty, Some("buyer")))
}

fn told(pack: &Pack, books: &mut Books) -> Statement {
    books.settle(pack, &[], end(), None).unwrap();
    statement("c", pack, &[], books, end())
}

/// Amount, cut, deducted and shortfall of a penalty in minor units.
fn sums(statement: &Statement, id: &str) -> [i64; 4] {
    let line = statement.penalties.iter().find(|line| line.id == id).unwrap();
    [line.amount, line.cut, line.deducted, line.shortfall].map(Money::minor)
}
