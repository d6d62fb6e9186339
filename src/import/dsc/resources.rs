// SPDX-License-Identifier: GPL-3.0-or-later
//! The resources of a document.

use super::entry::{entry, field_text};
use super::tree::{self, Node};
use crate::import::collector::Collector;

/// Fields of a resource that say nothing of the registry.
const HARMLESS: [&str; 8] = [
    "name",
    "type",
    "properties",
    "dependsOn",
    "metadata",
    "apiVersion",
    "requireVersion",
    "comments",
];

/// Resources within resources.
const MAX_DEPTH: usize = 8;

pub(in crate::import) fn read(text: &str, found: &mut Collector<'_>) {
    let root = match tree::read(text) {
        Ok(root) => root,
        Err((at, message, hint)) => return found.refuse(at, message, hint),
    };
    if let Some(resources) = root.field("resources") {
        return list(resources, 0, found);
    }
    if root.field("registryEntries").is_some() {
        return entries(&root, found);
    }
    let hint = "write `resources:`, and below it the type Microsoft.Windows/Registry";
    found.refuse(root.at, "the document has no resources", hint);
}

fn list(resources: &Node, depth: usize, found: &mut Collector<'_>) {
    let Some(items) = resources.items() else {
        return found.refuse(resources.at, "`resources` is no list", "");
    };
    for item in items {
        resource(item, depth, found);
    }
}

fn resource(node: &Node, depth: usize, found: &mut Collector<'_>) {
    let kind = node.field("type").and_then(|kind| field_text(kind).ok());
    let Some(kind) = kind else {
        return found.refuse(node.at, "a resource has no type", "");
    };
    for (name, field) in node.fields() {
        if !HARMLESS.contains(&name.as_str()) {
            let message = format!("`{name}` of a resource is something that no profile says");
            found.refuse(field.at, message, "leave it out, or the resource");
        }
    }
    let Some(properties) = node.field("properties") else {
        return found.refuse(node.at, "a resource has no properties", "");
    };
    found.remark = node
        .field("name")
        .and_then(Node::text)
        .map(|name| name.chars().take(300).collect());
    match kind.to_ascii_lowercase().as_str() {
        "microsoft.windows/registry" => entry(properties, None, found),
        "microsoft.windows/registrylist" => entries(properties, found),
        "microsoft.dsc/group" if depth < MAX_DEPTH => match properties.field("resources") {
            Some(resources) => list(resources, depth.saturating_add(1), found),
            None => found.refuse(properties.at, "a group has no resources", ""),
        },
        _ => {
            let message = format!("`{kind}` is a resource that no profile can say");
            found.refuse(node.at, message, "leave it out, and run it with dsc");
        }
    }
    found.remark = None;
}

/// The entries of a `RegistryList`.
fn entries(properties: &Node, found: &mut Collector<'_>) {
    for (name, field) in properties.fields() {
        if !["registryEntries", "registryFilePath"].contains(&name.as_str()) {
            let message = format!("`{name}` is no property of a RegistryList");
            found.refuse(field.at, message, "check the spelling");
        }
    }
    let file = properties.field("registryFilePath");
    let items = properties.field("registryEntries").and_then(Node::items);
    let Some(items) = items else {
        return found.refuse(properties.at, "`registryEntries` is no list", "");
    };
    for item in items {
        entry(item, file, found);
    }
}
