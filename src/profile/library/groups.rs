// SPDX-License-Identifier: GPL-3.0-or-later
//! What each built-in profile is about.

/// Profiles that are about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they are about, for people.
    pub title: &'static str,
    /// Their ids, in the order in which they are listed.
    pub ids: &'static [&'static str],
}

/// The groups of the built-in profiles; each profile is in one of them. `docs/library.md` has the same.
pub fn groups() -> &'static [Group] {
    GROUPS
}

/// What a built-in profile is about.
pub fn group_of(id: &str) -> Option<&'static str> {
    let group = GROUPS.iter().find(|group| group.ids.contains(&id));
    group.map(|group| group.title)
}

const GROUPS: &[Group] = &[
    Group {
        title: "Getting in",
        ids: &[
            "rdp-baseline",
            "rdp-enable",
            "rdp-port",
            "rdp-disconnects",
            "rdp-defaults",
            "rdp-concurrency",
            "rcm-local-user-config",
            "rcm-domain-user-config",
            "rdp-debris",
            "setup-state-clear",
            "logon-subsystem",
        ],
    },
    Group {
        title: "Authentication, TLS and certificates",
        ids: &[
            "nla-disable",
            "nla-restore",
            "nla-restore-windows-7",
            "rdp-tls",
            "rdp-tls-legacy",
            "rdp-tls-legacy-off",
            "rdp-certificate-unbind",
            "rdp-selfsigned-certificate",
            "rdp-certificate-store",
            "rdp-encryption-compat",
            "rdp-encryption-low",
            "rdp-security-harden",
            "rdp-listener-ranges",
            "fips-off",
            "fips-restore",
            "credssp-oracle",
            "credssp-restore",
            "ssl-cipher-order-clear",
            "ssl-cipher-order",
            "tls-cipher-policy",
            "lsa-domain-creds-allow",
            "lsa-domain-creds-forbid",
        ],
    },
    Group {
        title: "Policy",
        ids: &[
            "rdp-policy-clear",
            "rdp-policy-relax",
            "rdp-policy-restore",
            "group-policy-park",
            "group-policy-unpark",
            "group-policy-keep-profiles",
            "applocker-audit",
            "applocker-enforce",
            "memory-integrity-off",
            "memory-integrity-on",
        ],
    },
    Group {
        title: "Licensing",
        ids: &[
            "rds-license-reset",
            "ts-license-reset-2003",
            "rds-licensing-config",
            "rds-session-directory-ip-clear",
            "gateway-channel-binding",
            "gateway-channel-binding-restore",
        ],
    },
    Group {
        title: "Services and network",
        ids: &[
            "rdp-services",
            "rdp-certificate-services",
            "rdp-service-dll",
            "rdp-services-isolate",
            "rdp-services-share",
            "network-services",
            "network-drivers",
            "network-providers",
            "dhcp-client",
            "dhcp-client-isolate",
            "dhcp-client-share",
            "azure-services",
            "azure-os-baseline",
            "nic-dhcp",
            "proxy-clear",
        ],
    },
    Group {
        title: "Windows Firewall",
        ids: &[
            "firewall-allow-rdp",
            "firewall-unblock",
            "firewall-service",
            "firewall-allow-ping",
            "firewall-on",
            "firewall-off",
            "ipsec-off-for-rdp",
            "ipsec-on-for-rdp",
        ],
    },
    Group {
        title: "Start-up and crashes",
        ids: &[
            "boot-diagnostics",
            "boot-diagnostics-restore",
            "crash-dumps-of-services",
            "crash-dumps-of-services-off",
            "reboot-loop",
            "driver-verifier-off",
            "last-known-good",
            "regback-enable",
            "boot-drivers",
            "boot-chain",
            "boot-start-overrides",
            "nvme-boot",
            "virtio-boot",
            "vmware-to-hyperv",
            "filter-drivers",
            "pending-updates",
            "pending-updates-restore",
            "servicing-pending",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::builtin;

    /// The document has the same groups with the same profiles in the same order.
    #[test]
    fn each_profile_is_in_one_group_of_the_document() {
        let document = include_str!("../../../docs/library.md");
        let sections = document.split("\n## ").skip(1).map(|section| {
            let ids = section.lines().filter_map(|line| {
                let (id, _) = line.strip_prefix("| `")?.split_once('`')?;
                Some(id)
            });
            (section.lines().next().unwrap_or_default(), ids.collect())
        });
        let sections: Vec<(&str, Vec<&str>)> = sections.collect();
        let groups: Vec<(&str, Vec<&str>)> = groups()
            .iter()
            .map(|group| (group.title, group.ids.to_vec()))
            .collect();
        assert_eq!(groups, sections);
        let all: usize = groups.iter().map(|(_, ids)| ids.len()).sum();
        assert_eq!(all, builtin().len());
        assert!(builtin().iter().all(|known| group_of(known.id).is_some()));
    }
}
