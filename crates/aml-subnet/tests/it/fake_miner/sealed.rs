//! What a fake miner does where it is asked for a sealed answer: as it should be, or wrong in one way.

use aml_miner::digest::Digest;
use aml_subnet::beacon::{Beacon, BeaconRound};
use aml_subnet::protocol::answer::Asked;
use aml_subnet::protocol::sealed::{Packed, Parties, seal};
use aml_subnet::protocol::second_answer::{self, Encoding, Stated, Subject};
use aml_subnet::protocol::terms::{Opening, Terms};
use aml_subnet::wallet::Hotkey;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::answers::Reply;
use super::wire::Request;
use super::{Behaviour, Miner};

/// What is wrong with a sealed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The signature names the round, the ciphertext another one.
    OtherRound,
    /// The ciphertext names another beacon.
    OtherBeacon,
    /// The signature names another beacon as well.
    SignsOtherBeacon,
    /// The last bytes are missing.
    Truncated,
    /// Fewer bytes than a head has.
    Stump,
    /// Something else altogether.
    Garbage,
    /// Sealed in another miner's name.
    OtherMiner,
    /// Sealed for another validator.
    OtherValidator,
    /// Sealed for another task.
    OtherTask,
    /// The signature is over another plain answer.
    OtherPlain,
    /// The key is locked to another round than the head says.
    OtherLock,
    /// It unpacks to more than an answer may have.
    Bomb,
    /// It opens a day after the round.
    Later,
    /// It opens at a time that no round of its day has.
    NoOpening,
    /// It could be read when it was sent.
    Past,
    /// It is not sealed.
    Open,
    /// It is sealed to this opening, whatever was asked for, in seconds since 1970.
    At(u64),
}

impl Miner {
    /// The terms of a request that names an opening.
    pub(super) fn sealing(&self, request: &Request) -> Option<(Terms, Opening)> {
        let query = request.target.split_once('?').map(|(_, query)| query);
        let (terms, _) = Terms::of_query(query).expect("our validator writes them well");
        let terms = terms?;
        Some((terms, terms.opening?)).filter(|_| self.flaw() != Some(Flaw::Open))
    }

    pub(super) fn flaw(&self) -> Option<Flaw> {
        if let Behaviour::Sealing(flaw) = self.behaviour { Some(flaw) } else { None }
    }

    /// A sealed answer.
    pub(super) fn sealed(&self, body: Vec<u8>, receipt: &str, asked: &Asked, terms: (Terms, Opening)) -> Reply {
        let (terms, opening) = terms;
        let flaw = self.flaw();
        let at = |at_s| Opening { at_s, ..opening }.round();
        let signed = match flaw {
            Some(Flaw::Later) => at(opening.at_s + 86_400),
            Some(Flaw::NoOpening) => at(opening.at_s - 60),
            Some(Flaw::Past) => at(opening.at_s - 365 * 86_400),
            Some(Flaw::At(time)) => at(time),
            Some(Flaw::SignsOtherBeacon) => BeaconRound::opening_at(Beacon::Quicknet, opening.at_s),
            _ => opening.round(),
        };
        let to = match flaw {
            Some(Flaw::OtherRound) => BeaconRound { round: signed.round + 1, ..signed },
            Some(Flaw::OtherBeacon) => BeaconRound { beacon: Beacon::Quicknet, ..signed },
            _ => signed,
        };
        let other = Hotkey::from_bytes([77; 32]);
        let parties = Parties {
            miner: if flaw == Some(Flaw::OtherMiner) { other } else { self.signer.hotkey() },
            validator: if flaw == Some(Flaw::OtherValidator) { other } else { asked.validator },
            task: if flaw == Some(Flaw::OtherTask) { Digest::of(b"another task") } else { terms.task },
        };
        let body = if flaw == Some(Flaw::Bomb) { vec![b' '; 8 << 20] } else { body };
        let plain = if flaw == Some(Flaw::OtherPlain) { Digest::of(b"another answer") } else { Digest::of(&body) };
        let packed = Packed::of(Some(receipt), &body).expect("a receipt");
        let mut sent = seal(packed, to, &parties).expect("sealed");
        match flaw {
            Some(Flaw::Truncated) => sent.truncate(sent.len() - 5),
            Some(Flaw::Stump) => sent.truncate(40),
            Some(Flaw::Garbage) => sent = vec![0xaa; 300],
            Some(Flaw::OtherLock) => sent[150] ^= 1,
            _ => {}
        }
        self.seen.plain.lock().expect("no panic").insert(plain, (receipt.to_owned(), body));
        let stated = Stated {
            status: StatusCode::OK,
            plain,
            sent: Digest::of(&sent),
            encoding: Encoding::Sealed,
            beacon: Some(signed),
        };
        let subject =
            Subject { task: terms.task, commitment: terms.commitment, decoded: terms.decoded.unwrap_or(asked.body) };
        let headers = second_answer::sign(&self.signer, &stated, asked, &subject);
        Reply { status: StatusCode::OK, headers, body: sent }
    }

    /// The plain answer of a digest, as a miner gives it when the beacon stays away.
    pub(super) fn plain(&self, request: &Request) -> Option<Reply> {
        let digest = request.path().strip_prefix(&format!("/{}/answers/", self.netuid))?.parse().ok()?;
        let (receipt, body) = self.seen.plain.lock().expect("no panic").get(&digest)?.clone();
        let mut headers = HeaderMap::new();
        headers.insert(aml_miner::receipt::HEADER, HeaderValue::from_str(&receipt).expect("base64url"));
        Some(Reply { status: StatusCode::OK, headers, body })
    }
}
