// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys that exist only while Windows runs: what is written to them on a disk is lost, or hidden by what
//! Windows makes there.
//!
//! Sources: the documentation of each (the hives that are loaded are listed in `Control\hivelist`; safe
//! mode tells programs in `SafeBoot\Option`; HKEY_CURRENT_CONFIG is `Hardware Profiles\Current`; the name
//! in force is in `ActiveComputerName`, that of the next start in `ComputerName`; `Enum` below a service
//! lists its devices; `HKLM\HARDWARE` is made at each start), and that none of them is in the SYSTEM of
//! the NT 4, XP, 7 and 10 that hivemend is tested on, with 2,227 services and 849 devices.

/// A key that exists only while Windows runs.
#[derive(Debug)]
pub(crate) struct Volatile {
    /// The key, below a control set; `*` stands for every key at its place.
    pub(crate) key: &'static str,
    /// The end of its path that is nothing else's; empty where there is none.
    pub(crate) called: &'static str,
    /// What Windows does with it.
    pub(crate) what: &'static str,
    /// Where the same is to be had on a disk; empty where it is not.
    pub(crate) instead: &'static str,
}

/// All that are known; the one in front of a longer one says the same of what is below it.
pub(crate) const VOLATILE: &[Volatile] = &[
    Volatile {
        key: "Control\\hivelist",
        called: "hivelist",
        what: "Windows lists there the files of the hives that are loaded",
        instead: "on a disk the hives are files in System32\\config",
    },
    Volatile {
        key: "Control\\SafeBoot\\Option",
        called: "SafeBoot\\Option",
        what: "Windows makes it when it starts in safe mode, so that programs can see it",
        instead: "safe mode is asked for in the boot configuration: bcdedit /set safeboot",
    },
    Volatile {
        key: "Hardware Profiles\\Current",
        called: "Hardware Profiles\\Current",
        what: "Windows makes it a link to the hardware profile in use",
        instead: "on a disk it is Hardware Profiles\\0001",
    },
    Volatile {
        key: "Control\\ComputerName\\ActiveComputerName",
        called: "ActiveComputerName",
        what: "Windows keeps there the name that is in force until the next start",
        instead: "the name on a disk is in Control\\ComputerName\\ComputerName",
    },
    Volatile {
        key: "Services\\*\\Enum",
        called: "",
        what: "Windows lists there the devices that the driver serves",
        instead: "the devices on a disk are below Enum of the control set",
    },
    Volatile {
        key: "Enum\\*\\*\\*\\Control",
        called: "",
        what: "Windows keeps there the state of a device that it has started",
        instead: "",
    },
];

/// What is known of the key with these names below a control set, if it or one above it is volatile.
pub(crate) fn volatile(names: &[String]) -> Option<&'static Volatile> {
    VOLATILE.iter().find(|known| {
        let mut names = names.iter();
        let mut parts = known.key.split('\\');
        parts.all(|part| {
            let name = names.next();
            name.is_some_and(|name| part == "*" || part.eq_ignore_ascii_case(name))
        })
    })
}

/// What is said of such a key.
pub(crate) fn sentence(known: &Volatile) -> String {
    let Volatile { what, instead, .. } = known;
    let kept = "exists only while Windows runs";
    match instead.is_empty() {
        true => format!("it {kept}: {what}"),
        false => format!("it {kept}: {what}; {instead}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_volatile(key: &str) -> bool {
        let names: Vec<String> = key.split('\\').map(str::to_owned).collect();
        volatile(&names).is_some()
    }

    #[test]
    fn keys_at_and_below_them_are_known() {
        assert!(is_volatile("control\\HIVELIST"));
        assert!(is_volatile("Services\\disk\\Enum"));
        assert!(is_volatile("Enum\\USB\\VID_1\\5&1\\Control"));
        assert!(is_volatile("Control\\SafeBoot\\Option\\x"));
        for stays in [
            "Control",
            "Services\\disk",
            "Enum",
            "Control\\SafeBoot",
            "Hardware Profiles",
        ] {
            assert!(!is_volatile(stays), "{stays}");
        }
    }
}
