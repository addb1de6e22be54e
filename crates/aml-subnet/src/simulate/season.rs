//! A season: days on which batches come, processes that live and die, an operator, and somebody who looks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join3, select};
use tokio_util::sync::CancellationToken;

use super::Sides;
use super::cast::{NETUID, TARGET};
use super::days::{date_of, due};
use super::laws::Broken;
use super::plan::Ruling;
use super::stage::Stage;
use super::troubles::Trouble;
use crate::config::{Answers, ValidatorSettings};
use crate::protocol::NonceSource;
use crate::validation::rules::RulesVersion;
use crate::validation::rules_list::{RulesFrom, RulesList};
use crate::validator::pay::{Payer, PayerParts};
use crate::validator::query::{Asker, AskingKey, QuerySettings, Surroundings};
use crate::validator::round::{Rounds, RoundsParts};
use crate::validator::run::Validator;
use crate::validator::settling::Settler;
use crate::validator::traps::Draw;
use crate::validator::world::{Entropy, Time as _, World, within};

/// An operator's supervisor starts a dead process again within this.
const RESTARTS: Duration = Duration::from_secs(30);
/// A process that is told to stop ends within this: supervisors wait for ten seconds and more.
const ENDS: Duration = Duration::from_secs(10);
/// What is simulated after the last publication: more than an epoch, so that weights are due in two.
const PAYING: Duration = Duration::from_secs(90 * 60);
/// How often somebody looks.
const LOOKS: Duration = Duration::from_secs(3600);
/// The largest answer that is taken.
const LARGEST: u64 = 250_000;
const MINUTE: Duration = Duration::from_secs(60);

impl Sides {
    /// From the first midnight until it can be seen what was paid for the last round, or a law is broken.
    pub(super) async fn season(&self) {
        let Stage { time, published, over, plan, .. } = &*self.stage;
        let stop = CancellationToken::new();
        let last = due(plan, plan.days.saturating_sub(1)) + PAYING;
        let closing = async {
            let paid = async {
                published.cancelled().await;
                time.sleep(PAYING).await;
            };
            let watching = async {
                loop {
                    time.sleep(LOOKS).await;
                    self.watch.look();
                }
            };
            let enough = async {
                let first = select(Box::pin(paid), Box::pin(over.cancelled()));
                select(first, Box::pin(watching)).await;
            };
            within(time, last, enough).await;
            self.stage.note("operator", "the season is over");
            stop.cancel();
        };
        join3(self.lives(&stop), closing, self.clock(&stop)).await;
    }

