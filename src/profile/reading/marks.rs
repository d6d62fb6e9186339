// SPDX-License-Identifier: GPL-3.0-or-later
//! Where everything stands. The only importer of saphyr-parser.
//!
//! serde_yaml gives no position for a value that it could read, and reads some of what a hostile
//! file may hold in more than linear time (a megabyte of `[` takes minutes). So this pass runs
//! first, over the events of a second YAML parser: it notes the place of every node and refuses
//! deep nesting, aliases and tags, none of which a profile needs, before serde_yaml sees them.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use super::error::Report;
use crate::profile::model::{Location, SCHEMA};

/// A profile needs 8 levels of lists and maps; no honest one has more than this.
const MAX_DEPTH: usize = 16;

/// The place of a node and what it is, in the order of the file.
pub(super) struct Mark {
    /// Where the node begins.
    pub(super) at: Location,
    /// What begins here.
    pub(super) kind: MarkKind,
}

/// What begins at a mark; lists and maps last until their `End`.
pub(super) enum MarkKind {
    Map,
    List,
    /// A scalar; `plain` if it is written without quotes.
    Scalar {
        plain: bool,
    },
    End,
}

/// Marks every node of `text`, or reports why it is not one plain YAML document.
pub(super) fn scan(text: &str, report: &mut Report<'_>) -> Option<Vec<Mark>> {
    let mut marks = Vec::new();
    let mut depth = 0usize;
    let mut documents = 0usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                report_syntax(&error, report);
                return None;
            }
        };
        if let Event::DocumentStart(_) = event {
            documents = documents.saturating_add(1);
        }
        if let Some((message, hint)) = refusal(&event, depth, documents) {
            report.error(location(&span.start), message, hint);
            return None;
        }
        match &event {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth = depth.saturating_add(1),
            Event::MappingEnd | Event::SequenceEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        marks.extend(mark(&event, &span));
    }
    if marks.is_empty() {
        let start = Location { line: 1, column: 1 };
        let hint = format!("begin with `schema: {SCHEMA}`; docs/profiles.md has an example");
        report.error(start, "the profile is empty", hint);
        return None;
    }
    Some(marks)
}

fn mark(event: &Event<'_>, span: &Span) -> Option<Mark> {
    let kind = match event {
        Event::MappingStart(..) => MarkKind::Map,
        Event::SequenceStart(..) => MarkKind::List,
        Event::MappingEnd | Event::SequenceEnd => MarkKind::End,
        Event::Scalar(_, style, ..) => MarkKind::Scalar {
            plain: *style == ScalarStyle::Plain,
        },
        _ => return None,
    };
    Some(Mark {
        at: location(&span.start),
        kind,
    })
}

const ALIAS: &str = "YAML aliases (`*name`) are not allowed in a profile";
const ALIAS_HINT: &str = "write the value out; text with a `*` in front needs quotes";

/// Says why a profile may not hold this, and what to write instead.
fn refusal(event: &Event<'_>, depth: usize, documents: usize) -> Option<(String, &'static str)> {
    if documents > 1 {
        let message = "a second YAML document begins here".to_owned();
        return Some((message, "one profile is one file: remove the `---` line"));
    }
    let (anchor, tag) = match event {
        Event::Alias(_) => return Some((ALIAS.to_owned(), ALIAS_HINT)),
        Event::Scalar(_, _, anchor, tag) => (*anchor, tag),
        Event::MappingStart(anchor, tag) | Event::SequenceStart(anchor, tag) => (*anchor, tag),
        _ => return None,
    };
    if anchor != 0 {
        let message = "YAML anchors (`&name`) are not allowed in a profile".to_owned();
        return Some((message, "remove it; text with a `&` in front needs quotes"));
    }
    if tag.is_some() {
        let message = "YAML tags (`!name`) are not allowed in a profile".to_owned();
        return Some((message, "remove it; text with a `!` in front needs quotes"));
    }
    let opens = !matches!(event, Event::Scalar(..));
    if opens && depth >= MAX_DEPTH {
        let message = format!("lists and maps are nested more than {MAX_DEPTH} deep");
        return Some((
            message,
            "a profile is flat: keys, their values, and their data",
        ));
    }
    None
}

/// Reports that the text is no YAML, with advice for the mistakes that people make.
fn report_syntax(error: &ScanError, report: &mut Report<'_>) {
    let info = error.info();
    let mut at = location(error.marker());
    if info.contains("tab") {
        // The scanner names where the text began that the tab broke off.
        at = report.tab_from(at.line).unwrap_or(at);
    }
    if info.contains("unknown anchor") {
        return report.error(at, ALIAS, ALIAS_HINT);
    }
    let hint = if info.contains("recursion limit") {
        "a profile is flat: keys, their values, and their data"
    } else if info.contains("tab") || report.has_tab_indent(at.line) {
        "indent with blanks: YAML allows no tabs"
    } else if info.contains("escape") {
        "write paths without quotes, or in 'single quotes': a backslash in double quotes is special"
    } else if info.contains("mapping values are not allowed") {
        "put text that holds `: ` in 'single quotes', and give fields of one entry the same indent"
    } else if info.contains("unexpected character") {
        "text that begins with % @ or ` needs 'single quotes'"
    } else if info.contains("quoted scalar") {
        "close the quote that begins here; an apostrophe inside 'single quotes' is written ''"
    } else if info.contains("simple key") || info.contains("block mapping") {
        "write `field: value`, with all fields of one entry at the same indent"
    } else {
        "put text with special characters in 'single quotes'"
    };
    report.error(at, format!("this is not YAML: {info}"), hint);
}

/// saphyr counts lines from 1 and columns from 0.
fn location(marker: &Marker) -> Location {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Location {
        line: number(marker.line()).max(1),
        column: number(marker.col()).saturating_add(1),
    }
}
