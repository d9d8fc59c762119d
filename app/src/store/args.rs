//! The command line of stores.

use std::path::PathBuf;

use clap::ArgAction;
use holdback::Instant;

use crate::args::{Format, setting};

pub(crate) const INGEST_HELP: &str = "\
Events are read from standard input, one JSON object a line. Each is answered on standard output with a line of JSON once it
is on the disk: `{\"id\": ..., \"taken\": true, \"decisions\": [...]}`, or `refused` with the reason. Lines that wait are taken
together, up to --batch: a batch costs one wait for the disk.

A store that is not there is made, with the pack of --pack. `--time host` makes one whose time only `holdback advance` moves.

Examples:
  holdback ingest --db desk.db --pack rules/school-after-sales < events.ndjson
  helpdesk-export | holdback ingest --db desk.db

Exit codes: 0 all taken; 1 some were refused or malformed; 2 the store cannot be used: what was answered before is kept.";

pub(crate) const VERIFY_HELP: &str = "\
FILE is a store, a receipt or a bundle of receipts; its content says which.

Of a store every record, every row, SQLite's structure and the seal over all bytes are checked; what is wrong is named.
--replay makes every answer anew from the events and the packs in the store, and compares.
--checkpoint shows that the store still holds what a checkpoint signed.

A receipt is made again from --pack and --events, to the byte. A bundle holds what it needs.

Examples:
  holdback verify desk.db --replay
  holdback verify desk.db --checkpoint january.json
  holdback verify receipt.json --pack rules/school-after-sales --events events.ndjson
  holdback verify march.bundle

Exit codes: 0 whole; 1 something is wrong; 2 it cannot be read.";

pub(crate) const RECEIPT_HELP: &str = "\
Of a ticket: the receipts of all decisions on it, as a JSON array. Of a contract without a ticket: those of the decisions on the
contract itself, its duties, service levels and deposit. Of a month (by the engine's time, UTC): a bundle with the
packs and events they rest on, which verifies on any machine by itself; with --key it is signed.

Examples:
  holdback receipt --db desk.db --contract school-2026 --ticket T1
  holdback receipt --db desk.db --contract school-2026
  holdback receipt --db desk.db --month 2026-03 --key desk.key > march.bundle";

pub(crate) const CHECKPOINT_HELP: &str = "\
Signs how far the store has come (ed25519), to hand to the other party. The key file holds 64 hexadecimal digits, a secret; it
is made if it is not there. With --since the proof that the earlier checkpoint is the beginning of this one stands beside it.

Examples:
  holdback checkpoint --db desk.db --key desk.key > january.json
  holdback checkpoint --db desk.db --key desk.key --since january.json > february.json";

pub(crate) const ERASE_HELP: &str = "\
Removes values from the events of a ticket, or with --before of all tickets of the contract that were done before an instant:
`actor`, `note`, or facts that no clause reads. What was decided stays, and so does the chain. Nothing is removed if the ticket
would be judged otherwise.

Examples:
  holdback erase --db desk.db --contract school-2026 --ticket T1 --fact actor --fact note
  holdback erase --db desk.db --contract school-2026 --before 2025-01-01T00:00:00+08:00 --fact actor";

pub(crate) const RECOMPUTE_HELP: &str = "\
Takes another version of a contract's pack: terms, calendars or the texts of clauses. The tickets it can alter are found by
index and judged again; differences are posted to the ledger. A recomputation that was interrupted goes on where it stood.

Examples:
  holdback recompute --db desk.db --contract school-2026 --pack rules/school-after-sales
  holdback recompute --db desk.db";

#[derive(Debug, clap::Args)]
pub(crate) struct IngestArgs {
    /// The store's file; it is made if it is not there
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// The pack of a new store
    #[arg(long)]
    pub(crate) pack: Option<PathBuf>,
    /// Set a term of the pack to another value, for all dates; may be repeated
    #[arg(long, value_name = "TERM=VALUE", value_parser = setting, action = ArgAction::Append)]
    pub(crate) set: Vec<(String, String)>,
    /// Who moves the time of a new store
    #[arg(long, value_enum, default_value_t = Time::Events)]
    pub(crate) time: Time,
    /// Events that are taken together at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) batch: u32,
}

/// Who says what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Time {
    /// The latest event
    Events,
    /// `holdback advance` alone
    Host,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AdvanceArgs {
    /// The store's file
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// The instant, RFC 3339 with offset
    #[arg(long)]
    pub(crate) to: Instant,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// A store, a receipt or a bundle
    pub(crate) file: PathBuf,
    /// Make every answer of a store anew
    #[arg(long)]
    pub(crate) replay: bool,
    /// A checkpoint that the store must hold
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// The pack of a receipt
    #[arg(long)]
    pub(crate) pack: Option<PathBuf>,
    /// Set a term of the pack, as it was when the receipt was made
    #[arg(long, value_name = "TERM=VALUE", value_parser = setting, action = ArgAction::Append)]
    pub(crate) set: Vec<(String, String)>,
    /// The events of a receipt, one JSON object a line
    #[arg(long)]
    pub(crate) events: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReceiptArgs {
    /// The store's file
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// The contract; without a ticket the decisions on the contract itself
    #[arg(long, required_unless_present = "month", conflicts_with = "month")]
    pub(crate) contract: Option<String>,
    /// The ticket
    #[arg(long, requires = "contract")]
    pub(crate) ticket: Option<String>,
    /// A bundle of all decisions of a month, such as 2026-03
    #[arg(long)]
    pub(crate) month: Option<String>,
    /// The key that signs the bundle
    #[arg(long, requires = "month")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckpointArgs {
    /// The store's file
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// The secret key's file; it is made if it is not there
    #[arg(long)]
    pub(crate) key: PathBuf,
    /// The store's name in the checkpoint [default: the file's]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// An earlier checkpoint
    #[arg(long, value_name = "FILE")]
    pub(crate) since: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CopyArgs {
    /// What is copied
    pub(crate) from: PathBuf,
    /// The new file
    pub(crate) to: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// The store's file
    pub(crate) db: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompactArgs {
    /// The store's file
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// Tickets that were done before this instant lose their written decisions, which follow from the events
    #[arg(long)]
    pub(crate) before: Instant,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EraseArgs {
    /// The store's file
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// The contract
    #[arg(long)]
    pub(crate) contract: String,
    /// The ticket
    #[arg(long, required_unless_present = "before", conflicts_with = "before")]
    pub(crate) ticket: Option<String>,
    /// All tickets that were done before this instant
    #[arg(long)]
    pub(crate) before: Option<Instant>,
    /// What is removed: `actor`, `note` or a fact; may be repeated
    #[arg(long = "fact", required = true, action = ArgAction::Append)]
    pub(crate) facts: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecomputeArgs {
    /// The store's file
    #[arg(long)]
    pub(crate) db: PathBuf,
    /// The contract; without one an interrupted recomputation goes on
    #[arg(long, requires = "pack")]
    pub(crate) contract: Option<String>,
    /// The pack's folder
    #[arg(long, requires = "contract")]
    pub(crate) pack: Option<PathBuf>,
    /// Set a term of the pack to another value, for all dates; may be repeated
    #[arg(long, value_name = "TERM=VALUE", value_parser = setting, action = ArgAction::Append)]
    pub(crate) set: Vec<(String, String)>,
}
