// SPDX-License-Identifier: GPL-3.0-or-later
//! The firewall of XP SP2 and 2003, which has lists of ports and programs instead of rules.

use super::Area;
use super::firewall::{FIREWALL, FIREWALL_POLICY};
use super::look::{At, Look, in_set, in_software};
use crate::machine::text;
use crate::profile::Impact;

pub(super) fn look(look: &mut Look<'_, '_, '_>, port: u16) {
    let is_old = look.version.is_some_and(|version| version.major < 6);
    let rules = format!("{FIREWALL}\\FirewallRules");
    if !is_old || look.has(in_set(&rules)) || !look.has(in_set(FIREWALL)) {
        return;
    }
    // 2003 has the service disabled, and no firewall then.
    if look.number(in_set("Services\\SharedAccess"), "Start") == Some(4) {
        return;
    }
    let networks = ["StandardProfile", "DomainProfile"];
    let closed: Vec<&str> = networks
        .into_iter()
        .filter(|network| is_closed(look, network, port))
        .collect();
    let Some(first) = closed.first() else {
        return;
    };
    let (impact, of) = match closed.len() {
        2 => (Impact::Blocks, String::new()),
        _ => (Impact::Unusual, format!(" in the {first}")),
    };
    let list = format!("{FIREWALL}\\{first}\\GloballyOpenPorts\\List");
    let cause = format!("The firewall does not have TCP port {port} among its open ports{of}");
    let value = format!("{port}:TCP");
    look.wrong((Area::Network, impact), cause, in_set(&list), Some(&value))
        .advise(format!(
            "A value {port}:TCP of type REG_SZ with the text {port}:TCP:*:Enabled:Remote Desktop opens it."
        ));
}

fn is_closed(look: &Look<'_, '_, '_>, network: &str, port: u16) -> bool {
    let local = format!("{FIREWALL}\\{network}");
    let policy = format!("{FIREWALL_POLICY}\\{network}");
    let places = [in_software(&policy), in_set(&local)];
    let switch = |name: &str| places.iter().find_map(|at| look.number(*at, name));
    if switch("EnableFirewall") != Some(1) {
        return false;
    }
    if switch("DoNotAllowExceptions") == Some(1) {
        return true;
    }
    let lists = [&policy, &local].map(|key| format!("{key}\\GloballyOpenPorts\\List"));
    let [policy, local] = &lists;
    let said = [in_software(policy), in_set(local)];
    let said = said.into_iter().find_map(|at| listed(look, at, port));
    said != Some(true)
}

/// Whether a list opens the port, where it speaks of it: `3389:TCP:*:Enabled:a name`.
fn listed(look: &Look<'_, '_, '_>, at: At<'_>, port: u16) -> Option<bool> {
    let listed = look.reader.listed(at.hive, &look.path(at));
    let mut entries = listed.into_iter().filter_map(|(_, value)| text(&value));
    entries.find_map(|entry| {
        let mut parts = entry.split(':');
        let is_ours = parts.next()?.trim().parse() == Ok(port)
            && parts.next()?.trim().eq_ignore_ascii_case("TCP");
        let (_scope, state) = (parts.next()?, parts.next()?);
        is_ours.then(|| state.trim().eq_ignore_ascii_case("Enabled"))
    })
}
