//! Random numbers from a seed that is printed, so that a failed round can be repeated.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
pub struct Random {
    state: u64,
}

impl Random {
    /// From `FORERUN_TEST_SEED`, else from the clock. The seed is printed: the test harness shows it with a failure.
    #[allow(
        clippy::disallowed_methods,
        reason = "a setting of the test run, not of the program"
    )]
    pub fn seeded() -> Self {
        let seed = std::env::var("FORERUN_TEST_SEED").map_or_else(
            |_| {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                u64::try_from(now.unwrap_or_default().as_nanos() & u128::from(u64::MAX))
                    .unwrap_or_default()
            },
            |seed| seed.parse().expect("FORERUN_TEST_SEED is a number"),
        );
        println!("FORERUN_TEST_SEED={seed}");
        Self { state: seed }
    }

    /// Another sequence, for another thread.
    pub fn another(&mut self) -> Self {
        Self {
            state: self.number(),
        }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `limit`, without it.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    /// A moment within `duration`.
    pub fn moment(&mut self, duration: Duration) -> Duration {
        let nanoseconds = u64::try_from(duration.as_nanos()).expect("less than 500 years");
        Duration::from_nanos(self.below(nanoseconds.max(1)))
    }
}
