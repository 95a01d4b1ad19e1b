//! A pre-install hook while the database is part of the same release.

use std::collections::HashSet;

use crate::check::field::Field;
use crate::check::image::ImageReference;
use crate::check::object::Object;
use crate::check::release::{MigrationJob, Release, containers};
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "database-in-release",
    severity: Severity::Error,
    title: "The hook runs before the database of the same release exists",
    why: "Helm creates the objects of a release after its pre-install hooks, and Argo CD applies them after PreSync. A \
          database that is one of these objects cannot be reached by such a hook: the first installation waits for it \
          until the timeout.",
    fix: "Install the database on its own, before the release. Where both must be one release, migrate with an ordinary \
          Job and let the application's pods wait for the schema.",
    yaml: "# an ordinary Job (no hook annotations), and in the application's pods:
initContainers:
  - name: wait-for-migrations
    image: registry.example/shop:2.6.0
    command: [forerun, migrate, wait, --version, latest, --timeout, 600s]",
    scope: Scope::Release(check),
};

/// Beginnings of image names of database servers.
const SERVERS: [&str; 17] = [
    "postgres",
    "postgresql",
    "postgis",
    "pgvector",
    "timescaledb",
    "spilo",
    "mysql",
    "mysql-server",
    "mariadb",
    "percona",
    "percona-server",
    "cockroach",
    "yugabyte",
    "mssql",
    "mongo",
    "mongodb",
    "clickhouse-server",
];
/// Words of images that go with a database and are none.
const COMPANIONS: [&str; 10] = [
    "exporter", "backup", "proxy", "client", "operator", "bouncer", "router", "metrics", "tools",
    "agent",
];
/// Kinds of operators that stand for a database server.
const CUSTOM_KINDS: [(&str, &str); 5] = [
    ("postgresql.cnpg.io/", "Cluster"),
    ("acid.zalan.do/", "postgresql"),
    ("postgres-operator.crunchydata.com/", "PostgresCluster"),
    ("k8s.mariadb.com/", "MariaDB"),
    ("mysql.oracle.com/", "InnoDBCluster"),
];
/// Databases of a release that are looked at.
const MOST: usize = 20;

fn check(release: &Release, reporter: &mut Reporter) {
    if !release.jobs().any(|job| runs_first(&job)) {
        return;
    }
    let databases: Vec<&Object> = release
        .objects
        .iter()
        .filter(|object| !object.is_hook() && is_database(object))
        .take(MOST)
        .collect();
    let Some(first) = databases.first() else {
        return;
    };
    let hosts = hosts(release, &databases);
    for job in release.jobs().filter(runs_first) {
        let mentioned = Mentioned::of(&job);
        let path = job.object.annotations().path().clone();
        if mentioned.words.iter().any(|word| hosts.contains(word)) {
            let message = format!(
                "the Job connects to the database of {}, which is created after the Job has run",
                first.title()
            );
            reporter.report(job.object, &path, message);
        } else if !mentioned.names_a_host {
            let message = format!(
                "{} looks like the database, and it is created after the Job has run",
                first.title()
            );
            reporter.report_as(Severity::Warning, job.object, &path, message);
        }
    }
}

fn runs_first(job: &MigrationJob<'_>) -> bool {
    let helm = &job.object.helm_hook;
    let argo = &job.object.argo_hook;
    helm.as_ref()
        .is_some_and(|hook| hook.runs_at("pre-install"))
        || argo.as_ref().is_some_and(|hook| hook.runs_in("PreSync"))
}

