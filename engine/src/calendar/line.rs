//! One question about working time as a line of JSON, and its answer as another.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Boundary, Calendar, CalendarDef, DateHours, Instant, Span, WeekHours};
use crate::nearest::hint;

/// The fields a line may have.
const FIELDS: [&str; 14] = [
    "id", "op", "tz", "hours", "holidays", "workdays", "shifts", "breaks", "start", "seconds", "end", "days",
    "count", "boundary",
];

/// The fields that define the calendar.
const DEFINING: [&str; 6] = ["tz", "hours", "holidays", "workdays", "shifts", "breaks"];

const OPS: [&str; 4] = ["add", "subtract", "between", "add_days"];

/// The calendars of the last definitions seen, so that a run of lines with the same one builds it once.
#[derive(Debug)]
pub struct LineCache {
    /// Last used first, by the text of the definition.
    calendars: Vec<(String, Arc<Calendar>)>,
    most: usize,
}

impl LineCache {
    /// A cache of so many calendars at most; none keeps nothing.
    pub fn new(most: usize) -> LineCache {
        LineCache { calendars: Vec::new(), most }
    }
}

impl Default for LineCache {
    /// A cache of 32 calendars.
    fn default() -> LineCache {
        LineCache::new(32)
    }
}

/// Answers one line.
///
/// In: an object with `op` (`add`, `subtract`, `between` or `add_days`), the calendar (`tz`, `hours`,
/// `holidays`, `workdays`, `shifts`, `breaks`, as in [`CalendarDef`]; all but `tz` optional), `start` in
/// RFC 3339 (for `subtract` the instant to count back from), and by `op`: `seconds` (whole, zero or more),
/// `end`, or `days` with `count` (`contract_law` for [`Calendar::working_days_after`], `same_time` for
/// [`Calendar::same_time_after`]). `boundary` is optional. A field that another `op` reads is an error.
///
/// Out: `{"id":...,"result":...}` with an instant in UTC, or a number of seconds for `between`; or
/// `{"id":...,"error":"..."}`. The `id` comes back as it came, `null` when there is none or the line is no
/// object. Any text gives an answer.
///
/// ```
/// use holdback::{LineCache, answer_line};
/// let mut cache = LineCache::default();
/// let line = r#"{"id": 7, "op": "add", "tz": "UTC", "hours": {"mon": [["09:00", "17:00"]]},
///     "start": "2026-03-02T16:00:00Z", "seconds": 7200}"#;
/// assert_eq!(answer_line(line, &mut cache), r#"{"id":7,"result":"2026-03-09T10:00:00Z"}"#);
/// assert!(answer_line("{}", &mut cache).starts_with(r#"{"id":null,"error":"#));
/// ```
pub fn answer_line(line: &str, cache: &mut LineCache) -> String {
    let fields: Fields<'_> = match serde_json::from_str(line) {
        Ok(fields) => fields,
        Err(e) => return answer("null", &Err(format!("the line is not a JSON object: {e}"))),
    };
    let id = fields.get("id").map_or("null", |id| id.get());
    answer(id, &result(&fields, cache))
}

type Fields<'l> = BTreeMap<std::borrow::Cow<'l, str>, &'l RawValue>;

/// The JSON text of a result, or why there is none.
type Answer = Result<String, String>;

