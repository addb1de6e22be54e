//! How much memory and time one input may take. The fuzzer counts what is allocated, so that a small input that takes a large
//! piece of memory is found by itself, and not by the machine's running out of it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Bytes that one input may take beyond what was taken before.
const MOST_BYTES: usize = 256 << 20;
/// Time that one input may take; the instrumented code is some ten times slower than the shipped one.
const MOST_TIME: Duration = Duration::from_secs(10);

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Counts.
struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Runs a target on one input.
pub(crate) fn within(run: impl FnOnce()) {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let begun = Instant::now();
    run();
    let taken = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    assert!(taken <= MOST_BYTES, "one input took {taken} bytes of memory");
    assert!(begun.elapsed() <= MOST_TIME, "one input took {:?}", begun.elapsed());
}
