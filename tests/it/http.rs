//! GraphQL over HTTP: what is taken, and how it is answered.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{Client, TestApp};

async fn raw(
    app: &TestApp,
    method: reqwest::Method,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> reqwest::Response {
    let mut request = reqwest::Client::new().request(method, &app.url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn only_json_that_was_posted_is_run() {
    let app = TestApp::start().await;
    let body = r#"{"query":"{__typename}"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ] {
        let reply = raw(&app, reqwest::Method::POST, &[("content-type", kind)], body).await;
        assert_eq!(reply.status(), 415, "{kind}");
    }
    assert_eq!(
        raw(&app, reqwest::Method::POST, &[], body).await.status(),
        415
    );
    let packed = ("content-encoding", "gzip");
    assert_eq!(
        raw(&app, reqwest::Method::POST, &[JSON, packed], body)
            .await
            .status(),
        415,
        "a few bytes could stand for gigabytes"
    );
    let good = raw(
        &app,
        reqwest::Method::POST,
        &[("content-type", "application/json; charset=utf-8")],
        body,
    )
    .await;
    assert_eq!(good.status(), 200);
    assert_eq!(good.headers()["cache-control"], "no-store");
    assert_eq!(
        good.json::<Value>().await.expect("json"),
        json!({"data": {"__typename": "Query"}})
    );
}

#[tokio::test]
async fn a_query_may_be_in_the_address_and_a_mutation_may_not() {
    let app = TestApp::start().await;
    let get = |parameters: &[(&str, &str)]| {
        let mut url = reqwest::Url::parse(&app.url).expect("an address");
        url.query_pairs_mut().extend_pairs(parameters);
        async { reqwest::get(url).await.expect("an answer") }
    };
    let found = get(&[
        (
            "query",
            "query A{__typename} query B($t:Boolean!){b:__typename @include(if:$t)}",
        ),
        ("operationName", "B"),
        ("variables", r#"{"t":true}"#),
        ("extensions", ""),
    ])
    .await;
    assert_eq!(found.status(), 200);
    assert_eq!(
        found.json::<Value>().await.expect("json"),
        json!({"data": {"b": "Query"}})
    );
    let log_out = "mutation{logOut(input:{}){endedSessionId}}";
    let changed = get(&[("query", log_out)]).await;
    assert_eq!(
        (
            changed.status().as_u16(),
            changed.headers()["allow"].to_str().ok()
        ),
        (405, Some("POST"))
    );
    for parameters in [
        &[][..],
        &[("query", "")],
        &[("query", "{__typename}"), ("variables", "nonsense")],
        &[("query", "{__typename}"), ("variables", "7")],
        &[("query", "{__typename}"), ("extensions", "[]")],
    ] {
        assert_eq!(get(parameters).await.status(), 400, "{parameters:?}");
    }
}

#[tokio::test]
async fn what_the_client_does_not_take_is_not_run() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let say =
        r#"{"query":"mutation{createConversation(input:{title:\"Walks\"}){userErrors{code}}}"}"#;
    let token = format!("Bearer {}", alice.token.as_deref().expect("a token"));
    let headers = [
        JSON,
        ("accept", "text/html"),
        ("authorization", token.as_str()),
    ];
    let reply = raw(&app, reqwest::Method::POST, &headers, say).await;
    assert_eq!(reply.status(), 406);
    assert_eq!(app.db_count("conversations").await, 0);
}

#[tokio::test]
async fn a_request_has_a_name_by_which_an_operator_finds_it() {
    let app = TestApp::start().await;
    let body = r#"{"query":"{__typename}"}"#;
    let id = |reply: reqwest::Response| {
        reply.headers()["x-request-id"]
            .to_str()
            .expect("text")
            .to_owned()
    };
    let given = [JSON, ("x-request-id", "from-the-proxy-1")];
    assert_eq!(
        id(raw(&app, reqwest::Method::POST, &given, body).await),
        "from-the-proxy-1"
    );
    let first = id(raw(&app, reqwest::Method::POST, &[JSON], body).await);
    let odd = [JSON, ("x-request-id", "a b\"c")];
    let second = id(raw(&app, reqwest::Method::POST, &odd, body).await);
    assert!(first != second && !second.contains(' '), "{first} {second}");
}

#[tokio::test]
async fn long_answers_are_packed_for_clients_who_can_unpack_them() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    for _ in 0..20 {
        alice
            .say(&group, &"the same again and again ".repeat(20))
            .await;
    }
    let document =
        format!(r#"{{conversation(id:"{group}"){{messages{{edges{{node{{text}}}}}}}}}}"#);
    let body = json!({"query": document}).to_string();
    let token = format!("Bearer {}", alice.token.as_deref().expect("a token"));
    let headers = [
        JSON,
        ("authorization", token.as_str()),
        ("accept-encoding", "gzip"),
    ];
    let packed = raw(&app, reqwest::Method::POST, &headers, body.clone()).await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.expect("a body").len();
    let plain = raw(&app, reqwest::Method::POST, &headers[..2], body).await;
    assert!(plain.headers().get("content-encoding").is_none());
    let plain = plain.bytes().await.expect("a body").len();
    assert!(packed * 5 < plain, "{packed} {plain}");
}

#[tokio::test]
async fn bodies_that_are_no_request_are_refused() {
    let app = TestApp::start().await;
    for body in [
        "",
        "nope",
        "{}",
        "[]",
        "7",
        r#"[{"query":"{__typename}"}]"#,
        r#"{"query":7}"#,
        r#"{"variables":[]}"#,
        "\u{0}",
    ] {
        let reply = raw(&app, reqwest::Method::POST, &[JSON], body).await;
        assert_eq!(reply.status(), 400, "{body}");
        assert_eq!(
            reply.json::<Value>().await.expect("json")["errors"][0]["extensions"]["code"],
            "BAD_USER_INPUT"
        );
    }
    let large = format!(
        r#"{{"query":"{{__typename}}","operationName":"{}"}}"#,
        "x".repeat(300 * 1024)
    );
    assert_eq!(
        raw(&app, reqwest::Method::POST, &[JSON], large)
            .await
            .status(),
        413
    );
    let invalid_utf8: Vec<u8> = vec![b'{', 0xff, 0xfe, b'}'];
    assert_eq!(
        raw(&app, reqwest::Method::POST, &[JSON], invalid_utf8)
            .await
            .status(),
        400
    );
}

#[tokio::test]
async fn the_status_says_how_it_went_to_clients_who_ask_for_that() {
    let app = TestApp::start().await;
    let invalid = r#"{"query":"{nothing}"}"#;
    let newer = (
        "accept",
        "application/graphql-response+json, application/json;q=0.9",
    );
    let reply = raw(&app, reqwest::Method::POST, &[JSON, newer], invalid).await;
    assert_eq!(reply.status(), 400);
    assert_eq!(
        reply.headers()["content-type"],
        "application/graphql-response+json; charset=utf-8"
    );
    let body: Value = reply.json().await.expect("json");
    assert!(
        body.get("data").is_none(),
        "nothing ran, so there is no data: {body}"
    );
    assert_eq!(body["errors"][0]["extensions"]["code"], "QUERY_REJECTED");
    for accept in [
        "application/json",
        "*/*",
        "application/json, application/graphql-response+json",
    ] {
        let reply = raw(
            &app,
            reqwest::Method::POST,
            &[JSON, ("accept", accept)],
            invalid,
        )
        .await;
        assert_eq!(
            (
                reply.status().as_u16(),
                &reply.headers()["content-type"].to_str().expect("text")[..16]
            ),
            (200, "application/json")
        );
    }
}

#[tokio::test]
async fn documents_that_would_kill_or_stall_a_server_are_refused() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    let nested = format!(
        "{{user(by:{}1{}){{id}}}}",
        "[".repeat(6_000),
        "]".repeat(6_000)
    );
    let mut bomb = "{...F0}".to_owned();
    for level in 0..40 {
        let next = level + 1;
        write!(bomb, "fragment F{level} on Query{{...F{next} ...F{next}}}").expect("written");
    }
    bomb += "fragment F40 on Query{__typename}";
    let many = (0..1_500)
        .map(|n| format!("a{n}:__typename"))
        .collect::<Vec<_>>()
        .join(" ");
    let deep = format!("{{{}id{}}}", "viewer{".repeat(20), "}".repeat(20));
    for document in [
        nested,
        bomb,
        format!("{{{many}}}"),
        deep,
        "x".repeat(40_000),
    ] {
        assert_eq!(
            nobody.run(&document, json!({})).await.codes(),
            ["QUERY_REJECTED"],
            "{}",
            &document[..40]
        );
    }
    assert_eq!(nobody.run("{__typename}", json!({})).await.codes(), [""; 0]);
}

#[tokio::test]
async fn the_right_operation_runs_or_none() {
    let app = TestApp::start().await;
    let run = |name: Value| {
        let body =
            json!({"query": "query A{__typename} query B{b:__typename}", "operationName": name})
                .to_string();
        async {
            raw(&app, reqwest::Method::POST, &[JSON], body)
                .await
                .json::<Value>()
                .await
                .expect("json")
        }
    };
    assert_eq!(
        run(json!("A")).await["data"],
        json!({"__typename": "Query"})
    );
    assert_eq!(run(json!("B")).await["data"], json!({"b": "Query"}));
    for name in [json!(null), json!("C"), json!("")] {
        assert_eq!(
            run(name).await["errors"][0]["extensions"]["code"],
            "QUERY_REJECTED"
        );
    }
    let body = r#"{"query":"subscription{messageSent(conversationId:\"x\"){id}}"}"#;
    let accept = ("accept", "application/json");
    let subscription = raw(&app, reqwest::Method::POST, &[JSON, accept], body).await;
    assert_eq!(subscription.status(), 406);
    let body: Value = subscription.json().await.expect("json");
    let hint = body["errors"][0]["message"].as_str().expect("a text");
    assert!(hint.contains("WebSocket") && hint.contains("text/event-stream"));
}

#[tokio::test]
async fn probes_and_the_page_are_there() {
    let app = TestApp::start().await;
    let base = app.url.trim_end_matches("/graphql").to_owned();
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(
            reqwest::get(format!("{base}{path}"))
                .await
                .expect("an answer")
                .status(),
            200,
            "{path}"
        );
    }
    let page = reqwest::get(format!("{base}/")).await.expect("an answer");
    assert_eq!(page.status(), 200, "the page is built by `make assets`");
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .expect("text")
            .starts_with("default-src 'none'")
    );
    let html = page.text().await.expect("text");
    let files: Vec<_> = html
        .split('"')
        .filter(|part| part.starts_with("/graphiql/"))
        .collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert_eq!(
            reqwest::get(format!("{base}{file}"))
                .await
                .expect("an answer")
                .status(),
            200,
            "{file}"
        );
    }
    assert!(
        !html.contains("//cdn") && !html.contains("https://"),
        "nothing is loaded from elsewhere"
    );
    for missing in [
        "/graphiql/../Cargo.toml",
        "/graphiql/nothing.js",
        "/nothing",
    ] {
        assert_eq!(
            reqwest::get(format!("{base}{missing}"))
                .await
                .expect("an answer")
                .status(),
            404,
            "{missing}"
        );
    }
}

