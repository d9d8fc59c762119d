//! pack.toml as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::calendar::{Boundary, DateHours, DatedHours, Hours, WeekHours};
use crate::clock::CountRule;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackFile {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) currency: String,
    pub(crate) zone: String,
    pub(crate) contracts: Vec<String>,
    pub(crate) adapter: Option<String>,
    #[serde(default)]
    pub(crate) example: bool,
    #[serde(default)]
    pub(crate) events: EventsEntry,
    #[serde(default)]
    pub(crate) facts: BTreeMap<String, FactEntry>,
    #[serde(default)]
    pub(crate) calendars: BTreeMap<String, CalendarEntry>,
    #[serde(default)]
    pub(crate) deposit: DepositEntry,
    #[serde(default)]
    pub(crate) opening: Vec<OpeningEntry>,
    #[serde(default)]
    pub(crate) manual: Vec<ReasonEntry>,
    #[serde(default)]
    pub(crate) later: Vec<ReasonEntry>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsEntry {
    #[serde(default)]
    pub(crate) declared: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactEntry {
    #[serde(rename = "type")]
    pub(crate) of: String,
    #[serde(default)]
    pub(crate) values: Vec<String>,
    #[serde(default)]
    pub(crate) doc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarEntry {
    pub(crate) zone: Option<String>,
    pub(crate) hours: WeekHours,
    #[serde(default)]
    pub(crate) hours_from: Vec<DatedHours>,
    #[serde(default)]
    pub(crate) holidays: Vec<String>,
    #[serde(default)]
    pub(crate) workday_hours: Option<Hours>,
    #[serde(default)]
    pub(crate) shifts: Vec<DateHours>,
    #[serde(default)]
    pub(crate) breaks: Vec<DateHours>,
    #[serde(default)]
    pub(crate) boundary: Boundary,
    #[serde(default)]
    pub(crate) day_count: CountRule,
    #[serde(default)]
    pub(crate) demand_data: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepositEntry {
    pub(crate) deduction: Option<String>,
    pub(crate) low: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpeningEntry {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) at: String,
    #[serde(default)]
    pub(crate) data: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonEntry {
    pub(crate) clause: String,
    pub(crate) reason: String,
}
