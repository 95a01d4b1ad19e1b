//! Any text as comments, directives and durations: nothing fails, and places lie in the text.
#![no_main]

use forerun_sql::{
    Dialect, DirectiveKind, Position, format_duration, parse_directives, parse_duration,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let dialect = match first % 3 {
        0 => Dialect::Postgres,
        1 => Dialect::Mysql,
        _ => Dialect::Sqlite,
    };
    for leading in [text.to_owned(), format!("-- forerun:{text}")] {
        let start = |offset: u64| Position::START.after(&leading.as_bytes()[..offset as usize]);
        match parse_directives(dialect, &leading, Position::START) {
            Ok(directives) => {
                for directive in directives {
                    let position = directive.position;
                    assert_eq!(position, start(position.offset));
                    let comment = &leading[position.offset as usize..];
                    assert!(comment.starts_with("--") || comment.starts_with('#'));
                    if let DirectiveKind::Assert { message } = directive.kind {
                        assert!(!message.trim().is_empty());
                    }
                }
            }
            Err(error) => {
                assert_eq!(error.position, start(error.position.offset));
                assert!(!error.message.is_empty());
            }
        }
    }
    if let Ok(duration) = parse_duration(text) {
        assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
    }
});
