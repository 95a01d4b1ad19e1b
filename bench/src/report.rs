//! Markdown tables and verdicts.

use std::fmt::Write;

use crate::measure::{Series, greatest, least, median};

/// The limit of [`Report::ratio`] that equality does not meet.
pub const FASTER: f64 = 1.0;

/// Prints, and counts the bounds that do not hold.
#[derive(Debug, Default)]
pub struct Report {
    /// Bounds that do not hold.
    pub failed: usize,
    /// What could not be measured.
    pub unmeasured: usize,
}

impl Report {
    /// Prints lines at once: a run takes many minutes.
    pub fn say(&self, text: &str) {
        println!("{text}");
    }

    /// A table of wall times: the first series is forerun's, the others are compared with it.
    pub fn table(&self, series: &[Series]) {
        let Some((ours, others)) = series.split_first() else {
            return;
        };
        self.say("| | median | min … max | CPU | peak memory | forerun ÷ this |");
        self.say("|---|--:|--:|--:|--:|--:|");
        self.say(&row(ours, "1.00"));
        for other in others {
            let ratio = ours
                .ratio_to(other)
                .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            self.say(&row(other, &ratio));
        }
        self.say("");
        for failed in series.iter().filter(|series| series.failure.is_some()) {
            let reason = failed
                .failure
                .as_deref()
                .unwrap_or_default()
                .replace('\n', " / ");
            self.say(&format!(
                "- {} could not be measured: {reason}",
                failed.name
            ));
        }
    }

    /// One bound. `value` is `None` when it could not be measured.
    pub fn bound(&mut self, what: &str, value: Option<f64>, limit: f64, unit: &str) {
        self.verdict(
            what,
            value,
            &format!("at most {limit}{unit}"),
            unit,
            |value| value <= limit,
        );
    }

    /// A bound on our wall time divided by another's: the median over the rounds counts. The quotient of the
    /// least times is shown beside it, since it suffers least from what else the machine did.
    pub fn ratio(&mut self, what: &str, ours: &Series, other: &Series, limit: f64) {
        let what = match ours.least_ratio_to(other) {
            Some(least) => format!("{what} (least ÷ least {least:.2})"),
            None => what.to_owned(),
        };
        if limit == FASTER {
            self.verdict(&what, ours.ratio_to(other), "below 1", "", |value| {
                value < 1.0
            });
        } else {
            self.bound(&what, ours.ratio_to(other), limit, "");
        }
    }

    fn verdict(
        &mut self,
        what: &str,
        value: Option<f64>,
        limit: &str,
        unit: &str,
        holds: impl Fn(f64) -> bool,
    ) {
        match value {
            Some(value) => {
                let word = if holds(value) { "PASS" } else { "FAIL" };
                self.failed += usize::from(!holds(value));
                self.say(&format!("- **{word}** {what}: {value:.2}{unit} ({limit})"));
            }
            None => {
                self.unmeasured += 1;
                self.say(&format!("- **NOT MEASURED** {what} ({limit})"));
            }
        }
    }
}

fn row(series: &Series, ratio: &str) -> String {
    let walls = series.walls();
    let (Some(middle), Some(low), Some(high)) = (median(&walls), least(&walls), greatest(&walls))
    else {
        return format!("| {} | – | – | – | – | – |", series.name);
    };
    let cpu: Vec<f64> = series
        .samples
        .iter()
        .map(|sample| sample.cpu.as_secs_f64())
        .collect();
    let highest = series.samples.iter().max_by_key(|sample| sample.peak_kib);
    let (peak, at_most) = highest.map_or((0, ""), |sample| {
        (sample.peak_kib, if sample.peak_hidden { "≤ " } else { "" })
    });
    let mut text = String::new();
    let _ = write!(
        text,
        "| {} | {} | {} … {} | {} | {at_most}{:.1} MiB | {ratio} |",
        series.name,
        seconds(middle),
        seconds(low),
        seconds(high),
        seconds(median(&cpu).unwrap_or(0.0)),
        peak_mib(peak),
    );
    text
}

/// MiB of KiB.
#[allow(
    clippy::cast_precision_loss,
    reason = "a process has less than 2^53 KiB"
)]
pub fn peak_mib(kib: i64) -> f64 {
    kib as f64 / 1024.0
}

fn seconds(value: f64) -> String {
    if value < 1.0 {
        format!("{:.1} ms", value * 1000.0)
    } else {
        format!("{value:.2} s")
    }
}
