// SPDX-License-Identifier: GPL-3.0-or-later
//! Every key whose list is inherited as a whole, against what its parent gives.
//!
//! A hive keeps the parent's list of today, not that of the day when the key was made; and what an
//! installer sets may be marked as if it were inherited. So not all are equal, and each difference is
//! printed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hivemend::edit::{AclKind, Creator, ListRule, inherit, inherit_list};
use hivemend::regf::{
    self, Ace, AceContent, Acl, CellOffset, Hive, SecurityDescriptor, ace_flags,
    descriptor_control as control,
};

use crate::workbench;

/// How many keys, in how many of them the rule gives their list, and in how many a copy of the
/// parent's would be it.
#[derive(Clone, Copy, Default)]
struct Count {
    keys: usize,
    rule: usize,
    copy: usize,
    /// The whole descriptor too: control bits and the list of what is audited. Windows 10 was put
    /// together with some bits set that mean nothing without a list.
    whole: usize,
}

impl Count {
    fn share(self) -> f64 {
        self.rule as f64 / self.keys as f64
    }
}

/// A parent's list, the key's, what the rule gives, and one such key with the number of them.
type Differences = BTreeMap<[String; 3], (String, usize)>;

#[derive(Default)]
struct Tally {
    count: Count,
    differences: Differences,
}

impl Tally {
    fn add(&mut self, pair: &Pair<'_>, rule: ListRule) {
        let (parent, child) = (pair.parent_list(), pair.child_list());
        let found = inherit_list(parent, AclKind::Discretionary, rule, &pair.creator);
        self.count.keys += 1;
        self.count.copy += usize::from(parent == child);
        if found != *child {
            let key = [parent, child, &found].map(text);
            let entry = self.differences.entry(key);
            entry.or_insert_with(|| (pair.path.clone(), 0)).1 += 1;
            return;
        }
        self.count.rule += 1;
        let whole = inherit(pair.parent, &pair.creator, rule == ListRule::Split).unwrap();
        self.count.whole += usize::from(whole == *pair.child);
    }

    fn print(&self, what: &str) {
        let Count {
            keys,
            rule,
            copy,
            whole,
        } = self.count;
        if keys == 0 {
            return;
        }
        let share = 100.0 * self.count.share();
        println!("  {what}: {keys} keys, rule {rule} ({share:.2} %), whole {whole}, copy {copy}");
        for ([parent, child, found], (path, number)) in &self.differences {
            println!(
                "    {number} like {path}\n      parent {parent}\n      key    {child}\n      rule   {found}"
            );
        }
    }
}

struct Pair<'a> {
    path: String,
    parent: &'a SecurityDescriptor,
    child: &'a SecurityDescriptor,
    /// Who made the key, as far as it tells itself.
    creator: Creator,
}

impl Pair<'_> {
    fn parent_list(&self) -> &Acl {
        self.parent.dacl.as_ref().unwrap()
    }

    fn child_list(&self) -> &Acl {
        self.child.dacl.as_ref().unwrap()
    }
}

fn text(acl: &Acl) -> String {
    let ace = |ace: &Ace| match &ace.content {
        AceContent::Access { mask, sid, .. } => {
            format!("{};{:x};{mask:x};{sid}", ace.ace_type, ace.flags)
        }
        AceContent::Other(_) => format!("{};{:x};?", ace.ace_type, ace.flags),
    };
    acl.aces.iter().map(ace).collect::<Vec<_>>().join(" ")
}

/// What was counted in a hive.
#[derive(Default)]
struct Counts {
    /// Keys with a list all of whose entries are marked as inherited.
    marked: Tally,
    /// In a hive of NT 4: keys whose list is nothing but pairs of an effective entry and one for
    /// subkeys, for it parts every entry that is inherited and no other.
    paired: Tally,
    /// Keys without a mark below one without, in a hive of a later Windows: most are inherited, but
    /// nothing tells which.
    unmarked: Tally,
}

