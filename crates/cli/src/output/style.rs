//! Colours, durations and text that is safe to print.

pub use forerun_migrations::number::count;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What went wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What needs attention.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Titles.
pub const STRONG: Style = Style::new().bold();
/// What is less important.
pub const DIM: Style = Style::new().dimmed();

/// Text in a style. Styles are removed again where the output is no terminal.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Text from outside (a server, a file) without control characters, which could rewrite a terminal or forge a line.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => character,
            control if control.is_control() => '·',
            other => other,
        })
        .collect()
}

/// The same on one line.
pub fn one_line(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    printable(&line.join(" "))
}

/// How long something took, with as many digits as a person reads: `12ms`, `1.4s`, `3m20s`.
pub fn took(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.9995 {
        format!("{:.0}ms", (seconds * 1000.0).max(1.0))
    } else if seconds < 59.95 {
        format!("{seconds:.1}s")
    } else {
        forerun_sql::format_duration(Duration::from_secs(duration.as_secs()))
    }
}

/// A duration in whole seconds, for waiting.
pub fn whole_seconds(duration: Duration) -> String {
    forerun_sql::format_duration(Duration::from_secs(duration.as_secs()))
}

/// Bytes for people.
pub fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_for_people() {
        for (milliseconds, text) in [
            (0, "1ms"),
            (12, "12ms"),
            (999, "999ms"),
            (1400, "1.4s"),
            (59_960, "59s"),
            (200_000, "3m20s"),
        ] {
            assert_eq!(took(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2J\tb\rc"), "a·[2J\tb·c");
        assert_eq!(one_line(" a\n  b "), "a b");
    }
}
