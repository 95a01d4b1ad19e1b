//! The database cannot be reached, or cannot be written: each time the right exit code, a sentence that says what to
//! do, and a run that does the job once that was done.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use forerun_test_support::{
    MariadbServer, PostgresServer, ProjectCommand, ScratchProject, SqliteFile,
};
use story::ledger::{
    assert_finished, assert_let_go, migrations, second_run_finishes, servers, start,
};
use story::{Target, expect_failure, project_for, skipped, up, up_for_people};

/// A tiny file system of its own.
struct TinyDisk(PathBuf);

impl TinyDisk {
    /// Of `kilobytes`, owned by whoever owns `parent`. `None` where this process may not mount.
    fn mount(parent: &Path, kilobytes: u32) -> Option<Self> {
        let path = parent.join("tiny-disk");
        let owner = fs::metadata(parent).expect("the parent is there");
        fs::create_dir(&path).expect("the parent can be written");
        let options = format!(
            "size={kilobytes}k,mode=700,uid={},gid={}",
            owner.uid(),
            owner.gid()
        );
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "forerun-test"])
            .arg(&path)
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(path));
        }
        let _ = fs::remove_dir(&path);
        None
    }

    fn grow(&self, kilobytes: u32) {
        let options = format!("remount,size={kilobytes}k");
        let grown = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status();
        assert!(grown.is_ok_and(|status| status.success()));
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Fails for want of room, and goes on when there is some.
fn disk_is_full(project: &ScratchProject, disk: &TinyDisk, url: &str) {
    let full = start(project, &["-u", url]);
    let _ = expect_failure(full, 75, &["Make room on the disk of the database"]);
    disk.grow(64 * 1024);
    let _ = up(project, &["-u", url]).run().expect_code(0);
}

/// The disk of the database is full: temporary, and it is said what to do.
#[test]
fn the_disk_is_full_on_sqlite() {
    let project = story::project();
    let Some(disk) = TinyDisk::mount(&project.path(), 400) else {
        return skipped("only root can mount a file system");
    };
    story::write_migrations(
        &project,
        &migrations(
            "CREATE TABLE big (text text);\n\
         INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
         SELECT hex(randomblob(500)) FROM n;\n",
        ),
    );
    disk_is_full(
        &project,
        &disk,
        &format!("sqlite://{}/test.db", disk.0.display()),
    );
}

/// The same in the middle of migrations that share a transaction: those before it are applied, and no half of one.
#[test]
fn the_disk_gets_full_among_short_migrations_on_sqlite() {
    let project = story::project();
    let Some(disk) = TinyDisk::mount(&project.path(), 600) else {
        return skipped("only root can mount a file system");
    };
    for number in 1..=100 {
        let name = format!("{number:03}_short.sql");
        project.migration(
            &name,
            format!(
                "CREATE TABLE one_{number} (id int PRIMARY KEY);\nCREATE TABLE two_{number} (id int);\n"
            ),
        );
    }
    let path = disk.0.join("test.db");
    let url = format!("sqlite://{}", path.display());
    let full = start(&project, &["-u", &url]);
    let _ = expect_failure(full, 75, &["Make room on the disk of the database"]);
    let tables = |name: &str| {
        let sql = format!(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE '{name}'"
        );
        SqliteFile::at(&path).expect("sqlite3").query(&sql)
    };
    let applied = SqliteFile::at(&path)
        .expect("sqlite3")
        .query("SELECT count(*) FROM forerun_history");
    assert_ne!(applied.trim(), "0");
    assert_eq!(
        (tables("one_%"), tables("two_%")),
        (applied.clone(), applied)
    );
    disk.grow(64 * 1024);
    let _ = up(&project, &["-u", &url]).run().expect_code(0);
    assert_eq!(tables("two_%").trim(), "100");
}

/// The same on PostgreSQL.
#[test]
fn the_disk_is_full_on_postgresql() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    let Some(disk) = TinyDisk::mount(server.socket_directory(), 1024) else {
        return skipped("only root can mount a file system");
    };
    server.execute(
        "postgres",
        &format!("CREATE TABLESPACE tiny LOCATION '{}'", disk.0.display()),
    );
    let target = Target::on_postgres(&server);
    let project = project_for(
        &target,
        &migrations(
            "CREATE TABLE big (text text) TABLESPACE tiny;\n\
         ALTER TABLE big ALTER COLUMN text SET STORAGE PLAIN;\n\
         INSERT INTO big SELECT repeat('x', 1000) FROM generate_series(1, 4000);\n",
        ),
    );
    disk_is_full(&project, &disk, &target.url());
    assert_finished(&target);
    drop(target);
    server.stop();
}

/// The same on MariaDB, as far as it can be shown: MariaDB 10.11 aborts when the file of a table cannot grow, and the
/// next try meets a server that is down. What else is full answers with the same error number as a full disk.
#[test]
fn a_table_is_full_on_mariadb() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = project_for(
        &target,
        &migrations(
            "SET max_heap_table_size = 65536;\n\
             CREATE TABLE big (text varchar(2000)) ENGINE = MEMORY;\n\
             INSERT INTO big SELECT repeat('x', 2000) FROM seq_1_to_400;\n",
        ),
    );
    let _ = expect_failure(
        start(&project, &[]),
        75,
        &["Make room on the disk of the database"],
    );
    assert_let_go(&target);
    target.query("ALTER TABLE big ENGINE = InnoDB");
    second_run_finishes(&project, &target);
}

