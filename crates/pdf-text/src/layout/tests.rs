use super::{Glyphs, lines};
use crate::page::{Line, Page};

const SIZE: f64 = 10.0;
/// The advance of each glyph.
const STEP: f64 = 5.0;

/// A page with glyphs placed by the test.
#[derive(Default)]
struct Sheet(Glyphs);

impl Sheet {
    /// Draws a text to the right from `x`, `y`.
    fn draw(self, text: &str, x: f64, y: f64) -> Self {
        self.turned(text, x, y, (1.0, 0.0))
    }

    /// Draws a text in a direction.
    fn turned(mut self, text: &str, x: f64, y: f64, (dx, dy): (f64, f64)) -> Self {
        for (at, character) in (0_u32..).zip(text.chars()) {
            let along = f64::from(at) * STEP;
            self.glyph(&character.to_string(), x + dx * along, y + dy * along, (dx, dy), SIZE);
        }
        self
    }

    /// Draws a text from `x` to the left, as producers of right-to-left text do.
    fn leftwards(mut self, text: &str, x: f64, y: f64) -> Self {
        for (at, character) in (1_u32..).zip(text.chars()) {
            self.glyph(&character.to_string(), x - f64::from(at) * STEP, y, (1.0, 0.0), SIZE);
        }
        self
    }

    fn small(mut self, text: &str, x: f64, y: f64) -> Self {
        self.glyph(text, x, y, (1.0, 0.0), SIZE * 0.6);
        self
    }

    fn glyph(&mut self, text: &str, x: f64, y: f64, direction: (f64, f64), size: f64) {
        self.0.push(text, (x, y), direction, STEP, size);
    }

    fn lines(&self) -> Vec<Line> {
        lines(&self.0)
    }

    fn texts(&self) -> Vec<String> {
        self.lines().into_iter().map(|line| line.text).collect()
    }
}

#[test]
fn gaps_and_drawn_spaces_separate_words() {
    let sheet = Sheet::default().draw("ab", 0.0, 0.0).draw("cd", 13.0, 0.0).draw(" ef", 23.0, 0.0);
    assert_eq!(sheet.texts(), ["ab cd ef"]);
    let tight = Sheet::default().draw("ab", 0.0, 0.0).draw("cd", 10.5, 0.0);
    assert_eq!(tight.texts(), ["abcd"], "a gap of kerning is none");
    let line = &sheet.lines()[0];
    assert_eq!(line.words.len(), 3);
    assert_eq!((line.words[1].bbox.x0, line.words[1].bbox.x1), (13.0, 23.0));
}

#[test]
fn text_drawn_later_keeps_its_position_in_the_line() {
    let sheet = Sheet::default().draw("one", 0.0, 0.0).draw("three", 40.0, 0.0);
    assert_eq!(sheet.draw("two", 20.0, 0.0).texts(), ["one two three"]);
}

#[test]
fn columns_are_read_one_after_the_other() {
    let mut sheet = Sheet::default().draw("title over both columns", 0.0, 0.0);
    for row in 1..=3 {
        sheet = sheet.draw(&format!("left {row}"), 0.0, f64::from(row) * 12.0);
    }
    for row in 1..=3 {
        sheet = sheet.draw(&format!("right {row}"), 60.0, f64::from(row) * 12.0);
    }
    let expected =
        ["title over both columns", "left 1", "left 2", "left 3", "right 1", "right 2", "right 3"];
    assert_eq!(sheet.texts(), expected);
}

#[test]
fn tables_are_read_by_rows() {
    let mut sheet = Sheet::default();
    for row in 1..=4 {
        let y = f64::from(row) * 12.0;
        sheet = sheet.draw(&format!("item{row}"), 0.0, y).draw(&format!("{row}.50"), 60.0, y);
    }
    assert_eq!(sheet.texts(), ["item1 1.50", "item2 2.50", "item3 3.50", "item4 4.50"]);
}