#[tokio::test]
async fn wrong_variables_are_the_client_program_s_fault() {
    let app = TestApp::start().await;
    let alice: Client = app.sign_up("alice").await;
    let document = "query($c:ID!$s:Int!){conversation(id:$c){message(seq:$s){id}}}";
    let group = alice.group("Walks", &[]).await;
    for variables in [
        json!({}),
        json!({"c": "x"}),
        json!({"c": null, "s": 1}),
        json!({"c": group, "s": "y"}),
        json!({"c": group, "s": 3_000_000_000u32}),
    ] {
        let reply = alice.run(document, variables.clone()).await;
        assert_eq!(reply.codes().len(), 1, "{variables}: {reply:?}");
        assert!(
            ["QUERY_REJECTED", "BAD_USER_INPUT"].contains(&reply.codes()[0]),
            "{variables}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn a_query_s_cost_is_known_before_it_runs() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let page = |size: i64| {
        let document = "query($c:ID!$n:Int){conversation(id:$c){messages(first:$n){edges{node{conversation{messages(first:$n){edges{node{id}}}}}}}}}";
        alice.run(document, json!({"c": group, "n": size}))
    };
    let wide = page(100).await;
    assert_eq!(wide.codes(), ["QUERY_REJECTED"]);
    assert!(wide.text("/errors/0/message").contains("25000 values"));
    let small = page(10).await;
    assert_eq!(small.codes(), [""; 0], "{small:?}");
    let round = format!(
        "{{__schema{{types{{{}name{}}}}}}}",
        "interfaces{possibleTypes{".repeat(6),
        "}}".repeat(6)
    );
    assert_eq!(
        alice.run(&round, json!({})).await.codes(),
        ["QUERY_REJECTED"]
    );
    let hidden = format!(
        "{{user(by:[\"\"\"\" {}1{}]){{id}}}}",
        "[".repeat(1_600),
        "]".repeat(1_600)
    );
    assert_eq!(
        alice.run(&hidden, json!({})).await.codes(),
        ["QUERY_REJECTED"]
    );
    assert_eq!(
        alice.run("{__typename}", json!({})).await.codes(),
        [""; 0],
        "and the server lives"
    );
}

#[tokio::test]
async fn one_request_is_one_try_at_a_password() {
    let app = TestApp::start().await;
    app.sign_up("alice").await;
    let tries: String = (0..20)
        .map(|n| format!("a{n}:logIn(input:{{handle:\"alice\",password:\"guess number {n}\"}}){{userErrors{{code}}}} "))
        .collect::<Vec<_>>()
        .concat();
    let reply = app
        .anonymous()
        .run(&format!("mutation{{{tries}}}"), json!({}))
        .await;
    assert_eq!(reply.codes(), ["BAD_USER_INPUT"; 19]);
    assert_eq!(
        reply.at("/data/a0/userErrors/0/code"),
        "INVALID_CREDENTIALS",
        "the first try is made"
    );
    assert_eq!(
        reply.at("/errors/0/path/0"),
        "a1",
        "the second try is not made"
    );
}

#[tokio::test]
async fn what_looks_free_has_a_price_and_faults_are_told_a_few_times() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    let nodes = (0..490)
        .map(|n| format!("a{n}:nodes(ids:$v){{__typename}}"))
        .collect::<Vec<_>>();
    let document = format!("query($v:[ID!]!){{{}}}", nodes.join(" "));
    let ids = vec!["user_00000000000000000000000000"; 100];
    assert_eq!(
        nobody.run(&document, json!({"v": ids})).await.codes(),
        ["QUERY_REJECTED"]
    );
    let many = json!({"v": vec!["x"; 3_000]});
    let reply = nobody
        .run("query($v:[ID!]!){nodes(ids:$v){id}}", many)
        .await;
    assert_eq!(reply.codes(), ["QUERY_REJECTED"]);
    assert!(reply.text("/errors/0/message").contains("2000 values"));
    let unknown = (0..100)
        .map(|n| format!("nothing{n}"))
        .collect::<Vec<_>>()
        .join(" ");
    assert_eq!(
        nobody
            .run(&format!("{{{unknown}}}"), json!({}))
            .await
            .codes()
            .len(),
        20
    );
}
