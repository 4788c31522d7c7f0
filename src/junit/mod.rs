//! Counts from JUnit XML, in the dialects of those who write it: surefire, pytest, jest, gotestsum,
//! cargo-nextest, phpunit, and what GitLab reads.
//! <https://docs.gitlab.com/ci/testing/unit_test_reports/>

mod counter;
mod find;
mod markup;
mod results;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use quick_xml::Reader;
use quick_xml::events::Event;

use self::counter::Counter;
use self::markup::Markup;
pub(crate) use self::results::TestResults;
use crate::deadline::Deadline;
use crate::file;

/// More than this is no report of tests.
const LONGEST: u64 = 256 * 1024 * 1024;

const MOST_WARNINGS: usize = 20;

/// After the end of the time, reading a file may take so long until it is noticed.
const ONE_FILE: Duration = Duration::from_millis(250);

/// How long it takes until we look again whether all are counted.
const LOOK: Duration = Duration::from_millis(1);

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
    fn add(&mut self, path: &Path, read: Result<TestResults, String>) {
        match read {
            // Nothing was run, or what could not be loaded is not in it.
            Ok(results) if results == TestResults::default() => {}
            Ok(results) => *self.results.get_or_insert_default() += results,
            Err(problem) => self.warn(&format!("{}: {problem}", path.display())),
        }
    }

    fn out_of_time() -> Self {
        let mut nothing = Self::default();
        nothing.warn("out of time: nothing is counted");
        nothing
    }

    fn warn(&mut self, what: &str) {
        self.warnings.push(format!("--junit: {what}"));
    }

    /// Keeps the first warnings: there may be one for each of a million files.
    fn shorten(&mut self) {
        let more = self.warnings.len().saturating_sub(MOST_WARNINGS);
        if more > 0 {
            self.warnings.truncate(MOST_WARNINGS);
            self.warn(&format!("and {more} more warnings of this kind"));
        }
    }
}

/// Counts the tests in all files that the `patterns` match, without those older than `since`, in a
/// third of the time left at most: the rest is for the report.
///
/// Nothing is counted where that is not enough, or as soon as it `is_urgent`.
pub(crate) fn count(
    patterns: &[String],
    since: Option<SystemTime>,
    deadline: Deadline,
    is_urgent: impl Fn() -> bool,
) -> Counted {
    if patterns.is_empty() {
        return Counted::default();
    }
    let deadline = deadline.part(deadline.left() / 3);
    let own = patterns.to_vec();
    let work = move || count_until(&own, since, deadline);
    let Ok(work) = thread::Builder::new().spawn(work) else {
        return count_until(patterns, since, deadline);
    };
    let limit = Instant::now() + deadline.left() + ONE_FILE;
    while !work.is_finished() {
        // A file system that does not answer keeps the thread, which is left behind.
        if Instant::now() > limit || is_urgent() {
            return Counted::out_of_time();
        }
        thread::sleep(LOOK);
    }
    work.join().unwrap_or_default()
}

fn count_until(patterns: &[String], since: Option<SystemTime>, deadline: Deadline) -> Counted {
    let mut counted = Counted::default();
    let mut paths = BTreeMap::new();
    for pattern in patterns {
        find(pattern, since, deadline, &mut paths, &mut counted);
    }
    let mut unfinished: Vec<_> = paths.into_values().collect();
    // bats ends some milliseconds before its report does.
    for is_last in [false, false, false, true] {
        unfinished.retain(|path| match read(path, deadline) {
            Err(problem) if problem == UNFINISHED && !is_last => true,
            result => {
                counted.add(path, result);
                false
            }
        });
        if unfinished.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(100).min(deadline.left()));
    }
    if deadline.is_over() {
        // Half of the tests may be those that passed.
        return Counted::out_of_time();
    }
    counted.shorten();
    counted
}

/// Adds the files that `pattern` matches to `paths`, each once, however it is called.
fn find(
    pattern: &str,
    since: Option<SystemTime>,
    deadline: Deadline,
    paths: &mut BTreeMap<PathBuf, PathBuf>,
    counted: &mut Counted,
) {
    let found = match find::files(pattern, deadline) {
        Ok(found) => found,
        Err(error) => return counted.warn(&format!("`{pattern}` is not a pattern: {error}")),
    };
    if !found.is_all {
        let what = "matches too many files, or in too many directories";
        counted.warn(&format!("`{pattern}` {what}"));
    } else if found.paths.is_empty() {
        counted.warn(&format!("no file matches `{pattern}`"));
    } else if found.paths.iter().all(|path| is_older(path, since)) {
        counted.warn(&format!("what matches `{pattern}` is from before this run"));
    }
    let paths_of_run = found.paths.into_iter();
    for path in paths_of_run.filter(|path| !is_older(path, since)) {
        let own = path.canonicalize().unwrap_or_else(|_| path.clone());
        paths.entry(own).or_insert(path);
    }
}

