// SPDX-License-Identifier: GPL-3.0-or-later
//! YAML text as a tree. The only importer of serde_yaml.
//!
//! The tree keeps what serde's derive would lose: duplicate fields, the text of a number as it
//! was written, whether a scalar was quoted, and where each node stands. The place comes from
//! the marks, the text from serde_yaml; where the two parsers disagree, the file is refused.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::error::Report;
use super::marks::{Mark, MarkKind};
use crate::profile::model::Location;

/// A node of the tree.
pub(super) struct Node {
    /// Where it begins.
    pub(super) at: Location,
    /// What it holds.
    pub(super) shape: Shape,
}

/// What a node holds.
pub(super) enum Shape {
    /// Fields in the order of the file, duplicates included.
    Map(Vec<(Node, Node)>),
    List(Vec<Node>),
    Scalar(Scalar),
}

/// A scalar as it is written.
pub(super) struct Scalar {
    pub(super) text: String,
    /// Whether it is written without quotes, so that YAML may see a number or a word in it.
    pub(super) plain: bool,
}

/// Reads `text`, which `marks` were made of.
pub(super) fn read(text: &str, marks: &[Mark], report: &mut Report<'_>) -> Option<Node> {
    let mut rest = marks.iter();
    let seed = NodeSeed { rest: &mut rest };
    match seed.deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(node) => Some(node),
        Err(error) => {
            report_error(&error, report);
            None
        }
    }
}

fn report_error(error: &serde_yaml::Error, report: &mut Report<'_>) {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let at = error
        .location()
        .map_or(Location { line: 1, column: 1 }, |at| Location {
            line: number(at.line()),
            column: number(at.column()),
        });
    let whole = error.to_string();
    // The place is printed in front; serde_yaml repeats it inside.
    let message = whole.split(" at line ").next().unwrap_or_default();
    let hint = "put text with special characters in 'single quotes', one field on each line";
    report.error(at, format!("this is not YAML: {message}"), hint);
}

/// Makes one node, and consumes the marks that belong to it.
struct NodeSeed<'a, 'm> {
    rest: &'a mut std::slice::Iter<'m, Mark>,
}

/// What two YAML parsers could not agree on.
const DISAGREE: &str = "this can be read in more than one way";

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let mark = self.rest.next().ok_or_else(|| D::Error::custom(DISAGREE))?;
        let visitor = NodeVisitor {
            rest: self.rest,
            mark,
        };
        let shape = match mark.kind {
            MarkKind::Map => deserializer.deserialize_map(visitor),
            MarkKind::List => deserializer.deserialize_seq(visitor),
            // Gives the text as it is written, without making numbers of it.
            MarkKind::Scalar { .. } => deserializer.deserialize_str(visitor),
            MarkKind::End => Err(D::Error::custom(DISAGREE)),
        }?;
        Ok(Node { at: mark.at, shape })
    }
}

struct NodeVisitor<'a, 'm> {
    rest: &'a mut std::slice::Iter<'m, Mark>,
    mark: &'m Mark,
}

impl NodeVisitor<'_, '_> {
    /// Consumes the mark of the end of this list or map.
    fn end<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.rest.next().map(|mark| &mark.kind) {
            Some(MarkKind::End) => Ok(()),
            _ => Err(E::custom(DISAGREE)),
        }
    }
}

impl<'de> Visitor<'de> for NodeVisitor<'_, '_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.mark.kind {
            MarkKind::Map => "a map",
            MarkKind::List => "a list",
            MarkKind::Scalar { .. } | MarkKind::End => "a scalar",
        })
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Shape, E> {
        let MarkKind::Scalar { plain } = self.mark.kind else {
            return Err(E::custom(DISAGREE));
        };
        Ok(Shape::Scalar(Scalar {
            text: text.to_owned(),
            plain,
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Shape, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element_seed(NodeSeed { rest: self.rest })? {
            list.push(node);
        }
        self.end()?;
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Shape, A::Error> {
        let mut map = Vec::new();
        while let Some(name) = access.next_key_seed(NodeSeed { rest: self.rest })? {
            map.push((name, access.next_value_seed(NodeSeed { rest: self.rest })?));
        }
        self.end()?;
        Ok(Shape::Map(map))
    }
}
