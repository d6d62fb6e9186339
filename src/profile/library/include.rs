// SPDX-License-Identifier: GPL-3.0-or-later
//! Profiles with those that they include.

use std::collections::HashMap;
use std::path::{Component, Path};
use std::sync::Arc;

use super::load::{Place, is_path, read_place};
use super::shipped::builtin;
use crate::files::resolve;
use crate::profile::model::{BUILT_IN, Data, Include, Profile, bind};
use crate::profile::reading::{ProfileErrors, Report, nearest};

/// The deepest that profiles include each other.
const MAX_DEPTH: usize = 8;
/// The most profiles that come together.
const MAX_PROFILES: usize = 256;
/// The most that all profiles of a run may have, in bytes.
const MAX_TOTAL_BYTES: usize = 16 << 20;

/// Loads profiles by their names, each behind those that it includes.
///
/// An including profile's parameters are those of what it includes: where both have one of the
/// same name, the default is the including profile's.
///
/// # Errors
///
/// What is wrong with one of them, and profiles that include themselves.
pub fn load_all(names: &[String]) -> Result<Vec<Profile>, ProfileErrors> {
    let mut library = Library::default();
    for name in names {
        library.add(name)?;
    }
    Ok(library.into_profiles())
}

/// Profiles that are used together. Each file is read once, whoever includes it.
#[derive(Default)]
pub struct Library {
    /// What each file says, or what is wrong with it.
    read: HashMap<Place, Result<Arc<Profile>, ProfileErrors>>,
    /// Bytes of all files so far.
    bytes: usize,
    loaded: Vec<Loaded>,
    /// The profiles that are being included by each other, the outermost first.
    open: Vec<Place>,
}

/// A profile as it is used.
struct Loaded {
    place: Place,
    /// What an including profile has given to its parameters.
    adopted: Vec<(String, Data)>,
    profile: Profile,
}

