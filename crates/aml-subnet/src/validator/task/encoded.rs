//! The common task as Arrow streams in a form, packed by zstd: made once for a round, and kept byte for byte.
//!
//! It says what the JSON says, to the same bits. Its boundary comes from the digest of the JSON, which nobody knows who
//! writes into a batch.

use std::collections::BTreeSet;

use aml_miner::data::arrow_stream::write_form;
use aml_miner::digest::Digest;
use aml_miner::wire::Batch;
use bytes::Bytes;
use http::HeaderValue;

use crate::http::body::RequestBody;
use crate::store::records::{BodyForm, Common, EncodedTask};
use crate::validator::query::EncodedParts;
use crate::wallet::Hotkey;

/// Level of zstd: one packing serves all miners. Its window is within the 8 MiB that readers grant.
const LEVEL: i32 = 9;

/// How it is packed.
pub(super) const ENCODING: &str = "zstd";

/// An encoded task and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) record: EncodedTask,
    pub(super) bytes: Bytes,
}

impl Form {
    /// The encoded form of the common task `common`, whose rows are `batch`, for these miners; `None` where there are none.
    pub(super) fn of(common: &Common, batch: &Batch, to: BTreeSet<Hotkey>) -> Option<Self> {
        if to.is_empty() {
            return None;
        }
        let form = write_form(batch, &boundary(common));
        let decoded = Digest::of(&form);
        // Without memory for it miners are sent JSON, as ever.
        let bytes = Bytes::from(zstd::bulk::compress(&form, LEVEL).ok()?);
        let record = EncodedTask { sent: Digest::of(&bytes), decoded, bytes: bytes.len() as u64, to };
        Some(Self { record, bytes })
    }

    /// What those are sent who take it.
    pub(super) fn encoded(&self, common: &Common) -> EncodedParts {
        let EncodedTask { sent, decoded, ref to, .. } = self.record;
        EncodedParts {
            form: BodyForm::Arrow,
            task: common.body(),
            decoded,
            sent,
            body: RequestBody::from(self.bytes.clone()),
            media: HeaderValue::from_str(&media(common)).expect("letters, digits and signs are a valid header value"),
            encoding: Some(HeaderValue::from_static(ENCODING)),
            to: to.clone(),
        }
    }
}

/// What it is once it is unpacked.
pub(super) fn media(common: &Common) -> String {
    format!("multipart/form-data; boundary={}", boundary(common))
}

/// What stands between the parts of the form.
fn boundary(common: &Common) -> String {
    format!("aml-{}", hex::encode(&common.body().as_bytes()[..16]))
}
