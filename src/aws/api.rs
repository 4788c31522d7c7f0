//! What is asked of AWS, and what it answers: JSON 1.1 over POST.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::json;

use crate::aws::build::Build;
use crate::aws::credentials::Credentials;
use crate::aws::endpoint::{Endpoints, Service};
use crate::aws::execution::Execution;
use crate::aws::json::{List, Object, Text};
use crate::aws::refusal::Refusal;
use crate::aws::region::Region;
use crate::aws::signature::Unsigned;
use crate::error::Error;
use crate::secret::Secret;

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    /// A build, by `PROJECT:UUID`.
    Build {
        id: String,
    },
    /// What the child of a batch is called there, by the ARNs of both.
    BatchChild {
        batch: String,
        child: String,
    },
    Execution {
        pipeline: String,
        id: String,
    },
    /// A secret of Secrets Manager, by its ARN.
    Secret {
        arn: String,
    },
    /// A parameter of Systems Manager, by its ARN.
    Parameter {
        arn: String,
    },
}

/// A signed POST.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, Secret)>,
    pub(crate) body: String,
}

/// An answer. `None`: AWS knows no such build, or no such child.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Build(Option<Box<Build>>),
    BatchChild(Option<String>),
    Execution(Execution),
    /// What is stored, of a secret or a parameter.
    Stored(Secret),
}

impl Call {
    pub(crate) const fn service(&self) -> Service {
        match self {
            Self::Build { .. } | Self::BatchChild { .. } => Service::CodeBuild,
            Self::Execution { .. } => Service::CodePipeline,
            Self::Secret { .. } => Service::SecretsManager,
            Self::Parameter { .. } => Service::Ssm,
        }
    }

    /// The permission that it needs.
    pub(crate) const fn permission(&self) -> &'static str {
        match self {
            Self::Build { .. } => "codebuild:BatchGetBuilds",
            Self::BatchChild { .. } => "codebuild:BatchGetBuildBatches",
            Self::Execution { .. } => "codepipeline:GetPipelineExecution",
            Self::Secret { .. } => "secretsmanager:GetSecretValue",
            Self::Parameter { .. } => "ssm:GetParameter",
        }
    }

    const fn target(&self) -> &'static str {
        match self {
            Self::Build { .. } => "CodeBuild_20161006.BatchGetBuilds",
            Self::BatchChild { .. } => "CodeBuild_20161006.BatchGetBuildBatches",
            Self::Execution { .. } => "CodePipeline_20150709.GetPipelineExecution",
            Self::Secret { .. } => "secretsmanager.GetSecretValue",
            Self::Parameter { .. } => "AmazonSSM.GetParameter",
        }
    }

    fn body(&self) -> String {
        match self {
            Self::Build { id } => json!({"ids": [id]}),
            Self::BatchChild { batch, .. } => json!({"ids": [batch]}),
            Self::Execution { pipeline, id } => {
                json!({"pipelineName": pipeline, "pipelineExecutionId": id})
            }
            Self::Secret { arn } => json!({"SecretId": arn}),
            Self::Parameter { arn } => json!({"Name": arn, "WithDecryption": true}),
        }
        .to_string()
    }

    /// The request, signed for one attempt at `time`. It fails when a variable names an endpoint that
    /// cannot be used.
    pub(crate) fn request(
        &self,
        endpoints: &Endpoints,
        region: &Region,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<Request, Error> {
        let url = endpoints.url(self.service(), region)?;
        let body = self.body();
        let plain = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", self.target()),
        ];
        let unsigned = Unsigned {
            method: "POST",
            url: &url,
            headers: &plain,
            body: &body,
            region: region.as_str(),
            service: self.service().name(),
        };
        let added = unsigned.sign(credentials, time);
        let plain = plain.map(|(name, value)| (name, Secret::new(value)));
        let headers = plain.into_iter().chain(added).collect();
        Ok(Request { url, headers, body })
    }

    /// Reads what came back. `request_id` is the header `x-amzn-RequestId`.
    pub(crate) fn answer(
        &self,
        status: u16,
        request_id: Option<&str>,
        body: &str,
    ) -> Result<Answer, Refusal> {
        if status != 200 {
            return Err(Refusal::read(self, status, request_id, body));
        }
        // serde's words may quote what it read.
        let Object(body): Object<Body> = serde_json::from_str(body)
            .map_err(|_| Refusal::not_aws(status, request_id, "the answer is not JSON"))?;
        let answer = match self {
            Self::Build { .. } => body.build(),
            Self::BatchChild { child, .. } => body.child(child),
            Self::Execution { .. } => body.pipeline_execution.0.map(Answer::Execution),
            Self::Secret { .. } => body.secret_string.get().map(stored),
            Self::Parameter { .. } => body.parameter.value.get().map(stored),
        };
        answer.ok_or_else(|| {
            let message = match self {
                Self::Secret { .. } => {
                    "the secret has no text: store it as a string, not as binary"
                }
                _ => "the answer is not that of the API",
            };
            Refusal::not_aws(status, request_id, message)
        })
    }
}

