//! The process environment, read once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use serde::de::DeserializeOwned;

use crate::error::{self, Error};

/// A snapshot of environment variables.
///
/// Empty variables are left out: CIs export some for "not set". In a value that is not UTF-8, invalid
/// bytes are replaced (most of a job name in Latin-1 stays readable); `std::env::vars` would panic.
#[derive(Clone, Default, PartialEq)]
pub struct Env {
    variables: BTreeMap<String, String>,
}

impl Env {
    /// Takes the snapshot. Only this function and clap, for the options, read the process
    /// environment.
    pub fn from_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(&*key(name)).map(String::as_str)
    }

    /// The names of all variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Reads the fields of `T`, each from the variable of its name in upper case, or from one of the
    /// `mixed` names, which have lower case in them (`*` stands for any end). Others are not looked
    /// at: on Unix, `ci_job_status` is not GitLab's `CI_JOB_STATUS`.
    pub(crate) fn read<T: DeserializeOwned>(&self, mixed: &[&str]) -> Result<T, envy::Error> {
        let is_exact = |name: &str| {
            let is_mixed = |known: &&str| match known.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == *known,
            };
            !name.bytes().any(|byte| byte.is_ascii_lowercase()) || mixed.iter().any(is_mixed)
        };
        // envy makes names lower case, and calls two that are the same then a duplicate field. Upper
        // case sorts first.
        let mut seen = BTreeSet::new();
        let variables = self.variables.iter().filter(|(name, _)| {
            is_exact(name) && (mixed.is_empty() || seen.insert(name.to_lowercase()))
        });
        envy::from_iter(variables.map(|(name, value)| (name.clone(), value.clone())))
    }
}

/// The name as it is compared: Windows takes names in any case for the same.
fn key(name: &str) -> Cow<'_, str> {
    if cfg!(windows) {
        name.to_uppercase().into()
    } else {
        name.into()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let text = |os: OsString| os.to_string_lossy().into_owned();
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (key(&text(name.into())).into_owned(), text(value.into())))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        }
    }
}

/// Refuses a value such as `$NAME`: a reference that the CI did not expand, mostly because the variable
/// is not set in this job. `origin` is the option or variable with the value.
pub(crate) fn check_expanded(origin: &str, text: &str) -> Result<(), Error> {
    let within = |text: &'_ str, start: &str, end: char| {
        let inner = text
            .strip_prefix(start)
            .and_then(|text| text.strip_suffix(end));
        inner.map(str::to_owned)
    };
    // $NAME, ${NAME}, Azure's $(NAME), CodePipeline's #{Namespace.Name}
    let name = within(text, "${", '}')
        .or_else(|| within(text, "$(", ')'))
        .or_else(|| within(text, "#{", '}'))
        .or_else(|| text.strip_prefix('$').map(str::to_owned));
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    if name.as_deref().is_some_and(is_name) {
        let hint = if text.starts_with("#{") {
            error::NOT_EXPANDED
        } else {
            "define that variable in this pipeline; a protected variable is missing on unprotected \
             branches and tags, and GitLab expands references only with the flag `Expand variable \
             reference`"
        };
        let problem = "it is a literal reference to a variable, which the CI has not expanded";
        return Err(Error::setting(origin, problem, hint));
    }
    Ok(())
}

/// Prints names only: values may be secrets.
impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Two {
        job_name: Option<String>,
        job_url: Option<String>,
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let env = Env::from_iter([("JOB_NAME", ""), ("JOB_URL", "u")]);
        assert_eq!(env.get("JOB_NAME"), None);
        assert_eq!(
            env.read::<Two>(&[]).unwrap(),
            Two {
                job_name: None,
                job_url: Some("u".into())
            }
        );
    }

    #[cfg(unix)]
    #[test]
    fn names_are_read_in_their_own_case_only() {
        let env = Env::from_iter([("job_name", "lower"), ("Job_Url", "mixed")]);
        let none = Two {
            job_name: None,
            job_url: None,
        };
        assert_eq!(env.read::<Two>(&[]).unwrap(), none);
        let mixed = env.read::<Two>(&["Job_*"]).unwrap();
        assert_eq!(mixed.job_url.as_deref(), Some("mixed"));
        let both = Env::from_iter([("job_name", "lower"), ("JOB_NAME", "upper")]);
        let read = both.read::<Two>(&["job_name"]).unwrap();
        assert_eq!(read.job_name.as_deref(), Some("upper"));
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf_8_keeps_what_can_be_kept() {
        use std::os::unix::ffi::OsStringExt as _;
        let env = Env::from_iter([("JOB_NAME", OsString::from_vec(b"caf\xe9".to_vec()))]);
        assert_eq!(env.get("JOB_NAME"), Some("caf\u{fffd}"));
    }

    #[test]
    fn debug_prints_no_value() {
        let env = Env::from_iter([("TOKEN", "s3cr3t")]);
        assert_eq!(format!("{env:?}"), r#"{"TOKEN"}"#);
    }
}
