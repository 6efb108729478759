//! Plain reqwest without tracing, for callers from outside such as browsers.

use reqwest::{Client, ClientBuilder, Response};

use crate::{PATIENCE, in_time};

/// Returns a builder of clients with [`PATIENCE`] as the timeout.
pub fn plain_http() -> ClientBuilder {
    Client::builder().timeout(PATIENCE)
}

/// Requests a URL on a separate connection. Responses with an error status are returned as well.
pub async fn get(url: impl AsRef<str>) -> Response {
    let client = plain_http().build().expect("a client without options that can be wrong");
    in_time(client.get(url.as_ref()).send()).await.expect("the server answers")
}
