//! What the actions of MySQL's and MariaDB's `ALTER TABLE` do, as read, and where they stand.

use super::operations;
use super::test_lines::spans;
use crate::Dialect::Mysql;

#[track_caller]
fn check(table: &[(&str, &str)]) {
    super::test_lines::check(Mysql, table);
}

#[test]
fn columns_of_alter_table() {
    check(&[
        ("ALTER TABLE t ADD a int", "t add a int"),
        (
            "ALTER TABLE d.t ADD COLUMN IF NOT EXISTS a varchar(20) NOT NULL DEFAULT 'x,y' COMMENT 'c' AFTER b, ADD COLUMN c int FIRST",
            "d.t add a varchar(20) not-null comment default 'x,y' if-not-exists placed; d.t add c int placed",
        ),
        (
            "ALTER TABLE t ADD COLUMN (a int, b text NOT NULL)",
            "t add a int; t add b text not-null",
        ),
        (
            "ALTER TABLE t ADD (a int, INDEX i (a), CONSTRAINT c CHECK (a > 0))",
            "t add a int; index i on t (a); t add c:check(a > 0)",
        ),
        (
            "ALTER IGNORE TABLE IF EXISTS t WAIT 5 ADD a int",
            "if t exists; t add a int",
        ),
        (
            "ALTER ONLINE TABLE t NOWAIT DROP COLUMN IF EXISTS a CASCADE",
            "t drop a if-exists",
        ),
        (
            "ALTER TABLE t DROP a, DROP COLUMN `b c`",
            "t drop a; t drop b c",
        ),
        (
            "ALTER TABLE t CHANGE a b bigint unsigned NOT NULL AFTER c",
            "t modify a: b bigint unsigned not-null placed; t rename a to b",
        ),
        (
            "ALTER TABLE t CHANGE COLUMN IF EXISTS a A int, MODIFY t.b varchar(10) FIRST",
            "t modify a: A int if-exists; t modify b: b varchar(10) placed",
        ),
        (
            "ALTER TABLE t MODIFY COLUMN IF EXISTS a enum('x','it''s', 'a\\'b', \"c,d\") CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'x'",
            "t modify a: a enum(x,it's,a'b,c,d) charset utf8mb4 default 'x' collate utf8mb4_bin if-exists",
        ),
        (
            "ALTER TABLE t ALTER a SET DEFAULT 5, ALTER COLUMN b SET DEFAULT (uuid()), ALTER b DROP DEFAULT",
            "t a default 5; t b default (uuid()); t b",
        ),
        (
            "ALTER TABLE t ALTER COLUMN a SET INVISIBLE, ALTER b SET VISIBLE",
            "t a INVISIBLE; t b VISIBLE",
        ),
        (
            "ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN IF EXISTS `c` TO d",
            "t rename a to b; t rename c to d if-exists",
        ),
        (
            "ALTER TABLE 1t ADD 2a int, DROP COLUMN 3b",
            "1t add 2a int; 1t drop 3b",
        ),
        ("ALTER TABLE 1d.2t DROP 4c", "1d.2t drop 4c"),
    ]);
}

#[test]
fn indexes_of_alter_table() {
    check(&[
        (
            "ALTER TABLE t ADD INDEX (a), ADD KEY i (a(10) DESC, b), ADD INDEX IF NOT EXISTS j USING HASH (a)",
            "index  on t (a); index i on t (a b); index j on t (a) if-not-exists HASH",
        ),
        (
            "ALTER TABLE t ADD UNIQUE (a), ADD UNIQUE KEY u (a), ADD UNIQUE INDEX v (a) USING BTREE COMMENT 'c' INVISIBLE, ADD CONSTRAINT c UNIQUE (a), ADD CONSTRAINT c UNIQUE w (b)",
            "index  on t (a) unique; index u on t (a) unique; index v on t (a) unique BTREE; index c on t (a) unique; index w on t (b) unique",
        ),
        (
            "ALTER TABLE t ADD FULLTEXT f (a) WITH PARSER ngram, ADD SPATIAL INDEX s (g), ADD FULLTEXT KEY (b)",
            "index f on t (a) FULLTEXT; index s on t (g) SPATIAL; index  on t (b) FULLTEXT",
        ),
        (
            "ALTER TABLE t ADD VECTOR INDEX v (e) M=8 DISTANCE=cosine",
            "index v on t (e) VECTOR",
        ),
        (
            "ALTER TABLE t ADD INDEX i ((lower(a)), (b + 1), c)",
            "index i on t (() () c)",
        ),
        (
            "ALTER TABLE t DROP INDEX i, DROP KEY IF EXISTS j, DROP INDEX `PRIMARY`",
            "drop index i on t; drop index j on t if-exists; t drop constraint PRIMARY",
        ),
        (
            "ALTER TABLE t RENAME INDEX a TO b, RENAME KEY IF EXISTS c TO d",
            "rename Index a on t to b; rename Index c on t to d if-exists",
        ),
        (
            "ALTER TABLE t ALTER INDEX i INVISIBLE, ALTER INDEX j VISIBLE",
            "t index i visible false; t index j visible true",
        ),
        (
            "ALTER TABLE t ALTER INDEX i IGNORED, ALTER KEY IF EXISTS j NOT IGNORED",
            "t index i visible false; t index j visible true if-exists",
        ),
    ]);
}

