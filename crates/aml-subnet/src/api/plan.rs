//! `/plan`: what a number of reviews a day finds, from settled days.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::listing::directory_name;
use aml_miner::wire::spec::{ALERTS, SEVERITIES, severity_rank};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ValidationErrorBody, ledger_error, value_error};
use super::query::{Count, Params};
use super::reply::{self, Keep};
use super::state::ApiState;
use crate::outputs::canonical_rows;
use crate::readers::addresses::Addresses;
use crate::readers::plan::{Budget, By, DayAlert, OrderPlan, Slice, budget, cut_for, plan, slices};
use crate::store::records::{Round, RoundId, Step};

/// Settled days unless told otherwise, and at most.
const DAYS: Count = Count { usual: 30, most: 60 };
/// Reviews a day of a team unless told otherwise, and at most.
const REVIEWS: Count = Count { usual: 100, most: 10_000 };
/// Rounds that are looked through: a round is settled three weeks after its day.
const LOOK_BACK: usize = 120;
/// Plans that are kept.
const KEPT: usize = 8;

/// Where a queue is cut so that a wanted share of it is confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Cut {
    /// The share that was wanted.
    pub(super) wanted: f64,
    /// The most reviews a day that keep to it; null when not even the fewest do.
    pub(super) budget: Option<Budget>,
}

/// What reviews find.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct PlanAnswer {
    /// The settled rounds that it comes from, newest first.
    pub(super) rounds: Vec<String>,
    /// Alerts a day.
    pub(super) alerts: f64,
    /// Outcomes that are known of them.
    pub(super) outcomes: u64,
    /// Confirmed ones among them.
    pub(super) confirmed: u64,
    /// By order: the canonical one, and those that there are without it.
    pub(super) orders: Vec<OrderPlan>,
    /// What the team finds in the canonical order.
    pub(super) team: Budget,
    /// The same by typology and severity.
    pub(super) slices: Vec<Slice>,
    /// Where to cut for a wanted share of confirmed ones; null when none was wanted.
    pub(super) cut: Option<Cut>,
}

/// What a budget buys
///
/// Confirmed cases against reviews a day over settled days, with precision, recall and intervals, in the canonical order, by the
/// detector's own confidence and by severity.
#[utoipa::path(
    get, path = "/plan", tag = "scores",
    params(
        ("days" = Option<usize>, Query, description = "Settled days, from 1 to 60; 30 unless given", minimum = 1, maximum = 60),
        ("reviews" = Option<usize>, Query, description = "Reviews a day of the team, from 1 to 10000; 100 unless given", minimum = 1, maximum = 10000),
        ("precision" = Option<f64>, Query, description = "Wanted share of confirmed ones among the reviewed, from 0 to 1", minimum = 0, maximum = 1),
    ),
    responses(
        (status = 200, description = "The plan", body = PlanAnswer),
        (status = 404, description = "No round is settled yet", body = ErrorBody),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn show(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    reply::json(&asked, &answer(&api, &params).await?, Keep::Check)
}

/// The plan that is asked for.
pub(super) async fn answer(api: &ApiState, params: &Params) -> Result<PlanAnswer, ApiError> {
    let (days, reviews) = (params.count("days", DAYS)?, params.count("reviews", REVIEWS)?);
    let wanted = share(params)?;
    let mut rounds = api.published_rounds(LOOK_BACK, None).await?.rounds;
    rounds.retain(|round| round.step == Step::Settled && round.marks.counts());
    let none = || ApiError::not_found("No round is settled yet: a plan needs outcomes");
    let window = rounds.first().ok_or_else(none)?.id.window_days;
    rounds.retain(|round| round.id.window_days == window);
    rounds.truncate(days);
    let mut answer = (*api.made_plan(rounds, reviews).await?).clone().ok_or_else(none)?;
    let canonical = answer.orders.first();
    answer.cut =
        wanted.zip(canonical).map(|(wanted, canonical)| Cut { wanted, budget: cut_for(canonical, wanted).copied() });
    Ok(answer)
}

fn share(params: &Params) -> Result<Option<f64>, ApiError> {
    let Some(text) = params.text("precision") else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    let wrong = || value_error("query", "precision", "Input should be a number from 0 to 1", text);
    number.map(Some).ok_or_else(wrong)
}

/// What a plan is made of, and the plan.
type Made = ((Vec<RoundId>, usize), Arc<Option<PlanAnswer>>);

/// Plans that were made, the last one asked for first.
#[derive(Debug, Default)]
pub(super) struct Plans {
    kept: Mutex<Vec<Made>>,
    /// One is made at a time: it takes a second of a processor where days are large.
    making: tokio::sync::Mutex<()>,
}

impl Plans {
    fn get(&self, key: &(Vec<RoundId>, usize)) -> Option<Arc<Option<PlanAnswer>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(other, _)| other == key).map(|(_, plan)| Arc::clone(plan))
    }

    fn put(&self, key: (Vec<RoundId>, usize), plan: &Arc<Option<PlanAnswer>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(0, (key, Arc::clone(plan)));
        kept.truncate(KEPT);
    }
}

