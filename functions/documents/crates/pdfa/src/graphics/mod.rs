//! What a file draws, and the rules over it: output intents, colour, images, transparency, fonts.
//!
//! Content is followed as a reader would draw it ([`walk`]): pages, the forms, patterns and glyphs
//! that they use, and the appearances of annotations. A resource that nothing draws with is held to
//! no rule. Rules are named by clause and test number of ISO 19005-1 and ISO 19005-2 as veraPDF's
//! profiles number them; ISO 19005-3 has those of ISO 19005-2 here, and those that ISO 19005-4 shares
//! with it are given their names there when they fail ([`part_4::name`]).

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

/// What the rules need of the validation under way, whatever the file's source.
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

/// Whether a stream was transparent, by what it inherited and what was around it.
type Drawn = HashMap<(u64, Surroundings), bool>;

/// The rules at work on one file.
struct Graphics<'a> {
    host: &'a dyn Host,
    part: Part,
    part_1: bool,
    needs_unicode: bool,
    needs_structure: bool,
    limits: Limits,
    /// The structure elements of marked content: by `/StructParents` of the content stream.
    structure: HashMap<i64, Object>,
    /// The output intent and the blending space in effect.
    surroundings: Cell<Surroundings>,
    spaces: Spaces,
    fonts: RefCell<HashMap<Identity, Option<Rc<Font>>>>,
    profiles: RefCell<HashMap<Ref, Rc<icc::Profile>>>,
    checked: RefCell<HashSet<Checked>>,
    /// Separations by colourant: each distinct alternate space and tint transform.
    separations: RefCell<HashMap<Name, Vec<(Object, Object)>>>,
    /// Streams already drawn.
    drawn: RefCell<HashMap<Ref, Drawn>>,
    /// Streams being drawn.
    drawing: RefCell<Vec<Ref>>,
    failed: RefCell<HashSet<(Rule, Option<Ref>)>>,
    /// Operators run in all content, forms counted each time they are drawn.
    operators: Cell<usize>,
    /// Values compared, to tell whether Separation spaces are alike.
    compared: Cell<u32>,
    /// The page being drawn.
    page: Cell<Option<Ref>>,
}

/// What an object is known by: its number, or where it lies in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Identity {
    Number(Ref),
    Address(usize),
}

/// What has been held to the rules already.
#[derive(PartialEq, Eq, Hash)]
enum Checked {
    Space { address: usize, overprint: bool, surroundings: Surroundings },
    Image(Ref, Surroundings),
    State(Identity),
    Halftone(Identity),
}

/// Holds output intents and content to the rules of the flavour.
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
    /// `one` in PDF/A-1, `later` in the parts after it.
    const fn rule(&self, one: Rule, later: Rule) -> Rule {
        if self.part_1 { one } else { later }
    }

    fn is_part_4(&self) -> bool {
        self.part == Part::Four
    }

    /// Tells that `rule` fails at `object`, or on the page, once for each; in part 4 under its name
    /// there, if that has it.
    fn fail(&self, rule: Rule, object: Option<Ref>, detail: impl FnOnce() -> String) {
        let rule = if self.is_part_4() { part_4::name(rule) } else { Some(rule) };
        if let Some(rule) = rule {
            self.fail_named(rule, object, detail);
        }
    }

    /// The same under the very name given: of a rule of part 4 alone, too.
    fn fail_named(&self, rule: Rule, object: Option<Ref>, detail: impl FnOnce() -> String) {
        let object = object.or(self.page.get());
        if self.failed.borrow_mut().insert((rule, object)) {
            self.host.fail(rule, object, &detail());
        }
    }

    /// Counts an operator; `false` when there have been too many in all.
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

    /// The decoded data of a stream; `None` if it cannot be read at all.
    fn data(&self, stream: &Stream) -> Option<Vec<u8>> {
        self.host.decode(stream).map(|decoded| decoded.data)
    }

    /// Whether this is the first time that `what` comes to the rules.
    fn first(&self, what: Checked) -> bool {
        self.checked.borrow_mut().insert(what)
    }

    /// Tells that a rule of clause 6.1 fails in what is drawn.
    fn broken(&self, rule: checker::Rule, detail: &dyn Display) {
        if let Some(rule) = rule.name(self.part) {
            self.fail_named(rule, None, || detail.to_string());
        }
    }
}

/// What `object`, which stands for `resolved`, is known by.
fn identity(object: &Object, resolved: &Dict) -> Identity {
    object.as_ref().map_or_else(|| Identity::Address(resolved.identity()), Identity::Number)
}
