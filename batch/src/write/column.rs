//! Arrow columns as the pages of a Parquet row group: numbers as they lie or as differences, names in dictionaries.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Decimal64Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt32Type};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};

use super::numbers::{BLOCK, Numbers, few, picked};
use super::pack;

/// A column on its way into a file.
pub(crate) enum Column<'a> {
    Array(ArrayRef),
    /// So many missing values.
    Nothing(usize),
    /// Numbers, and which of them are there.
    Numbers(Box<dyn Numbers + 'a>, Option<NullBuffer>),
    /// The same of sums, of which many are alike.
    Sums(Box<dyn Numbers + 'a>, Option<NullBuffer>),
    Bits(BooleanBuffer),
    /// Texts, how often each stands, and how many rows that makes.
    Texts(Box<dyn Iterator<Item = (&'a str, usize)> + 'a>, usize),
    /// Codes of names.
    Names(Vec<u32>, Vec<&'a str>),
    Few(Vec<u8>, &'a [&'a str]),
    /// Codes of names that come again and again, up to so many rows.
    Pattern {
        codes: Vec<u32>,
        texts: Vec<&'a str>,
        rows: usize,
    },
}

/// Where a column's pages lie in what was written, and what they are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub(super) at: u64,
    pub(super) bytes: u64,
    /// Bytes of the dictionary's page before the values; zero for none.
    pub(super) dictionary: u64,
    pub(super) values: u64,
    pub(super) form: Form,
}

impl Chunk {
    /// It lies so many bytes further on.
    pub(super) fn shift(&mut self, by: u64) {
        self.at += by;
    }
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    Plain,
    Differences,
    Fronts,
    Dictionary,
}

/// The encoding of levels, by its number in Parquet.
const RLE: u64 = 3;

impl Form {
    /// Its number in Parquet.
    fn number(self) -> u64 {
        match self {
            Form::Plain => 0,
            Form::Differences => 5,
            Form::Fronts => 7,
            Form::Dictionary => 8,
        }
    }

    pub(super) fn encoding(self) -> Encoding {
        match self {
            Form::Plain => Encoding::PLAIN,
            Form::Differences => Encoding::DELTA_BINARY_PACKED,
            Form::Fronts => Encoding::DELTA_BYTE_ARRAY,
            Form::Dictionary => Encoding::RLE_DICTIONARY,
        }
    }
}

/// Pages one after another, not yet put together.
#[derive(Default)]
pub(super) struct Pages {
    pub(super) pieces: Vec<Vec<u8>>,
    bytes: u64,
}

/// Kinds of pages, by their numbers in Parquet.
const DATA: u64 = 0;
const DICTIONARY: u64 = 2;

impl Pages {
    /// Puts a page with its header before it: Thrift's compact form of Parquet's PageHeader.
    fn page(&mut self, kind: u64, values: usize, form: Form, page: Vec<u8>) -> Result<u64, ParquetError> {
        const NUMBER: u8 = 0x15;
        let too_large = || ParquetError::General("a page of more than 2 GiB".to_owned());
        let size = i32::try_from(page.len()).map_err(|_| too_large())?;
        let values = i32::try_from(values).map_err(|_| too_large())?;
        let mut header = Vec::with_capacity(32);
        // Numbers are told as twice themselves, since none is below zero.
        let number = |n: u64, out: &mut Vec<u8>| {
            out.push(NUMBER);
            pack::varint(n << 1, out);
        };
        number(kind, &mut header);
        number(size.unsigned_abs().into(), &mut header);
        number(size.unsigned_abs().into(), &mut header);
        // The header of a data page is the fifth field, that of a dictionary the seventh.
        header.push(if kind == DATA { 0x2c } else { 0x4c });
        number(values.unsigned_abs().into(), &mut header);
        number(form.number(), &mut header);
        if kind == DATA {
            number(RLE, &mut header);
            number(RLE, &mut header);
        }
        header.extend_from_slice(&[0, 0]);
        let bytes = (header.len() + page.len()) as u64;
        self.pieces.extend([header, page]);
        self.bytes += bytes;
        Ok(bytes)
    }

    fn put(
        &mut self,
        rows: usize,
        form: Form,
        dictionary: Option<(Vec<u8>, usize)>,
        values: Vec<u8>,
    ) -> Result<Chunk, ParquetError> {
        let at = self.bytes;
        let dictionary = match dictionary {
            None => 0,
            Some((texts, count)) => self.page(DICTIONARY, count, Form::Plain, texts)?,
        };
        let data = self.page(DATA, rows, form, values)?;
        Ok(Chunk { at, bytes: dictionary + data, dictionary, values: rows as u64, form })
    }

    /// The pages of a column. A required column has no levels.
    pub(super) fn column(&mut self, column: Column<'_>, required: bool) -> Result<Chunk, ParquetError> {
        match column {
            Column::Array(array) => self.array(&array, required),
            Column::Nothing(rows) => {
                let mut out = Vec::new();
                pack::none(rows, &mut out);
                self.put(rows, Form::Plain, None, out)
            }
            Column::Numbers(values, valid) => self.numbers(&*values, valid.as_ref(), false, required),
            Column::Sums(values, valid) => self.numbers(&*values, valid.as_ref(), true, required),
            Column::Bits(bits) => {
                self.array(&(Arc::new(BooleanArray::new(bits, None)) as ArrayRef), required)
            }
            Column::Texts(texts, rows) => {
                let mut out = begun(required, None, rows);
                let mut fronts = Fronts::with_room(rows);
                texts.for_each(|(text, times)| fronts.push(text.as_bytes(), times));
                fronts.end(&mut out);
                self.put(rows, Form::Fronts, None, out)
            }
            Column::Names(codes, texts) => {
                let out = begun(required, None, codes.len());
                self.names(codes.len(), &codes, &texts, out)
            }
            Column::Few(codes, texts) => {
                let mut out = begun(required, None, codes.len());
                pack::codes(&codes, width(texts.len()), &mut out);
                self.put(codes.len(), Form::Dictionary, Some(dictionary(texts)), out)
            }
            Column::Pattern { codes, texts, rows } => {
                let mut out = begun(required, None, rows);
                pack::pattern(&codes, rows, width(texts.len()), &mut out);
                self.put(rows, Form::Dictionary, Some(dictionary(&texts)), out)
            }
        }
    }

    /// Codes of names after their levels.
    fn names(
        &mut self,
        rows: usize,
        codes: &[u32],
        texts: &[&str],
        mut out: Vec<u8>,
    ) -> Result<Chunk, ParquetError> {
        // Of many names of which few are used only these are written.
        if texts.len() > (codes.len() / 8).max(1 << 10) {
            let (codes, texts) = used(codes, texts);
            pack::codes(&codes, width(texts.len()), &mut out);
            return self.put(rows, Form::Dictionary, Some(dictionary(&texts)), out);
        }
        pack::codes(codes, width(texts.len()), &mut out);
        self.put(rows, Form::Dictionary, Some(dictionary(texts)), out)
    }

    fn numbers(
        &mut self,
        values: &dyn Numbers,
        valid: Option<&NullBuffer>,
        are_sums: bool,
        required: bool,
    ) -> Result<Chunk, ParquetError> {
        let rows = values.rows();
        let valid = valid.filter(|valid| valid.null_count() > 0);
        let mut out = begun(required, valid, rows);
        if valid.is_some_and(|valid| valid.null_count() == rows) {
            return self.put(rows, Form::Plain, None, out);
        }
        match valid {
            None => self.there(rows, values, are_sums, out),
            Some(valid) => {
                let there = picked(values, valid);
                out.reserve(there.len() * 8);
                self.there(rows, &&*there, are_sums, out)
            }
        }
    }

    /// Numbers after their levels, of which all are there.
    fn there(
        &mut self,
        rows: usize,
        values: &dyn Numbers,
        are_sums: bool,
        mut out: Vec<u8>,
    ) -> Result<Chunk, ParquetError> {
        if are_sums
            && rows > 0
            && let Some((found, codes)) = few(values)
        {
            pack::codes(&codes, width(found.len()), &mut out);
            let known = found.iter().flat_map(|value| value.to_le_bytes()).collect();
            return self.put(rows, Form::Dictionary, Some((known, found.len())), out);
        }
        if !are_sums && pack::are_near(values) {
            pack::differences(values, &mut out);
            return self.put(rows, Form::Differences, None, out);
        }
        plain(values, &mut out);
        self.put(rows, Form::Plain, None, out)
    }

    fn array(&mut self, array: &ArrayRef, required: bool) -> Result<Chunk, ParquetError> {
        let rows = array.len();
        let valid = array.nulls();
        match array.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                let values = array.as_primitive::<TimestampMicrosecondType>().values();
                return self.numbers(&&**values, valid, false, required);
            }
            DataType::Int64 => {
                return self.numbers(&&**array.as_primitive::<Int64Type>().values(), valid, false, required);
            }
            DataType::Decimal64(..) => {
                return self.numbers(
                    &&**array.as_primitive::<Decimal64Type>().values(),
                    valid,
                    true,
                    required,
                );
            }
            _ => {}
        }
        let mut out = begun(required, valid, rows);
        if array.null_count() == rows {
            return self.put(rows, Form::Plain, None, out);
        }
        let there = match valid.filter(|nulls| nulls.null_count() > 0) {
            None => array.clone(),
            Some(nulls) => {
                let there = BooleanArray::new(nulls.inner().clone(), None);
                arrow::compute::filter(array, &there).map_err(|e| ParquetError::ArrowError(e.to_string()))?
            }
        };
        match there.data_type() {
            DataType::Boolean => {
                let bits = there.as_boolean().values().sliced();
                out.extend_from_slice(bits.as_slice().get(..there.len().div_ceil(8)).unwrap_or_default());
                self.put(rows, Form::Plain, None, out)
            }
            DataType::Utf8 => {
                let texts = there.as_string::<i32>();
                let mut fronts = Fronts::with_room(texts.len());
                texts.iter().flatten().for_each(|text| fronts.push(text.as_bytes(), 1));
                fronts.end(&mut out);
                self.put(rows, Form::Fronts, None, out)
            }
            DataType::Dictionary(key, value) if **key == DataType::UInt32 && **value == DataType::Utf8 => {
                let names = there.as_dictionary::<UInt32Type>();
                let texts: Vec<&str> =
                    names.values().as_string::<i32>().iter().map(Option::unwrap_or_default).collect();
                self.names(rows, names.keys().values(), &texts, out)
            }
            other => Err(ParquetError::NYI(format!("results of type {other}"))),
        }
    }

    /// The pages of sums of which only some rows have one: the values of these, one after another.
    pub(super) fn sums(&mut self, rows: usize, owed: &[u8], values: &[i64]) -> Result<Chunk, ParquetError> {
        let nulls = NullBuffer::new(BooleanBuffer::new(owed.into(), 0, rows));
        let out = begun(false, Some(&nulls), rows);
        self.there(rows, &values, true, out)
    }
}

