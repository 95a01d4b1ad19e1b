//! forerun's own layout: `<version>_<description>.sql`, and `<version>_<description>.down.sql` beside it.

use super::layout::{Rules, ScriptName, split_version};
use crate::history::Direction;

pub(super) const RULES: Rules = Rules {
    name: "native",
    form: "<version>_<description>.sql, such as 0007_add_email.sql",
    parse,
    up_ending: ".sql",
    down_ending: ".down.sql",
    create_down: false,
};

fn parse(file_name: &str) -> Option<ScriptName<'_>> {
    let stem = file_name.strip_suffix(".sql")?;
    let (stem, direction) = match stem.strip_suffix(".down") {
        Some(stem) => (stem, Direction::Down),
        None => (stem, Direction::Up),
    };
    let (version, words) = split_version(stem)?;
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
        let name = parse("20260101120000_1.7.0_schema.down.sql").unwrap();
        assert_eq!(
            (name.version, name.words, name.direction),
            ("20260101120000", "1.7.0_schema", Direction::Down)
        );
    }

    #[test]
    fn leaves_other_names_alone() {
        for file_name in [
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
