//! The variables of the options, and which values came from them.

use std::ffi::{OsStr, OsString};

use clap::ArgMatches;
use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::parser::ValueSource;

use super::values::{Jobs, Method, Output, seconds, time_span};
use crate::env::Env;
use crate::error::Error;

/// Says why a variable's value is unusable.
type Check = fn(&OsStr) -> Result<(), String>;

/// Each option with its variables, of which the first that is not empty counts, and the check of
/// their values.
const VARIABLES: &[(&str, &[&str], Check)] = &[
    ("state", &["BUILD_STATUS"], text),
    ("key", &["BUILD_STATUS_KEY", "BUILD_KEY"], text),
    ("name", &["BUILD_STATUS_NAME"], text),
    ("description", &["BUILD_STATUS_DESCRIPTION"], text),
    ("url", &["BUILD_STATUS_URL"], text),
    ("commit", &["BUILD_STATUS_COMMIT"], text),
    ("refname", &["BUILD_STATUS_REFNAME"], text),
    ("provider", &["BUILD_STATUS_PROVIDER"], text),
    ("junit", &["BUILD_STATUS_JUNIT"], text),
    ("repository", &["BITBUCKET_REPOSITORY"], text),
    ("workspace", &["BITBUCKET_NAMESPACE"], text),
    ("api_root", &["BITBUCKET_API_ROOT"], text),
    ("server_url", &["BITBUCKET_SERVER_URL"], text),
    ("parent", &["BUILD_STATUS_PARENT"], text),
    ("auth", &["BITBUCKET_AUTH"], one_of::<Method>),
    ("timeout", &["BUILD_STATUS_TIMEOUT"], number_of_seconds),
    ("ca_file", &["BUILD_STATUS_CA_FILE", "SSL_CERT_FILE"], text),
    ("client_cert", &["BUILD_STATUS_CLIENT_CERT"], text),
    ("client_key", &["BUILD_STATUS_CLIENT_KEY"], text),
    ("allow_http", &["BUILD_STATUS_ALLOW_HTTP"], yes_or_no),
    ("gitlab_ca_file", &["CI_SERVER_TLS_CA_FILE"], text),
    ("guard", &["BUILD_STATUS_GUARD"], yes_or_no),
    ("no_fail", &["BUILD_STATUS_NO_FAIL"], yes_or_no),
    ("dry_run", &["BUILD_STATUS_DRY_RUN"], yes_or_no),
    ("pipeline", &["BUILD_STATUS_PIPELINE"], whole_number),
    ("pipeline_key", &["BUILD_STATUS_PIPELINE_KEY"], text),
    ("jobs", &["BUILD_STATUS_JOBS"], one_of::<Jobs>),
    ("exclude", &["BUILD_STATUS_EXCLUDE"], text),
    ("since", &["BUILD_STATUS_SINCE"], length_of_time),
    ("strict", &["BUILD_STATUS_STRICT"], yes_or_no),
    ("output", &["BUILD_STATUS_OUTPUT"], one_of::<Output>),
];

/// The variable that clap reads for `option`, if one is set, not empty and usable. clap alone would
/// take an empty variable for a value, and supports only one variable for each option.
pub(super) fn variable(option: &str) -> Option<&'static str> {
    let (_, names, check) = VARIABLES.iter().find(|(id, ..)| *id == option)?;
    let (name, value) = set(names)?;
    check(&value).is_ok().then_some(name)
}

/// `arg` as the help shows it: with its variable, whether that is set or not, and without the value.
pub(super) fn named(arg: clap::Arg) -> clap::Arg {
    let known = VARIABLES.iter().find(|(id, ..)| arg.get_id() == id);
    let name = known.map(|(_, names, _)| names[0]);
    arg.env(name).hide_env_values(true)
}

