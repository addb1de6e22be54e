//! `config/prometheus-alerts.yml` watches numbers that exist.

use std::collections::BTreeSet;
use std::path::Path;

use serde_yaml_ng::Value;

use crate::api_kit::Kit;

fn groups() -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/prometheus-alerts.yml");
    let text = std::fs::read_to_string(file).expect("it is there");
    let document: Value = serde_yaml_ng::from_str(&text).expect("it is YAML");
    document["groups"].as_sequence().expect("groups").clone()
}

fn rules_of(group: &Value) -> Vec<Value> {
    group["rules"].as_sequence().expect("rules").clone()
}

fn rules() -> Vec<Value> {
    groups().iter().flat_map(rules_of).collect()
}

/// Names of metrics in an expression: words that are no function, no label and no keyword of ours.
fn metrics(expression: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    expression.split(|c| !word(c)).filter(|name| name.starts_with("aml_")).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_rule_watches_metrics_that_a_validator_shows() {
    let kit = Kit::season().await;
    kit.get("/rounds").await.must_succeed();
    let shown = kit.get("/metrics").await.must_succeed().text();
    let exists = |name: &str| {
        shown.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{', '_'])))
    };
    let validators = groups().into_iter().find(|group| group["name"] == "aml-validator").expect("its group");
    let rules = rules_of(&validators);
    assert!(rules.len() >= 8, "{} rules", rules.len());
    for rule in &rules {
        let name = rule["alert"].as_str().expect("a name");
        let expression = rule["expr"].as_str().unwrap_or_else(|| panic!("{name} has no expression"));
        let named = metrics(expression);
        assert!(!named.is_empty() || expression.starts_with("up{"), "{name} watches nothing: {expression}");
        for metric in named {
            assert!(exists(&metric), "{name} watches {metric}, which is not shown:\n{shown}");
        }
    }
}

#[test]
fn every_rule_says_what_is_wrong_and_what_to_do() {
    let mut names = BTreeSet::new();
    for rule in rules() {
        let name = rule["alert"].as_str().expect("a name").to_owned();
        let severity = rule["labels"]["severity"].as_str();
        assert!(matches!(severity, Some("page" | "ticket")), "{name}: {severity:?}");
        for part in ["summary", "description"] {
            let text = rule["annotations"][part].as_str().unwrap_or_default();
            assert!(text.len() > 15, "{name} has no {part}");
        }
        let expression = rule["expr"].as_str().expect("an expression");
        let depth = expression.chars().fold(0_i32, |depth, c| depth + i32::from(c == '(') - i32::from(c == ')'));
        assert_eq!(depth, 0, "{name}: {expression}");
        assert!(names.insert(name.clone()), "{name} stands twice");
    }
    for topic in ["Weights", "Block", "Accepted", "Ledger", "Disk", "Round"] {
        assert!(names.iter().any(|name| name.contains(topic)), "nothing watches {topic}");
    }
}
