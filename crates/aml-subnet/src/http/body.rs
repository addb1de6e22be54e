//! The body of a request as a rope, so that what all miners are sent alike lies in memory once.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use aml_miner::digest::Digest;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use sha2::{Digest as _, Sha256};

use super::lanes::Upload;

/// Bytes that are handed to a connection at once.
const STEP: usize = 1 << 20;

/// Bytes in pieces. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct RequestBody {
    pieces: Vec<Bytes>,
    length: u64,
    meter: Option<Arc<AtomicU64>>,
}

impl From<Vec<Bytes>> for RequestBody {
    fn from(mut pieces: Vec<Bytes>) -> Self {
        pieces.retain(|piece| !piece.is_empty());
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { pieces, length, meter: None }
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self::from(vec![bytes])
    }
}

impl RequestBody {
    /// The same; what goes out of it is counted.
    #[must_use]
    pub fn metered(self, meter: Arc<AtomicU64>) -> Self {
        Self { meter: Some(meter), ..self }
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

    /// SHA-256 of all bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        self.pieces.iter().for_each(|piece| hasher.update(piece));
        Digest::from_bytes(hasher.finalize().into())
    }

    /// In one piece; a copy unless it is one already.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self.pieces.as_slice() {
            [] => Bytes::new(),
            [only] => only.clone(),
            pieces => Bytes::from(pieces.concat()),
        }
    }

    /// On its way; nothing goes out before `gate` opens. It keeps `upload` until everything is out.
    pub(super) fn sending(self, gate: Option<Gate>, upload: Option<Upload>) -> Sending {
        Sending { pieces: self.pieces.into(), left: self.length, meter: self.meter, gate, upload }
    }
}

/// What a body waits for.
pub(super) type Gate = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A body on its way.
pub(super) struct Sending {
    pieces: VecDeque<Bytes>,
    left: u64,
    meter: Option<Arc<AtomicU64>>,
    gate: Option<Gate>,
    upload: Option<Upload>,
}

impl Sending {
    /// The next bytes, few enough to see whether they move.
    fn next(&mut self) -> Option<Bytes> {
        let front = self.pieces.front_mut()?;
        if front.len() > STEP { Some(front.split_to(STEP)) } else { self.pieces.pop_front() }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(gate) = &mut self.gate {
            ready!(gate.as_mut().poll(context));
            self.gate = None;
        }
        let piece = self.next();
        let taken = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        self.left -= taken;
        if let Some(meter) = &self.meter {
            meter.fetch_add(taken, Ordering::Relaxed);
        }
        match &self.upload {
            Some(upload) if self.left > 0 => upload.moves(),
            _ => self.upload = None,
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
