//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use holdback::Instant;

use crate::assess::args::{ASSESS_HELP, AssessArgs, GENERATE_HELP, GenerateArgs};
use crate::plugin::args::{PLUGIN_HELP, PluginArgs};
use crate::records::{Form, Month};
use crate::store::args::{
    AdvanceArgs, CHECKPOINT_HELP, CheckpointArgs, CompactArgs, CopyArgs, ERASE_HELP, EraseArgs, FileArgs,
    INGEST_HELP, IngestArgs, RECEIPT_HELP, RECOMPUTE_HELP, ReceiptArgs, RecomputeArgs, VERIFY_HELP,
    VerifyArgs,
};

const EXAMPLES: &str = "\
Examples:
  holdback new my-pack
  holdback run rules/it-incidents tests/data/uci498/incident_event_log.zip
  holdback run rules/it-incidents log.zip --set calendar=always --out report
  holdback assess rules/it-incidents tickets.parquet --out assessed.parquet
  holdback explain rules/school-after-sales events.ndjson --ticket T1
  holdback records rules/school-after-sales events.ndjson --month 2026-03 --lang zh --out records
  holdback check rules/school-after-sales
  holdback check --explain E0101
  holdback test rules/it-incidents rules/school-after-sales
  holdback roster rules/school-after-sales --at 2026-03-02T22:00:00+08:00
  holdback calendar < questions.ndjson
  holdback plugin new my-channel

Exit codes: 0 fine, 1 findings, 2 unusable input or arguments. Breaches are results, not findings.";

const RUN_HELP: &str = "\
EVENTS is NDJSON, a JSON array, CSV, or a zip that holds one of them; the content says which. `-` is standard input.

CSV has the columns `id`, `contract`, `kind` and `at`, if wanted `ticket`, `actor` and `via`; every other column is a fact
of the pack. An empty cell says nothing. Cells of bool facts are `true` or `false`, of integer facts whole numbers.

The pack may name an adapter for logs of another system. It is used for a CSV that has that system's columns.

Examples:
  holdback run rules/it-incidents tests/data/uci498/incident_event_log.zip
  holdback run rules/it-incidents log.csv --set calendar=china --set customer_pauses=false
  holdback run rules/school-after-sales events.ndjson --as-of 2026-07-01T00:00:00+08:00 --out report
  helpdesk-export | holdback run rules/school-after-sales - --format json

--out writes decisions.ndjson, ledger.csv, notices.ndjson, rejected.ndjson, summary.json and statement.html.

With each notice stands the request that a channel would make of it, rendered by a component; nothing is sent, and no network
is touched. It is rendered for --destination (TOML: name, locale, to, settings), else for the component's examples with
`https://example.invalid/holdback` as its URL. No secret is read: what is signed is signed by a sample that anybody knows.

Exit codes: 0 fine; 1 input that was malformed or refused, tickets that could not be assessed, remarks on the statement,
notices that could not be rendered; 2 unusable input or arguments.";

const EXPLAIN_HELP: &str = "\
Example:
  holdback explain rules/it-incidents tests/data/uci498/incident_event_log.zip --ticket INC0000045";

const RECORDS_HELP: &str = "\
Forms of one ticket: register, status, receipt, order, opinion, acceptance, archive. Of a month (in the contract's zone):
register, status, service, statement. Of the whole contract: statement. What has not happened yet is left blank, to be
filled in by hand; the receipt is left out while the ticket was not called off and no receipt was sent, unless asked for
by --form.

--out writes each form as HTML that prints on A4, and each of its tables as CSV (UTF-8 with a byte order mark, without
which Excel misreads Chinese). Without --out one form, named by --form, is printed. --format json prints the values that
templates see.

A pack's own templates, records/NAME.html or records/zh/NAME.html, take the place of the program's; records/letterhead.html
is the head of every form, records/words.toml has labels for the pack's own names.

Examples:
  holdback records rules/school-after-sales tests/data/records/events.ndjson --ticket S-07 --lang zh --out records
  holdback records rules/school-after-sales tests/data/records/events.ndjson --month 2026-03 --out records
  holdback records rules/school-after-sales tests/data/records/events.ndjson --contract --form statement > statement.html

Exit codes: 0 written; 1 input that was malformed or refused, a ticket that could not be assessed; 2 unusable input,
arguments or templates, nothing to tell.";

const NEW_HELP: &str = "\
Writes a small whole pack that can be checked, tested and run as it is: contract.md, terms.toml, a clause with a limit, a
penalty and an escalation, a clause for the deposit, cases, example events, and a README that says what to do next.
The folder must not exist yet, or be empty; nothing is written unless all of it can be.

Examples:
  holdback new my-pack
  holdback new packs/clinic --contract HT-2026-015 --language zh
  holdback new desk --currency EUR --zone Europe/Berlin

Exit codes: 0 written; 2 the folder or an argument cannot be used.";

const TEST_HELP: &str = "\
Example:
  holdback test rules/it-incidents rules/school-after-sales

Exit codes: 0 all cases hold; 1 some fail, or a pack has none; 2 a pack is unusable.";

