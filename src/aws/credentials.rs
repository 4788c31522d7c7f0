//! AWS credentials: from the environment, or from the container's endpoint.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
//!
//! Profiles, SSO and the metadata service of EC2 are left out: Lambda sets the keys, CodeBuild, ECS
//! and EKS have the endpoint.

use crate::ci::event::json::Json;
use crate::env::Env;
use crate::error::Error;
use crate::file;
use crate::secret::Secret;
use crate::status::url;

/// What signs a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Credentials {
    pub(super) id: Secret,
    pub(super) secret: Secret,
    pub(super) token: Option<Secret>,
}

impl Credentials {
    fn new(id: &str, secret: &str, token: Option<&str>) -> Result<Self, &'static str> {
        let all = [Some(id), Some(secret), token];
        if !all.into_iter().flatten().all(is_header) {
            return Err("a key or the token is not one line of ASCII");
        }
        Ok(Self {
            id: Secret::new(id),
            secret: Secret::new(secret),
            token: token.map(Secret::new),
        })
    }

    /// Reads the answer of the container's endpoint, or says what is wrong with it. When they expire
    /// is not looked at: AWS says so, and they are asked for again then.
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let body = String::from_utf8_lossy(body);
        let answer = Json::read(&body);
        let text = |name| answer.text_of(name);
        match (text("AccessKeyId"), text("SecretAccessKey")) {
            (Some(id), Some(secret)) => Self::new(&id, &secret, text("Token").as_deref()),
            _ => Err("its answer has no AccessKeyId or no SecretAccessKey"),
        }
    }

    /// What must not be printed.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Secret> {
        [self.secret.clone()].into_iter().chain(self.token.clone())
    }
}

/// What credentials are needed for: a message names it where there are none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Need {
    /// What is done with them.
    pub(crate) purpose: &'static str,
    /// What makes that unnecessary.
    pub(crate) instead: &'static str,
}

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// The environment, for the life of the process.
    Keys(Credentials),
    /// The URL of the container's endpoint: of the link-local address, of this machine, or https. No
    /// proxy is to see it.
    Container(String),
}

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// ECS and CodeBuild; EKS; EKS over IPv6.
const CONTAINER_HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

impl Source {
    /// In the order of the SDKs: keys, the relative URI, the full one.
    pub(super) fn from_env(env: &Env, need: &Need) -> Result<Self, Error> {
        const ID: &str = "AWS_ACCESS_KEY_ID";
        const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
        match (env.get(ID), env.get(SECRET)) {
            (Some(id), Some(secret)) => Credentials::new(id, secret, env.get("AWS_SESSION_TOKEN"))
                .map(Self::Keys)
                .map_err(|problem| Error::unusable("AWS credentials", problem)),
            (Some(_), None) => Err(Error::unusable(
                ID,
                format!("{SECRET} is not set beside it"),
            )),
            (None, Some(_)) => Err(Error::unusable(
                SECRET,
                format!("{ID} is not set beside it"),
            )),
            (None, None) => match container_url(env.get(RELATIVE), env.get(FULL)) {
                Some(url) => url.map(Self::Container),
                None => Err(need.unmet()),
            },
        }
    }
}

impl Need {
    fn unmet(&self) -> Error {
        Error::setting(
            "AWS credentials",
            format!("there are none, and they are needed to {}", self.purpose),
            format!(
                "{}; or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, as Lambda \
                 does, or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, as CodeBuild does. Profiles, SSO and \
                 EC2's metadata are not read",
                self.instead
            ),
        )
    }
}

fn container_url(relative: Option<&str>, full: Option<&str>) -> Option<Result<String, Error>> {
    match (relative, full) {
        (Some(path), _) => Some(relative_url(path)),
        (None, Some(url)) => Some(full_url(url)),
        (None, None) => None,
    }
}

fn relative_url(path: &str) -> Result<String, Error> {
    // Without the slash it would be a part of the host.
    if path.starts_with('/') {
        Ok(format!("http://169.254.170.2{path}"))
    } else {
        Err(Error::unusable(RELATIVE, "it does not begin with /"))
    }
}

fn full_url(url: &str) -> Result<String, Error> {
    let may_be_plain = CONTAINER_HOSTS.contains(&url::host(url).as_str());
    let (before, _) = url.split_once('?').unwrap_or((url, ""));
    match url::server_url(before, may_be_plain) {
        Ok(_) => Ok(url.to_owned()),
        Err(problem) => Err(Error::unusable(FULL, problem)),
    }
}