fn count(image: &Vec<u8>) -> Counts {
    let hive = Hive::open(image).unwrap();
    let mut records: BTreeMap<CellOffset, SecurityDescriptor> = BTreeMap::new();
    let mut pairs = Vec::new();
    let root = hive.root().unwrap();
    let mut waiting = vec![(root.at(), None, String::new())];
    while let Some((at, above, path)) = waiting.pop() {
        let key = hive.key(at).unwrap();
        let path = format!("{path}\\{}", key.name().to_name());
        let security = key.security();
        records.entry(security).or_insert_with(|| {
            let record = hive.security(security).unwrap();
            SecurityDescriptor::parse(record.descriptor()).unwrap()
        });
        for subkey in hive.subkeys(&key).unwrap() {
            waiting.push((subkey, Some(security), path.clone()));
        }
        pairs.extend(above.map(|above| (above, security, path)));
    }
    let marks = control::DACL_AUTO_INHERITED | control::SACL_AUTO_INHERITED;
    let old = hive.base().minor <= 3 && records.values().all(|one| one.control & marks == 0);
    let mut counts = Counts::default();
    for (above, security, path) in pairs {
        let (parent, child) = (&records[&above], &records[&security]);
        let (Some(owner), Some(group)) = (child.owner.clone(), child.group.clone()) else {
            continue;
        };
        let creator = Creator { owner, group };
        let pair = Pair {
            path,
            parent,
            child,
            creator,
        };
        counts.sort(&pair, old);
    }
    counts
}

impl Counts {
    fn sort(&mut self, pair: &Pair<'_>, old: bool) {
        let (parent, child) = (pair.parent, pair.child);
        let (Some(_), Some(list)) = (&parent.dacl, &child.dacl) else {
            return;
        };
        if list.aces.is_empty() || child.has(control::DACL_PROTECTED) {
            return;
        }
        let mark = control::DACL_AUTO_INHERITED;
        if list.aces.iter().all(|ace| ace.has(ace_flags::INHERITED)) {
            self.marked.add(pair, ListRule::Automatic);
        } else if old {
            if is_paired(list) {
                self.paired.add(pair, ListRule::Split);
            }
        } else if !parent.has(mark) && !child.has(mark) {
            self.unmarked.add(pair, ListRule::Plain);
        }
    }
}

fn is_paired(list: &Acl) -> bool {
    let for_subkeys = ace_flags::CONTAINER_INHERIT | ace_flags::INHERIT_ONLY;
    list.aces
        .chunks(2)
        .all(|pair| matches!(pair, [one, two] if one.flags == 0 && two.has(for_subkeys)))
}

/// All hives of the corpus that are sound.
fn hives(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hives(&path, found);
            continue;
        }
        let image = std::fs::read(&path).unwrap();
        if image.starts_with(b"regf") && regf::check(&image).first_error().is_none() {
            found.push((path, image));
        }
    }
}

#[test]
fn what_windows_gave_is_what_the_rule_gives() {
    let Some(corpus) = workbench::corpus() else {
        return;
    };
    let mut found = Vec::new();
    for folder in ["disks", "hives"] {
        hives(&corpus.join(folder), &mut found);
    }
    let mut held = BTreeMap::new();
    for (path, image) in &found {
        let counts = count(image);
        let name = path.strip_prefix(&corpus).unwrap();
        println!("{}", name.display());
        counts.marked.print("marked");
        counts.paired.print("paired");
        counts.unmarked.print("unmarked");
        // Single hives have few keys: one that was set by hand is many.
        if !name.starts_with("disks") {
            continue;
        }
        for tally in [&counts.marked, &counts.paired] {
            if tally.count.keys > 0 {
                assert!(tally.count.share() >= 0.995, "{}", name.display());
                held.insert(name.to_path_buf(), tally.count);
            }
        }
        // Where only some keys have no marks, programs have set what they have.
        if counts.unmarked.count.keys > 10_000 {
            assert!(counts.unmarked.count.share() >= 0.995, "{}", name.display());
        }
    }
    let seen = |path: &str, keys: usize| {
        let count = held.get(Path::new(path)).copied().unwrap_or_default();
        assert!(count.keys >= keys, "{path}: only {} keys", count.keys);
    };
    seen("disks/nt4-sp3/WINNT/system32/config/system", 1500);
    seen("disks/nt4-sp3/WINNT/system32/config/software", 1500);
    seen("disks/xp-sp3/WINDOWS/system32/config/system", 8520);
    seen("disks/win7-sp1/Windows/System32/config/SYSTEM", 14_000);
    seen("disks/win7-sp1/Windows/System32/config/SOFTWARE", 95_683);
    seen("disks/win10-2004/Windows/System32/config/SYSTEM", 6829);
}
