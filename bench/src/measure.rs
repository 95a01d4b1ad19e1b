//! One process, timed: wall time, processor time and peak memory as the kernel counts them (wait4(2)).
//! And what several entrants needed over several rounds.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one process needed.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// From just before it was started until it had ended.
    pub wall: Duration,
    /// User and system time of the process and of its own children.
    pub cpu: Duration,
    /// Peak resident memory in KiB.
    pub peak_kib: i64,
    /// The peak is only known to be no more than this: until it starts its program, a new process shares the
    /// memory of this one, and the kernel counts that too.
    pub peak_hidden: bool,
}

/// Runs a command to its end with its output in a file.
///
/// # Errors
/// It cannot be started, or it fails: its last lines.
pub fn run(command: &mut Command) -> Result<Sample, String> {
    let output = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    // Both on one open file description, so that they do not overwrite each other.
    let file: File = output.reopen().map_err(|error| error.to_string())?;
    let same = file.try_clone().map_err(|error| error.to_string())?;
    command.stdin(Stdio::null()).stdout(file).stderr(same);
    let own_peak = own_peak_kib();
    let started = Instant::now();
    let child = command
        .spawn()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let (status, usage) = wait(child.id())?;
    let wall = started.elapsed();
    if status != 0 {
        let text = std::fs::read_to_string(output.path()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(6)..].join("\n");
        return Err(format!(
            "{:?} ended with wait status {status}:\n{last}",
            command.get_program()
        ));
    }
    let time = |value: libc::timeval| {
        Duration::new(
            u64::try_from(value.tv_sec).unwrap_or(0),
            u32::try_from(value.tv_usec).unwrap_or(0) * 1000,
        )
    };
    Ok(Sample {
        wall,
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak_kib: usage.ru_maxrss,
        peak_hidden: usage.ru_maxrss <= own_peak,
    })
}

fn own_peak_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

#[allow(
    unsafe_code,
    reason = "the standard library does not tell what a child used"
)]
fn wait(pid: u32) -> Result<(i32, libc::rusage), String> {
    let pid = libc::pid_t::try_from(pid).map_err(|error| error.to_string())?;
    let mut status = 0;
    // SAFETY: an all-zero rusage is valid, and both pointers live through the call. The child is ours and is
    // waited for here only: its `Child` is dropped, which does not wait.
    let (result, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let result = loop {
            let result = libc::wait4(pid, &raw mut status, 0, &raw mut usage);
            if result >= 0
                || std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted
            {
                break result;
            }
        };
        (result, usage)
    };
    if result < 0 {
        return Err(format!(
            "cannot wait for process {pid}: {}",
            std::io::Error::last_os_error()
        ));
    }
    Ok((status, usage))
}

/// One who is measured: prepares, runs, checks and cleans up, and returns what the run itself took.
pub struct Entrant<'a> {
    /// For the table.
    pub name: String,
    /// One try.
    pub attempt: Box<dyn FnMut() -> Result<Sample, String> + 'a>,
    /// How many of the rounds it takes part in.
    pub rounds: usize,
}

impl<'a> Entrant<'a> {
    /// An entrant of every round.
    pub fn new(name: &str, attempt: impl FnMut() -> Result<Sample, String> + 'a) -> Self {
        Self {
            name: name.to_owned(),
            attempt: Box::new(attempt),
            rounds: usize::MAX,
        }
    }
}

/// The samples of one entrant, by round.
#[derive(Debug, Clone)]
pub struct Series {
    /// For the table.
    pub name: String,
    /// One per round until it failed.
    pub samples: Vec<Sample>,
    /// Why it takes part no longer.
    pub failure: Option<String>,
}

/// Lets every entrant run once per round. Who begins changes with each round, so that nobody always runs
/// after the same one.
pub fn contest(what: &str, rounds: usize, mut entrants: Vec<Entrant<'_>>) -> Vec<Series> {
    let count = entrants.len();
    let mut results: Vec<Series> = entrants
        .iter()
        .map(|entrant| Series {
            name: entrant.name.clone(),
            samples: Vec::new(),
            failure: None,
        })
        .collect();
    for round in 0..rounds {
        for place in 0..count {
            let index = (place + round) % count;
            let (entrant, series) = (&mut entrants[index], &mut results[index]);
            if series.failure.is_some() || round >= entrant.rounds {
                continue;
            }
            match (entrant.attempt)() {
                Ok(sample) => {
                    if rounds < 10 {
                        eprintln!(
                            "{what}, round {}: {}: {:.3} s",
                            round + 1,
                            entrant.name,
                            sample.wall.as_secs_f64()
                        );
                    }
                    series.samples.push(sample);
                }
                Err(error) => {
                    eprintln!("{what}: {} failed: {error}", entrant.name);
                    series.failure = Some(error);
                }
            }
        }
    }
    results
}

impl Series {
    /// Wall times in seconds.
    pub fn walls(&self) -> Vec<f64> {
        self.samples
            .iter()
            .map(|sample| sample.wall.as_secs_f64())
            .collect()
    }

    /// Our wall time divided by another's in the same round: the median over the rounds that both finished.
    /// What slows a whole round down (another process, the disk) falls out of it.
    pub fn ratio_to(&self, other: &Self) -> Option<f64> {
        let ratios: Vec<f64> = self
            .walls()
            .iter()
            .zip(other.walls())
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        median(&ratios)
    }

    /// Our least wall time divided by another's least.
    pub fn least_ratio_to(&self, other: &Self) -> Option<f64> {
        Some(least(&self.walls())? / least(&other.walls())?)
    }
}

/// The middle value; of an even count the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The smallest value.
pub fn least(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

/// The largest value.
pub fn greatest(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_process_is_measured() {
        let sample = run(Command::new("sh").args(["-c", "sleep 0.05"])).expect("it runs");
        assert!(sample.wall >= Duration::from_millis(50));
        assert!(sample.peak_kib > 0);
    }

    #[test]
    fn a_failure_shows_what_the_process_said() {
        let error = run(Command::new("sh").args(["-c", "echo lost; echo why >&2; exit 3"]))
            .expect_err("it fails");
        assert!(error.contains("lost\nwhy"), "{error}");
    }
}
