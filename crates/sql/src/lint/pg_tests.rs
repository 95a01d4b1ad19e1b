//! What the rules of PostgreSQL say beyond their examples.

use super::tests::{after, judge, script};
use super::*;
use crate::Dialect;

const POSTGRES: Dialect = Dialect::Postgres;
const ORDERS: &str =
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note varchar(10));";

/// What one rule finds in a file, after another file.
fn found(id: &str, before: &str, text: &str) -> Vec<Finding> {
    let rule = rule(id).unwrap();
    let mut linter = after(POSTGRES, before, rule);
    let mut findings = judge(&mut linter, POSTGRES, text);
    findings.retain(|finding| finding.rule.id == id);
    findings
}

fn instead(id: &str, before: &str, text: &str) -> Vec<String> {
    found(id, before, text).remove(0).instead
}

#[test]
fn a_table_of_the_same_file_is_locked_as_one_likes() {
    // These are about the statement or about the server, not about who uses a table.
    let always = [
        "pg-concurrently-in-tx",
        "pg-concurrently-partitioned",
        "pg-timeout-override",
    ];
    for rule in ALL.iter().filter(|rule| {
        rule.id.starts_with("pg-") && rule.kind == Kind::Lock && rule.id != "pg-fk-index"
    }) {
        for example in rule.examples {
            let whole = format!("{}\n{}", example.before, example.found);
            let found = found(rule.id, "", &whole);
            assert_eq!(
                found.is_empty(),
                !always.contains(&rule.id),
                "{}: {whole}",
                rule.id
            );
        }
    }
}

#[test]
fn a_star_is_all_columns_only_in_a_list_of_them() {
    let table = "CREATE TABLE customers (cid uuid PRIMARY KEY, email text, total int, a int);";
    let change = "ALTER TABLE customers ALTER COLUMN total TYPE bigint;";
    for (view, refused) in [
        (
            "CREATE MATERIALIZED VIEW mv AS SELECT count(*) c FROM customers;",
            false,
        ),
        ("CREATE VIEW v AS SELECT a * 2 AS b FROM customers;", false),
        ("CREATE VIEW v AS SELECT * FROM customers;", true),
        ("CREATE VIEW v AS SELECT c.* FROM customers c;", true),
    ] {
        let found = found(
            "pg-alter-type-dependents",
            &format!("{table}\n{view}"),
            change,
        );
        assert_eq!(!found.is_empty(), refused, "{view}");
    }
}

#[test]
fn what_uses_a_column_goes_before_it() {
    let before = "CREATE TABLE a (id int, s int, t int, g int GENERATED ALWAYS AS (t * 2) STORED);\n\
                  CREATE VIEW v AS SELECT s FROM a;\nCREATE VIEW w AS SELECT * FROM v;";
    let rule = "pg-drop-used-column";
    let findings = found(rule, before, "ALTER TABLE a DROP COLUMN s;");
    assert_eq!(
        findings[0].message,
        "PostgreSQL refuses this: view `v` uses `a.s`"
    );
    let whole = "-- forerun:contract unused-since=<release>\nDROP VIEW w;\nDROP VIEW v;\n\
                 ALTER TABLE a DROP COLUMN s;\n-- here CREATE VIEW v again, without s\n\
                 -- here CREATE VIEW w again, without s";
    assert_eq!(findings[0].instead, [whole]);
    assert_eq!(
        instead("bc-drop-column", before, "ALTER TABLE a DROP COLUMN s;"),
        [whole]
    );
    let findings = found(rule, before, "ALTER TABLE a DROP COLUMN s CASCADE;");
    assert_eq!(findings[0].severity, Severity::Warning);
    assert_eq!(
        findings[0].message,
        "`CASCADE` drops view `v` too, because of `a.s`"
    );
    let star = before.replace("SELECT s", "SELECT *");
    let whole = instead(rule, &star, "ALTER TABLE a DROP COLUMN s;").remove(0);
    let again = "\nCREATE VIEW v AS SELECT * FROM a;\n-- here CREATE VIEW w again, without s";
    assert!(whole.ends_with(again), "{whole}");
    let findings = found(rule, before, "ALTER TABLE a DROP COLUMN t;");
    assert_eq!(
        findings[0].message,
        "PostgreSQL refuses this: the generated column `g` uses `a.t`"
    );
    for fine in [
        "ALTER TABLE a DROP COLUMN g, DROP COLUMN t;",
        "ALTER TABLE a DROP COLUMN id;",
        "DROP VIEW v CASCADE;\nALTER TABLE a DROP COLUMN s;",
    ] {
        assert!(found(rule, before, fine).is_empty(), "{fine}");
    }
}

