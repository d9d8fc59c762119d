//! `holdback generate`: a synthetic history, to try things with.

use std::fs::File;
use std::io::BufWriter;

use holdback_batch::generate::{Form, Synthetic, generate as write};

use crate::assess::args::{GenerateArgs, HistoryForm};
use crate::assess::bar;
use crate::{Console, FINE, Stop};

#[expect(clippy::disallowed_methods, reason = "the user asks for this file")]
pub(crate) fn generate(args: &GenerateArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let spec = Synthetic {
        tickets: args.tickets,
        contracts: args.contracts,
        seed: args.seed,
        form: match args.form {
            HistoryForm::Tickets => Form::Tickets,
            HistoryForm::Events => Form::Events,
        },
    };
    let path = &args.out;
    let unwritable = |error: &dyn std::fmt::Display| {
        Stop::Unusable(format!("{}: cannot be written: {error}", path.display()))
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("out");
    // The file has its name when it is whole.
    let waits_as = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let file = File::create(&waits_as).map_err(|error| unwritable(&error))?;
    let bar = bar(console.watched, Some(spec.tickets));
    let written = write(&spec, BufWriter::with_capacity(1 << 20, &file), &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    let written = written.map_err(|error| unwritable(&error)).and_then(|written| {
        std::fs::rename(&waits_as, path).map(|()| written).map_err(|error| unwritable(&error))
    });
    let written = written.inspect_err(|_| {
        // What was begun is of no use; that it cannot be removed changes nothing.
        let _ = std::fs::remove_file(&waits_as);
    })?;
    console.say(&format!(
        "{}: {} tickets of {} contracts, {} rows, {} bytes\n",
        path.display(),
        written.tickets,
        args.contracts,
        written.rows,
        written.bytes
    ))?;
    Ok(FINE)
}
