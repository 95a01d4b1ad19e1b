//! What a layout finds wrong with a directory, collected so that everything is said at once. Shared by the layouts; the
//! sentences are theirs.

use std::path::PathBuf;

use forerun_sql::Position;

use super::super::Migration;
use super::super::error::{DirectoryError, LayoutProblem};
use super::super::folder::{FileText, Folder};

/// What is wrong so far.
pub(super) struct Problems {
    root: PathBuf,
    layout: &'static str,
    found: Vec<LayoutProblem>,
}

impl Problems {
    /// None yet. `layout` is the name of the layout that reads.
    pub fn new(folder: &Folder, layout: &'static str) -> Self {
        Self {
            root: folder.path().to_owned(),
            layout,
            found: Vec::new(),
        }
    }

    /// Something about a whole file.
    pub fn file(&mut self, name: &str, message: impl Into<String>) {
        self.found.push(LayoutProblem {
            path: self.root.join(name),
            position: None,
            message: message.into(),
        });
    }

    /// Something at a byte of a file's text.
    pub fn place(&mut self, text: &FileText, offset: usize, message: impl Into<String>) {
        let before = text.text().get(..offset).unwrap_or_default();
        self.found.push(LayoutProblem {
            path: text.path().to_owned(),
            position: Some(Position::START.after(before.as_bytes())),
            message: message.into(),
        });
    }

    /// Versions that do not grow in the order in which the peer runs them, which is that of `sorted_by`.
    pub fn order(&mut self, migrations: &[Migration], sorted_by: &str) {
        for pair in migrations.windows(2) {
            if let [first, second] = pair
                && first.version > second.version
            {
                let message = format!(
                    "{} runs `{}` before it, since it goes by {sorted_by}, but forerun goes by numbers and {} comes before \
                     {}. Give all versions the same number of digits, with zeros in front",
                    self.layout, first.up.file_name, second.version_text, first.version_text,
                );
                self.file(&second.up.file_name, message);
            }
        }
    }

    /// An error when there is any.
    pub fn finish(self) -> Result<(), DirectoryError> {
        if self.found.is_empty() {
            return Ok(());
        }
        Err(DirectoryError::Layout {
            path: self.root,
            layout: self.layout,
            problems: self.found,
        })
    }
}