#[test]
fn an_index_is_built_partition_by_partition() {
    let before = "CREATE TABLE app.part (id int, d date, v int) PARTITION BY RANGE (d);\n\
                  CREATE TABLE app.y PARTITION OF app.part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (id);\n\
                  CREATE TABLE app.\"Y 1\" PARTITION OF app.y FOR VALUES IN (1);";
    let rule = "pg-index-concurrently";
    let index = "CREATE UNIQUE INDEX ON app.part USING btree (d, id) WHERE v > 0;";
    let steps = [
        "CREATE UNIQUE INDEX part_d_id_idx ON ONLY app.part USING btree (d, id) WHERE v > 0;",
        "CREATE UNIQUE INDEX y_part_d_id_idx ON ONLY app.y USING btree (d, id) WHERE v > 0;",
        "CREATE UNIQUE INDEX CONCURRENTLY \"Y 1_part_d_id_idx\" ON app.\"Y 1\" USING btree (d, id) WHERE v > 0;",
        "ALTER INDEX app.y_part_d_id_idx ATTACH PARTITION app.\"Y 1_part_d_id_idx\";",
        "ALTER INDEX app.part_d_id_idx ATTACH PARTITION app.y_part_d_id_idx;",
    ];
    assert_eq!(instead(rule, before, index), steps);
    let findings = found(rule, before, index);
    assert_eq!(
        findings[0].message,
        "writes to `part` and to its partitions wait until the index of each is built"
    );
    // Made by something else than migrations.
    let alone = "CREATE TABLE part (id int, d date) PARTITION BY RANGE (d);";
    let instead = instead(rule, alone, "CREATE INDEX i ON part (d);");
    assert_eq!(instead.len(), 3);
    assert!(instead[1].contains("CREATE INDEX CONCURRENTLY <partition>_i ON <partition> (d);"));
    for fine in [
        "CREATE INDEX i ON ONLY part (d);",
        "CREATE INDEX i ON ONLY unknown (d);",
    ] {
        assert!(found(rule, alone, fine).is_empty(), "{fine}");
    }
}

