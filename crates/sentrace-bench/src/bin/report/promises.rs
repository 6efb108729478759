//! What is compared with what, and what was promised for it: `promises.json`.

use std::sync::LazyLock;

use serde::Deserialize;

/// The content of the file.
pub static PROMISES: LazyLock<Promises> =
    LazyLock::new(|| serde_json::from_str(include_str!("promises.json")).expect("promises.json is right"));

#[derive(Debug, Deserialize)]
pub struct Promises {
    pub jobs: Vec<Job>,
    /// What a layer has to do at the least, each row what the rows before do and one thing more:
    /// the variant, words for it, and variants of ours that do as much and more.
    pub least: Vec<(String, String, Vec<String>)>,
    /// Servers under load: the server, words, the least share of the requests per processor second
    /// behind a layer that does nothing, and the peers.
    pub load: Vec<(String, String, f64, Vec<String>)>,
    /// Headers: the variant, words, and the most nanoseconds and allocations.
    pub headers: Vec<(String, String, f64, f64)>,
    /// Loads of which everything is to arrive: the scenario, and words for it.
    pub all_arrive: Vec<(String, String)>,
    /// The most bytes that may be posted for a transaction of ten spans.
    pub body_bytes: f64,
}

/// The same thing done by several.
#[derive(Debug, Deserialize)]
pub struct Job {
    pub title: String,
    /// What is there without any of them.
    pub base: String,
    /// Variants of ours, words for them, and the most nanoseconds, instructions and allocations.
    pub ours: Vec<(String, String, [Option<f64>; 3])>,
    /// Variants of the peers, and words for them.
    pub peers: Vec<(String, String)>,
}
