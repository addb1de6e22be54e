//! What somebody could learn who knows which rows of past tasks were traps: numbers made of everything that a task shows
//! of an alert but its address, and two classifiers over them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use aml_miner::wire::{Batch, Column, Table};
use aml_subnet::validator::traps::Draw;

/// Characters of an id that are looked at.
const ID_CHARACTERS: usize = 20;
/// Bins of a number.
const BINS: usize = 8;
/// Stumps that are added up.
const STUMPS: usize = 30;

/// Numbers of every alert of a task; NaN where there is nothing.
pub(crate) struct Sheet {
    pub(crate) names: Vec<String>,
    /// By number, then by alert.
    pub(crate) values: Vec<Vec<f64>>,
}

impl Sheet {
    /// All that `batch` shows: the row itself and its place, the address's features, its flows, its clusters.
    pub(crate) fn of(batch: &Batch) -> Self {
        let rows = batch.alerts.rows();
        let mut sheet = Self { names: Vec::new(), values: Vec::new() };
        sheet.add("place", (0..rows).map(|row| row as f64).collect());
        let own: Vec<Vec<usize>> = (0..rows).map(|row| vec![row]).collect();
        sheet.table("alerts", &batch.alerts, &own);
        let addresses: Vec<&str> = batch.alerts.texts("address").expect("addresses").iter().collect();
        let of_address = |table: &Table, columns: &[&str]| {
            let mut found: HashMap<&str, Vec<usize>> = HashMap::new();
            for texts in columns.iter().filter_map(|column| table.texts(column)) {
                texts.iter().enumerate().for_each(|(row, name)| found.entry(name).or_default().push(row));
            }
            addresses.iter().map(|address| found.get(address).cloned().unwrap_or_default()).collect::<Vec<_>>()
        };
        sheet.table("features", &batch.features, &of_address(&batch.features, &["address"]));
        let flows = of_address(&batch.money_flows, &["from_address", "to_address"]);
        sheet.table("flows", &batch.money_flows, &flows);
        let ids: Vec<&str> = batch.alerts.texts("alert_id").expect("ids").iter().collect();
        let mut of_alert: HashMap<&str, Vec<usize>> = HashMap::new();
        if let Some(lists) = batch.clusters.text_lists("related_alert_ids") {
            for row in 0..lists.len() {
                lists.get(row).for_each(|id| of_alert.entry(id).or_default().push(row));
            }
        }
        let clusters: Vec<Vec<usize>> = ids.iter().map(|id| of_alert.get(id).cloned().unwrap_or_default()).collect();
        sheet.table("clusters", &batch.clusters, &clusters);
        sheet
    }

    fn add(&mut self, name: &str, values: Vec<f64>) {
        self.names.push(name.to_owned());
        self.values.push(values);
    }

    /// Every column of a table as means over each alert's rows, how many those are, and where they stand.
    fn table(&mut self, name: &str, table: &Table, rows: &[Vec<usize>]) {
        self.add(&format!("{name} rows"), rows.iter().map(|own| own.len() as f64).collect());
        self.add(&format!("{name} place"), rows.iter().map(|own| mean(own.iter().map(|&row| row as f64))).collect());
        for (about, column) in table.spec().columns.iter().zip(table.columns()) {
            let Some(column) = column else { continue };
            if is_of_addresses(about.name) {
                continue;
            }
            for (part, of) in parts(about.name) {
                let values = rows.iter().map(|own| mean(own.iter().map(|&row| of(column, row)))).collect();
                self.add(&format!("{name}.{}{part}", about.name), values);
            }
        }
    }
}

fn is_of_addresses(column: &str) -> bool {
    matches!(column, "address" | "primary_address" | "addresses_involved" | "from_address" | "to_address")
}

type Part = (String, Box<dyn Fn(&Column, usize) -> f64>);

/// The numbers that are made of a column.
fn parts(column: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![
        (String::new(), Box::new(plain)),
        (" length".to_owned(), Box::new(|column, row| text(column, row).chars().count() as f64)),
        (" there".to_owned(), Box::new(|column, row| f64::from(u8::from(plain(column, row).is_nan())))),
        (" decimals".to_owned(), Box::new(|column, row| decimals(plain(column, row)))),
    ];
    if column.ends_with("_id") || column == "description" || column == "evidence_json" {
        for at in 0..ID_CHARACTERS {
            let letter = move |column: &Column, row: usize| {
                text(column, row).chars().nth(at).map_or(f64::NAN, |letter| f64::from(u32::from(letter)))
            };
            parts.push((format!(" character {at}"), Box::new(letter)));
        }
    }
    parts
}

