//! How often and how long: lock timeouts per try, pauses between tries.
//!
//! A statement that waits for a strong lock makes everybody behind it wait as well, so each try is short, the pause
//! lets the queue drain, and only the sum is long.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

/// Lock timeouts of the first tries, in milliseconds; the last one repeats.
const RAMP: [u64; 9] = [200, 200, 500, 500, 1000, 1000, 2000, 2000, 5000];
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Lock timeout of a try (from 1), never more than `cap`.
pub fn lock_timeout(attempt: i64, cap: Duration) -> Duration {
    let index = usize::try_from(attempt - 1)
        .unwrap_or(0)
        .min(RAMP.len() - 1);
    Duration::from_millis(RAMP[index]).min(cap)
}

/// Pause after a failed try (from 1): exponential with full jitter, from 0 to at most 30 s.
pub fn pause(attempt: i64) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(10);
    let ceiling = FIRST_PAUSE
        .saturating_mul(1 << doublings)
        .min(LONGEST_PAUSE);
    ceiling.mul_f64(random_fraction())
}

/// A random number from 0 to 1. The keys of the standard hasher come from the operating system.
pub fn random_fraction() -> f64 {
    let bits = RandomState::new().hash_one(Instant::now());
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    let fraction = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

/// The budget for retries of one unit of work. The clock starts with the first failure.
#[derive(Debug)]
pub struct Budget {
    total: Duration,
    first_failure: Option<Instant>,
}

impl Budget {
    /// A fresh one.
    pub fn new(total: Duration) -> Self {
        Self {
            total,
            first_failure: None,
        }
    }

    /// Notes a failure; what is left, or `None` when it is used up.
    pub fn after_failure(&mut self) -> Option<Duration> {
        let since = *self.first_failure.get_or_insert_with(Instant::now);
        self.total
            .checked_sub(since.elapsed())
            .filter(|left| !left.is_zero())
    }

    /// Time since the first failure.
    pub fn spent(&self) -> Duration {
        self.first_failure
            .map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_start_short_and_are_capped() {
        assert_eq!(
            lock_timeout(1, Duration::from_secs(5)),
            Duration::from_millis(200)
        );
        assert_eq!(
            lock_timeout(9, Duration::from_secs(5)),
            Duration::from_secs(5)
        );
        assert_eq!(
            lock_timeout(100, Duration::from_secs(5)),
            Duration::from_secs(5)
        );
        assert_eq!(
            lock_timeout(9, Duration::from_secs(1)),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn pauses_stay_below_their_ceiling() {
        for attempt in 1..60 {
            assert!(pause(attempt) <= LONGEST_PAUSE);
        }
        assert!(pause(1) <= FIRST_PAUSE);
    }

    #[test]
    fn an_empty_budget_allows_no_retry() {
        assert_eq!(Budget::new(Duration::ZERO).after_failure(), None);
        assert!(
            Budget::new(Duration::from_secs(60))
                .after_failure()
                .is_some()
        );
    }
}
