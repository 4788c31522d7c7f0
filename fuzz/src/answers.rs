use std::time::{Duration, SystemTime};

use build_status::bitbucket::credentials::Credentials;
use build_status::bitbucket::hint::Sender;
use build_status::bitbucket::{auth, data_center, statuses, verdict};
use build_status::command::show;
use build_status::command::summary::Summary;
use build_status::error;
use build_status::http::response::Response;
use build_status::http::retry::{Next, Policy, RetryHint, Tried};
use build_status::http::session::Verdict;
use build_status::output;
use build_status::secret::{Redactor, Secret};
use build_status::status::product::Product;
use build_status::status::state::State;

/// What Bitbucket, or somebody in its place, answers: a status, headers, an empty line, a body.
pub fn answers(data: &[u8]) {
    let end = data.windows(2).position(|it| it == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let status = head
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok());
    let header = |name: &str| {
        let mut pairs = head.lines().filter_map(|line| line.split_once(": "));
        let found = pairs.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned())
    };
    let mut secrets = Redactor::default();
    secrets.add(TOKEN);
    let names = ["content-type", "location", "retry-after", "x-request-id"];
    let headers = names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), header(name)?)));
    let answer = Response {
        status: status.unwrap_or(200),
        headers: headers.collect(),
        body: body.to_vec(),
        secrets: secrets.clone(),
    };
    // Whoever knows a part of it already may say it.
    let raw = String::from_utf8_lossy(data).replace(TOKEN, "");
    judge(&answer, &secrets, raw.contains(PART));
    parsers(&answer);
    pages(&answer.body, &secrets);
}

const TOKEN: &str = "hidden-t0ken";
const PART: &str = "hidden-";

fn judge(answer: &Response, secrets: &Redactor, part_is_said: bool) {
    let credentials = Credentials::Bearer {
        token: Secret::new(TOKEN),
    };
    for product in [Product::Cloud, Product::DataCenter] {
        let asker = Sender {
            credentials: Some(&credentials),
            product,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let verdict = verdict::judge(answer, asker, now);
        let is_json = serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok();
        let stored = matches!(answer.status, 200 | 201 | 202 | 204);
        if verdict == Verdict::Accepted {
            let first = answer.body.trim_ascii().first();
            assert!(stored && first.is_none_or(|byte| *byte != b'<'));
        } else {
            let is_error = ["error", "errors", "type"]
                .iter()
                .any(|it| String::from_utf8_lossy(&answer.body).contains(it));
            let is_object = answer.body.trim_ascii().first() == Some(&b'{');
            let escaped = answer.body.contains(&b'\\');
            assert!(
                !stored || !is_json || !is_object || is_error || escaped,
                "an object is Bitbucket's"
            );
        }
        match &verdict {
            Verdict::Accepted => {}
            Verdict::Refused(refused) => said(refused, secrets, part_is_said),
            Verdict::Failing { error, retry_hint } => {
                said(error, secrets, part_is_said);
                wait(*retry_hint, answer.header("retry-after"));
            }
        }
    }
}

fn said(error: &error::Error, secrets: &Redactor, part_is_said: bool) {
    assert!(matches!(error.exit_code(), 4 | 5));
    for line in output::error_lines(error, secrets) {
        super::assert_one_line(&line);
        // Not even the beginning of one that was cut.
        assert!(part_is_said || !line.contains(PART), "{line}");
    }
    let told = Summary {
        error: Some(error.clone()),
        ..Summary::default()
    };
    let json = told.json(secrets);
    super::assert_one_line(json.trim_end());
    let value: Result<serde_json::Value, _> = serde_json::from_str(&json);
    let message = value
        .ok()
        .and_then(|it| it["error"]["message"].as_str().map(str::to_owned));
    assert_eq!(message, Some(secrets.redact(&error.to_string())));
}

fn wait(setback: RetryHint, retry_after: Option<&str>) {
    let text = retry_after.unwrap_or_default().trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let RetryHint::Wait(wait) | RetryHint::Away(wait) = setback {
        assert!(!text.is_empty());
        if is_number {
            assert_eq!(wait.as_secs(), text.parse().unwrap_or(u64::MAX));
        }
    }
    let timeout = Duration::from_secs(30);
    for (attempts, elapsed, took) in [(1, 0, 0), (9, 29, 1), (u32::MAX, 30, 20), (2, u64::MAX, 9)] {
        let elapsed = Duration::from_secs(elapsed);
        let tried = Tried {
            attempts,
            elapsed,
            took: Duration::from_secs(took),
        };
        let next = Policy::new(State::Failed, timeout).next(tried, setback, 1.0);
        if let Next::TryAfter(pause) = next {
            assert!(elapsed + pause <= timeout, "{setback:?} {pause:?}");
        }
    }
}

fn parsers(answer: &Response) {
    if let Some(Credentials::Issued { token }) = auth::issued(&answer.body) {
        let token = token.expose();
        assert!(!token.is_empty() && !token.contains(char::is_control));
    }
    if let Some(version) = data_center::version(&answer.body) {
        data_center::is_legacy(&version);
    }
    let named = answer
        .body
        .windows(15)
        .any(|word| word == b"cancelledStatus");
    let escaped = answer.body.contains(&b'\\');
    assert!(named || escaped || !data_center::knows_cancelled(&answer.body));
    let _ = verdict::user_name(answer);
}

fn pages(body: &[u8], secrets: &Redactor) {
    let cloud = statuses::of_cloud(body).map(|(shown, _)| shown);
    let data_center = statuses::of_data_center(body).map(|(shown, _)| shown);
    for shown in [cloud, data_center].into_iter().flatten() {
        let text = show::text(&shown, secrets);
        assert_eq!(text.lines().count(), shown.len());
        text.lines().for_each(super::assert_one_line);
        assert!(!text.contains(TOKEN));
        let json = output::printable_json(&shown, secrets);
        super::assert_one_line(json.trim_end());
        let back: Result<Vec<serde_json::Value>, _> = serde_json::from_str(&json);
        assert_eq!(back.map(|it| it.len()).ok(), Some(shown.len()));
    }
}
