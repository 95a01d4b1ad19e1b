//! `forerun deploy` as far as it goes without a cluster: what it refuses, what it shows, and how it ends when the API
//! does not let it in. Deploys to a real cluster are in `tests/cluster`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::io::{Read, Write};
use std::net::TcpListener;

use forerun_test_support::ScratchProject;
use serde_json::{Value, json};

const VALUES: &str = "configs:
  db: {type: secret, data: {DATABASE_URL: 'postgres://app:hunter2@db/app'}}
deployments:
  shop:
    containers:
      main: {image: registry.example/shop, imageTag: '2', envFrom: [{type: secret, configName: db}]}
    migrations:
      enabled: true
      steps: [{name: schema, args: [migrate, schema]}, {name: data, args: [migrate, data]}]
";

fn project() -> ScratchProject {
    let project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.write("values.yaml", VALUES);
    project
}

/// `forerun deploy` of the values, with output for people; without the first two, for programs.
const DEPLOY: [&str; 5] = ["--format", "text", "deploy", "-f", "values.yaml"];

/// The same with more options.
fn deploy_with<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&DEPLOY[..], options].concat()
}

fn kubeconfig(server: &str) -> String {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "hunter3"}}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    });
    config.to_string()
}

/// A server that gives every request the same answer.
fn answering(code: u16, answer: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let body = answer.to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 {code} Answer\r\ncontent-type: application/json\r\ncontent-length: \
                 {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
}

#[test]
fn the_order_can_be_seen_without_a_cluster() {
    let project = project();
    let outcome = project
        .run(&deploy_with(&["--dry-run=client"]))
        .expect_code(0);
    let place = |text: &str| {
        outcome
            .stdout
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {outcome:?}"))
    };
    let places = [
        place("Secret db-migrations"),
        place("Job shop-migrations-schema"),
        place("Job shop-migrations-data"),
        place("Secret db\n"),
        place("Deployment shop\n"),
    ];
    assert!(places.is_sorted(), "{outcome:?}");
    assert!(!outcome.stdout.contains("hunter2"));

    let outcome = project
        .run(&deploy_with(&["--dry-run=client"])[2..])
        .expect_code(0);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(document["release"], "shop");
    assert_eq!(
        document["objects"][0],
        json!({"wave": "migration", "kind": "Secret", "name": "db-migrations"})
    );
}

#[test]
fn what_closes_the_ledger_comes_last_or_by_itself() {
    let project = project();
    let close = [
        "--format",
        "text",
        "render",
        "-f",
        "values.yaml",
        "--delivery",
        "plain",
        "--wave",
        "deployed",
    ];
    let _ = project
        .run(&close)
        .expect_code(2)
        .expect_text("there is nothing to close");

    let with_ledger = VALUES.replace("enabled: true", "enabled: true\n      ledger: true");
    project.write("values.yaml", with_ledger);
    let order = project
        .run(&deploy_with(&["--dry-run=client"]))
        .expect_code(0);
    assert!(
        order
            .stdout
            .contains("ledger, when all of that is rolled out\n  Job shop-deployed\n"),
        "{order:?}"
    );
    let all = project
        .run(&close[..7])
        .expect_code(0)
        .expect_text("kubectl rollout status deployment/shop");
    assert!(!all.stdout.contains("shop-deployed"), "{all:?}");
    let closing = project.run(&close).expect_code(0);
    assert_eq!(closing.stdout.matches("kind: ").count(), 1, "{closing:?}");
    assert!(
        closing.stdout.contains("name: shop-deployed"),
        "{closing:?}"
    );
    assert_eq!(closing.stderr, "");
}

#[test]
fn wrong_values_are_told_before_a_cluster_is_looked_for() {
    let project = project();
    project.write(
        "values.yaml",
        VALUES.replace("migrations:\n", "migration:\n"),
    );
    let _ = project
        .run(&deploy_with(&["-n", "shop"]))
        .expect_code(2)
        .expect_text("values.yaml:7:5")
        .expect_text("migrations");
}

#[test]
fn without_a_kubeconfig_it_says_where_it_looked() {
    let project = project();
    let _ = project
        .run(&DEPLOY)
        .expect_code(2)
        .expect_text("no cluster is given")
        .expect_text(".kube/config")
        .expect_text("Nothing was changed");
    let missing = project.command(&DEPLOY);
    let _ = missing
        .env("KUBECONFIG", "/nonexistent/config")
        .run()
        .expect_code(2)
        .expect_text("/nonexistent/config");
}

#[test]
fn a_context_that_is_not_there_is_told_with_those_that_are() {
    let project = project();
    project.write("config", kubeconfig("http://127.0.0.1:1"));
    let _ = project
        .run(&deploy_with(&[
            "--kubeconfig",
            "config",
            "--context",
            "prod",
        ]))
        .expect_code(2)
        .expect_text("has no context `prod`")
        .expect_text("--context: test");
}

#[test]
fn an_api_server_that_does_not_let_us_in_ends_the_deploy_with_the_reason() {
    for (code, reason, message, expected) in [
        (
            401,
            "Unauthorized",
            "Unauthorized",
            "does not accept the credentials",
        ),
        (
            403,
            "Forbidden",
            "User \"bob\" cannot get path \"/version\"",
            "User \"bob\" cannot get path",
        ),
    ] {
        let project = project();
        project.write(
            "config",
            kubeconfig(&answering(code, status(code, reason, message))),
        );
        let outcome = project
            .run(&deploy_with(&["--kubeconfig", "config"]))
            .expect_code(2)
            .expect_text(expected);
        assert!(!format!("{outcome:?}").contains("hunter"), "{outcome:?}");

        let outcome = project
            .run(&deploy_with(&["--kubeconfig", "config"])[2..])
            .expect_code(2);
        let last: Value = serde_json::from_str(outcome.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(last["event"], "run_finished");
        assert_eq!(last["exit_code"], 2);
        assert_eq!(last["error"]["state"], "Nothing was changed.");
    }
}

#[test]
fn something_else_than_a_cluster_is_noticed() {
    let project = project();
    project.write("config", kubeconfig(&answering(200, json!("welcome"))));
    let _ = project
        .run(&deploy_with(&["--kubeconfig", "config", "--dry-run"]))
        .expect_code(2)
        .expect_text("Something that is no Kubernetes API answers there");
}