/// So many bits hold every code of so many texts; at least one.
fn width(texts: usize) -> usize {
    let last = u32::try_from(texts.saturating_sub(1)).unwrap_or(u32::MAX);
    (u32::BITS - last.leading_zeros()).max(1) as usize
}

/// The levels of a column, or nothing where it has none.
fn begun(required: bool, valid: Option<&NullBuffer>, rows: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows + 64);
    if !required {
        pack::levels(valid, rows, &mut out);
    }
    out
}

fn plain(values: &dyn Numbers, out: &mut Vec<u8>) {
    let mut block = [0_i64; BLOCK];
    out.reserve(values.rows() * 8);
    for from in (0..values.rows()).step_by(BLOCK) {
        let block = &mut block[..BLOCK.min(values.rows() - from)];
        values.fill(from, block);
        let mut bytes = [[0_u8; 8]; BLOCK];
        bytes.iter_mut().zip(&*block).for_each(|(bytes, value)| *bytes = value.to_le_bytes());
        out.extend_from_slice(bytes[..block.len()].as_flattened());
    }
}

/// Names as the page of a dictionary, and how many there are.
fn dictionary(texts: &[&str]) -> (Vec<u8>, usize) {
    let mut page = Vec::new();
    for text in texts {
        page.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        page.extend_from_slice(text.as_bytes());
    }
    (page, texts.len())
}

