// SPDX-License-Identifier: GPL-3.0-or-later
//! `diagnose` on the way to a session: what is broken is named in its step, what is meant is left alone,
//! and nobody is told that the machine is fine.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::machine::{
    Disk, FIREWALL, LISTENER, Machine, POLICY, SERVICES, TCP_RULE, TERMINAL_SERVER, utf16,
};

const RULES: &str =
    r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules";
const TCP: &str = "RemoteDesktop-UserMode-In-TCP";
const CONTROL: &str = r"SYSTEM\CurrentControlSet\Control";
const WINLOGON: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon";
const WINDOWS: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const SYSTEM_POLICY: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System";
const FIREWALL_POLICY: &str = r"SOFTWARE\Policies\Microsoft\WindowsFirewall";

fn service(name: &str) -> String {
    format!(r"{SERVICES}\{name}")
}

/// A healthy machine after `make`.
fn broken(make: impl Fn(&mut Machine)) -> Disk {
    let mut machine = Machine::healthy();
    make(&mut machine);
    machine.write()
}

fn diagnose(disk: &Disk) -> Json {
    disk.json("diagnose", &[])
}

/// The findings of a step, each as impact and the value, or the key's last name, that shows it.
fn said(diagnosis: &Json, area: &str) -> Vec<(String, String)> {
    let findings = diagnosis["findings"].as_array().unwrap().iter();
    let ours = findings.filter(|finding| finding["area"] == area);
    let said = ours.flat_map(|finding| {
        let impact = finding["impact"].as_str().unwrap();
        finding["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .map(move |evidence| {
                let key = evidence["key"].as_str().unwrap();
                let last = key.rsplit('\\').next().unwrap();
                (
                    impact.to_owned(),
                    evidence["value"].as_str().unwrap_or(last).to_owned(),
                )
            })
    });
    said.collect()
}

fn verdict(diagnosis: &Json, area: &str) -> String {
    let areas = diagnosis["areas"].as_array().unwrap();
    let ours = areas.iter().find(|found| found["area"] == area).unwrap();
    ours["verdict"].as_str().unwrap().to_owned()
}

/// What is broken, in which step it is named, with which impact and at which value or key.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    fn(&mut Machine),
);

