//! One scoring request from its headers to its signed answer.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request};
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::content::Content;
use super::cost::Explained;
use super::engine::Work;
use super::error::{ApiError, ErrorCode, stopped};
use super::form::Form;
use super::kind::{Kind, Scored};
use super::models::Models;
use super::query::Strict;
use super::receive::{Received, receive};
use super::scoring::{self, Rows, Style};
use super::state::AppState;
use super::warnings::{self, Warnings};
use crate::data::arrow_stream::MEDIA_TYPE as ARROW;
use crate::digest::Digest;
use crate::features::{BuildError, Matrix};
use crate::receipt::{self, InputForm, Statement};
use crate::scoring::{Choice, Named, Prepared, Stop, Stopped, severe};
use crate::wire::{self, Batch, Explain, Needs, Reading, TextColumn};

/// Bytes of a body that is read on the threads for small requests: some hundred microseconds.
const QUICK_BYTES: usize = 64 << 10;
/// Rows that are scored there: more are a batch.
const QUICK_ROWS: usize = 16;
/// Bytes of a body from which on it is a large batch: some thousand alerts, or a tenth of a second.
const LARGE_BYTES: usize = 16 << 20;

fn model_of(models: &Models, name: &'static str) -> Result<Arc<Prepared>, ApiError> {
    let found = models.each().into_iter().find_map(|(known, model)| model.filter(|_| known == name));
    let missing = || ApiError::new(ErrorCode::NoModel, format!("The model {name} is not loaded"));
    found.cloned().ok_or_else(missing)
}

/// A request that is ready to be scored.
struct Job {
    kind: Kind,
    content: Content,
    form: Form,
    explain: Explain,
    strict: Strict,
    /// What the models read.
    needs: Needs,
    model: Arc<Prepared>,
    /// The alert scorer, where the clusters' features include its scores.
    scorer: Option<Arc<Prepared>>,
    reading: Reading,
    received: Received,
    app: AppState,
    arrived: Instant,
}

/// A job whose body is read.
struct Read {
    job: ReadJob,
    body: wire::Body,
    /// Where receipts are signed.
    input: Option<(Digest, InputForm)>,
    bytes_in: usize,
    started: Instant,
}

/// What a job still needs once its body is read.
struct ReadJob {
    kind: Kind,
    form: Form,
    explain: Explain,
    strict: Strict,
    needs: Needs,
    model: Arc<Prepared>,
    scorer: Option<Arc<Prepared>>,
    app: AppState,
    arrived: Instant,
}

/// How far the threads for small requests got.
enum Quick {
    Done(Answer),
    /// It is a batch after all.
    Large(Box<Read>),
}

/// An answer and what its receipt needs.
struct Answer {
    form: Form,
    bytes: Vec<u8>,
    receipt: Option<String>,
    warnings: Option<String>,
    scored: Scored,
}

/// Answers `request`.
pub(super) async fn answer(app: AppState, kind: Kind, request: Request) -> Result<Response, ApiError> {
    let arrived = Instant::now();
    let (mut parts, body) = request.into_parts();
    let models = app.models();
    let model = model_of(&models, kind.model())?;
    let scorer = model.takes_alert_scores().then(|| model_of(&models, Kind::ScoreAlerts.model())).transpose()?;
    let explain = Explain::from_request_parts(&mut parts, &()).await?;
    let strict = Strict::from_request_parts(&mut parts, &()).await?;
    let (content, form) = (Content::of(&parts.headers)?, Form::of(&parts.headers));
    // A full queue is told before the body is sent; the place itself is taken when there is something to score.
    drop(app.engine.admit()?);
    let received = receive(&parts.headers, body, &app.limits, &app.budget).await?;
    let _place = app.engine.admit()?;
    let needs = scorer.as_ref().map_or(model.needs, |scorer| model.needs.and(scorer.needs));
    let columns = needs.and(model.needs_for(explain));
    let reading = Reading { needs: columns, required: kind.table(), ..app.reading() };
    let job = Job {
        kind,
        content,
        form,
        explain,
        strict,
        needs,
        model,
        scorer,
        reading,
        received,
        app: app.clone(),
        arrived,
    };
    Ok(respond(run(&app, job).await?))
}

/// A few rows are answered at once, on threads of their own; a batch when it is its turn.
async fn run(app: &AppState, job: Job) -> Result<Answer, ApiError> {
    let bytes = job.received.bytes.len();
    if bytes > QUICK_BYTES {
        let work = if bytes > LARGE_BYTES { Work::Large } else { Work::Batch };
        return app.engine.run(work, |stop| job.read(stop)?.score(stop)).await;
    }
    let quick = |stop: &Stop| {
        let read = job.read(stop)?;
        Ok(if read.rows() <= QUICK_ROWS { Quick::Done(read.score(stop)?) } else { Quick::Large(Box::new(read)) })
    };
    match app.engine.run(Work::Quick, quick).await? {
        Quick::Done(answer) => Ok(answer),
        Quick::Large(read) => app.engine.run(Work::Batch, |stop| read.score(stop)).await,
    }
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, answer.form.content_type());
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    // Bodies may come as Arrow too (RFC 9110, 12.5.1): who asks again sends less.
    response.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(ARROW));
    if let Some(receipt) = answer.receipt.and_then(|receipt| HeaderValue::try_from(receipt).ok()) {
        response.headers_mut().insert(receipt::HEADER, receipt);
    }
    if let Some(warnings) = answer.warnings.and_then(|warnings| HeaderValue::try_from(warnings).ok()) {
        response.headers_mut().insert(warnings::HEADER, warnings);
    }
    response.extensions_mut().insert(answer.scored);
    response
}

