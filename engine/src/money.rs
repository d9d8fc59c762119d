//! Money: whole minor units of one currency. Fractions become money only by a named rounding.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An ISO 4217 currency code, such as `CNY`, with the number of decimals its minor unit has.
///
/// ```
/// use holdback::Currency;
/// let yen: Currency = "JPY".parse()?;
/// assert_eq!((yen.code(), yen.decimals()), ("JPY", 0));
/// # Ok::<(), holdback::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// An amount of one currency in whole minor units (fen, cents); never a fraction of one.
///
/// Written as text with all decimals of the currency: 500 yuan is `500.00`.
///
/// ```
/// use holdback::{Currency, Money};
/// let cny: Currency = "CNY".parse()?;
/// let fine = Money::parse("500", cny)?;
/// assert_eq!(fine.minor(), 50_000);
/// assert_eq!(fine.to_string(), "500.00 CNY");
/// assert!(Money::parse("0.001", cny).is_err(), "a tenth of a fen is not money");
/// # Ok::<(), holdback::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// How a fraction of a minor unit becomes a whole one. There is no default: whoever makes money of a fraction names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    /// To the nearest, halves away from zero (the everyday rule).
    HalfUp,
    /// To the nearest, halves to the even neighbour.
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// Why an amount is not money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Not three capital letters, or a code that is not in use.
    #[error("`{0}` is not a currency code, such as `CNY`")]
    Currency(String),
    /// The text is not a decimal number, or has more decimals than the currency.
    #[error(
        "`{text}` is not an amount of {currency}: expected digits with at most {decimals} decimals, such as `{example}`"
    )]
    Amount {
        /// The text as it came.
        text: String,
        /// The currency expected.
        currency: Currency,
        /// How many decimals it has.
        decimals: u32,
        /// A well-formed amount.
        example: String,
    },
    /// Two currencies met in one sum or comparison.
    #[error("{found} where {expected} is expected: amounts of two currencies do not meet")]
    Mixed {
        /// What came.
        found: Currency,
        /// What the contract is in.
        expected: Currency,
    },
    /// The amount does not fit 64 bits of minor units.
    #[error("an amount leaves the range of 64-bit minor units")]
    Overflow,
    /// A rounding that does not exist.
    #[error("`{0}` is not a rounding: expected `half_up`, `half_even`, `down` or `up`")]
    Rounding(String),
}

// ISO 4217 as of 2026: the codes whose minor unit is not a hundredth, and those that are.
const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
    HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE \
    SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW";

