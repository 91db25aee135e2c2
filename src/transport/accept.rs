//! In what form a client wants its answer: `Accept`, by quality and then by order (RFC 9110 §12.5.1).

use axum::http::{HeaderMap, header};

/// A form in which one result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single {
    /// `application/graphql-response+json`: the status says how it went.
    GraphqlJson,
    /// `application/json`: the response has to be read to know.
    Json,
    /// An event stream that ends after one result: what clients of graphql-sse ask for, whatever the operation.
    EventStream,
}

/// A form in which results are written as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    /// `text/event-stream`, as graphql-sse has it.
    EventStream,
    /// `multipart/mixed`, as Apollo has it. With `subscriptionSpec=1.0` a client knows the parts that only say that the
    /// stream is alive; others, such as urql, take every part for a result.
    Multipart {
        /// Whether it does.
        knows_heartbeats: bool,
    },
}

const GRAPHQL_JSON: &str = "application/graphql-response+json";
const JSON: &str = "application/json";
const EVENT_STREAM: &str = "text/event-stream";
const MULTIPART: &str = "multipart/mixed";

/// Media ranges of a header that are looked at.
const RANGES_MAX: usize = 32;

/// What a client takes.
pub(super) struct Accept(Vec<Range>);

struct Range {
    /// Such as `text/*`, in lower case.
    kind: String,
    /// Thousandths.
    quality: u16,
    /// Whether it names Apollo's form of subscriptions.
    is_subscription_spec: bool,
}

impl Accept {
    /// What the headers of a request say. Without the header everything is taken.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter();
        let text = values.filter_map(|value| value.to_str().ok());
        let ranges: Vec<_> = text
            .flat_map(|text| text.split(','))
            .take(RANGES_MAX)
            .filter_map(Range::read)
            .collect();
        if ranges.is_empty() {
            return Self(vec![Range {
                kind: "*/*".to_owned(),
                quality: 1_000,
                is_subscription_spec: false,
            }]);
        }
        Self(ranges)
    }

    /// The form for a query or a mutation; none when the client takes none of them.
    pub(super) fn single(&self) -> Option<Single> {
        // JSON first: it is what somebody means who does not care. A stream is for those who want nothing else.
        self.best([(JSON, Single::Json), (GRAPHQL_JSON, Single::GraphqlJson)])
            .or_else(|| self.best([(EVENT_STREAM, Single::EventStream)]))
    }

    /// The form for a subscription; none when the client takes none of them.
    pub(super) fn lasting(&self) -> Option<Lasting> {
        let knows_heartbeats = self.0.iter().any(|range| range.is_subscription_spec);
        self.best([
            (EVENT_STREAM, Lasting::EventStream),
            (MULTIPART, Lasting::Multipart { knows_heartbeats }),
        ])
    }

    /// The form for what went wrong before it was known what is asked.
    pub(super) fn refusal(&self) -> Single {
        self.single().unwrap_or(Single::Json)
    }

    /// Of some offers, in our order, the one that is taken most gladly, and of those that are taken as gladly the one
    /// that the client names first.
    fn best<T, const N: usize>(&self, offers: [(&str, T); N]) -> Option<T> {
        let rated = offers.into_iter().filter_map(|(kind, form)| {
            let (place, range) = self.range_of(kind)?;
            (range.quality > 0).then_some(((range.quality, std::cmp::Reverse(place)), form))
        });
        // Of equals the first offer counts.
        rated
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, form)| form)
    }

    /// The range that fits an offer most closely, and its place.
    fn range_of(&self, kind: &str) -> Option<(usize, &Range)> {
        let group = kind.split('/').next().unwrap_or_default();
        let fits = |wanted: &dyn Fn(&str) -> bool| {
            let mut ranges = self.0.iter().enumerate();
            ranges.find(|(_, range)| wanted(&range.kind))
        };
        fits(&|range| range == kind)
            .or_else(|| fits(&|range| range.strip_suffix("/*") == Some(group)))
            .or_else(|| fits(&|range| range == "*/*"))
    }
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts
            .next()
            .filter(|kind| !kind.is_empty())?
            .to_ascii_lowercase();
        let mut quality = 1_000;
        let (mut is_incremental, mut is_subscription_spec) = (false, false);
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if name.trim().eq_ignore_ascii_case("q") {
                quality = thousandths(value.trim())?;
            }
            is_incremental |= name.trim().eq_ignore_ascii_case("deferSpec");
            is_subscription_spec |= name.trim().eq_ignore_ascii_case("subscriptionSpec");
        }
        // `multipart/mixed;deferSpec=…` is about parts of one result, which is another form and not one of ours.
        (!is_incremental).then_some(Self {
            kind,
            quality,
            is_subscription_spec,
        })
    }
}

/// `0.75` as 750.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || rest.len() > 3 || !digits(rest) {
        return None;
    }
    let rest: u16 = format!("{rest:0<3}").parse().ok()?;
    let value = if whole == "1" { 1_000 } else { 0 } + rest;
    (value <= 1_000).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(text: &'static str) -> Accept {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, text.parse().expect("a header"));
        Accept::of(&headers)
    }

    #[test]
    fn a_query_is_answered_as_the_client_likes_it_best() {
        let rows = [
            ("*/*", Some(Single::Json)),
            ("application/json", Some(Single::Json)),
            ("application/*", Some(Single::Json)),
            (
                "application/graphql-response+json",
                Some(Single::GraphqlJson),
            ),
            (
                "application/graphql-response+json, application/json;q=0.9",
                Some(Single::GraphqlJson),
            ),
            (
                "application/json;q=0.9, application/graphql-response+json",
                Some(Single::GraphqlJson),
            ),
            (
                "application/json, application/graphql-response+json",
                Some(Single::Json),
            ),
            ("application/json;q=0, */*", Some(Single::GraphqlJson)),
            // Browsers, and urql.
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(Single::Json),
            ),
            (
                "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed",
                Some(Single::GraphqlJson),
            ),
            ("text/event-stream", Some(Single::EventStream)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("APPLICATION/JSON ; Q=1.000", Some(Single::Json)),
            ("application/json;q=2", Some(Single::Json)),
        ];
        for (text, form) in rows {
            // A range that makes no sense is no range; with no other everything is taken.
            assert_eq!(accept(text).single(), form, "{text}");
        }
        assert_eq!(Accept::of(&HeaderMap::new()).single(), Some(Single::Json));
    }

    #[test]
    fn a_subscription_is_a_stream_of_events_or_of_parts() {
        let rows = [
            ("text/event-stream", Some(Lasting::EventStream)),
            (
                "text/event-stream, multipart/mixed",
                Some(Lasting::EventStream),
            ),
            (
                "multipart/mixed, text/event-stream",
                Some(Lasting::Multipart {
                    knows_heartbeats: false,
                }),
            ),
            (
                "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9",
                Some(Lasting::Multipart {
                    knows_heartbeats: true,
                }),
            ),
            ("multipart/mixed;deferSpec=20220824,application/json", None),
            ("*/*", Some(Lasting::EventStream)),
            ("application/json", None),
        ];
        for (text, form) in rows {
            assert_eq!(accept(text).lasting(), form, "{text}");
        }
    }
}
