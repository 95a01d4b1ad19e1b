//! SQL as text: where statements begin and end, what kind of statement each is, which directives
//! its comments hold, and a digest that ignores comments and spacing.
//!
//! This crate reads bytes that it is handed and never opens a file, a socket or a clock. It does
//! not parse SQL: it knows just enough of each dialect's lexical rules to cut a script exactly
//! where that database's own client would, and it must let through what it does not understand.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod classify;
mod dialect;
mod digest;
pub mod directive;
mod duration;
pub mod effect;
mod keyword;
mod lexer;
pub mod lint;
pub mod operation;
mod position;
pub mod schema;
mod session_effect;
mod split;

pub use classify::{Classification, LockClass, ObjectKind, ObjectName, TransactionUse, classify};
pub use dialect::Dialect;
pub use digest::SqlHasher;
pub use directive::{
    Contract, Directive, DirectiveError, DirectiveKind, parse_directives, refuse_inner_directives,
};
pub use duration::{DurationError, format_duration, parse_duration};
pub use position::Position;
pub use session_effect::{SessionEffect, session_effect, user_variables};
pub use split::{MAXIMUM_STATEMENT_BYTES, Piece, SplitError, Splitter, Statement};
