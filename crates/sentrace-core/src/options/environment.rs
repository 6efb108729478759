//! Options from environment variables, where a mistake must not keep a service from starting.

mod text;

use std::env::VarError;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use sentrace_protocol::{Dsn, SentryTrace};

use self::text::{Text, shown};
use super::lifecycle::TraceLifecycle;
use super::{Options, OptionsError, RATE_RULE, Spotlight};
use crate::diagnostics;

/// Warnings about invalid variables per process; there are only a dozen names.
const MAX_WARNED: usize = 64;
static WARNED: Mutex<Vec<u64>> = Mutex::new(Vec::new());

const RELEASE: &str = "SENTRY_RELEASE";
const ENVIRONMENT: &str = "SENTRY_ENVIRONMENT";
const RATE: &str = "SENTRY_TRACES_SAMPLE_RATE";
const LIFECYCLE: &str = "SENTRY_TRACE_LIFECYCLE";
const DEBUG: &str = "SENTRY_DEBUG";
const SPOTLIGHT: &str = "SENTRY_SPOTLIGHT";
const USE_ENVIRONMENT: &str = "SENTRY_USE_ENVIRONMENT";

impl Options {
    /// Reads `SENTRY_DSN`, `SENTRY_RELEASE`, `SENTRY_ENVIRONMENT`, `SENTRY_TRACES_SAMPLE_RATE`, `SENTRY_DEBUG`,
    /// `SENTRY_TRACE_LIFECYCLE` (`stream` or `static`), `SENTRY_SPOTLIGHT`, and, unless `SENTRY_USE_ENVIRONMENT` forbids it, the trace of the parent process from
    /// `SENTRY_TRACE` and `SENTRY_BAGGAGE` (Sentry SDK specification, *Configuration*). Empty variables count as unset.
    ///
    /// A wrong value never keeps the service from starting. It is reported once, with the variable, the value (secrets
    /// hidden), the rule it broke and what to write instead, and then counts as unset. A value in quotes, and a DSN with
    /// `/` at the end, are understood and reported. [`try_from_env`](Self::try_from_env) returns an error instead.
    ///
    /// What is set in code takes precedence over the environment:
    ///
    /// ```
    /// use sentrace_core::Options;
    ///
    /// let options = Options::from_env().environment("staging");
    /// ```
    pub fn from_env() -> Self {
        let (options, findings) = read(&std_var);
        findings.iter().for_each(warn_once);
        options
    }

    /// Like [`from_env`](Self::from_env), for services that rather not start than start with a wrong variable.
    ///
    /// # Errors
    /// [`OptionsError`] for the first variable that `from_env` would warn about.
    pub fn try_from_env() -> Result<Self, OptionsError> {
        strict(read(&std_var))
    }

    /// Like [`from_env`](Self::from_env), with the variables that `var` knows.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Self {
        let (options, findings) = read(&|name| var(name).ok_or(VarError::NotPresent));
        findings.iter().for_each(warn_once);
        options
    }

    /// Like [`try_from_env`](Self::try_from_env), with the variables that `var` knows.
    ///
    /// # Errors
    /// [`OptionsError`] for the first variable that `from_vars` would warn about.
    pub fn try_from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, OptionsError> {
        strict(read(&|name| var(name).ok_or(VarError::NotPresent)))
    }
}

fn std_var(name: &str) -> Result<String, VarError> {
    std::env::var(name)
}

fn strict((options, findings): (Options, Vec<OptionsError>)) -> Result<Options, OptionsError> {
    match findings.into_iter().next() {
        Some(finding) => Err(finding),
        None => Ok(options),
    }
}

fn warn_once(finding: &OptionsError) {
    let mut hasher = DefaultHasher::new();
    (finding.option, &finding.message).hash(&mut hasher);
    let hash = hasher.finish();
    {
        let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.contains(&hash) || warned.len() >= MAX_WARNED {
            return;
        }
        warned.push(hash);
    }
    let OptionsError { option, message } = finding;
    diagnostics::warn(format_args!("environment variable {option}: {message}"));
}

