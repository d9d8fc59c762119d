//! `holdback explain`: one ticket's story.

use holdback::Engine;

use crate::args::{ExplainArgs, Format};
use crate::narrate::narrate;
use crate::replay::{Replayed, replay};
use crate::{Console, FINDINGS, FINE, Stop, did_you_mean};

pub(crate) fn explain(args: &ExplainArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let replayed = replay(&args.input, console, None, None)?;
    let Replayed { pack, engine, counts, books_fault, .. } = &replayed;
    let contract = contract_of_ticket(engine, &args.ticket, args.contract.as_deref(), "--contract")?;
    let Some(explanation) = engine.explain(contract, &args.ticket) else {
        return Err(unknown_ticket(engine, &args.ticket));
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

/// The contract whose ticket is meant; `option` is how the user says which.
pub(crate) fn contract_of_ticket<'e>(
    engine: &'e Engine,
    ticket: &str,
    asked: Option<&str>,
    option: &str,
) -> Result<&'e str, Stop> {
    let has = |contract: &&str| engine.tickets(contract).any(|known| known == ticket);
    if let Some(asked) = asked {
        let found = engine.contracts().find(|contract| *contract == asked);
        let contract = found.ok_or_else(|| {
            let near = did_you_mean(asked, engine.contracts());
            Stop::Unusable(format!("unknown contract `{asked}`{near}"))
        })?;
        return if has(&contract) { Ok(contract) } else { Err(unknown_ticket(engine, ticket)) };
    }
    let found: Vec<&str> = engine.contracts().filter(has).collect();
    match found.as_slice() {
        [] => Err(unknown_ticket(engine, ticket)),
        [contract] => Ok(contract),
        several => Err(Stop::Unusable(format!(
            "ticket `{ticket}` is in contracts `{}`: say which with {option}",
            several.join("`, `")
        ))),
    }
}

fn unknown_ticket(engine: &Engine, ticket: &str) -> Stop {
    let near = did_you_mean(ticket, engine.contracts().flat_map(|contract| engine.tickets(contract)));
    Stop::Unusable(format!("unknown ticket `{ticket}`{near}"))
}
