//! Parameters, as the C library reads them.

use std::collections::BTreeMap;
use std::ffi::CString;

use super::library::{LightGbmError, Threads};

/// The parameter that says how many threads are used.
const THREADS: &str = "num_threads";

/// Parameters by LightGBM's own names, in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// Sets a parameter, replacing an earlier value.
    pub fn set(&mut self, name: &'static str, value: impl ToString) -> &mut Self {
        self.0.insert(name, value.to_string());
        self
    }

    /// The values by name.
    #[must_use]
    pub fn as_map(&self) -> &BTreeMap<&'static str, String> {
        &self.0
    }

    pub(super) fn to_c(&self) -> Result<CString, LightGbmError> {
        let mut pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !self.0.contains_key(THREADS) {
            pairs.push(format!("{THREADS}={}", self.threads().get()));
        }
        Ok(CString::new(pairs.join(" "))?)
    }

    /// The threads that these parameters ask for; all processors where they do not say.
    pub(super) fn threads(&self) -> Threads {
        Threads::new(self.0.get(THREADS).and_then(|given| given.parse().ok()).unwrap_or(0))
    }
}
