//! Requests that a hotkey signs, and answers that one signs back.
//!
//! [`signed_request`] is the native form (btauth/1), [`synapse`] the one of the SDKs up to 10. Both share the window of
//! [`nonce`] and the memory of [`replay`]. Nothing here touches a socket.
//!
//! Answers are signed in two forms: [`answer`], and [`second_answer`] for whoever says more of the task in its request's
//! [`terms`]. [`reference`](mod@reference) is how a task travels that is fetched instead of sent, [`sealed`] how an answer travels that nobody can read before its round opens.

pub mod answer;
pub mod content_digest;
mod headers;
pub mod limits;
pub mod nonce;
pub mod receipt_key;
pub mod reference;
pub mod refusal;
pub mod replay;
pub mod sealed;
pub mod second_answer;
pub mod signed_request;
pub mod synapse;
pub mod terms;

pub use nonce::{Nonce, NonceSource, Window};
pub use refusal::Refusal;
