//! What schema 2 of the ledger keeps: columns, outcomes with their history, standings and shares, files, marks.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use aml_subnet::store::records::{
    Canonical, ColumnName, Counts, KnownOutcome, Mark, MarkKind, OutcomesChange, ShareOf, Shares, StandingRecord, Step,
    StoredColumn,
};
use aml_subnet::store::{Before, InForce, KnownShare, Ledger, Merged, RecordError, StorageError};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validation::v2::curve::Curve;
use aml_subnet::validation::v2::price::Priced;
use aml_subnet::validation::v2::standing::Standing;
use aml_subnet::validation::v2::voice::{Choice, Muted};
use futures_util::FutureExt as _;

use crate::ledger_kit::{Home, NOW, canonical, id, miner, must_open, must_reach, round};

pub(crate) fn stored(name: ColumnName) -> StoredColumn {
    StoredColumn { name, worths: vec![i16::MIN, -1, i16::MAX], scores: vec![0.0, 5e-324, 1.0 - f64::EPSILON] }
}

fn of_miner(number: u8) -> StoredColumn {
    stored(ColumnName::Miner(miner(number)))
}

fn outcome(place: u32, illicit: bool) -> KnownOutcome {
    KnownOutcome {
        place,
        address: format!("address-{place}"),
        illicit: Some(illicit),
        relevance: if illicit { 2 } else { 0 },
        confirmed_ms: NOW - 5,
        seen_ms: 0,
        replaced_ms: None,
    }
}

fn standing() -> StandingRecord {
    let priced = Priced { correlation: 0.1 + 0.2, weight: 1.0 / 3.0, ..Priced::default() };
    let one = Standing { priced, calibration: 0.5, level: Some(0.2), usual: 0.9, part: 0.5, counted: 15 };
    StandingRecord {
        rules: RulesVersion::V2,
        made_ms: NOW,
        rounds: vec![id(1).date],
        missing: vec![id(2).date],
        number: 1000.5,
        illicit: 99.25,
        known: true,
        miners: BTreeMap::from([(miner(1), one)]),
        references: BTreeMap::from([("canonical".to_owned(), priced)]),
    }
}

fn shares() -> Shares {
    let one = ShareOf {
        share: 0.1 + 0.7,
        worth: 1e-5,
        points: 0.01,
        quality: 0.7,
        tier1: 1.0,
        traps: None,
        calibration: 0.5,
        lately: 6.0 / 7.0,
        newcomer: 0.0,
        counted: 15,
        voice: 0.0,
        muted: Some(Muted::Unsteady),
    };
    Shares {
        rules: RulesVersion::V2,
        made_ms: NOW,
        amends: None,
        pool: 0.001,
        unearned: 0.0,
        rounds: 3,
        choice: Some(Choice::Voices),
        miners: BTreeMap::from([(miner(1), one)]),
    }
}

fn in_force() -> InForce {
    InForce { curve: Some(Curve { shares: vec![0.1, 1.0 / 3.0] }), standing: standing() }
}

/// A row in every table that schema 2 added, of a round of its own.
pub(crate) async fn fill_new(ledger: &Ledger, day: u32) {
    must_reach(ledger, day, Step::Judged).await;
    ledger.record_in_force(id(day), &in_force()).await.expect("the ledger answers");
    let reference = stored(ColumnName::Reference("canonical".to_owned()));
    ledger.record_columns(id(day), &[of_miner(1), of_miner(2), reference]).await.expect("the ledger answers");
    let beside = Canonical { rules: RulesVersion::V1, ..canonical() };
    let (merged, shares) = (canonical(), shares());
    let merged = Merged { canonical: Some(&merged), beside: Some(&beside), shares: Some(&shares) };
    ledger.record_merged(id(day), merged).await.expect("the ledger answers");
    ledger.record_outcomes(id(day), &[outcome(0, true), outcome(2, false)], NOW).await.expect("the ledger answers");
    ledger.record_counts(id(day), &BTreeMap::from([(miner(1), Counts::default())])).await.expect("the ledger answers");
    ledger.keep_file(id(day), "form/json", b"encoded", Some(Digest::of(b"decoded"))).await.expect("the ledger answers");
    let mark = Mark { at_ms: NOW, why: "the batch was wrong".to_owned() };
    ledger.mark_round(id(day), MarkKind::Void, Some(&mark)).await.expect("the ledger answers");
}

