//! What must be so when all has come to rest.

use std::collections::{BTreeMap, HashMap};

use parlor::model::Message;

use super::{
    house,
    people::cast,
    world::{Acknowledged, World},
};

impl World {
    /// What is stored is what was acknowledged, in one order, and every device knows what the server knows.
    pub(super) fn check(&mut self) -> Result<(), String> {
        if !self.letters.is_empty() || !self.doings.is_empty() {
            return Err("somebody was never answered".to_owned());
        }
        let mut stored: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        for id in &cast().conversations {
            let found = self.runtime.block_on(
                self.house
                    .as_ref()
                    .expect("an open house")
                    .store
                    .messages_since(
                        &[parlor::store::Run {
                            conversation: id.parse().expect("an id"),
                            after: 0,
                        }],
                        i64::MAX,
                        10_000,
                    ),
            );
            stored.insert(id.clone(), found.expect("read").pop().unwrap_or_default());
        }
        for (id, messages) in &stored {
            check_order(id, messages)?;
        }
        for one in &self.acknowledged {
            let place = &stored[&one.letter.conversation];
            let own = cast().people[one.letter.sender].user;
            let same: Vec<_> = place
                .iter()
                .filter(|message| message.sender == own && message.text == one.letter.text)
                .map(|message| message.seq)
                .collect();
            if same != [one.seq] {
                return Err(format!(
                    "{:?} was acknowledged as {} and is stored as {same:?}",
                    one.letter, one.seq
                ));
            }
        }
        self.check_real_time()?;
        self.check_members()?;
        for device in &self.devices {
            for (id, seq, text) in &device.shown {
                let is_there = stored[id].get(usize::try_from(*seq).expect("a number") - 1);
                if is_there.is_none_or(|message| message.text != *text) {
                    return Err(format!(
                        "message {seq} {text:?} was shown and is not stored"
                    ));
                }
            }
            device.check(&self.reader())?;
        }
        Ok(())
    }

    /// What was acknowledged before another was sent comes before it.
    fn check_real_time(&self) -> Result<(), String> {
        let mut by_place: HashMap<&str, Vec<&Acknowledged>> = HashMap::new();
        for one in &self.acknowledged {
            by_place
                .entry(&one.letter.conversation)
                .or_default()
                .push(one);
        }
        for sends in by_place.values() {
            for one in sends {
                let late = sends
                    .iter()
                    .find(|other| other.answered < one.letter.sent && other.seq > one.seq);
                if let Some(late) = late {
                    return Err(format!("{:?} came before {:?}", one.letter, late.letter));
                }
            }
        }
        Ok(())
    }

    /// Nobody sent anything where they were no member.
    fn check_members(&self) -> Result<(), String> {
        let path = house::database(self.directory.path());
        let count = self.runtime.block_on(crate::support::db_number(
            &path,
            "SELECT count(*) AS n FROM all_messages m WHERE NOT EXISTS (SELECT 1 FROM memberships s
             WHERE s.conversation_id = m.conversation_id AND s.user_id = m.sender_id
             AND s.joined_position < m.position AND (s.left_position IS NULL OR s.left_position > m.position))",
        ));
        if count > 0 {
            return Err(format!("{count} messages of people who were no members"));
        }
        Ok(())
    }
}

/// Numbers without a gap, and times that never go back.
fn check_order(id: &str, messages: &[Message]) -> Result<(), String> {
    for (n, message) in messages.iter().enumerate() {
        if usize::try_from(message.seq) != Ok(n + 1) {
            return Err(format!(
                "{id}: message {} is at place {}",
                message.seq,
                n + 1
            ));
        }
    }
    let mut pairs = messages.windows(2);
    if let Some(pair) = pairs.find(|pair| pair[0].sent_at > pair[1].sent_at) {
        return Err(format!("{id}: the time goes back at {}", pair[1].seq));
    }
    Ok(())
}
