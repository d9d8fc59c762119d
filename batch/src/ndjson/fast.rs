//! A scanner of lines as most programs write them. It accepts or gives up; it never refuses.

use super::columns::{Column, Columns, Values, edge};
use super::keys::{Keys, Level, Target};

/// Reads a line into the columns. False when the line is not of the usual spelling: then what it told so far is to be
/// taken back, and the line is to be read by somebody who knows all of JSON.
pub(super) fn read(text: &str, keys: &mut Keys, columns: &mut Columns) -> bool {
    let mut scan = Scan { text: text.as_bytes(), at: 0 };
    let done = scan.object(&mut keys.top, Some(&mut keys.data), columns);
    done.is_some() && scan.at == scan.text.len() && columns.end_row().is_ok()
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn object(
        &mut self,
        level: &mut Level,
        mut data: Option<&mut Level>,
        columns: &mut Columns,
    ) -> Option<()> {
        if self.next()? != b'{' {
            return None;
        }
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        // Keys that go nowhere and that were seen, to find them twice.
        let mut seen = 0_u64;
        let mut guess = level.first;
        let mut before: Option<usize> = None;
        loop {
            let rest = self.text.get(self.at..)?;
            let place = match level.keys.get(guess) {
                Some(key) if begins(rest, &key.token) => guess,
                _ => {
                    let place = level.keys.iter().position(|key| begins(rest, &key.token))?;
                    match before.and_then(|before| level.keys.get_mut(before)) {
                        Some(key) => key.follower = place,
                        None => level.first = place,
                    }
                    place
                }
            };
            let key = level.keys.get(place)?;
            self.at += key.token.len();
            self.space();
            match key.target {
                Target::Column(column) => self.value(columns.untold(column)?)?,
                Target::Nothing | Target::Data => {
                    let mark = 1_u64.checked_shl(place as u32).filter(|mark| mark & seen == 0)?;
                    seen |= mark;
                    if let Target::Data = key.target {
                        self.object(data.take()?, None, columns)?;
                    } else if !self.word(b"null") {
                        self.string()?;
                    }
                }
            }
            match self.next()? {
                b',' => self.space(),
                b'}' => return Some(()),
                _ => return None,
            }
            (before, guess) = (Some(place), key.follower);
        }
    }

    #[inline(always)]
    fn value(&mut self, column: &mut Column) -> Option<()> {
        if self.peek()? == b'n' {
            return (self.word(b"null") && column.push_nothing()).then_some(());
        }
        match &mut column.values {
            Values::Text { bytes, edges } => {
                bytes.extend_from_slice(self.string()?);
                edges.push(edge(bytes));
            }
            Values::Times(values, _) => values.push(match self.usual_time() {
                Some(at) => at,
                None => time(self.string()?)?,
            }),
            Values::Numbers(values) => values.push(self.number()?),
            Values::Booleans(values) => {
                let value = self.word(b"true");
                if !value && !self.word(b"false") {
                    return None;
                }
                values.append(value);
            }
        }
        column.told();
        Some(())
    }

    /// A time as most programs write it, quoted: whole seconds and `Z`. None of its characters could end the string.
    #[inline(always)]
    fn usual_time(&mut self) -> Option<i64> {
        let [b'"', moment @ .., b'Z', b'"'] = self.text.get(self.at..)?.first_chunk::<22>()? else {
            return None;
        };
        let seconds = seconds(moment)?;
        self.at += 22;
        Some(seconds * 1_000_000)
    }

    /// The inside of a string without escapes.
    #[inline(always)]
    fn string(&mut self) -> Option<&'a [u8]> {
        if self.next()? != b'"' {
            return None;
        }
        let begin = self.at;
        // Eight bytes at a time, while there are so many.
        while let Some(eight) = self.text.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let found = special(u64::from_le_bytes(*eight));
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                break;
            }
            self.at += 8;
        }
        loop {
            match self.next()? {
                b'"' => return self.text.get(begin..self.at - 1),
                b'\\' | 0..0x20 => return None,
                _ => {}
            }
        }
    }

    /// A whole number of at most 18 digits, bare or quoted.
    fn number(&mut self) -> Option<i64> {
        let quoted = self.peek()? == b'"';
        self.at += usize::from(quoted);
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let begin = self.at;
        let mut value = 0_i64;
        while let digit @ b'0'..=b'9' = self.peek()? {
            if self.at - begin == 18 {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        // JSON writes no zero before other digits, and to serde_json `-0` is not whole.
        let zero_first = self.text.get(begin) == Some(&b'0') && (self.at - begin > 1 || negative);
        if self.at == begin || zero_first || (quoted && self.next()? != b'"') {
            return None;
        }
        Some(if negative { -value } else { value })
    }

    fn word(&mut self, word: &[u8]) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += if found { word.len() } else { 0 };
        found
    }

    #[inline(always)]
    fn space(&mut self) {
        self.at += usize::from(self.peek() == Some(b' '));
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

/// Whether the text begins with a token, which is none when it is empty. Most tokens have eight bytes and at most sixteen: their first
/// eight and their last eight are compared, without a call.
#[inline(always)]
fn begins(text: &[u8], token: &[u8]) -> bool {
    let Some(text) = text.get(..token.len()) else { return false };
    match (text.first_chunk::<8>(), token.first_chunk::<8>(), text.last_chunk::<8>(), token.last_chunk::<8>())
    {
        (Some(a), Some(b), Some(y), Some(z)) if token.len() <= 16 => a == b && y == z,
        _ => !token.is_empty() && text == token,
    }
}

/// Of eight bytes, the highest bit of each that ends a plain string: a quote, a backslash, a control character. Right up
/// to and with the first of them.
#[inline(always)]
fn special(bytes: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let below = |bytes: u64, bound: u64| bytes.wrapping_sub(ONES * bound) & !bytes;
    let quote = below(bytes ^ (ONES * 0x22), 1);
    let backslash = below(bytes ^ (ONES * 0x5C), 1);
    (quote | backslash | below(bytes, 0x20)) & (ONES * 0x80)
}

/// Microseconds since 1970 of a time from 1970 to 2199: `2024-01-01T10:00:00`, then perhaps a fraction, then `Z` or an
/// offset.
fn time(text: &[u8]) -> Option<i64> {
    let (moment, zone) = text.split_first_chunk::<19>()?;
    let seconds = seconds(moment)?;
    if zone == b"Z" {
        return Some(seconds * 1_000_000);
    }
    let (fraction, zone) = match zone.split_first()? {
        (b'.', rest) => {
            let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
            if digits == 0 || digits > 9 {
                return None;
            }
            let (digits, zone) = rest.split_at(digits);
            // Digits beyond the sixth are dropped.
            let micros = (0..6).fold(0, |sum, place| {
                sum * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0'))
            });
            (micros, zone)
        }
        _ => (0, zone),
    };
    Some((seconds - offset(zone)?) * 1_000_000 + fraction)
}

/// How eight characters of a moment look: digits where `0` stands, and the others as they are.
struct Form {
    text: u64,
    six: u64,
    wrong: u64,
}

impl Form {
    const DATE: Form = Form::of(*b"0000-00-");
    const CLOCK: Form = Form::of(*b"00:00:00");

    const fn of(text: [u8; 8]) -> Form {
        let (mut six, mut wrong, mut at) = ([0; 8], [0xFF; 8], 0);
        while at < 8 {
            if text[at] == b'0' {
                (six[at], wrong[at]) = (6, 0xF0);
            }
            at += 1;
        }
        Form {
            text: u64::from_le_bytes(text),
            six: u64::from_le_bytes(six),
            wrong: u64::from_le_bytes(wrong),
        }
    }

    /// The digits as numbers, the others as zeros; nothing for what looks different.
    #[inline(always)]
    fn digits(&self, text: [u8; 8]) -> Option<u64> {
        let values = u64::from_le_bytes(text) ^ self.text;
        // What is beyond nine reaches the upper half of its byte when six are added; what carries has reached it already.
        let wrong = (values | values.wrapping_add(self.six)) & self.wrong;
        (wrong == 0).then_some(values)
    }
}

/// Seconds since 1970 of a moment from 1970 to 2199: `2024-01-01T10:00:00`.
#[inline(always)]
fn seconds(moment: &[u8; 19]) -> Option<i64> {
    let (date, rest) = moment.split_first_chunk::<8>()?;
    let ([d1, d2, b'T'], clock) = rest.split_first_chunk::<3>()? else { return None };
    let date = Form::DATE.digits(*date)?;
    let clock = Form::CLOCK.digits(*clock.first_chunk::<8>()?)?;
    let (d1, d2) = (d1.wrapping_sub(b'0'), d2.wrapping_sub(b'0'));
    // Each byte ten times, and the one after it: no sum leaves its byte.
    let pairs = |digits: u64| (digits * 10 + (digits >> 8)).to_le_bytes().map(u32::from);
    let ([century, _, of_century, .., month, _, _], [hour, _, _, minute, _, _, second, _]) =
        (pairs(date), pairs(clock));
    let (year, day) = (century * 100 + of_century, u32::from(d1) * 10 + u32::from(d2));
    if d1 > 9 || d2 > 9 || !(1970..2200).contains(&year) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days_in_month = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if day == 0 || day > days_in_month {
        return None;
    }
    // Years that begin in March end with the leap day: then the days before a month follow a straight line.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Some(i64::from(days) * 86_400 + i64::from(hour * 3600 + minute * 60 + second))
}

/// Seconds of `Z` or of an offset such as `+08:00`.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        b"Z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = digits else { return None };
    if ![h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |tens: &u8, ones: &u8| i64::from((tens - b'0') * 10 + ones - b'0');
    let (hours, minutes) = (number(h1, h2), number(m1, m2));
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}
