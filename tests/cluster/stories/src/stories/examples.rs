//! The examples, as they are in the repository: a Django project under the guard, and a chart of one's own.

use std::process::Command;

use serde_json::Value;

use crate::delivery::{Delivery, RELEASE, Values};
use crate::observe::{condition, exit_code, log_says, succeeded_at_once, text};
use crate::place::Place;
use crate::process::{Failure, Outcome, ensure, equal, until};
use crate::runner::Story;
use crate::stories::release::leaves_nothing;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("example-django-helm", |place| django(place, Delivery::Helm)),
        Story::new("example-django-deploy", |place| {
            django(place, Delivery::Deploy)
        }),
        Story::new("example-chart-helm", |place| {
            own_chart(place, Delivery::Helm)
        }),
        Story::new("example-chart-helm4", |place| {
            own_chart(place, Delivery::Helm4)
        }),
    ]
}

/// The Secrets that the examples expect, made with the commands of their READMEs.
fn secrets(place: &Place) -> Result<(), Failure> {
    for (name, entries) in [
        (
            "shop-database",
            &["username=app", "password=app-password"][..],
        ),
        ("django-shop", &["secret-key=only for this story"]),
    ] {
        let literals: Vec<String> = entries
            .iter()
            .map(|entry| format!("--from-literal={entry}"))
            .collect();
        let mut command = vec!["create", "secret", "generic", name];
        command.extend(literals.iter().map(String::as_str));
        place.ask(&command)?;
    }
    Ok(())
}

const DJANGO_JOB: &str = "django-shop-migrations";

/// `python manage.py migrate` under `forerun exec`, in the image of a project that knows nothing of forerun. Then a
/// version whose migration fails: one try, and the old version serves.
fn django(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    secrets(place)?;
    let before = place.everything()?;
    let values = Values::files(&[place.settings.checkout.join("examples/django/values.yaml")]);
    // The third variable of the example is DATABASE_NAME.
    let database = format!(
        "deployments.django-shop.containers.main.env[2].value={}",
        place.database
    );
    let values = values.set(&database);
    delivery.deliver(place, &values)?.exits(0)?;
    let job = succeeded_at_once(place, DJANGO_JOB)?;
    let main = &job["spec"]["template"]["spec"]["containers"][0];
    equal(
        "the command of the Job",
        &main["command"].to_string(),
        &r#"["/forerun-bin/forerun","exec","--","python","manage.py","migrate","--noinput"]"#
            .to_owned(),
    )?;
    log_says(
        place,
        DJANGO_JOB,
        &["Applying orders.0003_fill_email_key... OK"],
    )?;
    equal("Django's history", &applied(place)?, &"3".to_owned())?;
    let audited = place.sql("SELECT count(*) > 0 FROM forerun_audit")?;
    equal("the guard's audit", &audited, &"t".to_owned())?;
    page(place, r#""customers""#)?;

    let broken = values.set("deployments.django-shop.containers.main.imageTag=broken");
    delivery.deliver(place, &broken)?.fails()?;
    failed_at_once(place, DJANGO_JOB, 1)?;
    log_says(place, DJANGO_JOB, &["no_such_table"])?;
    equal("Django's history", &applied(place)?, &"3".to_owned())?;
    let deployment = place.object("deployment/django-shop")?;
    equal(
        "the image that is deployed",
        &text(&deployment, "spec.template.spec.containers.0.image"),
        &"django-shop:1.0.0",
    )?;
    page(place, r#""customers""#)?;

    leaves_nothing(place, delivery, &before)
}

fn applied(place: &Place) -> Result<String, Failure> {
    place.sql("SELECT count(*) FROM django_migrations WHERE app = 'orders'")
}

/// The page that reads the newest column.
fn page(place: &Place, part: &str) -> Result<(), Failure> {
    let path = format!(
        "/api/v1/namespaces/{}/services/django-shop:80/proxy/customers",
        place.namespace
    );
    until("an answer of the Django application", || {
        Ok(place
            .ask(&["get", "--raw", &path])?
            .contains(part)
            .then_some(()))
    })
}

/// A Job with one pod, and an exit code that is not worth another try.
fn failed_at_once(place: &Place, job: &str, code: i64) -> Result<(), Failure> {
    let found = place.object(&format!("job/{job}"))?;
    equal(
        "why the Job failed",
        &condition(&found, "Failed"),
        &Some("PodFailurePolicy"),
    )?;
    let codes: Vec<_> = place.pods_of(job)?.iter().map(exit_code).collect();
    equal("exit codes of its pods", &codes, &vec![Some(code)])
}

/// The chart of examples/helm-hook: installed, upgraded to a version whose migration fails, and to the corrected one.
fn own_chart(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    const JOB: &str = "my-app-migrate";
    secrets(place)?;
    upgrade(place, delivery, "v2")?.exits(0)?;
    succeeded_at_once(place, JOB)?;
    log_says(place, JOB, &["0004"])?;
    equal("history", &place.history()?.len(), &4)?;
    let pods = serving(place)?;

    upgrade(place, delivery, "v3-broken")?.fails()?;
    failed_at_once(place, JOB, 3)?;
    log_says(place, JOB, &["0005_orders.sql"])?;
    equal("history", &place.history()?.len(), &4)?;
    equal("pods of the old version", &serving(place)?, &pods)?;

    upgrade(place, delivery, "v3")?.exits(0)?;
    succeeded_at_once(place, JOB)?;
    equal("history", &place.history()?.len(), &6)?;
    let deployment = place.object("deployment/my-app")?;
    equal(
        "the image that is deployed",
        &text(&deployment, "spec.template.spec.containers.0.image"),
        &"my-app:v3",
    )
}

fn upgrade(place: &Place, delivery: Delivery, version: &str) -> Result<Outcome, Failure> {
    let mut helm: Command = delivery.helm(place);
    helm.args(["upgrade", "--install", RELEASE])
        .arg(place.settings.checkout.join("examples/helm-hook"))
        .args(["--wait", "--timeout", "150s"]);
    for value in [
        "image.repository=my-app".to_owned(),
        format!("image.tag={version}"),
        "migrations.image.repository=my-app-migrations".to_owned(),
        format!("migrations.image.tag={version}"),
        format!("database.name={}", place.database),
    ] {
        helm.args(["--set", &value]);
    }
    place.run(&mut helm, None)
}

/// The pods of the chart's application that are ready.
fn serving(place: &Place) -> Result<Vec<String>, Failure> {
    let pods = place.objects("pods", "app.kubernetes.io/name=shop")?;
    let ready = |pod: &&Value| {
        let conditions = pod["status"]["conditions"].as_array();
        conditions.into_iter().flatten().any(|condition| {
            condition["type"] == "Ready"
                && condition["status"] == "True"
                && pod["metadata"]["deletionTimestamp"].is_null()
        })
    };
    let names: Vec<String> = pods
        .iter()
        .filter(ready)
        .map(|pod| text(pod, "metadata.name").to_owned())
        .collect();
    ensure(names.len() == 2, || format!("two pods serve: {names:?}"))?;
    Ok(names)
}
