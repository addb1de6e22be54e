//! `aml-miner-serve` as a value: what a program of one's own adds to it, and then its arguments, settings and exit codes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use super::models::OwnModel;
use super::run::{Checked, Program, check, reload_access, run};
use super::serve::Ended;
use crate::config::{Settings, Sources};
use crate::features::{CustomFeature, register};
use crate::models::{BaseModel, ModelKind};

/// Scores, ranks and explains alerts over HTTP.
///
/// Settings come from the file, then .env, then the environment, then flags; config/miner-api.toml lists them all.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// TOML file with settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check settings and models, and exit.
    #[arg(long)]
    check: bool,
    /// Address to listen on.
    #[arg(long)]
    host: Option<String>,
    /// Port to listen on; 0 is any free one.
    #[arg(long)]
    port: Option<String>,
    /// Scoring threads.
    #[arg(long)]
    threads: Option<String>,
    /// Model that scores alerts.
    #[arg(long, value_name = "FILE")]
    alert_scorer: Option<String>,
    /// Model that ranks alerts.
    #[arg(long, value_name = "FILE")]
    alert_ranker: Option<String>,
    /// Model that scores clusters.
    #[arg(long, value_name = "FILE")]
    cluster_scorer: Option<String>,
    /// State of addresses for models with features of earlier days.
    #[arg(long, value_name = "FILE")]
    history: Option<String>,
    /// What is logged, such as info or debug.
    #[arg(long)]
    log_level: Option<String>,
}

impl Arguments {
    fn sources(self) -> Sources {
        let sources = self.config.as_deref().map_or_else(Sources::default, |path| Sources::default().file(path));
        sources
            .environment(
                std::env::vars_os()
                    .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
            )
            .dotenv(".env".as_ref())
            .flag("api.host", self.host)
            .flag("api.port", self.port)
            .flag("work.threads", self.threads)
            .flag("models.alert_scorer", self.alert_scorer)
            .flag("models.alert_ranker", self.alert_ranker)
            .flag("models.cluster_scorer", self.cluster_scorer)
            .flag("models.history", self.history)
            .flag("log.level", self.log_level)
    }
}

/// The server, with features and models of your own beside what settings name.
///
/// ```no_run
/// # use aml_miner::{AlertsView, CustomFeature, Part, PerAlert, Server};
/// struct Hops;
/// impl CustomFeature for Hops {
/// #    fn name(&self) -> &'static str { "hops" }
/// #    fn doc(&self) -> &'static str { "Hops." }
/// #    fn needs(&self) -> &'static [(Part, &'static str)] { &[] }
/// #    fn bind<'a>(&self, _: &'a AlertsView<'a>) -> PerAlert<'a> { Box::new(|_| f64::NAN) }
///     // ...
/// }
///
/// fn main() -> std::process::ExitCode {
///     Server::new().feature(Hops).run()
/// }
/// ```
#[derive(Default)]
pub struct Server {
    features: Vec<Arc<dyn CustomFeature>>,
    program: Program,
}

impl Server {
    /// The server as it is shipped.
    #[must_use]
    pub fn new() -> Self {
        Self { features: Vec::new(), program: Program { commit: "unknown", own: Vec::new() } }
    }

    /// Adds a feature: its name is valid in every model's schema.
    #[must_use]
    pub fn feature(mut self, feature: impl CustomFeature + 'static) -> Self {
        self.features.push(Arc::new(feature));
        self
    }

    /// Serves `model` in the place of the file that settings name. A second one of the same kind takes the first one's place.
    #[must_use]
    pub fn model(mut self, kind: ModelKind, model: impl BaseModel + 'static) -> Self {
        self.program.own.retain(|one| one.kind != kind);
        self.program.own.push(OwnModel { kind, model: Arc::new(model) });
        self
    }

    /// Says which commit the program was built from, for `/version`.
    #[must_use]
    pub fn commit(mut self, commit: &'static str) -> Self {
        self.program.commit = commit;
        self
    }

    /// Reads the process's arguments and environment and serves until a signal ends it. To be called first in `main`.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let arguments = Arguments::parse();
        if let Err(error) = register(self.features) {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
        let only_check = arguments.check;
        match Settings::read(arguments.sources()) {
            Ok(settings) if only_check => checked(&settings, &self.program),
            Ok(settings) => served(settings, self.program),
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(2)
            }
        }
    }
}

fn checked(settings: &Settings, program: &Program) -> ExitCode {
    let Checked { problems, notes } = check(settings, &program.own);
    notes.iter().for_each(|note| println!("{note}"));
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    if !problems.is_empty() {
        return ExitCode::from(2);
    }
    println!("ok: the settings are valid and all three models load");
    if let Ok(access) = reload_access(settings) {
        println!("POST /admin/reload is {access}");
    }
    ExitCode::SUCCESS
}

fn served(settings: Settings, program: Program) -> ExitCode {
    let collector = std::env::var_os(super::logging::COLLECTOR).is_some_and(|value| !value.is_empty());
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(settings, collector, program)));
    match ended {
        Ok(Ended::Drained) => ExitCode::SUCCESS,
        Ok(Ended::Cut) => ExitCode::from(3),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
