//! TeamCity. <https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html>

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::prelude::*;
use crate::file;

#[derive(Deserialize)]
pub(super) struct TeamCity {
    build_number: Option<String>,
    /// Since 2023.05.
    build_url: Option<String>,
    build_vcs_number: Option<String>,
    teamcity_build_properties_file: Option<String>,
    teamcity_buildconf_name: Option<String>,
    teamcity_project_name: Option<String>,
    /// `BUILD_VCS_NUMBER_<VCS root>` among them.
    #[serde(flatten)]
    others: BTreeMap<String, String>,
}

impl Provider for TeamCity {
    const INFO: ProviderInfo = ProviderInfo {
        id: "teamcity",
        name: "TeamCity",
        docs: "https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html",
        key: "teamcity",
        signs: &[Sign::Set("TEAMCITY_VERSION")],
        commit: &["BUILD_VCS_NUMBER"],
        state: None,
        state_caveat: "pass `%teamcity.build.step.status.<step_ID>%` in a last step that runs \
                       *Even if some of the previous steps failed*",
        url_setting: "Server URL in TeamCity's global settings",
        secrets_caveat: "a password parameter is passed when its name begins with `env.`",
    };

    const MIXED_CASE: &'static [&'static str] = &["BUILD_VCS_NUMBER_*"];

    fn context(self) -> Context {
        let (properties, unreadable) = match self.properties() {
            Ok(properties) => (properties, None),
            Err(unreadable) => (BTreeMap::new(), Some(unreadable)),
        };
        let property = |name: &str| properties.get(name).map(String::as_str);
        let source = property("teamcity.pullRequest.source.branch");
        let pull_request = property("teamcity.pullRequest.number");
        let shard = job_name::shard(
            1,
            property("teamcity.build.parallelTests.currentBatch"),
            property("teamcity.build.parallelTests.totalBatches"),
        );
        let refname = match (pull_request, source) {
            (Some(_), Some(source)) => Some(
                Refname::from_full(source).unwrap_or_else(|| Refname::Branch(source.to_owned())),
            ),
            // Not teamcity.build.branch: the branch specification shortens it.
            _ => match only(&properties, "teamcity.build.vcs.branch.") {
                Only::One(full) => Refname::from_full(full),
                Only::None | Only::Several => None,
            },
        };
        Context {
            commit: match only(&self.others, "build_vcs_number_") {
                Only::Several => DetectedCommit::refused(
                    "the build has several VCS roots with different BUILD_VCS_NUMBER_…",
                ),
                Only::One(commit) => {
                    DetectedCommit::of("BUILD_VCS_NUMBER_…", Some(commit.to_owned()))
                }
                Only::None => DetectedCommit::of("BUILD_VCS_NUMBER", self.build_vcs_number),
            },
            repository: property("vcsroot.url").and_then(Repository::from_url),
            job_name: job_name::joined(&[self.teamcity_project_name, self.teamcity_buildconf_name])
                .map(|name| name + &shard),
            url: self.build_url.or_else(|| {
                let server = property("teamcity.serverUrl")?.trim_end_matches('/');
                let id = property("teamcity.build.id")?;
                Some(format!("{server}/viewLog.html?buildId={id}"))
            }),
            build_number: self.build_number,
            pull_request: pull_request.map(str::to_owned),
            unreadable,
            ..Context::on(refname)
        }
    }
}

impl TeamCity {
    /// The parameters that settings call `%…%`: branches are not in variables. The file that the
    /// variable names refers to one with further parameters. An error says that the first file cannot
    /// be read.
    fn properties(&self) -> Result<BTreeMap<String, String>, String> {
        let Some(path) = &self.teamcity_build_properties_file else {
            return Ok(BTreeMap::new());
        };
        let path = Path::new(path);
        let unreadable = || {
            format!(
                "TEAMCITY_BUILD_PROPERTIES_FILE: cannot read the file `{}`, which holds the branch \
                 and the repository",
                path.display()
            )
        };
        let mut properties = read(path).ok_or_else(unreadable)?;
        if let Some(configuration) = properties.get("teamcity.configuration.properties.file") {
            properties.extend(read(&path.with_file_name(configuration)).unwrap_or_default());
        }
        Ok(properties)
    }
}

enum Only<'a> {
    None,
    One(&'a str),
    Several,
}

/// The value of the parameters whose names begin with `prefix`, if all have the same.
fn only<'a>(all: &'a BTreeMap<String, String>, prefix: &str) -> Only<'a> {
    let named = all.iter().filter(|(name, _)| name.starts_with(prefix));
    let mut values: BTreeSet<_> = named.map(|(_, value)| value.as_str()).collect();
    match (values.pop_first(), values.is_empty()) {
        (None, _) => Only::None,
        (Some(value), true) => Only::One(value),
        (Some(_), false) => Only::Several,
    }
}

/// Reads a file in the format of `java.util.Properties`.
fn read(path: &Path) -> Option<BTreeMap<String, String>> {
    let text = path.to_str().and_then(file::text)?;
    let properties = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), unescape(value)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    Some(properties)
}

/// Decodes escapes, as in `https\://example.com` and `gr\u00fcn`.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('u') => {
                let code: String = characters.by_ref().take(4).collect();
                let code = u32::from_str_radix(&code, 16).ok();
                plain.extend(code.and_then(char::from_u32));
            }
            other => plain.extend(other),
        }
    }
    plain
}
