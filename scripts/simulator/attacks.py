"""Who wants pay without work. Each attack is one small function of the stage that gives the miners it brings; `@attack` names it.

Miners of the owner `them` are measured. An owner `victim` is one that they harm; its share is told beside theirs.
"""
import numpy as np

from figures import logit, sigmoid
from season import Miner
from world import USUAL

SOLD = 40          # the day on which good keys are sold
ATTACKS = {}


def attack(name, since=10):
    """Puts an attack on the list. `since`: the day from which on their skill and contribution are measured."""
    def put(function):
        ATTACKS[name] = function
        function.since = since
        return function

    return put


class Stage:
    """A world with its honest miners, and the models that attackers own. Drawn in one order, so that a seed is a season."""

    def __init__(self, world, honest=20):
        self.world = world
        self.honest = [Miner(scores) for scores in world.honest(honest)]
        self.good, self.public = world.model(1.5), world.public_model()
        self.ten = [world.model(1.5) for _ in range(10)]
        self.mean = sigmoid(np.mean([logit(one) for one in self.ten], 0))
        self.best = world.model(0.9, USUAL + np.eye(6)[4])
        self.sold = [[world.model(1.5) for _ in range(10)] for _ in range(2)]
        self.forks = [world.model(1.5, shared=0.9) for _ in range(10)]

    @property
    def shape(self):
        return self.world.address.shape


# --- what attacks are made of

def keys(scores, traps="model", owner="them", first=0):
    """One key for each."""
    return [Miner(one, owner, traps, first) for one in scores]


def noisy(scores, count, spread, seed=14):
    """Copies, each with noise of its own of so many standard deviations of the log-odds."""
    rng, odds = np.random.default_rng(seed), logit(scores)
    return [sigmoid(odds + spread * odds.std() * rng.standard_normal(odds.shape)) for _ in range(count)]


def noisy_by_address(stage, scores, count, spread, seed=15):
    """Copies whose noise is the same whenever an address comes again."""
    rng, odds = np.random.default_rng(seed), logit(scores)
    noise = rng.standard_normal((count, stage.world.address.max() + 1))
    return [sigmoid(odds + spread * odds.std() * one[stage.world.address]) for one in noise]


def mixed(one, other, shares):
    return [sigmoid(share * logit(one) + (1 - share) * logit(other)) for share in shares]


def only_top(scores, share):
    """Tells the order of the top alone; all others have one score, their mean."""
    rest = scores < np.quantile(scores, 1 - share, axis=1)[:, None]
    return np.where(rest, (scores * rest).sum(1, keepdims=True) / rest.sum(1, keepdims=True), scores)


class Sometimes:
    """Scores that are sent on some days."""

    def __init__(self, scores, when):
        self.scores, self.when = scores, when

    def __call__(self, season, day):
        return self.scores[day] if self.when(day) else None

    def __getitem__(self, at):
        return self.scores[at]


def in_turn(scores, count):
    """The same scores under keys that never answer on the same day."""
    return [Sometimes(scores, lambda day, own=own: day % count == own) for own in range(count)]


def published(count, spread=0.0):
    """What was published of the same addresses before."""
    def key(seed):
        rng = np.random.default_rng(seed)
        return lambda season, day: sigmoid(logit(season.old_canonical[day]) + (1e-6 + spread) * rng.standard_normal(season.world.alerts))

    return [key(100 + own) for own in range(count)]


def of_today(count, spread=0.0):
    """Today's canonical scores, from another validator that published before this one asked."""
    def key(seed):
        rng = np.random.default_rng(seed)

        def scores(season, day):
            others = [place for place, miner in enumerate(season.miners) if miner.owner != "them"]
            voice = season.voice[others, max(day - 1, 0)]
            voice = voice / voice.sum() if voice.sum() > 0 else np.full(len(others), 1 / len(others))
            merged = voice @ season.scores[others, day]
            return sigmoid(logit(merged) + (1e-6 + spread) * rng.standard_normal(season.world.alerts))

        return scores

    return [key(200 + own) for own in range(count)]


def harmful(scores, change, days):
    """A model that does something else on some days."""
    given = scores.copy()
    for day in days:
        given[day] = change(given[day])
    return given


LATE_DAYS = (45, 48, 51)


# --- those that know nothing

@attack("172 that know nothing")
def junk(stage):
    return keys(np.random.default_rng(11).beta(0.5, 4, (172,) + stage.shape), "noise")


