//! `holdback explain`: one ticket's story.

use crate::args::{ExplainArgs, Format};
use crate::narrate::narrate;
use crate::replay::{Replayed, replay};
use crate::{Console, FINDINGS, FINE, Stop, did_you_mean};

pub(crate) fn explain(args: &ExplainArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let replayed = replay(&args.input, console, None)?;
    let Replayed { pack, engine, counts, books_fault, .. } = &replayed;
    let contract = contract_of(args, &replayed)?;
    let Some(explanation) = engine.explain(contract, &args.ticket) else {
        return Err(unknown_ticket(args, &replayed));
    };
    let text = match args.input.format {
        Format::Text => narrate(&explanation, pack),
        Format::Json => {
            let text = serde_json::to_string_pretty(&explanation);
            text.map_err(|error| Stop::Unusable(error.to_string()))? + "\n"
        }
    };
    console.say(&text)?;
    if let Some(fault) = books_fault {
        let _ = writeln!(console.stderr, "error: {fault}");
    }
    let faulty = counts.faulty() || books_fault.is_some() || explanation.assessment.fault.is_some();
    Ok(if faulty { FINDINGS } else { FINE })
}

/// The contract whose ticket is meant.
fn contract_of<'r>(args: &ExplainArgs, replayed: &'r Replayed) -> Result<&'r str, Stop> {
    let engine = &replayed.engine;
    if let Some(asked) = &args.contract {
        let found = engine.contracts().find(|contract| contract == asked);
        return found.ok_or_else(|| {
            let near = did_you_mean(asked, engine.contracts());
            Stop::Unusable(format!("unknown contract `{asked}`{near}"))
        });
    }
    let has = |contract: &&str| engine.tickets(contract).any(|ticket| ticket == args.ticket);
    let found: Vec<&str> = engine.contracts().filter(has).collect();
    match found.as_slice() {
        [] => Err(unknown_ticket(args, replayed)),
        [contract] => Ok(contract),
        several => Err(Stop::Unusable(format!(
            "ticket `{}` is in contracts `{}`: say which with --contract",
            args.ticket,
            several.join("`, `")
        ))),
    }
}

fn unknown_ticket(args: &ExplainArgs, replayed: &Replayed) -> Stop {
    let engine = &replayed.engine;
    let near = did_you_mean(&args.ticket, engine.contracts().flat_map(|contract| engine.tickets(contract)));
    Stop::Unusable(format!("unknown ticket `{}`{near}", args.ticket))
}
