// SPDX-License-Identifier: GPL-3.0-or-later
//! What speaks against writing to a target. Each guard looks, and refuses with a sentence.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::disk::system::{self, Volume};
use crate::disk::volume::{DiskError, Target, is_dirty};

const MOUNTED_READ_ONLY: &str = "its volume is mounted read-only. A Windows that hibernated or was \
    shut down with Fast Startup leaves its volume in that state: if it still starts, run \
    powercfg /h off there and shut it down; otherwise mount the volume read-write (ntfs-3g: \
    -o remove_hiberfile, which discards the hibernated session; Windows: diskpart, attributes \
    disk clear readonly)";
/// How often a hive is looked at that another process has open, and the time between: who only
/// passes by, as a scanner or a process that is just being started, is gone then.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Every guard that needs no knowledge of what will be written, for all hives of `target`.
///
/// # Errors
///
/// The first guard's refusal.
pub fn before_writing(target: &Target) -> Result<(), DiskError> {
    not_this_machine(&target.config, system::running_config().as_deref())?;
    writable(&target.config)?;
    not_dirty(&target.config)?;
    target.hives().try_for_each(|hive| not_held(&hive.path))
}

/// Refuses an NTFS volume that is flagged as needing chkdsk, as far as it can be told.
///
/// # Errors
///
/// [`DiskError::NeedsCheck`].
fn not_dirty(folder: &Path) -> Result<(), DiskError> {
    match is_dirty(folder) {
        Some(true) => Err(DiskError::NeedsCheck {
            path: folder.to_path_buf(),
        }),
        _ => Ok(()),
    }
}

/// Refuses a disk whose Windows is hibernated.
///
/// # Errors
///
/// [`DiskError::Hibernated`].
pub fn not_hibernated(target: &Target) -> Result<(), DiskError> {
    match target.hibernation()? {
        None => Ok(()),
        Some(found) => Err(DiskError::Hibernated {
            path: target.root.clone().unwrap_or_else(|| target.config.clone()),
            found,
        }),
    }
}

/// Refuses a config folder that is the one of the running Windows, `running`.
///
/// Folders are compared by volume and number on it, so that no other spelling, drive letter, mount
/// point or share gets around it.
///
/// # Errors
///
/// [`DiskError::ThisMachine`].
fn not_this_machine(config: &Path, running: Option<&Path>) -> Result<(), DiskError> {
    let Some(running) = running else {
        return Ok(());
    };
    fs::metadata(config).map_err(|e| DiskError::io("look at", config, e))?;
    if system::is_same(config, running) {
        return Err(DiskError::ThisMachine {
            path: config.to_path_buf(),
        });
    }
    Ok(())
}

/// Refuses the config folder of the Windows that is running, if one is.
///
/// # Errors
///
/// [`DiskError::ThisMachine`].
pub fn not_running(config: &Path) -> Result<(), DiskError> {
    not_this_machine(config, system::running_config().as_deref())
}

/// Refuses a folder on a read-only volume, or one this user may not write to.
///
/// # Errors
///
/// [`DiskError::ReadOnly`].
pub fn writable(folder: &Path) -> Result<(), DiskError> {
    let volume = system::volume(folder).map_err(|e| DiskError::io("look at", folder, e))?;
    mounted_writable(folder, volume)?;
    let refused = |why| DiskError::ReadOnly {
        path: folder.to_path_buf(),
        why,
    };
    let not_allowed = || DiskError::NotAllowed {
        path: folder.to_path_buf(),
        why: system::not_allowed(),
    };
    system::writable(folder).map_err(|error| match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => refused(MOUNTED_READ_ONLY),
        io::ErrorKind::PermissionDenied => not_allowed(),
        _ => DiskError::io("look at", folder, error),
    })
}

fn mounted_writable(folder: &Path, volume: Volume) -> Result<(), DiskError> {
    if volume.read_only {
        let path = folder.to_path_buf();
        return Err(DiskError::ReadOnly {
            path,
            why: MOUNTED_READ_ONLY,
        });
    }
    Ok(())
}

/// Refuses a hive that another process has open for writing, as far as the system tells.
///
/// # Errors
///
/// [`DiskError::Held`].
pub fn not_held(hive: &Path) -> Result<(), DiskError> {
    let mut holder = system::holder(hive);
    for _ in 1..LOOKS {
        if holder.is_none() {
            break;
        }
        thread::sleep(BETWEEN_LOOKS);
        holder = system::holder(hive);
    }
    match holder {
        Some(by) => Err(DiskError::Held {
            path: hive.to_path_buf(),
            by,
        }),
        None => Ok(()),
    }
}

/// Refuses a volume with less than `need` bytes free; `free` is `None` where it is not known.
///
/// # Errors
///
/// [`DiskError::NoSpace`].
pub fn space(folder: &Path, need: u64, free: Option<u64>) -> Result<(), DiskError> {
    match free {
        Some(free) if free < need => Err(DiskError::NoSpace {
            path: folder.to_path_buf(),
            need,
            free,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_windows_is_refused_by_what_it_is() {
        let disk = tempfile::tempdir().unwrap();
        let config = disk.path().join("config");
        fs::create_dir(&config).unwrap();
        let other_spelling = disk.path().join("config/../config");
        assert!(matches!(
            not_this_machine(&other_spelling, Some(&config)),
            Err(DiskError::ThisMachine { .. })
        ));
        assert!(not_this_machine(&config, Some(disk.path())).is_ok());
        assert!(not_this_machine(&config, None).is_ok());
        assert!(not_this_machine(&config, Some(&disk.path().join("gone"))).is_ok());
    }

    #[test]
    fn a_read_only_mount_says_what_to_do() {
        let volume = Volume {
            read_only: true,
            free: None,
        };
        let error = mounted_writable(Path::new("/mnt/osdisk"), volume).unwrap_err();
        assert!(error.is_refusal());
        assert!(error.to_string().contains("powercfg /h off"), "{error}");
    }

    #[test]
    fn too_little_space_is_refused_and_unknown_is_not() {
        let folder = Path::new("x");
        assert!(matches!(
            space(folder, 11, Some(10)),
            Err(DiskError::NoSpace {
                need: 11,
                free: 10,
                ..
            })
        ));
        assert!(space(folder, 10, Some(10)).is_ok());
        assert!(space(folder, 10, None).is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_hive_open_for_writing_elsewhere_is_refused() {
        use std::fs::OpenOptions;
        use std::process::{Command, Stdio};
        let disk = tempfile::tempdir().unwrap();
        let hive = disk.path().join("SYSTEM");
        fs::write(&hive, b"regf").unwrap();
        let hold = |writing: bool| {
            let file = OpenOptions::new()
                .read(true)
                .write(writing)
                .open(&hive)
                .unwrap();
            let child = Command::new("sleep")
                .arg("60")
                .stdin(Stdio::from(file))
                .spawn();
            child.unwrap()
        };
        let mut reader = hold(false);
        let while_read = not_held(&hive);
        let mut writer = hold(true);
        let while_written = not_held(&hive);
        for child in [&mut reader, &mut writer] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(while_read.is_ok());
        let message = while_written.unwrap_err().to_string();
        assert!(message.contains(&writer.id().to_string()), "{message}");
        assert!(not_held(&hive).is_ok());
    }
}
