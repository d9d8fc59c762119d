//! The pack of the generator's world, as files.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use holdback::Pack;

use super::generate::Ty;
use super::generate::world::{CHOICES, CLOCKS, DECLARED, ENTRIES, Entry, FACTS, ROLES, TERMS};

/// A small pack in which generated clauses can stand: clause 1 is the script, clause 2 gives what it lacks.
pub(crate) fn files(script: &str) -> BTreeMap<String, String> {
    let has = |entry: Entry| {
        let mut names = ENTRIES.iter().filter(|row| row.entry == entry).flat_map(|row| row.names);
        names.any(|name| script.contains(&format!("fn {name}")))
    };
    let floor = if has(Entry::Floor) { "" } else { "fn deposit_floor() { yuan(0) }\n" };
    let clause = "//! clause: 1\nfn applies(ticket) { true }\n";
    let script = if script.is_empty() { clause.to_owned() } else { script.to_owned() };
    [
        ("pack.toml", PACK.clone()),
        ("terms.toml", TERMS_TOML.clone()),
        ("contract.md", "# [1] Made up\n# [2] Beside it\n".to_owned()),
        ("clauses/1.rhai", script),
        ("clauses/2.rhai", format!("//! clause: 2\nfn findings(ticket) {{ [] }}\n{}{floor}", beside())),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into()
}

/// The clocks that made-up service levels measure.
fn beside() -> String {
    let clocks = CLOCKS.map(|name| format!("due(\"{name}\").within(hours(1)).met_by(\"resolved\")"));
    format!("fn deadlines(ticket) {{ [{}] }}\n", clocks.join(", "))
}

/// The same, loaded.
pub(crate) fn pack() -> &'static Pack {
    static LOADED: LazyLock<Pack> = LazyLock::new(|| match Pack::from_files(files("")) {
        Ok(pack) => pack,
        Err(error) => panic!("{error}"),
    });
    &LOADED
}

fn quoted(texts: &[&str]) -> String {
    format!("{texts:?}")
}

fn written(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a text grows");
}

static PACK: LazyLock<String> = LazyLock::new(|| {
    let mut text = format!(
        "format = 1\nname = \"world\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\ncontracts = [\"c\"]\n\
         [events]\ndeclared = {}\n[calendars.work.hours]\nmon = [[\"09:00\", \"18:00\"]]\nfri = [[\"09:00\", \"18:00\"]]\n",
        quoted(&DECLARED)
    );
    for role in ROLES {
        written(&mut text, format_args!("[roles.\"{role}\"]\ndoc = \"{role}\"\n"));
    }
    for fact in &FACTS {
        let [Some(name), zh] = fact.names else { continue };
        let of = match fact.types[0] {
            Ty::Bool => "bool",
            Ty::Count => "integer",
            Ty::Money => "money",
            Ty::Instant => "instant",
            Ty::OneOf(_) => "one-of",
            _ => "text",
        };
        written(&mut text, format_args!("[facts.{name}]\ntype = \"{of}\"\ndoc = \"{name}\"\n"));
        for (key, ty) in ["values", "zh_values"].into_iter().zip(fact.types) {
            if let (Ty::OneOf(choice), true) = (ty, key == "values" || fact.types[0] != fact.types[1]) {
                written(&mut text, format_args!("{key} = {}\n", quoted(CHOICES[choice])));
            }
        }
        if let Some(zh) = zh {
            written(&mut text, format_args!("zh = \"{zh}\"\n"));
        }
    }
    text
});

static TERMS_TOML: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::new();
    for term in &TERMS {
        let [Some(name), zh] = term.names else { continue };
        written(
            &mut text,
            format_args!("[{name}]\nclause = \"1\"\nunit = \"{}\"\ndoc = \"{name}\"\n", term.unit),
        );
        if let Ty::OneOf(choice) = term.ty {
            written(&mut text, format_args!("of = {}\n", quoted(CHOICES[choice])));
        }
        if let Some(zh) = zh {
            written(&mut text, format_args!("zh = \"{zh}\"\n"));
        }
        let bare = matches!(term.unit, "bool" | "count") || term.unit.contains(" by ");
        let values =
            term.values.into_iter().flatten().zip(["2000-01-01", "2026-01-01"]).map(|(value, from)| {
                let value = if bare { value.to_owned() } else { format!("\"{value}\"") };
                format!("{{ from = {from}, value = {value} }}")
            });
        written(&mut text, format_args!("values = [{}]\n", values.collect::<Vec<_>>().join(", ")));
    }
    text
});