fn is_database(object: &Object) -> bool {
    if CUSTOM_KINDS
        .iter()
        .any(|(group, kind)| object.kind == *kind && object.api_version.starts_with(group))
    {
        return true;
    }
    if !matches!(object.kind.as_str(), "Deployment" | "StatefulSet") {
        return false;
    }
    object
        .pod_template()
        .at("spec.containers")
        .items()
        .any(|container| {
            let image = container.get("image").text().unwrap_or_default();
            let name = ImageReference::parse(image).name().to_ascii_lowercase();
            SERVERS.contains(&name.as_str())
                || (SERVERS.iter().any(|server| {
                    name.strip_prefix(server)
                        .is_some_and(|rest| rest.starts_with('-'))
                }) && !COMPANIONS.iter().any(|word| name.contains(word)))
        })
}

/// Names under which databases can be reached: their own and those of their Services.
fn hosts(release: &Release, databases: &[&Object]) -> HashSet<String> {
    let mut hosts = HashSet::new();
    for database in databases {
        for suffix in ["", "-rw", "-primary", "-headless"] {
            hosts.insert(format!("{}{suffix}", database.name));
        }
        let labels = database.pod_template().at("metadata.labels");
        for service in release
            .objects
            .iter()
            .filter(|object| object.kind == "Service")
        {
            let selector = service.root().at("spec.selector");
            let mut entries = selector.entries().peekable();
            let selects = entries.peek().is_some()
                && entries.all(|(key, value)| labels.get(key).text() == value.text());
            if selects {
                hosts.insert(service.name.clone());
            }
        }
    }
    hosts
}

/// What a Job says about the host it connects to.
struct Mentioned {
    /// Everything that can be the name of a host.
    words: HashSet<String>,
    /// A host is written down at all.
    names_a_host: bool,
}

impl Mentioned {
    fn of(job: &MigrationJob<'_>) -> Self {
        let mut mentioned = Self {
            words: HashSet::new(),
            names_a_host: false,
        };
        for container in containers(&job.pod) {
            for variable in container.get("env").items() {
                let name = variable
                    .get("name")
                    .text()
                    .unwrap_or_default()
                    .to_ascii_uppercase();
                let value = variable.get("value").text().unwrap_or_default();
                let host = ["HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS"]
                    .iter()
                    .any(|ending| name.ends_with(ending));
                mentioned.add(value, host);
            }
            for list in ["command", "args"] {
                let list: Field<'_> = container.get(list);
                list.texts()
                    .into_iter()
                    .for_each(|text| mentioned.add(text, false));
            }
        }
        mentioned
    }

    fn add(&mut self, text: &str, host: bool) {
        if text.is_empty() {
            return;
        }
        self.names_a_host |= host || text.contains("://") && text.contains('@');
        for word in
            text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'))
        {
            if !word.is_empty() {
                self.words.insert(word.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    const DATABASE: &str = "\n---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: shop-pg}\nspec:\n  template:\n    \
        metadata: {labels: {app: pg}}\n    spec: {containers: [{name: pg, image: 'docker.io/library/postgres:17'}]}\n---\n\
        apiVersion: v1\nkind: Service\nmetadata: {name: postgresql}\nspec: {selector: {app: pg}}\n";

    fn host(name: &str) -> String {
        format!(
            "spec: {{template: {{spec: {{containers: {{0: {{env: [{{name: DB_HOST, value: {name}}}]}}}}}}}}}}{DATABASE}"
        )
    }

    #[test]
    fn the_database_comes_after_the_hook() {
        found(&RULE, &host("postgresql"), "created after the Job has run");
        found(
            &RULE,
            &host("postgresql.shop.svc"),
            "created after the Job has run",
        );
        clean(&RULE, &host("db.example.com"));
        // Where the host comes from a Secret, it is likely.
        found(&RULE, &host("''"), "looks like the database");
        let upgrade = "metadata: {annotations: {helm.sh/hook: pre-upgrade}}\n";
        clean(&RULE, &format!("{upgrade}{}", host("postgresql")));
        clean(
            &RULE,
            &host("''").replace("library/postgres:17", "library/postgres-exporter:17"),
        );
        found(
            &RULE,
            "{}\n---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db}\n",
            "Cluster db",
        );
    }
}
