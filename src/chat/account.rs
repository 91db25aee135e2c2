//! Closing an account, and ending what ties it to others.
//!
//! The account is closed in one write: from then on nobody can sign in with it, and whoever asks for the person finds
//! nobody. What they are tied to lies in many shards, so it is ended afterwards, by one ordinary write each, from what
//! is stored: a crash in the middle is gone on from at the next start.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Chat, Error, Reason, Rejection, Viewer, friend_request::closed};
use crate::{
    log::{Batch, Needs, Write, WriteError},
    model::{ConversationId, FriendRequestStatus, Id, Pair, RemovalReason, Role, UserId},
    store::Remains,
};

/// After a failure it is tried again, and somebody else's closing is looked for, this often.
const AGAIN: Duration = Duration::from_secs(5);

impl Chat {
    /// Deletes the viewer's account. Their messages stay, without a sender.
    pub async fn delete_account(&self, viewer: Viewer, password: String) -> Result<UserId, Error> {
        let user = self.with_password(viewer, password, wrong).await?;
        let write = ClosingAccount {
            user: user.id,
            password_hash: user.password_hash,
        };
        self.log.write(write).await?;
        self.account_closed.notify_one();
        Ok(viewer.user)
    }

    /// Ends what ties closed accounts to others, whenever one is closed, until `stop`.
    pub async fn end_closed_accounts(&self, stop: CancellationToken) {
        let ending = async {
            loop {
                if let Err(error) = self.end_those_closed().await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "ending a closed account is tried again"
                    );
                }
                tokio::select! {
                    () = self.account_closed.notified() => {}
                    () = tokio::time::sleep(AGAIN) => {}
                }
            }
        };
        // Every step is a write of its own, so it may stop between any two.
        stop.run_until_cancelled(ending).await;
    }

    /// One that fails is no reason not to go on with the next.
    async fn end_those_closed(&self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for user in self.store.find_closing_accounts().await? {
            outcome = outcome.and(self.end_account(user).await);
        }
        outcome
    }

    async fn end_account(&self, user: UserId) -> Result<(), Error> {
        let mut before = Remains::default();
        loop {
            let remains = self.store.find_remains(user).await?;
            if remains == Remains::default() {
                return Ok(self.log.write(ForgettingAccount { user }).await?);
            }
            if remains == before {
                // Who is there changes all the time, or something is amiss: later, and the others first.
                return Err(Error::Unavailable { retry_after: AGAIN });
            }
            for (conversation, owns) in &remains.conversations {
                self.end_membership(user, *conversation, *owns).await?;
            }
            for other in &remains.people {
                let pair = Pair::new(user, *other);
                self.log.write(EndingRelationship { pair }).await?;
            }
            before = remains;
        }
    }

    async fn end_membership(
        &self,
        user: UserId,
        conversation: ConversationId,
        owns: bool,
    ) -> Result<(), Error> {
        let heir = if owns {
            self.store.find_heir(conversation, user).await?
        } else {
            None
        };
        let write = EndingMembership {
            conversation,
            user,
            heir,
        };
        match self.log.write(write).await {
            // Who is there has changed meanwhile: what is left is looked at again.
            Ok(()) | Err(WriteError::Refused(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn wrong() -> Rejection {
    let message = "the password is not that of the account";
    Rejection::at("password", Reason::InvalidCredentials, message)
}

struct ClosingAccount {
    user: UserId,
    password_hash: String,
}

impl Write for ClosingAccount {
    type Outcome = ();
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.user.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.user(self.user);
        needs.sessions_of(self.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<(), Rejection> {
        // The password was compared outside the log; it may have been changed since.
        if batch
            .user(self.user)
            .is_none_or(|user| user.password_hash != self.password_hash)
        {
            return Err(wrong());
        }
        batch.close_account(self.user);
        Ok(())
    }
}

/// Takes a closed account out of a conversation. What it owned passes on.
struct EndingMembership {
    conversation: ConversationId,
    user: UserId,
    /// The oldest admin, else the oldest member, else another whose account is closed and who passes it on in their turn.
    /// Only an owner gives roles, and this one's account is closed, so whoever it is stays it for as long as they are
    /// there.
    heir: Option<UserId>,
}

impl EndingMembership {
    fn is_alone(&self, batch: &Batch) -> bool {
        batch
            .conversation(self.conversation)
            .is_none_or(|at| at.member_count <= 1)
    }
}

impl Write for EndingMembership {
    type Outcome = ();
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.user);
        if let Some(heir) = self.heir {
            needs.membership(self.conversation, heir);
        }
    }

    fn decide(&self, batch: &mut Batch) -> Result<(), Rejection> {
        if batch.conversation(self.conversation).is_none() {
            return Ok(());
        }
        let membership = batch.membership(self.conversation, self.user);
        let owns = membership.is_some_and(|membership| membership.role == Role::Owner);
        let heir = self
            .heir
            .filter(|heir| batch.membership(self.conversation, *heir).is_some());
        match heir {
            Some(heir) if owns => batch.change_role(self.conversation, heir, Role::Owner),
            None if owns && !self.is_alone(batch) => {
                let message = "the heir has left, or somebody has joined";
                return Err(Rejection::new(Reason::WrongState, message));
            }
            Some(_) | None => {}
        }
        batch.leave(self.conversation, self.user, RemovalReason::Left);
        Ok(())
    }
}

/// Ends all that lies between a closed account and somebody.
struct EndingRelationship {
    pair: Pair,
}

impl Write for EndingRelationship {
    type Outcome = ();
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.pair.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.pair(self.pair);
    }

    fn decide(&self, batch: &mut Batch) -> Result<(), Rejection> {
        let between = batch.between(self.pair).clone();
        if let Some(pending) = between.pending() {
            let cancelled = closed(pending, FriendRequestStatus::Cancelled, batch);
            batch.put_friend_request(cancelled);
        }
        batch.end_friendship(self.pair);
        for block in &between.blocks {
            batch.remove_block(block);
        }
        Ok(())
    }
}

struct ForgettingAccount {
    user: UserId,
}

impl Write for ForgettingAccount {
    type Outcome = ();
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.user.last_byte()
    }

    fn needs(&self, _: &mut Needs) {}

    fn decide(&self, batch: &mut Batch) -> Result<(), Rejection> {
        batch.forget_closed_account(self.user);
        Ok(())
    }
}
