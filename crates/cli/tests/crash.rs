//! `kill -9` at any moment, as a node that loses power does it: the next run goes on, and in the end the database is
//! exactly as after a run that nobody disturbed.
//!
//! A round costs some hundred milliseconds. `FORERUN_TEST_ROUNDS` sets their number, `FORERUN_TEST_SEED` repeats the
//! moments of a failed test (as far as the machine does).
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use forerun_test_support::ScratchProject;
use story::{PATIENCE, Random, Target, project_for, rounds, take_over_from_the_dead, up};

/// Rounds per database, unless the environment says otherwise.
const ROUNDS: u32 = 200;
/// A round has at most this many kills before the run that is left alone.
const MOST_KILLS: u64 = 3;
/// The comparison with the server's own dump program takes longer than all the rest of a round.
const DUMP_EVERY: u32 = 10;
/// Rounds at a time, for each database: most of a round is waiting for the disk.
const WORKERS: u32 = 4;

struct Story {
    target: fn() -> Option<Target<'static>>,
    migrations: Vec<(&'static str, String)>,
    /// Queries for everything that the migrations are to leave behind.
    results: &'static [&'static str],
}

impl Story {
    /// All that must be equal after any number of crashes, and below a line what may differ; asked in one go.
    fn ask(&self, target: &Target<'_>) -> (String, Differing) {
        let queries = [
            "SELECT version, script, kind, checksum, statements FROM forerun_history ORDER BY version",
            // One per version, however many runs it took.
            "SELECT version, count(*) FROM forerun_audit WHERE event = 'migration.applied' GROUP BY version ORDER BY 1",
            "SELECT 'unfinished', count(*) FROM forerun_journal",
        ];
        let differing = [
            "SELECT count(*) FROM forerun_lock WHERE run_id IS NOT NULL",
            "SELECT count(DISTINCT run_id) FROM forerun_audit WHERE event = 'migration.applied'",
            "SELECT count(*) FROM forerun_audit WHERE event = 'statement.settled'",
        ];
        let script: Vec<&str> = queries
            .iter()
            .chain(self.results)
            .chain(&differing)
            .copied()
            .collect();
        let answer = target.query(&script.join(";\n"));
        let mut lines: Vec<&str> = answer.lines().collect();
        let mut number = || {
            lines
                .pop()
                .and_then(|line| line.parse().ok())
                .expect("a number")
        };
        let (settled, runs, held): (u32, u32, u32) = (number(), number(), number());
        (
            lines.join("\n"),
            Differing {
                held: held > 0,
                runs,
                settled,
            },
        )
    }

