//! `forerun --version`: a process that does nothing.

use crate::measure::{Entrant, contest, least, median, run};
use crate::options::Options;
use crate::report::Report;
use crate::store::clean;

const BOUND_MILLISECONDS: f64 = 5.0;

/// Measures it, beside a program that does nothing at all.
pub fn measure(options: &Options, report: &mut Report) {
    report.say("\n## forerun --version\n");
    let series = contest(
        "version",
        50,
        vec![
            Entrant::new("forerun --version", || {
                run(clean(&options.forerun).arg("--version"))
            }),
            Entrant::new("true", || run(&mut clean("true"))),
        ],
    );
    report.table(&series);
    let walls = series[0].walls();
    let milliseconds = |value: Option<f64>| value.map(|value| value * 1000.0);
    report.bound(
        "forerun --version, median",
        milliseconds(median(&walls)),
        BOUND_MILLISECONDS,
        " ms",
    );
    report.bound(
        "forerun --version, least",
        milliseconds(least(&walls)),
        BOUND_MILLISECONDS,
        " ms",
    );
}
