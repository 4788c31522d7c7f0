//! What a CI's file says of it.

use serde::de::DeserializeOwned;

use crate::ci::context::Context;
use crate::env::Env;

/// A CI: the variables it sets, as the fields of a struct, and what they mean.
///
/// A field has the name of its variable in lower case and is an `Option`; an enum of a CI's own
/// words ends in `#[serde(other)]`. So no value that a CI may set keeps the struct from being read.
pub trait Provider: DeserializeOwned {
    /// What is known of the CI before its variables are read.
    const INFO: ProviderInfo;

    /// What the variables mean.
    fn context(self) -> Context;
}

/// What is known of a CI before its variables are read.
#[derive(Debug, PartialEq)]
pub struct ProviderInfo {
    /// The word for it on the command line.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Where it documents its variables.
    pub docs: &'static str,
    /// What stands between `ci/` and the job's name in a key.
    pub key: &'static str,
    /// What gives it away. All must hold, and no two CIs' may hold together.
    pub signs: &'static [Sign],
    /// The variables that may name the commit, the first first.
    pub commit: &'static [&'static str],
    /// The variable that holds the job's state, if there is one.
    pub state: Option<&'static str>,
    /// When `state` is right; without one, how to pass it.
    pub state_caveat: &'static str,
    /// The setting that the host in the job's URL comes from.
    pub(crate) url_setting: &'static str,
    /// Why a secret that was set up may still be missing in a job.
    pub(crate) secrets_caveat: &'static str,
}

/// A variable that gives a CI away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sign {
    /// It is set.
    Set(&'static str),
    /// At least one of them is set.
    OneOf(&'static [&'static str]),
    /// It is set to this.
    Is(&'static str, &'static str),
    /// It is not set: another CI that runs on this one's machines sets it.
    Unset(&'static str),
}

impl Sign {
    /// Whether it is there.
    pub(super) fn holds(self, env: &Env) -> bool {
        match self {
            Self::Set(name) => env.get(name).is_some(),
            Self::OneOf(names) => names.iter().any(|name| env.get(name).is_some()),
            Self::Is(name, value) => env.get(name) == Some(value),
            Self::Unset(name) => env.get(name).is_none(),
        }
    }
}
