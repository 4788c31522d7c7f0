//! The process environment, read once.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::de::DeserializeOwned;

use crate::error::Error;

/// A snapshot of environment variables.
///
/// Empty variables are left out: every CI exports some for "not set". A value that is not UTF-8
/// keeps what can be kept (a job name in Latin-1 is still a job name); `std::env::vars` would panic.
#[derive(Clone, Default, PartialEq)]
pub struct Env {
    variables: BTreeMap<String, String>,
}

impl Env {
    /// Takes the snapshot. The only place, beside clap for our own options, that reads the process
    /// environment.
    pub fn from_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Reads the fields of `T`, each from the variable of its name in upper or lower case.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, envy::Error> {
        // envy lower-cases names and calls `NAME` beside `name` a duplicate field. Upper case
        // sorts first and wins.
        let mut seen = BTreeMap::new();
        for (name, value) in &self.variables {
            seen.entry(name.to_lowercase()).or_insert(value);
        }
        envy::from_iter(seen.into_iter().map(|(name, value)| (name, value.clone())))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let text = |os: OsString| os.to_string_lossy().into_owned();
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (text(name.into()), text(value.into())))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        }
    }
}

/// Refuses `$NAME` and `${NAME}`: a reference that the CI has left as it was, because the variable
/// is not there for this job.
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
        return Err(Error::setting(
            origin,
            "it is a literal reference to another variable, which is not set in this job",
            "define that variable: it is protected, and so missing on unprotected branches and \
             tags, or not defined in this pipeline",
        ));
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
            env.read::<Two>().unwrap(),
            Two {
                job_name: None,
                job_url: Some("u".into())
            }
        );
    }

    #[test]
    fn names_that_differ_in_case_only_are_no_error_and_upper_case_wins() {
        let env = Env::from_iter([("job_name", "lower"), ("JOB_NAME", "upper")]);
        assert_eq!(
            env.read::<Two>().unwrap().job_name.as_deref(),
            Some("upper")
        );
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
