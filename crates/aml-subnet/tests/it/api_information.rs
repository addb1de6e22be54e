//! What a miner reads about its pay under rules v2, and what an owner reads before switching.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use aml_subnet::store::records::{Canonical, ColumnName, Round, ShareOf, Shares, StandingRecord, Step, StoredColumn};
use aml_subnet::store::{InForce, Ledger, Merged};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::v2::price::Priced;
use aml_subnet::validation::v2::standing::Standing;
use aml_subnet::validation::v2::voice::{Choice, Muted};
use aml_subnet::wallet::Hotkey;
use serde_json::Value;

use crate::api_kit::{ALERTS, Kit, NOW, canonical, id, miner, must_judge, must_round, must_show, reading, round};
use crate::ledger_kit::Home;

/// The day of the round under rules v2.
const DAY: u32 = 12;
/// Who is paid, who says what others say, who is new, who is within chance, who shows no sign of life.
const PAID: u8 = 1;
const SAYS: u8 = 2;
const NEW: u8 = 3;
const CHANCE: u8 = 4;
const LIFELESS: u8 = 5;

fn standing_of(number: u8) -> Standing {
    let priced = |beyond: f64, standard_weight: f64, mass: f64| Priced {
        correlation: beyond + 0.02,
        beyond,
        standard_weight,
        weight: standard_weight,
        mass,
        points: standard_weight * beyond,
    };
    let (priced, counted): (Priced, u8) = match number {
        PAID => (priced(0.34, 0.3, 1.0), 30),
        SAYS => (priced(0.32, 0.01, 0.25), 30),
        NEW => (Priced::default(), 3),
        CHANCE => (Priced { correlation: 0.015, ..Priced::default() }, 30),
        _ => (priced(0.3, 0.2, 1.0), 30),
    };
    Standing {
        priced,
        calibration: 0.9,
        level: Some(0.1),
        usual: 0.4,
        part: f64::from(counted) / 30.0,
        counted: usize::from(counted),
    }
}

fn share_of(number: u8) -> ShareOf {
    let standing = standing_of(number);
    let traps = if number == LIFELESS { 0.1 } else { 0.8 };
    ShareOf {
        share: match number {
            PAID => 0.75,
            SAYS => 0.249,
            NEW => 0.001,
            _ => 0.0,
        },
        worth: 0.0,
        points: standing.priced.points,
        quality: 0.2 + 0.3 * traps + 0.45,
        tier1: 1.0,
        traps: Some(traps),
        calibration: 0.9,
        lately: 1.0,
        newcomer: if number == NEW { 1.0 } else { 0.0 },
        counted: standing.counted,
        voice: if number == PAID { 1.0 } else { 0.0 },
        muted: (number == LIFELESS).then_some(Muted::Lifeless),
    }
}

/// A round under rules v2, published.
async fn must_pay(ledger: &Ledger) {
    must_pay_on(ledger, DAY).await;
}

async fn must_pay_on(ledger: &Ledger, day: u32) {
    let hotkeys = || (PAID..=LIFELESS).map(|number| (number, miner(number)));
    must_judge(ledger, &Round { rules: RulesVersion::V2, ..round(day) }, day).await;
    let standing = StandingRecord {
        rules: RulesVersion::V2,
        made_ms: 1,
        rounds: vec![id(1).date],
        missing: Vec::new(),
        number: 10_000.0,
        illicit: 800.0,
        known: true,
        miners: hotkeys().map(|(number, hotkey)| (hotkey, standing_of(number))).collect(),
        references: BTreeMap::new(),
    };
    ledger.record_in_force(id(day), &InForce { curve: None, standing }).await.expect("recorded");
    let shares = Shares {
        rules: RulesVersion::V2,
        made_ms: 1,
        amends: None,
        pool: 0.001,
        unearned: 0.0,
        rounds: 12,
        choice: Some(Choice::Voices),
        miners: hotkeys().map(|(number, hotkey)| (hotkey, share_of(number))).collect(),
    };
    let merged = Canonical { rules: RulesVersion::V2, ..canonical(day) };
    let merged = Merged { canonical: Some(&merged), beside: None, shares: Some(&shares) };
    ledger.record_merged(id(day), merged).await.expect("it is merged");
    must_show(ledger, day).await;
}

async fn information(kit: &Kit, number: u8) -> Value {
    kit.get(&format!("/miners/{}", miner(number))).await.must_succeed().json()["information"].clone()
}

