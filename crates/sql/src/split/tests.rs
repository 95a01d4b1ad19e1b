//! Where each dialect's statements end.

use std::io::BufReader;

use super::*;

/// The statements of a script; other pieces are marked.
fn split(dialect: Dialect, script: &str) -> Result<Vec<String>, SplitError> {
    let mut splitter = Splitter::new(script.as_bytes(), dialect);
    let mut found = Vec::new();
    let mut all = Vec::new();
    while let Some(piece) = splitter.next_piece()? {
        match &piece {
            Piece::Statement(statement) => {
                assert!(
                    script[statement.position.offset as usize..].starts_with(&statement.text),
                    "{script}"
                );
                found.push(statement.text.clone());
            }
            Piece::CopyData(rows) => {
                found.push(format!("rows:{}", String::from_utf8_lossy(rows)));
            }
            Piece::CopyEnd(end) => found.push(format!("end:{}", String::from_utf8_lossy(end))),
            Piece::Client(line) => found.push(format!("client:{}", line.text)),
            Piece::Trailing(_) => {}
        }
        append(&mut all, &piece);
    }
    assert_eq!(String::from_utf8_lossy(&all), script);
    assert_eq!(splitter.bytes_read(), script.len() as u64);
    Ok(found)
}

fn append(all: &mut Vec<u8>, piece: &Piece<'_>) {
    match piece {
        Piece::Statement(statement) | Piece::Client(statement) => {
            all.extend_from_slice(statement.leading.as_bytes());
            all.extend_from_slice(statement.text.as_bytes());
            all.extend_from_slice(statement.terminator.as_bytes());
        }
        Piece::CopyData(bytes) | Piece::CopyEnd(bytes) => all.extend_from_slice(bytes),
        Piece::Trailing(text) => all.extend_from_slice(text.as_bytes()),
    }
}

/// Each case is a script in which `¦` marks where it must be cut (after the `;`).
fn check(dialect: Dialect, cases: &[&str]) {
    for case in cases {
        let script = case.replace('¦', "");
        let terminator = |text: &str| {
            let text = text.trim_start();
            text.strip_suffix(';').unwrap_or(text).to_owned()
        };
        let expected: Vec<String> = case.split('¦').map(terminator).collect();
        assert_eq!(split(dialect, &script).unwrap(), expected, "{script}");
    }
}

fn error(dialect: Dialect, script: &str) -> String {
    split(dialect, script).unwrap_err().to_string()
}

#[test]
fn postgres_quotes_and_comments() {
    check(
        Dialect::Postgres,
        &[
            "SELECT 1;¦ SELECT 2;",
            "SELECT 1;¦ SELECT 2",
            "SELECT 'a;''b\\';¦ SELECT 2;",
            "SELECT E'a\\';b';¦ SELECT e'\\\\';¦ SELECT 2",
            "SELECT E'a'\n -- c\n 'b\\';';¦ SELECT 2",
            "SELECT E'a' 'b\\';¦ SELECT 2",
            "SELECT type'b\\';¦ SELECT 2",
            "SELECT U&'a\\';¦ SELECT U&\"b;\"\"\";¦ SELECT u&';'",
            "SELECT B'1;', X';', N';';¦ SELECT \"a;\"\"b\";",
            "SELECT $$a;b$$;¦ SELECT $tag$;$$;$tag;$tag$;¦ SELECT 2",
            "SELECT a$b$;¦ SELECT 2$b$;$b$;",
            "SELECT $1;¦ SELECT $2::text",
            "SELECT $é$;$é$;",
            "SELECT /* ; /* ; */ ; */ 1;¦ SELECT 1 -- ; x\n + 1;",
            "SELECT 1 -- a\r;¦ SELECT 2",
            "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b);¦ SELECT 1;",
            "SELECT 1)));¦ SELECT 2",
        ],
    );
}

