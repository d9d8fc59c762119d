//! The forms: what each is called, which tables it has, and the values that its template sees.

use std::collections::BTreeMap;
use std::fmt;

use clap::ValueEnum;
use holdback::Pack;
use serde::Serialize;

use super::Record;
use super::money::SettlementView;
use super::month::MonthView;
use super::table::Table;
use super::template::Templates;
use super::ticket::TicketView;
use super::words::Words;
use crate::Stop;
use crate::replay::Replayed;

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// The register of requests
    Register,
    /// How requests are being handled
    Status,
    /// The receipt to the customer
    Receipt,
    /// The task order
    Order,
    /// The customer's opinion
    Opinion,
    /// Acceptance
    Acceptance,
    /// Everything about a ticket
    Archive,
    /// Duties and service levels
    Service,
    /// The settlement of penalties and the deposit
    Statement,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Register => "register",
            Form::Status => "status",
            Form::Receipt => "receipt",
            Form::Order => "order",
            Form::Opinion => "opinion",
            Form::Acceptance => "acceptance",
            Form::Archive => "archive",
            Form::Service => "service",
            Form::Statement => "statement",
        })
    }
}

impl Form {
    pub(super) const OF_TICKET: [Form; 7] = [
        Form::Register,
        Form::Status,
        Form::Receipt,
        Form::Order,
        Form::Opinion,
        Form::Acceptance,
        Form::Archive,
    ];
    pub(super) const OF_MONTH: [Form; 4] = [Form::Register, Form::Status, Form::Service, Form::Statement];
    pub(super) const OF_CONTRACT: [Form; 1] = [Form::Statement];

    /// The template's name.
    fn template(self, about: &About) -> String {
        match (self, about) {
            (Form::Register | Form::Status, About::Month { .. }) => format!("month-{self}"),
            _ => self.to_string(),
        }
    }

    /// The tables that stand in the form.
    fn tables(self, about: &About) -> &'static [&'static str] {
        match (self, about) {
            (Form::Register, About::Month { .. }) => &["register"],
            (Form::Status, About::Month { .. }) => &["status"],
            (Form::Register, _) => &["register", "deadlines"],
            (Form::Status, _) => &["progress", "deadlines", "findings"],
            (Form::Receipt, _) => &[],
            (Form::Order, _) => &["work", "deadlines"],
            (Form::Opinion, _) => &["opinions"],
            (Form::Acceptance, _) => &["attempts", "deadlines"],
            (Form::Archive, _) => &[
                "progress",
                "clauses",
                "deadlines",
                "arithmetic",
                "decisions",
                "escalation",
                "penalties",
                "sayings",
                "findings",
            ],
            (Form::Service, _) => &["duties", "levels"],
            (Form::Statement, _) => &["by_clause", "penalties", "sayings", "ledger"],
        }
    }
}

/// What a record is about.
pub(super) enum About {
    Ticket(Box<TicketView>),
    Month { month: MonthView, settlement: SettlementView },
    Contract(SettlementView),
}

/// What every template sees.
pub(super) struct Values {
    common: Common,
}

#[derive(Serialize)]
struct Common {
    lang: &'static str,
    contract: String,
    pack: PackView,
    /// As of when the contract was judged.
    as_of: String,
    zone: String,
    currency: String,
    /// What the parties are called.
    buyer: String,
    supplier: String,
    /// Terms that were changed for this run.
    what_if: Vec<String>,
    /// What of the log is not in the record.
    notes: Vec<String>,
    program: String,
}

#[derive(Serialize)]
struct PackView {
    name: String,
    version: String,
    title: String,
    /// The money is an example, not a contract's.
    example: bool,
}

impl PackView {
    fn of(pack: &Pack, words: &Words<'_>) -> PackView {
        let title = if pack.title.is_empty() { pack.name.clone() } else { words.split(&pack.title) };
        PackView { name: pack.name.clone(), version: pack.version.clone(), title, example: pack.example }
    }
}

/// The values of one form.
#[derive(Serialize)]
struct FormValues<'v> {
    form: String,
    #[serde(flatten)]
    common: &'v Common,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'v TicketView>,
    /// Nothing in records of a ticket or of the whole contract.
    month: Option<&'v MonthView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<&'v SettlementView>,
    /// The form's tables by name.
    tables: BTreeMap<&'static str, &'v Table>,
}

