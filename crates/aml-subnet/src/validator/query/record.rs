//! From what came to what the ledger keeps.

use aml_miner::receipt;
use http::HeaderMap;

use super::native::Heard;
use super::talk::Told;
use crate::http::client::MAX_REFUSAL;
use crate::http::spool::Spooled;
use crate::protocol::answer::{CRYPTO_HEADER, HOTKEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER};
use crate::protocol::limits::MAX_HEADER_VALUE;
use crate::protocol::receipt_key;
use crate::protocol::second_answer::{BEACON_HEADER, ENCODING_HEADER, Encoding, PLAIN_HEADER, Stated, VERSION_HEADER};
use crate::store::records::{Answer, Attempt, Reply, SealedAnswer, SealedState};
use crate::wallet::Hotkey;

/// Longest receipt that is kept; ours have about 950 bytes.
const MAX_RECEIPT: usize = 4096;

/// What one attempt came to.
pub(super) fn attempt(told: &Told) -> Attempt {
    let reply = match &told.came {
        Ok(heard) => heard.verdict.clone().map_or_else(Reply::Refused, |()| Reply::Answered),
        Err(reply) => reply.clone(),
    };
    let took_ms = u64::try_from(told.took.as_millis()).unwrap_or(u64::MAX);
    Attempt { at_ms: told.asked_ms, took_ms, reply }
}

/// The record of what came of `hotkey`, and the body that belongs to it.
///
/// Of what counts the body is kept, however long; of anything else only a short one, for whoever asks why.
pub(super) fn record(hotkey: Hotkey, told: Told) -> (Answer, Option<Spooled>) {
    let mut answer = Answer {
        form: told.form,
        request: told.request,
        request_form: told.request_form,
        takes_arrow: told.takes.arrow,
        takes_references: told.takes.references,
        took_ms: u64::try_from(told.took.as_millis()).unwrap_or(u64::MAX),
        in_time: told.came.is_ok(),
        ..Answer::silence(hotkey, Reply::NotServing, told.asked_ms)
    };
    let Heard { status, headers, body, whole, verdict, stated, .. } = match told.came {
        Ok(heard) => heard,
        Err(reply) => {
            answer.reply = reply;
            return (answer, None);
        }
    };
    let counts = verdict.is_ok();
    answer.reply = verdict.map_or_else(Reply::Refused, |()| Reply::Answered);
    answer.status = Some(status.as_u16());
    answer.receipt = only(&headers, receipt::HEADER, MAX_RECEIPT);
    let first = [HOTKEY_HEADER, NONCE_HEADER, CRYPTO_HEADER, SIGNATURE_HEADER];
    let second = [VERSION_HEADER, PLAIN_HEADER, ENCODING_HEADER, BEACON_HEADER, receipt_key::HEADER];
    let evidence = first.into_iter().chain(second);
    let evidence = evidence.filter_map(|name| Some((name.to_owned(), only(&headers, name, MAX_HEADER_VALUE)?)));
    answer.headers = evidence.collect();
    answer.bytes = body.len();
    let kept = counts || (whole && (1..=MAX_REFUSAL).contains(&body.len()));
    answer.sealed = stated.filter(|_| counts).and_then(|stated| sealed(&stated, body.len()));
    answer.body = (kept && answer.sealed.is_none()).then(|| body.digest());
    (answer, kept.then_some(body))
}

/// How an answer arrived, where it arrived sealed.
fn sealed(stated: &Stated, bytes: u64) -> Option<SealedAnswer> {
    let beacon = stated.beacon.filter(|_| stated.encoding == Encoding::Sealed)?;
    let Stated { plain, sent: cipher, .. } = *stated;
    Some(SealedAnswer { cipher, bytes, beacon, plain, state: SealedState::Waits })
}

/// The value of a header that stands there once and is short text.
fn only(headers: &HeaderMap, name: &str, most: usize) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok().filter(|text| text.len() <= most).map(str::to_owned)
}
