// SPDX-License-Identifier: GPL-3.0-or-later
//! What Windows this is, and what it is used as, read from a few values of its hives.

use super::control_sets::main_control_set;
use super::{HiveInput, MachineError};
use crate::profile::{HiveName, WindowsVersion};
use crate::regf::{KeyNode, Name, NodePath};

/// Something that was read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    /// What it is.
    pub value: T,
    /// The key and value that tell it.
    pub from: String,
}

/// What a Windows is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductType {
    /// A client, `WinNT`.
    Workstation,
    /// A server that is no domain controller, `ServerNT`.
    Server,
    /// A domain controller, `LanmanNT`.
    DomainController,
}

/// A Windows; what could not be told is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its version.
    pub version: Option<Fact<WindowsVersion>>,
    /// What it calls itself, such as `Windows 7 Professional`.
    pub product_name: Option<Fact<String>>,
    /// Client, server or domain controller.
    pub product: Option<Fact<ProductType>>,
    /// Whether it is a member of a domain.
    pub domain_member: Option<Fact<bool>>,
    /// Whether it is a domain controller.
    pub domain_controller: Option<Fact<bool>>,
    /// Its NetBIOS name.
    pub computer_name: Option<Fact<String>>,
}

impl Machine {
    /// Whether it is a server.
    pub fn server(&self) -> Option<Fact<bool>> {
        let product = self.product.as_ref()?;
        Some(Fact {
            value: product.value != ProductType::Workstation,
            from: product.from.clone(),
        })
    }
}

