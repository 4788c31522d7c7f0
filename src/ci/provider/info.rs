//! The trait for a CI, and the description of one.

use serde::de::DeserializeOwned;

use crate::ci::context::Context;
use crate::env::Env;

/// A CI: the variables it sets, as the fields of a struct, and what they mean.
///
/// A field has the name of its variable in lower case and is an `Option<String>`: the struct can be
/// read whatever the values are.
pub trait Provider: DeserializeOwned {
    /// The description of the CI.
    const INFO: ProviderInfo;

    /// Its variables with lower case in their names; `*` stands for any end.
    const MIXED_CASE: &'static [&'static str] = &[];

    /// What the variables mean.
    fn context(self) -> Context;
}

/// The description of a CI, which needs no environment.
#[derive(Debug, PartialEq)]
pub struct ProviderInfo {
    /// The value of `--provider`.
    pub id: &'static str,
    /// The name, for people.
    pub name: &'static str,
    /// The page that documents the variables.
    pub docs: &'static str,
    /// The part of a default key between `ci/` and the job's name.
    pub key: &'static str,
    /// The CI is recognised if all of them hold. No two CIs' signs may hold together.
    pub signs: &'static [Sign],
    /// The variables that may hold the commit, in the order in which they are tried.
    pub commit: &'static [&'static str],
    /// The variable that holds the job's state, if there is one.
    pub state: Option<&'static str>,
    /// When `state` is final; without a variable, how to pass the state. Begins in lower case.
    pub state_caveat: &'static str,
    /// The setting or variable that determines the job's URL.
    pub(crate) url_setting: &'static str,
    /// Why a secret may be missing in a job although it is defined.
    pub(crate) secrets_caveat: &'static str,
}

/// A condition on variables by which a CI is recognised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sign {
    /// The variable is set.
    Set(&'static str),
    /// At least one of the variables is set.
    OneOf(&'static [&'static str]),
    /// The variable has this value.
    Is(&'static str, &'static str),
    /// The variable is not set. Another CI that sets this one's variables too sets it.
    Unset(&'static str),
}

impl Sign {
    /// Whether the condition holds in `env`.
    pub(super) fn holds(self, env: &Env) -> bool {
        match self {
            Self::Set(name) => env.get(name).is_some(),
            Self::OneOf(names) => names.iter().any(|name| env.get(name).is_some()),
            Self::Is(name, value) => env.get(name) == Some(value),
            Self::Unset(name) => env.get(name).is_none(),
        }
    }
}
