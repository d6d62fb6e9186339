// SPDX-License-Identifier: GPL-3.0-or-later
//! `diagnose`: each way of breaking a healthy machine is named first, and a healthy one is left alone.

use std::fs;

use serde_json::{Value as Json, json};

use crate::bench::{Bench, hivemend};
use crate::machine::{
    self, Disk, FIREWALL, LISTENER, Machine, POLICY, SERVICES, TCP_RULE, TERMINAL_SERVER,
};

const RULES: &str =
    r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules";
const TCP: &str = "RemoteDesktop-UserMode-In-TCP";
const SCHANNEL: &str =
    r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server";

/// A way to break a machine, and what is to be said first: impact, profiles, value or key.
struct Break {
    what: &'static str,
    make: fn(&mut Machine),
    impact: &'static str,
    profiles: &'static [&'static str],
    /// The value of the first evidence, or the last name of the key.
    at: &'static str,
}

const fn blocks(
    what: &'static str,
    profiles: &'static [&'static str],
    at: &'static str,
    make: fn(&mut Machine),
) -> Break {
    Break {
        what,
        make,
        impact: "blocks",
        profiles,
        at,
    }
}

const ENABLE: &[&str] = &["rdp-enable"];
const PORT: &[&str] = &["rdp-port"];
const SERVICE: &[&str] = &["rdp-services"];
const ALLOW: &[&str] = &["firewall-allow-rdp"];
const UNBLOCK: &[&str] = &["firewall-unblock"];
const NOTHING: &[&str] = &[];

/// Every way of breaking it that blocks.
const BLOCKING: &[Break] = &[
    blocks("denied", ENABLE, "fDenyTSConnections", |m| {
        m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1);
    }),
    blocks("denied by a policy", ENABLE, "fDenyTSConnections", |m| {
        m.dword(POLICY, "fDenyTSConnections", 1);
    }),
    blocks(
        "denied by Registry.pol at the next start",
        &["group-policy-park"],
        "fDenyTSConnections",
        |m| m.registry_pol("fDenyTSConnections", 4, &1_u32.to_le_bytes()),
    ),
    blocks(
        "denied by a policy that comes back",
        &["rdp-enable", "group-policy-park"],
        "fDenyTSConnections",
        |m| {
            m.dword(POLICY, "fDenyTSConnections", 1);
            m.registry_pol("fDenyTSConnections", 4, &1_u32.to_le_bytes());
        },
    ),
    blocks("denied as text", ENABLE, "fDenyTSConnections", |m| {
        m.sz(TERMINAL_SERVER, "fDenyTSConnections", "0");
    }),
    blocks("component off", ENABLE, "TSEnabled", |m| {
        m.dword(TERMINAL_SERVER, "TSEnabled", 0);
    }),
    blocks("users refused", ENABLE, "TSUserEnabled", |m| {
        m.dword(TERMINAL_SERVER, "TSUserEnabled", 1);
    }),
    blocks("drain mode", ENABLE, "TSServerDrainMode", |m| {
        m.dword(TERMINAL_SERVER, "TSServerDrainMode", 1);
    }),
    blocks("drain mode that stays", ENABLE, "TSServerDrainMode", |m| {
        m.dword(TERMINAL_SERVER, "TSServerDrainMode", 2);
    }),
    blocks("listener off", ENABLE, "fEnableWinStation", |m| {
        m.dword(LISTENER, "fEnableWinStation", 0);
    }),
    blocks("logons refused", ENABLE, "fLogonDisabled", |m| {
        m.dword(LISTENER, "fLogonDisabled", 1);
    }),
    blocks("wrong port", PORT, "PortNumber", |m| {
        m.dword(LISTENER, "PortNumber", 3390);
    }),
    blocks("port as text", PORT, "PortNumber", |m| {
        m.sz(LISTENER, "PortNumber", "d3d");
    }),
    blocks("rule of another port", PORT, TCP, |m| {
        m.sz(RULES, TCP, &TCP_RULE.replace("LPort=3389", "LPort=3390"));
    }),
    blocks("service disabled", SERVICE, "Start", |m| {
        m.dword(&format!(r"{SERVICES}\TermService"), "Start", 4);
    }),
    blocks("service of the wrong account", SERVICE, "ObjectName", |m| {
        m.sz(
            &format!(r"{SERVICES}\TermService"),
            "ObjectName",
            r".\admin",
        );
    }),
    blocks("rule off", ALLOW, TCP, |m| {
        m.sz(RULES, TCP, &TCP_RULE.replace("Active=TRUE", "Active=FALSE"));
    }),
    blocks("rule blocks", ALLOW, TCP, |m| {
        m.sz(
            RULES,
            TCP,
            &TCP_RULE.replace("Action=Allow", "Action=Block"),
        );
    }),
    blocks("no exceptions", UNBLOCK, "DoNotAllowExceptions", |m| {
        m.dword(
            &format!(r"{FIREWALL}\PublicProfile"),
            "DoNotAllowExceptions",
            1,
        );
    }),
    blocks(
        "no exceptions by policy",
        UNBLOCK,
        "DoNotAllowExceptions",
        |m| {
            let key = r"SOFTWARE\Policies\Microsoft\WindowsFirewall\PublicProfile";
            m.dword(key, "DoNotAllowExceptions", 1);
        },
    ),
    blocks("rule gone", NOTHING, "FirewallRules", |m| {
        m.delete(RULES, TCP);
    }),
    blocks("somebody's own rule blocks", NOTHING, "no-rdp", |m| {
        m.sz(
            RULES,
            "no-rdp",
            "v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Name=a=b|",
        );
    }),
    blocks("listener gone", NOTHING, "RDP-Tcp", |m| {
        m.delete_key(LISTENER)
    }),
    blocks("settings gone", NOTHING, "Terminal Server", |m| {
        m.delete_key(TERMINAL_SERVER);
    }),
    blocks("service gone", NOTHING, "TermService", |m| {
        m.delete_key(&format!(r"{SERVICES}\TermService"));
    }),
    blocks(
        "setup not finished",
        &["setup-state-clear"],
        "SystemSetupInProgress",
        |m| {
            m.dword(r"SYSTEM\Setup", "SystemSetupInProgress", 1);
        },
    ),
    blocks("TLS off", &["rdp-tls"], "Enabled", |m| {
        m.dword(SCHANNEL, "Enabled", 0);
    }),
];

