//! Credentials: which are used, and that nobody sees them.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use stand_in::{Answer, DEFAULT_TOKEN, DEFAULT_USER, Setup, StandIn};

use crate::support::{build_status, codebuild, gitlab};

fn file(name: &str, content: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn what_is_set_decides_how_the_token_is_sent() {
    let bitbucket = Setup::default().any_credential().start();
    let sent = |variables: &[(&str, &str)], args: &[&str]| {
        gitlab(&bitbucket, args.iter().copied())
            .without("BITBUCKET_ACCESS_TOKEN")
            .env("BUILD_KEY", bitbucket.received().len().to_string())
            .envs(variables)
            .run()
            .exits(0);
        let received = bitbucket.received();
        received
            .last()
            .unwrap()
            .header("authorization")
            .unwrap()
            .to_owned()
    };
    let mounted = file("token", "t0ken-in-file\n");
    let by_editor = file("token-by-editor", "\u{feff}t0ken-in-file\r\n");
    let token = |token| ("BITBUCKET_ACCESS_TOKEN", token);
    let user = ("BITBUCKET_USERNAME", DEFAULT_USER);
    let basic = |token| {
        format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("{DEFAULT_USER}:{token}"))
        )
    };
    assert_eq!(sent(&[token("t0ken")], &[]), "Bearer t0ken");
    assert_eq!(sent(&[token("t0ken"), user], &[]), basic("t0ken"));
    for password in ["{pa:ss", "{\"password"] {
        assert_eq!(sent(&[token(password), user], &[]), basic(password));
    }
    assert_eq!(
        sent(&[token("ATATT3xFfGF0=12AB34CD"), user], &[]),
        basic("ATATT3xFfGF0=12AB34CD")
    );
    assert_eq!(
        sent(&[token("ATCTT3xFfGN0"), user], &[]),
        "Bearer ATCTT3xFfGN0"
    );
    assert_eq!(sent(&[token("BBDC-abc"), user], &[]), "Bearer BBDC-abc");
    assert_eq!(
        sent(&[token("t0ken"), user], &["--auth", "bearer"]),
        "Bearer t0ken"
    );
    assert_eq!(
        sent(&[token("ATCTT3xFfGN0"), user], &["--auth", "basic"]),
        basic("ATCTT3xFfGN0")
    );
    let mounted = ("BITBUCKET_ACCESS_TOKEN_FILE", mounted.to_str().unwrap());
    assert_eq!(sent(&[mounted], &[]), "Bearer t0ken-in-file");
    assert_eq!(sent(&[mounted, user], &[]), basic("t0ken-in-file"));
    assert_eq!(sent(&[mounted, token("t0ken")], &[]), "Bearer t0ken");
    let by_editor = ("BITBUCKET_ACCESS_TOKEN_FILE", by_editor.to_str().unwrap());
    assert_eq!(sent(&[by_editor], &[]), "Bearer t0ken-in-file");
}

#[test]
fn what_a_log_shows_in_place_of_a_token_is_none() {
    let bitbucket = StandIn::start();
    for (token, problem) in [
        ("[MASKED]", "MASKED in brackets"),
        ("***", "asterisks only"),
    ] {
        gitlab(&bitbucket, [])
            .env("BITBUCKET_ACCESS_TOKEN", token)
            .run()
            .exits(2)
            .says(problem)
            .says("copy the token from where it was made");
    }
    assert_eq!(bitbucket.received().len(), 0);
}

