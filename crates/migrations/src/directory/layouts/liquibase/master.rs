//! Master changelogs: what they include, and the properties that they set.

use super::super::super::error::DirectoryError;
use super::super::super::folder::FileText;
use super::changes::Failure;
use super::documents::Node;
use super::paths::Place;
use super::reader::{Filters, Inherited, Reader, recorded_path};

impl Reader<'_> {
    /// Reads a master.
    pub fn master(
        &mut self,
        file: &FileText,
        place: &Place,
        root: &Node,
        inherited: &Inherited,
    ) -> Result<(), DirectoryError> {
        let mut inherited = inherited.clone();
        if let Some(path) = root.value("logicalFilePath") {
            inherited.logical_path = Some(path);
        }
        inherited.contexts.extend(context(root));
        let path = recorded_path(place, inherited.logical_path.as_deref());
        for node in &root.children {
            match node.name.as_str() {
                "changeSet" => self.note(file, node.at, |reader| {
                    reader.changeset_node(file, place, &path, node, &inherited)
                }),
                "include" => self.include(file, place, &path, node, &inherited)?,
                "includeAll" => self.include_all(file, place, &path, node, &inherited)?,
                "property" => self.note(file, node.at, |reader| {
                    reader.property_node(place, &path, node)
                }),
                // Attributes of the root itself.
                _ if node.children.is_empty() && node.name != "preConditions" => {}
                name => {
                    let message = format!(
                        "`{name}` cannot be carried over. Remove it, or write what it does into the changesets"
                    );
                    self.problem(file, node.at, message);
                }
            }
        }
        Ok(())
    }

    fn include(
        &mut self,
        file: &FileText,
        place: &Place,
        path: &str,
        node: &Node,
        inherited: &Inherited,
    ) -> Result<(), DirectoryError> {
        let Some(target) = self.expanded(file, node, "file", path) else {
            return Ok(());
        };
        let relative = node.is("relativeToChangelogFile", false).then_some(place);
        match self.files.find(&target, relative) {
            Some(found) => {
                if !is_changelog(&found.name) {
                    let message = format!(
                        "`{target}` is no changelog that forerun reads. Liquibase reads .sql, .xml, .yaml, .yml and \
                         .json"
                    );
                    self.problem(file, node.at, message);
                    return Ok(());
                }
                self.changelog(&found, &handed_on(node, inherited))?;
            }
            None if !node.is("errorIfMissing", true) => {}
            None => {
                let message = format!(
                    "there is no `{target}` in the directory. Add it, remove the include, or give the directory that \
                     all changelogs are in with --dir"
                );
                self.problem(file, node.at, message);
            }
        }
        Ok(())
    }

    fn include_all(
        &mut self,
        file: &FileText,
        place: &Place,
        path: &str,
        node: &Node,
        inherited: &Inherited,
    ) -> Result<(), DirectoryError> {
        for name in ["filter", "resourceFilter", "resourceComparator"] {
            if let Some(class) = node.value(name) {
                let message = format!(
                    "{name} names the Java class {class}, which forerun cannot run. Remove it, and include the files \
                     one by one"
                );
                self.problem(file, node.at, message);
                return Ok(());
            }
        }
        let Some(target) = self.expanded(file, node, "path", path) else {
            return Ok(());
        };
        let relative = node.is("relativeToChangelogFile", false).then_some(place);
        let number = |name: &str, default| {
            node.value(name)
                .map_or(Ok(default), |text| text.parse::<usize>())
        };
        let (Ok(minimum), Ok(maximum)) = (number("minDepth", 0), number("maxDepth", usize::MAX))
        else {
            self.problem(file, node.at, "minDepth and maxDepth are numbers");
            return Ok(());
        };
        let ending = node
            .value("endsWithFilter")
            .unwrap_or_default()
            .to_lowercase();
        let mut found = self.files.below(&target, relative);
        found.retain(|(place, depth)| {
            (minimum..=maximum).contains(depth)
                && is_changelog(&place.name)
                && place.name.to_lowercase().ends_with(&ending)
        });
        if found.is_empty() && node.is("errorIfMissingOrEmpty", true) {
            let message = format!(
                "there are no changelogs in `{target}`. Add some, remove the includeAll, or give the directory that \
                 all changelogs are in with --dir"
            );
            self.problem(file, node.at, message);
        }
        let inherited = handed_on(node, inherited);
        for (found, _) in found {
            self.changelog(&found, &inherited)?;
        }
        Ok(())
    }

    /// An attribute that has to be there, with the values of its placeholders.
    pub fn expanded(
        &mut self,
        file: &FileText,
        node: &Node,
        name: &str,
        path: &str,
    ) -> Option<String> {
        let Some(text) = node.value(name) else {
            let message = format!("`{}` needs `{name}`", node.name);
            self.problem(file, node.at, message);
            return None;
        };
        match self.properties.expand(&text, path) {
            Ok(text) => Some(text),
            Err(message) => {
                self.problem(file, node.at, message);
                None
            }
        }
    }

    fn property_node(&mut self, place: &Place, path: &str, node: &Node) -> Result<(), Failure> {
        let expand = |name: &str| {
            let text = node.value(name);
            text.map(|text| self.properties.expand(&text, path))
                .transpose()
        };
        let context = expand("contextFilter")?.or(expand("context")?);
        let (labels, dbms) = (expand("labels")?, expand("dbms")?);
        let filters = Filters {
            context: context.as_deref(),
            labels: labels.as_deref(),
            dbms: dbms.as_deref(),
        };
        let global = node.is("global", true);
        let scope = (!global).then_some(path);
        let fits = self.fits(&filters, &Inherited::default()).unwrap_or(true);
        if let Some(target) = expand("file")? {
            let relative = node.is("relativeToChangelogFile", false).then_some(place);
            let Some(found) = self.files.find(&target, relative) else {
                if node.is("errorIfMissing", true) {
                    return Err(format!("there is no `{target}` in the directory").into());
                }
                return Ok(());
            };
            let file = self.folder.text(&found.name)?;
            for (name, value) in super::settings::entries(file.text()).filter(|_| fits) {
                self.properties.add(&name, value, scope);
            }
            return Ok(());
        }
        let Some(name) = expand("name")? else {
            return Err("a property needs a name".to_owned().into());
        };
        let value = expand("value")?.unwrap_or_default();
        if fits {
            self.properties.add(&name, &value, scope);
        }
        Ok(())
    }
}

fn context(node: &Node) -> Option<String> {
    node.value("contextFilter")
        .or_else(|| node.value("context"))
}

/// What an include adds to what its own changelog was given.
fn handed_on(node: &Node, inherited: &Inherited) -> Inherited {
    let mut inherited = inherited.clone();
    inherited.contexts.extend(context(node));
    inherited.labels.extend(node.value("labels"));
    inherited.ignore |= node.is("ignore", false);
    if inherited.logical_path.is_none() {
        inherited.logical_path = node.value("logicalFilePath");
    }
    inherited
}

fn is_changelog(name: &str) -> bool {
    super::documents::is_document(name) || name.to_ascii_lowercase().ends_with(".sql")
}
