//! Puppet Pipelines, once Distelli.
//! <https://puppet.com/docs/pipelines-for-apps/enterprise/environment-variable.html>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Puppet {
    distelli_appname: Option<String>,
    distelli_buildnum: Option<String>,
    distelli_relbranch: Option<String>,
    distelli_release: Option<String>,
    distelli_relrevision: Option<String>,
}

impl Provider for Puppet {
    const INFO: ProviderInfo = ProviderInfo {
        id: "puppet",
        name: "Puppet Pipelines",
        docs: "https://puppet.com/docs/pipelines-for-apps/enterprise/environment-variable.html",
        key: "puppet",
        signs: &[Sign::Set("DISTELLI_APPNAME")],
        commit: &["DISTELLI_RELREVISION"],
        state: None,
        state_caveat: "pass `passed` in the manifest's `AfterBuildSuccess` and `failed` in \
                       `AfterBuildFailure`; where variables are missing, also `--commit`, `--key` \
                       and `--url`",
        url_setting: "DISTELLI_RELEASE",
        secrets_caveat: "a build variable is set for one branch of the application only",
    };

    fn context(self) -> Context {
        Context {
            commit: DetectedCommit::of("DISTELLI_RELREVISION", self.distelli_relrevision),
            branch: self.distelli_relbranch,
            // An application has one build per branch.
            job_name: self.distelli_appname,
            url: self.distelli_release,
            build_number: self.distelli_buildnum,
            ..Context::default()
        }
    }
}
