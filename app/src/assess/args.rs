//! The arguments of `holdback assess` and `holdback generate`.

use std::path::PathBuf;

use clap::{ArgAction, ValueEnum};
use holdback::Instant;

use crate::args::{Format, setting};

pub(crate) const ASSESS_HELP: &str = "\
INPUT is a ticket table or an event log: Parquet, Arrow IPC, CSV or JSON lines; or any log that `run` reads.

A ticket table has one row a ticket: `contract` (unless the pack has but one), `ticket`, `via`, one column for each fact of the
pack by its name, and one for each kind of event by its name with or without `_at`. An event log has one row an event: `contract`,
`ticket`, `kind`, `at`, if need be `id`, `via`, `reason`, and one column for each fact; a fact called like a field is
`data.NAME`. Events without a ticket are the contract's own. Instants need a zone or an offset.

--out FILE.parquet writes one row for each ticket and clock: due, met, breached, late, paused, class, penalty, deducted,
balance, and the clauses that apply. --out DIR writes the same in parts, with totals.csv by contract, clause and month; the same
command again goes on with what is whole of it. Rows that are wrong are counted and written to a side file with the reason.

Examples:
  holdback assess rules/it-incidents tickets.parquet --any-contract --out assessed.parquet
  holdback assess rules/it-incidents events.ndjson --set calendar=always --threads 2
  holdback generate --tickets 1000000 --out tickets.parquet

Exit codes: 0 fine; 1 rows that were left out, tickets that could not be judged; 2 unusable input or arguments.";

pub(crate) const GENERATE_HELP: &str = "\
Tickets are drawn like those of a real log: arrivals by hour and weekday, priorities, pauses, reopenings, contracts of very
different sizes. The same seed gives the same bytes.

Examples:
  holdback generate --tickets 10000000 --contracts 1000 --seed 1 --out tickets.parquet
  holdback generate --tickets 100000 --form events --out events.parquet";

#[derive(Debug, clap::Args)]
pub(crate) struct AssessArgs {
    /// The pack's folder
    pub(crate) pack: PathBuf,
    /// The tickets: Parquet, Arrow IPC, CSV or JSON lines, or a log that `run` reads
    pub(crate) input: PathBuf,
    /// Write the results to this Parquet file, or into this folder
    #[arg(long, value_name = "DIR|FILE.parquet")]
    pub(crate) out: Option<PathBuf>,
    /// Judge the tickets of every contract by the pack, not only of those that it names
    #[arg(long)]
    pub(crate) any_contract: bool,
    /// Events of the contracts themselves, such as deposits: NDJSON, a JSON array or CSV
    #[arg(long, value_name = "FILE")]
    pub(crate) contract_events: Option<PathBuf>,
    /// Set a term of the pack to another value, for all dates; may be repeated
    #[arg(long, value_name = "TERM=VALUE", value_parser = setting, action = ArgAction::Append)]
    pub(crate) set: Vec<(String, String)>,
    /// Judge as of this instant (RFC 3339): later events do not count [default: the last instant of the input]
    #[arg(long, value_name = "INSTANT")]
    pub(crate) as_of: Option<Instant>,
    /// What becomes of a row that is wrong
    #[arg(long, value_enum, default_value_t = OnError::Skip)]
    pub(crate) on_error: OnError,
    /// So many threads judge [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// About so many MiB of memory may be used
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(64..))]
    pub(crate) memory: u32,
    /// Evaluate with rhai's interpreter, ticket by ticket: slow, and the reference
    #[arg(long)]
    pub(crate) reference: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What becomes of a row that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnError {
    /// It is left out, counted and written down
    Skip,
    /// The work stops
    Stop,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// How many tickets
    #[arg(long, value_name = "N")]
    pub(crate) tickets: u64,
    /// Of how many contracts
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) contracts: u32,
    /// Another seed, another history
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// A row a ticket, or a row an event
    #[arg(long, value_enum, default_value_t = HistoryForm::Tickets)]
    pub(crate) form: HistoryForm,
    /// The Parquet file to write
    #[arg(long, value_name = "FILE.parquet")]
    pub(crate) out: PathBuf,
}

/// The form of a generated history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryForm {
    /// A ticket table
    Tickets,
    /// An event log
    Events,
}
