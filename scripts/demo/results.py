#!/usr/bin/env python3
"""What came out of the demo: from the ledger and the chain by aml-subnet's own commands, canonical scores from the
validator's API. Used by scripts/demo.sh.

    results.py ... step-of DATE          prints how far the newest round of a day is; nothing when there is none
    results.py ... paid-after DATE       succeeds when the chain shows weights made after the round of a day
    results.py ... summary               prints who earned what and why
    results.py ... check                 checks that it makes sense; the last line counts
"""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import urllib.request

TOP = 10
REASONS = 3


class Subnet:
    """aml-subnet's commands, and the read API beside them."""

    def __init__(self, command: str, flags: str, api: str):
        self.command, self.flags, self.api = command, shlex.split(flags), api.rstrip("/")

    def ask(self, *words):
        run = subprocess.run([self.command, *words, *self.flags, "--json"], capture_output=True, text=True, timeout=60)
        if run.returncode != 0:
            raise SystemExit(f"{' '.join(words)}: {run.stderr.strip()}")
        return json.loads(run.stdout)

    def works(self, *words) -> bool:
        return subprocess.run([self.command, *words, *self.flags], capture_output=True, timeout=60).returncode == 0

    def get(self, path: str):
        # Never through a proxy of the environment: it is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(self.api + path, headers={"accept": "application/json"})
        with opener.open(request, timeout=20) as answer:
            return json.load(answer)

    def round_of(self, date: str):
        return next((one for one in self.ask("rounds") if f"-{date}-" in one["id"]), None)


class Round:
    """One round, as `aml-subnet round show` tells it."""

    def __init__(self, subnet: Subnet, date: str, names: dict):
        self.date, self.id = date, subnet.round_of(date)["id"]
        shown = subnet.ask("round", "show", self.id)
        self.step, self.settled = shown["round"]["step"], shown["settled"]
        self.verdicts = {names.get(v["hotkey"], v["hotkey"]): v for v in shown["verdicts"]}
        measured = self.settled["miners"] if self.settled else {}
        self.measured = {names.get(hotkey, hotkey): measures for hotkey, measures in measured.items()}

    def accepted(self, name: str) -> bool:
        return "Ok" in self.verdicts.get(name, {}).get("accepted", {})


class Results:
    """Everything that the summary and the checks look at."""

    def __init__(self, subnet: Subnet, options):
        self.names = json.loads(options.names.read_text())
        self.past = Round(subnet, options.past, self.names)
        self.today = Round(subnet, options.today, self.names)
        self.miners = subnet.ask("miners")
        self.replayed = [subnet.works("replay", "--round", one.id) for one in (self.past, self.today)]
        self.weights = subnet.ask("weights", "show")
        scores = subnet.get(f"/canonical/{options.today}")
        self.scores = sorted(scores, key=lambda row: row["rank"])
        answers = json.loads(options.explained.read_text())
        self.explained = {answer["alert_id"]: json.loads(answer["explain_json"]) for answer in answers}

    def name(self, hotkey) -> str:
        return self.names.get(hotkey) or f"{hotkey[:6]}…"

    def uids(self) -> dict:
        return {verdict["uid"]: name for name, verdict in self.today.verdicts.items()}

    def paid(self) -> dict:
        """Each miner's share of the weights on chain."""
        weights = self.weights["on_chain"] or []
        total = sum(weight["weight"] for weight in weights)
        uids = self.uids()
        return {uids.get(one["uid"], f"uid {one['uid']}"): one["weight"] / total for one in weights if total}


def agree(weights) -> bool:
    """Whether the weights on chain are those that the ledger has as confirmed, value by value."""
    confirmed = [one for one in weights["submissions"] if one["state"]["state"] == "confirmed"]
    if not confirmed or not weights["on_chain"]:
        return False
    planned = dict(zip(confirmed[0]["uids"], confirmed[0]["values"]))
    return planned == {one["uid"]: one["weight"] for one in weights["on_chain"]}


def number(value, form=".3f") -> str:
    return "-" if value is None else format(value, form)


def title(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}")


def table(head, rows) -> None:
    """Columns as wide as their longest cell; the first one to the left, the others to the right."""
    widths = [max(len(str(row[column])) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = (str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths)))
        print("  " + "  ".join(cells).rstrip())


def earnings(results: Results) -> None:
    title("Who earned what")
    paid = results.paid()
    rows = []
    for miner in results.miners:
        name = results.name(miner["hotkey"])
        tiers = [number(miner[tier]) for tier in ("tier1", "tier2", "tier3")]
        rows.append([name, *tiers, number(miner["performance"]), number(paid.get(name), ".1%")])
    table(["miner", "integrity", "traps", "settled", "performance", "paid"], rows)
    print("\n  Performance is the mean over the rounds of 0.2 integrity + 0.3 traps + 0.5 settled.")


def reasons(results: Results) -> None:
    title("And why")
    for miner in results.miners:
        name = results.name(miner["hotkey"])
        now = results.today.verdicts.get(name)
        if now is None:
            print(f"  {name}: not asked today")
            continue
        passed = sum(check["fault"] is None for check in now["checks"])
        traps = "no traps" if now["tier2"] is None else f"{now['tier2']:.0%} of its trap groups"
        outcome = "accepted" if results.today.accepted(name) else f"not accepted ({now['accepted'].get('Err')})"
        print(f"  {name}: {outcome} today, with {passed} of {len(now['checks'])} checks and {traps}")
        measured = results.past.measured.get(name)
        if results.past.settled is None:
            print(f"    {results.past.date} is not settled: too few outcomes of each kind are known")
        elif measured:
            print(f"    on {results.past.date}, against the outcomes: {measures(measured)}, so {measured['score']:.3f}")
        else:
            print(f"    on {results.past.date} no submission counted")
    settled = results.past.settled
    if settled and settled["canonical"]:
        print(f"  all together (canonical), on {settled['outcomes']} known outcomes: {measures(settled['canonical'])}")


