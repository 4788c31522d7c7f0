//! GitLab's API, as far as `sync` reads it: a pipeline's jobs, and which pipelines there are.

pub(crate) mod credentials;
pub(crate) mod pipeline;
pub(crate) mod reader;
pub(crate) mod server;
mod verdict;
