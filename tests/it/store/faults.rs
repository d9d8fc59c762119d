//! The fault table: what can be wrong with a file, what is said of it, and that nothing is lost by it.

#![expect(clippy::disallowed_methods, reason = "the tests look into the files of stores and damage them")]

use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use holdback::store::{Access, SqliteStore, StoreError};
use holdback::{DurableEngine, TimeFrom};
use serde_json::json;

use super::kill::{ingest, told};
use super::{history, in_file, small_pack};

/// A closed store with events in it; gives the number of its records.
fn closed(folder: &Path) -> u64 {
    let mut engine = in_file(folder, TimeFrom::Events);
    engine.take_pack(small_pack()).unwrap();
    engine.ingest(history(20));
    let records = engine.records();
    engine.close().unwrap();
    records
}

/// A store whose writer was killed: its log is beside it.
fn killed(folder: &Path) -> u64 {
    let mut engine = in_file(folder, TimeFrom::Events);
    engine.take_pack(small_pack()).unwrap();
    engine.close().unwrap();
    let mut child = ingest(&folder.join("store.db"), 5);
    let events = history(20);
    let acknowledged = told(&mut child, &events, events.len() - 5);
    assert!(folder.join("store.db-wal").metadata().unwrap().len() > 0);
    acknowledged.len() as u64 + 1
}

fn refused(path: &Path) -> String {
    match DurableEngine::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

/// The store is as it was: whole, with so many records.
fn as_before(path: &Path, records: u64) {
    let engine = DurableEngine::open(path).unwrap_or_else(|error| panic!("{error}"));
    let found = engine.verify(true).unwrap();
    assert!(found.is_whole(), "{found:?}");
    assert_eq!(engine.records(), records);
}

/// Each file fault: how it comes about, what must be said, and how it is mended.
#[test]
fn files_that_cannot_be_used_are_told_with_the_way_out() {
    type Change = fn(&Path);
    let table: [(&str, Change, &[&str]); 6] = [
        ("missing", |path| fs::remove_file(path).unwrap(), &["no such store", "create one"]),
        (
            "empty",
            |path| fs::write(path, "").unwrap(),
            &["no store of Holdback (an empty file)", "nothing was changed"],
        ),
        (
            "text",
            |path| fs::write(path, "id,kind\n1,reported\n").unwrap(),
            &["(no SQLite database)", "another path"],
        ),
        (
            "another program's",
            |path| patch(path, 68, 0x1234_5678),
            &["application id 0x12345678", "nothing was changed"],
        ),
        ("newer schema", |path| patch(path, 60, 99), &["has schema 99", "use the newer program"]),
        ("cut off", |path| cut(path, 5000), &["holdback verify", "restore a backup"]),
    ];
    for (name, change, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let records = closed(folder.path());
        let path = folder.path().join("store.db");
        let whole = fs::read(&path).unwrap();
        change(&path);
        let altered = fs::read(&path).ok();
        let told = refused(&path);
        for part in expected {
            assert!(told.contains(part), "{name}: {told}");
        }
        assert!(told.contains("store.db"), "{name}: {told}");
        assert_eq!(fs::read(&path).ok(), altered, "{name}: the file was touched");
        fs::write(&path, whole).unwrap();
        as_before(&path, records);
    }
}

fn patch(path: &Path, at: usize, number: u32) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, at: usize) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..at]).unwrap();
}

#[test]
fn two_writers_are_one_too_many_and_readers_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let records = closed(folder.path());
    let path = folder.path().join("store.db");
    let mut writer = DurableEngine::open(&path).unwrap();
    assert!(refused(&path).contains("open in another process"));
    // Another process, too: it says so and changes nothing.
    let mut child = ingest(&path, 1);
    assert!(told(&mut child, &history(21), usize::MAX).is_empty());
    let event = history(21).into_iter().find(|event| event.id == "e20-reported").unwrap();
    writer.submit(event).unwrap();
    let reader = DurableEngine::open_to_read(&path).unwrap();
    assert_eq!(reader.records(), records + 1);
    assert!(reader.verify(false).unwrap().is_whole());
    drop(writer);
    as_before(&path, records + 1);
    assert!(matches!(SqliteStore::create(&path), Err(StoreError::Exists { .. })));
}

