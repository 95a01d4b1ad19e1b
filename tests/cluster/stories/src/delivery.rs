//! The ways in which a release gets into a cluster.

use std::path::PathBuf;
use std::process::Command;

use crate::place::Place;
use crate::process::{Failure, Outcome, Running};

/// Name of the release and of its application.
pub const RELEASE: &str = "my-app";

/// Who delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Helm 3 with the chart.
    Helm,
    /// Helm 4 with the chart.
    Helm4,
    /// `forerun deploy`.
    Deploy,
}

/// What is delivered: values files and values on top of them.
#[derive(Debug, Clone)]
pub struct Values {
    files: Vec<PathBuf>,
    set: Vec<String>,
}

impl Values {
    /// The application of the stories at a version, with the place's database.
    pub fn my_app(place: &Place, version: &str) -> Self {
        Self {
            files: vec![place.settings.values("my-app.yaml")],
            set: vec![format!(
                "configs.database.data.DATABASE_NAME={}",
                place.database
            )],
        }
        .tag(version)
    }

    /// Files only.
    pub fn files(files: &[PathBuf]) -> Self {
        Self {
            files: files.to_vec(),
            set: Vec::new(),
        }
    }

    /// Another version of the application.
    pub fn tag(self, version: &str) -> Self {
        self.set(&format!(
            "deployments.my-app.containers.main.imageTag={version}"
        ))
    }

    /// With one more file of the stories.
    pub fn with(mut self, place: &Place, file: &str) -> Self {
        self.files.push(place.settings.values(file));
        self
    }

    /// With one more value.
    pub fn set(mut self, value: &str) -> Self {
        self.set.push(value.to_owned());
        self
    }

    /// Under `deployments.my-app.migrations`.
    pub fn migrations(self, value: &str) -> Self {
        self.set(&format!("deployments.my-app.migrations.{value}"))
    }

    /// As options, the same for Helm and forerun.
    pub fn arguments(&self) -> Vec<String> {
        let files = self
            .files
            .iter()
            .flat_map(|file| ["--values".to_owned(), file.display().to_string()]);
        let set = self
            .set
            .iter()
            .flat_map(|value| ["--set".to_owned(), value.clone()]);
        files.chain(set).collect()
    }
}

impl Delivery {
    /// The command that brings the release into the namespace and waits for it.
    pub fn command(self, place: &Place, values: &Values, options: &[&str]) -> Command {
        let settings = place.settings;
        let mut command;
        match self {
            Self::Helm | Self::Helm4 => {
                command = self.helm(place);
                command
                    .args(["upgrade", "--install", RELEASE])
                    .arg(settings.checkout.join("charts/forerun"));
                // The timeout is long: what is to fail must not fail by it.
                command.args(["--wait", "--timeout", "150s"]);
            }
            Self::Deploy => {
                command = Command::new(&settings.forerun);
                command.args([
                    "deploy",
                    "--format",
                    "text",
                    "--namespace",
                    &place.namespace,
                ]);
                command.args(["--timeout", "150s"]);
            }
        }
        command.args(values.arguments()).args(options);
        command
    }

    /// Brings the release into the namespace.
    ///
    /// # Errors
    /// The command cannot be started or does not end.
    pub fn deliver(self, place: &Place, values: &Values) -> Result<Outcome, Failure> {
        place.run(&mut self.command(place, values, &[]), None)
    }

    /// The same, beside the story.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn start(self, place: &Place, values: &Values) -> Result<Running, Failure> {
        place.start(&mut self.command(place, values, &[]))
    }

    /// Helm in the namespace.
    pub fn helm(self, place: &Place) -> Command {
        let settings = place.settings;
        let mut command = Command::new(match self {
            Self::Helm4 => &settings.helm4,
            Self::Helm | Self::Deploy => &settings.helm,
        });
        command.args(["--namespace", &place.namespace]);
        command
    }

    /// Takes the release away, as the manual says.
    ///
    /// # Errors
    /// It fails.
    pub fn uninstall(self, place: &Place) -> Result<(), Failure> {
        let outcome = match self {
            Self::Helm | Self::Helm4 => place.run(self.helm(place).args(["uninstall", RELEASE, "--wait"]), None)?,
            Self::Deploy => place.kubectl(&[
                "delete",
                "deployments,services,jobs,networkpolicies,serviceaccounts,configmaps,secrets,leases",
                "--selector",
                "forerun.dev/release",
            ])?,
        };
        outcome.exits(0)?;
        Ok(())
    }
}
