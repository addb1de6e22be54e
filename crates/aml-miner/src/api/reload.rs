//! `POST /admin/reload`: new models beside the old, checked, then swapped at once.
//!
//! Who may ask is decided at start ([`ReloadAccess`]): a listener on loopback proves nothing, because a proxy in front of
//! it lets the world in.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::access::{OnLoopback, ReloadAccess};
use super::error::{ApiError, ErrorBody, ErrorCode};
use super::state::AppState;

/// The models that are served now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reloaded {
    /// Version of the alert scorer.
    alert_scorer_version: Option<String>,
    /// Version of the alert ranker.
    alert_ranker_version: Option<String>,
    /// Version of the cluster scorer.
    cluster_scorer_version: Option<String>,
}

/// Reload the models
///
/// With the administrator's token; without one only where a setting says so and the server listens on a loopback
/// address. If any model is not good, the old ones keep serving.
#[utoipa::path(
    post, path = "/admin/reload", tag = "administration",
    responses(
        (status = 200, description = "The new models serve", body = Reloaded),
        (status = 401, description = "The token is missing or wrong", body = ErrorBody),
        (status = 403, description = "Not offered here without a token", body = ErrorBody),
        (status = 409, description = "A model is not good; the old ones keep serving", body = ErrorBody),
    )
)]
pub(super) async fn reload(
    State(app): State<AppState>,
    loopback: Option<axum::Extension<OnLoopback>>,
    headers: HeaderMap,
) -> Result<Json<Reloaded>, ApiError> {
    allow(&app, loopback.is_some(), &headers)?;
    let models = app.reload().await.map_err(|error| {
        tracing::warn!(%error, "models are not reloaded");
        let names: Vec<_> = error.0.iter().map(|(name, _)| *name).collect();
        let detail = format!("Not good: {}; the old models keep serving and the log says why", names.join(", "));
        ApiError::new(ErrorCode::ReloadFailed, detail)
    })?;
    tracing::info!("models are reloaded");
    let each = models.each();
    let version = |index: usize| each[index].1.map(|served| served.model.version().to_owned());
    Ok(Json(Reloaded {
        alert_scorer_version: version(0),
        alert_ranker_version: version(1),
        cluster_scorer_version: version(2),
    }))
}

fn allow(app: &AppState, on_loopback: bool, headers: &HeaderMap) -> Result<(), ApiError> {
    let forbidden = |detail: &str| Err(ApiError::new(ErrorCode::Forbidden, detail));
    match &app.reload_access {
        ReloadAccess::Nobody => forbidden(
            "Reloading takes a token: name a file with one in API_ADMIN_TOKEN_FILE (api.admin_token_file), or set \
             API_RELOAD_WITHOUT_TOKEN=true (api.reload_without_token) on a loopback address; SIGHUP needs neither",
        ),
        ReloadAccess::Loopback if !on_loopback => forbidden(
            "API_RELOAD_WITHOUT_TOKEN holds on a loopback address only: set API_ADMIN_TOKEN_FILE to reload from here",
        ),
        // A page in a browser on this machine is no administrator.
        ReloadAccess::Loopback if headers.contains_key(header::ORIGIN) => {
            forbidden("Not from a browser's page: set API_ADMIN_TOKEN_FILE to reload from here")
        }
        ReloadAccess::Loopback => Ok(()),
        ReloadAccess::Token(token) => has_token(token, headers),
    }
}

fn has_token(token: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    // Digests are compared, so that the time taken tells nothing about the token.
    if given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(token)) {
        Ok(())
    } else {
        Err(ApiError::new(ErrorCode::Unauthorized, "The administrator's token is missing or wrong"))
    }
}
