use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use build_status::bitbucket::destination::Destination;
use build_status::bitbucket::{auth, locate};
use build_status::ci::context::Context;
use build_status::ci::provider::{self, PROVIDERS, ProviderInfo};
use build_status::cli::Options;
use build_status::command::context;
use build_status::command::summary::Summary;
use build_status::env::Env;
use build_status::output;
use build_status::report::{Claim, Report};
use build_status::secret::Redactor;
use build_status::status::commit::{self, DetectedCommit};
use build_status::status::product::Product;
use build_status::status::repository::Repository;
use build_status::status::state::State;
use serde_json::Value;

/// A job's environment, as `/proc/PID/environ` has it, on its way to a request.
pub fn jobs(data: &[u8]) {
    let pairs: Vec<_> = data.split(|byte| *byte == 0).filter_map(variable).collect();
    let env: Env = pairs.iter().cloned().collect();
    let redactor = auth::redactor(&env);
    // Several CIs at once are an error, of which the first may be chosen.
    let entry = match provider::find(None, &env) {
        Ok(entry) => entry,
        Err(_) => PROVIDERS.iter().find(|entry| {
            let id = Some(entry.info.id);
            env.get("BUILD_STATUS_PROVIDER") == id
        }),
    };
    let (about, context) = match entry {
        Some(entry) => match entry.context(&env) {
            Ok(context) => (Some(&entry.info), context),
            Err(error) => panic!("a value keeps {} from being read: {error}", entry.info.id),
        },
        None => (None, Context::default()),
    };
    believed(about, &context, &pairs);
    for text in [
        context::text(about, &context, &redactor),
        context::json(about, &context, &redactor),
    ] {
        printed(&text, &env);
    }
    for state in [None, Some("auto"), Some("passed"), env.get("BUILD_STATUS")] {
        report(state, about, &context, &env, &redactor);
    }
}

/// A variable, unless it may name a file: reading any is no business of a fuzzer's.
fn variable(pair: &[u8]) -> Option<(String, String)> {
    let pair = String::from_utf8_lossy(pair);
    let (name, value) = pair.split_once('=')?;
    let is_file = name.to_uppercase().contains("_FILE") || name.to_uppercase().contains("_PATH");
    (!is_file).then(|| (name.to_owned(), value.to_owned()))
}

/// Every value of a CI's variable that is green. BUILD_STATUS is Concourse's own where it runs.
const GREEN: &[(&str, &str, &[&str])] = &[
    ("appcircle", "AC_BUILD_STATUS", &["Success", "Warning"]),
    (
        "azure",
        "AGENT_JOBSTATUS",
        &["Succeeded", "SucceededWithIssues"],
    ),
    ("bamboo", "bamboo_buildFailed", &["false"]),
    ("bitbucket", "BITBUCKET_EXIT_CODE", &["0"]),
    ("bitrise", "BITRISE_BUILD_STATUS", &["0"]),
    ("buildkite", "BUILDKITE_COMMAND_EXIT_STATUS", &["0"]),
    ("codebuild", "CODEBUILD_BUILD_SUCCEEDING", &["1"]),
    ("codemagic", "CM_BUILD_STEP_STATUS", &["success"]),
    ("codemagic", "CM_TEST_STEP_STATUS", &["success"]),
    ("concourse", "BUILD_STATUS", &["success"]),
    ("drone", "DRONE_STAGE_STATUS", &["success"]),
    ("drone", "DRONE_BUILD_STATUS", &["success"]),
    ("gitlab", "CI_JOB_STATUS", &["success"]),
    ("harness", "DRONE_STAGE_STATUS", &["success", "true"]),
    ("harness", "DRONE_BUILD_STATUS", &["success", "true"]),
    ("semaphore", "SEMAPHORE_JOB_RESULT", &["passed"]),
    ("semaphore", "SEMAPHORE_PIPELINE_RESULT", &["passed"]),
    ("travis", "TRAVIS_TEST_RESULT", &["0"]),
    ("woodpecker", "CI_PIPELINE_STATUS", &["success"]),
];

