//! The first page: the newest day with its most urgent alerts.

use askama::Template;

use super::cases::cases_link;
use super::frame::{Frame, Tile};
use super::sure::sure;
use super::text::{score, when, whole};
use super::top::{TopRow, top_rows};
use crate::api::views::RoundDetail;
use crate::calendar::date_from;

/// The page.
#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct Home {
    frame: Frame,
    newest: Option<Newest>,
    top: Vec<TopRow>,
}

struct Newest {
    id: String,
    day: String,
    date: String,
    window: u16,
    published: String,
    tiles: Vec<Tile>,
    sure: String,
    /// Where its cases are; empty where it has no scores.
    cases: String,
}

impl Home {
    pub(super) fn new(frame: Frame, newest: Option<&RoundDetail>) -> Self {
        let scores = newest.and_then(|detail| Some((detail, detail.canonical.as_ref()?)));
        let top = scores.map(|(detail, canonical)| top_rows(&detail.round.id, canonical)).unwrap_or_default();
        Self { frame, newest: newest.map(Newest::new), top }
    }
}

impl Newest {
    fn new(detail: &RoundDetail) -> Self {
        let round = &detail.round;
        let date = date_from(&round.date).unwrap_or_default();
        let canonical = detail.canonical.as_ref();
        let mut tiles = vec![
            Tile::new("Alerts", whole(round.alerts), "in the batch"),
            Tile::new("Miners", format!("{} of {}", round.accepted, round.asked), "whose answers count"),
        ];
        if let Some(canonical) = canonical {
            tiles.push(Tile::new("Mean score", score(canonical.mean), "of all alerts"));
            let repeated = canonical.seen_before.iter().filter(|seen| !seen.rounds.is_empty()).count();
            tiles.push(Tile::new(
                "Seen before",
                format!("{repeated} of {}", canonical.top.len()),
                "of the top 10, in the week before",
            ));
        }
        Self {
            id: round.id.clone(),
            day: round.date.clone(),
            date: date.format("%-d %B %Y").to_string(),
            window: round.window_days,
            published: round.published_at.as_deref().map(when).unwrap_or_default(),
            tiles,
            sure: sure(detail.calibration.as_ref()),
            cases: canonical.map(|_| cases_link(&round.id, None, 0)).unwrap_or_default(),
        }
    }
}
