//! `aml-miner-serve`: scores, ranks and explains alerts over HTTP.

use std::path::PathBuf;
use std::process::ExitCode;

use aml_miner::api::run::{Checked, check, reload_access, run};
use aml_miner::api::serve::Ended;
use aml_miner::config::{Settings, Sources};
use clap::Parser;

/// The commit this is built from: what the build says, else what git says, else `unknown`. It is asked for here and
/// not in the library, so that a new commit builds this file alone.
const COMMIT: &str = match option_env!("AML_GIT_COMMIT") {
    Some(commit) => commit,
    None => git_version::git_version!(args = ["--always", "--abbrev=40", "--exclude=*"], fallback = "unknown"),
};

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
            .flag("log.level", self.log_level)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let only_check = arguments.check;
    let settings = match Settings::read(arguments.sources()) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if only_check {
        let Checked { problems, notes } = check(&settings);
        notes.iter().for_each(|note| println!("{note}"));
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        if !problems.is_empty() {
            return ExitCode::from(2);
        }
        println!("ok: the settings are valid and all three models load");
        if let Ok(access) = reload_access(&settings) {
            println!("POST /admin/reload is {access}");
        }
        return ExitCode::SUCCESS;
    }
    let collector = std::env::var_os(aml_miner::api::logging::COLLECTOR).is_some_and(|value| !value.is_empty());
    let served = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(settings, collector, COMMIT)));
    match served {
        Ok(Ended::Drained) => ExitCode::SUCCESS,
        Ok(Ended::Cut) => ExitCode::from(3),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