/// What happens to a log.
type Fault = fn(&Path);

#[test]
fn a_log_that_is_lost_or_torn_is_noticed() {
    let faults: [(&str, Fault); 3] = [
        ("missing", |log| fs::remove_file(log).unwrap()),
        ("torn", |log| cut(log, usize::try_from(log.metadata().unwrap().len()).unwrap() / 2)),
        ("altered", |log| {
            let mut bytes = fs::read(log).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            fs::write(log, bytes).unwrap();
        }),
    ];
    for (name, fault) in faults {
        let folder = tempfile::tempdir().unwrap();
        let records = killed(folder.path());
        let (path, log) = (folder.path().join("store.db"), folder.path().join("store.db-wal"));
        let (file, whole) = (fs::read(&path).unwrap(), fs::read(&log).unwrap());
        fault(&log);
        let torn = fs::read(&log).ok();
        let told = refused(&path);
        assert!(
            told.contains("was acknowledged") && told.contains("`-wal` file is torn or missing"),
            "{name}: {told}"
        );
        let read = SqliteStore::open(&path, Access::Read);
        assert!(read.is_err(), "{name}: `verify` would have taken it for whole");
        // The way out that loses nothing.
        fs::write(&path, &file).unwrap();
        let _ = fs::remove_file(folder.path().join("store.db-shm"));
        fs::write(&log, &whole).unwrap();
        let engine = DurableEngine::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(engine.records() >= records, "{name}");
        assert!(engine.verify(true).unwrap().is_whole());
        drop(engine);
        // The way out for somebody who has nothing better: what was not lost is whole.
        fs::write(&path, &file).unwrap();
        let _ = fs::remove_file(folder.path().join("store.db-shm"));
        match torn {
            Some(torn) => fs::write(&log, torn).unwrap(),
            None => drop(fs::remove_file(&log)),
        }
        fs::remove_file(folder.path().join("store.db-mark")).unwrap();
        let engine = DurableEngine::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(engine.verify(true).unwrap().is_whole());
    }
}

/// A shell that lets files grow so far, in blocks of 512 or 1024 bytes as the shell counts.
#[test]
fn a_full_disk_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("store.db");
    let mut engine = in_file(folder.path(), TimeFrom::Events);
    engine.take_pack(small_pack()).unwrap();
    engine.close().unwrap();
    let events = history(400);
    let input: String = events.iter().map(|event| json!(event).to_string() + "\n").collect();
    fs::write(folder.path().join("events"), input).unwrap();
    let script = format!(
        "trap '' XFSZ; ulimit -f 600; exec {} ingest --db store.db --batch 10 < events",
        env!("CARGO_BIN_EXE_holdback")
    );
    let out = Command::new("sh").args(["-c", &script]).current_dir(&folder).output().unwrap();
    let told = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{told}");
    assert!(told.contains("nothing more can be written") && told.contains("make room"), "{told}");
    let answers = String::from_utf8_lossy(&out.stdout).lines().count() as u64;
    assert!(answers > 50 && answers < events.len() as u64, "{answers} answers");
    let mut engine = DurableEngine::open(&db).unwrap();
    assert!(engine.records() > answers, "what was answered is there");
    assert!(engine.verify(true).unwrap().is_whole());
    // With room again it goes on.
    assert!(engine.ingest(events.clone()).iter().all(Result::is_ok));
    assert_eq!(engine.records(), events.len() as u64 + 1);
    assert!(engine.verify(true).unwrap().is_whole());
}

