//! `forerun deploy`.

mod release;

use forerun_cluster::{
    Cluster, ConnectError, Connection, Done as Deployed, Failure, Options, Preview, Report,
};
use forerun_manifests::render::{self, KubeVersion, Rendered};
use forerun_manifests::values::Values;
use jiff::Timestamp;
use serde::Serialize;

use super::context::Context;
use super::values;
use crate::arguments::{Deploy, DryRun};
use crate::command_error::CommandError;
use crate::output::style::{count, took};
use crate::output::{Done, deploy_tables};
use crate::settings;
use forerun_migrations::executor::{Stop, StopReason};

pub fn run(context: &Context, arguments: &Deploy) -> Result<Done, CommandError> {
    let values = values::read(context, &arguments.values)?;
    if arguments.dry_run == Some(DryRun::Client) {
        let version = arguments.kube_version.unwrap_or(KubeVersion::NEWEST);
        let release = release::of(render(context, arguments, &values, version)?)?;
        return Ok(show_order(context, &release));
    }
    let connection = settings::connection(arguments, &context.environment)?;
    let identity = settings::identity(None, &context.environment)?;
    let options = Options {
        holder: format!(
            "{}@{} (run {})",
            identity.actor, identity.host, identity.run_id
        ),
        wait_for_deploy: arguments.wait_for_deploy,
        rollout_timeout: arguments.timeout,
        force_conflicts: arguments.force_conflicts,
    };
    context.block_on_any(async {
        let cluster = connect(&connection).await?;
        let version = version(&cluster).await?;
        let rendered = render(context, arguments, &values, version)?;
        let name = rendered.release.clone();
        let release = release::of(rendered)?;
        if arguments.dry_run == Some(DryRun::Server) {
            let previews = forerun_cluster::preview(
                &cluster,
                release,
                options.force_conflicts,
                &*context.output,
            )
            .await;
            return Ok(show_previews(
                context,
                &previews.map_err(|failure| failed(context, &failure))?,
            ));
        }
        let stop = stopped(context.stop.clone());
        let deployed =
            forerun_cluster::deploy(&cluster, release, &options, &*context.output, stop).await;
        let deployed = deployed.map_err(|failure| failed(context, &failure))?;
        Ok(done(context, &name, deployed))
    })?
}

fn render(
    context: &Context,
    arguments: &Deploy,
    values: &Values,
    kube_version: KubeVersion,
) -> Result<Rendered, CommandError> {
    let release = match &arguments.values.name {
        Some(name) => name.clone(),
        None => render::release_name(values)?,
    };
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    let options = render::Options {
        release,
        delivery: Some(render::Delivery::Deploy),
        kube_version,
        stamp: arguments.stamp.unwrap_or(now),
    };
    let rendered = render::render(values, &options)?;
    for note in &rendered.notes {
        context.output.note(&format!("note: {note}"));
    }
    Ok(rendered)
}

async fn connect(connection: &Connection) -> Result<Cluster, CommandError> {
    let of_connect = |error: ConnectError| CommandError::deploy(error.report(), None);
    forerun_cluster::connect(connection)
        .await
        .map_err(of_connect)
}

/// The first question to the cluster: what is wrong with the way to it shows here.
async fn version(cluster: &Cluster) -> Result<KubeVersion, CommandError> {
    let version = cluster.version().await.map_err(|error| {
        let failure = Failure {
            error: error.into(),
            state: "Nothing was changed.".to_owned(),
            advice: None,
            server: cluster.server.clone(),
            namespace: cluster.namespace.clone(),
        };
        CommandError::deploy(failure.report(), None)
    })?;
    // A version that cannot be read is one that we do not know.
    Ok(version.parse().unwrap_or(KubeVersion::NEWEST))
}

async fn stopped(mut stop: Stop) -> String {
    stop.wait().await.describe()
}

fn failed(context: &Context, failure: &Failure) -> CommandError {
    let signal = match context.stop.reason() {
        Some(StopReason::Signal(signal)) => Some(signal),
        _ => None,
    };
    CommandError::deploy(failure.report(), signal)
}

fn done(context: &Context, name: &str, deployed: Deployed) -> Done {
    let mut parts = Vec::new();
    if deployed.steps > 0 {
        parts.push(count(deployed.steps, "migration step"));
    }
    parts.push(format!("{} changed", count(deployed.changed, "object")));
    if deployed.pruned > 0 {
        parts.push(format!("{} deleted", count(deployed.pruned, "object")));
    }
    if deployed.closed > 0 {
        parts.push("closed in the ledger".to_owned());
    }
    let message = format!(
        "Deployed {name} in {}: {}.",
        took(context.output.elapsed()),
        parts.join(", ")
    );
    Done::new("deployed", message)
}

fn show_order(context: &Context, release: &forerun_cluster::Release) -> Done {
    #[derive(Serialize)]
    struct Item<'a> {
        wave: forerun_cluster::Wave,
        kind: &'a str,
        name: &'a str,
    }
    #[derive(Serialize)]
    struct Order<'a> {
        release: &'a str,
        objects: Vec<Item<'a>>,
    }
    let waves = release.waves();
    let objects = waves.iter().map(|(wave, object)| Item {
        wave: *wave,
        kind: object.kind.kind,
        name: &object.name,
    });
    let order = Order {
        release: &release.name,
        objects: objects.collect(),
    };
    context.output.result(&order, || {
        let rows = order
            .objects
            .iter()
            .map(|item| (item.wave, format!("{} {}", item.kind, item.name)));
        deploy_tables::order(rows)
    });
    Done::new("shown", "")
}

fn show_previews(context: &Context, previews: &[Preview]) -> Done {
    #[derive(Serialize)]
    struct Answer<'a> {
        objects: &'a [Preview],
    }
    context.output.result(&Answer { objects: previews }, || {
        deploy_tables::previews(previews)
    });
    Done::new("shown", "")
}

impl CommandError {
    fn deploy(report: Report, signal: Option<i32>) -> Self {
        Self::Deploy {
            report: Box::new(report),
            signal,
        }
    }
}
