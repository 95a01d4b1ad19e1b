//! Whose objects and fields are whose, what goes, and the preview.

use serde_json::{Value, json};

use super::*;

#[tokio::test(start_paused = true)]
async fn objects_of_others_are_refused_before_anything_is_changed() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    let mut service = object("v1", "Service", "shop", &json!({}));
    service["metadata"]["annotations"] =
        json!({"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"});
    api.with(|store| store.put("services", service));
    let failure = deploy(&api, &events).await.unwrap_err();
    let report = failure.report();
    assert_eq!(report.outcome, Outcome::Refused);
    assert_eq!(
        report.details,
        [(
            "object",
            "Service shop: Helm release shop in namespace shop".to_owned()
        )]
    );
    assert!(api.writes().is_empty());
}

fn owned(
    fields: &'static [(&'static str, &'static str)],
) -> impl FnMut(&str, &str) -> Option<(u16, Value)> + Send {
    move |method, path| {
        if method != "PATCH" || !path.contains("deployments/shop") {
            return None;
        }
        let causes: Vec<Value> = fields
            .iter()
            .map(|(field, owner)| json!({"reason": "FieldManagerConflict", "field": field, "message": format!("conflict with \"{owner}\" using apps/v1")}))
            .collect();
        let mut answer = status(409, "Conflict", "Apply failed with conflicts");
        answer["details"] = json!({"causes": causes});
        Some((409, answer))
    }
}

#[tokio::test(start_paused = true)]
async fn fields_of_others_are_named_before_the_migration_runs() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    api.intercepted_by(owned(&[
        (
            ".spec.template.spec.containers[name=\"main\"].image",
            "kubectl-set",
        ),
        (".spec.replicas", "hpa"),
    ]));
    let failure = deploy(&api, &events).await.unwrap_err();
    let report = failure.report();
    assert_eq!(report.outcome, Outcome::Refused);
    assert_eq!(
        report.details[0].1,
        ".spec.template.spec.containers[name=\"main\"].image is owned by kubectl-set"
    );
    assert!(report.advice[0].contains("--force-conflicts"));
    assert!(api.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn replicas_that_an_autoscaler_sets_are_left_alone() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    everything_works(&api);
    let mut conflict = owned(&[(".spec.replicas", "kube-controller-manager")]);
    // Without the replicas the second try of each apply is accepted.
    let mut tries = 0;
    api.intercepted_by(move |method, path| {
        let answer = conflict(method, path)?;
        tries += 1;
        (tries % 2 == 1).then_some(answer)
    });
    deploy(&api, &events).await.unwrap();
    assert_eq!(events.field("warning", "code"), ["replicas_left"]);
    let deployment = api
        .with(|store| store.get("deployments/shop").cloned())
        .unwrap();
    assert!(deployment["spec"]["replicas"].is_null());
}

#[tokio::test(start_paused = true)]
async fn what_left_the_values_goes_but_no_data_and_nothing_of_others() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    everything_works(&api);
    let left = |api_version: &str, kind: &str, name: &str, manager: &str| {
        let mut value = object(api_version, kind, name, &json!({}));
        value["metadata"]["labels"] = json!({"forerun.dev/release": "shop"});
        value["metadata"]["managedFields"] = json!([{"manager": manager}]);
        value
    };
    api.with(|store| {
        store.put("configmaps", left("v1", "ConfigMap", "old", "forerun"));
        store.put(
            "configmaps",
            left("v1", "ConfigMap", "copied-by-hand", "kubectl"),
        );
        store.put(
            "persistentvolumeclaims",
            left("v1", "PersistentVolumeClaim", "data", "forerun"),
        );
        let mut other = left("v1", "ConfigMap", "of-another-release", "forerun");
        other["metadata"]["labels"] = json!({"forerun.dev/release": "blog"});
        store.put("configmaps", other);
    });
    let done = deploy(&api, &events).await.unwrap();
    assert_eq!(done.pruned, 1);
    assert_eq!(events.field("object_pruned", "name"), ["old"]);
    assert_eq!(
        events.field("object_kept", "name"),
        ["copied-by-hand", "data"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_preview_changes_nothing_and_hides_secrets() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    api.with(|store| {
        let mut secret = object("v1", "Secret", "db", &json!({"data": {"p": "b2xk"}}));
        secret["metadata"]["labels"] =
            json!({"forerun.dev/release": "shop", "app.kubernetes.io/managed-by": "forerun"});
        store.put("secrets", secret);
    });
    let previews = crate::preview(&api.cluster(), release(), false, &events)
        .await
        .unwrap();
    assert!(api.writes().is_empty());
    let secret = previews
        .iter()
        .find(|preview| preview.name == "db")
        .unwrap();
    let fields: Vec<&str> = secret
        .fields
        .iter()
        .map(|field| field.field.as_str())
        .collect();
    assert_eq!(fields, ["data.p"]);
    let text = serde_json::to_string(&previews).unwrap();
    assert!(!text.contains("b2xk") && !text.contains("cHc="), "{text}");
}