#[tokio::test]
async fn columns_and_shares_keep_their_bits() {
    for home in Home::both() {
        let ledger = home.open().await;
        fill_new(&ledger, 1).await;
        let packed = ledger.packed_columns(id(1)).await.unwrap();
        assert_eq!(packed.len(), 3, "{}", home.name);
        assert!(packed.iter().all(|one| one.worths().unwrap() == of_miner(1).worths));
        let scores = ledger.packed_scores(id(1)).await.unwrap();
        let bits = |scores: Vec<f64>| scores.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert!(scores.iter().all(|one| bits(one.scores().unwrap()) == bits(of_miner(1).scores)));
        let digests = ledger.column_digests(id(1)).await.unwrap();
        assert_eq!(digests[&ColumnName::Miner(miner(2))], of_miner(2).digests());
        assert_eq!(ledger.in_force(id(1)).await.unwrap(), Some(in_force()));
        assert_eq!(ledger.standing(id(1)).await.unwrap(), Some(standing()));
        assert_eq!(ledger.shares(id(1)).await.unwrap(), Some(shares()));
        assert_eq!(ledger.canonical_beside(id(1)).await.unwrap(), Some(canonical()));
        assert_eq!(ledger.file(id(1), "form/json").await.unwrap().as_deref(), Some(&b"encoded"[..]));
        assert_eq!(ledger.files(id(1)).await.unwrap()[0].decoded, Some(Digest::of(b"decoded")));
        assert_eq!(ledger.counts(id(1)).await.unwrap()[&miner(1)], Counts::default());
    }
}

#[tokio::test]
async fn what_is_in_force_is_recorded_once_and_pay_may_be_amended() {
    let home = Home::file();
    let ledger = home.open().await;
    fill_new(&ledger, 1).await;
    let other = InForce { curve: None, standing: StandingRecord { made_ms: NOW + 9, ..standing() } };
    assert_eq!(ledger.record_in_force(id(1), &other).await.unwrap(), in_force(), "the first time counts");
    let amended = Shares { made_ms: NOW + 9, amends: Some("an outcome was withdrawn".to_owned()), ..shares() };
    ledger.amend_shares(id(1), &other.standing, &amended).await.unwrap();
    assert_eq!(ledger.shares(id(1)).await.unwrap(), Some(amended.clone()));
    assert_eq!(ledger.all_shares(id(1)).await.unwrap(), [shares(), amended]);
    assert_eq!(ledger.standing(id(1)).await.unwrap(), Some(other.standing));
    assert_eq!(ledger.in_force(id(1)).await.unwrap(), Some(in_force()), "voices and curve stay");
}

#[tokio::test]
async fn a_column_that_is_not_what_its_digest_says_is_an_error_and_no_number() {
    for home in Home::both() {
        let ledger = home.open().await;
        fill_new(&ledger, 1).await;
        let other = ledger.record_columns(id(1), &[StoredColumn { worths: vec![0, 0, 0], ..of_miner(1) }]).await;
        assert!(matches!(other, Err(RecordError::Differs { what: "columns", .. })), "{other:?}");
        ledger.record_columns(id(1), &[of_miner(1)]).await.expect("the same again changes nothing");
        let swap =
            format!("UPDATE columns SET worths = (SELECT scores FROM columns LIMIT 1) WHERE name = '{}'", miner(1));
        match home.name {
            "SQLite" => home.sqlite_sql(&swap).await,
            _ => home.server_sql(&swap),
        }
        let packed = ledger.packed_columns(id(1)).await.unwrap();
        let altered = packed.iter().filter_map(|one| one.worths().err()).collect::<Vec<_>>();
        assert!(matches!(&altered[..], [StorageError::Altered { round, .. }] if *round == id(1)), "{altered:?}");
        assert!(altered[0].to_string().contains(&miner(1).to_string()), "it says whose: {}", altered[0]);
    }
}

#[tokio::test]
async fn outcomes_come_change_and_are_withdrawn_and_every_version_stays() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Published).await;
        assert_eq!(ledger.outcome_tally(id(1)).await.unwrap().as_of_ms, None);
        let change = async |now: &[KnownOutcome], at_ms| ledger.record_outcomes(id(1), now, at_ms).await.unwrap();
        let two = [outcome(0, true), outcome(2, false)];
        assert_eq!(change(&two, NOW).await, OutcomesChange { new: 2, ..OutcomesChange::default() });
        assert!(change(&two, NOW + 1).await.is_none(), "the same again is nothing new");
        let changed = [outcome(0, false), outcome(1, true)];
        let expected = OutcomesChange { new: 1, changed: 1, withdrawn: 1 };
        assert_eq!(change(&changed, NOW + 2).await, expected, "{}", home.name);
        assert!(change(&changed, NOW + 3).await.is_none());
        let back = [outcome(0, false), outcome(1, true), outcome(2, false)];
        assert_eq!(change(&back, NOW + 4).await, OutcomesChange { new: 1, ..OutcomesChange::default() });
        let all = ledger.outcomes(id(1)).await.unwrap();
        let told: Vec<_> = all.iter().map(|one| (one.place, one.illicit, one.seen_ms, one.replaced_ms)).collect();
        assert_eq!(
            told,
            [
                (0, Some(true), NOW, Some(NOW + 2)),
                (0, Some(false), NOW + 2, None),
                (1, Some(true), NOW + 2, None),
                (2, Some(false), NOW, Some(NOW + 2)),
                (2, None, NOW + 2, Some(NOW + 4)),
                (2, Some(false), NOW + 4, None),
            ]
        );
        let tally = ledger.outcome_tally(id(1)).await.unwrap();
        assert_eq!((tally.outcomes, tally.illicit, tally.as_of_ms), (3, 1, Some(NOW + 4)));
        for (wrong, part) in [(vec![outcome(3, true)], "none at place 3"), (vec![outcome(1, true); 2], "two outcomes")]
        {
            let refused = ledger.record_outcomes(id(1), &wrong, NOW + 5).await.expect_err("no such alert");
            assert!(refused.to_string().contains(part) || format!("{refused:?}").contains(part), "{refused:?}");
        }
        assert_eq!(ledger.outcomes(id(1)).await.unwrap(), all, "what is refused changes nothing");
    }
}

