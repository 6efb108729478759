//! The specification's table: incoming trace x outgoing target x rate (Sentry SDK specification, *Trace
//! Propagation* 1.9).

use sentrace_core::{Options, Origin, TransactionOptions};

use crate::support::{PARENT_ID, TRACE_ID, recording_with};

const ALLOWED: &str = "http://api.example.com/pay";
const FOREIGN: &str = "http://foreign.test/pay";

/// The incoming trace: none, one without a decision, or one with a decision.
const NOTHING: Option<Option<bool>> = None;
const DEFERRED: Option<Option<bool>> = Some(None);
const SAMPLED: Option<Option<bool>> = Some(Some(true));
const UNSAMPLED: Option<Option<bool>> = Some(Some(false));

/// Whether spans are sent to Sentry, whether headers are sent, and the decision in them.
type Outcome = (bool, bool, Option<bool>);

#[test]
fn decisions_follow_the_table() {
    const NO: bool = false;
    const YES: bool = true;
    type Row = (Option<Option<bool>>, &'static str, [Outcome; 3], &'static str);
    let rows: [Row; 8] = [
        (NOTHING, ALLOWED, [(NO, YES, None), (NO, YES, None), (YES, YES, None)], "no incoming trace"),
        (NOTHING, FOREIGN, [(NO, NO, None), (NO, NO, None), (YES, NO, None)], "no incoming trace, no match"),
        (DEFERRED, ALLOWED, [(NO, YES, Some(YES)), (NO, YES, Some(YES)), (YES, YES, Some(YES))], "deferred"),
        (DEFERRED, FOREIGN, [(NO, NO, None), (NO, NO, None), (YES, NO, None)], "deferred, no match"),
        (SAMPLED, ALLOWED, [(NO, YES, Some(YES)), (YES, YES, Some(YES)), (YES, YES, Some(YES))], "sampled"),
        (SAMPLED, FOREIGN, [(NO, NO, None), (YES, NO, None), (YES, NO, None)], "sampled, no match"),
        (UNSAMPLED, ALLOWED, [(NO, YES, Some(YES)), (NO, YES, Some(YES)), (NO, YES, Some(YES))], "unsampled"),
        (UNSAMPLED, FOREIGN, [(NO, NO, None), (NO, NO, None), (NO, NO, None)], "unsampled, no match"),
    ];
    for (incoming, url, outcomes, reason) in rows {
        for (rate, expected) in [None, Some(0.0), Some(1.0)].into_iter().zip(outcomes) {
            assert_eq!(outcome(incoming, url, rate), expected, "{reason}, rate {rate:?}");
        }
    }
}

fn outcome(incoming: Option<Option<bool>>, url: &str, rate: Option<f64>) -> Outcome {
    let options = Options::new().tracing_origins([Origin::host("example.com")]);
    let options = rate.map_or(options.clone(), |rate| options.traces_sample_rate(rate));
    let (client, capture) = recording_with(options);
    let carrier: Vec<(&str, String)> = incoming
        .map(|decision| {
            let flag = decision.map_or("", |sampled| if sampled { "-1" } else { "-0" });
            ("sentry-trace", format!("{TRACE_ID}-{PARENT_ID}{flag}"))
        })
        .into_iter()
        .collect();
    let read = client.extract(&carrier[..]);
    let transaction =
        client.clone().start_transaction_from(read, &TransactionOptions::new("work", "http.server"));
    // Like the client middleware: a span for the call, and headers if the target allows them.
    let span = transaction.start_span("http.client", format!("GET {url}"));
    let headers = client.propagation_targets().allows(url).then(|| span.trace_headers()).flatten();
    let carried = headers.map(|headers| headers.sentry_trace());
    if let (Some(carried), Some(decision)) = (carried, incoming) {
        let expected = decision.or(rate.map(|rate| rate == 1.0));
        assert_eq!(carried.sampled, expected, "the decision that goes on");
    }
    span.finish();
    transaction.finish();
    let same = carried.filter(|_| incoming.is_some()).map(|carried| carried.trace_id.to_string() == TRACE_ID);
    (capture.take().len() == 1, carried.is_some(), same)
}
