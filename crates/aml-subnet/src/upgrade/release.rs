//! A release: fetched or found, verified, unpacked. Nothing of it runs before its signature and sums hold.
//!
//! What is unpacked is a copy of our own, made before it is verified, so that nobody changes it in between.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_miner::secret_url::SecretUrl;

use super::contents::{same_version, unpack};
use super::package::{self, PackageError};
use super::program::ProgramError;
use super::version::Version;

/// A list of a dozen files.
const MOST_SUMS: u64 = 1 << 20;
/// One signature of OpenSSH.
const MOST_SIGNATURE: u64 = 1 << 16;
/// Programs and models.
const MOST_BYTES: u64 = 4 << 30;
/// How long a file may take to come.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// What releases are signed as and for (scripts/release.sh).
const NAMESPACE: &str = "aml-release";
/// The programs of a release.
pub(super) const PROGRAMS: [&str; 4] = ["aml-miner-serve", "aml-miner-batch", "aml-miner-train", "aml-subnet"];

/// Where a release is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// An address over HTTP, which may hold a secret.
    Url(SecretUrl),
}

impl Place {
    /// The place that a text names: what begins as an address over HTTP is one.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let url = text.starts_with("http://") || text.starts_with("https://");
        if url { Self::Url(SecretUrl::new(text)) } else { Self::Folder(PathBuf::from(text)) }
    }
}

/// Which file of a release is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The tarball.
    Tarball,
    /// The Debian package.
    Package,
}

impl Form {
    /// Where programs lie in it.
    fn bin(self) -> &'static str {
        match self {
            Self::Tarball => "bin",
            Self::Package => "usr/bin",
        }
    }
}

/// Who has to have signed it.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Somebody of this list, in the form of ssh-keygen's `allowed_signers`.
    Signers(PathBuf),
    /// Nobody: digests alone are compared.
    Unsigned,
}

