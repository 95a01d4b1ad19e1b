//! The runner lock between processes: killed, paused.

use forerun_databases::sqlite::Sqlite;
use forerun_migrations::database::{Acquire, Database};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

use super::{
    LONG, acquire, held_by, history_row, identity, lock_timeout, options, request, session,
};

/// Not a test: what the child processes of the tests below do, in the folder they are started in.
#[tokio::test]
#[ignore = "runs in child processes of other tests"]
async fn child_process() {
    let mut session = Sqlite::new(options(Path::new("app.db")))
        .connect(&identity("child"))
        .await
        .unwrap();
    let lease = acquire(&mut *session, Duration::from_secs(2)).await;
    std::fs::write("taken", "").unwrap();
    while !Path::new("go").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    session.begin(lock_timeout(5_000)).await.unwrap();
    session.run("CREATE TABLE child (a)").await.unwrap();
    let fenced = session
        .record_applied(&lease, &history_row(1))
        .await
        .unwrap();
    session.rollback().await.unwrap();
    std::fs::write("result", format!("{fenced:?}")).unwrap();
}

fn start_child(folder: &TempDir) -> Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "processes::child_process"])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(&folder.path().join("taken"));
    child
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !path.exists() {
        assert!(
            Instant::now() < deadline,
            "{} never appeared",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(
        Command::new("kill")
            .args([name, &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_killed_process_is_taken_over_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_child(&folder);
    let mut session = session(&folder, "a").await;
    let holder = held_by(&mut *session).await.unwrap();
    assert_eq!(
        (holder.run_id.as_str(), holder.alive),
        ("child", Some(true))
    );
    assert!(holder.expires_in_seconds > 0);

    // Not waited for: a zombie is dead as well.
    child.kill().unwrap();
    let started = Instant::now();
    let lease = loop {
        match session.try_acquire(&request(LONG)).await.unwrap() {
            Acquire::Acquired(lease) => break lease,
            Acquire::Held(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "before the lease of two seconds expired"
    );
    let taken_over = lease.taken_over.unwrap();
    assert_eq!(
        (taken_over.run_id.as_str(), taken_over.alive),
        ("child", Some(false))
    );
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_process_keeps_its_lease_until_it_expires_and_writes_nothing_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_child(&folder);
    signal(&child, "-STOP");
    let mut session = session(&folder, "a").await;
    assert_eq!(held_by(&mut *session).await.unwrap().alive, Some(true));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let lease = acquire(&mut *session, LONG).await;
    assert_eq!(lease.taken_over.unwrap().run_id, "child");

    std::fs::write(folder.path().join("go"), "").unwrap();
    signal(&child, "-CONT");
    wait_for(&folder.path().join("result"));
    assert!(child.wait().unwrap().success());
    assert_eq!(
        std::fs::read_to_string(folder.path().join("result")).unwrap(),
        "LeaseLost"
    );
    assert_eq!(session.history().await.unwrap(), []);
    assert_eq!(session.holder().await.unwrap().unwrap().run_id, "a");
}