const CHECK_HELP: &str = "\
Everything wrong with a pack is told at once, each with its place, what was expected, and how to mend it. A pack with
errors is never evaluated; a pack with warnings is.

Examples:
  holdback check rules/it-incidents rules/school-after-sales
  holdback check rules/school-after-sales --deny warnings --format sarif > check.sarif
  holdback check --explain E0101
  holdback check --explain all

Exit codes: 0 no errors (and no warnings under --deny warnings); 1 some; 2 no such folder, no such code.";

const ROSTER_HELP: &str = "\
Who is on call for each role of the pack, by its roster.toml. Times are shown in the contract's zone. A turn begins at its
first instant and ends before the first instant of the next one.

Examples:
  holdback roster rules/school-after-sales --at 2026-03-02T22:00:00+08:00
  holdback roster rules/school-after-sales --at 2026-03-02T00:00:00+08:00 --role engineer --days 7
  holdback roster rules/school-after-sales --at 2026-03-02T22:00:00+08:00 --format json

Exit codes: 0 somebody is on call for each role, all the time asked about; 1 for a role nobody is; 2 the pack or an argument
cannot be used, or the pack has no roster.";

const CALENDAR_HELP: &str = "\
One JSON object a line in, one a line out. In: `id`, `op` (add, subtract, between, add_days), `tz`, `hours`, `holidays`,
`workdays`, `shifts`, `breaks`, `start`, and `seconds`, `end`, or `days` with `count` (contract_law, same_time).
Out: `id` and `result`, or `id` and `error`.

Example:
  echo '{\"id\":1,\"op\":\"add\",\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"09:00\",\"17:00\"]]},\
\"start\":\"2026-03-02T16:00:00Z\",\"seconds\":7200}' | holdback calendar

Exit code 1 when a line was answered with an error.";

/// Rules engine for after-sales support contracts: due instants, breaches, penalties and the deposit, each with its clause
#[derive(Debug, Parser)]
#[command(name = "holdback", version, color = clap::ColorChoice::Never, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge a log of events by a contract pack
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Assess a history of many tickets in columns: what was due, missed, owed and deducted
    #[command(after_help = ASSESS_HELP)]
    Assess(AssessArgs),
    /// Make up a history of tickets, to try things with
    #[command(after_help = GENERATE_HELP)]
    Generate(GenerateArgs),
    /// Tell one ticket's story, with the arithmetic written down
    #[command(after_help = EXPLAIN_HELP)]
    Explain(ExplainArgs),
    /// Write the forms and statements of a ticket, a month or the whole contract, to be printed and signed
    #[command(after_help = RECORDS_HELP)]
    Records(RecordsArgs),
    /// Tell everything wrong with packs, without running them
    #[command(after_help = CHECK_HELP)]
    Check(CheckArgs),
    /// Run the cases that come with packs
    #[command(after_help = TEST_HELP)]
    Test(TestArgs),
    /// Write a small whole pack to begin with
    #[command(after_help = NEW_HELP)]
    New(NewArgs),
    /// Tell who is on call
    #[command(after_help = ROSTER_HELP)]
    Roster(RosterArgs),
    /// Answer questions on working time, a line each
    #[command(after_help = CALENDAR_HELP)]
    Calendar,
    /// Write, build, test, grant and try channels for notices
    #[command(after_help = PLUGIN_HELP)]
    Plugin(PluginArgs),
    /// Tell events to a store in a file, each answered once it is on the disk
    #[command(after_help = INGEST_HELP)]
    Ingest(IngestArgs),
    /// Tell a store that time has passed
    Advance(AdvanceArgs),
    /// Prove a store, a receipt or a bundle of receipts
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Write what decisions rest on, so that anybody can make them again
    #[command(after_help = RECEIPT_HELP)]
    Receipt(ReceiptArgs),
    /// Sign how far a store has come
    #[command(after_help = CHECKPOINT_HELP)]
    Checkpoint(CheckpointArgs),
    /// Copy a store, also while it is being written
    Backup(CopyArgs),
    /// Make a store out of a backup that is proved whole
    Restore(CopyArgs),
    /// Write a store's whole chain as JSON, a record a line
    Export(FileArgs),
    /// Read an export from standard input into a new store
    Import(FileArgs),
    /// Make a store smaller: written decisions of tickets that are done go, their digests stay
    Compact(CompactArgs),
    /// Remove personal facts for good; the chain stays whole
    #[command(after_help = ERASE_HELP)]
    Erase(EraseArgs),
    /// Judge a contract's tickets again by another version of its pack
    #[command(after_help = RECOMPUTE_HELP)]
    Recompute(RecomputeArgs),
    /// Tell what is the matter with a store, and the way out
    Doctor(FileArgs),
    /// Print the words of clauses in English and Chinese, as Markdown
    Vocabulary,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Compile the component on standard input: the program starts itself so, to keep compilers apart
    #[command(hide = true)]
    CompileWorker {
        /// Bytes of memory, seconds, and `fuel` or `epochs`
        args: Vec<String>,
    },
}

