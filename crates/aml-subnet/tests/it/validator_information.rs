//! The ledger's way through rules v2 is the formulas' way: a season that is kept in a ledger comes out as the one that is
//! played in memory, bit by bit. With `AML_EXPORT_V2` set, the ledger is exported there for `scripts/recompute.py`.

use std::collections::BTreeMap;

use aml_subnet::calendar::{DAY_MS, date_of};
use aml_subnet::store::records::{Answer, KnownOutcome, Mark, MarkKind, Reply, Round, RoundId, Task, Verdict};
use aml_subnet::store::{InForce, Ledger, Merged, Retention, StorageError};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::submission::Submission;
use aml_subnet::validation::tier2_traps::TrapFinding;
use aml_subnet::validator::information::{Given, Grace, Information, InformationError, MergedRound};
use aml_subnet::validator::judge::Judged;
use aml_subnet::validator::task::TrapList;
use aml_subnet::validator::world::Threads;
use aml_subnet::wallet::Hotkey;

use crate::ledger_kit::{Home, NETUID, NOW, answer, hashed, must_open, round, verdict};
use crate::rules_v2_kit::{Answer as Said, Season};
use crate::rules_v2_world::{ALERTS, Miner, Noise, World};
use crate::validator_kit;

/// The day that the world's first day is here.
const FIRST: i64 = 20_000;
const DAYS: usize = 44;
const GRACE: Grace = Grace(std::time::Duration::ZERO);

fn id(day: usize) -> RoundId {
    RoundId { netuid: NETUID, date: date_of(FIRST + i64::try_from(day).expect("few")), window_days: 30 }
}

fn hotkey(number: usize) -> Hotkey {
    Hotkey::from_bytes([u8::try_from(number + 1).expect("few"); 32])
}

/// Noon of a day.
fn noon(day: usize) -> i64 {
    (FIRST + i64::try_from(day).expect("few")) * DAY_MS + DAY_MS / 2
}

/// A season in a ledger.
struct Kept<'a> {
    ledger: &'a Ledger,
    world: &'a World,
    miners: usize,
}

impl Kept<'_> {
    fn information(&self) -> Information<'_> {
        Information::under(RulesVersion::V2, self.ledger, &Threads).expect("rules v2")
    }

    fn task(&self, day: usize) -> Task {
        let mut task = validator_kit::task(ALERTS, u8::try_from(self.miners).expect("few"));
        task.deadline_ms = noon(day) + 1000;
        for (row, address) in task.roster.iter_mut().zip(&self.world.batches[day].addresses) {
            row.address = format!("0x{address:08x}");
        }
        task
    }

    /// The outcomes of a day as its source has them on another.
    fn outcomes(&self, day: usize, today: usize) -> Vec<KnownOutcome> {
        let (batch, today) = (&self.world.batches[day], i64::try_from(today).expect("few"));
        let known = |(place, known): (usize, &Option<i64>)| {
            let confirmed = known.filter(|known| *known <= today)?;
            Some(KnownOutcome {
                place: u32::try_from(place).expect("few"),
                address: format!("0x{:08x}", batch.addresses[place]),
                illicit: Some(batch.illicit[place]),
                relevance: if batch.illicit[place] { 2 } else { 0 },
                confirmed_ms: (FIRST + confirmed) * DAY_MS + DAY_MS / 4,
                seen_ms: 0,
                replaced_ms: None,
            })
        };
        batch.known.iter().enumerate().filter_map(known).collect()
    }

    async fn look(&self, today: usize) {
        for day in today.saturating_sub(36)..today {
            let known = self.outcomes(day, today);
            self.ledger.record_outcomes(id(day), &known, noon(today) - 10).await.expect("the ledger answers");
        }
    }

    /// A day from its outcomes to its publication.
    async fn play(&self, day: usize, said: &[Option<Said>]) -> (InForce, MergedRound) {
        let (id, ledger, information) = (id(day), self.ledger, self.information());
        self.look(day).await;
        let begun = Round { id, rules: RulesVersion::V2, alerts: ALERTS as u64, opened_ms: noon(day), ..round(1) };
        let begun = ledger.begin(&begun).await.expect("it begins");
        let hotkeys: Vec<Hotkey> = (0..self.miners).map(hotkey).collect();
        let in_force = information.in_force(id, &hotkeys, noon(day)).await.expect("the ledger answers");
        ledger.record_in_force(id, &in_force).await.expect("recorded");
        ledger.note_seen(&hotkeys, (FIRST + i64::try_from(day).expect("few")) * DAY_MS).await.expect("noted");
        let task = self.task(day);
        let commitment = TrapList::of(&task).commitment(&task.salt);
        ledger.record_task(id, &task, commitment).await.expect("tasked");
        let judged: Vec<Judged> = said.iter().enumerate().map(|(number, said)| judged(number, said.as_ref())).collect();
        for one in &judged {
            let body = format!("{day} {}", one.verdict.hotkey).into_bytes();
            let given = Answer {
                hotkey: one.verdict.hotkey,
                reply: Reply::Answered,
                body: Some(aml_miner::digest::Digest::of(&body)),
                bytes: body.len() as u64,
                ..answer(1, 1)
            };
            ledger.record_answer(id, &given, Some(&hashed(body))).await.expect("recorded");
        }
        ledger.finish_asking(id).await.expect("asked");
        let rules = RulesVersion::V2.rules();
        let (judged, told) = information.told(&rules, in_force.curve.clone(), judged).await.expect("columns");
        let task = std::sync::Arc::new(task);
        information
            .keep(id, &task, Given { curve: in_force.curve.clone(), as_of_ms: in_force.standing.made_ms }, &told)
            .await
            .expect("kept");
        let verdicts: Vec<Verdict> = judged.iter().map(|one| one.verdict.clone()).collect();
        ledger.record_verdicts(id, &verdicts).await.expect("judged");
        let merged = information.merge(&begun, &in_force, (&judged, told), GRACE).await.expect("merged");
        let made = Merged { canonical: merged.canonical.as_ref(), beside: None, shares: Some(&merged.shares) };
        ledger.record_merged(id, made).await.expect("recorded");
        ledger.publish(id, noon(day) + 2000).await.expect("published");
        (in_force, merged)
    }
}

