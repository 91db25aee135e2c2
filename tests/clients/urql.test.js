// urql 6: by POST and GET, with subscriptions as server-sent events, as multipart responses and over a WebSocket.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { EVENTS, LISTEN, messagesOf, SEND, START, startCast } from './support/cast.js'
import { startTunnel } from './support/tunnel.js'
import { unexpected, until } from './support/wait.js'

const { url, wsUrl, alice, bob, conversationId, start, say, throughTunnel, makeGroup, logInBob, stop } = await startCast()
after(stop)

/** A client for HTTP, and the method and sort of answer of each of its requests. */
function overHttp(token, { headers, ...options } = {}) {
  const requests = []
  const client = new Client({
    url,
    exchanges: [fetchExchange],
    fetchOptions: { headers: { authorization: token, ...headers } },
    fetch: async (input, init) => {
      const answer = await fetch(input, init)
      requests.push([init.method, answer.headers.get('content-type').split(';')[0]])
      return answer
    },
    ...options,
  })
  return { client, requests }
}

/** A client whose subscriptions run over a WebSocket; the options are explained in graphql_ws.test.js. */
function overWebSocket(t, token, { socketUrl = wsUrl, enableAllOperations = false } = {}) {
  const socket = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: token },
    retryAttempts: Infinity,
    shouldRetry: (reason) => reason.code !== 4403,
    retryWait: () => pause(20),
  })
  t.after(() => socket.dispose())
  const forwardSubscription = (request) => ({
    subscribe(sink) {
      // The socket keeps this object and subscribes with it again after a break; so note in it how far one heard.
      const payload = { ...request, variables: { ...request.variables } }
      const unsubscribe = socket.subscribe(payload, {
        ...sink,
        next(result) {
          const { events, messageSent } = result.data ?? {}
          if (events) payload.variables.after = events.cursor
          if (messageSent) payload.variables.afterSeq = messageSent.seq
          sink.next(result)
        },
      })
      return { unsubscribe }
    },
  })
  return new Client({
    url,
    exchanges: [subscriptionExchange({ forwardSubscription, enableAllOperations }), fetchExchange],
    fetchOptions: { headers: { authorization: token } },
  })
}

/** Bob begins to listen with one client, Alice speaks with another. */
async function talk(t, his, hers, text) {
  const { data } = await his.query(START, { conversationId })
  assert.equal(data.viewer.user.handle, 'bob')

  const heard = []
  const variables = { conversationId, afterSeq: data.conversation.lastSeq }
  const subscription = his.subscription(LISTEN, variables).subscribe(({ data, error, hasNext }) => {
    if (error) unexpected(error)
    if (hasNext) heard.push(data.messageSent) // at the end the last result comes once more
  })
  t.after(() => subscription.unsubscribe())
  const sent = await hers.mutation(SEND, { input: { conversationId, text } })
  assert.deepEqual(sent.data.sendMessage.userErrors, [])

  await until(() => heard.length >= 1, 'Bob hears Alice')
  await say(`${text}, again`)
  await until(() => heard.length >= 2, 'Bob hears Alice again')
  assert.deepEqual(heard.map(({ seq }) => seq), [data.conversation.lastSeq + 1, data.conversation.lastSeq + 2])
  assert.deepEqual(heard.map((message) => message.text), [text, `${text}, again`])
  assert.equal(heard[0].sender.handle, 'alice')
  assert.equal(heard[0].id, sent.data.sendMessage.messageEdge.node.id)
}

const sse = 'text/event-stream'
const multipart = 'multipart/mixed'

test('short queries go by GET, mutations by POST, subscriptions are server-sent events', async (t) => {
  const [his, hers] = [overHttp(bob, { fetchSubscriptions: true }), overHttp(alice)]
  await talk(t, his.client, hers.client, 'by GET')
  const json = 'application/graphql-response+json'
  assert.deepEqual(his.requests, [['GET', json], ['POST', sse]])
  assert.deepEqual(hers.requests, [['POST', json]])
})

test('queries go by POST when they should', async () => {
  const { client, requests } = overHttp(bob, { preferGetMethod: false })
  const { data } = await client.query(START, { conversationId })
  assert.equal(data.viewer.user.handle, 'bob')
  assert.deepEqual(requests, [['POST', 'application/graphql-response+json']])
})