/// A session host of Remote Desktop Services.
pub(crate) fn session_host(machine: &mut Machine) {
    let product = r"SYSTEM\CurrentControlSet\Control\ProductOptions";
    machine.sz(product, "ProductType", "ServerNT");
    let role =
        r"SOFTWARE\Microsoft\ServerManager\ServicingStorage\ServerComponentCache\RDS-RD-Server";
    machine.dword(role, "InstallState", 1);
    let core = format!(r"{TERMINAL_SERVER}\RCM\Licensing Core");
    machine.dword(&core, "LicensingMode", 4);
    let servers = format!(r"{SERVICES}\TermService\Parameters\LicenseServers");
    let names: Vec<u8> = machine::utf16("licences.example\0");
    machine.set(&servers, "SpecifiedLicenseServers", 7, &names);
}

/// What does not block, each with its impact.
const LESS: &[Break] = &[
    Break {
        what: "no TLS",
        make: |m| m.dword(LISTENER, "SecurityLayer", 0),
        impact: "weakens",
        profiles: &["nla-restore"],
        at: "SecurityLayer",
    },
    Break {
        what: "firewall off",
        make: |m| m.dword(&format!(r"{FIREWALL}\PublicProfile"), "EnableFirewall", 0),
        impact: "weakens",
        profiles: &["firewall-on"],
        at: "EnableFirewall",
    },
    Break {
        what: "a certificate bound",
        make: |m| m.set(LISTENER, "SSLCertificateSHA1Hash", 3, &[7; 20]),
        impact: "unusual",
        profiles: &["rdp-certificate-unbind"],
        at: "SSLCertificateSHA1Hash",
    },
    Break {
        what: "debris",
        make: |m| m.dword(LISTENER, "'SecurityLayer'", 0),
        impact: "unusual",
        profiles: &["rdp-debris"],
        at: "'SecurityLayer'",
    },
];

fn broken(make: impl Fn(&mut Machine)) -> Disk {
    let mut machine = Machine::healthy();
    make(&mut machine);
    machine.write()
}

fn diagnose(disk: &Disk) -> Json {
    disk.json("diagnose", &[])
}

/// Checks what is said first; gives what is wrong with that.
fn judge(case: &Break) -> Result<(), String> {
    let diagnosis = diagnose(&broken(case.make));
    let first = &diagnosis["findings"][0];
    let evidence = &first["evidence"][0];
    let key = evidence["key"].as_str().unwrap_or("");
    let last = key.rsplit('\\').next().unwrap_or("");
    let at = evidence["value"].as_str().unwrap_or(last);
    let is_right = first["impact"] == case.impact
        && first["profiles"] == json!(case.profiles)
        && at == case.at
        && diagnosis["blocked"] == (case.impact == "blocks");
    match is_right {
        true => Ok(()),
        false => Err(format!("{}: {:#}", case.what, diagnosis["findings"])),
    }
}

