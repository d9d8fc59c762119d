use std::io::{BufReader, Read};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{Field, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};
use proptest::prelude::*;

use super::*;

fn schema(columns: &[(&str, DataType, bool)]) -> SchemaRef {
    Arc::new(Schema::new(
        columns
            .iter()
            .map(|(name, kind, nullable)| Field::new(*name, kind.clone(), *nullable))
            .collect::<Vec<_>>(),
    ))
}

fn times() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn rows() -> SchemaRef {
    schema(&[
        ("contract", DataType::Utf8, false),
        ("kind", DataType::Utf8, true),
        ("reported_at", times(), true),
        ("count", DataType::Int64, true),
        ("open", DataType::Boolean, true),
    ])
}

fn events() -> SchemaRef {
    schema(&[
        ("contract", DataType::Utf8, false),
        ("ticket", DataType::Utf8, true),
        ("kind", DataType::Utf8, false),
        ("at", times(), false),
        ("priority", DataType::Utf8, true),
        ("reason", DataType::Utf8, true),
    ])
}

const EVENTS: Shape = Shape::Events { envelope: 4 };

/// All batches, and what was refused.
fn read(
    text: impl AsRef<[u8]>,
    schema: &SchemaRef,
    shape: Shape,
    size: usize,
) -> (Vec<RecordBatch>, Vec<Refused>) {
    // A small buffer, so that lines are cut at every place.
    let input = BufReader::with_capacity(7, text.as_ref());
    let mut reader = NdjsonReader::new(input, Arc::clone(schema), shape, size).unwrap();
    let (mut batches, mut refused) = (Vec::new(), Vec::new());
    while let Some(batch) = reader.next_batch(&mut |line| refused.push(line)).unwrap() {
        batches.push(batch);
    }
    (batches, refused)
}

fn one(line: &str) -> RecordBatch {
    let (batches, refused) = read(line, &rows(), Shape::Rows, 10);
    assert_eq!(refused, []);
    batches.into_iter().next().unwrap()
}

/// Column and reason of the one refusal.
fn refusal(line: &str, schema: &SchemaRef, shape: Shape) -> (Option<String>, String) {
    let (batches, mut refused) = read(line, schema, shape, 10);
    assert!(batches.is_empty() && refused.len() == 1, "{line}: {refused:?}");
    let refused = refused.remove(0);
    assert_eq!(refused.line, 1);
    (refused.column, refused.reason)
}

#[test]
fn rows_become_columns() {
    let text = concat!(
        r#"{"contract":"c","kind":"failure","reported_at":"2024-01-01T10:00:00Z","count":3,"open":true}"#,
        "\r\n\n  \n",
        r#"{ "count" : "-12", "contract": "d\u00e9\n", "kind": null, "reported_at": "2024-02-29T23:59:59.1234567+08:00" }"#,
        "\n",
        r#"{"contract":"é😀","open":false,"count":-9223372036854775808}"#,
    );
    let (batches, refused) = read(text, &rows(), Shape::Rows, 10);
    assert!(refused.is_empty() && batches.len() == 1, "{refused:?}");
    let columns = batches[0].columns();
    assert_eq!(columns[0].as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["c", "dé\n", "é😀"]);
    assert_eq!(columns[1].as_string::<i32>().iter().collect::<Vec<_>>(), [Some("failure"), None, None]);
    let at = columns[2].as_primitive::<TimestampMicrosecondType>();
    assert_eq!(
        at.iter().collect::<Vec<_>>(),
        [Some(1_704_103_200_000_000), Some(1_709_222_399_123_456), None]
    );
    let count = columns[3].as_primitive::<Int64Type>();
    assert_eq!(count.iter().collect::<Vec<_>>(), [Some(3), Some(-12), Some(i64::MIN)]);
    assert_eq!(columns[4].as_boolean().iter().collect::<Vec<_>>(), [Some(true), None, Some(false)]);
}

