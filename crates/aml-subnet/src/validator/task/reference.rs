//! The Arrow form of a common task by reference: encrypted once for a round, and the descriptor that is sent instead.

use std::collections::BTreeSet;

use aml_miner::digest::Digest;
use bytes::Bytes;
use http::HeaderValue;

use super::encoded::{self, ENCODING};
use crate::http::body::RequestBody;
use crate::protocol::reference::{Described, Descriptor, MEDIA_TYPE, NotOpened, Object, ObjectKey, encrypt};
use crate::store::records::{BodyForm, Common, ReferencedTask};
use crate::validator::query::EncodedParts;
use crate::wallet::Hotkey;

/// A descriptor, as it is recorded and sent.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) record: ReferencedTask,
    pub(super) bytes: Bytes,
}

/// The object of a task, to be put where miners fetch it.
#[derive(Clone, Debug)]
pub struct TaskObject {
    /// SHA-256 of its bytes: its name in every place.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Bytes,
    key: ObjectKey,
}

impl TaskObject {
    /// The Arrow form of a common task, encrypted.
    pub(super) fn of(arrow: &encoded::Form, common: &Common, key: ObjectKey) -> Result<Self, NotOpened> {
        let bytes = Bytes::from(encrypt(&arrow.bytes, &key, &common.body())?);
        Ok(Self { digest: Digest::of(&bytes), bytes, key })
    }

    /// What those are sent who fetch it from `places`.
    pub(super) fn described(
        &self,
        (arrow, common): (&encoded::Form, &Common),
        places: Vec<String>,
        to: BTreeSet<Hotkey>,
    ) -> Form {
        let (sent, decoded) = (arrow.record.sent, arrow.record.decoded);
        let (task, media, encoding) = (common.body(), encoded::media(common), ENCODING.to_owned());
        let described = Described { task, media, encoding, sent, decoded };
        let object = Object { sha256: self.digest, bytes: self.bytes.len() as u64 };
        let bytes = Bytes::from(Descriptor::of(described, object, self.key.clone(), places).to_bytes());
        let (sent, length) = (Digest::of(&bytes), bytes.len() as u64);
        let (object, object_bytes) = (object.sha256, object.bytes);
        Form { record: ReferencedTask { sent, decoded, bytes: length, object, object_bytes, to }, bytes }
    }
}

impl Form {
    /// What those are sent who take it.
    pub(super) fn encoded(&self, common: &Common) -> EncodedParts {
        let ReferencedTask { sent, decoded, ref to, .. } = self.record;
        EncodedParts {
            form: BodyForm::Reference,
            task: common.body(),
            decoded,
            sent,
            body: RequestBody::from(self.bytes.clone()),
            media: HeaderValue::from_static(MEDIA_TYPE),
            encoding: None,
            to: to.clone(),
        }
    }
}
