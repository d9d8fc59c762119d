//! A table of a record: shown in the form, and written beside it as CSV with the same columns and rows.

use holdback::Money;
use serde::Serialize;

use crate::Stop;
use crate::page::amount;

/// A table.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Table {
    /// Its name in the templates and in the file of its CSV.
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Sums under the columns; empty when there are none. Not part of the CSV.
    pub(super) foot: Vec<Cell>,
}

/// The head of a column.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Column {
    pub(super) label: String,
    /// `text`, `number`, or `when` for instants, which are not broken over lines.
    pub(super) sort: &'static str,
}

/// A cell.
#[derive(Clone, Debug, Serialize)]
#[serde(into = "String")]
pub(super) struct Cell {
    shown: String,
    /// What the program itself computed, as it stands in the CSV; nothing for a text, which may be anybody's.
    plain: Option<String>,
}

impl From<Cell> for String {
    fn from(cell: Cell) -> String {
        cell.shown
    }
}

impl From<String> for Cell {
    fn from(shown: String) -> Cell {
        Cell { shown, plain: None }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        text.to_owned().into()
    }
}

impl From<Money> for Cell {
    fn from(value: Money) -> Cell {
        Cell { shown: amount(value), plain: Some(value.amount()) }
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Cell {
        Cell { shown: n.to_string(), plain: Some(n.to_string()) }
    }
}

impl From<usize> for Cell {
    fn from(n: usize) -> Cell {
        Cell { shown: n.to_string(), plain: Some(n.to_string()) }
    }
}

impl Table {
    /// An empty table; a column's label begins with `#` for numbers and `@` for instants.
    pub(super) fn new(name: &'static str, columns: &[&str]) -> Table {
        let column = |label: &&str| {
            let (sort, label) = match label.chars().next() {
                Some('#') => ("number", label.get(1..)),
                Some('@') => ("when", label.get(1..)),
                _ => ("text", Some(*label)),
            };
            Column { label: label.unwrap_or_default().to_owned(), sort }
        };
        Table { name, columns: columns.iter().map(column).collect(), rows: Vec::new(), foot: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// The table as CSV, UTF-8 with a byte order mark: without the mark Excel takes Chinese for something else. A text that a
    /// spreadsheet would take for a formula gets an apostrophe before it.
    ///
    /// # Errors
    /// When it cannot be written to memory.
    pub(super) fn csv(&self) -> Result<Vec<u8>, Stop> {
        let fault = |error: &dyn std::fmt::Display| Stop::Unusable(format!("table `{}`: {error}", self.name));
        let mut out = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
        out.write_record(self.columns.iter().map(|column| guarded(&column.label))).map_err(|e| fault(&e))?;
        for row in &self.rows {
            let cells = row.iter().map(|cell| cell.plain.clone().unwrap_or_else(|| guarded(&cell.shown)));
            out.write_record(cells).map_err(|e| fault(&e))?;
        }
        out.into_inner().map_err(|e| fault(&e))
    }
}

/// What makes a spreadsheet take a text for a formula, the wide forms of Chinese keyboards included.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn guarded(text: &str) -> String {
    let clean = text.replace('\0', "\u{fffd}");
    let first = clean.chars().find(|c| *c != ' ');
    if first.is_some_and(|c| FORMULA.contains(&c)) { format!("'{clean}") } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula_and_an_amount_stays_a_number() {
        let mut table = Table::new("t", &["说明", "#Amount", "@At"]);
        let currency = "CNY".parse::<holdback::Currency>().unwrap();
        for text in ["=1+1", "+86", "-x", "@SUM(A1)", "\tx", "＝1", "  =1", "a=1", ""] {
            table.push(vec![text.into(), Money::from_minor(-123_456, currency).into(), "".into()]);
        }
        let csv = String::from_utf8(table.csv().unwrap()).unwrap();
        let rows: Vec<&str> = csv.lines().collect();
        assert_eq!(rows.first(), Some(&"\u{feff}说明,Amount,At"));
        assert_eq!(
            rows.get(1..).unwrap().iter().map(|row| row.split(',').next().unwrap()).collect::<Vec<_>>(),
            ["'=1+1", "'+86", "'-x", "'@SUM(A1)", "'\tx", "'＝1", "'  =1", "a=1", ""]
        );
        assert!(rows.iter().skip(1).all(|row| row.contains(",-1234.56,")));
        assert_eq!(table.columns.iter().map(|c| c.sort).collect::<Vec<_>>(), ["text", "number", "when"]);
    }
}
