// SPDX-License-Identifier: GPL-3.0-or-later
//! Who has a file open, as far as /proc tells.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::text::Foreign;

/// A process that has `path` open for writing, as far as /proc shows this user.
pub(crate) fn holder(path: &Path) -> Option<String> {
    let wanted = fs::metadata(path).ok()?;
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let others = processes.filter(|process| {
        let name = process.file_name();
        name != *own
            && name
                .to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
    });
    let holds = |process: &fs::DirEntry| has_open(&process.path(), path, &wanted);
    let process = others.into_iter().find(holds)?;
    let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
    let name = Foreign::from(name.trim());
    let number = process.file_name().to_string_lossy().into_owned();
    Some(format!(
        "process {number} ({name}), which has it open for writing: end it first"
    ))
}

fn has_open(process: &Path, path: &Path, wanted: &Metadata) -> bool {
    let Ok(handles) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    handles.flatten().any(|handle| {
        // The name is compared first: stat on a foreign handle can hang on a dead mount.
        let named = fs::read_link(handle.path()).ok();
        named.is_some_and(|name| name.file_name() == path.file_name())
            && is_file(&handle.path(), wanted)
            && for_writing(&process.join("fdinfo").join(handle.file_name()))
    })
}

fn is_file(handle: &Path, wanted: &Metadata) -> bool {
    fs::metadata(handle)
        .is_ok_and(|found| found.dev() == wanted.dev() && found.ino() == wanted.ino())
}

/// Whether the open flags, an octal number, say "for writing".
fn for_writing(info: &Path) -> bool {
    let text = fs::read_to_string(info).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 3 != 0)
}
