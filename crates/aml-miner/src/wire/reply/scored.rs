//! The scores of an answer, borrowed from its bytes: for whoever reads hundreds of large answers.
//!
//! An answer as scorers write it is read in one pass that copies nothing. Whatever is written in another way (an escape
//! in a key or an identifier, a field too many, too few or twice, a row that is no object, anything wrong at all) is left
//! to the reader of [`read_scores`](super::read_scores): both say the same of every answer.

use std::borrow::Cow;

use serde::Deserialize;

use super::read::{ReadReplyError, ReplyLimits, read_list, within};
use crate::wire::json::Scanner;
use crate::wire::json::scan::Next;

/// The scores of an answer of `/score/alerts`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored<'a> {
    /// Each row's alert and its score.
    pub rows: Vec<(Cow<'a, str>, f64)>,
    /// The model version of the first row; `None` without rows.
    pub model_version: Option<Cow<'a, str>>,
    /// Whether all rows name that version.
    pub one_version: bool,
}

/// Reads the answer of `/score/alerts`, as [`read_scores`](super::read_scores) does.
///
/// # Errors
/// When it is not such an answer within `limits`.
pub fn read_scored<'a>(bytes: &'a [u8], limits: &ReplyLimits) -> Result<Scored<'a>, ReadReplyError> {
    match std::str::from_utf8(bytes).ok().and_then(|text| Plain::new(text, limits).read()) {
        Some(scored) => Ok(scored),
        None => thorough(bytes, limits),
    }
}

/// A row that copies only texts with escapes. Its name is in the words in which it refuses.
#[derive(Deserialize)]
struct ScoreRow<'a> {
    #[serde(borrow)]
    alert_id: Cow<'a, str>,
    score: f64,
    #[serde(borrow)]
    model_version: Cow<'a, str>,
    #[serde(rename = "latency_ms")]
    _latency_ms: f64,
    #[serde(borrow)]
    explain_json: Cow<'a, str>,
}

/// Reads an answer in whatever way it is written.
fn thorough<'a>(bytes: &'a [u8], limits: &ReplyLimits) -> Result<Scored<'a>, ReadReplyError> {
    let rows: Vec<ScoreRow<'a>> = read_list(bytes, limits.rows)?;
    for (row, answer) in rows.iter().enumerate() {
        within(row, "alert_id", &answer.alert_id, limits.text)?;
        within(row, "model_version", &answer.model_version, limits.text)?;
        within(row, "explain_json", &answer.explain_json, limits.explanation)?;
    }
    let model_version = rows.first().map(|row| row.model_version.clone());
    let one_version = rows.iter().all(|row| Some(&row.model_version) == model_version.as_ref());
    let rows = rows.into_iter().map(|row| (row.alert_id, row.score)).collect();
    Ok(Scored { rows, model_version, one_version })
}

/// The fields of a row, one bit each.
const ID: u8 = 1;
const SCORE: u8 = 1 << 1;
const VERSION: u8 = 1 << 2;
const LATENCY: u8 = 1 << 3;
const EXPLANATION: u8 = 1 << 4;
const ALL: u8 = ID | SCORE | VERSION | LATENCY | EXPLANATION;

/// Reads the plain form; every `None` of it means that somebody else has to look.
struct Plain<'a> {
    scanner: Scanner<'a>,
    limits: ReplyLimits,
    /// What followed alert and score of the last row, up to its closing bracket: most rows end alike.
    tail: &'a [u8],
    version: Option<&'a str>,
    one_version: bool,
}

impl<'a> Plain<'a> {
    fn new(text: &'a str, limits: &ReplyLimits) -> Self {
        let longest = limits.text.max(limits.explanation);
        Self { scanner: Scanner::new(text, longest, 0), limits: *limits, tail: &[], version: None, one_version: true }
    }

    fn read(mut self) -> Option<Scored<'a>> {
        self.pass(b'[')?;
        let mut rows = Vec::new();
        let mut next = if self.scanner.closes(b']') { Next::End } else { Next::More };
        while next == Next::More {
            if rows.len() == self.limits.rows {
                return None;
            }
            rows.push(self.row()?);
            next = self.scanner.after_item(b']').ok()?;
        }
        let ended = self.scanner.next_byte().is_none();
        let (model_version, one_version) = (self.version.map(Cow::Borrowed), self.one_version);
        ended.then_some(Scored { rows, model_version, one_version })
    }

    fn row(&mut self) -> Option<(Cow<'a, str>, f64)> {
        self.pass(b'{')?;
        self.scanner.next_byte();
        let (mut seen, mut id, mut score, mut tail_from) = (0, "", 0.0, None);
        loop {
            let field = self.field()?;
            if seen & field != 0 {
                return None;
            }
            seen |= field;
            match field {
                ID => id = self.text(self.limits.text)?,
                SCORE => score = self.number()?,
                LATENCY => drop(self.number()?),
                VERSION => self.version()?,
                _ => self.explanation()?,
            }
            if seen == ID | SCORE {
                if self.skip_tail() {
                    return Some((Cow::Borrowed(id), score));
                }
                tail_from = Some(self.scanner.at());
            }
            if self.scanner.after_item(b'}').ok()? == Next::End {
                break;
            }
        }
        self.tail = tail_from.map_or(&[], |from| self.scanner.since(from).as_bytes());
        (seen == ALL).then_some((Cow::Borrowed(id), score))
    }

    /// Passes the rest of a row that is, byte for byte, that of the row before.
    fn skip_tail(&mut self) -> bool {
        let same = !self.tail.is_empty() && self.scanner.bytes()[self.scanner.at()..].starts_with(self.tail);
        if same {
            self.scanner.skip(self.tail.len());
        }
        same
    }

    fn field(&mut self) -> Option<u8> {
        let span = self.scanner.string().ok()?;
        let field = match self.scanner.slice(span) {
            "alert_id" => ID,
            "score" => SCORE,
            "model_version" => VERSION,
            "latency_ms" => LATENCY,
            "explain_json" => EXPLANATION,
            _ => return None,
        };
        self.scanner.colon().ok()?;
        Some(field)
    }

    fn text(&mut self, most: usize) -> Option<&'a str> {
        let span = self.scanner.string().ok()?;
        (!span.escaped && span.end - span.start <= most).then(|| self.scanner.slice(span))
    }

    /// A number that a double can hold.
    fn number(&mut self) -> Option<f64> {
        let number = self.scanner.number().ok()?.value;
        number.is_finite().then_some(number)
    }

    fn version(&mut self) -> Option<()> {
        let version = self.text(self.limits.text)?;
        self.one_version &= *self.version.get_or_insert(version) == version;
        Some(())
    }

    /// Escapes make a text longer: one that is short enough as written is short enough.
    fn explanation(&mut self) -> Option<()> {
        let span = self.scanner.string().ok()?;
        (span.end - span.start <= self.limits.explanation).then_some(())
    }

    fn pass(&mut self, byte: u8) -> Option<()> {
        (self.scanner.next_byte() == Some(byte)).then(|| self.scanner.skip(1))
    }
}
