//! The drawn contents of a file, and their rules: output intents, colour, images, transparency,
//! fonts.
//!
//! Content is followed in the order of drawing ([`walk`]): pages, the forms, patterns and glyphs
//! that they use, and the appearances of annotations. Resources that are not used in drawing are
//! not checked. Rules have the clause and test numbers of ISO 19005-1 and ISO 19005-2 in veraPDF's
//! profiles. Here ISO 19005-3 has the rules of ISO 19005-2. Rules that ISO 19005-4 shares with it
//! get their names in part 4 when they fail ([`part_4::name`]).

mod colour;
mod colour_rules;
mod font;
mod gstate;
mod icc;
mod image;
mod intents;
mod jpx;
mod page;
mod resources;
mod show;
mod state;
mod surroundings;
#[cfg(test)]
mod tests;
mod walk;
mod xobject;

use crate::{
    Part,
    checker::{self, Checker},
    part_4,
};
use colour::Spaces;
use cos::{Decoded, Dict, Error, Limit, Limits, Name, Object, Ref, Source, Stream};
use font::Font;
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    fmt::Display,
    rc::Rc,
};
use surroundings::Surroundings;

/// Clause and test number of a rule.
type Rule = (&'static str, u16);

/// The services of the validation that the rules need, independent of the type of the file's
/// source.
trait Host {
    fn resolve(&self, object: &Object) -> Object;
    fn decode(&self, stream: &Stream) -> Option<Decoded>;
    fn fail(&self, rule: Rule, object: Option<Ref>, detail: &str);
    fn over(&self, error: Error);
}

impl<S: Source> Host for Checker<'_, S> {
    fn resolve(&self, object: &Object) -> Object {
        Checker::resolve(self, object)
    }

    fn decode(&self, stream: &Stream) -> Option<Decoded> {
        self.read(self.file.decode(stream))
    }

    fn fail(&self, (clause, test): Rule, object: Option<Ref>, detail: &str) {
        Checker::fail(self, clause, test, object, detail);
    }

    fn over(&self, error: Error) {
        self.read::<()>(Err(error));
    }
}

/// Whether a stream was transparent, by its inherited state and its surroundings.
type Drawn = HashMap<(u64, Surroundings), bool>;

/// The state of the graphics rules for one file.
struct Graphics<'a> {
    host: &'a dyn Host,
    part: Part,
    part_1: bool,
    needs_unicode: bool,
    needs_structure: bool,
    limits: Limits,
    /// The structure elements of marked content, by `/StructParents` of the content stream.
    structure: HashMap<i64, Object>,
    /// The output intent and the blending space in effect.
    surroundings: Cell<Surroundings>,
    spaces: Spaces,
    fonts: RefCell<HashMap<Identity, Option<Rc<Font>>>>,
    profiles: RefCell<HashMap<Ref, Rc<icc::Profile>>>,
    checked: RefCell<HashSet<Checked>>,
    /// Separation spaces by colorant: each distinct alternate space and tint transform.
    separations: RefCell<HashMap<Name, Vec<(Object, Object)>>>,
    /// Streams already drawn.
    drawn: RefCell<HashMap<Ref, Drawn>>,
    /// Streams being drawn.
    drawing: RefCell<Vec<Ref>>,
    failed: RefCell<HashSet<(Rule, Option<Ref>)>>,
    /// Number of operators run in all content; a form counts each time it is drawn.
    operators: Cell<usize>,
    /// Number of values compared in Separation spaces.
    compared: Cell<u32>,
    /// The page being drawn.
    page: Cell<Option<Ref>>,
}

/// The identity of an object: its number, or its address in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Identity {
    Number(Ref),
    Address(usize),
}

/// An object that is checked only once.
#[derive(PartialEq, Eq, Hash)]
enum Checked {
    Space { address: usize, overprint: bool, surroundings: Surroundings },
    Image(Ref, Surroundings),
    State(Identity),
    Halftone(Identity),
}

