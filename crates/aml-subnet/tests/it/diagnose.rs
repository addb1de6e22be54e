//! `aml-subnet diagnose`: a submission earns what the validator's own rules give it, and a file that is wrong says where.

use std::path::Path;
use std::process::{Command, Output};

use aml_miner::data::{WriteOptions, write_batch};
use aml_miner::wire::spec::{ALERTS as ALERTS_SPEC, LABELS};
use aml_miner::wire::{Batch, Column, Table, TableSpec};
use aml_subnet::seasons::{Answer, Desk, Numbers};
use aml_subnet::store::records::{ColumnName, Step, StoredColumn};
use serde_json::{Value, json};

use crate::api_kit::{ALERTS, id, miner, must_round, task};
use crate::ledger_kit::Home;

const DAYS: usize = 48;
const ALERTS_A_DAY: usize = 60;

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command.args(words).current_dir(folder).env_remove("AML_SUBNET_CONFIG").env_remove("DATABASE_URL");
    command.output().expect("it runs")
}

#[track_caller]
fn must(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn told(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("told.json")).expect("a file")).expect("JSON")
}

/// The part of the one whose name is given.
fn part(told: &Value, name: &str) -> Value {
    let all = told["miners"].as_array().expect("a list");
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} is not in {told}")).clone()
}

fn file(folder: &Path, lines: &[Value]) {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    std::fs::write(folder.join("submission.jsonl"), lines.join("\n")).expect("writable");
}

fn head(public: &Value) -> Value {
    json!({ "submission": 1, "model_version": "1.0.0+0a1b", "model_sha256": "0a1b", "public": public })
}

/// Scores of a miner that knows the outcomes of the kit's rounds more or less: every fourth alert is illicit.
fn scores(number: u8, day: u32) -> Vec<f64> {
    let noise =
        |place: usize| ((place * 7919 + usize::from(number) * 104_729 + day as usize * 31) % 1000) as f64 / 1000.0;
    let told = 1.0 / f64::from(number + 1);
    (0..ALERTS).map(|place| told * f64::from(u8::from(place % 4 == 0)) * 0.9 + (1.0 - told) * noise(place)).collect()
}

#[tokio::test]
async fn among_the_miners_of_a_ledger_a_submission_earns_what_they_would_have_earned_with_it() {
    let home = Home::file();
    let ledger = home.open().await;
    for day in 1..=30 {
        must_round(&ledger, day, Step::Settled).await;
        let column = |number: u8| StoredColumn {
            name: ColumnName::Miner(miner(number)),
            worths: vec![0; ALERTS],
            scores: scores(number, day),
        };
        let columns: Vec<StoredColumn> = (1..=7).map(column).collect();
        ledger.record_columns(id(day), &columns).await.expect("recorded");
    }
    ledger.close().await;
    let day = |day: u32| {
        let ids: Vec<String> = task(day).roster.into_iter().map(|row| row.alert_id).collect();
        let date = id(day).date.to_string();
        json!({ "processing_date": date, "window_days": 30, "alert_ids": ids, "scores": scores(3, day), "public": {} })
    };
    let lines: Vec<Value> = std::iter::once(head(&json!({}))).chain((1..=30).map(day)).collect();
    let folder = home.folder.path();
    file(folder, &lines);
    let with_ledger = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
        command.args(words).args(["--netuid", "1"]).current_dir(folder).env("DATABASE_URL", &home.url);
        must(&command.env_remove("AML_SUBNET_CONFIG").output().expect("it runs"))
    };
    let me = miner(3).to_string();
    for rules in ["v1", "v2"] {
        let days = ["--from", "2026-01-20", "--to", "2026-01-30", "--rules", rules];
        let csv = with_ledger(&[&["rules", "compare", "--format", "csv"], &days[..]].concat());
        let line = csv.lines().find(|line| line.contains(&me)).expect("a line of the miner").to_owned();
        let number = |place: usize| -> f64 { line.split(',').nth(place).expect("a cell").parse().expect("a number") };
        let (paid, counted) = (number(2), number(4));
        let diagnose = ["diagnose", "submission.jsonl", "--json", "told.json"];
        with_ledger(&[&diagnose[..], &["--as", &me], &days[..]].concat());
        let own = part(&told(folder), "submission.jsonl");
        let given = own["pay"].as_f64().expect("a number");
        assert!((given - paid).abs() < 1e-9, "{rules}: {given} as the validator computes {paid}");
        assert_eq!((&own["hotkey"], own["counted"].as_f64()), (&json!(me), Some(counted)));
        // One more miner with the same scores is another one among more.
        with_ledger(&[&diagnose[..], &days[..]].concat());
        let all = told(folder);
        assert_eq!(part(&all, &me)["counted"].as_f64(), Some(counted), "it is still there");
        assert_eq!(part(&all, "submission.jsonl")["counted"], 11);
        let shares = all["miners"].as_array().expect("a list").iter().filter_map(|one| one["pay"].as_f64());
        let sum = shares.sum::<f64>() + all["unearned"].as_f64().expect("a number");
        assert!((sum - 1.0).abs() < 1e-9, "{rules}: everything is shared out: {sum}");
    }
    // Of six days the last two count, whatever the ledger has before them.
    let few: Vec<Value> = std::iter::once(head(&json!({}))).chain((25..=30).map(day)).collect();
    file(folder, &few);
    let diagnose = ["diagnose", "submission.jsonl", "--json", "told.json", "--as", &me];
    with_ledger(&diagnose);
    let by_itself = told(folder);
    assert_eq!((&by_itself["rounds"], &by_itself["without_line"]), (&json!(2), &json!(0)));
    with_ledger(&[&diagnose[..], &["--from", "2026-01-29"]].concat());
    assert_eq!(part(&told(folder), "submission.jsonl"), part(&by_itself, "submission.jsonl"));
    let said = with_ledger(&[&diagnose[..], &["--from", "2026-01-20"]].concat());
    assert!(said.contains("no line for 5 of these rounds"), "{said}");
}

