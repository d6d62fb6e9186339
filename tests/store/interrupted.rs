// SPDX-License-Identifier: GPL-3.0-or-later
//! Stopped, failed and filled up at every operation.

use super::*;

#[test]
fn stopped_at_every_operation() {
    for scenario in SCENARIOS {
        let operations = scenario.operations();
        let mut seen = [0_usize; 4];
        for (before, operation) in operations.iter().enumerate().rev().step_by(stride()) {
            let at = before + 1;
            // Only a write can be torn.
            let torn = operation.contains(" write ").then_some(Trouble::Tear(at));
            for trouble in [Trouble::Stop(at)].into_iter().chain(torn) {
                for undo in [false, true] {
                    stopped(scenario, trouble, undo, &mut seen);
                }
            }
        }
        println!(
            "{scenario:?}: {} operations; {} stops found nothing to settle, {} were finished, \
             {} undone, {} could be settled one way only",
            operations.len(),
            seen[0],
            seen[1],
            seen[2],
            seen[3],
        );
        assert!((seen[1] > 0 && seen[2] > 0) || stride() > 1);
    }
}

fn stopped(scenario: Scenario, trouble: Trouble, undo: bool, seen: &mut [usize; 4]) {
    let target = scenario.target();
    let before = target.state();
    let medium = scenario.medium(trouble);
    let result = scenario.run(&target, &medium);
    let context = format!(
        "{scenario:?} {trouble:?} undo {undo}: {:?}",
        medium.log.borrow().last()
    );
    // Fails the test if a hive is neither, or has lost its metadata.
    let new = ["SYSTEM", "SOFTWARE"].map(|name| target.is_new(name));
    let error = result.expect_err(&context);
    let started_new = scenario.operation == Operation::Restore;
    if error.touched == Touched::Untouched {
        assert_eq!(new, [started_new; 2], "{context}: said to be untouched");
    }
    let Some(found) = pending(&target) else {
        seen[0] += 1;
        assert_eq!(new[0], new[1], "{context}");
        if new[0] == started_new {
            fs::remove_file(target.path("hivemend.journal.new")).ok();
            same(&before, &target.state());
        } else {
            scenario.check_done(&target);
        }
        return;
    };
    assert_eq!(found.operation, scenario.operation);
    for (hive, new) in found
        .hives
        .iter()
        .filter(|hive| hive.name.raw() != "SOFTWARE.LOG")
        .zip(new)
    {
        let expected = if new != started_new {
            HiveStands::New
        } else {
            HiveStands::Old
        };
        assert_eq!(hive.stands, expected, "{context}");
    }
    // Until it is settled nothing else is done.
    let refused = Store::new(&Disk).prepare(&target.request()).unwrap_err();
    assert!(
        matches!(
            refused.fault,
            StoreFault::Interrupted { .. } | StoreFault::Changed { .. }
        ),
        "{refused}"
    );
    assert!(
        found.cannot_undo.is_none() || found.cannot_finish.is_none(),
        "{context} {found:?}"
    );
    let both = found.cannot_undo.is_none() && found.cannot_finish.is_none();
    seen[3] += usize::from(!both);
    let undo = match both {
        true => undo,
        false => found.cannot_undo.is_none(),
    };
    let store = Store::new(&Disk);
    if undo {
        seen[2] += 1;
        store.undo(&found).expect(&context);
        same(&before, &target.state());
    } else {
        seen[1] += 1;
        store.finish(&found).expect(&context);
        scenario.check_done(&target);
    }
    assert_eq!(pending(&target), None);
}

/// Settling is itself a run that can be stopped, and settled again.
///
/// Every eleventh stop of the run, and of settling every third, shifting by one each time;
/// HIVEMEND_EXHAUSTIVE=1 does all of them.
#[test]
fn stopped_while_settling() {
    let (stops, steps) = if exhaustive() {
        (1, 1)
    } else {
        (10 + stride(), 2 + stride())
    };
    for scenario in SCENARIOS {
        let total = scenario.count();
        for (shift, at) in (1..=total).rev().step_by(stops).enumerate() {
            for undo in [false, true] {
                stopped_while(scenario, at, undo, (1 + shift % steps, steps));
            }
        }
    }
}

