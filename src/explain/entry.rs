// SPDX-License-Identifier: GPL-3.0-or-later
//! One thing that can be asked for.

use std::fmt;

use serde::Deserialize;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The reason that a Remote Desktop client gives for a disconnection.
    Disconnect,
    /// The extended reason beside it.
    Extended,
    /// An event in a log of Windows.
    Event,
    /// A stop error (blue screen).
    Stop,
    /// An error of Windows, such as starting a service ends with.
    SystemError,
    /// An error as programs and the Remote Desktop client show it.
    Hresult,
    /// An error of the kernel, the logon or the boot manager.
    Ntstatus,
    /// A service or driver.
    Service,
    /// A registry value or key.
    Value,
    /// A group policy.
    Policy,
    /// The words of an error message, or what is seen.
    Message,
    /// One of this program's profiles.
    Profile,
    /// A finding of `check`.
    Finding,
    /// A word in capitals in this program's output.
    Mark,
    /// What this program ends with.
    ExitCode,
}

impl Kind {
    /// The name in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::Extended => "extended",
            Self::Event => "event",
            Self::Stop => "stop",
            Self::SystemError => "system-error",
            Self::Hresult => "hresult",
            Self::Ntstatus => "ntstatus",
            Self::Service => "service",
            Self::Value => "value",
            Self::Policy => "policy",
            Self::Message => "message",
            Self::Profile => "profile",
            Self::Finding => "finding",
            Self::Mark => "mark",
            Self::ExitCode => "exit-code",
        }
    }
}

/// What is known about one code, event, service, value, policy or message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its number, of those that have one.
    pub code: Option<u32>,
    /// The sources that an event is written under; the first is the usual one.
    pub origin: Vec<String>,
    /// Its names; the first is the usual one.
    pub names: Vec<String>,
    /// The registry key, of services, values and policies.
    pub key: Option<String>,
    /// Texts that it is met with.
    pub phrases: Vec<String>,
    /// What it means, in a few words.
    pub meaning: String,
    /// Where sources disagree, and what was taken.
    pub disagreement: Option<String>,
    /// Likely causes, the likeliest first.
    pub causes: Vec<String>,
    /// The profiles that address it, the most fitting first.
    pub profiles: Vec<ProfileHint>,
    /// What to do with the disk offline, besides the profiles.
    pub offline: Vec<String>,
    /// What else it can be, which no registry edit changes.
    pub not_registry: Vec<String>,
    /// Whether `diagnose` looks for its causes.
    pub diagnose: bool,
    /// Facts about it that are no sentence of the data: what a number decodes to, what a setting
    /// can be and who sets it.
    pub details: Vec<String>,
    /// Where the knowledge is from: titles.
    pub sources: Vec<String>,
}

/// A profile that addresses something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileHint {
    /// Its id.
    pub id: String,
    /// What it does, in a few words.
    pub what: String,
    /// Whether it makes the machine less secure, or leaves it without something, until undone.
    pub relaxes: bool,
}

impl Entry {
    /// Its first name; empty where it has only a number.
    pub fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    fn shortest_name(&self) -> &str {
        let shortest = self.names.iter().min_by_key(|name| name.len());
        shortest.map_or("", String::as_str)
    }

    /// What to type to be told of exactly this.
    pub fn question(&self) -> String {
        let code = self.code.unwrap_or_default();
        match self.kind {
            Kind::Disconnect => format!("{code}"),
            Kind::Extended => format!("--extended {code}"),
            Kind::Event => format!("event {code} {}", self.origin.first().map_or("", |o| o)),
            Kind::Stop => format!("stop {code:#x}"),
            Kind::SystemError => format!("error {code}"),
            Kind::Hresult | Kind::Ntstatus => format!("{code:#010X}").replace("0X", "0x"),
            Kind::Service => format!("service {}", self.name()),
            Kind::Value => format!("value \"{}\"", self.name()),
            Kind::Policy => format!("policy \"{}\"", self.shortest_name()),
            Kind::Message => format!("message \"{}\"", self.name()),
            Kind::Profile | Kind::Finding | Kind::Mark | Kind::ExitCode => self.name().to_owned(),
        }
    }

    /// An entry that says no more than this.
    pub(crate) fn bare(kind: Kind, names: Vec<String>, meaning: String, source: &str) -> Self {
        Self {
            kind,
            code: None,
            origin: Vec::new(),
            names,
            key: None,
            phrases: Vec::new(),
            meaning,
            disagreement: None,
            causes: Vec::new(),
            profiles: Vec::new(),
            offline: Vec::new(),
            not_registry: Vec::new(),
            diagnose: false,
            details: Vec::new(),
            sources: vec![source.to_owned()],
        }
    }

    /// What is known of a number of which only the name is known.
    pub(super) fn only_named(kind: Kind, code: u32, name: String) -> Self {
        let meaning =
            format!("Windows calls it {name}. Only the name is known here, and no repair.");
        let source = "The constants of Windows, as the crate windows-sys has them";
        Self {
            code: Some(code),
            ..Self::bare(kind, vec![name], meaning, source)
        }
    }
}

/// The heading: what it is, with its number or name.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, name) = (self.code.unwrap_or_default(), self.name());
        match self.kind {
            Kind::Disconnect => write!(f, "disconnect code {code} ({code:#x})"),
            Kind::Extended => write!(f, "extended disconnect code {code} ({code:#x})"),
            Kind::Event => write!(f, "event {code}, {}", self.origin.first().map_or("", |o| o)),
            Kind::Stop => write!(f, "stop error {code:#04X}, {name}"),
            Kind::SystemError if name.is_empty() => write!(f, "system error {code}"),
            Kind::SystemError => write!(f, "system error {code}, {name}"),
            Kind::Hresult => write!(f, "error 0x{code:08X}, {name}"),
            Kind::Ntstatus => write!(f, "status 0x{code:08X}, {name}"),
            Kind::Service => match self.names.get(1) {
                Some(display) => write!(f, "service {name} ({display})"),
                None => write!(f, "service {name}"),
            },
            Kind::Value => write!(f, "value {}", self.names.join(", ")),
            Kind::Policy => write!(f, "policy: {}", self.names.join(", ")),
            Kind::Message => write!(f, "error message: {name}"),
            Kind::Profile => write!(f, "profile {name}"),
            Kind::Finding => write!(f, "finding {name}"),
            Kind::Mark => write!(f, "{name}, in this program's output"),
            Kind::ExitCode => f.write_str(name),
        }
    }
}
