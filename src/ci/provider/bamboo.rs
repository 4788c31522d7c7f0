//! Bamboo. <https://confluence.atlassian.com/bamboo/bamboo-variables-289277087.html>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Bamboo {
    bamboo_buildfailed: Option<String>,
    bamboo_buildkey: Option<String>,
    bamboo_buildnumber: Option<String>,
    bamboo_buildresultsurl: Option<String>,
    bamboo_planname: Option<String>,
    bamboo_planrepository_1_revision: Option<String>,
    bamboo_planrepository_branchname: Option<String>,
    bamboo_planrepository_repositoryurl: Option<String>,
    bamboo_planrepository_revision: Option<String>,
    bamboo_planrepository_type: Option<String>,
    bamboo_repository_pr_key: Option<String>,
    bamboo_repository_pr_sourcebranch: Option<String>,
    bamboo_resultsurl: Option<String>,
    bamboo_shortjobname: Option<String>,
}

/// `false` until a task has failed.
const STATES: &[(&str, State)] = &[("false", State::Successful), ("true", State::Failed)];

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
        let is_data_center = self.bamboo_planrepository_type.as_deref() == Some("bbserver");
        let repository = Repository::cloned_from(self.bamboo_planrepository_repositoryurl);
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
            repository: repository.map(|it| {
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
            state: State::named_in(STATES, self.bamboo_buildfailed),
            ..Context::default()
        }
    }
}
