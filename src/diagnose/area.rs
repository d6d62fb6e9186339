// SPDX-License-Identifier: GPL-3.0-or-later
//! The order in which a machine comes up, and what can be said of each step.

use super::Evidence;

use crate::profile::HiveName;

/// A step on the way to a session, the first one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Windows starts: boot drivers, Setup, the session manager, the services that all others need.
    Start,
    /// It reaches the network: drivers and services below TCP, IPsec, the firewall.
    Network,
    /// Remote Desktop listens and accepts.
    RemoteDesktop,
    /// This user may in: policies and rights.
    Rights,
}

impl Area {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [
        Self::Start,
        Self::Network,
        Self::RemoteDesktop,
        Self::Rights,
    ];

    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Network => "network",
            Self::RemoteDesktop => "remote-desktop",
            Self::Rights => "rights",
        }
    }

    /// The question that it answers.
    pub fn question(self) -> &'static str {
        match self {
            Self::Start => "Does Windows start?",
            Self::Network => "Does it reach the network?",
            Self::RemoteDesktop => "Does Remote Desktop accept?",
            Self::Rights => "May this user in?",
        }
    }

    /// What is never judged in it: it is not in SYSTEM or SOFTWARE, or not to be told from there.
    pub fn never_judged(self) -> &'static str {
        match self {
            Self::Start => {
                "the boot configuration (BCD), the content of files, the disk, other hives"
            }
            Self::Network => {
                "the address, routes, adapters that are there, firewalls in front of it"
            }
            Self::RemoteDesktop => "the certificate's private key and its permissions",
            Self::Rights => {
                "the rights to log on in the hive SECURITY, passwords, lock-out, group membership"
            }
        }
    }

    /// The step that drift belongs to, by the profile that knows it and by where it is.
    pub(super) fn of(profile: &str, evidence: &Evidence) -> Self {
        const START: &[&str] = &[
            "azure-os-baseline",
            "boot-chain",
            "boot-drivers",
            "filter-drivers",
            "last-known-good",
            "logon-subsystem",
            "nvme-boot",
            "pending-updates",
            "reboot-loop",
            "servicing-pending",
            "setup-state-clear",
            "virtio-boot",
            "vmware-to-hyperv",
        ];
        const NETWORK: &[&str] = &["dhcp-client", "firewall", "ipsec", "network-", "nic-"];
        const RIGHTS: &[&str] = &["applocker", "lsa-", "rcm-"];
        let begins = |words: &[&str]| words.iter().any(|word| profile.starts_with(word));
        let key = evidence.key.text();
        let has = |part: &str| {
            evidence.hive == HiveName::System && key.raw().to_ascii_lowercase().contains(part)
        };
        match () {
            () if START.contains(&profile) => Self::Start,
            () if begins(NETWORK) || has("\\firewallpolicy") => Self::Network,
            () if begins(RIGHTS) => Self::Rights,
            () => Self::RemoteDesktop,
        }
    }
}

/// What is known of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is a cause in it.
    Blocked,
    /// Not as far as the registry tells.
    NotBlocked,
    /// Nobody looked; why is said beside it.
    NotJudged,
}

impl Verdict {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::NotBlocked => "not-blocked",
            Self::NotJudged => "not-judged",
        }
    }
}

/// A step with its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaVerdict {
    /// The step.
    pub area: Area,
    /// What is known of it.
    pub verdict: Verdict,
    /// How many causes in it block.
    pub blocks: usize,
    /// What could not be judged here, and why.
    pub open: Vec<String>,
}
