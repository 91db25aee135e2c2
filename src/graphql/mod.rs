//! WORDS: the domain in GraphQL's grammar. One file per noun, with its types and its part of query, mutation and
//! subscription; no rule lives here. Descriptions are written for clients: they are the reference.

mod account;
mod api;
mod archive;
mod ban;
mod block;
mod channel;
mod context;
mod conversation;
mod conversation_mutation;
mod cost;
mod delivered;
mod direct;
mod document;
mod error;
mod event;
mod event_frame;
mod fitting;
mod friend;
mod friend_request;
mod friendship;
#[cfg(feature = "faults")]
pub mod fuzz;
mod guard;
mod loader;
mod measure;
mod membership;
mod message;
mod node;
mod page;
mod permissions;
mod persisted;
mod plain;
mod plan;
mod prepared;
mod presence;
mod propagation;
mod render;
mod scalar;
mod schema;
mod session;
mod subscription;
mod suggestion;
mod surrounding;
mod telling;
mod typing;
mod user;
mod validator;
mod viewer;

pub use api::{Answer, Api, Kind, Operation};
pub use context::Asker;
pub use error::{Code, failure, failure_for_now};
pub use measure::json_size;
pub use persisted::names_a_document;
pub use schema::sdl;
pub use subscription::Subscription;