@attack("172 base rates with tiny differences")
def base_rates(stage):
    return keys(stage.world.base_rate + 1e-4 * np.random.default_rng(12).standard_normal((172,) + stage.shape), "noise")


@attack("50 that know nothing but the traps")
def trap_knowers(stage):
    return keys(np.random.default_rng(11).beta(0.5, 4, (50,) + stage.shape), "known")


@attack("50 with full marks for one alert")
def one_alert(stage):
    rng, (days, alerts) = np.random.default_rng(17), stage.shape
    scores = stage.world.base_rate + 1e-6 * rng.standard_normal((50, days, alerts))
    scores[np.arange(50)[:, None], np.arange(days), rng.integers(0, alerts, (50, days))] = 1.0
    return keys(scores, "noise")


@attack("1 key that is asked and never answers")
def silent(stage):
    return keys([lambda season, day: None])


# --- one good model, and copies of it

@attack("one good honest miner more")
def good(stage):
    return keys([stage.good])


@attack("good, 20 exact copies")
def exact(stage):
    return keys([stage.good] * 20)


@attack("good, 50 noisy copies (0.3 sd)")
def noisy_03(stage):
    return keys(noisy(stage.good, 50, 0.3))


@attack("good, 50 noisy copies (0.8 sd)")
def noisy_08(stage):
    return keys(noisy(stage.good, 50, 0.8))


@attack("good, 50 copies with noise fixed by address (0.8 sd)")
def by_address(stage):
    return keys(noisy_by_address(stage, stage.good, 50, 0.8))


@attack("good, only the top tenth told, the rest tied")
def top_tenth(stage):
    return keys([only_top(stage.good, 0.1)])


@attack("good, scores to the power 1/4")
def power(stage):
    return keys([stage.good**0.25])


@attack("good, new on day 24", since=24)
def newcomer(stage):
    return keys([stage.good], first=24)


# --- the best model of all, and copies of it

@attack("best of all, one key")
def best(stage):
    return keys([stage.best])


@attack("best of all, 50 noisy copies (0.3 sd)")
def best_noisy(stage):
    return keys(noisy(stage.best, 50, 0.3))


@attack("best of all, 50 copies with noise fixed by address (0.8 sd)")
def best_by_address(stage):
    return keys(noisy_by_address(stage, stage.best, 50, 0.8))


@attack("best of all, 3 keys in turn")
def three_in_turn(stage):
    return keys(in_turn(stage.best, 3))


@attack("best of all, 10 keys in turn")
def ten_in_turn(stage):
    return keys(in_turn(stage.best, 10))


@attack("best of all, only the top tenth told, the rest tied")
def best_top_tenth(stage):
    return keys([only_top(stage.best, 0.1)])


# --- ten own models, and the public one

@attack("mean of ten own models, one key")
def mean_of_ten(stage):
    return keys([stage.mean])


@attack("mean of ten own models, 50 noisy copies (0.5 sd)")
def mean_noisy(stage):
    return keys(noisy(stage.mean, 50, 0.5))


@attack("ten own models under ten keys")
def ten_models(stage):
    return keys(stage.ten)


@attack("public model, one key")
def public(stage):
    return keys([stage.public])


@attack("public model, 20 exact copies")
def public_exact(stage):
    return keys([stage.public] * 20)


@attack("public model, 50 noisy copies (0.3 sd)")
def public_noisy(stage):
    return keys(noisy(stage.public, 50, 0.3))


@attack("ten forks of the public model, nine tenths alike")
def forks(stage):
    return keys(stage.forks)


@attack("good and public mixed half and half")
def mixture(stage):
    return keys(mixed(stage.good, stage.public, [0.5]))


@attack("50 mixtures of good and public")
def mixtures(stage):
    return keys(mixed(stage.good, stage.public, np.linspace(0.05, 0.95, 50)))


# --- what others know

@attack("canonical scores of earlier days, one key")
def old_canonical(stage):
    return keys(published(1), "noise")


@attack("canonical scores of earlier days, 50 noisy copies")
def old_canonical_noisy(stage):
    return keys(published(50, 0.5), "noise")


def looked_up(stage, count):
    rng, known = np.random.default_rng(19), stage.world.looked_up
    told = np.where(np.isnan(known), stage.world.base_rate, 0.05 + 0.5 * known)
    return np.clip(told + 1e-3 * rng.standard_normal((count,) + told.shape), 0, 1)


