//! Line charts as SVG: panels side by side, and one legend. The colours do on white and on black.

use std::fmt::Write as _;

/// One chart.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    /// A line for each entry of the legend.
    pub(crate) lines: Vec<Vec<(f64, f64)>>,
}

/// The looks of a line, and what it stands for.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) colour: &'static str,
    /// `stroke-dasharray`
    pub(crate) dashes: &'static str,
}

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 50.0;
const INK: &str = "#7d8590";

/// The picture.
pub(crate) fn svg(legend: &[Key], panels: &[Panel]) -> String {
    let width = WIDTH * f64::from(u32::try_from(panels.len()).unwrap_or(1));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"{INK}\">\n"
    );
    let mut x = LEFT;
    for key in legend {
        let (end, text) = (x + 28.0, x + 34.0);
        let _ = writeln!(
            svg,
            "{}<text x=\"{text}\" y=\"20\">{}</text>",
            path(&[(x, 16.0), (end, 16.0)], key),
            key.name
        );
        let letters = u32::try_from(key.name.len()).unwrap_or(0);
        x = text + f64::from(letters) * 6.6 + 24.0;
    }
    for (panel, number) in panels.iter().zip(0u32..) {
        let left = f64::from(number) * WIDTH;
        let _ = writeln!(svg, "<g transform=\"translate({left} 0)\">");
        svg += &panel.svg(legend);
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

impl Panel {
    fn svg(&self, legend: &[Key]) -> String {
        let points = || self.lines.iter().flatten();
        let (x_step, x_end) = scale(points().map(|point| point.0).fold(0.0, f64::max));
        let (y_step, y_end) = scale(points().map(|point| point.1).fold(0.0, f64::max));
        let across = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * x / x_end;
        let up = |y: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / y_end;
        let mut svg = String::new();
        for y in ticks(y_step, y_end) {
            let (from, to, height) = (across(0.0), across(x_end), up(y));
            let (text, base) = (from - 8.0, height + 4.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{from:.1} {height:.1}H{to:.1}\" stroke=\"{INK}\" stroke-opacity=\"0.3\"/>\
                 <text x=\"{text:.1}\" y=\"{base:.1}\" text-anchor=\"end\">{y}</text>"
            );
        }
        for x in ticks(x_step, x_end) {
            let (at, base) = (across(x), HEIGHT - BOTTOM + 18.0);
            let _ = writeln!(
                svg,
                "<text x=\"{at:.1}\" y=\"{base}\" text-anchor=\"middle\">{x}</text>"
            );
        }
        let (middle, bottom, title) = (across(x_end / 2.0), HEIGHT - 10.0, TOP - 18.0);
        let height = up(y_end / 2.0);
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{title}\" font-weight=\"bold\">{}</text>\
             <text x=\"{middle:.1}\" y=\"{bottom}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(18 {height:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            self.title, self.x, self.y
        );
        for (line, key) in self.lines.iter().zip(legend) {
            let line: Vec<_> = line.iter().map(|(x, y)| (across(*x), up(*y))).collect();
            svg += &path(&line, key);
            svg.push('\n');
        }
        svg
    }
}

fn path(points: &[(f64, f64)], key: &Key) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let verb = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{verb}{x:.1} {y:.1}");
    }
    let (colour, dashes) = (key.colour, key.dashes);
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" \
         stroke-dasharray=\"{dashes}\"/>"
    )
}

/// A round step of which four to eight reach `most`, and where they end.
fn scale(most: f64) -> (f64, f64) {
    let most = most.max(1.0);
    let tenth = 10f64.powf((most / 4.0).log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|step| step * tenth);
    let step = (steps.into_iter().rev())
        .find(|step| most / step >= 4.0)
        .unwrap_or(tenth);
    (step, (most / step).ceil() * step)
}

fn ticks(step: f64, end: f64) -> impl Iterator<Item = f64> {
    (0..100u32)
        .map(move |n| f64::from(n) * step)
        .take_while(move |tick| *tick <= end + step / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round_and_hold_what_is_shown() {
        for (most, expected) in [
            (400.0, (100.0, 400.0)),
            (199.0, (20.0, 200.0)),
            (35.0, (5.0, 35.0)),
            (1.0, (0.2, 1.0)),
            (0.0, (0.2, 1.0)),
            (14.2, (2.0, 16.0)),
        ] {
            let (step, end) = scale(most);
            let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
            assert!(
                near(step, expected.0) && near(end, expected.1),
                "{most}: {step} {end}"
            );
        }
    }

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let key = Key {
            name: "line",
            colour: "#2a9d8f",
            dashes: "",
        };
        let panel = Panel {
            title: "title",
            x: "x",
            y: "y",
            lines: vec![vec![(0.0, 0.0), (400.0, 100.0)]],
        };
        let svg = svg(&[key], &[panel]);
        assert!(svg.contains("M70.0 290.0L420.0 70.0"), "{svg}");
    }
}
