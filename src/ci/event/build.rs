//! What AWS says about a build of CodeBuild, in an event's `additional-information` or in the API's
//! `Build`.
//!
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html>
//! <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html>

use crate::ci::event::arn::Arn;
use crate::ci::event::json::Json;
use crate::env::Env;
use crate::error::Error;
use crate::secret::Secret;
use crate::status::commit::is_full_hash;
use crate::status::refname::Refname;
use crate::status::state::State;

/// What tells a batch's child from its siblings. The reporter inside the build reads it too.
pub(super) const IDENTIFIER: &str = "CODEBUILD_BATCH_BUILD_IDENTIFIER";

/// A build.
#[derive(Clone, Copy)]
pub(super) struct Build<'a>(pub(super) Json<'a>);

impl Build<'_> {
    /// Refuses another build than `id`, `PROJECT:UUID`.
    pub(super) fn check_id(self, id: &str) -> Result<(), Error> {
        let arn = self.0.text_of("arn");
        let of_arn = arn.as_deref().and_then(Arn::parse);
        let of_arn = of_arn.and_then(|arn| Some(arn.build()?.1.to_owned()));
        let mut ids = [self.0.text_of("id"), of_arn].into_iter().flatten();
        if ids.all(|it| it == id) {
            return Ok(());
        }
        let message = "AWS answers with another build than the one that was asked for";
        Err(Error::unexpected(message, None))
    }

    /// The commit, where it is said and not only a branch that leads to it. The API has it from the
    /// phase DOWNLOAD_SOURCE on; S3 has none.
    /// <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-source-version.html>
    pub(super) fn commit(self) -> Option<String> {
        let resolved = self.0.text_of("resolvedSourceVersion");
        let asked_for = self.0.text_of("source-version");
        let asked_for = asked_for.map(|version| split(&version).1.to_owned());
        let hash = |text: &String| is_full_hash(text);
        let found = [resolved, asked_for].into_iter().flatten().find(hash);
        found.map(|hash| hash.to_ascii_lowercase())
    }

    /// The branch or tag, where it is said which of both it is.
    pub(super) fn refname(self) -> Option<Refname> {
        Refname::from_full(split(&self.0.text_of("source-version")?).0)
    }

    /// The variables of the type PLAINTEXT.
    fn plain(self) -> impl Iterator<Item = (String, String)> {
        let all = self
            .0
            .get("environment")
            .get("environment-variables")
            .items();
        let is_plain = |it: &Json<'_>| it.text_of("type").is_none_or(|it| it == "PLAINTEXT");
        let pairs = all.into_iter().filter(is_plain);
        pairs.filter_map(|it| Some((it.text_of("name")?, it.text_of("value")?)))
    }

    /// Those of them that count inside the build too. Whoever may start a build may set them.
    pub(super) fn variables(self) -> Env {
        let is_ours = |name: &str| {
            name.starts_with("BUILD_STATUS_")
                || name.starts_with("BITBUCKET_")
                || ["BUILD_KEY", IDENTIFIER].contains(&name)
        };
        self.plain().filter(|(name, _)| is_ours(name)).collect()
    }

    /// The values of those that look like secrets.
    pub(super) fn secrets(self) -> impl Iterator<Item = Secret> {
        const WORDS: [&str; 6] = ["TOKEN", "SECRET", "PASS", "KEY", "CREDENTIAL", "AUTH"];
        let is_secret = |name: &str| {
            let name = name.to_ascii_uppercase();
            !name.starts_with("BUILD_") && WORDS.iter().any(|word| name.contains(word))
        };
        let secrets = self.plain().filter(move |(name, _)| is_secret(name));
        secrets.map(|(_, value)| Secret::new(&value))
    }

    /// The pipeline that started it.
    pub(super) fn pipeline(self) -> Option<String> {
        let initiator = self.0.text_of("initiator")?;
        initiator.strip_prefix("codepipeline/").map(str::to_owned)
    }

    /// Whether a build started it, which is what a batch's child looks like. One that a command of a
    /// build has started does, too.
    pub(super) fn may_be_child(self) -> bool {
        let initiator = self.0.text_of("initiator");
        initiator.is_some_and(|it| it.contains("AWSCodeBuild-"))
    }

    /// What happened, for `status` of this build.
    pub(super) fn description(self, status: &str, state: State) -> String {
        let how = match status {
            "FAILED" => "failed",
            "FAULT" => "failed by a fault of AWS",
            "TIMED_OUT" => "timed out",
            "STOPPED" => "was stopped",
            _ => return state.description().to_owned(),
        };
        let is_bad = |phase: &Json<'_>| {
            let status = phase.text_of("phase-status");
            status.is_some_and(|it| !["SUCCEEDED", "IN_PROGRESS"].contains(&it.as_str()))
        };
        let Some(phase) = self.0.get("phases").items().into_iter().find(is_bad) else {
            return format!("The build {how}.");
        };
        let name = phase.text_of("phase-type");
        let name = name.as_deref().unwrap_or("a phase without a name");
        // An event has a list of texts, the API one of objects.
        let mut contexts = phase.get("phase-context").items();
        contexts.extend(phase.get("contexts").items());
        match contexts.into_iter().find_map(context) {
            Some(text) => format!("The build {how} in {name}: {text}"),
            None => format!("The build {how} in {name}."),
        }
    }
}

/// What a phase says, in one line: `CODE: message`, without the noise `": "` of one that has nothing to
/// say.
fn context(context: Json<'_>) -> Option<String> {
    let part = |name| context.text_of(name).unwrap_or_default();
    let text = context
        .text()
        .unwrap_or_else(|| format!("{}: {}", part("statusCode"), part("message")));
    let words: Vec<_> = text.trim_matches([':', ' ']).split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
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
            let value = json!({ "source-version": version });
            let text = value.to_string();
            let build = Build(Json::read(&text));
            assert_eq!(build.commit().as_deref(), commit, "{version}");
            assert_eq!(build.refname(), refname, "{version}");
        }
        let both = json!({"sourceVersion": "main", "resolvedSourceVersion": SHA});
        let both = both.to_string();
        assert_eq!(Build(Json::read(&both)).commit().as_deref(), Some(SHA));
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
            let text = value.to_string();
            assert_eq!(
                Build(Json::read(&text)).description("FAILED", State::Failed),
                "The build failed in BUILD: COMMAND_EXECUTION_ERROR: make. Reason: exit status 2"
            );
        }
    }

    #[test]
    fn only_plaintext_variables_of_ours_count_and_those_of_others_may_be_secrets() {
        let variable =
            |name: &str, kind: &str| json!({"name": name, "type": kind, "value": "v4lue"});
        let value = json!({"environment": {"environment-variables": [
            variable("BUILD_STATUS_KEY", "PLAINTEXT"),
            variable("BUILD_STATUS", "PLAINTEXT"),
            variable("BITBUCKET_ACCESS_TOKEN", "SECRETS_MANAGER"),
            variable("PASSWORD", "PLAINTEXT"),
            {"name": "BUILD_KEY", "value": "v4lue"},
            {"name": "BUILD_STATUS_URL"},
            null]}});
        let expected = Env::from_iter([("BUILD_STATUS_KEY", "v4lue"), ("BUILD_KEY", "v4lue")]);
        let text = value.to_string();
        let build = Build(Json::read(&text));
        assert_eq!(build.variables(), expected);
        let secrets: Vec<_> = build.secrets().collect();
        assert_eq!(secrets, [Secret::new("v4lue")], "of PASSWORD");
    }
}