    fn run(&self) {
        let Some(reference) = (self.target)() else {
            return;
        };
        let project = project_for(&reference, &self.migrations);
        let _ = up(&project, &[]).run().expect_code(0);
        let undisturbed = Undisturbed {
            usual: self.usual_duration(&project),
            project,
            results: self.ask(&reference).0,
            schema: reference.dump_schema(),
        };

        let mut random = Random::seeded();
        let rounds = rounds(ROUNDS);
        let next = AtomicU32::new(0);
        let randoms: Vec<_> = (0..WORKERS).map(|_| random.another()).collect();
        let told = std::thread::scope(|scope| {
            let workers: Vec<_> = randoms
                .into_iter()
                .map(|random| scope.spawn(|| self.rounds(&undisturbed, random, &next, rounds)))
                .collect();
            let told = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
            told.map(|told| told.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .fold(Told::default(), Told::and)
        });
        let Told {
            kills,
            shared,
            settled,
        } = told;
        println!(
            "{reference:?}: {rounds} rounds, {kills} kills within {:?}; in {shared} rounds several runs shared \
             the work, {settled} statements in doubt were settled",
            undisturbed.usual
        );
        // Otherwise the moments were not in the middle, and nothing was shown.
        assert!(kills * 2 > rounds, "{kills} kills in {rounds} rounds");
        assert!(
            shared * 20 > rounds,
            "work was shared in {shared} of {rounds} rounds"
        );
    }

    /// How long a run takes that is not killed, while as many others are under way as later.
    fn usual_duration(&self, project: &ScratchProject) -> Duration {
        let measure = || {
            let target = (self.target)().expect("there was one before");
            let started = Instant::now();
            let _ = up(project, &["-u", &target.url()]).run().expect_code(0);
            started.elapsed()
        };
        let total: Duration = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|_| scope.spawn(move || measure() + measure()))
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().expect("it did not fail"))
                .sum()
        });
        total / (2 * WORKERS)
    }

    /// Rounds until all are done.
    fn rounds(
        &self,
        undisturbed: &Undisturbed,
        mut random: Random,
        next: &AtomicU32,
        rounds: u32,
    ) -> Told {
        let mut told = Told::default();
        let mut window = undisturbed.usual + undisturbed.usual / 4;
        loop {
            let round = next.fetch_add(1, Ordering::Relaxed);
            if round >= rounds {
                return told;
            }
            told = told.and(self.round(undisturbed, &mut random, &mut window, round));
        }
    }

    /// Kills within `window`, which follows the speed of the machine: shorter after a run that came to its end, longer
    /// after one that did not.
    fn round(
        &self,
        undisturbed: &Undisturbed,
        random: &mut Random,
        window: &mut Duration,
        round: u32,
    ) -> Told {
        let Undisturbed { project, usual, .. } = undisturbed;
        let target = (self.target)().expect("there was one before");
        let url = target.url();
        let mut told = Told::default();
        let mut moments = Vec::new();
        for _ in 0..=random.below(MOST_KILLS) {
            let moment = random.moment(*window);
            moments.push(moment);
            let running = up(project, &["-u", &url]).spawn();
            std::thread::sleep(moment);
            running.kill();
            let ended = running.wait();
            match ended.signal() {
                Some(9) => {
                    told.kills += 1;
                    *window = (*window * 21 / 20).min(*usual * 2);
                }
                _ => {
                    *window = *window * 9 / 10;
                    assert_eq!(
                        ended.code(),
                        Some(0),
                        "round {round}, killed after {moments:?}\n{ended:?}"
                    );
                }
            }
        }
        let ended = up(project, &["-u", &url]).patience(PATIENCE).run();
        let what = format!("round {round}, killed after {moments:?}\n{ended:?}");
        assert_eq!(ended.code(), Some(0), "{what}");
        let (results, differing) = self.ask(&target);
        assert_eq!(results, undisturbed.results, "{what}");
        if round.is_multiple_of(DUMP_EVERY) {
            assert_eq!(target.dump_schema(), undisturbed.schema, "{what}");
        }
        if differing.held {
            take_over_from_the_dead(project, &target);
            assert_eq!(target.holder(), "", "{what}");
        }
        told.shared = u32::from(differing.runs > 1);
        told.settled = differing.settled;
        told
    }
}

/// What a run left behind that nobody disturbed, and how long it took.
struct Undisturbed {
    project: ScratchProject,
    usual: Duration,
    results: String,
    schema: String,
}

/// What depends on the moments.
struct Differing {
    /// The lease of a dead holder is left.
    held: bool,
    /// Runs that have applied migrations.
    runs: u32,
    /// Statements in doubt that were settled.
    settled: u32,
}

/// What rounds were like.
#[derive(Clone, Copy, Default)]
struct Told {
    kills: u32,
    /// Rounds in which more than one run applied migrations.
    shared: u32,
    settled: u32,
}

impl Told {
    fn and(self, other: Self) -> Self {
        Self {
            kills: self.kills + other.kills,
            shared: self.shared + other.shared,
            settled: self.settled + other.settled,
        }
    }
}

/// Whatever moment the node dies at, a SQLite database is neither half migrated nor migrated twice.
#[test]
fn killed_at_random_moments_on_sqlite() {
    Story {
        target: Target::sqlite_in_memory,
        migrations: vec![
            ("0001_start.sql", "CREATE TABLE counters (name text PRIMARY KEY, value integer NOT NULL);\nINSERT INTO counters VALUES ('steps', 0);\nCREATE TABLE items (name text NOT NULL);\n".into()),
            ("0002_items.sql", "INSERT INTO items VALUES ('one'), ('two');\nALTER TABLE items ADD COLUMN price integer NOT NULL DEFAULT 7;\nUPDATE items SET price = price * 2;\nUPDATE counters SET value = value + 1;\n".into()),
            ("0003_rebuild.sql", "CREATE TABLE items_new (name text NOT NULL, price integer NOT NULL CHECK (price > 0));\nINSERT INTO items_new SELECT name, price + 1 FROM items;\nDROP TABLE items;\nALTER TABLE items_new RENAME TO items;\nCREATE INDEX items_price ON items (price);\nUPDATE counters SET value = value + 10;\n".into()),
            ("0004_trigger.sql", "CREATE TRIGGER count_items AFTER INSERT ON items BEGIN\n  UPDATE counters SET value = value + 100;\nEND;\nINSERT INTO items VALUES ('three', 3);\n".into()),
            ("0005_double.sql", "-- forerun:data\nINSERT INTO items SELECT name, price + 1000 FROM items;\nUPDATE counters SET value = value * 2;\n".into()),
            ("0006_view.sql", "CREATE VIEW dear AS SELECT name FROM items WHERE price > 1000;\nDROP TRIGGER count_items;\nUPDATE counters SET value = value + 1;\n".into()),
        ],
        results: &[
            "SELECT name, value FROM counters ORDER BY 1",
            "SELECT name, price FROM items ORDER BY 1, 2",
            "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'forerun%' ORDER BY 1",
        ],
    }
    .run();
}

