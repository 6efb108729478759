//! A job's trace in serde's formats. Invalid values must not make the job fail.

use std::fmt;

use sentrace_protocol::{baggage, sentry_trace};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::enqueued::{self, Enqueued};
use super::{JobTrace, bounded};

/// Without names: `sentry-trace`, `baggage`, microseconds since 1970.
type Nameless<T> = (Option<T>, Option<T>, Option<u64>);

impl Serialize for JobTrace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { sentry_trace, baggage, enqueued } = self;
        if !serializer.is_human_readable() {
            let micros = enqueued.map(Enqueued::as_micros);
            let nameless: Nameless<&str> = (sentry_trace.as_deref(), baggage.as_deref(), micros);
            return nameless.serialize(serializer);
        }
        serializer.collect_map(
            [
                sentry_trace.as_deref().map(|text| (sentry_trace::HEADER, Scalar::Text(text))),
                baggage.as_deref().map(|text| (baggage::HEADER, Scalar::Text(text))),
                enqueued.map(|at| (enqueued::HEADER, Scalar::Number(at.as_seconds()))),
            ]
            .into_iter()
            .flatten(),
        )
    }
}

impl<'de> Deserialize<'de> for JobTrace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_any(Lenient);
        }
        let (sentry_trace, baggage, micros) = Nameless::<String>::deserialize(deserializer)?;
        let baggage = baggage.map(bounded);
        Ok(Self { sentry_trace, baggage, enqueued: micros.and_then(Enqueued::from_micros) })
    }
}

enum Scalar<T> {
    Text(T),
    Number(f64),
    Other,
}

impl Serialize for Scalar<&str> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Other => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar)
    }
}

/// Visits values that have no meaning here.
macro_rules! anything_else {
    ($nothing:expr, $($visit:ident($value:ty)),*) => {
        $(fn $visit<E>(self, _: $value) -> Result<Self::Value, E> {
            Ok($nothing)
        })*

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
            inner.deserialize_any(self)
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
            inner.deserialize_any(self)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            Ok($nothing)
        }
    };
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    anything_else!(Scalar::Other, visit_bool(bool), visit_bytes(&[u8]));

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

struct Lenient;

impl<'de> Visitor<'de> for Lenient {
    type Value = JobTrace;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the trace of a job")
    }

    anything_else!(
        JobTrace::default(),
        visit_bool(bool),
        visit_bytes(&[u8]),
        visit_str(&str),
        visit_f64(f64),
        visit_i64(i64),
        visit_u64(u64)
    );

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<JobTrace, A::Error> {
        let mut trace = JobTrace::default();
        while let Some((key, value)) = entries.next_entry::<Scalar<String>, Scalar<String>>()? {
            let Scalar::Text(key) = key else { continue };
            match (&*key, value) {
                (sentry_trace::HEADER, Scalar::Text(text)) => trace.sentry_trace = Some(text),
                (baggage::HEADER, Scalar::Text(text)) => trace.baggage = Some(bounded(text)),
                (enqueued::HEADER, Scalar::Text(text)) => trace.enqueued = Enqueued::parse(&text),
                (enqueued::HEADER, Scalar::Number(number)) => trace.enqueued = Enqueued::from_seconds(number),
                _ => {}
            }
        }
        Ok(trace)
    }
}