#[test]
fn events_become_columns_and_keys_that_nobody_wants_are_passed_over() {
    let text = concat!(
        r#"{"id":"1","contract":"c","ticket":"T1","kind":"reported","at":"2016-03-01T10:00:00Z","via":"phone","data":{"priority":"P1","reason":"customer"}}"#,
        "\n",
        r#"{"id":"2","contract":"c","kind":"signed","at":"2016-03-01T10:00:00Z","actor":null,"data":{}}"#,
        "\n",
        r#"{"data":null,"id":"3","contract":"c","kind":"signed","at":"2016-03-01T10:00:00Z"}"#,
    );
    let (batches, refused) = read(text, &events(), EVENTS, 10);
    assert!(refused.is_empty(), "{refused:?}");
    let texts = |column: usize| batches[0].column(column).as_string::<i32>().iter().collect::<Vec<_>>();
    assert_eq!(texts(1), [Some("T1"), None, None]);
    assert_eq!(texts(2), [Some("reported"), Some("signed"), Some("signed")]);
    assert_eq!(texts(4), [Some("P1"), None, None]);
    assert_eq!(texts(5), [Some("customer"), None, None]);
}

#[test]
fn batches_are_cut_by_rows_and_refused_lines_leave_no_trace() {
    let text: String = (0..10)
        .map(|row| match row {
            3 => "{\"contract\":\"x\",\"count\":1,\"kind\":\"y\",\"open\":7}\n".to_owned(),
            7 => "{\"contract\":\"x\",\"count\":1,\"count\":1}\n".to_owned(),
            _ => format!("{{\"contract\":\"c{row}\",\"count\":{row}}}\n"),
        })
        .collect();
    let (batches, refused) = read(&text, &rows(), Shape::Rows, 3);
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [3, 3, 2]);
    assert_eq!(refused.iter().map(|line| line.line).collect::<Vec<_>>(), [4, 8]);
    assert!(refused[0].excerpt.starts_with("{\"contract\":\"x\""));
    let counts: Vec<i64> = batches
        .iter()
        .flat_map(|batch| batch.column(3).as_primitive::<Int64Type>().values().to_vec())
        .collect();
    assert_eq!(counts, [0, 1, 2, 4, 5, 6, 8, 9]);
}