#[test]
fn constraints_of_alter_table() {
    check(&[
        (
            "ALTER TABLE t ADD PRIMARY KEY (a, b), DROP PRIMARY KEY",
            "t add key[\"a\", \"b\"]; t drop constraint PRIMARY",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING BTREE (a)",
            "t add p:key[\"a\"]",
        ),
        (
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (b) ON DELETE SET NULL ON UPDATE NO ACTION, ADD a int",
            "t add foreign[\"a\"]->u[\"b\"]; t add a int",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY IF NOT EXISTS i (a, b) REFERENCES d.u (c, d) MATCH FULL",
            "t add f:foreign[\"a\", \"b\"]->d.u[\"c\", \"d\"] if-not-exists",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS c CHECK (a > 0), ADD CHECK (a IN (1, 2)) NOT ENFORCED, ADD CONSTRAINT CHECK (b)",
            "t add c:check(a > 0) if-not-exists; t add check(a IN (1, 2)) not-valid; t add check(b)",
        ),
        (
            "ALTER TABLE t DROP FOREIGN KEY IF EXISTS f, DROP CHECK c, DROP CONSTRAINT IF EXISTS d",
            "t drop constraint f if-exists; t drop constraint c; t drop constraint d if-exists",
        ),
        (
            "ALTER TABLE t ALTER CHECK c NOT ENFORCED, ALTER CONSTRAINT d ENFORCED",
            "t other ALTER CONSTRAINT NOT ENFORCED; t other ALTER CONSTRAINT ENFORCED",
        ),
        (
            "ALTER TABLE t ADD COLUMN a int REFERENCES u (id), ADD b int CONSTRAINT k CHECK (b > 0), ADD c int PRIMARY KEY, ADD d int UNIQUE KEY",
            "t add a int foreign[\"a\"]->u[\"id\"]; t add b int k:check(b > 0); t add c int key[\"c\"]; t add d int unique[\"d\"]",
        ),
    ]);
}

#[test]
fn tables_as_a_whole() {
    check(&[
        ("ALTER TABLE a RENAME TO b", "rename Table a to b"),
        ("ALTER TABLE d.a RENAME e.b", "rename Table d.a to e.b"),
        (
            "ALTER TABLE a ADD c int, RENAME AS b",
            "a add c int; rename Table a to b",
        ),
        ("ALTER TABLE t ENGINE=InnoDB", "rewrite t ENGINE"),
        (
            "ALTER TABLE t ENGINE InnoDB ROW_FORMAT=DYNAMIC COMMENT 'x' AUTO_INCREMENT 5",
            "rewrite t ENGINE; rewrite t ROW_FORMAT; t other COMMENT; t other AUTO_INCREMENT",
        ),
        (
            "ALTER TABLE t FORCE, ALGORITHM=INPLACE, LOCK=NONE",
            "rewrite t FORCE",
        ),
        (
            "ALTER TABLE t ADD a int, ALGORITHM INSTANT, lock = shared",
            "t add a int",
        ),
        (
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            "rewrite t CONVERT TO CHARACTER SET UTF8MB4 COLLATE UTF8MB4_UNICODE_CI",
        ),
        (
            "ALTER TABLE t DEFAULT CHARACTER SET = utf8mb4 DEFAULT COLLATE = utf8mb4_bin, COLLATE utf8mb4_bin",
            "t other CHARACTER SET; t other COLLATE",
        ),
        (
            "ALTER TABLE t CHARSET utf8mb4, ADD a int",
            "t other CHARACTER SET; t add a int",
        ),
        (
            "ALTER TABLE t ADD c int, ORDER BY a, b DESC",
            "t add c int; rewrite t ORDER BY",
        ),
        (
            "ALTER TABLE t DISABLE KEYS, ENABLE KEYS",
            "t other DISABLE KEYS; t other ENABLE KEYS",
        ),
        (
            "ALTER TABLE t DISCARD TABLESPACE",
            "t other DISCARD TABLESPACE",
        ),
        (
            "ALTER TABLE t ADD SYSTEM VERSIONING",
            "rewrite t ADD SYSTEM VERSIONING",
        ),
        (
            "ALTER TABLE t DROP SYSTEM VERSIONING, ADD PERIOD FOR SYSTEM_TIME (a, b)",
            "rewrite t DROP SYSTEM VERSIONING; t other ADD PERIOD FOR SYSTEM_TIME",
        ),
        (
            "ALTER TABLE t SECONDARY_ENGINE_ATTRIBUTE='{}', STATS_PERSISTENT=0",
            "t other SECONDARY_ENGINE_ATTRIBUTE; t other STATS_PERSISTENT",
        ),
        ("ALTER TABLE t", "Harmless"),
        (
            "ALTER TABLE t FROBNICATE THE WHOLE LOT (1, 2), DROP a",
            "t other FROBNICATE THE WHOLE; t drop a",
        ),
    ]);
}

