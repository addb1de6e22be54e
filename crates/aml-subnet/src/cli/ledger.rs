//! What every command that looks at the ledger needs.

use clap::Args;

use super::{SettingsArgs, ValidatorArgs, chain};
use crate::config::Settings;
use crate::store::{Ledger, Opening};

/// Which ledger, and of which subnet.
#[derive(Debug, Args)]
pub(super) struct LedgerArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    validator: ValidatorArgs,
}

impl LedgerArgs {
    /// The settings, with these flags on top.
    pub(super) fn load(&self) -> anyhow::Result<Settings> {
        Ok(self.settings.load(&self.validator.overrides())?)
    }

    /// Opens the ledger for reading, beside a running validator, and looks at it.
    pub(super) fn read<T>(&self, look: impl AsyncFnOnce(Settings, Ledger) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let settings = self.load()?;
        chain::block_on(async {
            let ledger = open(&settings, true).await?;
            look(settings, ledger).await
        })
    }
}

/// The ledger that the settings name.
pub(super) async fn open(settings: &Settings, read_only: bool) -> anyhow::Result<Ledger> {
    let holder = format!("aml-subnet of subnet {}", settings.netuid);
    Ok(Ledger::open(&settings.validator.ledger_url(), &Opening { holder, read_only }).await?)
}

/// Milliseconds since 1970 as a time in UTC.
pub(super) fn time(at_ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(at_ms);
    time.map_or_else(|| at_ms.to_string(), |time| time.format("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// A share, or a dash.
pub(super) fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}
