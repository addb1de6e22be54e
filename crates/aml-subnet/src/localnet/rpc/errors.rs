//! Errors with the numbers and texts of a node: clients tell them apart by these.

use jsonrpsee::types::{ErrorObject, ErrorObjectOwned};

use super::super::apis::CallError;
use super::super::exec::Fault;
use super::super::mirror::H256;
use super::super::pool::PoolError;

/// Something is wrong with the state that was asked for.
const STATE: i32 = 4003;
/// The parameters cannot be read.
const PARAMS: i32 = -32602;
/// A wish of the developer was refused.
const DEV: i32 = 9001;

/// The block is unknown, or too old.
pub(super) fn unknown_block(hash: H256) -> ErrorObjectOwned {
    let text = format!("Client error: UnknownBlock: State already discarded for {hash}");
    ErrorObject::owned(STATE, text, None::<()>)
}

/// A runtime API was not answered.
pub(super) fn call(error: &CallError) -> ErrorObjectOwned {
    ErrorObject::owned(STATE, format!("Client error: Execution failed: Other: {error}"), None::<()>)
}

/// A parameter is wrong.
pub(super) fn params(text: impl Into<String>) -> ErrorObjectOwned {
    ErrorObject::owned(PARAMS, text, None::<()>)
}

/// The pool did not take a transaction.
pub(super) fn pool(error: &PoolError) -> ErrorObjectOwned {
    let (code, data) = error.code_and_data();
    ErrorObject::owned(code, error.to_string(), data)
}

/// A wish was refused by a rule of the chain.
pub(super) fn refused(fault: Fault) -> ErrorObjectOwned {
    ErrorObject::owned(DEV, format!("refused: {fault:?}"), None::<()>)
}
