//! What the drivers see a server do, on scratch databases of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use forerun_databases::connection_url::ConnectionUrl;
use forerun_databases::open;
use forerun_migrations::database::{Database, Identity};
use forerun_migrations::trace::{Failure, How, Observer, Source, TracedStatement, Tracer};
use forerun_sql::effect::Effect;
use forerun_test_support::{MariadbServer, PostgresServer};

const ALONE: How = How {
    transaction: false,
    wrapped: false,
    observed: true,
};
const TOGETHER: How = How {
    transaction: true,
    ..ALONE
};

fn database(url: &str) -> Arc<dyn Database> {
    open(&ConnectionUrl::parse(url, &|_| None).expect("a good URL"))
}

async fn observer(database: &dyn Database) -> Box<dyn Observer> {
    let identity = Identity {
        run_id: "trace".to_owned(),
        actor: "tester".to_owned(),
        host: "host".to_owned(),
        release: None,
        tool_version: "0.0.0".to_owned(),
    };
    database.observer(&identity).await.expect("connects")
}

async fn tracer(database: &dyn Database) -> Tracer {
    let mut observer = observer(database).await;
    assert_eq!(observer.contents().await.unwrap(), Vec::<String>::new());
    Tracer::new(database, observer, None)
}

/// Runs `before`, then looks at `script`.
async fn trace(url: &str, before: &str, script: &str, how: How) -> Vec<TracedStatement> {
    let database = database(url);
    let mut tracer = tracer(database.as_ref()).await;
    let unseen = How {
        observed: false,
        ..ALONE
    };
    tracer.run(before.as_bytes(), unseen).await.expect("runs");
    tracer.begin().await.expect("begins");
    let traced = tracer.run(script.as_bytes(), how).await.expect("runs");
    tracer.clear().await.expect("is emptied");
    assert_eq!(
        observer(database.as_ref()).await.contents().await.unwrap(),
        Vec::<String>::new()
    );
    traced
}

fn short(effects: &[Effect]) -> Vec<String> {
    let one = |effect: &Effect| format!("{} {} {:?}", effect.table.name, effect.lock, effect.work);
    effects.iter().map(one).collect()
}

fn effects(traced: &[TracedStatement]) -> Vec<Vec<String>> {
    traced.iter().map(|one| short(&one.effects)).collect()
}

const ORDERS: &str = "CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note varchar(10));";

#[tokio::test]
async fn postgres_tells_locks_scans_builds_and_rewrites() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let script = "ALTER TABLE orders ADD COLUMN paid boolean;
        CREATE INDEX orders_customer ON orders (customer_id);
        ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
        ALTER TABLE orders ALTER COLUMN note TYPE integer USING 0;
        ALTER TABLE orders ALTER COLUMN customer_id TYPE text;
        TRUNCATE orders;
        REINDEX INDEX orders_pkey;
        CREATE TABLE new (id bigint);
        ALTER TABLE new ADD COLUMN a int DEFAULT random();
        UPDATE orders SET paid = true;
        DROP TABLE customers;";
    let traced = trace(&database.url, ORDERS, script, ALONE).await;
    assert!(traced.iter().all(|one| one.source == Source::Observed));
    assert_eq!(
        effects(&traced),
        [
            vec!["orders ACCESS EXCLUSIVE Metadata"],
            vec!["orders SHARE IndexBuild"],
            vec!["orders ACCESS EXCLUSIVE Scan"],
            vec!["orders ACCESS EXCLUSIVE Rewrite"],
            vec!["orders ACCESS EXCLUSIVE Rewrite"],
            vec!["orders ACCESS EXCLUSIVE Metadata"],
            vec![
                "orders SHARE IndexBuild",
                "orders_pkey ACCESS EXCLUSIVE IndexBuild",
            ],
            vec![],
            vec![],
            vec!["orders ROW EXCLUSIVE Rows"],
            vec!["customers ACCESS EXCLUSIVE Metadata"],
        ]
    );
}

