// SPDX-License-Identifier: GPL-3.0-or-later
//! The profiles that are part of the program.

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

/// A table of ids and titles; each text is the file of that name in `profiles/`.
macro_rules! shipped {
    ($($id:literal: $title:literal,)*) => {
        &[$(BuiltIn {
            id: $id,
            title: $title,
            text: include_str!(concat!("../../profiles/", $id, ".yaml")),
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
        "rdp-encryption-compat": "The listener's encryption level is what most clients can do",
        "rdp-encryption-low": "The listener's encryption level is the lowest",
        "rdp-security-harden": "The listener demands TLS, Network Level Authentication and strong encryption",
        "fips-off": "Windows does not force FIPS algorithms",
        "fips-restore": "Windows forces FIPS algorithms",
        "credssp-oracle": "CredSSP lets clients in that lack the update of 2018",
        "credssp-restore": "CredSSP lets in updated clients only",
        "ssl-cipher-order-clear": "No policy chooses the cipher suites",
        "ssl-cipher-order": "A policy chooses the cipher suites",
        "lsa-domain-creds-allow": "Windows may keep credentials for the network",
        "lsa-domain-creds-forbid": "Windows keeps no credentials for the network",
        "rdp-policy-clear": "No policy overrides the Remote Desktop listener",
        "rdp-policy-relax": "A policy turns TLS and Network Level Authentication off, for a test",
        "rdp-policy-restore": "No policy turns TLS or Network Level Authentication off",
        "rcm-local-user-config": "Remote Desktop does not ask a domain controller for a user's session settings",
        "rcm-domain-user-config": "Remote Desktop asks a domain controller for a user's session settings",
        "rdp-debris": "No values of mistyped repairs beside those of Remote Desktop",
        "setup-state-clear": "Windows does not believe that its setup is running",
        "rds-license-reset": "The session host's licensing certificates are made anew (2008 R2 and later)",
        "ts-license-reset-2003": "The terminal server's licensing certificates are made anew (Windows 2000 to Server 2003)",
        "rds-licensing-config": "The session host knows its licence server and licensing mode",
        "rds-session-directory-ip-clear": "The session host redirects to no address that it no longer has",
        "rdp-concurrency": "No limit on the number of Remote Desktop connections",
        "rdp-services": "The services that Remote Desktop needs are not disabled and have their account",
        "rdp-certificate-services": "The services that make and keep the listener's certificate are not disabled",
        "rdp-service-dll": "The Remote Desktop service runs Windows' own program",
        "rdp-services-isolate": "The Remote Desktop service runs in a process of its own",
        "rdp-services-share": "The Remote Desktop service shares its process, as Windows has it",
        "network-services": "The services that the network needs are not disabled",
        "dhcp-client": "The DHCP client starts, with its account",
        "dhcp-client-isolate": "The DHCP client runs in a process of its own",
        "dhcp-client-share": "The DHCP client shares its process, as Windows has it",
        "azure-services": "The services that a machine in Azure needs are not disabled",
        "azure-os-baseline": "Clock and temporary folders as a machine in Azure needs them",
        "nic-dhcp": "Network adapters with a fixed address get theirs by DHCP",
        "firewall-allow-rdp": "Windows Firewall lets Remote Desktop in",
        "firewall-unblock": "Windows Firewall follows its rules instead of blocking all that comes in",
        "firewall-allow-ping": "Windows Firewall answers ping",
        "firewall-on": "Windows Firewall is on for every kind of network",
        "firewall-off": "Windows Firewall is off for every kind of network, for a test",
        "boot-diagnostics": "A stop error leaves a dump and stays on the screen",
        "boot-diagnostics-restore": "After a stop error the machine starts again",
        "crash-dumps-of-services": "A service that crashes leaves a full dump",
        "crash-dumps-of-services-off": "Crashing services leave no dumps, as by default",
        "reboot-loop": "No agent of Azure can make the machine restart",
        "last-known-good": "Windows starts with the last known good control set",
        "boot-drivers": "The drivers of the system disk start with the boot loader",
        "filter-drivers": "No filter of a third party on disks and volumes",
        "pending-updates": "Windows forgets an update that was half installed",
        "pending-updates-restore": "Windows can install updates",
        "group-policy-park": "Group Policy does not start, so that it cannot undo a repair",
        "group-policy-unpark": "Group Policy starts with Windows",
        "group-policy-keep-profiles": "No policy deletes old user profiles at the start",
    }
}
