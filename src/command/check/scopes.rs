//! The scopes of a token on Bitbucket Cloud, compared with those that a report needs.
//! <https://developer.atlassian.com/cloud/bitbucket/rest/intro/#scopes>

/// How a token's scopes compare with what a report needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scopes {
    /// The token has the needed scope and no other that matters.
    Enough,
    /// The token also has these scopes.
    More(String),
    /// The needed scope is missing.
    Missing,
}

/// What a report needs: the first for access tokens and OAuth consumers, the second for API tokens.
const NEEDED: [&str; 2] = ["repository", "read:repository:bitbucket"];

/// The scopes that include `repository`. An API token's scopes do not include others.
const WIDER: [&str; 4] = [
    "pullrequest",
    "pullrequest:write",
    "repository:write",
    "repository:admin",
];

/// Scopes that allow too little to warn about.
const HARMLESS: [&str; 3] = ["account", "email", "read:user:bitbucket"];

/// Judges the value of the header `X-OAuth-Scopes`.
pub(super) fn judge(scopes: &str) -> Scopes {
    let scopes: Vec<_> = scopes
        .split([',', ' '])
        .map(str::trim)
        .filter(|scope| !scope.is_empty())
        .collect();
    let has = |list: &[&str]| scopes.iter().any(|scope| list.contains(scope));
    if !has(&NEEDED) && !has(&WIDER) {
        return Scopes::Missing;
    }
    let more: Vec<_> = scopes
        .iter()
        .filter(|scope| !NEEDED.contains(scope) && !HARMLESS.contains(scope))
        .copied()
        .collect();
    if more.is_empty() {
        Scopes::Enough
    } else {
        Scopes::More(more.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_is_enough_and_more_is_said() {
        let more = |more: &str| Scopes::More(more.into());
        for (scopes, expected) in [
            ("repository", Scopes::Enough),
            ("read:repository:bitbucket", Scopes::Enough),
            ("account, repository", Scopes::Enough),
            ("repository:write", more("repository:write")),
            ("repository pullrequest:write", more("pullrequest:write")),
            ("write:repository:bitbucket", Scopes::Missing),
            ("account", Scopes::Missing),
            ("", Scopes::Missing),
        ] {
            assert_eq!(judge(scopes), expected, "{scopes}");
        }
    }
}
