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
        let mut settings = self.load()?;
        chain::block_on(async {
            let ledger = open(&settings, true).await?;
            let there = ledger.netuids().await?;
            match subnet(settings.netuid, self.settings.names_subnet(), &there) {
                Ok(netuid) => settings.netuid = netuid,
                Err(said) => eprintln!("{said}"),
            }
            look(settings, ledger).await
        })
    }
}

/// The subnet that is meant: the one of the settings, or the only one of the ledger where nobody has named one. Else what
/// there is to say of those that it has.
fn subnet(of_settings: u16, is_named: bool, there: &[u16]) -> Result<u16, String> {
    match there {
        _ if there.contains(&of_settings) => Ok(of_settings),
        [] => Err("the ledger has no round yet".to_owned()),
        [only] if !is_named => {
            eprintln!("subnet {only}, the only one that this ledger has rounds of");
            Ok(*only)
        }
        _ => {
            let all: Vec<String> = there.iter().map(u16::to_string).collect();
            Err(format!(
                "the ledger has no round of subnet {of_settings}; it has some of {}: see --netuid",
                all.join(", ")
            ))
        }
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

#[cfg(test)]
mod tests {
    use super::subnet;

    #[test]
    fn the_only_subnet_of_a_ledger_is_meant_where_none_is_named() {
        assert_eq!(subnet(1, false, &[1, 2]), Ok(1));
        assert_eq!(subnet(1, false, &[2]), Ok(2));
        let told = subnet(1, true, &[2]).expect_err("another one is named");
        assert!(told.contains("no round of subnet 1") && told.contains("some of 2:"), "{told}");
        assert!(subnet(1, false, &[2, 7]).expect_err("which one?").contains("some of 2, 7"));
        assert!(subnet(1, false, &[]).expect_err("there is nothing").contains("no round yet"));
    }
}
