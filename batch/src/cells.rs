//! Arrow columns read as what the pack says they hold.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, DictionaryArray, Int64Array, PrimitiveArray,
    StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowDictionaryKeyType, ArrowNativeType, DataType, Int8Type, Int16Type, Int32Type, TimeUnit, UInt8Type,
    UInt16Type, UInt32Type,
};
use holdback::{Currency, FactType, Instant, Money};

use crate::BatchError;
use crate::batch::YEARS;
use crate::error::Refused;
use crate::kernel::{bounds, vectors};
use crate::sheet::{Numbers, Texts};

/// Rows found wrong on the way: the row, the column, why.
pub(crate) type Faults = Vec<(usize, String, String)>;

fn unfit(column: &str, array: &dyn Array, expected: &str) -> BatchError {
    BatchError::Type {
        column: column.to_owned(),
        found: array.data_type().to_string(),
        expected: expected.to_owned(),
    }
}

/// Which values are there, as bytes; nothing when all are.
pub(crate) fn validity(array: &dyn Array) -> Option<Vec<u8>> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0)?;
    let chunks = nulls.inner().bit_chunks();
    let words: Vec<u64> = chunks.iter().chain([chunks.remainder_bits()]).collect();
    let mut valid = vec![0; words.len() * 64];
    vectors!(pulp::Arch::new(), [valid: &'a mut [u8] = &mut valid, words: &'a [u64] = &words] -> () {
        for (bytes, word) in valid.chunks_exact_mut(64).zip(words) {
            for (bit, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from(word >> bit & 1 == 1);
            }
        }
    });
    valid.truncate(array.len());
    Some(valid)
}

/// Makes a value missing.
pub(crate) fn take_out(valid: &mut Option<Vec<u8>>, rows: usize, row: usize) {
    let valid = valid.get_or_insert_with(|| vec![1; rows]);
    valid.get_mut(row).into_iter().for_each(|valid| *valid = 0);
}

/// A column of instants. Those after `as_of` are taken out where it is given, and counted; rows with one that columns do not hold are
/// told.
pub(crate) fn instants(
    name: &str,
    array: &ArrayRef,
    as_of: Option<i64>,
    faults: &mut Faults,
    doubtful: &mut Vec<u32>,
    later: &mut u64,
) -> Result<Numbers, BatchError> {
    let micros: TimestampMicrosecondArray = match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => array.as_primitive().clone(),
        DataType::Timestamp(unit, Some(zone)) => {
            // Nanoseconds are cut towards the past, as in RFC 3339 texts.
            let _ = unit;
            let to = DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone)));
            let cast = cast(array, &to).map_err(|_| unfit(name, array, "instants with a zone"))?;
            cast.as_primitive().clone()
        }
        DataType::Timestamp(_, None) => {
            return Err(unfit(name, array, "instants with a zone: times without one could mean any hour"));
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            return read_instants(name, array, as_of, faults, doubtful, later);
        }
        DataType::Null => TimestampMicrosecondArray::new_null(array.len()),
        _ => {
            return Err(unfit(
                name,
                array,
                "instants: a timestamp with a zone, or RFC 3339 texts with offset",
            ));
        }
    };
    let mut valid = validity(&micros);
    let values = micros.values().clone();
    *later += checked(&values, &mut valid, as_of, doubtful);
    Ok(Numbers { values, valid })
}

