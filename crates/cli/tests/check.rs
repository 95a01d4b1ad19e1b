//! `forerun check`: text, JSON and SARIF of the same findings, exit codes, and what it reads.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use forerun_test_support::{CommandOutcome, ScratchProject};
use serde_json::Value;

/// An error, a warning and a note; one of the values is secret.
const JOB: &str = r#"# Source: shop/templates/migrate.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: shop-migrate
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
spec:
  backoffLimit: 1
  template:
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: migrate
          image: registry.example/shop:2.6.0
          args: [migrate, up]
          env: [{name: DATABASE_PASSWORD, value: hunter2}]
          resources: {limits: {memory: 256Mi}}
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"#;

/// The same without a fault.
fn good() -> String {
    JOB.replace(
        "value: hunter2",
        "valueFrom: {secretKeyRef: {name: db, key: password}}",
    )
    .replace(
        "backoffLimit: 1",
        "backoffLimit: 1\n  activeDeadlineSeconds: 250",
    )
    .replace(
        "pre-upgrade\n",
        "pre-upgrade\n    helm.sh/hook-output-log-policy: hook-failed\n",
    )
}

fn project() -> ScratchProject {
    ScratchProject::new(env!("CARGO_BIN_EXE_forerun"))
}

fn check(project: &ScratchProject, format: &str, arguments: &[&str], code: i32) -> CommandOutcome {
    let mut words = vec!["--format", format, "check"];
    words.extend(arguments);
    let outcome = project.run(&words).expect_code(code);
    assert!(!outcome.stdout.contains("hunter2"), "{outcome:?}");
    assert!(!outcome.stderr.contains("hunter2"), "{outcome:?}");
    outcome
}

fn exits(project: &ScratchProject, format: &str, arguments: &[&str], code: i32) {
    let _ = check(project, format, arguments, code);
}

fn rules(outcome: &CommandOutcome) -> Vec<String> {
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn text_for_people() {
    let project = project();
    project.write("job.yaml", JOB);
    let outcome = check(&project, "text", &["job.yaml"], 5);
    insta::assert_snapshot!(outcome.stdout);
    let verbose = check(&project, "text", &["job.yaml", "-v"], 5);
    assert!(
        verbose
            .stdout
            .contains("secretKeyRef: {name: shop-db, key: password}")
    );
}

#[test]
fn json_for_programs() {
    let project = project();
    project.write("job.yaml", JOB);
    let outcome = check(&project, "json", &["job.yaml"], 5);
    let mut document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    for finding in document["findings"].as_array_mut().unwrap() {
        for key in ["why", "fix", "example"] {
            assert!(finding[key].as_str().unwrap().len() > 20);
            finding.as_object_mut().unwrap().remove(key);
        }
    }
    insta::assert_snapshot!(format!("{document:#}"));
}

#[test]
fn sarif_for_code_hosts() {
    let project = project();
    let silenced = JOB.replace(
        "  annotations:\n",
        "  annotations:\n    forerun.dev/check-ignore: 'deadline: the backfill takes a day'\n",
    );
    project.write("out/my job.yaml", silenced);
    let outcome = check(&project, "sarif", &["out"], 5);
    let mut log: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(
        log["$schema"]
            .as_str()
            .unwrap()
            .ends_with("sarif-2.1.0.json")
    );
    let run = &mut log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].take();
    let rules = rules.as_array().unwrap();
    assert!(rules.len() > 30);
    for rule in rules {
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "warning", "note"].contains(&level));
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].is_string(), "{rule}");
        }
    }
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[index]["id"]);
        assert!(
            result["locations"][0]["physicalLocation"]["region"]["startLine"]
                .as_u64()
                .unwrap()
                > 0
        );
    }
    for result in run["results"].as_array_mut().unwrap() {
        result["ruleIndex"] = Value::Null;
    }
    insta::assert_snapshot!(format!("{:#}", run["results"]));
}

#[test]
fn sarif_of_a_pipe_names_the_template() {
    let project = project();
    let outcome = project
        .command(&["check", "--format", "sarif", "-"])
        .input(JOB)
        .run()
        .expect_code(5);
    let log: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "shop/templates/migrate.yaml"
    );
    assert_eq!(place.get("region"), None);
    let outcome = project
        .run(&["--format", "sarif", "migrate", "status"])
        .expect_code(2);
    assert!(
        outcome.stderr.contains("have findings for code hosts"),
        "{outcome:?}"
    );
}

