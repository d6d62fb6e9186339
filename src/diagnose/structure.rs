// SPDX-License-Identifier: GPL-3.0-or-later
//! What no single entry tells: keys without which there is no Remote Desktop, and a firewall whose
//! rules together let nothing in.

use super::ask::{Answers, Found};
use super::firewall::{Closed, FIREWALL, FIREWALL_POLICY, Limit, Network, networks};
use super::look::Look;
use super::{Area, Evidence};
use crate::effect::{Reader, When, in_force};
use crate::machine::{State, dword, path_in, text};
use crate::profile::{Cause, Data, HiveName, Impact, Profile};
use crate::regf::{Name, NodePath};
use crate::settings::{KNOWN, LISTENER, TERMINAL_SERVER, TS_POLICY};

const SERVICE: &str = "Services\\TermService";

/// Keys that must be there: the key, what is wrong without it, what to do.
const NEEDED: [(&str, &str, &str); 3] = [
    (
        TERMINAL_SERVER,
        "This Windows has no Remote Desktop: the key of its settings is not there",
        "Where it should have it, take the key from a healthy machine of the same Windows version; \
         no profile can make it.",
    ),
    (
        LISTENER,
        "The listener RDP-Tcp is not there, so nothing answers",
        "Take the key from a healthy machine of the same Windows version, without \
         SSLCertificateSHA1Hash; no profile can make it.",
    ),
    (
        SERVICE,
        "The service of Remote Desktop (TermService) is not there",
        "Take the key from a healthy machine of the same Windows version; no profile can make it.",
    ),
];

/// Where Server Manager notes whether the role of a session host is installed.
const ROLE: &str =
    "Microsoft\\ServerManager\\ServicingStorage\\ServerComponentCache\\RDS-RD-Server";
const LICENCE_SERVERS: &str = "Services\\TermService\\Parameters\\LicenseServers";
const SPECIFIED: &str = "SpecifiedLicenseServers";
const LICENCE_ADVICE: &str = "Mode 2 is per device, 4 per user; name the licence servers that this \
                              machine can reach.";

/// The port of Remote Desktop unless a profile wants another one.
const PORT: u16 = 3389;

/// Adds what the structure tells, and takes out what it makes pointless.
pub(super) fn add(answers: &mut Answers, look: &Look<'_, '_, '_>, port: u16) {
    let (reader, set) = (look.reader, look.set);
    for (key, cause, advice) in NEEDED {
        let key = path_in(Some(set), key);
        match reader.has_key(HiveName::System, &key) {
            Some(true) => continue,
            Some(false) => {
                let is_first = !answers.found.iter().any(|found| found.profile.is_empty());
                leave_out_below(answers, &key);
                // Without the first there is no need for the others.
                if is_first {
                    answers.found.push(missing_key(set, key, cause, advice));
                }
            }
            None => answers.found.push(damaged_key(set, key)),
        }
    }
    let listens_in_process = look.version.is_none() || look.is_at_least(6, 2);
    let networks = networks(reader, set, port, listens_in_process);
    firewall(answers, &networks, set, port);
    answers.found.extend(licence(reader, set));
}

