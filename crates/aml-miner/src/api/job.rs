//! One scoring request from its headers to its signed answer.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request};
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::content::Content;
use super::error::{ApiError, ErrorCode};
use super::models::{Models, Served};
use super::query::Explain;
use super::receive::{Received, receive};
use super::scoring::{self, Style};
use super::state::AppState;
use crate::digest::Digest;
use crate::models::blocks::predict;
use crate::receipt::{self, Statement};
use crate::wire::{Batch, Reading, TextColumn};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ScoreAlerts,
    RankAlerts,
    ScoreClusters,
}

impl Kind {
    fn table(self) -> &'static str {
        if self == Self::ScoreClusters { "clusters" } else { "alerts" }
    }

    fn id_key(self) -> &'static str {
        if self == Self::ScoreClusters { "cluster_id" } else { "alert_id" }
    }

    fn model(self, models: &Models) -> Result<Arc<Served>, ApiError> {
        let [scorer, ranker, clusters] = models.each();
        let (name, model) = match self {
            Self::ScoreAlerts => scorer,
            Self::RankAlerts => ranker,
            Self::ScoreClusters => clusters,
        };
        model.cloned().ok_or_else(|| no_model(name))
    }
}

fn no_model(name: &str) -> ApiError {
    ApiError::new(ErrorCode::NoModel, format!("The model {name} is not loaded"))
}

/// What a scoring request was about, for log and metrics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub kind: Kind,
    pub rows: usize,
    pub bytes_in: usize,
}

/// A request that is ready to be scored.
struct Job {
    kind: Kind,
    content: Content,
    explain: Explain,
    served: Arc<Served>,
    /// The alert scorer, where the clusters' features include its scores.
    scorer: Option<Arc<Served>>,
    reading: Reading,
    received: Received,
    app: AppState,
}

/// An answer and what its receipt needs.
struct Answer {
    bytes: Vec<u8>,
    receipt: Option<String>,
    scored: Scored,
}

/// Answers `request`.
pub(super) async fn answer(app: AppState, kind: Kind, request: Request) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let models = app.models();
    let served = kind.model(&models)?;
    let scorer = match (served.takes_alert_scores(), &models.alert_scorer) {
        (true, None) => return Err(no_model("alert_scorer")),
        (true, Some(scorer)) => Some(Arc::clone(scorer)),
        (false, _) => None,
    };
    let explain = Explain::from_request_parts(&mut parts, &()).await?;
    let content = Content::of(&parts.headers)?;
    // A full queue is told before the body is sent; the place itself is taken when there is something to score.
    drop(app.engine.admit()?);
    let received = receive(&parts.headers, body, &app.limits, &app.budget).await?;
    let place = app.engine.admit()?;
    let needs = scorer.as_ref().map_or(served.needs, |scorer| served.needs.and(scorer.needs));
    let reading = Reading { needs, required: kind.table(), ..app.reading() };
    let job = Job { kind, content, explain, served, scorer, reading, received, app: app.clone() };
    let answer = app.engine.run(place, move || job.run()).await?;
    Ok(respond(answer))
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(receipt) = answer.receipt.and_then(|receipt| HeaderValue::try_from(receipt).ok()) {
        response.headers_mut().insert(receipt::HEADER, receipt);
    }
    response.extensions_mut().insert(answer.scored);
    response
}

impl Job {
    fn run(self) -> Result<Answer, ApiError> {
        let started = Instant::now();
        let Self { kind, content, explain, served, scorer, reading, received, app } = self;
        let bytes_in = received.bytes.len();
        // The digest of a large body takes as long as a good part of its reading: both at once.
        let (input, batch) = rayon::join(|| Digest::of(&received.bytes), || content.batch(&received.bytes, &reading));
        let batch = batch?;
        // The body is the largest thing held: it goes before the matrix comes.
        drop(received);
        let matrix = matrix(&served, scorer.as_deref(), &batch)?;
        let table = if kind == Kind::ScoreClusters { &batch.clusters } else { &batch.alerts };
        let none = TextColumn::default();
        let ids = table.texts(kind.id_key()).unwrap_or(&none).clone();
        drop(batch);
        let rows = ids.len();
        let bytes = match kind {
            Kind::RankAlerts => scoring::rank(&served, &matrix, &ids),
            _ => scoring::score(&served, &matrix, &ids, Style { id_key: kind.id_key(), explain, started }),
        };
        let receipt = app.key.as_ref().map(|key| {
            let statement = Statement {
                input,
                output: Digest::of(&bytes),
                model_version: served.model.version().to_owned(),
                model: served.model.digest(),
                schema: served.schema_hash,
                timestamp: u64::try_from(app.clock.now().as_millis()).unwrap_or(u64::MAX),
            };
            key.sign(&statement).to_header()
        });
        Ok(Answer { bytes, receipt, scored: Scored { kind, rows, bytes_in } })
    }
}

fn matrix(served: &Served, scorer: Option<&Served>, batch: &Batch) -> Result<crate::features::Matrix, ApiError> {
    let scores = match scorer {
        None => None,
        Some(scorer) => {
            let matrix = scorer.matrix(batch, None).map_err(ApiError::internal)?;
            Some(predict(&*scorer.model, &matrix))
        }
    };
    served.matrix(batch, scores.as_deref()).map_err(ApiError::internal)
}
