//! A GitLab: where it is, and who asks it.

use serde::Deserialize;

use crate::cli::Options;
use crate::env::Env;
use crate::error::Error;
use crate::gitlab::credentials::Token;
use crate::http::client::Client;
use crate::http::failure::Hints;
use crate::status::url;

/// A project on a GitLab, and who asks for it.
#[derive(Debug)]
pub(crate) struct GitLab {
    /// The API, without trailing slash.
    pub(super) root: String,
    /// The project's number.
    pub(super) project: String,
    pub(super) token: Token,
    pub(super) version: Option<String>,
    pub(super) client: Client,
}

/// <https://docs.gitlab.com/ci/variables/predefined_variables/>
#[derive(Deserialize)]
struct Variables {
    ci_api_v4_url: Option<String>,
    ci_project_id: Option<String>,
    ci_server_version: Option<String>,
}

const HINTS: Hints = Hints {
    network: "check the network, CI_API_V4_URL, and whether a proxy is needed (HTTPS_PROXY, NO_PROXY)",
    certificate: Some(
        "GitLab's certificate is not trusted: pass the certificate of its CA with --gitlab-ca-file, \
         or let the runner set CI_SERVER_TLS_CA_FILE",
    ),
};

impl GitLab {
    /// The project whose job this is. Opens nothing.
    pub(crate) fn of_job(options: &Options, env: &Env) -> Result<Self, Error> {
        let variables: Variables = env.read(&[]).map_err(|error| Error::Environment {
            provider: "GitLab CI",
            message: error.to_string(),
        })?;
        let unset = |name| Error::setting(name, "it is not set", "run this in a job of GitLab CI");
        let root = variables.ci_api_v4_url.ok_or(unset("CI_API_V4_URL"))?;
        let root = url::server_url(&root, options.network.allow_http)
            .map_err(|problem| Error::unusable("CI_API_V4_URL", problem))?;
        Ok(Self {
            project: variables.ci_project_id.ok_or(unset("CI_PROJECT_ID"))?,
            token: Token::read(env)?,
            version: variables.ci_server_version,
            client: Client::trusting(
                options.gitlab_ca_file.as_deref(),
                &options.origins.name("gitlab_ca_file"),
                &root,
                env,
                &HINTS,
            )?,
            root,
        })
    }

    /// What it is asked with, for people.
    pub(crate) const fn token(&self) -> &Token {
        &self.token
    }
}
