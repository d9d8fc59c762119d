//! An assessment with the arithmetic written down, so that it can be checked with a pencil.

use serde::Serialize;

use crate::assess::{Assessment, Case, ClockOutcome, Outcome, PenaltyRun, Readings, described};
use crate::calendar::{DayCount, DayNote};
use crate::clock::{ClockRun, ClockSpec, CountRule, Length, Pauses, Start};
use crate::decision::step_name;
use crate::event::Event;
use crate::ledger::{StatementLine, Subject};
use crate::terms::{Period, PeriodUnit};
use crate::{Calendar, Instant, Money, Span};

/// Why a ticket stands as it does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// What was found.
    pub assessment: Assessment,
    /// The ticket's and the contract's events, in the order in which they count.
    pub events: Vec<Event>,
    /// The facts that the clause which says free or paid looked at.
    #[serde(skip_serializing_if = "Readings::is_empty")]
    pub class_inputs: Readings,
    /// The terms that it looked at.
    #[serde(skip_serializing_if = "Readings::is_empty")]
    pub class_terms: Readings,
    /// Every clause: whether it applies, and what it looked at.
    pub clauses: Vec<ClauseReason>,
    /// Every clock, with the stretches that ran.
    pub clocks: Vec<ClockReason>,
    /// Steps of escalation ladders that have come.
    pub steps: Vec<StepReason>,
    /// The ticket's penalties and what has become of them.
    pub penalties: Vec<StatementLine>,
}

/// Why a clause applies or does not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClauseReason {
    /// The clause.
    pub clause: String,
    /// Its heading in contract.md.
    pub title: String,
    /// Its file.
    pub file: String,
    /// Whether it applies.
    pub applies: bool,
    /// `false` when the ticket was reported before or after its dates.
    pub in_force: bool,
    /// The facts it looked at to say so, with their values.
    pub inputs: Readings,
    /// The terms it looked at to say so.
    pub terms: Readings,
}

/// How a clock ran.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockReason {
    /// The clock as it stands.
    pub outcome: ClockOutcome,
    /// What it says: how long, in which calendar, from what, until what.
    pub rule: String,
    /// How its days, weeks or months are counted; absent for a clock that is not set in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    /// The zone of its calendar, in which its days are told.
    pub zone: String,
    /// The facts its clause looked at to set it.
    pub inputs: Readings,
    /// The terms its clause looked at to set it.
    pub terms: Readings,
    /// When it ran.
    pub stretches: Vec<StretchReason>,
    /// From the start of the stretch in which it falls due until the due instant, day by day. Empty while that is not
    /// known, for a clock of hours that runs day and night, and for one that ends on an agreed date.
    pub to_due: Vec<DayReason>,
    /// What its breach costs, which may be zero; absent without a breach or when no clause prices it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// Since when it costs how much; empty when the price does not grow with the lateness. Of more than twelve steps the first
    /// eleven are told, and the others in one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_steps: Vec<PriceStep>,
    /// The facts its price looked at.
    #[serde(skip_serializing_if = "Readings::is_empty")]
    pub price_inputs: Readings,
    /// The terms its price looked at.
    #[serde(skip_serializing_if = "Readings::is_empty")]
    pub price_terms: Readings,
}

/// A step of a penalty that grows with time, or several of them told in one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PriceStep {
    /// When it came.
    pub at: Instant,
    /// When the last one came, when several are told in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<Instant>,
    /// How many are told in one.
    pub steps: usize,
    /// By how much the penalty grew.
    pub amount: Money,
    /// What it costs in all since then.
    pub total: Money,
}

/// A stretch of time in which a clock ran.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StretchReason {
    /// From when.
    pub from: Instant,
    /// Until when.
    pub to: Instant,
    /// The kind of event that ended it; absent when it still runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// What of it counts, in seconds.
    pub counted: Span,
    /// Which hours of which days count; empty for a clock that runs day and night.
    pub days: Vec<DayReason>,
}

/// One local day of a stretch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DayReason {
    /// The date in the calendar's zone.
    pub date: String,
    /// The last date of the same kind, when several are told in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Why it counts or does not.
    pub note: String,
    /// The open times that count, local.
    pub open: Vec<String>,
    /// What of it counts, in seconds.
    pub counted: Span,
    /// Which working day it is, from 1, on the way to a deadline of working days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
}

