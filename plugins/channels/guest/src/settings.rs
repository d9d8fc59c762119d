//! What the operator has set, by name.

use crate::types::{Callback, Delivery, Ladder, Pair};

/// What carries settings.
pub trait Settings {
    /// All of them.
    fn settings(&self) -> &[Pair];
}

impl Settings for Delivery {
    fn settings(&self) -> &[Pair] {
        &self.settings
    }
}

impl Settings for Callback {
    fn settings(&self) -> &[Pair] {
        &self.settings
    }
}

impl Settings for Ladder {
    fn settings(&self) -> &[Pair] {
        &self.settings
    }
}

/// A setting, if it is there and not empty.
pub fn setting<'a>(of: &'a impl Settings, name: &str) -> Option<&'a str> {
    of.settings()
        .iter()
        .find(|pair| pair.name == name)
        .map(|pair| pair.value.as_str())
        .filter(|value| !value.is_empty())
}

/// A whole number, if it is set. An error names the setting.
pub fn number(of: &impl Settings, name: &str) -> Result<Option<u64>, String> {
    let Some(value) = setting(of, name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| format!("setting `{name}` is no whole number: {value}"))
}

/// A flag; one that is not set is off. An error names the setting.
pub fn flag(of: &impl Settings, name: &str) -> Result<bool, String> {
    match setting(of, name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(value) => Err(format!("setting `{name}` is neither true nor false: {value}")),
    }
}
