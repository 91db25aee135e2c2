//! People as everybody may see them.

use std::sync::Arc;

use async_graphql::{
    Context, ContextSelectionSet, ID, InputObject, MaybeUndefined, Object, OneofObject,
    SimpleObject,
};

use super::{
    context::{chat, one_password, sign_in, signed_in},
    error::{Fault, UserError, payload, payloads},
    friend::Relationship,
    json::Json,
    loader,
    page::{connection, forwards},
    plain::{self, Plain},
    presence::Presence,
    scalar::DateTime,
    session::SessionToken,
    viewer::Viewer,
};
use crate::{
    chat::{Patch, SignUp, UpdateProfile},
    model::{
        self, Id,
        friend::{NewestKey, sees_presence},
        page::cursor,
        user::UserKey,
    },
};

/// A person, as everybody may see them.
pub(super) struct User(pub(super) Arc<model::User>);

/// A person, as everybody may see them.
#[Object]
impl User {
    /// Address of the avatar picture; null when none is set.
    async fn avatar_url(&self) -> Option<&str> {
        self.0.avatar_url.as_deref()
    }

    /// When the account was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Name to show, 1 to 64 characters.
    async fn display_name(&self) -> &str {
        &self.0.display_name
    }

    /// Unique name in lower case: 3 to 32 characters of a-z, 0-9 and underscore.
    async fn handle(&self) -> &str {
        &self.0.handle
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Friends that this user and the viewer have in common, by handle.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn mutual_friends(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return users after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
    ) -> Result<Option<UserConnection>, Fault> {
        let Some(viewer) = super::context::viewer(ctx)? else {
            return Ok(None);
        };
        let page = forwards(after, first);
        // In a box: see the loaders.
        let page = chat(ctx)?.mutual_friends(viewer, self.0.id, &page);
        let page = Box::pin(page).await?;
        Ok(page.map(Into::into))
    }

    /// Presence now; null when the viewer may not see it. Friends see each other's.
    async fn presence(&self, ctx: &Context<'_>) -> Result<Option<Presence>, Fault> {
        let Some(viewer) = super::context::viewer(ctx)? else {
            return Ok(None);
        };
        let between = loader::relationship(ctx, self.0.id).await?;
        let is_seen = sees_presence(viewer.user, self.0.id, between.friendship.is_some());
        is_seen.then(|| Presence::now(ctx, self.0.id)).transpose()
    }

    /// What lies between this user and the viewer; null for the viewer themself and when nobody is signed in.
    async fn viewer_relationship(&self, ctx: &Context<'_>) -> Result<Option<Relationship>, Fault> {
        match super::context::viewer(ctx)? {
            Some(viewer) => Box::pin(Relationship::find(ctx, viewer, self.0.id)).await,
            None => Ok(None),
        }
    }
}

impl Plain for User {
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()> {
        plain::object::<Self>(ctx, to, |field, _, to| match field {
            "avatarUrl" => to.value(&self.0.avatar_url),
            "createdAt" => to.shown(self.0.created_at),
            "displayName" => to.text(&self.0.display_name),
            "handle" => to.text(&self.0.handle),
            "id" => to.shown(self.0.id),
            _ => None,
        })
    }
}

connection! {
    "Page of users." UserConnection { "Users with their cursors." Vec<UserEdge> }
    "A user in a page." UserEdge { "Position of this user." "The user." User }
}

impl From<model::User> for UserEdge {
    fn from(user: model::User) -> Self {
        Self {
            cursor: cursor(&UserKey(user.handle.clone())),
            node: User(Arc::new(user)),
        }
    }
}

impl From<(model::Ban, model::User)> for UserEdge {
    fn from((ban, user): (model::Ban, model::User)) -> Self {
        Self {
            cursor: cursor(&NewestKey(ban.banned_at, user.id.uuid())),
            node: User(Arc::new(user)),
        }
    }
}

/// How to find a user.
#[derive(OneofObject)]
pub(super) enum UserByInput {
    /// By handle.
    Handle(String),
    /// By identifier.
    Id(ID),
}

#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// A user by identifier or handle.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How to find the user.")] by: UserByInput,
    ) -> Result<Option<User>, Fault> {
        let chat = chat(ctx)?;
        let user = match by {
            UserByInput::Handle(handle) => Box::pin(chat.user_by_handle(&handle)).await?,
            UserByInput::Id(id) => match id.parse() {
                Ok(id) => loader::user(ctx, id).await?,
                Err(_) => None,
            },
        };
        Ok(user.map(User))
    }

    /// Users whose handle or display name begins with the text, by handle.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return users after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Text of 2 to 32 characters.")] search: String,
    ) -> Result<Option<UserConnection>, Fault> {
        let page = forwards(after, first);
        let page = Box::pin(chat(ctx)?.users(signed_in(ctx)?, &search, &page)).await?;
        Ok(Some(page.into()))
    }

    /// The signed-in person; null when nobody is signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Option<Viewer>, Fault> {
        Ok(super::context::viewer(ctx)?.map(Viewer))
    }
}

