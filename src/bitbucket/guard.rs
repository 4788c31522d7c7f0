//! The guard: asks what Bitbucket has, so that the last writer does not always win.
//!
//! A run that was cancelled may report after the newer run that replaced it, and an INPROGRESS that
//! was on its way for long after the end of its own run.

use crate::bitbucket::delivery::{Delivery, Kept, Outcome};
use crate::bitbucket::destination::Destination;
use crate::bitbucket::statuses::{self, Status};
use crate::error::Error;
use crate::report::Report;
use crate::status::refname::Refname;
use crate::status::state::State;
use crate::status::url;

/// Whether to ask before a report of `state`, where `wish` is what somebody has said about it.
pub(crate) fn is_on(wish: Option<bool>, state: State) -> bool {
    wish.unwrap_or(state == State::Stopped)
}

/// Delivers `report`, unless Bitbucket has what must not be overwritten. Where it does not tell, the
/// report is delivered. An event knows less than the build that it is of, such as its tests: what it would
/// only repeat is not delivered.
pub(crate) fn deliver(
    delivery: &mut Delivery<'_, '_>,
    report: &Report,
    is_of_event: bool,
) -> Outcome {
    let found = match ask(delivery, (is_of_event, report.state), |it| {
        statuses::of_report(it, report)
    }) {
        Err(error) => return delivery.outcome(error.http_status(), Some(error), None),
        Ok(found) => found,
    };
    let kept = found.and_then(|theirs| {
        let kept = kept(&theirs, report);
        kept.or_else(|| is_of_event.then(|| repeated(&theirs, report, delivery))?)
    });
    match kept {
        Some(kept) => delivery.outcome(None, None, Some(kept)),
        None => delivery.deliver(report),
    }
}

/// The same for an event, which may not know the refname that others give to the same status. To Cloud,
/// another refname makes another status: the one that is there keeps its own.
pub(crate) fn deliver_on_any_ref(delivery: &mut Delivery<'_, '_>, report: &Report) -> Outcome {
    let found = match ask(delivery, (true, report.state), |it| {
        statuses::of_key(it, report)
    }) {
        Err(error) => return delivery.outcome(error.http_status(), Some(error), None),
        Ok(found) => found,
    };
    let meant = meant(found, report);
    if let Some(kept) = meant.iter().find_map(|theirs| kept(theirs, report)) {
        return delivery.outcome(None, None, Some(kept));
    }
    // What has begun on two refnames ends on both.
    let most = if report.state.is_final() {
        meant.len()
    } else {
        1
    };
    let mut outcome: Option<Outcome> = None;
    for theirs in meant.iter().take(most) {
        if outcome.as_ref().is_some_and(|it| it.error.is_some()) {
            break;
        }
        match repeated(theirs, report, delivery) {
            Some(kept) => {
                outcome.get_or_insert_with(|| delivery.outcome(None, None, Some(kept)));
            }
            None => outcome = Some(delivery.deliver(&renamed(report, theirs))),
        }
    }
    outcome.unwrap_or_else(|| delivery.deliver(report))
}

