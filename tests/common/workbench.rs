// SPDX-License-Identifier: GPL-3.0-or-later
//! What tests of edits need: hives to edit, and everyone's word that the result is sound.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use hivemend::edit::Editor;
use hivemend::regf::{CellOffset, Hive, KeyNode, ListKind, Name, Record, SubkeysList};
use hivemend::verify::verify;

use crate::empty_hive::EmptyHive;
use crate::jury;

/// FILETIME of every edit.
pub(crate) const NOW: u64 = 0x01DC_5A00_0000_0000;

/// The bundled disk's SYSTEM.
pub(crate) const SYSTEM: &str = "osdisk/Windows/System32/config/SYSTEM";
/// The bundled disk's SOFTWARE.
pub(crate) const SOFTWARE: &str = "osdisk/Windows/System32/config/SOFTWARE";

/// All bundled hives.
pub(crate) const BUNDLED: &[&str] = &[
    SYSTEM,
    SOFTWARE,
    "hives/v1.3",
    "hives/v1.4",
    "hives/v1.5",
    "hives/v1.6",
];

/// A path below the root, its segments between backslashes.
pub(crate) fn path(text: &str) -> Vec<Name> {
    let segments = text.split('\\').filter(|segment| !segment.is_empty());
    segments.map(Name::from).collect()
}

/// A hive with nothing but its root.
pub(crate) fn empty(minor: u32) -> Vec<u8> {
    let hive = EmptyHive {
        minor,
        root: "EMPTY",
        file_name: "empty",
        time: NOW - 1,
    };
    hive.build()
}

/// This many bytes, each telling its place, and whose they are by `salt`.
pub(crate) fn data(size: usize, salt: u8) -> Vec<u8> {
    let bytes = (0..size).map(|at| u8::try_from((at / 251 + at) % 256).unwrap());
    bytes.map(|byte| byte ^ salt).collect()
}

/// A hive of the folder `testdata`.
pub(crate) fn bundled(path: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    std::fs::read(folder.join(path)).unwrap()
}

/// The corpus' folder, or a word that it is not there.
pub(crate) fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("HIVEMEND_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED: HIVEMEND_CORPUS is not set, no real hives to edit\n",
        );
    }
    corpus
}

/// The corpus' SYSTEM of Windows 10.
pub(crate) fn win10_system() -> Option<Vec<u8>> {
    let path = corpus()?.join("disks/win10-2004/Windows/System32/config/SYSTEM");
    Some(std::fs::read(path).unwrap())
}

pub(crate) fn open(image: &[u8]) -> Editor {
    Editor::open(image.to_vec(), NOW).unwrap()
}

/// Seals the hive; the structural check finds nothing new and nt-hive reads what we read.
pub(crate) fn seal(editor: Editor) -> Vec<u8> {
    let before = editor.report_before().clone();
    let sealed = editor.seal(0).unwrap();
    assert_eq!(sealed.report.first_new_since(&before), None);
    assert!(sealed.report.is_sound());
    verify(&sealed.image, &[]).unwrap();
    sealed.image
}

/// Makes edits in an editor of their own and seals them, see [`seal`].
pub(crate) fn edited(image: &[u8], edit: impl FnOnce(&mut Editor)) -> Vec<u8> {
    let mut editor = open(image);
    edit(&mut editor);
    seal(editor)
}

/// A file that judges can open; gone with the folder.
pub(crate) fn file(image: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("HIVE");
    std::fs::write(&path, image).unwrap();
    (folder, path)
}

/// Keeps a judged hive in the folder `HIVEMEND_KEEP_HIVES`, for judges that are asked by hand: yarp,
/// and Microsoft's chkreg, which may not be distributed.
pub(crate) fn keep(image: &[u8], kind: &str) {
    let Some(folder) = std::env::var_os("HIVEMEND_KEEP_HIVES").map(PathBuf::from) else {
        return;
    };
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    let number = KEPT.fetch_add(1, Ordering::Relaxed);
    std::fs::write(folder.join(format!("{test}.{number}{kind}")), image).unwrap();
}

static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Fails unless every judge is content with `image`.
pub(crate) fn accepted(image: &[u8]) {
    keep(image, "");
    let (_folder, path) = file(image);
    assert_eq!(jury::judges_accept(&path), Ok(()));
}

/// Fails where a judge complains of `image` and not, word for word, of `original`.
pub(crate) fn accepted_beside(image: &[u8], original: &[u8]) {
    keep(image, ".real");
    let (_folder, path) = file(image);
    let (_other_folder, original) = file(original);
    assert_eq!(jury::judges_accept_beside(&path, &original), Ok(()));
}

/// Type and data of a value as our reader sees them.
pub(crate) fn read(image: &Vec<u8>, key: &[Name], value: &str) -> Option<(u32, Vec<u8>)> {
    let hive = Hive::open(image).unwrap();
    let key = hive.find(key).unwrap()?;
    let value = hive.find_value(&key, &Name::from(value)).unwrap()?;
    Some((value.kind(), hive.data(&value).unwrap().into_owned()))
}

/// The key at `key`, which exists.
pub(crate) fn key<'a>(hive: &Hive<'a>, key: &[Name]) -> KeyNode<'a> {
    hive.find(key).unwrap().expect("the key exists")
}

/// The kind of the subkeys list of the key at `path`, and each leaf's kind and size.
pub(crate) fn lists(image: &Vec<u8>, path: &[Name]) -> (ListKind, Vec<(ListKind, usize)>) {
    let hive = Hive::open(image).unwrap();
    let node = key(&hive, path);
    let list = |at: CellOffset| {
        let bytes = hive.cell(at, Record::SubkeysList).unwrap();
        let list = SubkeysList::parse(at, &bytes).unwrap();
        (list.kind, list.len())
    };
    let leaves = hive.leaves(&node).unwrap();
    let leaves = leaves.into_iter().map(list).collect();
    (list(node.subkeys_list()).0, leaves)
}
