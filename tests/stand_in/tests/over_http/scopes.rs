//! What Cloud says about a credential, with every answer.

use stand_in::{Credential, DEFAULT_COMMIT, DEFAULT_TOKEN, DEFAULT_USER, StandIn};

use crate::ask;

#[test]
fn every_authenticated_answer_says_what_the_credential_is_and_may() {
    let bitbucket = StandIn::start();
    let repository = "repositories/my-workspace/my-repo";
    for (path, for_tokens, for_users) in [
        ("user".to_owned(), "account", "read:user:bitbucket"),
        (
            repository.to_owned(),
            "repository",
            "read:repository:bitbucket",
        ),
        (
            format!("{repository}/commit/{DEFAULT_COMMIT}"),
            "repository",
            "read:repository:bitbucket",
        ),
    ] {
        for (credential, kind, accepted) in [
            (
                Credential::bearer(DEFAULT_TOKEN),
                "repo_access_token",
                for_tokens,
            ),
            (
                Credential::basic(DEFAULT_USER, DEFAULT_TOKEN),
                "api_token",
                for_users,
            ),
        ] {
            let url = format!("{}/{path}", bitbucket.api_root());
            let reply = ask("GET", &url, &[("authorization", &credential.header())], "");
            assert_eq!(reply.header("x-oauth-scopes"), Some("repository"), "{path}");
            assert_eq!(
                reply.header("x-accepted-oauth-scopes"),
                Some(accepted),
                "{path}"
            );
            assert_eq!(reply.header("x-credential-type"), Some(kind), "{path}");
        }
    }
}