#[test]
fn a_key_is_made_partition_by_partition() {
    let before = "CREATE TABLE app.part (id int NOT NULL, d date NOT NULL) PARTITION BY RANGE (d);\n\
                  CREATE TABLE app.x PARTITION OF app.part FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');\n\
                  CREATE TABLE app.y PARTITION OF app.part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (id);\n\
                  CREATE TABLE app.z PARTITION OF app.y FOR VALUES IN (1);";
    let unique = "ALTER TABLE app.part ADD CONSTRAINT unique_day UNIQUE (id, d) DEFERRABLE;";
    let steps = [
        "ALTER TABLE ONLY app.part ADD CONSTRAINT unique_day UNIQUE (id, d) DEFERRABLE;",
        "CREATE UNIQUE INDEX CONCURRENTLY x_unique_day ON app.x (id, d);",
        "ALTER TABLE app.x ADD CONSTRAINT x_unique_day UNIQUE USING INDEX x_unique_day DEFERRABLE;\n\
         ALTER INDEX app.unique_day ATTACH PARTITION app.x_unique_day;",
        "ALTER TABLE ONLY app.y ADD CONSTRAINT y_unique_day UNIQUE (id, d) DEFERRABLE;",
        "CREATE UNIQUE INDEX CONCURRENTLY z_unique_day ON app.z (id, d);",
        "ALTER TABLE app.z ADD CONSTRAINT z_unique_day UNIQUE USING INDEX z_unique_day DEFERRABLE;\n\
         ALTER INDEX app.y_unique_day ATTACH PARTITION app.z_unique_day;",
        "ALTER INDEX app.unique_day ATTACH PARTITION app.y_unique_day;",
    ];
    assert_eq!(instead("pg-unique-constraint", before, unique), steps);
    assert!(found("pg-unique-constraint", before, steps[0]).is_empty());
    let alone = "CREATE TABLE part (id int NOT NULL, d date NOT NULL) PARTITION BY RANGE (d);";
    let key = instead(
        "pg-primary-key",
        alone,
        "ALTER TABLE part ADD PRIMARY KEY (id, d);",
    );
    assert_eq!(
        key,
        [
            "ALTER TABLE ONLY part ADD CONSTRAINT part_pkey PRIMARY KEY (id, d);",
            "-- one such migration for each partition\n\
             CREATE UNIQUE INDEX CONCURRENTLY <partition>_part_pkey ON <partition> (id, d);",
            "-- two such statements for each partition\n\
             ALTER TABLE <partition> ADD CONSTRAINT <partition>_part_pkey PRIMARY KEY USING INDEX <partition>_part_pkey;\n\
             ALTER INDEX part_pkey ATTACH PARTITION <partition>_part_pkey;",
        ]
    );
}

#[test]
fn names_are_spoken_without_quotes() {
    let findings = found("pg-drop-index-concurrently", "", "DROP INDEX \"by Mail\";");
    assert!(findings[0].message.contains("`by Mail`"), "{findings:?}");
}