/// A step of a ladder that has come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepReason {
    /// The clause that sets the clock.
    pub clause: String,
    /// The clock.
    pub clock: String,
    /// When it came.
    pub at: Instant,
    /// Which step.
    pub step: String,
    /// Who was to be told.
    pub roles: Vec<String>,
}

pub(crate) fn explain(
    case: &Case<'_>,
    contract: &str,
    mut events: Vec<Event>,
    lines: Vec<StatementLine>,
) -> Explanation {
    let outcome = case.outcome(None, None);
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    let assessment = case.assessment(contract, &outcome);
    let class = outcome.derivation.as_ref().and_then(|derivation| derivation.class.as_ref());
    let class_reads =
        class.zip(case.current_inputs()).map(|(class, inputs)| described(&inputs, &class.reads));
    let (class_terms, class_inputs) = class_reads.unwrap_or_default();
    Explanation {
        events,
        class_inputs,
        class_terms,
        clauses: clauses(case, &outcome),
        clocks: clocks(case, &outcome, &assessment),
        steps: steps(case, &outcome),
        penalties: lines
            .into_iter()
            .filter(|line| line.subject == Subject::Ticket && *line.ticket == **case.ticket)
            .collect(),
        assessment,
    }
}

fn clauses(case: &Case<'_>, outcome: &Outcome) -> Vec<ClauseReason> {
    let (Some(derivation), Some(inputs)) = (&outcome.derivation, case.current_inputs()) else {
        return Vec::new();
    };
    let scripts = case.pack.policy.clauses.iter().zip(&derivation.clauses);
    scripts
        .map(|(script, applied)| {
            let (terms, facts) = described(&inputs, &applied.reads);
            ClauseReason {
                clause: script.id.to_string(),
                title: case.pack.clause_title(&script.id).to_owned(),
                file: script.file.clone(),
                applies: applied.applies,
                in_force: applied.in_force,
                inputs: facts,
                terms,
            }
        })
        .collect()
}

fn clocks(case: &Case<'_>, outcome: &Outcome, assessment: &Assessment) -> Vec<ClockReason> {
    let (Some(derivation), Some(inputs)) = (&outcome.derivation, case.current_inputs()) else {
        return Vec::new();
    };
    let mut reasons = Vec::new();
    for (place, (spec, told)) in derivation.clocks.iter().zip(&assessment.clocks).enumerate() {
        let reads = derivation.reads.get(usize::from(spec.clause)).copied().unwrap_or_default();
        let (terms, facts) = described(&inputs, &reads);
        let calendar =
            case.pack.calendars.get(usize::from(spec.calendar)).and_then(|c| c.known_at(case.as_of));
        let stretches = stretches(case, spec, outcome.clocks.get(..place).unwrap_or_default());
        let price = outcome.penalties.iter().find(|penalty| usize::from(penalty.clock) == place);
        let (price_terms, price_inputs) =
            price.map(|price| described(&inputs, &price.reads)).unwrap_or_default();
        reasons.push(ClockReason {
            outcome: told.clone(),
            rule: rule(case, derivation, spec),
            count: count(spec),
            zone: calendar.map_or(case.pack.zone, |calendar| calendar.zone()).name().to_owned(),
            inputs: facts,
            terms,
            to_due: calendar.map(|calendar| to_due(calendar, spec, told, &stretches)).unwrap_or_default(),
            stretches,
            price: price.map(|price| price.amount),
            price_steps: price.filter(|price| price.grows).map(price_steps).unwrap_or_default(),
            price_inputs,
            price_terms,
        });
    }
    reasons
}

/// So many steps are told one by one, the rest in one.
const STEPS_TOLD: usize = 11;

fn price_steps(price: &PenaltyRun) -> Vec<PriceStep> {
    let told = if price.steps.len() > STEPS_TOLD + 1 { STEPS_TOLD } else { price.steps.len() };
    let (single, rest) = price.steps.split_at_checked(told).unwrap_or_default();
    let mut before = None;
    let mut step = |steps: &[(Instant, Money)]| {
        let ((at, _), (through, total)) = (*steps.first()?, *steps.last()?);
        let amount = before.map_or(Ok(total), |before| total.checked_sub(before)).unwrap_or(total);
        before = Some(total);
        let through = (steps.len() > 1).then_some(through);
        Some(PriceStep { at, through, steps: steps.len(), amount, total })
    };
    single.chunks(1).chain([rest]).filter_map(&mut step).collect()
}

