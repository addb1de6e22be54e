//! Rules v2 in force: a season of rounds, a switch in the middle of one, outcomes that change, rounds that are void.

use std::time::Duration;

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::listing::directory_name;
use aml_miner::data::write_batch;
use aml_miner::wire::Table;
use aml_subnet::calendar::{date_of, day_of};
use aml_subnet::config::ValidatorSettings;
use aml_subnet::store::Retention;
use aml_subnet::store::records::{ColumnName, Mark, MarkKind, RoundId, Step};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validation::v2::voice::Choice;
use aml_subnet::validator::information::{Information, table_outcomes};
use aml_subnet::validator::pay::Worth;
use aml_subnet::validator::replay::{ReplayError, replay};
use aml_subnet::validator::rulebook::{self, RulebookError};
use aml_subnet::validator::run::Pass;
use aml_subnet::validator::settling::Settling;
use aml_subnet::validator::standing::worth_now;
use aml_subnet::validator::world::Threads;
use chrono::{Days, NaiveDate};
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, Lie};
use crate::validator_world::{ALERTS, NETUID, WINDOW, World, first_day, noon, options};

const PATIENCE: Duration = Duration::from_secs(120);
/// Days after which enough outcomes are known.
const DAYS: u32 = 26;

fn honest(skill: f64) -> Behaviour {
    Behaviour::Honest { skill }
}

async fn must_pass(world: &World) -> Pass {
    let pass = tokio::time::timeout(PATIENCE, world.validator().once(&CancellationToken::new())).await;
    let pass = pass.expect("a round ends");
    assert!(pass.errors.is_empty(), "{:#?}", pass.errors);
    pass
}

/// A day: its round and, on the last days, all else; as of a validator whose source of outcomes was down.
async fn play(world: &World, day: u64, days: u32) {
    if day + 3 > u64::from(days) {
        must_pass(world).await;
        return;
    }
    let (validator, stop) = (world.validator(), CancellationToken::new());
    let round = tokio::time::timeout(PATIENCE, validator.round_turn(&stop)).await.expect("a round ends");
    assert_eq!(round.expect("it goes well").map(|round| round.step), Some(Step::Published));
}

