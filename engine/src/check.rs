//! Last stage: the laws of penalties. For each clause proofs where they can be had, else a bounded search for a ticket that
//! breaks the law. No clock and no chance: the same pack gives the same answer.
//!
//! A proof goes over all tickets at once (`walk`), cut into `cells` by what has few values, and the lateness cut where the
//! program compares it. Reports lie between 1990 and 2100, facts that are numbers within a million, amounts within ten
//! thousand million, lateness within ten years: what is beyond is not looked at.

mod cells;
mod chance;
mod choices;
mod credit;
mod floor;
mod pairs;
mod price;
mod repeated;
mod sums;
#[cfg(test)]
mod tests;
mod ticket;
mod total;
mod value;
mod walk;
mod words;

use std::fmt;

use serde::Serialize;

use crate::diagnostic::{Code, Diagnostic, Place, Related};
use crate::event::Event;
use crate::policy::{ClauseScript, REPEATED};
use crate::{Instant, Money, Pack, Span};
use ticket::{CAPS, PENALTY};
use walk::Fuel;

/// A law that penalties, or the pack as a whole, must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// More lateness never costs less: same ticket, same clock.
    Monotone,
    /// One penalty is never more than the money term that the file's header `//! cap:` names.
    Capped,
    /// A penalty is never below nothing.
    Negative,
    /// The clause judges every ticket whose facts are known.
    Total,
    /// No breach of one clock is priced by two clauses.
    Once,
    /// No two clauses say free and paid of one ticket without one overriding the other.
    Conflict,
    /// A worse period of a service level never costs less: a lower share, or more clocks missed of the same number.
    Credit,
    /// A repetition never costs less: not than the breach by itself, not than with fewer breaches before it, and not as the
    /// breach costs more. It may cost nothing yet.
    Repeated,
    /// Deductions never take the deposit below its floor, and the sums of the books agree.
    Floor,
}

/// What came of looking for a ticket that breaks a [`Law`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LawVerdict {
    /// There is none, within the bounds said at [`check_laws`].
    Proved,
    /// None of so many tried breaks it. What was tried is the same every time.
    Tried(u64),
    /// This one breaks it.
    Broken(Box<Counterexample>),
    /// The clause states no such law: it names no cap.
    NotStated,
}

/// A ticket that breaks a law, made as small as could be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counterexample {
    /// What happens, in one sentence.
    pub sentence: String,
    /// Its facts by name, as written; facts that are not named are not known. `first.` stands before a value given first and
    /// changed later.
    pub facts: Vec<(String, String)>,
    /// When it was reported; absent where a history of several tickets breaks the law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Instant>,
    /// The clock or duty that was missed, where a price is the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// What it costs, by lateness, ascending; empty where no price is the matter.
    pub prices: Vec<PriceAt>,
    /// Events that make such a ticket. A clock that starts at the report is breached when nothing more is told; others need the
    /// event that starts them.
    pub events: Vec<Event>,
}

/// The price of a breach at one lateness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PriceAt {
    /// How late, in open time of the clock's calendar; zero or more.
    pub late: Span,
    /// What it costs then.
    pub amount: Money,
}

/// One law looked at for one clause, or for the pack.
///
/// Written on one line: `1.5(1) penalty: never falls with lateness: proved`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LawOutcome {
    /// The law.
    pub law: Law,
    /// The clause; empty for a law of the whole pack.
    pub clause: String,
    /// The file that carries it; empty for a law of the whole pack that is kept.
    pub file: String,
    /// What came of it.
    pub verdict: LawVerdict,
    /// Where the file says what breaks or keeps the law: the name of the function.
    pub place: Place,
    /// Other places that have to do with a broken law.
    pub related: Vec<Related>,
    /// The cap's name, for [`Law::Capped`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<String>,
}

