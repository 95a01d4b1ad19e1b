//! One script: a file, or the parts of a file that a layout makes a script of.
//!
//! The engine runs native text only. A layout that keeps several scripts in one file, or has directives of its own,
//! says which bytes of the file belong to a script and what stands in their place; [`Script::open`] makes the text of
//! it. Lines and, where nothing was replaced, columns stay what they are in the file, so that every place that is
//! named later is the place in the file.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::digest::FileReader;
use super::error::DirectoryError;
use super::inspect::{FileStamp, ScriptSummary};
use crate::history::Direction;

/// Buffer for reading a script: few calls to the system for gigabytes of COPY rows.
const BUFFER_BYTES: usize = 256 * 1024;

/// One script.
#[derive(Debug, Clone, Serialize)]
pub struct Script {
    /// Where its file is.
    pub path: PathBuf,
    /// What it does.
    pub direction: Direction,
    /// The name to show and record: that of its file from the directory on, with more where a file has several
    /// migrations.
    pub file_name: String,
    /// Size of its text, without the lines of other scripts in the same file.
    pub bytes: u64,
    /// SHA-256 of its part of the file without byte order mark and with LF line ends, lower-case hex.
    pub normalized: String,
    /// SHA-256 of the bytes, lower-case hex.
    pub raw: String,
    /// Where the layout says that it must not run in a transaction: its words for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_transaction: Option<String>,
    /// `None`: the whole file as it is.
    #[serde(skip)]
    pub(super) part: Option<Arc<Part>>,
}

impl Script {
    /// A whole file of native text; `digests` are those of the normalised text and of the bytes.
    pub(super) fn new(
        path: PathBuf,
        file_name: &str,
        direction: Direction,
        bytes: u64,
        (normalized, raw): (String, String),
    ) -> Self {
        Self {
            path,
            direction,
            file_name: file_name.to_owned(),
            bytes,
            normalized,
            raw,
            no_transaction: None,
            part: None,
        }
    }
}

/// What of a file is a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Size of the file when this was made.
    pub file_bytes: u64,
    /// Bytes of the text (without byte order mark) that belong to it. Where they are not in the order of the text, lines
    /// are not those of the file.
    pub keep: Vec<Range<usize>>,
    /// What stands in place of some of them, in the same order.
    pub edits: Vec<Edit>,
}

/// A replacement in a part of a file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// Bytes of the text that it replaces.
    pub range: Range<usize>,
    /// What stands there instead. May hold a secret.
    pub with: String,
}

impl std::fmt::Debug for Edit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Edit")
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

impl Part {
    /// Size of the text without what is blanked. A file may have thousands of parts, so nothing is put together here.
    pub fn bytes(&self) -> u64 {
        let kept: usize = self.keep.iter().map(Range::len).sum();
        let replaced: usize = self.edits.iter().map(|edit| edit.range.len()).sum();
        let added: usize = self.edits.iter().map(|edit| edit.with.len()).sum();
        (kept + added).saturating_sub(replaced) as u64
    }

    /// The native text: what is not kept becomes empty lines, or spaces before something kept in the same line.
    pub fn native_text(&self, text: &str) -> String {
        let mut native = String::with_capacity(text.len());
        let mut edits = self.edits.iter().peekable();
        let mut at = 0;
        for range in &self.keep {
            blank(text.get(at..range.start).unwrap_or_default(), &mut native);
            at = range.start;
            while let Some(edit) =
                edits.next_if(|edit| range.start <= edit.range.start && edit.range.end <= range.end)
            {
                native.push_str(text.get(at..edit.range.start).unwrap_or_default());
                native.push_str(&edit.with);
                at = edit.range.end;
            }
            native.push_str(text.get(at..range.end).unwrap_or_default());
            at = range.end;
        }
        native
    }
}

/// Line ends, and spaces for what stands in the last line.
fn blank(left_out: &str, native: &mut String) {
    let last_line = left_out.rfind('\n').map_or(0, |end| end + 1);
    let (lines, rest) = left_out.split_at(last_line);
    native.extend(lines.matches('\n'));
    native.extend(rest.chars().map(|_| ' '));
}

impl Script {
    /// Opens the native text for reading from its start.
    pub fn open(&self) -> Result<Box<dyn BufRead + Send>, DirectoryError> {
        self.open_file().map(|(_, reader)| reader)
    }

