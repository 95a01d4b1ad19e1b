//! What the objects of the cluster say.

use serde_json::Value;

use crate::place::Place;
use crate::process::{Failure, ensure, equal, until};

/// Text at a path (`status.startTime`), empty where there is none.
pub fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    let found = path
        .split('.')
        .fold(object, |value, key| match key.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[key],
        });
    found.as_str().unwrap_or_default()
}

/// The reason of a Job's condition that is true (`Complete`, `Failed`).
pub fn condition<'a>(job: &'a Value, kind: &str) -> Option<&'a str> {
    let conditions = job["status"]["conditions"].as_array()?;
    let holds = |condition: &&Value| condition["type"] == kind && condition["status"] == "True";
    conditions
        .iter()
        .find(holds)
        .and_then(|condition| condition["reason"].as_str())
}

/// The Job has succeeded, with one pod.
///
/// # Errors
/// It has not.
pub fn succeeded_at_once(place: &Place, name: &str) -> Result<Value, Failure> {
    let job = place.object(&format!("job/{name}"))?;
    ensure(condition(&job, "Complete").is_some(), || {
        format!("the Job {name} has not completed: {}", job["status"])
    })?;
    equal(
        &format!("pods of the Job {name}"),
        &place.pods_of(name)?.len(),
        &1,
    )?;
    Ok(job)
}

/// The exit code of a pod's container `migrate`, when it has ended.
pub fn exit_code(pod: &Value) -> Option<i64> {
    let containers = pod["status"]["containerStatuses"].as_array()?;
    let migrate = containers
        .iter()
        .find(|container| container["name"] == "migrate")?;
    migrate["state"]["terminated"]["exitCode"].as_i64()
}

/// Waits for a statement that the database works at.
///
/// # Errors
/// There is none.
pub fn statement_runs(place: &Place, part: &str) -> Result<(), Failure> {
    until("the statement of the migration", || {
        let number = place.as_superuser(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND state = 'active' AND query LIKE '%{part}%'",
            place.database
        ))?;
        Ok((number != "0").then_some(()))
    })
}

/// Tag of the image that the application is to run.
///
/// # Errors
/// There is no such Deployment.
pub fn deployed(place: &Place) -> Result<String, Failure> {
    let deployment = place.object("deployment/my-app")?;
    let image = text(&deployment, "spec.template.spec.containers.0.image");
    Ok(image.rsplit(':').next().unwrap_or_default().to_owned())
}

/// The log of a Job is there for `kubectl logs`, and says this.
///
/// # Errors
/// It does not.
pub fn log_says(place: &Place, job: &str, words: &[&str]) -> Result<(), Failure> {
    let mut log = place.kubectl(&["logs", &format!("job/{job}")])?.exits(0)?;
    for word in words {
        log = log.says(word)?;
    }
    Ok(())
}
