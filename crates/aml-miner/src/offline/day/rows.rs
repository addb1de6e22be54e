//! Rows of a table as bytes of a temporary file, and back: bit for bit.
//!
//! A piece is the number of its rows, a bit for each column that it has, and those columns one after another. Numbers are
//! little-endian; texts are their lengths, then their bytes; lists the numbers of their items, then the items.

use crate::wire::{Column, NumberLists, Table, TableSpec, TextColumn, TextLists};

/// Adds the given rows of `table` to `bytes`.
pub(super) fn write(table: &Table, rows: &[u32], bytes: &mut Vec<u8>) {
    count(rows.len(), bytes);
    let has = table.columns().iter().rev().fold(0_u128, |has, column| has << 1 | u128::from(column.is_some()));
    bytes.extend_from_slice(&has.to_le_bytes());
    let rows = || rows.iter().map(|&row| row as usize);
    for column in table.columns().iter().flatten() {
        match column {
            Column::Numbers(values) => rows().for_each(|row| bytes.extend_from_slice(&values[row].to_le_bytes())),
            Column::Texts(texts) => {
                rows().for_each(|row| count(texts.get(row).len(), bytes));
                rows().for_each(|row| bytes.extend_from_slice(texts.get(row).as_bytes()));
            }
            Column::TextLists(lists) => {
                rows().for_each(|row| count(lists.count(row), bytes));
                rows().flat_map(|row| lists.get(row)).for_each(|item| count(item.len(), bytes));
                rows().flat_map(|row| lists.get(row)).for_each(|item| bytes.extend_from_slice(item.as_bytes()));
            }
            Column::NumberLists(lists) => {
                rows().for_each(|row| count(lists.get(row).len(), bytes));
                let items = rows().flat_map(|row| lists.get(row));
                items.for_each(|item| bytes.extend_from_slice(&item.to_le_bytes()));
            }
        }
    }
}

/// The columns of a table `spec` in all pieces of `bytes`, and its rows; `None` where the bytes are not those that were
/// written.
pub(super) fn read(bytes: &[u8], spec: &TableSpec) -> Option<(Vec<Option<Column>>, usize)> {
    let mut columns = vec![None; spec.columns.len()];
    let mut left = Left(bytes);
    let mut rows = 0;
    while !left.0.is_empty() {
        let more = left.count()?;
        let has = u128::from_le_bytes(*left.take(16)?.first_chunk()?);
        for (position, column) in columns.iter_mut().enumerate() {
            if has >> position & 1 == 1 {
                let column = column.get_or_insert_with(|| Column::empty(spec.columns[position].kind));
                column.pad(rows);
                left.column(column, more)?;
            }
        }
        rows += more;
    }
    columns.iter_mut().flatten().for_each(|column: &mut Column| column.pad(rows));
    Some((columns, rows))
}

fn count(items: usize, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&u32::try_from(items).unwrap_or(u32::MAX).to_le_bytes());
}

/// Bytes that were not read yet.
struct Left<'a>(&'a [u8]);

impl<'a> Left<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(length)?;
        self.0 = left;
        Some(taken)
    }

    fn count(&mut self) -> Option<usize> {
        self.take(4).and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes) as usize)
    }

    fn counts(&mut self, length: usize) -> Option<Vec<usize>> {
        let (words, _) = self.take(length.checked_mul(4)?)?.as_chunks::<4>();
        Some(words.iter().map(|word| u32::from_le_bytes(*word) as usize).collect())
    }

    fn numbers(&mut self, length: usize) -> Option<impl Iterator<Item = f64> + use<'a>> {
        let (words, _) = self.take(length.checked_mul(8)?)?.as_chunks::<8>();
        Some(words.iter().map(|word| f64::from_le_bytes(*word)))
    }

    /// Texts of these lengths, one after another.
    fn texts(&mut self, lengths: &[usize], mut put: impl FnMut(&str)) -> Option<()> {
        let mut text = std::str::from_utf8(self.take(lengths.iter().sum())?).ok()?;
        for &length in lengths {
            let (one, left) = text.split_at_checked(length)?;
            put(one);
            text = left;
        }
        Some(())
    }

    fn column(&mut self, column: &mut Column, rows: usize) -> Option<()> {
        match column {
            Column::Numbers(values) => values.extend(self.numbers(rows)?),
            Column::Texts(texts) => self.fill_texts(texts, rows)?,
            Column::TextLists(lists) => self.fill_text_lists(lists, rows)?,
            Column::NumberLists(lists) => self.fill_number_lists(lists, rows)?,
        }
        Some(())
    }

    fn fill_texts(&mut self, texts: &mut TextColumn, rows: usize) -> Option<()> {
        let lengths = self.counts(rows)?;
        self.texts(&lengths, |text| texts.push(text))
    }

    fn fill_text_lists(&mut self, lists: &mut TextLists, rows: usize) -> Option<()> {
        let counts = self.counts(rows)?;
        let lengths = self.counts(counts.iter().sum())?;
        let mut items = TextColumn::default();
        self.texts(&lengths, |text| items.push(text))?;
        let mut next = 0;
        for count in counts {
            (next..next + count).for_each(|item| lists.push_item(items.get(item)));
            lists.end_row();
            next += count;
        }
        Some(())
    }

    fn fill_number_lists(&mut self, lists: &mut NumberLists, rows: usize) -> Option<()> {
        let counts = self.counts(rows)?;
        let mut items = self.numbers(counts.iter().sum())?;
        for count in counts {
            items.by_ref().take(count).for_each(|item| lists.push_item(item));
            lists.end_row();
        }
        Some(())
    }
}
