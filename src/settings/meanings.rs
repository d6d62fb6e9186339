// SPDX-License-Identifier: GPL-3.0-or-later
//! What a number of a setting means, in a word or two.

/// Values, and what their numbers mean.
const MEANINGS: &[(&str, &[(u32, &str)])] = &[
    ("SecurityLayer", &[(0, "RDP"), (1, "negotiate"), (2, "TLS")]),
    (
        "MinEncryptionLevel",
        &[
            (1, "low"),
            (2, "client compatible"),
            (3, "high"),
            (4, "FIPS"),
        ],
    ),
    ("UserAuthentication", &[(0, "no NLA"), (1, "NLA")]),
    (
        "fDenyTSConnections",
        &[(0, "connections allowed"), (1, "connections refused")],
    ),
    (
        "Start",
        &[
            (0, "boot"),
            (1, "system"),
            (2, "automatic"),
            (3, "manual"),
            (4, "disabled"),
        ],
    ),
    (
        "MaxInstanceCount",
        &[(u32::MAX, "no limit"), (999_999, "no limit")],
    ),
    ("EnableFirewall", &[(0, "off"), (1, "on")]),
    (
        "SetupType",
        &[
            (0, "no setup"),
            (1, "full setup"),
            (2, "runs CmdLine"),
            (4, "upgrade"),
        ],
    ),
    (
        "LicensingMode",
        &[(2, "per device"), (4, "per user"), (5, "not set")],
    ),
    (
        "AllowEncryptionOracle",
        &[(0, "updated clients"), (1, "mitigated"), (2, "vulnerable")],
    ),
    (
        "CrashOnAuditFail",
        &[(0, "off"), (1, "on"), (2, "the log was full")],
    ),
    ("StartOverride", &[(0, "boot"), (3, "not at boot")]),
];

/// Milliseconds.
const TIMES: &[&str] = &["MaxConnectionTime", "MaxDisconnectionTime", "MaxIdleTime"];

/// What the number `number` of a value called `name` means, where that is known and helps.
pub(crate) fn meaning(name: &str, number: u32) -> Option<String> {
    let is_ours = |known: &&str| known.eq_ignore_ascii_case(name);
    if TIMES.iter().any(is_ours) {
        return Some(match number {
            0 => "no limit".to_owned(),
            _ if number.is_multiple_of(60_000) => format!("{} min", number / 60_000),
            _ if number.is_multiple_of(1_000) => format!("{} s", number / 1_000),
            _ => return None,
        });
    }
    let (_, numbers) = MEANINGS.iter().find(|(known, _)| is_ours(known))?;
    let found = numbers.iter().find(|(known, _)| *known == number);
    found.map(|(_, meaning)| (*meaning).to_owned())
}
