use std::io::Write;
use std::path::PathBuf;

use super::*;

fn pack() -> Pack {
    let files = [
        (
            "pack.toml",
            "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]\n\
             [facts.urgent]\ntype = \"bool\"\n[facts.users]\ntype = \"integer\"\n[facts.room]\ntype = \"text\"",
        ),
        ("contract.md", "# [1] Repair\n# [2] Deposit"),
        (
            "clauses/1.rhai",
            "//! clause: 1\nfn deadlines(ticket) { [due(\"repair\").within(hours(2)).met_by(\"resolved\")] }",
        ),
        ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }"),
    ];
    Pack::from_files(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap()
}

/// What was read: events as `line:id`, faults as `line!reason`.
fn told(name: &str, bytes: &[u8]) -> Result<Vec<String>, String> {
    let pack = pack();
    let reading = Reading { pack: &pack, asked: None, usual: None };
    let mut list = Vec::new();
    let mut sink = |item| {
        list.push(match item {
            Item::Event(line, event) => format!("{line}:{}", event.id),
            Item::Malformed(malformed) => format!("{}!{}", malformed.line, malformed.reason),
        });
        ControlFlow::Continue(())
    };
    if bytes.starts_with(ZIP) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.zip");
        #[expect(clippy::disallowed_methods, reason = "a file to read")]
        std::fs::write(&path, bytes).unwrap();
        read(&path, &mut std::io::empty(), reading, &mut sink)?;
    } else if name.is_empty() {
        read(&PathBuf::from("-"), &mut &*bytes, reading, &mut sink)?;
    } else {
        events(Peeked::new(bytes)?, name, reading, &mut sink)?;
    }
    Ok(list)
}

fn line(id: &str) -> String {
    format!(r#"{{"id":"{id}","contract":"c","ticket":"T","kind":"reported","at":"2026-01-05T00:00:00Z"}}"#)
}

/// An item that begins so.
#[track_caller]
fn assert_told(found: &[String], expected: &[&str]) {
    let same = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| f.contains(e));
    assert!(same, "found {found:#?}, expected {expected:#?}");
}

#[test]
fn lines_may_end_in_cr_lf_and_begin_with_a_byte_order_mark() {
    let text = format!("\u{feff}{}\r\n\r\n  \n{}", line("a"), line("b"));
    for name in ["", "x.ndjson", "x.json", "x"] {
        assert_eq!(told(name, text.as_bytes()).unwrap(), ["1:a", "4:b"], "{name}");
    }
    assert_eq!(told("", b"").unwrap(), [""; 0]);
    assert_eq!(told("x.json", b" \n").unwrap(), [""; 0]);
}

#[test]
fn a_bad_line_is_told_with_its_number_and_the_next_is_read() {
    let mut bytes = format!("{}\n{{\"id\": \n", line("a")).into_bytes();
    bytes.extend(b"{\"id\":\"\xff\"}\n");
    bytes.extend(format!("{{\"a\":\"{}\"}}\n", "x".repeat(lines::LINE_BYTES_MAX)).bytes());
    bytes.extend(b"{\"id\":\"e\",\"contract\":\"c\",\"kind\":\"signed\",\"at\":\"yesterday\"}\n[1]\n99999999999999999999\n");
    bytes.extend(line("z").bytes());
    let found = told("events.ndjson", &bytes).unwrap();
    assert_told(
        &found,
        &[
            "1:a",
            "2!not an event: EOF",
            "3!not UTF-8 text: byte 8",
            "4!a line of more than",
            "5!",
            "6!",
            "7!",
            "8:z",
        ],
    );
    assert!(found[1].ends_with("at column 7"), "{}", found[1]);
    assert!(found[4].contains("yesterday"), "{}", found[4]);
}

#[test]
fn a_number_beyond_64_bits_is_left_to_the_schema_and_does_not_stop_the_reading() {
    let big = line("a").replace("\"T\"", "\"T\",\"data\":{\"users\":123456789012345678901234567890}");
    assert_eq!(told("", big.as_bytes()).unwrap(), ["1:a"]);
    let huge = line("b").replace("\"T\"", "\"T\",\"data\":{\"users\":1e999}");
    assert_told(&told("", format!("{}\n{huge}", line("a")).as_bytes()).unwrap(), &["1:a", "2!"]);
}

