// SPDX-License-Identifier: GPL-3.0-or-later
//! Profiles with those that they include.

use std::path::{Component, Path, PathBuf};

use super::error::Report;
use super::load::{is_path, load_at};
use super::parameter::bind;
use super::{Data, Include, Profile, ProfileErrors, builtin, load};

/// The deepest that profiles include each other.
const MAX_DEPTH: usize = 8;
/// The most profiles that come together.
const MAX_PROFILES: usize = 256;

/// Loads profiles by their names, each behind those that it includes.
///
/// An including profile's parameters are those of what it includes: where both have one of the
/// same name, the default is the including profile's.
///
/// # Errors
///
/// What is wrong with one of them, and profiles that include themselves.
pub fn load_all(names: &[String]) -> Result<Vec<Profile>, ProfileErrors> {
    let mut loader = Loader {
        loaded: Vec::new(),
        open: Vec::new(),
    };
    for name in names {
        let profile = load(name)?;
        let place = place_of(&profile, Path::new(name));
        loader.add(profile, place, None, &[])?;
    }
    Ok(loader.loaded)
}

/// What tells one profile from another: an id, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    BuiltIn(String),
    File(PathBuf),
}

struct Loader {
    loaded: Vec<Profile>,
    /// The profiles that are being included by each other, the outermost first.
    open: Vec<Place>,
}

impl Loader {
    fn add(
        &mut self,
        mut profile: Profile,
        place: Place,
        included_by: Option<&Profile>,
        given: &[(String, Data)],
    ) -> Result<(), ProfileErrors> {
        for (name, data) in given {
            adopt(&mut profile, name, data);
        }
        profile.included_by = included_by.map(|profile| profile.id.clone());
        if self.has(&profile) {
            return Ok(());
        }
        let mut given: Vec<(String, Data)> = given.to_vec();
        for parameter in &profile.parameters {
            if let Some(data) = &parameter.default {
                given.retain(|(name, _)| *name != parameter.name);
                given.push((parameter.name.clone(), data.clone()));
            }
        }
        self.open.push(place);
        for include in &profile.include {
            self.include(&profile, include, &given)?;
        }
        self.open.pop();
        self.loaded.push(profile);
        Ok(())
    }

    /// Whether the profile is here already, with the same parameters.
    fn has(&mut self, profile: &Profile) -> bool {
        for other in &mut self.loaded {
            let included_by =
                std::mem::replace(&mut other.included_by, profile.included_by.clone());
            if *other == *profile {
                // Who names a profile has it for its own sake.
                other.included_by = included_by.filter(|_| profile.included_by.is_some());
                return true;
            }
            other.included_by = included_by;
        }
        false
    }

    fn include(
        &mut self,
        by: &Profile,
        include: &Include,
        given: &[(String, Data)],
    ) -> Result<(), ProfileErrors> {
        let refuse = |message: String, hint: &str| Err(error_at(by, include, message, hint));
        let name = &include.name;
        if self.open.len() >= MAX_DEPTH {
            let message = format!("profiles include each other more than {MAX_DEPTH} deep");
            return refuse(message, "include the innermost ones directly");
        }
        if self.loaded.len() >= MAX_PROFILES {
            let message = format!("more than {MAX_PROFILES} profiles come together here");
            return refuse(message, "include fewer of them");
        }
        let place = match place_beside(by, name, self.open.last()) {
            Ok(place) => place,
            Err((message, hint)) => return refuse(message, hint),
        };
        if self.open.contains(&place) {
            let message = format!("`{name}` includes this profile, directly or through others");
            return refuse(message, "take one of the two includes out");
        }
        let profile = match &place {
            Place::BuiltIn(id) => load(id)?,
            Place::File(path) => load_at(path)?,
        };
        if profile.opt_in && !by.opt_in {
            let message = format!("`{name}` is a last resort (opt-in), and this profile is not");
            let hint = "leave it to be named by itself, or add `opt-in: true` here too";
            return refuse(message, hint);
        }
        self.add(profile, place, Some(by), given)
    }
}

/// Gives the data to a parameter of this name that can take it.
fn adopt(profile: &mut Profile, name: &str, data: &Data) {
    let parameter = profile.parameters.iter().find(|p| p.name == name);
    if parameter.is_some_and(|parameter| parameter.takes(data)) {
        bind(profile, name, data);
    }
}

fn place_of(profile: &Profile, path: &Path) -> Place {
    match profile.origin.as_str() {
        "built-in" => Place::BuiltIn(profile.id.clone()),
        _ => Place::File(canonical(path)),
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// What `name` means in `by`: a built-in id, or a path from where that profile's file is.
fn place_beside(
    by: &Profile,
    name: &str,
    at: Option<&Place>,
) -> Result<Place, (String, &'static str)> {
    if builtin().iter().any(|known| known.id == name) {
        return Ok(Place::BuiltIn(name.to_owned()));
    }
    if !is_path(name) {
        let message = format!("there is no built-in profile `{name}`");
        let hint = "name a file by its path from here, as in ./mine.yaml";
        return Err((message, hint));
    }
    let Some(Place::File(file)) = at.filter(|_| by.origin != "built-in") else {
        let message = format!("`{name}` is a file, and this profile is in none");
        return Err((message, "name built-in profiles"));
    };
    let path = Path::new(name);
    let is_beside = |part: Component<'_>| {
        matches!(
            part,
            Component::Normal(_) | Component::CurDir | Component::ParentDir
        )
    };
    if !path.components().all(is_beside) {
        let message = format!("`{name}` is not a path from this file");
        return Err((
            message,
            "write it from the folder of this file, as in ./mine.yaml",
        ));
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    Ok(Place::File(canonical(&folder.join(path))))
}

fn error_at(by: &Profile, include: &Include, message: String, hint: &str) -> ProfileErrors {
    let mut report = Report::new(&by.origin, &by.text);
    report.error(include.at, message, hint);
    match report.finish::<()>(None) {
        Err(errors) => errors,
        Ok(()) => ProfileErrors::whole(&by.origin, "cannot be included", hint),
    }
}
