//! What holds of any input, by chance: the same input each time, others with PROPTEST_CASES set.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use build_status::bitbucket::hint::Sender;
use build_status::bitbucket::verdict;
use build_status::ci::context::Context;
use build_status::ci::provider::PROVIDERS;
use build_status::cli::Options;
use build_status::http::response::Response;
use build_status::http::retry::RetryHint;
use build_status::http::session::Verdict;
use build_status::junit;
use build_status::report::Claim;
use build_status::status::commit::DetectedCommit;
use build_status::status::product::Product;
use build_status::status::repository::{Repository, Site};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use stand_in::DEFAULT_COMMIT;

use crate::corpus::targets;

/// Runs `test` with values of `strategy`: as many as PROPTEST_CASES says, or `cases` that are the
/// same each time.
#[track_caller]
fn holds<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value)) {
    let by_chance = std::env::var_os("PROPTEST_CASES").is_some();
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = if by_chance {
        TestRunner::new(config)
    } else {
        config.cases = cases;
        let dice = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(config, dice)
    };
    let result = runner.run(&strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

// Keys

fn key_of(given: Option<&str>, job_name: &str, product: Product) -> (String, Option<String>) {
    let mut options = Options::default();
    options.build.key = given.map(str::to_owned);
    let context = Context {
        commit: DetectedCommit::Hash(DEFAULT_COMMIT.into()),
        url: Some("https://ci.example.com/1".into()),
        job_name: Some(job_name.to_owned()),
        ..Context::default()
    };
    let claim = Claim {
        options: &options,
        info: Some(&PROVIDERS[0].info),
        context: &context,
        product,
    };
    (
        claim.report(Some("passed")).unwrap().key,
        claim.key_warning(),
    )
}

fn products() -> impl Strategy<Value = Product> {
    select(vec![Product::Cloud, Product::DataCenter])
}

#[test]
fn a_key_is_as_long_as_it_may_be_and_begins_as_the_jobs_name_does() {
    holds(300, (".{0,300}", products()), |(job_name, product)| {
        let limit = product.limits().key;
        let (key, warnings) = key_of(None, &job_name, product);
        let whole = format!("ci/{}/{job_name}", PROVIDERS[0].info.key);
        let length = whole.chars().count();
        assert_eq!(key.chars().count(), length.min(limit));
        assert_eq!(key_of(None, &job_name, product).0, key);
        let readable = if length > limit { limit - 9 } else { length };
        assert!(whole.chars().take(readable).eq(key.chars().take(readable)));
        assert!(warnings.is_none(), "nobody has chosen it: {warnings:?}");
    });
}

#[test]
fn jobs_that_differ_anywhere_have_keys_that_differ() {
    let names = (
        "[a-z ]{0,80}",
        ".{1,6}",
        ".{1,6}",
        "[a-z0-9/ ]{0,80}",
        products(),
    );
    holds(300, names, |(before, one, other, after, product)| {
        let key = |middle: &str| key_of(None, &format!("{before}{middle}{after}"), product).0;
        assert_eq!(key(&one) == key(&other), one == other);
    });
}

#[test]
fn a_key_that_is_given_is_sent_as_it_is_or_shortened_with_a_warning() {
    // Blank, or a reference to a variable, it would be refused.
    holds(300, ("[a-z].{0,300}", products()), |(given, product)| {
        let (key, warning) = key_of(Some(&given), "job", product);
        if given.chars().count() <= product.limits().key {
            assert_eq!((key, warning), (given, None));
        } else {
            assert_eq!(key.chars().count(), product.limits().key);
            let warning = warning.unwrap();
            assert!(warning.contains(&format!("`{key}`")), "{warning}");
        }
    });
}

// Clone URLs

/// What a clone URL leads to, in every shape of it.
#[derive(Clone, Debug)]
struct Place {
    user: String,
    host: String,
    port: String,
    /// Data Center's context path, with its slash.
    path: String,
    owner: String,
    name: String,
    end: &'static str,
}

fn places() -> impl Strategy<Value = Place> {
    let user = prop_oneof![
        Just(String::new()),
        "[a-z]{1,8}@",
        "[a-z]{0,8}:hidden[a-zA-Z0-9%:=+@-]{0,20}@",
    ];
    let host = "[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,5})?\\.example\\.(com|org)";
    let path = "(/(ctx|git|bitbucket|a-b|stash)){0,2}";
    let owner = prop_oneof!["[A-Za-z][A-Za-z0-9_-]{0,12}", "~[a-z][a-z0-9._-]{0,8}[a-z]"];
    let name = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}[A-Za-z0-9_-]";
    let name = name.prop_filter("its end is no part of it", |name| {
        name.strip_suffix(".git").is_none()
    });
    let end = select(vec!["", ".git", "/", ".git/"]);
    (user, host, "(:[1-6][0-9]{1,3})?", path, owner, name, end).prop_map(
        |(user, host, port, path, owner, name, end)| Place {
            user,
            host,
            port,
            path,
            owner,
            name,
            end,
        },
    )
}

#[track_caller]
fn is_read(url: &str, place: &Place, owner: &str, host: &str, site: Site) {
    let expected = Repository {
        owner: owner.to_owned(),
        name: place.name.clone(),
        host: Some(host.to_owned()),
        site,
    };
    assert_eq!(Repository::from_url(url), Some(expected), "{url}");
}

#[test]
fn a_clone_url_of_cloud_is_read_in_every_shape() {
    holds(200, places(), |place| {
        let Place {
            user,
            owner,
            name,
            end,
            ..
        } = &place;
        for host in ["bitbucket.org", "Bitbucket.ORG", "www.bitbucket.org"] {
            for url in [
                format!("https://{user}{host}/{owner}/{name}{end}"),
                format!("http://{user}{host}/{owner}/{name}{end}"),
                format!("HTTPS://{user}{host}:443/{owner}/{name}{end}"),
                format!("ssh://git@{host}/{owner}/{name}{end}"),
                format!("ssh://git@{host}:22/{owner}/{name}{end}"),
                format!("git@{host}:{owner}/{name}{end}"),
                // Malformed, and seen.
                format!("ssh://git@{host}:{owner}/{name}{end}"),
                format!("http://git@{host}:{owner}/{name}{end}"),
            ] {
                let host = host.to_lowercase();
                is_read(&url, &place, owner, &host, Site::Cloud);
            }
        }
        let account = "123456789012/eu-west-1/1a2b3c4d-5e6f";
        for service in ["codestar-connections", "codeconnections"] {
            let host = format!("{service}.eu-west-1.amazonaws.com");
            let url = format!("https://{user}{host}/git-http/{account}/{owner}/{name}{end}");
            is_read(&url, &place, owner, &host, Site::Cloud);
        }
    });
}

#[test]
fn a_clone_url_of_data_center_is_read_in_every_shape_and_says_the_server() {
    holds(200, places(), |place| {
        let Place {
            user,
            host,
            port,
            path,
            owner,
            name,
            end,
        } = &place;
        for scheme in ["https", "http"] {
            let server = Some(format!("{scheme}://{host}{port}{path}"));
            let site = Site::DataCenter { server };
            let start = format!("{scheme}://{user}{host}{port}{path}");
            for (url, owner) in [
                (format!("{start}/scm/{owner}/{name}{end}"), owner.clone()),
                (
                    format!("{start}/projects/{owner}/repos/{name}/browse?at=refs/heads/x"),
                    owner.clone(),
                ),
                (
                    format!(
                        "{start}/users/{}/repos/{name}",
                        owner.trim_start_matches('~')
                    ),
                    format!("~{}", owner.trim_start_matches('~')),
                ),
            ] {
                is_read(&url, &place, &owner, host, site.clone());
            }
        }
        let url = format!("ssh://git@{host}:7999/{owner}/{name}{end}");
        is_read(&url, &place, owner, host, Site::DataCenter { server: None });
        if *port != ":7999" {
            for url in [
                format!("https://{user}{host}{port}/{owner}/{name}{end}"),
                format!("git@{host}:{owner}/{name}{end}"),
            ] {
                is_read(&url, &place, owner, host, Site::Elsewhere);
            }
        }
    });
}

/// Pieces of URLs in any order. Every claim of the fuzz target holds of them: passwords are not read,
/// URLs that are passed are URLs, `NO_PROXY` is obeyed.
#[test]
fn junk_is_no_place_and_no_password_survives() {
    let piece = select(vec![
        "https://",
        "ssh://",
        "git@",
        "me:",
        "@",
        ":",
        "/",
        "//",
        "?",
        "#",
        "%2f",
        "%40",
        "%",
        "..",
        "bitbucket.org",
        "example.com",
        "/scm/",
        "/projects/",
        "/repos/",
        "/users/",
        ".git",
        ":7999",
        "[::1]",
        "127.0.0.1",
        "\\",
        "ü",
        "\u{202e}",
        "\r",
        " ",
        "{x}",
        "ws/repo",
        "*",
        ",",
    ]);
    let line = || {
        vec(
            prop_oneof![4 => piece.clone().prop_map(str::to_owned), 1 => ".{0,3}"],
            0..10,
        )
    };
    let text = (line(), line(), line());
    holds(500, text, |(first, second, third)| {
        let text = [first.concat(), second.concat(), third.concat()].join("\n");
        targets::places(text.as_bytes());
    });
}

// Answers

fn retry_hint(retry_after: &str, now: SystemTime) -> RetryHint {
    let answer = Response {
        status: 429,
        headers: vec![("retry-after".into(), retry_after.to_owned())],
        ..Response::default()
    };
    let sender = Sender {
        credentials: None,
        product: Product::Cloud,
    };
    match verdict::judge(&answer, sender, now) {
        Verdict::Failing { retry_hint, .. } => retry_hint,
        other => panic!("429 is worth a retry: {other:?}"),
    }
}

#[test]
fn retry_after_is_understood_in_seconds_and_as_a_date_and_nothing_else_is() {
    let now = 1_795_000_000;
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let wait = |seconds| RetryHint::Wait(Duration::from_secs(seconds));
    holds(
        200,
        (any::<u64>(), " {0,2}", " {0,2}"),
        |(seconds, before, after)| {
            let text = format!("{before}{seconds}{after}");
            assert_eq!(retry_hint(&text, at(now)), wait(seconds), "{text:?}");
        },
    );
    holds(50, "[1-9][0-9]{20,40}", |text| {
        assert_eq!(retry_hint(&text, at(now)), wait(u64::MAX), "{text:?}");
    });
    // To the last second that the format has.
    holds(200, 0..253_402_300_800_u64, |date| {
        let text = httpdate::fmt_http_date(at(date));
        let expected = wait(date.saturating_sub(now));
        assert_eq!(retry_hint(&text, at(now)), expected, "{text}");
    });
    let junk = prop_oneof![
        "-[0-9]{1,20}",
        "[0-9]{1,9}\\.[0-9]",
        "[0-9]+s",
        "[^0-9]{0,20}",
        "0x[0-9]+"
    ];
    holds(200, junk, |text| {
        assert_eq!(retry_hint(&text, at(now)), RetryHint::Passing, "{text:?}");
    });
}

#[test]
fn whatever_answers_is_judged_and_printed_safely() {
    let piece = select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"error\"",
        "\"errors\"",
        "\"message\"",
        "\"detail\"",
        "\"fields\"",
        "\"values\"",
        "\"state\":\"::error::\"",
        "\"key\":\"k\"",
        "\"next\"",
        "null",
        "1e999",
        "\"hidden-t0ken\"",
        "hidden-t0ken",
        "<title>",
        "<",
        "##vso[x]",
        "\u{1b}[31m",
        "\\u001b[31m",
        "\n",
        "\r",
        "\u{9b}",
        "\u{202e}",
        "\\ud800",
    ]);
    let body = vec(
        prop_oneof![4 => piece.prop_map(str::to_owned), 1 => ".{0,4}"],
        0..20,
    );
    let status = prop_oneof![
        select(vec![200, 201, 302, 400, 401, 403, 404, 429, 503]),
        200_u16..600
    ];
    let header = "(7|-1|Sat, 21 Nov 2026 10:00:09 GMT|[^\\n]{0,20})";
    holds(300, (status, header, body), |(status, header, body)| {
        let body = body.concat();
        let text = format!(
            "{status}\nretry-after: {header}\nlocation: {header}\nx-request-id: {header}\n\n{body}"
        );
        targets::answers(text.as_bytes());
    });
}

