// SPDX-License-Identifier: GPL-3.0-or-later
//! What the policies of TerminalServer.admx can be, on the machine's side.

use super::known::{KNOWN, TS_POLICY};

/// A policy of Terminal Services.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The value's name under [`TS_POLICY`].
    pub(crate) name: &'static str,
    /// What it can be.
    pub(crate) takes: Takes,
    /// The profile that removes it, where no setting of this name in SYSTEM says that.
    pub(crate) lift: Option<&'static str>,
}

/// What a policy can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A number from the first to the second.
    Range(u32, u32),
    /// One of [`LIMITS`], in milliseconds; "0" as text where the policy is disabled.
    Limit,
    /// Text.
    Text,
}

/// The milliseconds that the policies about session limits offer.
pub(crate) const LIMITS: [u32; 19] = [
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

/// All of them.
pub(crate) const POLICIES: &[Policy] = &[
    Policy::of("fDenyTSConnections", Takes::Range(0, 1)),
    Policy::of("fDisableAutoReconnect", Takes::Range(0, 1)).lifted_by("rdp-defaults"),
    Policy::of("KeepAliveEnable", Takes::Range(0, 1)),
    Policy::of("KeepAliveInterval", Takes::Range(1, 999_999)).lifted_by("rdp-defaults"),
    Policy::of("MaxInstanceCount", Takes::Range(1, 999_999)),
    Policy::of("fSingleSessionPerUser", Takes::Range(0, 1)),
    Policy::of("MinEncryptionLevel", Takes::Range(1, 3)),
    Policy::of("SecurityLayer", Takes::Range(0, 2)),
    Policy::of("UserAuthentication", Takes::Range(0, 1)),
    Policy::of("fPromptForPassword", Takes::Range(0, 1)),
    Policy::of("fEncryptRPCTraffic", Takes::Range(0, 1)),
    Policy::of("CertTemplateName", Takes::Text),
    Policy::of("LicenseServers", Takes::Text),
    Policy::of("LicensingMode", Takes::Range(2, 4)),
    Policy::of("MaxDisconnectionTime", Takes::Limit),
    Policy::of("MaxIdleTime", Takes::Limit),
    Policy::of("MaxConnectionTime", Takes::Limit),
    Policy::of("fResetBroken", Takes::Range(0, 1)),
    Policy::of("InitialProgram", Takes::Text),
    Policy::of("WorkDirectory", Takes::Text),
    Policy::of("fTurnOffSingleAppMode", Takes::Range(0, 1)),
    Policy::of("SessionDirectoryActive", Takes::Range(0, 1)),
    Policy::of("SessionDirectoryLocation", Takes::Text),
    Policy::of("SessionDirectoryClusterName", Takes::Text),
    Policy::of("SessionDirectoryExposeServerIP", Takes::Range(0, 1)),
    Policy::of("SelectTransport", Takes::Range(0, 2)),
    Policy::of("SelectNetworkDetect", Takes::Range(0, 3)),
    Policy::of("fEnableSmartCard", Takes::Range(0, 1)),
    Policy::of("DeleteTempDirsOnExit", Takes::Range(0, 1)),
    Policy::of("PerSessionTempDir", Takes::Range(0, 1)),
    Policy::of("fDisableCam", Takes::Range(0, 1)),
    Policy::of("fDisableAudioCapture", Takes::Range(0, 1)),
];

impl Policy {
    const fn of(name: &'static str, takes: Takes) -> Self {
        let lift = None;
        Self { name, takes, lift }
    }

    const fn lifted_by(self, profile: &'static str) -> Self {
        let lift = Some(profile);
        Self { lift, ..self }
    }
}

impl Takes {
    /// Whether a number is one of those.
    pub(crate) fn takes_number(self, number: u32) -> bool {
        match self {
            Self::Range(min, max) => (min..=max).contains(&number),
            Self::Limit => LIMITS.contains(&number),
            Self::Text => false,
        }
    }

    /// Whether a text is one of those.
    pub(crate) fn takes_text(self, text: &str) -> bool {
        match self {
            Self::Range(..) => false,
            // What TerminalServer.admx writes where the policy is disabled.
            Self::Limit => text == "0",
            Self::Text => true,
        }
    }

    /// What it can be, in words.
    pub(crate) fn hint(self) -> String {
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

/// The policy of this name.
pub(crate) fn policy(name: &str) -> Option<&'static Policy> {
    let mut policies = POLICIES.iter();
    policies.find(|policy| policy.name.eq_ignore_ascii_case(name))
}

/// Whether the template may write the policy as text: "0" where it is disabled.
pub(crate) fn may_be_text(name: &str) -> bool {
    policy(name).is_some_and(|policy| policy.takes == Takes::Limit)
}

/// Whether there is a setting of this name that no policy has: under the policy key it does nothing.
pub(crate) fn has_no_policy(name: &str) -> bool {
    let is_setting = |name: &str| {
        let mut known = KNOWN.iter();
        known.any(|known| known.name.eq_ignore_ascii_case(name))
    };
    let by_policy = |name: &str| {
        let mut known = KNOWN
            .iter()
            .filter(|known| known.policy_keys.contains(&TS_POLICY));
        known.any(|known| known.policy_name.eq_ignore_ascii_case(name))
    };
    is_setting(name) && policy(name).is_none() && !by_policy(name)
}
