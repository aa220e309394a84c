//! Runs a page's content streams, as far as text needs them: the position and the characters of
//! each glyph (ISO 32000-1, 8.4, 8.10, 9.4, 14.9.4). Nothing is drawn, and images are not decoded.
//!
//! Every operator, form and glyph is counted against the [`Limits`], so the cost of a page is
//! bounded whatever its forms draw.

mod actual_text;
mod annotations;
mod fields;
mod layers;
mod state;
mod text;

use std::collections::HashMap;
use std::rc::Rc;

use cos::content::Operations;
use cos::{Dict, File, Name, Object, Page, Source, Stream};

use crate::font::{self, Font, Fonts};
use crate::layout::Glyphs;
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::refusal::{Budget, Refusal, lenient};
use actual_text::Marks;
pub(crate) use layers::Layers;
pub(crate) use state::view;
use state::{State, States};

/// Maximum bytes of decoded forms cached for the current page.
const KEPT_FORM_BYTES: usize = 4 << 20;

/// The state that is kept between pages.
pub(crate) struct Shared<'a, S> {
    pub(crate) file: &'a File<S>,
    pub(crate) limits: &'a Limits,
    pub(crate) layers: &'a Layers,
    pub(crate) fonts: &'a mut Fonts,
    /// Number of operators run so far.
    pub(crate) operators: &'a mut u64,
}

/// The displayed page: its size in points, and the map from its own coordinates to points from the
/// top left corner (ISO 32000-1, 8.3.2.3 and 14.11.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) matrix: Matrix,
}

/// Collects the glyphs of a page.
pub(crate) fn glyphs<S: Source>(
    shared: Shared<'_, S>,
    page: &Page,
    view: View,
) -> Result<Glyphs, Refusal> {
    let content = page_content(&shared, page)?;
    let resources = resources(shared.file, page.get("Resources"))?;
    let mut run = Interpreter {
        shared,
        view,
        glyphs: Glyphs::default(),
        marks: Marks::default(),
        open_forms: Vec::new(),
        forms: HashMap::new(),
        form_bytes: 0,
        forms_drawn: 0,
        operators: 0,
    };
    run.content(&content, &resources, State::new(view.matrix))?;
    run.annotations(page)?;
    Ok(run.glyphs)
}

/// The page's content streams, separated by white space (ISO 32000-1, 7.8.2).
fn page_content<S: Source>(shared: &Shared<'_, S>, page: &Page) -> Result<Vec<u8>, Refusal> {
    let contents = page.dict.get("Contents").cloned().unwrap_or_default();
    let streams = match lenient(shared.file.resolve(&contents))? {
        Object::Array(array) => array.to_vec(),
        other => vec![other],
    };
    let mut content = Vec::new();
    for stream in &streams {
        if let Object::Stream(stream) = lenient(shared.file.resolve(stream))? {
            let data = lenient(shared.file.stream_data(&stream))?;
            if content.len() + data.len() > shared.limits.content_bytes {
                return Err(Refusal::Limit(Budget::StreamBytes));
            }
            if content.is_empty() {
                content = data;
            } else {
                content.push(b'\n');
                content.extend(data);
            }
        }
    }
    Ok(content)
}

fn resources<S: Source>(file: &File<S>, object: Option<&Object>) -> Result<Resources, Refusal> {
    let resources = object.map_or(Ok(Object::Null), |object| file.resolve(object));
    Ok(Resources { dict: lenient(resources)?.as_dict().cloned().unwrap_or_default() })
}

/// A resource dictionary (ISO 32000-1, 7.8.3).
#[derive(Clone, Default)]
struct Resources {
    dict: Dict,
}

impl Resources {
    /// The resource of a category, unresolved.
    fn get<S: Source>(
        &self,
        file: &File<S>,
        category: &str,
        name: &Name,
    ) -> Result<Option<Object>, Refusal> {
        let category = lenient(file.get(&self.dict, category))?;
        let found = name.as_str().and_then(|name| category.as_dict()?.get(name));
        Ok(found.cloned())
    }
}

struct Interpreter<'a, S> {
    shared: Shared<'a, S>,
    view: View,
    glyphs: Glyphs,
    marks: Marks,
    /// The forms that are being drawn, the innermost last.
    open_forms: Vec<u32>,
    forms: HashMap<u32, Rc<Vec<u8>>>,
    form_bytes: usize,
    forms_drawn: usize,
    operators: usize,
}

