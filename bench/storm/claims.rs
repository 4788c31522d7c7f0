//! What the documents claim, tried in virtual time with each `cargo test`.

use std::time::Duration;

use crate::limit::Kind;
use crate::rules::{build_status, four_retries, full_jitter};
use crate::runs::Runs;
use crate::scenario::{at_once, seconds};
use crate::simulation::{Scenario, Tally, simulate};

impl Tally {
    fn lost(&self) -> usize {
        self.jobs - self.stored
    }
}

#[test]
fn of_150_jobs_that_end_together_none_is_lost_where_four_retries_lose_many() {
    for seed in 0..5 {
        let lost = |rule| simulate(&at_once(150), rule, seed).lost();
        assert_eq!(lost(build_status), 0);
        assert!(lost(four_retries) > 40, "{}", lost(four_retries));
    }
}

#[test]
fn all_is_stored_that_fits_the_limit_less_the_last_quarter_of_a_second() {
    for seed in 0..5 {
        let stored = |jobs| simulate(&at_once(jobs), build_status, seed).stored;
        assert_eq!(
            [200, 205, 208, 210, 250].map(stored),
            [200, 205, 208, 208, 208]
        );
    }
}

#[test]
fn far_away_all_is_stored_that_fits_the_limit_less_the_last_second() {
    for seed in 0..5 {
        let way = Duration::from_millis(150);
        let far = |jobs| Scenario {
            way,
            ..at_once(jobs)
        };
        let stored = |jobs| simulate(&far(jobs), build_status, seed).stored;
        assert_eq!([150, 200, 205].map(stored), [150, 200, 205]);
    }
}

#[test]
fn an_outage_shorter_than_the_timeout_loses_nothing() {
    for (length, timeout) in [(20, 30), (29, 30), (120, 121), (600, 900)] {
        for kind in [Kind::Refuses, Kind::Silent] {
            let all = at_once(60).within(seconds(timeout));
            let outage = all.in_outage(Duration::ZERO, seconds(length), kind);
            let tally = simulate(&outage, build_status, 1);
            assert_eq!(tally.lost(), 0, "{length} of {timeout} s, {kind:?}");
            assert!(simulate(&outage, four_retries, 1).lost() > 0 || kind == Kind::Silent);
        }
    }
}

#[test]
fn those_who_wait_are_served_before_newcomers_more_often_than_with_full_jitter() {
    let scenario = |seed| at_once(150).and(300, seconds(100), seed);
    let lost = |rule| Runs::of(scenario, rule, 10).needlessly();
    let (ours, first) = (lost(build_status), lost(full_jitter));
    assert!(ours * 1.5 < first, "{ours} and {first}");
}

#[test]
fn the_same_seed_gives_the_same_storm() {
    let scenario = at_once(50)
        .and(300, seconds(60), 7)
        .after_inprogress(seconds(5));
    let [one, two] = [3, 3].map(|seed| simulate(&scenario, build_status, seed));
    assert_eq!(one, two);
    assert_ne!(one, simulate(&scenario, build_status, 4));
}
