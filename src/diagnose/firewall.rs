// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether the Windows firewall lets a connection to Remote Desktop in.

use crate::effect::{Reader, When, in_force};
use crate::machine::{dword, path_in, text};
use crate::profile::HiveName;
use crate::regf::NodePath;
use crate::settings::{KNOWN, Known};

/// The key of the firewall's settings, below a control set.
pub(super) const FIREWALL: &str = "Services\\SharedAccess\\Parameters\\FirewallPolicy";

/// The key of the firewall's policies, below the root of SOFTWARE.
pub(super) const FIREWALL_POLICY: &str = "Policies\\Microsoft\\WindowsFirewall";

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
    /// Its key below the firewall's.
    pub(super) key: &'static str,
    /// Why nothing gets in; `None` where something does.
    pub(super) closed: Option<Closed>,
    /// The rules that let in, or keep out, some only: their ids, and whom.
    pub(super) limits: Vec<Limit>,
}

/// Why the firewall lets nothing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// No exceptions are allowed at all.
    NoExceptions,
    /// This rule blocks it.
    Rule(String),
    /// The rules of this machine would let it in, and this policy key says that they do not count.
    NotMerged(&'static str),
    /// No rule allows it.
    NoRule,
}

/// A rule about some addresses, interfaces or users only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) id: String,
    pub(super) blocks: bool,
    /// Its tokens that say for whom.
    pub(super) whom: String,
}

/// What the firewall does with a TCP connection to `port`, for each kind of network; nothing where
/// this Windows has no such firewall. From Windows 8 on Remote Desktop listens in a process, before
/// that in the kernel.
pub(super) fn networks(
    reader: &Reader<'_, '_>,
    set: &str,
    port: u16,
    listens_in_process: bool,
) -> Vec<Network> {
    let rules_key = path_in(Some(set), &format!("{FIREWALL}\\FirewallRules"));
    if reader.has_key(HiveName::System, &rules_key) != Some(true) {
        return Vec::new();
    }
    let policy_key = path_in(None, &format!("{FIREWALL_POLICY}\\FirewallRules"));
    let read = |hive, key: &NodePath| {
        let listed = reader.listed(hive, key).into_iter();
        let rules = listed.filter_map(|(name, value)| {
            Rule::read(name.to_text(), &text(&value)?, listens_in_process)
        });
        rules.collect()
    };
    let firewall = Firewall {
        reader,
        set,
        port,
        local: read(HiveName::System, &rules_key),
        policy: read(HiveName::Software, &policy_key),
    };
    let networks = NETWORKS.iter().map(|(name, key, policies)| {
        let (closed, limits) = firewall.judge(name, key, policies);
        Network {
            name,
            key,
            closed,
            limits,
        }
    });
    networks.collect()
}

struct Firewall<'f, 'r, 'h> {
    reader: &'f Reader<'r, 'h>,
    set: &'f str,
    port: u16,
    local: Vec<Rule>,
    policy: Vec<Rule>,
}