fn stretches(case: &Case<'_>, spec: &ClockSpec, earlier: &[ClockRun]) -> Vec<StretchReason> {
    let calendar = case.pack.calendars.get(usize::from(spec.calendar)).and_then(|c| c.known_at(case.as_of));
    let Some(calendar) = calendar else { return Vec::new() };
    let mut list = Vec::new();
    let traced = case.trace(spec, earlier, &mut |stretch| {
        let days = match spec.calendar {
            0 => Vec::new(),
            _ => calendar.days(stretch.from, stretch.to).unwrap_or_default(),
        };
        list.push(StretchReason {
            from: stretch.from,
            to: stretch.to,
            ended_by: stretch.ended_by.map(|kind| case.pack.schema.kinds.name(kind).to_owned()),
            counted: calendar.between(stretch.from, stretch.to).unwrap_or_default(),
            days: days.iter().map(|day| day_reason(day, calendar.zone())).collect(),
        });
    });
    // A clock that cannot run is told as the assessment's fault.
    if traced.is_err() { Vec::new() } else { list }
}

/// The days from the start of the stretch in which a clock falls due until it does.
fn to_due(
    calendar: &Calendar,
    spec: &ClockSpec,
    clock: &ClockOutcome,
    stretches: &[StretchReason],
) -> Vec<DayReason> {
    let in_days = matches!(spec.length, Length::Days(..));
    if matches!(spec.length, Length::Fact(..) | Length::Before(..)) || (spec.calendar == 0 && !in_days) {
        return Vec::new();
    }
    let Some(due) = clock.due else { return Vec::new() };
    let missed = stretches.iter().find(|stretch| due < stretch.to);
    let Some(stretch) = missed.or(stretches.last()) else { return Vec::new() };
    let working_days = match spec.length {
        Length::Days(period, CountRule::ContractLaw) => period.unit == PeriodUnit::WorkingDays,
        _ => false,
    };
    let unbroken = clock.started == Some(stretch.from);
    let days = calendar.days(stretch.from, due).unwrap_or_default();
    let mut told: Vec<DayReason> = days.iter().map(|day| day_reason(day, calendar.zone())).collect();
    // The day of the start is not counted.
    let counted = told.iter_mut().skip(1).filter(|day| working_days && unbroken && !day.open.is_empty());
    for (nth, day) in (1..).zip(counted) {
        day.nth = Some(nth);
    }
    told
}

fn day_word(note: DayNote) -> &'static str {
    match note {
        DayNote::Open => "open",
        DayNote::Weekend => "closed weekday",
        DayNote::Holiday => "holiday",
        DayNote::MakeUpDay => "make-up working day",
        DayNote::Shift => "hours of its own",
        DayNote::Folded => "all further days",
    }
}

fn day_reason(day: &DayCount, zone: chrono_tz::Tz) -> DayReason {
    let local = |at: Instant| at.to_chrono().with_timezone(&zone).format("%H:%M:%S%.f").to_string();
    let end = |from: Instant, to: Instant| {
        let (a, b) = (from.to_chrono().with_timezone(&zone), to.to_chrono().with_timezone(&zone));
        if a.date_naive() == b.date_naive() { local(to) } else { "24:00:00".to_owned() }
    };
    DayReason {
        date: day.date.to_string(),
        through: (day.through != day.date).then(|| day.through.to_string()),
        note: day_word(day.note).to_owned(),
        open: day.periods.iter().map(|(from, to)| format!("{}-{}", local(*from), end(*from, *to))).collect(),
        counted: day.counted,
        nth: None,
    }
}

