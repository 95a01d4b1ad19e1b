//! YAML is read as Helm reads it: a table, the same table through real Helm, and what is refused.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "test code: an assumption that fails should stop the test at that place"
)]

use std::{fs, process::Command};

use forerun_manifests::yaml::{self, documents};
use serde_json::{Value, json};

/// What is written behind `value: `, and what Helm makes of it as JSON.
const SCALARS: &[(&str, &str)] = &[
    // Nothing
    ("", "null"),
    ("~", "null"),
    ("null", "null"),
    ("Null", "null"),
    ("NULL", "null"),
    ("nULL", r#""nULL""#),
    ("\"\"", r#""""#),
    // Truth values of YAML 1.1
    ("true", "true"),
    ("True", "true"),
    ("TRUE", "true"),
    ("tRUE", r#""tRUE""#),
    ("yes", "true"),
    ("Yes", "true"),
    ("YES", "true"),
    ("on", "true"),
    ("On", "true"),
    ("ON", "true"),
    ("y", "true"),
    ("Y", "true"),
    ("false", "false"),
    ("no", "false"),
    ("NO", "false"),
    ("off", "false"),
    ("Off", "false"),
    ("n", "false"),
    ("N", "false"),
    ("'yes'", r#""yes""#),
    ("\"no\"", r#""no""#),
    ("oN", r#""oN""#),
    ("yes please", r#""yes please""#),
    // Whole numbers
    ("0", "0"),
    ("-0", "0"),
    ("+5", "5"),
    ("-5", "-5"),
    ("5432", "5432"),
    ("0755", "493"),
    ("0644", "420"),
    ("010", "8"),
    ("08", "8"),
    ("09", "9"),
    ("0o17", "15"),
    ("0O17", "15"),
    ("0b101", "5"),
    ("-0b11", "-3"),
    ("0x1F", "31"),
    ("0X1f", "31"),
    ("-0x10", "-16"),
    ("0x", r#""0x""#),
    ("0b2", r#""0b2""#),
    ("0o8", r#""0o8""#),
    ("1_000", "1000"),
    ("1__0", "10"),
    ("_1", r#""_1""#),
    ("1_", "1"),
    ("9007199254740992", "9007199254740992"),
    ("-", "refused"),
    ("--5", r#""--5""#),
    ("+-5", r#""+-5""#),
    ("5-", r#""5-""#),
    ("1.2.3", r#""1.2.3""#),
    ("1,000", r#""1,000""#),
    ("10:30", r#""10:30""#),
    ("190:20:30", r#""190:20:30""#),
    ("12e", r#""12e""#),
    // Numbers with fractions and exponents
    ("1.10", "1.1"),
    ("1.0", "1"),
    ("1.", "1"),
    (".5", "0.5"),
    ("-.5", "-0.5"),
    ("+.5", "0.5"),
    (".5_0", "0.5"),
    (".5__0", r#"".5__0""#),
    ("1_0.5", "10.5"),
    ("1e3", "1000"),
    ("1E3", "1000"),
    ("1e+3", "1000"),
    ("1e-3", "0.001"),
    ("1.e2", "100"),
    ("1e400", r#""1e400""#),
    ("1e-400", "0"),
    ("12345678901234567890123", "1.2345678901234568e+22"),
    (".", r#"".""#),
    ("..", r#""..""#),
    ("...5", r#""...5""#),
    ("1e", r#""1e""#),
    ("e5", r#""e5""#),
    ("0x1.8p1", r#""0x1.8p1""#),
    ("infinity", r#""infinity""#),
    ("nan", r#""nan""#),
    ("inf", r#""inf""#),
    // Dates stay text
    ("2024-01-01", r#""2024-01-01""#),
    ("2024-1-1", r#""2024-1-1""#),
    ("2024-01-01T10:00:00Z", r#""2024-01-01T10:00:00Z""#),
    ("2024-01-01 10:00:00", r#""2024-01-01 10:00:00""#),
    // Text
    ("v1.0.0", r#""v1.0.0""#),
    ("128Mi", r#""128Mi""#),
    ("5m", r#""5m""#),
    ("a: b", "refused"),
    ("'it''s'", r#""it's""#),
    ("\"a\\tb\\u00e4\\x41\"", r#""a\tbäA""#),
    ("a # comment", r#""a""#),
    ("a#b", r#""a#b""#),
    ("http://x:80/y?z=1&a=*b", r#""http://x:80/y?z=1&a=*b""#),
    ("{{ .Values.x }}", "refused"),
    ("@x", "refused"),
    ("`x`", "refused"),
    // Tags
    ("!!str 5", r#""5""#),
    ("!!str yes", r#""yes""#),
    ("!!int \"5\"", "5"),
    ("!!float 5", "5"),
    ("!!bool \"yes\"", "true"),
    ("! 5", r#""5""#),
    (".inf", "refused"),
    ("-.INF", "refused"),
    (".nan", "refused"),
    // Collections in one line
    ("[a, 1, yes, 0755, ~]", r#"["a", 1, true, 493, null]"#),
    ("{a: 1, \"b\": no, c}", r#"{"a": 1, "b": false, "c": null}"#),
    ("[]", "[]"),
    ("{}", "{}"),
    ("[[a], {b: [c]}]", r#"[["a"], {"b": ["c"]}]"#),
    ("[http://x:80, a:b]", r#"["http://x:80", "a:b"]"#),
];

/// Whole texts, and what Helm makes of them as JSON.
const TEXTS: &[(&str, &str)] = &[
    ("a: |\n  one\n  two\n", r#"{"a": "one\ntwo\n"}"#),
    ("a: |-\n  one\n\n", r#"{"a": "one"}"#),
    ("a: |+\n  one\n\nb: 1\n", r#"{"a": "one\n\n", "b": 1}"#),
    (
        "a: >\n  one\n  two\n\n  three\n",
        r#"{"a": "one two\nthree\n"}"#,
    ),
    ("a: one\n  two\n", r#"{"a": "one two"}"#),
    (
        "a:\n- b\n- c: 1\n  d: 2\n",
        r#"{"a": ["b", {"c": 1, "d": 2}]}"#,
    ),
    ("a:\n  - - x\n    - z\n", r#"{"a": [["x", "z"]]}"#),
    ("8080: x\n", r#"{"8080": "x"}"#),
    ("true: x\n", r#"{"true": "x"}"#),
    ("\"yes\": x\n", r#"{"yes": "x"}"#),
    ("? a\n: b\n", r#"{"a": "b"}"#),
    ("a: &x {b: 1}\nc: *x\n", r#"{"a": {"b": 1}, "c": {"b": 1}}"#),
    (
        "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n",
        r#"{"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}"#,
    ),
    (
        "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne:\n  <<: [*x, *y]\n",
        r#"{"a": {"b": 1}, "c": {"b": 2, "d": 3}, "e": {"b": 1, "d": 3}}"#,
    ),
    ("a:\n  <<: {b: 1}\n", r#"{"a": {"b": 1}}"#),
    ("a: {\"<<\": 1}\n", r#"{"a": {"<<": 1}}"#),
    ("# only a comment\n", "{}"),
    ("\u{feff}a: 1\n", r#"{"a": 1}"#),
    ("a: 1\r\nb: 2\r\n", r#"{"a": 1, "b": 2}"#),
    ("---\na: 1\n...\n", r#"{"a": 1}"#),
    ("{a: 1}", r#"{"a": 1}"#),
    ("{\"a\": [1, {\"b\": null}]}", r#"{"a": [1, {"b": null}]}"#),
    ("a:\tb\n", r#"{"a": "b"}"#),
    ("a: 'one\n\n  two'\n", r#"{"a": "one\ntwo"}"#),
];

/// Every row as a whole text.
fn rows() -> Vec<(String, Option<Value>)> {
    let scalars = SCALARS.iter().map(|(written, json)| {
        let expected = (*json != "refused")
            .then(|| json!({"value": serde_json::from_str::<Value>(json).unwrap()}));
        (format!("value: {written}\n"), expected)
    });
    let texts = TEXTS.iter().map(|(text, json)| {
        (
            (*text).to_owned(),
            Some(serde_json::from_str(json).unwrap()),
        )
    });
    scalars.chain(texts).collect()
}

/// Helm reads numbers as floats; ours are exact.
fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(as_floats).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), as_floats(value)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn scalars_mean_what_the_table_says() {
    for (text, expected) in rows() {
        let read = documents("values.yaml", &text);
        let read = match (&read, &expected) {
            (Ok(documents), Some(_)) => documents
                .first()
                .map_or_else(|| json!({}), yaml::Node::to_json),
            (Err(_), None) => continue,
            (read, expected) => panic!("{text:?}: {read:?}, expected {expected:?}"),
        };
        assert_eq!(as_floats(&read), as_floats(&expected.unwrap()), "{text:?}");
    }
}

#[test]
fn scalars_mean_the_same_to_helm() {
    let Some(helm) = forerun_test_support::helm_programs().into_iter().next() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let chart = directory.path().join("chart");
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: values\nversion: 0.1.0\n",
    )
    .unwrap();
    fs::write(
        chart.join("templates/values.yaml"),
        "read: {{ toJson .Values }}\n",
    )
    .unwrap();
    let template = |values: &[&str]| -> Result<Value, String> {
        let mut command = Command::new(&helm);
        command.arg("template").arg("x").arg(&chart);
        for (variable, name) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
        ] {
            command.env(variable, directory.path().join(name));
        }
        for (number, text) in values.iter().enumerate() {
            let file = directory.path().join(format!("values-{number}.yaml"));
            fs::write(&file, text).unwrap();
            command.arg("--values").arg(&file);
        }
        let output = command.output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let json = text
            .lines()
            .find_map(|line| line.strip_prefix("read: "))
            .unwrap();
        Ok(serde_json::from_str(json).unwrap())
    };
    // One process for all rows that are read: each under a key of its own, in a list that later files do not merge.
    let (good, bad): (Vec<_>, Vec<_>) = rows()
        .into_iter()
        .partition(|(_, expected)| expected.is_some());
    let scalars: Vec<_> = good
        .iter()
        .filter(|(text, _)| text.starts_with("value: "))
        .collect();
    let together: String = scalars
        .iter()
        .enumerate()
        .map(|(number, (text, _))| text.replacen("value", &format!("row{number}"), 1))
        .collect();
    let read = template(&[&together]).unwrap();
    for (number, (text, expected)) in scalars.iter().enumerate() {
        let expected = &expected.as_ref().unwrap()["value"];
        assert_eq!(
            as_floats(&read[format!("row{number}")]),
            as_floats(expected),
            "{text:?}"
        );
    }
    for (text, expected) in good.iter().filter(|(text, _)| !text.starts_with("value: ")) {
        assert_eq!(
            as_floats(&template(&[text]).unwrap()),
            as_floats(expected.as_ref().unwrap()),
            "{text:?}"
        );
    }
    for (text, _) in &bad {
        // Helm takes `{{ … }}` for a map without text as its key and fails later; it fails in any case.
        assert!(template(&[text]).is_err(), "Helm reads {text:?}");
    }
}

#[test]
fn each_part_knows_where_it_stands() {
    let text = "# comment\ndeployments:\n  web:\n    args: [migrate, \"up\"]\n    note: |\n      two\n      lines\n";
    let documents = documents("values.yaml", text).unwrap();
    let tree = &documents[0];
    let web = tree.get("deployments").unwrap().entry("web").unwrap();
    assert_eq!(web.key_span.to_string(), "values.yaml:3:3");
    let args = web.value.get("args").unwrap();
    assert_eq!(args.span.to_string(), "values.yaml:4:11");
    let up = &args.as_list().unwrap()[1];
    assert_eq!((up.span.start.column, up.span.end.column), (21, 25));
    let note = web.value.get("note").unwrap();
    assert_eq!((note.span.start.line, note.span.end.line), (6, 8));
}

#[test]
fn several_documents_are_read_and_empty_ones_left_out() {
    let text = "---\n# nothing\n---\nkind: A\n---\n---\nkind: B\n...\n";
    let kinds: Vec<_> = documents("all.yaml", text)
        .unwrap()
        .iter()
        .map(|document| {
            document
                .get("kind")
                .and_then(yaml::Node::as_text)
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(kinds, ["A", "B"]);
    assert!(documents("all.yaml", "").unwrap().is_empty());
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (text, expected) in [
        ("a:\n\tb: 1\n", "x:2:2: a tab stands where only spaces may"),
        ("a: \"b\n", "x:1:4: a quote is not closed"),
        ("a: [b\n", "x:1:4: a [ is not closed"),
        ("a: {b: 1\n", "x:1:4: a { is not closed"),
        (
            "a: *b\n",
            "x:1:4: the alias names an anchor that was not set before",
        ),
        (
            "a: &x [*x]\n",
            "x:1:8: an alias stands inside of what it names",
        ),
        (
            "a: 1\na: 2\n",
            "x:2:1: the key \"a\" occurs twice in this map",
        ),
        (
            "a: b: c\n",
            "x:1:5: a second \": \" stands in one line, or the line is indented too far",
        ),
        (
            "a: !secret b\n",
            "x:1:12: a tag stands here that has no meaning in values and manifests",
        ),
        (
            "a: \u{7}\n",
            "x:1:4: the character U+0007 must not stand in YAML",
        ),
        ("? [a]\n: b\n", "x:1:3: a key must be text"),
        (
            "a: {{ .Values.x }}\n",
            "x:1:5: a template expression stands here, but values are not templates",
        ),
        (
            "a: @b\n",
            "x:1:4: text without quotes must not begin with '@'",
        ),
    ] {
        assert_eq!(
            documents("x", text).unwrap_err().to_string(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn aliases_and_nesting_have_limits() {
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..20 {
        let before = format!("*a{}", level - 1);
        laughs += &format!(
            "a{level}: &a{level} [{}]\n",
            [before.as_str(); 9].join(", ")
        );
    }
    let error = documents("x", &laughs).unwrap_err();
    assert!(error.message.contains("16 MiB"), "{error}");

    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!("a: {}1{}", open.repeat(5_000), close.repeat(5_000));
        assert!(
            documents("x", &text)
                .unwrap_err()
                .message
                .contains("nested too deeply")
        );
    }
    let blocks: String = (0..5_000).map(|level| " ".repeat(level) + "a:\n").collect();
    assert!(
        documents("x", &blocks)
            .unwrap_err()
            .message
            .contains("nested too deeply")
    );

    // Deep by aliases of aliases, each of which is shallow.
    let mut deep = String::from("a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n");
    for level in 1..20 {
        deep += &format!("a{level}: &a{level} [[[[[[[[[[*a{}]]]]]]]]]]\n", level - 1);
    }
    assert!(
        documents("x", &deep)
            .unwrap_err()
            .message
            .contains("nested too deeply")
    );
}
