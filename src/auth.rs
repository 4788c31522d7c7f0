//! Credentials: which there are, and how they are sent.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::cli::Method;
use crate::env::Env;
use crate::error::Error;
use crate::secret::{Redactor, Secret};

/// Who we are to Bitbucket.
#[derive(Clone, Debug, PartialEq)]
pub enum Credentials {
    /// `Authorization: Basic`, with a user name.
    Basic {
        /// For API tokens, the email of the Atlassian account.
        username: String,
        /// An API token or a password.
        token: Secret,
    },
    /// `Authorization: Bearer`.
    Bearer {
        /// An access token.
        token: Secret,
    },
}

/// What a token's first characters say it is. Atlassian calls tokens opaque, so this chooses hints
/// and Basic or Bearer, and refuses nothing but what is known to be dead.
///
/// <https://community.atlassian.com/forums/Bitbucket-questions/Can-we-confirm-BitBucket-s-token-prefixes/qaq-p/3093481>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ATATT…`: belongs to a person, goes with an email, expires after a year at most.
    ApiToken,
    /// `ATCTT…`: belongs to a repository, project or workspace.
    AccessToken,
    /// `BBDC-…`: Data Center's access token.
    DataCenterToken,
    /// `ATBB…`: dead since 2026-07-28.
    AppPassword,
    /// Anything else.
    Unknown,
}

impl Kind {
    /// What `token` is.
    pub fn of(token: &Secret) -> Self {
        const PREFIXES: &[(&str, Kind)] = &[
            ("ATATT", Kind::ApiToken),
            ("ATCTT", Kind::AccessToken),
            ("BBDC-", Kind::DataCenterToken),
            ("ATBB", Kind::AppPassword),
        ];
        let starts = |(prefix, _): &&(&str, Self)| token.expose().starts_with(prefix);
        PREFIXES
            .iter()
            .find(starts)
            .map_or(Self::Unknown, |(_, kind)| *kind)
    }
}

#[derive(Deserialize)]
struct Variables {
    bitbucket_access_token: Option<String>,
    bitbucket_access_token_file: Option<String>,
    bitbucket_username: Option<String>,
}

/// Reads the credentials, if there are any.
pub fn read(env: &Env, method: Option<Method>) -> Result<Option<Credentials>, Error> {
    let variables: Variables = env.read().map_err(|error| Error::Environment {
        provider: "Bitbucket",
        message: error.to_string(),
    })?;
    let (origin, token) = match (
        variables.bitbucket_access_token,
        variables.bitbucket_access_token_file,
    ) {
        (Some(token), _) => ("BITBUCKET_ACCESS_TOKEN", token),
        (None, Some(path)) => (
            "BITBUCKET_ACCESS_TOKEN_FILE",
            read_file("BITBUCKET_ACCESS_TOKEN_FILE", &path)?,
        ),
        (None, None) => return Ok(None),
    };
    let token = checked_token(origin, &token)?;
    let username = variables
        .bitbucket_username
        .map(|name| name.trim().to_owned());
    if let Some(name) = &username {
        check_username(name)?;
    }
    let method = method.unwrap_or(match (&username, Kind::of(&token)) {
        (None, _) | (_, Kind::AccessToken | Kind::DataCenterToken) => Method::Bearer,
        _ => Method::Basic,
    });
    match (method, username) {
        (Method::Bearer, _) => Ok(Some(Credentials::Bearer { token })),
        (Method::Basic, Some(username)) => Ok(Some(Credentials::Basic { username, token })),
        (Method::Basic, None) => Err(setting(
            "BITBUCKET_USERNAME",
            "it is not set, and Basic credentials need it",
            "set it to the Atlassian account's email, or leave out --auth basic",
        )),
    }
}

