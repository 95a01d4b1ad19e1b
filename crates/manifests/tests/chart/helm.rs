//! Real Helm, as a process.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A Helm program and a place for its files.
pub struct Helm {
    program: PathBuf,
    chart: PathBuf,
    home: tempfile::TempDir,
}

impl Helm {
    /// `None`, and a line that says so, where there is none; where `CI` is set the test fails.
    pub fn find() -> Option<Self> {
        let program = forerun_test_support::helm_programs().into_iter().next()?;
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/forerun");
        let home = tempfile::tempdir().expect("a temporary directory");
        Some(Self {
            program,
            chart,
            home,
        })
    }

    /// `helm template`: what would be installed, or Helm's message.
    pub fn template(
        &self,
        release: &str,
        values: &Path,
        kube_version: &str,
    ) -> Result<String, String> {
        let mut command = self.command("template");
        command
            .arg(release)
            .arg(&self.chart)
            .arg("--values")
            .arg(values);
        run(command.args(["--kube-version", kube_version]))
    }

    /// `helm lint --strict`.
    pub fn lint(&self, values: Option<&Path>) -> Result<String, String> {
        let mut command = self.command("lint");
        command.arg("--strict").arg(&self.chart);
        if let Some(values) = values {
            command.arg("--values").arg(values);
        }
        run(&mut command)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(name);
        // Nothing of the developer's own Helm, and no cluster.
        for (variable, directory) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
            ("KUBECONFIG", "no-cluster"),
        ] {
            command.env(variable, self.home.path().join(directory));
        }
        command
    }
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().expect("helm can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr) + &text(&output.stdout))
    }
}
