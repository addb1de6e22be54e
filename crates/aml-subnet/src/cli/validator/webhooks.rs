//! Endpoints that are told of rounds, with their secrets.

use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{ValidatorSettings, WebhookSettings};
use crate::validator::webhooks::{Secret, Webhook, WebhookParts};

/// How long a single run may spend on telling: endpoints may take quarter of a minute for each of a hundred messages.
const ONCE: Duration = Duration::from_secs(60);

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

/// Tells each of them once what there is to tell, all at the same time, until `stop` and for no longer than [`ONCE`].
pub(super) async fn once(webhooks: Vec<Webhook>, stop: &CancellationToken) {
    let one = |mut webhook: Webhook| async move {
        if let Err(error) = webhook.turn().await {
            tracing::warn!(%error, "a webhook could not be told; the next run tries again");
        }
    };
    let finished = together(webhooks.into_iter().map(one).collect(), ONCE, stop).await;
    if !finished {
        tracing::warn!("webhooks were not told in time; the next run tells the rest");
    }
}

/// Waits for all of these, which go on at the same time; says whether they finished. Those that did not are dropped: what was not taken
/// is sent by the next run.
async fn together(mut telling: JoinSet<()>, within: Duration, stop: &CancellationToken) -> bool {
    let all = async { while telling.join_next().await.is_some() {} };
    tokio::select! {
        () = stop.cancelled() => false,
        done = tokio::time::timeout(within, all) => done.is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use futures_util::future::{BoxFuture, FutureExt as _};
    use tokio::task::JoinSet;
    use tokio_util::sync::CancellationToken;

    use super::{ONCE, together};

    /// The first one never ends, the second one tells that it ran.
    fn telling(done: &CancellationToken) -> JoinSet<()> {
        let done = done.clone();
        let all: [BoxFuture<'static, ()>; 2] = [pending().boxed(), async move { done.cancel() }.boxed()];
        all.into_iter().collect()
    }

    #[tokio::test]
    async fn an_endpoint_that_hangs_holds_up_neither_the_others_nor_the_end() {
        let (done, never) = (CancellationToken::new(), CancellationToken::new());
        // The others are told although the first one hangs; a signal ends it then.
        assert!(!together(telling(&done), ONCE, &done).await);
        assert!(done.is_cancelled());
        assert!(!together(telling(&done), Duration::from_millis(1), &never).await, "its time is up");
        assert!(together([ready(()), ready(())].into_iter().collect(), ONCE, &never).await);
    }
}
