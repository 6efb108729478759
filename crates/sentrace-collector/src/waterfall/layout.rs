//! The widths of the columns and the positions of the bars.

use super::Options;
use super::text::{self, Ink, Line};
use crate::model::{Node, Trace};
use crate::palette;

const MIN_WIDTH: usize = 40;
const GAP: usize = 2;
const DURATION: usize = 8;
const MAX_SERVICE: usize = 16;
const MAX_STATUS: usize = 17;

/// The widths of the columns, and other data that all rows share. A column of width 0 is omitted.
#[derive(Debug)]
pub(super) struct Layout {
    width: usize,
    color: bool,
    palette: Vec<usize>,
    pub(super) label: usize,
    pub(super) service: usize,
    pub(super) status: usize,
    pub(super) bar: usize,
    pub(super) duration: usize,
    trace_us: u64,
}

impl Layout {
    pub(super) fn of(trace: &Trace, options: Options) -> Self {
        let width = options.width.max(MIN_WIDTH);
        let services = trace.summary.services.iter().map(|service| text::width(&service.name));
        let statuses = trace.tree.iter().filter_map(|node| node.status.as_deref()).map(text::width);
        let service = services.max().unwrap_or_default().clamp("service".len(), MAX_SERVICE);
        let status = statuses.max().unwrap_or_default().clamp("status".len(), MAX_STATUS);
        let service = if width >= 80 { service } else { 0 };
        let status = if width >= 60 { status } else { 0 };
        let taken: usize =
            [service, status, DURATION].iter().filter(|column| **column > 0).map(|it| it + GAP).sum();
        let rest = width.saturating_sub(taken + GAP);
        let bar = (rest * 2 / 5).clamp(8, 60);
        Self {
            width,
            color: options.color,
            palette: palette::of(&trace.summary.services),
            label: rest - bar,
            service,
            status,
            bar,
            duration: DURATION,
            trace_us: (trace.summary.duration_ms * 1000.0) as u64,
        }
    }

    pub(super) fn line(&self) -> Line {
        Line::new(self.width, self.color)
    }

    pub(super) fn ink_of(&self, node: &Node) -> Ink {
        Ink::service(self.palette.get(node.service).copied().unwrap_or_default())
    }

    /// Returns the bar of a span, with a resolution and minimum length of half a column.
    pub(super) fn bar_of(&self, node: &Node) -> String {
        let halves = self.bar * 2;
        let at = |ms: f64| {
            let share = ms * 1000.0 / self.trace_us.max(1) as f64;
            (share.clamp(0.0, 1.0) * halves as f64).round() as usize
        };
        let start = at(node.offset_ms).min(halves - 1);
        let end = at(node.offset_ms + node.duration_ms).max(start + 1);
        let covered = |half: usize| (start..end).contains(&half);
        let cells = (0..self.bar).map(|cell| match (covered(cell * 2), covered(cell * 2 + 1)) {
            (true, true) => '█',
            (true, false) => '▌',
            (false, true) => '▐',
            (false, false) => ' ',
        });
        cells.collect()
    }
}
