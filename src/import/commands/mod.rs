// SPDX-License-Identifier: GPL-3.0-or-later
//! Command lines, by themselves or in an article: REG ADD and REG DELETE, and PowerShell's
//! `Set-ItemProperty` and its kin. What is no command is counted.

mod blocks;
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
mod word;
mod words;

pub(super) use scan::read;