#[test]
fn partitions() {
    check(&[
        (
            "ALTER TABLE t ADD COLUMN a int PARTITION BY HASH (a) PARTITIONS 4",
            "t add a int; rewrite t PARTITION BY",
        ),
        (
            "ALTER TABLE t PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1), PARTITION q VALUES LESS THAN MAXVALUE)",
            "rewrite t PARTITION BY",
        ),
        (
            "ALTER TABLE t REMOVE PARTITIONING",
            "rewrite t REMOVE PARTITIONING",
        ),
        (
            "ALTER TABLE t ADD PARTITION (PARTITION p VALUES LESS THAN (1))",
            "t other ADD PARTITION",
        ),
        (
            "ALTER TABLE t DROP PARTITION p, q",
            "t other DROP PARTITION",
        ),
        (
            "ALTER TABLE t TRUNCATE PARTITION ALL",
            "t other TRUNCATE PARTITION",
        ),
        (
            "ALTER TABLE t REORGANIZE PARTITION p, q INTO (PARTITION r VALUES LESS THAN (1))",
            "rewrite t REORGANIZE PARTITION",
        ),
        (
            "ALTER TABLE t COALESCE PARTITION 2",
            "rewrite t COALESCE PARTITION",
        ),
        (
            "ALTER TABLE t REBUILD PARTITION p",
            "rewrite t REBUILD PARTITION",
        ),
        (
            "ALTER TABLE t ANALYZE PARTITION p",
            "t other ANALYZE PARTITION",
        ),
        (
            "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE d.u WITHOUT VALIDATION",
            "t other EXCHANGE PARTITION; d.u other EXCHANGE PARTITION",
        ),
        ("ALTER TABLE t CONVERT PARTITION p TO TABLE u", "t detach u"),
        (
            "ALTER TABLE t CONVERT TABLE u TO PARTITION p VALUES LESS THAN (1)",
            "t attach u",
        ),
        (
            "ALTER TABLE t IMPORT PARTITION p TABLESPACE",
            "t other IMPORT PARTITION",
        ),
    ]);
}

#[test]
fn spans_are_the_words_of_an_action() {
    for (text, expected) in [
        (
            "ALTER TABLE t ADD COLUMN a int AFTER b , CHANGE c d int, LOCK=NONE, DROP KEY i",
            &[
                "ADD COLUMN a int AFTER b",
                "CHANGE c d int",
                "CHANGE c d int",
                "DROP KEY i",
            ][..],
        ),
        (
            "ALTER TABLE t ADD (a int, KEY i (a)), ENGINE=InnoDB COMMENT 'x' PARTITION BY HASH (a)",
            &[
                "a int",
                "KEY i (a)",
                "ENGINE=InnoDB",
                "COMMENT 'x'",
                "PARTITION BY HASH (a)",
            ],
        ),
        ("DROP TABLE a", &["DROP TABLE a"]),
        ("DROP TABLE a, d.b", &["a", "d.b"]),
        ("RENAME TABLE a TO b, c TO d", &["a TO b", "c TO d"]),
        (" -- first\nTRUNCATE t -- last", &["TRUNCATE t -- last"]),
        (
            "SET STATEMENT max_statement_time = 1 FOR ALTER TABLE t DROP a",
            &[
                "SET STATEMENT max_statement_time = 1 FOR ALTER TABLE t DROP a",
                "DROP a",
            ],
        ),
    ] {
        assert_eq!(spans(Mysql, text), expected, "{text}");
    }
}

#[test]
fn algorithm_and_lock_are_requests_and_no_actions() {
    for (text, algorithm, lock) in [
        (
            "ALTER TABLE t ADD a int, ALGORITHM=Instant",
            Some("ALGORITHM=Instant"),
            None,
        ),
        (
            "ALTER TABLE t ALGORITHM INPLACE, lock = none, FORCE",
            Some("ALGORITHM INPLACE"),
            Some("lock = none"),
        ),
        (
            "CREATE INDEX i ON t (a) COMMENT 'LOCK' LOCK SHARED",
            None,
            Some("LOCK SHARED"),
        ),
        (
            "DROP INDEX i ON t LOCK = DEFAULT ALGORITHM=COPY",
            Some("ALGORITHM=COPY"),
            Some("LOCK = DEFAULT"),
        ),
        ("ALTER ONLINE TABLE t DROP a", None, Some("ONLINE")),
        ("CREATE ALGORITHM = MERGE VIEW v AS SELECT 1", None, None),
    ] {
        let found = operations(Mysql, text);
        let words = |request: &Option<(String, std::ops::Range<usize>)>| {
            request
                .as_ref()
                .map(|(_, span)| text[span.clone()].to_owned())
        };
        assert_eq!(words(&found.algorithm).as_deref(), algorithm, "{text}");
        assert_eq!(words(&found.lock).as_deref(), lock, "{text}");
    }
    let found = operations(Mysql, "ALTER ONLINE TABLE t ADD a int, ALGORITHM=Instant");
    assert_eq!(found.algorithm.unwrap().0, "INSTANT");
    assert_eq!(found.lock.unwrap().0, "NONE");
}
