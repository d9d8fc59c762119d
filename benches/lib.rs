//! What the benches share: the packs and the real log of this repository.

use std::path::PathBuf;
use std::sync::Arc;

use holdback::{Event, Pack};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A pack of this repository with some of its terms set.
///
/// # Errors
/// Every fault of the pack, as one text.
pub fn pack(name: &str, set: &[(&str, &str)]) -> Result<Arc<Pack>, String> {
    let mut pack = Pack::open(&root().join("rules").join(name)).map_err(|e| e.to_string())?;
    for (term, value) in set {
        pack = pack.with_term(term, value).map_err(|e| e.to_string())?;
    }
    Ok(Arc::new(pack))
}

/// The real incident log as events, in the order of their instants.
///
/// # Errors
/// What could not be read.
pub fn log(pack: &Pack) -> Result<Vec<Event>, String> {
    let path = root().join("tests/data/uci498/incident_event_log.zip");
    let mut events = holdback_cli::read_events(&path, pack)?;
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(events)
}
