//! A release: fetched or found, verified, unpacked. Nothing of it runs before its signature and sums hold.
//!
//! The tarball that is unpacked is a copy of our own, made before it is verified, so that nobody changes it in between.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_miner::secret_url::SecretUrl;

use super::program::{self, ProgramError};
use super::version::Version;

/// A list of a dozen files.
const MOST_SUMS: u64 = 1 << 20;
/// One signature of OpenSSH.
const MOST_SIGNATURE: u64 = 1 << 16;
/// Programs and models.
const MOST_TARBALL: u64 = 4 << 30;
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
    #[error("the release has {0} tarballs for this machine ({1}); exactly one is expected")]
    NotOne(usize, &'static str),
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
}

/// A release that was verified and unpacked.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) version: Version,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Its tarball's name.
    pub(super) name: String,
}

/// Takes a release into `staging`, an empty folder of our own.
pub(super) async fn take(from: &Place, trust: &Trust, staging: &Path) -> Result<Release, ReleaseError> {
    let sums = get(from, "SHA256SUMS", MOST_SUMS, staging).await?;
    if let Trust::Signers(signers) = trust {
        if !signers.is_file() {
            return Err(ReleaseError::NoSigners(signers.clone()));
        }
        let signature = get(from, "SHA256SUMS.sig", MOST_SIGNATURE, staging).await?;
        verify(&sums, &signature, signers)?;
    }
    let text = fs::read_to_string(&sums).map_err(failed(&sums))?;
    let (name, expected) = ours(&text)?;
    let tarball = get(from, &name, MOST_TARBALL, staging).await?;
    let (actual, _) = File::open(&tarball).and_then(Digest::of_reader).map_err(failed(&tarball))?;
    if actual != expected {
        return Err(ReleaseError::Digest { name, expected, actual });
    }
    let folder = unpack(&tarball, &name, staging)?;
    fs::remove_file(&tarball).map_err(failed(&tarball))?;
    let version = same_version(&folder, &name)?;
    Ok(Release { version, folder, name })
}

/// The tarball for this machine, and its digest.
fn ours(sums: &str) -> Result<(String, Digest), ReleaseError> {
    let wrong = |why: String| ReleaseError::Shape { name: "SHA256SUMS".to_owned(), why };
    let machine = std::env::consts::ARCH;
    let mut found = Vec::new();
    for line in sums.lines() {
        let (digest, name) = line.split_once(' ').ok_or_else(|| wrong("a line has no name".to_owned()))?;
        let name = name.trim_start_matches([' ', '*']);
        let digest: Digest =
            digest.parse().map_err(|error: <Digest as std::str::FromStr>::Err| wrong(error.to_string()))?;
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-~".contains(&byte));
        if plain && name.starts_with("aml-") && name.ends_with(".tar.gz") && name.contains(&format!("-{machine}-")) {
            found.push((name.to_owned(), digest));
        }
    }
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (one, more) => Err(ReleaseError::NotOne(more + usize::from(one.is_some()), machine)),
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

/// The folder that a tarball holds; it may hold nothing beside it.
fn unpack(tarball: &Path, name: &str, staging: &Path) -> Result<PathBuf, ReleaseError> {
    let wrong = |why: String| ReleaseError::Shape { name: name.to_owned(), why };
    let tar = |words: &[&str]| {
        let output = Command::new("tar").args(words).arg("-f").arg(tarball).current_dir(staging).output();
        let output = output.map_err(failed(Path::new("tar")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(wrong(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    };
    let inside = name.trim_end_matches(".tar.gz");
    for entry in tar(&["-tz"])?.lines() {
        let beside = entry.split('/').next() != Some(inside) || entry.split('/').any(|part| part == "..");
        if beside {
            return Err(wrong(format!("it has files outside of {inside}")));
        }
    }
    tar(&["-xz", "--no-same-owner"])?;
    Ok(staging.join(inside))
}

/// All programs run here, and are of the version that the name says.
fn same_version(folder: &Path, name: &str) -> Result<Version, ReleaseError> {
    let mut version = None;
    for name in PROGRAMS {
        let program = folder.join("bin").join(name);
        let one = program::version(&program)?;
        if version.as_ref().is_some_and(|version| *version != one) {
            let why = format!("its programs are of several versions: {name} is {one}");
            return Err(ReleaseError::Shape { name: name.to_owned(), why });
        }
        version = Some(one);
    }
    let wrong = |why: String| ReleaseError::Shape { name: name.to_owned(), why };
    let version = version.ok_or_else(|| wrong("it has no programs".to_owned()))?;
    let named = name.strip_prefix(&format!("aml-{version}-")).is_some();
    if named { Ok(version) } else { Err(wrong(format!("its programs are of version {version}"))) }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> ReleaseError + use<> {
    let path = path.to_path_buf();
    move |source| ReleaseError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::{ReleaseError, ours};

    fn line(name: &str) -> String {
        format!("{}  {name}\n", "ab".repeat(32))
    }

    #[test]
    fn the_tarball_for_this_machine_is_chosen() {
        let machine = std::env::consts::ARCH;
        let name = format!("aml-1.0.0-{machine}-unknown-linux-gnu.tar.gz");
        let others = ["NOTES.md", "aml-1.0.0-source.tar.gz", "aml-1.0.0-other-unknown-linux-gnu.tar.gz", "install.sh"];
        let sums: String = others.into_iter().chain([name.as_str()]).map(line).collect();
        assert_eq!(ours(&sums).unwrap().0, name);
        assert!(matches!(ours(&line("NOTES.md")), Err(ReleaseError::NotOne(0, _))));
        let two = format!("{sums}{}", line(&name.replace("1.0.0", "1.0.1")));
        assert!(matches!(ours(&two), Err(ReleaseError::NotOne(2, _))));
        let path = format!("aml-../../etc/-{machine}-x.tar.gz");
        assert!(matches!(ours(&line(&path)), Err(ReleaseError::NotOne(0, _))), "a name is no path");
        assert!(matches!(ours("nonsense\n"), Err(ReleaseError::Shape { .. })));
    }
}
