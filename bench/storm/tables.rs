//! What is told of the storms.

use std::path::Path;
use std::time::Duration;

use crate::document::Table;
use crate::limit::{CLOUD, DATA_CENTER, Kind, Limit};
use crate::reporters;
use crate::rules::{RULES, build_status, four_retries, full_jitter};
use crate::runs::{Runs, float, number, tenths};
use crate::scenario::{at_once, real, seconds, stream_through_outage};
use crate::simulation::Scenario;

/// Processes and simulation, side by side. `tell` hears of each storm as it is over.
pub(crate) fn storms(binary: &Path, only: &str, tell: &dyn Fn(&str)) -> Table {
    let mut table = Table::new([
        "storm",
        "ready for",
        "stored",
        "simulated",
        "requests",
        "simulated",
        "slowest",
        "simulated",
        "left INPROGRESS",
        "simulated",
    ]);
    for (name, scenario) in real() {
        if !name.contains(only) {
            continue;
        }
        let (tally, starts) = reporters::storm(binary, &scenario);
        let (stored, requests) = (tally.stored, tally.requests);
        tell(&format!("{name}: {stored} stored, {requests} requests"));
        let again = |_| Scenario {
            starts: starts.clone(),
            ..scenario.clone()
        };
        let runs = Runs::of(again, build_status, 100);
        table.row([
            name,
            tally.ready.to_string(),
            tally.stored.to_string(),
            runs.range(|tally| tally.stored, |stored| stored.to_string()),
            tally.requests.to_string(),
            runs.range(|tally| tally.requests, |requests| requests.to_string()),
            tenths(tally.slowest),
            runs.range(|tally| tally.slowest, tenths),
            tally.stuck.to_string(),
            runs.range(|tally| tally.stuck, |stuck| stuck.to_string()),
        ]);
    }
    table
}

/// Every rule where they differ.
pub(crate) fn rules() -> Table {
    type Case<'a> = (&'a str, Box<dyn Fn(u64) -> Scenario>);
    let cases: [Case; 11] = [
        ("70 at once", Box::new(|_| at_once(70))),
        (
            "70 at once, 900 s",
            Box::new(|_| at_once(70).within(seconds(900))),
        ),
        ("150 at once", Box::new(|_| at_once(150))),
        ("208 at once", Box::new(|_| at_once(208))),
        (
            "1,000 at once, 200 s",
            Box::new(|_| at_once(1000).within(seconds(200))),
        ),
        (
            "600 over 100 s",
            Box::new(|seed| at_once(0).and(600, seconds(100), seed)),
        ),
        (
            "150 at once and 3 a second for 100 s",
            Box::new(|seed| at_once(150).and(300, seconds(100), seed)),
        ),
        (
            "170 at once, then 70 every 15 s",
            Box::new(|_| {
                let wave = |wave: u64| [seconds(wave * 15); 70];
                let waves = (0..10).flat_map(wave).collect();
                let starts = [at_once(100).starts, waves].concat();
                Scenario {
                    starts,
                    ..at_once(0)
                }
                .and(0, Duration::ZERO, 0)
            }),
        ),
        (
            "1,000 over 100 s, 120 s",
            Box::new(|seed| {
                at_once(0)
                    .and(1000, seconds(100), seed)
                    .within(seconds(120))
            }),
        ),
        (
            "4 a second, refused from 1 to 3 min, 120 s",
            Box::new(|seed| stream_through_outage(seconds(120), seconds(120), seed)),
        ),
        (
            "4 a second, refused from 5 to 15 min, 900 s",
            Box::new(|seed| stream_through_outage(seconds(600), seconds(900), seed)),
        ),
    ];
    let mut heads = [""; 8];
    heads[0] = "what happens";
    for (head, (name, _)) in heads[1..].iter_mut().zip(RULES) {
        *head = name;
    }
    let mut table = Table::new(heads);
    for (name, scenario) in cases {
        let results = RULES.iter().map(|(_, rule)| {
            let runs = Runs::of(&scenario, *rule, 20);
            let (lost, cost) = (number(runs.needlessly()), runs.cost());
            format!("{lost} · {cost} · {}", tenths(runs.wait()))
        });
        table.row([name.to_owned()].into_iter().chain(results));
    }
    table
}

/// Many jobs.
pub(crate) fn scale() -> Table {
    let mut table = Table::new([
        "jobs",
        "--timeout",
        "ready for",
        "stored",
        "stored, full jitter",
        "requests each",
        "requests each, full jitter",
        "slowest",
    ]);
    let mut row = |name: String, scenario: &Scenario| {
        let [ours, first] =
            [build_status, full_jitter].map(|rule| Runs::of(|_| scenario.clone(), rule, 1));
        table.row([
            name,
            format!("{} s", scenario.timeout.as_secs()),
            number(ours.mean(|tally| tally.ready)),
            number(ours.mean(|tally| tally.stored)),
            number(first.mean(|tally| tally.stored)),
            ours.cost(),
            first.cost(),
            tenths(ours.slowest()),
        ]);
    };
    for jobs in [1000, 10_000, 100_000] {
        for timeout in [30, 120, 900] {
            let scenario = at_once(jobs).within(seconds(timeout));
            row(format!("{} at once", number(float(jobs))), &scenario);
        }
    }
    for tenths in [45, 50, 52, 55, 100] {
        for timeout in [30, 900] {
            let over = seconds(1_000_000 / tenths);
            let scenario = at_once(0).and(100_000, over, 1).within(seconds(timeout));
            let rate = float(usize::try_from(tenths).unwrap_or(0)) / 10.0;
            row(format!("100,000, {rate} a second"), &scenario);
        }
    }
    table
}

