//! Pages of other sites: what they can make a browser send is refused, unless their origin was allowed.

use parlor::{
    model::Limits,
    transport::{Doors, Origins},
};
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

use crate::support::TestApp;

const CHANGE: &str =
    r#"{"query":"mutation{createConversation(input:{title:\"Walks\"}){userErrors{code}}}"}"#;
const JSON: &str = "application/json";

/// From where a browser, or something else, asks.
struct Page {
    name: &'static str,
    origin: Option<String>,
    /// What browsers add by themselves.
    site: Option<&'static str>,
    is_allowed: bool,
}

fn pages(own: &str) -> Vec<Page> {
    let page = |name, origin: Option<&str>, site, is_allowed| Page {
        name,
        origin: origin.map(str::to_owned),
        site,
        is_allowed,
    };
    let port: u16 = own
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let neighbour = format!("http://127.0.0.1:{}", port ^ 1);
    vec![
        page("no page", None, None, true),
        page("our own page", Some(own), Some("same-origin"), true),
        page(
            "an allowed page",
            Some("https://app.example.com"),
            Some("cross-site"),
            true,
        ),
        page(
            "another site",
            Some("https://evil.example"),
            Some("cross-site"),
            false,
        ),
        page(
            "the same site without TLS",
            Some("http://app.example.com"),
            Some("cross-site"),
            false,
        ),
        page(
            "a neighbour of the allowed",
            Some("https://other.example.com"),
            Some("cross-site"),
            false,
        ),
        page(
            "a name that ends alike",
            Some("https://evilapp.example.com"),
            Some("cross-site"),
            false,
        ),
        page(
            "a name that begins alike",
            Some("https://app.example.com.evil.example"),
            Some("cross-site"),
            false,
        ),
        page("another port", Some(&neighbour), Some("same-site"), false),
        page(
            "a page that hides its origin",
            Some("null"),
            Some("cross-site"),
            false,
        ),
        page("a picture of another site", None, Some("cross-site"), false),
        page("a picture of a neighbour", None, Some("same-site"), false),
    ]
}

/// What is sent, and the status that it has from an allowed page.
fn requests() -> Vec<(
    Method,
    Option<&'static str>,
    &'static str,
    &'static str,
    u16,
)> {
    vec![
        (Method::POST, Some(JSON), "", CHANGE, 200),
        (Method::POST, Some("text/plain"), "", CHANGE, 415),
        (
            Method::POST,
            Some("application/x-www-form-urlencoded"),
            "",
            "query=mutation%7Bx%7D",
            415,
        ),
        (
            Method::POST,
            Some("multipart/form-data; boundary=x"),
            "",
            CHANGE,
            415,
        ),
        (Method::POST, None, "", CHANGE, 415),
        (Method::GET, None, "?query=%7B__typename%7D", "", 200),
        (
            Method::GET,
            None,
            "?query=mutation%7BlogOut(input%3A%7B%7D)%7BendedSessionId%7D%7D",
            "",
            405,
        ),
        (Method::PUT, None, "", "", 201),
        (Method::DELETE, None, "?operationId=x&token=y", "", 404),
        (Method::PATCH, Some(JSON), "", CHANGE, 405),
    ]
}

async fn start() -> TestApp {
    let doors = Doors {
        origins: Origins::new(vec!["https://app.example.com".parse().expect("an origin")]),
        ..Doors::default()
    };
    let limits = Limits {
        rate_limits: false,
        ..Limits::default()
    };
    TestApp::start_behind(limits, doors).await
}

#[tokio::test]
async fn a_hundred_and_twenty_ways_across_sites_are_refused_but_the_allowed() {
    let app = start().await;
    let alice = app.sign_up("alice").await;
    let own = app.url.trim_end_matches("/graphql").to_owned();
    let (mut combinations, mut made) = (0, 0);
    for page in pages(&own) {
        for (method, kind, parameters, body, status) in requests() {
            let url = format!("{}{parameters}", app.url);
            let mut request = reqwest::Client::new()
                .request(method.clone(), url)
                .body(body);
            request = request.bearer_auth(alice.token.as_deref().expect("a token"));
            for (name, value) in [
                ("origin", page.origin.as_deref()),
                ("sec-fetch-site", page.site),
                ("content-type", kind),
            ] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let reply = request.send().await.expect("an answer");
            let expected = if page.is_allowed { status } else { 403 };
            assert_eq!(reply.status(), expected, "{} {method} {kind:?}", page.name);
            let told = reply.headers().get("access-control-allow-origin");
            let may_read = page.name == "an allowed page";
            assert_eq!(told.is_some(), may_read, "{} {method}", page.name);
            combinations += 1;
            made += i64::from(status == 200 && method == Method::POST && page.is_allowed);
        }
    }
    assert_eq!(combinations, 120);
    assert_eq!(
        app.db_count("conversations").await,
        made,
        "nothing else was run"
    );
}

#[tokio::test]
async fn sockets_open_for_allowed_pages_only() {
    let app = start().await;
    let own = app.url.trim_end_matches("/graphql").to_owned();
    for page in pages(&own) {
        let url = app.url.replacen("http", "ws", 1);
        let mut request = url.into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().expect("a header"),
        );
        for (name, value) in [
            ("origin", page.origin.as_deref()),
            ("sec-fetch-site", page.site),
        ] {
            if let Some(value) = value {
                headers.insert(name, value.parse().expect("a header"));
            }
        }
        assert_eq!(
            connect_async(request).await.is_ok(),
            page.is_allowed,
            "{}",
            page.name
        );
    }
}

#[tokio::test]
async fn browsers_are_told_what_an_allowed_page_may_send() {
    let app = start().await;
    for (origin, is_allowed) in [
        ("https://app.example.com", true),
        ("https://evil.example", false),
    ] {
        let asked = reqwest::Client::new()
            .request(Method::OPTIONS, &app.url)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            )
            .send()
            .await
            .expect("an answer");
        let header = |name: &str| {
            asked
                .headers()
                .get(name)
                .map(|value| value.to_str().expect("text").to_owned())
        };
        assert_eq!(asked.status().is_success(), is_allowed);
        assert_eq!(
            header("access-control-allow-origin"),
            is_allowed.then(|| origin.to_owned())
        );
        let headers = header("access-control-allow-headers");
        assert_eq!(
            headers.is_some_and(|headers| headers.contains("authorization")),
            is_allowed
        );
        assert_eq!(
            header("access-control-allow-credentials"),
            None,
            "there are no cookies"
        );
    }
}

#[tokio::test]
async fn every_page_may_ask_a_server_that_says_so() {
    let doors = Doors {
        origins: Origins::new(vec!["*".parse().expect("an origin")]),
        ..Doors::default()
    };
    let app = TestApp::start_behind(Limits::default(), doors).await;
    let asked = reqwest::Client::new()
        .post(&app.url)
        .header("origin", "https://anything.example")
        .json(&json!({"query": "{__typename}"}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(asked.status(), 200);
    assert_eq!(
        asked.headers()["access-control-allow-origin"],
        "https://anything.example"
    );
}
