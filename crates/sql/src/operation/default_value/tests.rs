use super::super::operations;
use super::*;
use crate::operation::OperationKind;

/// Compares two defaults of a column of a type.
#[track_caller]
fn same(dialect: Dialect, data_type: &str, own: &str, other: &str) -> Option<bool> {
    let default = |text: &str| {
        let text = format!("CREATE TABLE t (a {data_type} DEFAULT {text})");
        match operations(dialect, &text).list.remove(0).kind {
            OperationKind::CreateTable(mut create) => create.columns.remove(0),
            other => panic!("{other:?}"),
        }
    };
    let (own, other) = (default(own), default(other));
    let data_type = own.data_type.as_ref();
    let (own, other) = (own.default.unwrap(), other.default.unwrap());
    let found = own.is_same_default(&other, data_type, dialect);
    assert_eq!(other.is_same_default(&own, data_type, dialect), found);
    found
}

#[track_caller]
fn expect(dialect: Dialect, expected: Option<bool>, pairs: &[(&str, &str, &str)]) {
    for (data_type, own, other) in pairs {
        assert_eq!(
            same(dialect, data_type, own, other),
            expected,
            "{data_type}: {own} {other}"
        );
    }
}

#[test]
fn one_value_has_many_spellings_on_postgres() {
    expect(
        Dialect::Postgres,
        Some(true),
        &[
            ("text", "'x'", "'x'::character varying(5)"),
            ("text", "('x')", "CAST('x' AS text)"),
            ("text", "$$it's$$", "'it''s'::text"),
            ("text", "E'a\\n\\x41\\101\\u0041'", "'a\nAAA'::text"),
            ("text", "U&'\\0061\\+000062'", "'ab'"),
            ("text", "text 'x' COLLATE \"C\"", "'x'"),
            ("integer", "-1", "'-1'::integer"),
            ("integer", "007", "(7)::bigint"),
            ("numeric(10,2)", "1e3", "'1000.00'::numeric"),
            ("numeric", ".5", "0.50"),
            ("double precision", "1e10", "'10000000000'::numeric"),
            ("boolean", "'t'", "true"),
            ("boolean", "'NO'", "FALSE"),
            ("date", "DATE '2020-1-1'", "'2020-01-01'::date"),
            ("time", "'10:00'", "'10:00:00'::time without time zone"),
            (
                "timestamptz",
                "'2020-01-01 02:00+02'",
                "'2020-01-01 00:00:00+00'::timestamp with time zone",
            ),
            ("interval", "INTERVAL '1' DAY", "'1 day'::interval"),
            ("interval", "'90 minutes'", "'01:30:00'::interval"),
            ("interval", "'1 week 2 days ago'", "'-9 days'::interval"),
            (
                "uuid",
                "'{A0EEBC999C0B4EF8BB6D6BB9BD380A11}'",
                "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
            ),
            ("jsonb", "'{\"a\":1}'", "'{\"a\": 1}'::jsonb"),
            ("bytea", "'a\\000'", "'\\x6100'::bytea"),
            ("inet", "'10.0.0.1/32'", "'10.0.0.1'::inet"),
            ("text[]", "'{\"a\", b}'", "'{a,b}'::text[]"),
            ("bit(8)", "X'1F'", "'00011111'::\"bit\""),
            ("timestamptz", "now()", "CURRENT_TIMESTAMP"),
            ("timestamptz", "pg_catalog.now()", "transaction_timestamp()"),
            ("bigint", "nextval('s')", "nextval('s'::regclass)"),
            ("text", "lower( 'X' )", "lower('X'::text)"),
        ],
    );
}

#[test]
fn one_value_has_many_spellings_on_mysql() {
    expect(
        Dialect::Mysql,
        Some(true),
        &[
            ("varchar(5)", "\"it's\"", "'it''s'"),
            ("varchar(5)", "_utf8mb4'a' 'b'", "'ab'"),
            ("varchar(5)", "0x41", "'A'"),
            ("varchar(5)", "1", "'1'"),
            ("int", "TRUE", "1"),
            ("int", "0x41", "65"),
            ("int", "1.5", "2"),
            ("int", "+ 1", "'1'"),
            ("bit(1)", "1", "b'1'"),
            ("bit(8)", "x'05'", "b'101'"),
            ("decimal(10,2)", "0", "'0.00'"),
            ("decimal(10,2)", "1.234", "1.23"),
            ("float", "16777217", "16777200"),
            ("year", "20", "2020"),
            ("binary(4)", "'ab'", "'ab\\0\\0'"),
            ("binary(4)", "'ab'", "'0x61620000'"),
            ("char(3)", "'x '", "'x'"),
            ("enum('a','b')", "'A'", "'a'"),
            ("set('a','b')", "'b,a'", "'a,b'"),
            ("date", "20200101", "'2020-01-01'"),
            (
                "datetime(3)",
                "'2020-01-01T00:00:00'",
                "'2020-01-01 00:00:00.000'",
            ),
            ("timestamp", "0", "'0000-00-00 00:00:00'"),
            ("datetime", "(NOW())", "current_timestamp()"),
            ("datetime(6)", "now( 6 )", "current_timestamp(6)"),
            ("varchar(36)", "(UUID())", "uuid()"),
            ("varchar(9)", "(concat(\"a\",\"b\"))", "concat('a','b')"),
        ],
    );
}

