//! What can be wrong with a directory: each with what, where and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use forerun_sql::Position;
use serde::Serialize;

/// Why a directory or one of its scripts cannot be used. Nothing has been run when one of these appears.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The text given as `--dir` names no local directory.
    #[error(
        "`{text}` is not a directory of migrations: {reason}. Give a path or a URL such as file:///src/"
    )]
    Location {
        /// As given.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// It does not exist.
    #[error(
        "the directory of migrations `{}` does not exist. Give its path with --dir; `forerun migrate new NAME` creates \
         one", path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It is a file.
    #[error("`{}` is not a directory. Give the directory that holds the migrations with --dir", path.display())]
    NotADirectory {
        /// What it is.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`: {source}{}", path.display(), io_advice(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What it answered.
        source: io::Error,
    },
    /// A link that leads nowhere.
    #[error("the link `{}` leads to `{}`, which does not exist. Correct or remove it", path.display(), target.display())]
    DanglingLink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Something with the name of a migration that is no file.
    #[error(
        "`{}` has the name of a migration, but is {what}. Put the file there (a mount of a file that does not exist makes a \
         directory of its name), or give it another name", path.display()
    )]
    NotAFile {
        /// Which.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It is another file than a moment ago.
    #[error(
        "`{}` was replaced while forerun was at work. Run it again when the directory is at rest", path.display()
    )]
    Replaced {
        /// Which.
        path: PathBuf,
    },
    /// `.sql` files whose names do not fit.
    #[error(
        "{} in `{}` {} no version: migrations are named {expected}. Rename {}, or give {} another ending than .sql if \
         not a migration",
        list(files),
        path.display(),
        if files.len() == 1 { "has" } else { "have" },
        if files.len() == 1 { "it" } else { "them" },
        if files.len() == 1 { "it" } else { "them" }
    )]
    FileName {
        /// Directory.
        path: PathBuf,
        /// Files.
        files: Vec<String>,
        /// The form they should have.
        expected: String,
    },
    /// Endings that say up or down, but not in lower case.
    #[error(
        "the endings .up.sql and .down.sql are written in lower case: in `{}` rename {}",
        path.display(),
        first_five(files.iter().map(|(file, right)| format!("`{file}` to `{right}`")))
    )]
    EndingCase {
        /// Directory.
        path: PathBuf,
        /// Files, and the names that they should have.
        files: Vec<(String, String)>,
    },
    /// Two scripts for the same version and direction.
    #[error(
        "`{first}` and `{second}` have the same version {version}. Give one of them a new number; if one is applied \
         somewhere already, it must be the other one"
    )]
    DuplicateVersion {
        /// Version as a number.
        version: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// Files of two layouts.
    #[error(
        "`{first}` is a file of the {first_layout} layout and `{second}` one of the {second_layout} layout: a directory \
         has one layout. Rename the files of one kind, or move them to a directory of their own"
    )]
    MixedLayouts {
        /// One file.
        first: String,
        /// Its layout.
        first_layout: &'static str,
        /// Another file.
        second: String,
        /// Its layout.
        second_layout: &'static str,
    },
    /// It can be read in two ways.
    #[error(
        "`{}` can be of the {first} layout ({first_because}) and of the {second} layout ({second_because}). Say which \
         with --layout {first} or --layout {second}", path.display()
    )]
    TwoLayouts {
        /// Directory.
        path: PathBuf,
        /// One layout.
        first: &'static str,
        /// What was seen of it.
        first_because: String,
        /// The other.
        second: &'static str,
        /// What was seen of it.
        second_because: String,
    },
    /// A directive of another layout in a file that would be read without it.
    #[error(
        "{}:{line}: this is a directive of {found}, and the directory is read as {layout}, which would run the file as \
         a whole. If the directory is one of {found}, say so with --layout {found}; else remove the comment, or give \
         --layout {layout} to read it all the same", path.display()
    )]
    ForeignDirective {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Layout that has such a directive.
        found: &'static str,
        /// Layout of the directory.
        layout: &'static str,
    },
    /// What of a directory its layout cannot read, or forerun cannot carry over.
    #[error("the directory `{}` cannot be read as {layout}:{}", path.display(), problem_list(problems))]
    Layout {
        /// Directory.
        path: PathBuf,
        /// Layout.
        layout: &'static str,
        /// What is wrong, file by file.
        problems: Vec<LayoutProblem>,
    },
    /// Something is in the directory that was to be new.
    #[error("`{}` is not empty. Give a directory that does not exist yet", path.display())]
    NotEmpty {
        /// Directory.
        path: PathBuf,
    },
    /// The layout has no file per migration that could be made.
    #[error("a new migration of the {layout} layout is not a file of its own: write it by hand into `{}`", path.display())]
    NoNewFiles {
        /// Directory.
        path: PathBuf,
        /// Layout.
        layout: &'static str,
    },
    /// A down script whose up script is missing.
    #[error(
        "`{file}` reverts version {version}, but there is no `{expected}`. Add it, or remove the down script"
    )]
    OrphanDown {
        /// The down script.
        file: String,
        /// Version as the file spells it.
        version: String,
        /// Name the up script would have.
        expected: String,
    },
    /// Not UTF-8 text.
    #[error("{}:{line}: {reason} at byte {offset}. Save the file as UTF-8", path.display())]
    NotText {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Bytes before the first wrong one.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The script cannot be split into statements.
    #[error("{}: {message}", place(path, position))]
    Syntax {
        /// File.
        path: PathBuf,
        /// Where; the start of a construct that has no end.
        position: Position,
        /// What is wrong.
        message: String,
    },
    /// A `-- forerun:` comment that is wrong, unknown or in the wrong place.
    #[error("{}: {message}", place(path, position))]
    Directive {
        /// File.
        path: PathBuf,
        /// Where.
        position: Position,
        /// What is wrong and what to do.
        message: String,
    },
    /// A script that begins or ends transactions itself.
    #[error("{}: `{statement}` {problem}", place(path, position))]
    TransactionControl {
        /// File.
        path: PathBuf,
        /// Where.
        position: Position,
        /// The statement, shortened.
        statement: String,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
    /// `forerun.sum` cannot be understood.
    #[error("{}:{line}: {reason}. Run `forerun migrate hash` to write it anew", path.display())]
    SumFormat {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A name for a new migration without a letter or digit.
    #[error(
        "`{name}` gives no file name: use letters, digits and underscores, such as add_email_to_users"
    )]
    Name {
        /// As given.
        name: String,
    },
    /// There is no number after the last version.
    #[error("there is no version after {last}. Rename the last migration to a smaller number")]
    VersionsUsedUp {
        /// The last version.
        last: String,
    },
}

