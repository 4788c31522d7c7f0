//! What counts as a test, and as what.

use quick_xml::events::BytesStart;

use super::results::TestResults;

/// Counts while the elements go by.
#[derive(Default)]
pub(super) struct Counter {
    /// The cases.
    cases: TestResults,
    has_cases: bool,
    /// What the innermost suites promise, for those who write no cases.
    promised: TestResults,
    /// What the outermost element promises.
    root: TestResults,
    /// Totals that are more to be trusted than the cases of their suite.
    trusted: Option<TestResults>,
    /// How many suites are open where those totals hold.
    trusted_within: Option<usize>,
    /// For each open suite, what it promises, until something is found in it.
    suites: Vec<Option<TestResults>>,
    case: Option<Case>,
    is_junit: bool,
}

/// A case, as far as it has been read.
#[derive(Default)]
struct Case {
    failed: bool,
    skipped: bool,
    /// It may fail and is not done: it does not count as failed.
    todo: bool,
    /// CTest's word, for what was skipped and for what could not be run.
    not_run: bool,
}

impl Counter {
    /// Notes that an element begins.
    pub(super) fn open(&mut self, element: &BytesStart<'_>, is_outermost: bool) {
        match element.local_name().as_ref() {
            name @ ("testsuite" | "testsuites") => {
                self.fill_suite();
                self.is_junit = true;
                let promised = promised(element);
                self.suites.push(Some(promised));
                if is_outermost && name == "testsuites" {
                    self.root = promised;
                }
                // pytest writes a case for each attempt, and two for a test whose tear-down fails.
                if self.trusted_within.is_none()
                    && attribute(element, "name").as_deref() == Some("pytest")
                    && has_totals(element)
                {
                    *self.trusted.get_or_insert_default() += promised;
                    self.trusted_within = Some(self.suites.len());
                }
            }
            "testcase" => {
                self.fill_suite();
                self.has_cases = true;
                self.case = Some(Case {
                    skipped: is_skipped(element),
                    not_run: attribute(element, "status").as_deref() == Some("notrun"),
                    ..Case::default()
                });
            }
            "failure" | "error" => {
                // A warning that a test checks nothing. PHPUnit ends well.
                let kind = attribute(element, "type");
                if kind.as_deref() == Some("PHPUnit\\Framework\\RiskyTestError") {
                    return;
                }
                if let Some(case) = &mut self.case {
                    case.failed = true;
                }
            }
            "skipped" | "disabled" => {
                if let Some(case) = &mut self.case {
                    case.skipped = true;
                    case.todo |= attribute(element, "type").as_deref() == Some("todo");
                    // CTest could not run it: "Unable to find executable".
                    let message = attribute(element, "message");
                    case.failed |=
                        case.not_run && message.is_some_and(|text| !text.starts_with("SKIP_"));
                }
            }
            _ => {}
        }
    }

    /// Notes that an element ends.
    pub(super) fn close(&mut self, name: &str) {
        match name {
            "testsuite" | "testsuites" => {
                if let Some(Some(promised)) = self.suites.pop() {
                    self.promised += promised;
                }
                let open = self.suites.len();
                self.trusted_within = self.trusted_within.filter(|within| open >= *within);
            }
            "testcase" if self.trusted_within.is_some() => self.case = None,
            "testcase" => match self.case.take() {
                Some(Case { todo: true, .. }) => self.cases.skipped += 1,
                Some(Case { failed: true, .. }) => self.cases.failed += 1,
                Some(Case { skipped: true, .. }) => self.cases.skipped += 1,
                Some(_) => self.cases.successful += 1,
                None => {}
            },
            _ => {}
        }
    }

    /// The counts, if it was JUnit at all.
    pub(super) fn results(self) -> Option<TestResults> {
        if let Some(mut results) = self.trusted {
            // Merged with what other tools have written.
            results += self.cases;
            return Some(results);
        }
        if !self.has_cases {
            return self.is_junit.then_some(self.promised);
        }
        // What failed before there was a case, such as gotestsum's package that does not compile, is
        // in the outermost totals only. Passed is not taken from there: some count attempts.
        Some(TestResults {
            failed: self.cases.failed.max(self.root.failed),
            skipped: self.cases.skipped.max(self.root.skipped),
            ..self.cases
        })
    }

    /// What a suite promises counts only if nothing is found in it.
    fn fill_suite(&mut self) {
        if let Some(suite) = self.suites.last_mut() {
            *suite = None;
        }
    }
}

/// What a suite's attributes say. Some leave out `tests`.
fn promised(element: &BytesStart<'_>) -> TestResults {
    let failed = number(element, "failures")
        .unwrap_or(0)
        .saturating_add(number(element, "errors").unwrap_or(0));
    let skipped = number(element, "skipped").or_else(|| number(element, "disabled"));
    let skipped = skipped.unwrap_or(0);
    let others = failed.saturating_add(skipped);
    TestResults {
        failed,
        skipped,
        successful: number(element, "tests")
            .unwrap_or(others)
            .saturating_sub(others),
    }
}

fn has_totals(element: &BytesStart<'_>) -> bool {
    let names = ["tests", "failures", "errors", "skipped"];
    names.iter().all(|name| number(element, name).is_some())
}

fn number(element: &BytesStart<'_>, name: &str) -> Option<u32> {
    attribute(element, name)?.trim().parse().ok()
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