/// Why a release is not used.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A file does not come.
    #[error("cannot fetch {name}: {why}")]
    Fetch {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
    /// More bytes than a file may have.
    #[error("{name} has more than {most} bytes")]
    TooLarge {
        /// Which.
        name: String,
        /// The bound.
        most: u64,
    },
    /// Nobody who is trusted signed it.
    #[error("SHA256SUMS is not signed by a key of {signers}: do not use this release ({said})", signers = signers.display())]
    Signature {
        /// The list.
        signers: PathBuf,
        /// What ssh-keygen says.
        said: String,
    },
    /// Who may sign is not known.
    #[error("who may sign is not known: there is no {signers}; name a list with --signers (docs/releases.md)", signers = .0.display())]
    NoSigners(PathBuf),
    /// Nothing for this machine.
    #[error("the release has {0} {1} for this machine ({2}); exactly one is expected")]
    NotOne(usize, &'static str, &'static str),
    /// Not what the sums say.
    #[error("{name} is not the file that SHA256SUMS names: its SHA-256 is {actual}, expected {expected}")]
    Digest {
        /// Which.
        name: String,
        /// What the sums say.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// Something else than a release.
    #[error("{name} is no release: {why}")]
    Shape {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A tool or the disk.
    #[error("cannot use {path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program of it does not run here.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// It is no package of ours.
    #[error(transparent)]
    Package(#[from] PackageError),
}

/// A release that was verified and unpacked.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) version: Version,
    /// Where it was unpacked.
    pub(super) folder: PathBuf,
    /// Its programs' folder.
    pub(super) bin: PathBuf,
    /// Its file's name.
    pub(super) name: String,
    /// The package itself, where it is one.
    pub(super) package: Option<PathBuf>,
}

/// Takes a release into `staging`, an empty folder of our own.
pub(super) async fn take(from: &Place, trust: &Trust, form: Form, staging: &Path) -> Result<Release, ReleaseError> {
    let sums = get(from, "SHA256SUMS", MOST_SUMS, staging).await?;
    if let Trust::Signers(signers) = trust {
        if !signers.is_file() {
            return Err(ReleaseError::NoSigners(signers.clone()));
        }
        let signature = get(from, "SHA256SUMS.sig", MOST_SIGNATURE, staging).await?;
        verify(&sums, &signature, signers)?;
    }
    let text = fs::read_to_string(&sums).map_err(failed(&sums))?;
    let (name, expected) = ours(&text, form)?;
    let file = get(from, &name, MOST_BYTES, staging).await?;
    let (actual, _) = File::open(&file).and_then(Digest::of_reader).map_err(failed(&file))?;
    if actual != expected {
        return Err(ReleaseError::Digest { name, expected, actual });
    }
    let folder = match form {
        Form::Tarball => unpack(&file, &name, staging)?,
        Form::Package => {
            let folder = staging.join("unpacked");
            package::take_apart(&file, &folder)?;
            folder
        }
    };
    let bin = folder.join(form.bin());
    let version = same_version(&bin, &name, form)?;
    let package = (form == Form::Package).then_some(file);
    Ok(Release { version, folder, bin, name, package })
}

/// The file for this machine, and its digest.
fn ours(sums: &str, form: Form) -> Result<(String, Digest), ReleaseError> {
    let wrong = |why: String| ReleaseError::Shape { name: "SHA256SUMS".to_owned(), why };
    let (machine, kind) = match form {
        Form::Tarball => (std::env::consts::ARCH, "tarballs"),
        Form::Package => (package::architecture(), "packages"),
    };
    let is_it = |name: &str| match form {
        Form::Tarball => {
            name.starts_with("aml-") && name.ends_with(".tar.gz") && name.contains(&format!("-{machine}-"))
        }
        Form::Package => name.starts_with("aml_") && name.ends_with(&format!("_{machine}.deb")),
    };
    let mut found = Vec::new();
    for line in sums.lines() {
        let (digest, name) = line.split_once(' ').ok_or_else(|| wrong("a line has no name".to_owned()))?;
        let name = name.trim_start_matches([' ', '*']);
        let digest: Digest =
            digest.parse().map_err(|error: <Digest as std::str::FromStr>::Err| wrong(error.to_string()))?;
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-~".contains(&byte));
        if plain && is_it(name) {
            found.push((name.to_owned(), digest));
        }
    }
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (one, more) => Err(ReleaseError::NotOne(more + usize::from(one.is_some()), kind, machine)),
    }
}

/// A file of a release, copied into `staging`.
async fn get(from: &Place, name: &str, most: u64, staging: &Path) -> Result<PathBuf, ReleaseError> {
    let path = staging.join(name);
    let mut file = File::create_new(&path).map_err(failed(&path))?;
    match from {
        Place::Folder(folder) => {
            let source = folder.join(name);
            let mut source = File::open(&source).map_err(failed(&source))?.take(most + 1);
            io::copy(&mut source, &mut file).map_err(failed(&path))?;
        }
        Place::Url(url) => fetch(url, name, most, &mut file).await?,
    }
    if file.metadata().map_err(failed(&path))?.len() > most {
        return Err(ReleaseError::TooLarge { name: name.to_owned(), most });
    }
    Ok(path)
}

async fn fetch(base: &SecretUrl, name: &str, most: u64, to: &mut File) -> Result<(), ReleaseError> {
    let failed = |why: String| ReleaseError::Fetch { name: name.to_owned(), why };
    let told = |error: reqwest::Error| failed(error.without_url().to_string());
    let client = reqwest::Client::builder().timeout(PATIENCE).build().map_err(told)?;
    let url = format!("{}/{name}", base.expose().trim_end_matches('/'));
    let mut answer = client.get(url).send().await.map_err(told)?.error_for_status().map_err(told)?;
    let mut bytes = 0_u64;
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        bytes += chunk.len() as u64;
        if bytes > most {
            return Err(ReleaseError::TooLarge { name: name.to_owned(), most });
        }
        to.write_all(&chunk).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

fn verify(sums: &Path, signature: &Path, signers: &Path) -> Result<(), ReleaseError> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "verify", "-I", NAMESPACE, "-n", NAMESPACE, "-f"]).arg(signers).arg("-s").arg(signature);
    let input = File::open(sums).map_err(failed(sums))?;
    let output = command.stdin(Stdio::from(input)).output().map_err(failed(Path::new("ssh-keygen")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ReleaseError::Signature { signers: signers.to_path_buf(), said })
}

pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> ReleaseError + use<> {
    let path = path.to_path_buf();
    move |source| ReleaseError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::super::package::architecture;
    use super::{Form, ReleaseError, ours};

    fn line(name: &str) -> String {
        format!("{}  {name}\n", "ab".repeat(32))
    }

    #[test]
    fn the_tarball_for_this_machine_is_chosen() {
        let machine = std::env::consts::ARCH;
        let name = format!("aml-1.0.0-{machine}-unknown-linux-gnu.tar.gz");
        let others = ["NOTES.md", "aml-1.0.0-source.tar.gz", "aml-1.0.0-other-unknown-linux-gnu.tar.gz", "install.sh"];
        let sums: String = others.into_iter().chain([name.as_str()]).map(line).collect();
        assert_eq!(ours(&sums, Form::Tarball).unwrap().0, name);
        assert!(matches!(ours(&line("NOTES.md"), Form::Tarball), Err(ReleaseError::NotOne(0, ..))));
        let two = format!("{sums}{}", line(&name.replace("1.0.0", "1.0.1")));
        assert!(matches!(ours(&two, Form::Tarball), Err(ReleaseError::NotOne(2, ..))));
        let path = format!("aml-../../etc/-{machine}-x.tar.gz");
        assert!(matches!(ours(&line(&path), Form::Tarball), Err(ReleaseError::NotOne(0, ..))), "a name is no path");
        let package = format!("aml_1.0.0~rc.1_{}.deb", architecture());
        assert_eq!(ours(&format!("{sums}{}", line(&package)), Form::Package).unwrap().0, package);
        assert!(matches!(ours(&sums, Form::Package), Err(ReleaseError::NotOne(0, "packages", _))));
        assert!(matches!(ours("nonsense\n", Form::Tarball), Err(ReleaseError::Shape { .. })));
    }
}