#[test]
fn a_healthy_machine_is_left_alone() {
    let disk = broken(|_| {});
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["schema"], "hivemend.diagnose/2");
    for member in ["findings", "elsewhere", "masked", "debris", "warnings"] {
        assert_eq!(diagnosis[member], json!([]), "{member}");
    }
    assert_eq!(diagnosis["blocked"], false);
    assert_eq!(diagnosis["boots"], "ControlSet001");
    let ended = disk.run("diagnose", &["--exit-code"]).expect(0);
    assert!(
        ended
            .stdout
            .contains("Nothing that was judged blocks Remote Desktop"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("What is left to look at"),
        "{}",
        ended.stdout
    );
}

#[test]
fn each_way_of_blocking_is_named_first() {
    assert!(BLOCKING.len() >= 20);
    let wrong: Vec<String> = BLOCKING
        .iter()
        .filter_map(|case| judge(case).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_does_not_block_is_named_as_what_it_is() {
    let wrong: Vec<String> = LESS.iter().filter_map(|case| judge(case).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The command that is shown takes the cause away.
#[test]
fn the_profile_named_mends_it() {
    let mended = BLOCKING.iter().filter(|case| !case.profiles.is_empty());
    for case in mended {
        let disk = broken(case.make);
        let profiles = case.profiles.iter().flat_map(|profile| ["-p", *profile]);
        let args: Vec<&str> = profiles.chain(["--yes"]).collect();
        disk.run("apply", &args).expect(0);
        let diagnosis = diagnose(&disk);
        assert_eq!(diagnosis["blocked"], false, "{}: {diagnosis:#}", case.what);
    }
}

#[test]
fn exit_code_is_1_only_where_something_blocks() {
    let disk = broken(|m| m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1));
    disk.run("diagnose", &["--exit-code"]).expect(1);
    disk.run("diagnose", &[]).expect(0);
    let disk = broken(|m| m.dword(LISTENER, "SecurityLayer", 0));
    disk.run("diagnose", &["--exit-code"]).expect(0);
}

#[test]
fn the_text_names_cause_value_and_command() {
    let disk = broken(|m| {
        m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1);
        m.dword(LISTENER, "SecurityLayer", 0);
    });
    let text = disk.run("diagnose", &[]).expect(0).stdout;
    let place = |words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("no {words}: {text}"))
    };
    let command = format!("hivemend apply {} -p rdp-enable", disk.path.display());
    assert!(place("BLOCKS") < place("fDenyTSConnections: dword:00000001, should be"));
    assert!(place(&command) < place("WEAKENS"));
    assert!(!text.contains("What is left to look at"));
}

#[test]
fn several_causes_are_all_named_the_worst_first() {
    let disk = broken(|m| {
        m.dword(LISTENER, "SecurityLayer", 0);
        m.dword(LISTENER, "PortNumber", 3390);
        m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1);
        m.dword(&format!(r"{SERVICES}\TermService"), "Start", 4);
    });
    let diagnosis = diagnose(&disk);
    let findings = diagnosis["findings"].as_array().unwrap();
    let impacts: Vec<&str> = findings
        .iter()
        .map(|f| f["impact"].as_str().unwrap())
        .collect();
    assert_eq!(impacts, ["blocks", "blocks", "blocks", "weakens"]);
    assert_eq!(findings[0]["profiles"], json!(["rdp-enable"]));
    assert_eq!(
        diagnosis["summary"],
        json!({ "blocks": 3, "weakens": 1, "unusual": 0 })
    );
}

#[test]
fn denied_in_system_and_allowed_by_policy_is_no_block() {
    let disk = broken(|m| {
        m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1);
        m.dword(POLICY, "fDenyTSConnections", 0);
    });
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["blocked"], false, "{:#}", diagnosis["findings"]);
    let masked = &diagnosis["masked"][0];
    assert_eq!(masked["evidence"]["value"], "fDenyTSConnections");
    assert!(
        masked["why"].as_str().unwrap().contains("policy"),
        "{masked}"
    );
    let text = disk.run("diagnose", &["--exit-code"]).expect(0).stdout;
    assert!(text.contains("not a cause"), "{text}");
}

