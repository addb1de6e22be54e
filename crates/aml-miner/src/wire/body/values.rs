//! Reads one value into its column, by the column's type; what does not fit becomes a problem.

use super::TABLES;
use super::rows::{DEPTH, TableReader};
use crate::table::cells::from_text;
use crate::table::date::days_of_date;
use crate::table::flaw::CellProblem;
use crate::table::instant::{doubt, ms_from_text};
use crate::table::rules;
use crate::table::spec::{ColumnSpec, ColumnType};
use crate::wire::json::scan::Next;
use crate::wire::json::text::{Span, decode};
use crate::wire::json::{Number, Scanner, SyntaxError};
use crate::wire::problem::{Fault, Found};

/// A value of its type, or what is wrong with it; the outer error is one of JSON.
type Read<T> = Result<Result<T, Fault>, SyntaxError>;

impl<'a> TableReader<'a> {
    /// Reads the value of `column` in the current row.
    #[inline]
    pub(super) fn value(&mut self, scan: &mut Scanner<'a>, column: usize) -> Result<(), SyntaxError> {
        let about = &TABLES[self.table].columns[column];
        let bit = 1_u128 << column;
        let start = scan.at();
        if self.seen & bit != 0 {
            scan.value(DEPTH)?;
            self.fault(about, Fault::DuplicateKey, scan.since(start));
            return Ok(());
        }
        self.seen |= bit;
        if scan.peek() == Some(b'n') && scan.literal("null") {
            return Ok(());
        }
        self.given |= bit;
        let read = match about.kind {
            ColumnType::Text | ColumnType::Severity => self.text(scan, column)?,
            ColumnType::TextList => return self.text_list(scan, column),
            ColumnType::NumberList => return self.number_list(scan, column),
            kind => {
                let value = match kind {
                    ColumnType::Date => date(scan)?,
                    ColumnType::Bool => flag(scan)?,
                    ColumnType::TimestampMs => time(scan)?.and_then(|value| in_range(value, about)),
                    _ => number(scan)?.and_then(|value| in_range(value, about)),
                };
                let row = self.rows;
                value.map(|value| self.columns.put_number(column, row, value))
            }
        };
        if let Err(fault) = read {
            self.fault(about, fault, scan.since(start));
        }
        Ok(())
    }

    fn fault(&mut self, about: &ColumnSpec, fault: Fault, raw: &str) {
        let row = self.rows;
        self.problems.add(|| Found::of_row(row, fault).at_key(about.name).with_input(raw));
    }

    fn text(&mut self, scan: &mut Scanner<'a>, column: usize) -> Read<()> {
        let Some(span) = string(scan)? else { return Ok(Err(Fault::NotText)) };
        let about = &TABLES[self.table].columns[column];
        let free = about.kind == ColumnType::Text && !about.required && !may_hold_nul(span);
        if free && !self.columns.keeps(column) {
            return Ok(Ok(()));
        }
        let text = decode(scan.slice(span), span.escaped);
        if !free && let Err(breach) = rules::text(&text, about) {
            return Ok(Err(breach.into()));
        }
        self.columns.put_text(column, self.rows, &text);
        Ok(Ok(()))
    }

    fn text_list(&mut self, scan: &mut Scanner<'a>, column: usize) -> Result<(), SyntaxError> {
        let row = self.rows;
        self.items(scan, column, |reader, scan| {
            let Some(span) = string(scan)? else { return Ok(Err(Fault::NotText)) };
            if !may_hold_nul(span) && !reader.columns.keeps(column) {
                return Ok(Ok(()));
            }
            let text = decode(scan.slice(span), span.escaped);
            if may_hold_nul(span)
                && let Err(breach) = rules::text_item(&text)
            {
                return Ok(Err(breach.into()));
            }
            if let Some(lists) = reader.columns.text_lists(column, row) {
                lists.push_item(&text);
            }
            Ok(Ok(()))
        })?;
        if let Some(lists) = self.columns.text_lists(column, row) {
            lists.end_row();
        }
        Ok(())
    }

    fn number_list(&mut self, scan: &mut Scanner<'a>, column: usize) -> Result<(), SyntaxError> {
        let row = self.rows;
        self.items(scan, column, |reader, scan| {
            let value = if scan.literal("null") {
                f64::NAN
            } else {
                match number(scan)? {
                    Ok(value) => match rules::number_item(value) {
                        Ok(()) => value,
                        Err(breach) => return Ok(Err(Fault::of(breach, &TABLES[reader.table].columns[column]))),
                    },
                    Err(fault) => return Ok(Err(fault)),
                }
            };
            if let Some(lists) = reader.columns.number_lists(column, row) {
                lists.push_item(value);
            }
            Ok(Ok(()))
        })?;
        if let Some(lists) = self.columns.number_lists(column, row) {
            lists.end_row();
        }
        Ok(())
    }