/// A number as it is, a text by the number that its words come to, a list by its length and sum.
fn plain(column: &Column, row: usize) -> f64 {
    match column {
        Column::Numbers(values) => values[row],
        Column::NumberLists(lists) => lists.get(row).iter().sum(),
        _ => {
            let words: String = text(column, row).chars().filter(|letter| letter.is_alphabetic()).collect();
            let mut hasher = DefaultHasher::new();
            words.hash(&mut hasher);
            (hasher.finish() % 1009) as f64
        }
    }
}

fn text(column: &Column, row: usize) -> String {
    match column {
        Column::Texts(texts) => texts.get(row).to_owned(),
        Column::TextLists(lists) => lists.get(row).collect::<Vec<_>>().join(" "),
        Column::Numbers(values) => values[row].to_string(),
        Column::NumberLists(lists) => format!("{:?}", lists.get(row)),
    }
}

fn decimals(value: f64) -> f64 {
    value.to_string().split_once('.').map_or(0.0, |(_, digits)| digits.len() as f64)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    if known.is_empty() { f64::NAN } else { known.iter().sum::<f64>() / known.len() as f64 }
}

/// Rows to learn from, or to be told apart.
#[derive(Default)]
pub(crate) struct Rows {
    /// By number, then by row.
    pub(crate) values: Vec<Vec<f64>>,
    pub(crate) trap: Vec<bool>,
}

impl Rows {
    /// Adds the rows of `sheet` at `places`.
    pub(crate) fn add(&mut self, sheet: &Sheet, places: &[(usize, bool)]) {
        self.values.resize(sheet.values.len(), Vec::new());
        for (own, all) in self.values.iter_mut().zip(&sheet.values) {
            own.extend(places.iter().map(|&(place, _)| all[place]));
        }
        self.trap.extend(places.iter().map(|&(_, trap)| trap));
    }

    /// Adds all rows of `other`.
    pub(crate) fn join(&mut self, other: &Self) {
        self.values.resize(other.values.len(), Vec::new());
        self.values.iter_mut().zip(&other.values).for_each(|(own, more)| own.extend(more));
        self.trap.extend(&other.trap);
    }

    /// Numbers as bins; the last bin is for what is missing.
    fn binned(&self, cuts: &[Vec<f64>]) -> Vec<Vec<usize>> {
        let bin = |value: f64, cuts: &[f64]| {
            if value.is_nan() { BINS } else { cuts.iter().filter(|cut| value > **cut).count() }
        };
        self.values.iter().zip(cuts).map(|(own, cuts)| own.iter().map(|&value| bin(value, cuts)).collect()).collect()
    }

    /// Where bins of about the same size end.
    fn cuts(&self) -> Vec<Vec<f64>> {
        let of = |own: &Vec<f64>| {
            let mut known: Vec<f64> = own.iter().copied().filter(|value| !value.is_nan()).collect();
            known.sort_by(f64::total_cmp);
            (1..BINS).filter_map(|cut| known.get(known.len() * cut / BINS).copied()).collect()
        };
        self.values.iter().map(of).collect()
    }
}

/// How well somebody who has learned from `past` tells the traps of `new` by naive Bayes: the area under the curve.
pub(crate) fn naive_bayes(past: &Rows, new: &Rows) -> f64 {
    let cuts = past.cuts();
    let (learned, asked) = (past.binned(&cuts), new.binned(&cuts));
    let all = [false, true].map(|kind| past.trap.iter().filter(|trap| **trap == kind).count() as f64);
    let mut told = vec![0.0; new.trap.len()];
    for (learned, asked) in learned.iter().zip(&asked) {
        let mut counts = [[1.0; BINS + 1]; 2];
        learned.iter().zip(&past.trap).for_each(|(&bin, &trap)| counts[usize::from(trap)][bin] += 1.0);
        let odds = |bin: usize| (counts[1][bin] / (all[1] + 9.0) / (counts[0][bin] / (all[0] + 9.0))).ln();
        told.iter_mut().zip(asked).for_each(|(told, &bin)| *told += odds(bin));
    }
    area(&told, &new.trap)
}

