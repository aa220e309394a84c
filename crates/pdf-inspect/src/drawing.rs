//! The cost of drawing the pages: operators, and nested forms.
//!
//! Nothing is drawn. Each content stream is read once for each set of resources. Its cost is its
//! own operators plus the cost of each form, pattern, glyph or mask that it draws. So ten levels of
//! forms that each draw the next ten times are read ten times, and count as 10^10 drawings.

use std::{
    collections::{HashMap, HashSet},
    io::Cursor,
};

use cos::{
    Array, Dict, File, Object, Source, Stream,
    content::{InlineImage, Operations},
};

use crate::{
    Budget, Error, Looped,
    meter::Meter,
    pages::{Owner, Owners, Page},
    refusal::readable,
    streams,
};

/// The cost of drawing something once.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) operators: u64,
    pub(crate) expansions: u64,
}

impl Cost {
    fn add(&mut self, other: Self, times: u64) {
        let plus = |a: u64, b: u64| a.saturating_add(b.saturating_mul(times));
        self.operators = plus(self.operators, other.operators);
        self.expansions = plus(self.expansions, other.expansions);
    }
}

/// A stream, with the owner of its resources.
type Key = (u32, Owner);

/// A resource dictionary and its owner.
#[derive(Clone)]
struct Resources {
    dict: Dict,
    owner: Owner,
}

pub(crate) struct Drawing<'a, S> {
    file: &'a File<S>,
    meter: &'a mut Meter,
    known: HashMap<Key, Cost>,
    open: HashSet<Key>,
    owners: Owners,
    total: Cost,
}

impl<'a, S: Source> Drawing<'a, S> {
    pub(crate) fn new(file: &'a File<S>, meter: &'a mut Meter) -> Self {
        Self {
            file,
            meter,
            known: HashMap::new(),
            open: HashSet::new(),
            owners: Owners::default(),
            total: Cost::default(),
        }
    }

    /// The cost of all pages so far.
    pub(crate) const fn total(&self) -> Cost {
        self.total
    }

    /// Adds a page: its contents, and the appearances of its annotations.
    pub(crate) fn page(&mut self, page: &Page) -> Result<(), Error> {
        self.meter.work(1)?;
        let resources = self.resources(&page.resources, None)?;
        match readable(self.file.get(&page.dict, "Contents"))?.unwrap_or_default() {
            Object::Stream(stream) => self.run(&stream, &resources)?,
            Object::Array(parts) => {
                for part in &parts {
                    self.meter.work(1)?;
                    if let Some(Object::Stream(stream)) = readable(self.file.resolve(part))? {
                        self.run(&stream, &resources)?;
                    }
                }
            }
            _ => {}
        }
        if let Some(Object::Array(annotations)) = readable(self.file.get(&page.dict, "Annots"))? {
            self.annotations(&annotations)?;
        }
        Ok(())
    }

