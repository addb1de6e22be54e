//! A model's version: a name, and digests of all that decides its scores.
//!
//! `1.2.3+TEXT`, or `1.2.3+TEXT.CURVE` where scores are calibrated: the first 12 hex digits of the digests of the model file
//! and of the curve. Bundles written before curves had a part in it carry `1.2.3+TEXT` with a curve: they load, and are
//! served under their whole version.

use crate::digest::Digest;
use crate::models::Calibration;

/// The version of a model of this name.
pub(super) fn whole(name: &str, file: Digest, calibration: &Calibration) -> String {
    format!("{name}+{}", build(file, calibration))
}

/// The part behind the plus sign.
pub(super) fn build(file: Digest, calibration: &Calibration) -> String {
    match calibration {
        Calibration::None => file.short(),
        curve => format!("{}.{}", file.short(), curve.digest().short()),
    }
}

/// The name in `version`: three numbers. `None` when it has none, or the digests behind it are of another bundle.
pub(super) fn name<'a>(version: &'a str, file: Digest, calibration: &Calibration) -> Option<&'a str> {
    let (name, found) = version.split_once('+')?;
    let number = |part: &str| {
        let digits = !part.is_empty() && part.len() <= 9 && part.bytes().all(|c| c.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0'))
    };
    let named = name.split('.').count() == 3 && name.split('.').all(number);
    (named && (found == build(file, calibration) || found == file.short())).then_some(name)
}
