use std::fs;
use std::path::Path;

use build_status::ci::provider;
use build_status::cli::{NetworkArgs, Origins};
use build_status::command::context as command;
use build_status::env::Env;
use build_status::http::client::Client;
use build_status::output;
use build_status::secret::Redactor;
use build_status::status::commit::DetectedCommit;

/// Files: the first line says which kind, the rest is what it holds.
pub fn files(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    let Some(end) = end else { return };
    let (kind, content) = (&data[..end], &data[end + 1..]);
    match kind {
        b"pem" => with_file("pem", content, pem),
        b"event" if !has(content, MERGE) => with_file("event", content, event),
        // That names a further file, and reading any is no business of a fuzzer's.
        b"properties" if !has(content, "configuration.properties") => {
            with_file("properties", content, properties);
        }
        _ => {}
    }
}

fn has(content: &[u8], word: &str) -> bool {
    content.windows(word.len()).any(|it| it == word.as_bytes())
}

fn with_file(name: &str, content: &[u8], read: fn(&str)) {
    let name = format!("build_status_fuzz.{}.{name}", std::process::id());
    let directory = Path::new("/dev/shm");
    let path = if directory.is_dir() {
        directory.join(name)
    } else {
        std::env::temp_dir().join(name)
    };
    fs::write(&path, content).expect("a temporary file can be written");
    read(&path.to_string_lossy());
    // Left behind after a finding, and written anew each time.
    let _ = fs::remove_file(&path);
}

fn pem(path: &str) {
    let path = Some(path.to_owned());
    let origins = Origins::default();
    let ca = NetworkArgs {
        ca_file: path.clone(),
        ..NetworkArgs::default()
    };
    let pair = NetworkArgs {
        client_cert: path,
        ..NetworkArgs::default()
    };
    for args in [ca, pair] {
        let client = Client::new(&args, &origins, "https://localhost", &Env::default());
        if let Err(error) = client {
            for line in output::error_lines(&error, &Redactor::default()) {
                super::assert_one_line(&line);
                assert!(!line.contains("PRIVATE"), "{line}");
            }
        }
    }
}

const MERGE: &str = "4d1f984514d1f984514d1f984514d1f984514d1f";

fn event(path: &str) {
    let pairs = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_PATH", path),
        ("GITHUB_HEAD_REF", "feature"),
        ("GITHUB_SHA", MERGE),
    ];
    let context = context("github", &Env::from_iter(pairs));
    // The head of a pull request, or nothing: never its merge commit.
    assert_ne!(context, DetectedCommit::Hash(MERGE.into()));
}

fn properties(path: &str) {
    let pairs = [
        ("TEAMCITY_VERSION", "2025.07"),
        ("TEAMCITY_BUILD_PROPERTIES_FILE", path),
        ("BUILD_VCS_NUMBER", MERGE),
    ];
    let context = context("teamcity", &Env::from_iter(pairs));
    assert_eq!(context, DetectedCommit::Hash(MERGE.into()));
}

fn context(id: &str, env: &Env) -> DetectedCommit {
    let found = provider::find(Some(id), env);
    let entry = found.expect("it is known").expect("it is known");
    let context = entry
        .context(env)
        .expect("no file keeps it from being read");
    assert_eq!(context.state, None);
    let redactor = Redactor::default();
    let text = command::text(Some(&entry.info), &context, &redactor);
    super::assert_printable(&text);
    let json = command::json(Some(&entry.info), &context, &redactor);
    super::assert_one_line(json.trim_end());
    context.commit
}
