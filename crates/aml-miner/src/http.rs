//! What the servers of both crates share: the accept loop, errors in one shape, what happens around every request,
//! connections within bounds, peers that stall. It knows no route, opens no socket, names no metric and writes no log: each
//! server says what it counts and logs, under its own name.

pub mod accept;
pub mod around;
pub mod connections;
pub mod error;
mod leaving;
pub mod openapi;
pub mod stall;
