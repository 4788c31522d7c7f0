//! What AWS says about a build of CodeBuild: an event in words with hyphens, the API in camel case.
//!
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html>
//! <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html>

use serde::Deserialize;

use crate::ci::event::json::{List, Object, Text};
use crate::env::Env;
use crate::secret::Secret;
use crate::status::commit::is_full_hash;
use crate::status::refname::Refname;
use crate::status::state::State;

/// What tells a batch's child from its siblings. The reporter inside the build reads it too.
pub(super) const IDENTIFIER: &str = "CODEBUILD_BATCH_BUILD_IDENTIFIER";

/// The fields that an event's `additional-information` and the API's `Build` share, and some that
/// only the latter has.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Build {
    /// API only.
    pub(super) build_status: Text,
    /// API only. Set in a batch's child, which an event does not call so.
    pub(super) build_batch_arn: Text,
    /// API only: the commit, from the phase DOWNLOAD_SOURCE on. S3 has none.
    pub(super) resolved_source_version: Text,
    #[serde(alias = "build-number")]
    pub(super) build_number: Text,
    pub(super) initiator: Text,
    pub(super) source: Object<Source>,
    #[serde(alias = "source-version")]
    source_version: Text,
    phases: List<Object<Phase>>,
    environment: Object<Environment>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) location: Text,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Phase {
    #[serde(alias = "phase-type")]
    phase_type: Text,
    #[serde(alias = "phase-status")]
    phase_status: Text,
    #[serde(alias = "phase-context")]
    contexts: List<PhaseContext>,
}

/// `"CODE: message"` in an event.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum PhaseContext {
    Event(String),
    #[serde(rename_all = "camelCase")]
    Api {
        #[serde(default)]
        status_code: Option<String>,
        #[serde(default)]
        message: Option<String>,
    },
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Environment {
    #[serde(alias = "environment-variables")]
    environment_variables: List<Object<Variable>>,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(default)]
struct Variable {
    name: Text,
    #[serde(rename = "type")]
    kind: Text,
    value: Text,
}

/// Prints no value, which may be a secret.
impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Variable({:?})", self.name.get())
    }
}

impl PhaseContext {
    /// In one line, without the noise `": "` of a phase that has nothing to say.
    fn text(&self) -> Option<String> {
        let text = match self {
            Self::Event(text) => text.clone(),
            Self::Api {
                status_code,
                message,
            } => {
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                format!("{}: {}", part(status_code), part(message))
            }
        };
        let words: Vec<_> = text.trim_matches([':', ' ']).split_whitespace().collect();
        (!words.is_empty()).then(|| words.join(" "))
    }
}

impl Build {
    /// The commit, where it is said and not only a branch that leads to it.
    /// <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-source-version.html>
    pub(super) fn commit(&self) -> Option<String> {
        let asked_for = self.source_version.get().map(|version| split(version).1);
        [self.resolved_source_version.get(), asked_for]
            .into_iter()
            .flatten()
            .find(|text| is_full_hash(text))
            .map(str::to_ascii_lowercase)
    }

    /// The branch or tag, where it is said which of both it is.
    pub(super) fn refname(&self) -> Option<Refname> {
        Refname::from_full(split(self.source_version.get()?).0)
    }

    /// The variables of the type PLAINTEXT.
    fn plain(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.environment.environment_variables.iter();
        let plain = variables.filter(|it| it.kind.get().is_none_or(|kind| kind == "PLAINTEXT"));
        plain.filter_map(|it| Some((it.name.get()?, it.value.get()?)))
    }

    /// Those of them that count inside the build too. Whoever may start a build may set them.
    pub(super) fn variables(&self) -> Env {
        let is_ours = |name: &str| {
            ["BUILD_STATUS_", "BITBUCKET_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
                || ["BUILD_KEY", IDENTIFIER].contains(&name)
        };
        self.plain().filter(|(name, _)| is_ours(name)).collect()
    }

    /// The values of those that look like secrets.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let words = ["TOKEN", "SECRET", "PASS", "KEY", "CREDENTIAL", "AUTH"];
        let is_secret = |name: &str| {
            let name = name.to_ascii_uppercase();
            !name.starts_with("BUILD_") && words.iter().any(|word| name.contains(word))
        };
        let secret = self.plain().filter(|(name, _)| is_secret(name));
        secret.map(|(_, value)| Secret::new(value)).collect()
    }

    /// The pipeline that started it.
    pub(super) fn pipeline(&self) -> Option<&str> {
        self.initiator.get()?.strip_prefix("codepipeline/")
    }