#[test]
fn a_masked_value_is_not_the_cause_but_the_policy_is() {
    let disk = broken(|m| {
        m.dword(LISTENER, "SecurityLayer", 0);
        m.dword(POLICY, "SecurityLayer", 2);
    });
    assert_eq!(diagnose(&disk)["findings"], json!([]));
    let disk = broken(|m| m.dword(POLICY, "SecurityLayer", 0));
    let diagnosis = diagnose(&disk);
    let first = &diagnosis["findings"][0];
    assert_eq!(first["impact"], "weakens");
    assert_eq!(first["evidence"][0]["hive"], "SOFTWARE");
    let profiles = [&first["profiles"], &first["also"]];
    let named = |id: &str| {
        profiles
            .iter()
            .any(|list| list.as_array().unwrap().contains(&json!(id)))
    };
    assert!(named("rdp-policy-clear"), "{first:#}");
}

#[test]
fn registry_pol_counts_before_windows_has_started() {
    // It takes away what denies.
    let disk = broken(|m| {
        m.dword(POLICY, "fDenyTSConnections", 1);
        m.registry_pol("fDenyTSConnections", 4, &0_u32.to_le_bytes());
    });
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["findings"], json!([]));
    assert_eq!(
        diagnosis["masked"][0]["evidence"]["value"],
        "fDenyTSConnections"
    );
    // It denies, but is not processed.
    let disk = broken(|m| {
        m.registry_pol("fDenyTSConnections", 4, &1_u32.to_le_bytes());
        m.dword(&format!(r"{SERVICES}\gpsvc"), "Start", 4);
    });
    assert_eq!(diagnose(&disk)["blocked"], false);
}

#[test]
fn a_rule_that_is_off_is_no_cause_where_the_port_is_open() {
    let off = TCP_RULE.replace("Active=TRUE", "Active=FALSE");
    let disk = broken(|m| {
        m.sz(RULES, TCP, &off);
        m.sz(
            RULES,
            "my-rdp",
            "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|",
        );
    });
    assert_eq!(diagnose(&disk)["findings"], json!([]));
    let disk = broken(|m| {
        m.sz(RULES, TCP, &off);
        for profile in ["DomainProfile", "PublicProfile", "StandardProfile"] {
            m.dword(&format!(r"{FIREWALL}\{profile}"), "EnableFirewall", 0);
        }
    });
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["blocked"], false, "{:#}", diagnosis["findings"]);
    // A rule of the policy counts where local rules do not.
    let disk = broken(|m| {
        let policy = r"SOFTWARE\Policies\Microsoft\WindowsFirewall";
        for profile in ["DomainProfile", "PublicProfile", "StandardProfile"] {
            m.dword(&format!(r"{policy}\{profile}"), "AllowLocalPolicyMerge", 0);
        }
    });
    assert_eq!(diagnose(&disk)["blocked"], true);
}

#[test]
fn a_port_that_is_meant_is_no_cause() {
    let disk = broken(|m| {
        m.dword(LISTENER, "PortNumber", 3390);
        m.sz(RULES, TCP, &TCP_RULE.replace("3389", "3390"));
    });
    assert_eq!(diagnose(&disk)["blocked"], true);
    let meant = disk.json("diagnose", &["--set", "port=3390"]);
    assert_eq!(meant["blocked"], false, "{:#}", meant["findings"]);
    let disk = broken(|_| {});
    let meant = disk.json("diagnose", &["--set", "port=3390"]);
    assert_eq!(meant["blocked"], true);
    let command = meant["findings"][0]["command"].as_str().unwrap();
    assert!(
        command.ends_with("-p rdp-port --set port=3390"),
        "{command}"
    );
    disk.run("diagnose", &["--set", "port=0"]).expect(2);
    disk.run("diagnose", &["--set", "prot=3390"]).expect(2);
}

#[test]
fn only_the_control_set_that_boots_decides() {
    let other = r"SYSTEM\ControlSet002\Control\Terminal Server";
    let disk = broken(|m| m.dword(other, "fDenyTSConnections", 1));
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["findings"], json!([]));
    let elsewhere = &diagnosis["elsewhere"][0];
    assert_eq!(elsewhere["evidence"][0]["control_set"], "ControlSet002");
    let text = disk.run("diagnose", &["--exit-code"]).expect(0).stdout;
    assert!(
        text.contains("do not boot") && text.contains("ControlSet002"),
        "{text}"
    );
    // The other one boots.
    let disk = broken(|m| {
        m.dword(other, "fDenyTSConnections", 1);
        m.dword(r"SYSTEM\Select", "Default", 2);
    });
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["boots"], "ControlSet002");
    assert_eq!(diagnosis["blocked"], true);
    // What is wrong in both is said once.
    let disk = broken(|m| m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1));
    assert_eq!(diagnose(&disk)["elsewhere"], json!([]));
}