/// Looks for tickets that break the laws of penalties, clause by clause and then for the pack as a whole.
///
/// [`LawVerdict::Proved`] holds for every ticket reported in the years 1990 to 2100 while the clause is in force, with numbers
/// among its facts of at most a million either way, amounts of at most 10^12 minor units, instants in those years, and
/// lateness of at most ten years. A clause without `from` counts from the first date on which one of its terms has a value.
/// A fault because a fact is not known, or because an event of the contract has not come, is by design and breaks no law.
///
/// ```
/// use holdback::{Law, LawVerdict, Pack, check_laws};
/// # let files = [
/// #     ("pack.toml", "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]"),
/// #     ("contract.md", "# [1] Repair\n# [2] Deposit"),
/// #     ("clauses/1.rhai", "//! clause: 1\nfn deadlines(ticket) { [due(\"repair\").within(hours(2)).met_by(\"resolved\")] }
/// #         fn penalty(breach) { if breach.late > hours(24) { yuan(300) } else { yuan(500) } }"),
/// #     ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }"),
/// # ].map(|(path, text)| (path.to_owned(), text.to_owned()));
/// // Its penalty: `if breach.late > hours(24) { yuan(300) } else { yuan(500) }`
/// let pack = Pack::from_files(files.into()).map_err(|e| e.to_string())?;
/// let outcomes = check_laws(&pack);
/// let found = outcomes.iter().find(|outcome| outcome.law == Law::Monotone).ok_or("no outcome")?;
/// let LawVerdict::Broken(ticket) = &found.verdict else { return Err("it falls".to_owned()) };
/// assert_eq!(ticket.sentence, "the penalty falls: 500.00 CNY at 24 h late, 300.00 CNY at 24 h 1 us late");
/// # Ok::<(), String>(())
/// ```
///
/// The work is bounded whatever the pack: some seconds for a hostile one, some milliseconds for a contract of twenty clauses.
pub fn check_laws(pack: &Pack) -> Vec<LawOutcome> {
    let clauses = &pack.policy.clauses;
    let share = u64::try_from(clauses.len().max(1)).unwrap_or(u64::MAX);
    let fuel = |whole: u64, most: u64| Fuel { left: (whole / share).clamp(2_000, most) };
    let mut outcomes = Vec::new();
    for (place, clause) in clauses.iter().enumerate() {
        let mut budget = Budget { proof: fuel(20_000_000, 3_000_000), search: fuel(20_000_000, 3_000_000) };
        let found = price::laws(pack, clause, &mut budget);
        let total = total::law(pack, clause, found.as_ref().map(|found| &found.total), &mut budget);
        if let Some(found) = found {
            outcomes.extend([
                outcome(Law::Monotone, clause, found.monotone.verdict()),
                LawOutcome { cap: found.cap, ..outcome(Law::Capped, clause, found.capped.verdict()) },
                outcome(Law::Negative, clause, found.negative.verdict()),
            ]);
            outcomes.push(pairs::once(pack, place, &mut budget));
        }
        outcomes.push(total);
        outcomes.extend(credit::law(pack, place, clause));
        outcomes.extend(repeated::law(pack, place, clause, &mut budget));
    }
    let mut budget = Budget { proof: Fuel { left: 3_000_000 }, search: Fuel { left: 3_000_000 } };
    outcomes.extend(pairs::conflicts(pack, &mut budget));
    // A cap or a repetition that cannot be had leaves penalties undeducted: that is told once, where it comes from.
    let asked = |clause: &ClauseScript| clause.defines(CAPS) || clause.defines(REPEATED);
    let told_before = outcomes.iter().any(|outcome| {
        matches!(outcome.law, Law::Total | Law::Repeated)
            && matches!(outcome.verdict, LawVerdict::Broken(_))
            && clauses.iter().any(|clause| *clause.id == *outcome.clause && asked(clause))
    });
    outcomes.extend(floor::law(pack, told_before));
    outcomes
}

/// How much may be done for one clause.
struct Budget {
    proof: Fuel,
    search: Fuel,
}

/// What is known of one law so far.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// Some ticket may break it, as far as proofs go.
    open: bool,
    tried: u64,
    broken: Option<Counterexample>,
    /// Which function stops, and where, for [`Law::Total`].
    at: Option<(usize, rhai::Position)>,
    /// The cap that there is none of.
    not_stated: bool,
}

impl Standing {
    fn verdict(&self) -> LawVerdict {
        match (&self.broken, self.not_stated, self.open) {
            (Some(counterexample), ..) => LawVerdict::Broken(Box::new(counterexample.clone())),
            (None, true, _) => LawVerdict::NotStated,
            (None, false, true) => LawVerdict::Tried(self.tried),
            (None, false, false) => LawVerdict::Proved,
        }
    }

    /// Whether a search has something to look for.
    fn is_sought(&self) -> bool {
        self.open && self.broken.is_none() && !self.not_stated
    }
}