/// A session host of Remote Desktop Services without a licensing mode or a licence server: it
/// refuses sessions once its grace period is over.
fn licence(reader: &Reader<'_, '_>, set: &str) -> Option<Found> {
    let at_start = |hive, set, key, name| {
        let key = reader.known_key(hive, set, key);
        reader.value(&key, name, When::AtStart)
    };
    let product = at_start(
        HiveName::System,
        Some(set),
        "Control\\ProductOptions",
        "ProductType",
    );
    let is_server = product
        .as_ref()
        .and_then(text)
        .is_some_and(|product| product != "WinNT");
    let role = at_start(HiveName::Software, None, ROLE, "InstallState");
    if !is_server || role.as_ref().and_then(dword) != Some(1) {
        return None;
    }
    let own = at_start(HiveName::System, Some(set), LICENCE_SERVERS, SPECIFIED);
    let policy = at_start(HiveName::Software, None, TS_POLICY, "LicenseServers");
    let has_server = own
        .as_ref()
        .is_some_and(|own| own.data.iter().any(|byte| *byte != 0))
        || policy
            .as_ref()
            .and_then(text)
            .is_some_and(|names| !names.trim().is_empty());
    let mode = KNOWN.iter().find(|known| known.name == "LicensingMode");
    let mode = mode.map(|known| (known, in_force(reader, set, known, When::AtStart)));
    let has_mode = mode
        .as_ref()
        .is_some_and(|(_, mode)| matches!(mode.number(), Some(2 | 4)));
    let (cause, key, value, found) = match (has_mode, has_server, mode) {
        (true, true, _) => return None,
        (false, _, Some((known, mode))) => (
            "The session host has no licensing mode, and refuses sessions after its grace period",
            path_in(Some(set), known.key),
            known.name,
            mode.value,
        ),
        _ => (
            "The session host has no licence server, and refuses sessions after its grace period",
            path_in(Some(set), LICENCE_SERVERS),
            SPECIFIED,
            own,
        ),
    };
    let cause = Cause {
        impact: Impact::Blocks,
        text: cause.into(),
    };
    let found_there = found.map(State::Value);
    let mut found = structural(cause, set, key, Some(Name::from(value)), LICENCE_ADVICE);
    found.profile = "rds-licensing-config".to_owned();
    found.evidence.found.clone_from(&found_there);
    found.evidence.wanted = found_there;
    Some(found)
}

/// What is below a key that is not there needs no word of its own.
fn leave_out_below(answers: &mut Answers, missing: &NodePath) {
    answers.found.retain(|found| {
        let is_below = found.evidence.key.is_at_or_below(missing);
        found.evidence.hive != HiveName::System || !is_below
    });
}

/// Said of a key that cannot be read.
pub(super) const DAMAGED_KEY: &str = "SYSTEM is damaged where the settings of Remote Desktop are";

fn damaged_key(set: &str, key: NodePath) -> Found {
    let cause = Cause {
        impact: Impact::Blocks,
        text: DAMAGED_KEY.into(),
    };
    let advice = "Look at the damage with hivemend check TARGET, and repair it with hivemend mend \
                  TARGET. Windows cannot read it either.";
    structural(cause, set, key, None, advice)
}

fn missing_key(set: &str, key: NodePath, cause: &str, advice: &str) -> Found {
    let cause = Cause {
        impact: Impact::Blocks,
        text: cause.into(),
    };
    structural(cause, set, key, None, advice)
}

fn structural(cause: Cause, set: &str, key: NodePath, value: Option<Name>, advice: &str) -> Found {
    Found {
        area: Area::RemoteDesktop,
        cause,
        profile: String::new(),
        with: Vec::new(),
        advice: Some(advice.to_owned()),
        evidence: Evidence {
            hive: HiveName::System,
            control_set: Some(set.to_owned()),
            key,
            value,
            found: None,
            wanted: None,
            note: None,
        },
    }
}

/// The port that the profiles want the listener to have.
pub(super) fn wanted_port(profiles: &[Profile]) -> u16 {
    let rules = profiles.iter().flat_map(|profile| &profile.keys);
    let values = rules.flat_map(|rule| &rule.values);
    let mut ports = values.filter(|value| value.name.eq_ignore_ascii_case("PortNumber"));
    let port = ports.find_map(|value| match value.want.to_write() {
        Some(Data::Dword(port)) => u16::try_from(*port).ok(),
        _ => None,
    });
    port.unwrap_or(PORT)
}

