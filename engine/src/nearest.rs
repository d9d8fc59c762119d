//! The nearest known name to a misspelt one, for error messages.

/// The candidate that a misspelling most likely meant, if one is near enough to be worth naming.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = (name.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean ...?` with the nearest known name, to be put behind a message; nothing when none is near.
///
/// ```
/// assert_eq!(holdback::hint("priorty", ["kind", "priority"]), "; did you mean `priority`?");
/// assert_eq!(holdback::hint("banana", ["kind", "priority"]), "");
/// ```
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// Edits (insert, delete, replace, swap of neighbours) between two words, letters compared without case.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().take(64).flat_map(char::to_lowercase).collect();
    let width = b.len() + 1;
    let mut cost = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            cost[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replace = cost[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let edit = cost[(i - 1) * width + j].min(cost[i * width + j - 1]) + 1;
                let swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swapped = if swap { cost[(i - 2) * width + j - 2] + 1 } else { usize::MAX };
                replace.min(edit).min(swapped)
            };
        }
    }
    cost[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        let kinds = ["reported", "responded", "resolved", "reopened"];
        assert_eq!(nearest("reponded", kinds), Some("responded"));
        assert_eq!(nearest("Resovled", kinds), Some("resolved"));
        assert_eq!(nearest("banana", kinds), None);
        assert_eq!(nearest("", kinds), None);
    }
}
