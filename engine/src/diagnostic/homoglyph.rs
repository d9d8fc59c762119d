//! Letters that look like others, so that two names that read the same are not the same.

/// Cyrillic and Greek letters with the Latin ones they look like.
const LATIN: [(char, char); 56] = [
    // Cyrillic
    ('а', 'a'),
    ('в', 'b'),
    ('с', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('ё', 'e'),
    ('һ', 'h'),
    ('і', 'i'),
    ('ї', 'i'),
    ('ј', 'j'),
    ('к', 'k'),
    ('ӏ', 'l'),
    ('м', 'm'),
    ('о', 'o'),
    ('р', 'p'),
    ('ԛ', 'q'),
    ('г', 'r'),
    ('ѕ', 's'),
    ('т', 't'),
    ('у', 'y'),
    ('ѵ', 'v'),
    ('ԝ', 'w'),
    ('х', 'x'),
    ('п', 'n'),
    ('А', 'A'),
    ('В', 'B'),
    ('С', 'C'),
    ('Е', 'E'),
    ('Н', 'H'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('К', 'K'),
    ('М', 'M'),
    ('О', 'O'),
    ('Р', 'P'),
    ('Ѕ', 'S'),
    ('Т', 'T'),
    ('Х', 'X'),
    // Greek
    ('α', 'a'),
    ('ε', 'e'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'u'),
    ('χ', 'x'),
    ('γ', 'y'),
    ('ω', 'w'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
];

/// Katakana with the Chinese characters they look like.
const HAN: [(char, char); 7] =
    [('ロ', '口'), ('エ', '工'), ('ニ', '二'), ('カ', '力'), ('ト', '卜'), ('ハ', '八'), ('タ', '夕')];

/// The letter of a name that looks like another one of the same name's script, and what it looks like.
///
/// A name of one script, and Chinese with Latin letters and digits, is fine.
pub(crate) fn confusable(name: &str) -> Option<String> {
    let latin = name.chars().any(|c| c.is_ascii_alphabetic());
    let han = name.chars().any(is_han);
    name.chars().find_map(|letter| {
        let code = u32::from(letter);
        let say =
            |script: &str, like: &str| Some(format!("`{letter}` (U+{code:04X}, {script}) looks like {like}"));
        match code {
            0x00AD
            | 0x034F
            | 0x061C
            | 0x115F
            | 0x1160
            | 0x180E
            | 0x200B..=0x200F
            | 0x202A..=0x202E
            | 0x2060..=0x2064
            | 0x2066..=0x2069
            | 0x3164
            | 0xFE00..=0xFE0F
            | 0xFEFF
            | 0xFFA0 => Some(format!("U+{code:04X} cannot be seen")),
            // The full-width forms stand in the order of ASCII.
            0xFF01..=0xFF5E => {
                let plain = char::from_u32(code - 0xFEE0).unwrap_or(letter);
                say("full-width", &format!("`{plain}`"))
            }
            0x0370..=0x03FF | 0x1F00..=0x1FFF if latin => match find(&LATIN, letter) {
                Some(like) => say("Greek", &format!("the Latin `{like}`")),
                None => Some(format!("`{letter}` (U+{code:04X}) is a Greek letter among Latin ones")),
            },
            0x0400..=0x052F if latin => match find(&LATIN, letter) {
                Some(like) => say("Cyrillic", &format!("the Latin `{like}`")),
                None => Some(format!("`{letter}` (U+{code:04X}) is a Cyrillic letter among Latin ones")),
            },
            0x2E80..=0x2FDF => say("a radical", "a Chinese character"),
            0xF900..=0xFAFF => say("a compatibility form", "a Chinese character"),
            0x30A0..=0x30FF if han => {
                find(&HAN, letter).and_then(|like| say("Katakana", &format!("the Chinese `{like}`")))
            }
            _ => None,
        }
    })
}

fn find(table: &[(char, char)], letter: char) -> Option<char> {
    table.iter().find(|(known, _)| *known == letter).map(|(_, like)| *like)
}

fn is_han(letter: char) -> bool {
    matches!(u32::from(letter), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0x20000..=0x323AF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_letters_that_pass_for_others_are_told() {
        for fine in
            ["urgent", "紧急", "P1期限", "срок", "προθεσμία", "plan_due2", "Größe", "1.5(2)", "", "ロック"]
        {
            assert_eq!(confusable(fine), None, "{fine}");
        }
        for (name, told) in [
            ("urg\u{435}nt", "`е` (U+0435, Cyrillic) looks like the Latin `e`"),
            ("\u{3bf}pen", "`ο` (U+03BF, Greek) looks like the Latin `o`"),
            ("Ｐ1期限", "`Ｐ` (U+FF30, full-width) looks like `P`"),
            ("P１", "`１` (U+FF11, full-width) looks like `1`"),
            ("期\u{200b}限", "U+200B cannot be seen"),
            ("人ロ", "`ロ` (U+30ED, Katakana) looks like the Chinese `口`"),
            ("\u{2f00}年", "`⼀` (U+2F00, a radical) looks like a Chinese character"),
            ("planж", "`ж` (U+0436) is a Cyrillic letter among Latin ones"),
        ] {
            assert_eq!(confusable(name).as_deref(), Some(told), "{name}");
        }
    }
}
