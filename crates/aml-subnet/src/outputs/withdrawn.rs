//! Published files that are taken away: of a round that is void, or because an address was erased. A text says so in their place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::directory;
use super::manifest::MANIFEST_FILE;
use crate::store::records::RoundId;

/// What stands in the place of a round's files that were withdrawn.
const WITHDRAWN: &str = "VOID.txt";
/// What stands in their place when an address was erased.
const ERASED: &str = "ERASED.txt";

/// Takes the published files of a round away, and says why in their place; says whether there were any.
///
/// # Errors
/// When the file system refuses.
pub fn withdraw(root: &Path, round: &RoundId, why: &str) -> io::Result<bool> {
    let folder = directory(root, round);
    take_away(&folder, WITHDRAWN, &format!("Round {round} is void and counts nowhere: {why}\n"))
}

/// Takes the files of a published folder away because an address was erased; says whether there were any.
///
/// # Errors
/// When the file system refuses.
pub fn erase_edition(folder: &Path) -> io::Result<bool> {
    let text = "An address was erased. Signed files cannot be changed, so these were taken away; the scores of the other alerts are \
                at /canonical.\n";
    take_away(folder, ERASED, text)
}

/// Whether a round's published files were taken away because an address was erased.
#[must_use]
pub fn is_erased(root: &Path, round: &RoundId) -> bool {
    directory(root, round).join(ERASED).is_file()
}

/// The folders of what is published below `root`; none where nothing is.
///
/// # Errors
/// When the folder cannot be listed.
pub fn editions(root: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            all.push(entry.path());
        }
    }
    all.sort();
    Ok(all)
}

/// The manifest goes first: without it the rest is nobody's.
fn take_away(folder: &Path, note: &str, text: &str) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?.collect::<Result<Vec<_>, _>>()?,
    };
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort_by_key(|path| !path.ends_with(MANIFEST_FILE));
    for path in paths {
        fs::remove_file(path)?;
    }
    fs::write(folder.join(note), text)?;
    Ok(true)
}