#[track_caller]
fn must_say(information: &Value, about: &str, text: &str) {
    let said = information["why"].as_array().expect("sentences");
    let found = said.iter().find(|one| one["about"] == about);
    assert!(found.is_some_and(|one| one["text"].as_str().is_some_and(|said| said.contains(text))), "{about}: {said:?}");
}

#[tokio::test]
async fn a_miner_reads_why_it_is_paid_what_it_is_paid() {
    let kit = Kit::empty().await;
    for day in 1..DAY {
        must_round(&kit.ledger, day, Step::Published).await;
    }
    assert_eq!(information(&kit, PAID).await, Value::Null, "rules v1 pay for something else");
    must_pay(&kit.ledger).await;
    let paid = information(&kit, PAID).await;
    must_say(&paid, "paid", "Paid 75 % for this: 0.102000 points");
    must_say(&paid, "raise", "What would raise it");
    assert!(paid["b"].as_f64().is_some_and(|b| (b - 0.36).abs() < 1e-12), "{paid}");
    assert_eq!((&paid["z_error"], &paid["mass"], &paid["known"]), (&0.02.into(), &1.0.into(), &true.into()));
    assert_eq!(
        (&paid["round"], &paid["voice"], &paid["first_days"]),
        (&id(DAY).to_string().into(), &1.0.into(), &Value::Null)
    );
    must_say(&information(&kit, SAYS).await, "said_by_others", "alike beyond that with 3 others");
    let new = information(&kit, NEW).await;
    must_say(&new, "newcomer", "3 of 20 rounds");
    assert!(new["first_days"].as_str().is_some_and(|text| text.starts_with("The first ten days")), "{new}");
    must_say(&information(&kit, CHANCE).await, "chance", "0.0150, and up to 0.0200 is chance");
    let lifeless = information(&kit, LIFELESS).await;
    must_say(&lifeless, "no_sign_of_life", "0.10 better than chance, 0.25 is needed");
    assert_eq!(lifeless["muted"], "lifeless");
    assert_eq!(information(&kit, 6).await, Value::Null, "nothing is known of it");
    for others in [PAID, SAYS] {
        let said = information(&kit, others).await.to_string();
        let names = (1..=12).map(|number| miner(number).to_string()).filter(|name| said.contains(name.as_str()));
        assert_eq!(names.count(), 0, "nobody is named: {said}");
    }
}

#[tokio::test]
async fn a_new_miner_reads_what_a_registration_costs() {
    let kit = Kit::empty().await;
    must_round(&kit.ledger, DAY - 1, Step::Published).await;
    must_pay(&kit.ledger).await;
    let words = "A registration costs 1.25 TAO now.";
    let page = async |number| kit.get(&format!("/page/miners/{}", miner(number))).await.must_succeed().text();
    assert!(!page(NEW).await.contains(words), "the chain was not read yet");
    kit.chain.put(reading(), &[], NOW);
    assert!(page(NEW).await.contains(words));
    assert!(!page(PAID).await.contains(words), "who is paid has one");
    let new = kit.get(&format!("/miners/{}", miner(NEW))).await.must_succeed().json();
    assert_eq!(new["registration_price_tao"], 1.25);
}

#[tokio::test]
async fn the_leaderboard_follows_what_is_paid() {
    let kit = Kit::season().await;
    let before = kit.get("/miners").await.must_succeed().json();
    assert_eq!(before["miners"][0]["rank"], 1);
    must_pay_on(&kit.ledger, 40).await;
    let after = kit.get("/miners").await.must_succeed().json();
    let first = &after["miners"][0];
    assert_eq!(
        (&first["hotkey"], &first["rank"], &first["share"]),
        (&miner(PAID).to_string().into(), &1.into(), &0.75.into())
    );
    assert_eq!(after["miners"][1]["share"], 0.249);
    assert_eq!(after["total"], before["total"], "nobody is lost");
}

#[tokio::test]
async fn the_page_says_it_in_words_and_numbers() {
    let kit = Kit::empty().await;
    must_pay(&kit.ledger).await;
    let page = kit.get(&format!("/page/miners/{}", miner(SAYS))).await.must_succeed().text();
    for text in
        ["Why it is paid what it is paid", "Says what others say", "What would raise it", "Beyond chance (c)", "0.3200"]
    {
        assert!(page.contains(text), "the page should say {text}");
    }
    // One of its rounds had no answer here.
    let late = kit.get(&format!("/page/miners/{}", miner(NEW))).await.must_succeed().text();
    assert!(late.contains("The first ten days") && late.contains("price of one"), "newcomers hear what to expect");
}

