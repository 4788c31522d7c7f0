//! What the plots show.

use std::ops::RangeInclusive;

use crate::limit::Kind;
use crate::plot::{self, Key, Panel};
use crate::rules::{Rule, build_status, four_retries, full_jitter};
use crate::runs::{Runs, float};
use crate::scenario::{at_once, seconds};
use crate::simulation::{Scenario, Tally};

const CURVES: &[(Key, Rule)] = &[
    (key("four retries", "#d1495b", "2 4"), four_retries),
    (
        key("full jitter, 500 ms to 5 s", "#d08c1d", "8 4"),
        full_jitter,
    ),
    (key("build_status", "#2a9d8f", ""), build_status),
];

const fn key(name: &'static str, colour: &'static str, dashes: &'static str) -> Key {
    Key {
        name,
        colour,
        dashes,
    }
}

/// Statuses lost against the number of jobs, and against how fast more of them come.
pub(crate) fn jobs() -> String {
    let burst = curves(0..=40, 1, &|step, _| {
        let jobs = usize::try_from(step * 10).unwrap_or(0);
        (float(jobs), at_once(jobs))
    });
    let stream = curves(0..=24, 20, &|step, seed| {
        let rate = float(usize::try_from(step).unwrap_or(0)) / 4.0;
        let jobs = usize::try_from(step * 25).unwrap_or(0);
        (rate, at_once(150).and(jobs, seconds(100), seed))
    });
    plotted(&[
        Panel {
            title: "Jobs that end at once",
            x: "jobs",
            y: "statuses lost",
            lines: lines(&burst, Tally::lost),
        },
        Panel {
            title: "150 at once, and more for 100 s",
            x: "jobs a second",
            y: "statuses lost",
            lines: lines(&stream, Tally::lost),
        },
    ])
}

/// Statuses lost against the length of an outage.
pub(crate) fn outage_lengths() -> String {
    let short = curves(0..=40, 5, &|length, seed| {
        let all = at_once(0).and(360, seconds(90), seed);
        let outage = all.in_outage(seconds(20), seconds(length), Kind::Refuses);
        (float(usize::try_from(length).unwrap_or(0)), outage)
    });
    let long = curves(0..=20, 2, &|minutes, seed| {
        let all = at_once(0)
            .and(7200, seconds(1800), seed)
            .within(seconds(900));
        let outage = all.in_outage(seconds(60), seconds(minutes * 60), Kind::Refuses);
        (float(usize::try_from(minutes).unwrap_or(0)), outage)
    });
    plotted(&[
        Panel {
            title: "4 jobs a second, --timeout 30",
            x: "outage, seconds",
            y: "statuses lost, of 360",
            lines: lines(&short, Tally::lost),
        },
        Panel {
            title: "4 jobs a second, --timeout 900",
            x: "outage, minutes",
            y: "statuses lost, of 7,200",
            lines: lines(&long, Tally::lost),
        },
    ])
}

/// For each rule its points: where on the axis, and the runs.
type Curves = Vec<Vec<(f64, Runs)>>;

fn curves(
    steps: RangeInclusive<u64>,
    runs: u64,
    scenario: &dyn Fn(u64, u64) -> (f64, Scenario),
) -> Curves {
    let point = |rule: Rule, step| {
        let runs = Runs::of(|seed| scenario(step, seed).1, rule, runs);
        (scenario(step, 0).0, runs)
    };
    let curve = |rule: Rule| steps.clone().map(|step| point(rule, step)).collect();
    CURVES.iter().map(|(_, rule)| curve(*rule)).collect()
}

/// A line for each rule, and one for what no rule could save.
fn lines(curves: &Curves, of: fn(&Tally) -> usize) -> Vec<Vec<(f64, f64)>> {
    let line = |curve: &Vec<(f64, Runs)>, of: &dyn Fn(&Tally) -> usize| {
        curve.iter().map(|(x, runs)| (*x, runs.mean(of))).collect()
    };
    let mut lines: Vec<_> = curves.iter().map(|curve| line(curve, &of)).collect();
    lines.push(line(&curves[0], &|tally| tally.jobs - tally.ready));
    lines
}

fn plotted(panels: &[Panel; 2]) -> String {
    let mut legend: Vec<_> = CURVES.iter().map(|(key, _)| *key).collect();
    legend.push(key("no rule could save", "#7d8590", "1 3"));
    plot::svg(&legend, panels)
}
