//! What is asked of AWS, and where: JSON 1.1 over POST.

use serde_json::json;

use crate::ci::event::Question;
use crate::ci::event::region::Region;
use crate::env::Env;
use crate::error::Error;
use crate::status::url;

/// A service that is asked.
#[derive(Debug, PartialEq)]
pub(super) struct Service {
    /// Its name in hosts, signatures and permissions.
    pub(super) name: &'static str,
    /// What stands before the dot of `X-Amz-Target`.
    target: &'static str,
    /// The variable that names another endpoint than AWS's own.
    endpoint: &'static str,
}

static CODEBUILD: Service = Service {
    name: "codebuild",
    target: "CodeBuild_20161006",
    endpoint: "AWS_ENDPOINT_URL_CODEBUILD",
};
static CODEPIPELINE: Service = Service {
    name: "codepipeline",
    target: "CodePipeline_20150709",
    endpoint: "AWS_ENDPOINT_URL_CODEPIPELINE",
};
static SECRETS_MANAGER: Service = Service {
    name: "secretsmanager",
    target: "secretsmanager",
    endpoint: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
};
static SSM: Service = Service {
    name: "ssm",
    target: "AmazonSSM",
    endpoint: "AWS_ENDPOINT_URL_SSM",
};

/// A question to a service in one region.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(super) service: &'static Service,
    action: &'static str,
    pub(super) region: Region,
    pub(super) body: String,
}

impl Call {
    /// What an event wants to know.
    pub(crate) fn of_event(question: &Question, region: &Region) -> Self {
        let (service, action, body) = match question {
            Question::Build { id } => (&CODEBUILD, "BatchGetBuilds", json!({"ids": [id]})),
            Question::BatchChild { batch, .. } => {
                (&CODEBUILD, "BatchGetBuildBatches", json!({"ids": [batch]}))
            }
            Question::Execution { pipeline, id } => (
                &CODEPIPELINE,
                "GetPipelineExecution",
                json!({"pipelineName": pipeline, "pipelineExecutionId": id}),
            ),
        };
        Self::new(service, action, region, &body)
    }

    /// A secret of Secrets Manager.
    pub(super) fn secret(arn: &str, region: &Region) -> Self {
        let body = json!({"SecretId": arn});
        Self::new(&SECRETS_MANAGER, "GetSecretValue", region, &body)
    }

    /// A parameter of Systems Manager.
    pub(super) fn parameter(arn: &str, region: &Region) -> Self {
        let body = json!({"Name": arn, "WithDecryption": true});
        Self::new(&SSM, "GetParameter", region, &body)
    }

    fn new(
        service: &'static Service,
        action: &'static str,
        region: &Region,
        body: &serde_json::Value,
    ) -> Self {
        Self {
            service,
            action,
            region: region.clone(),
            body: body.to_string(),
        }
    }

    /// The permission that it needs.
    pub(super) fn permission(&self) -> String {
        format!("{}:{}", self.service.name, self.action)
    }

    /// The value of `X-Amz-Target`.
    pub(super) fn target(&self) -> String {
        format!("{}.{}", self.service.target, self.action)
    }

    /// Where it goes: to AWS, or to where a variable of the SDKs says.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    pub(super) fn url(&self, env: &Env) -> Result<String, Error> {
        let ignored = env.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        let is_ignored = ignored.is_some_and(|it| it.eq_ignore_ascii_case("true"));
        let configured = [self.service.endpoint, "AWS_ENDPOINT_URL"]
            .into_iter()
            .find_map(|variable| Some((variable, env.get(variable)?)))
            .filter(|_| !is_ignored);
        let Some((variable, url)) = configured else {
            let host = self.region.host(self.service.name);
            return Ok(format!("https://{host}/"));
        };
        let problem = match url::server_url(url, false) {
            // A signature covers the path, and these services have one only.
            Ok(url) if url.matches('/').count() == 2 => return Ok(format!("{url}/")),
            Ok(_) => "it has a path, and these APIs have none".to_owned(),
            Err(problem) => problem,
        };
        Err(Error::unusable(variable, problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(variables: &[(&str, &str)]) -> Result<String, String> {
        let env: Env = variables.iter().copied().collect();
        let region = Region::parse("us-west-2").unwrap();
        let id = "web:1".to_owned();
        let call = Call::of_event(&Question::Build { id }, &region);
        call.url(&env).map_err(|error| error.to_string())
    }

    #[test]
    fn the_services_own_variable_wins_and_none_is_aws() {
        let all = ("AWS_ENDPOINT_URL", "https://all.example.com:8443/");
        let own = ("AWS_ENDPOINT_URL_CODEBUILD", "http://[::1]:4566");
        let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        for (variables, expected) in [
            (&[][..], "https://codebuild.us-west-2.amazonaws.com/"),
            (&[all], "https://all.example.com:8443/"),
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
        for value in [
            "http://169.254.170.2",
            "http://localhost.example.com",
            "ftp://localhost",
            "localhost:4566",
            "https://me:pw@example.com",
            "https://example.com:x",
            "https://example.com/?a",
            "https://example.com/base",
            "https://example.com/a/../b",
        ] {
            let problem = url(&[("AWS_ENDPOINT_URL", value)]).unwrap_err();
            assert!(problem.starts_with("AWS_ENDPOINT_URL: "), "{problem}");
        }
    }
}
