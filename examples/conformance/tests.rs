//! Every claim, asked of the stand-in: what it keeps is what it is said to keep.

use stand_in::{
    Answer, Credential, DEFAULT_COMMIT, DEFAULT_TOKEN, DEFAULT_USER, Setup, StandIn, Status,
};

use super::*;

const SECOND_TOKEN: &str = "second-stand-in-token";

fn env(variables: &[(&str, &str)]) -> Env {
    variables.iter().copied().collect()
}

fn tokens() -> Env {
    env(&[
        ("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN),
        ("BITBUCKET_SECOND_ACCESS_TOKEN", SECOND_TOKEN),
    ])
}

fn cloud(bitbucket: &StandIn) -> Vec<String> {
    let root = bitbucket.api_root();
    let place = ["--repository", "my-workspace/my-repo", "--api-root", &root];
    place.map(str::to_owned).to_vec()
}

fn data_center(bitbucket: &StandIn) -> Vec<String> {
    let root = bitbucket.server_url();
    let place = ["--repository", "PROJ/my-repo", "--server-url", &root];
    place.map(str::to_owned).to_vec()
}

/// The number of false claims, and what was printed.
#[track_caller]
fn ask(mut words: Vec<String>, env: &Env) -> (usize, Vec<String>) {
    let (mut printed, whole) = (Vec::new(), ["conformance", "--commit", DEFAULT_COMMIT]);
    words.splice(0..0, whole.map(str::to_owned));
    let args = Args::parse_from(words);
    let asked = run(&args, env, None, &mut |line| printed.push(line.to_owned()));
    for line in &printed {
        assert!(
            !line.contains(DEFAULT_TOKEN) && !line.contains(SECOND_TOKEN),
            "{line}"
        );
    }
    (asked.unwrap(), printed)
}

fn setup() -> Setup {
    Setup::default().credential(Credential::bearer(SECOND_TOKEN))
}

/// The lines that do not say `true`.
fn not_true(printed: &[String]) -> Vec<&str> {
    let lines = printed.iter().map(String::as_str);
    let is_other = |line: &&str| line.starts_with("FALSE") || line.starts_with('?');
    lines.filter(is_other).collect()
}

/// The statuses that are left, none of which blocks, and what was printed.
#[track_caller]
fn every_claim_is_kept(bitbucket: &StandIn, words: Vec<String>) -> (Vec<Status>, Vec<String>) {
    let (false_ones, printed) = ask(words, &tokens());
    assert_eq!(
        (false_ones, not_true(&printed)),
        (0, vec![]),
        "{printed:#?}"
    );
    let left = bitbucket.statuses(DEFAULT_COMMIT);
    assert!(left.iter().all(|it| it.state == "SUCCESSFUL"), "{left:#?}");
    (left, printed)
}

#[test]
fn the_stand_in_for_cloud_keeps_every_claim_and_is_left_without_a_status_that_blocks() {
    let bitbucket = setup().start();
    let (left, printed) = every_claim_is_kept(&bitbucket, cloud(&bitbucket));
    assert!(
        left.iter().all(|it| it.key.starts_with("conformance-")),
        "{left:#?}"
    );
    let end = printed.last().unwrap();
    assert_eq!(
        *end,
        format!(
            "left on the commit: {} statuses, all SUCCESSFUL",
            left.len()
        )
    );
}

#[test]
fn the_stand_in_for_every_data_center_keeps_every_claim() {
    for version in ["7.14", "8.0", "9.4", "10.0"] {
        let bitbucket = setup().data_center(version).context_path("/ctx").start();
        let (left, printed) = every_claim_is_kept(&bitbucket, data_center(&bitbucket));
        let end = printed.last().unwrap();
        let expected = format!(
            "deleted: 0 statuses; left on the commit: {}, all SUCCESSFUL, because the token may not delete",
            left.len()
        );
        assert_eq!(*end, expected);
    }
}

#[test]
fn an_administrator_of_a_data_center_leaves_nothing_and_a_limit_is_waited_for() {
    let admin = Credential::basic("admin", "a-password").with_scopes(["REPO_ADMIN"]);
    let bitbucket = setup()
        .data_center("9.4")
        .credential(admin)
        .token_bucket(40, 30)
        .start();
    let env = env(&[
        ("BITBUCKET_ACCESS_TOKEN", "a-password"),
        ("BITBUCKET_USERNAME", "admin"),
    ]);
    let (false_ones, printed) = ask(data_center(&bitbucket), &env);
    assert_eq!(false_ones, 0, "{printed:#?}");
    assert_eq!(
        not_true(&printed),
        [format!(
            "?      another credential may overwrite a build: {NO_SECOND}"
        )]
    );
    assert_eq!(bitbucket.statuses(DEFAULT_COMMIT), []);
    assert!(
        printed.last().unwrap().starts_with("deleted: "),
        "{printed:#?}"
    );
}

#[test]
fn what_a_server_does_otherwise_is_said_and_counted() {
    // Nobody is the stranger that the claims need, and every hash is a commit.
    let bitbucket = Setup::default().any_credential().any_commit().start();
    let (false_ones, printed) = ask(cloud(&bitbucket), &tokens());
    let said = not_true(&printed);
    assert_eq!(false_ones, said.len());
    let claims: Vec<_> = said
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        claims,
        [
            "FALSE  an unknown commit is 404 `Commit not found`",
            "FALSE  a wrong token is 401 with a message in JSON",
            "FALSE  a report for an unknown commit is 404",
        ],
        "{printed:#?}"
    );
    // One of them stored a status where there was to be none.
    let left = bitbucket.statuses("0000000000000000000000000000000000000001");
    assert_eq!((left.len(), left[0].state.as_str()), (1, "SUCCESSFUL"));
    assert!(
        printed.last().unwrap().starts_with("left on the commit: "),
        "{printed:#?}"
    );
}

