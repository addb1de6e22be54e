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
            self.choose_subnet(&mut settings, &ledger).await?;
            look(settings, ledger).await
        })
    }

    /// Takes the only subnet of the ledger where none is named, and says so; else says which there are.
    pub(super) async fn choose_subnet(&self, settings: &mut Settings, ledger: &Ledger) -> anyhow::Result<()> {
        let (netuid, said) = subnet(settings.netuid, self.settings.names_subnet(), &ledger.netuids().await?);
        settings.netuid = netuid;
        if let Some(said) = said {
            eprintln!("{said}");
        }
        Ok(())
    }
}

/// The subnet that is meant: the one of the settings, or the only one of the ledger where nobody has named one; and what there
/// is to say of it.
fn subnet(of_settings: u16, is_named: bool, there: &[u16]) -> (u16, Option<String>) {
    match there {
        _ if there.contains(&of_settings) => (of_settings, None),
        [] => (of_settings, Some("the ledger has no round yet".to_owned())),
        [only] if !is_named => (*only, Some(format!("subnet {only}, the only one that this ledger has rounds of"))),
        _ => {
            let all: Vec<String> = there.iter().map(u16::to_string).collect();
            let all = all.join(", ");
            let said = format!("the ledger has no round of subnet {of_settings}; it has some of {all}: see --netuid");
            (of_settings, Some(said))
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
        let told = |netuid, is_named, there: &[u16]| {
            let (netuid, said) = subnet(netuid, is_named, there);
            (netuid, said.unwrap_or_default())
        };
        assert_eq!(subnet(1, false, &[1, 2]), (1, None));
        assert_eq!(told(1, false, &[2]), (2, "subnet 2, the only one that this ledger has rounds of".to_owned()));
        let (netuid, said) = told(1, true, &[2]);
        assert!(netuid == 1 && said.contains("no round of subnet 1") && said.contains("some of 2:"), "{said}");
        assert!(told(1, false, &[2, 7]).1.contains("some of 2, 7"));
        assert!(told(1, false, &[]).1.contains("no round yet"));
    }
}
