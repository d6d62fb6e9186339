// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether Windows starts: its boot drivers, Setup, the session manager and the logon.
//!
//! Facts: Microsoft's repair scripts for inaccessible boot devices and for the logon subsystem, and the
//! values of healthy disks.

use std::collections::HashSet;

use super::Area;
use super::ask::Found;
use super::look::{At, Look, Presence, dword_of, in_set, in_software, in_system};
use super::services::expect_file;
use crate::machine::dword;
use crate::profile::{HiveName, Impact};
use crate::regf::Name;

/// A Windows that is not set up to be used, and so is not judged as if it were.
pub(super) fn meant(look: &Look<'_, '_, '_>) -> Option<&'static str> {
    let command = look.text(in_system("Setup"), "CmdLine").unwrap_or_default();
    let is_pe = look.has(in_software("Microsoft\\Windows NT\\CurrentVersion\\WinPE"))
        || look.has(in_set("Control\\MiniNT"))
        || command.to_ascii_lowercase().contains("winpeshl.exe");
    if is_pe {
        return Some(
            "this is Windows PE (or the recovery environment), which starts as it is meant to",
        );
    }
    let state = in_software("Microsoft\\Windows\\CurrentVersion\\Setup\\State");
    let state = look.text(state, "ImageState")?.to_ascii_uppercase();
    match state.as_str() {
        "" | "IMAGE_STATE_COMPLETE" => None,
        _ if state.contains("AUDIT") => {
            Some("this Windows is in audit mode: Setup has not finished, and is meant not to")
        }
        _ => Some("this is an image before its first start: Setup goes on then, as it is meant to"),
    }
}

pub(super) fn look(look: &mut Look<'_, '_, '_>) {
    boot_drivers(look);
    class_filters(look);
    session_manager(look);
    logon(look);
}

/// Setup's four values belong together.
pub(super) fn setup(look: &mut Look<'_, '_, '_>) {
    let setup = in_system("Setup");
    let command = look.text(setup, "CmdLine").unwrap_or_default();
    let kind = look.number(setup, "SetupType").unwrap_or(0);
    setup_in_progress(look);
    if kind == 0 {
        return;
    }
    let (impact, cause) = match (look.files)(&command) {
        _ if command.trim().is_empty() => (
            Impact::Blocks,
            "Windows starts Setup, and is not told which program that is",
        ),
        Presence::Missing => (
            Impact::Blocks,
            "Windows starts Setup with a program that is not on the disk",
        ),
        Presence::There => (Impact::Unusual, "Windows starts Setup before anything else"),
        Presence::Unknown(why) => {
            look.open(
                Area::Start,
                format!("the program of Setup (CmdLine): {why}"),
            );
            (Impact::Unusual, "Windows starts Setup before anything else")
        }
    };
    look.wrong((Area::Start, impact), cause, setup, Some("SetupType"))
        .note(format!("CmdLine is {command:?}"))
        .should_be(Some(dword_of(0)))
        .mended_by("setup-state-clear");
}

/// Whether setup is meant to be running is told by SOFTWARE; the profile that knows asks it.
fn setup_in_progress(look: &mut Look<'_, '_, '_>) {
    let setup = in_system("Setup");
    if look.reader.has(HiveName::Software) {
        return;
    }
    for value in ["SystemSetupInProgress", "OOBEInProgress"] {
        if look.number(setup, value).is_none_or(|number| number == 0) {
            continue;
        }
        let cause = "Windows believes that its setup is still running";
        look.wrong((Area::Start, Impact::Unusual), cause, setup, Some(value))
            .note("whether that is meant cannot be told without the SOFTWARE hive")
            .advise("Name the SOFTWARE hive too (--software).");
        look.open(
            Area::Start,
            "whether setup is meant to be running: there is no SOFTWARE hive here",
        );
    }
}

/// What each driver is for, and whether every machine needs it.
struct Driver {
    name: &'static str,
    starts: &'static [u32],
    /// Since which Windows there is always one.
    since: Option<(u32, u32)>,
    /// Whether only machines with such a device need it.
    is_for_a_device: bool,
}

const fn driver(name: &'static str, starts: &'static [u32], since: Option<(u32, u32)>) -> Driver {
    Driver {
        name,
        starts,
        since,
        is_for_a_device: false,
    }
}

const fn controller(name: &'static str) -> Driver {
    Driver {
        name,
        starts: &[0],
        since: None,
        is_for_a_device: true,
    }
}

const DRIVERS: &[Driver] = &[
    driver("ACPI", &[0], Some((6, 0))),
    driver("pci", &[0], Some((6, 0))),
    driver("vdrvroot", &[0, 1, 3], Some((6, 1))),
    driver("disk", &[0], Some((5, 0))),
    driver("partmgr", &[0, 1], Some((5, 0))),
    driver("volmgr", &[0], Some((6, 0))),
    driver("mountmgr", &[0], Some((5, 0))),
    driver("volsnap", &[0, 1, 3], Some((5, 1))),
    controller("vmbus"),
    controller("storvsc"),
    controller("storahci"),
    controller("msahci"),
    controller("stornvme"),
    controller("atapi"),
    controller("intelide"),
    controller("pciide"),
    controller("LSI_SAS"),
    controller("pvscsi"),
    controller("vioscsi"),
    controller("viostor"),
];

/// Controllers that Windows 8 and later are ready for on every machine.
const ON_EVERY_MACHINE: &[&str] = &["vmbus", "storvsc", "storahci", "stornvme"];

/// A controller that no device of this machine uses does not keep it from starting, whatever a profile
/// says of it: on which machine the disk will be is not known.
pub(super) fn spare_unused_controllers(look: &Look<'_, '_, '_>, found: &mut [Found]) {
    let mut used: Option<HashSet<String>> = None;
    for found in found {
        let name = found
            .evidence
            .key
            .name()
            .map(Name::to_text)
            .unwrap_or_default();
        let mut controllers = DRIVERS.iter().filter(|driver| driver.is_for_a_device);
        let is_one = controllers.any(|driver| driver.name.eq_ignore_ascii_case(&name));
        let key = in_set(SERVICES);
        let is_service = found
            .evidence
            .key
            .above()
            .is_some_and(|above| above.same_as(&look.path(key)));
        if !is_one || !is_service || found.cause.impact != Impact::Blocks {
            continue;
        }
        let used = used.get_or_insert_with(|| services_of_devices(look));
        if !used.contains(&name.to_ascii_lowercase()) {
            found.cause.impact = Impact::Unusual;
            let note = "no device of this machine uses it so far";
            found.evidence.note = found.evidence.note.take().or(Some(note.to_owned()));
        }
    }
}

const SERVICES: &str = "Services";

/// The bus drivers have the system disk behind them on every machine that has one of their devices.
fn boot_drivers(look: &mut Look<'_, '_, '_>) {
    let mut used: Option<HashSet<String>> = None;
    for driver in DRIVERS {
        let key = format!("Services\\{}", driver.name);
        let at = in_set(&key);
        if !look.has(at) {
            if driver
                .since
                .is_some_and(|(major, minor)| look.is_at_least(major, minor))
                && look.lacks(at)
            {
                let cause = format!("The boot driver {} is not there", driver.name);
                look.wrong((Area::Start, Impact::Blocks), cause, at, None).advise(
                    "Take the key from a healthy machine of the same Windows version; no profile \
                     makes it.",
                );
            }
            continue;
        }
        let start = look.value(at, "Start");
        let number = start.as_ref().and_then(dword);
        let starts_late = number.is_none_or(|number| !driver.starts.contains(&number));
        let overridden = overridden(look, &key);
        if !starts_late && overridden.is_none() {
            continue;
        }
        let is_used = !driver.is_for_a_device || {
            let used = used.get_or_insert_with(|| services_of_devices(look));
            used.contains(&driver.name.to_ascii_lowercase())
        };
        let impact = match is_used {
            true => Impact::Blocks,
            // A controller that this machine does not have may start late.
            false if number == Some(4) && ON_EVERY_MACHINE.contains(&driver.name) => {
                Impact::Unusual
            }
            false => continue,
        };
        let of = match (driver.is_for_a_device, is_used) {
            (true, true) => ", which a device of this machine uses,",
            (true, false) => ", which no device here uses so far,",
            (false, _) => "",
        };
        let cause = format!(
            "The boot driver {}{of} does not start with the boot loader",
            driver.name
        );
        let wanted = driver.starts.first().copied().map(dword_of);
        match overridden {
            Some(name) if !starts_late => {
                let key = format!("{key}\\StartOverride");
                look.wrong((Area::Start, impact), cause, in_set(&key), Some(&name))
                    .should_be(wanted)
                    .note("it wins over Start")
                    .advise("Set this value to 0, or delete it.");
            }
            _ => {
                look.wrong((Area::Start, impact), cause, at, Some("Start"))
                    .should_be(wanted)
                    .advise("Set Start to the number that is wanted.");
            }
        }
    }
}

/// The value of `StartOverride` that keeps a driver from starting with the boot loader.
fn overridden(look: &Look<'_, '_, '_>, service: &str) -> Option<String> {
    let key = format!("{service}\\StartOverride");
    let names = look
        .reader
        .listed(HiveName::System, &look.path(in_set(&key)));
    let mut late = names
        .into_iter()
        .filter(|(_, value)| dword(value).is_some_and(|n| n > 0));
    late.next().map(|(name, _)| name.to_text())
}

/// The services of the devices that Windows has seen, in lower case.
fn services_of_devices(look: &Look<'_, '_, '_>) -> HashSet<String> {
    /// A disk may hold any number of them.
    const MOST: usize = 20_000;
    let mut services = HashSet::new();
    let mut left = MOST;
    for bus in look.subkeys(in_set("Enum")) {
        for device in look.subkeys(in_set(&format!("Enum\\{bus}"))) {
            for instance in look.subkeys(in_set(&format!("Enum\\{bus}\\{device}"))) {
                let key = format!("Enum\\{bus}\\{device}\\{instance}");
                let service = look.text(in_set(&key), "Service");
                services.extend(service.map(|name| name.to_ascii_lowercase()));
                left = left.saturating_sub(1);
                if left == 0 {
                    return services;
                }
            }
        }
    }
    services
}

/// Classes whose filters stand between Windows and its disk.
const CLASSES: &[(&str, &str)] = &[
    ("{4d36e967-e325-11ce-bfc1-08002be10318}", "disks"),
    (
        "{4d36e96a-e325-11ce-bfc1-08002be10318}",
        "IDE and SATA controllers",
    ),
    (
        "{4d36e97b-e325-11ce-bfc1-08002be10318}",
        "storage controllers",
    ),
    ("{4d36e97d-e325-11ce-bfc1-08002be10318}", "system devices"),
    ("{71a27cdd-812a-11d0-bec7-08002be2092f}", "volumes"),
];

/// A filter that has no driver keeps every device of its class from starting.
fn class_filters(look: &mut Look<'_, '_, '_>) {
    for (class, what) in CLASSES {
        let key = format!("Control\\Class\\{class}");
        let at = in_set(&key);
        for value in ["UpperFilters", "LowerFilters"] {
            for filter in look.list(at, value).unwrap_or_default() {
                let service = format!("Services\\{filter}");
                let service = in_set(&service);
                let cause =
                    format!("A filter of all {what}, {filter}, has no driver: none of them starts");
                let is_missing = if look.lacks(service) {
                    true
                } else {
                    let image = look.text(service, "ImagePath");
                    let usual = || format!("\\SystemRoot\\System32\\drivers\\{filter}.sys");
                    (look.files)(&image.unwrap_or_else(usual)) == Presence::Missing
                };
                if is_missing {
                    look.wrong((Area::Start, Impact::Blocks), cause, at, Some(value))
                        .advise(format!(
                            "Take {filter} out of the list, and leave the others. The profile \
                             filter-drivers takes out all that do not come with Windows: a last \
                             resort, and never where a product encrypts the disk."
                        ));
                }
            }
        }
    }
}

const SESSION_MANAGER: &str = "Control\\Session Manager";

fn session_manager(look: &mut Look<'_, '_, '_>) {
    let manager = in_set(SESSION_MANAGER);
    for (value, impact) in [
        ("BootExecute", Impact::Unusual),
        ("SetupExecute", Impact::Unusual),
    ] {
        for entry in look.list(manager, value).unwrap_or_default() {
            // `autocheck NAME` is a program of that name.
            let words: Vec<&str> = entry.split_whitespace().collect();
            let program = match words.as_slice() {
                [first, second, ..] if first.eq_ignore_ascii_case("autocheck") => second,
                [first, ..] => first,
                [] => continue,
            };
            let program = match program.contains('.') {
                true => (*program).to_owned(),
                false => format!("{program}.exe"),
            };
            let file = match program.contains('\\') {
                true => program,
                false => format!("\\SystemRoot\\System32\\{program}"),
            };
            match (look.files)(&file) {
                Presence::Missing => {
                    let cause = format!("{value} starts a program that is not on the disk");
                    look.wrong((Area::Start, impact), cause, manager, Some(value))
                        .note(format!("not there: {file}"))
                        .advise(
                            "Take the entry out; `autocheck autochk *` is all that Windows has.",
                        );
                }
                Presence::Unknown(why) => {
                    look.open(
                        Area::Start,
                        format!("programs of the session manager: {why}"),
                    );
                }
                Presence::There => {}
            }
        }
    }
    let check = look.list(manager, "BootExecute").unwrap_or_default();
    let has_check = check
        .iter()
        .any(|entry| entry.to_ascii_lowercase().contains("autochk"));
    if look.has(manager) && !has_check {
        let cause = "The check of the disks at the start was taken out of BootExecute";
        look.wrong(
            (Area::Start, Impact::Unusual),
            cause,
            manager,
            Some("BootExecute"),
        )
        .advise("It is REG_MULTI_SZ with one text: autocheck autochk *");
    }
    let systems = in_set("Control\\Session Manager\\SubSystems");
    let windows = look.text(systems, "Windows");
    if look.has(systems) {
        let program = windows
            .as_deref()
            .unwrap_or("")
            .split_whitespace()
            .next()
            .unwrap_or("");
        if !file_name(program).eq_ignore_ascii_case("csrss.exe") {
            let cause = "The subsystem of Windows is not csrss.exe: the start ends with 0xC000021A";
            look.wrong(
                (Area::Start, Impact::Blocks),
                cause,
                systems,
                Some("Windows"),
            )
            .advise("Take the value from the last known good control set, or a healthy machine.");
        } else {
            let program = program.to_owned();
            expect_file(
                look,
                Area::Start,
                "The subsystem of Windows",
                systems,
                "Windows",
                &program,
            );
        }
    }
    if look.is_at_least(6, 0) {
        same_host(look);
    }
}

/// The two halves of the remote procedure calls live in one process, and are started for it by the same
/// command.
fn same_host(look: &mut Look<'_, '_, '_>) {
    let (mapper, calls) = (in_set("Services\\RpcEptMapper"), in_set("Services\\RpcSs"));
    let (one, other) = (
        look.text(mapper, "ImagePath"),
        look.text(calls, "ImagePath"),
    );
    if let (Some(one), Some(other)) = (one, other)
        && !one.eq_ignore_ascii_case(&other)
    {
        let cause = "RpcEptMapper and RpcSs are not started by the same command: the logon goes \
                     round in circles";
        let wanted = look.value(calls, "ImagePath");
        look.wrong(
            (Area::Start, Impact::Blocks),
            cause,
            mapper,
            Some("ImagePath"),
        )
        .should_be(wanted)
        .advise("Give RpcEptMapper the ImagePath of RpcSs.");
    }
}

const WINLOGON: At<'_> = At {
    hive: HiveName::Software,
    in_set: false,
    key: "Microsoft\\Windows NT\\CurrentVersion\\Winlogon",
};

