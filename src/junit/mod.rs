//! Counts from JUnit XML, in the dialects of those who write it: surefire, pytest, jest, gotestsum,
//! cargo-nextest, phpunit, and what GitLab reads.
//! <https://docs.gitlab.com/ci/testing/unit_test_reports/>

mod counter;
mod results;

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use quick_xml::Reader;
use quick_xml::events::Event;

use self::counter::Counter;
pub(crate) use self::results::TestResults;
use crate::deadline::Deadline;

/// More than this is no report of tests.
const LONGEST: u64 = 256 * 1024 * 1024;

const UNFINISHED: &str = "it ends in the middle";

/// Deeper than any suite of suites is.
const DEEPEST: usize = 100;

/// What the reports of tests say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counted {
    /// The counts, if anything was counted.
    pub(crate) results: Option<TestResults>,
    /// What could not be read, and why.
    pub(crate) warnings: Vec<String>,
}

impl Counted {
    fn warn(&mut self, what: &str) {
        self.warnings.push(format!("--junit: {what}"));
    }
}

/// Counts the tests in all files that the `patterns` match, without those older than `since`.
pub(crate) fn count(
    patterns: &[String],
    since: Option<SystemTime>,
    _deadline: Deadline,
) -> Counted {
    let mut counted = Counted::default();
    for pattern in patterns {
        match glob::glob(pattern) {
            Ok(paths) => {
                let paths: Vec<_> = paths.flatten().collect();
                if paths.is_empty() {
                    counted.warn(&format!("no file matches `{pattern}`"));
                }
                let old = paths.iter().filter(|path| is_older(path, since)).count();
                if old > 0 && old == paths.len() {
                    counted.warn(&format!("what matches `{pattern}` is from before this run"));
                }
                let new = paths.iter().filter(|path| !is_older(path, since));
                new.for_each(|path| count_file(path, &mut counted));
            }
            Err(error) => counted.warn(&format!("`{pattern}` is not a pattern: {error}")),
        }
    }
    counted
}

fn count_file(path: &Path, counted: &mut Counted) {
    match read_to_its_end(path) {
        // Nothing was run, or what could not be loaded is not in it.
        Ok(results) if results == TestResults::default() => {}
        Ok(results) => *counted.results.get_or_insert_default() += results,
        Err(problem) => counted.warn(&format!("{}: {problem}", path.display())),
    }
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

/// bats ends some milliseconds before its report does.
fn read_to_its_end(path: &Path) -> Result<TestResults, String> {
    for _ in 0..3 {
        match read(path) {
            Err(problem) if problem == UNFINISHED => thread::sleep(Duration::from_millis(100)),
            result => return result,
        }
    }
    read(path)
}

fn read(path: &Path) -> Result<TestResults, String> {
    let info = path.metadata().map_err(|error| error.to_string())?;
    // To open a named pipe takes as long as nobody writes to it.
    if !info.is_file() {
        return Err("it is not a file".into());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let length = info.len();
    if length > LONGEST {
        return Err(format!(
            "it has {length} bytes, which is no report of tests"
        ));
    }
    parse(BufReader::new(file.take(LONGEST)))
}

/// Counts the cases in a document, as a stream. Entities are not expanded: no text is read at all.
pub fn parse(input: impl BufRead) -> Result<TestResults, String> {
    let mut reader = Reader::from_reader(input);
    let mut buffer = Vec::new();
    let mut counter = Counter::default();
    let mut depth = 0;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| {
            let position = reader.error_position();
            format!("it is not well-formed XML at byte {position}: {error}")
        })?;
        match event {
            Event::Start(element) => {
                counter.open(&element, depth == 0);
                depth += 1;
                if depth > DEEPEST {
                    return Err(format!("it is more than {DEEPEST} elements deep"));
                }
            }
            Event::Empty(element) => {
                counter.open(&element, depth == 0);
                counter.close(element.local_name().as_ref());
            }
            Event::End(element) => {
                depth -= 1;
                counter.close(element.local_name().as_ref());
            }
            Event::Eof if depth > 0 => return Err(UNFINISHED.into()),
            Event::Eof => {
                return counter
                    .results()
                    .ok_or_else(|| "it has no testsuite and no testcase".into());
            }
            _ => {}
        }
    }
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
            // pytest's totals, beside another tool's cases
            (
                r#"<testsuites><testsuite name="pytest" tests="1" failures="0" errors="0" skipped="0"><testcase><failure/></testcase><testcase/></testsuite><testsuite><testcase><failure/></testcase></testsuite></testsuites>"#,
                [1, 1, 0],
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

    /// Files that real tools wrote; see the README beside them.
    #[test]
    fn files_of_real_tools_are_counted_as_the_tools_count() {
        // What is not in the file, in any form, or counted by nobody else.
        let unknowable = [
            "bun-load-error.xml",
            "jest-suite-error.xml",
            "jest-todo.xml",
            "nextest-ignored.xml",
            "node-subtests.xml",
            "playwright-load-error.xml",
        ];
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/junit");
        let expected = std::fs::read_to_string(directory.join("expected.json")).unwrap();
        let expected: std::collections::BTreeMap<String, [u32; 3]> =
            serde_json::from_str(&expected).unwrap();
        let wrong: Vec<_> = expected
            .into_iter()
            .filter(|(name, _)| !unknowable.contains(&name.as_str()))
            .filter_map(|(name, expected)| {
                let text = std::fs::read_to_string(directory.join(&name)).unwrap();
                let counted = counted(&text);
                (counted != Ok(expected)).then(|| format!("{name}: {counted:?}, not {expected:?}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
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
}
