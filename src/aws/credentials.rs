//! AWS credentials: from the environment, or from the container's endpoint.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
//!
//! Profiles, SSO and the metadata service of EC2 are left out: Lambda sets the keys, CodeBuild, ECS
//! and EKS have the endpoint.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::aws::endpoint::{trusted, unusable};
use crate::aws::json::{Object, Text};
use crate::env::Env;
use crate::error::Error;
use crate::secret::Secret;

/// What signs a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Credentials {
    pub(crate) id: Secret,
    pub(crate) secret: Secret,
    pub(crate) token: Option<Secret>,
    /// `None` is for the life of the process.
    pub(crate) expires: Option<SystemTime>,
}

impl Credentials {
    fn new(
        id: &str,
        secret: &str,
        token: Option<&str>,
        expires: Option<SystemTime>,
    ) -> Result<Self, &'static str> {
        for text in [Some(id), Some(secret), token].into_iter().flatten() {
            if !is_header(text.trim()) {
                return Err("one of the keys or the token is not one line of ASCII");
            }
        }
        Ok(Self {
            id: Secret::new(id),
            secret: Secret::new(secret),
            token: token.map(Secret::new),
            expires,
        })
    }

    /// Whether they have to be asked for again, which is some time before they expire.
    pub(crate) fn are_stale(&self, now: SystemTime) -> bool {
        const MARGIN: Duration = Duration::from_mins(5);
        let later = now.checked_add(MARGIN);
        self.expires
            .is_some_and(|end| later.is_none_or(|later| end <= later))
    }

    /// What must not be printed.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        [&self.secret].into_iter().chain(&self.token)
    }
}

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Keys(Credentials),
    Container(Container),
}

/// A GET to make, in 2 s, a few times.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Container {
    /// Of the link-local address, of this machine, or https. No proxy is to see it.
    pub(crate) url: String,
    pub(crate) token: Token,
}

/// What the endpoint wants as `Authorization`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Nothing,
    Value(Secret),
    /// The path of a file, to be read each time: EKS replaces it.
    File(String),
}

#[derive(Deserialize)]
struct Variables {
    aws_access_key_id: Option<String>,
    aws_secret_access_key: Option<String>,
    aws_session_token: Option<String>,
    aws_container_credentials_relative_uri: Option<String>,
    aws_container_credentials_full_uri: Option<String>,
    aws_container_authorization_token: Option<String>,
    aws_container_authorization_token_file: Option<String>,
}

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

/// ECS and CodeBuild; EKS; EKS over IPv6.
const CONTAINER_HOSTS: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

impl Source {
    /// In the order of the SDKs: keys, the relative URI, the full one.
    pub(crate) fn from_env(env: &Env) -> Result<Self, Error> {
        let variables: Variables = env
            .read()
            .map_err(|error| unusable("AWS credentials", &error.to_string()))?;
        let token = variables.token();
        match (variables.aws_access_key_id, variables.aws_secret_access_key) {
            (Some(id), Some(secret)) => {
                let token = variables.aws_session_token.as_deref();
                Credentials::new(&id, &secret, token, None)
                    .map(Self::Keys)
                    .map_err(|problem| unusable("AWS credentials", problem))
            }
            (Some(_), None) => Err(unusable("AWS_SECRET_ACCESS_KEY", "it is not set")),
            (None, Some(_)) => Err(unusable("AWS_ACCESS_KEY_ID", "it is not set")),
            (None, None) => {
                let relative = variables.aws_container_credentials_relative_uri;
                let full = variables.aws_container_credentials_full_uri;
                let url = container_url(relative, full)?;
                Ok(Self::Container(Container { url, token }))
            }
        }
    }
}

impl Variables {
    fn token(&self) -> Token {
        match (
            &self.aws_container_authorization_token_file,
            &self.aws_container_authorization_token,
        ) {
            (Some(path), _) => Token::File(path.clone()),
            (None, Some(token)) => Token::Value(Secret::new(token)),
            (None, None) => Token::Nothing,
        }
    }
}

