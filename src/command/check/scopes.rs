//! What a token may do on Bitbucket Cloud, against what it has to.
//! <https://developer.atlassian.com/cloud/bitbucket/rest/intro/#scopes>

/// How a token's scopes compare with what a report needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scopes {
    /// They are what it needs.
    Enough,
    /// They allow more: these.
    More(String),
    /// They do not allow it.
    Missing,
}

/// What a report needs: the first of an access token or OAuth consumer, the second of an API token.
const NEEDED: [&str; 2] = ["repository", "read:repository:bitbucket"];

/// What includes `repository`. An API token's scopes include nothing but themselves.
const WIDER: [&str; 4] = [
    "pullrequest",
    "pullrequest:write",
    "repository:write",
    "repository:admin",
];

/// What every token may have, and what harms nobody.
const HARMLESS: [&str; 3] = ["account", "email", "read:user:bitbucket"];

/// Judges a list of scopes, as the header `X-OAuth-Scopes` has it.
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