const START: &[Case] = &[
    ("pci disabled", "start", "blocks", "Start", |m| {
        m.dword(&service("pci"), "Start", 4)
    }),
    ("mountmgr disabled", "start", "blocks", "Start", |m| {
        m.dword(&service("mountmgr"), "Start", 4);
    }),
    ("disk late", "start", "blocks", "Start", |m| {
        m.dword(&service("disk"), "Start", 3)
    }),
    ("volsnap disabled", "start", "blocks", "Start", |m| {
        m.dword(&service("volsnap"), "Start", 4);
    }),
    ("partmgr gone", "start", "blocks", "partmgr", |m| {
        m.delete_key(&service("partmgr"))
    }),
    ("acpi gone", "start", "blocks", "ACPI", |m| {
        m.delete_key(&service("ACPI"))
    }),
    (
        "a controller in use is off",
        "start",
        "blocks",
        "Start",
        |m| {
            let device = r"SYSTEM\CurrentControlSet\Enum\VMBUS\{ba6163d9}\{1}";
            m.sz(device, "Service", "storvsc");
            m.dword(&service("storvsc"), "Start", 4);
        },
    ),
    (
        "a controller nobody uses is off",
        "start",
        "unusual",
        "Start",
        |m| {
            m.dword(&service("storvsc"), "Start", 4);
        },
    ),
    (
        "a controller in use is overridden",
        "start",
        "blocks",
        "0",
        |m| {
            let device = r"SYSTEM\CurrentControlSet\Enum\PCI\VEN_1\1";
            m.sz(device, "Service", "stornvme");
            m.dword(&format!(r"{}\StartOverride", service("stornvme")), "0", 3);
        },
    ),
    (
        "a filter without a driver",
        "start",
        "blocks",
        "UpperFilters",
        |m| {
            let class = format!(r"{CONTROL}\Class\{{4d36e967-e325-11ce-bfc1-08002be10318}}");
            m.set(&class, "UpperFilters", 7, &utf16("partmgr\0gonefilter\0"));
        },
    ),
    ("another shell", "start", "blocks", "Shell", |m| {
        m.sz(WINLOGON, "Shell", "cmd.exe")
    }),
    ("no userinit", "start", "blocks", "Userinit", |m| {
        m.sz(WINLOGON, "Userinit", "x.exe,")
    }),
    ("another subsystem", "start", "blocks", "Windows", |m| {
        let key = format!(r"{CONTROL}\Session Manager\SubSystems");
        m.expand_sz(&key, "Windows", r"%SystemRoot%\system32\evil.exe");
    }),
    (
        "no check of the disks",
        "start",
        "unusual",
        "BootExecute",
        |m| {
            m.set(
                &format!(r"{CONTROL}\Session Manager"),
                "BootExecute",
                7,
                &utf16("x\0"),
            );
        },
    ),
    (
        "two hosts for the calls",
        "start",
        "blocks",
        "ImagePath",
        |m| {
            let image = r"%SystemRoot%\system32\svchost.exe -k RPCSS2 -p";
            m.expand_sz(&service("RpcEptMapper"), "ImagePath", image);
        },
    ),
    ("the calls are off", "start", "blocks", "Start", |m| {
        m.dword(&service("DcomLaunch"), "Start", 4);
    }),
    (
        "a setup without a program",
        "start",
        "blocks",
        "SetupType",
        |m| {
            m.dword(r"SYSTEM\Setup", "SetupType", 2);
        },
    ),
    (
        "a repair went beside",
        "start",
        "unusual",
        "CurrentControlSet",
        |m| {
            m.dword(r"SYSTEM\CurrentControlSet", "x", 1);
        },
    ),
];

