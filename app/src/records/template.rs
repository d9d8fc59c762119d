//! Forms out of templates: the program's own, or those that a pack brings in `records/`.
//!
//! Templates are files of people who write contracts, values are texts of anybody: every value is escaped, whatever a template
//! says; no template reads files or the network, and none runs without end.

use std::collections::BTreeMap;

use holdback::Pack;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::page::escape;
use crate::{Stop, did_you_mean};

/// Steps that one form may take: enough for a hundred thousand rows of ten cells.
const FUEL: u64 = 100_000_000;
/// Templates and macros within each other.
const DEPTH: usize = 50;

/// Names listed in a fault.
const LISTED: usize = 20;

/// The style of all forms, put into each of them.
const STYLE: &str = include_str!("../../template/records/style.css");

macro_rules! template {
    ($path:literal) => {
        ($path, include_str!(concat!("../../template/records/", $path)))
    };
}

/// The program's own templates: `NAME.html` for both languages, `zh/NAME.html` and `en/NAME.html` for one.
const OWN: [(&str, &str); 25] = [
    template!("layout.html"),
    template!("letterhead.html"),
    template!("parts.html"),
    template!("zh/register.html"),
    template!("zh/status.html"),
    template!("zh/receipt.html"),
    template!("zh/order.html"),
    template!("zh/opinion.html"),
    template!("zh/acceptance.html"),
    template!("zh/archive.html"),
    template!("zh/month-register.html"),
    template!("zh/month-status.html"),
    template!("zh/service.html"),
    template!("zh/statement.html"),
    template!("en/register.html"),
    template!("en/status.html"),
    template!("en/receipt.html"),
    template!("en/order.html"),
    template!("en/opinion.html"),
    template!("en/acceptance.html"),
    template!("en/archive.html"),
    template!("en/month-register.html"),
    template!("en/month-status.html"),
    template!("en/service.html"),
    template!("en/statement.html"),
];

/// The templates of one language, read.
pub(super) struct Templates<'t> {
    environment: Environment<'t>,
    sources: Sources<'t>,
}

/// Templates by name.
type Sources<'t> = BTreeMap<&'t str, Source<'t>>;

/// Where a template comes from, and its text.
#[derive(Clone, Copy)]
struct Source<'t> {
    path: &'t str,
    text: &'t str,
}

impl<'t> Templates<'t> {
    /// All templates of a language: a pack's `records/zh/NAME.html` before its `records/NAME.html` before the program's own.
    ///
    /// # Errors
    /// Every template that cannot be read, with its file and line.
    pub(super) fn of(pack: &'t Pack, language: &str) -> Result<Templates<'t>, Stop> {
        let mut templates = Templates { environment: environment(), sources: sources(pack, language) };
        let mut faults = Vec::new();
        for (name, source) in &templates.sources {
            if let Err(error) = templates.environment.add_template(name, source.text) {
                faults.push(templates.fault(&error, None));
            }
        }
        if faults.is_empty() { Ok(templates) } else { Err(Stop::Unusable(faults.join("\n"))) }
    }

    /// A form filled in.
    ///
    /// # Errors
    /// What is wrong with the template, with its file and line.
    pub(super) fn fill(&self, form: &str, values: &impl Serialize) -> Result<String, Stop> {
        let values = Value::from(Serde(values));
        // The program's own style is no user's text.
        let style = Value::from_safe_string(STYLE.to_owned());
        let template = self.environment.get_template(&format!("{form}.html"));
        let filled = template.and_then(|template| template.render(context! { style, ..values.clone() }));
        filled.map_err(|error| Stop::Unusable(self.fault(&error, Some(&values))))
    }

    /// `records/zh/acceptance.html:12: what is wrong; what was expected`.
    fn fault(&self, error: &Error, values: Option<&Value>) -> String {
        // Of templates within each other the innermost one is at fault.
        let mut inner = error;
        while let Some(source) =
            std::error::Error::source(inner).and_then(|source| source.downcast_ref::<Error>())
        {
            inner = source;
        }
        let name = inner.name().or(error.name()).unwrap_or_default();
        let source = self.sources.get(name);
        let path = source.map_or(name, |source| source.path);
        let written = source.zip(inner.range()).and_then(|(source, range)| source.text.get(range));
        let written =
            written.map(str::trim).filter(|text| text.chars().count() <= 80 && !text.contains('\n'));
        let quoted =
            written.filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!("`{text}`: "));
        let why = explained(inner, written.unwrap_or_default(), values, &self.sources);
        format!("{path}:{}: {quoted}{why}", inner.line().unwrap_or(0))
    }
}

