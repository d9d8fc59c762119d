//! `holdback calendar`: a filter that answers questions on working time.

use std::io::BufReader;

use holdback::{LineCache, answer_line};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::read::Lines;
use crate::{Console, FINDINGS, FINE, Stop, write_error};

/// The part of an answer that says whether it is one.
#[derive(Deserialize)]
struct Answer {
    error: Option<IgnoredAny>,
}

pub(crate) fn calendar(console: &mut Console<'_>) -> Result<u8, Stop> {
    let mut lines = Lines::new(BufReader::with_capacity(1 << 16, &mut *console.stdin));
    let mut cache = LineCache::default();
    let mut code = FINE;
    loop {
        if lines.would_wait() {
            // Whoever asks line by line gets each answer before the next question.
            write_error(console.stdout.flush())?;
        }
        let line = lines.next().map_err(|error| Stop::Unusable(format!("standard input: {error}")))?;
        let Some(line) = line else { return Ok(code) };
        let answer = match line.text {
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => answer_line(text, &mut cache),
            Err(fault) => serde_json::json!({ "id": null, "error": fault.to_string() }).to_string(),
        };
        if serde_json::from_str::<Answer>(&answer).is_ok_and(|answer| answer.error.is_some()) {
            code = FINDINGS;
        }
        write_error(writeln!(console.stdout, "{answer}"))?;
    }
}

#[cfg(test)]
mod tests {
    fn answers(input: &[u8]) -> (u8, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = crate::run(["holdback", "calendar"], &mut &*input, &mut out, &mut err);
        assert!(err.is_empty());
        (code, String::from_utf8(out).unwrap())
    }

    const ADD: &str = concat!(
        r#"{"id":"error","op":"add","tz":"UTC","hours":{"mon":[["09:00","17:00"]]},"#,
        r#""start":"2026-03-02T16:00:00Z","seconds":7200}"#
    );
    const ADDED: &str = r#"{"id":"error","result":"2026-03-09T10:00:00Z"}"#;

    #[test]
    fn every_line_gets_one_answer_and_blank_lines_none() {
        let input = format!("\u{feff}{ADD}\r\n\n   \n{ADD}");
        assert_eq!(answers(input.as_bytes()), (0, format!("{ADDED}\n{ADDED}\n")));
        assert_eq!(answers(b""), (0, String::new()));
    }

    #[test]
    fn an_unanswerable_line_is_answered_with_an_error_and_told_by_the_exit_code() {
        let mut input = b"{\"id\":\"\xff\"}\n{\"id\":7}\n".to_vec();
        input.extend(ADD.as_bytes());
        let (code, out) = answers(&input);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!((code, lines.len()), (1, 3));
        assert!(lines[0].starts_with(r#"{"error":"not UTF-8"#) || lines[0].contains("UTF-8"), "{}", lines[0]);
        assert!(lines[1].starts_with(r#"{"id":7,"error":"#), "{}", lines[1]);
        assert_eq!(lines[2], ADDED);
    }
}
