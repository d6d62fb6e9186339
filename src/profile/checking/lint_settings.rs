// SPDX-License-Identifier: GPL-3.0-or-later
//! What is known of Remote Desktop's settings: values that do not go together, and what the
//! policies of TerminalServer.admx can be.

use std::collections::HashMap;

use super::linter::Linter;
use crate::profile::model::{Data, HiveName, KeyRule, ValueRule, Want, upcase};

/// Two numbers that Windows does not take together, and why.
struct Pair {
    one: (&'static str, u32),
    other: (&'static str, u32),
    why: &'static str,
}

const PAIRS: [Pair; 2] = [
    Pair {
        one: ("SecurityLayer", 2),
        other: ("MinEncryptionLevel", 1),
        why: "TLS (SecurityLayer 2) needs MinEncryptionLevel 2 at least",
    },
    Pair {
        one: ("SecurityLayer", 0),
        other: ("UserAuthentication", 1),
        why: "Network Level Authentication (UserAuthentication 1) needs SecurityLayer 1 at least",
    },
];

/// Looks for pairs of values that Windows does not take together.
pub(super) fn check_pairs(linter: &mut Linter<'_>) {
    let mut written: HashMap<(Vec<u16>, usize, bool), &ValueRule> = HashMap::new();
    let profile = linter.profile;
    for (key, value) in values(&profile.keys) {
        let path = upcase(&key.path.to_string());
        for (index, pair) in PAIRS.iter().enumerate() {
            for (is_one, half) in [(true, pair.one), (false, pair.other)] {
                if !writes(value, half) {
                    continue;
                }
                written.insert((path.clone(), index, is_one), value);
                if let Some(other) = written.get(&(path.clone(), index, !is_one)) {
                    let line = other.at.line;
                    let message = format!("{}; the other value is in line {line}", pair.why);
                    let hint = "change one of the two: Windows does not take them together";
                    linter.warn("pair-invalid", value.at, message, hint);
                }
            }
        }
    }
}

fn values(keys: &[KeyRule]) -> impl Iterator<Item = (&KeyRule, &ValueRule)> {
    keys.iter()
        .flat_map(|key| key.values.iter().map(move |value| (key, value)))
}

fn writes(value: &ValueRule, (name, number): (&str, u32)) -> bool {
    value.want.to_write() == Some(&Data::Dword(number)) && upcase(&value.name) == upcase(name)
}

/// What a policy can be.
enum Takes {
    /// A number from the first to the second.
    Range(u32, u32),
    /// One of these numbers of milliseconds.
    Limit,
    Text,
}

/// The milliseconds that the policies about session limits offer.
const LIMITS: [u32; 19] = [
    0,
    60_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    28_800_000,
    43_200_000,
    57_600_000,
    64_800_000,
    86_400_000,
    172_800_000,
    259_200_000,
    345_600_000,
    432_000_000,
];

/// TerminalServer.admx, the machine's side.
const POLICIES: [(&str, Takes); 32] = [
    ("fDenyTSConnections", Takes::Range(0, 1)),
    ("fDisableAutoReconnect", Takes::Range(0, 1)),
    ("KeepAliveEnable", Takes::Range(0, 1)),
    ("KeepAliveInterval", Takes::Range(1, 999_999)),
    ("MaxInstanceCount", Takes::Range(1, 999_999)),
    ("fSingleSessionPerUser", Takes::Range(0, 1)),
    ("MinEncryptionLevel", Takes::Range(1, 3)),
    ("SecurityLayer", Takes::Range(0, 2)),
    ("UserAuthentication", Takes::Range(0, 1)),
    ("fPromptForPassword", Takes::Range(0, 1)),
    ("fEncryptRPCTraffic", Takes::Range(0, 1)),
    ("CertTemplateName", Takes::Text),
    ("LicenseServers", Takes::Text),
    ("LicensingMode", Takes::Range(2, 4)),
    ("MaxDisconnectionTime", Takes::Limit),
    ("MaxIdleTime", Takes::Limit),
    ("MaxConnectionTime", Takes::Limit),
    ("fResetBroken", Takes::Range(0, 1)),
    ("InitialProgram", Takes::Text),
    ("WorkDirectory", Takes::Text),
    ("fTurnOffSingleAppMode", Takes::Range(0, 1)),
    ("SessionDirectoryActive", Takes::Range(0, 1)),
    ("SessionDirectoryLocation", Takes::Text),
    ("SessionDirectoryClusterName", Takes::Text),
    ("SessionDirectoryExposeServerIP", Takes::Range(0, 1)),
    ("SelectTransport", Takes::Range(0, 2)),
    ("SelectNetworkDetect", Takes::Range(0, 3)),
    ("fEnableSmartCard", Takes::Range(0, 1)),
    ("DeleteTempDirsOnExit", Takes::Range(0, 1)),
    ("PerSessionTempDir", Takes::Range(0, 1)),
    ("fDisableCam", Takes::Range(0, 1)),
    ("fDisableAudioCapture", Takes::Range(0, 1)),
];

/// What a policy of this name can be, in words.
pub(crate) fn policy_range(name: &str) -> Option<String> {
    let same = |policy: &&(&str, Takes)| policy.0.eq_ignore_ascii_case(name);
    POLICIES.iter().find(same).map(|(_, takes)| takes.hint())
}

/// Listener settings that no policy has: under the policy key they do nothing.
const NO_POLICY: [&str; 14] = [
    "fAllowSecProtocolNegotiation",
    "fEnableWinStation",
    "fLogonDisabled",
    "PortNumber",
    "LanAdapter",
    "KeepAliveTimeout",
    "fReconnectSame",
    "fInheritReconnectSame",
    "fInheritMaxSessionTime",
    "fInheritMaxDisconnectionTime",
    "fInheritMaxIdleTime",
    "TSEnabled",
    "TSUserEnabled",
    "TSServerDrainMode",
];

/// Looks for values under the policy key that no policy can have.
pub(super) fn check_policies(linter: &mut Linter<'_>) {
    let profile = linter.profile;
    for (_, value) in values(&profile.keys).filter(|(key, _)| is_policy_key(key)) {
        let same = |name: &str| upcase(name) == upcase(&value.name);
        if NO_POLICY.iter().any(|name| same(name)) && value.want != Want::Absent {
            let message = format!(
                "no policy has a value `{}`: here it does nothing",
                value.name
            );
            let hint = "write it to the listener, or leave it out";
            linter.warn("policy-unknown", value.at, message, hint);
        }
        let Some((name, takes)) = POLICIES.iter().find(|(name, _)| same(name)) else {
            continue;
        };
        let choices = match &value.want {
            Want::Data(data) | Want::Range { write: data, .. } => std::slice::from_ref(data),
            Want::OneOf(choices) => choices,
            _ => continue,
        };
        if !choices.iter().all(|data| takes.takes(data)) {
            let message = format!("the policy {name} cannot be {}", value.want);
            linter.warn("policy-range", value.at, message, &takes.hint());
        }
    }
}

fn is_policy_key(key: &KeyRule) -> bool {
    const KEY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";
    key.path.hive == HiveName::Software && upcase(&key.path.segments.join("\\")) == upcase(KEY)
}

impl Takes {
    fn takes(&self, data: &Data) -> bool {
        match (self, data) {
            (Self::Range(min, max), Data::Dword(number)) => (min..=max).contains(&number),
            (Self::Limit, Data::Dword(number)) => LIMITS.contains(number),
            // What TerminalServer.admx writes where the policy is disabled.
            (Self::Limit, Data::Sz(text)) => text == "0",
            (Self::Text, Data::Sz(_)) => true,
            _ => false,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Range(min, max) => {
                format!("TerminalServer.admx writes a dword from {min} to {max}")
            }
            Self::Limit => {
                "TerminalServer.admx offers 0 and whole steps from 60000 ms to 5 days".to_owned()
            }
            Self::Text => "TerminalServer.admx writes an sz".to_owned(),
        }
    }
}
