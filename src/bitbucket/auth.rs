//! Reads the credentials from variables, and from files that variables name.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::aws::client::Aws;
use crate::aws::credentials::Need;
use crate::aws::stored_token::StoredToken;
use crate::bitbucket::credentials::{Credentials, Kind, OAUTH_URL, Stored};
use crate::cli::{Method, Options};
use crate::deadline::Deadline;
use crate::env::{self, Env};
use crate::error::Error;
use crate::file;
use crate::http::proxy;
use crate::output::log::Log;
use crate::secret::{Redactor, Secret};
use crate::status::product::Product;
use crate::status::url;

/// Longer than any secret, in bytes.
const LONGEST_SECRET: u64 = 4 * 1024;

/// Reads the credentials for `product`. `None` if none are set.
pub fn read(env: &Env, options: &Options, product: Product) -> Result<Option<Credentials>, Error> {
    let credentials = read_any(env, options.credentials.auth, options.network.allow_http)?;
    if let Some(credentials) = &credentials {
        credentials.check_product(product)?;
        let is_data_centers = credentials.token().map(Kind::of) == Some(Kind::DataCenterToken);
        // Atlassian has no use for it, and should not see it.
        let args = &options.destination;
        let is_unset = args.api_root.is_none() && args.server_url.is_none();
        if is_data_centers && product == Product::Cloud && is_unset {
            return Err(Error::setting(
                "BITBUCKET_ACCESS_TOKEN",
                "it is a token of Bitbucket Data Center (BBDC-…), and no server is set",
                "set BITBUCKET_SERVER_URL to the server's base URL",
            ));
        }
    }
    Ok(credentials)
}

fn read_any(
    env: &Env,
    method: Option<Method>,
    allow_http: bool,
) -> Result<Option<Credentials>, Error> {
    let token = secret("BITBUCKET_ACCESS_TOKEN", env)?;
    let username = env.get("BITBUCKET_USERNAME").map(str::to_owned);
    let id = secret("BITBUCKET_CLIENT_ID", env)?;
    let consumer = match (id, secret("BITBUCKET_CLIENT_SECRET", env)?) {
        (None, None) => None,
        (Some(id), Some(secret)) => Some((id, secret)),
        (Some(_), None) => return one_of_two("BITBUCKET_CLIENT_SECRET", "BITBUCKET_CLIENT_ID"),
        (None, Some(_)) => return one_of_two("BITBUCKET_CLIENT_ID", "BITBUCKET_CLIENT_SECRET"),
    };
    let arn = env.get(ARN).filter(|_| token.is_none());
    match (token, consumer, method) {
        (token, Some(_), None) if token.is_some() || arn.is_some() => Err(Error::setting(
            token.map_or(ARN, |_| "BITBUCKET_ACCESS_TOKEN"),
            "BITBUCKET_CLIENT_ID is set too: these are two kinds of credentials",
            "set only one of them, or choose one with --auth or BITBUCKET_AUTH",
        )),
        (None, _, None | Some(Method::Basic | Method::Bearer)) if arn.is_some() => {
            stored(arn.unwrap_or_default(), username, method, env).map(Some)
        }
        (_, Some((id, secret)), None | Some(Method::OAuth)) => {
            let url = env.get("BITBUCKET_OAUTH_URL").unwrap_or(OAUTH_URL);
            let url = url::server_url(url, allow_http);
            let url = url.map_err(|problem| Error::unusable("BITBUCKET_OAUTH_URL", problem))?;
            Ok(Some(Credentials::Consumer { id, secret, url }))
        }
        (_, None, Some(Method::OAuth)) => Err(Error::setting(
            "BITBUCKET_CLIENT_ID",
            "it is not set, but --auth oauth requires it",
            "set BITBUCKET_CLIENT_ID and BITBUCKET_CLIENT_SECRET, or leave out --auth",
        )),
        (Some(token), _, method) => {
            let origin = set_variable("BITBUCKET_ACCESS_TOKEN", env);
            with_token(&origin, token, username, method).map(Some)
        }
        (None, None, _) | (None, _, Some(_)) => Ok(None),
    }
}

/// The variable that holds a secret: this one, else that of its file.
fn set_variable(variable: &'static str, env: &Env) -> String {
    let file = if env.get(variable).is_some() {
        ""
    } else {
        "_FILE"
    };
    variable.to_owned() + file
}