impl Job {
    fn read(self, stop: &Stop) -> Result<Read, ApiError> {
        stop.check().map_err(stopped)?;
        let started = Instant::now();
        let Self { kind, content, form, explain, strict, needs, model, scorer, reading, received, app, arrived } = self;
        let bytes_in = received.bytes.len();
        // The digest of a large body takes as long as a good part of its reading: both at once.
        let mut room = received.room(&app.limits);
        let read = || content.body(&received.bytes, &reading, &mut room, stop);
        let signed = app.key.is_some();
        let (input, body) = rayon::join(|| signed.then(|| (Digest::of(&received.bytes), content.input_form())), read);
        drop(room);
        // The body is the largest thing held: it goes before the matrix comes.
        drop(received);
        let job = ReadJob { kind, form, explain, strict, needs, model, scorer, app, arrived };
        Ok(Read { job, body: body?, input, bytes_in, started })
    }
}

impl Read {
    /// Rows of the answer.
    fn rows(&self) -> usize {
        let batch = &self.body.batch;
        if self.job.kind == Kind::ScoreClusters { batch.clusters.rows() } else { batch.alerts.rows() }
    }

    /// Refuses an explanation of `rows` rows that cannot end in time.
    fn in_time(&self, rows: usize) -> Result<(), ApiError> {
        let ReadJob { model, app, arrived, .. } = &self.job;
        match model.model.explain_steps().filter(|_| rows > 0) {
            None => Ok(()),
            Some(steps) => {
                let threads = app.engine.threads();
                Explained { rows, steps, threads }.in_time(*arrived, app.limits.request_time)
            }
        }
    }

    fn score(self, stop: &Stop) -> Result<Answer, ApiError> {
        // A rank has no explanation.
        let explain = if self.job.kind == Kind::RankAlerts { Explain::None } else { self.job.explain };
        let severe = severe(explain, self.job.model.model.schema().rows, &self.body.batch);
        self.in_time(explain.most(self.rows(), severe.iter().filter(|severe| **severe).count()))?;
        let Self { job, body: wire::Body { batch, other_keys }, input, bytes_in, started } = self;
        let (kind, form, model) = (job.kind, job.form, &*job.model);
        let matrix = matrix(model, job.scorer.as_deref(), &batch, stop)?;
        let history = model.history().or_else(|| job.scorer.as_deref().and_then(Prepared::history));
        let warnings =
            Warnings::of(&batch, &other_keys, job.needs, &matrix).of_state(history.map(|history| &**history), &batch);
        if job.strict.0
            && let Some(refusal) = warnings.refusal(job.app.reading().limits.problems)
        {
            return Err(refusal);
        }
        let table = if kind == Kind::ScoreClusters { &batch.clusters } else { &batch.alerts };
        let none = TextColumn::default();
        let ids = table.texts(kind.id_key()).unwrap_or(&none).clone();
        drop(batch);
        let rows = Rows { matrix: &matrix, ids: &ids };
        let bytes = match kind {
            Kind::RankAlerts => scoring::rank(model, rows, form, stop),
            _ => {
                let named = Named { ids: &ids, severe: &severe };
                Choice::of(explain, model, &matrix, named, stop).and_then(|choice| {
                    let style = Style { form, id_key: kind.id_key(), choice: &choice, started };
                    scoring::score(model, rows, style, stop)
                })
            }
        };
        let bytes = bytes.map_err(stopped)?;
        let receipt = job.app.key.as_ref().zip(input).map(|(key, (input, form))| {
            let statement = Statement {
                input,
                form,
                output: Digest::of(&bytes),
                model_version: model.model.version().to_owned(),
                model: model.model.digest(),
                schema: model.schema_hash,
                state: model.state.or_else(|| job.scorer.as_deref().and_then(|scorer| scorer.state)),
                timestamp: u64::try_from(job.app.clock.now().as_millis()).unwrap_or(u64::MAX),
            };
            key.sign(&statement).to_header()
        });
        let scored = Scored { kind, rows: ids.len(), bytes_in, warned: warnings.counts() };
        Ok(Answer { form, bytes, receipt, warnings: warnings.header(), scored })
    }
}

fn matrix(model: &Prepared, scorer: Option<&Prepared>, batch: &Batch, stop: &Stop) -> Result<Matrix, ApiError> {
    stop.check().map_err(stopped)?;
    let scores = match scorer {
        None => None,
        Some(scorer) => {
            let matrix = scorer.matrix_until(batch, None, stop).map_err(unbuilt)?;
            Some(scorer.scores(&matrix, stop).map_err(stopped)?)
        }
    };
    model.matrix_until(batch, scores.as_deref(), stop).map_err(unbuilt)
}

fn unbuilt(error: BuildError) -> ApiError {
    match error {
        BuildError::Stopped => stopped(Stopped),
        error => ApiError::internal(error),
    }
}
