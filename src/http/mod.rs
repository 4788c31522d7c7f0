//! HTTP: requests, responses, failures, retries, proxies and TLS.

pub mod client;
mod dial;
mod failure;
pub mod proxy;
pub mod request;
pub mod response;
pub mod retry;
pub mod session;
mod tls;