fn judged(number: usize, said: Option<&Said>) -> Judged {
    let scores = said.and_then(|said| said.scores.as_ref());
    let verdict = Verdict {
        hotkey: hotkey(number),
        uid: u16::try_from(number + 1).expect("few"),
        accepted: if scores.is_some() { Ok(()) } else { Err("no answer".to_owned()) },
        tier1: scores.map(|_| 1.0),
        tier2: None,
        traps: said.and_then(|said| said.advantage).map(found).unwrap_or_default(),
        advantage: said.and_then(|said| said.advantage),
        ..verdict(1)
    };
    let submission = scores.map(|scores| Submission::of_stored(scores).expect("probabilities"));
    Judged { verdict, submission, group: None }
}

/// What was found of the task's two groups, for an advantage to come out.
fn found(advantage: f64) -> Vec<TrapFinding> {
    let one = |name: &str, share| TrapFinding { name: name.to_owned(), share, passed: share >= 0.7 };
    vec![one("low", 0.5 + 0.5 * advantage), one("high", 0.1 + 0.9 * advantage)]
}

/// Five miners that know, one that does not, one that is away now and then, two that say the same.
fn cast(world: &mut World) -> Vec<Miner> {
    let mut miners = world.honest(5);
    miners.push(Miner::guesses(world.random()));
    miners.push(miners[1].clone().on(|day| day % 3 != 1));
    miners.push(miners[0].clone());
    miners
}

fn said(miners: &[Miner], day: usize) -> Vec<Option<Said>> {
    let mut noise = Noise(day as u64);
    let one = |miner: &Miner| {
        let (high, low) = (miner.traps)(day);
        let mut share = |chance: f64| (0..20).filter(|_| noise.share() < chance).count() as f64 / 20.0;
        let advantage = aml_subnet::validation::v2::advantage::advantage(&[share(high)], &[share(low)]);
        let here = miner.answers[day];
        Some(Said { scores: here.then(|| miner.scores[day].clone()), advantage: advantage.filter(|_| here) })
    };
    miners.iter().map(one).collect()
}

