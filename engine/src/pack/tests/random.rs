//! Packs damaged at random: each is answered, and every place that is told lies in its file.

use proptest::prelude::*;

use super::good;
use crate::{Pack, Place};

/// Whether a place stands in the text that the check gives back, or names a file as a whole.
fn lies_in(place: &Place, text: Option<&String>) -> bool {
    if place.line == 0 {
        return (place.column, place.length) == (0, 0);
    }
    let Some(text) = text else { return false };
    // The end of a text counts as a line of its own.
    let line = text.split('\n').nth(place.line - 1);
    line.is_some_and(|line| {
        let characters = line.chars().count();
        place.column <= characters + 1 && place.column.max(1) - 1 + place.length <= characters
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_damage_is_answered_in_place(
        damage in proptest::collection::vec((0usize..6, 0usize..100_000, 0usize..12, prop_oneof![
            "\\PC{0,6}", "[\\[\\]{}=\"'\n.,:#/! ]{0,4}", Just("\r\n".to_owned()), Just("\u{feff}".to_owned()),
            Just("期限".to_owned()), Just("[facts.kind]\n".to_owned()), Just("//! clause: 1.1\n".to_owned()),
        ]), 1..4),
    ) {
        let mut files = good();
        for (file, at, cut, put) in damage {
            let text = files.values_mut().nth(file).unwrap();
            let characters: Vec<char> = text.chars().collect();
            let at = at % (characters.len() + 1);
            let rest = characters.get(at + cut..).unwrap_or_default();
            *text = characters[..at].iter().copied().chain(put.chars()).chain(rest.iter().copied()).collect();
        }
        let check = Pack::check(files.clone());
        for diagnostic in &check.diagnostics {
            let related = diagnostic.related.iter().map(|related| &related.place);
            for place in related.chain([&diagnostic.place]) {
                prop_assert!(lies_in(place, check.files.get(&place.file)), "{diagnostic}\n{files:#?}");
            }
            prop_assert!(!diagnostic.message.is_empty() && !diagnostic.message.contains('\n'));
        }
        prop_assert!(check.diagnostics.is_sorted_by_key(|diagnostic| &diagnostic.place));
        prop_assert_eq!(check.pack.is_none(), Pack::from_files(files).is_err());
    }
}
