//! The scores of an answer, borrowed from its bytes: for whoever reads hundreds of large answers.
//!
//! An answer as scorers write it is read in one pass that copies nothing. Whatever is written in another way (an escape
//! in a key or an identifier, a field too many, too few or twice, a row that is no object, anything wrong at all) is left
//! to the reader of [`read_scores`](super::read_scores): both say the same of every answer.

use std::borrow::Cow;

use serde::Deserialize;

use super::read::{ReadReplyError, ReplyLimits, read_list, within};
use crate::wire::json::scan::Next;
use crate::wire::json::text::{Span, plain_end};
use crate::wire::json::{Number, Scanner};

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
    last: Frame<'a>,
    /// Whether the last row ended as the one before it.
    repeats: bool,
    version: Option<&'a str>,
    one_version: bool,
}

/// What stood around alert and score of the last row, where they were its first fields: most rows are alike but for these.
#[derive(Default)]
struct Frame<'a> {
    /// From its opening bracket to the quote before the alert.
    head: &'a [u8],
    /// From the quote after the alert to the score.
    middle: &'a [u8],
    /// From the score to its closing bracket.
    tail: &'a [u8],
}

impl<'a> Plain<'a> {
    fn new(text: &'a str, limits: &ReplyLimits) -> Self {
        let scanner = Scanner::new(text, limits.text.max(limits.explanation), 0);
        Self { scanner, limits: *limits, last: Frame::default(), repeats: false, version: None, one_version: true }
    }

    fn read(mut self) -> Option<Scored<'a>> {
        self.pass(b'[')?;
        let mut rows = Vec::new();
        let mut next = if self.scanner.closes(b']') { Next::End } else { Next::More };
        while next == Next::More {
            if rows.len() == self.limits.rows {
                return None;
            }
            let row = if self.repeats { self.row_as_before() } else { None };
            rows.push(match row {
                Some(row) => row,
                None => self.row()?,
            });
            next = self.scanner.after_item(b']').ok()?;
        }
        let ended = self.scanner.next_byte().is_none();
        let (model_version, one_version) = (self.version.map(Cow::Borrowed), self.one_version);
        ended.then_some(Scored { rows, model_version, one_version })
    }

    /// A row that is, byte for byte, framed as the one before; what is none is still ahead then.
    fn row_as_before(&mut self) -> Option<(Cow<'a, str>, f64)> {
        let (bytes, at) = (self.scanner.bytes(), self.scanner.at());
        let Frame { head, middle, tail } = self.last;
        let start = bytes[at..].starts_with(head).then_some(at + head.len())?;
        let end = plain_end(bytes, start);
        if end - start > self.limits.text || !bytes[end..].starts_with(middle) {
            return None;
        }
        let (number, ended) = Number::scan(bytes, end + middle.len()).ok()?;
        if !number.value.is_finite() || !bytes[ended..].starts_with(tail) {
            self.repeats = false;
            return None;
        }
        self.scanner.move_to(ended + tail.len());
        Some((Cow::Borrowed(self.scanner.slice(Span { start, end, escaped: false })), number.value))
    }

    fn row(&mut self) -> Option<(Cow<'a, str>, f64)> {
        self.scanner.next_byte();
        let row_from = self.scanner.at();
        self.pass(b'{')?;
        self.scanner.next_byte();
        let (mut seen, mut id, mut score, mut frame) = (0, None, 0.0, Frame::default());
        let mut tail_from = 0;
        loop {
            let field = self.field()?;
            if seen & field != 0 {
                return None;
            }
            seen |= field;
            let from = self.scanner.at();
            match field {
                ID => id = Some(self.text(self.limits.text)?),
                SCORE => score = self.number()?,
                LATENCY => drop(self.number()?),
                VERSION => self.version()?,
                _ => self.explanation()?,
            }
            if let Some(id) = id.filter(|_| seen == ID | SCORE) {
                if self.skip_tail() {
                    return Some((Cow::Borrowed(self.scanner.slice(id)), score));
                }
                if field == SCORE {
                    let bytes = self.scanner.bytes();
                    (frame.head, frame.middle) = (&bytes[row_from..id.start], &bytes[id.end..from]);
                    tail_from = self.scanner.at();
                }
            }
            if self.scanner.after_item(b'}').ok()? == Next::End {
                break;
            }
        }
        if !frame.head.is_empty() {
            frame.tail = self.scanner.since(tail_from).as_bytes();
        }
        self.last = frame;
        let id = id.filter(|_| seen == ALL)?;
        Some((Cow::Borrowed(self.scanner.slice(id)), score))
    }

    /// Passes the rest of a row that is, byte for byte, that of the row before.
    fn skip_tail(&mut self) -> bool {
        let tail = self.last.tail;
        self.repeats = !tail.is_empty() && self.scanner.bytes()[self.scanner.at()..].starts_with(tail);
        if self.repeats {
            self.scanner.skip(tail.len());
        }
        self.repeats
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

    fn text(&mut self, most: usize) -> Option<Span> {
        let span = self.scanner.string().ok()?;
        (!span.escaped && span.end - span.start <= most).then_some(span)
    }

    /// A number that a double can hold.
    fn number(&mut self) -> Option<f64> {
        let number = self.scanner.number().ok()?.value;
        number.is_finite().then_some(number)
    }

    fn version(&mut self) -> Option<()> {
        let version = self.text(self.limits.text).map(|span| self.scanner.slice(span))?;
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