    /// Processes are started, and die, until `stop`.
    async fn lives(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            if self.stage.rise() {
                self.stage.note("operator", "another machine goes on");
                self.source.forget();
            }
            let validator = self.validator();
            self.stage.note("operator", "a process is started");
            let term = CancellationToken::new();
            let ends = select(Box::pin(self.stage.death()), Box::pin(self.operator(stop, &term)));
            match select(Box::pin(validator.run(&term)), ends).await {
                Either::Left(_) => self.stage.note("operator", "the process has ended"),
                Either::Right((Either::Left(_), _)) => self.stage.note("operator", "the process was killed"),
                Either::Right((Either::Right(_), _)) => self.stage.breaks(Broken::Deaf { after_s: ENDS.as_secs() }),
            }
            drop(validator);
            self.off().await;
            self.stage.pause(RESTARTS).await;
        }
    }

    /// Until the machine is on.
    async fn off(&self) {
        let down = |trouble: &Trouble| if let Trouble::Down(span) = trouble { Some(*span) } else { None };
        while self.stage.suffers(down) && !self.stage.over.is_cancelled() {
            self.stage.time.sleep(MINUTE).await;
        }
    }

    /// Tells a process to stop when the operator wants to, or at the end; done when it should have ended long ago.
    async fn operator(&self, stop: &CancellationToken, term: &CancellationToken) {
        let time = &self.stage.time;
        let now = time.uptime();
        let told = |trouble: &Trouble| match trouble {
            Trouble::Stopped(at) | Trouble::Settings(at) if *at > now => Some(*at),
            _ => None,
        };
        let next = self.stage.plan.troubles.iter().filter_map(told).min();
        match next {
            Some(at) => drop(within(time, at, stop.cancelled()).await),
            None => stop.cancelled().await,
        }
        self.stage.note("operator", "the process is told to stop");
        term.cancel();
        time.sleep(ENDS).await;
    }

    /// Sets the validator's clock, and sets it right again.
    async fn clock(&self, stop: &CancellationToken) {
        let mut times: Vec<(Duration, i64)> = Vec::new();
        for trouble in &self.stage.plan.troubles {
            if let Trouble::ClockOff { span, by_ms } = trouble {
                times.extend([(span.from, *by_ms), (span.end(), 0)]);
            }
        }
        times.sort_unstable();
        for (at, by_ms) in times {
            if within(&self.stage.time, at, stop.cancelled()).await.is_some() {
                return;
            }
            self.stage.note("operator", format_args!("the clock is {by_ms} ms ahead"));
            self.stage.time.set_ahead(by_ms);
        }
    }

    /// A validator as a fresh process would have it.
    fn validator(&self) -> Validator {
        let settings = self.settings();
        self.stage.gives(settings.deadline);
        let asking = QuerySettings {
            allow_private_ips: true,
            max_answer_bytes: LARGEST,
            concurrency: settings.concurrency,
            ..QuerySettings::default()
        };
        let key = AskingKey { signer: self.signer.clone(), nonces: Arc::new(NonceSource::default()) };
        let World { time, workers, .. } = self.world.clone();
        let stamps = Arc::clone(&time) as Arc<dyn aml_miner::clock::Clock>;
        let (talk, entropy) = (Arc::clone(&self.miners) as Arc<_>, self.entropy());
        let surroundings = Surroundings { time, stamps, talk, workers, entropy };
        let rounds = Rounds::new(RoundsParts {
            world: self.world.clone(),
            asker: Asker::among(asking, NETUID, key, surroundings),
            signer: self.signer.clone(),
            secret: self.secret.clone(),
            netuid: NETUID,
            settings: settings.clone(),
        });
        let settler = Settler::of(&self.world, NETUID, settings.clone());
        let payer = Payer::new(PayerParts {
            chain: Arc::clone(&self.chain) as Arc<_>,
            log: Arc::clone(&self.ledger) as Arc<_>,
            signer: self.signer.clone(),
            clock: Arc::new(self.stage.time.clone()),
            entropy: self.entropy(),
            target: TARGET,
            min_rounds: settings.weights_min_rounds,
        });
        Validator { rounds, settler, payer: Some(payer), world: self.world.clone(), netuid: NETUID, settings }
    }

    /// Settings within which every day can be held; others after each time that the operator changes them.
    fn settings(&self) -> ValidatorSettings {
        let (plan, now) = (&self.stage.plan, self.stage.time.uptime());
        let changed = |trouble: &&Trouble| matches!(trouble, Trouble::Settings(at) if *at <= now);
        let changes = plan.troubles.iter().filter(changed).count() as u64;
        let mut draw = Draw::new(&[b"aml-simulate/2 settings", &plan.seed.to_le_bytes(), &changes.to_le_bytes()]);
        let mut minutes = |of: [u32; 3]| MINUTE * of[draw.below(of.len())];
        let (interval, weights_interval) = (minutes([10, 30, 60]), minutes([10, 15, 20]));
        ValidatorSettings {
            interval,
            weights_interval,
            deadline: minutes([15, 15, 12]),
            concurrency: plan.miners.len().max(16),
            max_answer_bytes: LARGEST,
            allow_private_ips: true,
            settle_after: 2 * super::days::DAY,
            rules: Some(rules(plan.rules)),
            answers: if plan.sealed { Answers::Sealed } else { Answers::Open },
            ..ValidatorSettings::default()
        }
    }

    fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.stage) as Arc<_>
    }
}

fn rules(ruling: Ruling) -> RulesList {
    match ruling {
        Ruling::V1 => RulesList::always(RulesVersion::V1),
        Ruling::V2 | Ruling::V2From(0) => RulesList::always(RulesVersion::V2),
        Ruling::V2From(day) => {
            let later = RulesFrom { version: RulesVersion::V2, from: Some(date_of(day)) };
            RulesList::always(RulesVersion::V1).and_from(later)
        }
    }
}
