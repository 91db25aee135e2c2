//! Parlor: a chat server behind one GraphQL endpoint.
//!
//! Data goes one way. A request comes in at [`transport`], is read by [`graphql`], becomes a verb of [`chat`], and a verb
//! that changes something goes through the [`log`] into the [`store`]. What was committed goes from the log over the
//! [`bus`] to [`live`], and from there up again to whoever listens. [`model`] is for everybody. ARCHITECTURE.md walks
//! the way with a message in hand.

pub mod bus;
pub mod chat;
pub mod config;
pub mod demo;
pub mod fault;
#[cfg(feature = "faults")]
pub mod fuzz;
pub mod graphql;
pub mod live;
pub mod log;
pub mod model;
pub mod server;
pub mod store;
pub mod transport;
