//! Values files that are wrong, and what their writers are told; and values files that are right.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "test code: an assumption that fails should stop the test at that place"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use forerun_manifests::values::{
    Loaded, Override, Problems, Severity, Source, read, reference, schema,
};

fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn read_one(text: &str) -> Result<Loaded, Problems> {
    read(&[source("values.yaml", text)], &[])
}

/// What is said about values that are wrong.
fn refused(text: &str) -> String {
    read_one(text)
        .expect_err("these values are wrong")
        .to_string()
}

fn files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(directory);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .expect("the directory can be read")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    files
}

/// The first lines may be options: `# --set a=b`.
fn options(text: &str) -> Vec<Override> {
    text.lines()
        .map_while(|line| line.strip_prefix("# --set"))
        .map(|option| match option.strip_prefix("-string ") {
            Some(option) => Override::SetString(option.to_owned()),
            None => Override::Set(option.trim_start().to_owned()),
        })
        .collect()
}

/// Each `broken_values/*.yaml` is refused with the message beside it. The password in them is `hunter2`, and no
/// message shows it.
#[test]
fn broken_values_are_explained() {
    let files = files("broken_values");
    assert!(files.len() >= 60, "{}", files.len());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let problems = match read(&[source("values.yaml", &text)], &options(&text)) {
            Ok(_) => panic!("{name} is accepted"),
            Err(problems) => problems,
        };
        assert!(
            problems
                .0
                .iter()
                .any(|problem| problem.severity == Severity::Error),
            "{name}"
        );
        let said = problems.to_string();
        assert!(!said.contains("hunter"), "{name} shows a secret:\n{said}");
        assert!(
            !format!("{problems:?}").contains("hunter"),
            "{name} shows a secret in Debug"
        );
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("broken_values");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, said));
    }
}

