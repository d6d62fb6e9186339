// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys that are in neither of the two hives: what people have in front of them, and where it is.

/// Where a key whose first name is `name` is to be looked for; `rooted` says whether `HKLM` stood in
/// front of it. `None` where nothing is known of it.
pub(super) fn hint(name: &str, rooted: bool) -> Option<&'static str> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    let known = if rooted { IN_MACHINE } else { ROOTS };
    let (_, hint) = known
        .iter()
        .find(|(names, _)| names.iter().any(|n| is(n)))?;
    Some(hint)
}

/// Names that the same hint is about.
type Hint = (&'static [&'static str], &'static str);

/// The other roots of a registry.
const ROOTS: &[Hint] = &[
    (
        &[
            "HKCU",
            "HKCU:",
            "HKEY_CURRENT_USER",
            "Registry::HKEY_CURRENT_USER",
        ],
        "it is in the hive of a user, the file NTUSER.DAT in the profile folder; what holds for every \
         user is below `HKLM\\SOFTWARE`",
    ),
    (
        &["HKU", "HKU:", "HKEY_USERS", "Registry::HKEY_USERS"],
        "the users' hives are files of their own: NTUSER.DAT in each profile folder, and for `.DEFAULT` \
         the file DEFAULT beside SYSTEM",
    ),
    (
        &[
            "HKCR",
            "HKCR:",
            "HKEY_CLASSES_ROOT",
            "Registry::HKEY_CLASSES_ROOT",
        ],
        "write `HKLM\\SOFTWARE\\Classes\\...`: there it is for every user of the machine",
    ),
    (
        &[
            "HKCC",
            "HKCC:",
            "HKEY_CURRENT_CONFIG",
            "Registry::HKEY_CURRENT_CONFIG",
        ],
        "write `HKLM\\SYSTEM\\CurrentControlSet\\Hardware Profiles\\0001\\...`: Windows makes \
         HKEY_CURRENT_CONFIG of it when it starts",
    ),
    (
        &["HKPD", "HKEY_PERFORMANCE_DATA", "HKEY_DYN_DATA"],
        "it is in no hive: Windows works it out while it runs",
    ),
];

/// What else is below `HKEY_LOCAL_MACHINE`.
const IN_MACHINE: &[Hint] = &[
    (
        &["SAM", "SECURITY", "COMPONENTS", "DRIVERS", "ELAM"],
        "it is a hive of its own, the file of that name beside SYSTEM; `hivemend check` reads it",
    ),
    (
        &["HARDWARE"],
        "it is on no disk: Windows makes it anew at each start",
    ),
    (
        &["BCD00000000"],
        "it is the boot loader's hive, the file BCD on the system partition; use bcdedit /store",
    ),
];
