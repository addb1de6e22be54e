//! What is said of a change of rules. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::NaiveDate;

use super::super::compare::Span;
use crate::chain::carried::Carried;
use crate::chain::types::Block;
use crate::seasons::Under;
use crate::validation::rules_list::{RulesFrom, RulesList};
use crate::wallet::Hotkey;

/// One day of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// Which.
    pub(super) date: NaiveDate,
    /// Whether there is a round that counts.
    pub(super) round: bool,
    /// Whether every submission that counts has its column.
    pub(super) columns: bool,
    /// Addresses that are known to be illicit by now.
    pub(super) illicit: usize,
    /// Addresses that are known to be clean.
    pub(super) clean: usize,
}

impl Day {
    fn has_outcomes(&self) -> bool {
        self.illicit + self.clean > 0
    }

    /// Whether its round can have moments.
    fn is_usable(&self) -> bool {
        self.round && self.columns && self.has_outcomes()
    }
}

/// One validator of the subnet.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) hotkey: Hotkey,
    /// In rao.
    pub(super) stake: u64,
    /// When it last set weights.
    pub(super) updated: Block,
    /// Their version.
    pub(super) carried: Carried,
}

/// What the chain shows.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The subnet's weights version.
    pub(super) key: u64,
    /// Validators with a permit, the highest stake first.
    pub(super) peers: Vec<Peer>,
    /// How many more there are.
    pub(super) more: usize,
}

/// Everything that is said.
pub(super) struct Report<'a> {
    pub(super) list: &'a RulesList,
    pub(super) switched: &'a RulesList,
    pub(super) from: NaiveDate,
    pub(super) today: NaiveDate,
    pub(super) window: Vec<Day>,
    /// Known addresses of each kind, below which the new rules pay nobody for information.
    pub(super) least: f64,
    pub(super) span: &'a Span,
    /// Under the rules of before, then under the new ones.
    pub(super) all: &'a [Under],
    /// Rounds that could not be played again.
    pub(super) missing: usize,
    /// What the chain shows, or why nothing.
    pub(super) seen: Result<Seen, String>,
}

/// A miner under both rules.
struct Row<'a> {
    miner: &'a str,
    was: f64,
    is: f64,
}

