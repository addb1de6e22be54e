#!/usr/bin/env python3
"""Tests every alert rule with `promtool test rules`, from scrapes of real processes (scripts/alert_series.sh).

    scripts/checks/alerts.py              PROMTOOL names the program where it is not on the PATH (Debian: prometheus)

A recording has two scrapes. Where something is wrong, its values go on at the pace between the two; in the healthy twin they
stay as they are, and nothing may fire. Where a rule has an excuse, such as a shadow, it is silent in the same trouble with that one
number changed. Exits with 0 and says so where there is no promtool.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "config/prometheus-alerts.yml"
SERIES = ROOT / "monitoring/alert_series"
STEP = 60

# Rule: where it must fire, its healthy twin, minutes after which we look.
CASES = {
    "AmlValidatorDown": ("validator_down", "validator_healthy", 6),
    "AmlWeightsOld": ("validator_old_weights", "validator_healthy", 60),
    "AmlWeightsAging": ("validator_old_weights", "validator_healthy", 60),
    "AmlValidatorNotRegistered": ("validator_unregistered", "validator_healthy", 6),
    "AmlValidatorNoPermit": ("validator_no_permit", "validator_healthy", 31),
    "AmlValidatorStopped": ("validator_stopped", "validator_healthy", 11),
    "AmlNoBlockSeen": ("validator_no_block", "validator_healthy", 10),
    "AmlChainNeverRead": ("validator_never_read", "validator_healthy", 11),
    "AmlNoAcceptedSubmission": ("validator_no_submission", "validator_healthy", 11),
    "AmlLedgerErrors": ("validator_ledger_damaged", "validator_healthy", 20),
    "AmlLedgerDown": ("validator_ledger_damaged", "validator_healthy", 4),
    "AmlDiskAlmostFull": ("validator_small_disk", "validator_healthy", 11),
    "AmlDiskFilling": ("validator_disk_filling", "validator_healthy", 90),
    "AmlBeaconLate": ("validator_beacon_late", "validator_healthy", 20),
    "AmlRoundHeld": ("validator_round_held", "validator_healthy", 6),
    "AmlRoundVoid": ("validator_round_void", "validator_healthy", 2),
    "AmlBatchDamaged": ("validator_bad_batch", "validator_healthy", 11),
    "AmlTemporaryFolderFull": ("validator_small_tmp", "validator_healthy", 11),
    "AmlSliceFell": ("validator_slice_fell", "validator_healthy", 90),
    "AmlRoundStalled": ("validator_round_open", "validator_healthy", 7 * 60),
    "AmlNoNewRound": ("validator_round_open", "validator_healthy", 37 * 60),
    "AmlReadApiFailing": ("validator_ledger_damaged", "validator_healthy", 20),
    "AmlMinerDown": ("miner_down", "miner_healthy", 6),
    "AmlMinerApiDown": ("miner_api_down", "miner_healthy", 6),
    "AmlMinerNotRegistered": ("miner_unregistered", "miner_healthy", 6),
    "AmlMinerDeregistrationNear": ("miner_near_deregistration", "miner_healthy", 31),
    "AmlMinerNoVerifiedRequest": ("miner_idle", "miner_healthy", 25 * 60),
    "AmlMinerRejected": ("miner_rejected", "miner_healthy", 11),
    "AmlMinerReloadFailed": ("api_reload_failed", "api_healthy", 6),
    "AmlMinerDiskAlmostFull": ("miner_small_disk", "miner_healthy", 11),
    "AmlMinerChainSilent": ("miner_chain_silent", "miner_healthy", 20),
    "AmlMinerChainNeverRead": ("miner_never_read", "miner_healthy", 11),
}

# Rule: the number that excuses the same trouble.
EXCUSES = {
    "AmlWeightsOld": ("aml_validator_shadow", 1.0),
    "AmlWeightsAging": ("aml_validator_shadow", 1.0),
    "AmlValidatorNoPermit": ("aml_validator_shadow", 1.0),
    "AmlValidatorStopped": ("aml_validator_shadow", 1.0),
    # A batch without alerts has nobody's submission.
    "AmlNoAcceptedSubmission": ("aml_validator_round_alerts", 0.0),
    "AmlMinerDeregistrationNear": ("aml_miner_free_places", 1.0),
    "AmlMinerNoVerifiedRequest": ("aml_miner_registered", 0.0),
}


def scrapes(name):
    """The scrapes of a recording: seconds, and values by series."""
    found = []
    for line in (SERIES / f"{name}.txt").read_text().splitlines():
        if line.startswith("@"):
            found.append((int(line[1:]) / 1000, {}))
        else:
            series, value = line.rsplit(" ", 1)
            found[-1][1][series] = float(value)
    assert len(found) == 2, f"{name} has {len(found)} scrapes"
    return found


def input_series(name, minutes, goes_on, excuse=None):
    """The recording as promtool takes it, for so long."""
    (began, first), (ended, second) = scrapes(name)
    if excuse:
        assert excuse[0] in second, f"{name} has no {excuse[0]}"
        first, second = {**first, excuse[0]: excuse[1]}, {**second, excuse[0]: excuse[1]}
    job = next(re.search(r'job="([^"]+)"', series).group(1) for series in second if series.startswith("up{"))
    lines = []
    for series, last in second.items():
        metric, labels = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})?", series).groups()
        # A counter that was not there has counted nothing.
        before = first.get(series, 0.0 if metric.endswith("_total") else last)
        pace = (last - before) / (ended - began) * STEP if goes_on else 0.0
        own = [label for label in (labels or "").split(",") if label and not label.startswith("job=")]
        labels = ",".join([*own, f'job="{job}"', 'instance="recorded"'])
        values = "NaN" + " NaN" * minutes if last != last else f"{last!r}{pace:+.6f}x{minutes}"
        lines.append(f"      - series: '{metric}{{{labels}}}'\n        values: '{values}'")
    return "\n".join(lines)


def case(name, recording, minutes, goes_on, alerts, excuse=None):
    """One test of promtool: what these expressions come to at its end."""
    checks = "\n".join(
        f"      - expr: {expression}\n        eval_time: {minutes}m\n        exp_samples: [{{ labels: '{{}}', value: {value} }}]"
        for expression, value in alerts
    )
    return (
        f"  - name: {name}\n    interval: {STEP}s\n    input_series:\n{input_series(recording, minutes, goes_on, excuse)}\n"
        f"    promql_expr_test:\n{checks}\n"
    )


def tests(rules):
    """All of them as one file of promtool."""
    text = f"rule_files: [{RULES}]\nevaluation_interval: 1m\ntests:\n"
    for rule in rules:
        wrong, well, minutes = CASES[rule]
        fires = f"""'(count(ALERTS{{alertname="{rule}",alertstate="firing"}}) or vector(0)) >= bool 1'"""
        anything = """'count(ALERTS{alertstate="firing"}) or vector(0)'"""
        text += case(f"{rule} fires", wrong, minutes, True, [(fires, 1)])
        text += case(f"{rule} is silent", well, minutes, False, [(fires, 0), (anything, 0)])
        if rule in EXCUSES:
            text += case(f"{rule} is excused", wrong, minutes, True, [(fires, 0)], EXCUSES[rule])
    return text


def main():
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    rules = re.findall(r"- alert: (\w+)", RULES.read_text())
    missing = [rule for rule in rules if rule not in CASES] + [rule for rule in CASES if rule not in rules]
    if missing:
        sys.exit(f"alerts: rules and cases differ: {', '.join(missing)}")
    if promtool is None:
        print("alerts: skipped: there is no promtool (Debian's package prometheus has it; or set PROMTOOL)")
        return
    if not SERIES.is_dir():
        print("alerts: skipped: there are no recordings yet (scripts/alert_series.sh makes them)")
        return
    subprocess.run([promtool, "check", "rules", RULES], check=True, stdout=subprocess.DEVNULL)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(tests(rules))
        file.flush()
        done = subprocess.run([promtool, "test", "rules", file.name], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"alerts: {done.stdout}{done.stderr}")
    print(f"alerts: {len(rules)} rules fire where they should, and only there")


if __name__ == "__main__":
    main()
