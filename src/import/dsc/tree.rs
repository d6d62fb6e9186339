// SPDX-License-Identifier: GPL-3.0-or-later
//! YAML or JSON as a tree, with the place of each node.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::import::place::Place;

/// A document needs some ten levels of lists and maps.
const MAX_DEPTH: usize = 32;
/// The most nodes of a document.
const MAX_NODES: usize = 500_000;

/// A node.
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) shape: Shape,
}

/// What a node holds.
pub(super) enum Shape {
    /// Fields in the order of the file.
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
    Scalar {
        text: String,
        /// Written without quotes, so that YAML may see a number or a word in it.
        plain: bool,
    },
}

/// A list or map that is being read.
enum Open {
    Map(Place, Vec<(String, Node)>, Option<String>),
    List(Place, Vec<Node>),
}

/// Why there is no tree.
pub(super) type Fault = (Place, String, &'static str);

/// Reads the first document of a text.
///
/// # Errors
///
/// Where it is no YAML, or holds what no such document needs.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    let mut open: Vec<Open> = Vec::new();
    let mut nodes = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let message = format!("this is no YAML: {}", error.info());
            (place(error.marker()), message, "")
        })?;
        let at = place(&span.start);
        nodes = nodes.saturating_add(1);
        if let Some((message, hint)) = refusal(&event, open.len(), nodes) {
            return Err((at, message.to_owned(), hint));
        }
        let node = match event {
            Event::MappingStart(..) => {
                open.push(Open::Map(at, Vec::new(), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(at, Vec::new()));
                continue;
            }
            Event::Scalar(text, style, ..) => Node {
                at,
                shape: Shape::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                },
            },
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some(Open::Map(at, fields, _)) => Node {
                    at,
                    shape: Shape::Map(fields),
                },
                Some(Open::List(at, items)) => Node {
                    at,
                    shape: Shape::List(items),
                },
                None => continue,
            },
            _ => continue,
        };
        match open.last_mut() {
            None => return Ok(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, fields, name)) => match name.take() {
                Some(name) => fields.push((name, node)),
                None => *name = Some(field_name(node, fields)?),
            },
        }
    }
    Err((Place::new(1, 1), "the document is empty".to_owned(), ""))
}

fn field_name(node: Node, fields: &[(String, Node)]) -> Result<String, Fault> {
    let Shape::Scalar { text, .. } = node.shape else {
        let message = "the name of a field is a list or a map".to_owned();
        return Err((node.at, message, "write a word"));
    };
    // Quadratic, but a map of any length is no resource.
    const MAX_FIELDS: usize = 1000;
    if fields.len() >= MAX_FIELDS {
        let message = format!("a map has more than {MAX_FIELDS} fields");
        return Err((node.at, message, "divide the document"));
    }
    if fields.iter().any(|(name, _)| *name == text) {
        let message = format!("`{text}` stands here twice");
        return Err((node.at, message, "keep one of the two"));
    }
    Ok(text)
}

fn refusal(event: &Event<'_>, depth: usize, nodes: usize) -> Option<(&'static str, &'static str)> {
    let (anchor, tag) = match event {
        Event::Alias(_) => return Some(("YAML aliases (`*name`) are not read", "write it out")),
        Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
        Event::MappingStart(anchor, tag) | Event::SequenceStart(anchor, tag) => {
            (*anchor, tag.is_some())
        }
        _ => return None,
    };
    if anchor != 0 {
        return Some(("YAML anchors (`&name`) are not read", "write it out"));
    }
    if tag {
        return Some(("YAML tags (`!name`) are not read", "leave it out"));
    }
    if depth >= MAX_DEPTH {
        return Some(("lists and maps are nested too deep", "divide the document"));
    }
    (nodes > MAX_NODES).then_some(("the document is too large", "divide it"))
}

fn place(marker: &Marker) -> Place {
    Place::new(marker.line(), marker.col().saturating_add(1))
}

impl Node {
    /// A field of a map.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let mut fields = self.fields().iter();
        let found = fields.find(|(known, _)| known == name);
        found.map(|(_, node)| node)
    }

    /// The fields, none where it is no map.
    pub(super) fn fields(&self) -> &[(String, Self)] {
        match &self.shape {
            Shape::Map(fields) => fields,
            _ => &[],
        }
    }

    /// The items, where it is a list.
    pub(super) fn items(&self) -> Option<&[Self]> {
        match &self.shape {
            Shape::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}
