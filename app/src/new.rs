//! `holdback new`: a small whole pack to begin with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use chrono::{NaiveDateTime, SecondsFormat, TimeZone};
use chrono_tz::Tz;
use holdback::{Currency, Money, Pack, run_cases};

use crate::args::{Language, NewArgs};
use crate::{Console, FINE, Stop, did_you_mean};

/// A file of the template: its path within the pack, and its text.
type File = (&'static str, &'static str);

macro_rules! template {
    ($language:literal) => {
        [
            file!($language, "README.md"),
            file!($language, "contract.md"),
            file!($language, "terms.toml"),
            file!($language, "pack.toml"),
            file!($language, "clauses/1-response.rhai"),
            file!($language, "clauses/2-deposit.rhai"),
            file!($language, "cases/1-response.toml"),
            file!($language, "cases/2-deposit.toml"),
            file!($language, "example.csv"),
        ]
    };
}

macro_rules! file {
    ($language:literal, $path:literal) => {
        ($path, include_str!(concat!("../template/", $language, "/", $path)))
    };
}

const ENGLISH: [File; 9] = template!("en");
const CHINESE: [File; 9] = template!("zh");

/// Names and ids are written into TOML, Markdown and CSV as they are.
const NAME_MAX: usize = 100;

/// Time zones in which the official holidays of China hold.
const CHINA: [&str; 6] =
    ["Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "Asia/Urumqi", "PRC"];

pub(crate) fn new(args: &NewArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let target = Target::find(&args.pack)?;
    let filled = fill(args, &target.name)?;
    prove(&filled)?;
    target.write(&filled)?;
    console.say(&what_next(&args.pack, filled.len(), args.language))?;
    Ok(FINE)
}

/// Where a new folder goes.
pub(crate) struct Target {
    folder: PathBuf,
    /// The folder's own name, the pack's unless another is given.
    name: String,
    /// The folder is there already, and empty.
    exists: bool,
}

impl Target {
    pub(crate) fn find(folder: &Path) -> Result<Target, Stop> {
        let refuse = |why: String| Err(Stop::Unusable(format!("{}: {why}", folder.display())));
        let (exists, folder_at) = match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
            Ok(true) => (true, fs::canonicalize(folder)),
            Ok(false) => return refuse("exists and is not empty: expected a new folder".to_owned()),
            Err(_) if fs::symlink_metadata(folder).is_ok() => {
                return refuse("exists and is no folder that can be read: expected a new folder".to_owned());
            }
            Err(_) => (false, Ok(folder.to_owned())),
        };
        let Ok(at) = folder_at else { return refuse("cannot be read".to_owned()) };
        let name = match at.components().next_back() {
            Some(Component::Normal(name)) => name.to_str(),
            _ => None,
        };
        let Some(name) = name.map(str::to_owned) else {
            return refuse("is no name of a folder to write: expected one such as `my-pack`".to_owned());
        };
        let parent = parent(&at);
        if !parent.is_dir() {
            return refuse(format!("the folder `{}` does not exist", parent.display()));
        }
        Ok(Target { folder: at, name, exists })
    }

    /// All files or none: written under another name beside the folder, then moved.
    pub(crate) fn write(&self, files: &BTreeMap<String, String>) -> Result<(), Stop> {
        let waits_as = parent(&self.folder).join(format!(".{}.{}.part", self.name, std::process::id()));
        let written = fs::create_dir(&waits_as).map_err(|error| (waits_as.clone(), error)).and_then(|()| {
            let done = fill_folder(&waits_as, files).and_then(|()| self.settle(&waits_as));
            // What was moved is gone from here; what was given up leaves nothing behind.
            let _ = fs::remove_dir_all(&waits_as);
            done
        });
        written.map_err(|(path, error)| {
            Stop::Unusable(format!("{}: cannot be written: {error}", path.display()))
        })
    }

    fn settle(&self, from: &Path) -> Result<(), Fault> {
        if !self.exists {
            return fs::rename(from, &self.folder).map_err(|error| (self.folder.clone(), error));
        }
        let mut moved = Vec::new();
        let done = self.move_into(from, &mut moved);
        if done.is_err() {
            for path in &moved {
                let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            }
        }
        done
    }

    fn move_into(&self, from: &Path, moved: &mut Vec<PathBuf>) -> Result<(), Fault> {
        let entries = fs::read_dir(from).map_err(|error| (from.to_owned(), error))?;
        for entry in entries {
            let entry = entry.map_err(|error| (from.to_owned(), error))?;
            let to = self.folder.join(entry.file_name());
            fs::rename(entry.path(), &to).map_err(|error| (to.clone(), error))?;
            moved.push(to);
        }
        Ok(())
    }
}

/// A path, and why it could not be written.
type Fault = (PathBuf, std::io::Error);

#[expect(clippy::disallowed_methods, reason = "the user asks for files in this folder")]
fn fill_folder(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), Fault> {
    let at = |path: &Path, done: std::io::Result<()>| done.map_err(|error| (path.to_owned(), error));
    for (path, text) in files {
        let path = folder.join(path);
        at(&path, fs::create_dir_all(parent(&path)))?;
        at(&path, fs::write(&path, text))?;
    }
    Ok(())
}

