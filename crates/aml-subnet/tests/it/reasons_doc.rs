//! `docs/reasons.md` has the catalogue as the program has it.

use aml_subnet::readers::reasons::catalogue::CATALOGUE;

#[test]
fn the_catalogue_of_the_docs_is_the_programs() {
    let doc = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reasons.md")).expect("the page");
    let told: Vec<&str> = doc.lines().skip_while(|line| !line.starts_with("| code |")).skip(2).collect();
    let told: Vec<&str> = told.into_iter().take_while(|line| line.starts_with('|')).collect();
    let line = |code: &aml_subnet::readers::reasons::catalogue::Code| {
        let features: Vec<String> = code.features.iter().map(|name| format!("`{name}`")).collect();
        format!(
            "| `{}` | {} | {} | {} | `{}` | {} |",
            code.name,
            code.sentence,
            code.unit.name(),
            code.direction.name(),
            code.expression,
            features.join(", ")
        )
    };
    let expected: Vec<String> = CATALOGUE.iter().map(line).collect();
    assert!(told == expected, "docs/reasons.md should have these lines:\n{}", expected.join("\n"));
}
