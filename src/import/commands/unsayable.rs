// SPDX-License-Identifier: GPL-3.0-or-later
//! Commands that change a registry in a way that is not read here, by their names.

/// What such a command does, by its name in lower case.
pub(super) fn unsayable(name: &str) -> Option<&'static str> {
    Some(match name {
        "rename-item" | "rni" | "ren" => "gives a key another name",
        "rename-itemproperty" | "rnp" => "gives a value another name",
        "copy-item" | "cpi" | "copy-itemproperty" | "cpp" => "copies what stands somewhere else",
        "move-item" | "mi" | "move-itemproperty" | "mp" => "moves what stands somewhere else",
        "clear-item" | "cli" => "empties a key",
        "clear-itemproperty" | "clp" => "empties a value and keeps its type",
        "set-acl" => "sets rights",
        "set-location" | "push-location" | "sl" | "cd" | "chdir" | "pushd" => {
            "makes the keys that follow relative to this one"
        }
        "set-gpregistryvalue" | "remove-gpregistryvalue" | "set-policyfileentry" => {
            "changes a policy, and no key of the machine itself"
        }
        _ => return None,
    })
}

/// Calls of .NET and WMI that change a registry, by what stands in a line in lower case.
pub(super) fn call(lower: &str) -> Option<&'static str> {
    const CALLS: [(&str, &str); 9] = [
        (
            "win32.registry]::setvalue",
            "[Microsoft.Win32.Registry]::SetValue",
        ),
        (".createsubkey(", ".CreateSubKey"),
        (".deletesubkey", ".DeleteSubKey"),
        (".deletevalue(", ".DeleteValue"),
        ("opensubkey(", ".OpenSubKey"),
        ("openremotebasekey(", "OpenRemoteBaseKey"),
        ("openbasekey(", "OpenBaseKey"),
        ("stdregprov", "StdRegProv"),
        (".regwrite", "RegWrite"),
    ];
    let found = CALLS.iter().find(|(sign, _)| lower.contains(sign));
    found.map(|(_, name)| *name)
}
