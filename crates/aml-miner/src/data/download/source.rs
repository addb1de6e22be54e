//! Where batches come from: a base URL or a directory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, PutOptions, PutPayload, RetryConfig};

use crate::error_chain::with_causes;
use crate::secret_url::{hide, shown};

/// Time to open a connection: longer than any healthy handshake.
const CONNECT: Duration = Duration::from_secs(10);

/// A place with batch directories in it, or with other objects.
#[derive(Clone, Debug)]
pub struct Source {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) root: Path,
}

/// Where batches come from, for messages: a directory as it is, a URL by scheme and host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(String);

impl Base {
    /// What may be shown of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text.split_once("://") {
            Some((scheme, _)) if scheme != "file" => Self(shown(text)),
            _ => Self(text.to_owned()),
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a store says of itself, without whatever may be secret in the URLs that it quotes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Said {
    text: String,
    /// Whether it cannot do what was asked for.
    pub(super) unsupported: bool,
}

impl Said {
    pub(super) fn of(error: &object_store::Error) -> Self {
        let unsupported = matches!(error, object_store::Error::NotSupported { .. });
        Self { text: hide(&with_causes(error)), unsupported }
    }
}

/// A base URL that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Not one of the forms.
    #[error("`{0}` is not a base URL: give http(s)://host/path, s3://bucket/path, file:///path or a directory")]
    Form(Base),
    /// This program was built without what it takes.
    #[error("`{url}` needs the feature `{feature}`, which this program was built without")]
    NotBuilt {
        /// The base URL.
        url: Base,
        /// The feature of this crate.
        feature: &'static str,
    },
    /// The store refuses it.
    #[error("cannot use `{url}`: {source}")]
    Store {
        /// The base URL.
        url: Base,
        /// Why not.
        source: Said,
    },
}

impl Source {
    /// The source at `url`: `http(s)://host/path`, `s3://bucket/path`, `file:///path` or a directory. Keys and region of
    /// S3 come from the usual `AWS_*` variables.
    ///
    /// # Errors
    /// When the URL has another form or the store refuses it.
    pub fn parse(url: &str) -> Result<Self, SourceError> {
        let failed = |error| SourceError::Store { url: Base::of(url), source: Said::of(&error) };
        match url.split_once("://") {
            Some(("http" | "https", rest)) if !rest.is_empty() && !rest.contains(['?', '#']) => {
                let builder = HttpBuilder::new().with_url(url).with_client_options(client()).with_retry(no_retry());
                Ok(Self { store: Arc::new(builder.build().map_err(failed)?), root: Path::default() })
            }
            Some(("s3", rest)) if !rest.is_empty() => Self::bucket(url, rest),
            Some(("file", path)) => Self::directory(url, path),
            None if !url.is_empty() => Self::directory(url, url),
            _ => Err(SourceError::Form(Base::of(url))),
        }
    }

    /// Writes an object below the base, in place of one of that name.
    ///
    /// # Errors
    /// What the store says.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Said> {
        let path = self.root.clone().join(name);
        let put = self.store.put_opts(&path, PutPayload::from_bytes(bytes), PutOptions::default()).await;
        put.map(drop).map_err(|error| Said::of(&error))
    }

    #[cfg(feature = "s3")]
    fn bucket(url: &str, rest: &str) -> Result<Self, SourceError> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let builder = object_store::aws::AmazonS3Builder::from_env();
        let store = builder.with_bucket_name(bucket).with_retry(no_retry()).build();
        let store = store.map_err(|error| SourceError::Store { url: Base::of(url), source: Said::of(&error) })?;
        Ok(Self { store: Arc::new(store), root: Path::from(prefix) })
    }

    #[cfg(not(feature = "s3"))]
    fn bucket(url: &str, _rest: &str) -> Result<Self, SourceError> {
        Err(SourceError::NotBuilt { url: Base::of(url), feature: "s3" })
    }

    fn directory(url: &str, path: &str) -> Result<Self, SourceError> {
        let store = LocalFileSystem::new_with_prefix(path)
            .map_err(|error| SourceError::Store { url: Base::of(url), source: Said::of(&error) })?;
        Ok(Self { store: Arc::new(store), root: Path::default() })
    }
}

/// No bound on a whole request: stalls and the file's deadline are watched where the bytes arrive.
fn client() -> ClientOptions {
    ClientOptions::new().with_allow_http(true).with_timeout_disabled().with_connect_timeout(CONNECT)
}

/// Retries are made by the fetcher, which also continues files.
fn no_retry() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}