#[tokio::test]
async fn a_lock_that_is_held_while_something_long_runs_is_told() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let script = "ALTER TABLE customers ADD COLUMN name text;
        COMMENT ON TABLE orders IS 'x';
        CREATE INDEX orders_customer ON orders (customer_id);
        ALTER TABLE customers ALTER COLUMN id SET DEFAULT 1;
        ALTER TABLE customers ADD CHECK (id > 0);";
    let traced = trace(&database.url, ORDERS, script, TOGETHER).await;
    let held: Vec<Vec<String>> = traced.iter().map(|one| short(&one.held)).collect();
    let index_meanwhile = vec!["customers ACCESS EXCLUSIVE IndexBuild".to_owned()];
    assert_eq!(held[..3], [vec![], vec![], index_meanwhile]);
    // Nothing new is locked, but what is held is held for longer.
    assert_eq!(
        short(&traced[4].effects),
        ["customers ACCESS EXCLUSIVE Scan"]
    );
    assert_eq!(short(&traced[4].held), ["orders SHARE Scan"]);
    assert_eq!(traced[3].long_blocking().count(), 0);
}

#[tokio::test]
async fn a_lock_that_an_earlier_one_hides_is_told_as_documented() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let script = "ALTER TABLE orders ADD COLUMN x int;
        ALTER TABLE orders ALTER COLUMN note TYPE integer USING 0;
        CREATE INDEX orders_x ON orders (x);
        CREATE INDEX orders_note ON orders (note);
        ALTER TABLE orders ALTER COLUMN x SET DEFAULT 1;
        DO $$ BEGIN EXECUTE 'CREATE INDEX orders_both ON orders (x, note)'; END $$;
        CREATE INDEX customers_id ON customers (id);
        DO $$ BEGIN EXECUTE 'ALTER TABLE customers ADD CHECK (id > 0)'; END $$;";
    let traced = trace(&database.url, ORDERS, script, TOGETHER).await;
    let told: Vec<(Source, Vec<String>)> = traced
        .iter()
        .map(|one| (one.source, short(&one.effects)))
        .collect();
    let (observed, documented) = (Source::Observed, Source::Documented);
    for (number, (source, effect)) in [
        (observed, "orders ACCESS EXCLUSIVE Metadata"),
        (documented, "orders ACCESS EXCLUSIVE Rewrite"),
        // SHARE is among the locks since the statement before: none was seen coming.
        (documented, "orders SHARE IndexBuild"),
        (documented, "orders SHARE IndexBuild"),
        (documented, "orders ACCESS EXCLUSIVE Metadata"),
        (observed, "orders ACCESS EXCLUSIVE IndexBuild"),
        (observed, "customers SHARE IndexBuild"),
        (observed, "customers ACCESS EXCLUSIVE Scan"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(told[number], (source, vec![effect.to_owned()]), "{number}");
    }
    let held: Vec<Vec<String>> = traced.iter().map(|one| short(&one.held)).collect();
    let meanwhile = |what: &str| vec![format!("orders ACCESS EXCLUSIVE {what}")];
    assert_eq!(held[1], Vec::<String>::new());
    assert_eq!(held[2], meanwhile("IndexBuild"));
    assert_eq!(held[5], Vec::<String>::new());
    assert_eq!(held[7], meanwhile("Scan"));
    assert_eq!(
        traced[5].note.as_deref(),
        Some(
            "on orders at most ACCESS EXCLUSIVE, which an earlier statement holds: a weaker lock cannot be seen"
        )
    );
    assert!(traced.iter().all(|one| one.watched));
}

#[tokio::test]
async fn a_partitioned_table_is_locked_as_long_as_its_partitions_are_worked_at() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let before = "CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (id);
        CREATE TABLE events_1_1 PARTITION OF events_1 FOR VALUES IN (1);";
    let script = "CREATE INDEX events_day ON events (day);";
    let traced = trace(&database.url, before, script, ALONE).await;
    let mut effects = effects(&traced);
    effects[0].sort_unstable();
    assert_eq!(
        effects,
        [[
            "events SHARE IndexBuild",
            "events_1 SHARE IndexBuild",
            "events_1_1 SHARE IndexBuild"
        ]]
    );
}

