//! The backend's SQLite database. Every query is a span.

use sentrace::SpanStatus;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow};
use sqlx::{FromRow, Row as _, SqlitePool};
use tempfile::TempDir;

type Result<T> = std::result::Result<T, sqlx::Error>;

#[derive(Clone)]
pub(crate) struct Database(SqlitePool);

#[derive(Serialize)]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) price_cents: i64,
}

/// A line of a cart, which the inventory also reads.
#[derive(Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) product: i64,
    pub(crate) name: String,
    pub(crate) quantity: i64,
    pub(crate) price_cents: i64,
}

pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) cart: i64,
    pub(crate) total_cents: i64,
}

const PRODUCTS: &str = "SELECT id, name, price_cents FROM products ORDER BY id";
const PRODUCT: &str = "SELECT id, name, price_cents FROM products WHERE id = ?";
const CART: &str = "SELECT p.id, p.name, c.quantity, p.price_cents \
                    FROM cart_items c JOIN products p ON p.id = c.product WHERE c.cart = ?";
const PLACE_ORDER: &str = "INSERT INTO orders (cart, total_cents) VALUES (?, ?) RETURNING id";
const ORDERS_AFTER: &str = "SELECT id, cart, total_cents FROM orders WHERE id > ? ORDER BY id LIMIT ?";

impl Database {
    /// Creates a database with some goods in the folder.
    pub(crate) async fn create() -> std::result::Result<(Self, TempDir), crate::Error> {
        let folder = tempfile::tempdir()?;
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("shop.db"))
            .journal_mode(SqliteJournalMode::Wal)
            .create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        sqlx::raw_sql(include_str!("schema.sql")).execute(&pool).await?;
        Ok((Self(pool), folder))
    }

    pub(crate) async fn products(&self) -> Result<Vec<Product>> {
        query(PRODUCTS, sqlx::query_as(PRODUCTS).fetch_all(&self.0)).await
    }

    pub(crate) async fn product(&self, id: i64) -> Result<Option<Product>> {
        query(PRODUCT, sqlx::query_as(PRODUCT).bind(id).fetch_optional(&self.0)).await
    }

    pub(crate) async fn cart(&self, cart: i64) -> Result<Vec<Item>> {
        query(CART, sqlx::query_as(CART).bind(cart).fetch_all(&self.0)).await
    }

    pub(crate) async fn place_order(&self, cart: i64, total_cents: i64) -> Result<i64> {
        let insert = sqlx::query_scalar(PLACE_ORDER).bind(cart).bind(total_cents);
        query(PLACE_ORDER, insert.fetch_one(&self.0)).await
    }

    /// Returns at most `count` orders after the one with this id.
    pub(crate) async fn orders_after(&self, id: i64, count: i64) -> Result<Vec<Order>> {
        let select = sqlx::query_as(ORDERS_AFTER).bind(id).bind(count);
        query(ORDERS_AFTER, select.fetch_all(&self.0)).await
    }
}

impl FromRow<'_, SqliteRow> for Product {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            price_cents: row.try_get("price_cents")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Item {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            product: row.try_get("id")?,
            name: row.try_get("name")?,
            quantity: row.try_get("quantity")?,
            price_cents: row.try_get("price_cents")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Order {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            cart: row.try_get("cart")?,
            total_cents: row.try_get("total_cents")?,
        })
    }
}

/// Runs a query in a span. The description is the SQL with placeholders, since values may be
/// personal data and would make every query different.
async fn query<T>(sql: &'static str, run: impl Future<Output = Result<T>>) -> Result<T> {
    sentrace::in_span("db.query", sql, async {
        let span = sentrace::current_span();
        span.set_data("db.system.name", "sqlite");
        let result = run.await;
        if result.is_err() {
            span.set_status(SpanStatus::InternalError);
        }
        result
    })
    .await
}
