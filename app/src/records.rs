//! `holdback records`: the forms and statements of a ticket, a month or the whole contract, out of the journal.

mod act;
mod clocks;
mod forms;
mod money;
mod month;
mod table;
mod template;
mod ticket;
mod words;

use holdback::{ContractAssessment, Engine, Statement};

use crate::args::{Format, RecordsArgs};
use crate::explain::contract_of_ticket;
use crate::files::Folder;
use crate::replay::{Replayed, replay};
use crate::{Console, FINDINGS, FINE, Stop, did_you_mean};
pub(crate) use forms::Form;
use forms::{About, Filled, Values};
use money::Settlement;
pub(crate) use month::Month;
use month::{Histories, MonthRecord};
use table::Table;
use template::Templates;
use ticket::TicketRecord;
use words::Words;

pub(crate) fn records(args: &RecordsArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let replayed = replay(&args.input, console, None, None)?;
    let words = Words::of(&replayed.pack, args.lang)?;
    let wanted = wanted(args)?;
    let record = Record::of(args, &replayed, &words)?;
    let (forms, left_out) = record.forms(wanted);
    let values = Values::of(&replayed, &record.contract, &words);
    if args.input.format == Format::Json {
        console.say(&values.json(&record, &forms)?)?;
    }
    // Everything is filled in before anything is written.
    let templates = Templates::of(&replayed.pack, words.code())?;
    let filled: Vec<Filled> = forms
        .iter()
        .map(|form| Filled::of(*form, &values, &record, &templates, args.csv))
        .collect::<Result<_, Stop>>()?;
    match (&args.out, args.input.format) {
        (Some(folder), format) => {
            let mut out = Folder::begin(folder)?;
            let files: Vec<&(String, Vec<u8>)> = filled.iter().flat_map(|filled| &filled.files).collect();
            files.iter().try_for_each(|(name, bytes)| out.add(name, bytes))?;
            out.finish()?;
            if format == Format::Text {
                let names: String = files.iter().map(|(name, _)| format!("  {name}\n")).collect();
                console.say(&format!("{} files in {}\n{names}", files.len(), folder.display()))?;
            }
        }
        (None, Format::Json) => {}
        (None, Format::Text) => print(&filled, args, console)?,
    }
    for note in left_out {
        let _ = writeln!(console.stderr, "note: {note}");
    }
    if let Some(fault) = &replayed.books_fault {
        let _ = writeln!(console.stderr, "error: {fault}");
    }
    let faulty = replayed.counts.faulty() || replayed.books_fault.is_some() || record.faulty;
    Ok(if faulty { FINDINGS } else { FINE })
}

/// The one form, or its one table, to standard output.
fn print(filled: &[Filled], args: &RecordsArgs, console: &mut Console<'_>) -> Result<(), Stop> {
    let fit = |one: &Filled| one.files.len() == 1 || !args.csv;
    match filled {
        [one] if fit(one) && !one.files.is_empty() => {
            let (_, bytes) = one.files.first().ok_or(Stop::Closed)?;
            console.say(&String::from_utf8_lossy(bytes))
        }
        [one] => Err(Stop::Unusable(format!(
            "form `{}` has {} tables: expected --out DIR to write them into",
            one.form,
            one.files.len()
        ))),
        several => Err(Stop::Unusable(format!(
            "{} forms: expected --out DIR to write them into, or --form to name one",
            several.len()
        ))),
    }
}

/// The forms that the arguments ask for.
fn wanted(args: &RecordsArgs) -> Result<&[Form], Stop> {
    let (of, all) = match (&args.ticket, args.month) {
        (Some(_), _) => ("a ticket", &Form::OF_TICKET[..]),
        (None, Some(_)) => ("a month", &Form::OF_MONTH[..]),
        (None, None) => ("a contract", &Form::OF_CONTRACT[..]),
    };
    let Some(asked) = args.form else { return Ok(all) };
    all.iter().find(|form| **form == asked).map(std::slice::from_ref).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|form| format!("`{form}`")).collect();
        Stop::Unusable(format!("{of} has no form `{asked}`: expected {}", known.join(", ")))
    })
}