/// The program on a ledger in a file.
fn run(home: &Home, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command.args(words).current_dir(home.folder.path()).env("DATABASE_URL", &home.url).env_remove("AML_SUBNET_CONFIG");
    command.args(["--netuid", "1"]).output().expect("it runs")
}

#[track_caller]
fn must_print(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn the_command_line_has_the_parts() {
    let home = Home::file();
    let ledger = home.open().await;
    must_pay(&ledger).await;
    ledger.close().await;
    let text = must_print(run(&home, &["miners"]));
    let row = text.lines().rfind(|line| line.starts_with(&miner(PAID).to_string())).expect("a row");
    let row: Vec<&str> = row.split_whitespace().skip(1).collect();
    assert_eq!(row, ["0.7500", "0.3600", "0.0200", "0.3400", "0.3000", "1.000", "0.102000", "0.890", "1.000"]);
    assert!(text.contains("paid under rules v2 on 2026-01-12: 10000 outcomes, 800 of them illicit"), "{text}");
    let all: Value = serde_json::from_str(&must_print(run(&home, &["miners", "--json"]))).expect("JSON");
    let paid = all
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["hotkey"] == miner(PAID).to_string())
        .expect("it is there");
    let information = &paid["information"];
    for part in ["b", "z_error", "c", "w", "mass", "points", "quality", "part", "share"] {
        assert!(information[part].is_f64(), "{part}: {information}");
    }
}

/// Scores of a miner that knows the outcomes of [`must_round`] more or less: every fourth alert is illicit.
fn scores(number: u8, day: u32) -> Vec<f64> {
    let noise =
        |place: usize| ((place * 7919 + usize::from(number) * 104_729 + day as usize * 31) % 1000) as f64 / 1000.0;
    let told = 1.0 / f64::from(number + 1);
    (0..ALERTS).map(|place| told * f64::from(u8::from(place % 4 == 0)) * 0.9 + (1.0 - told) * noise(place)).collect()
}

#[tokio::test]
async fn an_owner_compares_rules_over_stored_rounds() {
    let home = Home::file();
    let ledger = home.open().await;
    let hotkeys: Vec<(u8, Hotkey)> = (1..=7).map(|number| (number, miner(number))).collect();
    for day in 1..=30 {
        must_round(&ledger, day, Step::Settled).await;
        let column = |(number, hotkey): &(u8, Hotkey)| StoredColumn {
            name: ColumnName::Miner(*hotkey),
            worths: vec![0; ALERTS],
            scores: scores(*number, day),
        };
        let columns: Vec<StoredColumn> = hotkeys.iter().map(column).collect();
        ledger.record_columns(id(day), &columns).await.expect("recorded");
    }
    ledger.close().await;
    let days = ["--from", "2026-01-20", "--to", "2026-01-30"];
    let compare = |more: &[&str]| must_print(run(&home, &[&["rules", "compare"], &days[..], more].concat()));
    let csv = compare(&["--format", "csv", "--page", "compare.html"]);
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["rules", "hotkey", "pay", "voice", "counted", "auc", "log_loss"]);
    let summary =
        |rules: &str| lines.iter().find(|line| line[0] == rules && line[1].is_empty()).expect("a summary").clone();
    let number = |text: &str| text.parse::<f64>().expect("a number");
    assert_eq!((summary("v1")[4], summary("v2")[4]), ("11", "11"), "eleven rounds each");
    for rules in ["v1", "v2"] {
        let pays = lines.iter().filter(|line| line[0] == rules && !line[1].is_empty()).map(|line| number(line[2]));
        assert!((pays.sum::<f64>() - number(summary(rules)[2])).abs() < 1e-9, "all that is earned is somebody's");
        assert!(number(summary(rules)[5]) > 0.6, "canonical scores are measured: {csv}");
    }
    let page = std::fs::read_to_string(home.folder.path().join("compare.html")).expect("a page");
    assert!(page.contains("Rounds from 2026-01-20 to 2026-01-30 under v1, v2") && page.contains(&miner(1).to_string()));
    let table = compare(&["--rules", "v2"]);
    assert!(table.contains("under v2\n") && !table.contains("v1 pay"), "{table}");
    let none = run(&home, &["rules", "compare", "--from", "2026-03-01", "--to", "2026-03-02"]);
    assert!(!none.status.success());
    let wrong = run(&home, &["rules", "compare", "--from", "2026-01-20", "--to", "2026-01-10"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("is after --to"), "{wrong:?}");
}
