// graphql-sse: server-sent events, with a connection for each subscription and with one for all of them.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'graphql-sse'
import { EVENTS, LISTEN, messagesOf, SEND, START, startCast } from './support/cast.js'
import { startTunnel } from './support/tunnel.js'
import { unexpected, until } from './support/wait.js'

const { url, alice, bob, conversationId, start, say, throughTunnel, makeGroup, logInBob, stop } = await startCast()
after(stop)

/** A client, which closes its connections by itself when nobody listens. */
function connect(endpoint, token, options) {
  return createClient({
    url: endpoint,
    headers: () => ({ authorization: token }), // a new object each time: with one connection the client writes in it
    retryAttempts: 100, // five by default; each answer with an error counts too, and Infinity would never tell of it
    retry: () => pause(20), // for the test's sake; by default it waits longer each time, as an app should
    ...options,
  })
}

/** Runs a query or mutation, which has one result. */
async function run(client, query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    assert.equal(errors, undefined)
    return data
  }
}

/** Subscribes; what it returns stops that. */
function listen(client, payload, next) {
  let isComplete = false
  const unsubscribe = client.subscribe(payload, {
    next({ data, errors }) {
      if (errors) unexpected(errors)
      next(data)
    },
    error: unexpected,
    complete: () => (isComplete = true),
  })
  return async () => {
    unsubscribe()
    await until(() => isComplete, 'the subscription ends')
  }
}

const modes = [
  { name: 'with a connection for each subscription', singleConnection: false },
  { name: 'with one connection', singleConnection: true },
]

for (const { name, singleConnection } of modes) {
  test(`${name}, Bob hears what Alice says`, async (t) => {
    const [his, hers] = [connect(url, bob, { singleConnection }), connect(url, alice, { singleConnection })]
    const { viewer, conversation } = await run(his, START, { conversationId })
    assert.equal(viewer.user.handle, 'bob')

    const heard = []
    const variables = { conversationId, afterSeq: conversation.lastSeq }
    t.after(listen(his, { query: LISTEN, variables }, ({ messageSent }) => heard.push(messageSent)))
    const { sendMessage } = await run(hers, SEND, { input: { conversationId, text: name } })
    assert.deepEqual(sendMessage.userErrors, [])

    await until(() => heard.length > 0, 'Bob hears Alice')
    const [message] = heard
    assert.equal(message.text, name)
    assert.equal(message.sender.handle, 'alice')
    assert.equal(message.seq, conversation.lastSeq + 1)
    assert.equal(message.id, sendMessage.messageEdge.node.id)
  })

  test(`${name}, two subscriptions hear the same, and one goes on when the other has stopped`, async (t) => {
    const methods = []
    const fetchFn = (input, init) => {
      methods.push(init.method)
      return fetch(input, init)
    }
    const client = connect(url, bob, { singleConnection, fetchFn })
    const { viewer, conversation } = await start(bob)
    const [messages, events] = [[], []]
    const variables = { conversationId, afterSeq: conversation.lastSeq }
    const stopMessages = listen(client, { query: LISTEN, variables }, ({ messageSent }) => messages.push(messageSent.text))
    const after = viewer.eventCursor
    t.after(listen(client, { query: EVENTS, variables: { after } }, (data) => events.push(...messagesOf(data.events).map(({ text }) => text))))
    await say('to both')
    await until(() => messages.length >= 1 && events.length >= 1, 'Bob hears the first message twice')
    await stopMessages()
    await say('to one')
    await until(() => events.length >= 2, 'Bob hears the second message')
    assert.deepEqual(messages, ['to both'])
    assert.deepEqual(events, ['to both', 'to one'])
    assert.deepEqual(methods, singleConnection ? ['PUT', 'GET', 'POST', 'POST', 'DELETE'] : ['POST', 'POST'])
  })

  test(`${name}, a fault of the program arrives as errors, and the stream is complete`, async () => {
    const client = connect(url, bob, { singleConnection })
    const results = []
    for await (const result of client.iterate({ query: 'subscription { nonsense }' })) results.push(result)
    assert.equal(results.length, 1)
    assert.match(results[0].errors[0].message, /nonsense/)
  })

  test(`${name}, a stream is complete when Bob may not read any more, or has signed out, which he is told`, async () => {
    for (const end of ['removed', 'signed out']) {
      const group = await makeGroup()
      const device = await logInBob()
      const client = connect(url, device.token, { singleConnection })
      const [heard, faults] = [[], []]
      let isComplete = false
      client.subscribe({ query: LISTEN, variables: { conversationId: group.conversationId, afterSeq: 0 } }, {
        next: ({ data, errors }) => (errors ? faults.push(errors[0].extensions.code) : heard.push(data.messageSent.text)),
        error: unexpected,
        complete: () => (isComplete = true),
      })
      await group.say('good night')
      await until(() => heard.length >= 1, 'Bob hears Alice')
      await (end === 'removed' ? group.removeBob() : device.logOut())
      await until(() => isComplete, `the stream is complete when Bob is ${end}`)
      assert.deepEqual(heard, ['good night'])
      assert.deepEqual(faults, end === 'removed' ? [] : ['UNAUTHENTICATED'])
    }
  })

  test(`${name}, after a tunnel the stream comes back by itself, misses nothing and repeats nothing`, async (t) => {
    const { viewer } = await start(bob)
    // The client subscribes with this object again; so write in it where to go on.
    const payload = { query: EVENTS, variables: { after: viewer.eventCursor } }
    await passTunnel(t, payload, { singleConnection }, ({ cursor }) => (payload.variables.after = cursor))
  })
}

test('a stream goes on by Last-Event-ID too, which the program sends as a header', async (t) => {
  // The client neither keeps the ids of the events nor sends the header; but the id of a frame is its cursor.
  let lastEventId
  const headers = () => ({ authorization: bob, ...(lastEventId && { 'last-event-id': lastEventId }) })
  const { viewer } = await start(bob)
  const payload = { query: EVENTS, variables: { after: viewer.eventCursor } }
  await passTunnel(t, payload, { headers }, ({ cursor }) => (lastEventId = cursor))
})

/** Bob's client goes through a tunnel. */
async function passTunnel(t, payload, options, keep) {
  const tunnel = await startTunnel(t, url)
  const client = connect(tunnel.url, bob, options)
  const heard = []
  const stopListening = listen(client, payload, ({ events }) => {
    keep(events)
    heard.push(...messagesOf(events))
  })
  await throughTunnel(tunnel, heard)
  await stopListening()
}