def measures(of) -> str:
    return f"AUC {of['auc']:.3f}, Brier {of['brier']:.3f}, NDCG {of['ndcg']:.3f}"


def top_alerts(results: Results) -> None:
    title(f"The {TOP} most urgent alerts of {results.today.date}")
    for row in results.scores[:TOP]:
        what = f"{row['severity']} {row['typology']}"
        print(f"  {row['rank']:2}. {row['score']:.3f} ± {row['deviation']:.3f}  {what}  {row['address']}  {row['alert_id']}")
        explained = results.explained.get(row["alert_id"])
        if explained:
            print("      " + ", ".join(map(reason, explained["top_features"][:REASONS])))
    print("\n  Reasons are those of the shipped model: what each feature adds to the log-odds.")


def reason(feature) -> str:
    value = feature["value"]
    text = "missing" if value is None else format(value, ",.0f" if abs(value) >= 1000 else ".4g")
    return f"{feature['feature']} = {text} ({feature['impact']:+.2f})"


def weights_on_chain(results: Results) -> None:
    title("Weights on chain")
    paid, uids = results.paid(), results.uids()
    rows = []
    for one in results.weights["on_chain"] or []:
        name = uids.get(one["uid"], f"uid {one['uid']}")
        rows.append([name, one["uid"], one["weight"], f"{paid[name]:.1%}"])
    table(["miner", "uid", "value", "share"], rows)
    same = "the same as" if agree(results.weights) else "NOT those of"
    print(f"\n  Read back at block {results.weights['block']}: {same} the ledger's last confirmed submission.")


def checks(results: Results, skill: bool):
    """What has to hold after every demo, and with `skill` what the three models promise."""
    paid, past = results.paid(), results.past
    names = [name for name in results.names.values() if name != "validator"]
    for one in (past, results.today):
        yield f"every submission of {one.date} counts", all(one.accepted(name) for name in names)
    yield "one round is settled", past.step == "settled" and all(past.measured.get(name) for name in names)
    top = results.scores[:TOP]
    scores = [row["score"] for row in results.scores]
    in_range = bool(scores) and all(0.0 <= score <= 1.0 for score in scores)
    yield f"{len(scores)} canonical scores, the most urgent first", in_range and scores == sorted(scores, reverse=True)
    yield "the most urgent alerts are explained", all(row["alert_id"] in results.explained for row in top)
    yield "computed again from the raw answers, both rounds come out the same", all(results.replayed)
    yield "weights on chain are the ledger's", agree(results.weights) and set(paid) == set(names)
    if not skill:
        return
    traps = [results.today.verdicts[name]["tier2"] for name in names]
    yield "every miner was asked with traps", None not in traps
    passed = dict(zip(names, (share or 0.0 for share in traps)))
    yield f"traps tell skill from none: {shown(passed, '.0%')}", passed["shipped"] > passed["random"]
    auc = {name: past.measured[name]["auc"] for name in names}
    yield f"outcomes tell the models apart: {shown(auc, '.3f')}", auc["shipped"] > auc["weaker"] > auc["random"]
    # A single day's traps leave some luck between neighbours, not between the best and the worst.
    yield f"the better model earned more: {shown(paid, '.1%')}", paid["shipped"] > paid["random"]
    best = past.settled["canonical"]["auc"]
    worst = min(measures["auc"] for measures in past.measured.values())
    yield f"canonical AUC {best:.3f} beats the worst miner's {worst:.3f}", best > worst


def shown(values: dict, form: str) -> str:
    """Values by name, the largest first."""
    return ", ".join(f"{name} {value:{form}}" for name, value in sorted(values.items(), key=lambda item: -item[1]))


def paid_after(subnet: Subnet, date: str) -> bool:
    """Whether the chain shows weights that were made after the scores of a day were published."""
    published, weights = (subnet.round_of(date) or {}).get("published_ms"), subnet.ask("weights", "show")
    return bool(published) and agree(weights) and weights["submissions"][0]["made_ms"] >= published


def run_checks(results: Results, skill: bool) -> int:
    title("Does it make sense?")
    outcome = {True: 0, False: 0}
    for what, holds in checks(results, skill):
        outcome[bool(holds)] += 1
        print(f"  {'✓' if holds else '✗'} {what}")
    print(f"\n{outcome[True]} passed, {outcome[False]} failed")
    return 1 if outcome[False] else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subnet", required=True, help="path of aml-subnet")
    parser.add_argument("--flags", required=True, help="flags that name configuration and wallet")
    parser.add_argument("--api", required=True, help="URL of the read API")
    parser.add_argument("--names", type=pathlib.Path, help="JSON object from hotkey to name")
    parser.add_argument("--explained", type=pathlib.Path, help="answer of /score/alerts for today's batch")
    parser.add_argument("--past", help="day of the settled round")
    parser.add_argument("--today", help="day of the newest round")
    parser.add_argument("--skill", action="store_true", help="the miners have the models that the demo made")
    parser.add_argument("what", choices=["step-of", "paid-after", "summary", "check"])
    parser.add_argument("date", nargs="?")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    subnet = Subnet(options.subnet, options.flags, options.api)
    if options.what == "step-of":
        print((subnet.round_of(options.date) or {}).get("step", ""))
        return 0
    if options.what == "paid-after":
        return 0 if paid_after(subnet, options.date) else 1
    results = Results(subnet, options)
    if options.what == "check":
        return run_checks(results, options.skill)
    for part in (earnings, reasons, top_alerts, weights_on_chain):
        part(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
