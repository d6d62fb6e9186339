// SPDX-License-Identifier: GPL-3.0-or-later
//! Where on this machine a broken Windows may be: every volume, and which of them hold one.

use super::guard;
use super::system::{self, NoList, Place};
use super::volume::{DiskError, Target};

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
    system::places().map_err(|NoList { path, source }| DiskError::io("read", &path, source))
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
