// SPDX-License-Identifier: GPL-3.0-or-later
//! An invented Windows 10 whose hives are edited value by value, and a disk with them.

use std::fs;
use std::path::{Path, PathBuf};

use hivemend::edit::Editor;
use hivemend::regf::Name;

use crate::bench::{self, Ended};
use crate::registry_pol_file::{entry, header};

/// FILETIME of every edit.
const NOW: u64 = 0x01DC_5A00_0000_0000;

pub(crate) const TERMINAL_SERVER: &str = r"SYSTEM\CurrentControlSet\Control\Terminal Server";
pub(crate) const LISTENER: &str =
    r"SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp";
pub(crate) const POLICY: &str = r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";
pub(crate) const SERVICES: &str = r"SYSTEM\CurrentControlSet\Services";
pub(crate) const FIREWALL: &str =
    r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy";

/// The hives of a machine, being edited.
pub(crate) struct Machine {
    system: Editor,
    software: Editor,
    policy_file: Option<Vec<u8>>,
}

/// A disk with the hives of a machine.
pub(crate) struct Disk {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

/// Services of a healthy Windows 10: name, start, account, host group.
const HEALTHY_SERVICES: &[(&str, u32, &str, &str)] = &[
    (
        "BFE",
        2,
        r"NT AUTHORITY\LocalService",
        "LocalServiceNoNetworkFirewall",
    ),
    ("CertPropSvc", 3, "LocalSystem", "netsvcs"),
    (
        "CryptSvc",
        2,
        r"NT Authority\NetworkService",
        "NetworkService",
    ),
    ("DcomLaunch", 2, "LocalSystem", "DcomLaunch"),
    (
        "Dnscache",
        2,
        r"NT AUTHORITY\NetworkService",
        "NetworkService",
    ),
    (
        "EventLog",
        2,
        r"NT AUTHORITY\LocalService",
        "LocalServiceNetworkRestricted",
    ),
    ("gpsvc", 2, "LocalSystem", "netsvcs"),
    ("IKEEXT", 3, "LocalSystem", "netsvcs"),
    ("iphlpsvc", 2, "LocalSystem", "NetSvcs"),
    ("KeyIso", 3, "LocalSystem", ""),
    ("LanmanServer", 2, "LocalSystem", "netsvcs"),
    (
        "LanmanWorkstation",
        2,
        r"NT AUTHORITY\NetworkService",
        "NetworkService",
    ),
    ("LSM", 2, "LocalSystem", "DcomLaunch"),
    (
        "MpsSvc",
        2,
        r"NT Authority\LocalService",
        "LocalServiceNoNetworkFirewall",
    ),
    ("Netlogon", 3, "LocalSystem", ""),
    ("Netman", 3, "LocalSystem", "LocalSystemNetworkRestricted"),
    ("netprofm", 3, r"NT AUTHORITY\LocalService", "LocalService"),
    (
        "NlaSvc",
        2,
        r"NT AUTHORITY\NetworkService",
        "NetworkService",
    ),
    ("nsi", 2, r"NT Authority\LocalService", "LocalService"),
    (
        "PolicyAgent",
        3,
        r"NT Authority\NetworkService",
        "NetworkServiceNetworkRestricted",
    ),
    ("ProfSvc", 2, "LocalSystem", "netsvcs"),
    (
        "RemoteRegistry",
        4,
        r"NT AUTHORITY\LocalService",
        "localService",
    ),
    ("RpcEptMapper", 2, r"NT AUTHORITY\NetworkService", "rpcss"),
    ("RpcSs", 2, r"NT AUTHORITY\NetworkService", "rpcss"),
    ("SamSs", 2, "LocalSystem", ""),
    ("SessionEnv", 3, "localSystem", "netsvcs"),
    ("TrustedInstaller", 3, "localSystem", ""),
    (
        "UmRdpService",
        3,
        "localSystem",
        "LocalSystemNetworkRestricted",
    ),
    ("W32Time", 3, r"NT AUTHORITY\LocalService", "LocalService"),
    ("WerSvc", 3, "localSystem", "WerSvcGroup"),
    ("Winmgmt", 2, "localSystem", "netsvcs"),
    ("WinRM", 3, r"NT AUTHORITY\NetworkService", "NetworkService"),
];

/// Drivers that start with the loader or right after it.
const DRIVERS: &[(&str, u32)] = &[
    ("ACPI", 0),
    ("disk", 0),
    ("volmgr", 0),
    ("partmgr", 0),
    ("volsnap", 0),
    ("volume", 0),
    ("pci", 0),
    ("vdrvroot", 0),
    ("mountmgr", 0),
    ("storahci", 0),
    ("storvsc", 0),
    ("vmbus", 0),
    ("stornvme", 0),
    ("NDIS", 0),
    ("Tcpip", 0),
    ("AFD", 1),
    ("nsiproxy", 1),
];

/// Firewall rules about Remote Desktop, as Windows 10 has them while it is on.
pub(crate) const TCP_RULE: &str = r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=%SystemRoot%\system32\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|";
const UDP_RULE: &str = r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=3389|App=%SystemRoot%\system32\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28776|Desc=@FirewallAPI.dll,-28777|EmbedCtxt=@FirewallAPI.dll,-28752|";
const SHADOW_RULE: &str = r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=%SystemRoot%\system32\RdpSa.exe|Name=@FirewallAPI.dll,-28778|Desc=@FirewallAPI.dll,-28779|EmbedCtxt=@FirewallAPI.dll,-28752|Edge=TRUE|Defer=App|";
const PING_RULE: &str = r"v2.30|Action=Allow|Active=FALSE|Dir=In|Protocol=1|ICMP4=8:*|App=System|Name=@FirewallAPI.dll,-28543|Desc=@FirewallAPI.dll,-28547|EmbedCtxt=@FirewallAPI.dll,-28502|";

impl Machine {
    /// The bundled sample disk: its listener was tuned by hand in ControlSet001.
    pub(crate) fn sample() -> Self {
        let open = |name: &str| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
            let file = folder
                .join("testdata/osdisk/Windows/System32/config")
                .join(name);
            Editor::open(fs::read(file).unwrap(), NOW).unwrap()
        };
        Self {
            system: open("SYSTEM"),
            software: open("SOFTWARE"),
            policy_file: None,
        }
    }