/// A batch with nothing but alerts, each of an address of its own, and what becomes known of them.
struct Day {
    date: chrono::NaiveDate,
    batch: Batch,
    labels: Table,
    illicit: Vec<f64>,
    known: Vec<i64>,
}

fn table(spec: &'static TableSpec, rows: usize, columns: Vec<(&str, Column)>) -> Table {
    let mut table = Table::new(spec, rows, vec![None; spec.columns.len()], Vec::new());
    for (name, column) in columns {
        table.set_column(spec.position(name).expect("a column"), Some(column));
    }
    table
}

fn noise(place: usize, model: usize, day: usize) -> f64 {
    ((place * 7919 + model * 104_729 + day * 1_299_709 + place * place * model) % 1000) as f64 / 1000.0
}

fn day(number: usize) -> Day {
    let date = chrono::NaiveDate::from_ymd_opt(2025, 9, 1).expect("a date") + chrono::Days::new(number as u64);
    let today = i64::from(date.to_epoch_days());
    let texts = |letter: &str| {
        Column::Texts(
            (0..ALERTS_A_DAY)
                .map(|place| format!("{letter}{number}-{place}"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect(),
        )
    };
    let numbers = |of: &dyn Fn(usize) -> f64| Column::Numbers((0..ALERTS_A_DAY).map(of).collect());
    let illicit: Vec<f64> = (0..ALERTS_A_DAY).map(|place| f64::from(u8::from(noise(place, 9, number) < 0.2))).collect();
    let known: Vec<i64> =
        (0..ALERTS_A_DAY).map(|place| today + 7 + i64::try_from(place % 14).expect("small")).collect();
    let dates = || numbers(&|_| f64::from(date.to_epoch_days()));
    let mut batch = Batch::empty();
    batch.alerts = table(
        &ALERTS_SPEC,
        ALERTS_A_DAY,
        vec![
            ("alert_id", texts("a")),
            ("address", texts("x")),
            ("processing_date", dates()),
            ("alert_confidence_score", numbers(&|place| noise(place, 3, number))),
        ],
    );
    let labels = table(
        &LABELS,
        ALERTS_A_DAY,
        vec![
            ("alert_id", texts("a")),
            ("confirmed_illicit", Column::Numbers(illicit.clone())),
            ("confirmed_at", numbers(&|place| known[place] as f64 * 86_400_000.0 + 3_600_000.0)),
        ],
    );
    Day { date, batch, labels, illicit, known }
}

fn days() -> Vec<Day> {
    (0..DAYS).map(day).collect()
}

fn write(folder: &Path, day: &Day) {
    let options = WriteOptions {
        processing_date: day.date,
        window_days: 7,
        network: "synthetic",
        created_at: "2026-01-01T00:00:00Z",
        publisher: None,
        replace: true,
    };
    write_batch(&folder.join(day.date.to_string()), &day.batch, Some(&day.labels), &options).expect("a batch");
}

/// Scores that know a part of the outcomes; the parts of two models are not the same.
fn guesses(day: &Day, model: usize) -> Vec<f64> {
    let number = usize::try_from(day.date.to_epoch_days()).expect("positive");
    let told = |(place, illicit): (usize, &f64)| {
        let knows = (place + model).is_multiple_of(2);
        let signal = if knows { 0.6 * illicit } else { 0.2 * illicit };
        0.05 + signal + 0.3 * noise(place, model, number)
    };
    day.illicit.iter().enumerate().map(told).collect()
}

fn line(day: &Day) -> Value {
    let ids: Vec<&str> = day.batch.alerts.texts("alert_id").expect("ids").iter().collect();
    json!({ "processing_date": day.date.to_string(), "window_days": 7, "seen": false, "alert_ids": ids, "scores": guesses(day, 1),
            "public": { "shipped": guesses(day, 2) } })
}

/// What `rules apply` says of the same days, mean pay from a day on by miner.
fn applied(days: &[Day], from: usize) -> Vec<f64> {
    let mut desk = Desk::new(std::num::NonZero::<usize>::MIN);
    desk.answer(json!({ "begin": { "rules": "v2", "miners": 3 } }).to_string().as_bytes()).expect("a season");
    let numbers = |values: Vec<f64>| json!(Numbers(values));
    let mut sums = [0.0; 3];
    for (number, day) in days.iter().enumerate() {
        let addresses = (0..ALERTS_A_DAY).map(|place| (number * ALERTS_A_DAY + place) as f64).collect();
        let confidence = day.batch.alerts.numbers("alert_confidence_score").expect("numbers").to_vec();
        let answers = [guesses(day, 1), guesses(day, 2), confidence]
            .map(|scores| json!({ "scores": numbers(scores), "advantage": 1.0 }));
        let today = i64::from(day.date.to_epoch_days());
        let known: Vec<(usize, usize)> = (0..number)
            .flat_map(|old| (0..ALERTS_A_DAY).map(move |place| (old, place)))
            .filter(|&(old, place)| days[old].known[place] == today)
            .collect();
        let list = |of: &dyn Fn(&(usize, usize)) -> f64| numbers(known.iter().map(of).collect());
        let frame = json!({ "day": { "day": number, "addresses": numbers(addresses), "answers": answers,
            "outcomes": { "day": list(&|one| one.0 as f64), "place": list(&|one| one.1 as f64),
                "illicit": list(&|one| days[one.0].illicit[one.1]) } } });
        let Ok(Answer::Day(played)) = desk.answer(frame.to_string().as_bytes()) else { panic!("day {number}") };
        if number >= from {
            sums.iter_mut().zip(&played.pay.0).for_each(|(sum, share)| *sum += share);
        }
    }
    sums.iter().map(|sum| sum / (days.len() - from) as f64).collect()
}

#[test]
fn on_batches_with_outcomes_it_earns_what_the_rules_give_the_same_answers() {
    let room = tempfile::tempdir().expect("a directory");
    let days = days();
    days.iter().for_each(|day| write(&room.path().join("data"), day));
    let mut lines: Vec<Value> = days.iter().map(line).collect();
    lines.last_mut().expect("a day")["seen"] = json!(true);
    file(room.path(), &[vec![head(&json!({ "shipped": "1.0.0+1" }))], lines].concat());
    let words = ["diagnose", "submission.jsonl", "--data-dir", "data", "--json", "told.json"];
    let text = must(&run(room.path(), &words));
    assert!(text.contains("learnt from outcomes of 1 of these days") && text.contains("under rules v2"), "{text}");
    let all = told(room.path());
    assert_eq!((&all["rounds"], &all["seen_days"]), (&json!(16), &json!(1)), "the last third counts");
    let wanted = applied(&days, 32);
    let names = ["submission.jsonl", "shipped", "the detector's confidence"];
    assert!(wanted[0] > 0.0, "the season pays somebody: {wanted:?}");
    for (name, wanted) in names.iter().zip(wanted) {
        let given = part(&all, name)["pay"].as_f64().expect("a number");
        assert!((given - wanted).abs() < 1e-12, "{name}: {given}, by the rules {wanted}");
    }
    let of = |name: &str| all["canonical"][name].as_f64().expect("a number");
    assert!(of("auc_with") > of("auc_without"), "what it knows shows: {all}");
}

#[test]
fn a_file_that_is_wrong_says_where() {
    let room = tempfile::tempdir().expect("a directory");
    let day = days().swap_remove(0);
    write(&room.path().join("data"), &day);
    let (good, public) = (line(&day), json!({ "shipped": "1.0.0+1" }));
    let said = |lines: &[Value]| {
        file(room.path(), lines);
        refusal(&run(room.path(), &["diagnose", "submission.jsonl", "--data-dir", "data"]))
    };
    let changed = |key: &str, value: Value| {
        let mut line = good.clone();
        line[key] = value;
        line
    };
    let mut fewer = good.clone();
    for list in ["alert_ids", "scores"] {
        fewer[list].as_array_mut().expect("a list").pop();
    }
    fewer["public"]["shipped"].as_array_mut().expect("a list").pop();
    for (lines, wanted) in [
        (vec![], "submission.jsonl is empty"),
        (vec![good.clone()], "line 1: the first line says which model it is"),
        (
            vec![json!({ "submission": 9, "model_version": "", "model_sha256": "", "public": {} })],
            "line 1: submissions of form 9",
        ),
        (vec![head(&public), changed("scores", json!([0.5]))], "line 2: scores: 1 scores for 60 alerts"),
        (vec![head(&public), changed("more", json!(1))], "line 2: unknown field `more`"),
        (vec![head(&public), changed("processing_date", json!("2025-13-01"))], "line 2: "),
        (vec![head(&json!({})), good.clone()], "line 2: other public models than the first line names"),
        (vec![head(&public), good.clone(), good.clone()], "line 3: 2025-09-01 is there twice"),
        (vec![head(&public), fewer], "the submission for 2025-09-01"),
        (vec![head(&public), changed("scores", json!(vec![1.5; 60]))], "not a probability"),
        (
            vec![head(&public), changed("processing_date", json!("2025-09-09"))],
            "none of the 1 days of the submission has a batch",
        ),
    ] {
        let text = said(&lines);
        assert!(text.contains(wanted), "wanted `{wanted}`: {text}");
    }
}
