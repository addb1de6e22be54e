//! What all requests share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::access::ReloadAccess;
use super::engine::Engine;
use super::metrics::Metrics;
use super::models::{Loaded, Models};
use super::receive::Budget;
use crate::clock::Clock;
use crate::config::{LimitSettings, WorkSettings};
use crate::receipt::ReceiptKey;
use crate::wire::{BodyLimits, Reading};

/// Loads the models anew.
pub type Loader = Box<dyn Fn() -> Loaded + Send + Sync>;

/// The parts a server is made of.
pub struct Parts {
    /// Loads the models; called at start and for every reload.
    pub loader: Loader,
    /// Signs receipts; without it there are none.
    pub key: Option<ReceiptKey>,
    /// Threads and queue.
    pub work: WorkSettings,
    /// Bounds.
    pub limits: LimitSettings,
    /// Who may reload the models over HTTP.
    pub reload_access: ReloadAccess,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// The commit that the program was built from. The program says it, so that a new commit builds only that.
    pub commit: &'static str,
}

/// What all requests share; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// The parts behind an [`AppState`].
pub struct Shared {
    pub(super) engine: Engine,
    pub(super) metrics: Metrics,
    pub(super) budget: Arc<Budget>,
    pub(super) key: Option<Arc<ReceiptKey>>,
    pub(super) limits: LimitSettings,
    pub(super) reload_access: ReloadAccess,
    pub(super) clock: Box<dyn Clock>,
    pub(super) commit: &'static str,
    pub(super) request_ids: crate::request_id::RequestIds,
    loader: Loader,
    models: RwLock<Arc<Models>>,
    failures: RwLock<Vec<(&'static str, String)>>,
    reloading: tokio::sync::Mutex<()>,
    draining: AtomicBool,
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Why new models were not taken.
#[derive(Debug, thiserror::Error)]
#[error("the old models keep serving: {}", .0.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join("; "))]
pub struct ReloadError(pub Vec<(&'static str, String)>);

impl AppState {
    /// Starts the scoring threads and loads the models; those that do not load are logged and left out.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(parts: Parts) -> Result<Self, rayon::ThreadPoolBuildError> {
        let Loaded { models, failures } = (parts.loader)();
        for (name, why) in &failures {
            tracing::error!(model = name, %why, "model is not served");
        }
        let metrics = Metrics::new(parts.commit);
        metrics.models(&models);
        Ok(Self(Arc::new(Shared {
            engine: Engine::new(parts.work)?,
            metrics,
            budget: Budget::new(parts.limits.buffered_bytes),
            key: parts.key.map(Arc::new),
            limits: parts.limits,
            reload_access: parts.reload_access,
            clock: parts.clock,
            commit: parts.commit,
            request_ids: crate::request_id::RequestIds::default(),
            loader: parts.loader,
            models: RwLock::new(Arc::new(models)),
            failures: RwLock::new(failures),
            reloading: tokio::sync::Mutex::new(()),
            draining: AtomicBool::new(false),
        })))
    }

    /// The models of this moment.
    #[must_use]
    pub fn models(&self) -> Arc<Models> {
        Arc::clone(&self.models.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The models that were asked for and are not served, and why.
    #[must_use]
    pub fn failures(&self) -> Vec<(&'static str, String)> {
        self.failures.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loads the models anew and takes them all, or none.
    ///
    /// # Errors
    /// When any of them is not good.
    pub async fn reload(&self) -> Result<Arc<Models>, ReloadError> {
        let _one_at_a_time = self.reloading.lock().await;
        let reloaded = self.take_new_models().await;
        self.metrics.reloaded(reloaded.is_ok());
        reloaded
    }

    async fn take_new_models(&self) -> Result<Arc<Models>, ReloadError> {
        let app = self.clone();
        let loading = tokio::task::spawn_blocking(move || (app.loader)());
        let Loaded { models, failures } =
            loading.await.map_err(|error| ReloadError(vec![("loader", error.to_string())]))?;
        if !failures.is_empty() {
            return Err(ReloadError(failures));
        }
        let models = Arc::new(models);
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&models);
        self.failures.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.metrics.models(&models);
        Ok(models)
    }

    /// How busy the scoring threads are.
    #[must_use]
    pub fn engine_load(&self) -> super::engine::Load {
        self.engine.load()
    }

    /// From now on the server is not ready and takes no new work.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the server is about to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether every model that was asked for is served, there is one, and the server stays.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let any = self.models().each().iter().any(|(_, model)| model.is_some());
        any && self.failures().is_empty() && !self.is_draining()
    }

    /// How bodies are read, before it is known what is needed of them.
    pub(super) fn reading(&self) -> Reading {
        let limits = &self.limits;
        let defaults = BodyLimits::default();
        let [_, features, clusters, flows] = defaults.rows;
        let depth = u32::try_from(limits.json_depth).unwrap_or(u32::MAX);
        let rows = [limits.alerts, features, clusters, flows];
        Reading { limits: BodyLimits { rows, depth, string: limits.string_bytes, ..defaults }, ..Reading::default() }
    }
}
