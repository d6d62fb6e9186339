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
    /// What starting a service ended with.
    ServiceError,
    /// A service or driver.
    Service,
    /// A registry value or key.
    Value,
    /// A group policy.
    Policy,
    /// The words of an error message.
    Message,
}

impl Kind {
    /// The name in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::Extended => "extended",
            Self::Event => "event",
            Self::Stop => "stop",
            Self::ServiceError => "service-error",
            Self::Service => "service",
            Self::Value => "value",
            Self::Policy => "policy",
            Self::Message => "message",
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
    /// What else it can be, which no registry edit changes.
    pub not_registry: Vec<String>,
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
            Kind::ServiceError => format!("error {code}"),
            Kind::Service => format!("service {}", self.name()),
            Kind::Value => format!("value \"{}\"", self.name()),
            Kind::Policy => format!("policy \"{}\"", self.shortest_name()),
            Kind::Message => format!("message \"{}\"", self.name()),
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
            Kind::ServiceError => write!(f, "service error {code}"),
            Kind::Service => match self.names.get(1) {
                Some(display) => write!(f, "service {name} ({display})"),
                None => write!(f, "service {name}"),
            },
            Kind::Value => write!(f, "value {}", self.names.join(", ")),
            Kind::Policy => write!(f, "policy: {}", self.names.join(", ")),
            Kind::Message => write!(f, "error message: {name}"),
        }
    }
}
