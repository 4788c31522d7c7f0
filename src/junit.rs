//! Counts from JUnit XML, in the dialects of those who write it: surefire, pytest, jest, gotestsum,
//! cargo-nextest, phpunit, and what GitLab reads.
//! <https://docs.gitlab.com/ci/testing/unit_test_reports/>

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::ops::AddAssign;
use std::path::Path;
use std::time::{Duration, SystemTime};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::Serialize;

/// More than this is no report of tests.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Deeper than any suite of suites is.
const DEEPEST: usize = 100;

/// How many tests ended how. The names are Bitbucket Data Center's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestResults {
    /// Failed, or broken by an error.
    pub failed: u32,
    /// Left out.
    pub skipped: u32,
    /// Passed.
    pub successful: u32,
}

impl AddAssign for TestResults {
    fn add_assign(&mut self, other: Self) {
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.successful = self.successful.saturating_add(other.successful);
    }
}

/// `212 passed, 3 failed, 1 skipped`
impl fmt::Display for TestResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed", self.successful)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// Counts the tests in all files that the `patterns` match, without those older than `since`. What
/// cannot be read goes to `warnings`. `None` when nothing was counted.
pub fn count(
    patterns: &[String],
    since: Option<SystemTime>,
    warnings: &mut Vec<String>,
) -> Option<TestResults> {
    let mut total = None;
    for pattern in patterns {
        let paths = match glob::glob(pattern) {
            Ok(paths) => paths.flatten().collect::<Vec<_>>(),
            Err(error) => {
                warnings.push(format!("--junit: `{pattern}` is not a pattern: {error}"));
                continue;
            }
        };
        if paths.is_empty() {
            warnings.push(format!("--junit: no file matches `{pattern}`"));
        }
        let mut old = 0;
        for path in &paths {
            if is_older(path, since) {
                old += 1;
                continue;
            }
            match read(path) {
                Ok(results) => *total.get_or_insert_with(TestResults::default) += results,
                Err(problem) => {
                    warnings.push(format!("--junit: {}: {problem}", path.display()));
                }
            }
        }
        if old > 0 && old == paths.len() {
            warnings.push(format!(
                "--junit: what matches `{pattern}` is from before this run"
            ));
        }
    }
    total
}

fn is_older(path: &Path, since: Option<SystemTime>) -> bool {
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    match (modified, since) {
        (Ok(modified), Some(since)) => modified + granularity(modified) < since,
        _ => false,
    }
}

/// How far a file's time may lie before the moment at which it was written: Linux takes it from a
/// clock that ticks every few milliseconds, and some file systems keep whole seconds.
fn granularity(modified: SystemTime) -> Duration {
    let since_1970 = modified.duration_since(SystemTime::UNIX_EPOCH);
    if since_1970.is_ok_and(|time| time.subsec_nanos() == 0) {
        Duration::from_secs(2)
    } else {
        Duration::from_millis(20)
    }
}

fn read(path: &Path) -> Result<TestResults, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    if length > LONGEST {
        return Err(format!(
            "it has {length} bytes, which is no report of tests"
        ));
    }
    parse(BufReader::new(file.take(LONGEST)))
}

/// A suite, as far as it has been read.
#[derive(Default)]
struct Suite {
    /// What its attributes promise, for those that write no cases.
    promised: TestResults,
    /// Whether it has cases or suites of its own, which are counted instead.
    has_children: bool,
}

/// A case, as far as it has been read.
#[derive(Default)]
struct Case {
    failed: bool,
    skipped: bool,
}

/// Counts the cases in a document, as a stream. Entities are not expanded: no text is read at all.
pub fn parse(input: impl BufRead) -> Result<TestResults, String> {
    let mut reader = Reader::from_reader(input);
    let mut buffer = Vec::new();
    let mut total = TestResults::default();
    let mut suites: Vec<Suite> = Vec::new();
    let mut case: Option<Case> = None;
    let mut depth = 0;
    let mut is_junit = false;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| {
            format!(
                "it is not well-formed XML at byte {}: {error}",
                reader.error_position()
            )
        })?;
        match event {
            Event::Start(element) => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(format!("it is more than {DEEPEST} elements deep"));
                }
                is_junit |= open(&element, &mut suites, &mut case);
            }
            Event::Empty(element) => {
                is_junit |= open(&element, &mut suites, &mut case);
                close(
                    element.local_name().as_ref(),
                    &mut suites,
                    &mut case,
                    &mut total,
                );
            }
            Event::End(element) => {
                depth -= 1;
                close(
                    element.local_name().as_ref(),
                    &mut suites,
                    &mut case,
                    &mut total,
                );
            }
            Event::Eof if depth > 0 => return Err("it ends in the middle".into()),
            Event::Eof if is_junit => return Ok(total),
            Event::Eof => return Err("it has no testsuite and no testcase".into()),
            _ => {}
        }
    }
}

/// Notes that an element begins. Whether it is one of JUnit's.
fn open(element: &BytesStart<'_>, suites: &mut Vec<Suite>, case: &mut Option<Case>) -> bool {
    match element.local_name().as_ref() {
        "testsuite" | "testsuites" => {
            if let Some(parent) = suites.last_mut() {
                parent.has_children = true;
            }
            suites.push(Suite {
                promised: promised(element),
                has_children: false,
            });
            true
        }
        "testcase" => {
            if let Some(parent) = suites.last_mut() {
                parent.has_children = true;
            }
            *case = Some(Case {
                failed: false,
                skipped: is_skipped(element),
            });
            true
        }
        "failure" | "error" => {
            if let Some(case) = case {
                case.failed = true;
            }
            false
        }
        "skipped" | "disabled" => {
            if let Some(case) = case {
                case.skipped = true;
            }
            false
        }
        _ => false,
    }
}

