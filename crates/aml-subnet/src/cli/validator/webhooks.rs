//! Endpoints that are told of rounds, with their secrets.

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{ValidatorSettings, WebhookSettings};
use crate::validator::webhooks::{Secret, Webhook, WebhookParts};

/// All endpoints of the settings.
pub(super) fn open(settings: &ValidatorSettings, parts: &WebhookParts) -> anyhow::Result<Vec<Webhook>> {
    let folder = settings.shared().join("webhooks");
    let one = |one: &WebhookSettings| {
        let secret = secret(one).with_context(|| format!("validator.webhooks, {}", one.url))?;
        Ok(Webhook::open(one, secret, &folder, parts.clone())?)
    };
    settings.webhooks.iter().map(one).collect()
}

/// Whether every secret is there and good.
pub(super) fn check(settings: &ValidatorSettings) -> anyhow::Result<()> {
    for one in &settings.webhooks {
        secret(one).with_context(|| format!("validator.webhooks, {}", one.url))?;
    }
    Ok(())
}

fn secret(one: &WebhookSettings) -> anyhow::Result<Option<Secret>> {
    let text = match (&one.secret_env, &one.secret_file) {
        (Some(name), _) => std::env::var(name).with_context(|| format!("environment variable {name}"))?,
        (None, Some(path)) => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
        (None, None) => return Ok(None),
    };
    Ok(Some(Secret::parse(&text)?))
}

/// Tells each of them in its own time until `stop`.
pub(super) fn start(webhooks: Vec<Webhook>, stop: &CancellationToken) -> JoinSet<()> {
    webhooks.into_iter().map(|webhook| webhook.run(stop.clone())).collect()
}

/// Tells each of them once what there is to tell.
pub(super) async fn once(webhooks: Vec<Webhook>) {
    for mut webhook in webhooks {
        if let Err(error) = webhook.turn().await {
            tracing::warn!(%error, "a webhook could not be told; the next run tries again");
        }
    }
}