#[tokio::test]
async fn what_cannot_be_seen_is_told_as_documented_and_what_reaches_further_is_not_run() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let script = "CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);
        CREATE ROLE forerun_trace_must_not_exist;";
    let traced = trace(&database.url, ORDERS, script, ALONE).await;
    let sources: Vec<Source> = traced.iter().map(|one| one.source).collect();
    assert_eq!(sources, [Source::Documented, Source::NotRun]);
    assert_eq!(
        short(&traced[0].effects),
        ["orders SHARE UPDATE EXCLUSIVE IndexBuild"]
    );
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname = 'forerun_trace_must_not_exist'";
    assert_eq!(database.query(roles).trim(), "0");
}

#[tokio::test]
async fn postgres_is_left_as_it_was_found() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE SCHEMA kept; GRANT USAGE ON SCHEMA public TO PUBLIC");
    let schemas = "SELECT nspname, nspacl FROM pg_namespace ORDER BY 1";
    let before = database.query(schemas);
    let script = "CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('a'); CREATE DOMAIN d AS int CHECK (value > 0);
        CREATE TABLE s.t (id serial PRIMARY KEY, m s.mood, d d); CREATE VIEW v AS SELECT * FROM s.t;
        CREATE MATERIALIZED VIEW kept.mv AS SELECT 1 AS a; CREATE TYPE pair AS (a int, b int);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
        CREATE TRIGGER t BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION f();
        CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
        CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int);
        CREATE OPERATOR public.=== (leftarg = int, rightarg = int, function = int4eq);
        CREATE TABLE parts (id int) PARTITION BY RANGE (id);
        CREATE TABLE part PARTITION OF parts DEFAULT;
        CREATE PUBLICATION p FOR TABLE s.t;";
    trace(&database.url, "", script, ALONE).await;
    assert_eq!(database.query(schemas), before);
}

#[tokio::test]
async fn mariadb_tells_the_best_way_that_it_accepts() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let script = "ALTER TABLE orders ADD COLUMN paid int -- soon
            ;
        CREATE INDEX orders_customer ON orders (customer_id);
        ALTER TABLE orders MODIFY note varchar(10) NOT NULL;
        ALTER TABLE orders MODIFY customer_id int;
        ALTER TABLE orders FORCE, ALGORITHM=INPLACE;
        DROP INDEX orders_customer ON orders;
        CREATE TABLE new (id bigint);
        ALTER TABLE new ADD COLUMN a int;
        ALTER TABLE orders RENAME TO purchases;";
    let traced = trace(&database.url, ORDERS, script, ALONE).await;
    let notes: Vec<&str> = traced
        .iter()
        .map(|one| one.note.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(
        notes[..5],
        [
            "ALGORITHM=INSTANT, LOCK=NONE",
            "ALGORITHM=NOCOPY, LOCK=NONE",
            "ALGORITHM=INPLACE, LOCK=NONE",
            "ALGORITHM=COPY, LOCK=SHARED",
            "ALGORITHM=INPLACE, LOCK=NONE",
        ]
    );
    assert_eq!(
        effects(&traced)[..5],
        [
            vec!["orders LOCK=NONE Metadata"],
            vec!["orders LOCK=NONE IndexBuild"],
            vec!["orders LOCK=NONE Rewrite"],
            vec!["orders LOCK=SHARED Rewrite"],
            vec!["orders LOCK=NONE Rewrite"],
        ]
    );
    // MariaDB has no wish for DROP INDEX.
    assert_eq!(traced[5].source, Source::Documented);
    assert_eq!(effects(&traced)[7], Vec::<String>::new());
    assert_eq!(
        short(&traced[8].effects),
        ["orders LOCK=EXCLUSIVE Metadata"]
    );
}

