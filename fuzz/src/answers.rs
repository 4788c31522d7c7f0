use std::time::{Duration, SystemTime};

use build_status::answer::{Answer, Verdict};
use build_status::auth::{self, Credentials};
use build_status::destination::{self, Product};
use build_status::hint::Asker;
use build_status::output::{self, Told};
use build_status::retry::{Next, Policy, Setback, Tried};
use build_status::secret::{Redactor, Secret};
use build_status::show::{self, page};
use build_status::state::State;
use build_status::{error, scopes};

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
    let mut answer = Answer {
        status: status.unwrap_or(200),
        content_type: header("content-type"),
        location: header("location"),
        retry_after: header("retry-after"),
        request_id: header("x-request-id"),
        body: body.to_vec(),
        ..Answer::default()
    };
    answer.keeping(&secrets);
    // Whoever knows a part of it already may say it.
    let raw = String::from_utf8_lossy(data).replace(TOKEN, "");
    judge(&answer, &secrets, raw.contains(PART));
    parsers(&answer, header("x-oauth-scopes"));
    pages(&answer.body, &secrets);
}

const TOKEN: &str = "hidden-t0ken";
const PART: &str = "hidden-";

fn judge(answer: &Answer, secrets: &Redactor, part_is_said: bool) {
    let credentials = Credentials::Bearer {
        token: Secret::new(TOKEN),
    };
    for product in [Product::Cloud, Product::DataCenter] {
        let asker = Asker {
            credentials: Some(&credentials),
            product,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let verdict = answer.verdict(asker, now);
        let is_json = serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok();
        let stored = matches!(answer.status, 200 | 201 | 202 | 204);
        if verdict == Verdict::Accepted {
            let first = answer.body.trim_ascii().first();
            assert!(stored && first.is_none_or(|byte| *byte != b'<'));
        } else {
            assert!(!stored || !is_json, "JSON is Bitbucket's");
        }
        match &verdict {
            Verdict::Accepted => {}
            Verdict::Refused(refused) => said(refused, secrets, part_is_said),
            Verdict::Failing { error, setback } => {
                said(error, secrets, part_is_said);
                wait(*setback, answer.retry_after.as_deref());
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
    let told = Told {
        error: Some(error.clone()),
        ..Told::default()
    };
    let json = told.json(secrets);
    super::assert_one_line(json.trim_end());
    let value: Result<serde_json::Value, _> = serde_json::from_str(&json);
    let message = value
        .ok()
        .and_then(|it| it["error"]["message"].as_str().map(str::to_owned));
    assert_eq!(message, Some(secrets.redact(&error.to_string())));
}

fn wait(setback: Setback, retry_after: Option<&str>) {
    let text = retry_after.unwrap_or_default().trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Setback::Wait(wait) = setback {
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

fn parsers(answer: &Answer, scopes: Option<String>) {
    if let Some(Credentials::Issued { token }) = auth::issued(&answer.body) {
        let token = token.expose();
        assert!(!token.is_empty() && !token.contains(char::is_control));
    }
    if let Some(version) = destination::version(&answer.body) {
        destination::is_rich(&version);
    }
    let named = answer
        .body
        .windows(15)
        .any(|word| word == b"cancelledStatus");
    let escaped = answer.body.contains(&b'\\');
    assert!(named || escaped || !destination::knows_cancelled(&answer.body));
    if let Some(text) = scopes
        && scopes::judge(&text) != scopes::Scopes::Missing
    {
        assert!(text.contains("repository") || text.contains("pullrequest"));
    }
    let _ = answer.user_name();
}

fn pages(body: &[u8], secrets: &Redactor) {
    let cloud = page::of_cloud(body).map(|(shown, _)| shown);
    let data_center = page::of_data_center(body).map(|(shown, _)| shown);
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
