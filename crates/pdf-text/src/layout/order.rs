//! Reading order: the page is cut between its segments, recursively, along straight white strips
//! (an XY cut), until no cut is possible.
//!
//! The drawing order helps to choose the cut: most producers draw a page in reading order, though
//! not everywhere (headers, form fields and table rules come late). So of all white strips, those
//! are cut that the drawing order crosses least often. A page with two columns is drawn across its
//! gutter once, and across a white line between two paragraphs more often; a table that is drawn
//! row by row is the opposite case. One exception: if a page is drawn line by line across two
//! columns of running text, the gutter is cut.

use super::segments::Segment;

/// The minimum width, in font sizes, of a white strip between columns.
const GUTTER: f64 = 0.4;
/// Height of text above and below its baseline, in font sizes, when rows are separated. It is less
/// than the real height, so that tight lines can be separated.
const ABOVE: f64 = 0.55;
const BELOW: f64 = 0.05;
/// Maximum depth of cuts: more than any real page needs, and a bound for hostile pages.
const MAX_DEPTH: usize = 64;
/// In running text, the median line has at least this many glyphs,
const PROSE_GLYPHS: usize = 24;
/// and there are at least this many lines.
const PROSE_LINES: usize = 5;

/// Puts segments in reading order.
pub(super) fn reading_order(mut segments: Vec<Segment>) -> Vec<Segment> {
    segments.sort_by_key(|segment| segment.drawn);
    let all = (0..segments.len()).collect();
    let mut order = Vec::with_capacity(segments.len());
    cut(&segments, all, 0, &mut order);
    let mut slots: Vec<Option<Segment>> = segments.into_iter().map(Some).collect();
    order.into_iter().filter_map(|number| slots[number].take()).collect()
}

/// Puts the segments of a region in order. They are sorted by drawing order.
fn cut(segments: &[Segment], region: Vec<usize>, depth: usize, order: &mut Vec<usize>) {
    if region.len() < 2 {
        order.extend(region);
        return;
    }
    if depth == MAX_DEPTH {
        order.extend(by_rows(segments, region));
        return;
    }
    let size = median(region.iter().map(|&number| segments[number].size).collect());
    let rows = Cuts::new(
        segments,
        &region,
        |segment| (segment.y - ABOVE * segment.size, segment.y + BELOW * segment.size),
        0.0,
    );
    let columns = Cuts::new(segments, &region, |segment| (segment.x0, segment.x1), GUTTER * size);
    let parts = match (rows.least, columns.least) {
        (None, None) => {
            order.extend(by_rows(segments, region));
            return;
        }
        (Some(across), Some(along))
            if across < along && !are_columns_of_prose(segments, &region, &rows, &columns) =>
        {
            rows.parts(&region)
        }
        (Some(_), None) => rows.parts(&region),
        _ => columns.parts(&region),
    };
    for part in parts {
        cut(segments, part, depth + 1, order);
    }
}

/// Orders overlapping segments, which no strip separates: from top to bottom, each row from left to
/// right.
fn by_rows(segments: &[Segment], mut region: Vec<usize>) -> Vec<usize> {
    region.sort_by(|&a, &b| segments[a].y.total_cmp(&segments[b].y));
    let mut start = 0;
    while start < region.len() {
        let first = &segments[region[start]];
        let limit = first.y + 0.3 * first.size;
        let len = region[start..].iter().take_while(|&&at| segments[at].y <= limit).count().max(1);
        region[start..start + len]
            .sort_by(|&a, &b| segments[a].x0.total_cmp(&segments[b].x0).then(a.cmp(&b)));
        start += len;
    }
    region
}

/// Whether there are columns of running text next to each other that are drawn line by line across
/// all of them.
fn are_columns_of_prose(
    segments: &[Segment],
    region: &[usize],
    rows: &Cuts,
    columns: &Cuts,
) -> bool {
    if rows.chosen() * 2 < rows.bands() {
        return false;
    }
    let parts = columns.parts(region);
    let is_prose = |part: &Vec<usize>| {
        let glyphs: Vec<usize> = part.iter().map(|&number| segments[number].glyphs).collect();
        part.len() >= PROSE_LINES && median_of(glyphs) >= PROSE_GLYPHS
    };
    parts.len() > 1 && parts.iter().all(is_prose)
}

/// The white strips of a region along one axis.
struct Cuts {
    /// The band between the strips for each segment of the region.
    band: Vec<usize>,
    /// Number of times that the drawing order crosses each strip.
    crossings: Vec<usize>,
    /// The smallest number of crossings.
    least: Option<usize>,
}

impl Cuts {
    fn new(
        segments: &[Segment],
        region: &[usize],
        extent: impl Fn(&Segment) -> (f64, f64),
        white: f64,
    ) -> Self {
        let mut spans: Vec<(f64, f64, usize)> = region
            .iter()
            .enumerate()
            .map(|(at, &number)| {
                let (from, to) = extent(&segments[number]);
                (from, to, at)
            })
            .collect();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut band = vec![0; region.len()];
        let (mut bands, mut end) = (0, f64::NEG_INFINITY);
        for (from, to, at) in spans {
            if end.is_finite() && from - end > white {
                bands += 1;
            }
            end = end.max(to);
            band[at] = bands;
        }
        // A step of the drawing from one band to another crosses every strip between them.
        let mut steps = vec![0_isize; bands + 1];
        for pair in band.windows(2) {
            steps[pair[0].min(pair[1])] += 1;
            steps[pair[0].max(pair[1])] -= 1;
        }
        let crossings: Vec<usize> = steps[..bands]
            .iter()
            .scan(0, |sum, step| {
                *sum += step;
                Some(usize::try_from(*sum).unwrap_or(0))
            })
            .collect();
        let least = crossings.iter().copied().min();
        Self { band, crossings, least }
    }

    fn bands(&self) -> usize {
        self.crossings.len() + 1
    }

    /// Number of strips with the fewest crossings.
    fn chosen(&self) -> usize {
        self.crossings.iter().filter(|&&count| Some(count) == self.least).count()
    }

    /// Cuts the region along the strips with the fewest crossings.
    fn parts(&self, region: &[usize]) -> Vec<Vec<usize>> {
        let mut part_of_band = Vec::with_capacity(self.bands());
        let mut part = 0;
        part_of_band.push(part);
        for &count in &self.crossings {
            part += usize::from(Some(count) == self.least);
            part_of_band.push(part);
        }
        let mut parts = vec![Vec::new(); part + 1];
        for (&number, &band) in region.iter().zip(&self.band) {
            parts[part_of_band[band]].push(number);
        }
        parts
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    let middle = numbers.len() / 2;
    let (_, median, _) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
    *median
}

fn median_of(mut numbers: Vec<usize>) -> usize {
    let middle = numbers.len() / 2;
    *numbers.select_nth_unstable(middle).1
}