fn believed(about: Option<&ProviderInfo>, context: &Context, pairs: &[(String, String)]) {
    if let DetectedCommit::Hash(hash) = &context.commit {
        assert!(commit::is_full_hash(hash) && !hash.contains(|c: char| c.is_ascii_uppercase()));
    }
    if context.state == Some(State::Successful) {
        let id = about.map_or("", |about| about.id);
        let is_good = |(name, good): (&str, &str)| {
            pairs.iter().any(|(it, value)| {
                let is_zero = good == "0" && value.parse() == Ok(0);
                it.eq_ignore_ascii_case(name) && (value == good || is_zero)
            })
        };
        let mut good = GREEN.iter().filter(|(of, ..)| *of == id);
        let is_good = good.any(|(_, name, values)| values.iter().any(|it| is_good((name, it))));
        assert!(is_good, "{id} is green");
    }
}

fn report(
    state: Option<&str>,
    about: Option<&'static ProviderInfo>,
    context: &Context,
    env: &Env,
    redactor: &Redactor,
) {
    let mut args = Options::default();
    let option = |name: &str| env.get(name).map(str::to_owned);
    args.build.key = option("BUILD_STATUS_KEY");
    args.build.name = option("BUILD_STATUS_NAME");
    args.build.url = option("BUILD_STATUS_URL");
    args.commit = option("BUILD_STATUS_COMMIT");
    args.build.refname = option("BUILD_STATUS_REFNAME");
    args.destination.repository = option("BITBUCKET_REPOSITORY");
    args.destination.workspace = option("BITBUCKET_NAMESPACE");
    args.destination.server_url = option("BITBUCKET_SERVER_URL");
    let remote = || Repository::from_url(env.get("GIT_REMOTE")?);
    let mut told = Summary {
        provider: about.map(|about| about.id),
        ..Summary::default()
    };
    let destination = locate::destination(&args, context, remote);
    let product = destination.as_ref().map(Destination::product);
    let product = product.unwrap_or(Product::Cloud);
    let limits = product.limits();
    let claim = Claim {
        options: &args,
        info: about,
        context,
        product,
    };
    let report = claim.report(state);
    if let Some(warning) = claim.key_warning() {
        printed(&output::line(&warning, redactor), env);
    }
    match (report, destination) {
        (Err(error), _) | (_, Err(error)) => {
            for line in output::error_lines(&error, redactor) {
                super::assert_one_line(&line);
                printed(&line, env);
            }
            told.error = Some(error);
        }
        (Ok(report), Ok(destination)) => {
            assert!(report.key.chars().count() <= limits.key && !report.key.is_empty());
            assert!(report.name.chars().count() <= limits.text);
            assert!(report.description.chars().count() <= limits.text);
            let asked = State::from_word(state.unwrap_or_default()).or(context.state);
            assert_eq!(Some(report.state), asked);
            let credentials = auth::read(env, &args, product).ok().flatten();
            let request = destination.request(&report);
            let request = match credentials {
                Some(credentials) => credentials.sign_dry_run(request),
                None => request,
            };
            sent(&request.url, &request.body, &report, destination.url());
            told.dry_run = Some(request);
            told.report = Some(report);
            told.destination = Some(destination);
        }
    }
    printed(&told.text(redactor), env);
    let json = told.json(redactor);
    super::assert_one_line(json.trim_end());
    assert!(serde_json::from_str::<Value>(&json).is_ok(), "{json}");
    printed(&json, env);
}

fn sent(url: &str, body: &str, report: &Report, root: &str) {
    let path = url.strip_prefix(root);
    let path = path.unwrap_or_else(|| panic!("{url:?} is not below {root:?}"));
    let goes_up = |segment: &str| segment.is_empty() || segment == "." || segment == "..";
    assert!(!path.split('/').skip(1).any(goes_up), "{url:?}");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~%".contains(c);
    assert!(path.chars().all(plain), "{url:?}");
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let fields = [
        &body["key"],
        &body["name"],
        &body["description"],
        &body["url"],
    ];
    let text = [&report.key, &report.name, &report.description, &report.url];
    assert!(
        fields
            .into_iter()
            .zip(text)
            .all(|(field, text)| field.as_str() == Some(text))
    );
    assert_eq!(
        body["state"] == "SUCCESSFUL",
        report.state == State::Successful
    );
}

fn printed(text: &str, env: &Env) {
    super::assert_printable(text);
    let Some(token) = env.get("BITBUCKET_ACCESS_TOKEN") else {
        return;
    };
    let token = token.trim();
    // One that is a word of ours cannot be told from it.
    if token.len() >= 12 && !token.contains('*') && token.starts_with("hidden") {
        assert!(!text.contains(token), "{text}");
        let encoded = BASE64_STANDARD.encode(token);
        assert!(!text.contains(encoded.trim_end_matches('=')), "{text}");
    }
}