/// What Bitbucket has; nothing, with a warning, where it does not tell. An error where the report is of an
/// event and Bitbucket may tell later, when the event comes again; and where it is a beginning, which would
/// stay if the end is there.
fn ask<T: Default>(
    delivery: &mut Delivery<'_, '_>,
    (is_of_event, state): (bool, State),
    question: impl FnOnce(&mut Delivery<'_, '_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let found = if is_of_event {
        question(delivery)
    } else {
        delivery.question(question)
    };
    match found {
        Err(Error::Cancelled) => Err(Error::Cancelled),
        Err(error) if is_of_event && (error.exit_code() == 5 || !state.is_final()) => Err(error),
        Err(error) => {
            let text =
                format!("what Bitbucket has is not known, so that it is overwritten: {error}");
            delivery.session().log().warn(&text);
            Ok(T::default())
        }
        found => found,
    }
}

/// Those of `found`, which have our key, that are ours: of the same run, on whatever refname, and with an
/// end what an older run has left on our refname; else the one on our refname; else the only one.
fn meant(found: Vec<Status>, ours: &Report) -> Vec<Status> {
    let name = ours.refname.as_ref().map(Refname::name);
    let is_ours = |it: &Status| it.refname.as_deref() == name;
    let is_only = found.len() == 1;
    let (mut same, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| {
        let url = it.url.as_deref();
        url.is_some_and(|url| is_same_run(url, &ours.url))
    });
    // Ours first.
    same.sort_by_key(|it| !is_ours(it));
    let is_left = |it: &Status| is_ours(it) && ours.state.is_final() && kept(it, ours).is_none();
    let mut others = others.into_iter();
    let further = if same.is_empty() {
        others.find(|it| is_only || is_ours(it))
    } else {
        others.find(is_left)
    };
    same.extend(further);
    same
}

fn renamed(report: &Report, theirs: &Status) -> Report {
    let refname = theirs.refname.clone().map(Refname::Branch);
    Report {
        refname,
        ..report.clone()
    }
}

/// What `theirs` keeps against `ours`, if it does: the end of the same run, or anything of a newer.
pub(crate) fn kept(theirs: &Status, ours: &Report) -> Option<Kept> {
    let kept = |is_newer| {
        let state = theirs.state.clone();
        Some(Kept { state, is_newer })
    };
    let url = theirs.url.as_deref()?;
    if is_same_run(url, &ours.url) {
        let (their_attempt, our_attempt) = (url::attempt(url).1, url::attempt(&ours.url).1);
        if their_attempt != our_attempt {
            return kept(true).filter(|_| their_attempt > our_attempt);
        }
        let is_overtaken = !ours.state.is_final() && theirs.state != State::InProgress.as_str();
        return kept(false).filter(|_| is_overtaken);
    }
    kept(true).filter(|_| is_newer(theirs, url, ours))
}

/// What says already what `ours` would say: the same state of the same attempt.
fn repeated(theirs: &Status, ours: &Report, delivery: &mut Delivery<'_, '_>) -> Option<Kept> {
    let url = theirs.url.as_deref()?;
    let is_same = is_same_run(url, &ours.url)
        && url::attempt(url).1 == url::attempt(&ours.url).1
        && says(theirs, ours.state, delivery);
    is_same.then(|| Kept {
        state: theirs.state.clone(),
        is_newer: false,
    })
}

/// Whether that is how `state` is stored: Data Center has another word for a stopped build, or none.
pub(crate) fn says(theirs: &Status, state: State, delivery: &mut Delivery<'_, '_>) -> bool {
    match (delivery.destination(), state, theirs.state.as_str()) {
        (Destination::DataCenter(_), State::Stopped, "CANCELLED") => true,
        (Destination::DataCenter(server), State::Stopped, "FAILED") => {
            delivery.knows_cancelled(server) == Ok(false)
        }
        (_, state, word) => word == state.as_str(),
    }
}

fn is_same_run(theirs: &str, ours: &str) -> bool {
    url::attempt(theirs).0 == url::attempt(ours).0
        || build_of_codebuild(theirs).is_some_and(|id| Some(id) == build_of_codebuild(ours))
}

/// The UUID of a build of CodeBuild, whose page has several addresses: the one that the build knows may
/// not be the one that follows from its events.
fn build_of_codebuild(url: &str) -> Option<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_uuid = |word: &&str| word.len() == 36 && word.matches('-').count() == 4;
    let is_codebuild = url::host(url).contains(".aws.") && url.contains("codebuild");
    let url = url.replace("%3A", ":");
    let mut words = url.split(|c| !is_word(c)).filter(|_| is_codebuild);
    words.find(is_uuid).map(str::to_owned)
}

fn is_newer(theirs: &Status, url: &str, ours: &Report) -> bool {
    // Another host is another CI, with numbers of its own. So is another project of GitLab's on it, and
    // another account of AWS'.
    if url::authority(url) != url::authority(&ours.url)
        || differ(project_of_gitlab, url, &ours.url)
        || differ(account_of_aws, url, &ours.url)
    {
        return false;
    }
    let number = |text: Option<&str>| text?.parse::<u64>().ok();
    let (job, in_name) = job_and_number(theirs.name.as_deref().unwrap_or(&ours.name));
    let (our_job, our_name) = job_and_number(&ours.name);
    let our_number = number(ours.build_number.as_deref());
    let stored = number(theirs.build_number.as_deref());
    match (stored.or_else(|| number(in_name)), our_number) {
        // Two jobs of one run.
        (Some(theirs), Some(ours)) if theirs == ours && job != our_job => return false,
        (Some(theirs), Some(ours)) if theirs != ours && job == our_job && stored.is_some() => {
            return theirs > ours;
        }
        _ => {}
    }
    has_larger_number(url, &ours.url).unwrap_or_else(|| {
        let is_default = our_name.is_some() && our_name == ours.build_number.as_deref();
        is_default && job == our_job && number(in_name) > our_number
    })
}