impl Firewall<'_, '_, '_> {
    /// In the order that Windows has: what goes past the firewall, what is blocked, what is allowed, and
    /// then what is done where no rule speaks.
    fn judge(
        &self,
        network: &str,
        key: &str,
        policies: &'static [&'static str],
    ) -> (Option<Closed>, Vec<Limit>) {
        if self.switch(key, "EnableFirewall") == Some(0) {
            return (None, Vec::new());
        }
        if self.switch(key, "DoNotAllowExceptions") == Some(1) {
            return (Some(Closed::NoExceptions), Vec::new());
        }
        let own = path_in(Some(self.set), &format!("{FIREWALL}\\{key}"));
        let policy = |name| self.policy_switch(policies, name);
        let action = || self.number(HiveName::System, &own, "DefaultInboundAction");
        let lets_in = policy("DefaultInboundAction").or_else(action) == Some(0);
        let merges = policy("AllowLocalPolicyMerge") != Some(0);
        let is_about = |rule: &&Rule| rule.is_about(self.port, network);
        let local = || self.local.iter().filter(is_about);
        let ours: Vec<&Rule> = self.policy.iter().filter(is_about).collect();
        let ours: Vec<&Rule> = match merges {
            true => ours.into_iter().chain(local()).collect(),
            false => ours,
        };
        let opens = |rule: &&Rule| rule.effect != Effect::Block && rule.is_for_all();
        if ours
            .iter()
            .any(|rule| rule.effect == Effect::Bypass && rule.is_for_all())
        {
            return (None, Vec::new());
        }
        let mut blocking = ours.iter().filter(|rule| rule.effect == Effect::Block);
        if let Some(rule) = blocking.find(|rule| rule.is_for_all()) {
            return (Some(Closed::Rule(rule.id.clone())), Vec::new());
        }
        let is_open = lets_in || ours.iter().any(opens);
        let limited = ours.iter().filter(|rule| !rule.is_for_all());
        // Whom a rule lets in is of interest only where not everybody gets in.
        let limits = limited.filter(|rule| rule.effect == Effect::Block || !is_open);
        let limits: Vec<Limit> = limits
            .map(|rule| Limit {
                id: rule.id.clone(),
                blocks: rule.effect == Effect::Block,
                whom: rule.limits.join(", "),
            })
            .collect();
        if is_open || limits.iter().any(|limit| !limit.blocks) {
            return (None, limits);
        }
        let would_open = !merges && local().any(|rule| opens(&rule));
        let closed = match self.merge_policy(policies).filter(|_| would_open) {
            Some(key) => Closed::NotMerged(key),
            None => Closed::NoRule,
        };
        (Some(closed), limits)
    }

    /// The policy key that says whether rules of this machine count.
    fn merge_policy(&self, policies: &'static [&'static str]) -> Option<&'static str> {
        let says = |policy: &&&'static str| {
            let key = path_in(None, &format!("{FIREWALL_POLICY}\\{policy}"));
            self.number(HiveName::Software, &key, "AllowLocalPolicyMerge")
                .is_some()
        };
        policies.iter().find(says).copied()
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
            let key = path_in(None, &format!("{FIREWALL_POLICY}\\{policy}"));
            self.number(HiveName::Software, &key, name)
        })
    }

    fn number(&self, hive: HiveName, key: &NodePath, name: &str) -> Option<u32> {
        let key = self.reader.key(hive, key);
        let value = self.reader.value(&key, name, When::AtStart)?;
        dword(&value)
    }
}

/// What a rule does with what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Block,
    /// Past every rule that blocks, for who comes with IPsec.
    Bypass,
}

/// An active rule for what comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    id: String,
    effect: Effect,
    /// Whether it is about TCP.
    is_tcp: bool,
    /// First and last port of each range; empty for every port.
    ports: Vec<(u16, u16)>,
    /// Whether it names ports at all: a word such as `RPC` is one, and none of ours.
    names_ports: bool,
    /// The networks that it is for; empty for all.
    networks: Vec<String>,
    /// Whether it is about the program and service that serve Remote Desktop.
    is_service: bool,
    /// The tokens that make it hold for some only; empty for everybody.
    limits: Vec<String>,
}

impl Rule {
    /// The rule, unless it is off, about what goes out, or no rule.
    ///
    /// Spec: \[MS-GPFAS\] 2.2.2.
    fn read(id: String, text: &str, listens_in_process: bool) -> Option<Self> {
        let mut rule = Self {
            id,
            effect: Effect::Allow,
            is_tcp: true,
            ports: Vec::new(),
            names_ports: false,
            networks: Vec::new(),
            is_service: true,
            limits: Vec::new(),
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
                "action" if is("Block") => rule.effect = Effect::Block,
                "action" if is("ByPass") => rule.effect = Effect::Bypass,
                "action" => {}
                "protocol" => rule.is_tcp = matches!(value, "6" | "256"),
                "lport" | "lport2_10" | "lport2_20" | "lport2_24" | "lport2_29" => {
                    rule.names_ports = true;
                    rule.ports.extend(range(value));
                }
                "profile" => rule.networks.push(value.to_owned()),
                "app" => rule.is_service &= is_host(value, listens_in_process),
                "svc" => rule.is_service &= is("termservice") || is("*"),
                // Of a program in a container, or of one user: a service is neither.
                "apppkgid" | "luown" | "luowner" => rule.is_service = false,
                // Of programs that run as somebody: the service runs as Network Service.
                "luauth" | "luauth2_24" => rule.is_service &= names_the_service(value),
                "name" | "desc" | "embedctxt" | "edge" | "defer" | "ttk" | "ttk2_22"
                | "ttk2_27" | "ttk2_28" | "nnm" | "securityrealmid" | "lom" => {}
                "ra4" | "ra42" | "la4" if is_every_address(value) => {}
                _ => rule.limits.push(token.to_owned()),
            }
        }
        (is_active && is_inbound).then_some(rule)
    }

    /// Whether it holds for everybody.
    fn is_for_all(&self) -> bool {
        self.limits.is_empty()
    }

    fn is_about(&self, port: u16, network: &str) -> bool {
        let mut ports = self.ports.iter();
        let has_port = ports.any(|(first, last)| (*first..=*last).contains(&port));
        let mut networks = self.networks.iter();
        let has_network = networks.any(|name| name.eq_ignore_ascii_case(network));
        self.is_tcp
            && self.is_service
            && (!self.names_ports || has_port)
            && (self.networks.is_empty() || has_network)
    }
}