fn set(names: &[&'static str]) -> Option<(&'static str, OsString)> {
    let value = |name: &&'static str| Some((*name, std::env::var_os(name)?));
    names
        .iter()
        .filter_map(value)
        .find(|(_, value)| !value.is_empty())
}

/// All variables of ours.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    const OTHERS: [&str; 9] = [
        "BITBUCKET_ACCESS_TOKEN",
        "BITBUCKET_ACCESS_TOKEN_ARN",
        "BITBUCKET_ACCESS_TOKEN_FILE",
        "BITBUCKET_CLIENT_ID",
        "BITBUCKET_CLIENT_ID_FILE",
        "BITBUCKET_CLIENT_SECRET",
        "BITBUCKET_CLIENT_SECRET_FILE",
        "BITBUCKET_OAUTH_URL",
        "BITBUCKET_USERNAME",
    ];
    let of_options = VARIABLES.iter().flat_map(|(_, names, _)| *names).copied();
    of_options.chain(OTHERS)
}

/// Whether a variable is set and not empty.
pub(super) fn is_set(name: &'static str) -> bool {
    set(&[name]).is_some()
}

/// The value that `env` has for `option`, and the variable that it is from.
pub(super) fn of(option: &str, env: &Env) -> Option<(&'static str, String)> {
    let (_, names, _) = VARIABLES.iter().find(|(id, ..)| *id == option)?;
    let mut names = names.iter();
    names.find_map(|name| Some((*name, env.get(name)?.to_owned())))
}

/// Which values in `matches` came from variables, and what is wrong with the variables whose value is
/// unusable, where nothing was typed instead.
pub(super) fn judge(matches: &ArgMatches) -> (Origins, Vec<Error>) {
    let (mut origins, mut unusable) = (Vec::new(), Vec::new());
    for (option, names, check) in VARIABLES {
        let Some((name, value)) = set(names) else {
            continue;
        };
        let is_declared = matches.try_contains_id(option).is_ok();
        if !is_declared || matches.value_source(option) == Some(ValueSource::CommandLine) {
            continue;
        }
        match check(&value) {
            Ok(()) => origins.push((*option, name)),
            Err(problem) => unusable.push(Error::unusable(name, problem)),
        }
    }
    (Origins(origins), unusable)
}

fn text(value: &OsStr) -> Result<(), String> {
    value.to_str().map(drop).ok_or("not valid UTF-8".into())
}

fn number_of_seconds(value: &OsStr) -> Result<(), String> {
    let text = value.to_string_lossy();
    let read = seconds(&text).map(drop);
    read.map_err(|problem| format!("`{text}` is {problem}"))
}

fn whole_number(value: &OsStr) -> Result<(), String> {
    let text = value.to_string_lossy();
    let read = text.parse::<u64>().map(drop);
    read.map_err(|_| format!("`{text}` is not a number"))
}

fn length_of_time(value: &OsStr) -> Result<(), String> {
    let text = value.to_string_lossy();
    let read = time_span(&text).map(drop);
    read.map_err(|problem| format!("`{text}`: {problem}"))
}

fn yes_or_no(value: &OsStr) -> Result<(), String> {
    let read = BoolishValueParser::new().parse_ref(&clap::Command::default(), None, value);
    read.map(drop)
        .map_err(|_| format!("`{}` is neither true nor false", value.to_string_lossy()))
}

fn one_of<T: clap::ValueEnum>(value: &OsStr) -> Result<(), String> {
    let text = value.to_string_lossy();
    if T::from_str(&text, false).is_ok() {
        return Ok(());
    }
    let possible = T::value_variants().iter().filter_map(T::to_possible_value);
    let names: Vec<_> = possible.map(|it| it.get_name().to_owned()).collect();
    Err(format!("`{text}` is not one of {}", names.join(", ")))
}

/// Which values came from variables, so that a message can name what to change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origins(Vec<(&'static str, &'static str)>);

impl Origins {
    /// Notes that the option's value came from `variable`.
    pub(super) fn note(&mut self, option: &'static str, variable: &'static str) {
        self.0.push((option, variable));
    }

    /// The variable that the option's value came from, if it came from one.
    pub(crate) fn variable(&self, option: &str) -> Option<&'static str> {
        let found = self.0.iter().find(|(id, _)| *id == option);
        found.map(|(_, variable)| *variable)
    }

    /// The name of the option in messages: its variable if the value came from there, else `--option`.
    pub(crate) fn name(&self, option: &str) -> String {
        match self.variable(option) {
            Some(variable) => variable.to_owned(),
            None => format!("--{}", option.replace('_', "-")),
        }
    }
}
