// SPDX-License-Identifier: GPL-3.0-or-later
//! Command lines, by themselves or in an article: REG ADD and REG DELETE, and PowerShell's
//! `Set-ItemProperty` and its kin. What is no command is counted.

mod batch;
mod blocks;
mod command;
mod front;
mod html;
mod lines;
mod mark;
mod options;
mod powershell;
mod program;
mod ps_command;
mod ps_value;
mod reg_add;
mod scan;
mod unsayable;
mod word;
mod words;
mod wrap;

pub(super) use scan::read;

/// Whether a text says that hivemend made it of a plan: nobody typed it, and a blank in a name is meant.
pub(super) fn is_own(text: &str) -> bool {
    let mut lines = text.lines().take(8);
    lines.any(|line| {
        let comment = line
            .strip_prefix("rem ")
            .or_else(|| line.strip_prefix("# "));
        comment.is_some_and(|comment| comment.starts_with("Made by hivemend of its plan for "))
    })
}