fn stopped_while(scenario: Scenario, at: usize, undo: bool, (first, steps): (usize, usize)) {
    for again in (first..).step_by(steps) {
        let target = scenario.target();
        let before = target.state();
        let _ = scenario.run(&target, &scenario.medium(Trouble::Stop(at)));
        let Some(found) = pending(&target) else {
            return;
        };
        let undo = if found.cannot_finish.is_some() {
            true
        } else {
            undo
        };
        let undo = if found.cannot_undo.is_some() {
            false
        } else {
            undo
        };
        let medium = scenario.medium(Trouble::Stop(again));
        let store = Store::new(&medium);
        let result = if undo {
            store.undo(&found)
        } else {
            store.finish(&found)
        };
        if result.is_ok() {
            return;
        }
        for name in ["SYSTEM", "SOFTWARE"] {
            target.is_new(name);
        }
        let context = format!(
            "{scenario:?} {at} {undo} {again}: {:?}",
            medium.log.borrow().last()
        );
        let store = Store::new(&Disk);
        if let Some(found) = pending(&target) {
            let settled = match undo && found.cannot_undo.is_none() {
                true => store.undo(&found),
                false if found.cannot_finish.is_none() => store.finish(&found),
                false => store.undo(&found),
            };
            settled.expect(&context);
        }
        assert_eq!(pending(&target), None, "{context}");
        let new = ["SYSTEM", "SOFTWARE"].map(|name| target.is_new(name));
        assert_eq!(new[0], new[1], "{context}");
        match new[0] == (scenario.operation == Operation::Restore) {
            true => same(&before, &target.state()),
            false => scenario.check_done(&target),
        }
    }
}

#[test]
fn every_operation_fails_once() {
    for scenario in SCENARIOS {
        let total = scenario.count();
        let mut open = 0;
        for at in (1..=total).rev().step_by(stride()) {
            // Two of them each, for time's sake; HIVEMEND_EXHAUSTIVE=1 tries all.
            for number in [EIO, ENOSPC, EACCES, EROFS] {
                if !exhaustive() && [EIO, EROFS].contains(&number) != (at % 2 == 0) {
                    continue;
                }
                let target = scenario.target();
                let before = target.state();
                let medium = scenario.medium(Trouble::Once(at, number));
                let result = scenario.run(&target, &medium);
                let step = medium.log.borrow()[at - 1].clone();
                let Err(error) = result else {
                    // A failed set_metadata that had nothing left to set.
                    scenario.check_done(&target);
                    assert!(step.contains("metadata") || step.contains("link"), "{step}");
                    continue;
                };
                // Only a lack of permission is a refusal.
                assert!(!error.is_refusal() || number == EACCES, "{step}: {error}");
                // The message names the file, and what the system said.
                let path = step.rsplit(' ').next().unwrap();
                let said = error.to_string();
                let names = said.contains(path) || step.contains(" link ");
                assert!(
                    names && said.contains(&format!("os error {number}")),
                    "{step}: {said}"
                );
                if error.touched == Touched::Untouched {
                    same(&before, &target.state());
                    assert_eq!(pending(&target), None, "{step}");
                    continue;
                }
                open += 1;
                assert!(
                    matches!(error.fault, StoreFault::NotClosed { .. }),
                    "{step}: {error}"
                );
                if let Some(found) = pending(&target) {
                    Store::new(&Disk).finish(&found).unwrap();
                }
                scenario.check_done(&target);
            }
        }
        println!("{scenario:?}: {total} operations failed, {open} after the hives were written");
    }
}

#[test]
fn a_disk_that_fills_up_at_any_operation() {
    for scenario in SCENARIOS {
        let total = scenario.count();
        let mut survived = 0;
        for at in (1..=total).rev().step_by(stride()) {
            let target = scenario.target();
            let before = target.state();
            let medium = scenario.medium(Trouble::Full(at));
            match scenario.run(&target, &medium) {
                Ok(()) => {
                    survived += 1;
                    scenario.check_done(&target);
                }
                // The room that the replaced files gave back was taken by somebody else.
                Err(StoreError {
                    fault: StoreFault::NotClosed { .. },
                    ..
                }) if scenario.free.is_some() => {
                    let found = pending(&target).unwrap();
                    Store::new(&Disk).finish(&found).unwrap();
                    scenario.check_done(&target);
                }
                Err(error) => {
                    assert_eq!(error.touched, Touched::Untouched, "{at}: {error}");
                    same(&before, &target.state());
                    assert_eq!(pending(&target), None);
                }
            }
        }
        assert!(survived < total / 2, "{survived} of {total}");
    }
}

