//! A Debian package: taken apart to look at it, installed, and made anew from what is installed, so that it can be put back.
//!
//! dpkg keeps no package that it has installed. What it does keep (the list of files, the package's own scripts, the fields of
//! its control file) is enough to make one with the same files.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Name of the package (scripts/release/debian.sh).
const NAME: &str = "aml";
/// How much of what a tool says is told.
const LONGEST: usize = 2_000;
/// Fields of dpkg's database that are no fields of a control file.
const OF_THE_DATABASE: [&str; 3] = ["Status", "Conffiles", "Config-Version"];

/// Why dpkg is of no use.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A tool says no.
    #[error("{tool} says: {said}")]
    Said {
        /// Which.
        tool: &'static str,
        /// What it says.
        said: String,
    },
    /// What the package needs is not there.
    #[error("the new package needs others: install them first (apt-get install {})", .0.join(" "))]
    Needs(Vec<String>),
    /// The package holds something else.
    #[error("the package is {found}, expected {NAME}")]
    Other {
        /// What its control file says.
        found: String,
    },
    /// The disk, or a tool that is missing.
    #[error("cannot use {path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// dpkg, for everything below a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dpkg<'a> {
    root: &'a Path,
}

impl<'a> Dpkg<'a> {
    pub(super) fn below(root: &'a Path) -> Self {
        Self { root }
    }

    /// Whether the package is installed.
    pub(super) fn has_it(self) -> bool {
        self.query(&["--show", "--showformat=${db:Status-Status}", NAME]).is_ok_and(|state| state == "installed")
    }

    /// Whether everything that a package needs is installed. Asked of apt, which there is only one of.
    pub(super) fn must_have_needs_of(self, package: &Path) -> Result<(), PackageError> {
        if self.root != Path::new("/") {
            return Ok(());
        }
        let mut command = Command::new("apt-get");
        command.args(["--simulate", "--no-install-recommends", "--allow-downgrades", "install"]).arg(package);
        let said = run("apt-get", command.env("LC_ALL", "C"))?;
        let needs = others_of(&said);
        if needs.is_empty() { Ok(()) } else { Err(PackageError::Needs(needs)) }
    }

    /// Installs a package over the one that is there. Settings that an operator has changed stay.
    pub(super) fn install(self, package: &Path) -> Result<(), PackageError> {
        let mut command = Command::new("dpkg");
        command.arg("--root").arg(self.root).args(["--force-confdef", "--force-confold", "--force-downgrade"]);
        command.arg("--install").arg(package);
        run("dpkg", command.env("DEBIAN_FRONTEND", "noninteractive")).map(drop)
    }

    /// Makes the package that is installed anew, as `to`, with the help of `work`, an empty folder of our own.
    pub(super) fn remake(self, work: &Path, to: &Path) -> Result<(), PackageError> {
        let control = work.join("DEBIAN");
        fs::create_dir_all(&control).map_err(failed(&control))?;
        for folder in [work, control.as_path()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(failed(folder))?;
        }
        for listed in self.query(&["--listfiles", NAME])?.lines() {
            if let Some(inside) = listed.strip_prefix('/').filter(|inside| !inside.is_empty() && *inside != ".") {
                copy(&self.root.join(inside), &work.join(inside))?;
            }
        }
        for name in self.query(&["--control-list", NAME])?.lines() {
            let path = control.join(name);
            let mut text = self.query(&["--control-show", NAME, name])?;
            if name == "conffiles" {
                // What an operator has removed cannot be packed.
                text = text
                    .lines()
                    .filter(|line| work.join(line.trim_start_matches('/')).exists())
                    .fold(String::new(), |all, line| all + line + "\n");
            }
            fs::write(&path, text).map_err(failed(&path))?;
            let mode =
                if matches!(name, "preinst" | "postinst" | "prerm" | "postrm" | "config") { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed(&path))?;
        }
        let path = control.join("control");
        fs::write(&path, control_of(&self.query(&["--status", NAME])?)).map_err(failed(&path))?;
        let mut command = Command::new("dpkg-deb");
        command.args(["--root-owner-group", "-Zgzip", "-z1", "--build"]).arg(work).arg(to);
        run("dpkg-deb", &mut command).map(drop)
    }