impl<S: Source> Interpreter<'_, S> {
    /// Runs a content stream.
    fn content(
        &mut self,
        content: &[u8],
        resources: &Resources,
        state: State,
    ) -> Result<(), Refusal> {
        let mut states = States::new(state);
        let mut fonts: HashMap<Name, Option<Rc<Font>>> = HashMap::new();
        let mut operations = Operations::new(content, &self.shared.limits.objects);
        let marks = self.marks.depth();
        // A syntax error ends the content; the content before it counts.
        while let Some(operator) = lenient(operations.next())? {
            self.count(1)?;
            let operands = operations.operands();
            let state = &mut states.now;
            match operator.name {
                b"q" => states.save(),
                b"Q" => states.restore(),
                b"cm" => state.transform(operands),
                b"Tf" => {
                    let name = operands.first().and_then(Object::as_name);
                    state.font = match name {
                        Some(name) => self.font(name, resources, &mut fonts)?,
                        None => None,
                    };
                    state.size = operands.last().and_then(Object::as_f64).unwrap_or(state.size);
                }
                b"gs" => self.graphics_state(operands, resources, state)?,
                b"Do" => self.draw(operands, resources, state)?,
                b"BMC" => self.marks.begin(false, None),
                b"BDC" => self.begin_marked(operands, resources)?,
                b"EMC" => {
                    if self.marks.depth() > marks {
                        self.marks.end(&mut self.glyphs);
                    }
                }
                name => {
                    if !state.text_operator(name, operands) {
                        self.show(name, operands, state)?;
                    }
                }
            }
        }
        while self.marks.depth() > marks {
            self.marks.end(&mut self.glyphs);
        }
        Ok(())
    }

    /// Counts `work` operators.
    fn count(&mut self, work: usize) -> Result<(), Refusal> {
        self.operators += work;
        *self.shared.operators += work as u64;
        let over = self.operators > self.shared.limits.page_operators
            || *self.shared.operators > self.shared.limits.operators;
        if over { Err(Refusal::Limit(Budget::Operators)) } else { Ok(()) }
    }

    fn font(
        &mut self,
        name: &Name,
        resources: &Resources,
        known: &mut HashMap<Name, Option<Rc<Font>>>,
    ) -> Result<Option<Rc<Font>>, Refusal> {
        if let Some(font) = known.get(name) {
            return Ok(font.clone());
        }
        let Shared { file, limits, fonts, .. } = &mut self.shared;
        let font = match resources.get(file, "Font", name)? {
            Some(object) => fonts.get(file, &object, limits)?,
            None => Some(font::stand_in(file, limits)?),
        };
        known.insert(name.clone(), font.clone());
        Ok(font)
    }

    /// Only the font and its size in a graphics state matter.
    fn graphics_state(
        &mut self,
        operands: &[Object],
        resources: &Resources,
        state: &mut State,
    ) -> Result<(), Refusal> {
        let Some(name) = operands.first().and_then(Object::as_name) else { return Ok(()) };
        let Shared { file, limits, fonts, .. } = &mut self.shared;
        let Some(object) = resources.get(file, "ExtGState", name)? else { return Ok(()) };
        let Object::Dict(dict) = lenient(file.resolve(&object))? else { return Ok(()) };
        let font = lenient(file.get(&dict, "Font"))?;
        if let Some([font, size]) = font.as_array().map(|array| &array[..]) {
            state.font = fonts.get(file, font, limits)?;
            state.size = lenient(file.resolve(size))?.as_f64().unwrap_or(state.size);
        }
        Ok(())
    }

    /// Draws an XObject, if it is a form.
    fn draw(
        &mut self,
        operands: &[Object],
        resources: &Resources,
        state: &State,
    ) -> Result<(), Refusal> {
        let Some(name) = operands.first().and_then(Object::as_name) else { return Ok(()) };
        let file = self.shared.file;
        let Some(object) = resources.get(file, "XObject", name)? else { return Ok(()) };
        if let Object::Stream(form) = lenient(file.resolve(&object))?
            && lenient(file.get(form.dict(), "Subtype"))?.is_name("Form")
        {
            self.form(&form, resources, state)?;
        }
        Ok(())
    }

    fn form(&mut self, form: &Stream, outer: &Resources, state: &State) -> Result<(), Refusal> {
        let number = form.id().number;
        if self.open_forms.contains(&number) || self.marks.is_hidden() {
            return Ok(());
        }
        let file = self.shared.file;
        if let Some(layer) = form.dict().get("OC")
            && !self.shared.layers.shows(file, layer)?
        {
            return Ok(());
        }
        self.forms_drawn += 1;
        if self.forms_drawn > self.shared.limits.page_forms
            || self.open_forms.len() >= self.shared.limits.form_depth
        {
            return Err(Refusal::Limit(Budget::Forms));
        }
        let resources = match form.dict().get("Resources") {
            Some(own) => resources(file, Some(own))?,
            None => outer.clone(),
        };
        let mut state = state.clone();
        let matrix = lenient(file.get(form.dict(), "Matrix"))?;
        state.transform(matrix.as_array().map_or(&[], |array| &array[..]));
        let content = self.form_content(form)?;
        self.open_forms.push(number);
        let outcome = self.content(&content, &resources, state);
        self.open_forms.pop();
        outcome
    }

    /// The decoded content of a form, cached because many pages draw it more than once.
    fn form_content(&mut self, form: &Stream) -> Result<Rc<Vec<u8>>, Refusal> {
        let number = form.id().number;
        if let Some(content) = self.forms.get(&number) {
            return Ok(content.clone());
        }
        let content = Rc::new(lenient(self.shared.file.stream_data(form))?);
        if self.form_bytes + content.len() <= KEPT_FORM_BYTES {
            self.form_bytes += content.len();
            self.forms.insert(number, content.clone());
        }
        Ok(content)
    }

    fn begin_marked(&mut self, operands: &[Object], resources: &Resources) -> Result<(), Refusal> {
        let file = self.shared.file;
        let properties = match operands.last() {
            Some(Object::Name(name)) => resources.get(file, "Properties", name)?,
            other => other.cloned(),
        };
        let Some(properties) = properties else {
            self.marks.begin(false, None);
            return Ok(());
        };
        let is_layer = operands.first().is_some_and(|tag| tag.is_name("OC"));
        let hidden = is_layer && !self.shared.layers.shows(file, &properties)?;
        let actual = match lenient(file.resolve(&properties))? {
            Object::Dict(dict) => lenient(file.get(&dict, "ActualText"))?,
            _ => Object::Null,
        };
        self.marks.begin(hidden, actual.as_string().map(cos::Str::text));
        Ok(())
    }
}