#[test]
fn an_interrupted_run_with_its_backup_elsewhere_is_found_without_naming_it() {
    let elsewhere = tempfile::tempdir().unwrap();
    let request = |target: &Target, day: u64| {
        let mut request = target.request();
        request.backup_dir = Some(elsewhere.path().to_path_buf());
        request.now += Duration::from_secs(day * 86_400);
        request
    };
    let counter = Faulty::new(Trouble::None);
    apply_request(request(&Target::new(), 0), &counter).unwrap();
    let at = counter.number_of("rename", "config/SOFTWARE");
    // Each backup that is there is looked at, which takes operations.
    let forget_backups = || {
        for backup in fs::read_dir(elsewhere.path()).unwrap() {
            fs::remove_dir_all(backup.unwrap().path()).unwrap();
        }
    };
    forget_backups();

    let target = Target::new();
    let before = target.state();
    apply_request(request(&target, 1), &Faulty::new(Trouble::Stop(at))).unwrap_err();
    assert!(target.is_new("SYSTEM") && !target.is_new("SOFTWARE"));
    let store = Store::new(&Disk);
    let found = pending(&target).unwrap();
    assert!(
        found
            .cannot_finish
            .as_ref()
            .unwrap()
            .contains("--backup-dir")
    );
    let named = store
        .pending(&target.site(), Some(elsewhere.path()))
        .unwrap()
        .unwrap();
    assert_eq!(named.cannot_finish, None);
    let settled = store.undo(&found).unwrap();
    assert!(settled.left, "the backup folder was not named and stays");
    same(&before, &target.state());

    forget_backups();
    let target = Target::new();
    apply_request(request(&target, 2), &Faulty::new(Trouble::Stop(at))).unwrap_err();
    let named = store
        .pending(&target.site(), Some(elsewhere.path()))
        .unwrap()
        .unwrap();
    assert!(!store.finish(&named).unwrap().left);
    target.hives_are(true);
    let backups = store
        .list(&target.folder(), Some(elsewhere.path()))
        .unwrap();
    assert_eq!(
        backups[0].manifest.as_ref().unwrap().state,
        BackupState::Applied
    );
}

#[test]
fn windows_that_ran_after_an_interruption_is_not_overwritten() {
    let target = Target::new();
    let counter = Faulty::new(Trouble::None);
    apply(&target, &counter).unwrap();
    let at = counter.number_of("rename", "config/SOFTWARE");
    let target = Target::new();
    apply(&target, &Faulty::new(Trouble::Stop(at))).unwrap_err();
    fs::write(target.path("SYSTEM"), b"Windows ran").unwrap();
    let found = pending(&target).unwrap();
    assert_eq!(found.hives[0].stands, HiveStands::Neither);
    assert!(found.cannot_finish.is_some() && found.cannot_undo.is_some());
    let store = Store::new(&Disk);
    assert!(store.finish(&found).is_err() && store.undo(&found).is_err());
    assert_eq!(fs::read(target.path("SYSTEM")).unwrap(), b"Windows ran");
}

// ---------------------------------------------------------------- with the rest

#[test]
#[cfg(unix)] // Wine replaces no file that is open.
fn a_hive_file_notices_that_the_store_replaced_it() {
    let target = Target::new();
    let mut hive = b"regf".to_vec();
    hive.resize(8192, 0);
    fs::write(target.path("SYSTEM"), &hive).unwrap();
    let open = hivemend::disk::HiveFile::open(&target.path("SYSTEM")).unwrap();
    let whole = open.read_whole().unwrap();
    let mut request = target.request();
    request.hives.truncate(1);
    request.hives[0].before_sha256 = whole.sha256;
    request.hives[0].content = whole.content;
    request.hives[0].content[600] = 1;
    apply_request(request, &Disk).unwrap();
    assert!(matches!(open.unchanged(), Err(DiskError::Changed { .. })));
}
