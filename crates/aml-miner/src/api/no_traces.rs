//! In the place of traces, where this program was built without the feature `otel`.

use std::convert::Infallible;

use anyhow::bail;
use tracing_subscriber::layer::Identity;

use super::logging::COLLECTOR;

/// Never there.
pub(super) enum Traces {}

impl Traces {
    /// Says what is missing.
    pub(super) fn start() -> anyhow::Result<Self> {
        bail!("{COLLECTOR} is set, but traces need the feature `otel`, which this program was built without")
    }

    /// Never called.
    pub(super) fn layer(&self) -> Identity {
        match *self {}
    }

    /// Never called.
    pub(super) fn flush(self) -> Result<(), Infallible> {
        match self {}
    }
}
