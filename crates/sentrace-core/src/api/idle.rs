//! Idle transactions of the current client.

use crate::client::Client;
use crate::decide::transaction_options::TransactionOptions;
use crate::idle::activity::Activity;
use crate::idle::handle::IdleTransaction;
use crate::idle::span_options::SpanOptions;
use crate::options::idle::IdleOptions;

/// Starts a transaction that stays open while it has open activities or spans, and ends by itself
/// after [`Options::idle_timeout`](crate::Options::idle_timeout) (500 milliseconds) without any.
///
/// Its end time is when the last of them ended, not when the timeout fired.
/// [`Options::final_timeout`](crate::Options::final_timeout) (30 seconds) limits its duration.
///
/// A client has one at a time, as a page has in the browser: starting another one ends the previous
/// one. To have many at a time, for example one for each conversation, use
/// [`IdleOptions::separate`].
///
/// While it is open, it is current if nothing else is: spans and outgoing calls outside any request
/// belong to it, other transactions do not. Inside requests, use its handle or [`push_activity`].
///
/// When it ends, by [`finish_idle_transaction`] or by itself, its open spans become `cancelled`. If
/// the final timeout ended it and no status was set, its status is `deadline_exceeded`. Its data
/// has the reason as `sentry.idle_span_finish_reason`: `idleTimeout`, `finalTimeout`,
/// `externalFinish`, or `cancelled` if another one replaced it. Closing the client ends its open
/// idle transactions. This is what *UI Event Transactions* 1.1 of the Sentry SDK specification and
/// Sentry's browser SDK call idle, except that it is also sent without spans.
///
/// ```
/// use sentrace_core::{Options, SpanOptions, testing::Capture};
///
/// let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0))?;
/// client.bind(); // as `sentrace::init` does
///
/// sentrace_core::start_idle_transaction("checkout");
/// let cart = sentrace_core::push_activity("cart", Some(SpanOptions::new("task", "process the cart")));
/// sentrace_core::start_span("db.query", "SELECT 1").finish(); // nothing else is current
/// # assert_ne!(sentrace_core::start_transaction("other", "task").trace_id(), cart.span().trace_id());
/// sentrace_core::pop_activity(cart);
/// sentrace_core::finish_idle_transaction(); // optional
///
/// let checkout = capture.expect_transaction("checkout");
/// checkout.expect_span("process the cart");
/// checkout.expect_span("SELECT 1");
/// # Ok::<(), sentrace_core::OptionsError>(())
/// ```
pub fn start_idle_transaction(name: impl AsRef<str>) -> IdleTransaction {
    Client::current_for_start()
        .map_or_else(IdleTransaction::none, |client| client.start_idle_transaction(name))
}

/// Starts an idle transaction with options; see [`start_idle_transaction`].
///
/// A process has at most 10,000 open ones; further ones are counted as lost.
///
/// ```
/// use sentrace_core::{IdleOptions, TransactionOptions};
///
/// # async fn talk() {}
/// # async fn handle_socket() {
/// // One for each conversation.
/// let options = TransactionOptions::new("chat", "websocket.server");
/// let chat = sentrace_core::start_idle_transaction_with(&options, IdleOptions::new().separate());
/// let connected = chat.push_activity("connected", None);
/// chat.scope(talk()).await; // `start_span` and `push_activity` in there belong to this chat
/// connected.pop();
/// # }
/// ```
pub fn start_idle_transaction_with(options: &TransactionOptions<'_>, idle: IdleOptions) -> IdleTransaction {
    Client::current_for_start()
        .map_or_else(IdleTransaction::none, |client| client.start_idle_transaction_with(options, idle))
}

/// Opens an activity, with or without a span, in the current idle transaction, or in the one that
/// was started last.
///
/// Does nothing if there is none. `name` is shown in [debug mode](crate::Options::debug): a
/// forgotten activity keeps its transaction open until the final timeout.
///
/// ```
/// use sentrace_core::SpanOptions;
///
/// let upload = sentrace_core::push_activity("upload", None);
/// let resize = sentrace_core::push_activity("resize", Some(SpanOptions::new("task", "resize the image")));
/// resize.span().set_data("image.width", 640);
/// sentrace_core::pop_activity(resize);
/// sentrace_core::pop_activity(upload);
/// ```
pub fn push_activity(name: impl AsRef<str>, span: Option<SpanOptions<'_>>) -> Activity {
    Client::current().map_or_else(Activity::none, |client| client.push_activity(name, span))
}

/// Ends an activity and its span, as dropping it does. The idle timeout starts when the last one
/// ends.
pub fn pop_activity(activity: Activity) {
    activity.pop();
}

/// Ends the current idle transaction immediately, or the one that was started last. Does nothing if
/// there is none.
///
/// This is optional: idle transactions also end by themselves. The end time is when the last
/// activity or span ended, or now if one is still open or there never was any.
pub fn finish_idle_transaction() {
    if let Some(client) = Client::current() {
        client.finish_idle_transaction();
    }
}
