//! What every check works with: the file, the flavour, and where failures go.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    fmt::Display,
};

use cos::{Dict, Error, File, Object, Page, Ref, Source, Stream};

use crate::{
    Failure, Flavour, Report,
    flavour::{Level, Part},
    part_4,
};

/// Failures of one rule that a report keeps.
pub const MAX_PER_RULE: usize = 8;

/// A rule by its clause and test: in part 1, in parts 2 and 3, and in part 4. Where a part has no such
/// rule, breaking it means nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    part1: Option<(&'static str, u16)>,
    later: Option<(&'static str, u16)>,
    /// Of part 4 alone; what it shares with parts 2 and 3 is found by their name ([`part_4::name`]).
    four: Option<(&'static str, u16)>,
}

impl Rule {
    /// A rule of all parts, part 4 included if that has it.
    pub(crate) const fn all(part1: (&'static str, u16), later: (&'static str, u16)) -> Self {
        Self { part1: Some(part1), later: Some(later), four: None }
    }

    /// A rule of part 1 alone.
    pub(crate) const fn one(clause: &'static str, test: u16) -> Self {
        Self { part1: Some((clause, test)), later: None, four: None }
    }

    /// A rule of parts 2 and 3, and of part 4 if that has it.
    pub(crate) const fn later(clause: &'static str, test: u16) -> Self {
        Self { part1: None, later: Some((clause, test)), four: None }
    }

    /// A rule of part 4 alone.
    pub(crate) const fn four(clause: &'static str, test: u16) -> Self {
        Self { part1: None, later: None, four: Some((clause, test)) }
    }

    /// Its name in `part`; `None` if the part does not have it.
    pub(crate) fn name(self, part: Part) -> Option<(&'static str, u16)> {
        match part {
            Part::One => self.part1,
            Part::Two | Part::Three => self.later,
            Part::Four => self.four.or_else(|| self.later.and_then(part_4::name)),
        }
    }
}

/// A validation under way.
pub(crate) struct Checker<'a, S> {
    pub(crate) file: &'a File<S>,
    pub(crate) flavour: Flavour,
    /// How many files this one is embedded in.
    pub(crate) depth: usize,
    failures: RefCell<Vec<Failure>>,
    counts: RefCell<HashMap<(&'static str, u16), usize>>,
    total: Cell<usize>,
    error: RefCell<Option<Error>>,
    pages: OnceCell<Vec<Page>>,
}

impl<'a, S: Source> Checker<'a, S> {
    pub(crate) fn new(file: &'a File<S>, flavour: Flavour, depth: usize) -> Self {
        Self {
            file,
            flavour,
            depth,
            failures: RefCell::default(),
            counts: RefCell::default(),
            total: Cell::new(0),
            error: RefCell::default(),
            pages: OnceCell::new(),
        }
    }

    /// Notes that test `test` of `clause` fails at `object`. `detail` is formatted only if kept.
    pub(crate) fn fail(
        &self,
        clause: &'static str,
        test: u16,
        object: Option<Ref>,
        detail: impl Display,
    ) {
        self.total.set(self.total.get() + 1);
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry((clause, test)).or_default();
        *count += 1;
        if *count <= MAX_PER_RULE {
            self.failures.borrow_mut().push(Failure {
                clause,
                test,
                object,
                detail: detail.to_string(),
            });
        }
    }

    /// Notes that `rule` fails at `object`, if the part checked against has it.
    pub(crate) fn broken(&self, rule: Rule, object: Option<Ref>, detail: impl Display) {
        if let Some((clause, test)) = rule.name(self.flavour.part) {
            self.fail(clause, test, object, detail);
        }
    }

    pub(crate) fn is_part_1(&self) -> bool {
        self.flavour.part == Part::One
    }

    pub(crate) fn is_part_4(&self) -> bool {
        self.flavour.part == Part::Four
    }

    /// Whether text must have Unicode: levels u and a.
    pub(crate) const fn needs_unicode(&self) -> bool {
        matches!(self.flavour.level, Level::U | Level::A)
    }

    /// Whether there must be a logical structure: level a.
    pub(crate) fn needs_structure(&self) -> bool {
        self.flavour.level == Level::A
    }

    /// The value read, or none. Going over a budget and failing to read end the whole validation
    /// with that error; what is no PDF syntax is as good as not there.
    pub(crate) fn read<T>(&self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Error::Syntax { .. }) => None,
            Err(error) => {
                self.error.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    /// The value of `key`, resolved; `null` if there is none.
    pub(crate) fn get(&self, dict: &Dict, key: &str) -> Object {
        self.read(self.file.get(dict, key)).unwrap_or_default()
    }

    /// What `object` stands for.
    pub(crate) fn resolve(&self, object: &Object) -> Object {
        self.read(self.file.resolve(object)).unwrap_or_default()
    }

    /// The dictionary, or the stream's, that `key` has.
    pub(crate) fn dict(&self, dict: &Dict, key: &str) -> Option<Dict> {
        self.get(dict, key).as_dict().cloned()
    }

    /// The data of `stream` after its filters.
    pub(crate) fn data(&self, stream: &Stream) -> Option<Vec<u8>> {
        self.read(self.file.stream_data(stream))
    }

    /// The catalog; an empty dictionary if there is none.
    pub(crate) fn root(&self) -> Dict {
        self.read(self.file.root()).unwrap_or_default()
    }

    /// The pages.
    pub(crate) fn pages(&self) -> &[Page] {
        self.pages.get_or_init(|| self.read(self.file.pages()).unwrap_or_default())
    }

    /// What was found, or the error that kept from finding all.
    pub(crate) fn report(self) -> Result<Report, Error> {
        if let Some(error) = self.error.into_inner() {
            return Err(error);
        }
        let failures = self.failures.into_inner();
        Ok(Report {
            flavour: self.flavour,
            conforming: failures.is_empty(),
            failures,
            count: self.total.get(),
        })
    }
}