#[test]
fn nothing_is_written_when_it_is_not_to_be_or_when_the_place_is_wrong() {
    let bitbucket = setup().start();
    let (false_ones, printed) = ask(
        [cloud(&bitbucket), vec!["--read-only".to_owned()]].concat(),
        &tokens(),
    );
    assert_eq!(false_ones, 0, "{printed:#?}");
    assert_eq!(printed[1], "Writes nothing.");
    assert!(bitbucket.received().iter().all(|it| it.method == "GET"));

    let asked = |words: &[&str], env: &Env| {
        let root = bitbucket.api_root();
        let place = [
            "conformance",
            "--api-root",
            &root,
            "--commit",
            DEFAULT_COMMIT,
        ];
        let args = Args::parse_from(place.iter().chain(words));
        run(&args, env, None, &mut |line| panic!("{line}")).unwrap_err()
    };
    let unknown = asked(&["--repository", "my-workspace/another"], &tokens());
    assert!(
        unknown.starts_with("the repository cannot be read: HTTP 404 "),
        "{unknown}"
    );
    let none = asked(&["--repository", "my-workspace/my-repo"], &Env::default());
    assert_eq!(none, "no credentials: set BITBUCKET_ACCESS_TOKEN");
    assert!(bitbucket.history().is_empty());
}

#[test]
fn a_data_center_that_shows_no_builds_is_not_asked() {
    let bitbucket = setup().data_center("7.13").start();
    let root = bitbucket.server_url();
    let place = [
        "conformance",
        "--server-url",
        &root,
        "--repository",
        "PROJ/my-repo",
    ];
    let args = Args::parse_from(place.iter().chain(&["--commit", DEFAULT_COMMIT]));
    let problem = run(&args, &tokens(), None, &mut |line| panic!("{line}")).unwrap_err();
    assert_eq!(
        problem,
        "this Data Center is older than 7.14: it does not show the builds that it stores"
    );
}

#[test]
fn a_message_of_the_server_shows_no_secret() {
    let bitbucket = setup().start();
    let pair = Credential::basic(DEFAULT_USER, DEFAULT_TOKEN).header();
    bitbucket.always(Some(Answer::text(
        500,
        &format!("{DEFAULT_TOKEN} {pair} \x1b[31m"),
    )));
    let env = env(&[
        ("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN),
        ("BITBUCKET_USERNAME", DEFAULT_USER),
    ]);
    let root = bitbucket.api_root();
    let words = [
        "conformance",
        "--api-root",
        &root,
        "--commit",
        DEFAULT_COMMIT,
        "--repository",
        "a/b",
    ];
    let problem = run(&Args::parse_from(words), &env, None, &mut |_| {}).unwrap_err();
    assert_eq!(
        problem,
        "the repository cannot be read: HTTP 500 *** Basic *** \\u{1b}[31m"
    );
}
