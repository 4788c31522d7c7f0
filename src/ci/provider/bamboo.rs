//! Bamboo. <https://confluence.atlassian.com/bamboo/bamboo-variables-289277087.html>

use serde::Deserialize;

use super::info::{Provider, ProviderInfo, Sign};
use super::job_name;
use crate::ci::context::Context;
use crate::status::commit::DetectedCommit;
use crate::status::repository::{Repository, Site};
use crate::status::state::State;

#[derive(Deserialize)]
pub(super) struct Bamboo {
    bamboo_buildfailed: Option<BuildFailed>,
    bamboo_buildkey: Option<String>,
    bamboo_buildnumber: Option<String>,
    bamboo_buildresultsurl: Option<String>,
    bamboo_planname: Option<String>,
    bamboo_planrepository_1_revision: Option<String>,
    bamboo_planrepository_branchname: Option<String>,
    bamboo_planrepository_repositoryurl: Option<String>,
    bamboo_planrepository_revision: Option<String>,
    bamboo_planrepository_type: Option<RepositoryType>,
    bamboo_repository_pr_key: Option<String>,
    bamboo_repository_pr_sourcebranch: Option<String>,
    bamboo_resultsurl: Option<String>,
    bamboo_shortjobname: Option<String>,
}

/// `false` until a task has failed.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum BuildFailed {
    False,
    True,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
enum RepositoryType {
    #[serde(rename = "bbserver")]
    BitbucketServer,
    #[serde(other)]
    Unknown,
}

impl Provider for Bamboo {
    const INFO: ProviderInfo = ProviderInfo {
        id: "bamboo",
        name: "Bamboo",
        docs: "https://confluence.atlassian.com/bamboo/bamboo-variables-289277087.html",
        key: "bamboo",
        signs: &[Sign::OneOf(&["bamboo_buildKey", "bamboo_agentId"])],
        commit: &[
            "bamboo_planRepository_revision",
            "bamboo_planRepository_1_revision",
        ],
        state: Some("bamboo_buildFailed"),
        state_caveat: "it is false until a task fails, so report in a final task",
        url_setting: "Base URL in Bamboo's general configuration",
        secrets_caveat: "Bamboo prefixes the names of variables with `bamboo_`: pass the secret in \
                         the task's Environment variables",
    };

    const MIXED_CASE: &'static [&'static str] = &[
        "bamboo_buildFailed",
        "bamboo_buildKey",
        "bamboo_buildNumber",
        "bamboo_buildResultsUrl",
        "bamboo_planName",
        "bamboo_planRepository_1_revision",
        "bamboo_planRepository_branchName",
        "bamboo_planRepository_repositoryUrl",
        "bamboo_planRepository_revision",
        "bamboo_planRepository_type",
        "bamboo_repository_pr_key",
        "bamboo_repository_pr_sourceBranch",
        "bamboo_resultsUrl",
        "bamboo_shortJobName",
    ];

    fn context(self) -> Context {
        let is_data_center = matches!(
            self.bamboo_planrepository_type,
            Some(RepositoryType::BitbucketServer)
        );
        let repository = self.bamboo_planrepository_repositoryurl.as_deref();
        Context {
            commit: DetectedCommit::first_set([
                (
                    "bamboo_planRepository_revision",
                    self.bamboo_planrepository_revision,
                ),
                (
                    "bamboo_planRepository_1_revision",
                    self.bamboo_planrepository_1_revision,
                ),
            ]),
            branch: self
                .bamboo_repository_pr_sourcebranch
                .or(self.bamboo_planrepository_branchname),
            repository: repository.and_then(Repository::from_url).map(|it| {
                // Host and port of an ssh URL do not tell that this is a Data Center.
                if is_data_center && it.site == Site::Elsewhere {
                    let site = Site::DataCenter { server: None };
                    Repository { site, ..it }
                } else {
                    it
                }
            }),
            job_name: match (self.bamboo_planname, self.bamboo_shortjobname) {
                // Every plan has a "Default Job".
                (Some(plan), job) => job_name::joined(&[Some(plan), job]),
                (None, job) => self.bamboo_buildkey.or(job),
            },
            url: self.bamboo_buildresultsurl.or(self.bamboo_resultsurl),
            build_number: self.bamboo_buildnumber,
            pull_request: self.bamboo_repository_pr_key,
            state: match self.bamboo_buildfailed {
                Some(BuildFailed::False) => Some(State::Successful),
                Some(BuildFailed::True) => Some(State::Failed),
                Some(BuildFailed::Unknown) | None => None,
            },
            ..Context::default()
        }
    }
}
