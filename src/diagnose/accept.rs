// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether Remote Desktop can accept: what its listener must have, numbers that there are not, what it
//! takes to agree on encryption, and the edition of Windows.

use super::Area;
use super::look::{At, Look, in_set, in_software};
use crate::effect::{When, in_force};
use crate::machine::dword;
use crate::profile::Impact;
use crate::settings::{KNOWN, LISTENER};

const BLOCKS: (Area, Impact) = (Area::RemoteDesktop, Impact::Blocks);

pub(super) fn look(look: &mut Look<'_, '_, '_>) {
    ranges(look);
    edition(look);
    schannel(look);
    suites(look);
}

/// Values that every listener has, by the Windows that began with them.
const PARTS: &[(&str, (u32, u32))] = &[
    ("WdName", (5, 0)),
    ("WdFlag", (5, 0)),
    ("PdName", (5, 0)),
    ("PdClass", (5, 0)),
    ("PdFlag", (5, 0)),
    ("LoadableProtocol_Object", (6, 0)),
];

/// A listener without its transport or its protocol does not come up.
pub(super) fn listener(look: &mut Look<'_, '_, '_>) {
    let at = in_set(LISTENER);
    if !look.has(at) {
        return;
    }
    let lacking: Vec<&str> = PARTS
        .iter()
        .filter(|(name, (major, minor))| {
            look.is_at_least(*major, *minor) && look.value(at, name).is_none()
        })
        .map(|(name, _)| *name)
        .collect();
    for name in lacking {
        let cause = "The listener RDP-Tcp lacks what it is made of, so nothing answers";
        look.wrong(BLOCKS, cause, at, Some(name))
            .note("it is not there")
            .advise(
                "Take the key from a healthy machine of the same Windows version, without \
             SSLCertificateSHA1Hash; no profile can make it.",
            );
    }
}

/// What Windows makes of a number that it does not know is not documented: it is said, not guessed.
fn ranges(look: &mut Look<'_, '_, '_>) {
    for known in KNOWN {
        let Some(range) = known.range else { continue };
        let at = in_set(known.key);
        let Some(stored) = look.value(at, known.name) else {
            continue;
        };
        let number = dword(&stored);
        if number.is_some_and(|number| range.numbers.contains(&number)) {
            continue;
        }
        let counts = in_force(look.reader, look.set, known, When::AtStart);
        let is_decided = counts
            .number()
            .is_some_and(|number| range.numbers.contains(&number));
        if is_decided {
            continue;
        }
        let numbers: Vec<String> = range.numbers.iter().map(u32::to_string).collect();
        let what = match number {
            Some(number) => format!("{number}, which there is not"),
            None => "of another type than Windows reads".to_owned(),
        };
        let cause = format!(
            "{} is {what} ({} are known): what the listener does then cannot be told",
            known.name,
            numbers.join(", ")
        );
        look.wrong(BLOCKS, cause, at, Some(known.name))
            .mended_by(range.profile);
    }
}

/// Editions that take no Remote Desktop connection, whatever is set.
const WITHOUT: &[&str] = &[
    "Core",
    "CoreN",
    "CoreSingleLanguage",
    "CoreCountrySpecific",
    "HomeBasic",
    "HomeBasicN",
    "HomePremium",
    "HomePremiumN",
    "Starter",
    "StarterN",
];

fn edition(look: &mut Look<'_, '_, '_>) {
    let at = in_software("Microsoft\\Windows NT\\CurrentVersion");
    let edition = look.text(at, "EditionID").unwrap_or_default();
    if WITHOUT
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&edition))
    {
        let cause =
            format!("This edition of Windows ({edition}) takes no Remote Desktop connections");
        look.wrong(BLOCKS, cause, at, Some("EditionID"))
            .advise("Nothing in the registry changes that: it needs another edition.");
    }
}

const SCHANNEL: &str = "Control\\SecurityProviders\\SCHANNEL";

/// Below the protocols: what is switched off by value, and numbers that switch nothing on.
fn schannel(look: &mut Look<'_, '_, '_>) {
    for (kind, what) in [
        ("Ciphers", "ciphers"),
        ("Hashes", "hashes"),
        ("KeyExchangeAlgorithms", "key exchanges"),
    ] {
        let key = format!("{SCHANNEL}\\{kind}");
        let names = look.subkeys(in_set(&key));
        let mut off = Vec::new();
        for name in &names {
            let key = format!("{key}\\{name}");
            match look.value(in_set(&key), "Enabled").as_ref().map(dword) {
                None | Some(Some(u32::MAX)) => {}
                Some(Some(0)) => off.push(key),
                Some(_) => {
                    let cause = format!("Schannel's {name} has a value that does not switch it on");
                    look.wrong(
                        (Area::RemoteDesktop, Impact::Unusual),
                        cause,
                        in_set(&key),
                        Some("Enabled"),
                    )
                    .should_be(Some(super::look::dword_of(u32::MAX)))
                    .advise("Enabled is 0xFFFFFFFF where it is on, and 0 where it is off.");
                }
            }
        }
        let is_needed = |name: &String| NEEDED.iter().any(|known| known.eq_ignore_ascii_case(name));
        let needed: Vec<&String> = names.iter().filter(|name| is_needed(name)).collect();
        let is_off = |name: &&&String| off.iter().any(|key| key.ends_with(&format!("\\{name}")));
        let all_off = !needed.is_empty() && needed.iter().filter(is_off).count() == needed.len();
        let known = NEEDED.iter().filter(|name| belongs(name, kind)).count();
        if all_off && needed.len() == known {
            for key in off {
                let cause =
                    format!("All {what} that TLS needs are switched off: nobody gets a session");
                look.wrong(BLOCKS, cause, in_set(&key), Some("Enabled"))
                    .should_be(None)
                    .advise("Delete these values; Windows then chooses itself.");
            }
        }
    }
}

/// What TLS of today needs one of.
const NEEDED: &[&str] = &[
    "AES 128/128",
    "AES 256/256",
    "SHA",
    "SHA256",
    "SHA384",
    "Diffie-Hellman",
    "ECDH",
    "PKCS",
];

fn belongs(name: &str, kind: &str) -> bool {
    match kind {
        "Ciphers" => name.starts_with("AES"),
        "Hashes" => name.starts_with("SHA"),
        _ => matches!(name, "Diffie-Hellman" | "ECDH" | "PKCS"),
    }
}

/// A policy of cipher suites without any.
fn suites(look: &mut Look<'_, '_, '_>) {
    let at: At<'_> = in_software("Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002");
    if look
        .list(at, "Functions")
        .is_some_and(|suites| suites.is_empty())
    {
        let cause = "The policy of cipher suites is empty: no connection can be encrypted";
        look.wrong(BLOCKS, cause, at, Some("Functions"))
            .should_be(None)
            .mended_by("ssl-cipher-order-clear");
    }
}
