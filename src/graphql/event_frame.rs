//! Everything that happens to the viewer, as a stream of frames.

use async_graphql::{Context, Enum, SimpleObject, Subscription};
use tokio_stream::Stream;

use super::{
    context::{chat, heads, place, signed_in},
    error::Fault,
    event::Event,
    render::{Opening, Told, Unheard},
};
use crate::{
    live::{Feed, Frame, Heard},
    model::News,
};

/// Why a client must load its state anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ResyncReason {
    /// The cursor is not one of this server's, or its data has been restored from a backup or lost changes in a fail-over since.
    CursorInvalid,
}

/// One delivery of the event stream. The first comes at once, with or without events.
#[derive(SimpleObject)]
pub(super) struct EventFrame {
    /// Position after the last event of this frame. A frame without events is a heartbeat.
    cursor: String,
    /// Up to 100 events, oldest first.
    events: Vec<Event>,
    /// False while the server is still sending what the client missed; true from the frame that brings it up to date.
    is_caught_up: bool,
    /// Set when the stream cannot go on from the position asked for. It is the last frame of its stream: load everything anew, then subscribe again from `cursor`.
    resync: Option<ResyncReason>,
}

impl EventFrame {
    pub(super) async fn new(
        ctx: &Context<'_>,
        frame: &Frame,
        is_again: bool,
        unheard: &Unheard,
    ) -> Result<Self, Fault> {
        let chat = chat(ctx)?;
        // A message alone is the same to everybody who hears it, so nobody is looked at for it.
        let events = match frame.items.as_slice() {
            [item] if !is_again && let News::MessageSent(message) = &item.change.news => {
                vec![chat.message_event(&item.change, message)]
            }
            items => {
                let told = chat.events(signed_in(ctx)?, items, is_again).await?;
                unheard.put(told.unheard);
                told.events
            }
        };
        Ok(Self {
            cursor: chat.cursor(&frame.cursor),
            events: events.into_iter().map(Into::into).collect(),
            is_caught_up: frame.is_caught_up,
            resync: frame.is_resync.then_some(ResyncReason::CursorInvalid),
        })
    }
}

#[derive(Default)]
pub(super) struct EventSubscription;

#[Subscription]
impl EventSubscription {
    /// Everything that happens to the viewer, what they do themself on any device included: without a gap and without a repeat within one stream; within one conversation in the order in which it happened. An event that carries something which is gone since, or which the viewer may not see any more, is left out. Keep the `cursor` of the newest frame; after a break subscribe again with it. Without `after` the stream starts now.
    // A frame has up to a hundred events; each is of one type, and what is selected of the other dozen does not count for it.
    #[graphql(complexity = "crate::graphql::page::cost([Some(20), None], child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Cursor of the newest frame that was handled, or `Viewer.eventCursor`.")]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Option<EventFrame>> + use<>, Fault> {
        let mut told = None;
        if let Some(Told {
            heard: Heard::Frame(frame),
            is_again,
            unheard,
        }) = ctx.data_opt::<Told>()
        {
            told = Some(Some(EventFrame::new(ctx, frame, *is_again, unheard).await?));
        }
        if let Some(opening) = ctx.data_opt::<Opening>() {
            let viewer = signed_in(ctx)?;
            let after = place(ctx)?.or(after.as_deref());
            let feed = chat(ctx)?.follow_events(viewer, after, heads(ctx)?);
            opening.put(ctx, Feed::Events(feed));
        }
        Ok(tokio_stream::iter(told))
    }
}
