//! Signed answers of the second form, `amlanswer/2`: for which task and which commitment to its traps, in answer to which
//! request, what was answered, what was sent, how that is encoded, and when it may be read.
//!
//! It is sent to whoever asks for it in the [terms](super::terms) of a request. The first form ([`super::answer`]) is sent to
//! everybody else, and verified from everybody who still sends it. Both share the headers for key, nonce and signature.

use aml_miner::digest::Digest;
use http::{HeaderMap, HeaderName, StatusCode};

use super::Refusal;
use super::answer::{Asked, Proof, names, prove, put_signed};
use super::headers;
use crate::beacon::BeaconRound;
use crate::wallet::{Hotkey, Scheme, Signer};

/// `2`; absent in the first form.
pub const VERSION_HEADER: &str = "x-aml-answer-version";
/// SHA-256 of the plain answer.
pub const PLAIN_HEADER: &str = "x-aml-answer-plain";
/// How what was sent is encoded.
pub const ENCODING_HEADER: &str = "x-aml-answer-encoding";
/// The beacon's round that it opens with; absent where it is open.
pub const BEACON_HEADER: &str = "x-aml-answer-beacon";

/// How a plain answer was made into what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// Sealed ([`super::sealed`]).
    Sealed,
}

impl Encoding {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Sealed => "amlsealed/1",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Identity, Self::Sealed].into_iter().find(|encoding| encoding.name() == text)
    }
}

/// What an answer is about, beside the request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// SHA-256 of the task as JSON.
    pub task: Digest,
    /// The commitment to its traps.
    pub commitment: Digest,
    /// SHA-256 of the request's body after its encoding is undone.
    pub decoded: Digest,
}

/// What a miner says of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Its status.
    pub status: StatusCode,
    /// SHA-256 of the plain answer: what the API said.
    pub plain: Digest,
    /// SHA-256 of what was sent.
    pub sent: Digest,
    /// How the one became the other.
    pub encoding: Encoding,
    /// The beacon's round that it opens with.
    pub beacon: Option<BeaconRound>,
}

/// The bytes that are signed: fourteen lines, no newline at the end.
#[must_use]
pub fn payload(scheme: Scheme, miner: &Hotkey, stated: &Stated, asked: &Asked, subject: &Subject) -> Vec<u8> {
    let beacon = stated.beacon.map_or_else(|| "none".to_owned(), |round| round.to_string());
    let status = stated.status.as_u16();
    let Subject { task, commitment, decoded } = subject;
    let Stated { plain, sent, encoding, .. } = stated;
    let Asked { nonce, validator, body } = asked;
    format!(
        "amlanswer/2\n{scheme}\n{status}\n{task}\n{commitment}\n{body}\n{decoded}\n{plain}\n{sent}\n{}\n{beacon}\n\
         {miner}\n{validator}\n{nonce}",
        encoding.name()
    )
    .into_bytes()
}

/// The headers that go before an answer.
#[must_use]
pub fn sign(signer: &Signer, stated: &Stated, asked: &Asked, subject: &Subject) -> HeaderMap {
    let mut signed = HeaderMap::with_capacity(8);
    let mut put = |name, text: &str| signed.insert(HeaderName::from_static(name), headers::value(text));
    put(VERSION_HEADER, "2");
    put(PLAIN_HEADER, &stated.plain.to_string());
    put(ENCODING_HEADER, stated.encoding.name());
    if let Some(round) = stated.beacon {
        put(BEACON_HEADER, &round.to_string());
    }
    put_signed(&mut signed, signer, asked, &payload(signer.scheme(), &signer.hotkey(), stated, asked, subject));
    signed
}

/// Whether these headers are of the second form.
#[must_use]
pub fn is_second(headers: &HeaderMap) -> bool {
    headers.contains_key(VERSION_HEADER)
}

/// What came: its status, and SHA-256 of the body as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// Status.
    pub status: StatusCode,
    /// SHA-256 of the body.
    pub sent: Digest,
}

/// Checks that what `came` is `miner`'s answer to what we asked, and reads what it says of itself.
///
/// # Errors
/// When a header is missing or malformed, another key or nonce is named, what is said does not go together, or the signature
/// does not hold.
pub fn verify_answer(
    headers: &HeaderMap,
    miner: &Hotkey,
    came: Came,
    asked: &Asked,
    subject: &Subject,
) -> Result<(Proof, Stated), Refusal> {
    if headers::exactly_one(headers, VERSION_HEADER)? != "2" {
        return Err(Refusal::Malformed { name: VERSION_HEADER, expected: "2" });
    }
    names(headers, miner, asked)?;
    let stated = stated(headers, came)?;
    let proof = prove(headers, miner, |scheme| payload(scheme, miner, &stated, asked, subject))?;
    Ok((proof, stated))
}

fn stated(headers: &HeaderMap, came: Came) -> Result<Stated, Refusal> {
    let plain = headers::exactly_one(headers, PLAIN_HEADER)?
        .parse()
        .map_err(|_| Refusal::Malformed { name: PLAIN_HEADER, expected: "64 hex digits" })?;
    let encoding = Encoding::parse(headers::exactly_one(headers, ENCODING_HEADER)?)
        .ok_or(Refusal::Malformed { name: ENCODING_HEADER, expected: "identity or amlsealed/1" })?;
    let beacon = match headers::at_most_one(headers, BEACON_HEADER)? {
        None => None,
        Some(text) => {
            Some(text.parse().map_err(|_| Refusal::Malformed { name: BEACON_HEADER, expected: "BEACON:ROUND" })?)
        }
    };
    let together = match encoding {
        Encoding::Identity => beacon.is_none() && plain == came.sent,
        Encoding::Sealed => beacon.is_some(),
    };
    if !together {
        let expected = "an encoding that goes with the beacon's round and the digests";
        return Err(Refusal::Malformed { name: ENCODING_HEADER, expected });
    }
    Ok(Stated { status: came.status, plain, sent: came.sent, encoding, beacon })
}
