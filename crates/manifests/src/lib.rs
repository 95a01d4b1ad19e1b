//! From a values file to Kubernetes objects, and rules over manifests that anybody rendered.
//!
//! Pure: no network, no files, no clock. What depends on them (the stamp of a Job's name, the version of the
//! cluster) is an argument.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod check;
pub mod render;
pub mod values;
pub mod yaml;
