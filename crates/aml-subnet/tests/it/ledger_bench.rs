//! How long a round of full size takes to record and to read: 50,000 alerts, 256 miners. Prints; asserts no time.

use std::time::Instant;

use aml_miner::digest::Digest;
use aml_subnet::store::Ledger;
use aml_subnet::store::records::{Answer, Ask, Canonical, ColumnName, RosterRow, StoredColumn, Task, Verdict};
use aml_subnet::validation::v2::column::Worths;
use aml_subnet::validation::v2::order::Order;
use aml_subnet::wallet::Hotkey;

use crate::ledger_kit::{
    Home, NETUID, answer, canonical, commitment, hashed, id, miner, must_reach, round, settled, task, verdict,
};
use crate::rules_v2_world::{Noise, sigmoid};

const ALERTS: u32 = 50_000;
const MINERS: u16 = 256;

fn hotkey(number: u16) -> Hotkey {
    Hotkey::from_bytes(*Digest::of(&number.to_le_bytes()).as_bytes())
}

fn noise(seed: u32) -> String {
    Digest::of(&seed.to_le_bytes()).to_string()
}

fn large_task() -> Task {
    let small = task(1);
    let row = |number: u32| RosterRow {
        alert_id: noise(number),
        address: noise(number / 2 + (1 << 24)),
        typology: "structuring".to_owned(),
        severity: "high".to_owned(),
    };
    let ask = |uid: u16| Ask {
        uid,
        issued: (0..80).map(|trap| (trap * 500, noise(u32::from(uid) * 1000 + (1 << 26)))).collect(),
        ..small.asks[&miner(1)].clone()
    };
    let asks = (0..MINERS).map(|uid| (hotkey(uid), ask(uid))).collect();
    Task { roster: (0..ALERTS).map(row).collect(), asks, ..small }
}

fn large_canonical() -> Canonical {
    let small = canonical();
    let one = |number: u32| {
        let score = f64::from(number) / f64::from(ALERTS) / 3.0;
        aml_subnet::validation::score::CanonicalScore {
            score: aml_subnet::validation::score::Score::new(score).expect("a probability"),
            deviation: score / 7.0,
            miners: 256,
        }
    };
    Canonical { scores: (0..ALERTS).map(one).collect(), ..small }
}

fn body(miner: u16) -> Vec<u8> {
    let row = |alert: u32| format!("{{\"alert_id\":\"{}\",\"score\":0.{}}}", noise(alert), alert * u32::from(miner));
    (0..ALERTS).map(row).collect::<Vec<_>>().join(",").into_bytes()
}

async fn record_answers(ledger: &Ledger) {
    for number in 0..16 {
        let body = body(number);
        let given =
            Answer { hotkey: hotkey(number), body: Some(Digest::of(&body)), bytes: body.len() as u64, ..answer(1, 1) };
        ledger.record_answer(id(1), &given, Some(&hashed(body))).await.expect("it is recorded");
    }
}

async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let done = work.await;
    println!("{what:>40} {:>9.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    done
}

#[tokio::test]
#[ignore = "a measurement"]
async fn a_round_of_full_size() {
    for home in Home::both() {
        println!("{}", home.name);
        let ledger = home.open().await;
        ledger
            .begin(&aml_subnet::store::records::Round { alerts: u64::from(ALERTS), ..round(1) })
            .await
            .expect("begun");
        let (task, canonical) = (large_task(), large_canonical());
        timed("record_task", ledger.record_task(id(1), &task, commitment())).await.expect("tasked");
        timed("task", ledger.task(id(1))).await.expect("read");
        timed("record_answer, 16 of 50,000 scores", record_answers(&ledger)).await;
        ledger.finish_asking(id(1)).await.expect("asked");
        let verdicts: Vec<Verdict> =
            (0..MINERS).map(|number| Verdict { hotkey: hotkey(number), ..verdict(1) }).collect();
        timed("record_verdicts, 256", ledger.record_verdicts(id(1), &verdicts)).await.expect("judged");
        timed("record_canonical, 50,000", ledger.record_canonical(id(1), Some(&canonical))).await.expect("merged");
        timed("canonical", ledger.canonical(id(1))).await.expect("read");
        ledger.publish(id(1), 1).await.expect("published");
        timed("record_settled", ledger.record_settled(id(1), &settled(), 1)).await.expect("settled");
        let address = &task.roster[100].address;
        timed("address_alerts", ledger.address_alerts(NETUID, address, id(1).date)).await.expect("read");
        timed("history of a round", ledger.history(NETUID, id(1).date)).await.expect("read");
        must_reach(&ledger, 2, aml_subnet::store::records::Step::Settled).await;
        timed("export", ledger.export(&home.folder.path().join("export"))).await.expect("exported");
        let copy = crate::ledger_kit::must_open(&home.another("copy")).await;
        timed("import", copy.import(&home.folder.path().join("export"))).await.expect("imported");
    }
}

/// Submissions of the second measurement; 256 take as many times more.
const MEASURED: u16 = 32;

#[tokio::test]
#[ignore = "a measurement"]
async fn columns_of_a_round_of_full_size() {
    let home = Home::file();
    let ledger = home.open().await;
    ledger.begin(&aml_subnet::store::records::Round { alerts: u64::from(ALERTS), ..round(1) }).await.expect("begun");
    let worths = Worths::new(None, ALERTS as usize);
    let column = |number: u16| {
        let mut noise = Noise(u64::from(number));
        let scores: Vec<f64> = (0..ALERTS).map(|_| sigmoid(noise.normal() - 2.5)).collect();
        let name = ColumnName::Miner(hotkey(number));
        StoredColumn { name, worths: worths.column(&Order::of(&scores)), scores }
    };
    let columns: Vec<StoredColumn> = (0..MEASURED).map(column).collect();
    let before = home.path().metadata().expect("a file").len();
    timed("record_columns, 32 of 50,000", ledger.record_columns(id(1), &columns)).await.expect("recorded");
    let packed = timed("packed_columns, 32", ledger.packed_columns(id(1))).await.expect("read");
    timed("compared with their digests", async { packed.iter().for_each(|one| drop(one.worths().expect("whole"))) })
        .await;
    timed("packed_scores, 32", ledger.packed_scores(id(1))).await.expect("read");
    ledger.close().await;
    let bytes = home.path().metadata().expect("a file").len() - before;
    let each = bytes as f64 / f64::from(MEASURED);
    println!("{:>40} {:>9.0} bytes", "a submission of 50,000", each);
    println!("{:>40} {:>9.2} GB", "256 submissions, 37 rounds", each * 256.0 * 37.0 / 1e9);
}