fn sources<'t>(pack: &'t Pack, language: &str) -> Sources<'t> {
    let mut sources = BTreeMap::new();
    let own = OWN.iter().map(|(path, text)| (*path, Source { path, text }));
    let packs = pack
        .files_below("records/")
        .map(|(path, text)| (path.strip_prefix("records/").unwrap_or(path), Source { path, text }));
    // What comes later takes the place of what came before it.
    for list in [own.collect::<Vec<_>>(), packs.collect()] {
        for of_language in [false, true] {
            for (path, source) in &list {
                let name = match path.split_once('/') {
                    Some((folder, name)) if of_language && folder == language => name,
                    None if !of_language => path,
                    _ => continue,
                };
                if name.ends_with(".html") {
                    sources.insert(name, *source);
                }
            }
        }
    }
    sources
}

fn environment<'t>() -> Environment<'t> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(true);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    // A value is escaped whatever the template says; only what templates put together themselves is not escaped twice.
    environment.remove_filter("safe");
    environment.add_filter("e", |value: &Value| escaped(value));
    environment.add_filter("escape", |value: &Value| escaped(value));
    environment.set_formatter(|out, _, value| {
        if value.is_none() {
            return Ok(());
        }
        out.write_str(escaped(value).as_str().unwrap_or_default()).map_err(Error::from)
    });
    environment
}

fn escaped(value: &Value) -> Value {
    if value.is_safe() { value.clone() } else { Value::from_safe_string(escape(&value.to_string())) }
}

/// What is wrong, and what was expected.
fn explained(error: &Error, written: &str, values: Option<&Value>, sources: &Sources<'_>) -> String {
    let told = error
        .detail()
        .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    match error.kind() {
        ErrorKind::UndefinedError => match values.and_then(|values| missing(written, values)) {
            Some((name, known)) => {
                let near = did_you_mean(&name, known.iter().map(String::as_str));
                let listed: Vec<&str> = known.iter().map(String::as_str).take(LISTED).collect();
                let more = if known.len() > LISTED { " ..." } else { "" };
                format!("there is no value `{name}` here{near}; expected one of {}{more}", listed.join(", "))
            }
            None => told,
        },
        ErrorKind::UnknownFilter if told.contains("safe") => {
            format!("{told}; values are always escaped: write markup in the template itself")
        }
        ErrorKind::TemplateNotFound => {
            let known: Vec<&str> = sources.keys().copied().collect();
            format!("{told}; expected one of {}", known.join(", "))
        }
        ErrorKind::OutOfFuel => format!("the form takes more than {FUEL} steps: does a loop never end?"),
        _ => told,
    }
}