#[test]
fn every_refusal_names_its_column() {
    let cases = [
        (r#""cuont":1"#, "cuont", "is not a known key; did you mean `count`?"),
        (r#""banana":1"#, "banana", "is not a known key"),
        (r#""kind":"a","kind":"a""#, "kind", "is told twice"),
        (r#""kind":null,"kind":"a""#, "kind", "is told twice"),
        (r#""kind":5"#, "kind", "is the number `5`: expected text"),
        (r#""kind":true"#, "kind", "is `true`: expected text"),
        (r#""kind":["a"]"#, "kind", "is a list: expected text"),
        (r#""kind":{"a":1}"#, "kind", "is an object: expected text"),
        (r#""count":1.5"#, "count", "is the number `1.5`: expected a whole number of 64 bits"),
        (
            r#""count":9223372036854775808"#,
            "count",
            "is the number `9223372036854775808`: expected a whole number of 64 bits",
        ),
        (r#""count":"1e3""#, "count", "is `1e3`: expected a whole number of 64 bits"),
        (r#""open":"yes""#, "open", "is the text `yes`: expected true or false"),
        (r#""open":1"#, "open", "is the number `1`: expected true or false"),
        (
            r#""reported_at":"2024-01-01T10:00:00""#,
            "reported_at",
            "is `2024-01-01T10:00:00`, a time without zone: expected a time with offset, such as `2026-03-02T09:00:00+08:00`",
        ),
        (
            r#""reported_at":"2024-02-30T10:00:00Z""#,
            "reported_at",
            "is `2024-02-30T10:00:00Z`: expected a time with offset, such as `2026-03-02T09:00:00+08:00`",
        ),
        (
            r#""reported_at":1704103200"#,
            "reported_at",
            "is the number `1704103200`: expected a time with offset, such as `2026-03-02T09:00:00+08:00`",
        ),
    ];
    for (rest, column, reason) in cases {
        let found = refusal(&format!("{{\"contract\":\"c\",{rest}}}"), &rows(), Shape::Rows);
        assert_eq!(found, (Some(column.to_owned()), reason.to_owned()));
    }
    for line in ["{}", r#"{"kind":"a"}"#] {
        let found = refusal(line, &rows(), Shape::Rows);
        assert_eq!(found, (Some("contract".to_owned()), "is missing or null: expected a value".to_owned()));
    }
    let found = refusal(r#"{"contract":null}"#, &rows(), Shape::Rows);
    assert_eq!(found, (Some("contract".to_owned()), "is null: expected text".to_owned()));
}

#[test]
fn data_has_keys_of_its_own() {
    let event =
        |rest: &str| format!(r#"{{"id":"1","contract":"c","kind":"k","at":"2016-03-01T10:00:00Z"{rest}}}"#);
    let cases = [
        (r#","data":{"priorty":"P1"}"#, Some("priorty"), "is not a known key; did you mean `priority`?"),
        (r#","data":{"kind":"k"}"#, Some("kind"), "is not a known key"),
        (r#","priority":"P1""#, Some("priority"), "is not a known key"),
        (r#","data":{},"data":{}"#, Some("data"), "is told twice"),
        (r#","id":"1""#, Some("id"), "is told twice"),
        (r#","data":7"#, None, "not a row: invalid type: integer `7`, expected an object"),
    ];
    for (rest, column, reason) in cases {
        let found = refusal(&event(rest), &events(), EVENTS);
        assert_eq!(found.0.as_deref(), column);
        assert!(found.1.starts_with(reason), "{found:?}");
    }
}

#[test]
fn what_is_not_json_or_no_object_is_refused() {
    let cases = [
        (r#"{"contract":"c""#, "not JSON: EOF while parsing an object at byte 15"),
        (r#"{"contract":"c"} x"#, "not JSON: trailing characters at byte 18"),
        (r#"{"contract":"c","count":01}"#, "not JSON: invalid number at byte 26"),
        (r#"["c"]"#, "not a row: invalid type: sequence, expected an object"),
        ("null", "not a row: invalid type: null, expected an object"),
        ("\"c\"", "not a row: invalid type: string \"c\", expected an object"),
    ];
    for (line, reason) in cases {
        let (column, found) = refusal(line, &rows(), Shape::Rows);
        assert!(column.is_none() && found.starts_with(reason), "{found}");
    }
    let (_, refused) = read(b"{\"contract\":\"\xff\"}\n", &rows(), Shape::Rows, 1);
    assert_eq!(refused[0].reason, "not UTF-8 after byte 13");
    assert!(refused[0].excerpt.contains('\u{FFFD}'));
}

#[test]
fn a_line_beyond_the_bound_is_refused_and_the_next_one_read() {
    let long = format!("{{\"contract\":\"{}\"}}\n{{\"contract\":\"c\"}}\n", "x".repeat(3 * LONGEST));
    let input = BufReader::with_capacity(4096, long.as_bytes());
    let mut reader = NdjsonReader::new(input, rows(), Shape::Rows, 10).unwrap();
    let mut refused = Vec::new();
    let batch = reader.next_batch(&mut |line| refused.push(line)).unwrap().unwrap();
    assert_eq!((batch.num_rows(), refused.len()), (1, 1));
    assert_eq!(refused[0].reason, "longer than 1048576 bytes");
    assert_eq!(refused[0].excerpt.chars().count(), EXCERPT + 3);
    assert!(reader.begun.capacity() < 3 * LONGEST);
}

#[test]
fn columns_that_lines_cannot_fill_are_refused_by_name() {
    for kind in [DataType::Float64, DataType::Timestamp(TimeUnit::Microsecond, None)] {
        let schema = schema(&[("x", kind, true)]);
        let error = NdjsonReader::new(&b""[..], schema, Shape::Rows, 1).err().unwrap();
        assert!(error.to_string().starts_with("column `x` is of type `"), "{error}");
    }
}

#[test]
fn an_input_that_fails_is_told() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("cable pulled"))
        }
    }
    let mut reader = NdjsonReader::new(BufReader::new(Broken), rows(), Shape::Rows, 1).unwrap();
    let error = reader.next_batch(&mut |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "the lines cannot be read: cable pulled");
}

/// What the scanner makes of a line, or nothing where it gives up; and the same for `serde_json`.
fn both(line: &str, schema: &SchemaRef, shape: Shape) -> (Option<RecordBatch>, Option<RecordBatch>) {
    let mut keys = Keys::new(schema, shape);
    let mut columns = Columns::new(schema).unwrap();
    // Twice: the order of keys is learnt from the first.
    fast::read(line, &mut keys, &mut columns);
    columns.take_back();
    let before = columns.rows();
    let fast = fast::read(line, &mut keys, &mut columns).then(|| columns.batch(schema).unwrap());
    let fast = fast.map(|batch| batch.slice(before, 1));
    let mut columns = Columns::new(schema).unwrap();
    let slow = slow::read(line, &keys, &mut columns).is_ok().then(|| columns.batch(schema).unwrap());
    (fast, slow)
}

#[test]
fn the_usual_spelling_takes_the_fast_path() {
    for line in [
        r#"{"contract":"c","kind":"é","reported_at":"2024-01-01T10:00:00Z","count":3,"open":true}"#,
        r#"{"contract": "c", "kind": null, "reported_at": "2024-01-01T10:00:00.123+08:00", "count": "-3"}"#,
        r#"{"open":false,"count":0,"contract":""}"#,
    ] {
        assert!(both(line, &rows(), Shape::Rows).0.is_some(), "{line}");
    }
    one(r#"{"contract":"c"}"#);
}

fn a_time() -> impl Strategy<Value = String> {
    let part = |most: u32| 0..most;
    let zone = prop_oneof![
        Just("Z".to_owned()),
        Just("z".to_owned()),
        Just(String::new()),
        (part(26), part(62)).prop_map(|(hours, minutes)| format!("+{hours:02}:{minutes:02}")),
        (part(26), part(62)).prop_map(|(hours, minutes)| format!("-{hours:02}:{minutes:02}")),
    ];
    let fraction = prop_oneof![Just(String::new()), "\\.[0-9]{0,11}"];
    let moment = (1960_u32..2220, part(14), part(33), part(25), part(61), part(62));
    (moment, "[T t]", fraction, zone).prop_map(
        |((year, month, day, hour, minute, second), t, fraction, zone)| {
            format!("{year:04}-{month:02}-{day:02}{t}{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
        },
    )
}

fn a_value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => a_time().prop_map(|time| format!("\"{time}\"")),
        2 => "[a-zé 😀]{0,20}".prop_map(|text| format!("\"{text}\"")),
        1 => ".{0,12}".prop_map(|text| serde_json::Value::from(text).to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<i64>().prop_map(|number| format!("\"{number}\"")),
        2 => "-?[0-9]{1,3}",
        1 => "\"[-+]?[0-9]{1,20}\"",
        1 => prop_oneof![Just("null"), Just("true"), Just("false"), Just("1.0"), Just("{}"), Just("[]")]
            .prop_map(str::to_owned),
    ]
}

fn a_row() -> impl Strategy<Value = String> {
    let names = ["contract", "kind", "reported_at", "count", "open", "opne"];
    let pair = (0..names.len(), a_value(), " ?", " ?")
        .prop_map(move |(name, value, before, after)| format!("{before}\"{}\":{after}{value}", names[name]));
    proptest::collection::vec(pair, 0..5).prop_map(|pairs| {
        format!("{{\"contract\":\"c\"{}{}}}", if pairs.is_empty() { "" } else { "," }, pairs.join(","))
    })
}

fn an_event() -> impl Strategy<Value = String> {
    let pair = (
        prop_oneof![Just("id"), Just("via"), Just("ticket"), Just("data")],
        prop_oneof![
            3 => a_value(),
            1 => (a_value(), a_value()).prop_map(|(a, b)| format!("{{\"priority\":{a},\"reason\":{b}}}")),
        ],
    );
    (a_time(), proptest::collection::vec(pair, 0..4)).prop_map(|(at, pairs)| {
        let rest: String = pairs.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!("{{\"contract\":\"c\",\"kind\":\"k\",\"at\":\"{at}\"{rest}}}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_the_scanner_accepts_serde_json_reads_alike(row in a_row(), event in an_event()) {
        for (line, schema, shape) in [(row, rows(), Shape::Rows), (event, events(), EVENTS)] {
            let (fast, slow) = both(&line, &schema, shape);
            prop_assert!(fast.is_none() || fast == slow, "{}: {:?} {:?}", line, fast, slow);
        }
    }

    #[test]
    fn a_byte_changed_anywhere_changes_nothing_of_that(
        row in a_row(), event in an_event(), place in any::<prop::sample::Index>(), byte in 1_u8..127,
    ) {
        for (line, schema, shape) in [(row, rows(), Shape::Rows), (event, events(), EVENTS)] {
            let mut bytes = line.into_bytes();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            let Ok(line) = String::from_utf8(bytes) else { continue };
            let (fast, slow) = both(&line, &schema, shape);
            prop_assert!(fast.is_none() || fast == slow, "{}: {:?} {:?}", line, fast, slow);
        }
    }
}