/// Without these two somebody who logs on gets a black screen, or is logged off again.
fn logon(look: &mut Look<'_, '_, '_>) {
    if !look.has(WINLOGON) {
        return;
    }
    for (value, program, wanted) in [
        (
            "Userinit",
            "userinit.exe",
            "C:\\Windows\\system32\\userinit.exe, with its comma",
        ),
        ("Shell", "explorer.exe", "explorer.exe"),
    ] {
        let found = look.list(WINLOGON, value).unwrap_or_default();
        let is_it = |entry: &String| {
            let entry = entry.trim_matches('"');
            let words = entry.split_whitespace().next().unwrap_or("");
            [entry, words]
                .iter()
                .any(|text| file_name(text).eq_ignore_ascii_case(program))
        };
        if !found.iter().any(is_it) {
            let cause = format!("{value} of the logon does not start {program}: no desktop comes");
            look.wrong((Area::Start, Impact::Blocks), cause, WINLOGON, Some(value))
                .advise(format!("Windows sets it to {wanted}."));
            continue;
        }
        for entry in found {
            let file = match entry.contains('\\') {
                true => entry,
                false if value == "Shell" => format!("%SystemRoot%\\{entry}"),
                false => format!("\\SystemRoot\\System32\\{entry}"),
            };
            if (look.files)(&file) == Presence::Missing {
                let cause =
                    format!("{value} of the logon starts a program that is not on the disk");
                look.wrong((Area::Start, Impact::Blocks), cause, WINLOGON, Some(value))
                    .note(format!("not there: {file}"))
                    .advise(format!("Windows sets it to {wanted}."));
            }
        }
    }
}

