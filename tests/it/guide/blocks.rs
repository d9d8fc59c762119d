//! The guides' fenced blocks: what each is for stands in its info string, such as `rhai clause=tiers`.

use std::collections::BTreeMap;

use crate::rules::root;

/// The base pack's name: its blocks belong to every pack of the guides.
pub(crate) const BASE: &str = "base";

/// The marks there are, by language.
const MARKS: [(&str, &[&str]); 7] = [
    ("toml", &["pack", "terms", "cases", "roster"]),
    ("rhai", &["clause", "refused", "warned"]),
    ("markdown", &["contract"]),
    ("csv", &["events"]),
    ("json", &["events"]),
    ("sh", &["run"]),
    ("text", &["output", "message", "shifts"]),
];

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// File and line, for people.
    pub(crate) place: String,
    pub(crate) language: String,
    /// What it is for: `clause`, `cases` ...
    pub(crate) mark: String,
    /// The pack it belongs to, or the code of the mistake it shows.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A guide as it is written.
pub(crate) struct Document {
    pub(crate) file: String,
    pub(crate) blocks: Vec<Block>,
    /// What stands outside of the blocks.
    pub(crate) prose: String,
    /// What is wrong with its blocks.
    pub(crate) faults: Vec<String>,
}

impl Document {
    #[expect(clippy::disallowed_methods, reason = "tests read the tree")]
    pub(crate) fn open(file: &str) -> Document {
        let text = std::fs::read_to_string(root().join("rules").join(file)).expect("a guide of rules/");
        let mut document =
            Document { file: file.to_owned(), blocks: Vec::new(), prose: String::new(), faults: Vec::new() };
        let mut lines = text.lines().enumerate();
        while let Some((i, line)) = lines.next() {
            let Some(info) = line.trim_start().strip_prefix("```") else {
                document.prose.push_str(line);
                document.prose.push('\n');
                continue;
            };
            let place = format!("rules/{file}:{}", i + 1);
            let mut body = String::new();
            let mut closed = false;
            for (_, line) in lines.by_ref() {
                if line.trim_start().starts_with("```") {
                    closed = true;
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            if !closed {
                document.faults.push(format!("{place}: the block is not closed"));
            }
            match Block::marked(info, &place, body) {
                Ok(block) => document.blocks.push(block),
                Err(fault) => document.faults.push(format!("{place}: {fault}")),
            }
        }
        document
    }
}

impl Block {
    fn marked(info: &str, place: &str, text: String) -> Result<Block, String> {
        let mut words = info.split_whitespace();
        let language = words.next().unwrap_or("");
        let known = MARKS.iter().find(|(name, _)| *name == language).map(|(_, marks)| *marks);
        let known = known.ok_or_else(|| format!("no test knows blocks of `{language}`"))?;
        let (mark, name) = words.next().and_then(|word| word.split_once('=')).unwrap_or(("", ""));
        if !known.contains(&mark) || name.is_empty() {
            return Err(format!("`{info}` needs one of {known:?} with a name, so that it is run"));
        }
        let text = match words.next() {
            None => text,
            Some("words=chinese") => text,
            Some(other) => return Err(format!("unknown mark `{other}`")),
        };
        Ok(Block {
            place: place.to_owned(),
            language: language.to_owned(),
            mark: mark.to_owned(),
            name: name.to_owned(),
            text,
        })
    }

    pub(crate) fn is(&self, mark: &str, name: &str) -> bool {
        self.mark == mark && self.name == name
    }

    /// The clause that its head names.
    pub(crate) fn clause(&self) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix("//! clause:")).map(str::trim)
    }
}

/// The files of the pack `name`: the base's blocks, then its own.
pub(crate) fn files(blocks: &[Block], name: &str) -> BTreeMap<String, String> {
    let names = if name == BASE { vec![BASE] } else { vec![BASE, name] };
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut clauses = Vec::new();
    for name in names {
        let mut script = None;
        for block in blocks.iter().filter(|block| block.name == name) {
            let path = match block.mark.as_str() {
                "pack" => "pack.toml".to_owned(),
                "terms" => "terms.toml".to_owned(),
                "contract" => "contract.md".to_owned(),
                "roster" => "roster.toml".to_owned(),
                "shifts" => "shifts/engineer.ics".to_owned(),
                "cases" => format!("cases/{name}.toml"),
                "clause" => {
                    // A block without a head goes on with the file before it.
                    if let Some(id) = block.clause() {
                        clauses.push(id.to_owned());
                        script = Some(format!("clauses/{}.rhai", id.replace('/', "-")));
                    }
                    script.clone().unwrap_or_else(|| panic!("{}: no `//! clause:` before it", block.place))
                }
                _ => continue,
            };
            let file = files.entry(path).or_default();
            if !file.is_empty() {
                file.push('\n');
            }
            file.push_str(&block.text);
        }
    }
    add_headings(files.entry("contract.md".to_owned()).or_default(), &clauses);
    files
}

/// Headings for the clauses whose words a guide does not print.
pub(crate) fn add_headings(contract: &mut String, clauses: &[String]) {
    for id in clauses {
        if !contract.contains(&format!("[{id}]")) {
            contract.push_str(&format!("\n## [{id}]\n"));
        }
    }
}
