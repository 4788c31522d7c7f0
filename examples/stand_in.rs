//! A stand-in for Bitbucket, left running for trying the binary by hand, and for rehearsing what goes
//! wrong.
//!
//! ```sh
//! cargo run --example stand_in -- --port 7990
//! BITBUCKET_API_ROOT=http://127.0.0.1:7990/2.0 BITBUCKET_ACCESS_TOKEN=x build_status passed …
//! ```
//!
//! It takes any repository, commit and credential, refuses what Bitbucket Cloud refuses of the rest,
//! prints each status as it arrives, and shows what it stores on a page at `/`. With `--data-center`
//! it is a Data Center too; `--help` lists what else it can be told. With `--gitlab`, there is a
//! GitLab too, on the next port, in whose project 42 pipeline 1000 has ended with a failure and a job
//! that was cancelled, for `build_status sync`. The token of its job is `x`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser as _, value_parser};
use stand_in::gitlab::{self, DEFAULT_PROJECT_ID, Job, Pipeline, Token};
use stand_in::{Answer, Credential, GitLab, Setup, StandIn};

/// A stand-in for Bitbucket on 127.0.0.1
///
/// It takes any repository, commit and credential, unless told otherwise, keeps Bitbucket's rules for
/// build statuses, prints each status as it arrives, and shows what it stores on a page at `/`.
#[derive(clap::Parser)]
struct Args {
    /// The port; 0 takes one that is free
    #[arg(long, default_value_t = 7990)]
    port: u16,
    /// Speak TLS, and write the CA's certificate to DIR/ca.pem
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// Be a Data Center of this version too [default version: 9.4]
    #[arg(long, value_name = "VERSION", num_args = 0..=1, default_missing_value = "9.4", value_parser = version)]
    data_center: Option<String>,
    /// Put the Data Center below this path, such as /bitbucket
    #[arg(long, value_name = "PATH", requires = "data_center", value_parser = context_path)]
    context_path: Option<String>,
    /// Start a GitLab too, on the next port: project 42, pipeline 1000, job token x
    #[arg(long)]
    gitlab: bool,
    #[command(flatten)]
    refusals: Refusals,
}

#[derive(clap::Args)]
#[command(next_help_heading = "What to refuse")]
struct Refusals {
    /// Know this token only; any other is wrong
    #[arg(long)]
    token: Option<String>,
    /// Know the token only beside this user, as Basic: an API token's email, or a Data Center's user
    #[arg(long, value_name = "USER", requires = "token")]
    username: Option<String>,
    /// What the token may do, separated by commas [default: repository,REPO_READ]
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', requires = "token")]
    scopes: Option<Vec<String>>,
    /// Know this repository only; repeatable
    #[arg(long, value_name = "WORKSPACE/REPO", value_parser = owner_and_name)]
    repository: Vec<(String, String)>,
    /// Know this commit only; repeatable
    #[arg(long, value_name = "SHA", value_parser = hash)]
    commit: Vec<String>,
    /// Serve each credential so many requests: on Cloud in an hour, on Data Center at once, and 5 a
    /// second more
    #[arg(long, value_name = "REQUESTS", verbatim_doc_comment, value_parser = value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Cloud's limit counts the requests of so many seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 3600,
        requires = "limit"
    )]
    limit_window: u64,
    /// Have an outage
    #[arg(long, value_enum, value_name = "KIND")]
    outage: Option<Outage>,
    /// End the outage after so many requests [default: it does not end]
    #[arg(long, value_name = "REQUESTS", requires = "outage")]
    outage_requests: Option<usize>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Outage {
    /// 503, as JSON
    Unavailable,
    /// 502 with a proxy's page
    Gateway,
    /// 200 with a login page, as a proxy or single sign-on says
    Login,
    /// 302 to another host
    Redirect,
    /// 429, whatever the credential has asked before
    Limit,
    /// Answers that take 20 seconds
    Slow,
    /// No answer at all
    Silence,
    /// Connections that close before the answer
    Reset,
    /// Statuses that are stored, but the answer is lost
    Lost,
}

impl Outage {
    fn answer(self, on_data_center: bool) -> Answer {
        let page = |text: &str| format!("<!DOCTYPE html><html><body><h1>{text}</h1></body></html>");
        match self {
            Self::Unavailable => Answer::json(
                503,
                r#"{"type": "error", "error": {"message": "Service unavailable"}}"#,
            ),
            Self::Gateway => Answer::html(502, &page("502 Bad Gateway")),
            Self::Login => Answer::html(200, &page("Log in")),
            Self::Redirect => Answer::redirect(302, "https://login.example.com/"),
            Self::Limit if on_data_center => Answer::status(429).with_header("retry-after", "1"),
            Self::Limit => Answer::rate_limited(),
            Self::Slow => Answer::Late(Duration::from_secs(20)),
            Self::Silence => Answer::Silence,
            Self::Reset => Answer::Reset,
            Self::Lost => Answer::LostReply,
        }
    }
}

