// SPDX-License-Identifier: GPL-3.0-or-later
//! Services and drivers: whether the service manager can start them, and all that they need.

use std::collections::{HashMap, HashSet};

use super::Area;
use super::look::{At, Look, Presence, dword_of, in_set, in_software};
use crate::machine::dword;
use crate::profile::Impact;
use crate::settings::DISABLED;

/// The start type of what does not start.
/// The types that run in a process of their own or a shared one.
const PROCESSES: u32 = 0x30;
/// The most services that are followed: the list on a disk may be of any length.
const MOST: usize = 256;

const HOSTS: &str = "Microsoft\\Windows NT\\CurrentVersion\\Svchost";
const OF_THE_SAME_WINDOWS: &str = "Take the key of this service from a healthy machine of the same \
                                   Windows version; no profile makes it.";

/// What must start, and for which step.
const NEEDED: &[(&str, Area)] = &[
    ("RpcSs", Area::Start),
    ("DcomLaunch", Area::Start),
    ("RpcEptMapper", Area::Start),
    ("NDIS", Area::Network),
    ("Tcpip", Area::Network),
    ("AFD", Area::Network),
    ("nsiproxy", Area::Network),
    ("nsi", Area::Network),
    ("TermService", Area::RemoteDesktop),
];

/// What is known of all services: who is in which group.
#[derive(Default)]
struct Groups {
    members: HashMap<String, Vec<String>>,
    is_read: bool,
}

/// Looks at every service that Remote Desktop needs, and at what those need.
pub(super) fn look(look: &mut Look<'_, '_, '_>) {
    let mut groups = Groups::default();
    let mut seen = HashSet::new();
    for &(name, area) in NEEDED {
        if name == "TermService" || look.has(in_set(&format!("Services\\{name}"))) {
            follow(look, area, name, &[], &mut groups, &mut seen);
        } else if look.is_at_least(6, 0) {
            let key = format!("Services\\{name}");
            look.wrong(
                (area, Impact::Blocks),
                format!("The service {name}, without which Windows is not reached, is not there"),
                in_set(&key),
                None,
            )
            .advise(OF_THE_SAME_WINDOWS);
        }
    }
}

/// Judges a service and, below it, those that it depends on. `way` are those that need it.
fn follow(
    look: &mut Look<'_, '_, '_>,
    area: Area,
    name: &str,
    way: &[String],
    groups: &mut Groups,
    seen: &mut HashSet<String>,
) {
    if !seen.insert(name.to_ascii_lowercase()) || seen.len() > MOST {
        return;
    }
    let key = format!("Services\\{name}");
    let at = in_set(&key);
    if !look.has(at) {
        // That the service itself is not there is said elsewhere.
        if let (true, Some(by)) = (look.lacks(at), way.last()) {
            let cause = format!("{by} needs {name}, which is not there (error 1075)");
            let by = format!("Services\\{by}");
            look.wrong(
                (area, Impact::Blocks),
                cause,
                in_set(&by),
                Some("DependOnService"),
            )
            .advise(
                "Take the name out of DependOnService where it does not belong there, or take \
                     the key of that service from a healthy machine of the same Windows version.",
            );
        }
        return;
    }
    judge(look, area, name, at, way);
    let mut below = way.to_vec();
    below.push(name.to_owned());
    let mut others = look.list(at, "DependOnService").unwrap_or_default();
    let in_groups = look.list(at, "DependOnGroup").unwrap_or_default();
    let marked = others.iter().filter_map(|other| other.strip_prefix('+'));
    let in_groups: Vec<String> = marked.map(str::to_owned).chain(in_groups).collect();
    others.retain(|other| !other.starts_with('+'));
    for other in others {
        follow(look, area, &other, &below, groups, seen);
    }
    for group in in_groups {
        judge_group(look, area, name, &group, groups);
    }
}

/// A service that depends on a group starts if one of the group does.
fn judge_group(
    look: &mut Look<'_, '_, '_>,
    area: Area,
    name: &str,
    group: &str,
    groups: &mut Groups,
) {
    if !groups.is_read {
        groups.is_read = true;
        for service in look.subkeys(in_set("Services")) {
            let key = format!("Services\\{service}");
            if let Some(group) = look.text(in_set(&key), "Group") {
                let members = groups.members.entry(group.to_ascii_lowercase());
                members.or_default().push(service);
            }
        }
    }
    let members = groups.members.get(&group.to_ascii_lowercase());
    let starts = |member: &String| {
        let key = format!("Services\\{member}");
        look.number(in_set(&key), "Start")
            .is_some_and(|start| start < DISABLED)
    };
    if members.into_iter().flatten().any(starts) {
        return;
    }
    let key = format!("Services\\{name}");
    let cause = format!("{name} needs a driver of the group {group}, and none of it starts");
    look.wrong(
        (area, Impact::Blocks),
        cause,
        in_set(&key),
        Some("DependOnGroup"),
    )
    .advise("Start one of the group, or take the group out where it does not belong there.");
}

