//! What the CI says.

pub mod context;
pub(crate) mod event;
pub(crate) mod file;
pub mod git;
pub mod provider;