#[test]
fn postgres_atomic_bodies() {
    check(
        Dialect::Postgres,
        &[
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END;¦ SELECT 2;",
            "create or replace procedure s.p() language sql begin atomic insert into t values (1); end;¦ SELECT 2;",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT t.end, 1 AS end, (CASE WHEN a THEN 1 END); END;¦ SELECT 2;",
            "CREATE FUNCTION begin(atomic int) RETURNS int AS 'SELECT 1;' LANGUAGE sql;¦ SELECT 2;",
            "BEGIN;¦ SELECT CASE WHEN a THEN b END;¦ END;",
            "CREATE TABLE begin (atomic int);¦ SELECT 1",
        ],
    );
    let error = error(
        Dialect::Postgres,
        "SELECT 1;\nCREATE FUNCTION f()\n  BEGIN ATOMIC SELECT 1;",
    );
    assert!(
        error.contains("BEGIN ATOMIC body: it starts at line 3, column 3"),
        "{error}"
    );
}

#[test]
fn postgres_copy() {
    for (script, expected) in [
        (
            "COPY t FROM STDIN;\n1;\n\\.\nSELECT 1;",
            &["COPY t FROM STDIN", "rows:1;\n", "end:\\.\n", "SELECT 1"][..],
        ),
        (
            "copy s.\"t\" (a, b) from stdin with (format csv); -- rows\r\n\\.\r\nSELECT 1",
            &[
                "copy s.\"t\" (a, b) from stdin with (format csv)",
                "end:\\.\r\n",
                "SELECT 1",
            ],
        ),
        (
            "COPY t FROM STDIN;\nx\\.\n\\.x\n\\.",
            &["COPY t FROM STDIN", "rows:x\\.\n\\.x\n", "end:\\."],
        ),
        (
            "COPY BINARY t FROM STDOUT;\nx",
            &["COPY BINARY t FROM STDOUT", "rows:x", "end:"],
        ),
        ("COPY t FROM STDIN", &["COPY t FROM STDIN", "end:"]),
        (
            "COPY t FROM 'STDIN';\nSELECT 1",
            &["COPY t FROM 'STDIN'", "SELECT 1"],
        ),
        (
            "COPY (SELECT a FROM stdin) TO STDOUT; SELECT 'COPY t FROM STDIN';",
            &[
                "COPY (SELECT a FROM stdin) TO STDOUT",
                "SELECT 'COPY t FROM STDIN'",
            ],
        ),
        (
            "COPY t FROM PROGRAM 'x'; COPY stdin TO STDOUT; SELECT copy FROM stdin;",
            &[
                "COPY t FROM PROGRAM 'x'",
                "COPY stdin TO STDOUT",
                "SELECT copy FROM stdin",
            ],
        ),
    ] {
        assert_eq!(
            split(Dialect::Postgres, script).unwrap(),
            expected,
            "{script}"
        );
    }
    let error = error(Dialect::Postgres, "COPY t FROM STDIN; SELECT 1;\n\\.\n");
    assert!(error.contains("line 1, column 20"), "{error}");
}

#[test]
fn copy_rows_need_not_be_utf8() {
    let script = b"COPY t FROM STDIN;\n\xff\xfe\n\\.\nSELECT 1;";
    let mut splitter = Splitter::new(&script[..], Dialect::Postgres);
    assert!(matches!(
        splitter.next_piece(),
        Ok(Some(Piece::Statement(_)))
    ));
    assert!(matches!(
        splitter.next_piece(),
        Ok(Some(Piece::CopyData(b"\xff\xfe\n")))
    ));
    assert!(matches!(
        splitter.next_piece(),
        Ok(Some(Piece::CopyEnd(b"\\.\n")))
    ));
    let Ok(Some(Piece::Statement(statement))) = splitter.next_piece() else {
        panic!("the statement after the rows");
    };
    assert_eq!((statement.position.line, statement.position.column), (4, 1));
    assert_eq!(statement.index, 2);
}

/// A script that is made while it is read.
struct Rows {
    left: usize,
    pattern: &'static [u8],
}

impl std::io::Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.left);
        for (index, byte) in buffer[..length].iter_mut().enumerate() {
            *byte = self.pattern[(self.left - index) % self.pattern.len()];
        }
        self.left -= length;
        Ok(length)
    }
}