/// What keeps one service from starting.
fn judge(look: &mut Look<'_, '_, '_>, area: Area, name: &str, at: At<'_>, way: &[String]) {
    let blocks = (area, Impact::Blocks);
    let needed = match way.last() {
        Some(by) => format!("{name}, which {by} needs,"),
        None => name.to_owned(),
    };
    if look.number(at, "DeleteFlag").is_some_and(|flag| flag != 0) {
        let cause = format!("{needed} is marked for deletion and is gone at the next start");
        look.wrong(blocks, cause, at, Some("DeleteFlag"))
            .should_be(None)
            .advise("Delete the value DeleteFlag, with a profile of your own or in regedit.");
    }
    let start = look.value(at, "Start");
    match start.as_ref().map(dword) {
        Some(Some(0..=3)) => {}
        Some(Some(DISABLED)) => {
            let cause = format!("{needed} is disabled");
            let usual = usual_start(name);
            let fault = look.wrong(blocks, cause, at, Some("Start"));
            let fault = match usual {
                Some(usual) => fault.should_be(Some(dword_of(usual))),
                None => fault,
            };
            fault.advise(
                "Set Start to what it is on a healthy machine of the same Windows version.",
            );
        }
        Some(Some(number)) => {
            let cause = format!("{needed} has the start type {number}, which there is not");
            look.wrong(blocks, cause, at, Some("Start")).advise(
                "Set Start to what it is on a healthy machine of the same Windows version.",
            );
        }
        Some(None) => {
            let cause =
                format!("{needed} has a start type that is no REG_DWORD: it does not start");
            look.wrong(blocks, cause, at, Some("Start"))
                .advise("Give Start its type, REG_DWORD, and the usual number.");
        }
        None => {
            let cause = format!("{needed} has no start type: it does not start");
            look.wrong(blocks, cause, at, Some("Start"))
                .advise(OF_THE_SAME_WINDOWS);
        }
    }
    let Some(kind) = look.number(at, "Type") else {
        let cause = format!("{needed} has no type, without which it does not start");
        look.wrong(blocks, cause, at, Some("Type"))
            .advise(OF_THE_SAME_WINDOWS);
        return;
    };
    let image = look
        .text(at, "ImagePath")
        .filter(|image| !image.trim().is_empty());
    match (&image, kind & PROCESSES != 0) {
        (None, true) => {
            let cause = format!("{needed} has no ImagePath: there is nothing to start");
            look.wrong(blocks, cause, at, Some("ImagePath"))
                .advise(OF_THE_SAME_WINDOWS);
        }
        (None, false) => {
            let driver = format!("\\SystemRoot\\System32\\drivers\\{name}.sys");
            expect_file(look, area, &needed, at, "ImagePath", &driver);
        }
        (Some(image), is_process) => {
            expect_file(look, area, &needed, at, "ImagePath", image);
            if is_process {
                judge_host(look, area, name, &needed, at, image);
            }
        }
    }
}

/// Whether svchost has the service in the group that it is started for, and finds its file.
fn judge_host(
    look: &mut Look<'_, '_, '_>,
    area: Area,
    name: &str,
    needed: &str,
    at: At<'_>,
    image: &str,
) {
    let words: Vec<&str> = image.split_whitespace().collect();
    let is_host = words.first().is_some_and(|program| {
        let program = program.trim_matches('"').to_ascii_lowercase();
        program.ends_with("svchost.exe") || program.ends_with("svchost")
    });
    let mut options = words
        .iter()
        .skip_while(|word| !word.eq_ignore_ascii_case("-k"));
    let (true, Some(group)) = (is_host, options.nth(1)) else {
        return;
    };
    let hosts = in_software(HOSTS);
    if look.has(hosts) {
        let members = look.list(hosts, group).unwrap_or_default();
        if !members
            .iter()
            .any(|member| member.eq_ignore_ascii_case(name))
        {
            let cause = format!("svchost does not host {needed} in the group {group}");
            look.wrong((area, Impact::Blocks), cause, hosts, Some(group))
                .advise(format!(
                    "Add {name} to this list: it is on it on a healthy machine."
                ));
        }
    }
    let key = format!("{}\\Parameters", at.key);
    let parameters = in_set(&key);
    let place = match look.value(parameters, "ServiceDll") {
        Some(_) => parameters,
        None => at,
    };
    match look.text(place, "ServiceDll") {
        Some(file) if !file.trim().is_empty() => {
            expect_file(look, area, needed, place, "ServiceDll", &file);
        }
        _ => {
            let cause = format!("{needed} has no ServiceDll: svchost has nothing to load");
            look.wrong(
                (area, Impact::Blocks),
                cause,
                parameters,
                Some("ServiceDll"),
            )
            .advise(OF_THE_SAME_WINDOWS);
        }
    }
}

/// Looks a file up that a value names.
pub(super) fn expect_file(
    look: &mut Look<'_, '_, '_>,
    area: Area,
    needed: &str,
    at: At<'_>,
    value: &str,
    file: &str,
) {
    match (look.files)(file) {
        Presence::There => {}
        Presence::Missing => {
            let cause = format!("{needed} names a file that is not on the disk");
            look.wrong((area, Impact::Blocks), cause, at, Some(value))
                .note(format!("not there: {file}"))
                .advise(
                    "Bring the file back from a healthy machine of the same Windows version, or put \
                     the value right.",
                );
        }
        Presence::Unknown(why) => look.open(area, format!("files that services name: {why}")),
    }
}

/// The start type that Windows sets up, where it is the same in all versions.
fn usual_start(name: &str) -> Option<u32> {
    let usual: &[(&str, u32)] = &[
        ("NDIS", 0),
        ("AFD", 1),
        ("nsiproxy", 1),
        ("nsi", 2),
        ("RpcSs", 2),
        ("DcomLaunch", 2),
        ("RpcEptMapper", 2),
    ];
    let known = usual
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, start)| *start)
}
