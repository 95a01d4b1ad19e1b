//! What formatted SQL is taken apart into.

use super::*;

fn changesets(text: &str) -> Vec<Changeset> {
    let changelog = parse(text);
    assert_eq!(changelog.problems, []);
    let changesets = changelog.items.into_iter().filter_map(|item| match item {
        Item::Changeset(changeset) => Some(*changeset),
        Item::Property { .. } => None,
    });
    changesets.collect()
}

fn join(text: &str, ranges: &[Range<usize>]) -> String {
    ranges.iter().map(|range| &text[range.clone()]).collect()
}

#[test]
fn a_file_is_known_by_its_first_line() {
    for text in [
        "--liquibase formatted sql",
        "\n \n -- LIQUIBASE  formatted SQL x",
        "--liquibaseformatted",
    ] {
        assert!(is_formatted(text), "{text}");
    }
    for text in [
        "",
        "select 1;\n--liquibase formatted sql",
        "-- formatted sql",
        "- liquibase formatted",
    ] {
        assert!(!is_formatted(text), "{text}");
    }
}

#[test]
fn directives_are_not_sql() {
    let text = "--liquibase formatted sql logicalFilePath:own.sql\nselect 'before';\n\
                --changeset ann:1 runAlways:true\n--comment: first one\n-- a comment\ncreate table a (b int);\n\
                --rollback drop table a;\n--validCheckSum: 9:abc\n--ignoreLines:1\nnot this\n\
                --ignoreLines:start\nnor this\n--ignoreLines:end\ninsert into a values (1);\r\n\
                --changeset \"a b:c\":\"x y\"\r\nselect 2;\r\n/* liquibase rollback\nselect 3;\nselect 4 */\n";
    let found = changesets(text);
    assert_eq!(
        (found[0].author.as_str(), found[0].id.as_str()),
        ("ann", "1")
    );
    assert!(found[0].attributes.run_always);
    assert_eq!(found[0].comment.as_deref(), Some("first one"));
    assert_eq!(found[0].valid_checksums, ["9:abc"]);
    assert_eq!(
        join(text, &found[0].up),
        "-- a comment\ncreate table a (b int);\ninsert into a values (1);\r\n"
    );
    assert_eq!(join(text, &found[0].rollback), "drop table a;\n");
    assert_eq!(
        (found[1].author.as_str(), found[1].id.as_str()),
        ("a b:c", "x y")
    );
    assert_eq!(join(text, &found[1].up), "select 2;\r\n");
    assert_eq!(join(text, &found[1].rollback), "select 3;\nselect 4 ");
    assert_eq!(parse(text).logical_path.as_deref(), Some("own.sql"));
}

#[test]
fn what_liquibase_refuses_is_refused() {
    for (line, right) in [
        ("--changeset nobody", "`--changeset <author>:<id>`"),
        ("--changeset ann: 1", "`--changeset <author>:<id>`"),
        ("-changeset ann:1", "`--changeset <author>:<id>`"),
        ("-rollback drop table a", "`--rollback <SQL>`"),
        ("--comments: x", "`--comment: <comment>`"),
        ("-comment x", "`--comment: <comment>`"),
        ("-validCheckSum: x", "`--validCheckSum: <checksum>`"),
        ("-preconditions onFail:HALT", "`--preconditions"),
        ("-precondition-sql-check x", "`--precondition-sql-check"),
        ("--property foo", "`--property name:<name>"),
        ("-property name:a value:b", "`--property name:<name>"),
        ("--ignoreLines:many", "`--ignoreLines:<number|start>`"),
        ("-ignoreLines:2", "`--ignoreLines:<number|start>`"),
        ("--tagDatabase: v1", "licence"),
        ("--include file:x.sql", "licence"),
        ("--rollbackSqlFile path:x", "licence"),
        ("--preconditions onFail:STOP", "STOP"),
        ("--precondition-sql-check", "sql-check"),
        ("--precondition-row-count 1", "row-count"),
        ("/* liquibase rollback", "never closed"),
        ("--changeset ann:2", "has no SQL"),
        ("--changeset ann::\nselect 1;", "has no id"),
    ] {
        let text = format!("--liquibase formatted sql\n--changeset ann:1\nselect 1;\n{line}\n");
        let problems = parse(&text).problems;
        assert_eq!(problems.len(), 1, "{line}: {problems:?}");
        assert!(problems[0].1.contains(right), "{line}: {problems:?}");
    }
    let outside = parse("--liquibase formatted sql\n--comment: x\n").problems;
    assert!(outside[0].1.contains("in a changeset only"), "{outside:?}");
}

#[test]
fn comments_that_resemble_directives_are_sql() {
    let text = "--liquibase formatted sql\n--changeset ann:1\n --comment: indented\n--rollbacks x\n\
                --rollback\n-- the changes\nselect 1 -\n- 2;\n";
    let found = changesets(text);
    let sql = join(text, &found[0].up);
    assert_eq!(sql, text.split_once("ann:1\n").unwrap().1);
}

#[test]
fn old_line_ends_separate_lines() {
    let text = "--liquibase formatted sql\r--changeset ann:1\rselect 1;\r--rollback select 2;\r";
    let found = changesets(text);
    assert_eq!(join(text, &found[0].up), "select 1;\r");
    assert_eq!(join(text, &found[0].rollback), "select 2;\r");
}
