//! `deployments.<app>.migrations`.

use k8s_openapi::api::core::v1::{Volume, VolumeMount};

use super::{
    Check, command,
    container::{self, Volumes},
    metadata, quantity, repeated, volume,
};
use crate::{
    values::{
        Container, Deployment, JobName, Migrations, NamedContainer, NetworkPolicy, OneOrMany,
        Seconds, Step, Wait,
    },
    yaml::At,
};

const DELETE_POLICIES: [&str; 6] = [
    "before-hook-creation",
    "hook-succeeded",
    "hook-failed",
    "BeforeHookCreation",
    "HookSucceeded",
    "HookFailed",
];
const LOG_POLICIES: [&str; 2] = ["hook-succeeded", "hook-failed"];

pub(super) fn check(
    check: &mut Check<'_, '_>,
    deployment: &Deployment,
    migrations: &Migrations,
    deployment_at: &At<'_>,
) {
    let at = &deployment_at.key("migrations");
    if !migrations.enabled && check.tree.at(&at.key("enabled")).is_none() {
        let message = "there is no migration Job without `enabled: true`";
        check.warn(at, message, "add it, or `enabled: false` if that is meant");
    }
    let reused = reused_container(check, deployment, migrations, deployment_at);
    common(check, migrations, at);
    containers(check, deployment, migrations, deployment_at);
    hook(check, migrations, at);
    names(check, migrations, at);
    network(check, migrations, at);

    let steps = at.key("steps");
    for (index, first) in repeated(migrations.steps.iter().map(|step| &step.name)) {
        let message = format!(
            "the step `{}` is already item {first} of this list",
            migrations.steps[index].name
        );
        check.error(
            &steps.index(index).key("name"),
            message,
            "give each step a name of its own",
        );
    }
    for (index, one) in migrations.steps.iter().enumerate() {
        step(check, one, &steps.index(index));
    }
    command::guard(check, migrations, reused, at);
    command::images(check, migrations, reused, at);
}

/// The container whose image and environment the Jobs reuse.
fn reused_container<'a>(
    check: &mut Check<'_, '_>,
    deployment: &'a Deployment,
    migrations: &Migrations,
    deployment_at: &At<'_>,
) -> Option<&'a Container> {
    let holder = deployment_at.key("containers");
    let migrations_at = deployment_at.key("migrations");
    let names: Vec<&str> = deployment.containers.keys().map(String::as_str).collect();
    match &migrations.container {
        Some(name) => {
            let found = deployment.containers.get(name);
            if found.is_none() && !(names.is_empty() && name == "main") {
                check.no_such(
                    &migrations_at.key("container"),
                    name,
                    &holder,
                    &names,
                    "the container",
                );
            }
            found
        }
        None => match deployment.containers.get("main") {
            Some(main) => Some(main),
            None if names.len() > 1 && !check.is_left_out(&holder.key("main")) => {
                let message = "no container is named `main`: which one do the migrations reuse?";
                check.error_in_key(
                    &migrations_at,
                    message,
                    format!("add `container:` with one of {}", names.join(", ")),
                );
                None
            }
            None => deployment.containers.values().next(),
        },
    }
}

fn common(check: &mut Check<'_, '_>, migrations: &Migrations, at: &At<'_>) {
    container::env(check, &migrations.env, &at.key("env"));
    container::env_from(check, &migrations.env_from, &at.key("envFrom"));
    container::secret_refs(check, &migrations.secret_refs, &at.key("secretRefs"));
    quantity::resources(check, migrations.resources.as_ref(), &at.key("resources"));
    metadata::labels(check, &migrations.labels, &at.key("labels"));
    metadata::annotations(check, &migrations.annotations, &at.key("annotations"));
    metadata::annotations(
        check,
        &migrations.pod_annotations,
        &at.key("podAnnotations"),
    );
    durations(check, migrations.timeout, migrations.lock_timeout, at);
    exit_codes(
        check,
        migrations.fatal_exit_codes.as_deref(),
        &at.key("fatalExitCodes"),
    );
    if let Some(account) = &migrations.service_account {
        let at = at.key("serviceAccount");
        metadata::labels(check, &account.labels, &at.key("labels"));
        metadata::annotations(check, &account.annotations, &at.key("annotations"));
        let described = !account.labels.is_empty() || !account.annotations.is_empty();
        if !account.create && described && !check.is_spoiled(&at.key("create")) {
            let message = "labels and annotations are for a service account that is created";
            check.error_in_key(&at, message, "add `create: true`, or remove them");
        }
    }
}