fn answer(id: &str, result: &Answer) -> String {
    match result {
        Ok(result) => format!(r#"{{"id":{id},"result":{result}}}"#),
        Err(error) => format!(r#"{{"id":{id},"error":{}}}"#, quoted(error)),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn result(fields: &Fields<'_>, cache: &mut LineCache) -> Answer {
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_ref())) {
        return Err(format!("unknown field `{unknown}`{}", hint(unknown, FIELDS)));
    }
    let op: String = required(fields, "op")?;
    let own: &[&str] = match op.as_str() {
        "add" | "subtract" => &["seconds"],
        "between" => &["end"],
        "add_days" => &["days", "count"],
        _ => {
            let expected = "expected `add`, `subtract`, `between` or `add_days`";
            return Err(format!("unknown op `{op}`, {expected}{}", hint(&op, OPS)));
        }
    };
    for name in ["seconds", "end", "days", "count"] {
        if fields.contains_key(name) && !own.contains(&name) {
            return Err(format!("field `{name}` has no meaning for op `{op}`"));
        }
    }
    let calendar = calendar(fields, cache)?;
    let start: Instant = required(fields, "start")?;
    let boundary: Boundary = optional(fields, "boundary")?;
    let instant = match op.as_str() {
        "between" => {
            let end: Instant = required(fields, "end")?;
            let span = calendar.between(start, end).map_err(|e| e.to_string())?;
            return serde_json::to_string(&span).map_err(|e| e.to_string());
        }
        "add" => calendar.add_with(start, seconds(fields)?, boundary),
        "subtract" => calendar.subtract(start, seconds(fields)?),
        _ => {
            let days: u32 = required(fields, "days")?;
            match required(fields, "count")? {
                DayRule::ContractLaw => calendar.working_days_after(start, days),
                DayRule::SameTime => calendar.same_time_after(start, days),
            }
        }
    };
    instant.map(|at| quoted(&at.to_string())).map_err(|e| e.to_string())
}

/// How `add_days` counts.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum DayRule {
    ContractLaw,
    SameTime,
}

fn seconds(fields: &Fields<'_>) -> Result<Span, String> {
    let seconds: i64 = required(fields, "seconds")?;
    if seconds < 0 {
        return Err(format!("`seconds`: `{seconds}` is negative, expected a whole number of zero or more"));
    }
    Ok(Span::seconds(seconds))
}

/// The line's calendar, from the cache when the same text defined it before.
fn calendar(fields: &Fields<'_>, cache: &mut LineCache) -> Result<Arc<Calendar>, String> {
    let mut key = String::new();
    for name in DEFINING {
        // No JSON text holds a bare control character, so the parts cannot run into each other.
        key.push_str(fields.get(name).map_or("", |raw| raw.get()));
        key.push('\u{1}');
    }
    if let Some(place) = cache.calendars.iter().position(|(known, _)| *known == key) {
        if let Some(used) = cache.calendars.get_mut(..=place) {
            used.rotate_right(1);
        }
        if let Some((_, calendar)) = cache.calendars.first() {
            return Ok(Arc::clone(calendar));
        }
    }
    let calendar = Arc::new(Calendar::build(&definition(fields)?).map_err(|e| e.to_string())?);
    cache.calendars.insert(0, (key, Arc::clone(&calendar)));
    cache.calendars.truncate(cache.most);
    Ok(calendar)
}

fn definition(fields: &Fields<'_>) -> Result<CalendarDef, String> {
    let zone: String = required(fields, "tz")?;
    let mut def = CalendarDef::new(zone, optional::<WeekHours>(fields, "hours")?);
    def.holidays = dates(fields, "holidays")?;
    def.workdays = dates(fields, "workdays")?;
    def.shifts = optional::<Vec<DateHours>>(fields, "shifts")?;
    def.breaks = optional::<Vec<DateHours>>(fields, "breaks")?;
    Ok(def)
}

