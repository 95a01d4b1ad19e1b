//! Which Jobs are migrations. The whole heuristic is in this file.
//!
//! 1. The annotation `forerun.dev/check: migration` or `ignore` decides.
//! 2. A Job that runs no pod (`completions: 0`), or only when a release is deleted, is none.
//! 3. A Job that waits, checks, tests, backs up or cleans up by its name is none.
//! 4. A label `component` or `app.kubernetes.io/component` with a word that begins with `migrat`, or `db-…` as in 5.
//! 5. A name (of the Job, its pod or one of its containers) with a word that begins with `migrat`, or `db`, `database`
//!    or `schema` followed by init, setup, prepare, upgrade, update, sync, create, deploy, seed or apply.
//! 6. A command line that is that of a migration tool.
//!
//! With `--all-jobs` 1 and 2 still hold, and all other Jobs count.

use super::field::Field;
use super::object::Object;

/// The annotation that decides whether a Job is checked as a migration.
pub const CHECK_ANNOTATION: &str = "forerun.dev/check";

/// Words that say that a Job prepares a database, after `db`, `database` or `schema`.
const DATABASE_WORK: [&str; 10] = [
    "init", "setup", "prepare", "upgrade", "update", "sync", "create", "deploy", "seed", "apply",
];
/// Words of a name that say that a Job does something else around migrations.
const OTHER_WORK: [&str; 15] = [
    "wait", "check", "test", "verify", "notify", "backup", "dump", "restore", "cleanup", "clean",
    "delete", "status", "lint", "export", "report",
];
/// Two words that follow each other in the command line of a migration tool.
const COMMAND_PAIRS: [(&str, &str); 14] = [
    ("alembic", "upgrade"),
    ("db", "upgrade"),
    ("db", "init"),
    ("db", "push"),
    ("liquibase", "update"),
    ("goose", "up"),
    ("dbmate", "up"),
    ("tern", "up"),
    ("schema", "apply"),
    ("database", "update"),
    ("migration", "run"),
    ("yoyo", "apply"),
    ("sentry", "upgrade"),
    ("pgroll", "start"),
];
/// What follows `migrate` when nothing is migrated.
const NOT_MIGRATING: [&str; 8] = [
    "wait", "status", "validate", "plan", "history", "check", "lint", "hash",
];

/// The Job is a migration.
pub fn is_migration(job: &Object, all_jobs: bool) -> bool {
    if job.kind != "Job" {
        return false;
    }
    match job.annotations().get(CHECK_ANNOTATION).text() {
        Some("migration") => return true,
        Some("ignore") => return false,
        _ => {}
    }
    let spec = job.root().get("spec");
    if spec.get("completions").integer() == Some(0) || runs_only_at_deletion(job) {
        return false;
    }
    if all_jobs {
        return true;
    }
    if words(&job.name).any(|word| OTHER_WORK.contains(&word)) {
        return false;
    }
    let template = job.pod_template();
    let labelled = [job.labels(), template.at("metadata.labels")]
        .iter()
        .flat_map(|labels| {
            [
                labels.get("component"),
                labels.get("app.kubernetes.io/component"),
            ]
        })
        .filter_map(|label| label.text())
        .any(names_migration);
    let pod_name = template.at("metadata.name").text();
    labelled
        || names_migration(&job.name)
        || pod_name.is_some_and(names_migration)
        || template
            .at("spec.containers")
            .items()
            .any(|container| is_migrating(&container))
}

/// The container is the one that migrates: by its name or its command line.
pub fn is_migrating(container: &Field<'_>) -> bool {
    container.get("name").text().is_some_and(names_migration) || runs_migration(container)
}

fn runs_only_at_deletion(job: &Object) -> bool {
    let helm = job.helm_hook.as_ref().is_some_and(|hook| {
        hook.events
            .iter()
            .all(|event| event.ends_with("-delete") || event.starts_with("test"))
    });
    let argo = job.argo_hook.as_ref().is_some_and(|hook| {
        hook.phases
            .iter()
            .all(|phase| phase.ends_with("Delete") || phase == "Skip")
    });
    helm || (argo && job.helm_hook.is_none())
}

/// Words of a name: what stands between anything that is no letter or digit.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}

fn names_migration(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut before = "";
    for word in words(&name) {
        let database = matches!(before, "db" | "database" | "schema");
        if word.starts_with("migrat")
            || word.starts_with("dbmigrat")
            || (database && DATABASE_WORK.contains(&word))
        {
            return true;
        }
        before = word;
    }
    false
}

