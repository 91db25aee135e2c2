//! The one conversation that two friends have with each other.

use super::{
    Chat, Error, Reason, Rejection, Viewer,
    friend::{other_of, pair_with},
};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        Conversation, ConversationId, ConversationKind, Membership, MembershipId, Pair, Policy,
        Role, UserId,
    },
};

/// A direct conversation, and whether it was made just now.
#[derive(Debug)]
pub struct OpenedDirect {
    /// The conversation.
    pub conversation: Conversation,
    /// Whether this call made it.
    pub was_created: bool,
}

impl Chat {
    /// The direct conversation with a friend, made when there is none yet.
    pub async fn open_direct_conversation(
        &self,
        viewer: Viewer,
        user_id: &str,
    ) -> Result<OpenedDirect, Error> {
        let pair = pair_with(viewer, user_id)?;
        // It lies in the shard of all that lies between the two: a friendship that ends and a message that is sent are
        // decided one after the other.
        let last_byte = pair.last_byte();
        let write = OpeningDirectConversation {
            viewer: viewer.user,
            pair,
            conversation: self.new_id(last_byte),
            memberships: [self.new_id(last_byte), self.new_id(last_byte)],
        };
        Ok(self.log.write(write).await?)
    }
}

struct OpeningDirectConversation {
    viewer: UserId,
    pair: Pair,
    conversation: ConversationId,
    memberships: [MembershipId; 2],
}

impl Write for OpeningDirectConversation {
    type Outcome = OpenedDirect;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.pair.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.direct_conversation(self.pair);
    }

    fn decide(&self, batch: &mut Batch) -> Result<OpenedDirect, Rejection> {
        let peer = other_of(batch, self.viewer, self.pair)?;
        if !batch.are_friends(self.pair) {
            let message = "a direct conversation needs a friendship first";
            return Err(Rejection::at("userId", Reason::NotFriends, message));
        }
        if let Some(there) = batch.direct_conversation(self.pair) {
            return Ok(OpenedDirect {
                conversation: there.clone(),
                was_created: false,
            });
        }
        batch.add_conversation(Conversation {
            id: self.conversation,
            kind: ConversationKind::Direct,
            pair: Some(self.pair),
            title: None,
            topic: None,
            posting_policy: Policy::Everyone,
            invite_policy: Policy::Everyone,
            created_at: batch.at(),
            creation: (self.viewer, None),
            member_count: 0,
            last_seq: 0,
            keyed_seq: 0,
            active_at: batch.at(),
            head_position: 0,
            archived_at: None,
            deleted_position: None,
        });
        for (user, id) in [self.viewer, peer].into_iter().zip(self.memberships) {
            batch.join(Membership::beginning(
                id,
                self.conversation,
                user,
                Role::Member,
            ));
        }
        let conversation = batch
            .conversation(self.conversation)
            .cloned()
            .ok_or_else(Rejection::no_conversation)?;
        Ok(OpenedDirect {
            conversation,
            was_created: true,
        })
    }
}