/// Input of `signUp`.
#[derive(InputObject)]
pub(super) struct SignUpInput {
    /// Name of the device, up to 64 characters.
    device_name: Option<String>,
    /// Name to show, 1 to 64 characters.
    display_name: String,
    /// Wanted handle, in the form of `User.handle`.
    handle: String,
    /// Password of 10 to 256 characters.
    password: String,
}

/// Result of `signUp`.
#[derive(Default, SimpleObject)]
pub(super) struct SignUpPayload {
    /// Token of the new session; null on failure.
    token: Option<SessionToken>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
    /// The new viewer; null on failure.
    viewer: Option<Viewer>,
}

/// Input of `updateProfile`. A field left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateProfileInput {
    /// New picture address, https, up to 2048 characters; null takes the picture away.
    avatar_url: MaybeUndefined<String>,
    /// New name to show; null is refused.
    display_name: MaybeUndefined<String>,
}

/// Result of `updateProfile`.
#[derive(Default, SimpleObject)]
pub(super) struct UpdateProfilePayload {
    /// The user after the change; null on failure.
    user: Option<User>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `changePassword`.
#[derive(InputObject)]
pub(super) struct ChangePasswordInput {
    /// Password now.
    current_password: String,
    /// New password of 10 to 256 characters.
    new_password: String,
}

/// Result of `changePassword`.
#[derive(Default, SimpleObject)]
pub(super) struct ChangePasswordPayload {
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
    /// The viewer; null on failure.
    viewer: Option<Viewer>,
}

payloads!(SignUpPayload, UpdateProfilePayload, ChangePasswordPayload);

/// Null, left out, or a value.
pub(super) fn patch<T, U>(value: MaybeUndefined<T>, into: impl FnOnce(T) -> U) -> Patch<U> {
    match value {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(into(value)),
    }
}

#[derive(Default)]
pub(super) struct UserMutation;

#[Object]
impl UserMutation {
    /// Change the password; ends every other session.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ChangePasswordInput,
    ) -> Result<Option<ChangePasswordPayload>, Fault> {
        let viewer = signed_in(ctx)?;
        one_password(ctx)?;
        let changing =
            chat(ctx)?.change_password(viewer, input.current_password, &input.new_password);
        let outcome = Box::pin(changing).await;
        payload(outcome, |()| ChangePasswordPayload {
            viewer: Some(Viewer(viewer)),
            ..Default::default()
        })
    }

    /// Make an account and sign in.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: SignUpInput,
    ) -> Result<Option<SignUpPayload>, Fault> {
        one_password(ctx)?;
        let SignUpInput {
            device_name,
            display_name,
            handle,
            password,
        } = input;
        let signing_up = chat(ctx)?.sign_up(SignUp {
            handle,
            display_name,
            password,
            device_name,
        });
        let outcome = Box::pin(signing_up).await;
        if let Ok(signed_in) = &outcome {
            sign_in(ctx, signed_in.viewer)?;
        }
        payload(outcome, |signed_in| SignUpPayload {
            viewer: Some(Viewer(signed_in.viewer)),
            token: Some(signed_in.into()),
            ..Default::default()
        })
    }

    /// Change the viewer's profile.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: UpdateProfileInput,
    ) -> Result<Option<UpdateProfilePayload>, Fault> {
        let change = UpdateProfile {
            display_name: patch(input.display_name, |text| text),
            avatar_url: patch(input.avatar_url, |text| text),
        };
        let outcome = chat(ctx)?.update_profile(signed_in(ctx)?, &change).await;
        payload(outcome, |user| UpdateProfilePayload {
            user: Some(User(user)),
            ..Default::default()
        })
    }
}
