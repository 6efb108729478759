//! The web pages, rendered on the server. They work without scripts and load no external resources.
//! The template library escapes every value.

mod details;
mod doctor;
mod list;
mod parts;
mod trace;

use maud::{DOCTYPE, Markup, html};

pub(crate) use self::doctor::render as doctor;
pub(crate) use self::list::{List, MAX_PROBLEMS};
pub(crate) use self::trace::render as trace;

/// The stylesheet of all pages.
pub(crate) const STYLE: &str = include_str!("style.css");

/// The icon: three bars of a waterfall.
pub(crate) const ICON: &str = include_str!("icon.svg");

/// Renders the page for a trace that is not (or no longer) kept.
pub(crate) fn missing(id: &str) -> String {
    let body = html! {
        section.empty {
            h1 { "No such trace" }
            p { "Trace " code { (id) } " has not been received, or has been discarded for newer ones." }
            p { a href="/" { "All traces" } }
        }
    };
    document("No such trace", None, &html! {}, &body)
}

fn document(title: &str, refresh_s: Option<u32>, aside: &Markup, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(seconds) = refresh_s {
                    meta http-equiv="refresh" content=(seconds);
                }
                title { (title) " · sentrace" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
            }
            body {
                header.top {
                    a.brand href="/" {
                        img src="/icon.svg" alt="" width="22" height="22";
                        "sentrace"
                        span.where { "collector" }
                    }
                    nav { (aside) }
                }
                main { (body) }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests;
