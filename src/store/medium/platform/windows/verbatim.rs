// SPDX-License-Identifier: GPL-3.0-or-later
//! Paths with no limit to their length.

use std::io;
use std::path::{Component, Path, Prefix};

/// The path with no limit to its length, for calls that std does not make; `None` where it is not
/// Unicode.
pub(super) fn verbatim(path: &Path) -> io::Result<Option<String>> {
    let path = std::path::absolute(path)?;
    let Some(text) = path.to_str() else {
        return Ok(None);
    };
    let text = match path.components().next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::Disk(_) => format!("\\\\?\\{text}"),
            Prefix::UNC(..) => format!("\\\\?\\UNC{}", text.get(1..).unwrap_or_default()),
            _ => text.to_owned(),
        },
        _ => text.to_owned(),
    };
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_limit() {
        for (path, expected) in [
            ("C:\\x\\..\\y", "\\\\?\\C:\\y"),
            ("\\\\server\\share\\y", "\\\\?\\UNC\\server\\share\\y"),
            ("\\\\?\\C:\\y", "\\\\?\\C:\\y"),
        ] {
            let found = verbatim(Path::new(path)).unwrap();
            assert_eq!(found.as_deref(), Some(expected), "{path}");
        }
    }
}
