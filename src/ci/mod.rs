//! What the CI says.

pub mod context;
pub mod git;
pub mod provider;
