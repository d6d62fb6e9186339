// SPDX-License-Identifier: GPL-3.0-or-later
//! The profiles that are part of the program.

use crate::profile::checking::{self, Lint};
use crate::profile::model::Profile;

/// A profile that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// The name it is called by.
    pub id: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// The YAML text, to be shown or to begin an own profile from.
    pub text: &'static str,
}

/// Looks for what the profile hardly means, beside the built-in ones; in the order of the file, 200
/// findings at most.
pub fn lint(profile: &Profile) -> Vec<Lint> {
    let shipped = builtin().iter().map(|known| (known.id, known.text));
    let shipped: Vec<_> = shipped.collect();
    checking::lint(profile, &shipped)
}

/// A table of ids and titles; each text is the file of that name in `profiles/`.
macro_rules! shipped {
    ($($id:literal: $title:literal,)*) => {
        &[$(BuiltIn {
            id: $id,
            title: $title,
            text: include_str!(concat!("../../../profiles/", $id, ".yaml")),
        },)*]
    };
}

/// Returns the profiles that are part of the program.
///
/// Id and title stand here too, so that a list of them needs no parsing; a test compares them.
#[rustfmt::skip::macros(shipped)]
pub fn builtin() -> &'static [BuiltIn] {
    shipped! {
        "rdp-baseline": "Remote Desktop works, and is safe",
        "rdp-enable": "Remote Desktop is on at every level",
        "rdp-port": "The Remote Desktop listener and its firewall rules use one port",
        "rdp-disconnects": "Remote Desktop connects, then drops",
        "rdp-defaults": "The Remote Desktop listener as Windows sets it up",
        "nla-disable": "Network Level Authentication is not demanded, to get in once",
        "nla-restore": "Network Level Authentication is demanded, and TLS negotiated",
        "nla-restore-windows-7": "Network Level Authentication is demanded (Windows Vista, 7, Server 2008 and 2008 R2)",
        "rdp-tls": "TLS 1.2 is not turned off for the server",
        "rdp-tls-legacy": "TLS 1.0 and 1.1 are turned on for the server, where they were turned off",
        "rdp-tls-legacy-off": "TLS 1.0 and 1.1 are turned off for the server, where they were turned on by hand",
        "rdp-certificate-unbind": "The listener uses Windows' own self-signed certificate",
        "rdp-selfsigned-certificate": "What Windows needs to make the listener's own certificate",
        "rdp-certificate-store": "The listener's self-signed certificate is made anew",
        "rdp-encryption-compat": "The listener's encryption level is what most clients can do",
        "rdp-encryption-low": "The listener's encryption level is the lowest",
        "rdp-security-harden": "The listener demands TLS, Network Level Authentication and strong encryption",
        "rdp-listener-ranges": "The listener's security settings are numbers that Windows knows",
        "fips-off": "Windows does not force FIPS algorithms",
        "fips-restore": "Windows forces FIPS algorithms",
        "credssp-oracle": "CredSSP lets clients in that lack the update of 2018",
        "credssp-restore": "CredSSP lets in updated clients only",
        "ssl-cipher-order-clear": "No policy chooses the cipher suites",
        "ssl-cipher-order": "A policy chooses the cipher suites",
        "tls-cipher-policy": "The policy of cipher suites is not empty",
        "lsa-domain-creds-allow": "Windows may keep credentials for the network",
        "lsa-domain-creds-forbid": "Windows keeps no credentials for the network",
        "rdp-policy-clear": "No policy overrides the Remote Desktop listener",
        "rdp-policy-relax": "A policy turns TLS and Network Level Authentication off, for a test",
        "rdp-policy-restore": "No policy turns TLS or Network Level Authentication off",
        "rcm-local-user-config": "Remote Desktop does not ask a domain controller for a user's session settings",
        "rcm-domain-user-config": "Remote Desktop asks a domain controller for a user's session settings",
        "rdp-debris": "No values of mistyped repairs beside those of Remote Desktop",
        "setup-state-clear": "Windows does not believe that its setup is running",
        "logon-subsystem": "Winlogon starts Windows' own programs",
        "rds-license-reset": "The session host's licensing certificates are made anew (2008 R2 and later)",
        "ts-license-reset-2003": "The terminal server's licensing certificates are made anew (Windows 2000 to Server 2003)",
        "rds-licensing-config": "The session host knows its licence server and licensing mode",
        "rds-session-directory-ip-clear": "The session host redirects to no address that it no longer has",
        "gateway-channel-binding": "The Remote Desktop Gateway does not demand channel binding",
        "gateway-channel-binding-restore": "The Remote Desktop Gateway demands channel binding",
        "rdp-concurrency": "No limit on the number of Remote Desktop connections",
        "rdp-services": "The services that Remote Desktop needs are not disabled and have their account",
        "rdp-certificate-services": "The services that make and keep the listener's certificate are not disabled",
        "rdp-service-dll": "The Remote Desktop service runs Windows' own program",
        "rdp-services-isolate": "The Remote Desktop service runs in a process of its own",
        "rdp-services-share": "The Remote Desktop service is of the type that Windows gives it (shared)",
        "network-services": "The services that the network needs are not disabled",
        "network-drivers": "The drivers below TCP are not disabled",
        "network-providers": "No network provider is listed that has been uninstalled",
        "dhcp-client": "The DHCP client starts, with its account",
        "dhcp-client-isolate": "The DHCP client runs in a process of its own",
        "dhcp-client-share": "The DHCP client is of the type that Windows gives it (shared)",
        "azure-services": "The services that a machine in Azure needs are not disabled",
        "azure-os-baseline": "Clock and temporary folders as a machine in Azure needs them",
        "nic-dhcp": "Network adapters with a fixed address get theirs by DHCP",
        "proxy-clear": "Windows uses no proxy for itself",
        "firewall-allow-rdp": "Windows Firewall lets Remote Desktop in",
        "firewall-unblock": "Windows Firewall follows its rules instead of blocking all that comes in",
        "firewall-service": "Windows Firewall's service can start",
        "firewall-allow-ping": "Windows Firewall answers ping",
        "firewall-on": "Windows Firewall is on for every kind of network",
        "firewall-off": "Windows Firewall is off for every kind of network, for a test",
        "ipsec-off-for-rdp": "No IPsec rule demands protection of connections to Remote Desktop",
        "ipsec-on-for-rdp": "IPsec rules that demand protection of connections to Remote Desktop are on",
        "boot-diagnostics": "A stop error leaves a dump and stays on the screen",
        "boot-diagnostics-restore": "After a stop error the machine starts again",
        "crash-dumps-of-services": "A service that crashes leaves a full dump",
        "crash-dumps-of-services-off": "Crashing services leave no dumps, as by default",
        "reboot-loop": "No agent of Azure can make the machine restart",
        "driver-verifier-off": "Driver Verifier is off",
        "last-known-good": "Windows starts with the last known good control set",
        "regback-enable": "Windows keeps copies of its registry in RegBack",
        "boot-drivers": "The drivers of the system disk start with the boot loader",
        "boot-chain": "The drivers between the firmware and the system volume start with the boot loader",
        "boot-start-overrides": "No driver of buses and disks is held back by StartOverride",
        "nvme-boot": "Windows can start from an NVMe disk",
        "virtio-boot": "Windows can start from a virtio disk",
        "vmware-to-hyperv": "A Windows that was moved from another hypervisor starts",
        "filter-drivers": "No filter of a third party on disks and volumes",
        "pending-updates": "Windows forgets an update that was half installed",
        "pending-updates-restore": "Windows can install updates",
        "servicing-pending": "Windows forgets updates that wait for a restart (SOFTWARE's part)",
        "group-policy-park": "Group Policy does not start, so that it cannot undo a repair",
        "group-policy-unpark": "Group Policy starts with Windows",
        "group-policy-keep-profiles": "No policy deletes old user profiles at the start",
        "applocker-audit": "AppLocker writes events instead of blocking",
        "applocker-enforce": "AppLocker enforces its rules",
        "memory-integrity-off": "Memory integrity and the protection of credentials are off",
        "memory-integrity-on": "Memory integrity and the protection of credentials are on, where they were turned off",
    }
}