const NETWORK: &[Case] = &[
    ("tcpip off", "network", "blocks", "Start", |m| {
        m.dword(&service("Tcpip"), "Start", 4)
    }),
    ("afd off", "network", "blocks", "Start", |m| {
        m.dword(&service("AFD"), "Start", 4)
    }),
    ("ndis off", "network", "blocks", "Start", |m| {
        m.dword(&service("NDIS"), "Start", 4)
    }),
    ("nsi gone", "network", "blocks", "nsi", |m| {
        m.delete_key(&service("nsi"))
    }),
    ("nsiproxy as text", "network", "blocks", "Start", |m| {
        m.sz(&service("nsiproxy"), "Start", "1");
    }),
    (
        "the firewall stops over a list",
        "network",
        "blocks",
        "DebugedLoopbackApps",
        |m| {
            let key = format!(r"{}\Parameters\AppCs", service("mpssvc"));
            m.set(&key, "DebugedLoopbackApps", 7, &utf16("\0"));
        },
    ),
    ("ipsec demanded", "network", "blocks", "rule", |m| {
        let rule = "v2.30|Action=SecureServer|Active=TRUE|Protocol=6|Auth1Set={x}|";
        m.sz(&format!(r"{FIREWALL}\ConSecRules"), "rule", rule);
    }),
    (
        "ipsec demanded by a policy",
        "network",
        "blocks",
        "rule",
        |m| {
            let rule = "v2.30|Action=Secure|Active=TRUE|";
            m.sz(&format!(r"{FIREWALL_POLICY}\ConSecRules"), "rule", rule);
        },
    ),
    (
        "ipsec demanded of some",
        "network",
        "unusual",
        "rule",
        |m| {
            let rule = "v2.30|Action=Secure|Active=TRUE|EP1_4=10.0.0.0-10.0.0.9|";
            m.sz(&format!(r"{FIREWALL}\ConSecRules"), "rule", rule);
        },
    ),
    ("only a store app's rule", "network", "blocks", TCP, |m| {
        m.sz(RULES, TCP, &TCP_RULE.replace("Active=TRUE", "Active=FALSE"));
        let app = "v2.30|Action=Allow|Active=TRUE|Dir=In|LUOwn=S-1-5-21-1|AppPkgId=S-1-15-2-1|";
        m.sz(RULES, "app", app);
    }),
    ("only a driver's rule", "network", "blocks", TCP, |m| {
        m.sz(RULES, TCP, &TCP_RULE.replace("Active=TRUE", "Active=FALSE"));
        let app = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=System|";
        m.sz(RULES, "WiFiDirect", app);
    }),
    (
        "only another service's rule",
        "network",
        "blocks",
        "FirewallRules",
        |m| {
            m.sz(
                RULES,
                TCP,
                &TCP_RULE.replace("Svc=termservice", "Svc=winrm"),
            );
        },
    ),
    ("open for one address", "network", "unusual", TCP, |m| {
        m.sz(RULES, TCP, &format!("{TCP_RULE}RA4=10.0.0.1|"));
    }),
    (
        "one address kept out",
        "network",
        "unusual",
        "no-one",
        |m| {
            let rule = "v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=3389|RA4=10.0.0.1|";
            m.sz(RULES, "no-one", rule);
        },
    ),
    (
        "everybody kept out by addresses",
        "network",
        "blocks",
        "no-all",
        |m| {
            let rule = "v2.30|Action=Block|Active=TRUE|Dir=In|RA4=0.0.0.0-255.255.255.255|";
            m.sz(RULES, "no-all", rule);
        },
    ),
    (
        "local rules do not count",
        "network",
        "blocks",
        "AllowLocalPolicyMerge",
        |m| {
            for profile in ["DomainProfile", "StandardProfile", "PublicProfile"] {
                m.dword(
                    &format!(r"{FIREWALL_POLICY}\{profile}"),
                    "AllowLocalPolicyMerge",
                    0,
                );
            }
        },
    ),
    (
        "a provider without a file",
        "network",
        "unusual",
        "ProviderOrder",
        |m| {
            m.sz(
                &format!(r"{CONTROL}\NetworkProvider\Order"),
                "ProviderOrder",
                "gone",
            );
        },
    ),
];