    /// The same machine as it is with nothing wrong: Remote Desktop is on, the listener is as
    /// Windows sets it up, services and firewall are those of Windows 10.
    pub(crate) fn healthy() -> Self {
        let mut machine = Self::sample();
        machine.dword(LISTENER, "fInheritMaxIdleTime", 1);
        machine.dword(LISTENER, "MaxIdleTime", 0);
        machine.dword(LISTENER, "MaxInstanceCount", u32::MAX);
        machine.dword(TERMINAL_SERVER, "AllowRemoteRPC", 1);
        machine.sz(
            &format!(r"{TERMINAL_SERVER}\WinStations"),
            "SelfSignedCertStore",
            "Remote Desktop",
        );
        machine.dword(
            &format!(r"{TERMINAL_SERVER}\RCM\Licensing Core"),
            "LicensingMode",
            1,
        );
        machine.sz(
            r"SYSTEM\CurrentControlSet\Control\ProductOptions",
            "ProductType",
            "WinNT",
        );
        machine.delete_key(&format!(r"{SERVICES}\TermDD"));
        for (name, start, account, group) in HEALTHY_SERVICES {
            machine.service(name, *start, account, group);
        }
        for (driver, start) in DRIVERS {
            let key = format!(r"{SERVICES}\{driver}");
            machine.dword(&key, "Start", *start);
            machine.dword(&key, "Type", 1);
            machine.dword(&key, "ErrorControl", 3);
        }
        machine.hosts();
        machine.session();
        for profile in ["DomainProfile", "PublicProfile", "StandardProfile"] {
            let key = format!(r"{FIREWALL}\{profile}");
            machine.dword(&key, "EnableFirewall", 1);
            machine.dword(&key, "DisableNotifications", 0);
        }
        let rules = format!(r"{FIREWALL}\FirewallRules");
        for (id, rule) in [
            ("RemoteDesktop-UserMode-In-TCP", TCP_RULE),
            ("RemoteDesktop-UserMode-In-UDP", UDP_RULE),
            ("RemoteDesktop-Shadow-In-TCP", SHADOW_RULE),
            ("FPS-ICMP4-ERQ-In", PING_RULE),
        ] {
            machine.sz(&rules, id, rule);
        }
        machine.expand_sz(
            r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList",
            "ProgramData",
            r"%SystemDrive%\ProgramData",
        );
        machine
    }