fn close(name: &str, suites: &mut Vec<Suite>, case: &mut Option<Case>, total: &mut TestResults) {
    match name {
        "testsuite" | "testsuites" => {
            if let Some(suite) = suites.pop()
                && !suite.has_children
            {
                *total += suite.promised;
            }
        }
        "testcase" => match case.take() {
            Some(Case { failed: true, .. }) => total.failed += 1,
            Some(Case { skipped: true, .. }) => total.skipped += 1,
            Some(_) => total.successful += 1,
            None => {}
        },
        _ => {}
    }
}

/// What a suite's attributes say. Some leave out `tests`.
fn promised(element: &BytesStart<'_>) -> TestResults {
    let number = |name| attribute(element, name).and_then(|text| text.trim().parse::<u32>().ok());
    let failed = number("failures")
        .unwrap_or(0)
        .saturating_add(number("errors").unwrap_or(0));
    let skipped = number("skipped")
        .or_else(|| number("disabled"))
        .unwrap_or(0);
    let others = failed.saturating_add(skipped);
    TestResults {
        failed,
        skipped,
        successful: number("tests").unwrap_or(others).saturating_sub(others),
    }
}

/// `<testcase skipped="true">`, `status="skipped"`, and GoogleTest's `status="notrun"` and
/// `result="suppressed"`.
fn is_skipped(element: &BytesStart<'_>) -> bool {
    let is = |name, words: &[&str]| {
        attribute(element, name).is_some_and(|text| {
            words
                .iter()
                .any(|word| word.eq_ignore_ascii_case(text.trim()))
        })
    };
    is("skipped", &["true", "1"])
        || is("status", &["skipped", "notrun", "disabled"])
        || is("result", &["skipped", "suppressed"])
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok().flatten()?;
    Some(attribute.value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Result<[u32; 3], String> {
        let results = parse(text.as_bytes())?;
        Ok([results.successful, results.failed, results.skipped])
    }

    #[test]
    fn every_dialect_is_counted() {
        for (text, expected) in [
            // cases
            (
                r"<testsuite><testcase/><testcase></testcase></testsuite>",
                [2, 0, 0],
            ),
            (
                r"<testsuite><testcase><failure>x</failure></testcase><testcase><error/></testcase><testcase><skipped/></testcase></testsuite>",
                [0, 2, 1],
            ),
            // cases win over wrong or missing totals
            (
                r#"<testsuites tests="9"><testsuite tests="7" failures="7"><testcase/></testsuite></testsuites>"#,
                [1, 0, 0],
            ),
            // nested suites, as phpunit writes them, with totals that add up to more
            (
                r#"<testsuites><testsuite tests="2"><testsuite tests="2"><testcase/><testcase><failure/></testcase></testsuite></testsuite></testsuites>"#,
                [1, 1, 0],
            ),
            // totals only
            (
                r#"<testsuite tests="5" failures="1" errors="1" skipped="1"/>"#,
                [2, 2, 1],
            ),
            (
                r#"<testsuites><testsuite tests="3"/><testsuite errors="2"></testsuite></testsuites>"#,
                [3, 2, 0],
            ),
            // skipped as an attribute
            (
                r#"<testsuite><testcase skipped="true"/><testcase status="notrun"/><testcase result="suppressed"/><testcase status="run"/></testsuite>"#,
                [1, 0, 3],
            ),
            // failed before it was skipped, twice over
            (
                r"<testcase><failure/><failure/><skipped/></testcase>",
                [0, 1, 0],
            ),
            // output may hold anything
            (
                r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><testsuite><system-out>&a;&nbsp;<![CDATA[<testcase/>]]></system-out><testcase/></testsuite>"#,
                [1, 0, 0],
            ),
            // namespaces
            (
                r#"<j:testsuite xmlns:j="urn:x"><j:testcase/></j:testsuite>"#,
                [1, 0, 0],
            ),
            // surefire's reruns: passed in the end, failed in the end
            (
                r"<testsuite><testcase><flakyFailure/></testcase><testcase><failure/><rerunFailure/></testcase></testsuite>",
                [1, 1, 0],
            ),
        ] {
            assert_eq!(counted(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_report_of_tests_is_an_error() {
        let deep = "<a>".repeat(101);
        for text in [
            "",
            "no xml",
            "<html></html>",
            "<testsuite>",
            "<testsuite></b>",
            &deep,
        ] {
            assert!(counted(text).is_err(), "{text}");
        }
    }

    #[test]
    fn zero_failed_and_skipped_are_not_said() {
        let results = |successful, failed, skipped| TestResults {
            failed,
            skipped,
            successful,
        };
        assert_eq!(
            results(212, 3, 1).to_string(),
            "212 passed, 3 failed, 1 skipped"
        );
        assert_eq!(results(1, 0, 0).to_string(), "1 passed");
        assert_eq!(results(0, 1, 0).to_string(), "0 passed, 1 failed");
    }
}
