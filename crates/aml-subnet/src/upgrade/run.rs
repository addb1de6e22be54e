//! An upgrade as it is wanted, up to the first step that changes something.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aml_miner::clock::{Clock, millis};
use aml_miner::locked_file::LockedFile;

use super::facts::Facts;
use super::kept::{Kept, Layout};
use super::outcome::{Done, UpgradeError};
use super::program;
use super::release::{self, Form, Place, Release, Trust};
use super::systemd::{self, Role, Unit};
use super::taking_back::TakenBack;
use super::version::Version;
use super::watch::{self, Look};
use super::when::not_now;
use super::work::Work;

/// Where a tarball and a package install programs.
const PREFIXES: [&str; 2] = ["/usr/local", "/usr"];

/// What is wanted.
pub struct Upgrade<'a> {
    /// Who has to have signed the release.
    pub trust: Trust,
    /// What runs here.
    pub roles: Vec<Role>,
    /// Everything is below this folder.
    pub root: PathBuf,
    /// Where programs are installed; else where they are found, in `/usr/local` (tarball) or `/usr` (package).
    pub prefix: Option<PathBuf>,
    /// Where releases are unpacked, and what is replaced is kept.
    pub state: PathBuf,
    /// How long a started unit may take to be ready.
    pub limit: Duration,
    /// Whatever round is open, and whatever version is installed.
    pub force: bool,
    /// A ledger in PostgreSQL was backed up by somebody.
    pub have_backup: bool,
    /// Everything up to the first step that changes something.
    pub dry_run: bool,
    /// The time.
    pub clock: &'a dyn Clock,
    /// What is told meanwhile, a line each.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

/// A role as it is before anything changes.
pub(super) struct Standing {
    pub(super) role: Role,
    pub(super) facts: Facts,
    pub(super) before: Look,
}

