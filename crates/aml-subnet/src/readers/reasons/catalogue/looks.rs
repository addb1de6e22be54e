//! Codes of what the alert's address is like: columns of its row of `features`.

use super::Direction::{Either, Less, More};
use super::Unit::{Count, Flag, Number, Share, Times, Usd};
use super::{Code, code, column, ratio};

/// They.
pub(super) const CODES: &[Code] = &[
    code(
        "pagerank",
        "its rank in the graph of flows: PageRank {}",
        (Number, Either, column("pagerank")),
        &["pagerank"],
    ),
    code(
        "between_others",
        "lies between others in the graph of flows: {}",
        (Number, More, column("betweenness")),
        &["betweenness"],
    ),
    code(
        "close_to_others",
        "is near to all others in the graph of flows: {}",
        (Number, Either, column("closeness")),
        &["closeness"],
    ),
    code(
        "centrality",
        "stands in the middle of the graph of flows: {}",
        (Number, Either, column("centrality_score")),
        &["centrality_score"],
    ),
    code("core", "is part of a core of the graph: k = {}", (Count, Either, column("kcore")), &["kcore"]),
    code(
        "neighbours_linked",
        "{} of its neighbours know each other",
        (Share, Either, column("clustering_coefficient")),
        &["clustering_coefficient"],
    ),
    code("one_step", "addresses one step away: {}", (Count, Either, column("khop1_count")), &["khop1_count"]),
    code("two_steps", "addresses up to two steps away: {}", (Count, Either, column("khop2_count")), &["khop2_count"]),
    code(
        "two_steps_growth",
        "has {} as many addresses within two steps as within one",
        (Times, Either, ratio("khop2_count", "khop1_count")),
        &["khop2_growth"],
    ),
    code(
        "three_steps",
        "addresses up to three steps away: {}",
        (Count, Either, column("khop3_count")),
        &["khop3_count"],
    ),
    code(
        "money_one_step",
        "money of the addresses one step away: {}",
        (Usd, Either, column("khop1_volume_usd")),
        &["khop1_volume_usd"],
    ),
    code(
        "money_two_steps",
        "money of the addresses up to two steps away: {}",
        (Usd, Either, column("khop2_volume_usd")),
        &["khop2_volume_usd"],
    ),
    code(
        "money_three_steps",
        "money of the addresses up to three steps away: {}",
        (Usd, Either, column("khop3_volume_usd")),
        &["khop3_volume_usd"],
    ),
    code(
        "odd_behaviour",
        "its behaviour is unusual: {}",
        (Number, More, column("behavioral_anomaly_score")),
        &["behavioral_anomaly_score"],
    ),
    code(
        "odd_place",
        "its place in the graph of flows is unusual: {}",
        (Number, More, column("graph_anomaly_score")),
        &["graph_anomaly_score"],
    ),
    code(
        "odd_neighbours",
        "its neighbours are unusual: {}",
        (Number, More, column("neighborhood_anomaly_score")),
        &["neighborhood_anomaly_score"],
    ),
    code(
        "odd_overall",
        "is unusual, all together: {}",
        (Number, More, column("global_anomaly_score")),
        &["global_anomaly_score"],
    ),
    code("outlier", "is far from the others: {}", (Number, More, column("outlier_score")), &["outlier_score"]),
    code(
        "known_pattern",
        "looks like known patterns: {}",
        (Number, More, column("suspicious_pattern_score")),
        &["suspicious_pattern_score"],
    ),
    code("mixer_like", "looks like a mixer: {}", (Flag, More, column("is_mixer_like")), &["is_mixer_like"]),
    code(
        "exchange_like",
        "looks like an exchange: {}",
        (Flag, Less, column("is_exchange_like")),
        &["is_exchange_like"],
    ),
    code(
        "contract_like",
        "looks like a contract: {}",
        (Flag, Either, column("is_contract_like")),
        &["is_contract_like"],
    ),
    code("hub", "has very many counterparties: {}", (Flag, Either, column("is_hub_address")), &["is_hub_address"]),
    code("whale", "holds or moves very much: {}", (Flag, Either, column("is_whale")), &["is_whale"]),
    code("trader", "trades very much: {}", (Flag, Either, column("is_high_volume_trader")), &["is_high_volume_trader"]),
    code(
        "silent_whale",
        "holds very much and is silent: {}",
        (Flag, Either, column("is_whale_inactive")),
        &["is_whale_inactive"],
    ),
    code(
        "private_active",
        "looks like an active private person: {}",
        (Flag, Less, column("is_retail_active")),
        &["is_retail_active"],
    ),
    code(
        "private_silent",
        "looks like a silent private person: {}",
        (Flag, Less, column("is_retail_inactive")),
        &["is_retail_inactive"],
    ),
    code(
        "regular_user",
        "looks like a regular user: {}",
        (Flag, Less, column("is_regular_user")),
        &["is_regular_user"],
    ),
    code(
        "row_complete",
        "of what should be known of the address there is: {}",
        (Number, Either, column("completeness_score")),
        &["completeness_score"],
    ),
    code(
        "row_quality",
        "quality of the data on the address: {}",
        (Number, Either, column("quality_score")),
        &["quality_score"],
    ),
    code(
        "row_confidence",
        "how sure the source is of the address's data: {}",
        (Number, Either, column("confidence_score")),
        &["confidence_score"],
    ),
];