/// Of `a.b.c` the first part that is not there, and the names that are there instead.
fn missing(written: &str, values: &Value) -> Option<(String, Vec<String>)> {
    let mut here = values.clone();
    let path = written.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
    for part in path.split(['.', '|', ' ', '[']) {
        match here.get_attr(part) {
            Ok(next) if !next.is_undefined() => here = next,
            _ => {
                let names = here.try_iter().ok()?;
                return Some((part.to_owned(), names.map(|name| name.to_string()).collect()));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Language;
    use crate::records::words::Words;

    fn pack(more: &[(&str, &str)]) -> Pack {
        let files = [
            (
                "pack.toml",
                "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]\n\
                 [[manual]]\nclause = \"1\"\nreason = \"by people\"\n",
            ),
            ("contract.md", "# [1] By people\n"),
        ];
        let files = files.iter().chain(more).map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Pack::from_files(files.collect()).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// A form of a pack that consists of this template alone.
    fn filled(template: &str, values: serde_json::Value) -> Result<String, String> {
        let pack = pack(&[("records/zh/status.html", template)]);
        let templates = Templates::of(&pack, "zh").map_err(|stop| stop.to_string())?;
        templates.fill("status", &values).map_err(|stop| stop.to_string())
    }

    #[test]
    fn every_value_is_escaped_whatever_a_template_says() {
        let hostile = serde_json::json!({ "x": "<script>alert('1')</script>\u{202e}", "n": null });
        let harmless = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\u{fffd}";
        for template in [
            "{{ x }}",
            "{{ x|e }}",
            "{% autoescape false %}{{ x }}{% endautoescape %}",
            "{{ n }}{{ x|escape }}",
        ] {
            assert_eq!(filled(template, hostile.clone()).as_deref(), Ok(harmless), "{template}");
        }
        let told = filled("\n{{ x|safe }}", hostile).unwrap_err();
        assert!(told.starts_with("records/zh/status.html:2: ") && told.contains("always escaped"), "{told}");
    }

    #[test]
    fn a_fault_is_told_with_its_file_its_line_and_what_was_expected() {
        let values = serde_json::json!({ "ticket": { "status": "open", "id": "T1" } });
        let told = |template: &str| filled(template, values.clone()).unwrap_err();
        let misspelt = told("<p>\n{{ ticket.statsu }}");
        assert!(misspelt.starts_with("records/zh/status.html:2: "), "{misspelt}");
        assert!(
            misspelt.contains("did you mean `status`?") && misspelt.contains("expected one of"),
            "{misspelt}"
        );
        assert!(told("{% if tikcet %}{% endif %}").contains("did you mean `ticket`?"));
        let open = told("a\nb\n{% for x in ticket %}");
        assert!(open.starts_with("records/zh/status.html:3: ") && open.contains("syntax error: "), "{open}");
        let absent = told("{% include \"sign.html\" %}");
        assert!(absent.contains("sign.html") && absent.contains("layout.html"), "{absent}");
    }

    #[test]
    fn a_template_without_end_is_stopped() {
        let values = serde_json::json!({});
        let endless = "{% for a in range(90000) %}{% for b in range(90000) %}{% set c = a + b %}{% endfor %}{% endfor %}";
        assert!(filled(endless, values.clone()).unwrap_err().contains("does a loop never end?"));
        let deep = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}";
        assert!(filled(deep, values.clone()).unwrap_err().contains("recursion"));
        let huge = filled("{{ 'x' * 1000000000000 }}", values);
        assert!(huge.is_err());
    }

    #[test]
    fn a_packs_template_of_the_language_comes_first() {
        let pack = pack(&[
            ("records/letterhead.html", "both"),
            ("records/zh/letterhead.html", "中文"),
            ("records/zh/stamp.html", "章"),
            ("records/parts.html", "parts of the pack"),
        ]);
        let text = |language, name| {
            sources(&pack, language).get(name).map(|source: &Source<'_>| source.text.to_owned())
        };
        assert_eq!(text("zh", "letterhead.html").as_deref(), Some("中文"));
        assert_eq!(text("en", "letterhead.html").as_deref(), Some("both"));
        assert_eq!(text("zh", "parts.html").as_deref(), Some("parts of the pack"));
        assert_eq!((text("en", "stamp.html"), text("zh", "stamp.html").as_deref()), (None, Some("章")));
        assert_eq!(Words::of(&pack, Language::Zh).map(|words| words.code()).ok(), Some("zh"));
    }
}
