//! `aml-subnet rules apply`: frames on standard input, one per line; an answer to each on standard output.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::num::NonZero;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::seasons::{Answer, Desk, MAX_FRAME_BYTES, Refusal};

/// Arguments of `rules apply`.
#[derive(Debug, Args)]
#[command(
    after_help = "A frame is one line of JSON. {\"begin\": ...} starts a season, {\"day\": ...} plays a day of it; each is answered with one \
                  line. Lists of numbers are base64 of 64-bit floating point numbers, lowest byte first. docs/simulator.md \
                  has every field. Nothing is stored.

Exits with 0 when every frame was answered, with 1 when one was refused.

Example:
  echo '{\"begin\": {\"rules\": \"v2\", \"miners\": 3}}' | aml-subnet rules apply"
)]
pub(super) struct ApplyArgs {
    /// Threads [default: one per processor]; they change no bit
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

/// Answers until standard input ends.
pub(super) fn run(args: &ApplyArgs) -> anyhow::Result<ExitCode> {
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZero::<usize>::MIN);
    let (mut input, mut output) = (BufReader::new(io::stdin().lock()), BufWriter::new(io::stdout().lock()));
    let (mut desk, mut code) = (Desk::new(threads), ExitCode::SUCCESS);
    while let Some(frame) = next(&mut input, MAX_FRAME_BYTES).context("cannot read standard input")? {
        let answer = frame.and_then(|frame| desk.answer(&frame)).unwrap_or_else(|refusal| {
            code = ExitCode::FAILURE;
            Answer::from(refusal)
        });
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n").and_then(|()| output.flush()).context("cannot write to standard output")?;
    }
    Ok(code)
}

/// The next line that is not blank; of one that has more than `limit` bytes nothing is kept.
fn next(input: &mut impl BufRead, limit: usize) -> io::Result<Option<Result<Vec<u8>, Refusal>>> {
    loop {
        let mut line = Vec::new();
        // One more for the end of the line.
        if input.by_ref().take(limit as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() > limit && line.last() != Some(&b'\n') {
            drop(line);
            input.skip_until(b'\n')?;
            return Ok(Some(Err(Refusal::TooLong { limit })));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(Ok(line)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, next};

    #[test]
    fn what_is_too_long_is_passed_over() {
        let mut input = &b"12345678\n\n  \n123456789 and more\nlast"[..];
        let mut one = || next(&mut input, 8).expect("it is read");
        assert_eq!(one(), Some(Ok(b"12345678\n".to_vec())));
        assert_eq!(one(), Some(Err(Refusal::TooLong { limit: 8 })));
        assert_eq!(one(), Some(Ok(b"last".to_vec())));
        assert_eq!(one(), None);
    }
}
