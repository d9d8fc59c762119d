//! The program `holdback`: a command line over the engine. It reads events, lets the engine judge them, and tells what came
//! out; what a contract means is the engine's and the packs' business alone.
//!
//! Exit codes: 0 fine, 1 findings (input that was refused, tickets that could not be assessed, failed cases, packs that are
//! not right), 2 unusable input or arguments. Breaches are results, not findings.

mod adapter;
mod args;
mod assess;
mod calendar;
mod check;
mod explain;
mod files;
mod generate;
mod narrate;
mod new;
mod notices;
mod page;
mod plugin;
mod read;
mod records;
mod replay;
mod roster;
mod run;
mod store;
mod summary;
mod test;

use std::ffi::OsString;
use std::io::{BufWriter, ErrorKind, IsTerminal, Read, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Args, Command};

/// Nothing to complain of.
const FINE: u8 = 0;
/// Something needs a look.
const FINDINGS: u8 = 1;
/// The input or the arguments cannot be used.
const UNUSABLE: u8 = 2;

/// Where the program reads and writes.
struct Console<'a> {
    stdin: &'a mut dyn Read,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
    /// Someone watches stderr: long work shows its progress there.
    watched: bool,
    /// Whoever reads stdout sees colours.
    colours: bool,
    /// What a host of components takes from the machine.
    machine: plugin::Machine,
}

/// Why the program ends before its work is done.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// The input or the arguments cannot be used; one message a line.
    #[error("{0}")]
    Unusable(String),
    /// The first fault of the input under `--strict`. It has been told.
    #[error("stopped at the first fault of the input")]
    Strict,
    /// Nobody reads the output any more, which is no fault.
    #[error("standard output was closed")]
    Closed,
}

/// Reads a log of events as `holdback run` does, by the adapter that the pack names, in the order of the file.
///
/// # Errors
/// What makes the file unusable, or the first line of it that is no event.
pub fn read_events(path: &std::path::Path, pack: &holdback::Pack) -> Result<Vec<holdback::Event>, String> {
    let usual = pack.adapter.as_deref().and_then(|name| clap::ValueEnum::from_str(name, false).ok());
    let mut events = Vec::new();
    let mut fault = None;
    let mut sink = |item| match item {
        read::Item::Event(_, event) => {
            events.push(event);
            std::ops::ControlFlow::Continue(())
        }
        read::Item::Malformed(malformed) => {
            fault = Some(format!("{}:{}: {}", path.display(), malformed.line, malformed.reason));
            std::ops::ControlFlow::Break(())
        }
    };
    read::read(path, &mut std::io::empty(), read::Reading { pack, asked: None, usual }, &mut sink)?;
    fault.map_or(Ok(events), Err)
}

/// Runs the program on the process's own arguments and streams.
pub fn main() -> ExitCode {
    let mut stdout = BufWriter::new(std::io::stdout());
    let watched = std::io::stderr().is_terminal();
    let console = Console {
        stdin: &mut std::io::stdin(),
        stdout: &mut stdout,
        stderr: &mut std::io::stderr(),
        watched,
        colours: wants_colours(),
        machine: plugin::Machine::of_the_program(),
    };
    ExitCode::from(run_on(std::env::args_os(), console))
}

/// Whether stdout is a terminal whose user has not said `NO_COLOR` (<https://no-color.org>).
#[expect(
    clippy::disallowed_methods,
    reason = "colours are the terminal's business; no answer depends on them"
)]
fn wants_colours() -> bool {
    let set = |name: &str| !matches!(std::env::var(name), Err(std::env::VarError::NotPresent));
    let said_no = set("NO_COLOR") && std::env::var("NO_COLOR").as_deref() != Ok("");
    let dumb = std::env::var("TERM").as_deref() == Ok("dumb");
    std::io::stdout().is_terminal() && !said_no && !dumb
}