/// Whether a port, or a range of ports, of a rule has this one in it.
pub(super) fn covers_port(text: &str, port: u16) -> bool {
    text.split(',')
        .filter_map(range)
        .any(|(first, last)| (first..=last).contains(&port))
}

/// Whether an access list of users lets the account in that the service runs as.
fn names_the_service(access: &str) -> bool {
    let access = access.to_ascii_uppercase();
    [";NS)", ";WD)", ";AU)", ";S-1-5-20)", ";S-1-1-0)", ";SU)"]
        .iter()
        .any(|account| access.contains(account))
}

/// A range or mask of all IPv4 addresses.
fn is_every_address(text: &str) -> bool {
    matches!(
        text.trim(),
        "*" | "0.0.0.0-255.255.255.255" | "0.0.0.0/0" | "0.0.0.0/0.0.0.0"
    )
}

/// `3389` or `5000-5010`; a word such as `RPC` is no port of ours.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

/// Whether a program may be the one that Remote Desktop listens in.
fn is_host(app: &str, listens_in_process: bool) -> bool {
    let file = app.rsplit('\\').next().unwrap_or(app);
    let is = |other: &str| file.eq_ignore_ascii_case(other);
    is("svchost.exe") || is("System") && !listens_in_process
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(tokens: &str) -> Option<Rule> {
        Rule::read("r".to_owned(), &format!("v2.30|{tokens}"), true)
    }

    #[test]
    fn a_rule_is_read_by_its_tokens() {
        let open =
            rule("Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Svc=TermService|").unwrap();
        assert!(open.is_about(3389, "Public") && open.effect == Effect::Allow && open.is_for_all());
        assert!(!open.is_about(3390, "Public"));
        let some = rule(
            "Action=Block|Active=True|Dir=In|Profile=Domain|LPort2_10=3000-4000|RA4=10.0.0.1|",
        )
        .unwrap();
        assert!(some.is_about(3389, "Domain") && !some.is_about(3389, "Public"));
        assert!(some.effect == Effect::Block && !some.is_for_all());
        // What stands behind the first = is one value, another = in it too.
        let odd = rule("Action=Block|Active=TRUE|Dir=In|Name=a=b|").unwrap();
        assert!(odd.is_about(1, "Private") && odd.is_for_all());
    }

    #[test]
    fn rules_about_something_else_do_not_count() {
        assert_eq!(rule("Action=Allow|Active=FALSE|Dir=In|"), None);
        assert_eq!(rule("Action=Allow|Active=TRUE|Dir=Out|"), None);
        assert_eq!(
            Rule::read("r".to_owned(), "Active=TRUE|Dir=In|", true),
            None
        );
        for other in [
            "Protocol=17|",
            "App=C:\\x\\svchost2.exe|",
            "App=System|",
            "Svc=winrm|",
            "LPort=RPC|",
            "LUOwn=S-1-5-21-1|AppPkgId=S-1-15-2-1|",
            "LUAuth=O:LSD:(A;;CC;;;S-1-5-84-0-0-0-0-0)|",
        ] {
            let rule = rule(&format!("Action=Allow|Active=TRUE|Dir=In|{other}")).unwrap();
            assert!(!rule.is_about(3389, "Public"), "{other}");
        }
    }

    #[test]
    fn before_windows_8_the_kernel_listens() {
        let text = "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=System|";
        let read = |in_process| Rule::read("r".to_owned(), text, in_process).unwrap();
        assert!(read(false).is_about(3389, "Public"));
        assert!(!read(true).is_about(3389, "Public"));
    }

    #[test]
    fn a_range_of_all_addresses_is_everybody() {
        let all = rule("Action=Block|Active=TRUE|Dir=In|RA4=0.0.0.0-255.255.255.255|").unwrap();
        assert!(all.is_for_all());
        let some = rule("Action=Block|Active=TRUE|Dir=In|RA4=10.0.0.0/255.0.0.0|").unwrap();
        assert_eq!(some.limits, ["RA4=10.0.0.0/255.0.0.0"]);
    }
}
