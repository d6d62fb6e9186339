// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether the machine reaches the network, the firewall's rules aside.

use super::Area;
use super::firewall::{FIREWALL, FIREWALL_POLICY, covers_port};
use super::look::{At, Look, Presence, in_set, in_software};
use crate::machine::text;
use crate::profile::Impact;
use crate::regf::Name;

pub(super) fn look(look: &mut Look<'_, '_, '_>, port: u16) {
    firewall_service(look);
    connection_security(look, port);
    packet_filter(look, port);
    providers(look);
}

/// A list where the firewall reads a text keeps it from starting: nothing is let in then, not even ping.
fn firewall_service(look: &mut Look<'_, '_, '_>) {
    let key = in_set("Services\\mpssvc\\Parameters\\AppCs");
    let value = look.value(key, "DebugedLoopbackApps");
    if value.is_some_and(|value| value.kind != 1) {
        let cause = "The firewall's service stops over a value of the wrong type, and every port is \
                     closed (event 7024)";
        look.wrong(
            (Area::Network, Impact::Blocks),
            cause,
            key,
            Some("DebugedLoopbackApps"),
        )
        .should_be(None)
        .mended_by("firewall-service")
        .advise("Delete the value: Windows makes it anew.");
    }
}

/// Rules that demand IPsec of what comes in: who has none waits until the time is out.
fn connection_security(look: &mut Look<'_, '_, '_>, port: u16) {
    let local = format!("{FIREWALL}\\ConSecRules");
    let policy = format!("{FIREWALL_POLICY}\\ConSecRules");
    for at in [in_set(&local), in_software(&policy)] {
        for (name, value) in look.reader.listed(at.hive, &look.path(at)) {
            let Some(rule) = text(&value) else {
                continue;
            };
            demanded(look, port, at, &name, &rule);
        }
    }
}

fn demanded(look: &mut Look<'_, '_, '_>, port: u16, at: At<'_>, name: &Name, rule: &str) {
    let token = |wanted: &str| {
        let mut tokens = rule.split('|').filter_map(|token| token.split_once('='));
        tokens
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    };
    let is = |name: &str, value: &str| {
        token(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
    };
    let demands = is("Action", "Secure") || is("Action", "SecureServer");
    let is_tcp = token("Protocol").is_none_or(|number| matches!(number, "6" | "256"));
    let ports = ["EP1Port", "EP1Port2_10", "EP2Port", "EP2Port2_10"];
    let ports: Vec<&str> = ports.iter().filter_map(|name| token(name)).collect();
    let is_port = ports.is_empty() || ports.iter().any(|range| covers_port(range, port));
    if !is("Active", "TRUE") || !demands || !is_tcp || !is_port {
        return;
    }
    let limits = [
        "EP1_4", "EP1_6", "EP2_4", "EP2_6", "Profile", "IF", "IFType",
    ];
    let limited: Vec<&str> = limits
        .iter()
        .copied()
        .filter(|name| token(name).is_some())
        .collect();
    let (impact, whom) = match limited.is_empty() {
        true => (Impact::Blocks, "of everybody"),
        false => (Impact::Unusual, "of some addresses or networks"),
    };
    let cause =
        format!("A connection security rule demands IPsec {whom} who comes to TCP port {port}");
    let name = name.to_text();
    look.wrong((Area::Network, impact), cause, at, Some(&name))
        .mended_by("ipsec-off-for-rdp")
        .advise("Set Active=TRUE in the rule to Active=FALSE where no IPsec is set up.");
}

/// TCP/IP filtering, which XP and 2003 have below every firewall.
fn packet_filter(look: &mut Look<'_, '_, '_>, port: u16) {
    const PARAMETERS: &str = "Services\\Tcpip\\Parameters";
    let is_old = look.version.is_some_and(|version| version.major < 6);
    let is_on = look.number(in_set(PARAMETERS), "EnableSecurityFilters");
    if !is_old || is_on.is_none_or(|on| on == 0) {
        return;
    }
    for interface in look.subkeys(in_set(&format!("{PARAMETERS}\\Interfaces"))) {
        let key = format!("{PARAMETERS}\\Interfaces\\{interface}");
        let ports = look
            .list(in_set(&key), "TCPAllowedPorts")
            .unwrap_or_default();
        let lets_in = |allowed: &String| {
            allowed
                .parse::<u16>()
                .is_ok_and(|allowed| allowed == 0 || allowed == port)
        };
        if !ports.is_empty() && !ports.iter().any(lets_in) {
            let cause = format!("TCP/IP filtering of this adapter does not let TCP port {port} in");
            look.wrong(
                (Area::Network, Impact::Blocks),
                cause,
                in_set(&key),
                Some("TCPAllowedPorts"),
            )
            .advise("Set EnableSecurityFilters to 0, or add the port to the list.");
        }
    }
}

/// A provider whose file is gone makes the logon wait for the network.
fn providers(look: &mut Look<'_, '_, '_>) {
    let order = in_set("Control\\NetworkProvider\\Order");
    for provider in look.list(order, "ProviderOrder").unwrap_or_default() {
        let key = format!("Services\\{provider}\\NetworkProvider");
        let at = in_set(&key);
        let file = look.text(at, "ProviderPath");
        let is_missing = match &file {
            None => look.lacks(at),
            Some(file) => (look.files)(file) == Presence::Missing,
        };
        if is_missing {
            let cause = format!(
                "The network provider {provider} has no file: the logon may wait for it (\"Please \
                 wait for the Network Connections\")"
            );
            look.wrong(
                (Area::Network, Impact::Unusual),
                cause,
                order,
                Some("ProviderOrder"),
            )
            .mended_by("network-providers")
            .advise(format!(
                "Take {provider} out of ProviderOrder, unless it comes with Windows."
            ));
        }
    }
}
