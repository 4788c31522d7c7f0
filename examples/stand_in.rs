//! A stand-in for Bitbucket Cloud, left running for trying the binary by hand.
//!
//! ```sh
//! cargo run --example stand_in -- --port 7990
//! BITBUCKET_API_ROOT=http://127.0.0.1:7990/2.0 BITBUCKET_ACCESS_TOKEN=x build_status passed …
//! ```
//!
//! It takes any repository, commit and credential, refuses what Bitbucket Cloud refuses of the rest,
//! and prints each status as it arrives. With `--gitlab`, there is a GitLab too, on the next port, in
//! whose project 42 pipeline 1000 has ended with a failure and a job that was cancelled, for
//! `build_status sync`. The token of its job is `x`.

use std::path::PathBuf;

use clap::Parser as _;
use stand_in::gitlab::{self, DEFAULT_PROJECT_ID, Job, Pipeline, Token};
use stand_in::{GitLab, Setup};

#[derive(clap::Parser)]
struct Args {
    /// The port of Bitbucket on 127.0.0.1; 0 takes one that is free
    #[arg(long, default_value_t = 7990)]
    port: u16,
    /// Speak TLS, and write the CA's certificate to DIR/ca.pem
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// Start a GitLab too, on the next port: project 42, pipeline 1000, job token x
    #[arg(long)]
    gitlab: bool,
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
    let mut setup = Setup::default()
        .any_repository()
        .any_commit()
        .any_credential()
        .port(args.port);
    if args.tls.is_some() {
        setup = setup.tls();
    }
    let bitbucket = setup.start();
    if let (Some(dir), Some(pem)) = (&args.tls, bitbucket.ca_pem()) {
        let path = dir.join("ca.pem");
        std::fs::write(&path, pem)
            .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
    }
    println!("listening on {}", bitbucket.url());
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
        let (workspace, repository) = (&status.workspace, &status.repository);
        println!(
            "{} {} {workspace}/{repository}@{commit}",
            status.state, status.key
        );
    });
    bitbucket.wait();
}
