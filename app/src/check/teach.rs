//! `holdback check --explain`: what a code means.

use holdback::{CODES, Code, Severity};

use crate::did_you_mean;

/// The teaching of a code, or with `all` the list of codes.
///
/// # Errors
/// The message for a code that does not exist, with the nearest that does.
pub(super) fn explained(name: &str) -> Result<String, String> {
    if name.eq_ignore_ascii_case("all") {
        let line = |code: Code| format!("{code}  {:<7}  {}\n", severity(code.severity()), code.title());
        return Ok(CODES.into_iter().map(line).collect());
    }
    let Some(code) = Code::named(name) else {
        let near = did_you_mean(&name.to_ascii_uppercase(), CODES.iter().map(|code| code.name()));
        let shown: String = name.chars().take(40).filter(|c| !c.is_control()).collect();
        return Err(format!("unknown code `{shown}`: `holdback check --explain all` lists them{near}"));
    };
    Ok(format!("{}[{code}]: {}\n\n{}", severity(code.severity()), code.title(), plain(code)))
}

/// The teaching of a code as plain text: examples are indented.
pub(super) fn plain(code: Code) -> String {
    let mut text = String::new();
    let mut inside = false;
    for line in code.teaching().lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(info), false) => {
                text += caption(info);
                text.push_str("\n\n");
            }
            (None, true) if !line.is_empty() => {
                text.push_str("    ");
                text += line;
                text.push('\n');
            }
            (None, _) => {
                text += line;
                text.push('\n');
            }
            (Some(_), true) => {}
        }
        inside ^= line.starts_with("```");
    }
    text
}

/// The teaching of a code as Markdown: what an example shows stands above it, not only in its fence.
pub(super) fn markdown(code: Code) -> String {
    let mut text = String::new();
    let mut inside = false;
    for line in code.teaching().lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(info), false) => {
                let language = info.split(' ').next().unwrap_or_default();
                text += &format!("{}\n\n```{language}\n", caption(info));
            }
            _ => {
                text += line;
                text.push('\n');
            }
        }
        inside ^= line.starts_with("```");
    }
    text
}

/// What an example shows, by the words that open its fence: `rhai wrong`.
fn caption(info: &str) -> &'static str {
    if info.ends_with("wrong") { "Wrong:" } else { "Right:" }
}

/// The severity as it is written before a message.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_taught_with_both_sides_of_its_example() {
        let told = explained("e0101").unwrap();
        assert!(told.starts_with("error[E0101]: a fact that does not exist\n\nA script reads"), "{told}");
        let wrong = "\nWrong:\n\n    fn applies(ticket) { ticket.knid == \"failure\" }\n";
        let right = "\nRight:\n\n    fn applies(ticket) { ticket.kind == \"failure\" }\n";
        assert!(told.contains(wrong) && told.contains(right), "{told}");
        for code in CODES {
            let (told, page) = (plain(code), markdown(code));
            assert!(!told.contains("```") && told.contains("Wrong:") && told.contains("Right:"), "{told}");
            assert_eq!(page.matches("```").count(), code.teaching().matches("```").count());
            assert!(page.contains("\nWrong:\n\n```") && !page.contains(" wrong\n"), "{page}");
        }
    }

    #[test]
    fn an_unknown_code_finds_the_nearest_and_all_lists_them() {
        assert_eq!(
            explained("E101"),
            Err("unknown code `E101`: `holdback check --explain all` lists them; did you mean `E0101`?"
                .into())
        );
        let strange = explained("banana\u{1b}[31m").unwrap_err();
        assert!(!strange.contains('\u{1b}') && !strange.contains("did you mean"), "{strange}");
        let all = explained("all").unwrap();
        assert_eq!(all.lines().count(), CODES.len());
        assert!(all.contains("\nW0904  warning  a number that belongs in terms.toml\n"), "{all}");
    }
}