#[test]
fn a_cell_of_two_lines_stays_whole() {
    let mut sheet = Sheet::default();
    for row in 0..3 {
        let y = f64::from(row) * 30.0;
        sheet = sheet
            .draw(&format!("name{row}"), 0.0, y)
            .draw(&format!("street{row}"), 0.0, y + 12.0)
            .draw(&format!("note{row}"), 60.0, y)
            .draw(&format!("more{row}"), 60.0, y + 12.0);
    }
    let expected = ["name0", "street0", "note0", "more0", "name1", "street1"];
    assert_eq!(sheet.texts()[..6], expected);
}

#[test]
fn prose_drawn_across_two_columns_is_read_by_columns() {
    let mut sheet = Sheet::default();
    let (left, right) =
        ("the left column has lines of prose", "and so has the right column beside");
    for row in 0..8 {
        let y = f64::from(row) * 12.0;
        sheet = sheet.draw(left, 0.0, y).draw(right, 190.0, y + 3.5);
    }
    let texts = sheet.texts();
    assert!(texts[..8].iter().all(|text| text == left), "{texts:?}");
    assert!(texts[8..].iter().all(|text| text == right), "{texts:?}");
}

#[test]
fn a_footer_drawn_first_is_read_last() {
    let sheet = Sheet::default().draw("page 1", 0.0, 700.0).draw("text", 0.0, 0.0);
    assert_eq!(sheet.texts(), ["text", "page 1"]);
}

#[test]
fn text_printed_twice_is_read_once() {
    let sheet = Sheet::default().draw("bold", 0.0, 0.0).draw("bold", 0.4, 0.0);
    assert_eq!(sheet.texts(), ["bold"]);
    let apart = Sheet::default().draw("twice", 0.0, 0.0).draw("twice", 0.0, 12.0);
    assert_eq!(apart.texts(), ["twice", "twice"]);
}

#[test]
fn superscripts_belong_to_their_word() {
    let sheet = Sheet::default().draw("x", 0.0, 0.0).small("2", 5.0, -4.0).draw("+y", 8.0, 0.0);
    assert_eq!(sheet.texts(), ["x2+y"]);
}

#[test]
fn right_to_left_lines_are_read_in_logical_order() {
    // In any drawing order: letter by letter to the left, or in visual order from the left.
    let logical = Sheet::default().leftwards("שלום עולם", 100.0, 0.0);
    assert_eq!(logical.texts(), ["שלום עולם"]);
    let visual: String = "שלום עולם".chars().rev().collect();
    assert_eq!(Sheet::default().draw(&visual, 0.0, 0.0).texts(), ["שלום עולם"]);
    // Numbers and brackets inside.
    let visual: String = ["(", "2024", " ", "תנש", ")"].concat();
    assert_eq!(Sheet::default().draw(&visual, 0.0, 0.0).texts(), ["(שנת 2024)"]);
    // A right-to-left word inside left-to-right text.
    assert_eq!(
        Sheet::default().draw("the word םולש here", 0.0, 0.0).texts(),
        ["the word שלום here"]
    );
}

#[test]
fn ligatures_and_forms_become_letters() {
    let sheet = Sheet::default().draw("o\u{fb03}ce", 0.0, 0.0);
    assert_eq!(sheet.texts(), ["office"]);
    let arabic = Sheet::default().draw("\u{fe8e}\u{fee3}", 0.0, 0.0);
    assert_eq!(arabic.texts(), ["ما"]);
}

#[test]
fn lines_may_run_in_any_direction() {
    for (direction, angle) in
        [((0.0, 1.0), 90), ((-1.0, 0.0), 180), ((0.0, -1.0), 270), ((0.6, 0.8), 53)]
    {
        let sheet = Sheet::default()
            .turned("upper", 100.0, 100.0, direction)
            .turned("words", 100.0 + 30.0 * direction.0, 100.0 + 30.0 * direction.1, direction)
            // The next line is to the right of the direction of writing.
            .turned("lower", 100.0 - 12.0 * direction.1, 100.0 + 12.0 * direction.0, direction);
        let lines = sheet.lines();
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["upper words", "lower"], "{direction:?}");
        assert!(lines.iter().all(|line| line.angle == angle), "{direction:?}");
    }
}