// JUnit

#[derive(Clone, Debug)]
enum Node {
    Case(&'static str, Outcome),
    Suite(Suite),
}

#[derive(Clone, Debug)]
struct Suite {
    /// What its attributes claim, where they do.
    claims: [Option<u32>; 4],
    children: Vec<Node>,
    noise: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Passed,
    Failed,
    Broken,
    Skipped,
    SkippedByAttribute,
    FailedThenSkipped,
}

fn suites() -> impl Strategy<Value = Suite> {
    use Outcome::{Broken, Failed, FailedThenSkipped, Passed, Skipped, SkippedByAttribute};
    let outcomes = vec![
        Passed,
        Failed,
        Broken,
        Skipped,
        SkippedByAttribute,
        FailedThenSkipped,
    ];
    let case = (select(vec!["a", "b &lt;c&gt;", "größe"]), select(outcomes));
    let case = case.prop_map(|(name, outcome)| Node::Case(name, outcome));
    let noise = select(vec![
        "",
        "\n  ",
        "<!-- <testcase/> -->",
        "<system-out><![CDATA[<testcase><failure/></testcase>]]></system-out>",
        "<system-err>&amp; &#x1b; &nosuch;</system-err>",
        "<properties><property name=\"x\" value=\"1\"/></properties>",
    ]);
    let claims = || [0; 4].map(|_| proptest::option::of(0..50_u32));
    case.prop_recursive(5, 40, 6, move |inner| {
        (claims(), vec(inner, 0..6), noise.clone()).prop_map(|(claims, children, noise)| {
            Node::Suite(Suite {
                claims,
                children,
                noise,
            })
        })
    })
    .prop_map(|node| match node {
        Node::Suite(suite) => suite,
        case @ Node::Case(..) => Suite {
            claims: [None; 4],
            children: vec![case],
            noise: "",
        },
    })
}

impl Suite {
    fn write(&self, xml: &mut String, prefix: &str) {
        let _ = write!(xml, "<{prefix}testsuite name=\"s\"");
        let names = ["tests", "failures", "errors", "skipped"];
        for (name, claim) in names.iter().zip(self.claims) {
            if let Some(claim) = claim {
                let _ = write!(xml, " {name}='{claim}'");
            }
        }
        xml.push('>');
        for child in &self.children {
            xml.push_str(self.noise);
            match child {
                Node::Suite(suite) => suite.write(xml, prefix),
                Node::Case(name, outcome) => {
                    let (attributes, content) = match outcome {
                        Outcome::Passed => ("", ""),
                        Outcome::Failed => ("", "<failure message=\"x\">trace</failure>"),
                        Outcome::Broken => ("", "<error/><error/>"),
                        Outcome::Skipped => ("", "<skipped/>"),
                        Outcome::SkippedByAttribute => (" status=\"skipped\"", ""),
                        Outcome::FailedThenSkipped => ("", "<failure/><skipped/>"),
                    };
                    let _ = write!(
                        xml,
                        "<{prefix}testcase name=\"{name}\"{attributes}>{content}</{prefix}testcase>"
                    );
                }
            }
        }
        let _ = write!(xml, "{}</{prefix}testsuite>", self.noise);
    }