    fn annotations(&mut self, annotations: &Array) -> Result<(), Error> {
        for annotation in annotations {
            self.meter.work(1)?;
            let Some(Object::Dict(dict)) = readable(self.file.resolve(annotation))? else {
                continue;
            };
            let Some(Object::Dict(states)) = readable(self.file.get(&dict, "AP"))? else {
                continue;
            };
            match readable(self.file.get(&states, "N"))?.unwrap_or_default() {
                Object::Stream(stream) => self.run_child(&stream)?,
                Object::Dict(states) => {
                    for (_, state) in &states {
                        if let Some(Object::Stream(stream)) = readable(self.file.resolve(state))? {
                            self.run_child(&stream)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn run_child(&mut self, stream: &Stream) -> Result<(), Error> {
        let none = Resources { dict: Dict::default(), owner: Owner::Object(0) };
        let cost = self.child(stream, &none)?;
        self.spend(cost)
    }

    fn run(&mut self, stream: &Stream, resources: &Resources) -> Result<(), Error> {
        let cost = self.cost(stream, resources)?;
        self.spend(cost)
    }

    fn spend(&mut self, cost: Cost) -> Result<(), Error> {
        self.total.add(cost, 1);
        self.check(self.total)
    }

    const fn check(&self, cost: Cost) -> Result<(), Error> {
        if cost.expansions > self.meter.limits.form_expansions {
            return Err(Error::over(Budget::FormExpansions));
        }
        if cost.operators > self.meter.limits.operators {
            return Err(Error::over(Budget::Operators));
        }
        Ok(())
    }

    /// Resolves `resources`; if there are none, returns those of `outer`.
    fn resources(
        &mut self,
        resources: &Object,
        outer: Option<&Resources>,
    ) -> Result<Resources, Error> {
        match (readable(self.file.resolve(resources))?, outer) {
            (Some(Object::Dict(dict)), _) => {
                let owner = self.owners.of(resources, &dict);
                Ok(Resources { dict, owner })
            }
            (_, Some(outer)) => Ok(outer.clone()),
            _ => Ok(Resources { dict: Dict::default(), owner: Owner::Object(0) }),
        }
    }

    /// The cost of a form, pattern, glyph or mask; one expansion is added for itself.
    fn child(&mut self, stream: &Stream, outer: &Resources) -> Result<Cost, Error> {
        let own = stream.dict().get("Resources").cloned().unwrap_or_default();
        let resources = self.resources(&own, Some(outer))?;
        let mut cost = self.cost(stream, &resources)?;
        cost.expansions = cost.expansions.saturating_add(1);
        Ok(cost)
    }

    /// The cost of a content stream.
    fn cost(&mut self, stream: &Stream, resources: &Resources) -> Result<Cost, Error> {
        let key = (stream.id().number, resources.owner);
        if let Some(cost) = self.known.get(&key) {
            return Ok(*cost);
        }
        if self.open.len() > self.meter.limits.form_depth {
            return Err(Error::over(Budget::FormDepth));
        }
        if !self.open.insert(key) {
            return Err(Error::looped(Looped::Drawing));
        }
        self.meter.read(stream.raw_len())?;
        let cost = match readable(self.file.stream_data(stream))? {
            Some(data) => self.contents(&data, resources)?,
            None => Cost::default(),
        };
        self.open.remove(&key);
        self.check(cost)?;
        self.known.insert(key, cost);
        Ok(cost)
    }

    fn contents(&mut self, data: &[u8], resources: &Resources) -> Result<Cost, Error> {
        self.meter.read(data.len() as u64)?;
        let mut cost = Cost::default();
        let mut children = HashMap::new();
        let mut glyph = Cost::default();
        let mut operations = Operations::new(data, self.file.limits());
        // Content ends at a syntax error, as in other readers.
        while let Some(operator) = readable(operations.next())?.flatten() {
            cost.operators = cost.operators.saturating_add(1);
            self.meter.work(1 + operations.operands().len() as u64)?;
            if let Some(image) = operations.inline_image_of_last() {
                self.inline_image(image)?;
                continue;
            }
            let last = operations.operands().last();
            let draws = match (operator.name, last) {
                (b"Do", _) => "XObject",
                (b"scn" | b"SCN", _) => "Pattern",
                (b"gs", _) => "ExtGState",
                (b"Tf", _) => "Font",
                (b"Tj" | b"'" | b"\"" | b"TJ", Some(text)) => {
                    cost.add(glyph, letters(text));
                    continue;
                }
                _ => continue,
            };
            let operand = if draws == "Font" { operations.operands().first() } else { last };
            let Some(name) = operand.and_then(Object::as_name) else { continue };
            let key = (draws, name.clone());
            let child = if let Some(child) = children.get(&key) {
                *child
            } else {
                let child = self.named(draws, name.as_str().unwrap_or_default(), resources)?;
                children.insert(key, child);
                child
            };
            if draws == "Font" {
                glyph = child;
            } else {
                cost.add(child, 1);
            }
            self.check(cost)?;
        }
        self.check(cost)?;
        Ok(cost)
    }

    /// Checks an inline image against the image limits. Its keys may be abbreviated.
    fn inline_image(&mut self, image: &InlineImage<'_>) -> Result<(), Error> {
        let get = |short, long| image.dict.get(short).or_else(|| image.dict.get(long));
        let side =
            |short, long| get(short, long).and_then(Object::as_i64).unwrap_or(0).unsigned_abs();
        if side("W", "Width").saturating_mul(side("H", "Height")) > self.meter.limits.pixels {
            return Err(Error::over(Budget::Pixels));
        }
        let filters = match get("F", "Filter") {
            None => return Ok(()),
            Some(Object::Array(filters)) => filters.to_vec(),
            Some(other) => vec![other.clone()],
        };
        match streams::flates(&filters) {
            Some(layers) => {
                let most = self.meter.limits.image_bytes;
                let open = || Cursor::new(image.data);
                streams::count_flates(&open, layers, most, self.meter)?;
            }
            None => {
                if let Some(decoded) = readable(self.file.decode_inline(&image.dict, image.data))? {
                    self.meter.inflate(decoded.data.len() as u64)?;
                }
            }
        }
        Ok(())
    }

    /// The cost of one use of the resource `name` of type `kind`.
    fn named(&mut self, kind: &str, name: &str, resources: &Resources) -> Result<Cost, Error> {
        let none = Ok(Cost::default());
        let Some(Object::Dict(all)) = readable(self.file.get(&resources.dict, kind))? else {
            return none;
        };
        let Some(found) = readable(self.file.get(&all, name))? else { return none };
        match (kind, found) {
            ("XObject", Object::Stream(stream)) if !stream.dict().is("Subtype", "Image") => {
                self.child(&stream, resources)
            }
            ("Pattern", Object::Stream(stream)) => self.child(&stream, resources),
            ("ExtGState", Object::Dict(state)) => {
                let Some(Object::Dict(mask)) = readable(self.file.get(&state, "SMask"))? else {
                    return none;
                };
                match readable(self.file.get(&mask, "G"))? {
                    Some(Object::Stream(group)) => self.child(&group, resources),
                    _ => none,
                }
            }
            ("Font", Object::Dict(font)) => self.glyphs(&font, resources),
            _ => none,
        }
    }

    /// The highest cost of a glyph of a Type 3 font. Glyphs of other fonts have no cost.
    fn glyphs(&mut self, font: &Dict, outer: &Resources) -> Result<Cost, Error> {
        let mut highest = Cost::default();
        let Some(Object::Dict(glyphs)) = readable(self.file.get(font, "CharProcs"))? else {
            return Ok(highest);
        };
        let own = font.get("Resources").cloned().unwrap_or_default();
        let resources = self.resources(&own, Some(outer))?;
        for (_, glyph) in &glyphs {
            self.meter.work(1)?;
            if let Some(Object::Stream(stream)) = readable(self.file.resolve(glyph))? {
                let cost = self.child(&stream, &resources)?;
                highest.operators = highest.operators.max(cost.operators);
                // The glyph itself does not count as an expansion, but the forms that it draws do.
                highest.expansions = highest.expansions.max(cost.expansions - 1);
            }
        }
        Ok(highest)
    }
}

/// Number of text bytes that an operand shows.
fn letters(operand: &Object) -> u64 {
    let length =
        |object: &Object| object.as_string().map_or(0, |text| text.as_bytes().len() as u64);
    match operand {
        Object::Array(parts) => parts.iter().map(length).sum(),
        other => length(other),
    }
}