#[test]
fn rotated_text_comes_last_with_its_position_on_the_page() {
    let sheet = Sheet::default().turned("margin", 10.0, 200.0, (0.0, -1.0)).draw(
        "some text of the page",
        50.0,
        100.0,
    );
    let lines = sheet.lines();
    assert_eq!(lines[1].text, "margin");
    let bbox = lines[1].bbox;
    assert_eq!((bbox.x0, bbox.y0, bbox.x1, bbox.y1), (2.0, 170.0, 12.0, 200.0));
}

#[test]
fn blocks_begin_after_a_gap() {
    let sheet = Sheet::default()
        .draw("one", 0.0, 0.0)
        .draw("two", 0.0, 12.0)
        .draw("three", 0.0, 40.0)
        .draw("four", 0.0, 52.0);
    let page =
        Page { number: 1, width: 100.0, height: 100.0, lines: sheet.lines(), ..Page::default() };
    assert_eq!(page.text(), "one\ntwo\n\nthree\nfour\n");
    assert_eq!(page.words(), 4);
}

#[test]
fn characters_that_are_not_text_are_removed() {
    let mut sheet = Sheet::default().draw("a\u{0}b\u{200b}\u{feff}", 0.0, 0.0);
    sheet.0.push("x", (f64::NAN, 0.0), (1.0, 0.0), STEP, SIZE);
    sheet.0.push("x", (0.0, 0.0), (1.0, 0.0), STEP, 0.0);
    sheet.0.push("x", (1e300, 0.0), (1.0, 0.0), STEP, SIZE);
    sheet.0.push("   ", (50.0, 0.0), (1.0, 0.0), STEP, SIZE);
    assert_eq!(sheet.texts(), ["a b"]);
    assert!(Sheet::default().texts().is_empty());
}

proptest::proptest! {
    /// For any positions of the glyphs, each is read exactly once.
    #[test]
    fn every_glyph_is_read_once(
        glyphs in proptest::collection::vec((0_u32..1000, -500.0..500.0_f64, -500.0..500.0_f64, 0_u8..5, 0.5..40.0_f64), 0..300)
    ) {
        let mut sheet = Sheet::default();
        let mut expected = Vec::new();
        for (at, (_, x, y, direction, size)) in glyphs.iter().enumerate() {
            let direction = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 1.0)]
                [usize::from(*direction)];
            // Each has its own character, so that none is a duplicate.
            let character = char::from_u32(0x4e00 + u32::try_from(at).unwrap()).unwrap();
            expected.push(character);
            sheet.glyph(&character.to_string(), *x, *y, direction, *size);
        }
        let mut found: Vec<char> =
            sheet.texts().concat().chars().filter(|c| !c.is_whitespace()).collect();
        found.sort_unstable();
        proptest::prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_word_broken_by_a_soft_hyphen_is_one_word() {
    let sheet = Sheet::default()
        .draw("the Donau\u{ad}", 0.0, 0.0)
        .draw("dampf\u{ad}", 0.0, 12.0)
        .draw("schiff. It", 0.0, 24.0);
    assert_eq!(sheet.texts(), ["the Donaudampfschiff.", "It"]);
    let words = &sheet.lines()[0].words;
    assert_eq!((words[1].bbox.x0, words[1].bbox.x1), (20.0, 50.0), "it stands where it begins");
}

#[test]
fn a_soft_hyphen_elsewhere_is_removed() {
    for (drawn, text) in [
        ("co\u{ad}operate", "cooperate"),
        ("end\u{ad}", "end"),
        ("2020\u{ad}2021", "2020-2021"),
        ("a - b", "a - b"),
    ] {
        assert_eq!(Sheet::default().draw(drawn, 0.0, 0.0).texts(), [text]);
    }
    let apart = Sheet::default().draw("end\u{ad}", 0.0, 0.0).draw("12", 0.0, 12.0);
    assert_eq!(apart.texts(), ["end", "12"], "no word goes on in a number");
    let lone = Sheet::default().draw("one", 0.0, 0.0).draw("\u{ad}", 0.0, 12.0);
    assert_eq!(lone.texts(), ["one"]);
    let hard = Sheet::default().draw("well-", 0.0, 0.0).draw("known", 0.0, 12.0);
    assert_eq!(hard.texts(), ["well-", "known"], "a hyphen of the writer's stays");
}
