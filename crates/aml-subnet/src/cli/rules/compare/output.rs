//! What a comparison looks like: a table, a line per miner, a page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use askama::Template;
use chrono::NaiveDate;

use crate::seasons::{MinerUnder, Under};

/// What is shown.
pub(super) struct Shown<'a> {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// Rounds that could not be played again.
    pub(super) missing: usize,
    pub(super) all: &'a [Under],
}

/// A miner under each version, in the order of versions.
struct Row<'a> {
    hotkey: String,
    under: Vec<&'a MinerUnder>,
}

impl Shown<'_> {
    /// Best paid under the last version first.
    fn rows(&self) -> Vec<Row<'_>> {
        let all: Vec<BTreeMap<&str, &MinerUnder>> = self.all.iter().map(by_hotkey).collect();
        let last = self.all.last().map(|under| under.miners.as_slice()).unwrap_or_default();
        let row = |one: &MinerUnder| Row {
            hotkey: one.hotkey.clone(),
            under: all.iter().filter_map(|miners| miners.get(one.hotkey.as_str()).copied()).collect(),
        };
        last.iter().map(row).collect()
    }

    fn title(&self) -> String {
        let names: Vec<&str> = self.all.iter().map(|under| under.rules.as_str()).collect();
        format!("Rounds from {} to {} under {}", self.from, self.to, names.join(", "))
    }
}

