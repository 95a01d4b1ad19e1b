//! The objects of rendered manifests, and where in which file each stands.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::field::{Field, Path, Step};
use super::hook::{ArgoHook, HelmHook};
use super::schema::{self, Problem};
use crate::yaml::{self, Data, Span};

/// One text with manifests: a file, or standard input.
#[derive(Clone)]
pub struct Source {
    /// What positions call it.
    pub name: Arc<str>,
    /// YAML of one or more documents, or JSON.
    pub text: String,
}

/// The text may hold secrets: not shown.
impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Source({})", self.name)
    }
}

/// Why manifests cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not YAML and not JSON.
    #[error("{0}")]
    Syntax(yaml::Error),
    /// YAML that is no Kubernetes object.
    #[error("{span}: {message}")]
    NoObject {
        /// Where.
        span: Span,
        /// Why it is none.
        message: String,
    },
}

impl ReadError {
    /// Where reading stopped.
    pub fn span(&self) -> &Span {
        match self {
            Self::Syntax(error) => &error.span,
            Self::NoObject { span, .. } => span,
        }
    }

    /// What is wrong there, without the place.
    pub fn message(&self) -> &str {
        match self {
            Self::Syntax(error) => &error.message,
            Self::NoObject { message, .. } => message,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Syntax(error) => error.help.as_deref(),
            Self::NoObject { .. } => {
                Some("Give rendered manifests, for example the output of `helm template`.")
            }
        }
    }
}

/// A Kubernetes object.
pub struct Object {
    /// Its number in its release, from 0.
    pub index: usize,
    /// `batch/v1`.
    pub api_version: String,
    /// `Job`.
    pub kind: String,
    /// Its name; empty when it has none.
    pub name: String,
    /// Its namespace, where the manifest says so.
    pub namespace: Option<String>,
    /// The template that Helm made it from, as its `# Source:` line says.
    pub template: Option<String>,
    /// How Helm treats it.
    pub helm_hook: Option<HelmHook>,
    /// How Argo CD treats it.
    pub argo_hook: Option<ArgoHook>,
    value: Value,
    document: Arc<yaml::Node>,
    /// Where it stands in the document: not at the top when it is an item of a List.
    base: Path,
    problems: OnceLock<Vec<Problem>>,
}

/// As [`Source`]'s.
impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.title())
    }
}

impl Object {
    /// The whole object.
    pub fn root(&self) -> Field<'_> {
        Field::root(&self.value)
    }

    /// Its annotations.
    pub fn annotations(&self) -> Field<'_> {
        self.root().at("metadata.annotations")
    }

    /// Its labels.
    pub fn labels(&self) -> Field<'_> {
        self.root().at("metadata.labels")
    }

    /// The pod that a Job or a workload starts.
    pub fn pod_template(&self) -> Field<'_> {
        let template = match self.kind.as_str() {
            "CronJob" => "spec.jobTemplate.spec.template",
            "Pod" => return self.root(),
            _ => "spec.template",
        };
        self.root().at(template)
    }

    /// It is a hook of Helm or Argo CD.
    pub fn is_hook(&self) -> bool {
        self.helm_hook.is_some() || self.argo_hook.is_some()
    }

    /// Both can be the same namespace: the same, or one is not written down.
    pub fn may_share_namespace(&self, other: &Self) -> bool {
        match (&self.namespace, &other.namespace) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        }
    }

    /// `Job shop-migrations`.
    pub fn title(&self) -> String {
        if self.name.is_empty() {
            format!("{} without a name", self.kind)
        } else {
            format!("{} {}", self.kind, self.name)
        }
    }

    /// Where a field stands: a scalar's value, everything else's key; what is not there: where it would have to be.
    pub fn span(&self, path: &Path) -> &Span {
        self.find(path, false)
    }

    /// The same with the key of a scalar.
    pub fn key_span(&self, path: &Path) -> &Span {
        self.find(path, true)
    }

    fn find(&self, path: &Path, key: bool) -> &Span {
        let mut here = self.document.as_ref();
        let mut span = &here.span;
        let whole = self.base.join(path);
        let inside = self.base.steps().len();
        for (number, step) in whole.steps().iter().enumerate() {
            let (next, key_span) = match (step, &here.data) {
                (Step::Key(name), Data::Map(map)) => match map.get(name) {
                    Some(entry) => (&entry.value, Some(&entry.key_span)),
                    None => return span,
                },
                (Step::Index(index), Data::List(items)) => match items.get(*index) {
                    Some(item) => (item, None),
                    None => return span,
                },
                _ => return span,
            };
            let scalar = !matches!(next.data, Data::Map(_) | Data::List(_) | Data::Null);
            span = match key_span {
                Some(key_span) if key || !scalar => key_span,
                _ => &next.span,
            };
            // An item of a List begins where it begins, whatever the List's own keys are.
            if number + 1 == inside {
                span = &next.span;
            }
            here = next;
        }
        span
    }

    /// What its fields have against the types of Kubernetes.
    pub fn schema_problems(&self) -> &[Problem] {
        self.problems.get_or_init(|| schema::problems(self))
    }

    /// The tree it was read from.
    pub(super) fn tree(&self) -> Option<&yaml::Node> {
        self.base
            .steps()
            .iter()
            .try_fold(self.document.as_ref(), |node, step| match step {
                Step::Key(key) => node.get(key),
                Step::Index(index) => node.as_list()?.get(*index),
            })
    }
}

