// SPDX-License-Identifier: GPL-3.0-or-later
//! What a code, an event or a message means, for people.

use super::style::{BOLD, DIM, WARN};
use super::{WIDTH, styled};
use crate::explain::Entry;
use crate::text::{Text, escape};

/// Entries as text: the first in full, what else could have been meant in a line each.
pub fn explain_text(entries: &[&Entry]) -> Text {
    let mut text = Text::new();
    let Some((first, others)) = entries.split_first() else {
        return text;
    };
    write_entry(&mut text, first);
    if !others.is_empty() {
        text.end();
        text.line(format_args!("{BOLD}It may also be{BOLD:#}"));
    }
    for other in others {
        let asked = escape(&format!("hivemend explain {}", other.question()));
        write_wrapped(&mut text, "  - ", &format!("{other}: {}", other.meaning));
        text.line(format_args!("      {DIM}{asked}{DIM:#}"));
    }
    text
}

fn write_entry(text: &mut Text, entry: &Entry) {
    text.line(styled(BOLD, entry.to_string()));
    write_wrapped(text, "  ", &entry.meaning);
    if let Some(key) = &entry.key {
        write_wrapped(text, "  ", &format!("In {key}"));
    }
    if let Some(disagreement) = &entry.disagreement {
        text.end();
        text.line(format_args!("  {WARN}Sources disagree{WARN:#}"));
        write_wrapped(text, "    ", disagreement);
    }
    write_list(text, "Likely causes", &entry.causes);
    write_profiles(text, entry);
    write_list(text, "When it is not the registry", &entry.not_registry);
    let sources = format!("From: {}", entry.sources.join("; "));
    text.end();
    write_wrapped(text, "  ", &sources);
}

fn write_list(text: &mut Text, heading: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    text.end();
    text.line(format_args!("  {BOLD}{heading}{BOLD:#}"));
    for item in items {
        write_wrapped(text, "    - ", item);
    }
}

fn write_profiles(text: &mut Text, entry: &Entry) {
    if entry.profiles.is_empty() {
        text.end();
        text.line(format_args!("  No built-in profile addresses it."));
        return;
    }
    text.end();
    text.line(format_args!("  {BOLD}Profiles that address it{BOLD:#}"));
    for profile in &entry.profiles {
        let command = format!("hivemend plan TARGET -p {}", profile.id);
        text.line(format_args!("    {}", escape(&command)));
        let mut what = profile.what.clone();
        if profile.relaxes {
            what.push_str(" (relaxes protection: undo it afterwards)");
        }
        write_wrapped(text, "        ", &what);
    }
}

/// Escaped and wrapped, with `indent` in front and its width in front of the lines after it.
fn write_wrapped(text: &mut Text, indent: &str, words: &str) {
    let blank = " ".repeat(indent.len());
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(indent)
        .subsequent_indent(&blank)
        .break_words(false);
    for line in textwrap::wrap(&escape(words), options) {
        text.line(format_args!("{line}"));
    }
}
