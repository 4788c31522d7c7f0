use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use build_status::output;
use build_status::output::escape;
use build_status::secret::{Redactor, Secret};
use build_status::status::state::State;
use build_status::status::{commit, key};

/// Escaping, keys, words for states, secrets: a line that is the secret, and text.
pub fn words(data: &[u8]) {
    let all = String::from_utf8_lossy(data);
    let (first, text) = all.split_once('\n').unwrap_or(("", &all));
    escaping(text);
    keys(first, text);
    state(text);
    secrets(first, text);
}

fn escaping(text: &str) {
    let escaped = escape::text(text);
    super::assert_one_line(&escaped);
    assert_eq!(escape::text(&escaped), escaped);
    let json = escape::json(&serde_json::json!([text]).to_string());
    super::assert_one_line(&json);
    let back: Result<[String; 1], _> = serde_json::from_str(&json);
    assert_eq!(back.ok().as_ref().map(|back| back[0].as_str()), Some(text));
}

fn keys(one: &str, other: &str) {
    let of_job = |name: &str| key::of_job("gitlab-ci", name);
    for limit in [40, 255] {
        let (first, second) = (
            key::within(&of_job(one), limit),
            key::within(&of_job(other), limit),
        );
        for (key, name) in [(&first, one), (&second, other)] {
            let length = of_job(name).chars().count();
            assert_eq!(key.chars().count(), length.min(limit));
            assert_eq!(*key, key::within(&of_job(name), limit));
            assert_eq!(*key, key::within(key, limit));
            let readable = if length > limit { limit - 9 } else { length };
            assert!(
                of_job(name)
                    .chars()
                    .take(readable)
                    .eq(key.chars().take(readable))
            );
        }
        // But for a job that is called as the other's key is shortened.
        let same = one == other || of_job(one) == second || of_job(other) == first;
        assert!(same || first != second, "{one:?} {other:?}");
    }
}

fn state(text: &str) {
    let word = text.to_ascii_lowercase();
    let good = ["passed", "success", "successful", "succeeded"];
    let found = State::from_word(text);
    assert_eq!(
        found == Some(State::Successful),
        good.contains(&word.as_str())
    );
    assert_eq!(found, State::from_word(&word));
    assert!(!commit::is_full_hash(text) || commit::is_hash_or_prefix(text));
}

fn secrets(secret: &str, text: &str) {
    let secret = Secret::new(secret);
    let plain = secret.expose();
    // `***` stands for a secret, which may hold stars itself.
    if plain.len() < 8 || plain.contains('*') {
        return;
    }
    let mut redactor = Redactor::default();
    redactor.add(plain);
    let encoded = BASE64_STANDARD.encode(plain);
    let encoded = encoded.trim_end_matches('=');
    let url_safe = BASE64_URL_SAFE_NO_PAD.encode(plain);
    let forms = [plain, encoded, &url_safe];
    for form in forms {
        let mut middle = text.len() / 2;
        while !text.is_char_boundary(middle) {
            middle -= 1;
        }
        let (before, after) = text.split_at(middle);
        let told = format!("{before}{form}{after}{form}");
        let line = output::line(&told, &redactor);
        let is_escaped = escape::text(&told) != told;
        let json = output::printable_json(&serde_json::json!({"a": told, "b": 1}), &redactor);
        let value: Result<serde_json::Value, _> = serde_json::from_str(&json);
        assert!(value.is_ok(), "{json}");
        let back = value.map(|value| value["a"].as_str().unwrap_or_default().to_owned());
        let back = back.unwrap_or_default();
        super::assert_one_line(&line);
        super::assert_one_line(json.trim_end());
        for secret in forms {
            assert!(!redactor.redact(&told).contains(secret));
            assert!(!redactor.redact_outside(&told).contains(secret));
            // A sign that is escaped may make one of what stands behind it.
            assert!(is_escaped || !line.contains(secret), "{line}");
            assert!(!back.contains(secret), "{json}");
        }
    }
    let debug = format!("{secret:?} {redactor:?}");
    assert!(debug.starts_with("(redacted) Redactor("), "{debug}");
}