/// What the container's endpoint wants as `Authorization`. EKS replaces the file now and then.
pub(super) fn authorization(env: &Env) -> Result<Option<Secret>, Error> {
    let (origin, token) = match (env.get(TOKEN_FILE), env.get(TOKEN)) {
        (Some(path), _) => (TOKEN_FILE, file::text(path).unwrap_or_default()),
        (None, Some(token)) => (TOKEN, token.to_owned()),
        (None, None) => return Ok(None),
    };
    if is_header(&token) {
        Ok(Some(Secret::new(&token)))
    } else {
        Err(Error::unusable(
            origin,
            "it holds no token, or more than one line",
        ))
    }
}

/// Whether it can stand in a header, without beginning another.
fn is_header(text: &str) -> bool {
    let text = text.trim();
    let fits = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    !text.is_empty() && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)]) -> Result<Source, String> {
        let env: Env = variables.iter().copied().collect();
        let need = Need {
            purpose: "read the token",
            instead: "set the token",
        };
        Source::from_env(&env, &need).map_err(|error| error.to_string())
    }

    const ID: (&str, &str) = ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    const KEY: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "k3y");

    fn credentials(token: Option<&str>) -> Credentials {
        Credentials {
            id: Secret::new(ID.1),
            secret: Secret::new(KEY.1),
            token: token.map(Secret::new),
        }
    }

    #[test]
    fn keys_come_first_then_the_relative_uri_then_the_full_one() {
        let token = ("AWS_SESSION_TOKEN", "t0ken");
        let full = (FULL, "http://[fd00:ec2::23]/v1/credentials?a=b");
        let container = |url: &str| Ok(Source::Container(url.to_owned()));
        for (variables, expected) in [
            (&[ID, KEY][..], Ok(Source::Keys(credentials(None)))),
            (
                &[ID, KEY, token, (RELATIVE, "/x"), full],
                Ok(Source::Keys(credentials(Some("t0ken")))),
            ),
            (
                &[(RELATIVE, "/v2/credentials/x"), full],
                container("http://169.254.170.2/v2/credentials/x"),
            ),
            (&[full], container(full.1)),
            (
                &[ID],
                Err("AWS_ACCESS_KEY_ID: AWS_SECRET_ACCESS_KEY is not set beside it".into()),
            ),
            (
                &[KEY],
                Err("AWS_SECRET_ACCESS_KEY: AWS_ACCESS_KEY_ID is not set beside it".into()),
            ),
            (
                &[ID, ("AWS_SECRET_ACCESS_KEY", "a\nb")],
                Err("AWS credentials: a key or the token is not one line of ASCII".into()),
            ),
            (
                &[(RELATIVE, ".evil.example/")],
                Err(format!("{RELATIVE}: it does not begin with /")),
            ),
            (
                &[],
                Err(
                    "AWS credentials: there are none, and they are needed to read the token".into(),
                ),
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
        let token = |value: &str| authorization(&Env::from_iter([(TOKEN, value)]));
        assert_eq!(token("Bearer x\n"), Ok(Some(Secret::new("Bearer x"))));
        assert_eq!(authorization(&Env::default()), Ok(None));
        assert!(token("a\r\nX: b").is_err());
        let missing = Env::from_iter([(TOKEN, "x"), (TOKEN_FILE, "/nowhere/token")]);
        let error = authorization(&missing).unwrap_err().to_string();
        assert!(error.starts_with(TOKEN_FILE), "{error}");
    }

    #[test]
    fn the_endpoints_answer_is_read_or_its_fault_named_without_its_secrets() {
        let good = r#"{"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "k3y", "Token": "t0ken",
            "Expiration": "2026-11-21T18:00:00Z", "RoleArn": 1e999}"#;
        assert_eq!(
            Credentials::read(good.as_bytes()),
            Ok(credentials(Some("t0ken")))
        );
        for body in [
            good.replace("AccessKeyId", "x"),
            good.replace("SecretAccessKey", "x"),
            good.replace("k3y", "k3y\\nb"),
            r#""k3y""#.to_owned(),
        ] {
            let problem = Credentials::read(body.as_bytes()).unwrap_err();
            assert!(!problem.contains("k3y"), "{problem}");
        }
    }

    #[test]
    fn debug_prints_no_secret() {
        let debug = format!("{:?}", credentials(Some("t0ken")));
        assert!(
            !debug.contains("k3y") && !debug.contains("t0ken"),
            "{debug}"
        );
    }
}
