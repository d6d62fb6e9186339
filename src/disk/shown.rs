// SPDX-License-Identifier: GPL-3.0-or-later
//! Paths as messages show them.

use std::fmt;
use std::path::Path;

/// A path for a message: control, bidirectional and other invisible characters are escaped.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(&'a Path);

/// Wraps `path` for a message.
pub fn shown(path: &Path) -> Shown<'_> {
    Shown(path)
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            match c {
                '\\' | '\'' | '"' => write!(f, "{c}")?,
                other => write!(f, "{}", other.escape_debug())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_stay_and_escapes_do_not() {
        let path = Path::new("F:\\Win\u{1b}[2J\u{202e}x");
        assert_eq!(shown(path).to_string(), "F:\\Win\\u{1b}[2J\\u{202e}x");
    }
}