/// The same on PostgreSQL, also within a file that cannot run in one transaction.
#[test]
fn killed_at_random_moments_on_postgresql() {
    Story {
        target: Target::postgres,
        migrations: vec![
            ("0001_start.sql", "CREATE TYPE mood AS ENUM ('sad', 'happy');\nCREATE TABLE counters (name text PRIMARY KEY, value integer NOT NULL);\nINSERT INTO counters VALUES ('steps', 0);\nCREATE TABLE items (name text NOT NULL, price integer NOT NULL DEFAULT 7);\n".into()),
            ("0002_items.sql", "INSERT INTO items VALUES ('one'), ('two');\nALTER TABLE items ADD COLUMN mood mood DEFAULT 'sad';\nUPDATE items SET price = price * 2;\nUPDATE counters SET value = value + 1;\n".into()),
            ("0003_online.sql", "-- forerun:no-transaction\nINSERT INTO items VALUES ('three', 3);\nCREATE INDEX CONCURRENTLY items_price ON items (price);\nUPDATE counters SET value = value + 10;\nALTER TYPE mood ADD VALUE 'calm' AFTER 'sad';\nUPDATE items SET mood = 'calm' WHERE name = 'three';\nCREATE UNIQUE INDEX CONCURRENTLY items_name ON items (name, price);\nINSERT INTO items VALUES ('four', 4);\nDROP INDEX CONCURRENTLY items_price;\nBEGIN;\nUPDATE counters SET value = value * 2;\nINSERT INTO items VALUES ('five', 5);\nCOMMIT;\nVACUUM counters;\nUPDATE counters SET value = value + 100;\n".into()),
            ("0004_function.sql", "CREATE FUNCTION dear(integer) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 > 1000 $$;\nALTER TABLE items ALTER COLUMN price TYPE bigint;\nUPDATE counters SET value = value + 1000;\n".into()),
            ("0005_double.sql", "-- forerun:data\nINSERT INTO items SELECT name, price + 1000, mood FROM items;\nUPDATE counters SET value = value * 2;\n".into()),
            ("0006_enum.sql", "-- forerun:no-transaction\nALTER TYPE mood ADD VALUE 'angry';\nUPDATE counters SET value = value + 1;\n".into()),
        ],
        results: &[
            "SELECT name, value FROM counters ORDER BY 1",
            "SELECT name, price, mood FROM items ORDER BY 1, 2",
            "SELECT enumlabel FROM pg_enum ORDER BY enumsortorder",
            "SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 'items'::regclass ORDER BY 1",
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute \
             WHERE attrelid = 'items'::regclass AND attnum > 0 ORDER BY attnum",
        ],
    }
    .run();
}

