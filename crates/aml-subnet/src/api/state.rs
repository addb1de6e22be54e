//! What all requests share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::Clock;
use aml_miner::request_id::RequestIds;
use metrics_exporter_prometheus::PrometheusHandle;

use super::access::Access;
use super::chain_view::ChainView;
use super::dossier::Dossiers;
use super::drift::Drifts;
use super::memory::Memory;
use super::objects::Objects;
use super::plan::Plans;
use crate::config::Settings;
use crate::store::Ledger;
use crate::store::records::WeightsTarget;
use crate::validation::rules::Rules;
use crate::validator::upkeep::Upkeep;
use crate::wallet::Hotkey;

/// What must hold for the validator to be ready.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Readiness {
    /// The chain's head may stand still for so long.
    pub head_age: Duration,
    /// Weights may be so many tempos old.
    pub weights_tempos: f64,
    /// Whether weights are not set at all, so that their age says nothing.
    pub shadow: bool,
    /// Whether this serves a copy or a replica of a validator's ledger, and nobody reads the chain.
    pub mirror: bool,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { head_age: Duration::from_secs(5 * 60), weights_tempos: 3.0, shadow: false, mirror: false }
    }
}

/// The parts the API is made of.
pub struct ApiParts {
    /// Where everything comes from.
    pub ledger: Ledger,
    /// The subnet, and its mechanism.
    pub target: WeightsTarget,
    /// The validator.
    pub hotkey: Hotkey,
    /// Rules of performance.
    pub rules: Rules,
    /// How long newcomers are forgiven rounds without a submission.
    pub grace: Duration,
    /// Folder of the published files.
    pub published: PathBuf,
    /// Folder of the cached batches.
    pub batches: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The last reading of the chain.
    pub chain: Arc<ChainView>,
    /// Renders the metrics, where they are recorded.
    pub metrics: Option<PrometheusHandle>,
    /// What must hold.
    pub readiness: Readiness,
    /// What is wrong with the cache of batches.
    pub upkeep: Arc<Upkeep>,
    /// Who may read, and how much; it counts on where another state takes the place of this one.
    pub access: Arc<Access>,
}

impl ApiParts {
    /// The parts of a validator with these settings, which anybody may read.
    #[must_use]
    pub fn of(settings: &Settings, ledger: Ledger, hotkey: Hotkey, clock: Arc<dyn Clock>) -> Self {
        let validator = &settings.validator;
        Self {
            ledger,
            target: WeightsTarget { netuid: settings.netuid, mechanism: validator.mechanism },
            hotkey,
            rules: Rules::V1,
            grace: validator.grace,
            published: validator.published_dir(),
            batches: validator.data_dir.join("batches"),
            clock,
            chain: Arc::default(),
            metrics: None,
            readiness: Readiness { shadow: validator.shadow, ..Readiness::default() },
            upkeep: Arc::default(),
            access: Arc::default(),
        }
    }
}

/// What all requests share; cheap to clone.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

/// The parts behind an [`ApiState`].
pub struct Shared {
    pub(super) ledger: Ledger,
    pub(super) netuid: u16,
    pub(super) mechanism: u8,
    pub(super) hotkey: Hotkey,
    pub(super) rules: Rules,
    pub(super) grace: Duration,
    pub(super) published: PathBuf,
    pub(super) batches: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chain: Arc<ChainView>,
    pub(super) metrics: Option<PrometheusHandle>,
    pub(super) readiness: Readiness,
    pub(super) upkeep: Arc<Upkeep>,
    pub(super) access: Arc<Access>,
    pub(super) memory: Memory,
    pub(super) dossiers: Dossiers,
    pub(super) plans: Plans,
    pub(super) drifts: Drifts,
    pub(super) objects: Objects,
    pub(super) request_ids: RequestIds,
}

impl std::ops::Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl ApiState {
    /// The state of a server.
    #[must_use]
    pub fn new(parts: ApiParts) -> Self {
        let WeightsTarget { netuid, mechanism } = parts.target;
        Self(Arc::new(Shared {
            ledger: parts.ledger,
            netuid,
            mechanism,
            hotkey: parts.hotkey,
            rules: parts.rules,
            grace: parts.grace,
            published: parts.published,
            batches: parts.batches,
            clock: parts.clock,
            chain: parts.chain,
            metrics: parts.metrics,
            readiness: parts.readiness,
            upkeep: parts.upkeep,
            access: parts.access,
            memory: Memory::default(),
            dossiers: Dossiers::default(),
            plans: Plans::default(),
            drifts: Drifts::default(),
            objects: Objects::default(),
            request_ids: RequestIds::default(),
        }))
    }
}
