//! forerun beside the migration tools whose directories it reads: the real programs, as `scripts/peers` installs them,
//! on real databases. Where one of them has migrated a database, forerun takes over; what the database holds at the end
//! is what the other tool would have made of it.
//!
//! A peer that is not installed is SKIPPED, and a failure where `CI` is set. The directories are in
//! `crates/migrations/tests/layouts`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "../story/mod.rs"]
mod story;

mod journey;
mod place;

mod atlas;
mod corpora;
mod dbmate;
mod diesel;
mod flyway;
mod golang_migrate;
mod goose;
mod liquibase;
mod refinery;
mod sqlx;
mod tern;
