//! Named places at which a test stops the process, to kill it there.
//!
//! Only builds with the feature `failpoints` have them, which every test build of this crate turns on: where
//! `AML_FAILPOINT` is `NAME`, or `NAME:N` for the N-th time, the process says `failpoint NAME` on stderr and its thread
//! stands still for ever; where `AML_FAILPOINT_GOES_ON` is set, until there is a line on stdin. Elsewhere the macro leaves
//! nothing behind, not even the name.

/// Stands still when `AML_FAILPOINT` names this place; takes what `format!` takes.
#[cfg(feature = "failpoints")]
macro_rules! hit {
    ($($name:tt)+) => { $crate::failpoint::reached(&format!($($name)+)) };
}

/// Nothing: this is no test build.
#[cfg(not(feature = "failpoints"))]
macro_rules! hit {
    ($($name:tt)+) => {};
}

pub(crate) use hit;

#[cfg(feature = "failpoints")]
pub(crate) fn reached(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static WANTED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static HITS: AtomicU32 = AtomicU32::new(0);

    let wanted = WANTED.get_or_init(|| std::env::var("AML_FAILPOINT").ok().map(|text| parse(&text)));
    let Some((place, time)) = wanted else { return };
    if place == name && HITS.fetch_add(1, Ordering::SeqCst) + 1 == *time {
        eprintln!("failpoint {name}");
        if std::env::var_os("AML_FAILPOINT_GOES_ON").is_some() {
            let _ = std::io::stdin().read_line(&mut String::new());
            return;
        }
        loop {
            std::thread::park();
        }
    }
}

/// `NAME` or `NAME:N`.
#[cfg(feature = "failpoints")]
fn parse(text: &str) -> (String, u32) {
    text.rsplit_once(':')
        .and_then(|(name, time)| Some((name.to_owned(), time.parse().ok()?)))
        .unwrap_or_else(|| (text.to_owned(), 1))
}

#[cfg(all(test, feature = "failpoints"))]
mod tests {
    use super::parse;

    #[test]
    fn a_place_may_be_named_with_the_time_it_is_reached() {
        assert_eq!(parse("publish.before_commit"), ("publish.before_commit".to_owned(), 1));
        assert_eq!(parse("record_answer.after_commit:3"), ("record_answer.after_commit".to_owned(), 3));
    }
}