#[test]
fn copy_rows_come_in_large_chunks_and_little_memory() {
    use std::io::Read as _;
    let rows = Rows {
        left: 20_000_000,
        pattern: b"\\.x\n",
    };
    let script = b"COPY t FROM STDIN;\n"
        .chain(rows)
        .chain(&b"\n\\.\nSELECT 1;"[..]);
    let mut splitter = Splitter::new(BufReader::new(script), Dialect::Postgres);
    splitter.next_piece().unwrap();
    let mut chunks = 0;
    while let Some(Piece::CopyData(_)) = splitter.next_piece().unwrap() {
        chunks += 1;
    }
    assert!(chunks < 20_000_000 / 65_536, "{chunks}");
    assert!(splitter.source.held() < 1_000_000);
    assert!(matches!(
        splitter.next_piece(),
        Ok(Some(Piece::Statement(_)))
    ));
    assert!(matches!(splitter.next_piece(), Ok(None)));
    assert!(matches!(splitter.next_piece(), Ok(None)));
}

#[test]
fn psql_commands() {
    let script = "\\restrict abc;x\r\nSELECT 1;\n\\unrestrict abc";
    assert_eq!(
        split(Dialect::Postgres, script).unwrap(),
        [
            "client:\\restrict abc;x",
            "SELECT 1",
            "client:\\unrestrict abc"
        ]
    );
    for (script, expected) in [
        (
            "SELECT 1;\n  \\connect db\n",
            "\\connect at line 2, column 3",
        ),
        ("\\copy t from 'x'", "use COPY … FROM STDIN"),
        ("\\i other.sql", "put the statements of that file here"),
        ("SELECT 1 \\gexec\n", "\\gexec at line 1, column 10"),
        ("\\.\n", "no COPY … FROM STDIN is open"),
        ("\\", "\\ at line 1, column 1"),
    ] {
        let error = error(Dialect::Postgres, script);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn mysql_quotes_and_comments() {
    check(
        Dialect::Mysql,
        &[
            "SELECT 'a\\';''b';¦ SELECT \"a\\\";\"\"b\";¦ SELECT `a\\`;",
            "SELECT 1 # ;\n;¦ SELECT 1 -- ;\n;¦ SELECT 1--1;¦ SELECT 5--\t;\n;",
            "SELECT /* ; /* */ 1;¦ SELECT 2;",
            "SELECT /*+ NO_ICP(t) ; */ 1;¦ SELECT 2;",
            "/*!40101 SET NAMES utf8 */;¦ /*M!100300 SET a = ';' */;¦ SELECT 1;",
            "/*!50003 CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET @a = 1; SET @b = '*/'; END */;¦ SELECT 1;",
            "SELECT _utf8'a;b', N';', x'00', @`a;b`, @';';¦ SELECT 1",
            "SELECT 1 \\G;¦ SELECT \\N",
        ],
    );
}

#[test]
fn mysql_delimiters() {
    let script = "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nSELECT '//', `//` /* // */ -- //\n// DELIMITER ; \r\nSELECT 1;SELECT 2;";
    assert_eq!(
        split(Dialect::Mysql, script).unwrap(),
        [
            "client:DELIMITER //",
            "CREATE PROCEDURE p() BEGIN SELECT 1; END",
            "SELECT '//', `//` /* // */ -- //\n",
            "client:DELIMITER ; ",
            "SELECT 1",
            "SELECT 2",
        ]
    );
    let script = "delimiter $$\nCREATE FUNCTION f() BEGIN END$$\n$$ SELECT a$b$$delimiter ;";
    assert_eq!(
        split(Dialect::Mysql, script).unwrap(),
        [
            "client:delimiter $$",
            "CREATE FUNCTION f() BEGIN END",
            "SELECT a$b",
            "client:delimiter ;"
        ]
    );
    let script =
        "DELIMITER \";;\"\n/*!50003 CREATE*/ /*!50003 TRIGGER t BEGIN a; END */;;\nDELIMITER ;\n";
    assert_eq!(
        split(Dialect::Mysql, script).unwrap()[1],
        "/*!50003 CREATE*/ /*!50003 TRIGGER t BEGIN a; END */"
    );
    for script in ["DELIMITER", "DELIMITER \\\\\n", "DELIMITER '\n"] {
        let error = error(Dialect::Mysql, script);
        assert!(error.contains("for example DELIMITER //"), "{error}");
    }
    check(Dialect::Mysql, &["SELECT delimiter FROM a;¦ SELECT 1"]);
}

#[test]
fn mysql_compound_bodies() {
    check(
        Dialect::Mysql,
        &[
            "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END;¦ SELECT 3;",
            "CREATE DEFINER=`a`@`b` PROCEDURE d.p(IN a INT) COMMENT 'x' SQL SECURITY INVOKER BEGIN SELECT 1; END;¦ SELECT 3;",
            "CREATE DEFINER = begin@end PROCEDURE begin() BEGIN SELECT 1; END;¦ SELECT 3;",
            "CREATE OR REPLACE DEFINER=CURRENT_USER() FUNCTION f(a INT) RETURNS CHAR(3) CHARACTER SET latin1 DETERMINISTIC BEGIN RETURN 1; END;¦ SELECT 3;",
            "CREATE PROCEDURE IF NOT EXISTS p() IF a THEN SELECT 1; ELSEIF b THEN SELECT 2; ELSE SELECT 3; END IF;¦ SELECT 4;",
            "CREATE PROCEDURE p() BEGIN IF a THEN SELECT IF(x, 1, 2); ELSE IF b THEN SELECT 1; END IF; END IF; END;¦ SELECT 3;",
            "CREATE PROCEDURE p() BEGIN SELECT CASE WHEN a THEN IF(a, 1, 2) ELSE b END AS c; CASE a WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE; END;¦ SELECT 3;",
            "CREATE PROCEDURE p() l1: LOOP SET a = REPEAT('x', 3); IF a THEN LEAVE l1; END IF; END LOOP l1;¦ SELECT 3;",
            "CREATE PROCEDURE p() BEGIN WHILE a < 3 DO SET a = a + 1; END WHILE; REPEAT SET a = 1; UNTIL a > CASE WHEN b THEN 1 END END REPEAT; END;¦ SELECT 3;",
            "CREATE PROCEDURE p() BEGIN FOR i IN 1..3 DO SELECT i; END FOR; FOR r IN (SELECT 1) DO SELECT r; END FOR; END;¦ SELECT 3;",
            "CREATE PROCEDURE p() BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = IF(a, 1, 2); DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; SELECT 1; END;¦ SELECT 3;",
            "CREATE PROCEDURE p() BEGIN lbl: BEGIN LEAVE lbl; END lbl; `l 2`: BEGIN END; SELECT t.end, begin, 1 AS end FROM t; SELECT * FROM t FOR UPDATE; END;¦ SELECT 3;",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = CASE WHEN 1 THEN 2 END;¦ SELECT 3;",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW FOLLOWS begin BEGIN SET NEW.a = 1; END;¦ SELECT 3;",
            "CREATE TRIGGER g AFTER UPDATE ON t FOR EACH ROW IF NEW.a THEN INSERT INTO b VALUES (1); END IF;¦ SELECT 3;",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS NOW() ON COMPLETION NOT PRESERVE DO BEGIN DELETE FROM a; DELETE FROM b; END;¦ SELECT 3;",
            "ALTER EVENT e DO BEGIN DELETE FROM a; END;¦ SELECT 3;",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM a;¦ SELECT 3;",
            "CREATE FUNCTION f() RETURNS INT RETURN CASE WHEN 1 THEN 2 END;¦ SELECT 3;",
            "CREATE FUNCTION f(a INT) RETURNS BOOL RETURN a IS NULL;¦ SELECT 3;",
            "CREATE FUNCTION f RETURNS STRING SONAME 'x.so';¦ SELECT 3;",
            "CREATE PROCEDURE p() SELECT 1 AS begin;¦ SELECT 3;",
            "CREATE TABLE begin (end INT);¦ SELECT CASE WHEN 1 THEN 2 END;¦ BEGIN;¦ SELECT 1;¦ COMMIT;",
            "BEGIN NOT ATOMIC SELECT 1; BEGIN SELECT 2; END; END;¦ SELECT 3;",
            "IF 1 > 0 THEN BEGIN NOT ATOMIC SELECT 1; END; END IF;¦ SELECT 3;",
            "WHILE 1 DO SELECT 1; END WHILE;¦ SELECT 3;",
        ],
    );
}

#[test]
fn mariadb_oracle_mode() {
    check(
        Dialect::Mysql,
        &[
            "CREATE PROCEDURE p (a INT) AS b INT := 1; c VARCHAR(10); BEGIN SELECT b; END;¦ SELECT 3;",
            "CREATE FUNCTION f (a INT) RETURN DECIMAL(10,2) IS BEGIN RETURN a; END;¦ SELECT 3;",
            "CREATE PROCEDURE p AS BEGIN WHILE a < 3 LOOP a := a + 1; END LOOP; <<l>> FOR i IN 1..3 LOOP NULL; END LOOP l; EXCEPTION WHEN OTHERS THEN NULL; END;¦ SELECT 3;",
            "CREATE PACKAGE k AS FUNCTION f (a INT) RETURN INT; PROCEDURE p; END;¦ SELECT 3;",
            "CREATE OR REPLACE PACKAGE BODY k AS v INT := 1; FUNCTION f (a INT) RETURN INT AS b INT; BEGIN RETURN a; END; PROCEDURE p AS BEGIN NULL; END; BEGIN SET @a = 1; END;¦ SELECT 3;",
            "CREATE PACKAGE BODY k PROCEDURE p() BEGIN SELECT 1; END; FUNCTION f() RETURNS INT RETURN 1; END;¦ SELECT 3;",
            "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS 'return 1';¦ SELECT 3;",
        ],
    );
}

#[test]
fn sqlite_statements() {
    check(
        Dialect::Sqlite,
        &[
            "SELECT 'a;\\';¦ SELECT \"a;\"\"\", `;`, [a;'];¦ SELECT 1",
            "SELECT 1 -- ;\n;¦ SELECT /* ; /* */ 1;¦ SELECT $a, ?1, @b;",
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO a VALUES (1); SELECT CASE WHEN 1 THEN 2 END; END;¦ SELECT 1;",
            "CREATE TEMPORARY TRIGGER IF NOT EXISTS g BEFORE DELETE ON t BEGIN DELETE FROM a; END /* x */ ;¦ SELECT 1;",
            "EXPLAIN QUERY PLAN CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;¦ SELECT 1;",
            "BEGIN;¦ SELECT 1;¦ END;¦ SELECT 1;",
            "CREATE TABLE trigger (a);¦ SELECT 1",
        ],
    );
    let error = error(Dialect::Sqlite, ".mode csv\nSELECT 1;");
    assert!(error.contains(".mode at line 1, column 1"), "{error}");
}

#[test]
fn unterminated_constructs_name_their_start() {
    for (dialect, script, expected) in [
        (
            Dialect::Postgres,
            "SELECT 1;\n  SELECT 'a",
            "string literal: it starts at line 2, column 10",
        ),
        (
            Dialect::Postgres,
            "SELECT $x$ $x",
            "dollar-quoted string: it starts at line 1, column 8",
        ),
        (
            Dialect::Postgres,
            "SELECT \"é\", \"a",
            "quoted name: it starts at line 1, column 13",
        ),
        (
            Dialect::Postgres,
            "/* /* */",
            "comment: it starts at line 1, column 1",
        ),
        (
            Dialect::Postgres,
            "CREATE TABLE t (a int;\nSELECT 1;",
            "parenthesis: it starts at line 1, column 16",
        ),
        (
            Dialect::Mysql,
            "SELECT 'a\\'",
            "string literal: it starts at line 1, column 8",
        ),
        (
            Dialect::Mysql,
            "SELECT 1;/*!50000 SET",
            "conditional comment: it starts at line 1, column 10",
        ),
        (
            Dialect::Sqlite,
            "SELECT [a",
            "quoted name: it starts at line 1, column 8",
        ),
    ] {
        let error = error(dialect, script);
        assert!(error.contains(expected), "{script}: {error}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    for script in [
        &b"SELECT 1;\nSELECT '\xff';"[..],
        b"SELECT 1;\n-- abcd \xff",
        b"SELECT 1;\nSELECT '\xff",
    ] {
        let mut splitter = Splitter::new(script, Dialect::Postgres);
        assert!(splitter.next_piece().is_ok());
        let error = splitter.next_piece().unwrap_err();
        let SplitError::NotUtf8 { position } = error else {
            panic!("{error}");
        };
        assert_eq!((position.line, position.column), (2, 9), "{script:?}");
        assert!(matches!(splitter.next_piece(), Ok(None)));
    }
}

#[test]
fn empty_statements_are_folded_away() {
    let mut splitter = Splitter::new(
        "\u{feff}; ;/* a */;\r\nSELECT 1;;\n;".as_bytes(),
        Dialect::Postgres,
    );
    let Some(Piece::Statement(statement)) = splitter.next_piece().unwrap() else {
        panic!("a statement");
    };
    assert_eq!(statement.leading, "\u{feff}; ;/* a */;\r\n");
    assert_eq!(statement.terminator, ";");
    assert_eq!((statement.position.line, statement.position.column), (2, 1));
    assert_eq!(statement.index, 1);
    let trailing = splitter.next_piece().unwrap();
    assert_eq!(trailing, Some(Piece::Trailing(";\n;".to_owned())));
    assert_eq!(splitter.next_piece().unwrap(), None);
    assert_eq!(split(Dialect::Sqlite, "").unwrap(), [""; 0]);
}

#[test]
fn byte_order_mark_is_not_part_of_the_first_statement() {
    let mut splitter = Splitter::new("\u{feff}SELECT 1".as_bytes(), Dialect::Postgres);
    let Some(Piece::Statement(statement)) = splitter.next_piece().unwrap() else {
        panic!("a statement");
    };
    assert_eq!(statement.text, "SELECT 1");
    let place = statement.position;
    assert_eq!((place.offset, place.line, place.column), (3, 1, 1));
}

#[test]
fn a_hint_before_a_statement_belongs_to_it() {
    let script = "-- a\n/*+ SeqScan(t) */ SELECT 1; /*+ x */ -- b\nSELECT 2";
    assert_eq!(
        split(Dialect::Postgres, script).unwrap(),
        ["/*+ SeqScan(t) */ SELECT 1", "SELECT 2"]
    );
}

#[test]
fn what_follows_the_last_statement_is_trailing() {
    let mut splitter = Splitter::new("SELECT 1 -- a\n".as_bytes(), Dialect::Postgres);
    let Some(Piece::Statement(statement)) = splitter.next_piece().unwrap() else {
        panic!("a statement");
    };
    assert_eq!(
        (statement.text.as_str(), statement.terminator.as_str()),
        ("SELECT 1", "")
    );
    assert_eq!(splitter.position().column, 9);
    assert_eq!(
        splitter.next_piece().unwrap(),
        Some(Piece::Trailing(" -- a\n".to_owned()))
    );
}

#[test]
fn read_errors_are_passed_on() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk on fire"))
        }
    }
    for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
        for start in ["", "SELECT 'a", "SELECT 1", "-- a", "COPY t FROM STDIN;\na"] {
            let script = std::io::Read::chain(start.as_bytes(), Broken);
            let mut splitter = Splitter::new(BufReader::new(script), dialect);
            let error = loop {
                match splitter.next_piece() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("{dialect} {start}: the error is lost"),
                    Err(error) => break error,
                }
            };
            assert!(error.to_string().contains("disk on fire"), "{error}");
        }
    }
}