impl Currency {
    /// Its three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many decimals its minor unit has: 2 for most, 0 for yen, 3 for dinars.
    pub fn decimals(&self) -> u32 {
        match self.code() {
            code if NO_DECIMALS.split(' ').any(|c| c == code) => 0,
            code if THREE_DECIMALS.split(' ').any(|c| c == code) => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Currency, MoneyError> {
        let known = [NO_DECIMALS, THREE_DECIMALS, TWO_DECIMALS]
            .iter()
            .any(|list| list.split_ascii_whitespace().any(|c| c == code));
        match code.as_bytes() {
            &[a, b, c] if known => Ok(Currency([a, b, c])),
            _ => Err(MoneyError::Currency(code.chars().take(20).collect())),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Money {
    /// So many minor units.
    pub const fn from_minor(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// Reads `500`, `500.00` or `-3.5`; more decimals than the currency has are refused, not rounded.
    ///
    /// # Errors
    /// [`MoneyError::Amount`] for anything else, [`MoneyError::Overflow`] beyond 64 bits of minor units.
    pub fn parse(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let decimals = currency.decimals();
        let malformed = || MoneyError::Amount {
            text: text.chars().take(40).collect(),
            currency,
            decimals,
            example: Money { minor: 10_i64.pow(decimals) * 500, currency }.amount(),
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed());
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > decimals as usize {
            return Err(malformed());
        }
        let padded = format!("{whole}{fraction:0<width$}", width = decimals as usize);
        let minor: i64 = padded.parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Money { minor: if negative { -minor } else { minor }, currency })
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// Its currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount as text without the currency: `500.00`.
    pub fn amount(self) -> String {
        let decimals = self.currency.decimals() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = decimals + 1);
        match digits.split_at(digits.len() - decimals) {
            (whole, "") => format!("{sign}{whole}"),
            (whole, fraction) => format!("{sign}{whole}.{fraction}"),
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] for two currencies, [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.with(other, self.minor.checked_add(other.minor))
    }

    /// The difference; may be negative.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] for two currencies, [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.with(other, self.minor.checked_sub(other.minor))
    }

    /// So many times the amount.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, n: i64) -> Result<Money, MoneyError> {
        let minor = self.minor.checked_mul(n).ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    /// A share of the amount (0.05 is five percent), made whole minor units by the named rounding.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn share(self, share: Decimal, rounding: Rounding) -> Result<Money, MoneyError> {
        let exact = Decimal::from(self.minor).checked_mul(share).ok_or(MoneyError::Overflow)?;
        let whole = exact.round_dp_with_strategy(0, rounding.strategy());
        let minor = i64::try_from(whole).map_err(|_| MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    /// Compares two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] for two currencies.
    pub fn compare(self, other: Money) -> Result<std::cmp::Ordering, MoneyError> {
        self.with(other, Some(0)).map(|_| self.minor.cmp(&other.minor))
    }

    fn with(self, other: Money, minor: Option<i64>) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed { found: other.currency, expected: self.currency });
        }
        Ok(Money { minor: minor.ok_or(MoneyError::Overflow)?, ..self })
    }
}

impl Rounding {
    fn strategy(self) -> RoundingStrategy {
        match self {
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::Down => RoundingStrategy::ToZero,
            Rounding::Up => RoundingStrategy::AwayFromZero,
        }
    }
}

impl FromStr for Rounding {
    type Err = MoneyError;
    fn from_str(name: &str) -> Result<Rounding, MoneyError> {
        match name {
            "half_up" => Ok(Rounding::HalfUp),
            "half_even" => Ok(Rounding::HalfEven),
            "down" => Ok(Rounding::Down),
            "up" => Ok(Rounding::Up),
            _ => Err(MoneyError::Rounding(name.chars().take(20).collect())),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// In JSON money is `{"amount": "500.00", "currency": "CNY"}`: text, so that no reader makes a float of it.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = s.serialize_struct("Money", 2)?;
        object.serialize_field("amount", &self.amount())?;
        object.serialize_field("currency", self.currency.code())?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Money, D::Error> {
        #[derive(Deserialize)]
        struct Told {
            amount: String,
            currency: String,
        }
        let Told { amount, currency } = Told::deserialize(from)?;
        let currency = currency.parse().map_err(serde::de::Error::custom)?;
        Money::parse(&amount, currency).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, code: &str) -> Result<Money, MoneyError> {
        Money::parse(text, code.parse()?)
    }

    #[test]
    fn amounts_are_read_and_written_with_the_currency_s_decimals() {
        for (text, code, minor, written) in [
            ("500", "CNY", 50_000, "500.00"),
            ("500.5", "CNY", 50_050, "500.50"),
            ("-0.01", "CNY", -1, "-0.01"),
            ("500.000", "CNY", 50_000, "500.00"),
            ("500", "JPY", 500, "500"),
            ("1.234", "KWD", 1234, "1.234"),
        ] {
            let found = money(text, code).unwrap();
            assert_eq!((found.minor(), found.amount().as_str()), (minor, written), "{text} {code}");
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused_never_rounded() {
        for (text, code) in [
            ("0.001", "CNY"),
            ("1,000", "CNY"),
            ("", "CNY"),
            (".5", "CNY"),
            ("5.", "CNY"),
            ("1e3", "CNY"),
            ("0.5", "JPY"),
            ("９", "CNY"),
            ("+5", "CNY"),
            ("--5", "CNY"),
        ] {
            assert!(matches!(money(text, code), Err(MoneyError::Amount { .. })), "{text} {code}");
        }
        assert_eq!(money("99999999999999999999", "CNY"), Err(MoneyError::Overflow));
        assert!(matches!(money("1", "YUAN"), Err(MoneyError::Currency(_))));
    }

    #[test]
    fn a_fraction_becomes_money_by_the_named_rounding_only() {
        let fee = money("0.05", "CNY").unwrap();
        let half = Decimal::new(5, 1);
        for (rounding, minor) in
            [(Rounding::HalfUp, 3), (Rounding::HalfEven, 2), (Rounding::Down, 2), (Rounding::Up, 3)]
        {
            assert_eq!(fee.share(half, rounding).unwrap().minor(), minor, "{rounding:?}");
        }
    }

    #[test]
    fn two_currencies_never_meet() {
        let (yuan, yen) = (money("1", "CNY").unwrap(), money("1", "JPY").unwrap());
        assert!(matches!(yuan.checked_add(yen), Err(MoneyError::Mixed { .. })));
        assert!(yuan.compare(yen).is_err());
        assert_eq!(Money::from_minor(i64::MAX, yuan.currency()).checked_add(yuan), Err(MoneyError::Overflow));
    }
}