    /// Passed, failed, skipped.
    fn count(&self, counts: &mut [u32; 3]) {
        for child in &self.children {
            match child {
                Node::Suite(suite) => suite.count(counts),
                Node::Case(_, outcome) => {
                    counts[match outcome {
                        Outcome::Passed => 0,
                        Outcome::Failed | Outcome::Broken | Outcome::FailedThenSkipped => 1,
                        Outcome::Skipped | Outcome::SkippedByAttribute => 2,
                    }] += 1;
                }
            }
        }
    }
}

#[test]
fn what_was_put_into_a_report_of_tests_is_counted_whatever_its_suites_claim() {
    let prefixes = select(vec!["", "j:"]);
    holds(300, (vec(suites(), 1..4), prefixes), |(suites, prefix)| {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>");
        let mut expected = [0; 3];
        for suite in &suites {
            suite.write(&mut xml, prefix);
            suite.count(&mut expected);
        }
        xml.push_str("</testsuites>\n");
        // Where there are no cases, the claims are all that there is.
        if expected == [0; 3] {
            assert!(junit::parse(xml.as_bytes()).is_ok(), "{xml}");
            return;
        }
        let counted = junit::parse(xml.as_bytes());
        let counted = counted.map(|it| [it.successful, it.failed, it.skipped]);
        assert_eq!(counted, Ok(expected), "{xml}");
        let cut = &xml[..xml.len() - "</testsuites>\n".len()];
        assert!(junit::parse(cut.as_bytes()).is_err(), "{cut}");
    });
}

/// Only Unix has values that are not text.
#[cfg(unix)]
mod environments {
    use std::collections::BTreeSet;
    use std::path::Path;

