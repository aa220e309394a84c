//! The page tree: loops, counts, depth and width.

use crate::build::{Pdf, each, show, stream};

const PAGE: &str = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << >> >>";

fn tree(kids: &str, entries: &str) -> String {
    format!("<< /Type /Pages /Kids [{kids}] {entries} >>")
}

crate::cases! {
    /// The tree's only kid is the tree itself.
    fn tree_self() { Pdf::new().tree(tree("2 0 R", "/Count 1")).finish() }

    /// The tree contains a page and itself, and declares 1,000,000,000 pages.
    fn tree_loop() { Pdf::new().tree(tree("3 0 R 2 0 R", "/Count 1000000000")).finish() }

    /// Two nodes that are kids of each other.
    fn tree_ring() {
        Pdf::new()
            .tree(tree("3 0 R 6 0 R", "/Count 2"))
            .with(tree("2 0 R", "/Count 1 /Parent 2 0 R"))
            .finish()
    }

    /// One page, and `/Count 1000000000`.
    fn count_giant() { Pdf::new().tree(tree("3 0 R", "/Count 1000000000")).finish() }

    /// Two pages, and `/Count 1`: a program that trusts it checks one page and shows another.
    fn count_low() {
        Pdf::new().tree(tree("3 0 R 6 0 R", "/Count 1")).with(PAGE).finish()
    }

    /// A negative `/Count`.
    fn count_negative() { Pdf::new().tree(tree("3 0 R", "/Count -1")).finish() }

    /// `/Count` is a reference to itself.
    fn count_loop() {
        Pdf::new().tree(tree("3 0 R", "/Count 6 0 R")).with("6 0 R").finish()
    }

    /// No `/Count`.
    fn count_missing() { Pdf::new().tree(tree("3 0 R", "")).finish() }

    /// No page.
    fn no_pages() { Pdf::new().tree(tree("", "/Count 0")).finish() }

    /// Kids that are null, numbers, and objects that do not exist.
    fn kids_odd() { Pdf::new().tree(tree("null 7 99 0 R 3 0 R (x)", "/Count 5")).finish() }

    /// `/Kids` is one page and not an array.
    fn kids_not_an_array() {
        Pdf::new().tree("<< /Type /Pages /Kids 3 0 R /Count 1 >>").finish()
    }

    /// The catalog's `/Pages` is the page itself.
    fn pages_is_a_page() { Pdf::new().tree(PAGE).finish() }

    /// A tree 50,000 nodes deep, with one page at the end.
    fn tree_deep() {
        let mut pdf = Pdf::new().tree(tree("6 0 R", "/Count 1"));
        for n in 7..50_006 {
            pdf = pdf.with(tree(&format!("{n} 0 R"), "/Count 1"));
        }
        pdf.with(tree("3 0 R", "/Count 1")).finish()
    }

    /// The same page as a kid, a million times.
    fn kids_same() {
        Pdf::new().tree(tree(&"3 0 R ".repeat(1_000_000), "/Count 1000000")).finish_packed()
    }

    /// Ten levels of nodes, each containing the next ten times: 10^10 pages in 3 KB.
    fn tree_expansion() {
        let mut pdf = Pdf::new().tree(tree(&"6 0 R ".repeat(10), "/Count 10000000000"));
        for n in 7..16 {
            pdf = pdf.with(tree(&format!("{n} 0 R ").repeat(10), "/Count 1"));
        }
        pdf.with(tree(&"3 0 R ".repeat(10), "/Count 10")).finish()
    }

    /// 60,000 real pages.
    fn pages_many() {
        let kids = each(6..60_006, |n| format!("{n} 0 R "));
        let mut pdf = Pdf::new().tree(tree(&kids, "/Count 60000"));
        for _ in 0..60_000 {
            pdf = pdf.with(PAGE);
        }
        pdf.finish_packed()
    }

    /// A page that is its own `/Parent`, for inherited attributes.
    fn parent_loop() {
        Pdf::new().leaf("<< /Type /Page /Parent 3 0 R /Contents 4 0 R >>").finish()
    }

    /// A chain of two thousand `/Parent` nodes for inherited attributes; none is in the tree.
    fn parent_chain() {
        let mut pdf = Pdf::new().leaf("<< /Type /Page /Parent 6 0 R /Contents 4 0 R >>");
        for n in 7..2_006 {
            pdf = pdf.with(format!("<< /Type /Pages /Parent {n} 0 R >>"));
        }
        pdf.with("<< /Type /Pages /MediaBox [0 0 9 9] >>").finish()
    }

    /// A page whose size is not a number, is infinite, or is empty.
    fn media_box_odd() {
        Pdf::new().page("/MediaBox [0 0 1e39 -1e39] /CropBox [(a) null] /UserUnit 1e30").finish()
    }

    /// The page's contents are the same stream 100,000 times.
    fn contents_array() {
        let object = format!("[{}]", "6 0 R ".repeat(100_000));
        let text = show("again").repeat(100);
        Pdf::new().contents_object(object).with(stream("", text.as_bytes())).finish_packed()
    }

    /// The page's contents are an array that contains itself.
    fn contents_loop() { Pdf::new().contents_object("[4 0 R 4 0 R]").finish() }

    /// The outline's items are the next item of each other.
    fn outlines_loop() {
        Pdf::new()
            .catalog("/Outlines 6 0 R")
            .with("<< /Type /Outlines /First 7 0 R /Last 8 0 R /Count 2 >>")
            .with("<< /Title (a) /Parent 6 0 R /Next 8 0 R /First 6 0 R >>")
            .with("<< /Title (b) /Parent 6 0 R /Next 7 0 R /First 7 0 R >>")
            .finish()
    }

    /// A name tree and a number tree that contain themselves.
    fn name_tree_loop() {
        Pdf::new()
            .catalog("/Names << /Dests 6 0 R >> /PageLabels 7 0 R")
            .with("<< /Kids [6 0 R 6 0 R] /Limits [(a) (z)] >>")
            .with("<< /Kids [7 0 R 7 0 R] /Limits [0 9] >>")
            .finish()
    }

    /// A structure tree that contains itself.
    fn structure_loop() {
        Pdf::new()
            .catalog("/MarkInfo << /Marked true >> /StructTreeRoot 6 0 R")
            .with("<< /Type /StructTreeRoot /K 7 0 R /RoleMap << /A /B /B /A >> >>")
            .with("<< /Type /StructElem /S /A /P 6 0 R /K [7 0 R 7 0 R 6 0 R] >>")
            .finish()
    }

    /// Form fields that are kids of each other.
    fn fields_loop() {
        Pdf::new()
            .catalog("/AcroForm << /Fields [6 0 R] >>")
            .with("<< /T (a) /Parent 7 0 R /Kids [7 0 R] >>")
            .with("<< /T (b) /Parent 6 0 R /Kids [6 0 R] >>")
            .finish()
    }
}