/// Rules v1, and v2 from a day of the world on.
fn switch(day: u64) -> RulesList {
    let from = first_day() + Days::new(day);
    serde_json::from_str(&format!(r#"[{{"version":"v1"}},{{"version":"v2","from":"{from}"}}]"#)).expect("a list")
}

async fn season(days: u32, cast: Vec<(&str, Behaviour)>, rules: RulesList) -> (World, Vec<RoundId>) {
    let mut world = World::new(days, cast).await;
    world.settings.rules = Some(rules);
    let mut rounds = Vec::new();
    for day in 0..u64::from(days) {
        rounds.push(world.dawn(day));
        play(&world, day, days).await;
    }
    (world, rounds)
}

fn cast() -> Vec<(&'static str, Behaviour)> {
    vec![
        ("Bob", honest(0.9)),
        ("Charlie", Behaviour::Packed { skill: 0.5 }),
        ("Dave", Behaviour::Lazy),
        ("Eve", Behaviour::Lying(Lie::Nan)),
        ("Ferdie", Behaviour::Dead),
    ]
}

async fn worth(world: &World) -> Worth {
    worth_now(&world.ledger, NETUID, Duration::ZERO).await.expect("a ledger")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_under_rules_v2_pays_information_and_nothing_else() {
    let (world, rounds) = season(DAYS, cast(), RulesList::always(RulesVersion::V2)).await;
    let (first, last) = (rounds[0], rounds[rounds.len() - 1]);
    let shares = world.ledger.shares(first).await.expect("a ledger").expect("every round is shared");
    assert!((shares.unearned + shares.pool - 1.0).abs() < 1e-12, "nothing is known on the first day: {shares:?}");
    assert_ne!(shares.choice, Some(Choice::Voices));

    let shares = world.ledger.shares(last).await.expect("a ledger").expect("every round is shared");
    let of = |name: &str| shares.miners[&dev_key(name).hotkey()];
    assert!(of("Bob").share > 0.5 && shares.unearned.abs() < 1e-12, "{shares:#?}");
    for name in ["Dave", "Eve", "Ferdie"] {
        assert!(of(name).share.abs() < 1e-12, "{name} tells nothing: {:?}", of(name));
    }
    let all: f64 = shares.miners.values().map(|of| of.share).sum();
    assert!((all - 1.0).abs() < 1e-9, "{shares:#?}");
    let worth = worth(&world).await;
    assert_eq!(worth.performance[&dev_key("Bob").hotkey()].to_bits(), of("Bob").share.to_bits());

    let in_force = world.ledger.in_force(last).await.expect("a ledger").expect("it is recorded");
    assert!(in_force.curve.is_some() && in_force.standing.known && in_force.standing.missing.is_empty());
    let canonical = world.ledger.canonical(last).await.expect("a ledger").expect("merged");
    assert_eq!((canonical.rules, canonical.scores.len()), (RulesVersion::V2, ALERTS));
    assert!(canonical.weights.keys().all(|hotkey| of_hotkey(&shares, hotkey) > 0.0));
    let beside = world.ledger.canonical_beside(last).await.expect("a ledger").expect("v1 stands beside it");
    assert_eq!((beside.rules, beside.scores.len()), (RulesVersion::V1, ALERTS));
    let columns = world.ledger.column_digests(last).await.expect("a ledger");
    for verdict in world.ledger.verdicts(last).await.expect("a ledger") {
        let stored = columns.get(&ColumnName::Miner(verdict.hotkey)).copied();
        assert_eq!(verdict.stored, stored.filter(|_| verdict.accepted.is_ok()), "the verdict names its column");
    }
    for id in [first, last] {
        let again = replay(&world.ledger, id, None).await.expect("everything is stored");
        assert!(again.identical, "{:#?}", again.differences);
        assert_eq!(again.scores, ALERTS);
    }
    // For `scripts/recompute.py`, which believes none of this.
    if let Some(folder) = std::env::var_os("AML_EXPORT_SEASON") {
        world.ledger.export(std::path::Path::new(&folder)).await.expect("a new folder");
    }
    must_have_grounds(&world, last).await;
}

/// What voices come from comes out again, by what was known then, whatever is known now.
async fn must_have_grounds(world: &World, id: RoundId) {
    let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
    let information = Information::under(round.rules, &world.ledger, &Threads).expect("rules v2");
    let standing = world.ledger.in_force(id).await.expect("a ledger").expect("in force").standing;
    let grounds = information.grounds(&round).await.expect("a ledger").expect("columns are kept");
    assert_eq!((grounds.made_ms, &grounds.rounds), (standing.made_ms, &standing.rounds));
    assert_eq!(grounds.number.to_bits(), standing.number.to_bits());
    assert!(grounds.miners.keys().eq(standing.miners.keys()));
    assert_eq!((grounds.columns.len(), grounds.cross.len()), (standing.miners.len() + 2, standing.miners.len() + 2));
    // Without the columns of a round of its window it does not come out any more, and nothing else is told instead.
    let swept = grounds.rounds[0] + Days::new(1);
    world.ledger.sweep_columns(swept, i64::MAX / 2).await.expect("a ledger");
    assert_eq!(information.grounds(&round).await.expect("a ledger"), None);
}

fn of_hotkey(shares: &aml_subnet::store::records::Shares, hotkey: &aml_subnet::wallet::Hotkey) -> f64 {
    shares.miners[hotkey].voice
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_settled_when_nothing_can_change_any_more() {
    let (world, rounds) = season(1, vec![("Bob", honest(0.8))], RulesList::always(RulesVersion::V2)).await;
    let id = rounds[0];
    let until = |days| world.clock.set(noon(first_day() + Days::new(days)));
    until(14);
    let pass = must_pass(&world).await;
    let [(round, Settling::Open { outcomes, illicit, until: last })] = &pass.settling[..] else {
        panic!("{:?}", pass.settling)
    };
    assert_eq!((*round, *last), (id, first_day() + Days::new(21)));
    let tally = world.ledger.outcome_tally(id).await.expect("a ledger");
    assert_eq!((tally.outcomes, tally.illicit), (*outcomes as u64, *illicit as u64));
    assert!(*outcomes > 20 && *outcomes < ALERTS && tally.as_of_ms.is_some(), "{tally:?}");
    // No raw answer is needed any more.
    let nothing = Retention { age: Duration::ZERO, bytes: 0 };
    world.ledger.sweep(i64::MAX / 2, &nothing).await.expect("a ledger");
    until(22);
    let pass = must_pass(&world).await;
    let [(_, Settling::Done(settled))] = &pass.settling[..] else { panic!("{:?}", pass.settling) };
    assert_eq!(settled.labels.len() as u64, world.ledger.outcome_tally(id).await.expect("a ledger").outcomes);
    assert!(settled.miners[&dev_key("Bob").hotkey()].is_some() && settled.beside.contains_key(&RulesVersion::V1));
    assert_eq!(world.ledger.round(id).await.expect("a ledger").expect("a round").step, Step::Settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_kept_by_the_days_of_rounds_whatever_the_clock_says() {
    let (world, rounds) = season(2, vec![("Bob", honest(0.8))], RulesList::always(RulesVersion::V2)).await;
    let kept = async |id| world.ledger.column_digests(id).await.expect("a ledger").len();
    let before = [kept(rounds[0]).await, kept(rounds[1]).await];
    assert!(before.iter().all(|kept| *kept > 0), "{before:?}");
    // A clock that jumps, or a source that has had nothing new for a year.
    world.clock.set(noon(first_day() + Days::new(365)));
    world.validator().sweep_turn().await.expect("a ledger");
    assert_eq!([kept(rounds[0]).await, kept(rounds[1]).await], before);
    let mut strict = world.validator();
    strict.settings.columns_age = Duration::ZERO;
    strict.sweep_turn().await.expect("a ledger");
    assert_eq!([kept(rounds[0]).await, kept(rounds[1]).await], [0, before[1]]);
}

/// The outcomes of a day as its source has them.
fn labels_of(world: &World, id: RoundId) -> Table {
    let dir = BatchDir::open(world.batch_dir(&directory_name(id.date, Some(WINDOW)))).expect("a batch");
    dir.load_labels().expect("a table").expect("outcomes")
}

/// The source says something else of a day now.
fn rewrite(world: &World, id: RoundId, labels: &Table) {
    let path = world.batch_dir(&directory_name(id.date, Some(WINDOW)));
    let batch = BatchDir::open(&path).expect("a batch").load().expect("rows").batch;
    write_batch(&path, &batch, Some(labels), &options(id.date)).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_that_are_withdrawn_and_rounds_that_are_void_amend_the_newest_pay() {
    let (world, rounds) = season(DAYS, cast(), RulesList::always(RulesVersion::V2)).await;
    let (old, last) = (rounds[2], rounds[rounds.len() - 1]);
    let before = world.ledger.shares(last).await.expect("a ledger").expect("shared");
    let standing = world.ledger.standing(last).await.expect("a ledger").expect("made");
    world.clock.forward(Duration::from_secs(600));
    let mark = Mark {
        at_ms: aml_miner::clock::millis(aml_miner::clock::Clock::now(&*world.clock)),
        why: "a bad batch".to_owned(),
    };
    world.ledger.mark_round(rounds[3], MarkKind::Void, Some(&mark)).await.expect("a ledger");
    world.clock.forward(Duration::from_secs(600));
    must_pass(&world).await;
    // Made with all that is known by now, so that only what is withdrawn sets it apart from the next.
    let void = world.ledger.standing(last).await.expect("a ledger").expect("made");
    assert!(standing.rounds.contains(&rounds[3].date) && !void.rounds.contains(&rounds[3].date));
    let made = world.ledger.all_shares(last).await.expect("a ledger");
    assert_eq!(made.len(), 2, "every version stays");
    assert!(made[1].amends.as_deref().is_some_and(|why| why.contains("void")), "{:?}", made[1].amends);
    assert!(made[1].made_ms > before.made_ms && made[1].miners != before.miners);

    let labels = labels_of(&world, old);
    let half: Vec<usize> = (0..labels.rows() / 2).collect();
    rewrite(&world, old, &labels.take(&half));
    world.clock.forward(Duration::from_secs(600));
    must_pass(&world).await;
    let after = world.ledger.shares(last).await.expect("a ledger").expect("shared");
    let why = after.amends.as_deref().unwrap_or_default();
    assert!(why.contains(&old.to_string()) && why.contains("withdrawn"), "{why}");
    assert!(after.made_ms > made[1].made_ms && after.miners != made[1].miners);
    let amended = world.ledger.standing(last).await.expect("a ledger").expect("made");
    assert!(amended.number < void.number, "fewer outcomes are known: {} {}", amended.number, void.number);
    let versions = world.ledger.outcomes(old).await.expect("a ledger");
    assert!(versions.iter().any(|one| one.illicit.is_none()), "and it is recorded that they were");
    must_pass(&world).await;
    assert_eq!(world.ledger.all_shares(last).await.expect("a ledger").len(), 3, "it is made again once");
    // A process that recorded what was withdrawn and died before it made the pay again: the next one does.
    let other = rounds[4];
    let labels = labels_of(&world, other);
    let half = labels.take(&(0..labels.rows() / 2).collect::<Vec<usize>>());
    rewrite(&world, other, &half);
    world.clock.forward(Duration::from_secs(600));
    let now = aml_miner::clock::Clock::now(&*world.clock);
    let source = world.sot();
    let known = source.labels(other.date, WINDOW, now).await.expect("a source").expect("outcomes");
    let task = world.ledger.task(other).await.expect("a ledger").expect("a task");
    let known = table_outcomes(&task.roster, &known);
    let change = world.ledger.record_outcomes(other, &known, aml_miner::clock::millis(now)).await.expect("a ledger");
    assert!(change.withdrawn > 0, "{change:?}");
    world.clock.forward(Duration::from_secs(600));
    must_pass(&world).await;
    let made = world.ledger.all_shares(last).await.expect("a ledger");
    let why = made[made.len() - 1].amends.as_deref().unwrap_or_default();
    assert!(made.len() == 4 && why.contains(&other.to_string()), "{why}");
    // A void round is not what is paid by.
    world.ledger.mark_round(last, MarkKind::Void, Some(&mark)).await.expect("a ledger");
    let paid = worth(&world).await;
    let before = world.ledger.shares(rounds[rounds.len() - 2]).await.expect("a ledger").expect("shared");
    assert_eq!(paid, Worth::shared(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_in_the_middle_of_a_season_pays_from_its_first_day() {
    let mut world = World::new(DAYS, cast()).await;
    let mut rounds = Vec::new();
    for day in 0..u64::from(DAYS) - 1 {
        rounds.push(world.dawn(day));
        play(&world, day, DAYS).await;
    }
    let names = world.ledger.column_digests(rounds[0]).await.expect("a ledger");
    assert!(names.is_empty(), "under v1 alone nothing is made for v2");
    // The raw answers of the first day are gone.
    let swept = noon(first_day() + Days::new(1)) - Duration::from_secs(1);
    let age = aml_miner::clock::Clock::now(&*world.clock) - swept;
    world
        .ledger
        .sweep(
            aml_miner::clock::millis(aml_miner::clock::Clock::now(&*world.clock)),
            &Retention { age, bytes: u64::MAX },
        )
        .await
        .expect("a ledger");
    world.settings.rules = Some(switch(u64::from(DAYS) - 1));
    must_pass(&world).await;
    let names = world.ledger.column_digests(rounds[1]).await.expect("a ledger");
    assert!(names.contains_key(&ColumnName::Miner(dev_key("Bob").hotkey())), "columns were made beside the rounds");
    let last = world.dawn(u64::from(DAYS) - 1);
    must_pass(&world).await;
    let round = world.ledger.round(last).await.expect("a ledger").expect("a round");
    assert_eq!((round.rules, round.list), (RulesVersion::V2, world.settings.rules.clone()));
    let standing = world.ledger.standing(last).await.expect("a ledger").expect("made");
    assert_eq!(standing.missing, [rounds[0].date], "what was swept is named");
    assert!(standing.known && standing.rounds.contains(&rounds[1].date), "{standing:?}");
    let shares = world.ledger.shares(last).await.expect("a ledger").expect("shared");
    assert!(shares.miners[&dev_key("Bob").hotkey()].share > 0.5, "{shares:#?}");
    assert!(shares.miners[&dev_key("Bob").hotkey()].traps.is_some(), "traps of v1 rounds count too");
    let refused = replay(&world.ledger, rounds[5], Some(RulesVersion::V2)).await;
    assert!(matches!(refused, Err(ReplayError::NothingInForce(_))), "{refused:?}");
    assert!(replay(&world.ledger, rounds[5], None).await.expect("stored").identical);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_rules_that_contradicts_the_ledger_is_refused_with_a_day_to_give() {
    let mut world = World::new(1, vec![("Bob", honest(0.8))]).await;
    let (today, list) =
        (first_day(), |rules: &str| -> Option<RulesList> { Some(serde_json::from_str(rules).expect("a list")) });
    let open = async |rules: Option<RulesList>, today: NaiveDate, world: &World| {
        let settings = ValidatorSettings { rules, ..world.settings.clone() };
        rulebook::open(&world.ledger, &settings, NETUID, today).await
    };
    let empty = open(None, today, &world).await.expect("an empty ledger");
    assert_eq!(empty, RulesList::always(RulesVersion::LATEST));
    world.settings.rules = list("\"v1\"");
    world.dawn(0);
    must_pass(&world).await;
    assert_eq!(open(None, today, &world).await.expect("the ledger's own"), RulesList::always(RulesVersion::V1));
    let refused = open(list("\"v2\""), today, &world).await.expect_err("it has a round under v1");
    assert!(matches!(refused, RulebookError::Recorded { .. }));
    let (said, tomorrow) = (refused.to_string(), date_of(day_of(today) + 1));
    assert!(said.contains("judged under v1") && said.contains(&tomorrow.to_string()), "{said}");
    let past = Some(switch(5));
    let late = open(past.clone(), first_day() + Days::new(5), &world).await.expect_err("it is not known yet");
    assert!(matches!(late, RulebookError::Past { .. }), "{late}");
    assert!(late.to_string().contains("lies in the past"), "{late}");
    open(past.clone(), first_day() + Days::new(4), &world).await.expect("it is in the future");
    open(past, first_day() + Days::new(40), &world).await.expect("it was known before it began");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_was_open_when_rules_changed_goes_on_as_it_began() {
    let mut world = World::new(
        1,
        vec![("Bob", honest(0.8)), ("Eve", Behaviour::Wire(crate::fake_miner::Wire::HangsBeforeHeaders))],
    )
    .await;
    world.settings.rules = Some(RulesList::always(RulesVersion::V1));
    let id = world.dawn(0);
    let stop = CancellationToken::new();
    let validator = world.validator();
    let until_one = async {
        while world.ledger.answers(id).await.expect("a ledger").is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(tokio::time::timeout(PATIENCE, validator.round_turn(&stop)), until_one);
    assert!(ended.expect("it stops").is_err());
    world.settings.rules = Some(switch(1));
    world.settings.timeout = Duration::from_secs(1);
    must_pass(&world).await;
    let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
    assert_eq!((round.rules, round.step), (RulesVersion::V1, Step::Published));
    assert_eq!(world.ledger.canonical(id).await.expect("a ledger").expect("merged").rules, RulesVersion::V1);
    assert_eq!(world.ledger.shares(id).await.expect("a ledger"), None);
}
