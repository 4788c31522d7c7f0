//! The token that GitLab is asked with.

use std::io;
use std::path::Path;

use crate::env::{self, Env};
use crate::error::Error;
use crate::file;
use crate::http::request::{Request, Value};
use crate::secret::Secret;

/// A token of GitLab's. <https://docs.gitlab.com/api/rest/authentication/>
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A personal, project or group access token.
    Access(Secret),
    /// The running job's.
    Job(Secret),
}

const VARIABLE: &str = "BUILD_STATUS_GITLAB_TOKEN";
const FILE_VARIABLE: &str = "BUILD_STATUS_GITLAB_TOKEN_FILE";

/// No token is longer.
const LONGEST: u64 = 64 * 1024;

impl Token {
    /// Reads it from the first variable that is set.
    pub(super) fn read(env: &Env) -> Result<Self, Error> {
        if let Some(text) = env.get(VARIABLE) {
            env::check_expanded(VARIABLE, text)?;
            return checked(VARIABLE, text).map(Self::Access);
        }
        if let Some(path) = env.get(FILE_VARIABLE) {
            return checked(FILE_VARIABLE, &read_file(path)?).map(Self::Access);
        }
        match env.get("CI_JOB_TOKEN") {
            Some(text) => checked("CI_JOB_TOKEN", text).map(Self::Job),
            None => Err(Error::setting(
                VARIABLE,
                "it is not set, and CI_JOB_TOKEN is not set either",
                "set it to a project access token with the scope read_api",
            )),
        }
    }

    /// The token itself.
    pub(super) const fn secret(&self) -> &Secret {
        match self {
            Self::Access(token) | Self::Job(token) => token,
        }
    }

    /// What it is, for people.
    pub(crate) const fn describe(&self) -> &'static str {
        match self {
            Self::Access(_) => VARIABLE,
            Self::Job(_) => "CI_JOB_TOKEN",
        }
    }

    /// `request` with the token.
    pub(super) fn sign(&self, request: Request) -> Request {
        let name = match self {
            Self::Access(_) => "PRIVATE-TOKEN",
            Self::Job(_) => "JOB-TOKEN",
        };
        request.with(name, Value::Token(self.secret().clone()))
    }
}

fn read_file(path: &str) -> Result<String, Error> {
    let bytes = file::read(Path::new(path), LONGEST);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    text.map_err(|error| Error::unreadable(FILE_VARIABLE, None, &error))
}

fn checked(origin: &str, text: &str) -> Result<Secret, Error> {
    let token = Secret::new(text);
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic());
    if is_token(token.expose()) {
        return Ok(token);
    }
    Err(Error::setting(
        origin,
        "it is empty, or has white space or letters outside ASCII, which no token has",
        "put the token in it, and nothing else",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_token_goes_before_the_jobs_and_what_is_no_token_is_refused() {
        let read = |variables: &[(&str, &str)]| {
            let token = Token::read(&variables.iter().copied().collect())?;
            let request = token.sign(Request::get("https://x".into()));
            let (name, value) = request.headers.last().unwrap().clone();
            Ok::<_, Error>(format!("{name}: {}", value.expose()))
        };
        let job = ("CI_JOB_TOKEN", "glcbt-1");
        assert_eq!(read(&[job]), Ok("JOB-TOKEN: glcbt-1".into()));
        assert_eq!(
            read(&[job, (VARIABLE, "glpat-1\n")]),
            Ok("PRIVATE-TOKEN: glpat-1".into())
        );
        for (variables, origin) in [
            (&[][..], VARIABLE),
            (&[(VARIABLE, "$TOKEN")], VARIABLE),
            (&[(VARIABLE, "a\r\nb: c")], VARIABLE),
            (&[(FILE_VARIABLE, "/")], FILE_VARIABLE),
            (&[(FILE_VARIABLE, "/does/not/exist")], FILE_VARIABLE),
        ] {
            let text = read(variables).unwrap_err().to_string();
            assert!(text.starts_with(&format!("{origin}: ")), "{text}");
        }
    }
}
