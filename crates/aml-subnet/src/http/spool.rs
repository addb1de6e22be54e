//! Bodies that may be large: hashed while they arrive, kept in a small buffer, and beyond that in an anonymous
//! temporary file.
//!
//! Nothing of a request may go on before its signature holds, and the signature covers the whole body; so it has to be
//! kept somewhere. The file has no name and is gone when dropped. The bytes of all files together are bounded.

use std::io::{Read, Seek as _, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aml_miner::digest::Digest;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;

/// How much is read from a file at once.
const CHUNK: usize = 64 * 1024;

/// Bounds of spooling.
#[derive(Clone, Debug)]
pub struct SpoolLimits {
    /// Largest body.
    pub max_bytes: u64,
    /// Size of the buffer; a larger body goes to a file.
    pub memory_bytes: usize,
    /// Shared by all files.
    pub disk: DiskBudget,
}

/// Why a body was not kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Larger than allowed.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Too many large bodies at once.
    #[error("too many large bodies at once; try again later")]
    DiskBudget,
    /// The temporary file failed.
    #[error("temporary file: {0}")]
    Io(#[from] std::io::Error),
}

/// Bytes that may lie in temporary files at one time.
#[derive(Clone, Debug)]
pub struct DiskBudget(Arc<AtomicU64>);

impl DiskBudget {
    /// A budget of `bytes`.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    /// What is left of it.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Part of the budget, given back when dropped.
#[derive(Debug)]
struct Reserved {
    bytes: u64,
    budget: DiskBudget,
}

impl Reserved {
    fn grow(&mut self, bytes: u64) -> Result<(), SpoolError> {
        let taken = self.budget.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map_err(|_| SpoolError::DiskBudget)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// A body that is still arriving.
pub struct Spool {
    limits: SpoolLimits,
    hasher: Sha256,
    length: u64,
    buffer: Vec<u8>,
    file: Option<(tokio::fs::File, Reserved)>,
}

impl Spool {
    /// An empty one.
    #[must_use]
    pub fn new(limits: &SpoolLimits) -> Self {
        Self { limits: limits.clone(), hasher: Sha256::new(), length: 0, buffer: Vec::new(), file: None }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`SpoolError`]; the body is lost then.
    pub async fn push(&mut self, chunk: &[u8]) -> Result<(), SpoolError> {
        self.length += chunk.len() as u64;
        if self.length > self.limits.max_bytes {
            return Err(SpoolError::TooLarge(self.limits.max_bytes));
        }
        self.hasher.update(chunk);
        if self.buffer.len() + chunk.len() > self.limits.memory_bytes {
            self.flush().await?;
        }
        if chunk.len() > self.limits.memory_bytes {
            self.write(chunk).await
        } else {
            self.buffer.extend_from_slice(chunk);
            Ok(())
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// When the temporary file fails.
    pub async fn finish(mut self) -> Result<Spooled, SpoolError> {
        if self.file.is_some() {
            self.flush().await?;
        }
        let content = match self.file.take() {
            None => Content::Memory(Bytes::from(self.buffer)),
            Some((mut file, reserved)) => {
                file.flush().await?;
                file.seek(SeekFrom::Start(0)).await?;
                Content::File(file.into_std().await, reserved)
            }
        };
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        Ok(Spooled { content, digest, length: self.length })
    }

    async fn flush(&mut self) -> Result<(), SpoolError> {
        let buffer = std::mem::take(&mut self.buffer);
        self.write(&buffer).await?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.file.is_none() {
            let file = tokio::task::spawn_blocking(tempfile::tempfile).await.map_err(std::io::Error::other)??;
            let reserved = Reserved { bytes: 0, budget: self.limits.disk.clone() };
            self.file = Some((tokio::fs::File::from_std(file), reserved));
        }
        if let Some((file, reserved)) = &mut self.file {
            reserved.grow(bytes.len() as u64)?;
            file.write_all(bytes).await?;
        }
        Ok(())
    }
}

/// A whole body with its digest.
#[derive(Debug)]
pub struct Spooled {
    content: Content,
    digest: Digest,
    length: u64,
}

#[derive(Debug)]
enum Content {
    Memory(Bytes),
    File(std::fs::File, Reserved),
}

impl Spooled {
    /// SHA-256 of all bytes.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How many bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether reading blocks on a file.
    #[must_use]
    pub const fn is_on_disk(&self) -> bool {
        matches!(self.content, Content::File(..))
    }

    /// Reads it once through `look`, on a blocking thread when it lies on disk, and gives both back.
    ///
    /// # Errors
    /// When the file cannot be rewound, or `look` panicked.
    pub async fn inspect<T: Send + 'static>(
        mut self,
        look: impl FnOnce(&mut dyn Read) -> T + Send + 'static,
    ) -> std::io::Result<(Self, T)> {
        let Content::File(file, reserved) = self.content else {
            let seen = match &self.content {
                Content::Memory(bytes) => look(&mut &bytes[..]),
                Content::File(..) => look(&mut std::io::empty()),
            };
            return Ok((self, seen));
        };
        let task = tokio::task::spawn_blocking(move || {
            let mut reader = std::io::BufReader::with_capacity(CHUNK, file);
            let seen = look(&mut reader);
            let mut file = reader.into_inner();
            file.seek(SeekFrom::Start(0)).map(|_| (file, seen))
        });
        let (file, seen) = task.await.map_err(std::io::Error::other)??;
        self.content = Content::File(file, reserved);
        Ok((self, seen))
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub async fn into_bytes(self) -> std::io::Result<Bytes> {
        let length = usize::try_from(self.length).map_err(std::io::Error::other)?;
        match self.content {
            Content::Memory(bytes) => Ok(bytes),
            Content::File(mut file, _reserved) => {
                let task = tokio::task::spawn_blocking(move || {
                    let mut bytes = Vec::with_capacity(length);
                    file.read_to_end(&mut bytes).map(|_| Bytes::from(bytes))
                });
                task.await.map_err(std::io::Error::other)?
            }
        }
    }

    /// Its bytes in order.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, std::io::Result<Bytes>> {
        match self.content {
            Content::Memory(bytes) => stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed(),
            Content::File(file, reserved) => {
                let chunks = ReaderStream::with_capacity(tokio::fs::File::from_std(file), CHUNK);
                // The reservation lives as long as the stream.
                chunks
                    .map_ok(move |chunk| {
                        let _held = &reserved;
                        chunk
                    })
                    .boxed()
            }
        }
    }
}
