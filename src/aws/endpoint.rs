//! Where the APIs are.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>

use std::net::IpAddr;

use serde::Deserialize;
use ureq::http::Uri;

use crate::aws::region::Region;
use crate::env::Env;
use crate::error::Error;

/// A service that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    CodeBuild,
    CodePipeline,
    SecretsManager,
    Ssm,
}

impl Service {
    /// Its name in hosts and signatures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CodeBuild => "codebuild",
            Self::CodePipeline => "codepipeline",
            Self::SecretsManager => "secretsmanager",
            Self::Ssm => "ssm",
        }
    }
}

/// The variables that name other endpoints than AWS's own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Endpoints {
    aws_endpoint_url: Option<String>,
    aws_endpoint_url_codebuild: Option<String>,
    aws_endpoint_url_codepipeline: Option<String>,
    aws_endpoint_url_secrets_manager: Option<String>,
    aws_endpoint_url_ssm: Option<String>,
    aws_ignore_configured_endpoint_urls: Option<String>,
}

impl Endpoints {
    pub(crate) fn from_env(env: &Env) -> Self {
        env.read().unwrap_or_default()
    }

    /// The URL of a service's API, or what is wrong with the variable that names it.
    pub(crate) fn url(&self, service: Service, region: &Region) -> Result<String, Error> {
        let Some((variable, url)) = self.configured(service) else {
            return Ok(format!("https://{}/", region.host(service.name())));
        };
        let url = url.trim_end_matches('/');
        match trusted(url, &[]) {
            Err(problem) => Err(unusable(variable, problem)),
            Ok(uri) if uri.query().is_some() || !is_normal(uri.path()) => {
                Err(unusable(variable, "its path is not that of an API"))
            }
            Ok(_) => Ok(format!("{url}/")),
        }
    }

    fn configured(&self, service: Service) -> Option<(&'static str, &str)> {
        let ignored = self.aws_ignore_configured_endpoint_urls.as_deref();
        if ignored.is_some_and(|it| it.eq_ignore_ascii_case("true")) {
            return None;
        }
        let own = match service {
            Service::CodeBuild => (
                "AWS_ENDPOINT_URL_CODEBUILD",
                &self.aws_endpoint_url_codebuild,
            ),
            Service::CodePipeline => (
                "AWS_ENDPOINT_URL_CODEPIPELINE",
                &self.aws_endpoint_url_codepipeline,
            ),
            Service::SecretsManager => (
                "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                &self.aws_endpoint_url_secrets_manager,
            ),
            Service::Ssm => ("AWS_ENDPOINT_URL_SSM", &self.aws_endpoint_url_ssm),
        };
        [own, ("AWS_ENDPOINT_URL", &self.aws_endpoint_url)]
            .into_iter()
            .find_map(|(variable, url)| Some((variable, url.as_deref()?)))
    }
}

/// A signature covers the path in its normal form, which the path therefore has to have.
fn is_normal(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    path == "/" || segments.all(|segment| !["", ".", ".."].contains(&segment))
}

/// `url`, if it is https, or plain http to this machine or one of `others`.
pub(super) fn trusted(url: &str, others: &[IpAddr]) -> Result<Uri, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "it is not a URL")?;
    let authority = uri.authority().map_or("", |it| it.as_str());
    let host = uri.host().unwrap_or_default();
    // What http::Uri cannot read as a port, it calls no port.
    let behind = authority.strip_prefix(host).unwrap_or("@");
    let is_port = behind.is_empty() || uri.port_u16().is_some();
    if host.is_empty() || !is_port || !url.is_ascii() || url.contains(['#', '@']) {
        return Err("it is not the absolute URL of a server");
    }
    let ip: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_near = host.eq_ignore_ascii_case("localhost")
        || ip.is_some_and(|ip| ip.is_loopback() || others.contains(&ip));
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_near => Ok(uri),
        Some("http") => Err("it is plain http to another machine"),
        _ => Err("it is not an http or https URL"),
    }
}

pub(super) fn unusable(variable: &str, problem: &str) -> Error {
    Error::Setting {
        origin: variable.to_owned(),
        problem: problem.to_owned(),
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(variables: &[(&str, &str)]) -> Result<String, String> {
        let env: Env = variables.iter().copied().collect();
        let region = Region::parse("us-west-2").unwrap();
        let url = Endpoints::from_env(&env).url(Service::CodeBuild, &region);
        url.map_err(|error| error.to_string())
    }

    #[test]
    fn the_services_own_variable_wins_and_none_is_aws() {
        let all = ("AWS_ENDPOINT_URL", "https://all.example.com:8443/base//");
        let own = ("AWS_ENDPOINT_URL_CODEBUILD", "http://[::1]:4566");
        let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        for (variables, expected) in [
            (&[][..], "https://codebuild.us-west-2.amazonaws.com/"),
            (&[all], "https://all.example.com:8443/base/"),
            (&[all, own], "http://[::1]:4566/"),
            (
                &[all, own, ignore],
                "https://codebuild.us-west-2.amazonaws.com/",
            ),
        ] {
            assert_eq!(url(variables), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn an_endpoint_that_others_could_read_is_refused() {
        for (value, problem) in [
            (
                "http://169.254.170.2",
                "it is plain http to another machine",
            ),
            (
                "http://localhost.example.com",
                "it is plain http to another machine",
            ),
            ("ftp://localhost", "it is not an http or https URL"),
            ("localhost:4566", "it is not an http or https URL"),
            (
                "https://me:pw@example.com",
                "it is not the absolute URL of a server",
            ),
            (
                "https://example.com:x",
                "it is not the absolute URL of a server",
            ),
            ("https://example.com/?a", "its path is not that of an API"),
            (
                "https://example.com/a/../b",
                "its path is not that of an API",
            ),
        ] {
            let expected = Err(format!("AWS_ENDPOINT_URL: {problem}"));
            assert_eq!(url(&[("AWS_ENDPOINT_URL", value)]), expected, "{value}");
        }
    }
}
