// SPDX-License-Identifier: GPL-3.0-or-later
//! What the store refuses before its first write.

use super::*;

fn refused(target: &Target, request: Request, medium: &dyn Medium) -> StoreFault {
    let before = target.state();
    let error = apply_request(request, medium).unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert_eq!(error.touched, Touched::Untouched);
    same(&before, &target.state());
    error.fault
}

#[test]
fn a_hive_that_changed_since_it_was_read() {
    let target = Target::new();
    let request = target.request();
    overwrite(&target.path("SOFTWARE"), b"Windows was here");
    let fault = refused(&target, request, &Disk);
    assert!(matches!(fault, StoreFault::Changed { path } if path.ends_with("SOFTWARE")));
}

#[test]
fn a_hive_that_changes_while_the_run_is_going_on() {
    let target = Target::new();
    let (software, touched) = (target.path("SOFTWARE"), Cell::new(false));
    let change = move |name: &str, path: &Path| {
        if name == "set_metadata" && path.to_string_lossy().contains("SOFTWARE") && !touched.get() {
            touched.set(true);
            // In place, as Windows does it: the kept and backed up links see it too.
            overwrite(&software, b"somebody else was here");
        }
    };
    let medium = Faulty {
        before: Some(Box::new(change)),
        ..Faulty::new(Trouble::None)
    };
    let error = apply(&target, &medium).unwrap_err();
    assert!(matches!(error.fault, StoreFault::Changed { .. }), "{error}");
    assert_eq!(error.touched, Touched::Untouched);
    assert!(!target.is_new("SYSTEM"));
    assert_eq!(
        fs::read(target.path("SOFTWARE")).unwrap(),
        b"somebody else was here"
    );
    assert_eq!(target.names().len(), OLD.len());
}

/// Somebody writes to a hive at any moment of the run, in place, as Windows does it: before it is
/// replaced that stops the run, and between the last look and the rename it brings it back.
#[test]
fn a_hive_that_changes_at_any_operation_is_not_lost() {
    let counter = Faulty::new(Trouble::None);
    apply(&Target::new(), &counter).unwrap();
    let replaced = counter.number_of("rename", "config/SOFTWARE");
    // The first operations are the looking; before them the caller's hash tells.
    for at in (1..=replaced).rev().step_by(stride()) {
        let target = Target::new();
        let (software, step) = (target.path("SOFTWARE"), Cell::new(0));
        let change = move |_: &str, _: &Path| {
            step.set(step.get() + 1);
            if step.get() == at {
                // Of the same size, so that only time or content can tell.
                overwrite(&software, &[9; 900]);
            }
        };
        let medium = Faulty {
            before: Some(Box::new(change)),
            ..Faulty::new(Trouble::None)
        };
        let error = apply(&target, &medium).unwrap_err();
        let is_seen = matches!(error.fault, StoreFault::Changed { .. });
        assert!(is_seen, "{at}: {error}");
        assert_eq!(error.touched, Touched::Untouched, "{at}: {error}");
        assert_eq!(fs::read(target.path("SOFTWARE")).unwrap(), [9; 900], "{at}");
        assert!(!target.is_new("SYSTEM"), "{at}");
        assert_eq!(pending(&target), None);
        assert_eq!(target.names().len(), OLD.len(), "{at}");
    }
}

/// Names that a run will use, known in advance, lead to somebody's file: it is not written to.
#[test]
#[cfg(unix)] // Wine makes no symbolic links.
fn links_in_the_place_of_a_runs_own_files_are_not_followed() {
    let id = "2026-11-20T10-31-05Z";
    let names = [
        "hivemend.journal.new".to_owned(),
        format!("SYSTEM.hivemend-{id}.new"),
        format!("SYSTEM.hivemend-{id}.old"),
        format!("SOFTWARE.hivemend-{id}.new"),
        format!("hivemend/{id}"),
    ];
    for name in names {
        let elsewhere = tempfile::tempdir().unwrap();
        let precious = elsewhere.path().join("precious");
        fs::write(&precious, b"precious").unwrap();
        let target = Target::new();
        fs::create_dir(target.path("hivemend")).unwrap();
        symlink(&precious, target.path(&name)).unwrap();
        match apply(&target, &Disk) {
            // The name of a backup was taken; the next one was used.
            Ok(outcome) => assert!(outcome.id.as_str() != id || name.starts_with("hivemend.j")),
            Err(error) => {
                assert_eq!(error.touched, Touched::Untouched, "{name}: {error}");
                target.hives_are(false);
            }
        }
        assert_eq!(fs::read(&precious).unwrap(), b"precious", "{name}");
        assert!(fs::symlink_metadata(&precious).unwrap().is_file());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    }
}