    /// Reads a list, each item by `read`; tells faults with the item's index.
    fn items(
        &mut self,
        scan: &mut Scanner<'a>,
        column: usize,
        mut read: impl FnMut(&mut Self, &mut Scanner<'a>) -> Read<()>,
    ) -> Result<(), SyntaxError> {
        let name = TABLES[self.table].columns[column].name;
        let row = self.rows;
        if scan.peek() != Some(b'[') {
            let start = scan.at();
            scan.value(DEPTH)?;
            let raw = scan.since(start);
            self.problems.add(|| Found::of_row(row, Fault::NotAList).at_key(name).with_input(raw));
            return Ok(());
        }
        scan.skip(1);
        if scan.closes(b']') {
            return Ok(());
        }
        let most = self.reading.limits.items;
        for item in 0.. {
            let start = scan.at();
            let outcome = if item < most { read(self, scan)? } else { scan.value(DEPTH + 1).map(Ok)? };
            if let Err(fault) = outcome {
                let raw = scan.since(start);
                let found = || Found { item: Some(item), ..Found::of_row(row, fault).at_key(name).with_input(raw) };
                self.problems.add(found);
            } else if item == most {
                self.problems.add(|| Found::of_row(row, Fault::TooManyItems(most)).at_key(name));
            }
            if scan.after_item(b']')? == Next::End {
                break;
            }
        }
        Ok(())
    }
}

/// A string that stands here; passes any other value.
fn string(scan: &mut Scanner<'_>) -> Result<Option<Span>, SyntaxError> {
    if scan.peek() == Some(b'"') {
        return scan.string().map(Some);
    }
    scan.value(DEPTH)?;
    Ok(None)
}

/// A number or the text of one. Python's names for what is not finite are told apart from broken JSON.
#[inline]
fn number(scan: &mut Scanner<'_>) -> Read<f64> {
    match scan.peek() {
        Some(b'0'..=b'9') => scan.number().map(|number| Ok(number.value)),
        Some(b'-') if !scan.literal("-Infinity") => scan.number().map(|number| Ok(number.value)),
        Some(b'N') if scan.literal("NaN") => Ok(Err(Fault::NotFinite)),
        Some(b'I') if scan.literal("Infinity") => Ok(Err(Fault::NotFinite)),
        Some(b'-') => Ok(Err(Fault::NotFinite)),
        Some(b'"') => {
            let span = scan.string()?;
            let text = decode(scan.slice(span), span.escaped);
            Ok(Number::parse(&text).map_or_else(|| from_text(&text).map_err(|problem| not_a_number(&problem)), Ok))
        }
        _ => scan.value(DEPTH).map(|()| Err(Fault::NotANumber)),
    }
}

fn not_a_number(problem: &CellProblem) -> Fault {
    match problem {
        CellProblem::NotFinite(_) => Fault::NotFinite,
        CellProblem::NotANumber(text) => {
            let name = text.trim_start_matches(['+', '-']);
            let not_finite = ["nan", "inf", "infinity"].iter().any(|known| name.eq_ignore_ascii_case(known));
            if not_finite { Fault::NotFinite } else { Fault::NotNumeric }
        }
        _ => Fault::NotNumeric,
    }
}

/// Whether the rule on U+0000 is to be asked: JSON writes it as an escape only.
fn may_hold_nul(span: Span) -> bool {
    span.escaped
}

/// `true`, `false`, 1, 0, or the text of one of these.
fn flag(scan: &mut Scanner<'_>) -> Read<f64> {
    if scan.literal("true") {
        return Ok(Ok(1.0));
    }
    if scan.literal("false") {
        return Ok(Ok(0.0));
    }
    let start = scan.at();
    let read = number(scan)?;
    let value = match scan.since(start) {
        "\"true\"" | "\"True\"" => Some(1.0),
        "\"false\"" | "\"False\"" => Some(0.0),
        _ => read.ok().filter(|value| value.to_bits() == 1_f64.to_bits() || value.to_bits() == 0_f64.to_bits()),
    };
    Ok(value.ok_or(Fault::NotABool))
}

fn in_range(value: f64, about: &ColumnSpec) -> Result<f64, Fault> {
    rules::number(value, about).map(|()| value).map_err(|breach| Fault::of(breach, about))
}

/// Milliseconds, or a text of ISO 8601; what is usual in another unit is refused.
fn time(scan: &mut Scanner<'_>) -> Read<f64> {
    let read = if scan.peek() == Some(b'"') {
        let span = scan.string()?;
        ms_from_text(&decode(scan.slice(span), span.escaped)).map_err(|problem| not_a_time(&problem))
    } else {
        number(scan)?
    };
    Ok(read.and_then(|ms| match doubt(ms, None).and_then(|doubt| doubt.unit) {
        Some(unit) => Err(Fault::TimeIn(unit)),
        None => Ok(ms),
    }))
}

fn not_a_time(problem: &CellProblem) -> Fault {
    match problem {
        CellProblem::NotFinite(_) => Fault::NotFinite,
        CellProblem::TooFine(_) => Fault::NotWhole,
        _ => Fault::NotATime,
    }
}

fn date(scan: &mut Scanner<'_>) -> Read<f64> {
    let Some(span) = string(scan)? else { return Ok(Err(Fault::NotADate)) };
    Ok(days_of_date(scan.slice(span)).map(f64::from).ok_or(Fault::NotADate))
}
