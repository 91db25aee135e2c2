//! Every bound of the product, with its default. Errors name the bound that was met.

use std::time::Duration;

/// The bounds; one value for the whole process.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest text of a message, in Unicode code points.
    pub text_chars_max: usize,
    /// Items in a page when the client names no number.
    pub page_items_default: u32,
    /// Most items in a page, and most identifiers in `nodes`; more is an error, never a silent cut.
    pub page_items_max: u32,
    /// Most members of a group.
    pub group_members_max: i32,
    /// Most members of a channel.
    pub channel_members_max: i32,
    /// Most requests of a person that wait for an answer.
    pub pending_requests_max: u64,
    /// Most people added to a group in one call.
    pub members_added_max: usize,
    /// Most sessions of a user; one more ends the one unused for longest.
    pub sessions_per_user_max: usize,
    /// A session ends this long after its last use.
    pub session_idle: Duration,
    /// A session's last use is written down at most this often.
    pub session_touch: Duration,
    /// Passwords that are hashed at one time; each takes 19 MiB and some 20 ms of a core.
    pub password_hashes_at_once: usize,
    /// Sends of a user: this many a second …
    pub sends_per_second: u32,
    /// … with bursts of this many.
    pub sends_burst: u32,
    /// Failed log-ins for a handle in a minute.
    pub log_in_failures_per_minute: u32,
    /// Failed log-ins from an address in a minute, whatever the handle.
    pub log_in_failures_per_address: u32,
    /// Whether the four limits above are held, and the one on a socket's messages; off for benchmarks.
    pub rate_limits: bool,
    /// Whether clients may ask what the schema is.
    pub introspection: bool,
    /// Whether an error about a name that is not known proposes others.
    pub suggestions: bool,
    /// Connections at one time; one more waits to be accepted.
    pub connections_max: usize,
    /// Time for the head of an HTTP request, and for the next one to begin on a connection that is kept.
    pub head_within: Duration,
    /// Bytes of the head of an HTTP request, its address included.
    pub head_bytes_max: usize,
    /// Body of an HTTP request, and a message on a socket, in bytes.
    pub body_bytes_max: usize,
    /// GraphQL document in bytes.
    pub document_bytes_max: usize,
    /// Brackets within brackets in a document. The parser overflows its stack at some 1,600.
    pub document_nesting_max: usize,
    /// Words, numbers and marks in a document: a large client's widest has some 1,000.
    pub document_tokens_max: usize,
    /// Letters of a name in a document: an answer has it once for each thing that is called so.
    pub name_bytes_max: usize,
    /// Operations in a document; all are validated though one runs.
    pub document_operations_max: usize,
    /// Commas and opening brackets of a request's JSON, about its values: each takes a hundred times its text once it is
    /// read.
    pub json_marks_max: usize,
    /// Values in a request's variables, those within lists and objects counted.
    pub variable_values_max: usize,
    /// Changes that one mutation asks for.
    pub changes_max: usize,
    /// Fields within fields in a document; a large client's widest operation is 9 deep.
    pub selection_depth_max: usize,
    /// The same within an introspection; the standard query is 15 deep.
    pub introspection_depth_max: usize,
    /// Aliases in a document with its fragments written out: what asks for one field again and again.
    pub aliases_max: usize,
    /// Directives in a document with its fragments written out.
    pub directives_max: usize,
    /// Fields of a document with its fragments written out.
    pub fields_max: usize,
    /// Values that a request may give, pages counted with their sizes, and each thing in a list as ten more. A large client's
    /// widest operation, of 267 fields for each of fifty conversations, is 13,850.
    pub cost_max: usize,
    /// The same of an introspection; the standard query is some 65,000.
    pub introspection_cost_max: usize,
    /// Time for the body of an HTTP request to arrive.
    pub body_within: Duration,
    /// Time for a query.
    pub query_within: Duration,
    /// Log-ins and sign-ups that wait for a place to hash their password; one more is refused with `UNAVAILABLE`.
    pub password_hashes_waiting: usize,
    /// Time for `connection_init` after the socket opened.
    pub socket_init_within: Duration,
    /// A ping this often on a socket.
    pub socket_ping_every: Duration,
    /// A socket that was silent for so long is dead.
    pub socket_dead_after: Duration,
    /// Time for a client to take what was written to its socket.
    pub socket_write_within: Duration,
    /// Messages on a socket, those that only say that a client is there included: this many a second …
    pub socket_messages_per_second: u32,
    /// … with bursts of this many.
    pub socket_messages_burst: u32,
    /// Operations at one time on a socket, or on an event stream that carries several.
    pub socket_operations_max: usize,
    /// Bytes that the system holds for a client that does not read; Linux doubles it for its own needs.
    pub send_buffer_bytes: usize,
    /// Bytes of what operations tell that are put into one write to a socket; a single frame may be longer.
    pub write_bytes_max: usize,
    /// Sockets, event streams and multipart responses of a user at one time.
    pub streams_per_user_max: usize,
    /// An event stream or multipart response on which nothing was told for so long says that it is alive.
    pub stream_ping_every: Duration,
    /// Event streams that were asked for by `PUT`, by nobody who is signed in, and wait for their client. Those of a user count
    /// among `streams_per_user_max`.
    pub reservations_max: usize,
    /// Time for that client to come.
    pub reservation_within: Duration,
    /// Writes that wait for the log; one more is refused with `UNAVAILABLE`.
    pub log_queue_max: usize,
    /// Bytes of text in them, about.
    pub log_queue_bytes_max: u32,
    /// Writes in one transaction.
    pub batch_writes_max: usize,
    /// Bytes, about, of the newest messages that are not among those of their conversations yet: in memory, and read as the
    /// process begins. The more there are, the more go to one conversation together.
    pub recent_bytes_max: usize,
    /// Messages of a conversation at least whose keys go into their index together.
    pub keys_waiting_min: i32,
    /// Bytes of text in one transaction, about.
    pub batch_bytes_max: usize,
    /// News of one conversation kept for its listeners; who is further behind reads the log.
    pub tail_news_max: usize,
    /// Bytes of these news, about.
    pub tail_bytes_max: usize,
    /// Messages that a listener who is behind reads from the log at once.
    pub catch_up_page: u32,
    /// Rows that one read of the log for streams of events gives, about. A first read covers so many positions, and so
    /// has no more rows than that; with less than a quarter the next one covers twice as many.
    pub catch_up_rows: u32,
    /// What somebody follows is kept for so long after their last stream of events has ended: who comes back after a
    /// tunnel pays for what they missed alone.
    pub followed_kept: Duration,
    /// People of whom it is kept.
    pub followed_kept_max: usize,
    /// Events of one delivery.
    pub frame_events_max: usize,
    /// Bytes of their texts, about: what waits for a client that is slow. One event may be longer.
    pub frame_bytes_max: usize,
    /// A stream of events on which nothing happened for so long says how far the log is.
    pub heartbeat_every: Duration,
    /// Somebody is shown as typing for so long unless they say so again …
    pub typing_lives: Duration,
    /// … which counts at most this often.
    pub typing_refresh: Duration,
    /// Who types in a conversation is told at most this often.
    pub typing_told_every: Duration,
    /// Conversations in which one stream tells who types.
    pub typing_conversations_max: usize,
    /// Somebody whose last device has gone is shown as there for so long: a quick reconnect is not seen.
    pub presence_grace: Duration,
    /// People of whom one stream tells whether they are there.
    pub presence_users_max: usize,
    /// Time for work that runs when the server is told to stop.
    pub stop_within: Duration,
}

