//! Defaults as scripts write them, and as the catalogs of real servers tell them.

use forerun_test_support::{MariadbServer, PostgresServer};

use super::{adopted, found, json, lint};

/// Type, default, and another default that is found where one is given.
type Spelling = (&'static str, &'static str, &'static str);

const POSTGRES: &[Spelling] = &[
    ("text", "'x'", "'X'"),
    ("text", r"E'a\nb'", r"E'a\nc'"),
    ("text", r"'a\b'", "'ab'"),
    ("text", "$$it's$$", "$$its$$"),
    ("text", r"U&'\0061b'", "'b'"),
    ("text", "'x'::varchar", "'y'::varchar"),
    ("text", "CAST(1 AS text)", "CAST(2 AS text)"),
    ("text", "text 'x'", "text 'y'"),
    ("text", "''", "'x'"),
    ("varchar(5)", "'01'", "'1'"),
    ("char(5)", "'x'", "'y'"),
    ("int", "-1", "1"),
    ("int", "'1'", "'2'"),
    ("int", "+1", "2"),
    ("int", "007", "8"),
    ("int", "1e3", "1e2"),
    ("int", "(1+2)", ""),
    ("bigint", "1::bigint", "2::bigint"),
    ("bigint", "9223372036854775807", "9223372036854775806"),
    ("numeric(10,2)", "0.00", "0.01"),
    ("numeric(10,2)", "'1.50'", "1.51"),
    ("numeric", ".5", ".6"),
    ("float8", "1e10", "1e11"),
    ("float8", "-1.5", "1.5"),
    ("real", "'0.1'", "0.2"),
    ("bool", "'t'", "'f'"),
    ("bool", "'yes'", "false"),
    ("bool", "true", "'0'"),
    ("bool", "(1=1)", ""),
    ("date", "DATE '2020-01-01'", "'2020-01-02'"),
    ("date", "'20200101'", "'20210101'"),
    ("date", "'Jan 1 2020'", ""),
    ("date", "CURRENT_DATE", "'2020-01-01'"),
    ("date", "now()::date", "'2020-01-01'"),
    ("time", "'10:00'", "'10:01'"),
    ("timetz", "'10:00+02'", "'11:00+02'"),
    ("timestamp", "'2020-01-01'", "'2020-01-01 10:00'"),
    (
        "timestamp",
        "'2020-01-01T10:00:00Z'",
        "'2020-01-01T11:00:00Z'",
    ),
    ("timestamp", "(now() at time zone 'utc')", "'2020-01-01'"),
    ("timestamp", "timezone('utc', now())", ""),
    ("timestamp", "LOCALTIMESTAMP", ""),
    ("timestamptz", "'2020-01-01'", "'2021-01-01'"),
    (
        "timestamptz",
        "'2020-01-01 00:00:00+02'",
        "'2020-01-01 00:00:00+03'",
    ),
    ("timestamptz", "'now'", ""),
    ("timestamptz", "now()", "'2020-01-01'"),
    ("timestamptz", "CURRENT_TIMESTAMP(3)", ""),
    ("timestamptz", "now() + interval '1 day'", ""),
    ("interval", "'1 day'", "'2 days'"),
    ("interval", "interval '24 hours'", "'1 day'"),
    ("interval", "INTERVAL '1' DAY", "INTERVAL '2' DAY"),
    ("interval", "'1 year 2 months -3 days 04:05:06'", "'1 year'"),
    ("interval", "'1.5 hours'", "'2 hours'"),
    ("interval", "'1 day ago'", "'1 day'"),
    ("interval", "'P1D'", ""),
    ("bigint", "nextval('s')", "1"),
    ("bigint", "nextval('public.s')", ""),
    ("text", "'a' || 'b'", ""),
    ("text", "md5(random()::text)", "'x'"),
    ("text", "current_setting('a.b', true)", ""),
    ("text", "case when true then 'a' else 'b' end", ""),
    ("uuid", "gen_random_uuid()", ""),
    (
        "uuid",
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12'",
    ),
    ("jsonb", "'{}'", r#"'{"a":1}'"#),
    ("jsonb", r#"'{"b":1,"a":[1, 2]}'"#, "'[]'"),
    ("json", r#"'{"a":1}'"#, "'{}'"),
    ("text[]", "'{}'", "'{a}'"),
    ("text[]", r#"'{"a", b}'"#, "'{a,c}'"),
    ("text[]", "ARRAY[]::text[]", ""),
    ("text[]", "ARRAY['a','b']", ""),
    ("int[]", "'{1, 2}'", "'{1,3}'"),
    ("bytea", r"'\x00FF'", r"'\x00'"),
    ("bytea", "'abc'", "'abd'"),
    ("inet", "'10.0.0.1/32'", "'10.0.0.2'"),
    ("macaddr", "'08-00-2B-01-02-03'", "'08-00-2B-01-02-04'"),
    ("mood", "'sad'", "'ok'"),
    ("posint", "1", "2"),
    ("words", "'one'", "'another one'"),
    ("bit(3)", "B'101'", "B'100'"),
    ("bit(8)", "X'1F'", "X'1E'"),
    ("int4range", "'[1,2]'", ""),
    ("tsvector", "'a b'", ""),
    ("point", "'(1, 2)'", ""),
];

const MARIADB: &[Spelling] = &[
    ("varchar(10)", "'x'", "'X'"),
    ("varchar(10)", "\"it's\"", "\"its\""),
    ("varchar(10)", r"'it\'s'", r"'it'"),
    ("varchar(10)", r"'a\nb\\'", r"'a\nb'"),
    ("varchar(10)", "'a' 'b'", "'a'"),
    ("varchar(10)", "_utf8mb4'x'", "_utf8mb4'y'"),
    ("varchar(10)", "0x41", "0x42"),
    ("varchar(10)", "1", "2"),
    ("varchar(10)", "'01'", "'1'"),
    ("varchar(10)", "('x')", "('y')"),
    ("varchar(10)", "(concat(\"a\",\"b\"))", "'ab'"),
    ("varchar(10)", "(concat('a', upper(\"b\")))", ""),
    ("varchar(36)", "(uuid())", "''"),
    ("varchar(36)", "(lower(UUID()))", ""),
    ("varchar(50)", "(user())", ""),
    ("varchar(10)", "(cast(1 as char))", ""),
    ("text", "(\"x\")", "(\"y\")"),
    ("char(3)", "'x '", "'y'"),
    ("binary(4)", "'ab'", "'ac'"),
    ("binary(4)", "0x6162", "0x6163"),
    ("varbinary(4)", "0xff00", ""),
    ("int", "true", "false"),
    ("int", "- 1", "1"),
    ("int", "\"1\"", "\"2\""),
    ("int", "0x41", "0x42"),
    ("int", "1.5", "3"),
    ("int", "1e3", "1e2"),
    ("int", "b'11'", "b'10'"),
    ("int", "(1 + 2)", ""),
    ("int(5) zerofill", "7", "8"),
    ("tinyint(1)", "TRUE", "FALSE"),
    ("boolean", "false", "true"),
    ("bit(1)", "1", "0"),
    ("bit(1)", "true", "false"),
    ("bit(8)", "b'101'", "b'100'"),
    ("bit(8)", "0x05", "0x06"),
    ("decimal(10,2)", "0", "1"),
    ("decimal(10,2)", "1.234", "1.24"),
    ("float", "16777217", "16787217"),
    ("double", "1e3", "1e4"),
    ("date", "'2020-1-1'", "'2020-1-2'"),
    ("date", "20200101", "20200102"),
    ("date", "DATE '2020-01-01'", "DATE '2020-01-02'"),
    ("date", "(curdate())", "'2020-01-01'"),
    ("time", "'10:00'", "'10:01'"),
    ("datetime", "'2020-01-01'", "'2020-01-01 00:00:01'"),
    (
        "datetime(3)",
        "'2020-01-01T10:00:00'",
        "'2020-01-01T10:00:00.001'",
    ),
    ("datetime", "now()", "'2020-01-01'"),
    ("datetime", "localtimestamp()", ""),
    ("datetime(6)", "now(6)", "'2020-01-01'"),
    ("datetime(6)", "current_timestamp( 6 )", ""),
    ("datetime", "(now() + interval 1 day)", ""),
    ("datetime", "(date_add(now(), interval 1 day))", ""),
    (
        "timestamp",
        "'2020-01-01 00:00:00'",
        "'2021-01-01 00:00:00'",
    ),
    ("timestamp", "0", "'2021-01-01 00:00:00'"),
    ("year", "20", "21"),
    ("enum('a','b')", "\"b\"", "'a'"),
    ("set('a','b')", "'b,a'", "'a'"),
    ("json", "\"{}\"", "'[]'"),
    ("json", "(json_array(\"a\",1))", ""),
    (
        "uuid",
        "'123E4567E89B12D3A456426655440000'",
        "'123E4567E89B12D3A456426655440001'",
    ),
    ("bigint", "next value for s", "1"),
    ("int", "(case when true then 1 else 0 end)", ""),
];

fn table(spellings: &[Spelling]) -> String {
    let columns = spellings.iter().enumerate();
    let columns =
        columns.map(|(place, (kind, value, _))| format!("c{place} {kind} DEFAULT {value}"));
    format!(
        "CREATE TABLE t ({});",
        columns.collect::<Vec<_>>().join(", ")
    )
}

/// A statement in each line that sets the defaults that `which` chooses.
fn changes(spellings: &[Spelling], which: fn(&Spelling) -> &str) -> String {
    let columns = spellings.iter().enumerate();
    let lines = columns.map(|(place, spelling)| match which(spelling) {
        "" => "-- as it was\n".to_owned(),
        value => format!("ALTER TABLE t ALTER COLUMN c{place} SET DEFAULT {value};\n"),
    });
    lines.collect()
}

/// Sets each default again, as it was written before, and then another one.
#[track_caller]
fn judge(url: &str, spellings: &[Spelling], execute: &dyn Fn(&str)) {
    let again = changes(spellings, |spelling| spelling.1);
    let project = adopted(url, &again);
    let changed = || {
        let document = json(&lint(&project));
        assert_eq!(document["schema_from"], "database");
        let lines = found(&document).into_iter();
        let lines = lines.filter_map(|one| one.strip_suffix(" bc-change-default")?.parse().ok());
        lines.collect::<Vec<usize>>()
    };
    let of = |lines: &[usize]| {
        let spellings = lines.iter().map(|line| spellings[line - 1]);
        spellings.collect::<Vec<_>>()
    };
    assert_eq!(of(&changed()), []);
    execute(&again);
    assert_eq!(of(&changed()), []);
    project.migration(
        "0002_pending.sql",
        changes(spellings, |spelling| spelling.2),
    );
    let with_another: Vec<usize> = (1..=spellings.len())
        .filter(|line| !spellings[line - 1].2.is_empty())
        .collect();
    assert_eq!(of(&changed()), of(&with_another));
}

#[test]
fn a_default_that_is_set_again_is_no_other_one_to_postgres() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE SEQUENCE s; CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN words AS text; \
         CREATE DOMAIN posint AS int CHECK (VALUE > 0);",
    );
    database.execute(&table(POSTGRES));
    judge(&database.url, POSTGRES, &|sql| database.execute(sql));
}

#[test]
fn a_default_that_is_set_again_is_no_other_one_to_mariadb() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(&format!("CREATE SEQUENCE s; {}", table(MARIADB)));
    judge(&database.url, MARIADB, &|sql| database.execute(sql));
}