/// One thing in a file that its layout does not allow, or that forerun cannot carry over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutProblem {
    /// The file.
    pub path: PathBuf,
    /// Where in it.
    pub position: Option<Position>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for LayoutProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.position {
            Some(position) => write!(
                formatter,
                "{}: {}",
                place(&self.path, position),
                self.message
            ),
            None => write!(formatter, "{}: {}", self.path.display(), self.message),
        }
    }
}

/// Problems that are shown; the rest are counted.
const SHOWN_PROBLEMS: usize = 20;

fn problem_list(problems: &[LayoutProblem]) -> String {
    let shown = problems.iter().take(SHOWN_PROBLEMS);
    let mut text: String = shown.map(|problem| format!("\n  {problem}")).collect();
    if let Some(more) = problems
        .len()
        .checked_sub(SHOWN_PROBLEMS)
        .filter(|more| *more > 0)
    {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

impl DirectoryError {
    /// For `map_err`: the operating system refused `action` on `path`.
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// The position in the file, where there is one, to show the line.
    pub fn position(&self) -> Option<(&Path, Position)> {
        match self {
            Self::Syntax { path, position, .. }
            | Self::Directive { path, position, .. }
            | Self::TransactionControl { path, position, .. } => Some((path, *position)),
            // Of several problems each names its place.
            Self::Layout { problems, .. } => match problems.as_slice() {
                [only] => only
                    .position
                    .map(|position| (only.path.as_path(), position)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The error without the place that [`DirectoryError::position`] gives, to stand beside it.
    pub fn without_place(&self) -> String {
        match self {
            Self::Syntax { message, .. } | Self::Directive { message, .. } => message.clone(),
            Self::TransactionControl {
                statement, problem, ..
            } => format!("`{statement}` {problem}"),
            Self::Layout {
                path,
                layout,
                problems,
            } => match problems.as_slice() {
                [only] if only.position.is_some() => {
                    format!(
                        "the directory `{}` cannot be read as {layout}: {}",
                        path.display(),
                        only.message
                    )
                }
                _ => self.to_string(),
            },
            _ => self.to_string(),
        }
    }
}

fn io_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            ". Check the permissions of the file and its directory for the user that runs forerun"
        }
        io::ErrorKind::NotFound => ". It may have been moved or removed while forerun was reading",
        _ => "",
    }
}

/// `file:line:column`, as editors and terminals understand it.
fn place(path: &Path, position: &Position) -> String {
    format!("{}:{}:{}", path.display(), position.line, position.column)
}

/// Names up to five files.
fn list(files: &[String]) -> String {
    first_five(files.iter().map(|file| format!("`{file}`")))
}

fn first_five(texts: impl ExactSizeIterator<Item = String>) -> String {
    let all = texts.len();
    let mut shown: Vec<String> = texts.take(5).collect();
    if all > 5 {
        shown.push(format!("{} more", all - 5));
    }
    shown.join(", ")
}

/// Something about a directory that a person should look at; it stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "warning")]
pub enum DirectoryWarning {
    /// There is no migration in it.
    Empty {
        /// Directory.
        path: PathBuf,
    },
    /// A file that looks like a migration and is not read.
    NearMiss {
        /// File.
        file: String,
    },
    /// Up and down script are named differently.
    NamesDiffer {
        /// Up script.
        up: String,
        /// Down script.
        down: String,
    },
    /// An up script without any statement.
    EmptyScript {
        /// File.
        file: String,
    },
    /// Something that its layout makes of a file, and people may not expect.
    Layout {
        /// File.
        file: String,
        /// Line, from 1, where it is about one.
        line: Option<u64>,
        /// What it is and what to do.
        message: String,
    },
}

impl fmt::Display for DirectoryWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { path } => {
                write!(formatter, "there are no migrations in `{}`", path.display())
            }
            Self::NearMiss { file } => {
                write!(
                    formatter,
                    "`{file}` looks like a migration but is not read: only files whose names end in .sql are"
                )
            }
            Self::NamesDiffer { up, down } => {
                write!(
                    formatter,
                    "`{down}` reverts `{up}`, whose name differs in more than the ending"
                )
            }
            Self::Layout {
                file,
                line,
                message,
            } => match line {
                Some(line) => write!(formatter, "{file}:{line}: {message}"),
                None => write!(formatter, "`{file}`: {message}"),
            },
            Self::EmptyScript { file } => {
                write!(
                    formatter,
                    "`{file}` holds no statement: it is recorded as applied without doing anything"
                )
            }
        }
    }
}