fn by_hotkey(under: &Under) -> BTreeMap<&str, &MinerUnder> {
    under.miners.iter().map(|one| (one.hotkey.as_str(), one)).collect()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn measure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

/// For people.
pub(super) fn table(shown: &Shown<'_>) -> String {
    let mut text = format!("{}\n\n", shown.title());
    let _ = writeln!(
        text,
        "{:<6} {:>6} {:>9} {:>9} {:>9} {:>9}",
        "rules", "rounds", "outcomes", "AUC", "log loss", "unearned"
    );
    for under in shown.all {
        let (auc, loss) = (measure(under.auc), measure(under.log_loss));
        let unearned = percent(under.unearned);
        let _ = writeln!(
            text,
            "{:<6} {:>6} {:>9} {auc:>9} {loss:>9} {unearned:>9}",
            under.rules, under.rounds, under.outcomes
        );
    }
    let _ = write!(text, "\n{:<48} {:>7} {:>7}", "miner", "counted", "AUC");
    for under in shown.all {
        let _ = write!(text, " {:>10} {:>10}", format!("{} pay", under.rules), "voice");
    }
    text.push('\n');
    for Row { hotkey, under } in shown.rows() {
        let (counted, auc) = under.first().map_or((0, None), |one| (one.counted, one.auc));
        let _ = write!(text, "{hotkey:<48} {counted:>7} {:>7}", measure(auc));
        for one in under {
            let _ = write!(text, " {:>10} {:>10}", percent(one.pay), percent(one.voice));
        }
        text.push('\n');
    }
    if shown.missing > 0 {
        let _ = writeln!(text, "\n{} rounds were left out", shown.missing);
    }
    text
}

/// A line per miner and version; the canonical scores' are on lines without a hotkey.
pub(super) fn csv(shown: &Shown<'_>) -> String {
    let mut text = "rules,hotkey,pay,voice,counted,auc,log_loss\n".to_owned();
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for under in shown.all {
        let paid = 1.0 - under.unearned;
        let (auc, loss) = (number(under.auc), number(under.log_loss));
        let _ = writeln!(text, "{},,{paid},,{},{auc},{loss}", under.rules, under.rounds);
        for MinerUnder { hotkey, pay, voice, counted, auc } in &under.miners {
            let _ = writeln!(text, "{},{hotkey},{pay},{voice},{counted},{},", under.rules, number(*auc));
        }
    }
    text
}

#[derive(Template)]
#[template(path = "compare.html")]
struct Page {
    title: String,
    missing: usize,
    versions: Vec<Version>,
    rows: Vec<PageRow>,
}

struct Version {
    name: String,
    rounds: usize,
    outcomes: usize,
    auc: String,
    loss: String,
    unearned: String,
}

struct PageRow {
    hotkey: String,
    counted: usize,
    auc: String,
    /// Pay and voice, by version.
    cells: Vec<(String, String)>,
}

/// A page of its own.
pub(super) fn page(shown: &Shown<'_>) -> Result<String, askama::Error> {
    let version = |under: &Under| Version {
        name: under.rules.clone(),
        rounds: under.rounds,
        outcomes: under.outcomes,
        auc: measure(under.auc),
        loss: measure(under.log_loss),
        unearned: percent(under.unearned),
    };
    let row = |row: Row<'_>| PageRow {
        counted: row.under.first().map_or(0, |one| one.counted),
        auc: measure(row.under.first().and_then(|one| one.auc)),
        cells: row.under.iter().map(|one| (percent(one.pay), percent(one.voice))).collect(),
        hotkey: row.hotkey,
    };
    let versions = shown.all.iter().map(version).collect();
    let rows = shown.rows().into_iter().map(row).collect();
    Page { title: shown.title(), missing: shown.missing, versions, rows }.render()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{MinerUnder, Shown, Under, csv, page, table};

    fn under(rules: &str, pay: [f64; 2]) -> Under {
        let miner = |(hotkey, pay): (&str, f64)| MinerUnder {
            hotkey: hotkey.to_owned(),
            pay,
            voice: pay,
            counted: 3,
            auc: Some(0.75),
        };
        let mut miners: Vec<MinerUnder> = ["5Alice", "5Bob"].into_iter().zip(pay).map(miner).collect();
        miners.sort_by(|one, two| two.pay.total_cmp(&one.pay));
        Under {
            rules: rules.to_owned(),
            rounds: 3,
            outcomes: 40,
            unearned: 0.0,
            auc: Some(0.8),
            log_loss: None,
            miners,
        }
    }

    fn shown(all: &[Under]) -> Shown<'_> {
        let day = |day| NaiveDate::from_ymd_opt(2026, 1, day).expect("a day");
        Shown { from: day(1), to: day(3), missing: 1, all }
    }

    #[test]
    fn miners_stand_by_what_the_last_version_pays() {
        let all = [under("v1", [0.75, 0.25]), under("v2", [0.0, 1.0])];
        let text = table(&shown(&all));
        assert!(text.starts_with("Rounds from 2026-01-01 to 2026-01-03 under v1, v2\n"), "{text}");
        let places: Vec<usize> = ["5Bob", "5Alice"].iter().filter_map(|name| text.find(name)).collect();
        assert!(places.is_sorted() && places.len() == 2, "{text}");
        let bob = text
            .lines()
            .find(|line| line.starts_with("5Bob"))
            .expect("Bob")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(bob, "5Bob 3 0.7500 25.0 % 25.0 % 100.0 % 100.0 %");
        assert!(text.ends_with("1 rounds were left out\n"));
    }

    #[test]
    fn a_spreadsheet_has_a_line_a_miner_and_version() {
        let all = [under("v1", [0.75, 0.25]), under("v2", [0.0, 1.0])];
        let lines: Vec<String> = csv(&shown(&all)).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[1], "v1,,1,,3,0.8,");
        assert_eq!(lines[2], "v1,5Alice,0.75,0.75,3,0.75,");
    }

    #[test]
    fn the_page_stands_by_itself() {
        let all = [under("v1", [0.75, 0.25]), under("<b>", [0.0, 1.0])];
        let text = page(&shown(&all)).expect("a page");
        assert!(text.contains("5Alice") && text.contains("75.0 %") && text.trim_end().ends_with("</html>"), "{text}");
        assert!(!text.contains("<b>"), "what is shown is escaped");
    }
}
