//! One cluster: its alerts, its addresses, and the money flow around them.

use askama::Template;

use super::alert::{OthersView, pairs};
use super::flow::FlowView;
use super::frame::Frame;
use super::miner::LINE;
use super::text::{encoded, line, maybe, short};
use crate::api::views::alert::{ClusterDetail, MemberLine};
use crate::calendar::date_from;

/// The page.
#[derive(Template)]
#[template(path = "cluster.html")]
pub(super) struct ClusterPage {
    frame: Frame,
    round: String,
    date: String,
    cluster: String,
    facts: Vec<(String, String)>,
    alerts: OthersView,
    flow: Option<FlowView>,
    members: Vec<MemberRow>,
    more_members: usize,
}

struct MemberRow {
    address: String,
    short: String,
    query: String,
    alerts: usize,
    highest: String,
}

impl ClusterPage {
    pub(super) fn new(frame: Frame, detail: &ClusterDetail) -> Self {
        let date = date_from(&detail.date).unwrap_or_default();
        let member = |of: &MemberLine| MemberRow {
            address: line(&of.address, LINE),
            short: line(&short(&of.address), 20),
            query: encoded(&of.address),
            alerts: of.alerts,
            highest: maybe(of.highest),
        };
        Self {
            frame,
            round: detail.round.clone(),
            date: date.format("%-d %B %Y").to_string(),
            cluster: line(&detail.cluster_id, LINE),
            facts: pairs(&detail.facts),
            alerts: OthersView::new(&detail.alerts),
            flow: detail.flows.as_ref().map(FlowView::new),
            members: detail.members.iter().map(member).collect(),
            more_members: detail.more_members,
        }
    }
}