/// Init containers, sidecars, and what all of them mount.
fn containers(
    check: &mut Check<'_, '_>,
    deployment: &Deployment,
    migrations: &Migrations,
    deployment_at: &At<'_>,
) {
    let at = deployment_at.key("migrations");
    let (app_volumes, own_volumes) = (deployment_at.key("volumes"), at.key("volumes"));
    volume::volumes(check, &migrations.volumes, &own_volumes);
    let known = deployment
        .volumes
        .iter()
        .chain(&migrations.volumes)
        .map(|volume| volume.name.as_str())
        .collect();
    let volumes = Volumes {
        known,
        holders: vec![&own_volumes, &app_volumes],
    };
    volumes.mounted(check, &migrations.volume_mounts, &at.key("volumeMounts"));
    let dropped = Dropped::of(deployment, migrations);
    dropped.mounted(check, &migrations.volume_mounts, &at.key("volumeMounts"));
    for (containers, at) in [
        (&migrations.sidecars, at.key("sidecars")),
        (&migrations.init_containers, at.key("initContainers")),
    ] {
        dropped.mounted_by(check, containers, &at);
    }

    let (sidecars, init) = (at.key("sidecars"), at.key("initContainers"));
    container::named_list(check, &migrations.sidecars, &volumes, true, &sidecars);
    let waits = |wait: Option<Wait>| wait.is_some_and(|wait| wait.seconds(300).is_some());
    let guards = migrations.guard == Some(true)
        || migrations.steps.iter().any(|step| step.guard == Some(true));
    let waiting = waits(migrations.wait_for_database)
        || migrations
            .steps
            .iter()
            .any(|step| waits(step.wait_for_database));
    let mut taken: Vec<(&str, &str)> = vec![("migrate", "the container of the migration")];
    if guards {
        taken.push(("forerun", "the container that `guard` adds"));
    }
    if waiting {
        taken.push((
            "wait-for-database",
            "the container that `waitForDatabase` adds",
        ));
    }
    reserved(check, &migrations.sidecars, &taken, &sidecars);
    taken.extend(
        migrations
            .sidecars
            .iter()
            .map(|sidecar| (sidecar.name.as_str(), "a sidecar")),
    );
    container::named_list(check, &migrations.init_containers, &volumes, false, &init);
    reserved(check, &migrations.init_containers, &taken, &init);

    let steps = at.key("steps");
    for (index, step) in migrations.steps.iter().enumerate() {
        let at = steps.index(index);
        if let Some(mounts) = &step.volume_mounts {
            volumes.mounted(check, mounts, &at.key("volumeMounts"));
            dropped.mounted(check, mounts, &at.key("volumeMounts"));
        }
        if let Some(containers) = &step.init_containers {
            let at = at.key("initContainers");
            container::named_list(check, containers, &volumes, false, &at);
            dropped.mounted_by(check, containers, &at);
            reserved(check, containers, &taken, &at);
        }
    }
    if migrations.gate {
        let taken = [
            ("forerun", "a container that `gate` adds"),
            ("wait-for-migrations", "a container that `gate` adds"),
        ];
        reserved(
            check,
            &deployment.init_containers,
            &taken,
            &deployment_at.key("initContainers"),
        );
    }
}

/// The deployment's volumes that its migration Jobs do not take over: one that only one node can mount would keep
/// the Job waiting for the old pods.
struct Dropped<'a>(Vec<&'a str>);

impl<'a> Dropped<'a> {
    fn of(deployment: &'a Deployment, migrations: &Migrations) -> Self {
        let own = |name: &str| migrations.volumes.iter().any(|volume| volume.name == name);
        let kept = |volume: &Volume| {
            volume.config_map.is_some()
                || volume.secret.is_some()
                || volume.projected.is_some()
                || volume.downward_api.is_some()
                || volume.empty_dir.is_some()
                || volume.csi.is_some()
                || volume.image.is_some()
        };
        let dropped = deployment
            .volumes
            .iter()
            .filter(|volume| !kept(volume) && !own(&volume.name));
        Self(dropped.map(|volume| volume.name.as_str()).collect())
    }

    fn mounted(&self, check: &mut Check<'_, '_>, mounts: &[VolumeMount], at: &At<'_>) {
        for (index, mount) in mounts.iter().enumerate() {
            if self.0.contains(&mount.name.as_str()) {
                let message = format!(
                    "migration Jobs do not take over the volume `{}` of the deployment",
                    mount.name
                );
                let help = "they take over those that any number of pods can mount; if this one can be, repeat it \
                            under `migrations.volumes`";
                check.error(&at.index(index).key("name"), message, help);
            }
        }
    }

    fn mounted_by(&self, check: &mut Check<'_, '_>, containers: &[NamedContainer], at: &At<'_>) {
        for (index, container) in containers.iter().enumerate() {
            self.mounted(
                check,
                &container.volume_mounts,
                &at.index(index).key("volumeMounts"),
            );
        }
    }
}