const REMOTE: &[Case] = &[
    ("no image", "remote-desktop", "blocks", "ImagePath", |m| {
        m.delete(&service("TermService"), "ImagePath");
    }),
    ("no type", "remote-desktop", "blocks", "Type", |m| {
        m.delete(&service("TermService"), "Type");
    }),
    ("no start", "remote-desktop", "blocks", "Start", |m| {
        m.delete(&service("TermService"), "Start");
    }),
    ("start as text", "remote-desktop", "blocks", "Start", |m| {
        m.sz(&service("TermService"), "Start", "3");
    }),
    (
        "marked for deletion",
        "remote-desktop",
        "blocks",
        "DeleteFlag",
        |m| {
            m.dword(&service("TermService"), "DeleteFlag", 1);
        },
    ),
    (
        "needs what there is not",
        "remote-desktop",
        "blocks",
        "DependOnService",
        |m| {
            m.set(
                &service("TermService"),
                "DependOnService",
                7,
                &utf16("RPCSS\0Gone\0"),
            );
        },
    ),
    (
        "needs what is off, two steps below",
        "remote-desktop",
        "blocks",
        "Start",
        |m| {
            m.set(
                &service("TermService"),
                "DependOnService",
                7,
                &utf16("RPCSS\0CryptSvc\0"),
            );
            m.set(
                &service("CryptSvc"),
                "DependOnService",
                7,
                &utf16("KeyIso\0"),
            );
            m.dword(&service("KeyIso"), "Start", 4);
        },
    ),
    (
        "needs a group of which none starts",
        "remote-desktop",
        "blocks",
        "DependOnGroup",
        |m| {
            m.set(
                &service("TermService"),
                "DependOnGroup",
                7,
                &utf16("Nobody\0"),
            );
        },
    ),
    (
        "not in its host",
        "remote-desktop",
        "blocks",
        "NetworkService",
        |m| {
            let hosts = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost";
            m.set(hosts, "networkservice", 7, &utf16("CryptSvc\0Dnscache\0"));
        },
    ),
    ("no transport", "remote-desktop", "blocks", "PdName", |m| {
        m.delete(LISTENER, "PdName")
    }),
    (
        "no protocol",
        "remote-desktop",
        "blocks",
        "LoadableProtocol_Object",
        |m| {
            m.delete(LISTENER, "LoadableProtocol_Object");
        },
    ),
    (
        "nla 5",
        "remote-desktop",
        "blocks",
        "UserAuthentication",
        |m| {
            m.dword(LISTENER, "UserAuthentication", 5);
        },
    ),
    (
        "layer 7",
        "remote-desktop",
        "blocks",
        "SecurityLayer",
        |m| {
            m.dword(LISTENER, "SecurityLayer", 7);
        },
    ),
    (
        "level 9",
        "remote-desktop",
        "blocks",
        "MinEncryptionLevel",
        |m| {
            m.dword(LISTENER, "MinEncryptionLevel", 9);
        },
    ),
    (
        "denied by 2",
        "remote-desktop",
        "blocks",
        "fDenyTSConnections",
        |m| {
            m.dword(TERMINAL_SERVER, "fDenyTSConnections", 2);
        },
    ),
    (
        "a home edition",
        "remote-desktop",
        "blocks",
        "EditionID",
        |m| {
            m.sz(WINDOWS, "EditionID", "Core");
        },
    ),
    ("no suites", "remote-desktop", "blocks", "Functions", |m| {
        let key = r"SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002";
        m.sz(key, "Functions", "");
    }),
    (
        "a cipher that 1 does not switch on",
        "remote-desktop",
        "unusual",
        "Enabled",
        |m| {
            let key = format!(r"{CONTROL}\SecurityProviders\SCHANNEL\Ciphers\AES 128/128");
            m.dword(&key, "Enabled", 1);
        },
    ),
    (
        "all ciphers off",
        "remote-desktop",
        "blocks",
        "Enabled",
        |m| {
            for cipher in ["AES 128/128", "AES 256/256"] {
                let key = format!(r"{CONTROL}\SecurityProviders\SCHANNEL\Ciphers\{cipher}");
                m.dword(&key, "Enabled", 0);
            }
        },
    ),
];

const RIGHTS: &[Case] = &[
    ("smart card", "rights", "blocks", "scforceoption", |m| {
        m.dword(SYSTEM_POLICY, "scforceoption", 1);
    }),
    (
        "no ntlm",
        "rights",
        "blocks",
        "RestrictReceivingNTLMTraffic",
        |m| {
            m.dword(
                &format!(r"{CONTROL}\Lsa\MSV1_0"),
                "RestrictReceivingNTLMTraffic",
                2,
            );
        },
    ),
    ("a full log", "rights", "blocks", "CrashOnAuditFail", |m| {
        m.dword(&format!(r"{CONTROL}\Lsa"), "CrashOnAuditFail", 2);
    }),
    ("applocker", "rights", "unusual", "EnforcementMode", |m| {
        let key = r"SOFTWARE\Policies\Microsoft\Windows\SrpV2\Exe";
        m.dword(key, "EnforcementMode", 1);
        m.sz(&format!(r"{key}\{{1}}"), "Value", "<FilePathRule/>");
    }),
];

fn all() -> impl Iterator<Item = &'static Case> {
    [START, NETWORK, REMOTE, RIGHTS].into_iter().flatten()
}

