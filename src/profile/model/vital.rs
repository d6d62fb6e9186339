// SPDX-License-Identifier: GPL-3.0-or-later
//! What nothing ever does to a registry: the one rule for profiles, plans and undoing.
//!
//! It knows no hive. What is deleted takes along all that is below it, so a key is kept from being
//! deleted together with every key above it.

use super::data::REG_DWORD;
use super::key_path::{HiveName, KeyPath, MAX_NAME_UNITS, MAX_SEGMENT_UNITS, wildcard};
use super::upcase::upcase;

/// What somebody wants of a key or of a value in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// Something in it is changed; it is not known yet, or does not matter, what.
    Touch,
    /// The key is made.
    CreateKey,
    /// The key is deleted with all below it.
    DeleteKey,
    /// A value of this name is deleted.
    DeleteValue(&'a str),
    /// A value of this name gets this type and data.
    SetValue(&'a str, u32, &'a [u8]),
}

/// Why something is never done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Forbidden {
    /// The rule that forbids it.
    pub reason: &'static str,
    /// What is wrong with it where it stands in a profile.
    pub message: &'static str,
    /// What to write instead.
    pub hint: &'static str,
}

impl Forbidden {
    const fn new(reason: &'static str, hint: &'static str) -> Self {
        Self {
            reason,
            message: reason,
            hint,
        }
    }
}

const ROOT: Forbidden = Forbidden {
    reason: "the root of a hive is never created or deleted, nor is a value in it changed",
    message: "this is a whole hive",
    hint: "name a key in it: the root of a hive is never created or deleted",
};
const CONTROL_SET: Forbidden = Forbidden {
    reason: "a control set is never created or deleted, nor is a value in it changed",
    message: "this is a whole control set",
    hint: "name a key in it: a control set is never created or deleted",
};
const ALL: Forbidden = Forbidden {
    reason: "a key called `*` or `{GUID}` right below a hive or a control set is never changed",
    message: "everything there is would be meant",
    hint: "name the key right below the hive or the control set",
};
const ANY: Forbidden = Forbidden {
    reason: "a key called `*` or `{GUID}` is never deleted",
    message: "every key that happens to be there would be deleted",
    hint: "name the key that should not be there, or what is above all of them",
};
const VITAL: Forbidden = Forbidden::new(
    "Windows cannot start without this key: it is never deleted",
    "name the key below it that should not be there",
);
const ESSENTIAL: Forbidden = Forbidden::new(
    "Windows does not work without this key, or without one in it: it is never deleted",
    "name the key below it that should not be there",
);
const SELECT: Forbidden = Forbidden::new(
    "Select is never created nor deleted: it says which control set boots",
    "name the values in it that should be other numbers",
);
const SELECT_VALUE: Forbidden = Forbidden::new(
    "a value of `Select` is never deleted: it says which control set boots",
    "write the number that it should be: `dword: 1`",
);
const SELECT_TYPE: Forbidden = Forbidden::new(
    "a value of `Select` is the number of a control set, and nothing else",
    "write the number that it should be: `dword: 1`",
);
const NAME: Forbidden = Forbidden::new(
    "no key or value can have this name",
    "a name has no NUL in it, 255 characters at most in a key and 16,383 in a value",
);

/// What makes a Windows: never deleted, and neither is what is above. `*` is every key there.
const SYSTEM: [&str; 4] = ["Select", "Setup", "DriverDatabase", "WPA"];

/// The same in each control set.
const IN_CONTROL_SET: &[&str] = &[
    "*",
    r"Control\Class\*",
    r"Control\ComputerName\ComputerName",
    r"Control\CriticalDeviceDatabase",
    r"Control\Cryptography",
    r"Control\DeviceClasses",
    r"Control\FileSystem",
    r"Control\GroupOrderList",
    r"Control\hivelist",
    r"Control\IDConfigDB",
    r"Control\Keyboard Layouts",
    r"Control\Lsa\MSV1_0",
    r"Control\Network\*",
    r"Control\NetworkProvider\Order",
    r"Control\Nls\*",
    r"Control\PnP",
    r"Control\ProductOptions",
    r"Control\SafeBoot\Minimal",
    r"Control\SafeBoot\Network",
    r"Control\SecurityProviders",
    r"Control\ServiceGroupOrder",
    r"Control\Session Manager\DOS Devices",
    r"Control\Session Manager\Environment",
    r"Control\Session Manager\KnownDLLs",
    r"Control\Session Manager\Memory Management",
    r"Control\Session Manager\SubSystems",
    r"Control\TimeZoneInformation",
    r"Control\Windows",
    r"Control\WMI",
    r"Enum\*",
    r"Hardware Profiles\*",
    r"Services\Tcpip\Parameters\Interfaces",
];

