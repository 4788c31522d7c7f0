//! Requests and responses: how they get out, how they fail, and when to try again.

pub mod client;
mod dial;
pub(crate) mod failure;
pub(crate) mod judge;
pub mod proxy;
pub mod request;
pub mod response;
pub mod retry;
pub mod session;
mod tls;
