// graphql-ws, the client that most others use for their WebSocket.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { EVENTS, LISTEN, messagesOf, SEND, START, startCast } from './support/cast.js'
import { startTunnel } from './support/tunnel.js'
import { unexpected, until } from './support/wait.js'

const { wsUrl, url, alice, bob, conversationId, start, say, throughTunnel, makeGroup, logInBob, stop } = await startCast()
after(stop)

/** A client as an app should have it. */
function connect(t, url, token, options) {
  const client = createClient({
    url,
    webSocketImpl: WebSocket, // a browser and node from version 22 on have their own
    connectionParams: { authorization: token },
    // Without these two the client gives up after five attempts, and at once when nobody answers at all.
    retryAttempts: Infinity,
    shouldRetry: (reason) => reason.code !== 4403, // the session has ended: log in again
    retryWait: () => pause(20), // for the test's sake; by default it waits longer each time, as an app should
    ...options,
  })
  t.after(() => client.dispose())
  return client
}

/** Runs a query or mutation, which has one result. */
async function run(client, query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    assert.equal(errors, undefined)
    return data
  }
}

test('Bob hears over the WebSocket what Alice says over hers', async (t) => {
  const [his, hers] = [connect(t, wsUrl, bob), connect(t, wsUrl, alice)]
  const { viewer, conversation } = await run(his, START, { conversationId })
  assert.equal(viewer.user.handle, 'bob')

  const heard = []
  const variables = { conversationId, afterSeq: conversation.lastSeq }
  his.subscribe({ query: LISTEN, variables }, { next: ({ data }) => heard.push(data.messageSent), error: unexpected, complete() {} })
  const { sendMessage } = await run(hers, SEND, { input: { conversationId, text: 'over a WebSocket' } })
  assert.deepEqual(sendMessage.userErrors, [])

  await until(() => heard.length > 0, 'Bob hears Alice')
  const [message] = heard
  assert.equal(message.text, 'over a WebSocket')
  assert.equal(message.sender.handle, 'alice')
  assert.equal(message.seq, conversation.lastSeq + 1)
  assert.equal(message.id, sendMessage.messageEdge.node.id)
})

test('a fault of the program arrives as an error, and the socket goes on', async (t) => {
  const client = connect(t, wsUrl, bob)
  const fault = await new Promise((resolve) => {
    client.subscribe({ query: 'subscription { nonsense }' }, { next: assert.fail, error: resolve, complete: assert.fail })
  })
  assert.match(fault[0].message, /nonsense/)
  assert.equal((await run(client, START, { conversationId })).viewer.user.handle, 'bob')
})

test('after a tunnel the socket comes back by itself, and its stream of events misses nothing and repeats nothing', async (t) => {
  const tunnel = await startTunnel(t, url)
  const client = connect(t, tunnel.wsUrl, bob)

  const heard = []
  // The client keeps this object and subscribes with it again; so write in it where to go on.
  const payload = { query: EVENTS, variables: { after: (await start(bob)).viewer.eventCursor } }
  client.subscribe(payload, {
    next({ data: { events: frame } }) {
      payload.variables.after = frame.cursor
      heard.push(...messagesOf(frame))
    },
    error: unexpected,
    complete() {},
  })
  await throughTunnel(tunnel, heard)
  assert.equal(tunnel.accepted, 2)
})

test('after a tunnel the messages of one conversation go on behind the last one that was heard', async (t) => {
  const tunnel = await startTunnel(t, url)
  const client = connect(t, tunnel.wsUrl, bob)

  const heard = []
  const payload = { query: LISTEN, variables: { conversationId, afterSeq: (await start(bob)).conversation.lastSeq } }
  client.subscribe(payload, {
    next({ data: { messageSent } }) {
      payload.variables.afterSeq = messageSent.seq
      heard.push(messageSent)
    },
    error: unexpected,
    complete() {},
  })
  await throughTunnel(tunnel, heard)
})

test('a socket that dies without a word is noticed by pings, and another takes its place', async (t) => {
  const tunnel = await startTunnel(t, url)
  let noPong
  const client = connect(t, tunnel.wsUrl, bob, {
    keepAlive: 100, // ping after so many milliseconds; in an app rather 10 seconds, and 5 to wait for the pong
    on: {
      ping: (isReceived) => isReceived || (noPong = setTimeout(() => client.terminate(), 100)),
      pong: (isReceived) => isReceived && clearTimeout(noPong),
    },
  })
  t.after(() => clearTimeout(noPong))

  const heard = []
  const payload = { query: LISTEN, variables: { conversationId, afterSeq: (await start(bob)).conversation.lastSeq } }
  client.subscribe(payload, {
    next({ data: { messageSent } }) {
      payload.variables.afterSeq = messageSent.seq
      heard.push(messageSent)
    },
    error: unexpected,
    complete() {},
  })
  await say('anybody there?')
  await until(() => heard.length >= 1, 'Bob hears Alice')
  tunnel.silence()
  await say('hello?')
  await until(() => heard.length >= 2, 'Bob hears what was said into the silence')
  assert.deepEqual(heard.map(({ text }) => text), ['anybody there?', 'hello?'])
  assert.equal(tunnel.accepted, 2)
})

test('a stream is complete when Bob may not read any more, or has signed out, and he does not come back', async (t) => {
  for (const end of ['removed', 'signed out']) {
    const group = await makeGroup()
    const device = await logInBob()
    const attempts = []
    const client = connect(t, wsUrl, device.token, { on: { connecting: () => attempts.push('connecting') } })
    const heard = []
    let isComplete = false
    client.subscribe({ query: LISTEN, variables: { conversationId: group.conversationId, afterSeq: 0 } }, {
      next: ({ data }) => heard.push(data.messageSent.text),
      error: unexpected,
      complete: () => (isComplete = true),
    })
    await group.say('good night')
    await until(() => heard.length >= 1, 'Bob hears Alice')
    await (end === 'removed' ? group.removeBob() : device.logOut())
    await until(() => isComplete, `the stream is complete when Bob is ${end}`)
    assert.deepEqual(heard, ['good night'])
    assert.deepEqual(attempts, ['connecting'])
  }
})