#[test]
fn a_token_that_cannot_be_one_is_refused_with_the_variable_and_the_remedy() {
    let bitbucket = StandIn::start();
    // GitLab names the file of a variable as the variable.
    let mounted = file("BITBUCKET_ACCESS_TOKEN", "t0ken");
    let mounted = mounted.to_str().unwrap();
    // On Windows, paths may be without a drive.
    let root = Path::new(mounted).ancestors().last().unwrap();
    let rooted = format!("/{}", &mounted[root.as_os_str().len()..]);
    for (token, parts) in [
        ("$BITBUCKET_TOKEN", ["literal reference", "protected"]),
        ("${BITBUCKET_TOKEN}", ["literal reference", "protected"]),
        ("ATBBxyz123456789", ["2026-07-28", "access token"]),
        (
            "two words",
            ["contains white space", "put only the token in it"],
        ),
        ("t\u{f6}ken", ["non-ASCII", "put only the token in it"]),
        ("line\nbreak", ["line break", "put only the token in it"]),
        (" \n", ["it is empty", "put the token"]),
        (
            "caf\u{fffd}",
            ["not valid UTF-8", "put only the token in it"],
        ),
        (
            &"t0ken".repeat(1000),
            ["it has 5000 bytes", "put only the token in it"],
        ),
        (mounted, ["path of a file", "BITBUCKET_ACCESS_TOKEN_FILE"]),
        (&rooted, ["path of a file", "BITBUCKET_ACCESS_TOKEN_FILE"]),
        // Outside of the container, or relative.
        (
            "/builds/acme/shop.tmp/BB_TOKEN",
            ["path of a file", "type Variable"],
        ),
        (
            "builds/shop.tmp/BITBUCKET_ACCESS_TOKEN",
            ["path of a file", "type Variable"],
        ),
        (
            r#"{"token": "t0ken"}"#,
            ["a whole JSON object", "SECRET:KEY"],
        ),
        (
            r#"{"BITBUCKET_ACCESS_TOKEN": "t0ken"}"#,
            ["a whole JSON object", "SECRET:KEY"],
        ),
        (
            r#"{"BITBUCKET_ACCESS_TOKEN":"t0ken""#,
            ["begins like JSON, and is not valid", "put only the token"],
        ),
        (
            "{'BITBUCKET_ACCESS_TOKEN':'t0ken'}",
            ["begins like JSON, and is not valid", "put only the token"],
        ),
        (
            "{\u{201c}token\u{201d}: \u{201c}t0ken\u{201d}}",
            ["begins like JSON, and is not valid", "double quotes"],
        ),
        (
            "\u{feff}{\n\"token\": \"t0ken\"}",
            ["begins like JSON, and is not valid", "byte order mark"],
        ),
        (
            "BITBUCKET_ACCESS_TOKEN=t0ken",
            ["holds the name of the variable too", "put only the token"],
        ),
        (
            "{BITBUCKET_ACCESS_TOKEN:t0ken}",
            ["holds the name of the variable too", "put only the token"],
        ),
        (r#""t0ken""#, ["it is in quotes", "leave out the quotes"]),
    ] {
        let ran = gitlab(&bitbucket, [])
            .env("BITBUCKET_ACCESS_TOKEN", token)
            .run()
            .exits(2);
        let ran = ran.says("BITBUCKET_ACCESS_TOKEN: ");
        parts.iter().fold(ran, |ran, part| ran.says(part));
    }
    let without = || gitlab(&bitbucket, []).without("BITBUCKET_ACCESS_TOKEN");
    without()
        .run()
        .exits(2)
        .says("no credentials: set BITBUCKET_ACCESS_TOKEN")
        .says("protected");
    let file_variable = "BITBUCKET_ACCESS_TOKEN_FILE";
    // Not the path: it may be the secret itself, in a variable of another type.
    let ran = without().env(file_variable, "hunter2").run().exits(1);
    let ran = ran.says("BITBUCKET_ACCESS_TOKEN_FILE: cannot read the file that it names");
    assert!(!ran.stderr.contains("hunter2"));
    without()
        .env(file_variable, file("empty", "\n"))
        .run()
        .exits(2)
        .says("it is empty");
    for user in ["$USER_NAME", "a:b", "a\nb"] {
        gitlab(&bitbucket, [])
            .env("BITBUCKET_USERNAME", user)
            .run()
            .exits(2)
            .says("BITBUCKET_USERNAME: ");
    }
    assert_eq!(bitbucket.received().len(), 0);
}

/// As `credentials('id')` of Jenkins sets it for a credential of that kind.
#[test]
fn a_user_name_and_password_that_jenkins_binds_as_one_is_refused() {
    let bitbucket = StandIn::start();
    let bound = |token: &str| {
        gitlab(&bitbucket, [])
            .env("BITBUCKET_ACCESS_TOKEN", token)
            .env("BITBUCKET_ACCESS_TOKEN_USR", "me")
            .env("BITBUCKET_ACCESS_TOKEN_PSW", "stand-in-token")
            .run()
    };
    let ran = bound("me:stand-in-token").exits(2);
    ran.says("BITBUCKET_ACCESS_TOKEN: it is a user name and a password")
        .says("Secret text");
    assert_eq!(bitbucket.received(), []);
    bound(DEFAULT_TOKEN).exits(0);
}

/// Whatever Bitbucket, a proxy or a login page says back.
#[test]
fn no_secret_is_printed_at_any_verbosity_whatever_answers() {
    let pair = BASE64_STANDARD.encode(format!("{DEFAULT_USER}:{DEFAULT_TOKEN}"));
    let echo = format!("you sent {DEFAULT_TOKEN} as {pair} or {DEFAULT_USER}:{DEFAULT_TOKEN}");
    let answers = [
        Answer::text(400, &echo),
        Answer::text(503, &echo),
        Answer::json(
            401,
            &serde_json::json!({"error": {"message": echo}}).to_string(),
        ),
        Answer::redirect(
            302,
            &format!("https://sso.example.com/?t={DEFAULT_TOKEN}&b={pair}"),
        ),
        Answer::html(200, &echo),
        Answer::json(201, "{}"),
        Answer::status(404).with_header("X-Request-Id", DEFAULT_TOKEN),
    ];
    for answer in answers {
        for args in [
            &["-v"][..],
            &["-v", "--output", "json"],
            &["-v", "--dry-run"],
        ] {
            for user in ["", DEFAULT_USER] {
                let bitbucket = StandIn::start();
                bitbucket.always(Some(answer.clone()));
                let ran = gitlab(&bitbucket, args.iter().copied())
                    .env("BITBUCKET_USERNAME", user)
                    // even if it is in places where it never should be
                    .env("CI_JOB_NAME", format!("job {DEFAULT_TOKEN}"))
                    .env("BUILD_STATUS_TIMEOUT", "0.3")
                    .run();
                let all = format!("{}{}", ran.stdout, ran.stderr);
                for secret in [DEFAULT_TOKEN, pair.trim_end_matches('=')] {
                    assert!(!all.contains(secret), "{all}");
                }
            }
        }
    }
}

/// As a page, a header, a link or a log may repeat it.
#[test]
fn no_secret_is_printed_in_another_encoding_either() {
    const TOKEN: &str = "first/half=second+half";
    type Encode = fn(char) -> String;
    let encodings: [Encode; 8] = [
        |c| format!("%{:02X}", u32::from(c)),
        |c| format!("%{:02x}", u32::from(c)),
        |c| format!("&#{};", u32::from(c)),
        |c| format!("&#x{:x};", u32::from(c)),
        |c| format!("&#X{:02X};", u32::from(c)),
        |c| format!("&#{:04};", u32::from(c)),
        |c| format!("\\u{:04x}", u32::from(c)),
        |c| format!("\\u{:04X}", u32::from(c)),
    ];
    let bitbucket = StandIn::start();
    for encode in encodings {
        let signs = |c: char| {
            if c.is_alphanumeric() {
                c.into()
            } else {
                encode(c)
            }
        };
        let some: String = TOKEN.chars().map(signs).collect();
        let one = TOKEN.replace('=', &encode('='));
        let all: String = TOKEN.chars().map(encode).collect();
        for form in [some, one, all] {
            for answer in [
                Answer::text(400, &form),
                Answer::text(503, &form),
                Answer::html(400, &format!("<html><title>{form}</title>")),
                Answer::json(
                    400,
                    &serde_json::json!({"error": {"message": form}}).to_string(),
                ),
                Answer::json(
                    400,
                    &serde_json::json!({"errors": [{"message": form}]}).to_string(),
                ),
                Answer::json(201, &serde_json::json!({"state": form}).to_string()),
                Answer::redirect(302, &format!("https://sso.example.com/?t={form}")),
                Answer::status(404).with_header("X-Request-Id", &form),
            ] {
                bitbucket.always(Some(answer));
                let ran = gitlab(&bitbucket, ["-v", "--timeout=0.3"])
                    .env("BITBUCKET_ACCESS_TOKEN", TOKEN)
                    .run();
                let printed = ran.stdout.clone() + &ran.stderr;
                assert!(printed.contains("***"), "{form} {ran:#?}");
                for part in ["first", "half", "second", &form] {
                    assert!(!printed.contains(part), "{form} {ran:#?}");
                }
            }
        }
    }
}

#[test]
fn a_token_typed_as_an_option_or_state_is_not_repeated() {
    for args in [
        ["--token", DEFAULT_TOKEN],
        ["passed", DEFAULT_TOKEN],
        ["--key=k", DEFAULT_TOKEN],
    ] {
        build_status(args)
            .env("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN)
            .run()
            .exits(2);
    }
    build_status(["context"])
        .env("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN)
        .env("GITLAB_CI", "true")
        .env("CI_JOB_NAME", DEFAULT_TOKEN)
        .run()
        .exits(0);
}

/// Whatever a URL with a password is taken for.
#[test]
fn a_password_in_a_url_is_not_printed() {
    let bitbucket = StandIn::start();
    for url in [
        "https://me:hiddenpw@bitbucket.org/ws/repo.git",
        "https://me:hid/denpw@bitbucket.org/ws/repo.git",
        "https://me:hid#denpw@git.example.com/scm/proj/repo.git",
        "https://me:hidden:denpw@github.com/ws/repo.git",
        "ssh://me:hiddenpw@git.example.com:7999/proj/repo.git",
        "me:hiddenpw@github.com:ws/repo.git",
        "me:hiddenpw@bitbucket.org/ws/repo.git",
    ] {
        for variable in [
            "BITBUCKET_API_ROOT",
            "BITBUCKET_NAMESPACE",
            "BITBUCKET_OAUTH_URL",
            "BITBUCKET_REPOSITORY",
            "BITBUCKET_SERVER_URL",
            "BUILD_STATUS_URL",
            "CODEBUILD_PUBLIC_BUILD_URL",
            "CODEBUILD_SOURCE_REPO_URL",
        ] {
            for args in [
                &["--dry-run", "-v"][..],
                &["--dry-run", "--output=json"],
                &["context"],
                &["context", "--output=json"],
                &["check", "-v"],
                &["show"],
            ] {
                let ran = codebuild(&bitbucket, args.iter().copied())
                    .without(if variable == "BITBUCKET_SERVER_URL" {
                        "BITBUCKET_API_ROOT"
                    } else {
                        "X"
                    })
                    .env("BUILD_STATUS_TIMEOUT", "0.2")
                    .env("HTTPS_PROXY", "http://127.0.0.1:1")
                    .env(variable, url)
                    .run();
                let all = format!("{}{}", ran.stdout, ran.stderr);
                for part in ["hid", "denpw"] {
                    assert!(!all.contains(part), "{variable}={url}: {all}");
                }
            }
        }
    }
}

#[test]
fn a_proxys_password_is_not_printed() {
    let bitbucket = Setup::default().tls().start();
    let proxy = "http://me:pr0xyPassw0rd@127.0.0.1:1";
    let ran = gitlab(&bitbucket, ["-v", "--timeout", "0.5"])
        .env("https_proxy", proxy)
        .run()
        .exits(5);
    assert!(!format!("{ran:?}").contains("pr0xyPassw0rd"), "{ran:?}");
}

#[test]
fn what_is_sent_unencrypted_to_this_machine_goes_through_no_proxy() {
    let bitbucket = StandIn::start();
    for variable in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        let proxy = StandIn::start();
        gitlab(&bitbucket, [])
            .env(variable, proxy.url())
            .run()
            .exits(0);
        assert_eq!(proxy.connections(), 0, "{variable}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_command_line_of_the_process_shows_no_secret() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::Late(std::time::Duration::from_millis(400))]);
    let mut reporter = gitlab(&bitbucket, ["passed"]);
    let mut child = reporter
        .command()
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(150));
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(
        line.contains("passed") && !line.contains(DEFAULT_TOKEN),
        "{line}"
    );
}

#[test]
fn a_token_at_the_place_where_a_long_answer_is_left_is_not_printed_in_part() {
    let bitbucket = StandIn::start();
    let half = DEFAULT_TOKEN.len() / 2;
    let body = "\n".repeat(64 * 1024 - half) + DEFAULT_TOKEN + " again";
    bitbucket.will([Answer::text(403, &body)]);
    let ran = gitlab(&bitbucket, ["-v"]).run().exits(4);
    let printed = ran.stdout.clone() + &ran.stderr;
    assert!(!printed.contains(&DEFAULT_TOKEN[..half]), "{ran:#?}");
}
