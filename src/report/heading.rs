// SPDX-License-Identifier: GPL-3.0-or-later
//! Which machine a text is about, in a line.

use super::page;
use super::style::BOLD;
use crate::machine::{HiveInput, Machine, booting, machine};
use crate::profile::HiveName;
use crate::text::{Foreign, Text, escape};

/// Which machine a text is about.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// The target as it was named.
    target: Foreign,
    /// Its name, its Windows, the control set that it starts with: as far as they are known.
    facts: Vec<String>,
}

impl Heading {
    /// What the hives of `target` tell.
    pub fn of(target: &Foreign, hives: &[HiveInput<'_>]) -> Self {
        let told = machine(hives);
        let system = hives.iter().find(|input| input.name == HiveName::System);
        let sets = system.and_then(|input| input.control_sets().ok());
        let boots = sets.as_deref().and_then(booting);
        let name = told.computer_name.as_ref().map(|name| name.value.clone());
        let facts = [
            name.filter(|name| !name.is_empty()),
            Some(windows_name(&told)),
            boots.map(|set| format!("{} boots", set.name)),
        ];
        Self {
            target: target.clone(),
            facts: facts.into_iter().flatten().collect(),
        }
    }

    /// Writes it, in one line where that fits.
    pub(super) fn write(&self, text: &mut Text) {
        let target = self.target.to_string();
        if target.is_empty() && self.facts.is_empty() {
            return;
        }
        let facts = self.facts.iter().map(|fact| escape(fact));
        let facts = facts.collect::<Vec<String>>().join("   ");
        let width = textwrap::core::display_width(&target)
            .saturating_add(textwrap::core::display_width(&facts));
        match width.saturating_add(3) <= page::width() {
            true => text.line(format_args!("{BOLD}{target}{BOLD:#}   {facts}")),
            false => {
                text.line(format_args!("{BOLD}{target}{BOLD:#}"));
                for line in filled(self.facts.iter().map(|fact| escape(fact))) {
                    text.line(format_args!("  {line}"));
                }
            }
        }
    }
}

/// As many facts in each line as fit, none of them broken.
fn filled(facts: impl Iterator<Item = String>) -> Vec<String> {
    let room = page::width().saturating_sub(2);
    let mut lines: Vec<String> = Vec::new();
    for fact in facts {
        let width = textwrap::core::display_width;
        match lines.last_mut() {
            Some(line) if width(line).saturating_add(width(&fact)).saturating_add(3) <= room => {
                line.push_str("   ");
                line.push_str(&fact);
            }
            _ => lines.push(fact),
        }
    }
    lines
}

/// Versions of Windows before its hives say their name in a way that is right, by major and minor number:
/// the client's name and the server's.
const NAMES: &[((u32, u32), &str, &str)] = &[
    ((4, 0), "Windows NT 4", "Windows NT 4 Server"),
    ((5, 0), "Windows 2000", "Windows 2000 Server"),
    ((5, 1), "Windows XP", "Windows XP"),
    ((5, 2), "Windows XP x64", "Windows Server 2003"),
    ((6, 0), "Windows Vista", "Windows Server 2008"),
    ((6, 1), "Windows 7", "Windows Server 2008 R2"),
    ((6, 2), "Windows 8", "Windows Server 2012"),
    ((6, 3), "Windows 8.1", "Windows Server 2012 R2"),
    ((10, 0), "Windows 10", "Windows Server"),
];

/// The first build that is Windows 11, whatever its ProductName says.
const WINDOWS_11: u32 = 22_000;

/// `Windows 10 Pro (build 19041)`.
pub(super) fn windows_name(told: &Machine) -> String {
    let version = told.version.as_ref().map(|version| version.value);
    let Some(version) = version else {
        let named = told.product_name.as_ref().map(|name| name.value.clone());
        return named.unwrap_or_else(|| "Windows version not known".to_owned());
    };
    let is_server = told.server().map(|fact| fact.value);
    let is_11 = version.major == 10 && version.build.is_some_and(|build| build >= WINDOWS_11);
    let named = told.product_name.as_ref().map(|name| name.value.clone());
    let known = NAMES
        .iter()
        .find(|(number, ..)| *number == (version.major, version.minor));
    let name = match (named, is_server) {
        (Some(name), Some(false) | None) if is_11 && name.starts_with("Windows 10") => {
            name.replacen("Windows 10", "Windows 11", 1)
        }
        (Some(name), _) => name,
        (None, Some(false)) if is_11 => "Windows 11".to_owned(),
        (None, is_server) => match (known, is_server) {
            (Some((_, client, _)), Some(false)) => (*client).to_owned(),
            (Some((_, _, server)), Some(true)) => (*server).to_owned(),
            (Some((_, client, server)), None) if client == server => (*client).to_owned(),
            (Some((_, client, server)), None) => format!("{client} or {server}"),
            (None, _) => format!("Windows {}.{}", version.major, version.minor),
        },
    };
    match version.build {
        Some(build) => format!("{name} (build {build})"),
        None => name,
    }
}
