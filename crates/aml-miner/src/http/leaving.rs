//! A connection that notices when its caller is gone while an answer is being made.
//!
//! A caller that has closed its connection looks like one that has only finished sending and waits for its answer. So,
//! when nothing more can come and the answer is not there after a moment, an interim answer (`100 Continue`, which every
//! client of HTTP/1.1 passes over) is sent: the system of a caller that is gone refuses it, and then the connection ends,
//! and the work for it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response, Version};
use futures_util::task::AtomicWaker;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long an answer may take before a caller that finished sending is asked, and between two looks.
const PAUSE: Duration = Duration::from_millis(10);
const QUESTION: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// No whole request is here that has no whole answer.
const IDLE: u8 = 0;
/// A whole request is here and nothing of its answer.
const MAKING: u8 = 1;
/// An answer is on its way.
const ANSWERING: u8 = 2;

/// What a connection is busy with; both ends of it know.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<State>);

#[derive(Debug, Default)]
struct State {
    stage: AtomicU8,
    /// Whoever was told that nothing comes yet.
    reader: AtomicWaker,
}

impl Progress {
    fn set(&self, stage: u8) {
        self.0.stage.store(stage, Ordering::Release);
        self.0.reader.wake();
    }

    fn is(&self, stage: u8) -> bool {
        self.0.stage.load(Ordering::Acquire) == stage
    }

    /// A request with its body watched: once all of it is here, its answer is being made.
    pub(super) fn watch<B>(&self, request: Request<B>) -> Request<Body>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        // Older clients know no interim answers.
        let known = request.version() == Version::HTTP_11;
        if known && request.body().is_end_stream() {
            self.set(MAKING);
        }
        let progress = known.then(|| self.clone());
        request.map(|body| Body::new(Arriving { body: Body::new(body), progress }))
    }

    /// An answer with its body watched: once that is gone, the exchange is over.
    pub(super) fn answered(&self, response: Response<Body>) -> Response<Body> {
        self.set(ANSWERING);
        let over = Over(self.clone());
        response.map(|body| Body::new(Leaving { body, _over: over }))
    }
}

/// Ends an exchange when dropped.
#[derive(Debug)]
struct Over(Progress);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.set(IDLE);
    }
}

/// The body of a request.
struct Arriving {
    body: Body,
    progress: Option<Progress>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if (frame.is_none() || self.body.is_end_stream())
            && let Some(progress) = self.progress.take()
        {
            progress.set(MAKING);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer.
struct Leaving {
    body: Body,
    _over: Over,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that ends for its reader only when no answer is due, and fails when the caller is gone before it.
///
/// The reader must look for the end of the stream during an exchange, as hyper does without `half_close`.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    progress: Progress,
    ended: bool,
    asked: bool,
    /// Whether bytes wait for room: nothing may be sent between them.
    blocked: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    /// Watches `inner` during the exchanges that `progress` tells of.
    pub(super) fn new(inner: S, progress: Progress) -> Self {
        Self { inner, progress, ended: false, asked: false, blocked: false, pause: None }
    }

    /// Waits until the caller is gone (an error) or the exchange is over.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.progress.0.reader.register(cx.waker());
            if self.progress.is(IDLE) {
                self.pause = None;
                return Poll::Ready(Ok(()));
            }
            if self.progress.is(ANSWERING) {
                return Poll::Pending;
            }
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + PAUSE)));
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
            // Once asked, an empty write tells whether the question was refused.
            let bytes = if self.asked { &[][..] } else { QUESTION };
            if !self.blocked
                && let Poll::Ready(sent) = Pin::new(&mut self.inner).poll_write(cx, bytes)
            {
                sent?;
                self.asked = true;
            }
        }
    }

    fn note<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.blocked = written.is_pending();
        written
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.ended {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
            if buf.filled().len() > before || buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            self.ended = true;
        }
        self.poll_gone(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, pieces);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
