//! The context of all checks: the file, the flavour, and the failures.

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

/// Maximum number of failures per rule in a report.
pub const MAX_PER_RULE: usize = 8;

/// The clause and test of a rule: in part 1, in parts 2 and 3, and in part 4. A part without the
/// rule ignores its failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    part1: Option<(&'static str, u16)>,
    later: Option<(&'static str, u16)>,
    /// Only for rules of part 4 alone. [`part_4::name`] gives the name of a rule shared with parts
    /// 2 and 3.
    four: Option<(&'static str, u16)>,
}

impl Rule {
    /// A rule of parts 1 to 3, and of part 4 if part 4 has it.
    pub(crate) const fn all(part1: (&'static str, u16), later: (&'static str, u16)) -> Self {
        Self { part1: Some(part1), later: Some(later), four: None }
    }

    /// A rule of part 1 only.
    pub(crate) const fn one(clause: &'static str, test: u16) -> Self {
        Self { part1: Some((clause, test)), later: None, four: None }
    }

    /// A rule of parts 2 and 3, and of part 4 if part 4 has it.
    pub(crate) const fn later(clause: &'static str, test: u16) -> Self {
        Self { part1: None, later: Some((clause, test)), four: None }
    }

    /// A rule of part 4 only.
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

/// A validation in progress.
pub(crate) struct Checker<'a, S> {
    pub(crate) file: &'a File<S>,
    pub(crate) flavour: Flavour,
    /// Number of files around this embedded file.
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

    /// Records that test `test` of `clause` fails at `object`. `detail` is formatted only if the
    /// failure is kept.
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

    /// Records that `rule` fails at `object`, if the part has this rule.
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

    /// The value, or `None`. A syntax error counts as an absent value. Any other error (a limit,
    /// the source) ends the validation.
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

    /// Follows a reference to its object.
    pub(crate) fn resolve(&self, object: &Object) -> Object {
        self.read(self.file.resolve(object)).unwrap_or_default()
    }

    /// The dictionary at `key`, or the dictionary of the stream at `key`.
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

    /// The report, or the error that stopped the validation.
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
