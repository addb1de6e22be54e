//! `/clusters/{round}/{id}`: one cluster of a round with its alerts, its addresses, and the money flow around them.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::dossier::Dossier;
use super::error::{ApiError, ErrorBody, ValidationErrorBody};
use super::others::within_round;
use super::reply::{self, Keep};
use super::rounds::{not_in, parse};
use super::scored::Scored;
use super::state::ApiState;
use super::views::alert::{ClusterDetail, MemberLine};
use crate::readers::flows::{Around, MIDDLE, Picture, Rest, picture};

/// Members that are listed.
const MEMBERS: usize = 50;

/// One cluster
///
/// What the batch says of it, its alerts with their scores, its addresses, and the money flow around them.
#[utoipa::path(
    get, path = "/clusters/{round}/{id}", tag = "scores",
    params(
        ("round" = String, Path, description = "`NETUID-YYYY-MM-DD-WINDOW`", example = "1-2026-01-05-30"),
        ("id" = String, Path, description = "Id of the cluster"),
    ),
    responses(
        (status = 200, description = "The cluster", body = ClusterDetail),
        (status = 404, description = "No such round is published, it has no such cluster, or its batch is not kept here any more", body = ErrorBody),
        (status = 422, description = "Not the id of a round", body = ValidationErrorBody),
    )
)]
pub(super) async fn one(
    State(api): State<ApiState>,
    Path((round, id)): Path<(String, String)>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    reply::json(&asked, &detail(&api, &round, &id).await?, Keep::Check)
}

/// One cluster in full.
pub(super) async fn detail(api: &ApiState, round: &str, id: &str) -> Result<ClusterDetail, ApiError> {
    let round = api.published_round(parse(round)?).await?;
    let gone = || ApiError::not_found(format!("The batch of round {} {}", round.id, api.why_no_batch(&round)));
    let dossier = api.dossier(&round).await?.ok_or_else(gone)?;
    let absent = || {
        let there = format!(" among its {}; alerts name theirs", dossier.clusters.rows());
        not_in(&round, ("cluster", id), &there)
    };
    let row = dossier.cluster(id).ok_or_else(absent)?;
    let scored = api.scored(&round).await?;
    let outcomes = api.outcomes_now(&round).await?;
    let mates = dossier.alerts_of(&[row], "");
    let mut members = members(&dossier, row, &scored);
    let more_members = members.len().saturating_sub(MEMBERS);
    members.truncate(MEMBERS);
    Ok(ClusterDetail {
        round: round.id.to_string(),
        date: round.id.date.to_string(),
        cluster_id: id.to_owned(),
        facts: dossier.cluster_facts(row),
        members,
        more_members,
        alerts: within_round(&round, &scored, &mates, &outcomes),
        flows: around_members(&dossier, row),
    })
}

/// The addresses of a cluster, those with the highest scores first.
fn members(dossier: &Dossier, row: usize, scored: &Scored) -> Vec<MemberLine> {
    let mut alerts: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for one in &scored.rows {
        let of = alerts.entry(one.address.as_str()).or_insert((0, 0.0));
        *of = (of.0 + 1, of.1.max(one.score));
    }
    let line = |address: &str| {
        let known = alerts.get(address);
        MemberLine {
            address: address.to_owned(),
            alerts: known.map_or(0, |(count, _)| *count),
            highest: known.map(|(_, highest)| *highest),
        }
    };
    let mut members: Vec<MemberLine> = dossier.addresses_of(&[row]).map(line).collect();
    let height = |member: &MemberLine| member.highest.unwrap_or(-1.0);
    members.sort_by(|a, b| height(b).total_cmp(&height(a)).then_with(|| a.address.cmp(&b.address)));
    members.dedup_by(|a, b| a.address == b.address);
    members
}

/// The money flow around the members of a cluster. Of the members with the most money all counterparties count.
fn around_members(dossier: &Dossier, row: usize) -> Option<Picture> {
    let mut around = Around { focus: dossier.addresses_of(&[row]).map(str::to_owned).collect(), ..Around::default() };
    let mut by_member: Vec<(f64, String)> = Vec::new();
    for member in &around.focus {
        let (flows, _) = dossier.flows.around(member);
        by_member.push((flows.iter().filter_map(|flow| flow.usd).sum(), member.clone()));
    }
    by_member.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    by_member.dedup_by(|a, b| a.1 == b.1);
    let in_the_middle: Vec<&String> = by_member.iter().take(MIDDLE).map(|(_, member)| member).collect();
    for member in &in_the_middle {
        let (flows, Rest { addresses, received_usd, paid_usd }) = dossier.flows.around(member);
        // A flow between two members is found at both.
        let twice = |from: &String, to: &String| from != to && in_the_middle.contains(&from) && to == *member;
        around.flows.extend(flows.into_iter().filter(|flow| !twice(&flow.from, &flow.to)));
        around.left_out.addresses += addresses;
        around.left_out.received_usd += received_usd;
        around.left_out.paid_usd += paid_usd;
    }
    (!around.flows.is_empty()).then(|| picture(&around))
}
