// SPDX-License-Identifier: GPL-3.0-or-later
//! Where on this machine a broken Windows may be: every volume, and which of them hold one.

use std::path::PathBuf;

use super::{DiskError, Target, guard, platform};

/// A volume that is to be seen on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its root: a drive, a mount point.
    pub root: PathBuf,
    /// What the system calls that which is mounted there, `/dev/sdb2`; empty where it does not say.
    pub device: String,
    /// Its file system, as the system calls it; empty where it does not say.
    pub file_system: String,
}

/// A volume that holds a Windows, or may hold one: it could not be read.
#[derive(Debug)]
pub struct Candidate {
    /// The volume.
    pub place: Place,
    /// Its Windows, or why that cannot be told.
    pub target: Result<Target, DiskError>,
}

/// The volumes of this machine, by their roots.
///
/// # Errors
///
/// Where the system does not tell them.
pub fn places() -> Result<Vec<Place>, DiskError> {
    platform::places()
}

/// Those of `places` that hold a Windows other than the running one, or cannot be read.
pub fn candidates(places: Vec<Place>) -> Vec<Candidate> {
    let looked = places.into_iter().filter_map(look);
    looked.collect()
}

fn look(place: Place) -> Option<Candidate> {
    let target = match Target::find(&place.root) {
        Ok(target) if guard::not_running(&target.config).is_err() => return None,
        Ok(target) => Ok(target),
        Err(
            DiskError::NoWindows { .. } | DiskError::NotAFolder { .. } | DiskError::Missing { .. },
        ) => {
            return None;
        }
        Err(error) => Err(error),
    };
    Some(Candidate { place, target })
}