fn outcome(law: Law, clause: &ClauseScript, verdict: LawVerdict) -> LawOutcome {
    LawOutcome {
        law,
        clause: clause.id.to_string(),
        file: clause.file.clone(),
        verdict,
        place: clause.head(PENALTY),
        related: Vec::new(),
        cap: None,
    }
}

impl Law {
    fn code(self) -> Code {
        match self {
            Law::Monotone => Code::LAW_MONOTONE,
            Law::Capped => Code::LAW_CAP,
            Law::Negative => Code::LAW_NEGATIVE,
            Law::Total => Code::LAW_TOTAL,
            Law::Once => Code::LAW_ONCE,
            Law::Conflict => Code::CONFLICT,
            Law::Credit => Code::LAW_CREDIT,
            Law::Repeated => Code::LAW_REPEATED,
            Law::Floor => Code::LAW_FLOOR,
        }
    }

    fn help(self) -> &'static str {
        match self {
            Law::Monotone => {
                "let a later breach cost at least as much, such as by `max` with the tier before"
            }
            Law::Capped => "take the lesser: `min(amount, terms.cap)`",
            Law::Negative => "take the greater of the amount and nothing: `max(amount, money(\"0\"))`",
            Law::Total => "bound the numbers with `min` and `max` before computing, or ask first",
            Law::Once => "let one of the clauses price it, or let them apply to different tickets",
            Law::Conflict => "let one of them state `//! overrides:`, or apply to other tickets",
            Law::Credit => "let a worse period cost at least as much: look at the order of the tiers",
            Law::Repeated => {
                "multiply or raise `again.amount` with the number of breaches, or cost nothing until there are enough"
            }
            Law::Floor => "give a floor of zero or more for every date",
        }
    }
}

impl LawOutcome {
    /// The law in a few words, such as `1.5(1) penalty: never falls with lateness`.
    pub fn title(&self) -> String {
        let cap = self.cap.as_deref().unwrap_or_default();
        let (of, law) = match self.law {
            Law::Monotone => (" penalty", "never falls with lateness".to_owned()),
            Law::Capped if self.verdict == LawVerdict::NotStated => (" penalty", "no cap stated".to_owned()),
            Law::Capped => (" penalty", format!("never above its cap `{cap}`")),
            Law::Negative => (" penalty", "never below nothing".to_owned()),
            Law::Total => ("", "judges every ticket".to_owned()),
            Law::Once => (" penalty", "no breach priced twice".to_owned()),
            Law::Conflict => ("classes", "no two clauses disagree".to_owned()),
            Law::Credit => (" credit", "never falls as the level gets worse".to_owned()),
            Law::Repeated => (" penalty", "never less for a repetition".to_owned()),
            Law::Floor => ("deposit", "never below its floor".to_owned()),
        };
        let clause = if of.starts_with(' ') || of.is_empty() { self.clause.as_str() } else { "" };
        format!("{clause}{of}: {law}")
    }

    /// What is wrong, if the law is broken: it refuses the pack.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let LawVerdict::Broken(counterexample) = &self.verdict else { return None };
        let code = self.law.code();
        let message = format!("{}{}", counterexample.sentence, counterexample.ticket());
        let mut diagnostic = Diagnostic::new(code, self.place.clone(), message).help(self.law.help());
        diagnostic.related.clone_from(&self.related);
        Some(diagnostic)
    }
}

impl Counterexample {
    /// The ticket in a few words, after the sentence.
    fn ticket(&self) -> String {
        let Some(reported_at) = self.reported_at else {
            let events = self.events.len();
            return if events == 0 { String::new() } else { format!("; a history of {events} events") };
        };
        let facts: Vec<String> = self.facts.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let facts = if facts.is_empty() { "no facts".to_owned() } else { facts.join(", ") };
        let clock = self.clock.as_ref().map_or(String::new(), |clock| format!(", clock `{clock}`"));
        format!("; a ticket with {facts}, reported at {reported_at}{clock}")
    }
}

impl fmt::Display for LawOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.title();
        match &self.verdict {
            LawVerdict::Proved => write!(f, "{title}: proved"),
            LawVerdict::Tried(n) => write!(f, "{title}: tried {}", grouped(*n)),
            LawVerdict::Broken(found) => write!(f, "{title}: broken: {}{}", found.sentence, found.ticket()),
            LawVerdict::NotStated => f.write_str(&title),
        }
    }
}

/// 4096 as `4,096`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