#[test]
fn what_is_proposed_has_no_error_either() {
    let mut wrong = Vec::new();
    for rule in ALL.iter().filter(|rule| rule.id.starts_with("pg-")) {
        for example in rule.examples {
            for finding in found(rule.id, example.before, example.found) {
                let mut linter = after(POSTGRES, example.before, rule);
                for file in &finding.instead {
                    let errors = judge(&mut linter, POSTGRES, file);
                    let errors = errors.iter().filter(|found| {
                        found.is_error() || found.rule.id == rule.id || found.rule.id == "x-opaque"
                    });
                    wrong.extend(errors.map(|found| {
                        format!(
                            "{}: {file:?}: {}: {}",
                            rule.id, found.rule.id, found.message
                        )
                    }));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_other_actions_of_a_statement_are_kept() {
    assert_eq!(
        instead(
            "pg-check-not-valid",
            ORDERS,
            "ALTER TABLE orders ADD COLUMN a int, ADD CHECK (note <> ''), ALTER note DROP DEFAULT;"
        ),
        [
            "ALTER TABLE orders ADD COLUMN a int, ALTER note DROP DEFAULT;",
            "ALTER TABLE orders ADD CONSTRAINT orders_note_check CHECK (note <> '') NOT VALID;",
            "ALTER TABLE orders VALIDATE CONSTRAINT orders_note_check;",
        ]
    );
}

#[test]
fn a_reference_of_a_column_becomes_a_foreign_key() {
    assert_eq!(
        instead(
            "pg-fk-not-valid",
            ORDERS,
            "ALTER TABLE orders ADD COLUMN shop_id bigint DEFAULT 1 REFERENCES shops (id) ON DELETE CASCADE;"
        ),
        [
            "ALTER TABLE orders ADD COLUMN shop_id bigint DEFAULT 1;",
            "ALTER TABLE orders ADD CONSTRAINT orders_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES shops (id) ON DELETE CASCADE NOT VALID;",
            "ALTER TABLE orders VALIDATE CONSTRAINT orders_shop_id_fkey;",
        ]
    );
}

#[test]
fn names_are_quoted_in_what_is_proposed() {
    let proposed = instead(
        "pg-unique-constraint",
        "CREATE TABLE \"Order\" (id bigint PRIMARY KEY, \"No\" int);",
        "ALTER TABLE \"Order\" ADD UNIQUE (\"No\");",
    );
    assert_eq!(
        proposed,
        [
            "CREATE UNIQUE INDEX CONCURRENTLY \"Order_No_key\" ON \"Order\" (\"No\");",
            "ALTER TABLE \"Order\" ADD CONSTRAINT \"Order_No_key\" UNIQUE USING INDEX \"Order_No_key\";",
        ]
    );
}

#[test]
fn types_that_stay_as_they_are_are_no_finding() {
    let changes = |to: &str| {
        let text = format!("ALTER TABLE orders ALTER COLUMN note TYPE {to};");
        found("pg-alter-type", ORDERS, &text).len()
    };
    assert_eq!([changes("varchar(20)"), changes("text")], [0, 0]);
    assert_eq!(
        [changes("varchar(5)"), changes("int USING note::int")],
        [1, 1]
    );
}

#[test]
fn newer_servers_are_offered_what_they_have() {
    let settings = Settings {
        server: Server {
            version: Some((18, 0)),
            ..Server::default()
        },
        ..Settings::default()
    };
    let mut linter = Linter::new(POSTGRES, settings);
    linter.learn(&script(POSTGRES, ORDERS));
    let mut findings = judge(
        &mut linter,
        POSTGRES,
        "ALTER TABLE orders ALTER note SET NOT NULL;",
    );
    findings.retain(|finding| finding.rule.id == "pg-set-not-null");
    assert_eq!(
        findings.remove(0).instead,
        [
            "ALTER TABLE orders ADD CONSTRAINT orders_note_not_null NOT NULL note NOT VALID;",
            "ALTER TABLE orders VALIDATE CONSTRAINT orders_note_not_null;",
        ]
    );
}

#[test]
fn changing_all_rows_is_worse_than_changing_an_unknown_number() {
    let severity = |text: &str| {
        let found = found("pg-mass-dml", ORDERS, text);
        found.first().map(|finding| finding.severity)
    };
    assert_eq!(
        severity("UPDATE orders SET note = '';"),
        Some(Severity::Error)
    );
    assert_eq!(
        severity("UPDATE orders SET note = '' WHERE note IS NULL;"),
        Some(Severity::Warning)
    );
    assert_eq!(severity("DELETE FROM orders WHERE id = 7;"), None);
    assert_eq!(
        instead(
            "pg-mass-dml",
            ORDERS,
            "UPDATE orders SET note = '' WHERE note = 'a' OR note = 'b';"
        ),
        [
            "-- forerun:data\n-- forerun:no-transaction\n-- one such statement for each range of keys\n\
          UPDATE orders SET note = '' WHERE id BETWEEN 1 AND 10000 AND (note = 'a' OR note = 'b');"
        ]
    );
    assert_eq!(
        instead(
            "pg-mass-dml",
            ORDERS,
            "DELETE FROM orders WHERE note IS NULL RETURNING id;"
        ),
        [
            "-- forerun:data\n-- forerun:no-transaction\n-- one such statement for each range of keys\n\
          DELETE FROM orders WHERE id BETWEEN 1 AND 10000 AND note IS NULL RETURNING id;"
        ]
    );
}

#[test]
fn a_lock_is_held_for_what_comes_after_it_only() {
    let work = "INSERT INTO archive (id) SELECT id FROM orders;";
    let lock = "ALTER TABLE orders ADD COLUMN a int;";
    let count = |text: String| found("pg-hold-access-exclusive", ORDERS, &text).len();
    assert_eq!(count(format!("{lock}\n{work}\n{work}")), 1);
    assert_eq!(count(format!("{work}\n{lock}")), 0);
    assert_eq!(
        count(format!("{lock}\nINSERT INTO orders (id) VALUES (1);")),
        0
    );
    assert_eq!(
        count(format!("{lock}\nINSERT INTO orders (id) SELECT 1;")),
        1
    );
}

#[test]
fn a_trigger_alone_with_its_function_is_fine() {
    let text = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;\n\
                CREATE TRIGGER f BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f();";
    assert!(found("pg-trigger-lock", ORDERS, text).is_empty());
}

#[test]
fn a_key_has_its_index_whatever_the_order() {
    let key = "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;";
    assert_eq!(found("pg-fk-index", ORDERS, key).len(), 1);
    let indexed = format!("{ORDERS}\nCREATE INDEX i ON orders (customer_id, note);");
    assert!(found("pg-fk-index", &indexed, key).is_empty());
    // Nobody knows what indexes a table has that nobody knows.
    assert!(found("pg-fk-index", "", key).is_empty());
}

#[test]
fn a_table_keeps_one_of_its_foreign_keys() {
    let proposed = instead(
        "pg-create-table-fk",
        "",
        "CREATE TABLE t (a int REFERENCES a, b int NOT NULL REFERENCES b, c int, FOREIGN KEY (c) REFERENCES c);",
    );
    assert_eq!(
        proposed,
        [
            "CREATE TABLE t (a int REFERENCES a, b int NOT NULL, c int);",
            "ALTER TABLE t ADD CONSTRAINT t_b_fkey FOREIGN KEY (b) REFERENCES b NOT VALID;",
            "ALTER TABLE t VALIDATE CONSTRAINT t_b_fkey;",
            "ALTER TABLE t ADD CONSTRAINT t_c_fkey FOREIGN KEY (c) REFERENCES c NOT VALID;",
            "ALTER TABLE t VALIDATE CONSTRAINT t_c_fkey;",
        ]
    );
}

#[test]
fn a_timeout_of_the_file_becomes_a_directive() {
    for (value, time) in [("'60s'", "60s"), ("5000", "5000ms"), ("'2 min'", "2m")] {
        let text = format!("SET lock_timeout = {value};\nSELECT 1;");
        let wanted = format!("-- forerun:timeout lock={time}\nSELECT 1;");
        assert_eq!(instead("pg-timeout-override", "", &text), [wanted]);
    }
}

/// What is proposed for a type: the function of the trigger, and what fills the column.
fn converted(before: &str, text: &str) -> (String, String) {
    let files = instead("pg-alter-type", before, text);
    (files[0].clone(), files[1].clone())
}

#[test]
fn a_column_beside_the_old_one_gets_what_using_says() {
    let (trigger, fill) = converted(
        ORDERS,
        "ALTER TABLE orders ALTER note TYPE date USING to_date(orders.note || \"id\"::text, 'note');",
    );
    assert!(
        trigger.contains("NEW.note_new := to_date(NEW.note || NEW.\"id\"::text, 'note');"),
        "{trigger}"
    );
    // Nobody knows the way back, so the old column is left alone.
    assert!(!trigger.contains("NEW.note :="), "{trigger}");
    assert!(
        fill.contains("SET note_new = to_date(orders.note || \"id\"::text, 'note') WHERE"),
        "{fill}"
    );
    let (trigger, fill) = converted(
        ORDERS,
        "ALTER TABLE orders ALTER note TYPE int USING (note::int);",
    );
    assert!(
        trigger.contains("NEW.note_new := (NEW.note::int);"),
        "{trigger}"
    );
    assert!(trigger.contains("NEW.note := NEW.note_new;"), "{trigger}");
    assert!(fill.contains("SET note_new = (note::int) WHERE"), "{fill}");
    let before = "CREATE TABLE t (id bigint PRIMARY KEY, n int);";
    let (trigger, _) = converted(
        before,
        "ALTER TABLE t ALTER n TYPE boolean USING n::boolean;",
    );
    assert!(
        trigger.contains("NEW.n := NEW.n_new::integer;"),
        "{trigger}"
    );
}

#[test]
fn a_type_that_needs_a_cast_gets_one_where_no_using_is_written() {
    let (trigger, fill) = converted(ORDERS, "ALTER TABLE orders ALTER note TYPE int;");
    assert!(
        trigger.contains("NEW.note_new := NEW.note::int;"),
        "{trigger}"
    );
    assert!(fill.contains("SET note_new = note::int WHERE"), "{fill}");
    let before =
        "CREATE TYPE state AS ENUM ('1', '2');\nCREATE TABLE t (id bigint PRIMARY KEY, s state);";
    let (trigger, fill) = converted(before, "ALTER TABLE t ALTER s TYPE int;");
    assert!(
        trigger.contains("NEW.s_new := NEW.s::text::int;"),
        "{trigger}"
    );
    assert!(trigger.contains("NEW.s := NEW.s_new;"), "{trigger}");
    assert!(fill.contains("SET s_new = s::text::int WHERE"), "{fill}");
    let before = "CREATE TABLE t (id bigint PRIMARY KEY, n int);";
    let (_, fill) = converted(before, "ALTER TABLE t ALTER n TYPE bigint;");
    assert!(fill.contains("SET n_new = n WHERE"), "{fill}");
}

#[test]
fn a_view_is_refreshed_beside_its_readers_when_it_has_a_unique_index() {
    let view = "CREATE MATERIALIZED VIEW daily AS SELECT 1 AS day;";
    let refresh = "REFRESH MATERIALIZED VIEW daily;";
    let beside = "REFRESH MATERIALIZED VIEW CONCURRENTLY daily;";
    let proposed = |before: &str| {
        let finding = found("pg-matview-refresh", before, refresh).remove(0);
        (finding.message.contains("unique index"), finding.instead)
    };
    let index = "CREATE UNIQUE INDEX i ON daily (day);";
    assert_eq!(
        proposed(&format!("{view}\n{index}")),
        (false, vec![beside.to_owned()])
    );
    for none in [
        view.to_owned(),
        format!("{view}\nCREATE INDEX i ON daily (day);"),
        format!("{view}\nCREATE UNIQUE INDEX i ON daily (day) WHERE day > 0;"),
        format!("{view}\n{index}\nDROP INDEX i;"),
        format!("{view}\n{index}\nDROP MATERIALIZED VIEW daily;\n{view}"),
    ] {
        assert_eq!(proposed(&none), (true, Vec::new()), "{none}");
    }
    let made = "CREATE UNIQUE INDEX CONCURRENTLY daily_key ON daily (<columns>);";
    assert_eq!(
        proposed(""),
        (true, vec![made.to_owned(), beside.to_owned()])
    );
}

#[test]
fn a_file_is_cut_once_and_only_a_short_one() {
    let before = format!("{ORDERS}\nCREATE TABLE shops (id bigint PRIMARY KEY, a int);");
    let judged = |text: &str| {
        let mut linter = Linter::new(POSTGRES, Settings::default());
        linter.learn(&script(POSTGRES, &before));
        let findings = judge(&mut linter, POSTGRES, text);
        let of = |id: &str| {
            let mut own = findings.iter().filter(|finding| finding.rule.id == id);
            own.next()
                .map(|own| (own.message.clone(), own.instead.len()))
        };
        (
            of("pg-hold-access-exclusive").unwrap(),
            of("pg-multi-table-lock").unwrap(),
        )
    };
    let lock = "ALTER TABLE orders ADD COLUMN a int;";
    let work = "ALTER TABLE shops ALTER a TYPE bigint;";
    let (held, several) = judged(&format!("{lock}\n{work}"));
    assert_eq!((held.1, several.1), (2, 0));
    let long = format!("{lock}\n{work}\n{}", "SELECT 1;\n".repeat(12));
    let (held, several) = judged(&long);
    assert_eq!((held.1, several.1), (0, 0));
    for (message, _) in [held, several] {
        assert!(
            message.ends_with("one such statement per migration"),
            "{message}"
        );
    }
    // Where the other rule has nothing to say, the proposal stands.
    let text = format!("{lock}\nALTER TABLE shops ADD COLUMN b int;");
    assert_eq!(instead("pg-multi-table-lock", &before, &text).len(), 2);
}
