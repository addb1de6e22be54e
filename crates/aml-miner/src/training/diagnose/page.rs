//! A diagnosis as a part of the report's page: what stands before the figures of the model.

use super::{DayScores, Diagnosis, Stability};
use crate::training::drift::PSI_ALARM;
use crate::training::report::{escaped, put};

/// Above this a model says hardly anything that the public one does not.
const ALIKE: f64 = 0.95;

/// The section, as HTML.
#[must_use]
pub fn section(diagnosis: &Diagnosis) -> String {
    let mut page = format!("<section><h2>Diagnosis <small>{}</small></h2>", escaped(&diagnosis.version));
    for warning in warnings(diagnosis) {
        put(&mut page, format_args!("<p class=\"warning\">{}</p>", escaped(&warning)));
    }
    if let Some(ensemble) = &diagnosis.ensemble {
        put(&mut page, format_args!("<h3>Beside the public models</h3><p>{}</p>", escaped(&ensemble.sentence())));
    }
    likeness(&mut page, diagnosis);
    if let Some(stability) = &diagnosis.stability {
        seeds(&mut page, stability);
    }
    days(&mut page, &diagnosis.days);
    if !diagnosis.drift.is_empty() {
        let moved: Vec<String> =
            diagnosis.drift.iter().map(|one| format!("{} {:.2}", escaped(&one.feature), one.psi)).collect();
        put(
            &mut page,
            format_args!("<h3>Features that moved between the halves of the days</h3><p>{}</p>", moved.join(", ")),
        );
    }
    page.push_str(
        "<p><code>aml-subnet diagnose submission.jsonl</code> says what these scores would be paid.</p></section>",
    );
    page
}

fn warnings(diagnosis: &Diagnosis) -> Vec<String> {
    let mut warnings = diagnosis.warnings.clone();
    if let (Some(first), Some(last)) = (diagnosis.seen_days.first(), diagnosis.seen_days.last()) {
        let days = diagnosis.seen_days.len();
        warnings.push(format!(
            "{days} of the {} days, {first} to {last}, have outcomes that the model has learnt from: what the submission comes to there is \
             too good to be true",
            diagnosis.days.len()
        ));
    }
    for one in &diagnosis.likeness {
        if let Some(alike) = one.rank_correlation.filter(|alike| *alike >= ALIKE) {
            warnings.push(format!(
                "the scores follow those of {} (correlation of ranks {alike:.3}): rules v2 pay for what others do not know",
                one.name
            ));
        }
    }
    let moved = diagnosis.days.iter().filter(|day| day.psi > PSI_ALARM).count();
    if moved > 0 {
        warnings.push(format!(
            "the scores of {moved} days are spread otherwise than those of all days (PSI above {PSI_ALARM})"
        ));
    }
    warnings
}

fn likeness(page: &mut String, diagnosis: &Diagnosis) {
    if diagnosis.likeness.is_empty() {
        return;
    }
    page.push_str("<table><tr><th>public model<th>version<th>correlation of ranks<th>same 100 highest</tr>");
    let shown = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
    for one in &diagnosis.likeness {
        let (name, version) = (escaped(&one.name), escaped(&one.version));
        let (ranks, queue) = (shown(one.rank_correlation), shown(one.same_queue));
        put(page, format_args!("<tr><td>{name}<td>{version}<td>{ranks}<td>{queue}</tr>"));
    }
    page.push_str("</table>");
}

fn seeds(page: &mut String, stability: &Stability) {
    page.push_str(
        "<h3>The recipe under other seeds</h3><table><tr><th>seed<th>rounds<th>roc_auc<th>average_precision</tr>",
    );
    let shown = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
    for one in &stability.seeds {
        let (auc, ap) = (shown(one.roc_auc), shown(one.average_precision));
        put(page, format_args!("<tr><td>{}<td>{}<td>{auc}<td>{ap}</tr>", one.seed, one.rounds));
    }
    page.push_str("</table>");
    if let Some(alike) = stability.rank_correlation {
        put(
            page,
            format_args!(
                "<p>Two of them agree in the order of the rows with a correlation of ranks of {alike:.3}.</p>"
            ),
        );
    }
}

fn days(page: &mut String, days: &[DayScores]) {
    page.push_str("<h3>Scores by day</h3><table><tr><th>day<th>alerts<th>mean score<th>PSI against all days</tr>");
    for day in days {
        let DayScores { date, alerts, mean, psi } = day;
        put(page, format_args!("<tr><td>{date}<td>{alerts}<td>{mean:.4}<td>{psi:.3}</tr>"));
    }
    page.push_str("</table>");
}