impl Default for Limits {
    #[expect(clippy::too_many_lines, reason = "one line a bound")]
    fn default() -> Self {
        Self {
            text_chars_max: 10_000,
            page_items_default: 20,
            page_items_max: 100,
            group_members_max: 1_000,
            channel_members_max: 100_000,
            pending_requests_max: 100,
            members_added_max: 100,
            sessions_per_user_max: 100,
            session_idle: Duration::from_hours(30 * 24),
            session_touch: Duration::from_mins(5),
            password_hashes_at_once: 4,
            sends_per_second: 20,
            sends_burst: 60,
            log_in_failures_per_minute: 5,
            log_in_failures_per_address: 20,
            rate_limits: true,
            introspection: false,
            suggestions: false,
            connections_max: 20_000,
            head_within: Duration::from_secs(30),
            head_bytes_max: 64 * 1024,
            body_bytes_max: 256 * 1024,
            document_bytes_max: 32 * 1024,
            document_nesting_max: 64,
            document_tokens_max: 3_000,
            name_bytes_max: 128,
            document_operations_max: 20,
            json_marks_max: 10_000,
            variable_values_max: 2_000,
            changes_max: 20,
            selection_depth_max: 12,
            introspection_depth_max: 16,
            aliases_max: 100,
            directives_max: 200,
            fields_max: 1_000,
            cost_max: 25_000,
            introspection_cost_max: 70_000,
            body_within: Duration::from_secs(10),
            query_within: Duration::from_secs(10),
            password_hashes_waiting: 100,
            socket_init_within: Duration::from_secs(5),
            socket_ping_every: Duration::from_secs(25),
            socket_dead_after: Duration::from_mins(1),
            socket_write_within: Duration::from_secs(20),
            socket_messages_per_second: 100,
            socket_messages_burst: 1_000,
            socket_operations_max: 32,
            send_buffer_bytes: 128 * 1024,
            write_bytes_max: 64 * 1024,
            streams_per_user_max: 16,
            stream_ping_every: Duration::from_secs(12),
            reservations_max: 1_000,
            reservation_within: Duration::from_secs(10),
            log_queue_max: 4_096,
            log_queue_bytes_max: 16 * 1024 * 1024,
            batch_writes_max: 256,
            recent_bytes_max: 2 * 1024 * 1024,
            keys_waiting_min: 32,
            batch_bytes_max: 256 * 1024,
            tail_news_max: 256,
            tail_bytes_max: 1024 * 1024,
            catch_up_page: 100,
            catch_up_rows: 2_000,
            followed_kept: Duration::from_mins(2),
            followed_kept_max: 10_000,
            frame_events_max: 100,
            frame_bytes_max: 256 * 1024,
            heartbeat_every: Duration::from_secs(30),
            typing_lives: Duration::from_secs(6),
            typing_refresh: Duration::from_secs(3),
            typing_told_every: Duration::from_secs(1),
            typing_conversations_max: 50,
            presence_grace: Duration::from_secs(10),
            presence_users_max: 200,
            stop_within: Duration::from_secs(10),
        }
    }
}
