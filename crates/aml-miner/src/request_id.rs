//! Ids of requests: the caller's own where it is harmless, else one of ours.

use std::sync::atomic::{AtomicU64, Ordering};

/// Name of the header, on requests and on answers.
pub const HEADER: &str = "x-request-id";
/// A caller's id is taken over up to this length.
const MAX_LENGTH: usize = 64;

/// Makes ids: a random beginning a process, then a count.
#[derive(Debug)]
pub struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        let mut random = [0; 4];
        // Without randomness ids are only unique within the process, which is all that is needed.
        let _ = getrandom::fill(&mut random);
        Self { process: u32::from_le_bytes(random), next: AtomicU64::new(1) }
    }
}

impl RequestIds {
    /// The id of a request whose header has `given`: letters, digits, `-`, `_` and `.`, 64 at most, are taken over.
    pub fn of(&self, given: Option<&str>) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match given {
            Some(id) if !id.is_empty() && id.len() <= MAX_LENGTH && id.bytes().all(plain) => id.to_owned(),
            _ => format!("{:08x}-{:x}", self.process, self.next.fetch_add(1, Ordering::Relaxed)),
        }
    }
}
