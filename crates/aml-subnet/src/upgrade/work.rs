//! The steps that change something: stop, keep, replace, start, watch; and all of it back.
//!
//! From the first of them on, signals are not heeded: a terminal that is gone must not leave a machine half upgraded.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use aml_miner::clock::millis;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::kept::{Kept, Layout};
use super::outcome::{Done, UpgradeError};
use super::release::Release;
use super::run::{Standing, Upgrade, facts_of, failed};
use super::systemd;
use super::taking_back::{TakenBack, lost};
use super::version::Version;
use super::watch::{self, Awaited};
use crate::calendar::rfc3339;

/// What is needed to change a machine, and to change it back.
pub(super) struct Work<'a> {
    pub(super) upgrade: &'a Upgrade<'a>,
    pub(super) layout: Layout,
    /// A copy of this program.
    pub(super) own: PathBuf,
    pub(super) installed: Version,
    pub(super) standing: Vec<Standing>,
}

impl Work<'_> {
    /// From the first step that changes something to the last.
    pub(super) async fn change(mut self, release: &Release) -> Result<Done, UpgradeError> {
        let _deaf = heed_no_signals();
        // Looked at once more: fetching and checking takes a while.
        self.look_again()?;
        self.standing.iter().try_for_each(|one| self.upgrade.may_stop(&one.facts))?;
        let kept = match self.stop_and_keep(release).await {
            Ok(kept) => kept,
            Err(error) => {
                // Nothing was replaced: whatever stopped goes on.
                self.tell_units("start")?;
                return Err(error);
            }
        };
        self.say(&format!("what is replaced is kept in {}", kept.folder.display()));
        let started = match self.install(release) {
            Ok(()) => self.start(&release.version).await,
            Err(why) => Err(why),
        };
        let Err(why) = started else {
            return Ok(Done::Upgraded { to: release.version.clone(), kept: kept.folder });
        };
        self.say(&format!("it does not come up: {why}"));
        match self.take_back(&kept).await {
            Ok(back) => Ok(Done::TakenBack { why, back }),
            Err(back) => Err(UpgradeError::Stuck { why, back: back.to_string(), kept: kept.folder }),
        }
    }

    /// Puts everything back and starts it.
    pub(super) async fn take_back(&self, kept: &Kept) -> Result<TakenBack, UpgradeError> {
        let _deaf = heed_no_signals();
        self.tell_units("stop")?;
        let mut back = TakenBack::default();
        let before = kept.ledger.as_ref().map(|ledger| &ledger.glimpse);
        let role = self.standing.iter().find(|one| one.facts.ledger.is_some()).map(|one| one.role);
        // What cannot be read was not recorded by anybody either.
        let after = role.and_then(|role| facts_of(&self.own, role).ok()).and_then(|facts| facts.ledger);
        let after = after.map(|ledger| ledger.glimpse);
        kept.put_files_back(&self.layout)?;
        systemd::tell(&["daemon-reload"])?;
        back.aside = kept.put_ledger_back()?;
        if let (Some(before), Some(after)) = (before, &after) {
            if back.aside.is_some() {
                back.lost = lost(before, after);
            } else if before.schema > 0 && after.schema != before.schema {
                back.waits = Some(format!(
                    "the ledger's schema is {} now, and {} knows {}: restore your backup, then start the units",
                    after.schema, self.installed, before.schema
                ));
                return Ok(back);
            }
        }
        if let Err(why) = self.start(&self.installed).await {
            back.wrong = Some(format!("the version of before: {why}"));
        }
        Ok(back)
    }

    fn look_again(&mut self) -> Result<(), UpgradeError> {
        for one in &mut self.standing {
            one.facts = facts_of(&self.own, one.role)?;
        }
        Ok(())
    }

    /// Keeps what will be replaced, as of the moment when nobody writes any more.
    async fn stop_and_keep(&mut self, release: &Release) -> Result<Kept, UpgradeError> {
        self.tell_units("stop")?;
        self.say("stopped");
        self.look_again()?;
        let stamp = rfc3339(millis(self.upgrade.clock.now())).replace(':', "");
        let folder = self.upgrade.state.join(format!("before-{}-{stamp}", release.version));
        fs::create_dir(&folder).map_err(failed(&folder))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(failed(&folder))?;
        let ledger = self.standing.iter().find_map(|one| one.facts.ledger.as_ref());
        Ok(Kept::keep(&self.layout, release, self.installed.to_string(), ledger, &folder).await?)
    }

    /// Replaces programs, units and models, as the release itself installs them.
    fn install(&self, release: &Release) -> Result<(), String> {
        if let Some(package) = &release.package {
            return self.layout.dpkg().install(package).map_err(|error| format!("installing failed: {error}"));
        }
        let mut command = Command::new("bash");
        command.arg(release.folder.join("deploy/systemd/install.sh"));
        command.arg("--bin").arg(&release.bin).arg("--prefix").arg(&self.layout.prefix);
        if self.upgrade.root != Path::new("/") {
            command.arg("--root").arg(&self.upgrade.root);
        }
        let output = command.output().map_err(|error| format!("cannot run bash: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("installing failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }

    /// Starts everything and waits until it is ready; why it is not.
    async fn start(&self, version: &Version) -> Result<(), String> {
        systemd::tell(&["daemon-reload"]).map_err(|error| error.to_string())?;
        for Standing { role, facts, before } in &self.standing {
            systemd::tell(&[&["start"], role.units()].concat()).map_err(|error| error.to_string())?;
            self.say(&format!("the {} is started; waiting for {}/ready", role.name(), facts.status));
            let limit = self.upgrade.limit;
            watch::wait(&Awaited { role: *role, facts, version, before, limit }).await?;
            self.say(&format!("the {} of version {version} is ready", role.name()));
        }
        Ok(())
    }

    fn tell_units(&self, verb: &str) -> Result<(), UpgradeError> {
        let units = self.standing.iter().flat_map(|one| one.role.units());
        Ok(systemd::tell(&std::iter::once(&verb).chain(units).copied().collect::<Vec<_>>())?)
    }

    fn say(&self, line: &str) {
        (self.upgrade.tell)(line);
    }
}

/// While these live, nothing but `SIGKILL` ends the process.
fn heed_no_signals() -> Vec<Signal> {
    let kinds = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()];
    kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect()
}
