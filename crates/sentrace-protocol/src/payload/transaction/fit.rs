//! Bounds the JSON of a transaction. Sentry drops larger ones whole, and these are the ones that somebody waits for.

use std::borrow::Cow;

use serde::Serialize;

use super::span::SpanOfTrace;
use super::{Data, Request, Tags, TransactionPayload, TransactionSpan, User};
use crate::util::json_size::{json_size, shorten_longest, size_of_text};
use crate::{SpanLink, Value};

/// Most bytes of one transaction's JSON (Sentry's limit of an envelope's item).
pub const MAX_BYTES: usize = 1024 * 1024;

/// What a description or name keeps of its JSON, at the least.
const LEAST_DESCRIPTION: usize = 128;
/// What a text of a span's data keeps.
const LEAST_VALUE: usize = 64;
/// What the transaction's own data and tags may take before anything but texts is left out.
const RESERVED: usize = 256 * 1024;
/// What all other texts keep in a transaction that is too large without any spans, which takes a hook.
const LEAST_OTHER: usize = 512;

/// What was left out of a payload to make it fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "what is cut is to be counted or reported"]
pub struct Cut {
    /// Texts that end with `...` now.
    pub shortened: usize,
    /// Entries of data and tags that are gone.
    pub entries: usize,
    /// Spans that are gone.
    pub spans: usize,
}

impl Cut {
    /// Whether nothing was cut.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl TransactionPayload<'_> {
    /// Makes its JSON fit into `max` bytes: usually [`MAX_BYTES`].
    ///
    /// The longest descriptions of spans are shortened first, then the texts in their data; then goes what the transaction's
    /// own data and tags take beyond a quarter, the data of the last spans, and at the very end the last spans. What
    /// belongs to the transaction itself is kept as long as possible. A transaction that fits stays as it is.
    ///
    /// Sentry SDK specification, *Envelopes*, size limits.
    ///
    /// ```
    /// # use sentrace_protocol::TransactionPayload;
    /// use sentrace_protocol::transaction::MAX_BYTES;
    ///
    /// # fn send(transaction: &mut TransactionPayload<'_>) {
    /// let cut = transaction.fit(MAX_BYTES);
    /// if cut.spans > 0 {
    ///     eprintln!("{} spans do not fit", cut.spans);
    /// }
    /// # }
    /// ```
    pub fn fit(&mut self, max: usize) -> Cut {
        let mut fitting = Fitting { excess: 0, cut: Cut::default() };
        if self.most_bytes() <= max || !fitting.measure(self, max) {
            return fitting.cut;
        }
        fitting.shorten(descriptions(&mut self.spans), LEAST_DESCRIPTION);
        fitting.shorten(self.spans.iter_mut().flat_map(|span| texts(&mut span.data)).collect(), LEAST_VALUE);
        fitting.bound_own(self, RESERVED);
        for span in self.spans.iter_mut().rev() {
            if fitting.excess == 0 {
                break;
            }
            fitting.leave_out_data(&mut span.data);
            fitting.leave_out_tags(&mut span.tags);
        }
        fitting.leave_out_spans(self);
        if fitting.measure(self, max) {
            fitting.shorten(others(self), LEAST_OTHER);
            fitting.bound_own(self, 0);
        }
        fitting.cut
    }

