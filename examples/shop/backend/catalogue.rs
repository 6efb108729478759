//! The catalogue, with delivery times.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use super::Backend;
use super::failure::Failure;
use crate::database::Product;

pub(super) async fn products(State(shop): State<Backend>) -> Result<Json<Vec<Product>>, Failure> {
    Ok(Json(shop.database.products().await?))
}

pub(super) async fn product(
    State(shop): State<Backend>,
    Path(id): Path<i64>,
) -> Result<Json<Product>, Failure> {
    let product = shop.database.product(id).await?;
    product.map(Json).ok_or(Failure::NotFound("we do not have this product"))
}

/// Returns how soon a warehouse can send something.
#[derive(Serialize, Deserialize)]
pub(super) struct Stock {
    place: String,
    days: u32,
}

/// Queries all warehouses concurrently. The slowest determines the time, which a waterfall shows
/// and a list of timings does not.
pub(super) async fn delivery(
    State(shop): State<Backend>,
    Path(id): Path<i64>,
) -> Result<Json<[Stock; 3]>, Failure> {
    let stock = async |place: &str| -> Result<Stock, Failure> {
        let url = format!("{}/warehouses/{place}/stock/{id}", shop.inventory);
        Ok(shop.http.get(url).send().await?.error_for_status()?.json().await?)
    };
    let (downtown, harbour, overseas) =
        tokio::try_join!(stock("downtown"), stock("harbour"), stock("overseas"))?;
    Ok(Json([downtown, harbour, overseas]))
}