fn stored(text: &str) -> Answer {
    Answer::Stored(Secret::new(text))
}

/// Every answer's fields: no two calls have one of the same name.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    builds: List<Object<Build>>,
    build_batches: List<Object<BuildBatch>>,
    pipeline_execution: Object<Option<Execution>>,
    #[serde(rename = "SecretString")]
    secret_string: Text,
    #[serde(rename = "Parameter")]
    parameter: Object<Parameter>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BuildBatch {
    build_groups: List<Object<BuildGroup>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BuildGroup {
    identifier: Text,
    current_build_summary: Object<BuildSummary>,
    prior_build_summary_list: List<Object<BuildSummary>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BuildSummary {
    arn: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameter {
    #[serde(rename = "Value")]
    value: Text,
}

impl Body {
    fn build(self) -> Option<Answer> {
        let build = self.builds.0?.into_iter().next();
        Some(Answer::Build(build.map(|build| Box::new(build.0))))
    }

    fn child(self, child: &str) -> Option<Answer> {
        let batches = self.build_batches.0?;
        let group = batches
            .iter()
            .flat_map(|it| it.build_groups.iter())
            .find(|group| {
                let prior = group.prior_build_summary_list.iter();
                let mut builds = prior.chain([&group.current_build_summary]);
                builds.any(|build| build.arn.get() == Some(child))
            });
        let identifier = group.and_then(|group| group.identifier.get());
        Some(Answer::BatchChild(identifier.map(str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Call {
        Call::Secret { arn: "arn".into() }
    }

    #[test]
    fn an_answer_without_what_was_asked_for_is_no_success() {
        let build = Call::Build { id: "a:b".into() };
        let parameter = Call::Parameter { arn: "arn".into() };
        let execution = Call::Execution {
            pipeline: "a".into(),
            id: "b".into(),
        };
        let child = Call::BatchChild {
            batch: "a".into(),
            child: "b".into(),
        };
        for call in [build, child, execution, secret(), parameter] {
            for body in ["", "{}", "<html>", "[]", "null", r#"{"builds": 1e999}"#] {
                assert!(call.answer(200, None, body).is_err(), "{call:?} {body}");
            }
        }
        let binary = secret().answer(200, None, r#"{"SecretBinary": "dDBrZW4="}"#);
        assert_eq!(
            binary.unwrap_err().to_string(),
            "AWS: HTTP 200: the secret has no text: store it as a string, not as binary"
        );
    }

    #[test]
    fn a_build_that_was_tried_again_is_still_its_groups_child() {
        let call = Call::BatchChild {
            batch: "b".into(),
            child: "arn:old".into(),
        };
        let body = r#"{"buildBatches": [{"buildGroups": [
            {"identifier": "lint", "currentBuildSummary": {"arn": "arn:lint"}},
            {"identifier": "unit", "currentBuildSummary": {"arn": "arn:new"},
             "priorBuildSummaryList": [null, {"arn": "arn:old"}]}]}]}"#;
        assert_eq!(
            call.answer(200, None, body),
            Ok(Answer::BatchChild(Some("unit".into())))
        );
        let none = call.answer(200, None, r#"{"buildBatches": []}"#);
        assert_eq!(none, Ok(Answer::BatchChild(None)));
    }

    #[test]
    fn no_print_of_a_request_or_an_answer_shows_a_secret() {
        let credentials = Credentials {
            id: Secret::new("AKIDEXAMPLE"),
            secret: Secret::new("k3y"),
            token: Some(Secret::new("t0ken")),
            expires: None,
        };
        let region = Region::parse("us-west-2").unwrap();
        let time = SystemTime::UNIX_EPOCH;
        let request = secret().request(&Endpoints::default(), &region, &credentials, time);
        let answer = secret()
            .answer(200, None, r#"{"SecretString": "t0ken\n"}"#)
            .unwrap();
        assert_eq!(answer, Answer::Stored(Secret::new("t0ken")));
        let debug = format!("{request:?} {answer:?}");
        assert!(
            !debug.contains("t0ken") && !debug.contains("Signature"),
            "{debug}"
        );
    }
}