/// How the days of a deadline are counted, in words.
fn count(spec: &ClockSpec) -> Option<String> {
    let (period, rule) = match &spec.length {
        Length::Days(period, rule) => (period, rule),
        Length::Before(_, period, rule, _) => return Some(count_back(*period, *rule).to_owned()),
        Length::Open(_) | Length::Fact(..) => return None,
    };
    let words = match (period.unit, rule) {
        (PeriodUnit::WorkingDays, CountRule::ContractLaw) => {
            "the day of the start is not counted; it ends at the close of the last working day counted"
        }
        (PeriodUnit::WorkingDays, CountRule::SameTime) => {
            "it ends at the clock time of the start, so many working days later"
        }
        (PeriodUnit::Days, _) => {
            "the day of the start is not counted; it ends at the close of the last day, or of the next \
             working day when that one is off"
        }
        (PeriodUnit::Weeks, _) => {
            "it ends at the close of the same weekday, so many weeks later, or of the next working day when \
             that one is off"
        }
        (PeriodUnit::Months | PeriodUnit::Years, _) => {
            "it ends at the close of the same day of the month, or of the month's last day when there is \
             none; when that one is off, of the next working day"
        }
    };
    Some(words.to_owned())
}

/// How days are counted back from an instant, in words.
fn count_back(period: Period, rule: CountRule) -> &'static str {
    match (period.unit, rule) {
        (PeriodUnit::WorkingDays, CountRule::ContractLaw) => {
            "the day of the instant is not counted; so many whole working days lie between, and it ends at the \
             close of the working day before them"
        }
        (PeriodUnit::WorkingDays, CountRule::SameTime) => {
            "it ends at the clock time of the instant, so many working days earlier"
        }
        (PeriodUnit::Days | PeriodUnit::Weeks, _) => {
            "it ends at the clock time of the instant, so many days earlier"
        }
        (PeriodUnit::Months | PeriodUnit::Years, _) => {
            "it ends at the clock time of the instant on the same day of the earlier month, or on that month's \
             last day when there is none"
        }
    }
}

/// What a clock says, in a sentence.
fn rule(case: &Case<'_>, derivation: &crate::policy::Derivation, spec: &ClockSpec) -> String {
    let names = |kinds: &[crate::event::Kind]| {
        let names: Vec<&str> = kinds.iter().map(|kind| case.pack.schema.kinds.name(*kind)).collect();
        names.join(" or ")
    };
    let calendar = case.pack.calendars.get(usize::from(spec.calendar)).map_or("", |c| c.name.as_str());
    let fact = |fact: &u16| case.pack.schema.facts.get(usize::from(*fact)).map_or("", |fact| &fact.name);
    let length = match &spec.length {
        Length::Open(span) => format!("{span} of calendar `{calendar}`"),
        Length::Days(period, _) => format!("{period} by calendar `{calendar}`"),
        Length::Fact(place, _) => format!("until the instant of fact `{}`", fact(place)),
        Length::Before(place, period, _, _) => {
            format!("until {period} by calendar `{calendar}` before the instant of fact `{}`", fact(place))
        }
    };
    let start = match &spec.start {
        Start::On(kinds) => names(kinds),
        Start::BreachOf(parent) => {
            let parent = derivation.clocks.get(usize::from(*parent)).map_or("", |spec| &*spec.name);
            format!("the breach of `{parent}`")
        }
    };
    let pauses = match &spec.pauses {
        Pauses::Never => String::new(),
        Pauses::Always => ", standing still in every pause".to_owned(),
        Pauses::For(reasons) => {
            let reasons: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
            format!(", standing still while paused for {}", reasons.join(" or "))
        }
    };
    let most = spec.pause_max.filter(|_| spec.pauses != Pauses::Never);
    let most = most.map_or(String::new(), |most| format!(", at most {most} in all"));
    format!("{length}, from {start}, met by {}{pauses}{most}", names(&spec.stops))
}

fn steps(case: &Case<'_>, outcome: &Outcome) -> Vec<StepReason> {
    let Some(derivation) = &outcome.derivation else { return Vec::new() };
    let fired = outcome.steps.iter().filter_map(|(place, at)| {
        let step = derivation.steps.get(usize::from(*place))?;
        let spec = derivation.clocks.get(usize::from(step.clock))?;
        Some(StepReason {
            clause: case.pack.clause_id(spec.clause).to_owned(),
            clock: spec.name.to_string(),
            at: *at,
            step: step_name(step.at),
            roles: step.roles.iter().map(ToString::to_string).collect(),
        })
    });
    fired.collect()
}
