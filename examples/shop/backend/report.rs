//! A response that is sent while it is produced.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::Backend;
use crate::database::Database;

const ORDERS_PER_CHUNK: i64 = 12;

/// Returns all orders as CSV. The handler returns at once. The transaction ends with the last byte
/// or when the client disconnects, and includes the work of the body.
pub(super) async fn orders(State(shop): State<Backend>) -> Response {
    let chunks = stream::try_unfold((shop.database, 0), next_chunk);
    ([(CONTENT_TYPE, "text/csv")], Body::from_stream(chunks)).into_response()
}

/// Returns the rows after the order `last` and the new position, or `None` at the end.
async fn next_chunk(
    (database, last): (Database, i64),
) -> Result<Option<(String, (Database, i64))>, sqlx::Error> {
    let orders = database.orders_after(last, ORDERS_PER_CHUNK).await?;
    let Some(newest) = orders.last().map(|order| order.id) else { return Ok(None) };
    let rows = sentrace::in_span("task", "format rows", async {
        // Slow enough for a customer to cancel.
        tokio::time::sleep(Duration::from_millis(30)).await;
        orders.iter().map(|order| format!("{},{},{}\n", order.id, order.cart, order.total_cents)).collect()
    });
    Ok(Some((rows.await, (database, newest))))
}