#[test]
fn another_literal_is_another_value() {
    expect(
        Dialect::Postgres,
        Some(false),
        &[
            ("text", "'x'", "'X'::text"),
            ("varchar(5)", "'01'", "'1'::character varying"),
            ("integer", "1", "2"),
            (
                "bigint",
                "9223372036854775807",
                "'9223372036854775806'::bigint",
            ),
            ("boolean", "'f'", "true"),
            ("date", "'2020-01-02'", "'2020-01-01'::date"),
            (
                "timestamptz",
                "'2020-02-01'",
                "'2020-01-01 00:00:00+00'::timestamp with time zone",
            ),
            ("interval", "'2 days'", "'1 day'::interval"),
            ("mood", "'ok'", "'sad'::mood"),
            ("posint", "2", "1"),
            ("jsonb", "'{\"a\":1}'", "'{}'::jsonb"),
            ("text[]", "'{a}'", "'{}'::text[]"),
            ("bytea", "'b'", "'\\x61'::bytea"),
            (
                "timestamptz",
                "now()",
                "'2020-01-01 00:00:00+00'::timestamp with time zone",
            ),
            ("text", "NULL", "'x'::text"),
        ],
    );
    expect(
        Dialect::Mysql,
        Some(false),
        &[
            ("varchar(5)", "\"x\"", "'X'"),
            ("varchar(5)", "'1.0'", "'1'"),
            ("tinyint(1)", "false", "1"),
            ("bit(1)", "b'0'", "b'1'"),
            ("decimal(10,2)", "1.25", "1.24"),
            ("float", "1.5", "1.6"),
            ("enum('a','b')", "'b'", "'a'"),
            ("binary(4)", "'ac'", "'ab\\0\\0'"),
            ("datetime", "'2020-01-01 10:00'", "'2020-01-01 00:00:00'"),
            ("datetime", "now()", "'2020-01-01 00:00:00'"),
        ],
    );
}

#[test]
fn what_only_the_server_could_tell_is_not_told() {
    expect(
        Dialect::Postgres,
        None,
        &[
            (
                "timestamp",
                "(now() at time zone 'utc')",
                "timezone('utc'::text, now())",
            ),
            ("integer", "(1+2)", "3"),
            ("text[]", "ARRAY[]::text[]", "'{}'::text[]"),
            (
                "timestamptz",
                "'2020-01-01 01:00'",
                "'2020-01-01 00:00:00+00'::timestamp with time zone",
            ),
            (
                "timestamptz",
                "'now'",
                "'2020-01-01 00:00:00+00'::timestamp with time zone",
            ),
            (
                "jsonb",
                "'{\"b\":1,\"a\":2}'",
                "'{\"a\": 2, \"b\": 1}'::jsonb",
            ),
            ("int4range", "'[1,2]'", "'[1,3)'::int4range"),
        ],
    );
}

#[test]
fn nothing_that_is_written_stops_it() {
    for text in [
        "''",
        "'",
        "$",
        "$a$",
        "E'\\",
        "E'\\x'",
        "U&'\\'",
        "((",
        "))",
        "::",
        "CAST(",
        "CAST()",
        "1e999999999999",
        "1e-400",
        "-",
        ".",
        "0x",
        "'999999999:99'",
        "'99999999:00 99999999:00+99999999:00'",
        "X'g'",
        "'{'",
        "'{,}'",
        "'\"'",
    ] {
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            for name in [
                "integer",
                "interval",
                "time",
                "timestamptz",
                "jsonb",
                "bytea",
                "bit",
                "float",
                "year",
                "decimal",
            ] {
                let data_type = TypeName {
                    name: name.to_owned(),
                    arguments: vec!["99999999999999999999".to_owned(), "4294967296".to_owned()],
                    ..TypeName::default()
                };
                let array = TypeName {
                    array: true,
                    ..data_type.clone()
                };
                for other in ["'x'", "1", "'00:00'", "'2020-01-01 00:00-99:00'", text] {
                    let [own, other] = [text, other].map(|text| Expression {
                        text: text.to_owned(),
                        span: 0..0,
                    });
                    let _ = own.is_same_default(&other, Some(&data_type), dialect);
                    let _ = own.is_same_default(&other, Some(&array), dialect);
                }
            }
        }
    }
}
