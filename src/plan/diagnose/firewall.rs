// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether the Windows firewall lets a connection to Remote Desktop in.

use crate::plan::effective::in_force;
use crate::plan::effective::known::{KNOWN, Known};
use crate::plan::effective::reader::{Reader, When, dword, path, text};
use crate::profile::HiveName;
use crate::regf::NodePath;

/// The key of the firewall's settings, below a control set.
pub(super) const FIREWALL: &str = "Services\\SharedAccess\\Parameters\\FirewallPolicy";

/// The key of the firewall's policies, below the root of SOFTWARE.
const FIREWALL_POLICY: &str = "Policies\\Microsoft\\WindowsFirewall";

/// Each kind of network: its name in rules, its key, its policy keys.
const NETWORKS: [(&str, &str, &[&str]); 3] = [
    ("Domain", "DomainProfile", &["DomainProfile"]),
    (
        "Private",
        "StandardProfile",
        &["StandardProfile", "PrivateProfile"],
    ),
    ("Public", "PublicProfile", &["PublicProfile"]),
];

/// A kind of network, and what the firewall does there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// Its name: `Domain`, `Private`, `Public`.
    pub(super) name: &'static str,
    /// The key of its switches, below the key of the firewall's settings.
    pub(super) key: &'static str,
    /// Why nothing comes in; `None` where it does.
    pub(super) closed: Option<Closed>,
}

/// Why the firewall lets nothing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// No exceptions are allowed at all.
    NoExceptions,
    /// This rule blocks it.
    Rule(String),
    /// No rule allows it.
    NoRule,
}

/// What the firewall does with a TCP connection to `port`, for each kind of network; nothing where
/// this Windows has no such firewall.
pub(super) fn networks(reader: &Reader<'_, '_>, set: &str, port: u16) -> Vec<Network> {
    let rules_key = path(Some(set), &format!("{FIREWALL}\\FirewallRules"));
    if reader.has_key(HiveName::System, &rules_key) != Some(true) {
        return Vec::new();
    }
    let policy_key = path(None, &format!("{FIREWALL_POLICY}\\FirewallRules"));
    let local = rules(reader, HiveName::System, &rules_key);
    let policy = rules(reader, HiveName::Software, &policy_key);
    let firewall = Firewall {
        reader,
        set,
        port,
        local,
        policy,
    };
    let networks = NETWORKS.iter().map(|(name, key, policies)| Network {
        name,
        key,
        closed: firewall.closed(name, key, policies),
    });
    networks.collect()
}

fn rules(reader: &Reader<'_, '_>, hive: HiveName, key: &NodePath) -> Vec<Rule> {
    let listed = reader.listed(hive, key).into_iter();
    let rules = listed.filter_map(|(name, value)| Rule::read(name.to_text(), &text(&value)?));
    rules.collect()
}

struct Firewall<'f, 'r, 'h> {
    reader: &'f Reader<'r, 'h>,
    set: &'f str,
    port: u16,
    local: Vec<Rule>,
    policy: Vec<Rule>,
}

impl Firewall<'_, '_, '_> {
    fn closed(&self, network: &str, key: &str, policies: &[&str]) -> Option<Closed> {
        if self.switch(key, "EnableFirewall") == Some(0) {
            return None;
        }
        if self.switch(key, "DoNotAllowExceptions") == Some(1) {
            return Some(Closed::NoExceptions);
        }
        let own = path(Some(self.set), &format!("{FIREWALL}\\{key}"));
        let policy = |name| self.policy_switch(policies, name);
        let action = || self.number(HiveName::System, &own, "DefaultInboundAction");
        let lets_in = policy("DefaultInboundAction").or_else(action) == Some(0);
        let merges = policy("AllowLocalPolicyMerge") != Some(0);
        let local = self.local.iter().filter(|_| merges);
        let mut ours: Vec<&Rule> = self.policy.iter().chain(local).collect();
        ours.retain(|rule| rule.is_about(self.port, network));
        if let Some(rule) = ours.iter().find(|rule| rule.blocks && !rule.is_limited) {
            return Some(Closed::Rule(rule.id.clone()));
        }
        let is_open = lets_in || ours.iter().any(|rule| !rule.blocks);
        (!is_open).then_some(Closed::NoRule)
    }

    /// A switch of a network, its policy heeded.
    fn switch(&self, key: &str, name: &str) -> Option<u32> {
        let full = format!("{FIREWALL}\\{key}");
        let is_ours = |known: &&Known| known.key == full && known.name == name;
        let known = KNOWN.iter().find(is_ours)?;
        in_force(self.reader, self.set, known, When::AtStart).number()
    }

    fn policy_switch(&self, policies: &[&str], name: &str) -> Option<u32> {
        let mut policies = policies.iter();
        policies.find_map(|policy| {
            let key = path(None, &format!("{FIREWALL_POLICY}\\{policy}"));
            self.number(HiveName::Software, &key, name)
        })
    }

    fn number(&self, hive: HiveName, key: &NodePath, name: &str) -> Option<u32> {
        let key = self.reader.key(hive, key);
        let value = self.reader.value(&key, name, When::AtStart)?;
        dword(&value)
    }
}

