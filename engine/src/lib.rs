//! Decides from ticket events what a service contract owes: what was due when, what was late, what it costs, whether the
//! work is free or paid, and what is left of the deposit. Every answer cites its clause.
//!
//! ```no_run
//! use holdback::{Engine, Event, Pack};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pack = Pack::open("rules/school-after-sales".as_ref())?;
//! let mut engine = Engine::new();
//! engine.open(pack.into())?;
//! let report = r#"{"id": "1", "contract": "school-2026", "ticket": "T1", "kind": "reported",
//!     "at": "2026-03-02T10:00:00+08:00", "via": "phone", "data": {"kind": "failure"}}"#;
//! for decision in engine.submit(Event::from_json(report)?)? {
//!     println!("{}", serde_json::to_string(&decision)?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The nouns
//!
//! - [`Pack`]: a contract's clauses as scripts, its dated terms, its calendars. Read and checked once, shared by [`Arc`](std::sync::Arc),
//!   never changed. Loading the school pack takes some milliseconds.
//! - [`Event`]: what happened, as a helpdesk tells it: late, twice and in any order, if it must be.
//! - [`assess()`]: the one pure function. A pack, a ticket's history and an instant in; its [`Assessment`] out.
//! - [`Engine`]: [`assess()`] kept up to date. Takes events and time, gives [`Decision`]s, keeps the books, and knows when it wants to be
//!   asked again. One thread at a time; `Send` and `Sync`.
//! - [`Calendar`]: when a contract's clock runs. Adds and measures open time in under 100 ns, whatever the span.
//! - [`Statement`], [`LedgerEntry`]: a contract's money, in double entry, corrected by posting differences.
//! - [`Roster`]: who is on call for a role at an instant.
//! - [`Explanation`]: an assessment with the arithmetic written down.
//!
//! # Time and money
//!
//! [`Instant`] is whole microseconds in UTC; [`Span`] is whole microseconds of elapsed or of open time, as the place says.
//! [`Money`] is whole minor units of one [`Currency`]. Nothing here reads a clock, a network or the environment, and only
//! [`Pack::open`] and [`Pack::check_folder`] read files.
//!
//! # JSON
//!
//! All results serialise with serde. Objects that stand alone carry `format` ([`FORMAT`]); instants are RFC 3339 in UTC, spans are
//! seconds, money is `{"amount": "500.00", "currency": "CNY"}`. The field documentation of each type is that of its JSON.
//!
//! # Where things are
//!
//! One stage a file, in the order of the data path: `event`, `journal`, `ticket`, `calendar`, `clock`, `terms`, `policy`, `assess`,
//! `decision`, `ledger`, `outbox`; `engine` wires them, and no stage names it. `pack` reads what
//! contract managers write, `case` runs their test cases, `explain` writes the arithmetic down.

mod assess;
mod calendar;
mod case;
mod check;
mod clock;
mod decision;
mod diagnostic;
mod durable;
mod duty;
mod engine;
mod event;
mod explain;
pub mod graph;
mod journal;
mod ledger;
mod level;
mod money;
mod nearest;
mod outbox;
mod pack;
mod policy;
mod program;
mod roster;
pub mod store;
mod terms;
mod ticket;
mod time;
mod vocabulary;

pub use assess::{
    Assessment, ClassOutcome, ClockOutcome, ContractAssessment, ContractFinding, DutyOutcome, FORMAT,
    Finding, LevelOutcome, PenaltyOutcome, Quote, QuoteError, Readings, assess, assess_contract,
};
pub use calendar::{
    Amendment, Boundary, Calendar, CalendarDef, CalendarError, DateHours, DatedHours, DayCount, DayNote,
    HolidayData, HourMinute, Hours, LineCache, WeekDay, WeekHours, YearHolidays, answer_line,
};
pub use case::{CaseOutcome, Difference, run_cases};
pub use check::{Counterexample, Law, LawOutcome, LawVerdict, PriceAt, check_laws};
pub use clock::{ClockState, CountRule};
pub use decision::{Decision, DecisionKind};
pub use diagnostic::{CODES, Code, Diagnostic, Place, Related, Severity};
pub use durable::{
    BundleChecked, Correction, DurableEngine, DurableError, EraseError, Erased, EventUsed, Receipt,
    ReceiptError, Salt, TimeFrom, Verified, check_bundle, export, import, replay, verify,
};
pub use engine::{
    Charge, ClockEnded, Engine, EngineError, SettleError, Settled, Settlement, deposit_floor, settle,
};
pub use event::{CONTRACT_KINDS, Event, EventError, TICKET_KINDS};
pub use explain::{ClauseReason, ClockReason, DayReason, Explanation, PriceStep, StepReason, StretchReason};
pub use ledger::{
    Account, CapCut, ClauseTotal, Deposit, DepositPoint, EntryKind, LedgerEntry, LedgerError, PenaltyState,
    Say, SayKind, Statement, StatementLine, Subject,
};
pub use money::{Currency, Money, MoneyError, Rounding};
pub use nearest::hint;
pub use outbox::Notice;
pub use pack::{Carried, Channel, Check, ClauseEntry, Pack, PackError, Role};
pub use policy::{ClauseFault, Evaluator};
pub use roster::{Contact, Roster, Turn};
pub use terms::{Band, Period, PeriodUnit, Term, TermError, TermValue, TierBy, TierEnd, TierValue, Tiers};
pub use ticket::{Fact, FactType, Status, Value};
pub use time::{Instant, Span, TimeError};
pub use vocabulary::vocabulary_page;

/// The README's example must compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