impl Upgrade<'_> {
    /// Upgrades to the release at `from`.
    ///
    /// # Errors
    /// Nothing was changed then, but for [`UpgradeError::Stuck`].
    pub async fn run(&self, from: &Place) -> Result<Done, UpgradeError> {
        let layout = self.layout(None)?;
        if layout.form() == Form::Package && !layout.dpkg().has_it() {
            return Err(UpgradeError::NoPackage(layout.at(&layout.prefix)));
        }
        let installed = program::version(&layout.program("aml-subnet"))?;
        let _alone = self.alone()?;
        let staging = self.staging()?;
        let own = own_copy(staging.path())?;
        let release = release::take(from, &self.trust, layout.form(), staging.path()).await?;
        (self.tell)(&format!("{} is verified; {installed} is installed", release.name));
        if release.version == installed && !self.force {
            return Ok(Done::Same(installed));
        }
        if release.version < installed && !self.force {
            return Err(UpgradeError::Older { installed, offered: release.version });
        }
        if let Some(package) = &release.package {
            layout.dpkg().must_have_needs_of(package)?;
        }
        let standing = self.look(&release, &own).await?;
        if self.dry_run {
            return Ok(Done::Possible { to: release.version });
        }
        Work { upgrade: self, layout, own, installed, standing }.change(&release).await
    }

    /// Puts back what an upgrade kept in `folder`, whatever became of it since.
    ///
    /// # Errors
    /// When that was no upgrade, or something cannot be put back. Repeated, it goes on.
    pub async fn take_back(&self, folder: &Path) -> Result<TakenBack, UpgradeError> {
        let kept = Kept::read(folder)?;
        // Whatever dpkg says of the package now, and wherever programs are missing.
        let layout = self.layout(kept.prefix.as_deref())?;
        let _alone = self.alone()?;
        let staging = self.staging()?;
        let own = own_copy(staging.path())?;
        let installed: Version = kept.version.parse().map_err(|_| UpgradeError::NotKept(folder.to_path_buf()))?;
        let mut standing = Vec::new();
        for role in &self.roles {
            let facts = facts_of(&own, *role)?;
            let before = watch::look(&facts).await;
            standing.push(Standing { role: *role, facts, before });
        }
        Work { upgrade: self, layout, own, installed, standing }.take_back(&kept).await
    }

    /// Where everything is installed: as told, as it is `known`, or where the programs are found.
    fn layout(&self, known: Option<&Path>) -> Result<Layout, UpgradeError> {
        let at = |prefix: &str| Layout { root: self.root.clone(), prefix: prefix.into() };
        let found = |prefix: &&str| at(prefix).program("aml-subnet").exists();
        let told = self.prefix.as_deref().or(known).map(Path::to_path_buf);
        let prefix = told.unwrap_or_else(|| PREFIXES.into_iter().find(found).unwrap_or(PREFIXES[0]).into());
        let layout = Layout { root: self.root.clone(), prefix };
        if !self.dry_run && self.root == Path::new("/") && !program::is_root() {
            return Err(UpgradeError::NotRoot);
        }
        Ok(layout)
    }

    /// Nobody else upgrades this machine meanwhile.
    fn alone(&self) -> Result<LockedFile, UpgradeError> {
        fs::create_dir_all(&self.state).map_err(failed(&self.state))?;
        let path = self.state.join("upgrade.lock");
        let file = File::create(&path).map_err(failed(&path))?;
        LockedFile::try_lock(file).map_err(|(_, error)| match error {
            TryLockError::WouldBlock => UpgradeError::Busy(path.clone()),
            TryLockError::Error(error) => failed(&path)(error),
        })
    }

    /// A folder that the units' users can look into, whatever our umask: they run the new programs once.
    fn staging(&self) -> Result<tempfile::TempDir, UpgradeError> {
        let made = tempfile::Builder::new().prefix("release-").tempdir_in(&self.state).map_err(failed(&self.state))?;
        for folder in [self.state.as_path(), made.path()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(failed(folder))?;
        }
        Ok(made)
    }

    /// Everything that can be known before anything stops.
    async fn look(&self, release: &Release, own: &Path) -> Result<Vec<Standing>, UpgradeError> {
        let mut all = Vec::new();
        for role in &self.roles {
            for name in role.units() {
                let unit = systemd::unit(name)?;
                program::check(&unit, &release.bin.join(program_of(&unit)))?;
                (self.tell)(&format!("the new program takes the settings of {}", unit.name));
            }
            let facts = facts_of(own, *role)?;
            self.may_stop(&facts)?;
            let before = watch::look(&facts).await;
            if !before.is_ready() {
                let wrong = before.wrong.clone().unwrap_or_else(|| vec!["it does not answer".to_owned()]);
                (self.tell)(&format!("the {} is not ready now: {}", role.name(), wrong.join("; ")));
            }
            all.push(Standing { role: *role, facts, before });
        }
        Ok(all)
    }

    /// Whether a role may be stopped now.
    pub(super) fn may_stop(&self, facts: &Facts) -> Result<(), UpgradeError> {
        let Some(ledger) = &facts.ledger else { return Ok(()) };
        if ledger.file.is_none() && ledger.glimpse.schema > 0 && !self.have_backup {
            return Err(UpgradeError::NoBackup);
        }
        match not_now(&ledger.glimpse.rounds, millis(self.clock.now())) {
            Some(why) if !self.force => Err(UpgradeError::NotNow(why)),
            Some(why) => {
                (self.tell)(&format!("forced, though {why}"));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// What a role's settings and ledger say, as its unit has them.
pub(super) fn facts_of(own: &Path, role: Role) -> Result<Facts, UpgradeError> {
    Ok(program::facts(&systemd::unit(role.neuron())?, own, role)?)
}

/// A copy of this program: its own file is replaced on the way, and it is asked again afterwards.
fn own_copy(staging: &Path) -> Result<PathBuf, UpgradeError> {
    let own = staging.join("aml-subnet");
    fs::copy("/proc/self/exe", &own).map_err(failed(&own))?;
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).map_err(failed(&own))?;
    Ok(own)
}

/// Name of a unit's program.
fn program_of(unit: &Unit) -> String {
    let program = unit.argv.first().map(PathBuf::from).unwrap_or_default();
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> UpgradeError + use<> {
    let path = path.to_path_buf();
    move |source| UpgradeError::Io { path: path.clone(), source }
}