#[test]
fn an_array_gives_its_good_elements_and_tells_the_bad_ones() {
    let text = format!(
        "\u{feff} [\n{},\n {{\"id\": 7,\n \"kind\": }},\n\"a, ] \\\" text\",{},,\n{}\n]\n",
        line("a"),
        line("b"),
        line("c")
    );
    let found = told("", text.as_bytes()).unwrap();
    assert_told(&found, &["2:a", "3!", "5!", "5:b", "5!an element is missing before the comma", "6:c"]);
    assert!(found[1].contains("line 3") || found[1].contains("column"), "{}", found[1]);
    assert_eq!(told("x.json", b"[]").unwrap(), [""; 0]);
    assert_told(&told("", b"[1,]").unwrap(), &["1!", "1!an element is missing after the last comma"]);
    assert_told(
        &told("", format!("[{}] x", line("a")).as_bytes()).unwrap(),
        &["1:a", "1!text after the end"],
    );
}

#[test]
fn an_array_that_is_cut_off_keeps_what_came_before() {
    let whole = format!("[{},\n{}", line("a"), line("b"));
    assert_told(&told("", whole.as_bytes()).unwrap(), &["1:a", "2:b", "2!the array is not closed"]);
    let cut = format!("[{},\n{{\"id\":\"b", line("a"));
    assert_told(&told("", cut.as_bytes()).unwrap(), &["1:a", "2!the element that begins here is not closed"]);
    assert_told(&told("", b"[\n").unwrap(), &["2!the array is not closed"]);
}

#[test]
fn a_text_that_is_not_closed_costs_its_element_only() {
    let text = format!("[{{\"id\": \"a}},\n{},\n\"\\\\\",{}]", line("b"), line("c"));
    let found = told("", text.as_bytes()).unwrap();
    assert_told(&found, &["1!not an event: EOF while parsing a string", "2:b", "3!", "3:c"]);
    let text = format!("[{{\n\"id\": \"a,\n\"kind\": 1\n}},\n{}]", line("b"));
    let found = told("", text.as_bytes()).unwrap();
    assert_eq!(found.last().map(String::as_str), Some("5:b"), "{found:#?}");
}

const HEADER: &str = "id,contract,ticket,kind,at,via,urgent,users,room";

#[test]
fn a_table_becomes_events_with_facts_of_the_packs_types() {
    let text = format!(
        "\u{feff}{HEADER}\r\na,c,T,reported,2026-01-05T00:00:00Z,phone,true,12,12\r\n\r\nb,c,,signed,2026-01-05T00:00:00Z,,,,\"x \"\"y\"\"\nz\"\r\n"
    );
    let pack = pack();
    let mut list = Vec::new();
    let mut sink = |item| {
        if let Item::Event(line, event) = item {
            list.push((line, event));
        }
        ControlFlow::Continue(())
    };
    let reading = Reading { pack: &pack, asked: None, usual: None };
    events(Peeked::new(text.as_bytes()).unwrap(), "x.csv", reading, &mut sink).unwrap();
    let (line, event) = &list[0];
    assert_eq!((*line, event.ticket.as_deref(), event.via.as_deref()), (2, Some("T"), Some("phone")));
    assert_eq!(
        serde_json::to_value(&event.data).unwrap(),
        serde_json::json!({"urgent": true, "users": 12, "room": "12"})
    );
    let (line, event) = &list[1];
    assert_eq!((*line, &event.ticket, &event.via), (4, &None, &None));
    assert_eq!(serde_json::to_value(&event.data).unwrap(), serde_json::json!({"room": "x \"y\"\nz"}));
    assert_eq!(list.len(), 2);
}