    /// Opens the text that `summary` was made of.
    ///
    /// # Errors
    /// [`DirectoryError::Replaced`] when it is another one now.
    pub(crate) fn open_inspected(
        &self,
        summary: &ScriptSummary,
    ) -> Result<Box<dyn BufRead + Send>, DirectoryError> {
        let (stamp, reader) = self.open_file()?;
        if summary
            .stamp
            .as_ref()
            .is_some_and(|inspected| *inspected != stamp)
        {
            return Err(self.replaced());
        }
        Ok(reader)
    }

    /// The native text.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn native_text(&self) -> Result<String, DirectoryError> {
        let mut text = String::new();
        let read = self.open()?.read_to_string(&mut text);
        read.map_err(DirectoryError::io("read", &self.path))?;
        Ok(text)
    }

    /// All bytes of its file, also those that are no part of it.
    ///
    /// # Errors
    /// When it cannot be read, or is another one now.
    pub(crate) fn file_bytes(&self) -> Result<Vec<u8>, DirectoryError> {
        let bytes = std::fs::read(&self.path).map_err(DirectoryError::io("read", &self.path))?;
        let expected = self
            .part
            .as_ref()
            .map_or(self.bytes, |part| part.file_bytes);
        if bytes.len() as u64 == expected {
            Ok(bytes)
        } else {
            Err(self.replaced())
        }
    }

    pub(super) fn open_file(&self) -> Result<(FileStamp, Box<dyn BufRead + Send>), DirectoryError> {
        let file = File::open(&self.path).map_err(DirectoryError::io("open", &self.path))?;
        let stamp = FileStamp::of(&file).map_err(DirectoryError::io("read", &self.path))?;
        let expected = self
            .part
            .as_ref()
            .map_or(self.bytes, |part| part.file_bytes);
        if stamp.bytes != expected {
            return Err(self.replaced());
        }
        let Some(part) = &self.part else {
            // Enough for a small file as a whole, and for the calls to the system to be few on a large one.
            let buffer = usize::try_from(self.bytes)
                .map_or(BUFFER_BYTES, |bytes| (bytes + 1).clamp(512, BUFFER_BYTES));
            return Ok((stamp, Box::new(BufReader::with_capacity(buffer, file))));
        };
        let text = FileReader::new().text_from(file, &self.path)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok((stamp, Box::new(Cursor::new(part.native_text(text)))))
    }

    /// A script without a file.
    #[cfg(test)]
    pub(crate) fn for_test(file_name: &str, digest: &str) -> Self {
        Self {
            path: file_name.into(),
            file_name: file_name.to_owned(),
            direction: Direction::Up,
            bytes: 1,
            normalized: digest.to_owned(),
            raw: digest.to_owned(),
            no_transaction: None,
            part: None,
        }
    }

    fn replaced(&self) -> DirectoryError {
        DirectoryError::Replaced {
            path: self.path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(text: &str, keep: &[&str], edits: &[(&str, &str)]) -> String {
        let range = |part: &str| {
            let start = text.find(part).unwrap();
            start..start + part.len()
        };
        let part = Part {
            file_bytes: 0,
            keep: keep.iter().map(|part| range(part)).collect(),
            edits: edits
                .iter()
                .map(|(part, with)| Edit {
                    range: range(part),
                    with: (*with).to_owned(),
                })
                .collect(),
        };
        part.native_text(text)
    }

    #[test]
    fn what_is_left_out_leaves_its_lines() {
        let text = "-- up\na;\n-- down\r\nb;\n";
        assert_eq!(native(text, &["a;\n"], &[]), "\na;\n");
        assert_eq!(native(text, &["b;\n"], &[]), "\n\n\nb;\n");
        assert_eq!(native(text, &[], &[]), "");
        assert_eq!(native(text, &["a;\n", "b;\n"], &[]), "\na;\n\nb;\n");
    }

    #[test]
    fn what_stands_in_the_middle_of_a_line_keeps_its_column() {
        assert_eq!(native("x\n--rück b;", &["b;"], &[]), "\n       b;");
    }

    #[test]
    fn parts_may_change_places() {
        let text = "1 a\n2 b\n3 c\n";
        let native = native(text, &["3 c\n", "1 a\n"], &[("3", "x"), ("1", "y")]);
        assert_eq!(native, "\n\nx c\ny a\n");
    }

    #[test]
    fn edits_are_carried_out_inside_of_what_is_kept() {
        let text = "up\na ${x} b ${y};\ndown ${z}";
        let native = native(text, &["a ${x} b ${y};\n"], &[("${x}", "1"), ("${y}", "")]);
        assert_eq!(native, "\na 1 b ;\n");
    }
}