/// What is recorded: its values and all its tables.
struct Record {
    contract: String,
    /// The ticket, the month, or the contract, for the names of files.
    name: String,
    about: About,
    tables: Vec<Table>,
    /// Something could not be judged.
    faulty: bool,
}

impl Record {
    fn of(args: &RecordsArgs, replayed: &Replayed, words: &Words<'_>) -> Result<Record, Stop> {
        let engine = &replayed.engine;
        if let Some(ticket) = &args.ticket {
            let contract = contract_of_ticket(engine, ticket, args.contract_id.as_deref(), "--contract-id")?;
            let explanation = engine.explain(contract, ticket).ok_or_else(|| unknown(contract))?;
            let TicketRecord { view, tables } = TicketRecord::of(engine, contract, &explanation, words);
            let faulty = !view.fault.is_empty();
            let about = About::Ticket(Box::new(view));
            return Ok(Record { contract: contract.to_owned(), name: ticket.clone(), about, tables, faulty });
        }
        let contract = contract_of(args, engine)?;
        let statement = engine.statement(contract).ok_or_else(|| unknown(contract))?;
        let obligations = engine.contract_assessment(contract).ok_or_else(|| unknown(contract))?;
        let faulty = obligations.fault.is_some();
        let (about, tables) = match args.month {
            None => {
                let Settlement { view, tables } =
                    Settlement::of(&statement, engine.ledger(contract), &obligations, None, words);
                (About::Contract(view), tables)
            }
            Some(month) => of_month(engine, (contract, &statement, &obligations), month, words)?,
        };
        let name = args.month.map_or_else(|| contract.to_owned(), |month| month.to_string());
        Ok(Record { contract: contract.to_owned(), name, about, tables, faulty })
    }

    /// Of the forms that are wanted those that are filled in, and why others are not.
    fn forms<'f>(&self, wanted: &'f [Form]) -> (Vec<Form>, Vec<&'f str>) {
        let (mut forms, mut left_out) = (wanted.to_vec(), Vec::new());
        if let (About::Ticket(ticket), true) = (&self.about, wanted.len() > 1)
            && !ticket.receipted
        {
            forms.retain(|form| *form != Form::Receipt);
            left_out.push("no receipt: the ticket was not called off and none was sent; --form receipt gives a blank one");
        }
        (forms, left_out)
    }

    fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

fn of_month(
    engine: &Engine,
    (contract, statement, obligations): (&str, &Statement, &ContractAssessment),
    month: Month,
    words: &Words<'_>,
) -> Result<(About, Vec<Table>), Stop> {
    let histories = Histories::of(engine, contract, words.pack);
    if let Some(why) = histories.nothing_in(month, words.pack, statement, obligations) {
        return Err(Stop::Unusable(format!("contract `{contract}`: {why}")));
    }
    let record = MonthRecord::of(engine, contract, &histories, month, obligations, words);
    let settlement = Settlement::of(statement, engine.ledger(contract), obligations, Some(month), words);
    let about = About::Month { month: record.view, settlement: settlement.view };
    Ok((about, record.tables.into_iter().chain(settlement.tables).collect()))
}

/// The contract that is meant: the one that is named, else the only one of the pack or of the log.
fn contract_of<'e>(args: &RecordsArgs, engine: &'e Engine) -> Result<&'e str, Stop> {
    if let Some(asked) = &args.contract_id {
        return engine.contracts().find(|contract| contract == asked).ok_or_else(|| {
            let near = did_you_mean(asked, engine.contracts());
            Stop::Unusable(format!("unknown contract `{asked}`{near}"))
        });
    }
    let all: Vec<&str> = engine.contracts().collect();
    if let [only] = all.as_slice() {
        return Ok(only);
    }
    let told = |contract: &&str| engine.events().any(|event| event.contract == *contract);
    let told: Vec<&str> = all.iter().copied().filter(told).collect();
    match told.as_slice() {
        [only] => Ok(only),
        _ => Err(Stop::Unusable(format!("contracts `{}`: say which with --contract-id", all.join("`, `")))),
    }
}

fn unknown(contract: &str) -> Stop {
    Stop::Unusable(format!("unknown contract `{contract}`"))
}