/// Drivers and services without which Windows does not start, nobody logs on, or there is no
/// network; neither they nor their `Parameters` are ever deleted.
const SERVICES: &[&str] = &[
    "ACPI",
    "acpiex",
    "AFD",
    "atapi",
    "BFE",
    "BrokerInfrastructure",
    "CLFS",
    "CNG",
    "CoreMessagingRegistrar",
    "CryptSvc",
    "DcomLaunch",
    "Dhcp",
    "disk",
    "Dnscache",
    "EventLog",
    "Fastfat",
    "FltMgr",
    "Ftdisk",
    "fvevol",
    "gpsvc",
    "hvservice",
    "intelide",
    "KeyIso",
    "KSecDD",
    "KSecPkg",
    "LanmanServer",
    "LanmanWorkstation",
    "LSM",
    "MountMgr",
    "MpsSvc",
    "msahci",
    "Msfs",
    "msisadrv",
    "Mup",
    "NDIS",
    "NetBT",
    "Netlogon",
    "Npfs",
    "nsi",
    "nsiproxy",
    "Ntfs",
    "PartMgr",
    "pci",
    "pciide",
    "pcw",
    "PlugPlay",
    "Power",
    "ProfSvc",
    "rdyboost",
    "RpcEptMapper",
    "RpcSs",
    "SamSs",
    "Schedule",
    "SessionEnv",
    "spaceport",
    "StateRepository",
    "storahci",
    "storflt",
    "stornvme",
    "storvsc",
    "SystemEventsBroker",
    "Tcpip",
    "tdx",
    "TermDD",
    "TermService",
    "TrustedInstaller",
    "UserManager",
    "vdrvroot",
    "vmbus",
    "volmgr",
    "volmgrx",
    "volsnap",
    "volume",
    "Wdf01000",
    "WindowsTrustedRT",
    "Winmgmt",
];

/// The same in SOFTWARE, and in its `WOW6432Node`.
const SOFTWARE: &[&str] = &[
    r"Classes\AppID",
    r"Classes\CLSID",
    r"Classes\Directory",
    r"Classes\Drive",
    r"Classes\exefile",
    r"Classes\Folder",
    r"Classes\Installer",
    r"Classes\Interface",
    r"Classes\TypeLib",
    r"Classes\WOW6432Node",
    r"Microsoft\COM3",
    r"Microsoft\Cryptography\Defaults",
    r"Microsoft\EventSystem",
    r"Microsoft\Ole",
    r"Microsoft\Rpc",
    r"Microsoft\SystemCertificates\*",
    r"Microsoft\Wbem",
    r"Microsoft\WindowsRuntime",
    r"Microsoft\Windows\CurrentVersion\Authentication\Credential Providers",
    r"Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages",
    r"Microsoft\Windows\CurrentVersion\Explorer",
    r"Microsoft\Windows\CurrentVersion\Group Policy",
    r"Microsoft\Windows\CurrentVersion\Installer",
    r"Microsoft\Windows\CurrentVersion\Policies\System",
    r"Microsoft\Windows\CurrentVersion\Setup",
    r"Microsoft\Windows\CurrentVersion\SideBySide",
    r"Microsoft\Windows\CurrentVersion\WINEVT",
    r"Microsoft\Windows NT\CurrentVersion\Drivers32",
    r"Microsoft\Windows NT\CurrentVersion\Fonts",
    r"Microsoft\Windows NT\CurrentVersion\Image File Execution Options",
    r"Microsoft\Windows NT\CurrentVersion\Perflib",
    r"Microsoft\Windows NT\CurrentVersion\ProfileList",
    r"Microsoft\Windows NT\CurrentVersion\Schedule",
    r"Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform",
    r"Microsoft\Windows NT\CurrentVersion\Svchost",
    r"Microsoft\Windows NT\CurrentVersion\Time Zones",
    r"Microsoft\Windows NT\CurrentVersion\Windows",
    r"Microsoft\Windows NT\CurrentVersion\Winlogon",
    r"Policies\Microsoft\SystemCertificates",
    "WOW6432Node",
];