impl ApiState {
    /// The plan from these rounds. What is settled changes no more.
    async fn made_plan(&self, rounds: Vec<Round>, reviews: usize) -> Result<Arc<Option<PlanAnswer>>, ApiError> {
        let key = (rounds.iter().map(|round| round.id).collect::<Vec<_>>(), reviews);
        if let Some(kept) = self.plans.get(&key) {
            return Ok(kept);
        }
        let _turn = self.plans.making.lock().await;
        if let Some(kept) = self.plans.get(&key) {
            return Ok(kept);
        }
        let (mut days, mut names) = (Vec::with_capacity(rounds.len()), Names::default());
        for round in &rounds {
            days.push(self.day(round, &mut names).await?);
        }
        let ids = key.0.iter().map(ToString::to_string).collect();
        let making = tokio::task::spawn_blocking(move || made(ids, &days, reviews));
        let made = Arc::new(making.await.map_err(ApiError::internal)?);
        self.plans.put(key, &made);
        Ok(made)
    }

    /// The alerts of a settled round.
    async fn day(&self, round: &Round, names: &mut Names) -> Result<Vec<DayAlert>, ApiError> {
        let id = round.id;
        let task = self.ledger.task(id).await.map_err(ledger_error)?;
        let canonical = self.ledger.canonical(id).await.map_err(ledger_error)?;
        let Some((task, canonical)) = task.zip(canonical) else { return Ok(Vec::new()) };
        let rows = canonical_rows(&task.roster, &canonical, None).map_err(ApiError::internal)?;
        let outcomes = self.read_outcomes(id).await?;
        let confidence = self.confidence(round).await?;
        let alert = |(place, row): (usize, crate::outputs::CanonicalRow)| DayAlert {
            rank: row.rank,
            address: names.addresses.number(&row.address),
            confirmed: outcomes.get(&place).copied(),
            typology: names.typology(&row.typology),
            severity: severity_rank(&row.severity).and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0),
            confidence: confidence.get(&row.alert_id).copied(),
        };
        Ok(rows.into_iter().enumerate().map(alert).collect())
    }

    /// How sure the detector was of each alert; empty where the batch is not kept any more.
    async fn confidence(&self, round: &Round) -> Result<HashMap<String, f64>, ApiError> {
        let place = self.batches.join(directory_name(round.id.date, Some(round.id.window_days)));
        let batch = round.batch;
        let reading = move || {
            let dir = BatchDir::open(&place).ok().filter(|dir| dir.manifest_sha256() == batch)?;
            let alerts = dir.table(&ALERTS).ok()??;
            let (ids, sure) = (alerts.texts("alert_id")?, alerts.numbers("alert_confidence_score")?);
            let known = ids.iter().zip(sure).filter(|(_, sure)| sure.is_finite());
            Some(known.map(|(id, sure)| (id.to_owned(), *sure)).collect())
        };
        let read = tokio::task::spawn_blocking(reading).await.map_err(ApiError::internal)?;
        Ok(read.unwrap_or_default())
    }
}

/// Addresses by number, typologies shared.
#[derive(Default)]
struct Names {
    addresses: Addresses,
    typologies: BTreeSet<Arc<str>>,
}

impl Names {
    fn typology(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.typologies.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.typologies.insert(Arc::clone(&new));
        new
    }
}

fn made(rounds: Vec<String>, days: &[Vec<DayAlert>], reviews: usize) -> Option<PlanAnswer> {
    let canonical = plan(days, By::Canonical)?;
    let all: Vec<&[DayAlert]> = days.iter().map(Vec::as_slice).collect();
    let alerts = || days.iter().flatten();
    let orders =
        std::iter::once(canonical).chain([By::Confidence, By::Severity].into_iter().filter_map(|by| plan(days, by)));
    Some(PlanAnswer {
        rounds,
        alerts: alerts().count() as f64 / days.len().max(1) as f64,
        outcomes: alerts().filter(|alert| alert.confirmed.is_some()).count() as u64,
        confirmed: alerts().filter(|alert| alert.confirmed == Some(true)).count() as u64,
        orders: orders.collect(),
        team: budget(&all, By::Canonical, reviews),
        slices: slices(days, reviews, &SEVERITIES),
        cut: None,
    })
}