/// Whether both links have that part, and not the same.
fn differ<'a>(part: fn(&'a str) -> Option<&'a str>, theirs: &'a str, ours: &'a str) -> bool {
    part(theirs).is_some_and(|theirs| part(ours).is_some_and(|ours| theirs != ours))
}

fn project_of_gitlab(url: &str) -> Option<&str> {
    url.split_once("/-/").map(|(project, _)| project)
}

fn account_of_aws(url: &str) -> Option<&str> {
    let is_account = |part: &&str| part.len() == 12 && part.bytes().all(|it| it.is_ascii_digit());
    let mut parts = url.split('/').filter(|_| url::host(url).contains(".aws."));
    parts.find(is_account)
}

/// The parts of a default name. The number is that of the build, which Cloud keeps nowhere else.
fn job_and_number(name: &str) -> (&str, Option<&str>) {
    name.rsplit_once(" #")
        .map_or((name, None), |(job, number)| (job, Some(number)))
}

/// Whether the first number in `theirs` that is another in `ours` is larger. `None` where they differ in
/// more than numbers, or not at all.
fn has_larger_number(theirs: &str, ours: &str) -> Option<bool> {
    const BREAKS: [char; 6] = ['/', '?', '&', '=', '#', ':'];
    let (theirs, ours) = (theirs.trim_end_matches('/'), ours.trim_end_matches('/'));
    let (theirs, ours) = (theirs.split(BREAKS), ours.split(BREAKS));
    if theirs.clone().count() != ours.clone().count() {
        return None;
    }
    let mut first = None;
    for (a, b) in theirs.zip(ours).filter(|(a, b)| a != b) {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let both = is_number(a) && is_number(b);
        let (a, b): (u64, u64) = both.then_some((a.parse().ok()?, b.parse().ok()?))?;
        first.get_or_insert(a > b);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: State, url: &str, build_number: Option<&str>) -> Report {
        Report {
            state,
            key: "k".into(),
            name: build_number.map_or("n".into(), |number| format!("n #{number}")),
            description: "d".into(),
            url: url.into(),
            commit: "1ecfd275763eff1d6b4844ea3168962458c9f27a".into(),
            refname: None,
            parent: None,
            build_number: build_number.map(str::to_owned),
            duration: None,
            test_results: None,
        }
    }

    fn status(state: &str, url: &str, build_number: Option<&str>) -> Status {
        Status {
            state: state.into(),
            key: "k".into(),
            name: None,
            description: None,
            url: Some(url.into()),
            refname: None,
            updated: None,
            parent: None,
            build_number: build_number.map(str::to_owned),
        }
    }

    /// Whether the guard keeps SUCCESSFUL of `theirs` against STOPPED of `ours`.
    fn is_kept(theirs: (&str, Option<&str>), ours: (&str, Option<&str>)) -> bool {
        let theirs = status("SUCCESSFUL", theirs.0, theirs.1);
        kept(&theirs, &report(State::Stopped, ours.0, ours.1)).is_some()
    }

    #[test]
    fn a_newer_run_is_kept_and_what_cannot_be_compared_is_not() {
        for newer_and_older in [
            "https://g.x/a/-/jobs/12 https://g.x/a/-/jobs/9",
            "https://g.x/run/8/job/1 https://g.x/run/7/job/5",
            "https://j.x:8080/job/a/12/ https://j.x:8080/job/a/9",
            "https://z.x/r?buildId=12&view=x https://z.x/r?buildId=9&view=x",
        ] {
            let (newer, older) = newer_and_older.split_once(' ').unwrap();
            assert!(is_kept((newer, None), (older, None)), "{newer}");
            assert!(!is_kept((older, None), (newer, None)), "{newer}");
        }
        for url in [
            "https://h.x/a/-/jobs/12",
            "https://g.x/b/-/jobs/12",
            "https://g.x/a/-/jobs/8745a7a9-c340",
            "https://g.x/a/-/jobs/99999999999999999999999",
            "not a URL",
        ] {
            assert!(
                !is_kept((url, None), ("https://g.x/a/-/jobs/9", None)),
                "{url}"
            );
        }
    }

    #[test]
    fn build_numbers_count_before_links() {
        let (a, b) = ("https://x.x/build/a1b2", "https://x.x/build/c3d4");
        assert!(is_kept((a, Some("12")), (b, Some("9"))));
        for theirs in [Some("8"), Some("9"), Some("#12"), None] {
            assert!(!is_kept((a, theirs), (b, Some("9"))), "{theirs:?}");
        }
    }

    /// Buildkite, Semaphore, AppVeyor and others have links that cannot be compared.
    #[test]
    fn cloud_has_the_build_number_in_the_name() {
        let (a, b) = ("https://x.x/build/a1b2", "https://x.x/build/c3d4");
        let is_kept = |name: &str| {
            let theirs = Status {
                name: Some(name.to_owned()),
                ..status("SUCCESSFUL", a, None)
            };
            kept(&theirs, &report(State::Stopped, b, Some("9"))).is_some()
        };
        assert!(is_kept("n #12"));
        for name in ["n #8", "n #9", "n", "#12", "n #", "other #12", "n #12 #8"] {
            assert!(!is_kept(name), "{name}");
        }
    }

    #[test]
    fn the_number_in_a_name_of_ones_own_is_not_the_builds() {
        let theirs = Status {
            name: Some("n #500".into()),
            ..status("FAILED", "https://x.x/build/a1b2", None)
        };
        let mut ours = report(State::Successful, "https://x.x/build/c3d4", Some("9"));
        ours.name = "n #500".into();
        assert_eq!(kept(&theirs, &ours), None);
        // Links count before names.
        for (their_url, is_kept) in [("https://x.x/jobs/5", false), ("https://x.x/jobs/7", true)] {
            let theirs = Status {
                name: Some("n #1010".into()),
                ..status("FAILED", their_url, None)
            };
            let ours = report(State::Successful, "https://x.x/jobs/6", Some("11"));
            assert_eq!(kept(&theirs, &ours).is_some(), is_kept, "{their_url}");
        }
    }

    /// GitLab's script has a job for success, and one for failure.
    #[test]
    fn of_two_jobs_of_one_run_none_is_newer() {
        for number in [None, Some("9")] {
            let theirs = Status {
                name: Some("failure #9".into()),
                ..status("FAILED", "https://x.x/jobs/12", number)
            };
            let ours = report(State::Successful, "https://x.x/jobs/11", Some("9"));
            assert_eq!(kept(&theirs, &ours), None);
        }
    }

    #[test]
    fn build_numbers_of_another_job_are_not_compared() {
        let url = |job: &str| format!("https://j.x/job/{job}");
        let theirs = Status {
            name: Some("other #12".into()),
            ..status("SUCCESSFUL", &url("other/12"), Some("12"))
        };
        let ours = report(State::Stopped, &url("n/9"), Some("9"));
        assert_eq!(kept(&theirs, &ours), None);
    }

    #[test]
    fn projects_and_accounts_count_for_themselves() {
        let aws = "https://eu-west-1.console.aws.amazon.com/codesuite/codebuild";
        let build =
            |account: &str, uuid: &str| format!("{aws}/{account}/projects/n/build/n:{uuid}");
        for (theirs, same, other) in [
            (
                "https://g.x/a/b/-/jobs/12".to_owned(),
                "https://g.x/a/b/-/jobs/9".to_owned(),
                "https://g.x/c/b/-/jobs/9".to_owned(),
            ),
            (
                build("111111111111", "a1"),
                build("111111111111", "b2"),
                build("222222222222", "b2"),
            ),
            (
                build("111111111111", "a1"),
                format!("{aws}/home?region=eu-west-1#/builds/n:b2/view/new"),
                build("222222222222", "b2"),
            ),
        ] {
            let number = (Some("12"), Some("9"));
            assert!(is_kept((&theirs, number.0), (&same, number.1)), "{same}");
            assert!(!is_kept((&theirs, number.0), (&other, number.1)), "{other}");
        }
    }

    #[test]
    fn the_end_of_a_run_is_kept_against_its_own_beginning_only() {
        let url = "https://g.x/jobs/1";
        let overtaken = |theirs, ours| kept(&status(theirs, url, None), &report(ours, url, None));
        assert!(overtaken("SUCCESSFUL", State::InProgress).is_some_and(|kept| !kept.is_newer));
        assert!(overtaken("CANCELLED", State::InProgress).is_some());
        assert_eq!(overtaken("INPROGRESS", State::InProgress), None);
        assert_eq!(overtaken("SUCCESSFUL", State::Stopped), None);
    }
}
