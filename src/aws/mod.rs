//! AWS: its APIs, their signatures and credentials, and Lambda's runtime.

pub(crate) mod api;
pub(crate) mod client;
pub(crate) mod credentials;
pub(crate) mod lambda;
mod refusal;
mod signature;
pub(crate) mod stored_token;
