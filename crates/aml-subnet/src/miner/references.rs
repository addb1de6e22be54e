//! Tasks by reference: fetched from where their descriptor says, verified, decrypted, and kept for whoever asks again.
//!
//! Nothing is fetched before the request is proven and its sender welcome. A place is a stranger's: only checked addresses are
//! called, nothing more is read than the descriptor says, and what comes has to hash to what was signed. What cannot be had
//! in time is asked for inline (`reference_unavailable`). What was fetched is kept in memory, decrypted, within bounds.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aml_miner::digest::Digest;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::failure::Failure;
use super::observe;
use crate::config::Settings;
use crate::http::fetch::{Wanted, fetch};
use crate::http::spool::{Spool, SpoolLimits, Spooled};
use crate::protocol::reference::{Descriptor, MAX_DESCRIPTOR, MEDIA_TYPE};
use crate::protocol::terms::Terms;

/// Bodies that are kept: those of the last rounds of some validators.
const MOST_KEPT: usize = 8;
/// Objects that are fetched at a time: each is in memory whole.
const AT_ONCE: usize = 2;

/// Fetches, and remembers.
pub(super) struct References {
    is_on: bool,
    allow_private_ips: bool,
    /// Largest object, and all bodies that are kept.
    most: u64,
    patience: Duration,
    spool: SpoolLimits,
    turns: Semaphore,
    /// The oldest first.
    kept: Mutex<VecDeque<(Digest, Bytes)>>,
}

/// Whether a request's body is a descriptor.
pub(super) fn is_descriptor(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(MEDIA_TYPE))
}

impl References {
    pub(super) fn of(settings: &Settings, spool: SpoolLimits) -> Self {
        let miner = &settings.miner;
        Self {
            is_on: miner.references,
            allow_private_ips: settings.validator.allow_private_ips,
            most: miner.reference_bytes,
            patience: miner.reference_timeout,
            spool,
            turns: Semaphore::new(AT_ONCE),
            kept: Mutex::default(),
        }
    }

    /// Says in an answer that tasks may come by reference.
    pub(super) fn say(&self, headers: &mut HeaderMap) {
        if self.is_on {
            headers.append(ACCEPT, HeaderValue::from_static(MEDIA_TYPE));
        }
    }

    /// The body that a descriptor stands for; the headers are its own then, as if it had come inline.
    pub(super) async fn resolve(
        &self,
        descriptor: Spooled,
        terms: Option<&Terms>,
        headers: &mut HeaderMap,
    ) -> Result<Spooled, Failure> {
        let result = self.body_of(descriptor, terms, headers).await;
        observe::reference(match &result {
            Ok(_) => "fetched",
            Err(Failure::Unavailable(_)) => "unavailable",
            Err(_) => "refused",
        });
        let bytes = result?;
        let mut spool = Spool::new(&self.spool);
        let kept = async {
            spool.push(&bytes).await?;
            spool.finish().await
        };
        kept.await.map_err(|error| Failure::of_body(&error))
    }

    async fn body_of(
        &self,
        descriptor: Spooled,
        terms: Option<&Terms>,
        headers: &mut HeaderMap,
    ) -> Result<Bytes, Failure> {
        if !self.is_on {
            return Err(Failure::Media("this miner fetches no tasks"));
        }
        if descriptor.len() > MAX_DESCRIPTOR as u64 {
            return Err(Failure::TooLarge(MAX_DESCRIPTOR as u64));
        }
        let bytes = descriptor.into_bytes().await.map_err(|error| Failure::of_body(&error.into()))?;
        let descriptor = Descriptor::read(&bytes).map_err(|error| {
            tracing::info!(%error, "a descriptor cannot be read");
            Failure::Media("such descriptors are not read here")
        })?;
        let named = terms.ok_or(Failure::Media("a task by reference is for an answer of the second form"))?;
        if named.task != descriptor.task || named.decoded != Some(descriptor.decoded) {
            return Err(Failure::Decoded);
        }
        let value =
            |text: &str| HeaderValue::from_str(text).map_err(|_| Failure::Media("the descriptor names no media type"));
        let (media, encoding) = (value(&descriptor.media)?, value(&descriptor.encoding)?);
        let body = self.get(descriptor).await?;
        headers.insert(CONTENT_TYPE, media);
        headers.insert(CONTENT_ENCODING, encoding);
        Ok(body)
    }

    async fn get(&self, descriptor: Descriptor) -> Result<Bytes, Failure> {
        let name = descriptor.name();
        if let Some(body) = self.known(&name) {
            return Ok(body);
        }
        if descriptor.object.bytes > self.most {
            return Err(Failure::Unavailable("the object is larger than this miner fetches"));
        }
        let late = Failure::Unavailable("it could not be fetched in time");
        let end = Instant::now() + self.patience;
        let Ok(Ok(_turn)) = tokio::time::timeout_at(end, self.turns.acquire()).await else { return Err(late) };
        // Another request may have fetched it while this one waited.
        if let Some(body) = self.known(&name) {
            return Ok(body);
        }
        let body = self.fetched(descriptor, end).await?;
        self.keep(name, &body);
        Ok(body)
    }

    /// From the first of its places that has it. Each has its share of the time that is left, so that a slow one does not take all.
    async fn fetched(&self, descriptor: Descriptor, end: Instant) -> Result<Bytes, Failure> {
        let mut object = None;
        for (at, url) in descriptor.places.iter().enumerate() {
            let left = u32::try_from(descriptor.places.len() - at).unwrap_or(1);
            let patience = end.saturating_duration_since(Instant::now()) / left;
            let wanted =
                Wanted { url, bytes: descriptor.object.bytes, allow_private_ips: self.allow_private_ips, patience };
            match fetch(&wanted).await {
                Ok(bytes) if Digest::of(&bytes) == descriptor.object.sha256 => {
                    object = Some(bytes);
                    break;
                }
                Ok(_) => observe::place_failed(at, "digest", "it is another object"),
                Err(error) => observe::place_failed(at, error.code(), &error.to_string()),
            }
        }
        let object = object.ok_or(Failure::Unavailable("no place gives the object that was signed"))?;
        let opened = tokio::task::spawn_blocking(move || descriptor.open(object)).await;
        let opened = opened.map_err(|_| Failure::Internal)?.map_err(|error| {
            observe::place_failed(0, error.code(), &error.to_string());
            Failure::Unavailable("the object does not open to what was signed")
        })?;
        Ok(Bytes::from(opened))
    }

    fn known(&self, name: &Digest) -> Option<Bytes> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == name).map(|(_, body)| body.clone())
    }

    fn keep(&self, name: Digest, body: &Bytes) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|(known, _)| *known == name) {
            return;
        }
        kept.push_back((name, body.clone()));
        let held = |kept: &VecDeque<(Digest, Bytes)>| kept.iter().map(|(_, body)| body.len() as u64).sum::<u64>();
        while kept.len() > MOST_KEPT || held(&kept) > self.most {
            kept.pop_front();
        }
    }
}
