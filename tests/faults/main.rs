//! Faults below HTTP, and what the binary makes of them. `docs/faults.md` has the table, which
//! `UPDATE=1 cargo test --test faults` writes.

#![cfg(target_os = "linux")] // the words of its errors, and network namespaces
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod answers;
mod around;
mod case;
mod connections;
mod dns;
mod front;
mod names;
mod proxy;
mod reports;
mod table;
mod tls;

#[expect(dead_code, reason = "the other suite needs more of it")]
#[path = "../suite/support.rs"]
mod support;

use std::sync::Mutex;
use std::thread;

use case::{Case, Row};

/// How many faults are tried at a time. They mostly wait.
const AT_A_TIME: usize = 10;

/// Tries every case, and returns its line of the table. On a machine that is very busy the times may
/// not hold: a line that failed among others, or is not the one on the page, is tried once more by
/// itself.
fn run_all(cases: Vec<Case>) -> Vec<Row> {
    let only = std::env::var("FAULT").ok();
    let cases: Vec<_> = cases
        .into_iter()
        .filter(|case| only.as_ref().is_none_or(|only| case.fault().contains(only)))
        .collect();
    let queue = Mutex::new(cases.iter().cloned().enumerate());
    let rows = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some((number, case)) = queue.lock().unwrap().next() else {
                        break;
                    };
                    let row = run(case);
                    rows.lock().unwrap().push((number, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|(number, _)| *number);
    let again = |(number, row): (usize, Row)| {
        if row.has_failed() || !table::has(&row) {
            run(cases[number].clone())
        } else {
            row
        }
    };
    rows.into_iter().map(again).collect()
}

/// A panic of one case must not keep the others from being tried.
fn run(case: Case) -> Row {
    let fault = case.fault();
    let row = thread::spawn(|| case.run()).join();
    row.unwrap_or_else(|_| Row::failed(fault))
}

#[test]
fn every_fault_ends_as_the_table_says() {
    let here = |cases| Some(run_all(cases));
    let sections = [
        ("Connections", here(connections::cases())),
        ("Answers", here(answers::cases())),
        ("TLS", here(tls::cases())),
        ("Proxies", here(proxy::cases())),
        ("Names and addresses", names::run_elsewhere()),
        ("INPROGRESS, and `run`", here(reports::cases())),
        ("Working copy, files, processes", here(around::cases())),
    ];
    table::hold(&sections);
}

/// The part of the test above that runs in a network of its own.
#[test]
#[ignore = "the other test calls it in a namespace"]
fn names_and_addresses() {
    names::run_here();
}
