//! Plain reqwest, without any tracing: the browser, the customer, whoever calls from outside.

use reqwest::{Client, ClientBuilder, Response};

use crate::{PATIENCE, in_time};

/// A builder of clients that wait no longer than [`PATIENCE`].
pub fn plain_http() -> ClientBuilder {
    Client::builder().timeout(PATIENCE)
}

/// Asks for a URL on a connection of its own; an answer with an error status is an answer.
pub async fn get(url: impl AsRef<str>) -> Response {
    let client = plain_http().build().expect("a client without options that can be wrong");
    in_time(client.get(url.as_ref()).send()).await.expect("the server answers")
}