    use build_status::ci::provider::{ProviderInfo, Sign};

    use super::*;
    use crate::corpus::targets::assert_printable;

    /// Every variable that any provider or option reads.
    fn variables() -> Vec<String> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(directory.join("ci/provider")).unwrap() {
            for line in read(&entry.unwrap().path()).lines() {
                let field = line
                    .trim()
                    .trim_start_matches("pub(super) ")
                    .split_once(": Option<");
                names.extend(field.map(|(name, _)| name.to_uppercase()));
            }
        }
        for file in ["bitbucket/auth.rs", "cli/variables.rs", "http/proxy.rs"] {
            for word in
                read(&directory.join(file)).split(|c: char| !c.is_ascii_uppercase() && c != '_')
            {
                let ours = [
                    "BITBUCKET_",
                    "BUILD_STATUS",
                    "BUILD_KEY",
                    "HTTPS_PROXY",
                    "NO_PROXY",
                ];
                if ours.iter().any(|start| word.starts_with(start)) {
                    names.insert(word.to_owned());
                }
            }
        }
        assert!(names.len() > 300, "{}", names.len());
        names.into_iter().collect()
    }

    /// What gives the CI away, of which some must be set for its other variables to be read.
    fn signs(info: &ProviderInfo) -> Vec<(&'static str, &'static str)> {
        let signs = info.signs.iter().filter_map(|sign| match sign {
            Sign::Set(name) => Some((*name, "1")),
            Sign::OneOf(names) => Some((names[0], "1")),
            Sign::Is(name, value) => Some((*name, *value)),
            Sign::Unset(_) => None,
        });
        signs.collect()
    }

