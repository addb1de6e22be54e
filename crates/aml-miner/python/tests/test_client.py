"""The clients speak with a running server, and tell its refusals."""

import asyncio

import numpy as np
import pytest

import aml_miner as aml
from aml_miner.client import AlertScore, ApiError, AsyncClient, Client


def test_answers_are_typed_and_vouched_for(server, day, models):
    batch = aml.read_batch(day)
    with Client(server) as api:
        assert api.ready() and api.health()["status"] == "healthy"
        scores = api.score_alerts(batch, explain="full")
        assert isinstance(scores[0], AlertScore)
        np.testing.assert_array_equal([row.score for row in scores], aml.Model.load(models).predict(batch))
        assert scores[0].explanation["score"] == scores[0].score
        assert len(scores[0].explanation["top_features"]) == 186
        assert scores.verify()["model_version"] == scores[0].model_version == api.version()["alert_scorer_version"]
        ranks = api.rank_alerts(batch)
        assert [row.rank for row in ranks] == list(range(1, len(batch) + 1))
        clusters = api.score_clusters(batch)
        assert [row.cluster_id for row in clusters] == batch.clusters.column("cluster_id").to_pylist()
        assert scores.warnings is None
        assert api.score_alerts(batch, explain="none")[0].explanation is None


def test_what_was_not_given_is_told(server):
    with Client(server) as api:
        reply = api.score_alerts({"alerts": [{"alert_id": "a", "adress": "x"}]})
        assert reply.warnings["unknown_keys"][0]["did_you_mean"] == "address"
        with pytest.raises(ApiError) as refused:
            api.score_alerts({"alerts": [{"alert_id": "a", "adress": "x"}]}, strict=True)
        assert refused.value.status == 422


def test_refusals_are_errors_with_code_and_place(server):
    with Client(server) as api:
        with pytest.raises(ApiError) as refused:
            api.score_alerts({"alerts": [{"alert_id": "a", "volume_usd": -1}]})
        assert (refused.value.status, refused.value.code) == (422, "invalid_request")
        assert refused.value.detail[0]["loc"] == ["body", "alerts", 0, "volume_usd"]
        assert "volume_usd" in str(refused.value) and refused.value.request_id
        with pytest.raises(ApiError, match="^400"):
            api.score_alerts(b"{")
        with pytest.raises(ApiError, match="^403"):
            api.reload()
        with pytest.raises(aml.UsageError, match="explain"):
            api.score_alerts({}, explain="all")


def test_a_server_that_is_not_there_is_an_error():
    with Client("http://127.0.0.1:9", timeout=5) as api, pytest.raises(ApiError, match="no answer"):
        api.health()


def test_many_requests_at_once(server, day):
    batch = aml.read_batch(day)

    async def ask():
        async with AsyncClient(server) as api:
            assert await api.ready() and (await api.health())["status"] == "healthy"
            replies = await asyncio.gather(*(api.score_alerts(batch) for _ in range(8)), api.rank_alerts(batch), api.score_clusters(batch))
            with pytest.raises(ApiError, match="^422"):
                await api.score_alerts({"alerts": [{}]})
            return replies

    replies = asyncio.run(ask())
    first = [row.score for row in replies[0]]
    for reply in replies[:8]:
        assert [row.score for row in reply] == first
        reply.verify()


def test_a_changed_answer_is_not_vouched_for(server):
    import dataclasses

    with Client(server) as api:
        reply = api.score_alerts({"alerts": [{"alert_id": "a"}]})
    with pytest.raises(aml.ReceiptError, match="the answer has digest"):
        dataclasses.replace(reply, body=reply.body + b" ").verify()