/// The same by boosted stumps: each splits one number at one place, and looks at what those before it got wrong.
pub(crate) fn boosted_stumps(past: &Rows, new: &Rows) -> f64 {
    let cuts = past.cuts();
    let (learned, asked) = (past.binned(&cuts), new.binned(&cuts));
    let traps = past.trap.iter().filter(|trap| **trap).count() as f64;
    let real = past.trap.len() as f64 - traps;
    let mut weights: Vec<f64> = past.trap.iter().map(|trap| 0.5 / if *trap { traps } else { real }).collect();
    let mut told = vec![0.0; new.trap.len()];
    for _ in 0..STUMPS {
        let total: f64 = weights.iter().sum();
        let mut best = (0.0, 0, 0);
        for (number, bins) in learned.iter().enumerate() {
            let mut sums = [0.0; BINS + 1];
            for ((&bin, &trap), weight) in bins.iter().zip(&past.trap).zip(&weights) {
                sums[bin] += if trap { *weight } else { -weight };
            }
            let mut above = 0.0;
            for cut in (1..=BINS).rev() {
                above += sums[cut];
                if above.abs() > f64::abs(best.0) {
                    best = (above, number, cut);
                }
            }
        }
        let (edge, number, cut) = best;
        // The share of the weight that the stump gets right, away from certainty.
        let right = (0.5 + edge.abs() / total).min(0.99);
        let vote = 0.5 * (right / (1.0 - right)).ln() * edge.signum();
        let says = |bin: usize| if bin >= cut { vote } else { -vote };
        told.iter_mut().zip(&asked[number]).for_each(|(told, &bin)| *told += says(bin));
        for ((weight, &bin), &trap) in weights.iter_mut().zip(&learned[number]).zip(&past.trap) {
            *weight *= (says(bin) * if trap { -1.0 } else { 1.0 }).exp();
        }
    }
    area(&told, &new.trap)
}

/// The numbers that tell traps best by themselves: name and area, for the message of a test that fails.
pub(crate) fn telling<'a>(names: &'a [String], rows: &Rows) -> Vec<(&'a str, f64)> {
    let mut areas: Vec<(&str, f64)> = names
        .iter()
        .zip(&rows.values)
        .map(|(name, values)| (name.as_str(), area(values, &rows.trap)))
        .filter(|(_, area)| !area.is_nan())
        .collect();
    areas.sort_by(|a, b| (b.1 - 0.5).abs().total_cmp(&(a.1 - 0.5).abs()));
    areas.truncate(12);
    areas
}

/// The chance that a trap is told as more of a trap than a row of the batch; half for one that is told alike.
pub(crate) fn area(told: &[f64], trap: &[bool]) -> f64 {
    let mut order: Vec<usize> = (0..told.len()).filter(|&row| !told[row].is_nan()).collect();
    order.sort_by(|&a, &b| told[a].total_cmp(&told[b]));
    let (mut below, mut wins, mut traps, mut start) = (0.0, 0.0, 0.0, 0);
    while start < order.len() {
        let same = |row: &&usize| told[**row].total_cmp(&told[order[start]]).is_eq();
        let tied: Vec<usize> = order[start..].iter().take_while(same).copied().collect();
        let own = tied.iter().filter(|&&row| trap[row]).count() as f64;
        let others = tied.len() as f64 - own;
        wins += own * (below + others / 2.0);
        (below, traps, start) = (below + others, traps + own, start + tied.len());
    }
    wins / (traps * below)
}

#[test]
fn what_gives_traps_away_is_found() {
    let mut sheet = Sheet { names: Vec::new(), values: Vec::new() };
    let mut draw = Draw::new(&[b"noise"]);
    (0..20).for_each(|_| sheet.add("noise", (0..900).map(|_| draw.unit()).collect()));
    let places: Vec<(usize, bool)> = (0..900).map(|row| (row, row % 10 == 0)).collect();
    let fold = |sheet: &Sheet| {
        let (mut past, mut new) = (Rows::default(), Rows::default());
        past.add(sheet, &places[..450]);
        new.add(sheet, &places[450..]);
        (naive_bayes(&past, &new), boosted_stumps(&past, &new))
    };
    let (bayes, stumps) = fold(&sheet);
    assert!((0.35..0.65).contains(&bayes) && (0.35..0.65).contains(&stumps), "{bayes} {stumps}");
    sheet.add("leak", places.iter().map(|&(_, trap)| draw.unit() + if trap { 0.7 } else { 0.0 }).collect());
    let (bayes, stumps) = fold(&sheet);
    assert!(bayes > 0.75 && stumps > 0.75, "{bayes} {stumps}");
    assert!((area(&[1.0, 2.0, 2.0, 3.0], &[false, true, false, true]) - 0.875).abs() < 1e-12);
}
