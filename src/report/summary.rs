// SPDX-License-Identifier: GPL-3.0-or-later
//! What a run came to in few bytes, for places that cut long output: verdict first, whole sentences, and
//! what was left out is counted.

use anstream::adapter::strip_str;

use crate::text::{Text, escape};

/// The bytes that the count of what was left out may take.
const TAIL: usize = 64;

/// The summary of a run, `most` bytes at most.
///
/// `verdict` is how it ended; `warnings` must not be missed; of `sections`, in the order in which they
/// were printed, the last comes first: it has the outcome.
pub fn summary(verdict: &str, warnings: &[String], sections: &[Text], most: usize) -> String {
    let mut lines = vec![escape(verdict)];
    lines.extend(
        warnings
            .iter()
            .map(|warning| format!("warning: {}", escape(warning))),
    );
    for section in sections.iter().rev() {
        let text = strip_str(section).to_string();
        let full = text.lines().filter(|line| !line.trim().is_empty());
        lines.extend(full.map(|line| line.trim_end().to_owned()));
    }
    let whole: usize = lines.iter().map(|line| line.len().saturating_add(1)).sum();
    let room = match whole <= most {
        true => most,
        false => most.saturating_sub(TAIL),
    };
    let mut text = String::new();
    let mut left = 0_usize;
    for line in &lines {
        let needed = text.len().saturating_add(line.len()).saturating_add(1);
        if left == 0 && needed <= room {
            text.push_str(line);
            text.push('\n');
            continue;
        }
        if text.is_empty() {
            // Not even the verdict fits: its first sentences.
            text.push_str(sentences(line, room));
            text.push('\n');
        }
        left = left.saturating_add(1);
    }
    if left > 0 {
        let lines = if left == 1 { "line is" } else { "lines are" };
        text.push_str(&format!("({left} more {lines} left out here.)\n"));
    }
    text
}

/// The whole sentences at the start of a line that fit, else as many whole words.
fn sentences(line: &str, room: usize) -> &str {
    let mut end = room.min(line.len()).saturating_sub(1);
    while !line.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let start = line.get(..end).unwrap_or_default();
    let cut = start.rfind(". ").map(|at| at.saturating_add(1));
    let cut = cut.or_else(|| start.rfind(' '));
    start.get(..cut.unwrap_or(end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(lines: &[&str]) -> Text {
        let mut text = Text::new();
        lines.iter().for_each(|line| text.line(line));
        text
    }

    #[test]
    fn the_verdict_is_first_and_the_outcome_second() {
        let sections = [section(&["the plan", "  ~ one"]), section(&["the outcome"])];
        let warnings = ["mind this".to_owned()];
        let text = summary("Done.", &warnings, &sections, 3072);
        assert_eq!(
            text,
            "Done.\nwarning: mind this\nthe outcome\nthe plan\n  ~ one\n"
        );
    }

    #[test]
    fn it_is_never_longer_and_never_cut_within_a_line() {
        let long = "Wörter über Wörter. ".repeat(20);
        let lines: Vec<&str> = std::iter::repeat_n(long.trim(), 30).collect();
        let sections = [section(&lines)];
        for most in 256..4096 {
            let text = summary("Done.", &[], &sections, most);
            assert!(text.len() <= most, "{most}: {}", text.len());
            let kept = text.lines().filter(|line| *line == long.trim()).count();
            let left = 30 - kept;
            assert!(text.contains(&format!("({left} more ")), "{text}");
        }
        let verdict = "ä ".repeat(400);
        for most in 256..400 {
            let text = summary(&verdict, &[], &[], most);
            assert!(text.len() <= most, "{most}: {}", text.len());
        }
    }
}
