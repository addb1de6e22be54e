//! The messages of a stream: every length is checked before it is used, and nothing is copied.

use polars_arrow_format::ipc::planus::ReadAsRoot as _;
use polars_arrow_format::ipc::{MessageHeaderRef, MessageRef, MetadataVersion};

use super::broken::broken;
use crate::data::page_guard::at_most;
use crate::data::table_error::FileProblem;

/// How every stream begins: the marker of its first message.
pub const MARKER: [u8; 4] = [0xFF; 4];

/// Bytes of one message's metadata. A schema of all columns, with what pandas adds to it, has about 40 KiB.
const MAX_METADATA_BYTES: u64 = 1 << 20;
/// How a file of the other IPC format begins.
const FILE_MAGIC: &[u8] = b"ARROW1";

/// One message: what it is, and its bytes.
pub(super) struct Message<'a> {
    pub(super) header: MessageHeaderRef<'a>,
    pub(super) body: &'a [u8],
}

/// The messages that are left.
pub(super) struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, FileProblem> {
        if bytes.starts_with(FILE_MAGIC) {
            return Err(broken("it is a file of the Arrow IPC file format (Feather); write it as a stream"));
        }
        Ok(Self { rest: bytes })
    }

    /// The next message; `None` at the marker of the end. A stream may do without one, but a body that was cut between
    /// two messages looks the same.
    pub(super) fn next(&mut self) -> Result<Option<Message<'a>>, FileProblem> {
        if self.rest.is_empty() {
            return Err(broken("it has no end marker; close its writer"));
        }
        if self.take(4)? != MARKER {
            return Err(broken("a message does not begin with the marker FF FF FF FF"));
        }
        let size = self.take(4)?.try_into().map_or(0, u32::from_le_bytes);
        if size == 0 {
            return if self.rest.is_empty() { Ok(None) } else { Err(broken("bytes follow its end")) };
        }
        at_most("the size of a message's metadata", u64::from(size), MAX_METADATA_BYTES)?;
        let metadata = self.take(u64::from(size))?;
        let unreadable = |_| broken("a message's metadata cannot be read");
        let message = MessageRef::read_as_root(metadata).map_err(unreadable)?;
        if !matches!(message.version().map_err(unreadable)?, MetadataVersion::V4 | MetadataVersion::V5) {
            return Err(broken("its version is not 4 or 5"));
        }
        let header = message.header().map_err(unreadable)?.ok_or_else(|| broken("a message has no header"))?;
        let length = u64::try_from(message.body_length().map_err(unreadable)?)
            .map_err(|_| broken("a message states a negative length"))?;
        Ok(Some(Message { header, body: self.take(length)? }))
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], FileProblem> {
        let taken = usize::try_from(count).ok().and_then(|count| self.rest.split_at_checked(count));
        let (taken, rest) = taken.ok_or_else(|| broken("it ends in the middle of a message"))?;
        self.rest = rest;
        Ok(taken)
    }
}