#[test]
fn too_little_space_is_found_before_the_first_write() {
    let target = Target::new();
    let medium = Faulty {
        free: Some(100_000),
        ..Faulty::new(Trouble::None)
    };
    let fault = refused(&target, target.request(), &medium);
    assert!(matches!(
        fault,
        StoreFault::Disk(DiskError::NoSpace { free: 100_000, .. })
    ));
    let log = medium.log.borrow();
    let reads = ["open", "read", "metadata", "free_space"];
    assert!(
        log.iter()
            .all(|line| reads.iter().any(|read| line.contains(&format!(" {read} "))))
    );
}

#[test]
#[cfg(unix)] // Wine makes no symbolic links.
fn links_are_never_followed() {
    let elsewhere = tempfile::tempdir().unwrap();
    let target = Target::on_disk();
    symlink(elsewhere.path(), target.path("hivemend")).unwrap();
    let error = apply(&target, &Disk).unwrap_err();
    assert!(matches!(error.fault, StoreFault::Damaged { .. }), "{error}");
    assert!(Store::new(&Disk).list(&target.folder(), None).is_err());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);

    for name in ["SYSTEM", "SYSTEM.LOG1"] {
        let target = Target::on_disk();
        let request = target.request();
        let real = elsewhere.path().join(name);
        fs::rename(target.path(name), &real).unwrap();
        symlink(&real, target.path(name)).unwrap();
        let error = apply_request(request, &Disk).unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{error}");
        assert!(error.is_refusal());
    }

    let target = Target::on_disk();
    symlink(elsewhere.path().join("x"), target.path("hivemend.journal")).unwrap();
    assert!(apply(&target, &Disk).is_err());
    target.hives_are(false);
}

#[test]
fn hives_in_two_folders_are_not_one_transaction() {
    let (target, other) = (Target::new(), Target::new());
    let mut request = target.request();
    request.hives[1] = other.new_hive("SOFTWARE", 9, 9);
    let fault = refused(&target, request, &Disk);
    assert!(matches!(fault, StoreFault::OtherFolder { .. }));
    other.hives_are(false);
}

#[test]
fn two_runs_do_not_interleave() {
    let target = Target::new();
    let store = Store::new(&Disk);
    let request = target.request();
    let first = store.prepare(&request).unwrap();
    let mut second = target.request();
    second.backup_dir = Some(target.path("elsewhere"));
    let fault = refused(&target, second, &Disk);
    assert!(matches!(fault, StoreFault::Locked { .. }));
    store.publish(first).unwrap();
    assert!(
        restore_newest(&target, &Disk).is_ok(),
        "the lock is free again"
    );
    drop(store.prepare(&target.request()).unwrap());
    assert!(store.prepare(&target.request()).is_ok());
}

#[test]
fn a_read_only_folder_is_refused() {
    // The user here may be root, for whom mode bits are no obstacle: an immutable folder is one.
    let target = Target::on_disk();
    let done = std::process::Command::new("chattr")
        .arg("+i")
        .arg(&target.config)
        .status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("skipped: chattr +i is not possible here");
        return;
    }
    let result = apply(&target, &Disk);
    let undone = std::process::Command::new("chattr")
        .arg("-i")
        .arg(&target.config)
        .status();
    assert!(undone.unwrap().success());
    let error = result.unwrap_err();
    assert_eq!(error.touched, Touched::Untouched, "{error}");
    target.hives_are(false);
    assert_eq!(target.names().len(), OLD.len());
}

#[test]
fn a_lying_disk_is_caught_before_anything_is_replaced() {
    let target = Target::new();
    let before = target.state();
    for (corrupt, forgetful) in [(Some("Z.new"), false), (Some("LOG1"), false), (None, true)] {
        let medium = Faulty {
            corrupt,
            forgetful,
            ..Faulty::new(Trouble::None)
        };
        let error = apply(&target, &medium).unwrap_err();
        match forgetful {
            true => assert!(
                matches!(error.fault, StoreFault::Metadata { .. }),
                "{error}"
            ),
            false => assert!(
                matches!(error.fault, StoreFault::ReadBack { .. }),
                "{error}"
            ),
        }
        assert_eq!(error.touched, Touched::Untouched);
        assert!(!error.is_refusal());
        same(&before, &target.state());
    }
}

// ---------------------------------------------------------------- restore