    /// No less than its JSON takes, found without writing it.
    fn most_bytes(&self) -> usize {
        const ESCAPED: usize = 6;
        // Ids, times, keys and all other things of bounded length.
        const FIXED: usize = 512;
        const ENTRY: usize = 32;
        let entry = |(key, value): (&str, &Value<'_>)| {
            ESCAPED * (key.len() + value.texts().map(|text| text.len() + 1).sum::<usize>()) + ENTRY
        };
        let tag = |(key, value): (&str, &Cow<'_, str>)| ESCAPED * (key.len() + value.len()) + ENTRY;
        let links = |links: &[SpanLink<'_>]| links.iter().map(SpanLink::most_bytes).sum::<usize>();
        let span = |span: &TransactionSpan<'_>| {
            let texts = span.op.len() + span.origin.len() + span.description.as_deref().map_or(0, str::len);
            FIXED
                + ESCAPED * texts
                + span.data.iter().map(entry).sum::<usize>()
                + span.tags.iter().map(tag).sum::<usize>()
                + links(&span.links)
        };
        let request = self.request.as_ref().map_or(0, |request| {
            let headers = request.headers.iter().map(|(name, value)| name.len() + value.len() + ENTRY);
            let query = request.query_string.as_deref().map_or(0, str::len);
            request.method.len() + request.url.len() + query + headers.sum::<usize>()
        });
        let of_user = |user: &User<'_>| {
            [&user.id, &user.email, &user.username]
                .into_iter()
                .flatten()
                .map(|text| text.len())
                .sum::<usize>()
        };
        let optional = [&self.release, &self.environment, &self.server_name].into_iter().flatten();
        let own = optional.map(|text| text.len()).sum::<usize>()
            + self.name.len()
            + self.trace.op.len()
            + self.trace.origin.len()
            + self.sdk.name.len()
            + self.sdk.version.len()
            + request
            + self.user.as_ref().map_or(0, of_user);
        2 * FIXED
            + ESCAPED * own
            + self.trace.data.iter().map(entry).sum::<usize>()
            + self.tags.iter().map(tag).sum::<usize>()
            + links(&self.trace.links)
            + self.spans.iter().map(span).sum::<usize>()
    }
}

/// A transaction on its way to a size.
struct Fitting {
    /// Bytes that are still too many.
    excess: usize,
    cut: Cut,
}

impl Fitting {
    /// Looks how many bytes are too many; whether there are any.
    fn measure(&mut self, payload: &impl Serialize, max: usize) -> bool {
        self.excess = json_size(payload).saturating_sub(max);
        self.excess > 0
    }

    fn shorten(&mut self, mut texts: Vec<&mut Cow<'_, str>>, least: usize) {
        if self.excess > 0 {
            let (saved, shortened) = shorten_longest(&mut texts, self.excess, least);
            self.saved(saved);
            self.cut.shortened += shortened;
        }
    }

    /// Bounds the transaction's own data and tags, by their texts and then by their number.
    fn bound_own(&mut self, transaction: &mut TransactionPayload<'_>, bound: usize) {
        let size = json_size(&transaction.trace.data) + json_size(&transaction.tags);
        let beyond = size.saturating_sub(bound).min(self.excess);
        if beyond == 0 {
            return;
        }
        let mut own = Self { excess: beyond, cut: self.cut };
        own.shorten(texts(&mut transaction.trace.data).collect(), LEAST_DESCRIPTION);
        own.leave_out_data(&mut transaction.trace.data);
        own.leave_out_tags(&mut transaction.tags);
        self.cut = own.cut;
        self.saved(beyond - own.excess);
    }

    /// Leaves the last entries out, as many as it takes.
    fn leave_out_data(&mut self, data: &mut Data<'_>) {
        let sizes = data.iter().map(|(key, value)| size_of_text(key) + json_size(value)).collect();
        let kept = self.entries_kept(sizes);
        let mut at = 0..;
        data.retain(|_, _| at.next() < Some(kept));
    }

    fn leave_out_tags(&mut self, tags: &mut Tags<'_>) {
        // They are cut when they are written, so this may be more than they take.
        let one = |(key, value)| json_size(&Tags::from_iter([(key, value)])).saturating_sub(3);
        let sizes = tags.iter().map(|(key, value)| one((key, &**value))).collect();
        let kept = self.entries_kept(sizes);
        let mut at = 0..;
        tags.retain(|_, _| at.next() < Some(kept));
    }

    /// How many entries of these sizes may stay.
    fn entries_kept(&mut self, sizes: Vec<usize>) -> usize {
        let mut kept = sizes.len();
        for size in sizes.iter().rev() {
            if self.excess == 0 {
                break;
            }
            kept -= 1;
            // The key's colon, and the comma before it.
            self.saved(size + if kept > 0 { 2 } else { 1 });
        }
        self.cut.entries += sizes.len() - kept;
        kept
    }

