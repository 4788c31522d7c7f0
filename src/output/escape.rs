//! Escapes text from outside, so that it is safe to print.

use std::fmt::Write as _;

/// Escapes everything in `text` that could move a cursor, colour a terminal, begin a line, change the
/// reading direction, or be taken for a command by the CI that reads the output.
pub fn text(text: &str) -> String {
    let mut escaped = escape(text, |escaped, c| match c {
        '\n' => escaped.push_str("\\n"),
        '\r' => escaped.push_str("\\r"),
        '\t' => escaped.push_str("\\t"),
        c => {
            let _ = write!(escaped, "\\u{{{:x}}}", u32::from(c));
        }
    });
    // GitHub takes `::error::` for a command at the beginning of a line.
    let begins = escaped.len() - escaped.trim_start().len();
    if escaped[begins..].starts_with("::") {
        escaped.replace_range(begins..=begins, "\\u{3a}");
    }
    escaped
}

/// The same for JSON, where an escape is `\u` followed by four digits.
pub fn json(text: &str) -> String {
    escape(text, |escaped, c| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    })
}

fn escape(text: &str, escaped_form: impl Fn(&mut String, char)) -> String {
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'#')
    {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len());
    let mut last = None;
    for c in text.chars() {
        // Azure Pipelines takes `##vso[` for a command anywhere in a line, older GitHub runners
        // `##[`, and TeamCity `##teamcity[`.
        if is_unsafe(c) || (c == '#' && last == Some('#')) {
            escaped_form(&mut escaped, c);
        } else {
            escaped.push(c);
        }
        last = Some(c);
    }
    escaped
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200e}' | '\u{200f}'        // marks of direction
            | '\u{2028}' | '\u{2029}'                   // line and paragraph separators
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // overrides of direction
            // Invisible characters, except joiners: Persian, Hindi and emoji need them.
            | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_colours_or_commands() {
        for (outside, expected) in [
            ("naïve – 测试 ✓", "naïve – 测试 ✓"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\x1b[31mred\x1b[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("\x1b]8;;http://x\x07", "\\u{1b}]8;;http://x\\u{7}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("\u{202e}evil", "\\u{202e}evil"),
            ("x ##vso[task.complete]", "x #\\u{23}vso[task.complete]"),
            ("###[error]", "#\\u{23}\\u{23}[error]"),
            ("::error::x", "\\u{3a}:error::x"),
            (" \u{a0}::error::x", " \u{a0}\\u{3a}:error::x"),
            ("a ::error::x", "a ::error::x"),
            ("\u{200b}a\u{ad}\u{2060}b", "\\u{200b}a\\u{ad}\\u{2060}b"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("# one", "# one"),
        ] {
            assert_eq!(text(outside), expected);
        }
    }

    #[test]
    fn json_stays_json_and_means_the_same() {
        let value = serde_json::json!({"a": "x\u{9b}##vso[\u{202e}\n\u{7f}"});
        let escaped = json(&value.to_string());
        assert!(!escaped.contains("##") && !escaped.chars().any(char::is_control));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&escaped).unwrap(),
            value
        );
    }
}
