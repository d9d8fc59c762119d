//! `holdback run`: a log judged by a pack, and what came of it.

#[cfg(test)]
mod tests;

use crate::args::{Format, RunArgs};
use crate::files::Out;
use crate::notices::Renderer;
use crate::page::{PageView, page};
use crate::replay::{Replayed, replay};
use crate::summary::{Summary, Tally};
use crate::{Console, FINDINGS, FINE, Stop};

pub(crate) fn run(args: &RunArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let renderer = if args.out.is_some() { Renderer::open(args, console)? } else { None };
    let mut out = args.out.as_deref().map(|folder| Out::begin(folder, renderer)).transpose()?;
    let replayed = replay(&args.input, console, out.as_mut(), args.db.as_deref())?;
    let tally = Tally::of(&replayed);
    let notices = out.as_mut().map(Out::told).transpose()?.flatten();
    let summary = Summary::of(&replayed, &tally, notices);
    let json =
        serde_json::to_string_pretty(&summary).map_err(|error| Stop::Unusable(error.to_string()))? + "\n";
    if let Some(out) = out {
        write(out, &replayed, &tally, &summary, &json)?;
    }
    match args.input.format {
        Format::Text => console.say(&summary.text())?,
        Format::Json => console.say(&json)?,
    }
    Ok(if summary.has_findings() { FINDINGS } else { FINE })
}

fn write(
    mut out: Out,
    replayed: &Replayed,
    tally: &Tally,
    summary: &Summary,
    json: &str,
) -> Result<(), Stop> {
    let engine = &replayed.engine;
    out.add("summary.json", json)?;
    out.add_ledger(engine.contracts().map(|contract| (contract, engine.ledger(contract))))?;
    let view = PageView {
        pack: &replayed.pack,
        statements: &tally.statements,
        clocks: tally.clocks.iter().map(|clock| clock.totals.clone()).collect(),
        class: tally.class,
        tickets: tally.tickets,
        faults: tally.faults.len(),
        as_of: engine.now(),
        notes: &summary.notes(),
    };
    out.add("statement.html", &page(&view))?;
    out.finish()
}