fn container_url(relative: Option<String>, full: Option<String>) -> Result<String, Error> {
    match (relative, full) {
        // Without the slash it would be a part of the host.
        (Some(path), _) if path.starts_with('/') => Ok(format!("http://169.254.170.2{path}")),
        (Some(_), _) => Err(unusable(RELATIVE, "it does not begin with /")),
        (None, Some(url)) => match trusted(&url, &CONTAINER_HOSTS) {
            Ok(_) => Ok(url),
            Err(problem) => Err(unusable(FULL, problem)),
        },
        (None, None) => Err(Error::Setting {
            origin: "AWS credentials".to_owned(),
            problem: "there are none in the environment".to_owned(),
            hint: Some(format!(
                "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; Lambda does, and \
                 CodeBuild sets {RELATIVE}. Profiles, SSO and EC2's metadata are not read"
            )),
        }),
    }
}

impl Container {
    /// The value of `Authorization`. `file` is what the file holds, where there is one to read.
    pub(crate) fn authorization(&self, file: Option<&str>) -> Result<Option<Secret>, Error> {
        let token = match (&self.token, file) {
            (Token::Nothing, _) => return Ok(None),
            (Token::Value(token), _) => token.clone(),
            (Token::File(_), Some(text)) => Secret::new(text),
            (Token::File(_), None) => Secret::new(""),
        };
        if is_header(token.expose()) {
            Ok(Some(token))
        } else {
            let variable = match self.token {
                Token::File(_) => "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                Token::Nothing | Token::Value(_) => TOKEN,
            };
            Err(unusable(
                variable,
                "the token is empty or not one line of ASCII",
            ))
        }
    }

    /// Reads the endpoint's answer, or says what is wrong with it.
    pub(crate) fn credentials(status: u16, body: &str) -> Result<Credentials, String> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        struct Answer {
            access_key_id: Text,
            secret_access_key: Text,
            token: Text,
            expiration: Text,
        }
        if status != 200 {
            return Err(format!("the container's endpoint answered HTTP {status}"));
        }
        // serde's words may quote what it read.
        let answer: Object<Answer> = serde_json::from_str(body)
            .map_err(|_| "the container's endpoint did not answer with JSON")?;
        let missing = |name| format!("the container's endpoint gave no {name}");
        let id = answer
            .access_key_id
            .get()
            .ok_or_else(|| missing("AccessKeyId"))?;
        let secret = answer.secret_access_key.get();
        let secret = secret.ok_or_else(|| missing("SecretAccessKey"))?;
        let expires = answer.expiration.get().map(humantime::parse_rfc3339_weak);
        let expires = expires
            .transpose()
            .map_err(|_| missing("Expiration that is a time"))?;
        Credentials::new(id, secret, answer.token.get(), expires)
            .map_err(|problem| format!("the container's endpoint: {problem}"))
    }
}

