//! The money flows of some addresses, of each the largest counterparties, so that an address with a hundred thousand of them
//! takes no more than one with a hundred.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aml_miner::wire::Table;

use crate::readers::flows::{Flow, NODES, Rest};

/// Flows by the addresses that they are kept for.
#[derive(Debug)]
pub(in crate::api) struct Flows {
    /// The rows that are kept.
    table: Table,
    of: HashMap<String, Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    rows: Vec<u32>,
    left_out: Rest,
}

impl Flows {
    /// The flows of a table from and to these addresses.
    pub(super) fn of(table: &Table, addresses: &BTreeSet<&str>) -> Self {
        let (Some(from), Some(to)) = (table.texts("from_address"), table.texts("to_address")) else {
            return Self { table: table.take(&[]), of: HashMap::new() };
        };
        let mut rows: HashMap<&str, Vec<usize>> = HashMap::new();
        for row in 0..table.rows() {
            let ends = (from.get(row), to.get(row));
            if let Some(address) = addresses.get(ends.0) {
                rows.entry(address).or_default().push(row);
            }
            if let Some(address) = addresses.get(ends.1).filter(|_| ends.0 != ends.1) {
                rows.entry(address).or_default().push(row);
            }
        }
        let amounts = table.numbers("amount_usd");
        let usd = |row: usize| amounts.map_or(0.0, |amounts| known(amounts[row]).unwrap_or(0.0));
        let largest = |(address, rows): (&str, Vec<usize>)| {
            let ends = |row: usize| (from.get(row), to.get(row), usd(row));
            (address.to_owned(), largest(address, rows, ends))
        };
        let chosen: HashMap<String, (Vec<usize>, Rest)> = rows.into_iter().map(largest).collect();
        let kept: BTreeSet<usize> = chosen.values().flat_map(|(rows, _)| rows).copied().collect();
        let kept: Vec<usize> = kept.into_iter().collect();
        let place = |row: usize| kept.binary_search(&row).ok().and_then(|at| u32::try_from(at).ok());
        let of = chosen.into_iter().map(|(address, (rows, left_out))| {
            (address, Kept { rows: rows.into_iter().filter_map(place).collect(), left_out })
        });
        Self { of: of.collect(), table: table.take(&kept) }
    }

    /// The flows of an address, and who was left out.
    pub(in crate::api) fn around(&self, address: &str) -> (Vec<Flow>, Rest) {
        let Some(kept) = self.of.get(address) else { return (Vec::new(), Rest::default()) };
        let rows = kept.rows.iter().filter_map(|row| usize::try_from(*row).ok());
        (rows.map(|row| self.flow(row)).collect(), kept.left_out)
    }

    fn flow(&self, row: usize) -> Flow {
        let text = |name| self.table.texts(name).map(|texts| texts.get(row).to_owned()).unwrap_or_default();
        let number = |name| self.table.numbers(name).and_then(|numbers| known(numbers[row]));
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and the table holds times within 2^53")]
        let time = |name| number(name).map(|value| value as i64);
        let asset = text("asset");
        Flow {
            from: text("from_address"),
            to: text("to_address"),
            usd: number("amount_usd"),
            transactions: number("tx_count"),
            first_ms: time("first_seen"),
            last_ms: time("last_seen"),
            assets: if asset.is_empty() { Vec::new() } else { vec![asset] },
        }
    }
}

fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The rows of an address's largest counterparties, and what the others add up to.
fn largest<'a>(address: &str, rows: Vec<usize>, ends: impl Fn(usize) -> (&'a str, &'a str, f64)) -> (Vec<usize>, Rest) {
    let mut by_other: BTreeMap<&str, (f64, f64, Vec<usize>)> = BTreeMap::new();
    let mut own = Vec::new();
    for row in rows {
        let (from, to, usd) = ends(row);
        if from == to {
            own.push(row);
            continue;
        }
        let paid_by_us = from == address;
        let of = by_other.entry(if paid_by_us { to } else { from }).or_default();
        if paid_by_us {
            of.0 += usd
        } else {
            of.1 += usd
        }
        of.2.push(row);
    }
    let mut others: Vec<_> = by_other.into_iter().collect();
    others.sort_by(|a, b| (b.1.0 + b.1.1).total_cmp(&(a.1.0 + a.1.1)).then_with(|| a.0.cmp(b.0)));
    let hidden = others.split_off(others.len().min(NODES));
    let mut left_out = Rest::default();
    for (_, (received, paid, _)) in hidden {
        left_out.addresses += 1;
        left_out.received_usd += received;
        left_out.paid_usd += paid;
    }
    own.extend(others.into_iter().flat_map(|(_, (.., rows))| rows));
    (own, left_out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aml_miner::wire::spec::MONEY_FLOWS;
    use aml_miner::wire::{Column, Table, TextColumn};

    use super::Flows;

    fn table(flows: &[(&str, &str, f64)]) -> Table {
        let mut columns: Vec<Option<Column>> = MONEY_FLOWS.columns.iter().map(|_| None).collect();
        columns[0] = Some(Column::Texts(flows.iter().map(|flow| flow.0).collect::<TextColumn>()));
        columns[1] = Some(Column::Texts(flows.iter().map(|flow| flow.1).collect::<TextColumn>()));
        columns[2] = Some(Column::Numbers(flows.iter().map(|flow| flow.2).collect()));
        Table::new(&MONEY_FLOWS, flows.len(), columns, Vec::new())
    }

    #[test]
    fn a_crowd_of_counterparties_is_kept_by_the_largest() {
        let names: Vec<String> = (0..5_000).map(|at| format!("p{at:04}")).collect();
        let mut flows: Vec<(&str, &str, f64)> = (0..5_000).map(|at| ("hub", names[at].as_str(), at as f64)).collect();
        flows.push(("hub", "hub", 3.0));
        flows.push(("p0001", "hub", 1e6));
        flows.push(("p0002", "p0003", 1e9));
        let found = Flows::of(&table(&flows), &BTreeSet::from(["hub", "p0001"]));
        let (kept, left_out) = found.around("hub");
        assert_eq!(kept.iter().filter(|flow| flow.to == "hub" && flow.from == "p0001").count(), 1);
        assert_eq!((left_out.addresses, kept[0].to.as_str()), (5_000 - 40, "hub"), "what it pays itself is kept");
        assert!(kept.len() <= 42 && kept.iter().all(|flow| flow.transactions.is_none() && flow.first_ms.is_none()));
        let sum: f64 = kept.iter().filter(|flow| flow.from == "hub").filter_map(|flow| flow.usd).sum();
        assert!((sum + left_out.received_usd - (4_999.0 * 2_500.0 + 3.0)).abs() < 1e-6);
        assert_eq!(found.around("p0001").0.len(), 2);
        assert_eq!(found.around("nobody").0.len(), 0);
    }
}
