//! The checksums in `atlas.sum`, which Atlas also records for each file that it has applied.
//!
//! One SHA-256 goes over names and texts of all files in their order; what a file's line holds is its state after that
//! file. The first line is over all other lines. base64 is the crate that reads YAML already brings along.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Goes over files in the order of their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    state: Sha256,
    header: Sha256,
}

impl Files {
    /// The checksum of the next file, without `h1:`. `bytes` are those of the whole file; `None`: it is left out
    /// (`atlas:sum ignore`), has no checksum, and its name counts all the same.
    pub fn next(&mut self, name: &str, bytes: Option<&[u8]>) -> Option<String> {
        self.state.update(name);
        self.state.update(bytes?);
        let sum = STANDARD.encode(self.state.clone().finalize());
        self.header.update(name);
        self.header.update(&sum);
        Some(sum)
    }

    /// The first line, without `h1:`.
    pub fn header(self) -> String {
        STANDARD.encode(self.header.finalize())
    }
}

/// Whether a file says in its first line that it has no checksum.
pub(crate) fn is_left_out(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    directive(first).is_some_and(|(_, name, value)| name == "sum" && value == "ignore")
}

/// A directive in a line: what stands before `atlas:`, its name and its value.
pub(crate) fn directive(line: &str) -> Option<(&str, &str, &str)> {
    // Anything printable may stand before it, and the last one counts.
    let printable = line
        .bytes()
        .take_while(|byte| (b' '..=b'~').contains(byte))
        .count();
    let start = line
        .get(..printable)?
        .rmatch_indices("atlas:")
        .find_map(|(at, _)| {
            let after = line.get(at + "atlas:".len()..)?;
            let name = after
                .bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                .count();
            (name > 0).then_some((at, name))
        })?;
    let (at, length) = start;
    let after = line.get(at + "atlas:".len()..)?;
    let (name, rest) = after.split_at_checked(length)?;
    let value = if rest.starts_with(' ') {
        rest.trim_start_matches(' ')
    } else {
        ""
    };
    Some((line.get(..at)?, name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Atlas 0.13.1.
    #[test]
    fn checksums_are_those_of_atlas() {
        let mut files = Files::default();
        let one = files.next("1_a.sql", Some(b"create table a (b int);\n"));
        assert_eq!(
            one.as_deref(),
            Some("+susjdQvRqCIS3kntAR+vOslf6AoSOA9pVY9AwNMrg0=")
        );
        let ignored = "-- atlas:sum ignore\n\nselect 1;\n";
        assert!(is_left_out(ignored));
        assert_eq!(files.next("2_b.sql", None), None);
        let three = files.next("3_c.sql", Some(b"select 3;\r\n"));
        assert_eq!(
            three.as_deref(),
            Some("aR0sDstl0wldT1M7QiwqeqtDP12KxBkvWRtpWWAUfTc=")
        );
        assert_eq!(
            files.header(),
            "T5CG35qrX0dgJBSl1HJlomI8GIZquX/0xaFzN2i8EJo="
        );
    }

    #[test]
    fn one_tiny_file() {
        let mut files = Files::default();
        let entry = files.next("1_a.sql", Some(b"CREATE TABLE t(a int);\n"));
        assert_eq!(
            entry.as_deref(),
            Some("S8msuzO5Zemk5rG15r2SAnIomj6oOxTUu+ndiqT0L7c=")
        );
        assert_eq!(
            files.header(),
            "QBWdmAuSD79IIbz2/wOnBvgmNzilGVksWIR+glJ7DQo="
        );
    }

    #[test]
    fn directives_have_a_prefix_a_name_and_a_value() {
        assert_eq!(
            directive("-- atlas:txmode none"),
            Some(("-- ", "txmode", "none"))
        );
        assert_eq!(directive("atlas:sum ignore"), Some(("", "sum", "ignore")));
        assert_eq!(
            directive("-- atlas:delimiter \\n\\n"),
            Some(("-- ", "delimiter", "\\n\\n"))
        );
        assert_eq!(
            directive("-- atlas:checkpoint"),
            Some(("-- ", "checkpoint", ""))
        );
        assert_eq!(directive("-- atlas: x"), None);
        assert_eq!(directive("-- ä atlas:sum ignore"), None);
    }
}
