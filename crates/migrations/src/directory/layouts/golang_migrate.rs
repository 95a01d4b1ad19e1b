//! The layout of golang-migrate: `<version>_<description>.up.sql` and `<version>_<description>.down.sql`.
//!
//! The description may be empty, as it may there. Directives of forerun work in these files too, being comments.

use super::super::ReadOptions;
use super::super::error::DirectoryError;
use super::super::folder::Folder;
use super::super::layout::{Claim, Found, Rules};
use super::numbered::{Numbered, ScriptName, down_text, split_version, up_text};
use crate::history::{Direction, Kind};

pub(in super::super) struct GolangMigrate;

pub(super) const NAMES: Numbered = Numbered {
    name: "golang-migrate",
    form: "<version>_<description>.up.sql, such as 0007_add_email.up.sql",
    parse,
    up_ending: ".up.sql",
    down_ending: ".down.sql",
};

impl Rules for GolangMigrate {
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
        Some(vec![
            (format!("{version}_{slug}.up.sql"), up_text(slug, kind)),
            (format!("{version}_{slug}.down.sql"), down_text(slug)),
        ])
    }
}

fn parse(file_name: &str) -> Option<ScriptName<'_>> {
    let (stem, direction) = match file_name.strip_suffix(".up.sql") {
        Some(stem) => (stem, Direction::Up),
        None => (file_name.strip_suffix(".down.sql")?, Direction::Down),
    };
    let (version, words) = split_version(stem)?;
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
        let name = parse("0002_1.7.0_schema.up.sql").unwrap();
        assert_eq!(
            (name.version, name.words, name.direction),
            ("0002", "1.7.0_schema", Direction::Up)
        );
        let name = parse("1_.down.sql").unwrap();
        assert_eq!(
            (name.version, name.words, name.direction),
            ("1", "", Direction::Down)
        );
    }

    #[test]
    fn leaves_other_names_alone() {
        for file_name in ["0007_x.sql", "x.up.sql", "0007.up.sql", "0007_x.up.txt"] {
            assert_eq!(parse(file_name), None, "{file_name}");
        }
    }
}