#[test]
fn hives_that_are_missing_or_damaged() {
    let disk = broken(|m| m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1));
    let software = disk.config().join("SOFTWARE");
    fs::write(&software, b"no hive").unwrap();
    let diagnosis = diagnose(&disk);
    assert_eq!(diagnosis["blocked"], true);
    let warning = diagnosis["warnings"][0].as_str().unwrap();
    assert!(warning.contains("SOFTWARE cannot be read"), "{warning}");
    let system = disk.config().join("SYSTEM").display().to_string();
    let named = hivemend(&["diagnose", "--system", &system, "--format", "json"]).expect(0);
    let command = named.json()["findings"][0]["command"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        command,
        format!("hivemend apply --system {system} -p rdp-enable")
    );
    fs::remove_file(&system).unwrap();
    disk.run("diagnose", &[]).expect(3);
}

#[test]
fn a_session_host_without_licences_is_named() {
    let disk = broken(session_host);
    assert_eq!(diagnose(&disk)["blocked"], false);
    let core = format!(r"{TERMINAL_SERVER}\RCM\Licensing Core");
    let disk = broken(|m| {
        session_host(m);
        m.dword(&core, "LicensingMode", 5);
    });
    let diagnosis = diagnose(&disk);
    let first = &diagnosis["findings"][0];
    assert_eq!(first["impact"], "blocks");
    assert_eq!(first["profiles"], json!(["rds-licensing-config"]));
    assert_eq!(first["evidence"][0]["value"], "LicensingMode");
    let command = first["command"].as_str().unwrap();
    assert!(
        command.ends_with("--set mode=MODE --set servers=SERVERS"),
        "{command}"
    );
    // The policy names them.
    let disk = broken(|m| {
        session_host(m);
        m.dword(&core, "LicensingMode", 5);
        m.dword(POLICY, "LicensingMode", 4);
    });
    assert_eq!(diagnose(&disk)["blocked"], false);
    let servers = format!(r"{SERVICES}\TermService\Parameters\LicenseServers");
    let disk = broken(|m| {
        session_host(m);
        m.delete(&servers, "SpecifiedLicenseServers");
    });
    let first = &diagnose(&disk)["findings"][0];
    assert_eq!(first["evidence"][0]["value"], "SpecifiedLicenseServers");
    let disk = broken(|m| {
        session_host(m);
        m.delete(&servers, "SpecifiedLicenseServers");
        m.sz(POLICY, "LicenseServers", "licences.example");
    });
    assert_eq!(diagnose(&disk)["blocked"], false);
}

/// The disks of the corpus: what is true of each. A Windows 10 as it is set up takes no connections, and
/// its firewall does not let them in either.
#[test]
fn real_disks() {
    let denied = ("fDenyTSConnections", json!(["rdp-enable"]));
    let closed = (TCP, json!(["firewall-allow-rdp"]));
    let ten = [closed, denied.clone()];
    let cases: [(&str, &[(&str, Json)]); 5] = [
        ("nt4-sp3", &[("Terminal Server", json!([]))]),
        ("xp-sp3", &[denied]),
        ("win7-sp1", &[]),
        ("win10-1709-dirty", &ten),
        ("win10-2004", &ten),
    ];
    for (disk, wanted) in cases {
        let Some(bench) = Bench::corpus(disk) else {
            continue;
        };
        let before = bench.snapshot();
        let diagnosis = bench
            .run("diagnose", &["--format", "json"])
            .expect(0)
            .json();
        assert_eq!(bench.snapshot(), before, "{disk}");
        let findings = diagnosis["findings"].as_array().unwrap();
        let blocking = findings.iter().filter(|f| f["impact"] == "blocks");
        let found: Vec<(&str, Json)> = blocking
            .map(|finding| {
                let evidence = &finding["evidence"][0];
                let key = evidence["key"].as_str().unwrap().rsplit('\\').next();
                let at = evidence["value"].as_str().or(key).unwrap();
                (at, finding["profiles"].clone())
            })
            .collect();
        // Nothing else is wrong with them: they were never repaired, nor tuned.
        assert_eq!(found, wanted, "{disk}: {findings:#?}");
    }
}

#[test]
fn a_real_disk_that_is_damaged() {
    let Some(bench) = Bench::corpus("xp-damaged") else {
        return;
    };
    let ended = bench.run("diagnose", &["--exit-code", "--format", "json"]);
    let diagnosis = ended.expect(1).json();
    assert_eq!(diagnosis["complete"], false);
    let cause = diagnosis["findings"][0]["cause"].as_str().unwrap();
    assert!(cause.contains("damaged"), "{cause}");
}

#[test]
fn nothing_is_written() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    bench.run("diagnose", &[]).expect(0);
    assert_eq!(bench.snapshot(), before);
}