fn read_file(origin: &str, path: &str) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(|error| Error::Unreadable {
        origin: origin.to_owned(),
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn checked_token(origin: &str, text: &str) -> Result<Secret, Error> {
    let token = Secret::new(text);
    let text = token.expose();
    if text.is_empty() {
        return Err(setting(origin, "it holds no token", "put the token in it"));
    }
    check_expanded(origin, text)?;
    if text.contains('\u{fffd}') {
        return Err(setting(
            origin,
            "it is not UTF-8",
            "put the token in it, and nothing else",
        ));
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(setting(
            origin,
            "it has white space or a line break inside",
            "put the token in it, and nothing else",
        ));
    }
    if Kind::of(&token) == Kind::AppPassword {
        return Err(setting(
            origin,
            "it is an app password (ATBB…), and those stopped working on 2026-07-28",
            "make a repository access token (Repository settings, Access tokens) with the scope \
             repository (read), and leave out BITBUCKET_USERNAME",
        ));
    }
    if origin == "BITBUCKET_ACCESS_TOKEN" && text.starts_with('/') && fs::metadata(text).is_ok() {
        return Err(setting(
            origin,
            "it is the path of a file",
            "for a variable of type file, use the name BITBUCKET_ACCESS_TOKEN_FILE",
        ));
    }
    Ok(token)
}

fn check_username(name: &str) -> Result<(), Error> {
    const ORIGIN: &str = "BITBUCKET_USERNAME";
    check_expanded(ORIGIN, name)?;
    if name.contains(|c: char| c == ':' || c == '\u{fffd}' || c.is_control()) {
        return Err(setting(
            ORIGIN,
            "it has a colon or a control character inside",
            "set it to the Atlassian account's email, and nothing else",
        ));
    }
    Ok(())
}

/// Refuses `$NAME` and `${NAME}`: a reference that the CI has left as it was, because the variable
/// is not there for this job.
pub(crate) fn check_expanded(origin: &str, text: &str) -> Result<(), Error> {
    let name = text.strip_prefix('$').map(|name| {
        let braced = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        braced.unwrap_or(name)
    });
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    if name.is_some_and(is_name) {
        return Err(setting(
            origin,
            "it is a literal reference to another variable, which is not set in this job",
            "define that variable; if it is protected, it is missing on unprotected branches and \
             tags",
        ));
    }
    Ok(())
}

fn setting(origin: &str, problem: &str, hint: &str) -> Error {
    Error::Setting {
        origin: origin.to_owned(),
        problem: problem.to_owned(),
        hint: Some(hint.to_owned()),
    }
}

impl Credentials {
    /// The scheme and what follows it in the `Authorization` header.
    pub fn authorization(&self) -> (&'static str, Secret) {
        match self {
            Self::Basic { username, token } => {
                let pair = format!("{username}:{}", token.expose());
                ("Basic", Secret::new(&BASE64_STANDARD.encode(pair)))
            }
            Self::Bearer { token } => ("Bearer", token.clone()),
        }
    }

    /// The token or password.
    pub fn token(&self) -> &Secret {
        match self {
            Self::Basic { token, .. } | Self::Bearer { token } => token,
        }
    }
}

/// Every secret in `env`, to be kept out of what is printed. Reads no file: [`hide`] adds what
/// [`read`] finds there.
pub fn redactor(env: &Env) -> Redactor {
    let mut redactor = Redactor::default();
    if let Some(token) = env.get("BITBUCKET_ACCESS_TOKEN") {
        redactor.add(token.trim());
        if let Some(username) = env.get("BITBUCKET_USERNAME") {
            redactor.add(&format!("{}:{}", username.trim(), token.trim()));
        }
    }
    redactor
}

/// Adds `credentials` to what is kept out of what is printed.
pub fn hide(credentials: &Credentials, redactor: &mut Redactor) {
    redactor.add(credentials.token().expose());
    redactor.add(credentials.authorization().1.expose());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(variables: &[(&str, &str)], method: Option<Method>) -> Result<String, Error> {
        let credentials = read(&variables.iter().copied().collect(), method)?;
        Ok(credentials.map_or("none".into(), |credentials| {
            let (scheme, secret) = credentials.authorization();
            format!("{scheme} {}", secret.expose())
        }))
    }

    #[test]
    fn the_kind_of_token_and_the_user_name_choose_basic_or_bearer() {
        let token = |token| ("BITBUCKET_ACCESS_TOKEN", token);
        let user = ("BITBUCKET_USERNAME", "me@example.com");
        for (variables, method, expected) in [
            (vec![], None, "none"),
            (vec![user], None, "none"),
            (vec![token("t0ken")], None, "Bearer t0ken"),
            (vec![token("t0ken\n")], None, "Bearer t0ken"),
            (
                vec![token("t0ken"), user],
                None,
                "Basic bWVAZXhhbXBsZS5jb206dDBrZW4=",
            ),
            (vec![token("ATCTT3x"), user], None, "Bearer ATCTT3x"),
            (vec![token("BBDC-x"), user], None, "Bearer BBDC-x"),
            (
                vec![token("t0ken"), user],
                Some(Method::Bearer),
                "Bearer t0ken",
            ),
            (
                vec![token("ATCTT3x"), user],
                Some(Method::Basic),
                "Basic bWVAZXhhbXBsZS5jb206QVRDVFQzeA==",
            ),
        ] {
            assert_eq!(
                read_from(&variables, method),
                Ok(expected.to_owned()),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_with_the_variable_and_the_reason() {
        for (token, reason) in [
            ("$BITBUCKET_TOKEN", "literal reference"),
            ("${BITBUCKET_TOKEN}", "literal reference"),
            ("ATBB123456789", "app password"),
            ("a b", "white space"),
            ("a\r\nX-Injected: 1", "white space"),
            (" ", "no token"),
            ("/etc/passwd", "path of a file"),
        ] {
            let error = read_from(&[("BITBUCKET_ACCESS_TOKEN", token)], None).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("BITBUCKET_ACCESS_TOKEN: "), "{text}");
            assert!(text.contains(reason), "{text}");
            assert_eq!(error.exit_code(), 2);
        }
        for token in ["$", "$1", "$a-b", "a$B"] {
            assert!(
                read_from(&[("BITBUCKET_ACCESS_TOKEN", token)], None).is_ok(),
                "{token}"
            );
        }
    }
}
