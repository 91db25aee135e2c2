# Everything a newcomer types. `make run` and `make test` bring what they need, or say in one line what to install.
.DEFAULT_GOAL := help
.PHONY: help run test check schema assets crash power-cut simulate resumes load races fuzz hostile stalled log-ins catch-up graph bench bench-smoke tools browser deny clean

DEMO_DATABASE ?= sqlite://demo.db?mode=rwc

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

run: tools assets ## Build, then serve the demo at http://127.0.0.1:4000
	cargo run --locked --bin parlor -- serve --demo --database-url '$(DEMO_DATABASE)'

test: tools assets browser ## All tests: rules, behaviour over real sockets, real clients, hostile ones, and GraphiQL in a real browser
	cargo test --workspace --locked
	cd tests/clients && node --test --test-reporter=spec

check: tools assets deny ## Format, lints, docs, dependencies, the committed schema and the rules of the house
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked --quiet
	cargo fetch --locked --quiet && cargo deny --offline --locked check bans licenses sources
	cargo test --locked --test it -- schema:: tidy::

schema: ## Write schema.graphql from the code
	cargo run --locked --quiet --bin parlor -- schema > schema.graphql.new && mv schema.graphql.new schema.graphql

crash: tools assets ## Kill a loaded server 500 times, at any moment and at named points; compare what was acknowledged with what is stored and heard
	CRASH_ROUNDS=$${CRASH_ROUNDS:-500} cargo test --locked --test it -- crash:: --nocapture

power-cut: tools assets ## 500 images of a disk whose power went while people talked
	IMAGES=$${IMAGES:-500} cargo test --locked --test it -- power_cut:: --nocapture

simulate: tools assets ## SEEDS=10000 runs of the order of things, each driven by its seed; SEED=n SEEDS=1 replays one
	SEEDS=$${SEEDS:-10000} cargo test --locked --test it -- simulation:: --nocapture --test-threads 1

resumes: tools assets ## 50,000 times somebody comes back from a random place; 2,000 sockets come back at once
	RESUMES=$${RESUMES:-50000} STORM=$${STORM:-2000} cargo test --locked --test it -- resumes:: storm:: --nocapture --test-threads 1

load: tools assets ## 64 people in 16 groups for ten seconds, once undisturbed and once with connections cut
	LOAD_SECONDS=$${LOAD_SECONDS:-10} cargo test --locked --test it -- ledger:: --nocapture

races: tools assets ## Each race 1,000 times, wanting both orders, and 10,000 random steps of reading and unreading
	RACES=$${RACES:-1000} UNREAD_STEPS=$${UNREAD_STEPS:-10000} cargo test --locked --test it -- race:: reading:: --nocapture

fuzz: tools assets ## FUZZ_SECONDS (1200) of libFuzzer for each reader of what strangers write; wants a nightly toolchain
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-fuzz@0.13.2
	cd fuzz && for target in document request socket_message head names configuration; do \
	  cargo +nightly fuzz run -s none $$target -- -max_total_time=$${FUZZ_SECONDS:-1200} -max_len=40000 -print_final_stats=1 || exit 1; done

hostile: tools assets tests/clients/node_modules ## What each of some 2,800 hostile requests costs, and what an honest client notices of them
	cargo build --release --locked
	PARLOR_PROGRAM=$(CURDIR)/target/release/parlor node tests/clients/hostile/measure.js

stalled: tools assets ## What 1,000 people who stop reading cost 1,000 who read
	cargo bench --locked --bench stalled

log-ins: tools assets ## Whether the time of 4,000 refused log-ins tells which handles there are
	cargo bench --locked --bench log_in

catch-up: tools assets ## What coming back costs: ten of 5,000 conversations, and a million messages
	cargo bench --locked --bench catch_up

graph: tools assets ## What friends cost among 100,000 people and 1,000,000 friendships
	cargo bench --locked --bench graph

bench: tools assets ## Parlor and its floor side by side: latency, throughput, fan-out, memory, history, coming back; SHORT=1, ONLY='idle history'
	cargo build --release --locked
	cp target/release/parlor target/parlor-measured # cargo bench builds another in its place, with faults
	PARLOR_PROGRAM=$(CURDIR)/target/parlor-measured cargo bench --locked --bench delivery -- $(if $(SHORT),short) $(ONLY)

bench-smoke: tools assets ## Whether a send, a delivery or a page allocates more than it did
	cargo test --workspace --locked --bench smoke # counts are the same in a dev build, and `make test` has made most of it

assets: graphiql/dist/index.html ## Put GraphiQL's files where the build finds them

graphiql/dist/index.html: graphiql/package-lock.json graphiql/index.html graphiql/page.js graphiql/page.css
	cd graphiql && npm ci --no-audit --no-fund --loglevel=error
	mkdir -p graphiql/dist
	cp graphiql/page.js graphiql/page.css graphiql/node_modules/graphiql/graphiql.min.js \
	  graphiql/node_modules/graphiql/graphiql.min.css graphiql/node_modules/react/umd/react.production.min.js \
	  graphiql/node_modules/react-dom/umd/react-dom.production.min.js graphiql/dist/
	cp graphiql/index.html graphiql/dist/
	touch src/transport/graphiql.rs

tools:
	@command -v cargo >/dev/null || { echo 'Parlor needs cargo: install Rust from https://rustup.rs'; exit 1; }
	@command -v cc >/dev/null || { echo 'Parlor needs a C compiler for SQLite: apt-get install gcc'; exit 1; }
	@command -v npm >/dev/null || { echo 'Parlor needs node and npm, for GraphiQL and for the tests: apt-get install nodejs npm'; exit 1; }
	@command -v python3 >/dev/null || { echo 'The tests need python3: apt-get install python3'; exit 1; }

browser: tests/clients/node_modules
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -qy --no-install-recommends chromium; } \
	  || { echo 'The tests need a browser: apt-get install chromium'; exit 1; }

tests/clients/node_modules: tests/clients/package-lock.json
	cd tests/clients && npm ci --no-audit --no-fund --loglevel=error
	touch $@

deny:
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-deny@0.20.2

clean: ## Take everything away that was built
	rm -rf target graphiql/dist graphiql/node_modules tests/clients/node_modules
