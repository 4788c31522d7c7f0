//! HTTP: requests, responses, failures, retries, proxies and TLS.

pub mod client;
mod dial;
pub(crate) mod failure;
pub(crate) mod judge;
pub mod proxy;
pub(crate) mod request;
mod resolve;
pub mod response;
pub mod retry;
pub mod session;
mod tls;