test('an Accept header of its own makes a subscription a multipart response', async (t) => {
  // Not with Apollo's `;subscriptionSpec=1.0`: urql takes the heartbeats of that for results.
  const headers = { accept: `${multipart}, application/json` }
  const his = overHttp(bob, { fetchSubscriptions: true, headers })
  await talk(t, his.client, overHttp(alice).client, 'in parts')
  assert.deepEqual(his.requests, [['GET', 'application/json'], ['POST', multipart]])
})

test('subscriptions run over a WebSocket, the rest over HTTP', async (t) => {
  await talk(t, overWebSocket(t, bob), overWebSocket(t, alice), 'over a WebSocket')
})

test('everything runs over one WebSocket', async (t) => {
  const options = { enableAllOperations: true }
  await talk(t, overWebSocket(t, bob, options), overWebSocket(t, alice, options), 'all over a WebSocket')
})

for (const [name, headers] of [['server-sent events', {}], ['a multipart response', { accept: multipart }]]) {
  test(`with ${name}, a stream ends when Bob may not read any more, or has signed out, which is an error`, async () => {
    for (const end of ['removed', 'signed out']) {
      const group = await makeGroup()
      const device = await logInBob()
      const { client } = overHttp(device.token, { fetchSubscriptions: true, headers })
      const [heard, faults] = [[], []]
      let isComplete = false
      client.subscription(LISTEN, { conversationId: group.conversationId, afterSeq: 0 }).subscribe(({ data, error, hasNext }) => {
        if (!hasNext) isComplete = true
        else if (error) faults.push(error.graphQLErrors[0].extensions.code)
        else heard.push(data.messageSent.text)
      })
      await group.say('good night')
      await until(() => heard.length >= 1, 'Bob hears Alice')
      await (end === 'removed' ? group.removeBob() : device.logOut())
      await until(() => isComplete, `the stream ends when Bob is ${end}`)
      assert.deepEqual(heard, ['good night'])
      assert.deepEqual(faults, end === 'removed' ? [] : ['UNAUTHENTICATED'])
    }
  })
}

test('a fault of the program is an error with the code of the server, over every transport', async (t) => {
  const transports = [
    overHttp(bob, { fetchSubscriptions: true }).client,
    overHttp(bob, { fetchSubscriptions: true, headers: { accept: multipart } }).client,
    overWebSocket(t, bob),
  ]
  for (const client of transports) {
    const results = []
    client.subscription('subscription { nonsense }', {}).subscribe((result) => results.push(result))
    await until(() => results.length > 0, 'the client hears of the fault')
    assert.match(results[0].error.message, /nonsense/)
    assert.equal(results[0].error.graphQLErrors[0].extensions.code, 'QUERY_REJECTED')
  }
})

test('after a tunnel the WebSocket comes back by itself, misses nothing and repeats nothing', async (t) => {
  const tunnel = await startTunnel(t, url)
  const client = overWebSocket(t, bob, { socketUrl: tunnel.wsUrl })
  const heard = []
  const { viewer } = await start(bob)
  const subscription = client.subscription(EVENTS, { after: viewer.eventCursor }).subscribe(({ data, error }) => {
    if (error) unexpected(error)
    heard.push(...messagesOf(data.events))
  })
  t.after(() => subscription.unsubscribe())
  await throughTunnel(tunnel, heard)
})

test('after a tunnel a new stream of server-sent events goes on behind the last cursor', async (t) => {
  const tunnel = await startTunnel(t, url)
  const { client } = overHttp(bob, { url: tunnel.url, fetchSubscriptions: true })
  const heard = []
  let { eventCursor: after } = (await start(bob)).viewer
  let subscription, again
  // urql does not come back by itself, but this is all that is needed. (In an app wait longer each time.)
  const follow = () => {
    subscription = client.subscription(EVENTS, { after }).subscribe(({ data, error, hasNext }) => {
      if (error?.graphQLErrors.length) return unexpected(error) // the server's own word: signed out, for example
      if (!hasNext) {
        again = setTimeout(follow, 20)
        return
      }
      after = data.events.cursor
      heard.push(...messagesOf(data.events))
    })
  }
  follow()
  t.after(() => {
    subscription.unsubscribe()
    clearTimeout(again)
  })
  await throughTunnel(tunnel, heard)
})