/// MariaDB takes `ALGORITHM=INSTANT` for these, and copies the table.
#[tokio::test]
async fn a_table_that_mariadb_writes_anew_without_saying_so_is_told() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let before = "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 3), (2, 2);
        CREATE TABLE parted (id int PRIMARY KEY, a int) PARTITION BY HASH (id) PARTITIONS 2;
        CREATE TABLE other (id int PRIMARY KEY, a int) ENGINE=MyISAM;";
    for (statement, wanted) in [
        ("ALTER TABLE t ENGINE=InnoDB;", "t LOCK=NONE Rewrite"),
        ("ALTER TABLE t ENGINE=MyISAM;", "t LOCK=SHARED Rewrite"),
        (
            "ALTER TABLE t ENGINE=MyISAM, ALGORITHM=INSTANT;",
            "t LOCK=SHARED Rewrite",
        ),
        (
            "ALTER TABLE other ENGINE=InnoDB;",
            "other LOCK=SHARED Rewrite",
        ),
        ("ALTER TABLE t ORDER BY a;", "t LOCK=SHARED Rewrite"),
        (
            "ALTER TABLE t ADD COLUMN b int, ORDER BY a;",
            "t LOCK=SHARED Rewrite",
        ),
        (
            "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 2;",
            "t LOCK=SHARED Rewrite",
        ),
        (
            "ALTER TABLE parted PARTITION BY HASH (id) PARTITIONS 3;",
            "parted LOCK=SHARED Rewrite",
        ),
        (
            "ALTER TABLE parted REMOVE PARTITIONING;",
            "parted LOCK=SHARED Rewrite",
        ),
        ("ALTER TABLE t ADD COLUMN b int;", "t LOCK=NONE Metadata"),
    ] {
        let traced = trace(&database.url, before, statement, ALONE).await;
        assert_eq!(
            effects(&traced),
            [[wanted]],
            "{statement} {:?}",
            traced[0].note
        );
        assert_eq!(traced[0].source, Source::Observed, "{statement}");
    }
    // InnoDB knows nothing of it, before or after.
    let between = "ALTER TABLE other ENGINE=Aria;";
    let traced = trace(&database.url, before, between, ALONE).await;
    assert_ne!(traced[0].source, Source::Observed);
}

#[tokio::test]
async fn mariadb_is_left_empty_and_other_databases_are_left_alone() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let script = "CREATE TABLE a (id bigint PRIMARY KEY);
        CREATE TABLE b (id bigint PRIMARY KEY, a bigint, FOREIGN KEY (a) REFERENCES a (id));
        CREATE VIEW v AS SELECT * FROM a;
        CREATE SEQUENCE s;
        CREATE PROCEDURE p() SELECT 1;
        CREATE FUNCTION f() RETURNS int RETURN 1;
        CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.id = 1;
        CREATE TABLE elsewhere.a (id int);
        GRANT SELECT ON elsewhere.* TO nobody;
        USE elsewhere;";
    let traced = trace(&database.url, "", script, ALONE).await;
    let unrun = traced.iter().filter(|one| one.source == Source::NotRun);
    assert_eq!(unrun.count(), 3);
}

#[tokio::test]
async fn a_name_with_other_characters_is_found_again() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let url = server.create_database("scratch-trace");
    let before = "CREATE TABLE `order-lines` (id bigint PRIMARY KEY, a int);";
    let script = "ALTER TABLE `order-lines` FORCE;";
    let traced = trace(&url, before, script, ALONE).await;
    assert_eq!(effects(&traced), [vec!["order-lines LOCK=NONE Rewrite"]]);
}

#[tokio::test]
async fn a_statement_that_fails_is_named_and_the_database_empty_again() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let server = server.fresh_database();
    let database = database(&server.url);
    let mut tracer = tracer(database.as_ref()).await;
    let script = "CREATE TABLE t (id int);\nALTER TABLE t ADD COLUMN id int;";
    let failure = tracer.run(script.as_bytes(), ALONE).await.unwrap_err();
    let Failure::Statement { position, .. } = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(position.line, 2);
    tracer.clear().await.unwrap();
    let left = observer(database.as_ref()).await.contents().await.unwrap();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_was_not_there_is_gone_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scratch.db");
    let url = format!("sqlite://{}", path.display());
    let script = "CREATE TABLE t (id integer PRIMARY KEY); CREATE INDEX i ON t (id);
        CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; CREATE VIEW v AS SELECT * FROM t;
        ATTACH 'other.db' AS other;";
    let traced = trace(&url, "", script, TOGETHER).await;
    assert_eq!(traced.last().unwrap().source, Source::NotRun);
    assert!(!path.exists());

    std::fs::write(&path, "").unwrap();
    trace(&url, "", script, TOGETHER).await;
    assert!(path.exists());
}
