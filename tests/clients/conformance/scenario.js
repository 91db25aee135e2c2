// People, and what they have done, so that every sort of object and every reason to fail is there.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const PASSWORD = 'correct horse battery'

/** Runs one operation as somebody; what its first field gives. Here nothing may go wrong. */
async function run(server, token, query, variables) {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: token }) },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = await response.json()
  const given = data && Object.values(data)[0]
  if (errors || given?.userErrors?.length) throw new Error(`${query}: ${JSON.stringify({ errors, data })}`)
  return given
}

/** Plays the scenario on a server with the demo; every name that a shape may use, with its identifier. */
export async function play(server) {
  const tokens = { ...server.tokens }
  const names = {}
  const change = (who, verb, type, input, selection) =>
    run(server, tokens[who], `mutation($input: ${type}!) { ${verb}(input: $input) { ${selection} userErrors { code } } }`, { input })
  const signUp = async (handle, displayName) => {
    const input = { handle, displayName, password: PASSWORD }
    const { token, viewer } = await change(null, 'signUp', 'SignUpInput', input, 'token { value } viewer { user { id } }')
    tokens[handle] = `Bearer ${token.value}`
    names[handle] = viewer.user.id
  }
  const ask = async (who, whom) =>
    (await change(who, 'sendFriendRequest', 'SendFriendRequestInput', { userId: names[whom] }, 'friendRequest { id }')).friendRequest.id
  const make = async (who, title, members) => {
    const input = { title, memberIds: members.map((handle) => names[handle]) }
    return (await change(who, 'createConversation', 'CreateConversationInput', input, 'conversationEdge { node { id } }')).conversationEdge.node.id
  }
  const say = (who, conversation, text, idempotencyKey) =>
    change(who, 'sendMessage', 'SendMessageInput', { conversationId: names[conversation], text, idempotencyKey }, '')

  for (const handle of ['alice', 'bob', 'carol']) names[handle] = (await run(server, tokens[handle], '{ viewer { user { id } } }')).user.id
  const block = async (whom) => (await change('alice', 'blockUser', 'BlockUserInput', { userId: names[whom] }, 'block { id }')).block.id
  const list = await run(server, tokens.alice, '{ viewer { conversations { edges { node { id kind title } } } } }')
  const known = { Weekend: 'weekend', 'Book club': 'book', 'Lost and found': 'channel' }
  for (const { node } of list.conversations.edges) names[known[node.title] ?? 'direct'] = node.id

  await signUp('dave', 'Dave Bowman')
  await signUp('erin', 'Erin Brockovich')
  await signUp('frank', 'Frank Poole')
  await signUp('grace', 'Grace Hopper')
  await signUp('mallory', 'Mallory Archer')
  for (const handle of ['erin', 'frank']) {
    await ask(handle, 'bob')
    await ask('bob', handle)
  }
  names.fromDave = await ask('dave', 'alice')
  names.fromErin = await ask('erin', 'alice')
  names.toGrace = await ask('alice', 'grace')
  names.block = await block('mallory')
  await change('bob', 'updateProfile', 'UpdateProfileInput', { avatarUrl: 'https://example.org/bob.png' }, '')

  names.crowd = await make('bob', 'Crowd', ['alice', 'erin', 'frank', 'carol'])
  for (const [who, text] of [['bob', 'One'], ['erin', 'Two'], ['frank', 'Three'], ['alice', 'Four'], ['bob', 'Five \u2028 "quoted" \u{1F600}']]) {
    await say(who, 'crowd', text)
  }
  names.frankBlocked = await block('frank')
  names.old = await make('alice', 'Old', ['bob'])
  await say('alice', 'old', 'Closing time')
  await change('alice', 'archiveConversation', 'ArchiveConversationInput', { conversationId: names.old }, '')
  await say('alice', 'weekend', 'Said once', 'once')
  await change('bob', 'markRead', 'MarkReadInput', { conversationId: names.weekend, seq: 6 }, '')
  await change('carol', 'markUnread', 'MarkUnreadInput', { conversationId: names.weekend, seq: 3 }, '')
  names.scratch = await make('alice', 'Scratch', [])
  await say('alice', 'scratch', 'Try')

  const members = await run(server, tokens.alice, `{ conversation(id: "${names.crowd}") { members { edges { node { id user { handle } } } } } }`)
  for (const { node } of members.members.edges) names[`${node.user.handle}InCrowd`] = node.id
  const friendship = await run(server, tokens.alice, '{ user(by: { handle: "bob" }) { viewerRelationship { friendship { id } } } }')
  names.friendship = friendship.viewerRelationship.friendship.id
  return { names, tokens, change }
}

/** Those who cannot be read any more. */
export const BROKEN = ['erin', 'frank']

/**
 * Breaks the rows of two people in the database, so that whoever looks them up meets an error: only so can a field fail
 * that is never null. `directory` is where the database lies.
 */
export async function breakPeople({ change }, directory) {
  // A changed profile is not in memory any more.
  for (const handle of BROKEN) await change(handle, 'updateProfile', 'UpdateProfileInput', { displayName: 'Broken' }, '')
  const [inner] = readdirSync(directory)
  const database = join(directory, inner, 'chat.db')
  const handles = BROKEN.map((handle) => `'${handle}'`).join()
  try {
    const statement = `UPDATE users SET created_at = 'broken' WHERE handle IN (${handles})`
    // Python has SQLite with it, and node 20 has not.
    execFileSync('python3', ['-c', 'import sqlite3, sys; sqlite3.connect(sys.argv[1], 5, isolation_level=None).execute(sys.argv[2])', database, statement])
  } catch (error) {
    throw error.code === 'ENOENT' ? new Error('no python3; apt-get install python3') : error
  }
}
