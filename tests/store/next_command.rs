// SPDX-License-Identifier: GPL-3.0-or-later
//! A run on real hives is stopped at every operation of the seam; then the program itself is run.

use super::*;
use crate::aftermath::{APPLY, Seen, Witness, patient};
use crate::bench::{Bench, sha256};

/// What `apply` writes to this disk, as the program itself makes it.
fn request(bench: &Bench) -> Request {
    let twin = bench.twin();
    twin.run("apply", &APPLY).expect(0);
    let hives = ["SYSTEM", "SOFTWARE"].map(|name| {
        let path = bench.hive(name);
        let before_sha256 = Sha256::digest(fs::read(&path).unwrap()).into();
        assert_ne!(sha256(&twin.hive(name)), sha256(&path), "{name} changes");
        NewHive {
            name: name.into(),
            path,
            before_sha256,
            content: fs::read(twin.hive(name)).unwrap(),
        }
    });
    Request {
        config: folder(&bench.config()),
        hives: hives.to_vec(),
        backup_dir: None,
        scope: BackupScope::Hives,
        changes: (&serde_json::json!([])).try_into().unwrap(),
        undoes: None,
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_170_665),
        version: "0.1.0".to_owned(),
    }
}

/// Runs the operation on a disk of its own; says how many operations there were.
fn run(operation: Operation, trouble: Trouble) -> (Bench, Witness, Faulty) {
    let (bench, witness) = patient();
    let medium = Faulty::new(trouble);
    let store = Store::new(&medium);
    let result = match operation {
        Operation::Apply => apply_request(request(&bench), &medium).map(drop),
        Operation::Restore => {
            apply_request(request(&bench), &Disk).unwrap();
            let backups = Store::new(&Disk)
                .list(&folder(&bench.config()), None)
                .unwrap();
            let plan = store.prepare_restore(&site(&bench.config()), &backups[0]);
            plan.and_then(|plan| store.restore(plan)).map(drop)
        }
    };
    assert_eq!(result.is_ok(), trouble == Trouble::None, "{result:?}");
    (bench, witness, medium)
}

/// Every rename and every sixth operation, beginning elsewhere for each kind of run;
/// HIVEMEND_EXHAUSTIVE=1: all of them.
#[test]
fn stopped_at_an_operation_the_next_command_says_so_and_settles_it() {
    let exhaustive = std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some();
    let steps = if exhaustive { 1 } else { 6 };
    for (first, operation) in [(1, Operation::Apply), (2, Operation::Restore)] {
        let counted = run(operation, Trouble::None).2.log.take();
        let total = counted.len();
        let mut seen = Seen::default();
        for at in 1..=total {
            if at % steps != first % steps && !counted[at - 1].contains(" rename ") {
                continue;
            }
            let (bench, witness, medium) = run(operation, Trouble::Tear(at));
            let step = medium.log.borrow().last().unwrap().clone();
            witness.check(&bench, &mut seen, &format!("{operation} stopped at {step}"));
        }
        println!("{operation}: {total} operations at the seam: {seen:?}");
        assert!(seen.old > 0 && seen.new > 0 && seen.mixed > 0 && seen.reported > 0);
    }
}
