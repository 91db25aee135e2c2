//! Who is there.

use async_graphql::{Context, Enum, ID, Object, Subscription};
use tokio_stream::Stream;

use super::{
    context::{chat, signed_in},
    error::Fault,
    friend::person,
    loader,
    render::{Opening, Told},
    scalar::DateTime,
    user::User,
};
use crate::{
    live::{Feed, Heard},
    model::{NodeId, UserId},
};

/// Whether a user can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum PresenceStatus {
    /// No device is connected.
    Offline,
    /// At least one device is connected.
    Online,
}

/// Presence of one user over all their devices.
pub(super) struct Presence {
    user: UserId,
    is_present: bool,
}

impl Presence {
    /// How somebody is whom the viewer may see.
    pub(super) fn now(ctx: &Context<'_>, user: UserId) -> Result<Self, Fault> {
        let is_present = chat(ctx)?.is_present(user);
        Ok(Self { user, is_present })
    }

    /// What is told, if it is this.
    pub(super) fn told(told: &Told) -> Option<Self> {
        let Heard::Presence(user, is_present) = told.heard else {
            return None;
        };
        Some(Self { user, is_present })
    }
}

/// Presence of one user over all their devices.
#[Object]
impl Presence {
    /// Identifier for caches, one for each user; not taken by `node`.
    async fn id(&self) -> ID {
        NodeId::presence_text(self.user).into()
    }

    /// When the user was last connected; null while connected and when never seen.
    async fn last_seen_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, Fault> {
        if self.is_present {
            return Ok(None);
        }
        Ok(loader::last_seen(ctx, self.user).await?.map(Into::into))
    }

    /// Whether any device of the user is connected.
    async fn status(&self) -> PresenceStatus {
        if self.is_present {
            PresenceStatus::Online
        } else {
            PresenceStatus::Offline
        }
    }

    /// The user this is about.
    async fn user(&self, ctx: &Context<'_>) -> Result<User, Fault> {
        person(ctx, self.user).await
    }
}

#[derive(Default)]
pub(super) struct PresenceSubscription;

#[Subscription]
impl PresenceSubscription {
    /// Presence of users, the current states first.
    async fn presence(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Up to 200 users; those whose presence the viewer may not see are left out."
        )]
        user_ids: Vec<ID>,
    ) -> Result<impl Stream<Item = Option<Presence>> + use<>, Fault> {
        let told = ctx.data_opt::<Told>().map(Presence::told);
        if let Some(opening) = ctx.data_opt::<Opening>() {
            let named: Vec<String> = user_ids.into_iter().map(|id| id.0).collect();
            let feed = chat(ctx)?.follow_presence(signed_in(ctx)?, &named).await?;
            opening.put(ctx, Feed::Presence(feed));
        }
        Ok(tokio_stream::iter(told))
    }
}
