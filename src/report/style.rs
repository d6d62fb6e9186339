// SPDX-License-Identifier: GPL-3.0-or-later
//! The few styles that text is shown in.

use anstyle::{AnsiColor, Style};

/// Headings.
pub const BOLD: Style = Style::new().bold();
/// What is not the point.
pub(super) const DIM: Style = Style::new().dimmed();
/// What comes.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What goes.
pub(super) const GONE: Style = AnsiColor::Red.on_default();
/// What to look at twice.
pub const WARN: Style = AnsiColor::Yellow.on_default().bold();