/// Takes out what comes after the assessment's instant, and tells which rows columns cannot hold. Gives how many were taken out.
pub(crate) fn checked(
    values: &[i64],
    valid: &mut Option<Vec<u8>>,
    as_of: Option<i64>,
    doubtful: &mut Vec<u32>,
) -> u64 {
    let (least, most) = bounds(pulp::Arch::new(), values);
    if least >= YEARS.0 && most < as_of.map_or(YEARS.1, |as_of| as_of.saturating_add(1).min(YEARS.1)) {
        return 0;
    }
    let mut later = 0;
    for (row, at) in values.iter().enumerate() {
        if valid.as_ref().is_some_and(|valid| valid.get(row) == Some(&0)) {
            continue;
        }
        if as_of.is_some_and(|as_of| *at > as_of) {
            take_out(valid, values.len(), row);
            later += 1;
        } else if *at < YEARS.0 || *at >= YEARS.1 {
            doubtful.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
    }
    later
}

fn read_instants(
    name: &str,
    array: &ArrayRef,
    as_of: Option<i64>,
    faults: &mut Faults,
    doubtful: &mut Vec<u32>,
    later: &mut u64,
) -> Result<Numbers, BatchError> {
    let texts = strings(name, array)?;
    let mut values = vec![0; texts.len()];
    let mut valid = validity(&texts);
    for (row, text) in texts.iter().enumerate() {
        let Some(text) = text else { continue };
        match text.parse::<Instant>() {
            Ok(at) => values[row] = at.micros(),
            // A date alone is its end in the contract's zone: the row is judged by itself, which knows.
            Err(_) if as_of.is_none() && text.parse::<chrono::NaiveDate>().is_ok() => {
                doubtful.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
            Err(error) => {
                faults.push((row, name.to_owned(), error.to_string()));
                take_out(&mut valid, texts.len(), row);
            }
        }
    }
    *later += checked(&values, &mut valid, as_of, doubtful);
    Ok(Numbers { values: values.into(), valid })
}

/// A column of texts, plain.
pub(crate) fn strings(name: &str, array: &ArrayRef) -> Result<StringArray, BatchError> {
    match array.data_type() {
        DataType::Utf8 => Ok(array.as_string::<i32>().clone()),
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            let cast = cast(array, &DataType::Utf8).map_err(|_| unfit(name, array, "texts"))?;
            Ok(cast.as_string::<i32>().clone())
        }
        DataType::Dictionary(_, value) if value.is_string() => {
            let cast = cast(array, &DataType::Utf8).map_err(|_| unfit(name, array, "texts"))?;
            Ok(cast.as_string::<i32>().clone())
        }
        _ => Err(unfit(name, array, "texts")),
    }
}

/// A column of texts, each distinct one once.
pub(crate) fn texts(name: &str, array: &ArrayRef) -> Result<Texts, BatchError> {
    let (codes, known) = coded(name, array)?;
    let texts = known.iter().map(|text| text.unwrap_or_default().into()).collect();
    Ok(Texts { codes, texts })
}

/// The same as codes of plain texts; a dictionary's own ones, of which some may be alike, missing, or nobody's.
pub(crate) fn coded(name: &str, array: &ArrayRef) -> Result<(ScalarBuffer<u32>, StringArray), BatchError> {
    if let DataType::Dictionary(key, value) = array.data_type()
        && value.is_string()
    {
        let keys = match **key {
            DataType::Int32 => array.as_dictionary::<Int32Type>().clone(),
            _ => {
                let to = DataType::Dictionary(Box::new(DataType::Int32), Box::new((**value).clone()));
                let cast = cast(array, &to).map_err(|_| unfit(name, array, "texts"))?;
                cast.as_dictionary::<Int32Type>().clone()
            }
        };
        let known = strings(name, keys.values())?;
        let keys = keys.keys();
        let codes = match keys.nulls() {
            // None is negative: they are the same bits.
            None => ScalarBuffer::new(keys.values().inner().clone(), 0, keys.len()),
            Some(_) => keys.iter().map(|key| key.map_or(Texts::NONE, i32::cast_unsigned)).collect(),
        };
        return Ok((codes, known));
    }
    let plain = strings(name, array)?;
    let mut known: HashMap<&str, u32> = HashMap::new();
    let mut texts = Vec::new();
    let mut codes = Vec::with_capacity(plain.len());
    let mut last: Option<(&str, u32)> = None;
    for text in &plain {
        let Some(text) = text else {
            codes.push(Texts::NONE);
            continue;
        };
        let code = match last.filter(|(known, _)| *known == text) {
            Some((_, code)) => code,
            None => *known.entry(text).or_insert_with(|| {
                texts.push(text);
                u32::try_from(texts.len() - 1).unwrap_or(Texts::NONE)
            }),
        };
        last = Some((text, code));
        codes.push(code);
    }
    Ok((codes.into(), StringArray::from(texts)))
}

/// The places of the values of a dictionary's rows, when every row has one that the pack knows.
fn places(name: &str, array: &ArrayRef, known: &[impl AsRef<str>]) -> Result<Option<Vec<i64>>, BatchError> {
    let DataType::Dictionary(key, value) = array.data_type() else { return Ok(None) };
    if !value.is_string() || array.null_count() > 0 {
        return Ok(None);
    }
    let texts = strings(name, array.as_any_dictionary().values())?;
    // What is no value has a number below all places.
    let place = |text: Option<&str>| known.iter().position(|value| Some(value.as_ref()) == text);
    let place = |text| place(text).and_then(|place| i64::try_from(place).ok()).unwrap_or(-1);
    let table: Vec<i64> = texts.iter().map(place).collect();
    let all = match **key {
        DataType::Int8 => looked_up::<Int8Type>(array, &table),
        DataType::Int16 => looked_up::<Int16Type>(array, &table),
        DataType::Int32 => looked_up::<Int32Type>(array, &table),
        DataType::UInt8 => looked_up::<UInt8Type>(array, &table),
        DataType::UInt16 => looked_up::<UInt16Type>(array, &table),
        DataType::UInt32 => looked_up::<UInt32Type>(array, &table),
        _ => return Ok(None),
    };
    let any = vectors!(pulp::Arch::new(), [all: &'a [i64] = &all] -> i64 {
        all.iter().fold(0, |any, place| any | place)
    });
    Ok(Some(all).filter(|_| any >= 0))
}

fn looked_up<K: ArrowDictionaryKeyType>(array: &ArrayRef, table: &[i64]) -> Vec<i64> {
    let keys = array.as_dictionary::<K>().keys().values();
    keys.iter().map(|key| table.get(key.as_usize()).copied().unwrap_or(-1)).collect()
}

/// A fact as numbers, and as texts where it is one.
pub(crate) fn fact(
    name: &str,
    of: &FactType,
    array: &ArrayRef,
    currency: Currency,
    faults: &mut Faults,
    doubtful: &mut Vec<u32>,
) -> Result<(Numbers, Option<Texts>), BatchError> {
    match of {
        FactType::OneOf(values) => {
            if let Some(all) = places(name, array, values)? {
                return Ok((Numbers { values: all.into(), valid: None }, None));
            }
            let given = texts(name, array)?;
            let places: Vec<Option<i64>> = given
                .texts
                .iter()
                .map(|text| {
                    values.iter().position(|v| v.as_str() == &**text).and_then(|p| i64::try_from(p).ok())
                })
                .collect();
            let mut valid = None;
            let mut numbers = vec![0; given.codes.len()];
            for (row, code) in given.codes.iter().enumerate() {
                match places.get(*code as usize) {
                    Some(Some(place)) => numbers[row] = *place,
                    None => take_out(&mut valid, given.codes.len(), row),
                    Some(None) => {
                        let text = given.texts.get(*code as usize).map_or("", |text| text);
                        let known: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
                        let reason = format!("`{}` is not one of {}", short(text), known.join(", "));
                        faults.push((row, name.to_owned(), reason));
                        take_out(&mut valid, given.codes.len(), row);
                    }
                }
            }
            Ok((Numbers { values: numbers.into(), valid }, None))
        }
        FactType::Text => {
            let given = texts(name, array)?;
            let valid = given
                .codes
                .contains(&Texts::NONE)
                .then(|| given.codes.iter().map(|code| u8::from(*code != Texts::NONE)).collect::<Vec<u8>>());
            Ok((Numbers { values: vec![0; given.codes.len()].into(), valid }, Some(given)))
        }
        FactType::Bool => {
            let booleans: BooleanArray = match array.data_type() {
                DataType::Boolean => array.as_boolean().clone(),
                DataType::Null => BooleanArray::new_null(array.len()),
                _ => return Err(unfit(name, array, "true or false")),
            };
            let values: Vec<i64> = (0..booleans.len()).map(|row| i64::from(booleans.value(row))).collect();
            Ok((Numbers { values: values.into(), valid: validity(&booleans) }, None))
        }
        FactType::Integer => {
            let whole = array.data_type().is_integer() || *array.data_type() == DataType::Null;
            let cast = cast(array, &DataType::Int64).ok().filter(|_| whole);
            let Some(cast) = cast else { return Err(unfit(name, array, "whole numbers")) };
            let numbers: &Int64Array = cast.as_primitive();
            // A number of 64 unsigned bits may not fit.
            for row in (0..array.len()).filter(|row| array.is_valid(*row) && numbers.is_null(*row)) {
                faults.push((row, name.to_owned(), "the number leaves 64 bits".to_owned()));
            }
            Ok((Numbers { values: numbers.values().clone(), valid: validity(numbers) }, None))
        }
        FactType::Money => amounts(name, array, currency, faults),
        FactType::Instant => {
            // A date alone is its end, which the row's own judging knows.
            if matches!(array.data_type(), DataType::Date32 | DataType::Date64) {
                return Err(unfit(name, array, "instants with a zone"));
            }
            Ok((instants(name, array, None, faults, doubtful, &mut 0)?, None))
        }
    }
}

fn amounts(
    name: &str,
    array: &ArrayRef,
    currency: Currency,
    faults: &mut Faults,
) -> Result<(Numbers, Option<Texts>), BatchError> {
    let mut valid = validity(array);
    let mut values = vec![0; array.len()];
    if array.data_type().is_decimal() {
        let scale = i8::try_from(currency.decimals()).unwrap_or(2);
        let own = match array.data_type() {
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale) => *scale,
            _ => return Err(unfit(name, array, "amounts of at most 38 digits")),
        };
        let cast = cast(array, &DataType::Decimal128(38, own.max(scale)));
        let cast = cast.map_err(|_| unfit(name, array, "amounts"))?;
        let decimals: &Decimal128Array = cast.as_primitive();
        let by = 10_i128.pow(u32::try_from(own.max(scale) - scale).unwrap_or(0));
        for (row, value) in decimals.iter().enumerate() {
            let Some(value) = value else { continue };
            match i64::try_from(value / by).ok().filter(|_| value % by == 0) {
                Some(minor) => values[row] = minor,
                None => {
                    let reason = format!("the amount is not whole minor units of {currency} within 64 bits");
                    faults.push((row, name.to_owned(), reason));
                    take_out(&mut valid, array.len(), row);
                }
            }
        }
        return Ok((Numbers { values: values.into(), valid }, None));
    }
    let texts = strings(name, array)
        .map_err(|_| unfit(name, array, "amounts: decimals, or texts such as `500.00`"))?;
    for (row, text) in texts.iter().enumerate() {
        let Some(text) = text else { continue };
        match Money::parse(text, currency) {
            Ok(money) => values[row] = money.minor(),
            Err(error) => {
                faults.push((row, name.to_owned(), error.to_string()));
                take_out(&mut valid, array.len(), row);
            }
        }
    }
    Ok((Numbers { values: values.into(), valid }, None))
}

