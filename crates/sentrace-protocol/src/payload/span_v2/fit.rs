//! Bounds the JSON of a span that is sent by itself.

use super::StreamedSpan;
use crate::payload::attributes::Attributes;
use crate::transaction::Cut;
use crate::util::json_size::{json_size, shorten_longest};
use crate::{Data, SpanLink, Value};

/// What texts keep of their JSON, at the least.
const LEAST: usize = 128;
/// Attributes that Sentry cannot do without.
const REQUIRED: &str = "sentry.";

impl StreamedSpan<'_> {
    /// Makes its JSON fit into `max` bytes: usually [`MAX_SPAN_BYTES`](super::MAX_SPAN_BYTES). Its longest texts are
    /// shortened first; then the last of its attributes go. A span that fits stays as it is.
    pub fn fit(&mut self, max: usize) -> Cut {
        let mut cut = Cut::default();
        if self.most_bytes() <= max {
            return cut;
        }
        let excess = json_size(self).saturating_sub(max);
        if excess == 0 {
            return cut;
        }
        let texts = self.attributes.values_mut().flat_map(Value::texts_mut);
        let mut texts: Vec<_> = texts.chain([&mut self.name]).collect();
        let (saved, shortened) = shorten_longest(&mut texts, excess, LEAST);
        cut.shortened = shortened;
        if saved < excess {
            cut.entries = self.leave_out(excess - saved);
        }
        cut
    }

    /// Leaves attributes out, from the last one on, until so many bytes are saved. Returns how many.
    fn leave_out(&mut self, mut excess: usize) -> usize {
        let size = |(key, value): (&str, &Value<'_>)| {
            let alone: Data<'_> = [(key, value.clone())].into_iter().collect();
            // With the comma in place of one of the brackets.
            json_size(&Attributes(&alone)).saturating_sub(1)
        };
        let sizes: Vec<_> =
            self.attributes.iter().map(|entry| (entry.0.starts_with(REQUIRED), size(entry))).collect();
        let mut goes = vec![false; sizes.len()];
        for (goes, (required, size)) in goes.iter_mut().zip(sizes).rev() {
            if excess == 0 {
                break;
            }
            if !required {
                *goes = true;
                excess = excess.saturating_sub(size);
            }
        }
        let left_out = goes.iter().filter(|goes| **goes).count();
        let mut goes = goes.into_iter();
        self.attributes.retain(|_, _| !goes.next().unwrap_or(false));
        left_out
    }

    /// No less than its JSON takes, found without writing it.
    fn most_bytes(&self) -> usize {
        const ESCAPED: usize = 6;
        const FIXED: usize = 512;
        const ENTRY: usize = 64;
        let one = |(key, value): (&str, &Value<'_>)| {
            ENTRY + ESCAPED * (key.len() + value.texts().map(|text| text.len() + 1).sum::<usize>())
        };
        FIXED
            + ESCAPED * self.name.len()
            + self.attributes.iter().map(one).sum::<usize>()
            + self.links.iter().map(SpanLink::most_bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::span_v2::{MAX_SPAN_BYTES, SpanItems, keys};
    use crate::{SpanStatus, Timestamp};

    #[test]
    fn a_span_fits_into_an_item_of_its_own() {
        let rows: [(usize, usize, &str, &str); 5] = [
            (3, 8_000, "x", "it fits"),
            (200, 8_000, "x", "long texts"),
            (200, 8_000, "\u{0}", "six bytes for each character"),
            (16_000, 8, "x", "many"),
            (16_000, 200, "\"ü", "many long ones"),
        ];
        for (count, length, character, reason) in rows {
            let mut attributes = Data::new();
            for key in 0..count {
                attributes.set(format!("key.{key}"), character.repeat(length));
            }
            attributes.set(keys::SEGMENT_NAME, "GET /");
            let mut span = StreamedSpan {
                trace_id: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
                span_id: "b7ad6b7169203331".parse().unwrap(),
                parent_span_id: None,
                name: character.repeat(length).into(),
                status: SpanStatus::Ok,
                is_segment: false,
                start_timestamp: Timestamp(Duration::from_secs(1)),
                end_timestamp: Timestamp(Duration::from_secs(2)),
                attributes,
                links: Vec::new(),
            };
            let (before, most) = (json_size(&span), span.most_bytes());
            assert!(most >= before, "{reason}: {most} for {before}");
            let cut = span.fit(MAX_SPAN_BYTES);
            assert_eq!(cut.is_nothing(), before <= MAX_SPAN_BYTES, "{reason}");
            assert!(SpanItems::new(Vec::new()).push(&span).unwrap(), "{reason}: {} bytes", json_size(&span));
            assert_eq!(span.attributes.len() + cut.entries, count + 1, "{reason}");
            assert_eq!(span.attributes.get(keys::SEGMENT_NAME), Some(&"GET /".into()), "{reason}");
        }
    }
}
