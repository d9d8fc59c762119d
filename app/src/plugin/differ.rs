//! Where two JSON values differ: the paths to the fields, and what is there.

use serde_json::Value;

/// One place where they differ.
#[derive(Debug, PartialEq)]
pub(crate) struct Place {
    /// `request.http.body[0].text`; what follows `»` lies within a text that is JSON itself.
    pub(crate) path: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

/// A value that is not there.
const ABSENT: &str = "nothing";

/// Letters of a long text that are shown before and after the first that differs.
const AROUND: usize = 40;

/// All places below a path at which two values differ.
pub(crate) fn places(path: &str, expected: &Value, found: &Value) -> Vec<Place> {
    let mut all = Vec::new();
    walk(path, Some(expected), Some(found), &mut all);
    all
}

fn walk(path: &str, expected: Option<&Value>, found: Option<&Value>, all: &mut Vec<Place>) {
    match (expected, found) {
        (expected, found) if expected == found => {}
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let added = b.keys().filter(|name| !a.contains_key(*name));
            for name in a.keys().chain(added) {
                walk(&format!("{path}.{name}"), a.get(name), b.get(name), all);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for place in 0..a.len().max(b.len()) {
                walk(&format!("{path}[{place}]"), a.get(place), b.get(place), all);
            }
        }
        (Some(Value::String(a)), Some(Value::String(b))) => match (json(a), json(b)) {
            // Other bytes, the same values: order and spaces. Bytes are what is signed, so this is a difference, too.
            (Some(a), Some(b)) if a != b => walk(&format!("{path}»"), Some(&a), Some(&b), all),
            _ => {
                let (expected, found) = around(a, b);
                all.push(Place { path: path.to_owned(), expected, found });
            }
        },
        (expected, found) => {
            let shown = |value: Option<&Value>| value.map_or_else(|| ABSENT.to_owned(), Value::to_string);
            all.push(Place { path: path.to_owned(), expected: shown(expected), found: shown(found) });
        }
    }
}

/// A text that is a JSON object or list itself, such as a body.
fn json(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

/// Two texts from a little before the first letter that differs.
fn around(a: &str, b: &str) -> (String, String) {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let start = same.saturating_sub(AROUND);
    let shown = |text: &str| {
        let part: String = text.chars().skip(start).take(2 * AROUND).collect();
        let before = if start > 0 { "..." } else { "" };
        let after = if text.chars().count() > start + 2 * AROUND { "..." } else { "" };
        format!("{before}{}{after}", Value::String(part))
    };
    (shown(a), shown(b))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(expected: &Value, found: &Value) -> Vec<String> {
        places("request", expected, found).into_iter().map(|place| place.path).collect()
    }

    #[test]
    fn each_difference_has_its_path() {
        let expected = json!({"a": 1, "b": [1, {"c": "x"}], "gone": null});
        let found = json!({"a": 1, "b": [2, {"c": "y"}, 3], "new": 1});
        assert_eq!(
            paths(&expected, &found),
            ["request.b[0]", "request.b[1].c", "request.b[2]", "request.gone", "request.new"]
        );
        assert_eq!(places("request", &expected, &expected), []);
    }

    #[test]
    fn a_text_that_is_json_is_looked_into_and_its_bytes_count() {
        let text = |text: &str| json!([{ "text": text }]);
        assert_eq!(paths(&text(r#"{"a":1,"b":2}"#), &text(r#"{"a":1,"b":3}"#)), ["request[0].text».b"]);
        assert_eq!(paths(&text(r#"{"a":1}"#), &text(r#"{"a": 1}"#)), ["request[0].text"]);
    }

    #[test]
    fn a_long_text_is_shown_from_where_it_differs() {
        let (a, b) = (format!("{}x", "工".repeat(100)), format!("{}y{}", "工".repeat(100), "z".repeat(100)));
        let place = &places("a", &json!(a), &json!(b))[0];
        assert_eq!(place.expected, format!("...\"{}x\"", "工".repeat(40)));
        assert!(place.found.ends_with("zzz\"..."), "{}", place.found);
    }
}
