// The cast of every test here: Alice and Bob, two friends of the demo, and the conversation between them.
import assert from 'node:assert/strict'
import { post, startServer } from './server.js'
import { until } from './wait.js'

// What the clients run. The names are such as relay-compiler wants them in a file named Chat.js.

export const START = /* GraphQL */ `
  query ChatStartQuery($conversationId: ID!) {
    viewer { eventCursor user { handle } }
    conversation(id: $conversationId) { id lastSeq }
  }
`

export const SEND = /* GraphQL */ `
  mutation ChatSendMutation($input: SendMessageInput!) {
    sendMessage(input: $input) {
      messageEdge { node { id seq text } }
      userErrors { code message }
    }
  }
`

/** The messages of one conversation, those behind `afterSeq` first. */
export const LISTEN = /* GraphQL */ `
  subscription ChatListenSubscription($conversationId: ID!, $afterSeq: Int) {
    messageSent(conversationId: $conversationId, afterSeq: $afterSeq) { id seq text sender { id handle } }
  }
`

/** Everything that happens to the viewer, what is behind `after` first. */
export const EVENTS = /* GraphQL */ `
  subscription ChatEventsSubscription($after: String) {
    events(after: $after) {
      cursor
      isCaughtUp
      resync
      events {
        __typename
        id
        ... on MessageSentEvent { messageEdge { node { id seq text sender { id handle } } } }
      }
    }
  }
`

/** The messages in a frame of `EVENTS`. */
export const messagesOf = (frame) =>
  frame.events.filter(({ __typename }) => __typename === 'MessageSentEvent').map(({ messageEdge }) => messageEdge.node)

/**
 * Starts a server with the demo.
 *
 * @returns what `startServer` returns, with `wsUrl`, the people's tokens `alice` and `bob`, their `conversationId`,
 *   and what is done without the client under test: `start(token)`, which reads what `START` asks for, `say(text)`,
 *   by which Alice says something, `throughTunnel(tunnel, heard)`, `makeGroup()` and `logInBob()`
 */
export async function startCast() {
  const server = await startServer(['--demo'])
  const { url } = server
  const { alice, bob } = server.tokens
  const run = async (token, query, variables) => {
    const { data, errors } = await post(url, token, query, variables)
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
  const { user } = await run(alice, '{ user(by: { handle: "bob" }) { id } }')
  const open = 'mutation($input: OpenDirectConversationInput!) { openDirectConversation(input: $input) { conversation { id } } }'
  const opened = await run(alice, open, { input: { userId: user.id } })
  const conversationId = opened.openDirectConversation.conversation.id
  const sayIn = async (conversationId, text) => {
    const { sendMessage } = await run(alice, SEND, { input: { conversationId, text } })
    assert.deepEqual(sendMessage.userErrors, [])
    return sendMessage.messageEdge.node
  }
  const say = (text) => sayIn(conversationId, text)
  return {
    ...server,
    wsUrl: url.replace(/^http/, 'ws'),
    alice,
    bob,
    conversationId,
    start: (token) => run(token, START, { conversationId }),
    say,
    /**
     * Bob goes through a tunnel while Alice goes on talking; he must hear everything once and in order.
     *
     * @param tunnel in which Bob's client is
     * @param {{ seq: number, text: string }[]} heard the messages that Bob's client hears
     */
    async throughTunnel(tunnel, heard) {
      const said = [await say('before the tunnel')]
      await until(() => heard.length >= 1, 'Bob hears what is said before the tunnel')
      tunnel.enter()
      said.push(await say('in the tunnel'), await say('deep in the tunnel'))
      await until(() => tunnel.refused > 0, 'the client tries to come back')
      tunnel.leave()
      await until(() => heard.length >= 3, 'Bob hears what was said in the tunnel')
      said.push(await say('behind the tunnel'))
      await until(() => heard.at(-1).text === 'behind the tunnel', 'Bob hears what is said behind the tunnel')
      const numbered = ({ seq, text }) => `${seq} ${text}`
      assert.deepEqual(heard.map(numbered), said.map(numbered))
    },
    /** A group of Alice's in which she can say something to Bob, and out of which she can put him. */
    async makeGroup() {
      const create = 'mutation($input: CreateConversationInput!) { createConversation(input: $input) { conversationEdge { node { id } } } }'
      const made = await run(alice, create, { input: { title: 'For a while', memberIds: [user.id] } })
      const { id } = made.createConversation.conversationEdge.node
      const remove = 'mutation($input: RemoveMemberInput!) { removeMember(input: $input) { userErrors { code } } }'
      return {
        conversationId: id,
        say: (text) => sayIn(id, text),
        removeBob: () => run(alice, remove, { input: { conversationId: id, userId: user.id } }),
      }
    },
    /** Bob on one more device, which can be signed out without the others noticing. */
    async logInBob() {
      const logIn = 'mutation($input: LogInInput!) { logIn(input: $input) { token { value } } }'
      const made = await run(undefined, logIn, { input: { handle: 'bob', password: 'correct horse battery' } })
      const token = `Bearer ${made.logIn.token.value}`
      return { token, logOut: () => run(token, 'mutation { logOut(input: {}) { endedSessionId } }') }
    },
  }
}