/// The command line, with the text of a shell taken apart, is that of a migration tool.
fn runs_migration(container: &Field<'_>) -> bool {
    let mut line = container.get("command").texts();
    line.extend(container.get("args").texts());
    let mut before = String::new();
    let mut migrates = false;
    let parts = line.iter().flat_map(|part| {
        part.split(|character: char| character.is_whitespace() || ";&|()'\"".contains(character))
    });
    for part in parts.filter(|part| !part.is_empty()) {
        // The program of a path, the task of `db:migrate`, `ecto.migrate` or `migrate:latest`.
        let word = part.rsplit('/').next().unwrap_or(part).to_ascii_lowercase();
        if migrates && !NOT_MIGRATING.contains(&word.as_str()) {
            return true;
        }
        let tasks: Vec<&str> = word.split([':', '.', '-', '_']).collect();
        // A directory called `migrations` is no command.
        let path = part.contains('/');
        migrates = !word.starts_with('-')
            && tasks
                .iter()
                .any(|task| is_migration_task(task) && !(path && task.ends_with('s')));
        if COMMAND_PAIRS
            .iter()
            .any(|(first, second)| before == *first && word == *second)
        {
            return true;
        }
        before = word;
    }
    migrates
}

fn is_migration_task(task: &str) -> bool {
    matches!(
        task,
        "migrate" | "migration" | "migrations" | "migrator" | "automigrate"
    )
}

#[cfg(test)]
mod tests {
    use super::super::object::{Source, read};
    use super::*;
    use serde_json::{Value, json};

    fn job(patch: &Value) -> Object {
        let mut value = json!({"apiVersion": "batch/v1", "kind": "Job"});
        for (key, part) in patch.as_object().unwrap() {
            value[key] = part.clone();
        }
        let source = Source {
            name: "-".into(),
            text: value.to_string(),
        };
        read(&source).unwrap().remove(0)
    }

    fn named(name: &str) -> bool {
        is_migration(&job(&json!({"metadata": {"name": name}})), false)
    }

    fn running(command: &[&str], args: &[&str]) -> bool {
        let spec = json!({"template": {"spec": {"containers": [{"name": "main", "command": command, "args": args}]}}});
        is_migration(
            &job(&json!({"metadata": {"name": "work"}, "spec": spec})),
            false,
        )
    }

    #[test]
    fn names() {
        for name in [
            "shop-migrate-17",
            "db-migrate",
            "app-migrations",
            "x-migrator",
            "dbmigration",
            "sentry-db-init",
            "schema-update",
        ] {
            assert!(named(name), "{name}");
        }
        for name in [
            "emigration",
            "wait-for-migrations",
            "migration-notify",
            "db-backup",
            "db-migrate-check",
            "db",
            "init",
            "shop",
        ] {
            assert!(!named(name), "{name}");
        }
    }

    #[test]
    fn command_lines() {
        for line in [
            "python manage.py migrate",
            "sh -c 'python manage.py migrate --noinput && echo done'",
            "bundle exec rails db:migrate",
            "php artisan migrate --force",
            "alembic upgrade head",
            "flask db upgrade",
            "npx prisma migrate deploy",
            "npx knex migrate:latest",
            "mix ecto.migrate",
            "/usr/local/bin/migrate -path /m up",
            "kratos migrate sql -e",
            "kong migrations up",
            "liquibase update",
            "airflow db migrate",
            "dotnet ef database update",
            "forerun migrate up",
        ] {
            assert!(running(&line.split(' ').collect::<Vec<_>>(), &[]), "{line}");
            assert!(running(&["sh", "-c", line], &[]), "{line}");
        }
        assert!(running(&["/app/my-app"], &["migrate", "up"]));
        for line in [
            "serve --dir /srv/migrations",
            "forerun migrate wait --version 3",
            "serve --migrate",
            "forerun migrate status",
            "pg_dump shop",
            "echo hello",
        ] {
            assert!(
                !running(&line.split(' ').collect::<Vec<_>>(), &[]),
                "{line}"
            );
        }
    }

    #[test]
    fn labels_annotations_and_jobs_that_run_nothing() {
        let labelled = json!({"metadata": {"name": "x", "labels": {"app.kubernetes.io/component": "db-migrate"}}});
        assert!(is_migration(&job(&labelled), false));
        let told =
            json!({"metadata": {"name": "x", "annotations": {"forerun.dev/check": "migration"}}});
        assert!(is_migration(&job(&told), false));
        let ignored = json!({"metadata": {"name": "migrate", "annotations": {"forerun.dev/check": "ignore"}}});
        assert!(!is_migration(&job(&ignored), true));
        let nothing = json!({"metadata": {"name": "migrate"}, "spec": {"completions": 0}});
        assert!(!is_migration(&job(&nothing), true));
        let deletion = json!({"metadata": {"name": "migrate", "annotations": {"helm.sh/hook": "post-delete"}}});
        assert!(!is_migration(&job(&deletion), true));
        assert!(is_migration(
            &job(&json!({"metadata": {"name": "any"}})),
            true
        ));
        assert!(!is_migration(
            &job(&json!({"kind": "CronJob", "metadata": {"name": "migrate"}})),
            true
        ));
    }
}
