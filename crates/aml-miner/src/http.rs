//! What the servers of both crates share: errors in one shape, what happens around every request, connections within
//! bounds, peers that stall. It knows no route and opens no socket.

pub mod around;
pub mod connections;
pub mod error;
pub mod openapi;
pub mod stall;