/// The names that are used, and codes for these.
fn used<'a>(codes: &[u32], texts: &[&'a str]) -> (Vec<u32>, Vec<&'a str>) {
    let mut places: HashMap<u32, u32> = HashMap::new();
    let mut few = Vec::new();
    let codes = codes.iter().map(|code| {
        *places.entry(*code).or_insert_with(|| {
            few.push(texts.get(*code as usize).copied().unwrap_or_default());
            u32::try_from(few.len() - 1).unwrap_or(u32::MAX)
        })
    });
    let codes = codes.collect();
    (codes, few)
}

/// Texts told by what they have in common with the one before.
struct Fronts<'a> {
    shared: Vec<i64>,
    rest: Vec<i64>,
    bytes: Vec<u8>,
    last: &'a [u8],
}

impl<'a> Fronts<'a> {
    fn with_room(rows: usize) -> Fronts<'a> {
        Fronts {
            shared: Vec::with_capacity(rows),
            rest: Vec::with_capacity(rows),
            bytes: Vec::with_capacity(rows * 2),
            last: &[],
        }
    }

    /// A text that stands so many times, at least once.
    fn push(&mut self, text: &'a [u8], times: usize) {
        let shared = shared(self.last, text);
        let length = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.shared.push(length(shared));
        self.rest.push(length(text.len() - shared));
        self.bytes.extend_from_slice(text.get(shared..).unwrap_or_default());
        for _ in 1..times {
            self.shared.push(length(text.len()));
            self.rest.push(0);
        }
        self.last = text;
    }

    fn end(&self, out: &mut Vec<u8>) {
        pack::differences(&&*self.shared, out);
        pack::differences(&&*self.rest, out);
        out.extend_from_slice(&self.bytes);
    }
}

/// So many bytes do two texts begin with alike.
fn shared(one: &[u8], two: &[u8]) -> usize {
    let mut shared = 0;
    let (eights, others) = (one.as_chunks::<8>().0, two.as_chunks::<8>().0);
    for (a, b) in eights.iter().zip(others) {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return shared + differ.trailing_zeros() as usize / 8;
        }
        shared += 8;
    }
    let rest = one.iter().zip(two).skip(shared);
    shared + rest.take_while(|(a, b)| a == b).count()
}
