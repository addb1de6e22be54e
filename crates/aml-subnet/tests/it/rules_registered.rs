//! Rules of a program's own: rounds are judged and paid under them, and a program without them says so.
//!
//! A process registers rules once, so what needs them runs in a process of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aml_subnet::store::records::Step;
use aml_subnet::validation::rules::{CustomRules, RegisterRulesError, RulesVersion, register};
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validator::replay::replay;
use aml_subnet::validator::rulebook;
use chrono::Days;

use crate::common::dev_key;
use crate::evidence::must_pass;
use crate::fake_miner::Behaviour;
use crate::ledger_kit::{Home, causes};
use crate::validator_world::{World, first_day, noon};

const FOLDER: &str = "AML_OWN_RULES";

fn own() -> CustomRules {
    let mut rules = CustomRules::like_v2("ours-1", 1001);
    // Of those of whom no trap is known quality is what tier 1 and calibration give.
    rules.paying.tier1 = 0.3;
    rules.paying.traps = 0.2;
    rules
}

/// With a window of eight days.
fn brief() -> CustomRules {
    let mut rules = CustomRules::like_v2("brief-1", 1002);
    (rules.paying.days, rules.paying.earliest) = (5, 3);
    rules
}

/// A subnet that begins under v2 and has its own rules from the second day on.
async fn live(folder: &Path) {
    let mut endless = own();
    endless.paying.days = 250;
    let said = register(vec![endless]).expect_err("more rounds than are looked through").to_string();
    assert!(said.contains("paying: days is 250, not from 1 to 200"), "{said}");
    register(vec![own(), brief()]).expect("nobody looked before");
    assert_eq!(register(vec![own()]), Err(RegisterRulesError::TooLate));
    let ours: RulesVersion = "ours-1".parse().expect("it is registered");
    assert_eq!((RulesVersion::of_number(1001), ours.rules().version), (Some(ours), ours));

    let mut world = World::new(2, vec![("Bob", Behaviour::Honest { skill: 0.8 })]).await;
    let second = first_day() + Days::new(1);
    let later = first_day() + Days::new(40);
    let written = format!(
        r#"[{{"version":"v2"}},{{"version":"ours-1","from":"{second}"}},{{"version":"brief-1","from":"{later}"}}]"#
    );
    let list: RulesList = serde_json::from_str(&written).expect("a list");
    assert_eq!(serde_json::to_string(&list).expect("JSON"), written);
    world.settings.rules = Some(list);
    for (day, (rules, quality)) in [(RulesVersion::V2, 0.7), (ours, 0.8)].into_iter().enumerate() {
        let id = world.dawn(day as u64);
        must_pass(&world).await;
        let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
        assert_eq!((round.rules, round.step), (rules, Step::Published));
        let shares = world.ledger.shares(id).await.expect("a ledger").expect("it is paid");
        let bob = shares.miners[&dev_key("Bob").hotkey()];
        assert_eq!((shares.rules, bob.quality), (rules, quality), "{shares:?}");
        assert_eq!(world.ledger.in_force(id).await.expect("a ledger").expect("in force").standing.rules, rules);
        assert_eq!(world.ledger.canonical(id).await.expect("a ledger").expect("merged").rules, rules);
        let again = replay(&world.ledger, id, None).await.expect("everything is stored");
        assert!(again.identical && again.rules == rules, "{:#?}", again.differences);
    }
    world.ledger.export(folder).await.expect("a new folder");

    // Rules with a shorter window are to come; those in force still count what becomes known twelve days later.
    let first = world.ledger.rounds(crate::validator_world::NETUID, 9, None).await.expect("a ledger").pop();
    let first = first.expect("a round").id;
    assert_eq!(world.ledger.outcome_tally(first).await.expect("a ledger").outcomes, 0);
    world.clock.set(noon(first_day() + Days::new(12)));
    must_pass(&world).await;
    assert!(world.ledger.outcome_tally(first).await.expect("a ledger").outcomes > 0);

    // Whoever sweeps what a window needs is told, under the rules of the ledger too.
    let mut wide = world.settings.clone();
    wide.columns_age = Duration::from_secs(39 * 24 * 3600);
    for rules in [wide.rules.clone(), None] {
        wide.rules = rules;
        let said = rulebook::check(&world.ledger, &wide, crate::validator_world::NETUID, second).await;
        let said = said.expect_err("39 days are too few").to_string();
        assert!(said.contains("columns_age: must be at least 40 days, for rules"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test that gives it a process of its own"]
async fn the_process_with_own_rules() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        live(folder.as_ref()).await;
    }
}

#[tokio::test]
async fn a_subnet_is_paid_by_rules_of_its_own_and_a_program_without_them_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let export = folder.path().join("export");
    let child = Command::new(std::env::current_exe().expect("it runs"))
        .args(["--exact", "rules_registered::the_process_with_own_rules", "--ignored", "--nocapture"])
        .env(FOLDER, &export)
        .output()
        .expect("it runs");
    assert!(
        child.status.success(),
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );

    let rounds = std::fs::read_to_string(export.join("rounds.jsonl")).expect("it was written");
    let second = rounds.lines().nth(1).expect("two rounds");
    assert!(second.contains(r#""rules":"ours-1""#) && second.contains(r#""traps":0.2"#), "{second}");
    let home = Home::file();
    let ledger = home.open().await;
    let said = match ledger.import(&export).await {
        Err(error) => causes(&error),
        Ok(_) => causes(
            &ledger.rounds(crate::validator_world::NETUID, 9, None).await.expect_err("it has rounds under other rules"),
        ),
    };
    assert!(said.contains(r#"this program knows no rules "ours-1", only v1, v2"#), "{said}");
    let settings = serde_json::from_str::<RulesList>(r#"[{"version":"v2"},{"version":"ours-1","from":"2027-01-10"}]"#);
    let said = settings.expect_err("it is not registered").to_string();
    assert!(said.contains(r#"this program knows no rules "ours-1", only v1, v2"#), "{said}");
}