fn version(text: &str) -> Result<String, &'static str> {
    let numbers: Vec<_> = text.split('.').map(str::parse::<u32>).collect();
    let is_one = (2..=3).contains(&numbers.len()) && numbers.iter().all(Result::is_ok);
    (is_one.then(|| text.to_owned())).ok_or("not a version such as 9.4 or 9.4.1")
}

fn context_path(text: &str) -> Result<String, &'static str> {
    let is_one = text.starts_with('/') && !text.ends_with('/');
    (is_one.then(|| text.to_owned())).ok_or("not a path such as /bitbucket")
}

fn owner_and_name(text: &str) -> Result<(String, String), &'static str> {
    let parts = text.split_once('/').filter(|(_, name)| !name.contains('/'));
    let (owner, name) = parts.ok_or("not WORKSPACE/REPO")?;
    Ok((owner.to_owned(), name.to_owned()))
}

fn hash(text: &str) -> Result<String, &'static str> {
    let is_one = (7..=64).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_hexdigit());
    (is_one.then(|| text.to_owned())).ok_or("not 7 to 64 hexadecimal digits")
}

/// Bitbucket, before it starts.
fn setup(args: &Args) -> Setup {
    let refusals = &args.refusals;
    let mut setup = Setup::default().no_defaults().web_page().port(args.port);
    if args.tls.is_some() {
        setup = setup.tls();
    }
    if let Some(version) = &args.data_center {
        setup = setup.data_center(version);
    }
    if let Some(path) = &args.context_path {
        setup = setup.context_path(path);
    }
    setup = match (&refusals.token, &refusals.username) {
        (None, _) => setup.any_credential(),
        (Some(token), username) => {
            let known = match username {
                Some(user) => Credential::basic(user, token),
                None => Credential::bearer(token),
            };
            setup.credential(match &refusals.scopes {
                Some(scopes) => known.with_scopes(scopes.iter().filter(|it| !it.is_empty())),
                None => known,
            })
        }
    };
    setup = match refusals.repository[..] {
        [] => setup.any_repository(),
        _ => (refusals.repository.iter()).fold(setup, |setup, (owner, name)| {
            setup.repository(owner, name).project(owner, name)
        }),
    };
    setup = match refusals.commit[..] {
        [] => setup.any_commit(),
        _ => (refusals.commit.iter()).fold(setup, |setup, sha| setup.commit(sha)),
    };
    match refusals.limit {
        Some(limit) if args.data_center.is_some() => setup.token_bucket(limit, 5),
        Some(limit) => setup.hourly_limit(limit, Duration::from_secs(refusals.limit_window)),
        None => setup,
    }
}

fn have_outage(bitbucket: &StandIn, args: &Args) {
    let answer = |outage: Outage| outage.answer(args.data_center.is_some());
    let answer = args.refusals.outage.map(answer);
    match (answer, args.refusals.outage_requests) {
        (Some(answer), Some(requests)) => bitbucket.will(vec![answer; requests]),
        (answer, _) => bitbucket.always(answer),
    }
}

/// A pipeline that has ended.
fn gitlab(port: u16) -> GitLab {
    let jobs = [
        Job::new("build-status-running", "success").stage(".pre"), // of the template
        Job::new("compile", "success"),
        Job::failed("integration", "runner_system_failure"),
        Job::new("lint", "canceled").with(|job| job.started = false),
    ];
    let pipeline = jobs.into_iter().fold(Pipeline::new(1000), Pipeline::job);
    gitlab::Setup::default()
        .port(port)
        .external_url("https://gitlab.example.com")
        .token(Token::job("x", DEFAULT_PROJECT_ID))
        .pipeline(pipeline)
        .start()
}

#[expect(clippy::print_stdout, reason = "it is there to print")]
fn main() {
    let args = Args::parse();
    let bitbucket = setup(&args).start();
    have_outage(&bitbucket, &args);
    if let (Some(dir), Some(pem)) = (&args.tls, bitbucket.ca_pem()) {
        std::fs::create_dir_all(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        let path = dir.join("ca.pem");
        std::fs::write(&path, pem)
            .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
    }
    println!("listening on {}", bitbucket.url());
    if args.data_center.is_some() {
        println!("Data Center's base URL is {}", bitbucket.server_url());
    }
    let next = match args.port {
        0 => 0,
        port => port.saturating_add(1),
    };
    let gitlab = args.gitlab.then(|| gitlab(next));
    if let Some(gitlab) = &gitlab {
        println!("GitLab's API is {}", gitlab.api_root());
    }
    bitbucket.on_status(|status| {
        let commit: String = status.commit.chars().take(12).collect();
        let place = match status.workspace.as_str() {
            "" => String::new(), // Data Center's old endpoint knows commits only
            workspace => format!("{workspace}/{}", status.repository),
        };
        println!("{} {} {place}@{commit}", status.state, status.key);
    });
    bitbucket.wait();
}
