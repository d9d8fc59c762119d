//! Tables written as Parquet, each file under another name until it is whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use crate::BatchError;

/// A file on its way. It has its name when it is finished; given up, nothing of it stays.
pub(crate) struct Part {
    path: PathBuf,
    waits_as: PathBuf,
    file: Option<BufWriter<File>>,
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> BatchError {
    BatchError::File { path: path.display().to_string(), reason: format!("cannot be written: {error}") }
}

impl Part {
    #[expect(clippy::disallowed_methods, reason = "the user asks for this file")]
    pub(crate) fn begin(path: &Path) -> Result<Part, BatchError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("out");
        let waits_as = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = File::create(&waits_as).map_err(|error| unwritable(&waits_as, &error))?;
        Ok(Part { path: path.to_owned(), waits_as, file: Some(BufWriter::with_capacity(1 << 20, file)) })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), BatchError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(|error| unwritable(&self.path, &error))
    }

    /// Everything is on the disk, and has its name.
    pub(crate) fn finish(mut self) -> Result<(), BatchError> {
        if let Some(mut file) = self.file.take() {
            let done = file.flush().and_then(|()| file.get_ref().sync_all());
            if let Err(error) = done.and_then(|()| fs::rename(&self.waits_as, &self.path)) {
                let _ = fs::remove_file(&self.waits_as);
                return Err(unwritable(&self.path, &error));
            }
        }
        Ok(())
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Work that was given up leaves nothing behind; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&self.waits_as);
        }
    }
}

/// How result tables are written: numbers of a kind as they lie, names in dictionaries.
fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(1 << 20))
        .set_dictionary_enabled(true);
    for plain in [
        "ticket",
        "reported",
        "started",
        "due",
        "met",
        "late_us",
        "paused_us",
        "penalty",
        "deducted",
        "shortfall",
        "balance",
    ] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(plain), false);
    }
    for at in ["reported", "started", "due", "met", "late_us", "paused_us"] {
        properties = properties.set_column_encoding(ColumnPath::from(at), Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

/// A Parquet file of result tables.
pub(crate) struct Tables {
    writer: SerializedFileWriter<Part>,
    factory: Arc<ArrowRowGroupWriterFactory>,
    path: PathBuf,
}

/// A table as the columns of a row group, ready to be put into a file.
pub(crate) struct Encoded(Vec<ArrowColumnChunk>);

/// Makes row groups, on any thread.
#[derive(Clone)]
pub(crate) struct Encoder {
    factory: Arc<ArrowRowGroupWriterFactory>,
    schema: SchemaRef,
}

impl Encoder {
    pub(crate) fn encode(&self, table: &RecordBatch) -> Result<Encoded, parquet::errors::ParquetError> {
        let mut writers = self.factory.create_column_writers(0)?;
        let mut next = writers.iter_mut();
        for (field, column) in self.schema.fields().iter().zip(table.columns()) {
            for leaf in compute_leaves(field, column)? {
                if let Some(writer) = next.next() {
                    writer.write(&leaf)?;
                }
            }
        }
        Ok(Encoded(writers.into_iter().map(|writer| writer.close()).collect::<Result<_, _>>()?))
    }
}

impl Tables {
    pub(crate) fn begin(path: &Path, schema: &SchemaRef) -> Result<(Tables, Encoder), BatchError> {
        let fault = |error: parquet::errors::ParquetError| unwritable(path, &error);
        let parquet = ArrowSchemaConverter::new().convert(schema).map_err(fault)?;
        let mut properties = properties();
        parquet::arrow::add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        let part = Part::begin(path)?;
        let writer = SerializedFileWriter::new(part, parquet.root_schema_ptr(), Arc::new(properties))
            .map_err(fault)?;
        let factory = Arc::new(ArrowRowGroupWriterFactory::new(&writer, Arc::clone(schema)));
        let encoder = Encoder { factory: Arc::clone(&factory), schema: Arc::clone(schema) };
        Ok((Tables { writer, factory, path: path.to_owned() }, encoder))
    }

    pub(crate) fn put(&mut self, encoded: Encoded) -> Result<(), BatchError> {
        let fault = |error: parquet::errors::ParquetError| unwritable(&self.path, &error);
        let mut group = self.writer.next_row_group().map_err(fault)?;
        for chunk in encoded.0 {
            chunk.append_to_row_group(&mut group).map_err(fault)?;
        }
        group.close().map_err(fault)?;
        Ok(())
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<(), BatchError> {
        let Tables { writer, factory, path } = self;
        drop(factory);
        let part = writer.into_inner().map_err(|error| unwritable(&path, &error))?;
        part.finish()
    }
}