    /// Whether a build started it, which is what a batch's child looks like. One that a command of a
    /// build has started does, too.
    pub(super) fn may_be_child(&self) -> bool {
        let initiator = self.initiator.get();
        initiator.is_some_and(|it| it.contains("AWSCodeBuild-"))
    }

    /// What happened, for `status` of this build.
    pub(super) fn description(&self, status: &str, state: State) -> String {
        let how = match status {
            "FAILED" => "failed",
            "FAULT" => "failed by a fault of AWS",
            "TIMED_OUT" => "timed out",
            "STOPPED" => "was stopped",
            _ => return state.description().to_owned(),
        };
        let fine = [None, Some("SUCCEEDED"), Some("IN_PROGRESS")];
        let mut phases = self.phases.iter();
        let Some(phase) = phases.find(|phase| !fine.contains(&phase.phase_status.get())) else {
            return format!("The build {how}.");
        };
        let phase_type = phase.phase_type.get().unwrap_or("a phase without a name");
        match phase.contexts.iter().find_map(PhaseContext::text) {
            Some(text) => format!("The build {how} in {phase_type}: {text}"),
            None => format!("The build {how} in {phase_type}."),
        }
    }
}

/// The ref and the revision of `refs/heads/main^{1ecfd27…}`, `refs/heads/main`, `1ecfd27…`.
fn split(version: &str) -> (&str, &str) {
    let pair = version.strip_suffix('}').and_then(|it| it.split_once("^{"));
    pair.unwrap_or((version, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    fn build(value: &serde_json::Value) -> Build {
        serde_json::from_str(&value.to_string()).unwrap()
    }

    #[test]
    fn every_form_of_the_source_version_is_read() {
        let branch = || Some(Refname::Branch("a/b".into()));
        for (version, commit, refname) in [
            (SHA.to_uppercase(), Some(SHA), None),
            (format!("refs/heads/a/b^{{{SHA}}}"), Some(SHA), branch()),
            (format!("refs/pull/1/head^{{{SHA}}}"), Some(SHA), None),
            ("refs/heads/a/b".into(), None, branch()),
            ("refs/tags/v1".into(), None, Some(Refname::Tag("v1".into()))),
            ("main".into(), None, None),
            ("pr/12".into(), None, None),
            (
                "arn:aws:s3:::bucket/web/SourceArti/QS4E7gR".into(),
                None,
                None,
            ),
            ("^{}".into(), None, None),
        ] {
            let build = build(&json!({ "source-version": version }));
            assert_eq!(build.commit().as_deref(), commit, "{version}");
            assert_eq!(build.refname(), refname, "{version}");
        }
        let both = build(&json!({"sourceVersion": "main", "resolvedSourceVersion": SHA}));
        assert_eq!(both.commit().as_deref(), Some(SHA));
    }

    #[test]
    fn event_and_api_describe_a_failure_in_the_same_words() {
        let event = json!({"phases": [
            {"phase-type": "QUEUED", "phase-status": "SUCCEEDED", "phase-context": []},
            {"phase-type": "BUILD", "phase-status": "FAILED",
             "phase-context": [": ", "COMMAND_EXECUTION_ERROR: make.\nReason: exit status 2"]},
            {"phase-type": "COMPLETED"}]});
        let api = json!({"phases": [
            {"phaseType": "QUEUED", "phaseStatus": "SUCCEEDED"},
            {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [
                {"statusCode": "", "message": ""},
                {"statusCode": "COMMAND_EXECUTION_ERROR", "message": "make. Reason: exit status 2"}]}]});
        for value in [event, api] {
            assert_eq!(
                build(&value).description("FAILED", State::Failed),
                "The build failed in BUILD: COMMAND_EXECUTION_ERROR: make. Reason: exit status 2"
            );
        }
    }

    #[test]
    fn only_plaintext_variables_of_ours_count_and_no_value_is_printed() {
        let variable =
            |name: &str, kind: &str| json!({"name": name, "type": kind, "value": "v4lue"});
        let build = build(&json!({"environment": {"environment-variables": [
            variable("BUILD_STATUS_KEY", "PLAINTEXT"),
            variable("BUILD_STATUS", "PLAINTEXT"),
            variable("BITBUCKET_ACCESS_TOKEN", "SECRETS_MANAGER"),
            variable("PASSWORD", "PLAINTEXT"),
            {"name": "BUILD_KEY", "value": "v4lue"},
            {"name": "BUILD_STATUS_URL"},
            null]}}));
        let expected = Env::from_iter([("BUILD_STATUS_KEY", "v4lue"), ("BUILD_KEY", "v4lue")]);
        assert_eq!(build.variables(), expected);
        assert!(!format!("{build:?}").contains("v4lue"));
    }
}
