//! Why a calendar cannot be built, or why it has no answer.

use chrono::NaiveDate;

use super::def::HourMinute;
use crate::time::{Instant, Span, TimeError};

/// Why a calendar cannot be built, or why it has no answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The zone is not in the IANA data compiled in (the definition's fault).
    #[error("`{zone}` is no IANA zone name such as `Asia/Shanghai`{}", hint(.nearest))]
    UnknownZone {
        /// The name as it came.
        zone: String,
        /// The known name most like it, when one is near.
        nearest: Option<String>,
    },
    /// A time of day is not `HH:MM` or `HH:MM:SS` up to `24:00` (the definition's fault).
    #[error("`{text}` is not a time of day: expected `HH:MM` or `HH:MM:SS` from `00:00` to `24:00`")]
    UnreadableTime {
        /// The text as it came.
        text: String,
    },
    /// A date is not `YYYY-MM-DD` (the definition's fault).
    #[error("`{text}` is not a date: expected `YYYY-MM-DD`")]
    UnreadableDate {
        /// The text as it came.
        text: String,
    },
    /// A period of a date does not end after it starts (the definition's fault).
    #[error(
        "{place}: period `{from}` to `{until}` does not end after it starts; split a period over midnight at \
         `24:00`"
    )]
    PeriodOrder {
        /// The field, with the weekday or the date.
        place: String,
        /// Where the period starts.
        from: HourMinute,
        /// Where it ends.
        until: HourMinute,
    },
    /// A date stands twice where each may stand once (the definition's fault).
    #[error("{field}: `{date}` stands twice, expected each date once")]
    DuplicateDate {
        /// The field.
        field: &'static str,
        /// The date.
        date: NaiveDate,
    },
    /// Neither weekly hours nor shifts nor make-up days ever open (the definition's fault).
    #[error("the calendar is never open: expected weekly hours, a shift or a make-up day with hours")]
    NoOpenHours,
    /// `years` is reversed or leaves the supported years (the definition's fault).
    #[error("years `{first}` to `{last}` are no range within 1900 to 2299")]
    UnsupportedYears {
        /// The first year as it came.
        first: i32,
        /// The last year as it came.
        last: i32,
    },
    /// The question or its answer lies at a local date for which the calendar says nothing.
    #[error("year {year} is outside {first} to {last}, the years {} covers", covers(*.demanded))]
    OutsideYears {
        /// The local year asked about.
        year: i32,
        /// The first year covered.
        first: i32,
        /// The last year covered.
        last: i32,
        /// Whether the definition's `years` set the range, or the supported years did.
        demanded: bool,
    },
    /// The calendar's open time runs out before the span is used up.
    #[error("`{open}` of open time from `{from}` is more than the calendar holds from {first} to {last}")]
    NotEnoughOpenTime {
        /// The open time asked for.
        open: Span,
        /// Where the count starts (`add`) or ends (`subtract`).
        from: Instant,
        /// The first year covered.
        first: i32,
        /// The last year covered.
        last: i32,
    },
    /// The calendar's working days run out before the count is used up.
    #[error("`{days}` days after `{from}`: no further working day in the calendar up to {last}")]
    NotEnoughWorkingDays {
        /// The count asked for.
        days: u32,
        /// The date the count starts after.
        from: NaiveDate,
        /// The last year covered.
        last: i32,
    },
    /// A span to add or subtract is negative (the caller's fault).
    #[error("`{span}` is negative, expected open time of zero or more")]
    NegativeSpan {
        /// The span as it came.
        span: Span,
    },
    /// A count of days, weeks or months is zero where the first one counted is a later one.
    #[error("a count of 0 has no last day: expected 1 or more")]
    ZeroCount,
    /// Holiday data contradict themselves or are not of the expected shape (the data's fault).
    #[error("holiday data{place}: {reason}")]
    Holidays {
        /// Where, with a leading space, or nothing.
        place: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// An iCalendar text cannot be read as a list of all-day events (the sender's fault).
    #[error("iCalendar {place}: {reason}")]
    Ical {
        /// The line or the event.
        place: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// An answer leaves the time line; not reachable within the supported years.
    #[error(transparent)]
    Time(#[from] TimeError),
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; nearest is `{name}`"))
}

fn covers(demanded: bool) -> &'static str {
    if demanded { "the calendar's data" } else { "a calendar" }
}
