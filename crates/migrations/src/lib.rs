//! The migration engine.
//!
//! Data flows one way: [`directory`] (files) and [`history`] (what the database remembers) make a [`plan`]
//! (pure), which the [`executor`] runs against the traits of [`database`]; everything that happens leaves as an
//! [`event`]. No driver, no terminal, no environment variable and no Kubernetes in here.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod database;
pub mod directory;
pub mod error;
pub mod event;
pub mod executor;
pub mod history;
pub mod ledger;
pub mod lint;
pub mod masking;
pub mod number;
pub mod plan;
pub mod trace;