/// The variables that `credentials` are from, for people.
pub(crate) fn origin(credentials: &Credentials, env: &Env) -> String {
    let (secret, other) = match credentials {
        Credentials::Stored(_) => return ARN.to_owned(),
        Credentials::Basic { .. } => ("BITBUCKET_ACCESS_TOKEN", " and BITBUCKET_USERNAME"),
        Credentials::Bearer { .. } | Credentials::Issued { .. } => ("BITBUCKET_ACCESS_TOKEN", ""),
        Credentials::Consumer { .. } => ("BITBUCKET_CLIENT_SECRET", ""),
    };
    set_variable(secret, env) + other
}

/// Asks AWS for the token that it keeps.
pub(super) fn fetch(
    stored: &Stored,
    deadline: Deadline,
    log: &mut Log<'_>,
) -> Result<Credentials, Error> {
    let need = Need {
        purpose: "read the token that BITBUCKET_ACCESS_TOKEN_ARN names",
        instead: "set BITBUCKET_ACCESS_TOKEN in place of it",
    };
    let mut aws = Aws::from_env(&stored.env, &need)?;
    let token = aws.token(&stored.token, deadline, log)?;
    log.hide([token.clone()]);
    let token = checked(ARN, token.expose())?;
    with_token(ARN, token, stored.username.clone(), stored.method)
}

const ARN: &str = "BITBUCKET_ACCESS_TOKEN_ARN";

fn stored(
    arn: &str,
    username: Option<String>,
    method: Option<Method>,
    env: &Env,
) -> Result<Credentials, Error> {
    env::check_expanded(ARN, arn)?;
    let token = StoredToken::parse(arn.trim()).map_err(|problem| {
        let hint = "give the ARN of a Secrets Manager secret or a Systems Manager parameter, with \
                    `#KEY` behind it for one key of a JSON secret";
        Error::setting(ARN, problem, hint)
    })?;
    Ok(Credentials::Stored(Box::new(Stored {
        token,
        username,
        method,
        env: env.clone(),
    })))
}

fn with_token(
    origin: &str,
    token: Secret,
    username: Option<String>,
    method: Option<Method>,
) -> Result<Credentials, Error> {
    let username = username.map(|name| name.trim().to_owned());
    if let Some(name) = &username {
        check_username(name)?;
    }
    let method = method.unwrap_or(match (&username, Kind::of(&token)) {
        (None, _) | (_, Kind::AccessToken | Kind::DataCenterToken) => Method::Bearer,
        _ => Method::Basic,
    });
    match (method, username) {
        (Method::Bearer | Method::OAuth, _) => {
            // A password may contain them, but no token does, and no header may.
            if token.expose().contains(|c: char| !c.is_ascii_graphic()) {
                return Err(Error::setting(
                    origin,
                    "it contains white space or non-ASCII characters, which no token has",
                    "put only the token in it; for a password, set BITBUCKET_USERNAME too",
                ));
            }
            Ok(Credentials::Bearer { token })
        }
        (Method::Basic, Some(username)) => Ok(Credentials::Basic { username, token }),
        (Method::Basic, None) => Err(Error::setting(
            "BITBUCKET_USERNAME",
            "it is not set, but Basic authentication requires it",
            "set it to the Atlassian account's email (Data Center: the user name), or leave out --auth \
             basic",
        )),
    }
}

fn one_of_two<T>(missing: &str, set: &str) -> Result<T, Error> {
    Err(Error::setting(
        missing,
        format!("it is not set, but {set} is"),
        "set both for an OAuth consumer; a protected variable is missing on unprotected branches",
    ))
}

/// A secret from `variable`, else from the file that `{variable}_FILE` names.
fn secret(variable: &str, env: &Env) -> Result<Option<Secret>, Error> {
    if let Some(value) = env.get(variable) {
        // So Jenkins binds a credential of the kind "Username with password".
        let password = env.get(&format!("{variable}_PSW"));
        if password.is_some_and(|it| value.ends_with(&format!(":{it}"))) {
            return Err(Error::setting(
                variable,
                "it is a user name and a password",
                "bind a credential of the kind Secret text, or bind the two to BITBUCKET_USERNAME and \
                 BITBUCKET_ACCESS_TOKEN",
            ));
        }
        return checked(variable, value).map(Some);
    }
    let file_variable = format!("{variable}_FILE");
    let Some(path) = env.get(&file_variable) else {
        return Ok(None);
    };
    if Kind::of(&Secret::new(path)) != Kind::Unknown {
        return Err(Error::setting(
            &file_variable,
            "it is a token, not the path of a file",
            format!("put the token into {variable}, or into a file"),
        ));
    }
    let text = read_file(&file_variable, path)?;
    checked(&file_variable, &text).map(Some)
}