impl Report<'_> {
    /// All of it.
    pub(super) fn text(&self) -> String {
        [self.switch(), self.moments(), self.pay(), self.versions(), self.alone(), self.back()].join("\n")
    }

    fn switch(&self) -> String {
        format!(
            "rules now: {}. The switch is this line of [validator], with the same day at every validator of the subnet:\n  \
             rules = {}\n",
            self.list,
            setting(self.switched)
        )
    }

    /// Rounds that can have moments, of all that the rules look back on.
    fn moments(&self) -> String {
        let usable: Vec<&Day> = self.window.iter().filter(|day| day.is_usable()).collect();
        let (first, last) = (self.window.first().map(|day| day.date), self.window.last().map(|day| day.date));
        let between = first.zip(last).map_or_else(String::new, |(first, last)| format!(" ({first} to {last})"));
        let (count, all, from) = (usable.len(), self.window.len(), self.from);
        let mut text = format!("rounds with moments on {from}: {count} of {all}{between}\n");
        let ahead = |day: &Day| !day.round && day.date >= self.today;
        let mut note = |of: &dyn Fn(&Day) -> bool, what: &str| {
            let days = self.window.iter().filter(|day| of(day)).count();
            if days > 0 {
                let _ = writeln!(text, "  {days:>2} {what}");
            }
        };
        note(&ahead, "of the days are still ahead");
        note(&|day| !day.round && !ahead(day), "of the days have no round that counts");
        note(
            &|day| day.round && !day.columns,
            "of the rounds have no columns; they are made while raw answers are kept",
        );
        note(&|day| day.round && day.columns && !day.has_outcomes(), "of the rounds have no known outcome yet");
        let (illicit, clean) = usable.iter().fold((0, 0), |sum, day| (sum.0 + day.illicit, sum.1 + day.clean));
        let _ = writeln!(
            text,
            "  known addresses in them: {illicit} illicit, {clean} clean; with fewer than {} of either nobody is paid for \
             information, only newcomers",
            self.least
        );
        text
    }

    /// The greatest gain first.
    fn rows(&self) -> Vec<Row<'_>> {
        let [before, after] = self.all else { return Vec::new() };
        let was: BTreeMap<&str, f64> = before.miners.iter().map(|one| (one.hotkey.as_str(), one.pay)).collect();
        let was = |miner: &str| was.get(miner).copied().unwrap_or(0.0);
        let row = |one: &'_ crate::seasons::MinerUnder| (was(&one.hotkey), one.pay);
        let mut rows: Vec<Row<'_>> = Vec::with_capacity(after.miners.len());
        for one in &after.miners {
            let (was, is) = row(one);
            rows.push(Row { miner: &one.hotkey, was, is });
        }
        rows.sort_by(|one, two| (two.is - two.was).total_cmp(&(one.is - one.was)).then(one.miner.cmp(two.miner)));
        rows
    }

    /// Who was paid what, and would have been.
    fn pay(&self) -> String {
        let [before, after] = self.all else { return String::new() };
        let left_out = if self.missing > 0 { format!(", {} were left out", self.missing) } else { String::new() };
        let Span { from, to } = self.span;
        let mut text = format!("pay, mean over {} rounds of {from} to {to}{left_out}\n", after.rounds);
        let _ = writeln!(text, "{:<48} {:>8} {:>8} {:>8}", "miner", before.rules, after.rules, "change");
        let rows = self.rows();
        let nobody = Row { miner: "(nobody)", was: before.unearned, is: after.unearned };
        for Row { miner, was, is } in rows.iter().chain([&nobody]) {
            let _ = writeln!(text, "{miner:<48} {:>8} {:>8} {:>+8.1}", percent(*was), percent(*is), 100.0 * (is - was));
        }
        let gain = rows.iter().filter(|row| row.is > row.was).count();
        let lose = rows.iter().filter(|row| row.is < row.was).count();
        let _ = writeln!(text, "{gain} gain, {lose} lose, {} as before", rows.len() - gain - lose);
        text
    }

    fn versions(&self) -> String {
        let Seen { key, peers, more } = match &self.seen {
            Ok(seen) => seen,
            Err(why) => return format!("versions on the chain: it was not read: {why}\n"),
        };
        let mut text = format!("versions on the chain: the subnet's weights version is {key}\n");
        let _ = writeln!(text, "{:<48} {:>14} {:>12} {:>10}", "validator", "stake (TAO)", "last weights", "version");
        for Peer { hotkey, stake, updated, carried } in peers {
            let stake = format!("{}.{:03}", stake / 1_000_000_000, stake % 1_000_000_000 / 1_000_000);
            let carried = carried.to_string();
            let _ = writeln!(text, "{:<48} {stake:>14} {:>12} {carried:>10}", hotkey.to_string(), updated.0);
        }
        if *more > 0 {
            let _ = writeln!(text, "and {more} with less stake");
        }
        text
    }

    /// What stays of the weights of one that pays otherwise than all others.
    fn alone(&self) -> String {
        let rows = self.rows();
        let (kept, all) = rows.iter().fold((0.0, 0.0), |sum, row| (sum.0 + row.is.min(row.was), sum.1 + row.is));
        let share = if all > 0.0 { kept / all } else { 0.0 };
        format!(
            "a validator that switches alone: the chain cuts each weight to what the majority of stake gives that miner. Among \
             validators that stay, {} of its weights would be left by the pay above, and it earns dividends for these alone; the same \
             happens to one that stays when all others switch\n",
            percent(share)
        )
    }

    fn back(&self) -> String {
        let before = self.from.pred_opt().map_or("v1", |day| self.list.on(day).name());
        format!(
            "going back: before {} take the line out again. From then on append {{ version = \"{before}\", from = \"...\" }} with a day \
             that is still ahead, at every validator. Rounds stay under the rules of their day; nothing is judged twice\n",
            self.from
        )
    }
}

