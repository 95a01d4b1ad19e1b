//! What is wrong with values, in words, with the place and its line.

use std::fmt;

/// Whether values can be used in spite of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// They cannot.
    Error,
    /// They can, but it is hardly what was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// Where a problem stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name, or the command-line option with its first key (`--set a.b`).
    pub source: String,
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
    /// The line. Values that may be secret are `…`; of a long line, the part around the place.
    pub text: String,
    /// Characters of `text` before the place.
    pub caret: usize,
}

impl Place {
    /// `values.yaml:12:7`; a command-line option has no lines.
    fn position(&self) -> String {
        if self.source.starts_with("--set") {
            return self.source.clone();
        }
        format!("{}:{}:{}", self.source, self.line, self.column)
    }
}

/// One thing that is wrong with values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The path of the key, such as `deployments.my-app.migrations.steps[0].name`; empty where there is none.
    pub path: String,
    /// Where it was written.
    pub place: Option<Place>,
    /// What is wrong. Never holds a value that may be secret.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(formatter, "{}: ", place.position())?;
        }
        write!(formatter, "{}: {}", self.severity, self.message)?;
        if !self.path.is_empty() {
            write!(formatter, "\n  at {}", self.path)?;
        }
        if let Some(place) = &self.place {
            let line = if place.source.starts_with("--set") {
                String::new()
            } else {
                place.line.to_string()
            };
            let margin = " ".repeat(line.len());
            let gap = " ".repeat(place.caret);
            write!(
                formatter,
                "\n  {line} | {}\n  {margin} | {gap}^",
                place.text
            )?;
        }
        if let Some(help) = &self.help {
            write!(formatter, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// Why values cannot be used: at least one error, and the warnings beside it, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            if number > 0 {
                formatter.write_str("\n\n")?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