#[test]
fn rows_of_another_width_and_marks_never_closed_cost_only_themselves() {
    let good = "c,T,reported,2026-01-05T00:00:00Z,,,,";
    let text = format!(
        "{HEADER}\na,{good}\nshort,c\nb,{good}\nbad,c,T,\"reported,2026,,,,\nc,{good}\nmark,c,T,reported,2026-01-05T00:00:00Z,,,,5\" disk\n\
         time,c,T,reported,5/1/2026,,,,\nd,{good}"
    );
    let found = told("x.csv", text.as_bytes()).unwrap();
    assert_told(
        &found,
        &[
            "2:a",
            "3!2 fields, expected 9",
            "4:b",
            "5!a quotation mark is opened",
            "6:c",
            "7:mark",
            "8!column `at`",
            "9:d",
        ],
    );
}

#[test]
fn a_header_that_cannot_be_used_is_told_whole() {
    let error = |text: &str| told("x.csv", text.as_bytes()).unwrap_err();
    assert!(error("id,when\n1,2\n").contains("no column `contract`, `kind`, `at`"), "{}", error("id,when\n"));
    assert!(error("id,id\n").contains("column `id` twice"));
    assert!(error("id,,at\n").contains("column 2"));
}

#[test]
fn what_was_written_by_a_csv_library_is_read_back() {
    let rows = [
        ["a", "b,c", "\"", ""],
        ["", "x\ny", "\"\"", "  "],
        ["1", "\r\n", "ü,\"ö\"", "last"],
        ["", "", "", "\""],
    ];
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(["h1", "h2", "h3", "h4"]).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    let bytes = writer.into_inner().unwrap();
    let mut records = Records::new(Lines::new(bytes.as_slice()));
    records.header().unwrap();
    for row in rows {
        let found = records.next().unwrap().unwrap();
        let fields: Vec<String> = found.fields.unwrap().iter().map(str::to_owned).collect();
        // CR LF within a field becomes LF, as everywhere.
        assert_eq!(fields, row.map(|field| field.replace("\r\n", "\n")));
    }
    assert!(records.next().unwrap().is_none());
}

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_zip_of_one_file_is_read_and_any_other_refused() {
    let events = format!("{}\n", line("a"));
    let good = zipped(&[("events.ndjson", &events), ("__MACOSX/._events.ndjson", "x")]);
    assert_eq!(told("", &good).unwrap(), ["1:a"]);
    let error = |bytes: &[u8]| told("", bytes).unwrap_err();
    let two = error(&zipped(&[("a.csv", HEADER), ("b.csv", HEADER)]));
    assert!(two.contains("2 files (`a.csv`, `b.csv`): expected exactly one"), "{two}");
    assert!(error(&zipped(&[])).contains("0 files"));
    assert!(error(&good[..good.len() / 2]).contains("the zip cannot be read"));
    let nested = zip_of_bytes(&good);
    assert!(error(&nested).contains("a zip within a zip"));
}

fn zip_of_bytes(inner: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("inner.zip", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(inner).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_zip_whose_content_is_damaged_is_an_error_not_a_short_log() {
    let text: String = (0..2_000).map(|i| line(&i.to_string()) + "\n").collect();
    let mut bytes = zipped(&[("events.ndjson", &text)]);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    let error = told("", &bytes).unwrap_err();
    assert!(error.contains("cannot be read"), "{error}");
}

#[test]
fn a_zip_may_come_through_standard_input() {
    let pack = pack();
    let reading = Reading { pack: &pack, asked: None, usual: None };
    let bytes = zipped(&[("events.json", &format!("[{}]", line("a")))]);
    let mut count = 0;
    let mut sink = |_| {
        count += 1;
        ControlFlow::Continue(())
    };
    read(&PathBuf::from("-"), &mut bytes.as_slice(), reading, &mut sink).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn other_encodings_are_named() {
    assert!(told("", b"\xff\xfe{\0").unwrap_err().contains("UTF-16"));
    assert!(told("", b"\x1f\x8b\x08").unwrap_err().contains("gzip"));
    assert!(told("x", b"hello").unwrap_err().contains("expected NDJSON, a JSON array, or CSV"));
}