/// The URL leads to a standby: it says so, and works when it leads to a primary.
#[test]
fn the_database_is_read_only_on_postgresql() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let name = &target.database().name;
    let project = project_for(&target, &migrations(""));
    target.query(&format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on"
    ));
    let _ = expect_failure(start(&project, &[]), 75, &["takes no writes", "primary"]);
    target.query(&format!(
        "SET default_transaction_read_only = off; ALTER DATABASE {name} RESET ALL"
    ));
    second_run_finishes(&project, &target);
}

/// The same on MariaDB, with an ordinary account.
#[test]
fn the_database_is_read_only_on_mariadb() {
    let Some(server) = MariadbServer::start() else {
        return;
    };
    let target = Target::on_mariadb(&server);
    let name = &target.database().name;
    server.execute(
        "",
        &format!("CREATE USER app IDENTIFIED BY 'word'; GRANT ALL ON {name}.* TO app;"),
    );
    let mut project = project_for(&target, &migrations(""));
    project.set_env(
        "DATABASE_URL",
        &format!("mysql://app:word@127.0.0.1:{}/{name}", server.port()),
    );
    server.execute("", "SET GLOBAL read_only = 1");
    let _ = expect_failure(start(&project, &[]), 75, &["read-only", "primary"]);
    server.execute("", "SET GLOBAL read_only = 0");
    second_run_finishes(&project, &target);
}

/// Root may write everywhere, so it gives that right away.
fn without_override(command: ProjectCommand, root: bool) -> ProjectCommand {
    if root {
        command.wrapped_in(&[
            "setpriv",
            "--bounding-set",
            "-dac_override,-dac_read_search",
        ])
    } else {
        command
    }
}

/// A volume that is mounted read-only: it is said which file, and another try would not help.
#[test]
fn the_database_file_cannot_be_written() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = project_for(&target, &migrations(""));
    target.query("CREATE TABLE earlier (id integer)");
    let file = target.file().path().to_owned();
    let folder = file.parent().expect("it is in a folder").to_owned();
    let root = fs::metadata("/proc/self").expect("/proc is mounted").uid() == 0;
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    for (file_mode, folder_mode) in [(0o444, 0o755), (0o444, 0o555), (0o644, 0o555)] {
        mode(&file, file_mode);
        mode(&folder, folder_mode);
        let ended = without_override(up_for_people(&project, &[]), root).run();
        mode(&file, 0o644);
        mode(&folder, 0o755);
        let _ = ended
            .expect_code(2)
            .expect_text("Make the file and its directory writable");
    }
    second_run_finishes(&project, &target);
}

/// A wrong password is not worth another try; it is said, and not shown.
#[test]
fn the_password_is_wrong() {
    for target in servers() {
        let project = project_for(&target, &migrations(""));
        let wrong = target
            .url()
            .replace("forerun-test-password", "not-the-pass-phrase");
        let ended = expect_failure(
            start(&project, &["-u", &wrong]),
            2,
            &["Check user and password"],
        );
        assert!(
            !format!("{}{}", ended.stdout, ended.stderr).contains("not-the-pass-phrase"),
            "{ended:?}"
        );
        second_run_finishes(&project, &target);
    }
}

/// A host name that does not resolve: perhaps only not yet.
#[test]
fn the_host_is_unknown() {
    for target in servers() {
        let project = project_for(&target, &migrations(""));
        let unknown = target.database().url_at("no-such-host.invalid", 5);
        let _ = expect_failure(
            start(&project, &["-u", &unknown]),
            75,
            &["no-such-host.invalid", "does not resolve"],
        );
        second_run_finishes(&project, &target);
    }
}

/// Nothing listens at the port: perhaps only not yet.
#[test]
fn nothing_listens() {
    for target in servers() {
        let project = project_for(&target, &migrations(""));
        let proxy = target.database().proxy();
        proxy.refuse(true);
        let url = target.database().url_through(&proxy);
        let _ = expect_failure(
            start(&project, &["-u", &url]),
            75,
            &["connection refused", "--wait"],
        );
        proxy.refuse(false);
        let _ = up(&project, &["-u", &url]).run().expect_code(0);
        assert_finished(&target);
    }
}

/// The database does not exist: it must be created, or its name corrected.
#[test]
fn the_database_is_missing() {
    for target in servers() {
        let project = project_for(&target, &migrations(""));
        let missing = target
            .url()
            .replace(&target.database().name, "no_such_database");
        let ended = start(&project, &["-u", &missing])
            .wait()
            .expect_code(2)
            .expect_text("no_such_database");
        let said = format!("{}{}", ended.stdout, ended.stderr).to_lowercase();
        assert!(said.contains("create the database first"), "{ended:?}");
        second_run_finishes(&project, &target);
    }
}
