//! Brings a rendered release into a cluster and tells what happens there.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
