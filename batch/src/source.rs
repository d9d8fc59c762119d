//! Files of tickets and events, read batch by batch, and as often as is needed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use holdback::{FactType, Pack};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::statistics::Statistics;

use crate::BatchError;
use crate::error::Refused;
use crate::ndjson::{NdjsonReader, Shape};

/// So many rows are read at a time.
pub(crate) const READ: usize = if cfg!(test) { 1 << 10 } else { 1 << 16 };

/// The first line of JSON lines is no longer.
const LINE_MAX: u64 = 1 << 20;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Parquet,
    ArrowFile,
    ArrowStream,
    Csv,
    Json,
}

/// A file that is read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    form: Form,
    /// Sorted rows, when those of the file had to be put in order.
    sorted: Option<RecordBatch>,
    schema: SchemaRef,
    /// How many rows there are, if the file says so.
    pub(crate) rows: Option<u64>,
    shape: Shape,
    /// Lines that could not be read, of the last reading.
    pub(crate) refused: Arc<Mutex<Vec<Refused>>>,
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, BatchError>> + Send>;

impl Source {
    /// Opens a file and says what it is by its first bytes, else by its name.
    pub(crate) fn open(path: &Path, pack: &Pack) -> Result<Source, BatchError> {
        let fault = |reason: String| BatchError::File { path: path.display().to_string(), reason };
        let mut file = open(path)?;
        let mut head = [0_u8; 6];
        let read = file.read(&mut head).map_err(|error| fault(error.to_string()))?;
        let head = &head[..read];
        let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
        let ending =
            path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        let form = match (head, ending.as_str()) {
            (head, _) if head.starts_with(b"PAR1") => Form::Parquet,
            (head, _) if head.starts_with(b"ARROW1") => Form::ArrowFile,
            (head, _) if head.starts_with(b"\xff\xff\xff\xff") => Form::ArrowStream,
            (head, _) if head.starts_with(b"PK") || head.starts_with(b"\x1f\x8b") => {
                return Err(fault("a packed file: unpack it first".to_owned()));
            }
            (_, "parquet" | "arrow" | "feather" | "ipc") => {
                return Err(fault(format!("not what its name says: expected {ending} data")));
            }
            (_, "ndjson" | "jsonl" | "json") => Form::Json,
            (_, "csv") => Form::Csv,
            _ if first == Some(&b'{') => Form::Json,
            _ if read == 0 => return Err(fault("an empty file".to_owned())),
            _ => Form::Csv,
        };
        let mut source = Source {
            path: path.to_owned(),
            form,
            sorted: None,
            schema: Arc::new(Schema::empty()),
            rows: None,
            shape: Shape::Rows,
            refused: Arc::default(),
        };
        file.seek(SeekFrom::Start(0)).map_err(|error| fault(error.to_string()))?;
        source.schema = match form {
            Form::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| source.data(&e))?;
                source.rows = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
                builder.schema().clone()
            }
            Form::ArrowFile => {
                let reader =
                    arrow::ipc::reader::FileReader::try_new(file, None).map_err(|e| source.data(&e))?;
                reader.schema()
            }
            Form::ArrowStream => {
                let reader = arrow::ipc::reader::StreamReader::try_new(BufReader::new(file), None);
                reader.map_err(|e| source.data(&e))?.schema()
            }
            Form::Csv => csv_schema(file, pack).map_err(|e| source.data(&e))?,
            Form::Json => {
                let (schema, shape) = json_schema(file, pack).map_err(fault)?;
                source.shape = shape;
                schema
            }
        };
        Ok(source)
    }

    fn data(&self, error: &dyn std::fmt::Display) -> BatchError {
        BatchError::Data { place: self.path.display().to_string(), reason: error.to_string() }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The file's own word on whether a column has missing values; nothing when it has none.
    pub(crate) fn nulls(&self, column: &str) -> Option<u64> {
        if self.schema.field_with_name(column).is_ok_and(|field| !field.is_nullable()) {
            return Some(0);
        }
        if self.form != Form::Parquet {
            return None;
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new(open(&self.path).ok()?).ok()?;
        let place =
            builder.parquet_schema().columns().iter().position(|known| known.path().string() == column)?;
        let groups = builder.metadata().row_groups().iter();
        groups.map(|group| group.column(place).statistics()?.null_count_opt()).sum()
    }

    /// The greatest instant in these columns by the file's own word; nothing when it does not say, or all are missing.
    pub(crate) fn last_of(&self, columns: &[usize]) -> Option<i64> {
        if self.form != Form::Parquet {
            return None;
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new(open(&self.path).ok()?).ok()?;
        let instants = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let flat = builder.parquet_schema().num_columns() == self.schema.fields().len();
        let mut last = None;
        for column in columns {
            if !flat || *self.schema.fields().get(*column)?.data_type() != instants {
                return None;
            }
            for group in builder.metadata().row_groups() {
                let said = group.column(*column).statistics()?;
                let Statistics::Int64(of) = said else { return None };
                match of.max_opt() {
                    Some(most) if of.max_is_exact() => last = last.max(Some(*most)),
                    // None is there.
                    None if said.null_count_opt() == u64::try_from(group.num_rows()).ok() => {}
                    _ => return None,
                }
            }
        }
        last
    }

    /// All rows from a number on; the first has the number 1.
    pub(crate) fn from(&self, row: u64) -> Result<Batches, BatchError> {
        let mut before = usize::try_from(row.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut batches = self.batches(None)?;
        if self.form == Form::Parquet && self.sorted.is_none() {
            // Batches begin where they would have begun, so that what is made of them is the same.
            let whole = before / READ * READ;
            batches = self.read(None, whole)?;
            before -= whole;
        }
        Ok(Box::new(batches.map(move |batch| {
            let batch = batch?;
            let skipped = before.min(batch.num_rows());
            before -= skipped;
            Ok(batch.slice(skipped, batch.num_rows() - skipped))
        })))
    }

    /// All rows, only of these columns.
    pub(crate) fn batches(&self, columns: Option<&[usize]>) -> Result<Batches, BatchError> {
        self.read(columns, 0)
    }

    /// The rows of these columns; of a Parquet file without so many of the first.
    fn read(&self, columns: Option<&[usize]>, before: usize) -> Result<Batches, BatchError> {
        let place = self.path.display().to_string();
        let fault = move |reason: String| BatchError::Data { place: place.clone(), reason };
        if let Some(sorted) = &self.sorted {
            let (rows, sorted) = (sorted.num_rows(), sorted.clone());
            let parts =
                (0..rows).step_by(READ).map(move |from| Ok(sorted.slice(from, READ.min(rows - from))));
            return Ok(Box::new(parts));
        }
        let file = open(&self.path)?;
        Ok(match self.form {
            Form::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| self.data(&e))?;
                let mask = match columns {
                    Some(columns) => parquet::arrow::ProjectionMask::roots(
                        builder.parquet_schema(),
                        columns.iter().copied(),
                    ),
                    None => parquet::arrow::ProjectionMask::all(),
                };
                let builder = builder.with_batch_size(READ).with_projection(mask);
                let builder = if before > 0 { builder.with_offset(before) } else { builder };
                let reader = builder.build().map_err(|e| self.data(&e))?;
                // What is left out stands empty, so that columns keep their places.
                let (whole, wanted) = (Arc::clone(&self.schema), columns.map(<[usize]>::to_vec));
                Box::new(reader.map(move |batch| {
                    let batch = batch.map_err(|error| fault(error.to_string()))?;
                    match &wanted {
                        None => Ok(batch),
                        Some(wanted) => {
                            filled(&whole, wanted, &batch).map_err(|error| fault(error.to_string()))
                        }
                    }
                }))
            }
            Form::ArrowFile => {
                let reader = arrow::ipc::reader::FileReader::try_new(BufReader::new(file), None)
                    .map_err(|e| self.data(&e))?;
                Box::new(reader.map(move |batch| batch.map_err(|error| fault(error.to_string()))))
            }
            Form::ArrowStream => {
                let reader = arrow::ipc::reader::StreamReader::try_new(BufReader::new(file), None);
                let reader = reader.map_err(|e| self.data(&e))?;
                Box::new(reader.map(move |batch| batch.map_err(|error| fault(error.to_string()))))
            }
            Form::Csv => {
                let builder = arrow::csv::ReaderBuilder::new(Arc::clone(&self.schema)).with_header(true);
                let reader = builder.with_batch_size(READ).build(file).map_err(|e| self.data(&e))?;
                Box::new(reader.map(move |batch| batch.map_err(|error| fault(error.to_string()))))
            }
            Form::Json => {
                let reader = NdjsonReader::new(
                    BufReader::with_capacity(1 << 18, file),
                    Arc::clone(&self.schema),
                    self.shape,
                    READ,
                );
                let mut reader = reader.map_err(|e| self.data(&e))?;
                let refused = Arc::clone(&self.refused);
                Box::new(std::iter::from_fn(move || {
                    let mut refuse = |line: crate::ndjson::Refused| {
                        let reason = format!("{} (line begins {})", line.reason, line.excerpt);
                        let told = Refused { row: line.line, column: line.column, reason };
                        if let Ok(mut refused) = refused.lock() {
                            refused.push(told);
                        }
                    };
                    match reader.next_batch(&mut refuse) {
                        Ok(batch) => batch.map(Ok),
                        Err(error) => Some(Err(fault(error.to_string()))),
                    }
                }))
            }
        })
    }

    /// The same rows, those of one ticket together: all of them are read, as far as that much memory reaches.
    pub(crate) fn sorted(mut self, by: &[usize], memory: u64) -> Result<Source, BatchError> {
        let (mut all, mut bytes) = (Vec::new(), 0_u64);
        for batch in self.batches(None)? {
            let batch = batch?;
            bytes += batch.get_array_memory_size() as u64;
            if bytes > memory / 3 {
                return Err(BatchError::Order(format!(
                    "{}: the events of a ticket lie apart, and the file is too large to put them together within {} MiB: \
                     sort it by contract and ticket, or give more with --memory",
                    self.path.display(),
                    memory >> 20,
                )));
            }
            all.push(batch);
        }
        let whole = arrow::compute::concat_batches(&self.schema, &all).map_err(|e| self.data(&e))?;
        drop(all);
        let columns: Vec<_> = by
            .iter()
            .filter_map(|place| whole.columns().get(*place))
            .map(|values| arrow::compute::SortColumn { values: Arc::clone(values), options: None })
            .collect();
        // Rows of one ticket keep their order: the row's own number comes last.
        let numbers = arrow::array::UInt64Array::from_iter_values(0..whole.num_rows() as u64);
        let last = arrow::compute::SortColumn { values: Arc::new(numbers), options: None };
        let columns: Vec<_> = columns.into_iter().chain([last]).collect();
        let order = arrow::compute::lexsort_to_indices(&columns, None).map_err(|e| self.data(&e))?;
        let sorted = arrow::compute::take_record_batch(&whole, &order).map_err(|e| self.data(&e))?;
        self.sorted = Some(sorted);
        Ok(self)
    }
}

#[expect(clippy::disallowed_methods, reason = "the user names the file")]
fn open(path: &Path) -> Result<File, BatchError> {
    let fault = |reason: String| BatchError::File { path: path.display().to_string(), reason };
    let file = File::open(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    if file.metadata().is_ok_and(|known| known.is_dir()) {
        return Err(fault("a folder, expected a file".to_owned()));
    }
    Ok(file)
}

/// The batch with all columns of the schema, those that were not read without values.
fn filled(
    whole: &SchemaRef,
    wanted: &[usize],
    batch: &RecordBatch,
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut read = batch.columns().iter();
    let mut fields = Vec::with_capacity(whole.fields().len());
    let mut columns = Vec::with_capacity(whole.fields().len());
    let mut sorted: Vec<usize> = wanted.to_vec();
    sorted.sort_unstable();
    for (place, field) in whole.fields().iter().enumerate() {
        let column = if sorted.binary_search(&place).is_ok() { read.next() } else { None };
        match column {
            Some(column) => {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(column));
            }
            None => {
                fields.push(Arc::new(Field::new(field.name(), DataType::Null, true)));
                columns.push(Arc::new(arrow::array::NullArray::new(batch.num_rows())) as Arc<dyn Array>);
            }
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// The type of a column of a file that does not say so itself.
fn type_of(pack: &Pack, name: &str) -> DataType {
    let fact = pack.facts().iter().find(|fact| fact.name == name).map(|fact| &fact.of);
    match fact {
        Some(FactType::Bool) => DataType::Boolean,
        Some(FactType::Integer) => DataType::Int64,
        _ => DataType::Utf8,
    }
}

fn csv_schema(file: File, pack: &Pack) -> Result<SchemaRef, arrow::error::ArrowError> {
    let (header, _) = arrow::csv::reader::Format::default().with_header(true).infer_schema(file, Some(0))?;
    let field = |field: &Arc<Field>| Field::new(field.name(), type_of(pack, field.name()), true);
    Ok(Arc::new(Schema::new(header.fields().iter().map(field).collect::<Vec<_>>())))
}

/// The keys of the first line; later lines must not have others. An event is told by its `kind` and `at`.
fn json_schema(file: File, pack: &Pack) -> Result<(SchemaRef, Shape), String> {
    let mut line = String::new();
    let mut reader = BufReader::new(file).take(LINE_MAX);
    while line.trim().is_empty() {
        line.clear();
        if reader.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
            break;
        }
    }
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let first: serde_json::Value = serde_json::from_str(&line).map_err(|error| format!("line 1: {error}"))?;
    let Some(object) = first.as_object() else { return Err("line 1: expected a JSON object".to_owned()) };
    if object.contains_key("kind") && object.contains_key("at") {
        let mut fields: Vec<Field> = ["id", "contract", "ticket", "kind"].map(text).into();
        fields.push(Field::new("at", instants_type(), true));
        fields.extend(["via", "actor"].map(text));
        let envelope = fields.len();
        let own: Vec<&str> = pack.facts().iter().map(|fact| fact.name.as_str()).collect();
        fields
            .extend(pack.facts().iter().map(|fact| Field::new(&fact.name, type_of(pack, &fact.name), true)));
        let data =
            ["reason", "note", "amount", "penalty", "duty", "outage", "service", "window", "from", "until"];
        fields.extend(data.into_iter().filter(|name| !own.contains(name)).map(text));
        if !own.contains(&"receipt") {
            fields.push(Field::new("receipt", DataType::Boolean, true));
        }
        return Ok((Arc::new(Schema::new(fields)), Shape::Events { envelope }));
    }
    let kinds: Vec<&str> = pack.event_kinds().collect();
    let field = |name: &String| {
        let is_fact = pack.facts().iter().any(|fact| fact.name == *name);
        let kind = name.strip_suffix("_at").unwrap_or(name);
        let of = if !is_fact && kinds.contains(&kind) { instants_type() } else { type_of(pack, name) };
        Field::new(name, of, true)
    };
    Ok((Arc::new(Schema::new(object.keys().map(field).collect::<Vec<_>>())), Shape::Rows))
}

/// The type of instants.
pub(crate) fn instants_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}
