//! The layout of golang-migrate: `<version>_<description>.up.sql` and `<version>_<description>.down.sql`.
//!
//! The description may be empty, as it may there. Directives work in these files too, being comments.

use super::layout::{Rules, ScriptName, split_version};
use crate::history::Direction;

pub(super) const RULES: Rules = Rules {
    name: "golang-migrate",
    form: "<version>_<description>.up.sql, such as 0007_add_email.up.sql",
    parse,
    up_ending: ".up.sql",
    down_ending: ".down.sql",
    create_down: true,
};

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