/// Reads the objects of a text; a `List` counts as its items.
///
/// # Errors
/// Text that is not YAML or JSON, and documents that are no Kubernetes objects.
pub fn read(source: &Source) -> Result<Vec<Object>, ReadError> {
    let documents = yaml::documents(&source.name, &source.text).map_err(ReadError::Syntax)?;
    let templates = template_lines(&source.text);
    let mut objects = Vec::new();
    for document in documents {
        let document = Arc::new(document);
        let template = template_of(&templates, document.span.start.line);
        add(&document, &document, &Path::root(), template, &mut objects)?;
    }
    Ok(objects)
}

fn add(
    document: &Arc<yaml::Node>,
    node: &yaml::Node,
    base: &Path,
    template: Option<&str>,
    objects: &mut Vec<Object>,
) -> Result<(), ReadError> {
    let no_object = |message: &str| ReadError::NoObject {
        span: node.span.clone(),
        message: message.to_owned(),
    };
    if node.as_map().is_none() {
        let what = format!("this is {} and not a Kubernetes object", node.kind());
        return Err(no_object(&what));
    }
    let text = |key: &str| node.get(key).and_then(yaml::Node::as_text);
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        return Err(no_object(
            "this is not a Kubernetes object: it has no apiVersion and kind",
        ));
    };
    let items = node.get("items").and_then(yaml::Node::as_list);
    if let Some(items) = items.filter(|_| kind.ends_with("List")) {
        for (index, item) in items.iter().enumerate() {
            let base = base.key("items").index(index);
            add(document, item, &base, template, objects)?;
        }
        return Ok(());
    }
    let value = node.to_json();
    let metadata = Field::root(&value).get("metadata");
    let own = |key: &str| metadata.get(key).text().map(str::to_owned);
    let annotations = metadata.get("annotations");
    objects.push(Object {
        index: objects.len(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: own("name")
            .or_else(|| own("generateName"))
            .unwrap_or_default(),
        namespace: own("namespace").filter(|namespace| !namespace.is_empty()),
        template: template.map(str::to_owned),
        helm_hook: HelmHook::of(&annotations),
        argo_hook: ArgoHook::of(&annotations),
        document: Arc::clone(document),
        base: base.clone(),
        problems: OnceLock::new(),
        value,
    });
    Ok(())
}

/// The lines that begin a document or say which template it comes from, in order.
fn template_lines(text: &str) -> Vec<(u32, Option<&str>)> {
    (1..)
        .zip(text.lines())
        .filter_map(|(number, line)| {
            if line.starts_with("---") {
                return Some((number, None));
            }
            let template = line.strip_prefix("# Source: ")?;
            Some((number, Some(template.trim())))
        })
        .collect()
}

/// The template of the document whose content starts in a line.
fn template_of<'a>(lines: &[(u32, Option<&'a str>)], start: u32) -> Option<&'a str> {
    let before = lines.partition_point(|(number, _)| *number <= start);
    lines.get(..before)?.last()?.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source {
            name: "all.yaml".into(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn documents_lists_and_json_are_read() {
        let yaml = "# Source: shop/templates/a.yaml\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n\n---\n\
                    apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: b\n";
        let objects = read(&source(yaml)).unwrap();
        let titles: Vec<String> = objects.iter().map(Object::title).collect();
        assert_eq!(titles, ["Secret a", "ConfigMap b"]);
        assert_eq!(
            objects[0].template.as_deref(),
            Some("shop/templates/a.yaml")
        );
        assert_eq!(objects[1].template, None);
        let place = |path: &str| objects[1].span(&Path::of(path)).to_string();
        assert_eq!(place("metadata.name"), "all.yaml:14:11");
        assert_eq!(place("metadata"), "all.yaml:13:3");
        assert_eq!(
            place("data"),
            "all.yaml:11:3",
            "the object, as there is no data"
        );
        let json = r#"{"apiVersion": "v1", "kind": "PodList", "items": [{"apiVersion": "v1", "kind": "Pod"}]}"#;
        assert_eq!(
            read(&source(json)).unwrap()[0].title(),
            "Pod without a name"
        );
    }

    #[test]
    fn what_is_no_object_is_said_with_its_place() {
        for (text, message) in [
            (
                "- a\n",
                "all.yaml:1:1: this is a list and not a Kubernetes object",
            ),
            (
                "a: 1\n---\nb: 2",
                "all.yaml:1:1: this is not a Kubernetes object: it has no apiVersion and kind",
            ),
        ] {
            assert_eq!(read(&source(text)).unwrap_err().to_string(), message);
        }
        assert!(matches!(read(&source("a: [\n")), Err(ReadError::Syntax(_))));
        assert_eq!(read(&source("# nothing\n---\n")).unwrap().len(), 0);
    }
}
