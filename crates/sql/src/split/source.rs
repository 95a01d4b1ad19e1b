//! The part of a script that is in memory: the current piece and what was read ahead.

use std::io::Read;

use super::{MAXIMUM_STATEMENT_BYTES, SplitError};
use crate::Position;
use crate::lexer::Input;

/// How much is read at a time, and the least that a chunk of COPY data holds.
pub(super) const READ_BYTES: usize = 256 * 1024;

/// The first read: most scripts are small, and memory is cleared before it is used.
const FIRST_READ_BYTES: usize = 8 * 1024;

/// Memory above this is given back after the piece that needed it.
const KEPT_BYTES: usize = 1024 * 1024;

/// `buffer[start..cursor]` is the current piece as far as it has been looked at;
/// `buffer[cursor..end]` has been read ahead.
#[derive(Debug)]
pub(super) struct Source<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    cursor: usize,
    end: usize,
    ended: bool,
    error: Option<std::io::Error>,
    too_long: bool,
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            cursor: 0,
            end: 0,
            ended: false,
            error: None,
            too_long: false,
        }
    }

    /// Forgets what is before the cursor: a new piece begins here.
    pub(super) fn begin_piece(&mut self) {
        self.start = self.cursor;
        let rest = self.end - self.cursor;
        if self.buffer.len() > KEPT_BYTES && rest <= READ_BYTES {
            let mut smaller = vec![0; READ_BYTES];
            if let (Some(target), Some(source)) = (
                smaller.get_mut(..rest),
                self.buffer.get(self.cursor..self.end),
            ) {
                target.copy_from_slice(source);
                self.buffer = smaller;
                (self.start, self.cursor, self.end) = (0, 0, rest);
            }
        }
    }

    /// Bytes from the start of the piece to the cursor.
    pub(super) fn consumed(&self) -> usize {
        self.cursor - self.start
    }

    /// A part of the piece, by offsets from its start.
    pub(super) fn slice(&self, from: usize, to: usize) -> &[u8] {
        self.buffer
            .get(self.start + from..self.start + to)
            .unwrap_or_default()
    }

    /// Fails if the input ended early because reading failed or the piece grew too long.
    /// `window` cannot say so itself.
    pub(super) fn check(&mut self, start: Position) -> Result<(), SplitError> {
        if let Some(error) = self.error.take() {
            return Err(SplitError::Io(error));
        }
        if self.too_long {
            return Err(SplitError::TooLong {
                start,
                limit: MAXIMUM_STATEMENT_BYTES,
            });
        }
        Ok(())
    }

    /// Reads until `minimum` bytes are ahead of the cursor or the input ends.
    fn fill(&mut self, minimum: usize) {
        while self.end - self.cursor < minimum && !self.ended {
            if (self.end - self.start) as u64 >= MAXIMUM_STATEMENT_BYTES {
                self.too_long = true;
                self.ended = true;
                return;
            }
            // Moving a piece costs its length, so make room for as much again each time.
            let piece = self.end - self.start;
            let wanted = READ_BYTES.min(self.buffer.len() / 2).max(minimum);
            if self.buffer.len() - self.end < wanted {
                if self.start > 0 {
                    self.buffer.copy_within(self.start..self.end, 0);
                }
                self.cursor -= self.start;
                self.start = 0;
                self.end = piece;
                let step = if self.buffer.is_empty() {
                    FIRST_READ_BYTES
                } else {
                    READ_BYTES
                };
                let room = piece.max(step).max(minimum);
                if self.buffer.len() - self.end < room {
                    self.buffer.resize(piece + room, 0);
                }
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(room) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end = (self.end + count).min(self.buffer.len()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    self.ended = true;
                }
            }
        }
    }
}

impl<R: Read> Input for Source<R> {
    fn window(&mut self, minimum: usize) -> &[u8] {
        if self.end - self.cursor < minimum {
            self.fill(minimum);
        }
        self.buffer.get(self.cursor..self.end).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.cursor = (self.cursor + count).min(self.end);
    }
}

impl<R> Source<R> {
    /// Moves the cursor back to an offset from the start of the piece.
    pub(super) fn rewind(&mut self, offset: usize) {
        self.cursor = (self.start + offset).min(self.cursor);
    }
}

#[cfg(test)]
impl<R> Source<R> {
    /// Bytes of memory in use.
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
    }
}
