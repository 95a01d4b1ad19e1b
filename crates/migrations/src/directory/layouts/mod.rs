//! The layouts, one file or directory each. `numbered`, `problems` and `toml` are what several of them share.

pub(super) mod atlas;
mod atlas_delimiter;
pub(super) mod dbmate;
pub(super) mod diesel;
pub(super) mod flyway;
pub(super) mod golang_migrate;
pub(super) mod goose;
pub(super) mod liquibase;
pub(super) mod native;
mod numbered;
mod problems;
pub(super) mod refinery;
#[cfg(test)]
mod sample;
pub(super) mod sqlx;
pub(super) mod tern;
mod toml;

pub(super) use numbered::up_text;