/// What the firewall's rules come to, whatever single rules say.
fn firewall(answers: &mut Answers, networks: &[Network], set: &str, port: u16) {
    if networks.is_empty() {
        return;
    }
    let rules = path_in(Some(set), &format!("{FIREWALL}\\FirewallRules"));
    let is_open = networks.iter().all(|network| network.closed.is_none());
    let in_key = |found: &Found, key: &NodePath| found.evidence.key.same_as(key);
    answers
        .found
        .retain(|found| !is_open || !in_key(found, &rules));
    for network in networks.iter().filter(|network| network.closed.is_none()) {
        // A network without a firewall needs no exceptions.
        let key = path_in(Some(set), &format!("{FIREWALL}\\{}", network.key));
        let exceptions = Name::from("DoNotAllowExceptions");
        answers.found.retain(|found| {
            let is_exceptions = found
                .evidence
                .value
                .as_ref()
                .is_some_and(|v| v.same_as(&exceptions));
            !(is_exceptions && in_key(found, &key))
        });
    }
    let not_merged = |network: &Network| matches!(network.closed, Some(Closed::NotMerged(_)));
    if networks.iter().any(not_merged) {
        // The rules of this machine are as they should be, and do not count.
        answers.found.retain(|found| !in_key(found, &rules));
    }
    let first = networks.iter().find_map(|network| network.closed.as_ref());
    let is_said = answers.found.iter().any(|found| {
        let key = found.evidence.key.text();
        let key = key.raw().to_ascii_lowercase();
        let is_it = match first {
            // Another rule that is wrong is not the one that blocks.
            Some(Closed::Rule(id)) => found.evidence.value == Some(Name::from(id.as_str())),
            _ => true,
        };
        found.cause.impact == Impact::Blocks && key.contains("firewallpolicy") && is_it
    });
    if !is_said {
        answers.found.extend(closed(networks, set, &rules, port));
    }
    answers.found.extend(limited(networks, set, &rules, port));
}

/// The firewall as a cause of its own, where it lets nothing in.
fn closed(networks: &[Network], set: &str, rules: &NodePath, port: u16) -> Option<Found> {
    let closed = || networks.iter().filter(|network| network.closed.is_some());
    let first = closed().find_map(|network| network.closed.clone())?;
    let names: Vec<&str> = closed().map(|network| network.name).collect();
    let everywhere = names.len() == networks.len();
    let mut policy = None;
    let (text, value) = match first {
        Closed::Rule(id) => (
            format!("The firewall rule {id} blocks TCP port {port}"),
            Some(Name::from(id.as_str())),
        ),
        Closed::NotMerged(key) => {
            policy = Some(path_in(None, &format!("{FIREWALL_POLICY}\\{key}")));
            (
                format!(
                    "A policy says that the firewall rules of this machine do not count, so that \
                     none lets TCP port {port} in"
                ),
                Some(Name::from("AllowLocalPolicyMerge")),
            )
        }
        Closed::NoRule => (format!("No firewall rule lets TCP port {port} in"), None),
        Closed::NoExceptions => ("The firewall allows no exceptions".to_owned(), None),
    };
    let (impact, text) = match everywhere {
        true => (Impact::Blocks, text),
        // Which kind of network the machine will be in cannot be told from its hives.
        false => (
            Impact::Unusual,
            format!("{text} on networks of the kind {}", names.join(", ")),
        ),
    };
    let cause = Cause {
        impact,
        text: text.into(),
    };
    let mut found = structural(cause, set, rules.clone(), value, LOOK_AT_RULES);
    found.area = Area::Network;
    if let Some(key) = policy {
        found.advice = Some(NOT_MERGED.to_owned());
        found.evidence.hive = HiveName::Software;
        found.evidence.control_set = None;
        found.evidence.key = key;
        let zero = super::look::dword_of(0);
        found.evidence.found = Some(State::Value(zero));
        found.evidence.note = Some("the rules are right as they are".to_owned());
    }
    Some(found)
}

const LOOK_AT_RULES: &str = "Look at the rules with: hivemend show TARGET \
     'SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules'";
const NOT_MERGED: &str = "Delete this value, or set it to 1; where a domain sets it, add the rule to \
     the domain's policy.";

/// Rules that let in, or keep out, some only.
fn limited(networks: &[Network], set: &str, rules: &NodePath, port: u16) -> Vec<Found> {
    let mut seen: Vec<&Limit> = Vec::new();
    for limit in networks.iter().flat_map(|network| &network.limits) {
        if !seen.contains(&limit) {
            seen.push(limit);
        }
    }
    let found = seen.into_iter().map(|limit| {
        let text = match limit.blocks {
            true => format!("The firewall keeps some out of TCP port {port}"),
            false => format!("The firewall opens TCP port {port} for some only"),
        };
        let cause = Cause {
            impact: Impact::Unusual,
            text: text.into(),
        };
        let value = Some(Name::from(limit.id.as_str()));
        let mut found = structural(cause, set, rules.clone(), value, LOOK_AT_RULES);
        found.area = Area::Network;
        found.evidence.note = Some(format!("for {}", limit.whom));
        found
    });
    found.collect()
}
