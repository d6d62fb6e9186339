// SPDX-License-Identifier: GPL-3.0-or-later
//! Who has started this program.

use winsafe::{HPROCESSLIST, co};

/// The file name of the program that has started this one, as in `cmd.exe`; `None` where that is not told.
pub(crate) fn parent_program() -> Option<String> {
    let mut list = HPROCESSLIST::CreateToolhelp32Snapshot(co::TH32CS::SNAPPROCESS, None).ok()?;
    let processes: Vec<(u32, u32, String)> = list
        .iter_processes()
        .map_while(Result::ok)
        .map(|one| (one.th32ProcessID, one.th32ParentProcessID, one.szExeFile()))
        .collect();
    let own = std::process::id();
    let (_, parent, _) = processes.iter().find(|(id, ..)| *id == own)?;
    let (_, _, name) = processes.iter().find(|(id, ..)| id == parent)?;
    Some(name.clone())
}
