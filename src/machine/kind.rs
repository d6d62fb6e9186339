// SPDX-License-Identifier: GPL-3.0-or-later
//! Which hive of a Windows this is, by the keys below its root: a file can be called anything.

use super::control_sets::control_sets;
use crate::profile::HiveName;
use crate::regf::{Hive, KeyNode, Name};

/// A hive that is not what it was given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistaken {
    /// What it seems to be.
    pub seems: &'static str,
    /// What can be done with it.
    pub advice: &'static str,
}

/// A hive that is neither SYSTEM nor SOFTWARE: all of the first keys and any of the second are below its
/// root.
struct Other {
    all: &'static [&'static str],
    any: &'static [&'static str],
    is: Mistaken,
}

const CHECK_ONLY: &str = "hivemend edits SYSTEM and SOFTWARE, which are in the folder \
    Windows\\System32\\config; hivemend check, mend and recover take this file too.";

const OTHERS: &[Other] = &[
    Other {
        all: &["Software"],
        any: &["Control Panel", "Environment", "Console"],
        is: Mistaken {
            seems: "a user's hive (NTUSER.DAT, or the file DEFAULT)",
            advice: "The SOFTWARE of the machine is Windows\\System32\\config\\SOFTWARE; hivemend does not edit \
                     the hives of users.",
        },
    },
    Other {
        all: &["SAM"],
        any: &[],
        is: Mistaken {
            seems: "the SAM hive, with the local accounts",
            advice: CHECK_ONLY,
        },
    },
    Other {
        all: &["Policy"],
        any: &["RXACT", "Cache"],
        is: Mistaken {
            seems: "the SECURITY hive",
            advice: CHECK_ONLY,
        },
    },
    Other {
        all: &["DerivedData"],
        any: &[
            "CanonicalData",
            "ServicingStackVersions",
            "Installers",
            "VersionedIndex",
        ],
        is: Mistaken {
            seems: "the COMPONENTS hive, with what Windows has installed",
            advice: CHECK_ONLY,
        },
    },
    Other {
        all: &["Objects", "Description"],
        any: &[],
        is: Mistaken {
            seems: "a BCD store, with the boot menu",
            advice: CHECK_ONLY,
        },
    },
    Other {
        all: &["DriverDatabase"],
        any: &[],
        is: Mistaken {
            seems: "the DRIVERS hive",
            advice: CHECK_ONLY,
        },
    },
];

const SYSTEM: Mistaken = Mistaken {
    seems: "a SYSTEM hive",
    advice: "Name it with --system.",
};

const SOFTWARE: Mistaken = Mistaken {
    seems: "a SOFTWARE hive",
    advice: "Name it with --software.",
};

/// What `hive` seems to be, where that is not `name`; `None` also where it cannot be told.
pub fn mistaken(name: HiveName, hive: &Hive<'_>) -> Option<Mistaken> {
    let root = hive.root().ok()?;
    let has = |key: &&str| has(hive, &root, key);
    // A SYSTEM whose control sets are damaged is still none of the others.
    let is_system = control_sets(hive).is_ok() || ["Select", "MountedDevices"].iter().any(has);
    let is_software = ["Microsoft", "Classes"].iter().all(has);
    match name {
        HiveName::System if is_system => return None,
        HiveName::System if is_software => return Some(SOFTWARE),
        HiveName::Software if is_system => return Some(SYSTEM),
        HiveName::Software if has(&"Microsoft") => return None,
        _ => {}
    }
    let mut others = OTHERS.iter();
    let other = others.find(|other| {
        other.all.iter().all(has) && (other.any.is_empty() || other.any.iter().any(has))
    });
    other.map(|other| other.is)
}

fn has(hive: &Hive<'_>, root: &KeyNode<'_>, key: &str) -> bool {
    matches!(hive.find_subkey(root, &Name::from(key)), Ok(Some(_)))
}
