//! A CSV file to a table, by the rules that hold for every other form.
//!
//! An empty cell is missing. A list is written as JSON. Numbers have a point; one with a comma has two readings and is
//! refused.

use std::collections::BTreeMap;

use crate::data::csv::{Csv, CsvError};
use crate::data::limits::FileLimits;
use crate::data::table_error::{FileProblem, TableError};
use crate::table::cells::{days_from_text, from_text};
use crate::table::flaw::{CellProblem, Flaw};
use crate::table::instant::ms_from_text;
use crate::table::spec::{ColumnType, TableSpec};
use crate::table::{Column, Table, excerpt, lists, rules};

/// Names of a source's columns and what the format calls them.
pub type Names = BTreeMap<String, String>;

/// Reads the table `spec` from CSV that errors call `file`, columns renamed by `names`.
///
/// # Errors
/// What is wrong, at most `most` things.
pub fn table_from_csv(
    bytes: &[u8],
    spec: &'static TableSpec,
    file: &str,
    names: &Names,
    most: usize,
) -> Result<Table, Vec<TableError>> {
    let whole = |error: CsvError| {
        vec![TableError::File { file: file.to_owned(), problem: FileProblem::Csv(error.to_string()) }]
    };
    let limits = FileLimits::default();
    let mut csv = Csv::open(bytes).map_err(whole)?;
    let called = |name: &String| names.get(name).unwrap_or(name).clone();
    let header: Vec<String> = csv.header.iter().map(called).collect();
    if let Some((_, twice)) = header.iter().enumerate().find(|(index, name)| header[..*index].contains(name)) {
        let what = format!("two columns are called `{}` after renaming", excerpt(twice));
        return Err(whole(CsvError { line: 1, what }));
    }
    let places: Vec<Option<usize>> = header.iter().map(|name| spec.position(name)).collect();
    let unknown = header.iter().filter(|name| spec.position(name).is_none()).cloned().collect();
    let mut columns: Vec<Option<Column>> = vec![None; spec.columns.len()];
    for place in places.iter().flatten() {
        columns[*place] = Some(Column::empty(spec.columns[*place].kind));
    }
    let (mut rows, mut problems) = (0, Vec::new());
    while let Some(record) = csv.record().map_err(whole)? {
        for (place, cell) in places.iter().zip(&record.cells) {
            let Some((about, column)) = place.map(|place| (&spec.columns[place], &mut columns[place])) else {
                continue;
            };
            let pushed = column.as_mut().map_or(Ok(()), |column| push(column, about.kind, cell));
            if let Err(problem) = pushed
                && problems.len() < most.max(1)
            {
                problems.push(Flaw::Cell(rows, problem).at(file, about.name));
            }
        }
        rows += 1;
        if rows > limits.rows {
            return Err(whole(CsvError { line: record.line, what: format!("more than {} rows", limits.rows) }));
        }
    }
    if rows == 0 {
        return Ok(Table::new(spec, 0, vec![None; spec.columns.len()], unknown));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let table = Table::new(spec, rows, columns, unknown);
    problems
        .extend(rules::problems(&table, limits.one_text_bytes, most.max(1)).into_iter().map(|flawed| flawed.at(file)));
    problems.extend(lists::check(&table, limits.items).err().map(|flawed| flawed.at(file)));
    if problems.is_empty() { Ok(table) } else { Err(problems) }
}

/// Adds a cell to a column; one that cannot be read adds a missing one, for the column is dropped anyway.
fn push(column: &mut Column, kind: ColumnType, cell: &str) -> Result<(), CellProblem> {
    match column {
        Column::Texts(texts) => {
            texts.push(cell);
            Ok(())
        }
        Column::Numbers(values) => {
            let read = if cell.is_empty() { Ok(f64::NAN) } else { number(kind, cell) };
            values.push(*read.as_ref().unwrap_or(&f64::NAN));
            read.map(drop)
        }
        Column::TextLists(lists) => {
            let items = list::<String>(cell);
            items.iter().flatten().for_each(|item| lists.push_item(item));
            lists.end_row();
            items.map(drop)
        }
        Column::NumberLists(lists) => {
            let items = list::<Option<f64>>(cell);
            items.iter().flatten().for_each(|item| lists.push_item(item.unwrap_or(f64::NAN)));
            lists.end_row();
            items.map(drop)
        }
    }
}

fn number(kind: ColumnType, cell: &str) -> Result<f64, CellProblem> {
    match kind {
        ColumnType::Date => days_from_text(cell),
        ColumnType::TimestampMs => ms_from_text(cell),
        ColumnType::Bool if cell.eq_ignore_ascii_case("true") => Ok(1.0),
        ColumnType::Bool if cell.eq_ignore_ascii_case("false") => Ok(0.0),
        _ => from_text(cell),
    }
}

fn list<T: serde::de::DeserializeOwned>(cell: &str) -> Result<Vec<T>, CellProblem> {
    if cell.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(cell).map_err(|_| CellProblem::NotAList(excerpt(cell)))
}