    fn query(self, words: &[&str]) -> Result<String, PackageError> {
        let mut command = Command::new("dpkg-query");
        command.arg("--admindir").arg(self.root.join("var/lib/dpkg")).args(words);
        run("dpkg-query", command.env("LC_ALL", "C"))
    }
}

/// Takes a package apart into a folder that is made.
pub(super) fn take_apart(package: &Path, to: &Path) -> Result<(), PackageError> {
    let mut command = Command::new("dpkg-deb");
    let found = run("dpkg-deb", command.arg("--field").arg(package).arg("Package"))?;
    if found.trim() != NAME {
        return Err(PackageError::Other { found: found.trim().to_owned() });
    }
    fs::create_dir(to).map_err(failed(to))?;
    // Users of the units look into it; what the package says about its top folder does not matter.
    run("dpkg-deb", Command::new("dpkg-deb").arg("--extract").arg(package).arg(to))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).map_err(failed(to))
}

/// Debian's name of this machine's architecture.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// What apt would install beside our own package.
fn others_of(simulated: &str) -> Vec<String> {
    let names = simulated.lines().filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next());
    names.filter(|name| *name != NAME).map(str::to_owned).collect()
}

/// The control file of a package out of what the database says of it.
fn control_of(status: &str) -> String {
    let mut control = String::new();
    let mut taken = true;
    for line in status.lines() {
        if !line.starts_with([' ', '\t']) {
            let field = line.split(':').next().unwrap_or_default();
            taken = !OF_THE_DATABASE.contains(&field);
        }
        if taken && !line.is_empty() {
            control.push_str(line);
            control.push('\n');
        }
    }
    control
}

/// Copies a file with its mode, a link as a link, and makes a folder. What an operator has removed is left out.
fn copy(from: &Path, to: &Path) -> Result<(), PackageError> {
    let about = match fs::symlink_metadata(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        about => about.map_err(failed(from))?,
    };
    if about.is_dir() {
        fs::create_dir_all(to).map_err(failed(to))?;
        return fs::set_permissions(to, about.permissions()).map_err(failed(to));
    }
    if about.is_symlink() {
        return fs::read_link(from).and_then(|target| symlink(target, to)).map_err(failed(to));
    }
    fs::copy(from, to).map(drop).map_err(failed(from))
}

fn run(tool: &'static str, command: &mut Command) -> Result<String, PackageError> {
    let output = command.output().map_err(failed(Path::new(tool)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().chars().take(LONGEST).collect();
    Err(PackageError::Said { tool, said })
}

fn failed(path: &Path) -> impl Fn(io::Error) -> PackageError + use<> {
    let path = path.to_path_buf();
    move |source| PackageError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::{control_of, others_of};

    #[test]
    fn the_control_file_is_what_the_database_adds_nothing_to() {
        let status = "Package: aml\nStatus: install ok installed\nVersion: 1.0.0\nConffiles:\n /etc/aml/x 0123\n\
                      Description: a\n b\n .\n c\n\n";
        assert_eq!(control_of(status), "Package: aml\nVersion: 1.0.0\nDescription: a\n b\n .\n c\n");
    }

    #[test]
    fn what_has_to_be_installed_first_is_named() {
        let said =
            "Reading package lists...\nInst libgomp1 (12.2 Debian [amd64])\nInst aml [1.0.0] (1.1.0 local)\nConf aml\n";
        assert_eq!(others_of(said), ["libgomp1"]);
        assert!(others_of("Inst aml [1.0.0] (1.1.0 local)\n").is_empty());
    }
}