    /// The groups that svchost starts, with the files of their services.
    fn hosts(&mut self) {
        let mut groups: std::collections::BTreeMap<String, Vec<&str>> = Default::default();
        let all = HEALTHY_SERVICES
            .iter()
            .map(|(name, _, _, group)| (*name, *group));
        for (name, group) in all.chain([("TermService", "NetworkService")]) {
            if group.is_empty() {
                continue;
            }
            let members = groups.entry(group.to_ascii_lowercase()).or_default();
            members.push(name);
            let file = match name {
                "TermService" => "termsrv",
                name => name,
            };
            let key = format!(r"{SERVICES}\{name}\Parameters");
            self.expand_sz(
                &key,
                "ServiceDll",
                &format!(r"%SystemRoot%\System32\{file}.dll"),
            );
        }
        for (group, members) in groups {
            let list = utf16(&(members.join("\0") + "\0"));
            let hosts = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost";
            self.set(hosts, &group, 7, &list);
        }
    }

    /// What the session manager and the logon start, and what a listener is made of.
    fn session(&mut self) {
        let manager = r"SYSTEM\CurrentControlSet\Control\Session Manager";
        self.set(manager, "BootExecute", 7, &utf16("autocheck autochk *\0"));
        let windows = r"%SystemRoot%\system32\csrss.exe ObjectDirectory=\Windows";
        self.expand_sz(&format!(r"{manager}\SubSystems"), "Windows", windows);
        let logon = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon";
        self.sz(logon, "Shell", "explorer.exe");
        self.sz(logon, "Userinit", r"C:\Windows\system32\userinit.exe,");
        self.sz(LISTENER, "WdName", "Microsoft RDP 8.0");
        self.dword(LISTENER, "WdFlag", 0x36);
        self.sz(LISTENER, "PdName", "tcp");
        self.dword(LISTENER, "PdClass", 2);
        self.dword(LISTENER, "PdFlag", 0x4E);
        self.sz(
            LISTENER,
            "LoadableProtocol_Object",
            "{5828227c-20cf-4408-b73f-73ab70b8849f}",
        );
    }

    fn service(&mut self, name: &str, start: u32, account: &str, group: &str) {
        let key = format!(r"{SERVICES}\{name}");
        let host = match group {
            "" => r"%SystemRoot%\system32\lsass.exe".to_owned(),
            group => format!(r"%SystemRoot%\system32\svchost.exe -k {group} -p"),
        };
        self.dword(&key, "Start", start);
        self.dword(&key, "Type", 0x20);
        self.dword(&key, "ErrorControl", 1);
        self.sz(&key, "ObjectName", account);
        self.expand_sz(&key, "ImagePath", &host);
    }

    pub(crate) fn dword(&mut self, key: &str, name: &str, number: u32) {
        self.set(key, name, 4, &number.to_le_bytes());
    }

    pub(crate) fn sz(&mut self, key: &str, name: &str, text: &str) {
        self.set(key, name, 1, &utf16(text));
    }

