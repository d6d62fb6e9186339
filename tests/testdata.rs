// SPDX-License-Identifier: GPL-3.0-or-later
//! The committed sample hives are what their generator makes, and sound to everyone.

use crate::drift;
use crate::fixtures::{self, FIXTURES};
use crate::workbench::{SOFTWARE, SYSTEM, accepted, bundled, key, path, read};
use hivemend::machine::{Role, control_sets};
use hivemend::plan::Action;
use hivemend::profile::HiveName;
use hivemend::regf::{self, Hive};

#[test]
fn committed_hives_are_what_the_generator_makes() {
    for fixture in FIXTURES {
        let made = fixture.build().unwrap();
        assert!(
            made == bundled(fixture.path),
            "{}: cargo run --example generate-testdata",
            fixture.path
        );
    }
}

#[test]
fn committed_hives_are_small_sound_and_accepted() {
    for fixture in FIXTURES {
        let image = bundled(fixture.path);
        assert!(image.len() <= 80 << 10, "{}", fixture.path);
        let report = regf::check(&image);
        assert_eq!(report.findings, [], "{}", fixture.path);
        accepted(&image);
    }
}

#[test]
fn the_bundled_disk_has_two_control_sets() {
    let image = bundled(SYSTEM);
    let sets = control_sets(&Hive::open(&image).unwrap()).unwrap();
    let sets: Vec<_> = sets.iter().map(|set| (set.number, &*set.roles)).collect();
    let current: &[Role] = &[Role::Current, Role::Default];
    let good: &[Role] = &[Role::LastKnownGood];
    assert_eq!(sets, [(1, current), (2, good)]);
}

#[test]
fn the_bundled_disk_drifts_from_rdp_disconnects() {
    let (system, software) = (bundled(SYSTEM), bundled(SOFTWARE));
    let hives = [(HiveName::System, &system), (HiveName::Software, &software)];
    let plan = drift::plan("rdp-disconnects", &hives);
    let count = |set: Option<&str>, action| {
        let changes = plan.changes.iter();
        let changes = changes.filter(|change| change.control_set.as_deref() == set);
        changes.filter(|change| change.action == action).count()
    };
    assert_eq!(count(Some("ControlSet001"), Action::Set), 9);
    assert_eq!(count(Some("ControlSet002"), Action::Set), 6);
    assert_eq!(count(None, Action::CreateKey), 1);
    assert_eq!(count(None, Action::Set), 3);
    assert_eq!((plan.changes.len(), plan.matches), (19, 11));
    assert_eq!((plan.skipped.len(), plan.warnings.len()), (0, 0));
}

#[test]
fn the_bundled_disk_holds_what_editors_get_wrong() {
    let image = bundled(SYSTEM);
    let cache = path("ControlSet001\\Control\\Session Manager\\AppCompatCache");
    let pattern = (3, fixtures::pattern(20_000));
    assert_eq!(read(&image, &cache, "AppCompatCache"), Some(pattern));
    let hive = Hive::open(&image).unwrap();
    let wide = path("controlset002\\enum\\swd\\printenum\\принтер");
    assert!(!key(&hive, &wide).name().narrow);
    let control = path("ControlSet001\\Control");
    let order = read(&image, &control, "PreshutdownOrder").unwrap();
    let text = "wuauserv\0gpsvc\0trustedinstaller\0\0";
    let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(order, (7, text));
    let listener = path("ControlSet001\\Control\\Terminal Server\\WinStations\\RDP-Tcp");
    assert!(key(&hive, &listener).value_count() >= 40);
}
