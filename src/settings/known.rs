// SPDX-License-Identifier: GPL-3.0-or-later
//! The settings of Remote Desktop and of the firewall's switches: who decides each, which numbers there
//! are, and the profiles about it.
//!
//! Sources: TerminalServer.admx and WindowsFirewall.admx for the policies, exports of listeners
//! for the inheritance flags.

/// The key of the Terminal Services policies, below the root of SOFTWARE.
pub(crate) const TS_POLICY: &str = "Policies\\Microsoft\\Windows NT\\Terminal Services";

/// The key of all settings of Terminal Services, below a control set.
pub(crate) const TERMINAL_SERVER: &str = "Control\\Terminal Server";

/// The key of the listener, below a control set.
pub(crate) const LISTENER: &str = "Control\\Terminal Server\\WinStations\\RDP-Tcp";

const LICENSING: &str = "Control\\Terminal Server\\RCM\\Licensing Core";
const DOMAIN: &str = "Services\\SharedAccess\\Parameters\\FirewallPolicy\\DomainProfile";
const PUBLIC: &str = "Services\\SharedAccess\\Parameters\\FirewallPolicy\\PublicProfile";
const STANDARD: &str = "Services\\SharedAccess\\Parameters\\FirewallPolicy\\StandardProfile";

/// The policy twins of the firewall's profiles; the private one has two names.
const DOMAIN_POLICY: &[&str] = &["Policies\\Microsoft\\WindowsFirewall\\DomainProfile"];
const PUBLIC_POLICY: &[&str] = &["Policies\\Microsoft\\WindowsFirewall\\PublicProfile"];
const STANDARD_POLICY: &[&str] = &[
    "Policies\\Microsoft\\WindowsFirewall\\StandardProfile",
    "Policies\\Microsoft\\WindowsFirewall\\PrivateProfile",
];

/// A setting in a control set, and what wins over it.
#[derive(Debug)]
pub(crate) struct Known {
    /// The key, below a control set.
    pub(crate) key: &'static str,
    /// The value's name.
    pub(crate) name: &'static str,
    /// The policy keys that win, below the root of SOFTWARE; the first that has the value counts.
    pub(crate) policy_keys: &'static [&'static str],
    /// The value's name there.
    pub(crate) policy_name: &'static str,
    /// The flag beside the value that leaves the decision to the user's account.
    pub(crate) inherit: Option<&'static str>,
    /// Whether it is a number.
    pub(crate) is_number: bool,
    /// The profile that removes the policy.
    pub(crate) lift: Option<&'static str>,
    /// The profile that gives the value its type and a good number.
    pub(crate) mend: Option<&'static str>,
    /// The numbers that Windows knows, where what it makes of others is not documented.
    pub(crate) range: Option<Range>,
}

/// The numbers that there are of a setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    /// All of them.
    pub(crate) numbers: &'static [u32],
    /// The profile that puts another one right.
    pub(crate) profile: &'static str,
}

/// The start type of a service that does not start.
pub(crate) const DISABLED: u32 = 4;

const CLEAR: Option<&str> = Some("rdp-policy-clear");

impl Known {
    /// A number of the listener that nothing wins over.
    const fn listener(name: &'static str) -> Self {
        Self {
            key: LISTENER,
            name,
            policy_keys: &[],
            policy_name: name,
            inherit: None,
            is_number: true,
            lift: None,
            mend: Some("rdp-defaults"),
            range: None,
        }
    }

    const fn terminal_server(name: &'static str) -> Self {
        Self {
            key: TERMINAL_SERVER,
            mend: Some("rdp-enable"),
            ..Self::listener(name)
        }
    }

    /// One of the firewall's switches; the policy is no Terminal Services policy.
    const fn firewall(
        key: &'static str,
        policy: &'static [&'static str],
        name: &'static str,
    ) -> Self {
        Self {
            key,
            policy_keys: policy,
            mend: None,
            ..Self::listener(name)
        }
    }

    /// With a policy of the same name.
    const fn policy(self) -> Self {
        Self {
            policy_keys: &[TS_POLICY],
            lift: CLEAR,
            ..self
        }
    }

    const fn named(self, policy_name: &'static str) -> Self {
        Self {
            policy_name,
            ..self
        }
    }

    const fn inherits(self, flag: &'static str) -> Self {
        Self {
            inherit: Some(flag),
            ..self
        }
    }

    const fn mended_by(self, profile: &'static str) -> Self {
        Self {
            mend: Some(profile),
            ..self
        }
    }

    const fn unmended(self) -> Self {
        Self { mend: None, ..self }
    }

    const fn unlifted(self) -> Self {
        Self { lift: None, ..self }
    }

    const fn text(self) -> Self {
        Self {
            is_number: false,
            ..self
        }
    }

    const fn only(self, numbers: &'static [u32], profile: &'static str) -> Self {
        Self {
            range: Some(Range { numbers, profile }),
            ..self
        }
    }

    const fn lifted_by(self, profile: &'static str) -> Self {
        Self {
            lift: Some(profile),
            ..self
        }
    }
}