    /// Leaves the last spans out: a parent starts before its children, so those that stay keep theirs.
    fn leave_out_spans(&mut self, transaction: &mut TransactionPayload<'_>) {
        let trace_id = transaction.trace.trace_id;
        while self.excess > 0
            && let Some(span) = transaction.spans.pop()
        {
            self.saved(json_size(&SpanOfTrace { trace_id, span: &span }));
            self.cut.spans += 1;
        }
    }

    fn saved(&mut self, bytes: usize) {
        self.excess = self.excess.saturating_sub(bytes);
    }
}

fn descriptions<'s, 'a>(spans: &'s mut [TransactionSpan<'a>]) -> Vec<&'s mut Cow<'a, str>> {
    spans.iter_mut().filter_map(|span| span.description.as_mut()).collect()
}

/// The texts among the values.
fn texts<'s, 'a: 's>(data: &'s mut Data<'a>) -> impl Iterator<Item = &'s mut Cow<'a, str>> {
    data.values_mut().flat_map(Value::texts_mut)
}

/// All texts that are not descriptions, data or tags.
fn others<'s, 'a>(transaction: &'s mut TransactionPayload<'a>) -> Vec<&'s mut Cow<'a, str>> {
    let TransactionPayload { name, trace, request, release, environment, server_name, sdk, .. } = transaction;
    let mut others = vec![name, &mut trace.op, &mut trace.origin, &mut sdk.name, &mut sdk.version];
    others.extend([release, environment, server_name].into_iter().flatten());
    if let Some(Request { method, url, query_string, headers }) = request {
        others.extend([method, url]);
        others.extend(query_string);
        others.extend(headers.iter_mut().map(|(_, value)| value));
    }
    others
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transaction::tests::{span, transaction};

    fn with_spans(count: usize, set: impl Fn(&mut TransactionSpan<'static>)) -> TransactionPayload<'static> {
        let mut all = transaction("batch").into_owned();
        all.trace.data.set("order.id", "A-17");
        all.tags.set("plan", "gold");
        all.spans = (0..count)
            .map(|_| {
                let mut span = span().into_owned();
                set(&mut span);
                span
            })
            .collect();
        all
    }

    fn described(count: usize, description: &str) -> TransactionPayload<'static> {
        with_spans(count, |span| span.description = Some(description.to_owned().into()))
    }

    #[test]
    fn what_does_not_fit_is_shortened_first_and_spans_go_last() {
        type Expected = (bool, bool, bool);
        let own = |set: fn(&mut TransactionPayload<'static>)| {
            let mut all = described(1_000, "SELECT 1");
            set(&mut all);
            all
        };
        let rows: [(TransactionPayload<'static>, Expected, &str); 14] = [
            (described(0, ""), (false, false, false), "nothing to cut"),
            (described(900, &"x".repeat(600)), (false, false, false), "it just fits"),
            (described(900, &"x".repeat(950)), (true, false, false), "900 queries"),
            (described(130, &"x".repeat(8_000)), (true, false, false), "130 long ones"),
            (described(1_000, &"\u{0}".repeat(8_000)), (true, false, false), "six bytes for each character"),
            (described(1_000, &"ü\"\\😀\u{7f}".repeat(900)), (true, false, false), "all kinds of characters"),
            (
                with_spans(1_000, |span| {
                    (0..20).for_each(|key| span.data.set(format!("key.{key}"), "y".repeat(1_000)));
                }),
                (true, true, false),
                "much data",
            ),
            (
                with_spans(1_000, |span| {
                    (0..60).for_each(|key| span.data.set(format!("key.{key}"), i64::MAX));
                }),
                (false, true, false),
                "many numbers",
            ),
            (
                with_spans(1_000, |span| {
                    (0..60).for_each(|key| span.tags.set(format!("key.{key}"), "z".repeat(300)));
                }),
                (false, true, false),
                "many tags",
            ),
            (
                with_spans(1_000, |span| span.data.set("list", vec!["x".repeat(40); 200])),
                (false, true, false),
                "lists of short texts",
            ),
            (described(5_000, "SELECT 1"), (false, true, true), "many spans, which a hook adds"),
            (
                with_spans(1_000, |span| span.op = "o".repeat(9_000).into()),
                (false, true, true),
                "ops are not shortened",
            ),
            (
                own(|all| {
                    (0..3_000).for_each(|key| all.trace.data.set(format!("own.{key}"), "\u{1}".repeat(900)));
                }),
                (true, false, false),
                "too much of its own",
            ),
            (
                own(|all| {
                    all.name = "n".repeat(3_000_000).into();
                    all.release = Some("r".repeat(3_000_000).into());
                    all.request.get_or_insert_default().headers =
                        vec![("h".into(), "v".repeat(3_000_000).into())];
                }),
                (true, true, true),
                "all other texts, by a hook",
            ),
        ];
        for (mut all, (shortened, entries, spans), reason) in rows {
            let before = all.clone();
            let cut = all.fit(MAX_BYTES);
            let size = json_size(&all);
            assert!(size <= MAX_BYTES, "{reason}: {size} bytes");
            assert_eq!(
                (cut.shortened > 0, cut.entries > 0, cut.spans > 0),
                (shortened, entries, spans),
                "{reason}: {cut:?}"
            );
            assert_eq!(all.spans.len() + cut.spans, before.spans.len(), "{reason}");
            assert_eq!(cut.is_nothing(), all == before, "{reason}");
            if !cut.is_nothing() && cut.spans == 0 {
                assert!(size > MAX_BYTES - 48 * 1024, "{reason}: no more is cut than it takes, {size} bytes");
            }
            if all.release == before.release {
                assert_eq!(all.trace.data.get("order.id"), Some(&"A-17".into()), "{reason}");
                assert_eq!(all.tags.get("plan").map(|plan| &**plan), Some("gold"), "{reason}");
            }
            assert_eq!(all.fit(MAX_BYTES), Cut::default(), "{reason}: once is enough");
        }
    }

    #[test]
    fn short_descriptions_stay_as_they_are_beside_long_ones() {
        let mut all = described(130, &"x".repeat(8_500));
        all.spans[7].description = Some("SELECT 1".into());
        let cut = all.fit(MAX_BYTES);
        assert_eq!(cut, Cut { shortened: 129, ..Cut::default() });
        assert_eq!(all.spans[7].description.as_deref(), Some("SELECT 1"));
        assert!(
            all.spans[8]
                .description
                .as_deref()
                .is_some_and(|text| text.len() > 7_000 && text.ends_with("..."))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
        #[test]
        fn every_transaction_fits_whatever_is_in_it(
            texts in prop::collection::vec("(?s).{0,400}", 1..8),
            spans in 0_usize..120,
            entries in 0_usize..12,
            max in 3_000_usize..60_000,
        ) {
            let text = |at: usize| texts[at % texts.len()].clone();
            let mut all = with_spans(spans, |_| ());
            for (at, span) in all.spans.iter_mut().enumerate() {
                span.description = (at % 3 > 0).then(|| text(at).into());
                for entry in 0..entries * (at % 4) {
                    span.data.set(text(entry), text(at + entry));
                    span.tags.set(format!("{entry}"), text(at));
                }
            }
            for entry in 0..entries {
                all.trace.data.set(format!("{entry}{}", text(entry)), vec![text(entry); entry]);
            }
            all.name = text(1).into();
            let (before, most) = (json_size(&all), all.most_bytes());
            prop_assert!(most >= before, "{most} is to be no less than {before}");
            let cut = all.fit(max);
            let size = json_size(&all);
            prop_assert!(size <= max, "{size} of {max} bytes, before {before}: {cut:?}");
            prop_assert_eq!(cut.is_nothing(), before <= max);
        }
    }
}
