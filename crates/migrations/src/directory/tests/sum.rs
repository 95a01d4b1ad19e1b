use super::super::SumFile;
use super::{directory, read_at};

const FILES: [(&str, &str); 3] = [
    ("2_b.sql", "SELECT 2;\n"),
    ("10_c.sql", "SELECT 10;\n"),
    ("2_b.down.sql", "SELECT -2;\n"),
];

#[test]
fn the_text_has_one_line_per_script_in_order() {
    let folder = directory(&FILES);
    let sum = SumFile::for_directory(&read_at(folder.path()).unwrap());
    let text = sum.to_string();
    let names: Vec<_> = text
        .lines()
        .map(|line| line.split_once(' ').unwrap().1.trim())
        .collect();
    assert!(text.starts_with("forerun.sum 1 sha256:"));
    assert_eq!(names[1..], ["2_b.sql", "2_b.down.sql", "10_c.sql"]);
    assert_eq!(text.parse::<SumFile>().unwrap(), sum);

    assert_eq!(SumFile::read(folder.path()).unwrap(), None);
    sum.write(folder.path()).unwrap();
    assert_eq!(SumFile::read(folder.path()).unwrap().unwrap(), sum);
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 4, "nothing else is left behind");
}

#[test]
fn differences_are_listed() {
    let folder = directory(&FILES);
    let sum = SumFile::for_directory(&read_at(folder.path()).unwrap());
    let check = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        sum.verify(&read_at(folder.path()).unwrap())
    };
    check("2_b.sql", "\u{feff}SELECT 2;\r\n").expect("line ends do not matter");
    check("3_new.sql", "").unwrap_err();
    std::fs::remove_file(folder.path().join("10_c.sql")).unwrap();
    let mismatch = check("2_b.sql", "SELECT 3;\n").unwrap_err();
    assert_eq!(
        mismatch.to_string(),
        "the directory does not match its forerun.sum:\n  added: 3_new.sql\n  changed: 2_b.sql\n  missing: 10_c.sql\n\
         If that is intended, run `forerun migrate hash` and commit both"
    );
}

#[test]
fn any_new_script_changes_the_first_line() {
    let first_line = |files: &[(&str, &str)]| {
        let folder = directory(files);
        let text = SumFile::for_directory(&read_at(folder.path()).unwrap()).to_string();
        text.lines().next().unwrap().to_owned()
    };
    let base = first_line(&FILES);
    let with = |name| first_line(&[&FILES[..], &[(name, "")]].concat());
    assert_ne!(with("11_x.sql"), base);
    assert_ne!(with("11_x.sql"), with("11_y.sql"));
}

#[test]
fn an_edited_sum_file_is_noticed() {
    let folder = directory(&FILES);
    let found = read_at(folder.path()).unwrap();
    let text = SumFile::for_directory(&found).to_string();
    let mut lines: Vec<_> = text.lines().collect();
    lines.swap(1, 2);
    let swapped: SumFile = lines.join("\n").parse().unwrap();
    assert!(swapped.verify(&found).unwrap_err().edited);
}

#[test]
fn texts_that_are_no_sum_file_say_where() {
    let digest = "0".repeat(64);
    let first = format!("forerun.sum 1 sha256:{digest}\n");
    for (text, expected) in [
        (String::new(), "line 1: the first line should be"),
        (
            "forerun.sum 2 x".to_owned(),
            "line 1: the first line should be",
        ),
        (format!("{first}\nx"), "line 2: each line should be"),
        (
            format!("{first}sha256:{digest} one_space.sql"),
            "line 2: each line should be",
        ),
        (
            format!("<<<<<<< HEAD\n{first}=======\n{first}>>>>>>> other\n"),
            "line 1: a merge conflict",
        ),
    ] {
        let message = text.parse::<SumFile>().unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    let folder = directory(&[("1_a.sql", ""), ("forerun.sum", "what")]);
    let message = SumFile::read(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("forerun.sum:1: ") && message.contains("migrate hash"),
        "{message}"
    );
}