/// Every setting of Terminal Services and of the firewall's switches that is looked at.
pub(crate) const KNOWN: &[Known] = &[
    Known::terminal_server("fDenyTSConnections")
        .policy()
        .lifted_by("rdp-enable")
        .only(&[0, 1], "rdp-enable"),
    Known::terminal_server("TSEnabled"),
    Known::terminal_server("TSUserEnabled"),
    Known::terminal_server("TSServerDrainMode"),
    Known::terminal_server("fSingleSessionPerUser")
        .policy()
        .mended_by("rdp-concurrency"),
    Known::listener("fEnableWinStation")
        .mended_by("rdp-enable")
        .only(&[0, 1], "rdp-enable"),
    Known::listener("fLogonDisabled").mended_by("rdp-enable"),
    Known::listener("PortNumber").mended_by("rdp-port"),
    Known::listener("LanAdapter").mended_by("rdp-port"),
    Known::listener("SecurityLayer")
        .policy()
        .only(&[0, 1, 2], "nla-restore"),
    Known::listener("MinEncryptionLevel")
        .policy()
        .only(&[1, 2, 3, 4], "rdp-encryption-compat"),
    Known::listener("UserAuthentication")
        .policy()
        .only(&[0, 1], "nla-restore"),
    Known::listener("fAllowSecProtocolNegotiation"),
    Known::listener("MaxInstanceCount").policy(),
    Known::listener("KeepAliveTimeout")
        .policy()
        .named("KeepAliveEnable")
        .lifted_by("rdp-defaults"),
    Known::listener("fInheritReconnectSame"),
    Known::listener("fReconnectSame").inherits("fInheritReconnectSame"),
    Known::listener("fInheritMaxSessionTime"),
    Known::listener("MaxConnectionTime")
        .policy()
        .inherits("fInheritMaxSessionTime"),
    Known::listener("fInheritMaxDisconnectionTime"),
    Known::listener("MaxDisconnectionTime")
        .policy()
        .inherits("fInheritMaxDisconnectionTime"),
    Known::listener("fInheritMaxIdleTime"),
    Known::listener("MaxIdleTime")
        .policy()
        .inherits("fInheritMaxIdleTime"),
    Known::listener("fInheritResetBroken").unmended(),
    Known::listener("fResetBroken")
        .policy()
        .inherits("fInheritResetBroken")
        .unmended(),
    Known::listener("fQueryUserConfigFromLocalMachine")
        .policy()
        .unlifted(),
    Known::listener("fQueryUserConfigFromDC")
        .policy()
        .unlifted()
        .unmended(),
    Known::listener("fPromptForPassword")
        .policy()
        .unlifted()
        .unmended(),
    Known::listener("SelectTransport")
        .policy()
        .unlifted()
        .unmended(),
    Known::listener("SelectNetworkDetect")
        .policy()
        .unlifted()
        .unmended(),
    Known::listener("InitialProgram")
        .policy()
        .inherits("fInheritInitialProgram")
        .unlifted()
        .unmended()
        .text(),
    Known {
        key: LICENSING,
        ..Known::listener("LicensingMode")
            .policy()
            .unlifted()
            .unmended()
    },
    Known::firewall(DOMAIN, DOMAIN_POLICY, "EnableFirewall"),
    Known::firewall(PUBLIC, PUBLIC_POLICY, "EnableFirewall"),
    Known::firewall(STANDARD, STANDARD_POLICY, "EnableFirewall"),
    Known::firewall(DOMAIN, DOMAIN_POLICY, "DoNotAllowExceptions").lifted_by("firewall-unblock"),
    Known::firewall(PUBLIC, PUBLIC_POLICY, "DoNotAllowExceptions").lifted_by("firewall-unblock"),
    Known::firewall(STANDARD, STANDARD_POLICY, "DoNotAllowExceptions")
        .lifted_by("firewall-unblock"),
];

/// A policy's number that means "no limit", where the listener says it with 0xFFFFFFFF.
pub(crate) const UNLIMITED_BY_POLICY: u32 = 999_999;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{HiveName, load};
    use crate::settings::policies::POLICIES;

    /// Whether the built-in profile has an entry for the value.
    fn speaks_of(profile: &str, hive: HiveName, keys: &[&str], name: &str) -> bool {
        let profile = load(profile).unwrap();
        let rules = profile.keys.iter().filter(|rule| {
            let key = rule.path.segments.join("\\");
            rule.path.hive == hive && keys.iter().any(|other| key.eq_ignore_ascii_case(other))
        });
        let mut values = rules.flat_map(|rule| &rule.values);
        values.any(|value| value.name.eq_ignore_ascii_case(name))
    }

    #[test]
    fn every_profile_named_has_an_entry_for_the_value() {
        for known in KNOWN {
            if let Some(profile) = known.mend {
                let found = speaks_of(profile, HiveName::System, &[known.key], known.name);
                assert!(found, "{profile} does not mend {}", known.name);
            }
            if let Some(profile) = known.lift {
                let keys = known.policy_keys;
                let found = speaks_of(profile, HiveName::Software, keys, known.policy_name);
                assert!(found, "{profile} does not lift {}", known.policy_name);
            }
        }
        for policy in POLICIES {
            if let Some(profile) = policy.lift {
                let found = speaks_of(profile, HiveName::Software, &[TS_POLICY], policy.name);
                assert!(found, "{profile} does not remove {}", policy.name);
            }
        }
    }
}
