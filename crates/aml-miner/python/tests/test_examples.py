"""The examples run: the miner in Python passes the validator's checks, and the notebook gets from days to pay."""

import gzip
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

import aml_miner as aml

from conftest import PROGRAMS, ROOT, program

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def python_miner(models, tmp_path_factory):
    """The address of `examples/miner.py`, and the key of its receipts."""
    home = tmp_path_factory.mktemp("miner")
    log, key = home / "log", home / "key"
    args = [sys.executable, EXAMPLES / "miner.py", "--models", models, "--port", "0", "--signing-key", key]
    with log.open("w") as out:
        running = subprocess.Popen(args, stdout=out, stderr=out)
    try:
        with log.open() as lines:
            found = None
            while not found:
                assert running.poll() is None, log.read_text()
                found = re.search(r"running on (http://\S+)", lines.readline())
        yield found[1], aml.ReceiptKey(key).public_key
    finally:
        running.terminate()
        running.wait()


def post(url, body, **headers):
    request = urllib.request.Request(url, body, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def test_the_miner_in_python_passes_the_checks_of_a_validator(python_miner, day, models):
    url, key = python_miner
    args = ("--api-url", url, "--batch", day, "--models", models, "--public-key", key)
    ended = program("aml-miner-batch", "validate-submission", *args)
    assert ended.code == 0, ended.out
    assert ended.out.count("the same bits as the model files here") == 3


def test_the_miner_in_python_answers_as_the_server_does(python_miner, server, day):
    body = aml.read_batch(day).to_request()
    for route in ("/score/alerts", "/rank/alerts", "/score/clusters"):
        answers = [json.loads(post(url + route, body)[1]) for url in (python_miner[0], server)]
        for rows in answers:
            for row in rows:
                row.pop("latency_ms", None)
        assert answers[0] == answers[1]


def test_the_miner_in_python_reads_packed_bodies_within_bounds(python_miner, day):
    url, key = python_miner
    body = aml.read_batch(day).to_request()
    packed = gzip.compress(body[:1000]) + gzip.compress(body[1000:])
    status, answer, headers = post(f"{url}/score/alerts", packed, **{"content-encoding": "gzip"})
    assert status == 200
    aml.verify_receipt(headers["x-aml-receipt"], body, answer, key)
    assert post(f"{url}/score/alerts", packed[:-9], **{"content-encoding": "gzip"})[0] == 400
    assert post(f"{url}/score/alerts", b"x", **{"content-encoding": "gzip"})[0] == 400
    assert post(f"{url}/score/alerts", b"x", **{"content-encoding": "br"})[0] == 415
    bomb = gzip.compress(bytes(1 << 20)) * 1100
    assert post(f"{url}/score/alerts", bomb, **{"content-encoding": "gzip"})[0] == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"{}", 422), (b'{"alerts":[{"alert_id":"a","volume_usd":-1}]}', 422), (b"\xff", 400), (b"", 400)],
)
def test_the_miner_in_python_refuses_as_the_server_does(python_miner, server, body, status):
    answers = [post(f"{url}/score/alerts", body) for url in (python_miner[0], server)]
    assert [answer[0] for answer in answers] == [status, status]
    ours, theirs = (json.loads(answer[1]) for answer in answers)
    assert (ours["code"], ours["detail"]) == (theirs["code"], theirs["detail"])


def test_the_first_answer_of_the_quickstart_is_what_comes(server, tmp_path):
    text = (ROOT / "docs/quickstart.md").read_text()
    printed = json.loads(text.split("```json")[1].split("```")[0])
    assert "synth today --seed 7 --alerts 300 --addresses 3000" in text
    (day,) = aml.simulate(tmp_path, seed=7, alerts=300, addresses=3000)
    answered = json.loads(post(f"{server}/score/alerts", aml.read_batch(day).to_request())[1])[:1]
    for rows in (printed, answered):
        rows[0].pop("latency_ms")
    assert printed == answered


def test_the_notebook_runs_from_days_to_pay(tmp_path):
    import nbclient
    import nbformat

    notebook = nbformat.read(EXAMPLES / "first_model.ipynb", as_version=4)
    assert len(notebook.cells) == 15
    os.environ.update(AML_WORK=str(tmp_path), AML_BIN_DIR=str(PROGRAMS), MPLBACKEND="module://matplotlib_inline.backend_inline")
    os.environ["AML_SHIPPED"] = str(ROOT / "trained_models")
    try:
        nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    finally:
        os.environ.pop("AML_SHIPPED")
    if os.environ.get("AML_NOTEBOOK_OUT"):
        nbformat.write(notebook, os.environ["AML_NOTEBOOK_OUT"])
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert any("the same bits here, offline and through the server" in output.get("text", "") for output in outputs)
    assert "share of what is paid" in notebook.cells[-1].outputs[-1]["data"]["text/html"]
    assert float(notebook.cells[-1].outputs[0]["text"].split(" of ")[0]) >= 1
