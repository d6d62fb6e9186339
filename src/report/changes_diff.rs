// SPDX-License-Identifier: GPL-3.0-or-later
//! Changes as a patch: a unified diff of the touched keys in the manner of a .reg file, without a word
//! besides.

use similar::{ChangeTag, DiffOp, group_diff_ops};

use super::style::{DIM, GONE, GOOD};
use super::styled;
use super::values::whole_line;
use crate::machine::KeyContent;
use crate::plan::TouchedKey;
use crate::text::{Text, escape};

/// How many unchanged values are shown around a change.
const CONTEXT: usize = 1;

/// The diff of every touched key, each piece to `out`.
pub fn diff_pieces(touched: &[TouchedKey], out: &mut dyn FnMut(&Text)) {
    for key in touched {
        let mut text = Text::new();
        key_diff(&mut text, key);
        out(&text);
    }
}

/// One key: its path, and the unified diff of its values.
fn key_diff(text: &mut Text, key: &TouchedKey) {
    let path = format!("[{}\\{}]", key.hive, key.key.text());
    match (&key.before, &key.after) {
        (None, Some(_)) => text.line(styled(GOOD, format!("+{path}"))),
        (Some(_), None) => text.line(styled(GONE, format!("-{path}"))),
        _ => text.line(format_args!(" {}", escape(&path))),
    }
    let lines = |content: &Option<KeyContent>| -> Vec<String> {
        let values = content.iter().flatten();
        values
            .map(|(name, value)| whole_line(name, value))
            .collect()
    };
    let (before, after) = (lines(&key.before), lines(&key.after));
    for hunk in group_diff_ops(diff(key, &before, &after), CONTEXT) {
        text.line(styled(DIM, hunk_header(&hunk)));
        let lines = hunk.iter().flat_map(|op| op.iter_changes(&before, &after));
        for line in lines {
            let value = line.value_ref();
            match line.tag() {
                ChangeTag::Equal => text.line(styled(DIM, format!(" {value}"))),
                ChangeTag::Insert => text.line(styled(GOOD, format!("+{value}"))),
                ChangeTag::Delete => text.line(styled(GONE, format!("-{value}"))),
            }
        }
    }
}

/// How the values of a key become what they will be. They keep their order, and new ones come behind
/// them, so that nothing has to be searched for.
fn diff(key: &TouchedKey, before: &[String], after: &[String]) -> Vec<DiffOp> {
    let names = |content: &Option<KeyContent>| -> Vec<Vec<u16>> {
        let content = content.iter().flatten();
        content.map(|(name, _)| name.folded()).collect()
    };
    let (old_names, new_names) = (names(&key.before), names(&key.after));
    let mut ops = Ops::default();
    let (mut old, mut new) = (0, 0);
    while let Some(name) = old_names.get(old) {
        let stays = new_names.get(new) == Some(name);
        if stays && before.get(old) == after.get(new) {
            ops.keep(old, new);
        } else {
            ops.change(old, 1, new, usize::from(stays));
        }
        old = old.saturating_add(1);
        new = new.saturating_add(usize::from(stays));
    }
    let added = new_names.len().saturating_sub(new);
    ops.change(old, 0, new, added);
    ops.finish()
}

/// The steps of a diff, those of a kind that follow each other as one.
#[derive(Default)]
struct Ops {
    done: Vec<DiffOp>,
    /// What is gone and what comes, from where on.
    open: Option<(usize, usize, usize, usize)>,
}

impl Ops {
    fn keep(&mut self, old: usize, new: usize) {
        self.close();
        match self.done.last_mut() {
            Some(DiffOp::Equal { len, .. }) => *len = len.saturating_add(1),
            _ => self.done.push(DiffOp::Equal {
                old_index: old,
                new_index: new,
                len: 1,
            }),
        }
    }

    fn change(&mut self, old: usize, gone: usize, new: usize, come: usize) {
        let (.., all_gone, all_come) = self.open.get_or_insert((old, new, 0, 0));
        *all_gone = all_gone.saturating_add(gone);
        *all_come = all_come.saturating_add(come);
    }

    fn close(&mut self) {
        let Some((old_index, new_index, old_len, new_len)) = self.open.take() else {
            return;
        };
        self.done.push(match (old_len, new_len) {
            (0, 0) => return,
            (0, _) => DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            },
            (_, 0) => DiffOp::Delete {
                old_index,
                old_len,
                new_index,
            },
            _ => DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            },
        });
    }

    fn finish(mut self) -> Vec<DiffOp> {
        self.close();
        self.done
    }
}

/// Where a part of a diff is, in the manner of `diff -u`.
fn hunk_header(hunk: &[DiffOp]) -> String {
    let range = |start: usize, end: usize| match end.saturating_sub(start) {
        // What is empty is told by the line in front of it.
        0 => format!("{start},0"),
        1 => start.saturating_add(1).to_string(),
        length => format!("{},{length}", start.saturating_add(1)),
    };
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return String::new();
    };
    let before = range(first.old_range().start, last.old_range().end);
    let after = range(first.new_range().start, last.new_range().end);
    format!("@@ -{before} +{after} @@")
}