/// The shapes of the guide that users bring: each must be read as it is. Fragments stand under `my-app`.
#[test]
fn values_in_the_shapes_of_the_guide_are_read() {
    let main = "    containers:\n      main: {image: shop, imageTag: v2.3.0}\n";
    let under_deployment = |migrations: &str| {
        let indented: String = migrations
            .lines()
            .map(|line| format!("    {line}\n"))
            .collect();
        format!("deployments:\n  my-app:\n{main}{indented}")
    };
    let nc = "
  initContainers:
    - name: wait
      image: alpine
      command:
        - sh
        - -c
        - |
          until nc -z db 5432; do
            sleep 1
          done
";
    let blocks = [
        "
deployments:
  my-app:
    migrations:
      enabled: true
      args:
        - \"migrate\"
        - \"up\"
      backoffLimit: 3    # tries
    containers:
      main:
        image: shop
        imageTag: v2.3.0
        env:
          - name: DB_HOST
            value: db
          - name: DB_USER
            valueFrom:
              secretKeyRef:
                name: shop-database
                key: DB_USER
"
        .to_owned(),
        "
configs:
  shop-database:
    type: secret
    data:
      DB_PASSWORD: not-so-secret
      DB_USER: shop
deployments:
  my-app:
    migrations:
      enabled: true
      args: [\"migrate\", \"up\"]
      backoffLimit: 3
    containers:
      main:
        image: shop
        imageTag: v2.3.0
        env:
          - name: DB_HOST
            value: db
        envFrom:
          - type: secret
            configName: shop-database
        command:
          - \"/app/shop\"
"
        .to_owned(),
        // Without containers: the image has the name of the deployment.
        "
deployments:
  my-app:
    migrations:
      enabled: true
      steps:
        - name: schema
          args: [\"migrate\", \"schema\"]
          backoffLimit: 2
        - name: data
          args: [\"migrate\", \"data\"]
          backoffLimit: 3
"
        .to_owned(),
        "
deployments:
  my-app:
    migrations:
      enabled: true
      args: [\"migrate\", \"up\"]
      env:
        - name: MIGRATION_TIMEOUT
          value: \"300\"
        - name: MIGRATION_LOCK_TIMEOUT
          value: \"60\"
"
        .to_owned(),
        under_deployment(&format!(
            "migrations:\n  enabled: true\n  args: [\"migrate\", \"up\"]{nc}"
        )),
        under_deployment(
            "migrations:\n  enabled: true\n  args: [\"migrate\", \"up\"]\n  backoffLimit: 3\n",
        ),
        under_deployment(
            "migrations:
  enabled: true
  args: [\"migrate\", \"up\"]
  backoffLimit: 3
  env:
    - name: MIGRATION_TIMEOUT
      value: \"300\"
  resources:
    requests:
      cpu: 100m
      memory: 256Mi
    limits:
      cpu: 500m
      memory: 512Mi
",
        ),
    ];
    for block in blocks {
        let loaded = read_one(&block).unwrap_or_else(|problems| panic!("{block}\n{problems}"));
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        assert!(
            loaded.values.deployments["my-app"]
                .migrations
                .as_ref()
                .unwrap()
                .enabled
        );
    }
}

#[test]
fn later_files_and_options_win_as_in_helm() {
    let base = "
configs:
  settings: {data: {LOG: info, COLOR: \"yes\", OLD: x}}
  gone: {data: {A: b}}
deployments:
  web:
    replicas: 2
    containers:
      main: {image: web, args: [serve, --port, 8080]}
";
    let over = "
configs:
  settings: {data: {LOG: debug, OLD: null}}
  gone: null
deployments:
  web:
    containers: {main: {imageTag: v2, args: [serve]}}
";
    let options = [
        Override::Set("deployments.web.replicas=5,configs.settings.data.PORT=8080".to_owned()),
        Override::Set("deployments.web.containers.main.args={serve,--verbose}".to_owned()),
        Override::Set("deployments.web.containers.main.args[2]=a\\,b=c".to_owned()),
        Override::Set("deployments.web.labels.example\\.com/team=shop".to_owned()),
        Override::SetString("deployments.web.containers.main.imageTag=007".to_owned()),
    ];
    let sources = [source("base.yaml", base), source("over.yaml", over)];
    let values = read(&sources, &options)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .values;
    let settings = &values.configs["settings"].data;
    let text = |key: &str| settings[key].to_string();
    assert_eq!(
        (text("LOG"), text("COLOR"), text("PORT")),
        ("debug".into(), "yes".into(), "8080".into())
    );
    assert_eq!(settings.len(), 3);
    assert!(!values.configs.contains_key("gone"));
    let web = &values.deployments["web"];
    let main = &web.containers["main"];
    let args: Vec<String> = main
        .args
        .iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    assert_eq!(args, ["serve", "--verbose", "a,b=c"]);
    assert_eq!(main.image_tag.as_ref().unwrap().to_string(), "007");
    assert_eq!(
        (web.replicas, web.labels["example.com/team"].as_str()),
        (Some(5), "shop")
    );
}

/// The place is that of the file or option whose value won.
#[test]
fn problems_point_into_the_source_that_won() {
    let base = source(
        "base.yaml",
        "deployments:\n  web:\n    replicas: 1\n    containers: {main: {image: a}}\n",
    );
    let over = source("over.yaml", "deployments:\n  web: {replicas: many}\n");
    let problems = read(&[base.clone(), over.clone()], &[]).unwrap_err();
    assert!(
        problems.to_string().starts_with("over.yaml:2:19: error"),
        "{problems}"
    );
    let option = Override::Set("deployments.web.replicas=few".to_owned());
    let problems = read(&[base, over], &[option]).unwrap_err();
    assert_eq!(problems.0.len(), 1);
    assert!(
        problems
            .to_string()
            .starts_with("--set deployments.web.replicas: error"),
        "{problems}"
    );
}

#[test]
fn several_unreadable_sources_are_all_reported() {
    let sources = [source("a.yaml", "a: [\n"), source("b.yaml", "b: \"\n")];
    let said = read(&sources, &[Override::Set("c".to_owned())])
        .unwrap_err()
        .to_string();
    for start in ["a.yaml:", "b.yaml:", "--set: "] {
        assert!(
            said.lines().any(|line| line.starts_with(start)),
            "{start} in {said}"
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let error = Source::from_bytes("values.yaml", b"a: b\nc: \xff\n".to_vec()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("values.yaml:2:4: error: this byte is not UTF-8"),
        "{error}"
    );
}

#[test]
fn what_is_hardly_meant_is_a_warning() {
    let loaded = read_one(
        "
configs:
  settings:
    data:
      MODE: 0755
      DEBUG: yes
      DATE: 2024-01-01
      PORT: 8080
      EMPTY:
  templates:
    data:
      greeting: Hello {{ name }}
      wrong: \"{{ .Values.name }}\"
deployments:
  web:
    containers:
      main:
        image: web
        args: [serve, 010]
        env:
          - {name: UMASK, value: 022}
          - {name: FORGOTTEN}
        resources: {limits: {memory: 128m}}
    migrations:
      steps: [{name: schema}]
",
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let said: Vec<String> = loaded
        .warnings
        .iter()
        .map(|warning| format!("{}: {}", warning.path, warning.message))
        .collect();
    let changed = "without quotes this is not text in YAML, and the text it becomes differs from what is written";
    assert_eq!(
        said,
        [
            &format!("configs.settings.data.MODE: {changed}"),
            &format!("configs.settings.data.DEBUG: {changed}"),
            "configs.settings.data.EMPTY: this has no value, and is left out",
            "configs.templates.data.wrong: a template expression stands here, but values are not templates: the text \
             stays as it is",
            "deployments.web.containers.main.args[1]: `010` without quotes is 8 in YAML, and the text becomes \"8\"",
            &format!("deployments.web.containers.main.env[0].value: {changed}"),
            "deployments.web.containers.main.env[1].name: the variable FORGOTTEN has neither `value` nor `valueFrom`",
            "deployments.web.containers.main.resources.limits.memory: `m` means thousandths: this is 0.128 bytes",
            "deployments.web.migrations: there is no migration Job without `enabled: true`",
        ]
    );
}

/// Secrets in every place, right or wrong: no message, no excerpt, no Debug output shows them.
#[test]
fn secrets_are_never_shown() {
    const SECRET: &str = "hunter2";
    let texts = [
        "configs: {db: {type: secret, data: {P: hunter2, Q: [hunter2]}, P: hunter2, binaryData: {x: hunter2}}}",
        "secrets:\n  db: {P: hunter2}\n",
        "configs:\n  db: hunter2\n",
        "configs: hunter2\n",
        "configs:\n  db:\n    data: |\n      hunter2\n      hunter2\n",
        "configs:\n  db:\n    data:\n      P: 'hunter2\n      Q: x\n",
        "configs:\n  db:\n    data:\n      P: \"a\\hunter2\"\n",
        "configs:\n  db:\n    data:\n      P: hunter2: x\n",
        "configs:\n  db:\n    data:\n      P: @hunter2\n",
        "configs:\n  db:\n    data:\n      P: !hunter2 x\n",
        "configs:\n  db:\n    data:\n      P: *hunter2\n",
        "configs:\n  db:\n    data:\n     hunter2\n      hunter2\n",
        "deployments: {web: {containers: {main: {image: [], env: [{name: P, value: [hunter2]}]}}}}",
        "deployments: {web: {containers: {main: {image: [], env: {P: hunter2}}}}}",
        "deployments: {web: {env: {P: hunter2}, environment: {P: hunter2}}}",
        "deployments: {web: {containers: {main: {image: 1, args: [-u, 'mysql://u:hunter2@h/d']}}}}",
        "deployments: {web: {containers: {main: {image: 1, command: 'psql postgres://u:hunter2@h/d'}}}}",
        "deployments: {web: {containers: {main: {image: 'postgres://u:hunter2@h/d:'}}}}",
        "deployments: {web: {containers: {main: {image: a, passwordd: hunter2}}}}",
        "deployments: {web: {migrations: {env: [{name: P, value: hunter2, value: hunter2}]}}}",
        "deployments: {web: {migrations: {env: [{name: P, valeu: hunter2}, {name: P, value: hunter2}]}}}",
    ];
    for text in texts {
        let problems = read_one(text).map(|_| ()).expect_err(text);
        let said = format!("{problems}\n{problems:?}");
        assert!(!said.contains(SECRET), "{text}\n{said}");
    }
    for option in [
        "configs.db.data.P={hunter2,hunter2}",
        "configs.db.data.P=a,hunter2",
        "configs.db.data.P.x.y=hunter2",
        "configs.db=hunter2",
        "deployments.web.containers.main.env[0].valu=hunter2",
        "deployments.web.containers.main.args=postgres://u:hunter2@h/d",
    ] {
        for option in [
            Override::Set(option.to_owned()),
            Override::SetString(option.to_owned()),
        ] {
            let problems = read(&[], std::slice::from_ref(&option))
                .map(|_| ())
                .expect_err("wrong");
            let said = format!("{problems}\n{problems:?}\n{option:?}");
            assert!(!said.contains(SECRET), "{said}");
        }
    }
}

/// YAML ends a line at a carriage return, too; the line that is shown is the one that is meant.
#[test]
fn lines_are_counted_as_yaml_counts_them() {
    for end in ["\n", "\r\n", "\r"] {
        let said = refused(&format!("# one{end}nameOverride: [shop]{end}"));
        let expected = "values.yaml:2:15: error: expected text, found a list\n  at nameOverride\n  2 | nameOverride: [shop]";
        assert!(said.starts_with(expected), "{end:?}: {said}");
    }
}

#[test]
fn nothing_at_all_is_no_values_and_no_error() {
    assert!(read(&[], &[]).is_ok());
    assert!(read_one("").is_ok());
    assert!(read_one("# nothing\n").is_ok());
    assert!(refused("[]").contains("values are a map"));
}

#[test]
fn the_reference_page_is_what_the_types_say() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/values.md");
    let present = fs::read_to_string(&page).unwrap();
    assert!(
        present == reference(),
        "{} is not current: `forerun docs` writes it",
        page.display()
    );
}

/// What Helm stores with each release, and editors load: no larger than needed, and strict everywhere.
#[test]
fn the_schema_is_strict_and_small() {
    fn check(value: &serde_json::Value, path: &str) {
        match value {
            serde_json::Value::Object(object) => {
                let is_schema = object.get("type").is_some_and(|kind| !kind.is_object());
                if is_schema && object.contains_key("properties") {
                    assert_eq!(
                        object.get("additionalProperties"),
                        Some(&false.into()),
                        "{path} takes any key"
                    );
                }
                assert!(
                    !object.keys().any(|key| key.starts_with("x-kubernetes-")),
                    "{path}"
                );
                object
                    .iter()
                    .for_each(|(key, value)| check(value, &format!("{path}.{key}")));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|value| check(value, path)),
            _ => {}
        }
    }
    let schema = schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    check(&schema, "");
    let size = schema.to_string().len();
    assert!(size < 150_000, "{size}");
}
