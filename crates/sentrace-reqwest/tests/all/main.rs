//! Requests through real sockets, beside the same requests of a plain reqwest client.

#![expect(clippy::unwrap_used, reason = "the servers and clients of tests fail the test that uses them")]

mod hooks;
mod redirect_graphs;
mod redirects;
mod request_builder;
mod requests;
mod support;
mod unguarded;
mod who_set_it;