@attack("public outcomes of the same addresses, one key")
def outcomes(stage):
    return keys(looked_up(stage, 1), "noise")


@attack("public outcomes of the same addresses, 50 noisy copies")
def outcomes_noisy(stage):
    return keys(looked_up(stage, 50), "noise")


@attack("today's canonical scores, one key")
def today(stage):
    return keys(of_today(1), "noise")


@attack("today's canonical scores, 20 noisy copies")
def today_noisy(stage):
    return keys(of_today(20, 0.5), "noise")


@attack("today's canonical scores, 20 noisy copies that know the traps")
def today_knowing(stage):
    return keys(of_today(20, 0.5), "known")


def leaked(stage, share):
    """Knows a share of the outcomes beforehand, and nothing of the rest."""
    rng = np.random.default_rng(19)
    knows = rng.random(stage.shape) < share
    told = np.where(knows, np.where(stage.world.illicit > 0, 0.98, 0.01), stage.world.base_rate)
    return told + 0.01 * rng.random(told.shape)


@attack("a tenth of the outcomes leaked, one key")
def leak(stage):
    return keys([leaked(stage, 0.1)], "noise")


# --- harm

def sell(scores, after):
    rng, sold = np.random.default_rng(18), []
    for own in scores:
        own = own.copy()
        own[SOLD:] = rng.beta(0.5, 4, own[SOLD:].shape)
        sold.append(Miner(own, "them", lambda day: "model" if day < SOLD else after))
    return sold


@attack(f"ten good keys sold on day {SOLD}, noise since then", since=SOLD)
def sold(stage):
    return sell(stage.sold[0], "noise")


@attack(f"ten good keys sold on day {SOLD}, noise that knows the traps", since=SOLD)
def sold_knowing(stage):
    return sell(stage.sold[1], "known")


def one_error(stage, base, traps):
    rng = np.random.default_rng(20)
    pull = 2.0 * rng.standard_normal(stage.shape)
    return keys([sigmoid(base + pull + 0.5 * rng.standard_normal(pull.shape)) for _ in range(60)], traps)


@attack("bloc of 60 with one error")
def bloc(stage):
    return one_error(stage, -2.5, "noise")


@attack("bloc of 60 with one error on the public model")
def bloc_on_public(stage):
    return one_error(stage, logit(stage.public), "model")


@attack("best of all blows its scores up on three days")
def blow_up(stage):
    return keys([harmful(stage.best, lambda scores: np.clip(3 * scores, 0, 1), LATE_DAYS)])


@attack("best of all reverses its order on three days")
def reverse(stage):
    return keys([harmful(stage.best, lambda scores: np.sort(scores)[::-1][np.argsort(np.argsort(scores))], LATE_DAYS)])


@attack("a fifth of the outcomes leaked, order reversed on three days")
def leak_reverse(stage):
    turn = lambda scores: np.sort(scores)[::-1][np.argsort(np.argsort(scores, kind="stable"), kind="stable")]  # noqa: E731
    return keys([harmful(leaked(stage, 0.2), turn, LATE_DAYS)], "known")


@attack("best of all is copied by 50 noisy keys on one day")
def one_day(stage):
    copies = [Sometimes(scores, lambda day: day == 30) for scores in noisy(stage.best, 50, 0.05)]
    return keys([stage.best], owner="victim") + keys(copies)


def of_old_answers(stage, count):
    """Knows what the best one said of the same addresses a week ago and before; of others the base rate."""
    rng, told = np.random.default_rng(23), np.full(stage.shape, stage.world.base_rate)
    said = {}
    for day, addresses in enumerate(stage.world.address):
        if day >= 7:
            said.update(zip(stage.world.address[day - 7], stage.best[day - 7]))
        told[day] = [said.get(address, stage.world.base_rate) for address in addresses]
    return [np.clip(told + 1e-4 * rng.standard_normal(told.shape), 0, 1) for _ in range(count)]


@attack("best of all is copied by address from week-old answers, 50 keys")
def from_old(stage):
    return keys([stage.best], owner="victim") + keys(of_old_answers(stage, 50), "known")


@attack("best of all is copied by 50 noisy keys every day")
def every_day(stage):
    return keys([stage.best], owner="victim") + keys(noisy(stage.best, 50, 0.05))
