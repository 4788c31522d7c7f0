//! What providers import.

pub(super) use serde::Deserialize;

pub(super) use super::info::{Provider, ProviderInfo, Sign};
pub(super) use super::job_name;
pub(super) use crate::ci::context::Context;
pub(super) use crate::status::commit::DetectedCommit;
pub(super) use crate::status::refname::Refname;
pub(super) use crate::status::repository::{Repository, Site};
pub(super) use crate::status::state::State;
pub(super) use crate::status::url::segment;
