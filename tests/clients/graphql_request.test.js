// graphql-request: queries and mutations. It has no subscriptions; graphql-sse beside it listens.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ClientError, GraphQLClient } from 'graphql-request'
import { createClient } from 'graphql-sse'
import { LISTEN, SEND, START, startCast } from './support/cast.js'
import { unexpected, until } from './support/wait.js'

const { url, alice, bob, conversationId, stop } = await startCast()
after(stop)

const connect = (token, options) => new GraphQLClient(url, { headers: { authorization: token }, ...options })

for (const method of ['POST', 'GET']) {
  test(`Bob asks by ${method}, and hears by graphql-sse what Alice says`, async (t) => {
    const { viewer, conversation } = await connect(bob, { method }).request(START, { conversationId })
    assert.equal(viewer.user.handle, 'bob')

    const listener = createClient({ url, headers: { authorization: bob } })
    const heard = []
    const variables = { conversationId, afterSeq: conversation.lastSeq }
    const unsubscribe = listener.subscribe({ query: LISTEN, variables }, { next: ({ data }) => heard.push(data.messageSent), error: unexpected, complete() {} })
    t.after(unsubscribe)
    // Mutations go by POST whatever the method is.
    const { sendMessage } = await connect(alice, { method }).request(SEND, { input: { conversationId, text: `after a ${method}` } })
    assert.deepEqual(sendMessage.userErrors, [])

    await until(() => heard.length > 0, 'Bob hears Alice')
    const [message] = heard
    assert.equal(message.text, `after a ${method}`)
    assert.equal(message.sender.handle, 'alice')
    assert.equal(message.seq, conversation.lastSeq + 1)
    assert.equal(message.id, sendMessage.messageEdge.node.id)
  })
}

test('a fault of the program is a ClientError with the errors of the server', async () => {
  await assert.rejects(connect(bob).request('{ nonsense }'), (error) => {
    assert.ok(error instanceof ClientError)
    assert.match(error.response.errors[0].message, /nonsense/)
    return true
  })
})
