//! `/miners`: the leaderboard, and one miner with its history.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::error::{ApiError, ErrorBody, ValidationErrorBody, ledger_error, value_error};
use super::information::{Informed, information};
use super::query::{Count, Params};
use super::reply::{self, Keep};
use super::rounds;
use super::state::ApiState;
use super::views::{MinerDetail, MinerList, MinerRound, MinerStanding};
use crate::calendar::{date_of, rfc3339};
use crate::validator::standing::History;
use crate::wallet::Hotkey;

/// Miners of a page unless told otherwise, and at most: a subnet has 256 neurons.
const LIMIT: Count = Count { usual: 256, most: 1024 };

/// Rao of a TAO.
const RAO: f64 = 1e9;

/// Leaderboard
///
/// Miners by what the newest round pays them under rules v2; under v1 by performance, the mean of their rounds of the last days.
#[utoipa::path(
    get, path = "/miners", tag = "miners",
    params(
        ("limit" = Option<usize>, Query, description = "Miners of a page, from 1 to 1024; 256 unless given", minimum = 1, maximum = 1024),
        ("offset" = Option<usize>, Query, description = "How many to pass over"),
    ),
    responses(
        (status = 200, description = "The leaderboard", body = MinerList),
        (status = 422, description = "A value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn list(State(api): State<ApiState>, params: Params, asked: HeaderMap) -> Result<Response, ApiError> {
    reply::json(&asked, &page(&api, &params).await?, Keep::Check)
}

/// One page of the leaderboard.
pub(super) async fn page(api: &ApiState, params: &Params) -> Result<MinerList, ApiError> {
    let (limit, offset) = (params.count("limit", LIMIT)?, params.offset()?);
    let history = api.history().await?;
    let all = ranked(api, &history).await?;
    let total = all.len();
    let miners: Vec<_> = all.into_iter().skip(offset).take(limit).collect();
    let next = offset.saturating_add(miners.len());
    Ok(MinerList {
        as_of: date_of(history.today).to_string(),
        performance_days: api.rules.performance_days,
        total,
        next_offset: (next < total).then_some(next),
        miners,
    })
}

/// The leaderboard; where the newest round is paid under rules v2, by that pay.
async fn ranked(api: &ApiState, history: &History) -> Result<Vec<MinerStanding>, ApiError> {
    let all = api.standings(history);
    let informed = Informed::newest(&api.ledger, api.netuid).await.map_err(ledger_error)?;
    Ok(match informed {
        Some(informed) => by_pay(all, |hotkey| informed.shares.miners.get(hotkey).map_or(0.0, |of| of.share)),
        None => all,
    })
}

/// Ranked anew by what they are paid; those that are paid alike stay as they are.
fn by_pay(mut all: Vec<MinerStanding>, share: impl Fn(&Hotkey) -> f64) -> Vec<MinerStanding> {
    for one in &mut all {
        let paid = one.hotkey.parse().map_or(0.0, |hotkey: Hotkey| share(&hotkey));
        one.share = one.share.map(|_| paid);
    }
    all.sort_by(|one, two| two.share.unwrap_or(0.0).total_cmp(&one.share.unwrap_or(0.0)));
    (1..).zip(&mut all).for_each(|(rank, one)| one.rank = rank);
    all
}

/// What a registration costs now.
fn registration_price_tao(api: &ApiState) -> Option<f64> {
    let price = api.chain.current()?.reading.registration_price?;
    #[expect(clippy::cast_precision_loss, reason = "no registration costs millions of TAO")]
    Some(price as f64 / RAO)
}

/// One miner
///
/// Where it stands and how it fared, round by round, newest first. A page ends with a whole day.
#[utoipa::path(
    get, path = "/miners/{hotkey}", tag = "miners",
    params(
        ("hotkey" = String, Path, description = "The miner's hotkey, an ss58 address"),
        ("limit" = Option<usize>, Query, description = "Rounds of a page, from 1 to 100; 30 unless given", minimum = 1, maximum = 100),
        ("before" = Option<String>, Query, description = "Only days before this one, YYYY-MM-DD"),
    ),
    responses(
        (status = 200, description = "The miner", body = MinerDetail),
        (status = 404, description = "Nothing is known of this hotkey", body = ErrorBody),
        (status = 422, description = "No hotkey, or a value that is none", body = ValidationErrorBody),
    )
)]
pub(super) async fn one(
    State(api): State<ApiState>,
    Path(hotkey): Path<String>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    reply::json(&asked, &detail(&api, &hotkey, &params).await?, Keep::Check)
}

/// One miner with a page of its rounds.
pub(super) async fn detail(api: &ApiState, text: &str, params: &Params) -> Result<MinerDetail, ApiError> {
    let hotkey: Hotkey = text
        .parse()
        .map_err(|error: crate::wallet::NotAnAddress| value_error("path", "hotkey", error.to_string(), text))?;
    let before = params.date("before")?;
    let page = api.published_rounds(params.count("limit", rounds::LIMIT)?, before).await?;
    let mut fared = Vec::new();
    for round in &page.rounds {
        fared.extend(MinerRound::of(&*api.facts(round).await?, &hotkey));
    }
    let standings = ranked(api, &api.history().await?).await?;
    let standing = standings.into_iter().find(|standing| standing.hotkey == text);
    let first_seen = api.ledger.first_seen().await.map_err(ledger_error)?.remove(&hotkey);
    if fared.is_empty() && standing.is_none() && first_seen.is_none() && before.is_none() {
        return Err(ApiError::not_found(format!("Nothing is known of hotkey {hotkey}; /miners lists who is ranked")));
    }
    let receipt_key = api.ledger.receipt_keys().await.map_err(ledger_error)?.remove(&hotkey);
    let dormancy = api.ledger.dormancy().await.map_err(ledger_error)?.remove(&hotkey);
    Ok(MinerDetail {
        hotkey: hotkey.to_string(),
        standing,
        information: information(api, &hotkey, &fared).await?,
        receipt_key: receipt_key.map(|key| key.to_string()),
        first_seen_at: first_seen.map(rfc3339),
        failures: dormancy.as_ref().map_or(0, |dormancy| dormancy.failures),
        registration_price_tao: registration_price_tao(api),
        left_alone_until: dormancy.map(|dormancy| rfc3339(dormancy.next_try_ms)),
        rounds: fared,
        next_before: page.next.map(|date| date.to_string()),
    })
}