/// The list as it is written in the settings.
fn setting(list: &RulesList) -> String {
    let one = |entry: &RulesFrom| {
        let from = entry.from.map_or_else(String::new, |from| format!(", from = \"{from}\""));
        format!("{{ version = \"{}\"{from} }}", entry.version.name())
    };
    format!("[{}]", list.entries().iter().map(one).collect::<Vec<_>>().join(", "))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::{Carried, Day, Peer, Report, Seen};
    use crate::chain::types::Block;
    use crate::cli::rules::compare::Span;
    use crate::seasons::{MinerUnder, Under};
    use crate::validation::rules::RulesVersion;
    use crate::validation::rules_list::{RulesFrom, RulesList};
    use crate::wallet::Hotkey;

    fn under(rules: &str, pay: [f64; 3], unearned: f64) -> Under {
        let miner =
            |(name, pay): (&str, f64)| MinerUnder { hotkey: name.to_owned(), pay, voice: 0.0, counted: 30, auc: None };
        let miners = ["good", "copy", "junk"].into_iter().zip(pay).map(miner).collect();
        Under { rules: rules.to_owned(), rounds: 30, outcomes: 500, unearned, auc: None, log_loss: None, miners }
    }

    #[test]
    fn everything_that_an_owner_asks_is_answered() {
        let day = |text: &str| text.parse().expect("a day");
        let list = RulesList::always(RulesVersion::V1);
        let switched = list.and_from(RulesFrom { version: RulesVersion::V2, from: Some(day("2026-12-08")) });
        let one =
            |date: &str, round, columns, illicit| Day { date: day(date), round, columns, illicit, clean: 3 * illicit };
        let window = vec![
            one("2026-11-02", true, true, 60),
            one("2026-11-03", true, true, 0),
            one("2026-11-04", true, false, 20),
            one("2026-11-05", false, false, 0),
            one("2026-12-01", false, false, 0),
        ];
        let peer = |at: u8, carried| Peer {
            hotkey: Hotkey::from_bytes([at; 32]),
            stake: 1_500_000_000,
            updated: Block(77),
            carried,
        };
        let all = [under("v1", [0.4, 0.3, 0.3], 0.0), under("v2", [0.7, 0.0, 0.0], 0.3)];
        let report = Report {
            list: &list,
            switched: &switched,
            from: day("2026-12-08"),
            today: day("2026-12-01"),
            window,
            least: 100.0,
            span: &Span { from: day("2026-11-02"), to: day("2026-12-01") },
            all: &all,
            missing: 1,
            seen: Ok(Seen { key: 1, peers: vec![peer(1, Carried::Version(1)), peer(2, Carried::Sealed)], more: 3 }),
        };
        let text = report.text();
        for line in [
            "  rules = [{ version = \"v1\" }, { version = \"v2\", from = \"2026-12-08\" }]\n",
            "rounds with moments on 2026-12-08: 1 of 5 (2026-11-02 to 2026-12-01)\n",
            "   1 of the days are still ahead\n",
            "   1 of the days have no round that counts\n",
            "   1 of the rounds have no columns;",
            "   1 of the rounds have no known outcome yet\n",
            "60 illicit, 180 clean; with fewer than 100 of either",
            "pay, mean over 30 rounds of 2026-11-02 to 2026-12-01, 1 were left out\n",
            "  40.0 %   70.0 %    +30.0\n",
            "   0.0 %   30.0 %    +30.0\n1 gain, 2 lose, 0 as before\n",
            "the subnet's weights version is 1\n",
            "          1.500           77     sealed\nand 3 with less stake\n",
            // Of 70 % the others give 40 %.
            "57.1 % of its weights would be left",
            "append { version = \"v1\", from = \"...\" }",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        let unread = Report { seen: Err("no endpoint answers".to_owned()), ..report };
        assert!(unread.text().contains("it was not read: no endpoint answers"));
    }
}
