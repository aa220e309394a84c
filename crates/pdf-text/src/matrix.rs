//! Affine maps in PDF notation: `[a b c d e f]` (ISO 32000-1, 8.3.3).

/// Maps (x, y) to (a x + c y + e, b x + d y + f).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Matrix(pub(crate) [f64; 6]);

impl Matrix {
    pub(crate) const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(crate) const fn translate(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// Applies this map, then `next`.
    #[expect(clippy::many_single_char_names, reason = "the names of ISO 32000")]
    pub(crate) fn then(self, next: Self) -> Self {
        let ([a, b, c, d, e, f], [na, nb, nc, nd, ne, nf]) = (self.0, next.0);
        Self([
            a * na + b * nc,
            a * nb + b * nd,
            c * na + d * nc,
            c * nb + d * nd,
            e * na + f * nc + ne,
            e * nb + f * nd + nf,
        ])
    }

    pub(crate) fn point(self, (x, y): (f64, f64)) -> (f64, f64) {
        let (dx, dy) = self.vector((x, y));
        (dx + self.0[4], dy + self.0[5])
    }

    /// Maps a vector, without the translation.
    #[expect(clippy::many_single_char_names, reason = "the names of ISO 32000")]
    pub(crate) fn vector(self, (x, y): (f64, f64)) -> (f64, f64) {
        let [a, b, c, d, ..] = self.0;
        (a * x + c * y, b * x + d * y)
    }

    /// The bounding box of a mapped rectangle: smallest x, smallest y, largest x, largest y.
    pub(crate) fn bounds(self, [x0, y0, x1, y1]: [f64; 4]) -> [f64; 4] {
        let corners = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)].map(|corner| self.point(corner));
        let pick = |of: fn(&(f64, f64)) -> f64, better: fn(f64, f64) -> f64| {
            corners.iter().map(of).reduce(better).unwrap_or(0.0)
        };
        [
            pick(|c| c.0, f64::min),
            pick(|c| c.1, f64::min),
            pick(|c| c.0, f64::max),
            pick(|c| c.1, f64::max),
        ]
    }
}
