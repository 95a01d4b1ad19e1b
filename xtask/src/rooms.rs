//! The rooms and the arrows between them: which crate of the workspace may depend on which.
//!
//! Arrows go only downwards, so that each room can be read, tested and replaced without those above it.

use std::process::Command;

use serde_json::Value;

/// The crate that only tests may use.
const TEST_SUPPORT: &str = "forerun-test-support";

/// Each crate with the crates of ours that it may depend on, from the top down.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "forerun",
        &[
            "forerun-cluster",
            "forerun-databases",
            "forerun-manifests",
            "forerun-migrations",
            "forerun-sql",
        ],
    ),
    ("forerun-cluster", &["forerun-manifests"]),
    ("forerun-databases", &["forerun-migrations", "forerun-sql"]),
    ("forerun-manifests", &[]),
    ("forerun-migrations", &["forerun-sql"]),
    ("forerun-sql", &[]),
    (TEST_SUPPORT, &[]),
    (
        "xtask",
        &[
            "forerun",
            "forerun-databases",
            "forerun-migrations",
            "forerun-sql",
        ],
    ),
];

/// Asks cargo for the dependencies of the workspace and returns every arrow that should not be there.
///
/// # Errors
/// When `cargo metadata` cannot be run or says something else than expected.
pub(crate) fn check_workspace() -> Result<Vec<String>, String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version=1",
            "--offline",
            "--manifest-path",
            manifest,
        ])
        .output()
        .map_err(|error| format!("cargo metadata cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata is not JSON: {error}"))?;
    check(&metadata)
}

fn check(metadata: &Value) -> Result<Vec<String>, String> {
    let packages = metadata["packages"]
        .as_array()
        .filter(|packages| !packages.is_empty())
        .ok_or("cargo metadata lists no packages")?;
    let names: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == name) else {
            problems.push(format!(
                "{name} is not in the list of rooms: add it to xtask/src/rooms.rs, with what it may use"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            if !names.contains(&target) {
                continue;
            }
            let for_tests = dependency["kind"].as_str() == Some("dev");
            let fine = if target == TEST_SUPPORT {
                for_tests && name != TEST_SUPPORT
            } else {
                allowed.contains(&target)
            };
            if !fine {
                let kind = if for_tests { "dev-depends" } else { "depends" };
                problems.push(format!(
                    "{name} {kind} on {target}: {}",
                    why_not(allowed, target)
                ));
            }
        }
    }
    Ok(problems)
}

fn why_not(allowed: &[&str], target: &str) -> String {
    if target == TEST_SUPPORT {
        "only tests may use it (dev-dependencies)".to_owned()
    } else if allowed.is_empty() {
        "it may use no other room".to_owned()
    } else {
        format!("it may use only {}", allowed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, check_workspace};

    fn problems(name: &str, target: &str, kind: Option<&str>) -> Vec<String> {
        let mut packages = vec![json!({
            "name": name,
            "dependencies": [{ "name": target, "kind": kind }, { "name": "serde", "kind": null }],
        })];
        if name != target {
            packages.push(json!({ "name": target, "dependencies": [] }));
        }
        check(&json!({ "packages": packages })).unwrap()
    }

    #[test]
    fn workspace_has_only_arrows_that_go_downwards() {
        let problems = check_workspace().unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn arrows_downwards_are_fine() {
        assert!(problems("forerun", "forerun-databases", None).is_empty());
        assert!(problems("forerun-databases", "forerun-sql", None).is_empty());
        assert!(problems("forerun-sql", "forerun-test-support", Some("dev")).is_empty());
    }

    #[test]
    fn arrow_upwards_is_a_problem_even_for_tests() {
        let upwards = problems("forerun-migrations", "forerun-databases", None);
        assert_eq!(
            upwards,
            ["forerun-migrations depends on forerun-databases: it may use only forerun-sql"]
        );
        assert_eq!(
            problems("forerun-sql", "forerun-migrations", Some("dev")).len(),
            1
        );
    }

    #[test]
    fn test_support_is_for_tests_only_and_uses_nothing_of_ours() {
        assert_eq!(
            problems("forerun-databases", "forerun-test-support", None).len(),
            1
        );
        assert_eq!(
            problems("forerun-databases", "forerun-test-support", Some("build")).len(),
            1
        );
        assert_eq!(
            problems("forerun-test-support", "forerun-sql", None).len(),
            1
        );
    }

    #[test]
    fn unknown_room_is_a_problem() {
        let problems =
            check(&json!({ "packages": [{ "name": "forerun-new", "dependencies": [] }] }));
        assert!(problems.unwrap()[0].contains("not in the list of rooms"));
        assert!(check(&json!({})).is_err());
    }
}
