//! The checkout.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;

use super::Backend;
use super::failure::Failure;
use crate::database::Item;

#[derive(Serialize)]
pub(super) struct Receipt {
    order: i64,
    total_cents: i64,
}

pub(super) async fn checkout(
    State(shop): State<Backend>,
    Path(cart): Path<i64>,
) -> Result<Json<Receipt>, Failure> {
    let items = shop.database.cart(cart).await?;
    if items.is_empty() {
        return Err(Failure::NotFound("this cart is empty"));
    }
    let total_cents = with_discount(&items);
    // Values to search for are set on the transaction, which is current between spans.
    sentrace::current_span().set_data("cart.items", items.len() as u64);
    sentrace::current_span().set_data("cart.total_cents", total_cents);

    let reservations = format!("{}/reservations", shop.inventory);
    shop.http.post(reservations).json(&items).send().await?.error_for_status()?;

    let order = shop.database.place_order(cart, total_cents).await?;
    shop.queue.publish(order).await?;
    Ok(Json(Receipt { order, total_cents }))
}

/// A span around synchronous code, which ends when it goes out of scope.
fn with_discount(items: &[Item]) -> i64 {
    let span = sentrace::start_span("task", "apply discounts");
    let total: i64 = items.iter().map(|item| item.quantity * item.price_cents).sum();
    let percent = if total >= 3000 { 10 } else { 0 };
    span.set_data("discount.percent", percent);
    total - total * percent / 100
}

/// Calls the payment company, which is not in `tracing_origins`: the call is a span, but carries no
/// trace headers.
pub(super) async fn payment_methods(State(shop): State<Backend>) -> Result<Json<Value>, Failure> {
    let url = format!("{}/methods", shop.payments);
    Ok(Json(shop.http.get(url).send().await?.error_for_status()?.json().await?))
}