/// Whether it can stand in a header, without beginning another.
fn is_header(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)]) -> Result<Source, String> {
        let env: Env = variables.iter().copied().collect();
        Source::from_env(&env).map_err(|error| error.to_string())
    }

    const ID: (&str, &str) = ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    const KEY: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "k3y");

    fn credentials(token: Option<&str>, expires: Option<&str>) -> Credentials {
        Credentials {
            id: Secret::new(ID.1),
            secret: Secret::new(KEY.1),
            token: token.map(Secret::new),
            expires: expires.map(|time| humantime::parse_rfc3339(time).unwrap()),
        }
    }

    #[test]
    fn keys_come_first_then_the_relative_uri_then_the_full_one() {
        let token = ("AWS_SESSION_TOKEN", "t0ken");
        let full = (FULL, "http://[fd00:ec2::23]/v1/credentials?a=b");
        let file = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/token");
        let plain = (TOKEN, "Bearer x");
        let container = |url: &str, token| {
            let url = url.to_owned();
            Ok(Source::Container(Container { url, token }))
        };
        for (variables, expected) in [
            (&[ID, KEY][..], Ok(Source::Keys(credentials(None, None)))),
            (
                &[ID, KEY, token, (RELATIVE, "/x"), full],
                Ok(Source::Keys(credentials(Some("t0ken"), None))),
            ),
            (
                &[(RELATIVE, "/v2/credentials/x"), full],
                container("http://169.254.170.2/v2/credentials/x", Token::Nothing),
            ),
            (
                &[full, plain, file],
                container(full.1, Token::File(file.1.into())),
            ),
            (
                &[full, plain],
                container(full.1, Token::Value(Secret::new(plain.1))),
            ),
            (&[ID], Err("AWS_SECRET_ACCESS_KEY: it is not set".into())),
            (&[KEY], Err("AWS_ACCESS_KEY_ID: it is not set".into())),
            (
                &[ID, ("AWS_SECRET_ACCESS_KEY", "a\nb")],
                Err(
                    "AWS credentials: one of the keys or the token is not one line of ASCII".into(),
                ),
            ),
            (
                &[(RELATIVE, ".evil.example/")],
                Err(format!("{RELATIVE}: it does not begin with /")),
            ),
            (
                &[],
                Err("AWS credentials: there are none in the environment".into()),
            ),
        ] {
            assert_eq!(source(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn the_full_uri_is_https_or_one_of_the_hosts_that_the_sdks_allow() {
        for (url, allowed) in [
            ("https://example.com/credentials", true),
            ("http://127.0.0.9:8080/", true),
            ("http://[::1]/", true),
            ("http://localhost:1/", true),
            ("http://169.254.170.2/", true),
            ("http://169.254.170.23/v1/credentials", true),
            ("http://169.254.169.254/latest/meta-data", false),
            ("http://169.254.170.2.example.com/", false),
            ("http://169.254.170.2@example.com/", false),
            ("http://[fd00:ec2::24]/", false),
            ("http://example.com/", false),
            ("/credentials", false),
        ] {
            assert_eq!(source(&[(FULL, url)]).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn a_token_that_would_begin_another_header_is_refused() {
        let container = |token| Container {
            url: String::new(),
            token,
        };
        let file = || container(Token::File("/token".into()));
        assert_eq!(
            file().authorization(Some("a b\n")),
            Ok(Some(Secret::new("a b")))
        );
        assert_eq!(container(Token::Nothing).authorization(None), Ok(None));
        for bad in [Some("a\r\nb"), Some(""), None] {
            let error = file().authorization(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "),
                "{error}"
            );
        }
        let value = container(Token::Value(Secret::new("a\nb")));
        assert!(value.authorization(None).is_err());
    }

    #[test]
    fn the_endpoints_answer_is_read_or_its_fault_named_without_its_secrets() {
        let good = r#"{"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "k3y", "Token": "t0ken",
            "Expiration": "2026-11-21T18:00:00Z", "RoleArn": 1e999}"#;
        let expected = credentials(Some("t0ken"), Some("2026-11-21T18:00:00Z"));
        assert_eq!(Container::credentials(200, good), Ok(expected.clone()));
        let at = |time| expected.are_stale(humantime::parse_rfc3339(time).unwrap());
        assert!(!at("2026-11-21T17:54:59Z") && at("2026-11-21T17:55:00Z"));
        assert!(!credentials(None, None).are_stale(SystemTime::now()));
        for (status, body) in [
            (500, good.to_owned()),
            (200, good.replace("AccessKeyId", "x")),
            (200, good.replace("SecretAccessKey", "x")),
            (200, good.replace("2026-11-21T", "")),
            (
                200,
                good.replace("t0ken", "t0ken\\n").replace("k3y", "k3y\\nb"),
            ),
            (200, r#""k3y""#.to_owned()),
        ] {
            let problem = Container::credentials(status, &body).unwrap_err();
            assert!(!problem.contains("k3y"), "{problem}");
        }
    }

    #[test]
    fn debug_prints_no_secret() {
        let token = Token::Value(Secret::new("t0ken"));
        let debug = format!("{:?} {token:?}", credentials(Some("t0ken"), None));
        assert!(
            !debug.contains("k3y") && !debug.contains("t0ken"),
            "{debug}"
        );
    }
}