/// An active rule for what comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    id: String,
    blocks: bool,
    /// Whether it is about TCP.
    is_tcp: bool,
    /// First and last port of each range; empty for every port.
    ports: Vec<(u16, u16)>,
    /// The networks that it is for; empty for all.
    networks: Vec<String>,
    /// Whether it is about the program and service that serve Remote Desktop.
    is_service: bool,
    /// Whether it holds for some addresses or interfaces only.
    is_limited: bool,
}

impl Rule {
    /// The rule, unless it is off, about what goes out, or no rule.
    fn read(id: String, text: &str) -> Option<Self> {
        let mut rule = Self {
            id,
            blocks: false,
            is_tcp: true,
            ports: Vec::new(),
            networks: Vec::new(),
            is_service: true,
            is_limited: false,
        };
        let (mut is_active, mut is_inbound) = (false, false);
        let (version, tokens) = text.split_once('|')?;
        if !version.starts_with(['v', 'V']) {
            return None;
        }
        for token in tokens.split('|').filter(|token| !token.is_empty()) {
            let (name, value) = token.split_once('=')?;
            let is = |other: &str| value.eq_ignore_ascii_case(other);
            match name.to_ascii_lowercase().as_str() {
                "active" => is_active = is("TRUE"),
                "dir" => is_inbound = is("In"),
                "action" => rule.blocks = is("Block"),
                "protocol" => rule.is_tcp = matches!(value, "6" | "256"),
                "lport" | "lport2_10" | "lport2_20" => rule.ports.push(range(value)?),
                "profile" => rule.networks.push(value.to_owned()),
                "app" => rule.is_service &= is_host(value),
                "svc" => rule.is_service &= is("termservice") || is("*"),
                "name" | "desc" | "embedctxt" | "edge" | "defer" => {}
                _ => rule.is_limited = true,
            }
        }
        (is_active && is_inbound).then_some(rule)
    }

    fn is_about(&self, port: u16, network: &str) -> bool {
        let mut ports = self.ports.iter();
        let has_port = ports.any(|(first, last)| (*first..=*last).contains(&port));
        let mut networks = self.networks.iter();
        let has_network = networks.any(|name| name.eq_ignore_ascii_case(network));
        self.is_tcp
            && self.is_service
            && (self.ports.is_empty() || has_port)
            && (self.networks.is_empty() || has_network)
    }
}

/// `3389` or `5000-5010`; a word such as `RPC` is no port of ours.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

/// Whether a program may be the one that the service runs in.
fn is_host(app: &str) -> bool {
    let file = app.rsplit('\\').next().unwrap_or(app);
    file.eq_ignore_ascii_case("svchost.exe") || file.eq_ignore_ascii_case("System")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(tokens: &str) -> Option<Rule> {
        Rule::read("r".to_owned(), &format!("v2.30|{tokens}"))
    }

    #[test]
    fn a_rule_is_read_by_its_tokens() {
        let open =
            rule("Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Svc=TermService|").unwrap();
        assert!(open.is_about(3389, "Public") && !open.blocks && !open.is_limited);
        assert!(!open.is_about(3390, "Public"));
        let some = rule(
            "Action=Block|Active=True|Dir=In|Profile=Domain|LPort2_10=3000-4000|RA4=10.0.0.1|",
        )
        .unwrap();
        assert!(some.is_about(3389, "Domain") && !some.is_about(3389, "Public"));
        assert!(some.blocks && some.is_limited);
        // What stands behind the first = is one value, another = in it too.
        let odd = rule("Action=Block|Active=TRUE|Dir=In|Name=a=b|").unwrap();
        assert!(odd.is_about(1, "Private") && !odd.is_limited);
    }

    #[test]
    fn rules_about_something_else_do_not_count() {
        assert_eq!(rule("Action=Allow|Active=FALSE|Dir=In|"), None);
        assert_eq!(rule("Action=Allow|Active=TRUE|Dir=Out|"), None);
        assert_eq!(rule("Action=Allow|Active=TRUE|Dir=In|LPort=RPC|"), None);
        assert_eq!(Rule::read("r".to_owned(), "Active=TRUE|Dir=In|"), None);
        for other in ["Protocol=17|", "App=C:\\x\\svchost2.exe|", "Svc=winrm|"] {
            let rule = rule(&format!("Action=Allow|Active=TRUE|Dir=In|{other}")).unwrap();
            assert!(!rule.is_about(3389, "Public"), "{other}");
        }
    }
}
