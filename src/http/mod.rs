//! Requests and responses: how they get out, how they fail, and when to try again.

pub mod client;
mod dial;
mod failure;
pub(crate) mod judge;
pub mod proxy;
pub(crate) mod request;
mod resolve;
pub mod response;
pub mod retry;
pub mod session;
mod tls;
