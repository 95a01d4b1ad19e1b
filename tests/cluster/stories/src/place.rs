//! Where one story happens: a namespace and a database of its own.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::PoisonError;

use serde_json::Value;

use crate::process::{self, Failure, Outcome, Running, Transcript, until};
use crate::settings::Settings;

/// A namespace with the service `postgresql`, and an empty database. Their names are alike.
pub struct Place<'a> {
    /// The cluster.
    pub settings: &'a Settings,
    /// The namespace.
    pub namespace: String,
    /// The database.
    pub database: String,
    work: PathBuf,
    transcript: Transcript,
}

impl<'a> Place<'a> {
    /// Makes the place.
    ///
    /// # Errors
    /// The cluster or the database refuses.
    pub fn new(settings: &'a Settings, name: &str) -> Result<Self, Failure> {
        Self::with_labels(settings, name, "")
    }

    /// Makes the place, in a namespace with labels (`a: b, c: d`).
    ///
    /// # Errors
    /// The cluster or the database refuses.
    pub fn with_labels(settings: &'a Settings, name: &str, labels: &str) -> Result<Self, Failure> {
        let work = settings.work.join(name);
        fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
        let place = Self {
            settings,
            namespace: name.to_owned(),
            database: name.replace('-', "_"),
            work,
            transcript: Transcript::default(),
        };
        // A kept cluster may have them from the last time.
        place
            .kubectl(&["delete", "namespace", name, "--ignore-not-found"])?
            .exits(0)?;
        place.as_superuser(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            place.database
        ))?;
        place.apply(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{{labels}}}}}}}"
        ))?;
        // Without a selector, the addresses are those given here.
        let address = &settings.node_address;
        place.apply(&format!(
            "apiVersion: v1
kind: Service
metadata: {{name: postgresql}}
spec:
  ports: [{{name: postgresql, port: 5432, protocol: TCP}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: postgresql-node, labels: {{kubernetes.io/service-name: postgresql}}}}
addressType: IPv4
ports: [{{name: postgresql, port: 5432, protocol: TCP}}]
endpoints: [{{addresses: [\"{address}\"], conditions: {{ready: true}}}}]"
        ))?;
        let database = &place.database;
        place.as_superuser(&format!("CREATE DATABASE {database} OWNER app"))?;
        // The namespace is usable when its first service account and the cluster's certificates are there.
        until("the service account of the namespace", || {
            let found = place.kubectl(&[
                "get",
                "serviceaccount/default",
                "configmap/kube-root-ca.crt",
            ])?;
            Ok((found.code == 0).then_some(()))
        })?;
        Ok(place)
    }

    /// Leaves the namespace to be deleted. What is in the database stays until the cluster ends.
    pub fn leave(&self) {
        let _ = self.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }

    /// Runs a command, and remembers it for the story's report.
    ///
    /// # Errors
    /// It cannot be started or does not end.
    pub fn run(&self, command: &mut Command, input: Option<&str>) -> Result<Outcome, Failure> {
        let outcome = process::run(command, input, &self.work)?;
        self.remember(outcome.show());
        Ok(outcome)
    }

    /// Starts a command that runs beside the story.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, command: &mut Command) -> Result<Running, Failure> {
        process::start(command, None, &self.work, &self.transcript)
    }

    /// Remembers something for the story's report.
    pub fn remember(&self, text: String) {
        let mut transcript = self
            .transcript
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Questions that are repeated are told once.
        if transcript.last() != Some(&text) {
            transcript.push(text);
        }
    }

    /// `kubectl` in the namespace.
    ///
    /// # Errors
    /// It cannot be started or does not end.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<Outcome, Failure> {
        let mut command = Command::new(&self.settings.kubectl);
        command
            .args(["--namespace", &self.namespace])
            .args(arguments);
        process::run(&mut command, None, &self.work)
    }

    /// The standard output of `kubectl`.
    ///
    /// # Errors
    /// It fails.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, Failure> {
        Ok(self.kubectl(arguments)?.exits(0)?.stdout.trim().to_owned())
    }

    /// Applies YAML.
    ///
    /// # Errors
    /// The API server refuses it.
    pub fn apply(&self, yaml: &str) -> Result<(), Failure> {
        let mut command = Command::new(&self.settings.kubectl);
        command.args(["--namespace", &self.namespace, "apply", "--filename", "-"]);
        process::run(&mut command, Some(yaml), &self.work)?.exits(0)?;
        Ok(())
    }

    /// An object of the cluster.
    ///
    /// # Errors
    /// It is not there.
    pub fn object(&self, name: &str) -> Result<Value, Failure> {
        let text = self.ask(&["get", name, "--output", "json"])?;
        serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))
    }

    /// Objects of the cluster.
    ///
    /// # Errors
    /// The API server does not answer.
    pub fn objects(&self, kind: &str, selector: &str) -> Result<Vec<Value>, Failure> {
        let text = self.ask(&["get", kind, "--selector", selector, "--output", "json"])?;
        let list: Value =
            serde_json::from_str(&text).map_err(|error| format!("{kind}: {error}"))?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// The pods of a Job.
    ///
    /// # Errors
    /// The API server does not answer.
    pub fn pods_of(&self, job: &str) -> Result<Vec<Value>, Failure> {
        self.objects("pods", &format!("job-name={job}"))
    }

    /// Names of all objects in the namespace, of every kind that can be listed. Without events and metrics, and what
    /// follows from services.
    ///
    /// # Errors
    /// The API server does not answer.
    pub fn everything(&self) -> Result<Vec<String>, Failure> {
        let kinds = self.ask(&[
            "api-resources",
            "--namespaced",
            "--verbs=list",
            "--output",
            "name",
        ])?;
        let kinds: Vec<&str> = kinds
            .lines()
            .filter(|kind| !kind.starts_with("events"))
            .collect();
        let all = self.ask(&["get", &kinds.join(","), "--output", "name"])?;
        Ok(all.lines().map(str::to_owned).collect())
    }

    /// Asks the story's database, as the superuser. Columns are separated by `|`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn sql(&self, statement: &str) -> Result<String, Failure> {
        let base = self.settings.postgres_url.trim_end_matches("/postgres");
        self.ask_database(&format!("{base}/{}", self.database), statement)
    }

    /// A session of the application's own user that stays, for holding locks.
    ///
    /// # Errors
    /// `psql` cannot be started.
    pub fn session(&self, statement: &str) -> Result<Running, Failure> {
        self.start(&mut self.psql(&self.url(), statement))
    }

    /// The story's database, as the application's own user.
    pub fn url(&self) -> String {
        format!(
            "postgres://app:app-password@{}/{}",
            self.settings.node_address, self.database
        )
    }

    /// A statement in the server's own database.
    ///
    /// # Errors
    /// The database refuses.
    pub fn as_superuser(&self, statement: &str) -> Result<String, Failure> {
        self.ask_database(&self.settings.postgres_url, statement)
    }

    /// Asks a database.
    ///
    /// # Errors
    /// It refuses.
    pub fn ask_database(&self, url: &str, statement: &str) -> Result<String, Failure> {
        let outcome = process::run(&mut self.psql(url, statement), None, &self.work)?;
        Ok(outcome.exits(0)?.stdout.trim().to_owned())
    }

    fn psql(&self, url: &str, statement: &str) -> Command {
        let mut command = Command::new(&self.settings.psql);
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]);
        command.env("PGOPTIONS", "-c client_min_messages=warning");
        command.args([
            "--set",
            "ON_ERROR_STOP=1",
            "--dbname",
            url,
            "--command",
            statement,
        ]);
        command
    }

    /// Versions that the history has, in order.
    ///
    /// # Errors
    /// The database refuses; there is no history.
    pub fn history(&self) -> Result<Vec<String>, Failure> {
        let rows = self.sql("SELECT version FROM forerun_history ORDER BY version")?;
        Ok(rows.lines().map(str::to_owned).collect())
    }

    /// What a person would look at after a failure.
    pub fn look(&self) -> String {
        let mut text = String::new();
        let transcript = self
            .transcript
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for entry in transcript.iter() {
            let _ = writeln!(text, "{entry}\n");
        }
        for arguments in [
            &["get", "all,secrets,configmaps", "--output", "wide"] as &[&str],
            &["describe", "jobs"],
            &["describe", "pods"],
            &["events"],
        ] {
            if let Ok(outcome) = self.kubectl(arguments) {
                let _ = writeln!(text, "{}\n", outcome.show());
            }
        }
        let pods = self.ask(&["get", "pods", "--output", "name"]);
        for pod in pods.unwrap_or_default().lines() {
            if let Ok(outcome) =
                self.kubectl(&["logs", pod, "--all-containers", "--prefix", "--tail", "40"])
            {
                let _ = writeln!(text, "{}\n", outcome.show());
            }
        }
        text
    }
}
