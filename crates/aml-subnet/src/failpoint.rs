//! Named places at which a test stops the process, to kill it there.
//!
//! Only builds with debug assertions look: where `AML_FAILPOINT` is `NAME`, or `NAME:N` for the N-th time, the process
//! says `failpoint NAME` on stderr and its thread stands still for ever. Elsewhere a failpoint is nothing at all.

/// Stands still for ever when `AML_FAILPOINT` names this place.
#[cfg(debug_assertions)]
pub fn hit(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static WANTED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static HITS: AtomicU32 = AtomicU32::new(0);

    let wanted = WANTED.get_or_init(|| std::env::var("AML_FAILPOINT").ok().map(|text| parse(&text)));
    let Some((place, time)) = wanted else { return };
    if place == name && HITS.fetch_add(1, Ordering::SeqCst) + 1 == *time {
        eprintln!("failpoint {name}");
        loop {
            std::thread::park();
        }
    }
}

/// Nothing: only builds with debug assertions have failpoints.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn hit(_name: &str) {}

/// `NAME` or `NAME:N`.
#[cfg(debug_assertions)]
fn parse(text: &str) -> (String, u32) {
    text.rsplit_once(':')
        .and_then(|(name, time)| Some((name.to_owned(), time.parse().ok()?)))
        .unwrap_or_else(|| (text.to_owned(), 1))
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::parse;

    #[test]
    fn a_place_may_be_named_with_the_time_it_is_reached() {
        assert_eq!(parse("publish.before_commit"), ("publish.before_commit".to_owned(), 1));
        assert_eq!(parse("record_answer.after_commit:3"), ("record_answer.after_commit".to_owned(), 3));
    }
}