impl Values {
    pub(super) fn of(replayed: &Replayed, contract: &str, words: &Words<'_>) -> Values {
        let pack = words.pack;
        let party = |name: &str, english: &str, chinese: &str| match words.label(name) {
            own if own != name => own,
            _ => words.pick(english, chinese).to_owned(),
        };
        let common = Common {
            lang: words.code(),
            contract: contract.to_owned(),
            pack: PackView::of(pack, words),
            as_of: words.due(replayed.engine.now()),
            zone: pack.zone.name().to_owned(),
            currency: pack.currency.code().to_owned(),
            buyer: party("buyer", "the buyer", "甲方"),
            supplier: party("supplier", "the supplier", "乙方"),
            what_if: pack.overrides().iter().map(|(term, value)| format!("{term} = {value}")).collect(),
            notes: notes(replayed, words),
            program: format!("holdback {}", env!("CARGO_PKG_VERSION")),
        };
        Values { common }
    }

    fn form<'v>(&'v self, form: Form, record: &'v Record) -> FormValues<'v> {
        let (ticket, month, settlement) = match &record.about {
            About::Ticket(ticket) => (Some(&**ticket), None, None),
            About::Month { month, settlement } => (None, Some(month), Some(settlement)),
            About::Contract(settlement) => (None, None, Some(settlement)),
        };
        let tables = form.tables(&record.about).iter().filter_map(|name| Some((*name, record.table(name)?)));
        FormValues {
            form: form.to_string(),
            common: &self.common,
            ticket,
            month,
            settlement,
            tables: tables.collect(),
        }
    }

    /// What the templates see, as JSON by form.
    pub(super) fn json(&self, record: &Record, forms: &[Form]) -> Result<String, Stop> {
        let all: BTreeMap<String, FormValues<'_>> =
            forms.iter().map(|form| (form.to_string(), self.form(*form, record))).collect();
        let text = serde_json::to_string_pretty(&all);
        text.map(|text| text + "\n").map_err(|error| Stop::Unusable(error.to_string()))
    }
}

/// What of the log is not in the record.
fn notes(replayed: &Replayed, words: &Words<'_>) -> Vec<String> {
    let counts = &replayed.counts;
    [
        (counts.malformed, "lines of the input could not be read", "行输入无法读取"),
        (counts.refused, "events were refused", "个事件未被接受"),
        (
            counts.later,
            "events lie after this instant and do not count",
            "个事件晚于本记录的截止时间，未计入",
        ),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, english, chinese)| format!("{count} {}", words.pick(english, chinese)))
    .collect()
}

/// A form filled in: its files, the HTML first.
pub(super) struct Filled {
    pub(super) form: Form,
    pub(super) files: Vec<(String, Vec<u8>)>,
}

impl Filled {
    pub(super) fn of(
        form: Form,
        values: &Values,
        record: &Record,
        templates: &Templates<'_>,
        only_tables: bool,
    ) -> Result<Filled, Stop> {
        let name = format!("{}-{form}", file_name(&record.name));
        let mut files = Vec::new();
        if !only_tables {
            let page = templates.fill(&form.template(&record.about), &values.form(form, record))?;
            files.push((format!("{name}.html"), page.into_bytes()));
        }
        for table in form.tables(&record.about).iter().filter_map(|table| record.table(table)) {
            let of = if table.name == form.to_string() { String::new() } else { format!("-{}", table.name) };
            files.push((format!("{name}{of}.csv"), table.csv()?));
        }
        Ok(Filled { form, files })
    }
}

/// Letters of a name that is kept whole.
const NAME_MAX: usize = 60;

/// An id as part of a file's name: letters, digits, `-` and `_`; when something had to go, with a number that keeps apart
/// what would be the same.
fn file_name(id: &str) -> String {
    let fit = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let name: String = id.chars().map(|c| if fit(c) { c } else { '_' }).take(NAME_MAX).collect();
    if name == id && !name.starts_with('-') && !name.is_empty() {
        return name;
    }
    // FNV-1a: the same everywhere and for ever.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{}_{hash:016x}", name.trim_start_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_becomes_a_name_of_its_own() {
        for id in ["S-07", "INC0000045", "工单12", "a_b"] {
            assert_eq!(file_name(id), id);
        }
        let strange =
            ["../../etc/passwd", "a/b", "a:b", "a b", "", ".", "..", "-x", "con\0", "a\\b", &"x".repeat(300)];
        let names: std::collections::BTreeSet<String> = strange.iter().map(|id| file_name(id)).collect();
        assert_eq!(names.len(), strange.len());
        for name in names {
            assert!(name.chars().all(|c| c.is_alphanumeric() || c == '_'), "{name}");
            assert!((1..=80).contains(&name.chars().count()), "{name}");
        }
    }
}
