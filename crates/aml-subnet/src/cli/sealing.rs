//! What has to hold of settings and chain before anything is sealed.

use std::time::Duration;

use anyhow::ensure;

use crate::beacon::Beacon;
use crate::config::{Answers, Settings};
use crate::subtensor::Subtensor;
use crate::validation::rules::RulesVersion;

/// Least `publish_delay` of open answers under rules v2.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Refuses the development beacon, and open answers that are published on the same day, on a chain that is not for
/// development.
pub(super) async fn check(settings: &Settings, chain: &Subtensor, rules: RulesVersion) -> anyhow::Result<()> {
    let open = settings.validator.answers == Answers::Open && rules.information().is_some();
    let soon = open && settings.validator.publish_delay < DAY;
    if settings.sealing.beacon != Beacon::Development && !soon {
        return Ok(());
    }
    let development = chain.is_for_development().await?;
    ensure!(
        development || !soon,
        "validator.answers is open, so publish_delay must be at least 1d: whoever reads canonical scores while other \
         validators still ask can sell them as answers"
    );
    beacon_fits(settings, development)
}

/// Refuses the development beacon on a chain that is not for development.
pub(super) async fn check_beacon(settings: &Settings, chain: &Subtensor) -> anyhow::Result<()> {
    if settings.sealing.beacon != Beacon::Development {
        return Ok(());
    }
    beacon_fits(settings, chain.is_for_development().await?)
}

fn beacon_fits(settings: &Settings, development: bool) -> anyhow::Result<()> {
    ensure!(
        development || settings.sealing.beacon != Beacon::Development,
        "sealing.beacon is development, whose key everybody knows: this is no development chain"
    );
    Ok(())
}
