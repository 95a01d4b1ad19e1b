//! The statements of a script, as many as are judged.

use forerun_sql::{Dialect, Piece, Splitter, lint};

use super::LONGEST_TEXT;
use crate::directory::{DirectoryError, Script};

/// What was read of a script.
pub(super) struct Text {
    /// Its statements, without the rows of `COPY`.
    pub script: lint::Script,
    /// The line after which reading ended too early.
    pub cut: Option<u64>,
}

/// Reads the statements of a script.
pub(super) fn read(script: &Script, dialect: Dialect) -> Result<Text, DirectoryError> {
    let mut splitter = Splitter::new(script.open()?, dialect);
    let mut statements = Vec::new();
    let mut bytes = 0;
    loop {
        let before = splitter.position();
        match splitter.next_piece() {
            Ok(None) => break,
            Ok(Some(Piece::Statement(statement))) => {
                bytes += statement.text.len();
                if bytes > LONGEST_TEXT {
                    return Ok(Text {
                        script: lint::Script { statements },
                        cut: Some(before.line),
                    });
                }
                statements.push(statement);
            }
            Ok(Some(_)) => {}
            Err(error) => return Err(script.split_error(error, before)),
        }
    }
    Ok(Text {
        script: lint::Script { statements },
        cut: None,
    })
}
