//! The server as a program: settings to parts, signals to shutdown and reload.

use std::path::Path;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::access::ReloadAccess;
use super::logging::Logging;
use super::models::{Loaded, Models, OwnModel, STATE, WARN_STEPS};
use super::serve::{Ended, Ends, serve};
use super::state::{AppState, Parts};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Settings;
use crate::receipt::ReceiptKey;
use crate::scoring::Prepared;
use crate::table::date::date_of_days;

/// An administrator's token has at least this many characters.
const MIN_TOKEN: usize = 16;

/// What a program is beside its settings.
#[derive(Clone, Default)]
pub struct Program {
    /// What it was built from.
    pub commit: &'static str,
    /// Models that come from no file.
    pub own: Vec<OwnModel>,
}

/// Serves until a signal ends it.
///
/// # Errors
/// When the address, the key, the token or the threads cannot be had.
pub async fn run(settings: Settings, collector: bool, program: Program) -> anyhow::Result<Ended> {
    let logging = Logging::start(&settings.log, collector)?;
    let address = (settings.api.host, settings.api.port);
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {}:{}", address.0, address.1))?;
    let mut stops = Stops::new()?;
    let (grace, app) = (settings.api.grace, state(&settings, program)?);
    tracing::info!(address = %listener.local_addr()?, threads = app.engine.threads(), "listening");
    let reloads = tokio::spawn(reload_on_signal(app.clone(), signal(SignalKind::hangup())?));
    let (second, now) = tokio::sync::oneshot::channel::<()>();
    let stop = async move {
        stops.next().await;
        tracing::info!("stopping: requests in flight are finished");
        tokio::spawn(async move {
            stops.next().await;
            // Nobody listens when everything was finished in time.
            let _ = second.send(());
        });
    };
    let ended = serve(listener, app, Ends { stop, now: async { drop(now.await) }, grace }).await;
    reloads.abort();
    tracing::info!(?ended, "stopped");
    tokio::task::spawn_blocking(|| logging.flush()).await?;
    Ok(ended)
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Checked {
    /// What is wrong, one line each.
    pub problems: Vec<String>,
    /// What the operator may want to know, one line each.
    pub notes: Vec<String>,
}

/// Checks models and key without serving; `own` models are the program's.
#[must_use]
pub fn check(settings: &Settings, own: &[OwnModel]) -> Checked {
    let loaded = Loaded::with_own(&settings.models, own);
    let served = loaded.models.each().into_iter().filter_map(|(name, model)| Some((name, &**model?)));
    let notes = served.flat_map(|(name, model)| [Some(model_note(name, model)), explain_note(name, model)]);
    let notes = notes.flatten().collect();
    let mut problems: Vec<_> = loaded.failures.into_iter().map(|(name, why)| format!("{name}: {why}")).collect();
    if let Err(error) = reload_access(settings) {
        problems.push(format!("{error:#}"));
    }
    let key = settings.api.signing_key_file.as_deref();
    // A check makes no key: that is for the first start.
    if let Some(Err(error)) = key.filter(|path| path.exists()).map(ReceiptKey::load_or_create) {
        problems.push(error.to_string());
    }
    Checked { problems, notes }
}

/// Which model it is, and who made it.
fn model_note(name: &str, model: &Prepared) -> String {
    let (version, features) = (model.model.version(), model.model.schema().features.len());
    let made_by = model.model.made_by().map_or_else(String::new, |by| format!(" ({by})"));
    format!("{name}: {version}{made_by}, {features} features")
}

/// What explaining a model's scores costs, where that is known.
fn explain_note(name: &str, model: &Prepared) -> Option<String> {
    let steps = model.model.explain_steps()?;
    let note = format!("{name}: explaining a row takes about {steps} steps of one to two nanoseconds on one thread");
    Some(if steps > WARN_STEPS {
        format!(
            "warning: {note}: more than {WARN_STEPS}, so large explained batches will time out; train with fewer leaves"
        )
    } else {
        note
    })
}

/// Who may reload the models over HTTP.
///
/// # Errors
/// When the token cannot be read, or is too short.
pub fn reload_access(settings: &Settings) -> anyhow::Result<ReloadAccess> {
    match settings.api.admin_token_file.as_deref() {
        Some(path) => {
            let token = read_token(path).with_context(|| format!("cannot use the token file {}", path.display()))?;
            Ok(ReloadAccess::Token(token))
        }
        None if settings.api.reload_without_token => Ok(ReloadAccess::Loopback),
        None => Ok(ReloadAccess::Nobody),
    }
}

fn state(settings: &Settings, Program { commit, own }: Program) -> anyhow::Result<AppState> {
    let key = settings.api.signing_key_file.as_deref().map(ReceiptKey::load_or_create).transpose()?;
    match &key {
        Some(key) => {
            tracing::info!(public_key = %key.public_key(), "receipts are signed");
            if key.is_new() {
                tracing::warn!(
                    public_key = %key.public_key(),
                    file = %settings.api.signing_key_file.as_deref().unwrap_or(Path::new("")).display(),
                    "A NEW RECEIPT KEY WAS MADE. Validators that know this miner by another key reject its answers, until the \
                     old key file is back or the hotkey vouches for the new key: MINER_RECEIPT_KEY of `aml-subnet miner`"
                );
            }
        }
        None => tracing::warn!("there is no signing key: answers carry no receipts"),
    }
    let reload_access = reload_access(settings)?;
    tracing::info!("POST /admin/reload is {reload_access}");
    let paths = settings.models.clone();
    let parts = Parts {
        loader: Box::new(move || Loaded::with_own(&paths, &own)),
        key,
        work: settings.work,
        limits: settings.limits,
        reload_access,
        clock: Box::new(SystemClock),
        commit,
    };
    let app = AppState::new(parts)?;
    if let Some((_, why)) = app.failures().into_iter().find(|(name, _)| *name == STATE) {
        anyhow::bail!(why);
    }
    tell_state(&app.models());
    Ok(app)
}

/// Says which state of addresses is asked; one that is too old for today is pointed out.
fn tell_state(models: &Models) {
    let asked = models.each().into_iter().find_map(|(_, model)| model?.history());
    let Some((state, last)) = asked.and_then(|state| Some((state, state.last_day()?))) else { return };
    let (day, sha256) =
        (date_of_days(last).unwrap_or_default(), state.sha256().map_or_else(String::new, |one| one.to_string()));
    tracing::info!(last_day = %day, addresses = state.addresses(), %sha256, "state of addresses");
    let today = i32::try_from(SystemClock.now().as_secs() / 86_400).unwrap_or(i32::MAX);
    if today > last.saturating_add(2) {
        tracing::warn!(last_day = %day, "the state of addresses is old: build it anew every day (aml-miner-batch history), then reload");
    }
}

fn read_token(path: &Path) -> anyhow::Result<String> {
    let token = std::fs::read_to_string(path)?.trim().to_owned();
    anyhow::ensure!(token.len() >= MIN_TOKEN, "a token has at least {MIN_TOKEN} characters");
    Ok(token)
}

async fn reload_on_signal(app: AppState, mut hangups: Signal) {
    while hangups.recv().await.is_some() {
        match app.reload().await {
            Ok(_) => tracing::info!("models are reloaded"),
            Err(error) => tracing::warn!(%error, "models are not reloaded"),
        }
    }
}

/// The signals that end a server.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