/// Names that other containers of the pod have.
fn reserved(
    check: &mut Check<'_, '_>,
    containers: &[NamedContainer],
    taken: &[(&str, &str)],
    at: &At<'_>,
) {
    for (index, container) in containers.iter().enumerate() {
        if let Some((name, what)) = taken.iter().find(|(name, _)| *name == container.name) {
            let message = format!("`{name}` is the name of {what}");
            check.error(&at.index(index).key("name"), message, "choose another name");
        }
    }
}

fn step(check: &mut Check<'_, '_>, step: &Step, at: &At<'_>) {
    container::env(check, &step.env, &at.key("env"));
    container::env_from(
        check,
        step.env_from.as_deref().unwrap_or_default(),
        &at.key("envFrom"),
    );
    container::secret_refs(
        check,
        step.secret_refs.as_deref().unwrap_or_default(),
        &at.key("secretRefs"),
    );
    quantity::resources(check, step.resources.as_ref(), &at.key("resources"));
    durations(check, step.timeout, step.lock_timeout, at);
    exit_codes(
        check,
        step.fatal_exit_codes.as_deref(),
        &at.key("fatalExitCodes"),
    );
}

fn durations(
    check: &mut Check<'_, '_>,
    timeout: Option<Seconds>,
    lock_timeout: Option<Seconds>,
    at: &At<'_>,
) {
    if timeout == Some(Seconds(0)) {
        check.error(
            &at.key("timeout"),
            "a Job with a timeout of 0 seconds never runs",
            "leave it out for the default",
        );
    }
    if let (Some(timeout), Some(lock)) = (timeout, lock_timeout)
        && timeout.0 > 0
        && lock.0 >= timeout.0
    {
        let message = "the Job ends before it has waited for another runner as long as this";
        check.warn(
            &at.key("lockTimeout"),
            message,
            format!("make it less than `timeout` ({} seconds)", timeout.0),
        );
    }
}

fn exit_codes(
    check: &mut Check<'_, '_>,
    codes: Option<&[crate::values::FatalExitCode]>,
    at: &At<'_>,
) {
    let codes = codes.unwrap_or_default();
    for (index, first) in repeated(codes.iter().map(|code| code.0)) {
        let message = format!("{} is already item {first} of this list", codes[index].0);
        check.error(&at.index(index), message, "remove one of them");
    }
    if let Some(index) = codes.iter().position(|code| code.0 == 75) {
        let message =
            "75 is forerun's exit code for what a retry may mend; it would end the Job at once";
        check.warn(
            &at.index(index),
            message,
            "remove it, unless no retry is wanted",
        );
    }
}

fn hook(check: &mut Check<'_, '_>, migrations: &Migrations, at: &At<'_>) {
    let at = at.key("hook");
    policy(
        check,
        migrations.hook.delete_policy.as_ref(),
        &DELETE_POLICIES,
        &at.key("deletePolicy"),
    );
    policy(
        check,
        migrations.hook.log_policy.as_ref(),
        &LOG_POLICIES,
        &at.key("logPolicy"),
    );
}

fn policy(check: &mut Check<'_, '_>, policy: Option<&OneOrMany>, known: &[&str], at: &At<'_>) {
    match policy {
        None => {}
        Some(OneOrMany::One(text)) => {
            text.split(',')
                .for_each(|one| check.one_of(at, one.trim(), known));
        }
        Some(OneOrMany::Many(texts)) => {
            for (index, one) in texts.iter().enumerate() {
                check.one_of(&at.index(index), one, known);
            }
        }
    }
}

fn names(check: &mut Check<'_, '_>, migrations: &Migrations, at: &At<'_>) {
    let Some(stamp) = &migrations.stamp else {
        return;
    };
    let (place, stamp) = (at.key("stamp"), stamp.to_string());
    if stamp.is_empty() || stamp.len() > 20 || !stamp.bytes().all(|byte| byte.is_ascii_digit()) {
        check.error(
            &place,
            format!("a stamp is 1 to 20 digits, not {stamp:?}"),
            "seconds since 1970, for example: `date +%s`",
        );
    }
    if migrations.job_name != Some(JobName::Timestamp) && !check.is_spoiled(&at.key("jobName")) {
        check.warn(
            &place,
            "`stamp` does nothing without `jobName: timestamp`",
            "set it, or remove this",
        );
    }
}

fn network(check: &mut Check<'_, '_>, migrations: &Migrations, at: &At<'_>) {
    let Some(NetworkPolicy::Allowed(allowed)) = &migrations.network_policy else {
        return;
    };
    let at = at.key("networkPolicy");
    let at = at.key("ports");
    for (index, port) in allowed.ports.iter().flatten().enumerate() {
        if *port == 0 {
            check.error(
                &at.index(index),
                "port 0: ports are numbers from 1 to 65535",
                "",
            );
        }
    }
}
