//! Whoever looks at a simulated validator from outside: every hour at its numbers, after each day at its ledger.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aml_miner::clock::Clock;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tower::ServiceExt as _;

use super::aside::SimAside;
use super::cast::TARGET;
use super::chain::{SimChain, TEMPO};
use super::checks::{EndedDay, are_weights_free};
use super::days::{due, round_of};
use super::figures::Figures;
use super::kept::{KeptRound, Memory};
use super::laws::Broken;
use super::ledger::SimLedger;
use super::stage::Stage;
use super::troubles::Trouble;
use crate::api::chain_view::ChainView;
use crate::api::router;
use crate::api::state::{ApiParts, ApiState, Readiness};
use crate::chain::epoch::in_tempos;
use crate::validation::rules::Rules;
use crate::validator::pay::RECORDS;
use crate::validator::world::{Aside as _, Time as _};
use crate::wallet::Hotkey;

/// The age of weights, in tempos.
const AGE: &str = "aml_validator_weights_age_tempos";
/// Whether a round is held.
const HELD: &str = "aml_validator_round_held";
/// Whether the newest round is void.
const VOID: &str = "aml_validator_round_void";
/// How long a round has been open.
const STALLED: &str = "aml_validator_unfinished_round_age_seconds";
/// Troubles that the validator counted.
const TROUBLES: &str = "aml_validator_troubles_total";
/// Troubles with weights.
const ERRORS: &str = "aml_weights_errors_total";
/// Above so many tempos somebody is woken.
const OLD: f64 = 3.0;
/// How much more a number may lag behind, in tempos.
const SLACK: f64 = 0.6;
/// An outage of the source is noticed when it lasts so long: it is asked at least once an hour.
const NOTICED: Duration = Duration::from_secs(100 * 60);
/// Weights are new again so long after whatever kept them from the chain.
const AGAIN: Duration = Duration::from_secs(6 * 3600);
/// An idle validator makes no more than twenty calls a minute.
const MOST_ASKED: usize = 20 * 60;
/// Tasks and timers beside those of miners that are asked.
const FEW: usize = 40;
const HOUR: f64 = 3600.0;

/// Looks at everything, and changes nothing.
pub(super) struct Watch {
    stage: Arc<Stage>,
    ledger: Arc<SimLedger>,
    chain: Arc<SimChain>,
    aside: Arc<SimAside>,
    recorder: PrometheusRecorder,
    view: Arc<ChainView>,
    pages: Router,
    seen: Mutex<Seen>,
}

/// What was seen so far.
#[derive(Default)]
struct Seen {
    memory: Memory,
    /// The first day that was not looked at yet.
    day: u32,
    before: Option<KeptRound>,
    /// When numbers were read, and how many troubles were counted then.
    troubles: Vec<(Duration, f64)>,
}

impl Watch {
    /// Looks at these.
    pub(super) fn new(ledger: Arc<SimLedger>, chain: Arc<SimChain>, aside: Arc<SimAside>, hotkey: Hotkey) -> Self {
        let (stage, recorder) = (Arc::clone(&ledger.stage), PrometheusBuilder::new().build_recorder());
        let view = Arc::new(ChainView::default());
        let pages = router(ApiState::new(ApiParts {
            ledger: ledger.ledger.clone(),
            target: TARGET,
            hotkey,
            rules: Rules::V1,
            grace: Duration::from_secs(3 * 86_400),
            published: "simulated/published".into(),
            batches: "simulated/batches".into(),
            clock: Arc::new(stage.time.clone()),
            chain: Arc::clone(&view),
            metrics: Some(recorder.handle()),
            readiness: Readiness::default(),
            upkeep: Arc::default(),
            access: Arc::default(),
        }));
        Self { stage, ledger, chain, aside, recorder, view, pages, seen: Mutex::default() }
    }

    /// Where the validator's own numbers go.
    pub(super) const fn recorder(&self) -> &PrometheusRecorder {
        &self.recorder
    }

    /// Looks at the numbers of this moment, and at each day whose time is over.
    pub(super) fn look(&self) {
        let figures = self.figures();
        let times = self.chain.times_asked();
        let broken = (times > MOST_ASKED).then_some(Broken::Hammers { times });
        let broken = broken.or_else(|| self.age(&figures)).or_else(|| self.held(&figures));
        let broken = broken.or_else(|| self.alarms(&figures));
        broken.into_iter().for_each(|law| self.stage.breaks(law));
        self.days(self.stage.time.uptime());
    }

    /// Looks at each day, whether its time is over or not: the end is here.
    pub(super) fn look_at_last(&self) {
        self.days(Duration::MAX);
    }

    fn days(&self, now: Duration) {
        loop {
            let day = self.seen().day;
            if day >= self.stage.plan.days || due(&self.stage.plan, day) > now || self.stage.broken().is_some() {
                return;
            }
            let kept = self.ledger.look(async |ledger| KeptRound::read(ledger, day).await);
            let broken = self.day(day, kept.as_ref());
            broken.into_iter().for_each(|law| self.stage.breaks(law));
            let mut seen = self.seen();
            (seen.day, seen.before) = (day + 1, kept);
        }
    }