    #[test]
    fn no_environment_makes_it_panic_or_print_a_command_or_turns_green() {
        use std::ffi::OsString;
        use std::os::unix::ffi::OsStringExt as _;

        use crate::support::build_status;

        // No variable can hold a NUL. One byte is no UTF-8, so that no value is a word for success.
        let value = vec(
            prop_oneof![8 => 1..=255_u8, 1 => select(b"/:@{}[]#".to_vec())],
            0..40,
        );
        let value = (value, any::<prop::sample::Index>()).prop_map(|(mut bytes, at)| {
            bytes.insert(at.index(bytes.len() + 1), 0xff);
            OsString::from_vec(bytes)
        });
        let pairs = vec((select(variables()), value.clone()), 0..60);
        let infos: Vec<_> = PROVIDERS.iter().map(|entry| &entry.info).collect();
        let args = select(vec![
            &["--dry-run", "-v"][..],
            &["--dry-run", "--output=json"],
            &["context"],
            &["context", "--output=json"],
        ]);
        holds(
            150,
            (select(infos), args, value, pairs),
            |(info, args, state, pairs)| {
                let mut reporter = build_status(args);
                for (name, value) in &pairs {
                    reporter = reporter.env(name, value);
                }
                if let Some(name) = info.state {
                    reporter = reporter.env(name, state);
                }
                let ran = reporter.envs(&signs(info)).run();
                let code = ran.code.unwrap_or(-1);
                assert!((0..=5).contains(&code), "{ran:#?}");
                let ran = ran.exits(code);
                assert_printable(&ran.stdout);
                assert_printable(&ran.stderr);
                assert!(!ran.stdout.contains("SUCCESSFUL"), "{ran:#?}");
            },
        );
    }
}
