//! What a verified release holds: unpacked, and its programs of one version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program;
use super::release::{Form, PROGRAMS, ReleaseError, failed};
use super::version::Version;

/// The folder that a tarball holds; it may hold nothing beside it.
pub(super) fn unpack(tarball: &Path, name: &str, staging: &Path) -> Result<PathBuf, ReleaseError> {
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
    fs::remove_file(tarball).map_err(failed(tarball))?;
    Ok(staging.join(inside))
}

/// All programs run here, and are of the version that the name says.
pub(super) fn same_version(bin: &Path, file: &str, form: Form) -> Result<Version, ReleaseError> {
    let mut version = None;
    for name in PROGRAMS {
        let program = bin.join(name);
        let one = program::version(&program)?;
        if version.as_ref().is_some_and(|version| *version != one) {
            let why = format!("its programs are of several versions: {name} is {one}");
            return Err(ReleaseError::Shape { name: file.to_owned(), why });
        }
        version = Some(one);
    }
    let wrong = |why: String| ReleaseError::Shape { name: file.to_owned(), why };
    let version = version.ok_or_else(|| wrong("it has no programs".to_owned()))?;
    // In the name of a package a candidate is written 1.0.0~rc.1.
    let tilde = version.to_string().replacen('-', "~", 1);
    let named = match form {
        Form::Tarball => file.starts_with(&format!("aml-{version}-")),
        Form::Package => file.starts_with(&format!("aml_{tilde}_")),
    };
    if named { Ok(version) } else { Err(wrong(format!("its programs are of version {version}"))) }
}