/// Reads the variables. Returns the options, and what is wrong with the variables.
fn read(var: &dyn Fn(&str) -> Result<String, VarError>) -> (Options, Vec<OptionsError>) {
    let mut reader = Reader { var, options: Options::new(), findings: Vec::new() };
    reader.apply("SENTRY_DSN", Options::with_valid_dsn);
    reader.apply(RELEASE, |options, release| options.by_setter(release, |it| it.release(release)));
    reader.apply(ENVIRONMENT, |options, name| options.by_setter(name, |it| it.environment(name)));
    reader.apply(RATE, |options, rate| match rate.parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(options.traces_sample_rate(rate)),
        _ => Err(format!("{} is {RATE_RULE}{}", shown(rate), text::rate_hint(rate))),
    });
    reader.apply(LIFECYCLE, |options, word| Ok(options.trace_lifecycle(lifecycle(word)?)));
    reader.apply(DEBUG, |options, word| Ok(options.debug(switch(word)?)));
    reader.apply(SPOTLIGHT, |mut options, text| {
        options.delivery.spotlight.environment = Some(spotlight(text)?);
        Ok(options)
    });
    let mut continues = true;
    reader.apply(USE_ENVIRONMENT, |options, word| {
        continues = switch(word)?;
        Ok(options)
    });
    if continues {
        reader.apply("SENTRY_TRACE", |mut options, trace| {
            SentryTrace::parse(trace.as_bytes()).map_err(|error| error.to_string())?;
            options.environment_carrier.push(("SENTRY_TRACE", trace.to_owned()));
            Ok(options)
        });
        reader.apply("SENTRY_BAGGAGE", |mut options, baggage| {
            options.environment_carrier.push(("SENTRY_BAGGAGE", baggage.to_owned()));
            Ok(options)
        });
    }
    (reader.options, reader.findings)
}

struct Reader<'a> {
    var: &'a dyn Fn(&str) -> Result<String, VarError>,
    options: Options,
    findings: Vec<OptionsError>,
}

impl Reader<'_> {
    /// Applies a variable that is set, or records why it cannot be applied.
    fn apply(&mut self, option: &'static str, set: impl FnOnce(Options, &str) -> Result<Options, String>) {
        let text = match (self.var)(option) {
            Ok(text) => text,
            Err(VarError::NotPresent) => return,
            Err(VarError::NotUnicode(text)) => {
                let shown =
                    if option == "SENTRY_DSN" { "its value".into() } else { shown(&text.to_string_lossy()) };
                let message = format!("{shown} is not UTF-8 and counts as unset; write it in UTF-8");
                self.findings.push(OptionsError { option, message });
                return;
            }
        };
        let Some(Text { text, quoted }) = Text::of(&text) else { return };
        match set(self.options.clone(), text) {
            Ok(options) => {
                self.options = options;
                if quoted {
                    let message =
                        "its value has quotes around it, which are ignored; write it without".to_owned();
                    self.findings.push(OptionsError { option, message });
                }
                if option == "SENTRY_DSN" && text.ends_with('/') {
                    let message =
                        "its value has a `/` at the end, which is ignored; write it without".to_owned();
                    self.findings.push(OptionsError { option, message });
                }
            }
            Err(rule) => self
                .findings
                .push(OptionsError { option, message: format!("{rule}; until then it counts as unset") }),
        }
    }
}

impl Options {
    fn with_valid_dsn(mut self, text: &str) -> Result<Self, String> {
        let dsn = text.trim_end_matches('/');
        if !dsn.contains("://") {
            // It may be a token, which must not appear in a log.
            let rule = "its value is not a DSN: it has no `://`";
            return Err(format!(
                "{rule}; copy it from the project's settings, as in https://key@o1.ingest.sentry.io/2"
            ));
        }
        self.dsn = Some(dsn.parse::<Dsn>().map_err(|error| error.to_string())?);
        Ok(self)
    }

    /// Calls a setter that checks its value. The error is not kept in the options:
    /// [`Options::validated`] is for code.
    fn by_setter(self, text: &str, set: impl FnOnce(Self) -> Self) -> Result<Self, String> {
        let mut options = set(self);
        match options.error.take() {
            None => Ok(options),
            Some(error) => Err(format!("{}: {}", shown(text), error.message)),
        }
    }
}

fn switch(word: &str) -> Result<bool, String> {
    match Spotlight::parse(word) {
        Some(Spotlight::On) => Ok(true),
        Some(Spotlight::Off) => Ok(false),
        _ => Err(format!("{} is neither true nor false; write one of the two", shown(word))),
    }
}

fn lifecycle(word: &str) -> Result<TraceLifecycle, String> {
    match word {
        "stream" => Ok(TraceLifecycle::Stream),
        "static" => Ok(TraceLifecycle::Static),
        _ => Err(format!("{} is neither stream nor static; write one of the two", shown(word))),
    }
}

fn spotlight(text: &str) -> Result<Spotlight, String> {
    match Spotlight::parse(text) {
        Some(Spotlight::Url(url)) if !text::is_http_url(&url) => {
            let rule = "neither true, false nor a URL";
            Err(format!(
                "{} is {rule}; write one of them, as in http://localhost:8969/stream",
                text::hidden(&url)
            ))
        }
        Some(spotlight) => Ok(spotlight),
        None => Ok(Spotlight::Off),
    }
}

#[cfg(test)]
mod tests;
