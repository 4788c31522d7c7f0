//! GitLab's API, as far as `sync` reads it: a pipeline's jobs, and which pipelines there are.

pub mod credentials;
pub mod pipeline;
pub mod reader;
pub mod server;
mod verdict;