/// Times in which nobody gets through.
pub(crate) fn outages() -> Table {
    let mut table = Table::new([
        "outage",
        "--timeout",
        "what happens",
        "jobs",
        "ready for",
        "four retries",
        "full jitter",
        "build_status",
        "slowest",
    ]);
    for (length, name) in [(20, "20 s"), (120, "2 min"), (600, "10 min")] {
        for timeout in [30, 120, 900] {
            let (long, within) = (seconds(length), seconds(timeout));
            let burst = move |limit, kind| {
                move |_| {
                    let all = at_once(100).within(within).against(limit);
                    all.in_outage(Duration::ZERO, long, kind)
                }
            };
            let stream = move |seed| stream_through_outage(long, within, seed);
            let rows: [(&str, &dyn Fn(u64) -> Scenario); 4] = [
                (
                    "100 as it begins, refused, no limit",
                    &burst(Limit::None, Kind::Refuses),
                ),
                (
                    "100 as it begins, silent, no limit",
                    &burst(Limit::None, Kind::Silent),
                ),
                (
                    "100 as it begins, refused",
                    &burst(DATA_CENTER, Kind::Refuses),
                ),
                ("4 a second, before and after too", &stream),
            ];
            for (what, scenario) in rows {
                let [four, first, ours] = [four_retries, full_jitter, build_status]
                    .map(|rule| Runs::of(scenario, rule, 10));
                if ours.mean(|tally| tally.ready) < 0.5 {
                    continue; // nobody waits for so long
                }
                let stored = |runs: &Runs| number(runs.mean(|tally| tally.stored));
                table.row([
                    name.to_owned(),
                    format!("{timeout} s"),
                    what.to_owned(),
                    number(ours.mean(|tally| tally.jobs)),
                    number(ours.mean(|tally| tally.ready)),
                    stored(&four),
                    stored(&first),
                    stored(&ours),
                    tenths(ours.slowest()),
                ]);
            }
        }
    }
    table
}

/// What INPROGRESS costs.
pub(crate) fn in_progress() -> Table {
    let mut table = Table::new([
        "jobs at once",
        "INPROGRESS",
        "ready for",
        "stored",
        "left INPROGRESS",
        "requests each",
        "slowest",
    ]);
    for jobs in [60, 100, 150, 200, 1000] {
        for (name, announced) in [
            ("no", None),
            ("2 s before", Some(seconds(2))),
            ("20 s before", Some(seconds(20))),
            ("60 s before", Some(seconds(60))),
        ] {
            let scenario = |_| Scenario {
                announced,
                ..at_once(jobs)
            };
            let runs = Runs::of(scenario, build_status, 20);
            table.row([
                number(float(jobs)),
                name.to_owned(),
                number(runs.mean(|tally| tally.ready)),
                number(runs.mean(|tally| tally.stored)),
                number(runs.mean(|tally| tally.stuck)),
                runs.cost(),
                tenths(runs.slowest()),
            ]);
        }
    }
    table
}

/// A thousand an hour, and no word of how long to wait.
pub(crate) fn cloud() -> Table {
    let mut table = Table::new([
        "jobs",
        "--timeout",
        "ready for",
        "stored",
        "left INPROGRESS",
        "requests each",
    ]);
    let hours = |hours| Duration::from_hours(hours);
    let stream = move |jobs| move |seed| at_once(0).and(jobs, hours(10), seed);
    let rows: [(&str, &dyn Fn(u64) -> Scenario); 7] = [
        ("1,000 at once", &|_| at_once(1000)),
        ("1,100 at once", &|_| at_once(1100)),
        ("500 at once, INPROGRESS a minute before", &|_| {
            at_once(500).after_inprogress(seconds(60))
        }),
        ("600 at once, INPROGRESS a minute before", &|_| {
            at_once(600).after_inprogress(seconds(60))
        }),
        ("9,000 over 10 hours", &stream(9000)),
        ("10,000 over 10 hours", &stream(10_000)),
        ("11,000 over 10 hours", &stream(11_000)),
    ];
    for (name, scenario) in rows {
        for timeout in [30, 900] {
            let scenario = |seed| scenario(seed).against(CLOUD).within(seconds(timeout));
            let runs = Runs::of(scenario, build_status, 5);
            table.row([
                name.to_owned(),
                format!("{timeout} s"),
                number(runs.mean(|tally| tally.ready)),
                number(runs.mean(|tally| tally.stored)),
                number(runs.mean(|tally| tally.stuck)),
                runs.cost(),
            ]);
        }
    }
    table
}