    pub(crate) fn expand_sz(&mut self, key: &str, name: &str, text: &str) {
        self.set(key, name, 2, &utf16(text));
    }

    /// Sets a value, in both control sets where the key begins with `CurrentControlSet`.
    pub(crate) fn set(&mut self, key: &str, name: &str, kind: u32, data: &[u8]) {
        let name = Name::from(name);
        self.each(key, |editor, key| {
            editor.create_key(key).unwrap();
            editor.set_value(key, &name, kind, data).unwrap();
        });
    }

    pub(crate) fn delete(&mut self, key: &str, name: &str) {
        let name = Name::from(name);
        self.each(key, |editor, key| {
            editor.delete_value(key, &name).unwrap();
        });
    }

    pub(crate) fn delete_key(&mut self, key: &str) {
        self.each(key, |editor, key| {
            editor.delete_key(key).unwrap();
        });
    }

    fn each(&mut self, key: &str, mut edit: impl FnMut(&mut Editor, &[Name])) {
        let (hive, below) = key.split_once('\\').unwrap();
        let editor = match hive {
            "SYSTEM" => &mut self.system,
            "SOFTWARE" => &mut self.software,
            other => panic!("{other} is no hive"),
        };
        let paths = match below.strip_prefix(r"CurrentControlSet\") {
            Some(rest) => ["ControlSet001", "ControlSet002"]
                .map(|set| format!(r"{set}\{rest}"))
                .to_vec(),
            None => vec![below.to_owned()],
        };
        for path in paths {
            let path: Vec<Name> = path.split('\\').map(Name::from).collect();
            edit(editor, &path);
        }
    }

    /// Adds an entry about a Terminal Services policy to `Registry.pol`.
    pub(crate) fn registry_pol(&mut self, name: &str, kind: u32, data: &[u8]) {
        let file = self.policy_file.take().unwrap_or_else(header);
        self.policy_file = Some(entry(file, POLICY, name, kind, data));
    }

    /// Makes these bytes `Registry.pol`.
    pub(crate) fn registry_pol_bytes(&mut self, bytes: &[u8]) {
        self.policy_file = Some(bytes.to_vec());
    }

    /// Writes the machine's disk.
    pub(crate) fn write(self) -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        let system32 = path.join("Windows/System32");
        let config = system32.join("config");
        fs::create_dir_all(&config).unwrap();
        for (name, editor) in [("SYSTEM", self.system), ("SOFTWARE", self.software)] {
            fs::write(config.join(name), editor.seal(0).unwrap().image).unwrap();
        }
        if let Some(bytes) = self.policy_file {
            let machine = system32.join("GroupPolicy/Machine");
            fs::create_dir_all(&machine).unwrap();
            fs::write(machine.join("Registry.pol"), bytes).unwrap();
        }
        Disk {
            _folder: folder,
            path,
        }
    }
}

impl Disk {
    /// Runs `hivemend COMMAND DISK ARGS`.
    pub(crate) fn run(&self, command: &str, args: &[&str]) -> Ended {
        let disk = self.path.display().to_string();
        let mut all = vec![command, disk.as_str()];
        all.extend(args);
        bench::hivemend(&all)
    }

    /// The JSON that a command prints, which ends with 0.
    pub(crate) fn json(&self, command: &str, args: &[&str]) -> serde_json::Value {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        self.run(command, &all).expect(0).json()
    }

    /// Writes a profile beside the disk.
    pub(crate) fn profile(&self, name: &str, keys: &str) -> String {
        let path = self.path.with_file_name(format!("{name}.yaml"));
        let head = format!(
            "schema: hivemend.profile/1\nid: {name}\ntitle: A test\nsource: This test\nundo: none\nkeys:\n"
        );
        fs::write(&path, head + keys).unwrap();
        path.display().to_string()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("Windows/System32/config")
    }
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}
