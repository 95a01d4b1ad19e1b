//! One pass over a file: is it text, and what are its digests.
//!
//! A file is read once, through one buffer that serves all files. The digest of the raw bytes differs from that
//! of the normalised text only after a byte order mark or a carriage return, so the second hasher starts as a
//! copy of the first when one of these appears.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::DirectoryError;

/// Size of the buffer: most scripts fit, and the largest are streamed through it.
const BUFFER_BYTES: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What reading a file tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileDigest {
    /// Size of the file.
    pub bytes: u64,
    /// Digest of the normalised text, lower-case hex.
    pub normalized: String,
    /// Digest of the bytes, lower-case hex.
    pub raw: String,
}

/// Reads files one after the other.
pub(super) struct FileReader {
    buffer: Vec<u8>,
}

impl FileReader {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; BUFFER_BYTES],
        }
    }

    /// Reads and digests a file; an error when it is not text. `look` sees the text in pieces.
    pub(super) fn digest(
        &mut self,
        path: &Path,
        look: impl FnMut(&str),
    ) -> Result<FileDigest, DirectoryError> {
        let file = File::open(path).map_err(DirectoryError::io("open", path))?;
        self.digest_from(file, path, look)
    }

    /// The start of a file, as far as it is text.
    pub(super) fn start(&mut self, path: &Path) -> Result<String, DirectoryError> {
        let mut file = File::open(path).map_err(DirectoryError::io("open", path))?;
        let read = file
            .read(&mut self.buffer)
            .map_err(DirectoryError::io("read", path))?;
        let start = self.buffer.get(..read).unwrap_or_default();
        Ok(String::from_utf8_lossy(start).into_owned())
    }

    /// The whole text of a file; an error when it is not text.
    pub(super) fn text(&mut self, path: &Path) -> Result<String, DirectoryError> {
        let file = File::open(path).map_err(DirectoryError::io("open", path))?;
        self.text_from(file, path)
    }

    pub(super) fn text_from(
        &mut self,
        file: impl Read,
        path: &Path,
    ) -> Result<String, DirectoryError> {
        let mut whole = String::new();
        self.pieces(file, path, |piece| whole.push_str(piece))?;
        Ok(whole)
    }

    fn digest_from(
        &mut self,
        file: impl Read,
        path: &Path,
        mut look: impl FnMut(&str),
    ) -> Result<FileDigest, DirectoryError> {
        let mut hashers = Hashers::default();
        let bytes = self.pieces(file, path, |piece| {
            hashers.update(piece.as_bytes());
            look(piece);
        })?;
        let (normalized, raw) = hashers.finish();
        Ok(FileDigest {
            bytes,
            normalized,
            raw,
        })
    }

    /// Hands out the text of a file piece by piece; returns its size in bytes.
    fn pieces(
        &mut self,
        mut file: impl Read,
        path: &Path,
        mut take: impl FnMut(&str),
    ) -> Result<u64, DirectoryError> {
        let mut bytes = 0_u64;
        // Bytes at the start of the buffer that begin a character which the last read cut.
        let mut carried = 0;
        loop {
            let free = self.buffer.get_mut(carried..).unwrap_or_default();
            let read = match file.read(free) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(DirectoryError::io("read", path)(error)),
            };
            let filled = self.buffer.get(..carried + read).unwrap_or_default();
            if read == 0 {
                if carried > 0 {
                    return Err(not_text(
                        path,
                        bytes,
                        "the file ends inside a UTF-8 character",
                    ));
                }
                break;
            }
            let text = match std::str::from_utf8(filled) {
                Ok(text) => text,
                Err(error) if error.error_len().is_none() => {
                    let valid = filled.get(..error.valid_up_to()).unwrap_or_default();
                    std::str::from_utf8(valid).unwrap_or_default()
                }
                Err(error) => {
                    let utf16 = bytes == 0
                        && (filled.starts_with(b"\xff\xfe") || filled.starts_with(b"\xfe\xff"));
                    let reason = if utf16 {
                        "UTF-16 instead of UTF-8"
                    } else {
                        "bytes that are not UTF-8"
                    };
                    return Err(not_text(path, bytes + error.valid_up_to() as u64, reason));
                }
            };
            if let Some(offset) = memchr::memchr(0, text.as_bytes()) {
                return Err(not_text(
                    path,
                    bytes + offset as u64,
                    "a NUL byte, which is not text,",
                ));
            }
            take(text);
            let (valid, total) = (text.len(), filled.len());
            bytes += valid as u64;
            self.buffer.copy_within(valid..total, 0);
            carried = total - valid;
        }
        Ok(bytes)
    }
}

/// The digests of a text that arrives in pieces.
#[derive(Default)]
pub(super) struct Hashers {
    normalized: Sha256,
    /// `None` as long as both are the same.
    raw: Option<Sha256>,
    started: bool,
    after_carriage_return: bool,
}