fn bits(one: f64, two: f64) -> bool {
    one.to_bits() == two.to_bits()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_in_a_ledger_is_the_season_of_the_formulas_bit_by_bit() {
    let mut world = World::new(5, DAYS);
    let miners = cast(&mut world);
    let home = Home::file();
    let ledger = must_open(&home.url).await;
    let kept = Kept { ledger: &ledger, world: &world, miners: miners.len() };
    let mut season = Season::new(miners.len());
    let mut known = 0;
    for day in 0..DAYS {
        let answers = said(&miners, day);
        let standings = season.settle();
        let references = season.references(&world.batches[day]);
        let (voices, paid) = season.round(world.batches[day].clone(), &answers, &references, &standings.miners);
        let (in_force, merged) = kept.play(day, &answers).await;
        assert_eq!(in_force.curve, standings.curve, "day {day}");
        known += usize::from(standings.known);
        for (number, of) in standings.miners.iter().enumerate() {
            assert_eq!(in_force.standing.miners[&hotkey(number)], *of, "day {day}, miner {number}");
        }
        let own: Vec<f64> =
            merged.canonical.as_ref().expect("scores").scores.iter().map(|one| one.score.get()).collect();
        assert!(own.iter().zip(season.canonical()).all(|(one, two)| bits(*one, *two)), "day {day}");
        for (number, share) in paid.shares.iter().enumerate() {
            let of = merged.shares.miners[&hotkey(number)];
            assert!(
                bits(of.share, *share) && bits(of.voice, voices.shares[number]),
                "day {day}, miner {number}: {of:?}"
            );
        }
        assert!(bits(merged.shares.unearned, paid.unearned) && bits(merged.shares.pool, paid.pool), "day {day}");
    }
    assert!(known > 10 && known < DAYS, "enough became known on the way: {known}");
    amended(&kept).await;
    if let Some(folder) = std::env::var_os("AML_EXPORT_V2") {
        let swept = Retention { age: std::time::Duration::ZERO, bytes: 0 };
        ledger.sweep(NOW * 2, &swept).await.expect("the ledger answers");
        ledger.export(std::path::Path::new(&folder)).await.expect("a new folder");
    }
    altered(&kept, &home).await;
}

/// Outcomes that are withdrawn and a round that becomes void change the newest pay, and say why.
async fn amended(kept: &Kept<'_>) {
    let (ledger, information) = (kept.ledger, kept.information());
    let newest = ledger.round(id(DAYS - 1)).await.expect("the ledger answers").expect("a round");
    let first = ledger.shares(newest.id).await.expect("the ledger answers").expect("shared");
    let repaid = information.repay(&newest, GRACE, "nothing", noon(DAYS - 1) + 10_000).await.expect("made");
    assert_eq!(repaid, None, "nothing changed");
    let old = id(DAYS - 20);
    let half: Vec<KnownOutcome> =
        kept.outcomes(DAYS - 20, DAYS - 1).into_iter().filter(|one| one.place % 2 == 0).collect();
    let change = ledger.record_outcomes(old, &half, noon(DAYS - 1) + 20_000).await.expect("the ledger answers");
    assert!(change.withdrawn > 0 && change.amends());
    let repaid = information.repay(&newest, GRACE, "withdrawn", noon(DAYS - 1) + 30_000).await.expect("made");
    let second = repaid.expect("it is another pay");
    assert!(second.amends.as_deref() == Some("withdrawn") && second.miners != first.miners);
    let mark = Mark { at_ms: noon(DAYS - 1) + 40_000, why: "a bad batch".to_owned() };
    ledger.mark_round(id(DAYS - 10), MarkKind::Void, Some(&mark)).await.expect("the ledger answers");
    let repaid = information.repay(&newest, GRACE, "void", noon(DAYS - 1) + 50_000).await.expect("made");
    assert!(repaid.is_some_and(|third| third.miners != second.miners));
    let standing = ledger.standing(newest.id).await.expect("the ledger answers").expect("made");
    assert!(!standing.rounds.contains(&id(DAYS - 10).date), "a void round is no round");
    assert_eq!(ledger.all_shares(newest.id).await.expect("the ledger answers").len(), 3);
}

/// A column that was changed stops whatever would read it.
async fn altered(kept: &Kept<'_>, home: &Home) {
    let (mine, other) = (hotkey(0), hotkey(1));
    let swap = format!(
        "UPDATE columns SET worths = (SELECT worths FROM columns c WHERE c.round = columns.round AND c.name = '{other}'), \
         worths_sha256 = (SELECT worths_sha256 FROM columns c WHERE c.round = columns.round AND c.name = '{other}') \
         WHERE name = '{mine}'"
    );
    home.sqlite_sql(&swap).await;
    let hotkeys: BTreeMap<Hotkey, ()> = (0..kept.miners).map(|number| (hotkey(number), ())).collect();
    let hotkeys: Vec<Hotkey> = hotkeys.into_keys().collect();
    let read = kept.information().in_force(id(DAYS), &hotkeys, noon(DAYS)).await;
    let Err(InformationError::Ledger(StorageError::Altered { name, .. })) = read else { panic!("{read:?}") };
    assert_eq!(name, mine.to_string(), "a column that fits its row but not its verdict is told");
}
