// SPDX-License-Identifier: GPL-3.0-or-later
//! Which source file uses which: what a file names is followed, through imports and re-exports, to
//! the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

use crate::rust_paths::{Named, Source};

/// How many imports are followed from a name to what it means.
const LONGEST_WAY: usize = 16;

type Path = Vec<String>;
type Imports<'s> = BTreeMap<(&'s [String], &'s str), Vec<&'s Named>>;

/// The uses among files, numbered as they were given.
pub(crate) struct FileGraph<'s> {
    sources: &'s [Source],
    /// For each file the files that it uses, and the names that it takes from them.
    uses: Vec<BTreeMap<usize, BTreeSet<String>>>,
}

/// What names mean.
struct Names<'s> {
    /// The file of each module.
    modules: BTreeMap<&'s [String], usize>,
    /// What each module imports, by the name it has there.
    imports: Imports<'s>,
}

impl<'s> FileGraph<'s> {
    /// What is named without effect for the graph: a file in which a name is only handed on to who
    /// asks for it there (`pub use` of something below the file's own module), and a module as such.
    pub(crate) fn new(sources: &'s [Source]) -> Self {
        let names = Names::new(sources);
        let uses_of = |(number, source): (usize, &Source)| {
            let mut uses = BTreeMap::<usize, BTreeSet<String>>::new();
            for named in &source.named {
                for (file, name) in names.meant_by(named, source) {
                    if file != number {
                        uses.entry(file).or_default().insert(name);
                    }
                }
            }
            uses
        };
        let uses = sources.iter().enumerate().map(uses_of).collect();
        Self { sources, uses }
    }

    /// The files.
    pub(crate) fn sources(&self) -> &'s [Source] {
        self.sources
    }

    /// Every use: the file, the file it uses, and the names.
    pub(crate) fn uses(&self) -> impl Iterator<Item = (&'s Source, &'s Source, &BTreeSet<String>)> {
        let each = self.uses.iter().enumerate();
        each.flat_map(move |(from, uses)| {
            let from = &self.sources[from];
            uses.iter()
                .map(move |(to, names)| (from, &self.sources[*to], names))
        })
    }

    /// The sets of files, more than one in each, that all use each other, if only by way of others.
    pub(crate) fn circles(&self) -> Vec<Vec<&'s Source>> {
        let reached: Vec<BTreeSet<usize>> =
            (0..self.uses.len()).map(|from| self.reach(from)).collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for from in 0..self.uses.len() {
            let is_mutual = |to: &&usize| reached[**to].contains(&from);
            let circle: Vec<usize> = reached[from].iter().filter(is_mutual).copied().collect();
            if circle.len() > 1 && seen.insert(circle[0]) {
                circles.push(circle.iter().map(|file| &self.sources[*file]).collect());
            }
        }
        circles
    }

    fn reach(&self, from: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            let new = self.uses[file].keys().filter(|file| reached.insert(**file));
            next.extend(new);
        }
        reached
    }
}

impl<'s> Names<'s> {
    fn new(sources: &'s [Source]) -> Self {
        let mut modules = BTreeMap::new();
        let mut imports = Imports::new();
        for (number, source) in sources.iter().enumerate() {
            modules.insert(source.module.as_slice(), number);
            for inner in &source.inner {
                modules.insert(inner, number);
            }
            for named in source.named.iter().filter(|named| named.imported) {
                if let Some(name) = named.name() {
                    let place = (named.module.as_slice(), name);
                    imports.entry(place).or_default().push(named);
                }
            }
        }
        Self { modules, imports }
    }

    /// The files, and the names in them, that a path of `source` leads to.
    fn meant_by(&self, named: &Named, source: &Source) -> Vec<(usize, String)> {
        let is_keyword = |word: &String| matches!(word.as_str(), "crate" | "super" | "self");
        // `pub(super)` says who may see something.
        if !named.imported && named.path.iter().all(is_keyword) {
            return Vec::new();
        }
        let Some(path) = self.absolute(named) else {
            return Vec::new();
        };
        let is_own = path.len() > source.module.len() && path.starts_with(&source.module);
        if named.handed_on && is_own {
            return Vec::new();
        }
        let mut found = Vec::new();
        self.follow(&path, LONGEST_WAY, &mut found);
        found
    }

    /// The path from the root of the crate, where it is one of this crate.
    fn absolute(&self, named: &Named) -> Option<Path> {
        if let Some(path) = named.in_crate() {
            return Some(path);
        }
        // What is in scope: a module below this one, or what was imported here.
        let first = named.path.first()?;
        let path: Path = named.module.iter().chain(&named.path).cloned().collect();
        let is_child = self.modules.contains_key(&path[..=named.module.len()]);
        let is_import = self.imports.contains_key(&(&named.module[..], first));
        let is_itself = named.imported && named.path.len() == 1;
        (!is_itself && (is_child || is_import)).then_some(path)
    }

    fn follow(&self, path: &[String], ways: usize, found: &mut Vec<(usize, String)>) {
        let Some(ways) = ways.checked_sub(1) else {
            return;
        };
        let mut at = 0;
        while let Some(name) = path.get(at) {
            let (module, rest) = (&path[..at], &path[at + 1..]);
            let is_module = self.modules.contains_key(&path[..=at]);
            let imports = self.imports.get(&(module, name));
            match imports.filter(|_| rest.is_empty() || !is_module) {
                Some(imports) => {
                    for import in imports {
                        // An import that leads back to itself names another crate.
                        let Some(mut way) = self.absolute(import) else {
                            continue;
                        };
                        if way != path[..=at] {
                            way.extend_from_slice(rest);
                            self.follow(&way, ways, found);
                        }
                    }
                    return;
                }
                None if is_module => at += 1,
                None => {
                    if let Some(file) = self.modules.get(module) {
                        found.push((*file, name.clone()));
                    }
                    return;
                }
            }
        }
    }
}
