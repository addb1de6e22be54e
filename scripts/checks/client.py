"""Calls a running server through the generated client: `client.py URL`, the client on PYTHONPATH."""

import sys

from aml_miner_api_client import Client
from aml_miner_api_client.api.scoring import rank_alerts, score_alerts, score_clusters
from aml_miner_api_client.api.status import health
from aml_miner_api_client.models import AddressFeatures, Alert, AlertBatch, Cluster, ClusterBatch, MoneyFlow

client = Client(base_url=sys.argv[1])
alert = Alert.from_dict({"alert_id": "a1", "address": "x", "severity": "high", "alert_confidence_score": 0.8, "volume_usd": "12.50"})
features = AddressFeatures.from_dict({"address": "x", "degree_in": 3, "is_whale": False})
flow = MoneyFlow.from_dict({"from_address": "x", "to_address": "y", "amount_usd": 5, "last_seen": 1761467400000})
cluster = Cluster.from_dict({"cluster_id": "c1", "related_alert_ids": ["a1"], "total_alerts": 1})


def expect(condition, what):
    if not condition:
        sys.exit(f"wrong: {what}")


expect(features.to_dict()["is_whale"] is False and features.to_dict()["degree_in"] == 3, features)
batch = AlertBatch(alerts=[alert], features=[features], money_flows=[flow])
scores = score_alerts.sync(client=client, body=batch)
expect(isinstance(scores, list) and scores[0].alert_id == "a1" and 0 <= scores[0].score <= 1, scores)
ranks = rank_alerts.sync(client=client, body=batch)
expect(isinstance(ranks, list) and ranks[0].rank == 1, ranks)
clusters = score_clusters.sync(client=client, body=ClusterBatch(clusters=[cluster], alerts=[alert], features=[features]))
expect(isinstance(clusters, list) and clusters[0].cluster_id == "c1", clusters)
refused = score_alerts.sync(client=client, body=AlertBatch.from_dict({"alerts": [{"alert_id": "a", "severity": "low", "volume_usd": -1}]}))
expect(not isinstance(refused, list) and refused.detail[0].loc[-1] == "volume_usd", refused)
expect(health.sync(client=client).models_loaded is not None, "health")
print("client: scores, ranks, clusters, refusals and health are typed")