/// Whether Select names a control set that is there, and a key that looks like one and is none.
pub(super) fn select(look: &mut Look<'_, '_, '_>) {
    let select = in_system("Select");
    let default = look.number(select, "Default");
    let set = format!("ControlSet{:03}", default.unwrap_or(0));
    let judged = look.set.to_owned();
    if default.is_none() || look.lacks(in_system(&set)) {
        let cause = match default {
            Some(_) => format!("The next start uses {set}, which is not there"),
            None => "Nothing says which control set the next start uses".to_owned(),
        };
        look.wrong(
            (Area::Start, Impact::Blocks),
            cause,
            select,
            Some("Default"),
        )
        .note(format!("judged here: {judged}"))
        .advise(
            "Set Default and Current of Select to the number of a control set that is there and \
                 whole. See it with: hivemend diagnose TARGET --control-set NUMBER",
        );
        look.open(
            Area::Start,
            format!("the control set that Select names; {judged} was judged"),
        );
    }
    // A repair that was typed for the running Windows makes a key that Windows never reads.
    let stored = in_system("CurrentControlSet");
    if look.has(stored) {
        let cause = "A key is literally called CurrentControlSet: a repair went there, and Windows \
                     does not read it";
        look.wrong((Area::Start, Impact::Unusual), cause, stored, None)
            .note("what counts is in the control set that boots")
            .advise("Make the repair in the control set that boots. The key can go.");
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}
