//! `verify-receipt`: whether a receipt vouches for an input and an output.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Verdict;
use crate::data::{FileLimits, Manifest};
use crate::digest::Digest;
use crate::receipt::{Receipt, verify_digests};

/// Bytes of a receipt file: a receipt has about 600.
const MAX_RECEIPT: u64 = 16 << 10;

/// Arguments of `verify-receipt`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file with the receipt (JSON, or the header's text), or the header's text itself
    #[arg(value_name = "RECEIPT")]
    receipt: String,
    /// What was answered: the request body, or the batch's META.json
    #[arg(long, alias = "request", value_name = "FILE")]
    input: PathBuf,
    /// The answer: the answer's body, or a table of answers
    #[arg(long, alias = "answer", value_name = "FILE")]
    output: PathBuf,
    /// Demand this signer (64 hex digits)
    #[arg(long, value_name = "KEY")]
    public_key: Option<Digest>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let header = match header_of(&args.receipt)? {
        Ok(header) => header,
        Err(reason) => {
            writeln!(out, "BAD  the receipt cannot be read: {reason}")?;
            return Ok(Verdict::Failed);
        }
    };
    let (input, output) = (named(&args.input)?, digest_of(&args.output)?);
    match verify_digests(&header, input, output, args.public_key.as_ref()) {
        Ok(receipt) => {
            let Receipt { model_version, model_sha256, timestamp, public_key, input_form, state_sha256, .. } = receipt;
            writeln!(out, "ok   signed by {public_key} at {timestamp} ms")?;
            writeln!(out, "     model {model_version}, file {model_sha256}")?;
            if let Some(form) = input_form {
                let state = state_sha256.map_or_else(|| "no state".to_owned(), |state| format!("state {state}"));
                writeln!(out, "     read as {}, {state}", form.name())?;
            }
            Ok(Verdict::Passed)
        }
        Err(error) => {
            writeln!(out, "BAD  {error}")?;
            Ok(Verdict::Failed)
        }
    }
}

/// The header's text, from a file that holds it or the receipt's JSON, or as it was given.
fn header_of(given: &str) -> anyhow::Result<Result<String, String>> {
    let path = Path::new(given);
    let Ok(about) = std::fs::metadata(path) else { return Ok(Ok(given.to_owned())) };
    if about.len() > MAX_RECEIPT {
        return Ok(Err(format!("{} bytes, at most {MAX_RECEIPT} are accepted", about.len())));
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = text.trim();
    if !text.starts_with('{') {
        return Ok(Ok(text.to_owned()));
    }
    Ok(serde_json::from_str::<Receipt>(text).map(|receipt| receipt.to_header()).map_err(|error| error.to_string()))
}

/// What a receipt calls its input: the digest of a file, and of a batch whose tables stand in parts that of the batch.
fn named(path: &Path) -> anyhow::Result<Digest> {
    let limits = FileLimits::default();
    let of_manifest = |path: &Path| {
        let small =
            std::fs::metadata(path).ok().filter(|about| about.is_file() && about.len() <= limits.manifest_bytes)?;
        let bytes = std::fs::read(path).ok().filter(|bytes| bytes.len() as u64 <= small.len())?;
        Some(Manifest::parse(&bytes, limits.files).ok()?.name_of(&bytes))
    };
    of_manifest(path).map_or_else(|| digest_of(path), Ok)
}

fn digest_of(path: &Path) -> anyhow::Result<Digest> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (digest, _) = Digest::of_reader(file).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(digest)
}