/// What is refused where it stands in the including profile: what is wrong, and what to do.
type Refusal = (String, &'static str);

impl Library {
    /// Adds the profile of this name behind those that it includes, unless it is here already.
    ///
    /// # Errors
    ///
    /// As [`load_all`]; nothing is added then.
    pub fn add(&mut self, name: &str) -> Result<(), ProfileErrors> {
        let before = self.loaded.len();
        let added = self.add_named(name);
        if added.is_err() {
            self.loaded.truncate(before);
            self.open.clear();
        }
        added
    }

    /// Adds a profile that was made of a file in another language, unless it is here already.
    ///
    /// # Errors
    ///
    /// As [`load_all`]; nothing is added then.
    pub fn add_made(&mut self, name: &str, profile: Profile) -> Result<(), ProfileErrors> {
        let place = resolve(Path::new(name)).map(Place::File);
        let place = place.map_err(|error| {
            ProfileErrors::whole(name, format!("cannot be read: {error}"), "check the path")
        })?;
        if let Some((message, hint)) = self.why_full(&place) {
            return Err(ProfileErrors::whole(name, message, hint));
        }
        self.bytes = self.bytes.saturating_add(profile.text.len());
        let profile = Arc::new(profile);
        self.read.insert(place.clone(), Ok(Arc::clone(&profile)));
        self.add_profile(&profile, place, None, &[])
    }

    /// The profiles, in the order in which they were added.
    pub fn profiles(&self) -> impl ExactSizeIterator<Item = &Profile> {
        self.loaded.iter().map(|loaded| &loaded.profile)
    }

    /// The same, to keep.
    pub fn into_profiles(self) -> Vec<Profile> {
        let loaded = self.loaded.into_iter();
        loaded.map(|loaded| loaded.profile).collect()
    }

    fn add_named(&mut self, name: &str) -> Result<(), ProfileErrors> {
        let place = Place::of(name)?;
        if let Some((message, hint)) = self.why_full(&place) {
            return Err(ProfileErrors::whole(name, message, hint));
        }
        let profile = self.read(&place, name)?;
        self.add_profile(&profile, place, None, &[])
    }

    /// The profile at this place, read and parsed when it is asked for the first time.
    fn read(&mut self, place: &Place, origin: &str) -> Result<Arc<Profile>, ProfileErrors> {
        if let Some(read) = self.read.get(place) {
            return read.clone();
        }
        let read = read_place(place, origin).map(Arc::new);
        if let Ok(profile) = &read {
            self.bytes = self.bytes.saturating_add(profile.text.len());
        }
        self.read.insert(place.clone(), read.clone());
        read
    }

    /// Why no further profile is added.
    fn why_full(&self, place: &Place) -> Option<Refusal> {
        let is_read = self.read.contains_key(place);
        let is_many = !is_read && self.read.len() >= MAX_PROFILES;
        if is_many || self.loaded.len() >= MAX_PROFILES {
            let message = format!("more than {MAX_PROFILES} profiles come together here");
            return Some((message, "include fewer of them"));
        }
        if !is_read && self.bytes > MAX_TOTAL_BYTES {
            let mib = MAX_TOTAL_BYTES >> 20;
            let message = format!("the profiles that come together here have more than {mib} MiB");
            return Some((message, "include fewer of them"));
        }
        None
    }

    fn add_profile(
        &mut self,
        profile: &Arc<Profile>,
        place: Place,
        included_by: Option<&Profile>,
        given: &[(String, Data)],
    ) -> Result<(), ProfileErrors> {
        let adopted = adopted(profile, given);
        if self.has(&place, &adopted, included_by.is_some()) {
            return Ok(());
        }
        let mut profile = Profile::clone(profile);
        for (name, data) in &adopted {
            bind(&mut profile, name, data);
        }
        profile.included_by = included_by.map(|profile| profile.id.clone());
        let mut given: Vec<(String, Data)> = given.to_vec();
        for parameter in &profile.parameters {
            if let Some(data) = &parameter.default {
                given.retain(|(name, _)| *name != parameter.name);
                given.push((parameter.name.clone(), data.clone()));
            }
        }
        self.open.push(place.clone());
        for include in &profile.include {
            self.include(&profile, include, &given)?;
        }
        self.open.pop();
        self.loaded.push(Loaded {
            place,
            adopted,
            profile,
        });
        Ok(())
    }

    /// Whether the profile is here already, with the same parameters.
    fn has(&mut self, place: &Place, adopted: &[(String, Data)], is_included: bool) -> bool {
        let is_it = |loaded: &&mut Loaded| loaded.place == *place && loaded.adopted == adopted;
        let Some(found) = self.loaded.iter_mut().find(is_it) else {
            return false;
        };
        if !is_included {
            // Who names a profile has it for its own sake.
            found.profile.included_by = None;
        }
        true
    }

    fn include(
        &mut self,
        by: &Profile,
        include: &Include,
        given: &[(String, Data)],
    ) -> Result<(), ProfileErrors> {
        let refuse = |(message, hint): Refusal| Err(error_at(by, include, message, hint));
        let name = &include.name;
        if self.open.len() >= MAX_DEPTH {
            let message = format!("profiles include each other more than {MAX_DEPTH} deep");
            return refuse((message, "include the innermost ones directly"));
        }
        let place = match place_beside(by, name, self.open.last()) {
            Ok(place) => place,
            Err(refusal) => return refuse(refusal),
        };
        if self.open.contains(&place) {
            let message = format!("`{name}` includes this profile, directly or through others");
            return refuse((message, "take one of the two includes out"));
        }
        if let Some(refusal) = self.why_full(&place) {
            return refuse(refusal);
        }
        let profile = self.read(&place, &place.origin())?;
        if profile.opt_in && !by.opt_in {
            let message = format!("`{name}` is a last resort (opt-in), and this profile is not");
            let hint = "leave it to be named by itself, or add `opt-in: true` here too";
            return refuse((message, hint));
        }
        self.add_profile(&profile, place, Some(by), given)
    }
}

/// What of `given` changes a parameter of the profile, which can take it.
fn adopted(profile: &Profile, given: &[(String, Data)]) -> Vec<(String, Data)> {
    let changes = |(name, data): &&(String, Data)| {
        let mut parameters = profile.parameters.iter();
        let parameter = parameters.find(|parameter| parameter.name == *name);
        parameter.is_some_and(|p| p.takes(data) && p.default.as_ref() != Some(data))
    };
    given.iter().filter(changes).cloned().collect()
}

/// What `name` means in `by`: a built-in id, or a path from where that profile's file is, which does
/// not lead out of its folder.
fn place_beside(by: &Profile, name: &str, at: Option<&Place>) -> Result<Place, Refusal> {
    if builtin().iter().any(|known| known.id == name) {
        return Ok(Place::BuiltIn(name.to_owned()));
    }
    if !is_path(name) {
        let ids: Vec<&str> = builtin().iter().map(|known| known.id).collect();
        let message = match nearest(name, &ids) {
            Some(near) => format!("there is no built-in profile `{name}`: did you mean `{near}`?"),
            None => format!("there is no built-in profile `{name}`"),
        };
        let hint = "name a file by its path from here, as in ./mine.yaml";
        return Err((message, hint));
    }
    let Some(Place::File(file)) = at.filter(|_| by.origin != BUILT_IN) else {
        let message = format!("`{name}` is a file, and this profile is in none");
        return Err((message, "name built-in profiles"));
    };
    let outside = || {
        let message = format!("`{name}` is not in the folder of this file");
        (
            message,
            "put what is included beside this file, or below it",
        )
    };
    match leads_out(Path::new(name)) {
        None => {
            let message = format!("`{name}` is not a path from this file");
            let hint = "write it from the folder of this file, as in ./mine.yaml";
            return Err((message, hint));
        }
        // Nothing is said of what is there.
        Some(true) => return Err(outside()),
        Some(false) => {}
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let path = folder.join(name);
    match resolve(&path) {
        Ok(place) if place.starts_with(folder) => Ok(Place::File(place)),
        Ok(_) => Err(outside()),
        Err(error) => Err((
            format!("`{name}` cannot be read: {error}"),
            "check the path",
        )),
    }
}

/// Whether a path leads out of the folder that it begins in; `None` where it begins elsewhere.
fn leads_out(path: &Path) -> Option<bool> {
    let mut depth = 0_usize;
    for part in path.components() {
        depth = match part {
            Component::Normal(_) => depth.saturating_add(1),
            Component::CurDir => depth,
            Component::ParentDir => match depth.checked_sub(1) {
                Some(depth) => depth,
                None => return Some(true),
            },
            Component::RootDir | Component::Prefix(_) => return None,
        };
    }
    Some(false)
}

fn error_at(by: &Profile, include: &Include, message: String, hint: &str) -> ProfileErrors {
    let mut report = Report::new(&by.origin, &by.text);
    report.error(include.at, message, hint);
    match report.finish::<()>(None) {
        Err(errors) => errors,
        Ok(()) => ProfileErrors::whole(&by.origin, "cannot be included", hint),
    }
}