/// Reads what is told of the machine; what is missing or damaged is left out.
///
/// Of SYSTEM the control set is asked that the next start uses.
pub fn machine(hives: &[HiveInput<'_>]) -> Machine {
    let (system, software) = open(hives);
    let system = system.as_ref();
    let product = system.and_then(product);
    let domain_controller = system.and_then(|system| domain_controller(system, product.as_ref()));
    Machine {
        version: software
            .and_then(version_of_software)
            .or_else(|| system.and_then(version_of_drivers))
            .or_else(|| system.and_then(version_of_driver_database)),
        product_name: software.and_then(|input| text(input, &windows_key(), "ProductName")),
        domain_member: domain_member(system, software, domain_controller.as_ref()),
        computer_name: system.and_then(|system| {
            let key = system.key(r"Control\ComputerName\ComputerName");
            text(system.input, &key, "ComputerName")
        }),
        product,
        domain_controller,
    }
}

/// Whether the machine is known to be a member of a domain, as [`machine`] tells it.
pub fn is_domain_member(hives: &[HiveInput<'_>]) -> bool {
    let (system, software) = open(hives);
    let system = system.as_ref();
    let product = system.and_then(product);
    let domain_controller = system.and_then(|system| domain_controller(system, product.as_ref()));
    let member = domain_member(system, software, domain_controller.as_ref());
    member.is_some_and(|fact| fact.value)
}

/// SYSTEM and SOFTWARE, as far as they are there and can be asked.
fn open<'i, 'h>(hives: &'i [HiveInput<'h>]) -> (Option<System<'i, 'h>>, Option<&'i HiveInput<'h>>) {
    let hive = |name| hives.iter().find(|input| input.name == name);
    let system = hive(HiveName::System).and_then(System::open);
    (system, hive(HiveName::Software))
}

/// SYSTEM with the control set that is asked.
struct System<'i, 'h> {
    input: &'i HiveInput<'h>,
    control_set: String,
}

impl<'i, 'h> System<'i, 'h> {
    fn open(input: &'i HiveInput<'h>) -> Option<Self> {
        let sets = input.control_sets().ok()?;
        let control_set = main_control_set(&sets)?.name.clone();
        Some(Self { input, control_set })
    }

    /// A key of the control set.
    fn key(&self, below: &str) -> NodePath {
        let set = NodePath::root().join(Name::from(self.control_set.as_str()));
        set.below(below.split('\\').map(Name::from))
    }
}

fn windows_key() -> NodePath {
    NodePath::from(r"Microsoft\Windows NT\CurrentVersion")
}

fn product(system: &System<'_, '_>) -> Option<Fact<ProductType>> {
    let key = system.key(r"Control\ProductOptions");
    let found = text(system.input, &key, "ProductType")?;
    let value = match found.value.to_ascii_lowercase().as_str() {
        "winnt" => ProductType::Workstation,
        "servernt" => ProductType::Server,
        "lanmannt" => ProductType::DomainController,
        _ => return None,
    };
    let from = found.from;
    Some(Fact { value, from })
}

/// A domain controller says so itself, or has the database of a directory.
fn domain_controller(
    system: &System<'_, '_>,
    product: Option<&Fact<ProductType>>,
) -> Option<Fact<bool>> {
    let is_one = product.map(|product| product.value == ProductType::DomainController);
    if let (Some(true), Some(product)) = (is_one, product) {
        let from = product.from.clone();
        return Some(Fact { value: true, from });
    }
    let key = system.key(r"Services\NTDS\Parameters");
    match read(system.input, &key, "DSA Database file") {
        Ok(Some((_, from))) => Some(Fact { value: true, from }),
        Ok(None) => product.map(|product| Fact {
            value: false,
            from: product.from.clone(),
        }),
        Err(_) => None,
    }
}

/// The key below which Group Policy keeps what it last did.
const GROUP_POLICY: &str = r"Microsoft\Windows\CurrentVersion\Group Policy\State\Machine";

/// What a join leaves behind: its name in the directory, its site, its domain, its time source.
fn domain_member(
    system: Option<&System<'_, '_>>,
    software: Option<&HiveInput<'_>>,
    domain_controller: Option<&Fact<bool>>,
) -> Option<Fact<bool>> {
    if let Some(fact) = domain_controller.filter(|fact| fact.value) {
        return Some(fact.clone());
    }
    let system = system?;
    let key = |below: &str| system.key(below);
    let tcpip = key(r"Services\Tcpip\Parameters");
    let mut signs = vec![
        (
            system.input,
            key(r"Services\Netlogon\Parameters"),
            "DynamicSiteName",
        ),
        (system.input, tcpip.clone(), "Domain"),
        (system.input, tcpip.clone(), "NV Domain"),
    ];
    if let Some(software) = software {
        signs.push((software, NodePath::from(GROUP_POLICY), "Distinguished-Name"));
    }
    for (input, key, name) in signs {
        let found = text(input, &key, name).filter(|found| !found.value.is_empty());
        if let Some(Fact { from, .. }) = found {
            return Some(Fact { value: true, from });
        }
    }
    let time = text(system.input, &key(r"Services\W32Time\Parameters"), "Type");
    if let Some(found) = time.filter(|found| found.value.eq_ignore_ascii_case("NT5DS")) {
        let from = found.from;
        return Some(Fact { value: true, from });
    }
    // A workgroup machine has the key, and no domain in it.
    match system.input.find_key(&tcpip) {
        Ok(Some(_)) => Some(Fact {
            value: false,
            from: format!("{} has no Domain", said(system.input, &tcpip)),
        }),
        _ => None,
    }
}

/// Windows 10 and later keep the numbers; before, `CurrentVersion` is the version.
fn version_of_software(input: &HiveInput<'_>) -> Option<Fact<WindowsVersion>> {
    let key = windows_key();
    let dword = |name| match read(input, &key, name) {
        Ok(Some((value, _))) => <[u8; 4]>::try_from(value.data).ok().map(u32::from_le_bytes),
        _ => None,
    };
    let build = |name| text(input, &key, name)?.value.parse::<u32>().ok();
    let build = build("CurrentBuildNumber").or_else(|| build("CurrentBuild"));
    let numbers = dword("CurrentMajorVersionNumber").zip(dword("CurrentMinorVersionNumber"));
    let (numbers, from) = match numbers {
        Some(numbers) => (Some(numbers), "CurrentMajorVersionNumber"),
        None => {
            let version = text(input, &key, "CurrentVersion").map(|found| found.value);
            let parsed = version.as_deref().and_then(parse_version);
            (parsed.map(|v| (v.major, v.minor)), "CurrentVersion")
        }
    };
    let (major, minor) = numbers?;
    Some(Fact {
        value: WindowsVersion {
            major,
            minor,
            build,
        },
        from: format!("{}, value {from}", said(input, &key)),
    })
}

/// The class of system devices, whose drivers come with Windows and bear its version.
const SYSTEM_DEVICES: &str = r"Control\Class\{4D36E97D-E325-11CE-BFC1-08002BE10318}";
/// The most devices that are asked.
const MAX_DEVICES: usize = 32;

/// The highest version of a driver that Microsoft provides. A feature update that only switches
/// features on (19042 on top of 19041) leaves the build of the version below it.
fn version_of_drivers(system: &System<'_, '_>) -> Option<Fact<WindowsVersion>> {
    let input = system.input;
    let class = input.find_key(&system.key(SYSTEM_DEVICES)).ok()??;
    let mut best: Option<Fact<WindowsVersion>> = None;
    for number in 0..MAX_DEVICES {
        let number = format!("{number:04}");
        let device = input.hive.find_subkey(&class, &Name::from(number.as_str()));
        let Some(device) = device.ok().flatten().filter(|key| key.special().is_none()) else {
            continue;
        };
        let key = system.key(&format!(r"{SYSTEM_DEVICES}\{number}"));
        let text = |name| text_of(read_in(input, &device, &key, name).ok()??);
        if text("ProviderName").is_none_or(|provider| provider.value != "Microsoft") {
            continue;
        }
        let Some(found) = text("DriverVersion") else {
            continue;
        };
        let Some(version) = parse_version(&found.value) else {
            continue;
        };
        let rank = |v: WindowsVersion| (v.major, v.minor, v.build);
        if best
            .as_ref()
            .is_none_or(|best| rank(best.value) < rank(version))
        {
            let (value, from) = (version, found.from);
            best = Some(Fact { value, from });
        }
    }
    best
}

/// Windows 8 and later: major and minor version in the upper half.
fn version_of_driver_database(system: &System<'_, '_>) -> Option<Fact<WindowsVersion>> {
    let key = NodePath::from("DriverDatabase");
    let (value, from) = read(system.input, &key, "Version").ok()??;
    let [_, _, minor, major] = <[u8; 4]>::try_from(value.data).ok()?;
    let value = WindowsVersion {
        major: u32::from(major),
        minor: u32::from(minor),
        build: None,
    };
    (major > 0).then_some(Fact { value, from })
}

/// The first three numbers of `6.1.7601.17514`.
fn parse_version(text: &str) -> Option<WindowsVersion> {
    let mut numbers = text.split('.').map(|part| part.parse::<u32>());
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let build = match numbers.next() {
        Some(build) => Some(build.ok()?),
        None => None,
    };
    Some(WindowsVersion {
        major,
        minor,
        build,
    })
}

fn text(input: &HiveInput<'_>, key: &NodePath, name: &str) -> Option<Fact<String>> {
    text_of(read(input, key, name).ok()??)
}

/// A string, up to its end.
fn text_of((value, from): (super::Value, String)) -> Option<Fact<String>> {
    if !matches!(value.kind, 1 | 2) {
        return None;
    }
    let (pairs, _) = value.data.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let units: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
    let value = String::from_utf16_lossy(&units);
    Some(Fact { value, from })
}

/// A value, and where it is.
fn read(
    input: &HiveInput<'_>,
    key: &NodePath,
    name: &str,
) -> Result<Option<(super::Value, String)>, MachineError> {
    match input.find_key(key)? {
        Some(node) => read_in(input, &node, key, name),
        None => Ok(None),
    }
}

/// A value of `node`, the key at `key`, and where it is.
fn read_in(
    input: &HiveInput<'_>,
    node: &KeyNode<'_>,
    key: &NodePath,
    name: &str,
) -> Result<Option<(super::Value, String)>, MachineError> {
    let found = super::state::find_value(input, node, &Name::from(name))?;
    let from = || format!("{}, value {name}", said(input, key));
    Ok(found.map(|(_, value)| (value, from())))
}

fn said(input: &HiveInput<'_>, key: &NodePath) -> String {
    format!("{}\\{}", input.name, key.text())
}