#[test]
fn exit_codes() {
    let project = project();
    project.write("bad.yaml", JOB);
    project.write("good.yaml", good());
    let warning = good().replace("  activeDeadlineSeconds: 250\n", "");
    project.write("warning.yaml", warning);
    exits(&project, "json", &["bad.yaml"], 5);
    exits(&project, "json", &["good.yaml", "--strict"], 0);
    exits(&project, "json", &["warning.yaml"], 0);
    exits(&project, "json", &["warning.yaml", "--strict"], 5);
    exits(
        &project,
        "json",
        &["warning.yaml", "--strict", "--ignore", "deadline"],
        0,
    );
    let outcome = check(&project, "json", &["good.yaml", "--helm-timeout", "2m"], 0);
    assert_eq!(rules(&outcome), ["deadline"]);
    let outcome = check(&project, "text", &["good.yaml", "--ignore", "dead-line"], 2);
    assert!(
        outcome
            .stderr
            .contains("there is no rule dead-line; did you mean deadline?"),
        "{outcome:?}"
    );
}

#[test]
fn what_cannot_be_read_is_said_without_its_text() {
    let project = project();
    project.write(
        "template.yaml",
        "password: hunter2\nname: {{ .Values.name }\n",
    );
    let outcome = check(&project, "text", &["template.yaml"], 2);
    assert!(outcome.stderr.contains("template.yaml:2:"), "{outcome:?}");
    assert!(
        outcome.stderr.contains("Nothing was checked."),
        "{outcome:?}"
    );
    project.write("values.yaml", "password: hunter2\n");
    let outcome = check(&project, "text", &["values.yaml"], 2);
    assert!(
        outcome.stderr.contains("not a Kubernetes object"),
        "{outcome:?}"
    );
    project.write("bytes.yaml", [0xff, 0xfe]);
    exits(&project, "text", &["bytes.yaml"], 2);
    exits(&project, "text", &["missing.yaml"], 2);
    project.write("empty.yaml", "# nothing\n---\n");
    let outcome = check(&project, "text", &["empty.yaml"], 2);
    assert!(
        outcome.stderr.contains("no Kubernetes objects"),
        "{outcome:?}"
    );
    exits(&project, "json", &["-", "--compare", "-"], 2);
}

#[test]
fn directories_pipes_and_a_second_rendering() {
    let project = project();
    project.write("all/b/job.yml", JOB);
    project.write(
        "all/a.json",
        r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}"#,
    );
    project.write("all/.hidden/x.yaml", "no: object");
    project.write("all/notes.txt", "no manifest");
    let outcome = check(&project, "json", &["all"], 5);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        (document["objects"].as_u64(), &document["jobs"][0]["name"]),
        (Some(2), &"shop-migrate".into())
    );
    assert_eq!(document["findings"][0]["file"], "all/b/job.yml");
    // Without a name, standard input.
    let outcome = project
        .command(&["check", "--format", "json"])
        .input(&good())
        .run()
        .expect_code(0);
    assert_eq!(rules(&outcome).len(), 0);
    project.write(
        "one.yaml",
        good().replace("shop-migrate", "shop-migrate-1763770000"),
    );
    project.write(
        "two.yaml",
        good().replace("shop-migrate", "shop-migrate-1763770060"),
    );
    let outcome = check(&project, "json", &["one.yaml", "--compare", "two.yaml"], 0);
    assert_eq!(rules(&outcome), ["non-deterministic", "leftover-jobs"]);
}

#[test]
fn jobs_and_rules_that_are_left_alone() {
    let project = project();
    let annotated = |annotation: &str| {
        JOB.replace(
            "  annotations:\n",
            &format!("  annotations:\n    {annotation}\n"),
        )
    };
    project.write("ignored.yaml", annotated("forerun.dev/check: ignore"));
    let outcome = check(&project, "text", &["ignored.yaml"], 0);
    assert!(
        outcome
            .stderr
            .contains("no Job here looks like a migration"),
        "{outcome:?}"
    );
    exits(&project, "text", &["ignored.yaml", "--strict"], 5);
    project.write(
        "other.yaml",
        good()
            .replace("migrate", "work")
            .replace("[work, up]", "[work]"),
    );
    let outcome = check(&project, "json", &["other.yaml", "--all-jobs"], 0);
    assert!(outcome.stdout.contains("shop-work"));
    project.write(
        "silenced.yaml",
        annotated("forerun.dev/check-ignore: 'secret-in-manifest: a test database'"),
    );
    let outcome = check(&project, "text", &["silenced.yaml"], 0);
    assert!(
        outcome
            .stdout
            .contains("secret-in-manifest is silenced: a test database"),
        "{outcome:?}"
    );
    project.write(
        "unreasoned.yaml",
        annotated("forerun.dev/check-ignore: secret-in-manifest"),
    );
    let outcome = check(&project, "json", &["unreasoned.yaml"], 5);
    assert!(rules(&outcome).contains(&"ignore-without-reason".to_owned()));
    assert!(rules(&outcome).contains(&"secret-in-manifest".to_owned()));
}