/// Checks output intents and content against the rules of the flavour.
pub(crate) fn check<S: Source>(checker: &Checker<'_, S>) {
    let root = checker.root();
    let mut graphics = Graphics::new(checker);
    let output = graphics.output_intents(&root);
    graphics.surroundings.set(Surroundings { output, blending: None });
    if graphics.needs_structure && !graphics.part_1 {
        graphics.structure = graphics.parent_tree(&root);
    }
    for page in checker.pages() {
        graphics.page.set(page.id);
        graphics.page(page);
    }
    graphics.page.set(None);
    graphics.fonts_at_end();
}

impl<'a> Graphics<'a> {
    fn new<S: Source>(checker: &'a Checker<'a, S>) -> Self {
        Self {
            host: checker,
            part: checker.flavour.part,
            part_1: checker.is_part_1(),
            needs_unicode: checker.needs_unicode(),
            needs_structure: checker.needs_structure(),
            limits: *checker.file.limits(),
            structure: HashMap::new(),
            surroundings: Cell::default(),
            spaces: Spaces::default(),
            fonts: RefCell::default(),
            profiles: RefCell::default(),
            checked: RefCell::default(),
            separations: RefCell::default(),
            drawn: RefCell::default(),
            drawing: RefCell::default(),
            failed: RefCell::default(),
            operators: Cell::new(0),
            compared: Cell::new(0),
            page: Cell::new(None),
        }
    }
}

impl Graphics<'_> {
    /// `one` in part 1, `later` in other parts.
    const fn rule(&self, one: Rule, later: Rule) -> Rule {
        if self.part_1 { one } else { later }
    }

    fn is_part_4(&self) -> bool {
        self.part == Part::Four
    }

    /// Records that `rule` fails at `object`, or at the page, once for each. Part 4 has its own
    /// names, and ignores rules that it does not have.
    fn fail(&self, rule: Rule, object: Option<Ref>, detail: impl FnOnce() -> String) {
        let rule = if self.is_part_4() { part_4::name(rule) } else { Some(rule) };
        if let Some(rule) = rule {
            self.fail_named(rule, object, detail);
        }
    }

    /// Records a failure under exactly this name, which may be a rule of part 4 only.
    fn fail_named(&self, rule: Rule, object: Option<Ref>, detail: impl FnOnce() -> String) {
        let object = object.or(self.page.get());
        if self.failed.borrow_mut().insert((rule, object)) {
            self.host.fail(rule, object, &detail());
        }
    }

    /// Counts an operator; returns `false` if the limit is reached.
    fn spend(&self) -> bool {
        let count = self.operators.get() + 1;
        self.operators.set(count);
        if count == self.limits.operators {
            self.host.over(Error::Limit(Limit::Operators));
        }
        count < self.limits.operators
    }

    fn resolve(&self, object: &Object) -> Object {
        self.host.resolve(object)
    }

    fn get(&self, dict: &Dict, key: &str) -> Object {
        dict.get(key).map_or(Object::Null, |value| self.resolve(value))
    }

    fn dict(&self, dict: &Dict, key: &str) -> Option<Dict> {
        self.get(dict, key).as_dict().cloned()
    }

    /// The name that is the value of `key`.
    fn name(&self, dict: &Dict, key: &str) -> Option<Name> {
        self.get(dict, key).as_name().cloned()
    }

    fn has(&self, dict: &Dict, key: &str) -> bool {
        !self.get(dict, key).is_null()
    }

    /// The decoded data of a stream; `None` if it cannot be read.
    fn data(&self, stream: &Stream) -> Option<Vec<u8>> {
        self.host.decode(stream).map(|decoded| decoded.data)
    }

    /// Whether `what` has not been checked before.
    fn first(&self, what: Checked) -> bool {
        self.checked.borrow_mut().insert(what)
    }

    /// Records that a rule of clause 6.1 fails in the content.
    fn broken(&self, rule: checker::Rule, detail: &dyn Display) {
        if let Some(rule) = rule.name(self.part) {
            self.fail_named(rule, None, || detail.to_string());
        }
    }
}

/// The identity of `object`, whose value is `resolved`.
fn identity(object: &Object, resolved: &Dict) -> Identity {
    object.as_ref().map_or_else(|| Identity::Address(resolved.identity()), Identity::Number)
}