fn dates(fields: &Fields<'_>, name: &str) -> Result<Vec<chrono::NaiveDate>, String> {
    #[derive(Default, Deserialize)]
    struct Dates(#[serde(with = "super::def::dates")] Vec<chrono::NaiveDate>);
    Ok(optional::<Dates>(fields, name)?.0)
}

fn required<T: DeserializeOwned>(fields: &Fields<'_>, name: &str) -> Result<T, String> {
    let raw = fields.get(name).ok_or_else(|| format!("field `{name}` is missing"))?;
    read(raw, name)
}

/// The field, or its type's default when it is missing or `null`.
fn optional<T: DeserializeOwned + Default>(fields: &Fields<'_>, name: &str) -> Result<T, String> {
    match fields.get(name) {
        Some(raw) if raw.get() != "null" => read(raw, name),
        _ => Ok(T::default()),
    }
}

fn read<T: DeserializeOwned>(raw: &RawValue, name: &str) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|e| {
        let reason = e.to_string();
        // The position is one within the field, which misleads.
        let reason = reason.split(" at line ").next().unwrap_or(&reason);
        format!("field `{name}`: {reason}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_answered_and_faults_named() {
        let mut cache = LineCache::new(2);
        let base = r#""tz":"Asia/Shanghai","hours":{"mon":[["09:00","17:00"]],"tue":[["09:00","17:00"]]}"#;
        for (fields, expected) in [
            (
                r#""id":1,"op":"add","start":"2026-03-02T16:00:00+08:00","seconds":3600"#,
                r#"{"id":1,"result":"2026-03-02T09:00:00Z"}"#,
            ),
            (
                r#""id":[1, 2],"op":"add","start":"2026-03-02T16:00:00+08:00","seconds":3600,"boundary":"next_opening""#,
                r#"{"id":[1, 2],"result":"2026-03-03T01:00:00Z"}"#,
            ),
            (
                r#""op":"subtract","start":"2026-03-03T09:00:00+08:00","seconds":0"#,
                r#"{"id":null,"result":"2026-03-02T09:00:00Z"}"#,
            ),
            (
                r#""id":"b","op":"between","start":"2026-03-02T16:00:00+08:00","end":"2026-03-02T16:00:01.5+08:00""#,
                r#"{"id":"b","result":1.5}"#,
            ),
            (
                r#""id":"b","op":"between","start":"2026-03-02T16:00:00+08:00","end":"2026-03-01T16:00:00+08:00""#,
                r#"{"id":"b","result":0}"#,
            ),
            (
                r#""id":12345678901234567890123,"op":"add_days","start":"2026-03-02T16:00:00+08:00","days":2,"count":"contract_law""#,
                r#"{"id":12345678901234567890123,"result":"2026-03-09T09:00:00Z"}"#,
            ),
            (
                r#""id":0,"op":"add_days","start":"2026-03-02T16:00:00+08:00","days":0,"count":"same_time""#,
                r#"{"id":0,"result":"2026-03-02T08:00:00Z"}"#,
            ),
        ] {
            assert_eq!(answer_line(&format!("{{{fields},{base}}}"), &mut cache), expected);
        }
        for (fields, expected) in [
            (r#""id":1,"op":"ad","start":"2026-03-02T16:00:00Z""#, "unknown op `ad`"),
            (
                r#""id":1,"op":"add","strat":"2026-03-02T16:00:00Z""#,
                "unknown field `strat`; did you mean `start`?",
            ),
            (r#""id":1,"op":"add","start":"2026-03-02T16:00:00Z","seconds":1.5"#, "field `seconds`"),
            (r#""id":1,"op":"add","start":"2026-03-02T16:00:00Z","seconds":-1"#, "negative"),
            (
                r#""id":1,"op":"add","start":"2026-03-02T16:00:00Z","end":"2026-03-02T16:00:00Z""#,
                "no meaning",
            ),
            (r#""id":1,"op":"add","start":"2026-03-02 16:00","seconds":1"#, "RFC 3339"),
            (
                r#""id":1,"op":"add_days","start":"2026-03-02T16:00:00Z","days":0,"count":"contract_law""#,
                "expected 1 or more",
            ),
        ] {
            let answer = answer_line(&format!("{{{fields},{base}}}"), &mut cache);
            assert!(answer.starts_with(r#"{"id":1,"error":""#) && answer.contains(expected), "{answer}");
        }
        let closed = r#"{"id":1,"op":"between","tz":"UTC","hours":{},"start":"2026-03-02T16:00:00Z","end":"2026-03-02T16:00:00Z"}"#;
        assert!(answer_line(closed, &mut cache).contains("never open"));
        for line in ["", "[]", "{\"id\":", "null", "{\"id\":1}}", "\u{0}", "{\"op\":1,\"id\":{}}"] {
            assert!(answer_line(line, &mut cache).contains("\"error\""), "{line}");
        }
    }
}