/// Runs the program on given arguments (the first is the program's name) and streams; gives back its exit code.
///
/// Files are read and written as the arguments say; nothing else is touched.
///
/// ```
/// let (mut out, mut err) = (Vec::new(), Vec::new());
/// let code = holdback_cli::run(["holdback", "--version"], &mut std::io::empty(), &mut out, &mut err);
/// assert_eq!(code, 0);
/// assert!(out.starts_with(b"holdback "));
/// ```
pub fn run<A>(
    args: impl IntoIterator<Item = A>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8
where
    A: Into<OsString> + Clone,
{
    let console = Console {
        stdin,
        stdout,
        stderr,
        watched: false,
        colours: false,
        machine: plugin::Machine::of_a_caller(),
    };
    run_on(args, console)
}

fn run_on<A>(args: impl IntoIterator<Item = A>, mut console: Console<'_>) -> u8
where
    A: Into<OsString> + Clone,
{
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(told) => {
            let (text, fault) = (told.render().to_string(), told.use_stderr());
            let to = if fault { &mut *console.stderr } else { &mut *console.stdout };
            // Help that nobody reads is no fault.
            let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
            return if fault { UNUSABLE } else { FINE };
        }
    };
    let done = obey(args.command, &mut console);
    let flushed = write_error(console.stdout.flush());
    match done.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => code,
        Err(Stop::Closed) => FINE,
        Err(Stop::Strict) => {
            let _ = writeln!(console.stderr, "error: {}", Stop::Strict);
            UNUSABLE
        }
        Err(Stop::Unusable(message)) => {
            for line in message.lines() {
                let _ = writeln!(console.stderr, "error: {line}");
            }
            UNUSABLE
        }
    }
}

fn obey(command: Command, console: &mut Console<'_>) -> Result<u8, Stop> {
    match command {
        Command::Run(args) => run::run(&args, console),
        Command::Assess(args) => assess::assess(&args, console),
        Command::Generate(args) => generate::generate(&args, console),
        Command::Explain(args) => explain::explain(&args, console),
        Command::Records(args) => records::records(&args, console),
        Command::Check(args) => check::check(&args, console),
        Command::Test(args) => test::test(&args, console),
        Command::New(args) => new::new(&args, console),
        Command::Roster(args) => roster::roster(&args, console),
        Command::Calendar => calendar::calendar(console),
        Command::Plugin(args) => plugin::plugin(&args, console),
        Command::CompileWorker { args } => {
            let Console { stdin, stdout, stderr, .. } = console;
            Ok(holdback_plugins::compile_worker(&args, stdin, stdout, stderr))
        }
        Command::Ingest(args) => store::ingest(&args, console),
        Command::Advance(args) => store::advance(&args, console),
        Command::Verify(args) => store::verify(&args, console),
        Command::Receipt(args) => store::receipt(&args, console),
        Command::Checkpoint(args) => store::checkpoint(&args, console),
        Command::Backup(args) => store::back_up(&args, console),
        Command::Restore(args) => store::restore(&args, console),
        Command::Export(args) => store::export(&args, console),
        Command::Import(args) => store::import(&args, console),
        Command::Compact(args) => store::compact(&args, console),
        Command::Erase(args) => store::erase(&args, console),
        Command::Recompute(args) => store::recompute(&args, console),
        Command::Doctor(args) => store::doctor(&args, console),
        Command::Vocabulary => console.say(&holdback::vocabulary_page()).map(|()| FINE),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "holdback", &mut script);
            write_error(console.stdout.write_all(&script))?;
            Ok(FINE)
        }
    }
}

impl Console<'_> {
    /// Writes a text to standard output.
    fn say(&mut self, text: &str) -> Result<(), Stop> {
        match write_error(self.stdout.write_all(text.as_bytes())) {
            // The exit code still says how the work came out.
            Err(Stop::Closed) => Ok(()),
            done => done,
        }
    }
}

/// `1 record`, `2 records`.
fn plural(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn write_error(result: std::io::Result<()>) -> Result<(), Stop> {
    result.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Stop::Closed,
        _ => Stop::Unusable(format!("standard output: {error}")),
    })
}

/// `; did you mean ...?` with the nearest known name, or nothing when none is near.
fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    let nearest = known.into_iter().map(|known| (distance(known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= (name.chars().count() / 3).clamp(1, 4) => {
            format!("; did you mean `{known}`?")
        }
        _ => String::new(),
    }
}
