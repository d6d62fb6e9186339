// SPDX-License-Identifier: GPL-3.0-or-later
//! Disks for the measurements of cost: `cargo run --release --example cost-inputs FOLDER`.
//!
//! Each is the sample disk with one thing in it thousands of times.

use std::fs;
use std::path::Path;

#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared with the tests; a wrong fixture must stop the generator"
)]
#[path = "../../testdata/empty_hive.rs"]
mod empty_hive;
#[path = "../../testdata/fixtures.rs"]
mod fixtures;

use fixtures::{FIXTURES, TIME};
use hivemend::edit::Editor;
use hivemend::regf::{Hive, Name, NodePath};

fn main() -> Result<(), String> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder")?;
    let folder = Path::new(&folder);
    write_disk(&folder.join("plain"), system()?)?;
    for count in [1_000, 5_000, 20_000, 200_000] {
        write_disk(&folder.join(format!("values-{count}")), values(count)?)?;
    }
    for count in [50, 200, 999] {
        write_disk(&folder.join(format!("sets-{count}")), control_sets(count)?)?;
    }
    for count in [200, 4_000] {
        write_disk(&folder.join(format!("matches-{count}")), matches(count)?)?;
    }
    write_disk(&folder.join("list"), list()?)?;
    write_disk(&folder.join("damaged"), damaged(values(200_000)?)?)
}

fn system() -> Result<Vec<u8>, String> {
    FIXTURES.first().ok_or("no sample hive")?.build()
}

/// The sample hive after `edit`.
fn edited(edit: impl FnOnce(&mut Editor) -> Result<(), String>) -> Result<Vec<u8>, String> {
    let mut editor = Editor::open(system()?, TIME).map_err(text)?;
    edit(&mut editor)?;
    Ok(editor.seal(0).map_err(text)?.image)
}

/// `Setup\Many` with values `v0`, `v1`, ...
fn values(count: u32) -> Result<Vec<u8>, String> {
    edited(|editor| {
        let key = NodePath::from("Setup\\Many");
        editor.create_key(&key).map_err(text)?;
        for number in 0..count {
            let name = Name::from(format!("v{number}").as_str());
            let data = number.to_le_bytes();
            editor.set_value(&key, &name, 4, &data).map_err(text)?;
        }
        Ok(())
    })
}

/// As many control sets, each a copy of the first.
fn control_sets(count: u32) -> Result<Vec<u8>, String> {
    let sample = system()?;
    let hive = Hive::open(&sample).map_err(text)?;
    let first = hive.find(&[Name::from("ControlSet001")]).map_err(text)?;
    let first = first.ok_or("no control set")?;
    edited(|editor| {
        for number in 1..=count {
            let path = NodePath::from(format!("ControlSet{number:03}").as_str());
            if hive
                .find(&[Name::from(path.to_string().as_str())])
                .map_err(text)?
                .is_none()
            {
                editor.copy_key(&hive, &first, &path).map_err(text)?;
            }
        }
        Ok(())
    })
}

/// `Setup\M\k0`, `Setup\M\k1`, ..., each with a value.
fn matches(count: u32) -> Result<Vec<u8>, String> {
    edited(|editor| {
        for number in 0..count {
            let path = NodePath::from(format!("Setup\\M\\k{number}").as_str());
            editor.create_key(&path).map_err(text)?;
            let name = Name::from("v");
            editor
                .set_value(&path, &name, 4, &[1, 0, 0, 0])
                .map_err(text)?;
        }
        Ok(())
    })
}

/// `Setup\List` with a REG_MULTI_SZ of 1 MB.
fn list() -> Result<Vec<u8>, String> {
    let elements = (0..60_000).map(|number| format!("e{number:05}\0"));
    let all: String = elements.chain(["\0".to_owned()]).collect();
    let data: Vec<u8> = all.encode_utf16().flat_map(u16::to_le_bytes).collect();
    edited(|editor| {
        let key = NodePath::from("Setup\\List");
        editor.create_key(&key).map_err(text)?;
        let name = Name::from("list");
        editor.set_value(&key, &name, 7, &data).map_err(text)?;
        Ok(())
    })
}

/// The hive with something wrong in each value of `Setup\Many`: a flag that there is not.
fn damaged(image: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut image = image;
    let hive = Hive::open(&image).map_err(text)?;
    let key = hive
        .find(&[Name::from("Setup"), Name::from("Many")])
        .map_err(text)?;
    let values = hive.values(&key.ok_or("no values")?).map_err(text)?;
    for at in values {
        let field = usize::try_from(at.in_file().0.saturating_add(4 + 16)).map_err(text)?;
        let flags = image.get_mut(field.saturating_add(1)).ok_or("outside")?;
        *flags |= 0x40;
    }
    Ok(image)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A disk's root with this SYSTEM hive and the sample's SOFTWARE.
fn write_disk(root: &Path, system: Vec<u8>) -> Result<(), String> {
    let software = FIXTURES.get(1).ok_or("no sample hive")?.build()?;
    let config = root.join("Windows/System32/config");
    fs::create_dir_all(&config).map_err(|error| format!("{}: {error}", config.display()))?;
    for (name, bytes) in [("SYSTEM", system), ("SOFTWARE", software)] {
        let path = config.join(name);
        fs::write(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{:>10}  {}", bytes.len(), path.display());
    }
    Ok(())
}
