//! The exit codes: a contract with scripts and with `podFailurePolicy` of Kubernetes Jobs.

/// How a command ended, for whoever started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done,
    /// A bug in forerun.
    Bug,
    /// Usage or configuration.
    Usage,
    /// A migration failed.
    MigrationFailed,
    /// History and directory contradict each other.
    Conflict,
    /// A safety rule forbids it.
    Refused,
    /// Something is pending.
    NotUpToDate,
    /// Worth another try.
    Temporary,
    /// A signal, by number.
    Interrupted(i32),
    /// What the command of `forerun exec` ended with.
    OfCommand(u8),
}

/// One line of the documentation.
pub struct ExitCodeEntry {
    /// The code as written in the documentation.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What whoever started forerun should do.
    pub action: &'static str,
}

/// All codes, for the documentation.
pub const TABLE: [ExitCodeEntry; 9] = [
    ExitCodeEntry {
        code: "0",
        meaning: "Done, or nothing to do.",
        action: "Go on.",
    },
    ExitCodeEntry {
        code: "1",
        meaning: "A bug in forerun.",
        action: "Report it. Not worth another try.",
    },
    ExitCodeEntry {
        code: "2",
        meaning: "Usage or configuration: an option, the URL, user or password, a missing privilege, a directory or \
                  script that cannot be read as text.",
        action: "Correct it. Not worth another try.",
    },
    ExitCodeEntry {
        code: "3",
        meaning: "A migration failed: the database refused a statement, a statement ran longer than \
                  `--statement-timeout`, or an assertion does not hold.",
        action: "Correct the script or the data. Not worth another try.",
    },
    ExitCodeEntry {
        code: "4",
        meaning: "History and directory contradict each other: a script was changed or is missing, is out of order, \
                  cannot be resumed or has a statement in doubt, or does not match `forerun.sum`; or the history of \
                  another tool cannot be taken over as it is.",
        action: "Look and decide; the message names the commands. Not worth another try.",
    },
    ExitCodeEntry {
        code: "5",
        meaning: "Refused by a safety rule, or `check` found errors.",
        action: "Do what the message asks for. Not worth another try.",
    },
    ExitCodeEntry {
        code: "6",
        meaning: "Not up to date: `status --exit-code` found something pending, `wait` ran out, or the new version that \
                  `deploy` has applied does not become ready.",
        action: "Run the migrations, wait longer, or correct the application.",
    },
    ExitCodeEntry {
        code: "75",
        meaning: "Temporary: the database cannot be reached or accepts no writes, the connection or the runner lock was \
                  lost, the runner lock or a table lock was not obtained in time, the time limit was reached, the disk \
                  of the server is full.",
        action: "Try again: the next run goes on where this one stopped.",
    },
    ExitCodeEntry {
        code: "130, 143, 129",
        meaning: "Interrupted by SIGINT, SIGTERM or SIGHUP, and left clean.",
        action: "Try again: the next run goes on where this one stopped.",
    },
];

impl ExitCode {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bug => 1,
            Self::Usage => 2,
            Self::MigrationFailed => 3,
            Self::Conflict => 4,
            Self::Refused => 5,
            Self::NotUpToDate => 6,
            Self::Temporary => 75,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Self::OfCommand(code) => code,
        }
    }

    /// A stable word for `outcome` in JSON, where there is no error that has a better one.
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Bug => "bug",
            Self::Usage => "usage",
            Self::MigrationFailed | Self::OfCommand(_) => "failed",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::NotUpToDate => "not_up_to_date",
            Self::Temporary => "temporary",
            Self::Interrupted(_) => "interrupted",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        code.number().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_contract() {
        let codes = [
            (ExitCode::Done, 0),
            (ExitCode::Bug, 1),
            (ExitCode::Usage, 2),
            (ExitCode::MigrationFailed, 3),
            (ExitCode::Conflict, 4),
            (ExitCode::Refused, 5),
            (ExitCode::NotUpToDate, 6),
            (ExitCode::Temporary, 75),
            (ExitCode::Interrupted(2), 130),
            (ExitCode::Interrupted(15), 143),
            (ExitCode::OfCommand(17), 17),
        ];
        for (code, number) in codes {
            assert_eq!(code.number(), number);
        }
    }
}