/// The values of `Select` that hold a control set's number.
const NUMBERS: [&str; 4] = ["Current", "Default", "Failed", "LastKnownGood"];

/// Says why `deed` is never done to the key at `path`; `*` and `{GUID}` in it are every key that
/// they could stand for.
///
/// Names are compared in upper case, and blanks around them do not count.
pub fn forbidden(path: &KeyPath, deed: Deed<'_>) -> Option<Forbidden> {
    let names = path.segments.as_slice();
    match (names, path.control_set) {
        ([], None) => return Some(ROOT),
        ([], Some(_)) => return Some(CONTROL_SET),
        ([first, ..], _) if path.wildcard(first).is_some() => return Some(ALL),
        _ => {}
    }
    let in_select = path.is_select();
    match deed {
        Deed::CreateKey if in_select => Some(SELECT),
        Deed::CreateKey => names.last().filter(|name| is_no_key(name)).map(|_| NAME),
        Deed::DeleteKey => never_deleted(path),
        Deed::DeleteValue(_) if in_select => Some(SELECT_VALUE),
        Deed::SetValue(name, kind, data) if in_select && is_one_of(name, &NUMBERS) => {
            (kind != REG_DWORD || data.len() != 4).then_some(SELECT_TYPE)
        }
        Deed::SetValue(name, ..) | Deed::DeleteValue(name) => is_no_value(name).then_some(NAME),
        Deed::Touch => None,
    }
}

/// Why a key is not deleted with all that is below it.
fn never_deleted(path: &KeyPath) -> Option<Forbidden> {
    let names = path.segments.as_slice();
    let last = names.last()?;
    if path.wildcard(last).is_some() {
        return Some(ANY);
    }
    if is_no_key(last) {
        return Some(NAME);
    }
    let goes = |kept: &&str| goes_with(names, kept);
    let is_kept = match (path.hive, path.control_set) {
        (HiveName::System, None) => SYSTEM.iter().any(goes),
        (HiveName::System, Some(_)) => IN_CONTROL_SET.iter().any(goes) || is_of_service(names),
        (HiveName::Software, _) => {
            let in_32_bits = match names {
                [first, rest @ ..] if same(first, "WOW6432Node") => rest,
                _ => &[],
            };
            let in_32_bits = |kept: &&str| !in_32_bits.is_empty() && goes_with(in_32_bits, kept);
            SOFTWARE.iter().any(|kept| goes(kept) || in_32_bits(kept))
        }
    };
    match (is_kept, names.len()) {
        (false, _) => None,
        (true, 1) => Some(VITAL),
        (true, _) => Some(ESSENTIAL),
    }
}

/// Whether the key `kept` is the one at `names`, or below it.
fn goes_with(names: &[String], kept: &str) -> bool {
    let mut kept = kept.split('\\');
    names.iter().all(|name| {
        kept.next().is_some_and(|kept| {
            let stands_for = wildcard(name).is_some_and(|any| any.matches(kept));
            kept == "*" || stands_for || same(name, kept)
        })
    })
}

/// Whether this is the key of a service that Windows needs, or its `Parameters`.
fn is_of_service(names: &[String]) -> bool {
    let (services, service) = match names {
        [services, service] => (services, service),
        [services, service, parameters]
            if goes_with(std::slice::from_ref(parameters), "Parameters") =>
        {
            (services, service)
        }
        _ => return false,
    };
    let any = wildcard(service).is_some();
    same(services, "Services") && (any || is_one_of(service, SERVICES))
}

fn is_one_of(name: &str, known: &[&str]) -> bool {
    known.iter().any(|known| same(name, known))
}

/// Whether both are one name to people: blanks around a name are not seen.
fn same(one: &str, other: &str) -> bool {
    let is_unseen = |c: char| c.is_whitespace() || c.is_control();
    upcase(one.trim_matches(is_unseen)) == upcase(other)
}

fn is_no_key(name: &str) -> bool {
    name.is_empty() || name.contains('\0') || name.encode_utf16().count() > MAX_SEGMENT_UNITS
}

fn is_no_value(name: &str) -> bool {
    name.contains('\0') || name.encode_utf16().count() > MAX_NAME_UNITS
}