fn read_file(origin: &str, path: &str) -> Result<String, Error> {
    let bytes = file::read(Path::new(path), LONGEST_SECRET)
        .map_err(|error| Error::unreadable(origin, None, &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn checked(origin: &str, text: &str) -> Result<Secret, Error> {
    let token = Secret::new(text);
    let text = token.expose();
    // A CI expands references in variables, but not in files.
    if !origin.ends_with("_FILE") {
        env::check_expanded(origin, text)?;
    }
    let only = "put only the token in it";
    let refuse = |problem: &str, hint: &str| Err(Error::setting(origin, problem, hint));
    if text.len() as u64 > LONGEST_SECRET {
        let problem = format!("it has {} bytes, and no token has so many", text.len());
        return refuse(&problem, only);
    }
    if text.is_empty() {
        return refuse("it is empty", "put the token or secret in it");
    }
    if text.contains('\u{fffd}') {
        return refuse("it is not valid UTF-8", only);
    }
    if serde_json::from_str::<Map<String, Value>>(text).is_ok() {
        let hint = "put only the token in it; from AWS Secrets Manager, name the key behind the \
                    secret: SECRET:KEY";
        return refuse("it is a whole JSON object", hint);
    }
    if begins_like_json(text) {
        let hint = "put only the token in it; what AWS keeps may be JSON, with double quotes, both \
                    braces and no byte order mark";
        return refuse("it begins like JSON, and is not valid JSON", hint);
    }
    // Also where it is outside of this container. GitLab names the file of a variable as the variable.
    let is_of_variable = text
        .strip_suffix(origin)
        .is_some_and(|it| it.ends_with(['/', '\\']));
    // On Windows, a path without a drive is not an absolute one.
    let is_path = is_of_variable
        || text.starts_with('/') && text.matches('/').count() > 1
        || Path::new(text).has_root() && Path::new(text).exists();
    if is_path && !origin.ends_with("_FILE") {
        let hint = format!(
            "to read it from that file, name the variable {origin}_FILE; or on GitLab, \
             give it the type Variable"
        );
        return refuse("it is the path of a file", &hint);
    }
    if text.contains(variable_of(origin)) {
        return refuse("it holds the name of the variable too", only);
    }
    if text.contains(char::is_control) {
        let problem = "it contains a line break or another control character";
        return refuse(problem, only);
    }
    // Not as they are there: where they are all of the token, they are redacted.
    let from_its_source = "copy the token from where it was made";
    if text.contains("[MASKED]") {
        let problem = "it contains MASKED in brackets, which a CI's log shows in place of a secret";
        return refuse(problem, from_its_source);
    }
    if text.trim_matches('*').is_empty() {
        let problem = "it is asterisks only, which a CI's log shows in place of a secret";
        return refuse(problem, from_its_source);
    }
    if is_quoted(text) {
        return refuse("it is in quotes", "leave out the quotes");
    }
    if text.starts_with('[') && serde_json::from_str::<Vec<Value>>(text).is_ok() {
        return refuse("it is a JSON list", only);
    }
    if Kind::of(&token) == Kind::AppPassword {
        return refuse(
            "it is an app password (ATBB…); app passwords stopped working on 2026-07-28",
            "create a repository access token (Repository settings, Security, Access tokens) with the \
             scope Repositories: Read; it needs no BITBUCKET_USERNAME",
        );
    }
    Ok(token)
}

/// Has a brace, a name in quotes of any kind, and a colon. A password may begin with a brace.
fn begins_like_json(text: &str) -> bool {
    let inside = text.trim_start_matches('\u{feff}').strip_prefix('{');
    inside.is_some_and(|it| {
        it.trim_start().starts_with(['"', '\'', '“', '‘', '”']) && it.contains(':')
    })
}

/// The variable that holds the secret itself, of the one that says where it is.
fn variable_of(origin: &str) -> &str {
    origin.trim_end_matches("_FILE").trim_end_matches("_ARN")
}

fn is_quoted(text: &str) -> bool {
    let within = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    within('"') || within('\'')
}

fn check_username(name: &str) -> Result<(), Error> {
    const ORIGIN: &str = "BITBUCKET_USERNAME";
    env::check_expanded(ORIGIN, name)?;
    if name.contains(|c: char| c == ':' || c == '\u{fffd}' || c.is_control()) {
        return Err(Error::setting(
            ORIGIN,
            "it contains a colon or a control character",
            "set it to only the Atlassian account's email (Data Center: the user name)",
        ));
    }
    Ok(())
}

/// Reads the token from the response of the OAuth token endpoint.
pub fn issued(response: &[u8]) -> Option<Credentials> {
    #[derive(Deserialize)]
    struct Issued {
        access_token: String,
    }
    let issued: Issued = serde_json::from_slice(response).ok()?;
    let token = checked("the OAuth token", &issued.access_token).ok()?;
    Some(Credentials::Issued { token })
}

/// A redactor for every secret in `env`. It reads no files: secrets that [`read`] finds there are
/// added with [`Log::hide`](crate::output::log::Log::hide).
pub fn redactor(env: &Env) -> Redactor {
    let mut redactor = Redactor::default();
    let mut add = |username: &str, secret: &str| {
        if let Some(secret) = env.get(secret) {
            redactor.add(secret.trim());
            if let Some(username) = env.get(username) {
                redactor.add(&format!("{}:{}", username.trim(), secret.trim()));
            }
        }
    };
    add("BITBUCKET_USERNAME", "BITBUCKET_ACCESS_TOKEN");
    add("BITBUCKET_CLIENT_ID", "BITBUCKET_CLIENT_SECRET");
    for password in proxy::passwords(env) {
        redactor.add(&password);
    }
    redactor
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    fn read_from(variables: &[(&str, &str)], method: Option<Method>) -> Result<String, Error> {
        let credentials = read_any(&variables.iter().copied().collect(), method, false)?;
        Ok(credentials.map_or("none".into(), |credentials| {
            let (scheme, secret) = credentials.authorization();
            format!("{scheme} {}", secret.expose())
        }))
    }

    #[test]
    fn the_kind_of_token_and_the_user_name_choose_basic_or_bearer() {
        let (basic, bearer) = (Some(Method::Basic), Some(Method::Bearer));
        let user = "me@example.com";
        for (token, user, method, expected) in [
            ("", "", None, "none"),
            ("", user, None, "none"),
            ("t0ken", "", None, "Bearer t0ken"),
            ("t0ken\n", "", None, "Bearer t0ken"),
            ("t0ken", user, None, "Basic me@example.com:t0ken"),
            ("ATCTT3x", user, None, "Bearer ATCTT3x"),
            ("BBDC-x", user, None, "Bearer BBDC-x"),
            ("t0ken", user, bearer, "Bearer t0ken"),
            ("ATCTT3x", user, basic, "Basic me@example.com:ATCTT3x"),
        ] {
            let variables = [
                ("BITBUCKET_ACCESS_TOKEN", token),
                ("BITBUCKET_USERNAME", user),
            ];
            let expected = match expected.split_once(' ') {
                Some(("Basic", pair)) => format!("Basic {}", BASE64_STANDARD.encode(pair)),
                _ => expected.to_owned(),
            };
            assert_eq!(read_from(&variables, method), Ok(expected), "{variables:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_with_the_variable_and_the_reason() {
        for (token, reason) in [
            ("$BITBUCKET_TOKEN", "literal reference"),
            ("${BITBUCKET_TOKEN}", "literal reference"),
            ("ATBB123456789", "app password"),
            ("a b", "white space"),
            ("\u{feff}t0ken", "non-ASCII"),
            ("a\r\nX-Injected: 1", "line break"),
            (" ", "empty"),
            ("/etc/passwd", "path of a file"),
        ] {
            let error = read_from(&[("BITBUCKET_ACCESS_TOKEN", token)], None).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("BITBUCKET_ACCESS_TOKEN: "), "{text}");
            assert!(text.contains(reason), "{text}");
            assert_eq!(error.exit_code(), 2);
        }
        for token in ["$", "$1", "$a-b", "a$B"] {
            let read = read_from(&[("BITBUCKET_ACCESS_TOKEN", token)], None);
            assert!(read.is_ok(), "{token}");
        }
    }
}