#[tokio::test]
async fn what_was_known_at_a_moment_is_found_again_whatever_came_after() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Published).await;
        must_reach(&ledger, 2, Step::Published).await;
        let known = async |as_of_ms| {
            let before = Before { round: id(2), since: 0, as_of_ms };
            let address = outcome(0, true).address;
            let newest = ledger.newest_outcomes(before, &[&address]).await.unwrap();
            (ledger.known_share(before).await.unwrap(), newest.get(&address).copied())
        };
        let confirmed = |illicit| KnownOutcome { confirmed_ms: 0, ..outcome(0, illicit) };
        ledger.record_outcomes(id(1), &[confirmed(true)], NOW).await.unwrap();
        // Made of it while somebody who read the clock earlier waits with another outcome.
        let mut held = ledger.hold_outcomes().await;
        let made = held.made(NOW + 5);
        let late = [confirmed(false)];
        let mut waiting = Box::pin(ledger.record_outcomes(id(1), &late, NOW + 3));
        assert!((&mut waiting).now_or_never().is_none(), "nothing is recorded as long as it is held");
        drop(held);
        waiting.await.unwrap();
        let (one, none) = (|illicit| KnownShare { outcomes: 1, illicit }, KnownShare::default());
        assert_eq!(known(NOW - 1).await, (none, None), "{}", home.name);
        assert_eq!(known(made).await, (one(1), Some(true)), "as it was when it was made");
        assert_eq!(known(i64::MAX).await, (one(0), Some(false)));
        let mark = Mark { at_ms: made + 10, why: "the batch was wrong".to_owned() };
        ledger.mark_round(id(1), MarkKind::Void, Some(&mark)).await.unwrap();
        assert_eq!(known(made).await, (one(1), Some(true)), "it was not void then");
        assert_eq!(known(i64::MAX).await, (none, None));
    }
}

#[tokio::test]
async fn a_void_round_stays_void_and_is_carried_on_no_more() {
    let home = Home::file();
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Tasked).await;
    let mark = |why: &str| Mark { at_ms: NOW, why: why.to_owned() };
    ledger.mark_round(id(1), MarkKind::Held, Some(&mark("the source is down"))).await.unwrap();
    assert_eq!(ledger.round(id(1)).await.unwrap().unwrap().marks.held, Some(mark("the source is down")));
    assert!(ledger.extend_deadline(id(1), NOW + 120_000, NOW + 7).await.unwrap());
    assert!(!ledger.extend_deadline(id(1), NOW + 240_000, NOW + 8).await.unwrap(), "once");
    ledger.mark_round(id(1), MarkKind::Held, None).await.unwrap();
    let round = ledger.round(id(1)).await.unwrap().unwrap();
    assert_eq!(
        (round.marks.held.clone(), round.deadline_ms, round.marks.extended_ms),
        (None, Some(NOW + 120_000), Some(NOW + 7))
    );
    assert!(round.marks.counts());
    ledger.mark_round(id(1), MarkKind::Void, Some(&mark("first"))).await.unwrap();
    ledger.mark_round(id(1), MarkKind::Void, Some(&mark("second"))).await.unwrap();
    let round = ledger.round(id(1)).await.unwrap().unwrap();
    assert_eq!(round.marks.void, Some(mark("first")));
    assert!(!round.marks.counts());
    assert!(ledger.mark_round(id(1), MarkKind::Void, None).await.is_err());
    assert!(ledger.unfinished(crate::ledger_kit::NETUID).await.unwrap().is_empty());
    assert!(matches!(
        ledger.mark_round(id(9), MarkKind::Void, Some(&mark("x"))).await,
        Err(RecordError::UnknownRound(_))
    ));
}

#[tokio::test]
async fn the_list_of_rules_is_recorded_with_a_round_and_with_the_ledger() {
    let home = Home::file();
    let ledger = home.open().await;
    let list: RulesList = serde_json::from_str(r#"[{"version":"v1"},{"version":"v2","from":"2026-01-01"}]"#).unwrap();
    let begun = aml_subnet::store::records::Round { rules: RulesVersion::V2, list: Some(list.clone()), ..round(1) };
    assert_eq!(ledger.begin(&begun).await.unwrap(), begun);
    ledger.begin(&round(2)).await.unwrap();
    ledger.keep_rules_list("\"v1\"").await.unwrap();
    ledger.keep_rules_list("\"v2\"").await.unwrap();
    ledger.close().await;
    let ledger = must_open(&home.url).await;
    assert_eq!(ledger.round(id(1)).await.unwrap().unwrap().list, Some(list));
    assert_eq!(ledger.round(id(2)).await.unwrap().unwrap().list, None);
    assert_eq!(ledger.rules_list().await.unwrap().as_deref(), Some("\"v2\""));
}