#[test]
fn what_is_broken_is_named_in_its_step() {
    let mut wrong = Vec::new();
    for (what, area, impact, at, make) in all() {
        let diagnosis = diagnose(&broken(make));
        let said = said(&diagnosis, area);
        let is_named = said.contains(&((*impact).to_owned(), (*at).to_owned()));
        let is_blocked = verdict(&diagnosis, area) == "blocked";
        if !is_named || is_blocked != (*impact == "blocks") {
            wrong.push(format!("{what}: {said:?} {:#}", diagnosis["findings"]));
        }
        // The other steps are as they were.
        for other in ["start", "network", "remote-desktop", "rights"] {
            if other != *area && verdict(&diagnosis, other) == "blocked" {
                wrong.push(format!(
                    "{what}: {other} is blocked too: {:#}",
                    diagnosis["findings"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Any two of twenty that are about different values are both named.
#[test]
fn two_causes_are_both_named() {
    let blocking: Vec<&Case> = all()
        .filter(|case| case.2 == "blocks")
        .step_by(2)
        .take(20)
        .collect();
    let mut pairs = 0;
    for (place, one) in blocking.iter().enumerate() {
        for other in blocking.iter().skip(place + 1).step_by(4) {
            if one.3 == other.3 {
                continue;
            }
            let diagnosis = diagnose(&broken(|machine| {
                one.4(machine);
                other.4(machine);
            }));
            for case in [one, other] {
                let found = said(&diagnosis, case.1);
                let named = found.contains(&("blocks".to_owned(), case.3.to_owned()));
                assert!(named, "{} with {}: {found:?}", one.0, other.0);
            }
            pairs += 1;
        }
    }
    assert!(pairs > 20, "{pairs}");
}

#[test]
fn nobody_is_told_that_the_machine_is_fine() {
    let disk = broken(|_| {});
    let text = disk.run("diagnose", &[]).expect(0).stdout;
    assert!(!text.contains("not the cause"), "{text}");
    for words in [
        "Does Windows start?",
        "as far as the registry tells",
        "not looked at:",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let diagnosis = diagnose(&disk);
    for area in diagnosis["areas"].as_array().unwrap() {
        assert_eq!(area["verdict"], "not-blocked", "{area}");
        assert!(!area["never_judged"].as_str().unwrap().is_empty());
    }
}

/// What it is called, and what makes it so.
type Meant = (&'static str, fn(&mut Machine));

/// What is right for a Windows that is not in use is neither a fault nor repaired.
#[test]
fn what_is_meant_is_not_judged() {
    let cases: &[Meant] = &[
        ("Windows PE", |m| {
            m.dword(r"SYSTEM\Setup", "SetupType", 1);
            m.dword(r"SYSTEM\Setup", "SystemSetupInProgress", 1);
            m.sz(r"SYSTEM\Setup", "CmdLine", "winpeshl.exe");
        }),
        ("audit mode", |m| {
            m.dword(r"SYSTEM\Setup", "SystemSetupInProgress", 1);
            let key = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State";
            m.sz(key, "ImageState", "IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT");
        }),
        ("an image before its first start", |m| {
            m.dword(r"SYSTEM\Setup", "OOBEInProgress", 1);
            let key = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State";
            m.sz(key, "ImageState", "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE");
        }),
    ];
    for (what, make) in cases {
        let disk = broken(make);
        let diagnosis = diagnose(&disk);
        assert_eq!(diagnosis["findings"], json!([]), "{what}");
        assert_eq!(diagnosis["command"], Json::Null, "{what}");
        assert_eq!(verdict(&diagnosis, "start"), "not-judged", "{what}");
        let text = disk.run("diagnose", &[]).expect(0).stdout;
        assert!(text.contains(what) && text.contains("Not judged"), "{text}");
    }
}

#[test]
fn an_account_in_another_spelling_is_no_cause() {
    for name in [
        r"NT AUTHORITY\NETWORK SERVICE",
        r"nt authority\NetworkService",
    ] {
        let disk = broken(|m| m.sz(&service("TermService"), "ObjectName", name));
        assert_eq!(diagnose(&disk)["findings"], json!([]), "{name}");
    }
    let disk = broken(|m| {
        m.sz(
            &service("TermService"),
            "ObjectName",
            r"NT-AUTORITÄT\Netzwerkdienst",
        );
    });
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["blocked"], false, "{:#}", diagnosis["findings"]);
    assert_eq!(diagnosis["findings"][0]["impact"], "unusual");
    let disk = broken(|m| m.sz(&service("TermService"), "ObjectName", r".\NetworkService"));
    assert_eq!(diagnose(&disk)["blocked"], true);
}

/// The files of a Windows as far as these tests need them.
fn files(disk: &Disk) {
    let system32 = disk.path.join("Windows/System32");
    fs::create_dir_all(system32.join("drivers")).unwrap();
    let touch = |path: &Path| fs::write(path, "").unwrap();
    for file in [
        "ntdll.dll",
        "svchost.exe",
        "termsrv.dll",
        "csrss.exe",
        "userinit.exe",
        "autochk.exe",
        "lsass.exe",
    ] {
        touch(&system32.join(file));
    }
    for name in [
        "RpcSs",
        "DcomLaunch",
        "RpcEptMapper",
        "nsi",
        "BFE",
        "CryptSvc",
        "Dnscache",
        "MpsSvc",
    ] {
        touch(&system32.join(format!("{name}.dll")));
    }
    for name in ["NDIS", "Tcpip", "AFD", "nsiproxy", "partmgr", "volsnap"] {
        touch(&system32.join(format!("drivers/{name}.sys")));
    }
    touch(&disk.path.join("Windows/explorer.exe"));
}

#[test]
fn files_that_the_registry_names_are_looked_up() {
    let disk = broken(|_| {});
    files(&disk);
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["findings"], json!([]));
    let cases: &[(&str, &str)] = &[
        ("Windows/System32/termsrv.dll", "ServiceDll"),
        ("Windows/System32/drivers/AFD.sys", "ImagePath"),
        ("Windows/explorer.exe", "Shell"),
        ("Windows/System32/csrss.exe", "Windows"),
    ];
    for (file, value) in cases {
        fs::remove_file(disk.path.join(file)).unwrap();
        let diagnosis = diagnose(&disk);
        let named: Vec<&Json> = diagnosis["findings"].as_array().unwrap().iter().collect();
        assert!(
            named.iter().any(|finding| finding["impact"] == "blocks"
                && finding["evidence"][0]["value"] == *value),
            "{file}: {named:#?}"
        );
        files(&disk);
    }
    // A drive of Windows PE is gone with it.
    let disk = broken(|m| {
        let key = format!(r"{}\Parameters", service("TermService"));
        m.expand_sz(&key, "ServiceDll", r"X:\Windows\System32\termsrv.dll");
    });
    files(&disk);
    assert_eq!(diagnose(&disk)["blocked"], true);
}

/// A session that a policy denies is a cause in its step, whatever else is right.
#[test]
fn a_policy_is_in_the_step_of_what_it_decides() {
    let disk = broken(|m| m.dword(POLICY, "fDenyTSConnections", 1));
    let diagnosis = diagnose(&disk);
    assert_eq!(verdict(&diagnosis, "remote-desktop"), "blocked");
    assert_eq!(verdict(&diagnosis, "network"), "not-blocked");
}

#[test]
fn a_control_set_that_is_not_there_is_a_cause_and_another_one_is_judged() {
    let disk = broken(|m| {
        m.dword(r"SYSTEM\Select", "Default", 9);
        m.dword(r"SYSTEM\Select", "Current", 9);
    });
    let diagnosis = diagnose(&disk);
    assert_eq!(
        said(&diagnosis, "start"),
        [("blocks".to_owned(), "Default".to_owned())]
    );
    let other = disk.json("diagnose", &["--control-set", "1"]);
    assert_eq!(other["boots"], "ControlSet001");
    disk.run("diagnose", &["--control-set", "7"]).expect(2);
    disk.run("diagnose", &["--control-set", "each"]).expect(2);
}

#[test]
fn a_managed_machine_writes_its_policies_again() {
    let disk = broken(|m| {
        m.dword(POLICY, "fDenyTSConnections", 1);
        m.sz(
            r"SOFTWARE\Microsoft\Enrollments\1",
            "ProviderID",
            "MS DM Server",
        );
    });
    let diagnosis = diagnose(&disk);
    let note = diagnosis["findings"][0]["evidence"][0]["note"]
        .as_str()
        .unwrap();
    assert!(note.contains("MDM"), "{note}");
}

/// What a value is on a disk; null for absent.
fn shown(disk: &Disk, evidence: &Json) -> Json {
    let key = format!(
        "{}\\{}",
        evidence["hive"].as_str().unwrap(),
        evidence["key"].as_str().unwrap()
    );
    let mut words = vec![key.as_str()];
    words.extend(evidence["value"].as_str());
    words.extend(["--format", "json"]);
    let ended = disk.run("show", &words);
    match ended.code {
        0 => ended.json()["values"][0]["data"].clone(),
        _ => Json::Null,
    }
}

/// A repair that `diagnose` proposes is never followed by an all-clear over what is still broken: where the
/// step is not blocked afterwards, the value is what it is on a healthy machine, or is named all the same.
#[test]
fn after_what_is_proposed_what_is_still_broken_is_still_named() {
    let healthy = broken(|_| {});
    let mut tried = 0;
    for (what, area, _, _, make) in all().filter(|case| case.2 == "blocks") {
        let disk = broken(make);
        let before = diagnose(&disk);
        let findings = before["findings"].as_array().unwrap();
        let profiles: Vec<&str> = findings
            .iter()
            .filter(|finding| finding["area"] == *area)
            .flat_map(|finding| finding["profiles"].as_array().unwrap())
            .filter_map(Json::as_str)
            .collect();
        if profiles.is_empty() {
            continue;
        }
        let words = profiles.iter().flat_map(|id| ["-p", *id]);
        let words: Vec<&str> = words.chain(["--yes"]).collect();
        let applied = disk.run("apply", &words);
        assert!(matches!(applied.code, 0 | 3), "{what}: {}", applied.stderr);
        let after = diagnose(&disk);
        let still = after["findings"].as_array().unwrap();
        for finding in findings
            .iter()
            .filter(|finding| finding["impact"] == "blocks")
        {
            for evidence in finding["evidence"].as_array().unwrap() {
                let is_named = still.iter().any(|other| {
                    let mut all = other["evidence"].as_array().unwrap().iter();
                    all.any(|one| {
                        one["key"] == evidence["key"] && one["value"] == evidence["value"]
                    })
                });
                // What was put right is another value now; what is still broken is named, whatever else
                // was done.
                let now = shown(&disk, evidence);
                let is_right = now == shown(&healthy, evidence)
                    || now == evidence["wanted"]["data"]
                    || now != evidence["found"]["data"];
                assert!(is_named || is_right, "{what}: {evidence:#}\n{still:#?}");
            }
        }
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
}

/// Without SOFTWARE nobody can tell whether setup is meant to be running, and nobody is told that it is not.
#[test]
fn setup_without_software_is_named_and_not_judged() {
    let disk = broken(|m| m.dword(r"SYSTEM\Setup", "SystemSetupInProgress", 1));
    fs::remove_file(disk.config().join("SOFTWARE")).unwrap();
    let diagnosis = diagnose(&disk);
    let named = ("unusual".to_owned(), "SystemSetupInProgress".to_owned());
    assert!(said(&diagnosis, "start").contains(&named), "{diagnosis:#}");
}
