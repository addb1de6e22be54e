//! A line that all stand-ins share: so many bits a second in each direction, as a bucket of tokens, and what went over it.
//!
//! What is read is waited for after it was read, so that the sender's socket fills and it has to wait, as on a real line.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What may go at once after a pause.
const BURST: Duration = Duration::from_millis(20);
/// Bytes that are written at once.
const PIECE: usize = 64 * 1024;

/// One direction.
struct Bucket {
    bytes_a_second: f64,
    free_at: Mutex<Instant>,
    passed: AtomicU64,
}

impl Bucket {
    fn of(bits: u64) -> Self {
        let bytes_a_second = bits as f64 / 8.0;
        Self { bytes_a_second, free_at: Mutex::new(Instant::now()), passed: AtomicU64::new(0) }
    }

    /// Lets so many bytes pass, when it is their turn.
    async fn pass(&self, bytes: usize) {
        if let Some(turn) = self.turn(bytes, Instant::now()) {
            tokio::time::sleep_until(turn).await;
        }
    }

    /// Counts so many bytes that come `now`, and says when it is their turn; `None` on a line that carries any number.
    fn turn(&self, bytes: usize, now: Instant) -> Option<Instant> {
        self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
        let takes = (self.bytes_a_second > 0.0).then(|| Duration::from_secs_f64(bytes as f64 / self.bytes_a_second))?;
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        *free_at = (*free_at).max(now.checked_sub(BURST).unwrap_or(now)) + takes;
        Some(*free_at)
    }
}

/// What went over a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) to_miners: u64,
    pub(super) to_validator: u64,
    pub(super) requests: u64,
    /// Bytes of objects that miners fetched from elsewhere, not over the line.
    pub(super) fetched: u64,
}

/// A line.
pub(super) struct Link {
    to_miners: Bucket,
    to_validator: Bucket,
    requests: AtomicU64,
    fetched: AtomicU64,
}

impl Link {
    /// A line of so many bits a second in each direction; 0 for any number.
    pub(super) fn of(bits: u64) -> Self {
        Self {
            to_miners: Bucket::of(bits),
            to_validator: Bucket::of(bits),
            requests: AtomicU64::new(0),
            fetched: AtomicU64::new(0),
        }
    }

    /// What went over it so far.
    pub(super) fn told(&self) -> Told {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Told {
            to_miners: of(&self.to_miners.passed),
            to_validator: of(&self.to_validator.passed),
            requests: of(&self.requests),
            fetched: of(&self.fetched),
        }
    }

    /// A request was read whole.
    pub(super) fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// A miner fetched an object of so many bytes from elsewhere.
    pub(super) fn fetched(&self, bytes: usize) {
        self.fetched.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Reads into `buffer`; 0 at the end.
    pub(super) async fn read(&self, stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        let read = stream.read(buffer).await?;
        self.to_miners.pass(read).await;
        Ok(read)
    }

    /// Writes all of `bytes`.
    pub(super) async fn write(&self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE) {
            self.to_validator.pass(piece.len()).await;
            stream.write_all(piece).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_carries_what_it_is_said_to_and_counts_it() {
        let ms = Duration::from_millis;
        let link = Link::of(80_000_000);
        let began = Instant::now() + ms(1_000);
        for sent in 1..=100 {
            let turn = link.to_miners.turn(10_000, began).expect("a speed");
            assert_eq!(turn + BURST, began + ms(sent));
        }
        let both = [500_000; 2].map(|bytes| link.to_validator.turn(bytes, began).expect("a speed"));
        assert_eq!(both.map(|turn| turn + BURST), [began + ms(50), began + ms(100)], "all share it");
        // After a pause no more goes at once than a burst.
        let later = began + ms(5_000);
        assert_eq!(link.to_miners.turn(200_000, later), Some(later));
        assert_eq!(link.told(), Told { to_miners: 1_200_000, to_validator: 1_000_000, requests: 0, fetched: 0 });
        assert_eq!(Link::of(0).to_miners.turn(usize::MAX / 2, began), None);
    }
}
