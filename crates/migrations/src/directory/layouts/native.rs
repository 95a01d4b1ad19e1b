//! forerun's own layout: `<version>_<description>.sql`, and `<version>_<description>.down.sql` beside it.
//!
//! The version may have dots, as in `1.10.2_add_email.sql`.

use super::super::ReadOptions;
use super::super::error::DirectoryError;
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Rules};
use super::numbered::{Numbered, ScriptName, up_text};
use crate::history::{Direction, Kind};

pub(in super::super) struct Native;

pub(super) const NAMES: Numbered = Numbered {
    name: "native",
    form: "<version>_<description>.sql, such as 0007_add_email.sql",
    parse,
    up_ending: ".sql",
    down_ending: ".down.sql",
};

impl Rules for Native {
    fn name(&self) -> &'static str {
        NAMES.name
    }

    fn form(&self) -> &'static str {
        NAMES.form
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        Ok(NAMES.claim(folder))
    }

    fn read(&self, folder: &mut Folder, options: &ReadOptions) -> Result<Found, DirectoryError> {
        NAMES.read(folder, options)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        let name = format!("{version}_{slug}.sql");
        Some(vec![(name, up_text(slug, kind))])
    }
}

fn parse(file_name: &str) -> Option<ScriptName<'_>> {
    let stem = file_name.strip_suffix(".sql")?;
    let (stem, direction) = match stem.strip_suffix(".down") {
        Some(stem) => (stem, Direction::Down),
        None => (stem, Direction::Up),
    };
    let (version, words) = stem.split_once('_')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !version.split('.').all(is_number) {
        return None;
    }
    // `.up.sql` is the mark of another layout.
    if words.is_empty() || words.ends_with(".up") {
        return None;
    }
    Some(ScriptName {
        version,
        words,
        direction,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_apart() {
        let name = parse("0007_add_email.sql").unwrap();
        assert_eq!(
            (name.version, name.words, name.direction),
            ("0007", "add_email", Direction::Up)
        );
        let name = parse("1.10.2_add_email.sql").unwrap();
        assert_eq!((name.version, name.words), ("1.10.2", "add_email"));
        let name = parse("20260101120000_1.7.0_schema.down.sql").unwrap();
        assert_eq!(
            (name.version, name.words, name.direction),
            ("20260101120000", "1.7.0_schema", Direction::Down)
        );
    }

    #[test]
    fn leaves_other_names_alone() {
        for file_name in [
            "1._x.sql",
            ".1_x.sql",
            "README.sql",
            "0007.sql",
            "0007_.sql",
            "_x.sql",
            "v7_x.sql",
            "7-x.sql",
            "7_x.up.sql",
            "7_x.txt",
        ] {
            assert_eq!(parse(file_name), None, "{file_name}");
        }
    }
}