/// What `run` and `explain` have in common.
#[derive(Debug, clap::Args)]
pub(crate) struct InputArgs {
    /// The pack's folder
    pub(crate) pack: PathBuf,
    /// The events: NDJSON, JSON array, CSV, or a zip of one of them; `-` for standard input
    pub(crate) events: PathBuf,
    /// How to read EVENTS [default: the pack's own adapter for a log it fits, else events]
    #[arg(long, value_enum)]
    pub(crate) adapter: Option<Adapter>,
    /// Set a term of the pack to another value, for all dates; may be repeated
    #[arg(long, value_name = "TERM=VALUE", value_parser = setting, action = ArgAction::Append)]
    pub(crate) set: Vec<(String, String)>,
    /// Stop at the first malformed or refused event, with exit code 2
    #[arg(long)]
    pub(crate) strict: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Judge as of this instant (RFC 3339): later events do not count [default: the end of the log]
    #[arg(long, value_name = "INSTANT")]
    pub(crate) as_of: Option<Instant>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Write decisions, ledger, notices, rejected input, summary and statement into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Keep the events in this store, which is made if it is not there; those it holds already count as well
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
    /// The component that renders the notices: a name, a .wasm file, or `none`
    #[arg(long, value_name = "NAME|FILE|none", default_value = "webhook", requires = "out")]
    pub(crate) channel: PathBuf,
    /// Where notices would go to: what is set for one destination of the channel
    #[arg(long, value_name = "FILE.toml", requires = "out")]
    pub(crate) destination: Option<PathBuf>,
    /// The folder of the host of components [default: HOLDBACK_HOME, else `holdback` in the user's data folder]
    #[arg(long, value_name = "DIR", requires = "out")]
    pub(crate) home: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// The ticket
    #[arg(long)]
    pub(crate) ticket: String,
    /// The contract, when several have a ticket of this name
    #[arg(long)]
    pub(crate) contract: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("of").required(true)))]
pub(crate) struct RecordsArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Records of this ticket
    #[arg(long, group = "of", value_name = "ID")]
    pub(crate) ticket: Option<String>,
    /// Records of this month of the contract's zone, such as 2026-03
    #[arg(long, group = "of", value_name = "YEAR-MONTH")]
    pub(crate) month: Option<Month>,
    /// The settlement of the whole contract
    #[arg(long, group = "of")]
    pub(crate) contract: bool,
    /// The contract, when there are several
    #[arg(long, value_name = "ID")]
    pub(crate) contract_id: Option<String>,
    /// The language of the forms
    #[arg(long, visible_alias = "language", value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
    /// Write into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Only this form
    #[arg(long, value_enum)]
    pub(crate) form: Option<Form>,
    /// Only the tables, as CSV
    #[arg(long, conflicts_with = "format")]
    pub(crate) csv: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The packs' folders; one without pack.toml stands for the packs within it
    #[arg(required_unless_present = "explain", value_name = "PACK")]
    pub(crate) packs: Vec<PathBuf>,
    /// Tell what a code means, with an example; `all` lists the codes
    #[arg(long, value_name = "CODE", conflicts_with_all = ["packs", "format", "deny"])]
    pub(crate) explain: Option<String>,
    /// What counts as a finding besides errors
    #[arg(long, value_enum)]
    pub(crate) deny: Option<Deny>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(crate) format: CheckFormat,
}

/// What `check` refuses besides errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Warnings too
    Warnings,
}

/// How the answer of `check` is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// One SARIF 2.1.0 log, for code review tools
    Sarif,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// The packs' folders; one without pack.toml stands for the packs within it
    #[arg(required = true, value_name = "PACK")]
    pub(crate) packs: Vec<PathBuf>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RosterArgs {
    /// The pack's folder
    pub(crate) pack: PathBuf,
    /// The instant (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Instant,
    /// Only this role [default: all roles of the pack]
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// List the turns of so many days from the instant on, 24 hours each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=400))]
    pub(crate) days: Option<u16>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// The folder to write; it must not exist yet, or be empty
    pub(crate) pack: PathBuf,
    /// The pack's name [default: the folder's]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The id of the contract whose events the pack takes [default: the pack's name]
    #[arg(long, value_name = "ID")]
    pub(crate) contract: Option<String>,
    /// The currency of all its money: three letters of ISO 4217
    #[arg(long, default_value = "CNY")]
    pub(crate) currency: String,
    /// The contract's time zone, by its name in the tz database
    #[arg(long, default_value = "Asia/Shanghai")]
    pub(crate) zone: String,
    /// The language of its texts and comments
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) language: Language,
}

/// A language of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// 中文
    Zh,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// How the input is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Adapter {
    /// Holdback's own events
    Events,
    /// The audit log of a ServiceNow instance's incidents, as CSV
    ServicenowLog,
}

pub(crate) fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((term, value)) if !term.is_empty() => Ok((term.to_owned(), value.to_owned())),
        _ => Err("expected TERM=VALUE, such as `calendar=always`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_setting_keeps_what_follows_the_first_equals_sign() {
        assert_eq!(setting("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(setting("a="), Ok(("a".into(), String::new())));
        assert!(setting("a").is_err() && setting("=b").is_err());
    }
}