/// The same on MariaDB, where every DDL statement commits by itself: a file goes on after the statement that was
/// the last one.
#[test]
fn killed_at_random_moments_on_mariadb() {
    Story {
        target: Target::mariadb,
        migrations: vec![
            ("0001_start.sql", "CREATE TABLE counters (name varchar(20) PRIMARY KEY, value int NOT NULL);\nINSERT INTO counters VALUES ('steps', 0);\nCREATE TABLE items (name varchar(40) NOT NULL);\nCREATE TABLE outdated (id int);\n".into()),
            ("0002_items.sql", "INSERT INTO items VALUES ('one');\nUPDATE counters SET value = value + 1;\nALTER TABLE items ADD COLUMN price int NOT NULL DEFAULT 7;\nINSERT INTO items VALUES ('two', 2), ('three', 3);\nUPDATE items SET price = price * 2;\nCREATE INDEX items_price ON items (price);\nUPDATE counters SET value = value + 10;\nDROP TABLE outdated;\nUPDATE counters SET value = value * 2;\n".into()),
            ("0003_routines.sql", "DELIMITER //\nCREATE PROCEDURE raise_prices(IN step int)\nBEGIN\n  UPDATE items SET price = price + step;\n  UPDATE counters SET value = value + 1;\nEND//\nCREATE TRIGGER count_items AFTER INSERT ON items FOR EACH ROW\nBEGIN\n  UPDATE counters SET value = value + 100;\nEND//\nDELIMITER ;\nINSERT INTO items VALUES ('four', 4);\nCREATE VIEW dear AS SELECT name FROM items WHERE price > 1000;\n".into()),
            ("0004_double.sql", "-- forerun:data\nINSERT INTO items SELECT name, price + 1000 FROM items;\nUPDATE counters SET value = value * 2;\n".into()),
            ("0005_transaction.sql", "BEGIN;\nINSERT INTO items VALUES ('five', 5);\nUPDATE counters SET value = value + 1;\nCOMMIT;\nALTER TABLE items ADD COLUMN note varchar(20), DROP INDEX items_price;\nRENAME TABLE counters TO tallies;\nUPDATE tallies SET value = value * 2;\nDROP TRIGGER count_items;\n".into()),
        ],
        results: &[
            "SELECT name, value FROM tallies ORDER BY 1",
            "SELECT name, price, note FROM items ORDER BY 1, 2",
            "SELECT table_name, column_name, column_type FROM information_schema.columns \
             WHERE table_schema = database() AND table_name NOT LIKE 'forerun%' ORDER BY 1, ordinal_position",
            "SELECT table_name, index_name, column_name FROM information_schema.statistics \
             WHERE table_schema = database() AND table_name NOT LIKE 'forerun%' ORDER BY 1, 2, seq_in_index",
            "SELECT routine_name FROM information_schema.routines WHERE routine_schema = database()",
            "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = database()",
        ],
    }
    .run();
}

/// Many short migrations, most of which create a table and nothing else.
fn short_migrations(rename: fn(&str, &str) -> String) -> Vec<(&'static str, String)> {
    let mut migrations = vec![(
        "000_tally.sql",
        "CREATE TABLE tally (value int NOT NULL);\nINSERT INTO tally VALUES (0);\n".to_owned(),
    )];
    for number in 1..40 {
        let (before, table) = (number - 1, format!("t{number}"));
        let (name, sql) = match number % 10 {
            5 => (
                "view",
                format!("CREATE VIEW {table} AS SELECT id FROM t{before}"),
            ),
            6 => (
                "again",
                format!("CREATE TABLE IF NOT EXISTS t{} (other int)", number - 3),
            ),
            7 => (
                "column",
                format!("ALTER TABLE t{} ADD COLUMN note int", number - 3),
            ),
            8 => ("row", "UPDATE tally SET value = value * 2 + 1".to_owned()),
            9 => (
                "rename",
                rename(&format!("t{}", number - 7), &format!("r{number}")),
            ),
            _ => (
                "table",
                format!("CREATE TABLE {table} (id int PRIMARY KEY)"),
            ),
        };
        let name: &'static str = Box::leak(format!("{number:03}_{name}.sql").into_boxed_str());
        migrations.push((name, format!("{sql};\n")));
    }
    migrations
}

/// The same among many short migrations, which are sent together where they only create tables.
#[test]
fn killed_at_random_moments_among_short_migrations_on_postgresql() {
    Story {
        target: Target::postgres,
        migrations: short_migrations(|table, to| format!("ALTER TABLE {table} RENAME TO {to}")),
        results: &[
            "SELECT value FROM tally",
            "SELECT table_name, column_name FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE 'forerun%' ORDER BY 1, 2",
        ],
    }
    .run();
}

/// The same on SQLite, where those share a transaction.
#[test]
fn killed_at_random_moments_among_short_migrations_on_sqlite() {
    Story {
        target: Target::sqlite_in_memory,
        migrations: short_migrations(|table, to| format!("ALTER TABLE {table} RENAME TO {to}")),
        results: &[
            "SELECT value FROM tally",
            "SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c \
             WHERE s.name NOT LIKE 'forerun%' ORDER BY 1, 2",
        ],
    }
    .run();
}

/// The same on MariaDB, where they are announced and recorded together where they only create things.
#[test]
fn killed_at_random_moments_among_short_migrations_on_mariadb() {
    Story {
        target: Target::mariadb,
        migrations: short_migrations(|table, to| format!("RENAME TABLE {table} TO {to}")),
        results: &[
            "SELECT value FROM tally",
            "SELECT table_name, column_name FROM information_schema.columns \
             WHERE table_schema = database() AND table_name NOT LIKE 'forerun%' ORDER BY 1, 2",
        ],
    }
    .run();
}