fn is_older(path: &Path, since: Option<SystemTime>) -> bool {
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    match (modified, since) {
        (Ok(modified), Some(since)) => {
            // A time that no clock can show is not in the past.
            let written = modified.checked_add(granularity(modified));
            written.is_some_and(|written| written < since)
        }
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

fn read(path: &Path, deadline: Deadline) -> Result<TestResults, String> {
    let file = file::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    if length > LONGEST {
        let problem = format!("it has {length} bytes, which is no report of tests");
        return Err(problem);
    }
    count_in(BufReader::new(file.take(LONGEST)), Some(deadline))
}

/// Counts the cases in a document.
pub fn parse(input: impl BufRead) -> Result<TestResults, String> {
    count_in(input, None)
}

/// Counts the cases in a document, as a stream. Entities are not expanded: no text is read at all.
fn count_in(input: impl BufRead, deadline: Option<Deadline>) -> Result<TestResults, String> {
    let mut reader = Reader::from_reader(Markup::new(input, deadline));
    let mut buffer = Vec::new();
    let mut counter = Counter::default();
    let mut depth = 0;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| match error {
            quick_xml::Error::Io(error) => error.to_string(),
            quick_xml::Error::Syntax(_) if reader.get_ref().is_cut() => UNFINISHED.into(),
            error => format!("it is not well-formed XML: {error}"),
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
                let results = counter.results();
                return results.ok_or_else(|| "it has no testsuite and no testcase".into());
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
        for case in [
            // cases
            "2 0 0: <testsuite><testcase/><testcase></testcase></testsuite>",
            "0 2 1: <testsuite><testcase><failure>x</failure></testcase><testcase><error/></testcase>\
             <testcase><skipped/></testcase></testsuite>",
            // cases win over wrong or missing totals
            "1 0 0: <testsuites tests='9'><testsuite tests='7' failures='7'><testcase/></testsuite>\
             </testsuites>",
            // nested suites, as phpunit writes them, with totals that add up to more
            "1 1 0: <testsuites><testsuite tests='2'><testsuite tests='2'><testcase/><testcase>\
             <failure/></testcase></testsuite></testsuite></testsuites>",
            // totals only
            "2 2 1: <testsuite tests='5' failures='1' errors='1' skipped='1'/>",
            "3 2 0: <testsuites><testsuite tests='3'/><testsuite errors='2'></testsuite></testsuites>",
            // skipped as an attribute
            "1 0 3: <testsuite><testcase skipped='true'/><testcase status='notrun'/>\
             <testcase result='suppressed'/><testcase status='run'/></testsuite>",
            // failed before it was skipped, twice over
            "0 1 0: <testcase><failure/><failure/><skipped/></testcase>",
            // pytest's totals, beside another tool's cases
            "1 1 0: <testsuites><testsuite name='pytest' tests='1' failures='0' errors='0' \
             skipped='0'><testcase><failure/></testcase><testcase/></testsuite>\
             <testsuite><testcase><failure/></testcase></testsuite></testsuites>",
            // output may hold anything
            "1 0 0: <?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><testsuite><system-out>&a;\
             &nbsp;<![CDATA[<testcase/>]]></system-out><testcase/></testsuite>",
            // namespaces
            "1 0 0: <j:testsuite xmlns:j=\"urn:x\"><j:testcase/></j:testsuite>",
            // surefire's reruns: passed in the end, failed in the end
            "1 1 0: <testsuite><testcase><flakyFailure/></testcase><testcase><failure/>\
             <rerunFailure/></testcase></testsuite>",
        ] {
            let (expected, text) = case.split_once(": ").unwrap();
            let counts = counted(text).unwrap().map(|count| count.to_string());
            assert_eq!(counts.join(" "), expected, "{text}");
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
        let expected: BTreeMap<String, [u32; 3]> = serde_json::from_str(&expected).unwrap();
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
        let cut = ["<testsuite>", "<testsuite></b>", &deep];
        for text in ["", "no xml", "<html></html>"].into_iter().chain(cut) {
            assert!(counted(text).is_err(), "{text}");
        }
    }
}
