//! What the CI and the working copy say about the job.

pub mod context;
pub(crate) mod event;
pub(crate) mod git;
pub mod provider;