/// The folder that holds a path; the current one for a bare name.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The template's files with their blanks filled in.
fn fill(args: &NewArgs, folder_name: &str) -> Result<BTreeMap<String, String>, Stop> {
    let name = args.name.as_deref().unwrap_or(folder_name);
    let contract = args.contract.as_deref().unwrap_or(name);
    check_name(if args.name.is_some() { "--name" } else { "the folder's name" }, name)?;
    check_name("--contract", contract)?;
    let currency: Currency =
        args.currency.parse().map_err(|error| Stop::Unusable(format!("--currency: {error}")))?;
    let zone: Tz = args.zone.parse().map_err(|_| {
        let near = did_you_mean(&args.zone, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let expected = "expected a name of the tz database, such as `Asia/Shanghai`";
        Stop::Unusable(format!("--zone: unknown time zone `{}`: {expected}{near}", args.zone))
    })?;
    let blanks = Blanks { name, contract, currency, zone, language: args.language };
    let template = match args.language {
        Language::En => &ENGLISH,
        Language::Zh => &CHINESE,
    };
    let mut files = BTreeMap::new();
    for (path, text) in template {
        let mut filled = blanks.fill(text)?;
        if path.ends_with(".csv") {
            // Spreadsheets take a text without this mark for another encoding.
            filled.insert(0, '\u{feff}');
        }
        files.insert((*path).to_owned(), filled);
    }
    Ok(files)
}

/// Refuses what would have to be escaped in one of the files.
fn check_name(what: &str, name: &str) -> Result<(), Stop> {
    let refuse = |why: String| Err(Stop::Unusable(format!("{what} `{}`: {why}", name.escape_debug())));
    if name.trim().is_empty() {
        return refuse("is empty".to_owned());
    }
    if name.trim() != name || name.chars().count() > NAME_MAX {
        return refuse(format!("expected at most {NAME_MAX} characters, with no space at either end"));
    }
    let fits = |c: char| c.is_alphanumeric() || " -_./()（）#:".contains(c);
    match name.chars().find(|c| !fits(*c)) {
        Some(bad) => refuse(format!(
            "`{}` cannot stand in it: expected letters, digits, spaces and any of - _ . / ( ) # :",
            bad.escape_debug()
        )),
        None => Ok(()),
    }
}

/// What the template leaves open.
struct Blanks<'a> {
    name: &'a str,
    contract: &'a str,
    currency: Currency,
    zone: Tz,
    language: Language,
}

impl Blanks<'_> {
    /// `@NAME@`, `@CONTRACT@`, `@CURRENCY@`, `@ZONE@`, `@HOLIDAYS@`, `@MONEY 100@` and `@AT 2026-03-02T10:00:00@` filled in.
    fn fill(&self, text: &str) -> Result<String, Stop> {
        let mut filled = String::with_capacity(text.len());
        for (i, part) in text.split('@').enumerate() {
            match i % 2 {
                0 => filled.push_str(part),
                _ => filled.push_str(&self.blank(part)?),
            }
        }
        Ok(filled)
    }

    fn blank(&self, blank: &str) -> Result<String, Stop> {
        let (word, rest) = blank.split_once(' ').unwrap_or((blank, ""));
        let filled = match word {
            "NAME" => Some(self.name.to_owned()),
            "CONTRACT" => Some(self.contract.to_owned()),
            "CURRENCY" => Some(self.currency.code().to_owned()),
            "ZONE" => Some(self.zone.name().to_owned()),
            "HOLIDAYS" => Some(self.holidays().to_owned()),
            "MONEY" => Money::parse(rest, self.currency).ok().map(Money::amount),
            "AT" => rest.parse::<NaiveDateTime>().ok().and_then(|at| self.instant(at)),
            _ => None,
        };
        filled.ok_or_else(|| Stop::Unusable(format!("the template's blank `{blank}` cannot be filled")))
    }

    /// A local time with the zone's offset.
    fn instant(&self, local: NaiveDateTime) -> Option<String> {
        let at = self.zone.from_local_datetime(&local).earliest()?;
        Some(at.to_rfc3339_opts(SecondsFormat::Secs, false))
    }

    fn holidays(&self) -> &'static str {
        match (CHINA.contains(&self.zone.name()), self.language) {
            (true, Language::En) => {
                "# China's official holidays and make-up working days. A year not yet published stops a ticket by name.\n\
                 holidays = [\"cn\"]\ndemand_data = true"
            }
            (true, Language::Zh) => {
                "# 中国法定节假日和调休上班日。尚未公布的年份会使工单停下并说明原因。\n\
                 holidays = [\"cn\"]\ndemand_data = true"
            }
            (false, Language::En) => {
                "# No holidays yet: name an iCalendar file that lies in this folder, such as \"holidays.ics\".\n\
                 holidays = []"
            }
            (false, Language::Zh) => {
                "# 还没有节假日：放一个 iCalendar 文件在本目录，再写上文件名，如 \"holidays.ics\"。\n\
                 holidays = []"
            }
        }
    }
}

/// A pack is written only when it is accepted and its cases hold.
fn prove(files: &BTreeMap<String, String>) -> Result<(), Stop> {
    let unusable = |why: String| Stop::Unusable(format!("the pack would not be accepted: {why}"));
    let pack = Pack::from_files(files.clone()).map_err(|error| unusable(error.to_string()))?;
    match run_cases(&Arc::new(pack)).into_iter().find(|case| !case.differences.is_empty()) {
        None => Ok(()),
        Some(case) => Err(unusable(format!("{}: the case `{}` does not hold", case.file, case.name))),
    }
}

fn what_next(folder: &Path, files: usize, language: Language) -> String {
    let pack = folder.display();
    let commands = format!(
        "  holdback check {pack}\n  holdback test {pack}\n  holdback run {pack} {example}\n  \
         holdback explain {pack} {example} --ticket T1\n",
        example = folder.join("example.csv").display()
    );
    match language {
        Language::En => {
            format!("{pack}: {files} files written\n\nTry it, then read its README.md:\n\n{commands}")
        }
        Language::Zh => {
            format!("{pack}：已写出 {files} 个文件\n\n先试运行，再读其中的 README.md：\n\n{commands}")
        }
    }
}