/// The beginning of a text, for a message.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Rows that are wrong, each once, in their order.
pub(crate) fn refused(mut faults: Faults, first: u64) -> Vec<(u32, Refused)> {
    faults.sort_by_key(|fault| fault.0);
    faults.dedup_by_key(|fault| fault.0);
    let one = |(row, column, reason): (usize, String, String)| {
        let column = Some(column).filter(|column| !column.is_empty());
        let refused = Refused { row: first + row as u64, column, reason };
        (u32::try_from(row).unwrap_or(u32::MAX), refused)
    };
    faults.into_iter().map(one).collect()
}

/// The numbers of contracts by their names, over all batches.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<Arc<str>, u32>,
    /// Shared with the sheets that name contracts by number.
    pub(crate) names: Arc<Vec<Arc<str>>>,
}

impl Names {
    /// The number of a name, made if it is new.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        self.numbers.insert(Arc::clone(&name), number);
        Arc::make_mut(&mut self.names).push(name);
        number
    }
}

/// A dictionary of texts for a column, with the code of each row; [`Texts::NONE`] for none.
pub(crate) fn dictionary(codes: Vec<u32>, texts: &[&str]) -> Result<ArrayRef, arrow::error::ArrowError> {
    let none = codes.contains(&Texts::NONE);
    let nulls = none.then(|| NullBuffer::from_iter(codes.iter().map(|code| *code != Texts::NONE)));
    let codes: Vec<u32> = match none {
        // A key must be one that there is, also where it does not count.
        true => codes.into_iter().map(|code| if code == Texts::NONE { 0 } else { code }).collect(),
        false => codes,
    };
    let texts = if texts.is_empty() { &[""][..] } else { texts };
    let values = Arc::new(StringArray::from_iter_values(texts));
    let keys = PrimitiveArray::<UInt32Type>::try_new(codes.into(), nulls)?;
    Ok(Arc::new(DictionaryArray::<UInt32Type>::try_new(keys, values)?))
}
