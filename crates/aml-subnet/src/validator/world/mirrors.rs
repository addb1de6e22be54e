//! Where the objects of tasks are put, and under which URLs miners fetch them.
//!
//! A place that does not take an object in time is left out of the round: whoever cannot fetch is sent the task inline.

use std::time::Duration;

use aml_miner::data::download::{Source, SourceError};
use aml_miner::digest::Digest;
use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};

use crate::config::{MirrorSettings, ReferenceSettings};

/// How long one place has to take an object.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes objects.
pub trait Mirrors: Send + Sync {
    /// Whether there is any place at all.
    fn are_there(&self) -> bool;

    /// Puts an object there under its digest; the URLs that it can be fetched from now, the best one first.
    fn put(&self, object: Digest, bytes: Bytes) -> BoxFuture<'_, Vec<String>>;
}

/// No place: every task is sent inline.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMirrors;

impl Mirrors for NoMirrors {
    fn are_there(&self) -> bool {
        false
    }

    fn put(&self, _object: Digest, _bytes: Bytes) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async { Vec::new() })
    }
}

/// The operator's object stores, and the validator's own route.
#[derive(Debug)]
pub struct Stores {
    stores: Vec<(Source, String)>,
    /// URL of the read API, which serves objects itself.
    own: Option<String>,
}

/// A store that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("validator.references.mirrors: {0}")]
pub struct NoStore(#[from] SourceError);

impl Stores {
    /// The places that settings name.
    ///
    /// # Errors
    /// When a store cannot be used.
    pub fn of(settings: &ReferenceSettings) -> Result<Self, NoStore> {
        let store = |mirror: &MirrorSettings| {
            Ok::<_, NoStore>((Source::parse(mirror.store.expose())?, mirror.url.trim_end_matches('/').to_owned()))
        };
        let stores = settings.mirrors.iter().map(store).collect::<Result<_, _>>()?;
        let own = settings.serve.as_ref().map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self { stores, own })
    }
}

impl Mirrors for Stores {
    fn are_there(&self) -> bool {
        self.own.is_some() || !self.stores.is_empty()
    }

    fn put(&self, object: Digest, bytes: Bytes) -> BoxFuture<'_, Vec<String>> {
        let put = move |(store, url): &'_ (Source, String)| {
            let (store, url, bytes) = (store.clone(), url.clone(), bytes.clone());
            async move {
                let name = object.to_string();
                let why = match tokio::time::timeout(PATIENCE, store.put(&name, bytes)).await {
                    Ok(Ok(())) => return Some(format!("{url}/{name}")),
                    Ok(Err(said)) => said.to_string(),
                    Err(_) => format!("it took longer than {} s", PATIENCE.as_secs()),
                };
                tracing::warn!(
                    mirror = url,
                    why,
                    "a mirror does not take the object of the task; the round goes without it"
                );
                metrics::counter!("aml_validator_mirror_failures_total").increment(1);
                None
            }
        };
        let puts = join_all(self.stores.iter().map(put));
        // Last, so that the validator's own line carries only what no mirror does.
        let own = self.own.as_ref().map(|own| format!("{own}/objects/{object}"));
        Box::pin(async move { puts.await.into_iter().flatten().chain(own).collect() })
    }
}