    fn day(&self, day: u32, kept: Option<&KeptRound>) -> Option<Broken> {
        let round = round_of(day);
        let mut seen = self.seen();
        if let Some(kept) = kept
            && let Some(what) = self.ledger.promises().forgotten(kept).or_else(|| seen.memory.sees(kept))
        {
            return Some(Broken::Forgotten { round, what });
        }
        let ended =
            EndedDay { stage: &self.stage, subnet: &self.chain.subnet, day, kept, before: seen.before.as_ref() };
        ended.broken().or_else(|| self.leftovers(day))
    }

    /// What a day has left in memory.
    fn leftovers(&self, day: u32) -> Option<Broken> {
        let most = FEW + 4 * self.stage.plan.miners.len();
        let tasks = tokio::runtime::Handle::try_current().map_or(0, |here| here.metrics().num_alive_tasks());
        let waiting = self.aside.waiting(round_of(day)).map_or(0, |all| all.len());
        let counts = [("tasks", tasks, most), ("timers", self.stage.time.timers(), most), ("answers", waiting, 0)];
        let (what, count, _) = counts.into_iter().find(|(_, count, most)| count > most)?;
        Some(Broken::Grows { what, count })
    }

    /// Rounds that were looked at, again.
    pub(super) fn look_again(&self, all: &[KeptRound]) -> Option<Broken> {
        let (promises, mut seen) = (self.ledger.promises(), self.seen());
        all.iter().find_map(|kept| {
            let what = promises.forgotten(kept).or_else(|| seen.memory.sees(kept))?;
            Some(Broken::Forgotten { round: kept.round.id, what })
        })
    }

    fn figures(&self) -> Figures {
        let (reading, now) = (self.chain.reading(), self.stage.time.now());
        let text = self.ledger.look(async |ledger| {
            let _recorded = metrics::set_default_local_recorder(&self.recorder);
            let records = ledger.weights(TARGET, RECORDS).await.expect("a ledger in memory can be read");
            self.view.put(reading, &records, now);
            let request = Request::get("/metrics").body(Body::empty()).expect("a request");
            let response = self.pages.clone().oneshot(request).await.expect("it always answers");
            let body = response.into_body().collect().await.expect("a body in memory").to_bytes();
            String::from_utf8_lossy(&body).into_owned()
        });
        Figures::read(&text)
    }

    /// The age of weights is theirs, and they are no older than they have to be.
    fn age(&self, figures: &Figures) -> Option<Broken> {
        let (stage, now) = (&self.stage, self.stage.time.uptime());
        let truly = in_tempos(self.chain.block().0.saturating_sub(self.chain.weights_since().0), TEMPO);
        let shown = figures.get(AGE).unwrap_or(f64::NAN);
        if truly > OLD + SLACK && shown.partial_cmp(&OLD) != Some(std::cmp::Ordering::Greater) {
            return Some(Broken::Blind { name: AGE, shown: shown.to_string(), true_value: format!("{truly:.1}") });
        }
        let quiet = are_weights_free(&stage.plan, now.saturating_sub(AGAIN), now);
        if quiet && truly < OLD - 1.0 && shown > OLD {
            return Some(Broken::FalseAlarm { name: AGE, shown: shown.to_string() });
        }
        let owed = stage.first_published().is_some_and(|first| first + AGAIN / 2 < now);
        let most = if stage.plan.commits { OLD + 1.5 } else { OLD };
        if !owed || !quiet || truly <= most {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
        let tenths = (truly * 10.0) as u64;
        Some(Broken::Unpaid { tenths })
    }

    /// A round is held exactly when the ledger says so.
    fn held(&self, figures: &Figures) -> Option<Broken> {
        let truly = self.ledger.promises().holds_any();
        let shown = figures.count(HELD);
        let right = (shown > 0.5) == truly;
        (!right).then(|| Broken::Blind { name: HELD, shown: shown.to_string(), true_value: truly.to_string() })
    }

    /// Nothing is counted while nothing goes wrong, and what goes wrong is counted.
    fn alarms(&self, figures: &Figures) -> Option<Broken> {
        let (plan, now) = (&self.stage.plan, self.stage.time.uptime());
        let counted = figures.count(TROUBLES);
        let mut seen = self.seen();
        seen.troubles.push((now, counted));
        if plan.troubles.is_empty() && plan.flaw.is_none() {
            let silent = [TROUBLES, ERRORS, HELD, VOID];
            let loud = silent.into_iter().find(|name| figures.count(name) > 0.0);
            let loud = loud.or_else(|| (figures.count(STALLED) > 6.0 * HOUR).then_some(STALLED));
            return loud.map(|name| Broken::FalseAlarm { name, shown: figures.count(name).to_string() });
        }
        let over = plan.troubles.iter().filter_map(|trouble| match trouble {
            Trouble::SourceDown(span) if span.lasts >= NOTICED && span.end() <= now => Some(*span),
            _ => None,
        });
        for span in over {
            let before = seen.troubles.iter().rfind(|(at, _)| *at <= span.from).map_or(0.0, |(_, count)| *count);
            let after = seen.troubles.iter().find(|(at, _)| *at >= span.end()).map_or(counted, |(_, count)| *count);
            if after <= before {
                return Some(Broken::NoAlarm { name: TROUBLES, what: "the source was away for more than an hour" });
            }
        }
        None
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
