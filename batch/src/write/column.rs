//! Arrow columns as the pages of a Parquet row group: numbers as they lie or as differences, names in dictionaries.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Decimal64Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt32Type};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};

use super::pack;

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
    Lengths,
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
            Form::Lengths => 6,
            Form::Dictionary => 8,
        }
    }

    pub(super) fn encoding(self) -> Encoding {
        match self {
            Form::Plain => Encoding::PLAIN,
            Form::Differences => Encoding::DELTA_BINARY_PACKED,
            Form::Lengths => Encoding::DELTA_LENGTH_BYTE_ARRAY,
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
    pub(super) fn column(&mut self, array: &ArrayRef, required: bool) -> Result<Chunk, ParquetError> {
        let rows = array.len();
        let mut out = Vec::with_capacity(rows + 64);
        if !required {
            pack::levels(array.nulls(), rows, &mut out);
        }
        if array.null_count() == rows {
            return self.put(rows, Form::Plain, None, out);
        }
        let there = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => array.clone(),
            Some(nulls) => {
                let there = BooleanArray::new(nulls.inner().clone(), None);
                arrow::compute::filter(array, &there).map_err(|e| ParquetError::ArrowError(e.to_string()))?
            }
        };
        match there.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                let form = numbers(there.as_primitive::<TimestampMicrosecondType>().values(), &mut out);
                self.put(rows, form, None, out)
            }
            DataType::Int64 => {
                let form = numbers(there.as_primitive::<Int64Type>().values(), &mut out);
                self.put(rows, form, None, out)
            }
            DataType::Decimal64(..) => {
                plain(there.as_primitive::<Decimal64Type>().values(), &mut out);
                self.put(rows, Form::Plain, None, out)
            }
            DataType::Boolean => {
                let bits = there.as_boolean().values().sliced();
                out.extend_from_slice(bits.as_slice().get(..there.len().div_ceil(8)).unwrap_or_default());
                self.put(rows, Form::Plain, None, out)
            }
            DataType::Utf8 => {
                let texts = there.as_string::<i32>();
                let lengths: Vec<i64> =
                    texts.value_offsets().windows(2).map(|pair| i64::from(pair[1] - pair[0])).collect();
                pack::differences(&lengths, &mut out);
                out.extend_from_slice(bytes_of(texts));
                self.put(rows, Form::Lengths, None, out)
            }
            DataType::Dictionary(key, value) if **key == DataType::UInt32 && **value == DataType::Utf8 => {
                let names = there.as_dictionary::<UInt32Type>();
                let texts = names.values().as_string::<i32>();
                let (codes, texts) = used(names.keys().values(), texts);
                pack::codes(&codes, width(texts.len()), &mut out);
                let mut dictionary = Vec::new();
                for text in &texts {
                    dictionary
                        .extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                    dictionary.extend_from_slice(text.as_bytes());
                }
                self.put(rows, Form::Dictionary, Some((dictionary, texts.len())), out)
            }
            other => Err(ParquetError::NYI(format!("results of type {other}"))),
        }
    }

    /// The pages of sums of which only some rows have one: the values of these, one after another.
    pub(super) fn sums(&mut self, rows: usize, owed: &[u8], values: &[i64]) -> Result<Chunk, ParquetError> {
        let nulls = NullBuffer::new(BooleanBuffer::new(owed.into(), 0, rows));
        let mut out = Vec::with_capacity(rows / 8 + values.len() * 8 + 64);
        pack::levels(Some(&nulls), rows, &mut out);
        plain(values, &mut out);
        self.put(rows, Form::Plain, None, out)
    }
}

/// So many bits hold every code of so many texts; at least one.
fn width(texts: usize) -> usize {
    let last = u32::try_from(texts.saturating_sub(1)).unwrap_or(u32::MAX);
    (u32::BITS - last.leading_zeros()).max(1) as usize
}

/// Numbers as they lie, or as differences where these are small.
fn numbers(values: &[i64], out: &mut Vec<u8>) -> Form {
    if pack::are_near(values) {
        pack::differences(values, out);
        return Form::Differences;
    }
    plain(values, out);
    Form::Plain
}

fn plain(values: &[i64], out: &mut Vec<u8>) {
    let begin = out.len();
    out.resize(begin + values.len() * 8, 0);
    for (slot, value) in out[begin..].chunks_exact_mut(8).zip(values) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
}

/// The texts' bytes, one text after another.
fn bytes_of(texts: &StringArray) -> &[u8] {
    let offsets = texts.value_offsets();
    let (first, last) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
    let place = |offset: i32| usize::try_from(offset).unwrap_or(0);
    texts.value_data().get(place(first)..place(last)).unwrap_or_default()
}

/// Codes and the texts they mean. Of many texts of which few are used only these.
fn used<'a>(codes: &[u32], texts: &'a StringArray) -> (Vec<u32>, Vec<&'a str>) {
    if texts.len() <= 1 << 10 || texts.len() <= codes.len() / 8 {
        return (codes.to_vec(), texts.iter().map(Option::unwrap_or_default).collect());
    }
    let mut places: HashMap<u32, u32> = HashMap::new();
    let mut few = Vec::new();
    let codes = codes.iter().map(|code| {
        *places.entry(*code).or_insert_with(|| {
            few.push(texts.value(*code as usize));
            u32::try_from(few.len() - 1).unwrap_or(u32::MAX)
        })
    });
    let codes = codes.collect();
    (codes, few)
}
