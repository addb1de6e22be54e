//! What a long-running command says while it runs, and how it is told to stop.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use indicatif::{ProgressBar, ProgressStyle};

/// Plain output says something every so many steps.
const PLAIN_EVERY: usize = 50;

/// Hears of progress.
pub trait Watch {
    /// Step `done` of `total` of the work called `what` begins.
    fn step(&self, what: &str, done: usize, total: usize);

    /// Like [`Watch::step`], with a figure that changes.
    fn round(&self, what: &str, done: usize, total: usize, figure: Option<f64>);

    /// Something that a reader of the log should know.
    fn note(&self, text: &str);

    /// Whether the work should end as soon as what is done can be kept.
    fn stopped(&self) -> bool;
}

/// Says nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watch for Silent {
    fn step(&self, _: &str, _: usize, _: usize) {}

    fn round(&self, _: &str, _: usize, _: usize, _: Option<f64>) {}

    fn note(&self, _: &str) {}

    fn stopped(&self) -> bool {
        false
    }
}

/// Progress bars on a terminal, plain lines elsewhere; always on standard error.
pub struct Console {
    stop: Arc<AtomicBool>,
    bar: Option<ProgressBar>,
    current: Mutex<String>,
}

impl Console {
    /// A console that stops when `stop` is set.
    #[must_use]
    pub fn new(stop: Arc<AtomicBool>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{prefix:24} [{bar:32}] {pos}/{len} {elapsed} {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Self { stop, bar, current: Mutex::new(String::new()) }
    }

    /// Whether `what` is not what was last reported.
    fn is_new(&self, what: &str) -> bool {
        let mut current = self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let new = *current != what;
        if new {
            what.clone_into(&mut current);
        }
        new
    }
}

impl Watch for Console {
    fn step(&self, what: &str, done: usize, total: usize) {
        self.round(what, done, total, None);
    }

    fn round(&self, what: &str, done: usize, total: usize, figure: Option<f64>) {
        let new = self.is_new(what);
        let figure = figure.map_or_else(String::new, |figure| format!("{figure:.5}"));
        if let Some(bar) = &self.bar {
            if new {
                bar.reset();
                bar.set_prefix(what.to_owned());
            }
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(figure);
        } else if new || done.is_multiple_of(PLAIN_EVERY) || done == total {
            say(&format!("{what} {done}/{total} {figure}"));
        }
    }

    fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A closed standard error is no reason to fail.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", text.trim_end());
}