/// A mark that cannot be written: what was committed is answered as taken, and nothing is begun after it.
#[test]
fn a_mark_that_cannot_be_written_makes_no_answer_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let records = closed(folder.path());
    let (path, mark) = (folder.path().join("store.db"), folder.path().join("store.db-mark"));
    let old = fs::read(&mark).unwrap();
    let new: Vec<_> = history(22).into_iter().filter(|e| !history(20).iter().any(|o| o.id == e.id)).collect();
    // Where nothing can be written, though it can be opened.
    fs::remove_file(&mark).unwrap();
    std::os::unix::fs::symlink("/dev/full", &mark).unwrap();
    let mut child = ingest(&path, 1);
    let taken = told(&mut child, &new, usize::MAX);
    assert_eq!(taken.into_iter().collect::<Vec<_>>(), [new[0].id.clone()], "one was committed, and no other");
    let mut engine = DurableEngine::open(&path).unwrap();
    assert_eq!(engine.records(), records + 1);
    assert_eq!(engine.submit(new[0].clone()), Ok(Vec::new()), "it is known");
    // Two in one transaction: both are answered.
    assert!(engine.ingest(new[1..3].to_vec()).iter().all(Result::is_ok));
    let refused = engine.ingest(new[3..5].to_vec());
    for result in &refused {
        let told = result.as_ref().unwrap_err().to_string();
        for part in ["store.db-mark`", "all that was answered is kept", "was not taken"] {
            assert!(told.contains(part), "{told}");
        }
    }
    assert!(engine.event(&new[2].id).unwrap().is_some() && engine.event(&new[3].id).unwrap().is_none());
    assert!(engine.statement("c").unwrap().is_some(), "it can be asked");
    let told = engine.close().unwrap_err().to_string();
    assert!(told.contains("cannot be written"), "{told}");
    // The mark is behind now, with what it said before, or with nothing.
    for mark_was in [old, Vec::new()] {
        fs::remove_file(&mark).unwrap();
        fs::write(&mark, mark_was).unwrap();
        as_before(&path, records + 3);
    }
    let mut engine = DurableEngine::open(&path).unwrap();
    assert!(engine.ingest(new.clone()).iter().all(Result::is_ok));
    assert_eq!(engine.records(), records + new.len() as u64);
    engine.close().unwrap();
    as_before(&path, records + new.len() as u64);
}

/// Files and folders that cannot be written, seen by somebody who is not root.
#[test]
fn a_file_or_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let records = closed(folder.path());
    let path = folder.path().join("store.db");
    let program = folder.path().join("holdback");
    fs::copy(env!("CARGO_BIN_EXE_holdback"), &program).unwrap();
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&program, 0o755);
    let root = fs::OpenOptions::new().write(true).mode(0o600).open("/proc/self/oom_score_adj").is_ok();
    let run = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args).arg(&path).stdin(Stdio::null());
        if root && fs::metadata("/root").is_ok() {
            command.uid(65_534).gid(65_534);
        }
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
    };
    for name in ["store.db", "store.db-mark", "store.db-seal"] {
        mode(&folder.path().join(name), 0o444);
    }
    mode(folder.path(), 0o555);
    let (code, told) = run(&["ingest", "--db"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("cannot be written") && told.contains("must be writable"), "{told}");
    // It can be proved and read all the same.
    let (code, told) = run(&["verify", "--replay"]);
    assert_eq!(code, Some(0), "{told}");
    mode(folder.path(), 0o755);
    for name in ["store.db", "store.db-mark", "store.db-seal"] {
        mode(&folder.path().join(name), 0o644);
    }
    as_before(&path, records);
}

#[test]
fn a_clock_that_was_set_back_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = in_file(folder.path(), TimeFrom::Host);
    let at = |text: &str| text.parse().unwrap();
    engine.advance(at("2026-03-02T00:00:00Z")).unwrap();
    engine.take_pack(small_pack()).unwrap();
    engine.ingest(history(20));
    engine.advance(at("2026-03-03T00:00:00Z")).unwrap();
    let records = engine.records();
    assert_eq!(engine.advance(at("2026-03-01T00:00:00Z")), Ok(Vec::new()));
    assert_eq!((engine.now(), engine.records()), (at("2026-03-03T00:00:00Z"), records));
    engine.close().unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_holdback"))
        .args(["advance", "--to", "2026-03-01T00:00:00Z", "--db"])
        .arg(folder.path().join("store.db"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.code() == Some(1) && told.contains("time is 2026-03-03T00:00:00Z already"), "{told}");
    as_before(&folder.path().join("store.db"), records);
}