impl Hashers {
    pub(super) fn update(&mut self, piece: &[u8]) {
        let mut rest = piece;
        if !self.started && !piece.is_empty() {
            self.started = true;
            if let Some(text) = piece.strip_prefix(BYTE_ORDER_MARK) {
                self.raw = Some(Sha256::new());
                rest = text;
            }
        }
        if self.raw.is_none() && memchr::memchr(b'\r', rest).is_some() {
            self.raw = Some(self.normalized.clone());
        }
        let Some(raw) = &mut self.raw else {
            self.normalized.update(rest);
            return;
        };
        raw.update(piece);
        if self.after_carriage_return && !rest.is_empty() {
            self.after_carriage_return = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(at) = memchr::memchr(b'\r', rest) {
            let (line, tail) = rest.split_at(at);
            self.normalized.update(line);
            self.normalized.update(b"\n");
            let tail = tail.get(1..).unwrap_or_default();
            self.after_carriage_return = tail.is_empty();
            rest = tail.strip_prefix(b"\n").unwrap_or(tail);
        }
        self.normalized.update(rest);
    }

    /// The digests of the normalised text and of the bytes, lower-case hex.
    pub(super) fn finish(self) -> (String, String) {
        let normalized = hex(&self.normalized.finalize());
        let raw = self
            .raw
            .map_or_else(|| normalized.clone(), |raw| hex(&raw.finalize()));
        (normalized, raw)
    }
}

/// SHA-256 of a short text, lower-case hex.
pub(super) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

pub(crate) fn hex(digest: &[u8]) -> String {
    let digits = |nibble: u8| match nibble {
        0..=9 => char::from(b'0' + nibble),
        _ => char::from(b'a' - 10 + nibble),
    };
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.map(digits).collect()
}

/// Finds the line by reading the file once more: only a failing run pays for it.
fn not_text(path: &Path, offset: u64, reason: &'static str) -> DirectoryError {
    let mut line = 1;
    if let Ok(file) = File::open(path) {
        let before = BufReader::new(file).take(offset).bytes();
        line += before
            .map_while(Result::ok)
            .filter(|byte| *byte == b'\n')
            .count() as u64;
    }
    DirectoryError::NotText {
        path: path.to_owned(),
        line,
        offset,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(bytes: &[u8]) -> FileDigest {
        FileReader::new()
            .digest_from(bytes, Path::new("x.sql"), |_| ())
            .unwrap()
    }

    /// Returns at most `step` bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn plain_text_has_one_digest() {
        let found = digest(b"CREATE TABLE t(a int);\n");
        assert_eq!(found.bytes, 23);
        assert_eq!(found.raw, found.normalized);
        assert_eq!(found.raw, sha256("CREATE TABLE t(a int);\n"));
        assert_eq!(
            sha256(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(digest(b"").normalized, sha256(""));
    }

    #[test]
    fn line_ends_and_mark_change_only_the_raw_digest() {
        let text = "a\n\nb\n";
        for variant in [
            "a\r\n\r\nb\r\n",
            "a\r\rb\r",
            "\u{feff}a\n\nb\n",
            "\u{feff}a\r\n\nb\r\n",
        ] {
            for step in [1, 2, 3, 100] {
                let found = FileReader::new()
                    .digest_from(Slow(variant.as_bytes(), step), Path::new("x.sql"), |_| ())
                    .unwrap();
                assert_eq!(found.normalized, sha256(text), "{variant:?} by {step}");
                assert_eq!(found.raw, sha256(variant), "{variant:?} by {step}");
                assert_eq!(found.bytes, variant.len() as u64);
            }
        }
    }

    #[test]
    fn characters_cut_by_the_buffer_are_whole_again() {
        let text = "ä€😀\n".repeat(40_000);
        for step in [1, 7, BUFFER_BYTES] {
            let found = FileReader::new()
                .digest_from(Slow(text.as_bytes(), step), Path::new("x.sql"), |_| ())
                .unwrap();
            assert_eq!(found.normalized, sha256(&text));
        }
    }

    #[test]
    fn other_encodings_are_errors_with_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1_x.sql");
        for (bytes, expected) in [
            (
                &b"SELECT 1;\n-- caf\xe9\n"[..],
                "1_x.sql:2: bytes that are not UTF-8 at byte 16. Save the file as UTF-8",
            ),
            (
                b"\xff\xfeS\0",
                "1_x.sql:1: UTF-16 instead of UTF-8 at byte 0. Save the file as UTF-8",
            ),
            (
                b"-- \xc3",
                "1_x.sql:1: the file ends inside a UTF-8 character at byte 3. Save the file as UTF-8",
            ),
            (
                b"\n\na\0b",
                "1_x.sql:3: a NUL byte, which is not text, at byte 3. Save the file as UTF-8",
            ),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let message = FileReader::new()
                .digest(&path, |_| ())
                .unwrap_err()
                .to_string();
            assert!(message.ends_with(expected), "{message}");
        }
    }
}
