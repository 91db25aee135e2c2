// Apollo Client 4: over HTTP, over a WebSocket, with subscriptions as multipart responses, and with persisted queries.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { CombinedGraphQLErrors } from '@apollo/client/errors'
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { RetryLink } from '@apollo/client/link/retry'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { OperationTypeNode } from 'graphql'
import { createClient } from 'graphql-ws'
import { tap } from 'rxjs'
import WebSocket from 'ws'
import { EVENTS, LISTEN, messagesOf, SEND, START, startCast } from './support/cast.js'
import { startTunnel } from './support/tunnel.js'
import { unexpected, until } from './support/wait.js'

// GraphQLWsLink wants it in the global scope, where browsers and node from version 22 on have it.
globalThis.WebSocket ??= WebSocket

const { url, wsUrl, alice, bob, conversationId, start, say, throughTunnel, makeGroup, logInBob, stop } = await startCast()
after(stop)

const [startQuery, sendMutation, listenSubscription, eventsSubscription] = [START, SEND, LISTEN, EVENTS].map((text) => gql(text))

/** Queries and mutations; without another link its subscriptions are multipart responses. */
const overHttp = (uri, token, options) => new HttpLink({ uri, headers: { authorization: token }, ...options })

/** The options are explained in graphql_ws.test.js. */
function overWebSocket(t, url, token) {
  const client = createClient({
    url,
    connectionParams: { authorization: token },
    retryAttempts: Infinity,
    shouldRetry: (reason) => reason.code !== 4403,
    retryWait: () => pause(20),
  })
  t.after(() => client.dispose())
  return new GraphQLWsLink(client)
}

/** What the links below it subscribe with again after a break: the variables, in which this link notes how far it heard. */
const keepPlace = new ApolloLink((operation, forward) =>
  forward(operation).pipe(
    tap(({ data }) => {
      if (data?.events) operation.variables.after = data.events.cursor
      if (data?.messageSent) operation.variables.afterSeq = data.messageSent.seq
    }),
  ),
)

/** A `fetch` that notes what sort of answer came. */
function noteKinds() {
  const kinds = []
  const noting = async (uri, options) => {
    const answer = await fetch(uri, options)
    kinds.push(answer.headers.get('content-type').split(';')[0])
    return answer
  }
  return { kinds, noting }
}

function open(t, link) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() })
  t.after(() => client.stop())
  return client
}

/** Subscribes, and stops at the end of the test. */
function listen(t, client, query, variables, next) {
  // Frames of events are not for the cache; what happened in them is.
  const subscription = client.subscribe({ query, variables, fetchPolicy: 'no-cache' }).subscribe({
    next({ data, error }) {
      if (error) unexpected(error)
      next(data)
    },
    error: unexpected,
  })
  t.after(() => subscription.unsubscribe())
}

/** Bob begins to listen with one client, Alice speaks with another. */
async function talk(t, his, hers, text) {
  const { data } = await his.query({ query: startQuery, variables: { conversationId } })
  assert.equal(data.viewer.user.handle, 'bob')

  const heard = []
  const variables = { conversationId, afterSeq: data.conversation.lastSeq }
  listen(t, his, listenSubscription, variables, ({ messageSent }) => heard.push(messageSent))
  const sent = await hers.mutate({ mutation: sendMutation, variables: { input: { conversationId, text } } })
  assert.deepEqual(sent.data.sendMessage.userErrors, [])

  await until(() => heard.length > 0, 'Bob hears Alice')
  const [message] = heard
  assert.equal(message.text, text)
  assert.equal(message.sender.handle, 'alice')
  assert.equal(message.seq, data.conversation.lastSeq + 1)
  assert.equal(message.id, sent.data.sendMessage.messageEdge.node.id)
  return heard
}

/** Bob's client goes through a tunnel. */
async function passTunnel(t, tunnel, client) {
  const heard = []
  const { viewer } = await start(bob)
  listen(t, client, eventsSubscription, { after: viewer.eventCursor }, ({ events }) => heard.push(...messagesOf(events)))
  await throughTunnel(tunnel, heard)
}

test('Bob asks and Alice speaks over HTTP while subscriptions run over a WebSocket', async (t) => {
  const isSubscription = ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION
  const { kinds, noting } = noteKinds()
  const link = ApolloLink.split(isSubscription, overWebSocket(t, wsUrl, bob), overHttp(url, bob, { fetch: noting }))
  await talk(t, open(t, link), open(t, overHttp(url, alice)), 'over HTTP')
  assert.deepEqual(kinds, ['application/graphql-response+json'])
})

test('everything runs over one WebSocket', async (t) => {
  await talk(t, open(t, overWebSocket(t, wsUrl, bob)), open(t, overWebSocket(t, wsUrl, alice)), 'over a WebSocket')
})

test('with nothing but HttpLink a subscription is a multipart response', async (t) => {
  const { kinds, noting } = noteKinds()
  const heard = await talk(t, open(t, overHttp(url, bob, { fetch: noting })), open(t, overHttp(url, alice)), 'in parts')
  assert.deepEqual(kinds, ['application/graphql-response+json', 'multipart/mixed'])
  await say('in more parts')
  await until(() => heard.length >= 2, 'Bob hears the second message')
  assert.deepEqual(heard.map(({ text }) => text), ['in parts', 'in more parts'])
})

test('a multipart subscription is complete when Bob may not read any more; that he has signed out is an error', async (t) => {
  for (const end of ['removed', 'signed out']) {
    const group = await makeGroup()
    const device = await logInBob()
    const client = open(t, overHttp(url, device.token))
    const [heard, faults] = [[], []]
    let isComplete = false
    const variables = { conversationId: group.conversationId, afterSeq: 0 }
    client.subscribe({ query: listenSubscription, variables }).subscribe({
      next: ({ data, error }) => (error ? faults.push(error.errors[0].extensions.code) : heard.push(data.messageSent.text)),
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

test('a fault of the program is an error with the message and code of the server, over every link', async (t) => {
  const nonsense = gql('subscription { nonsense }')
  for (const link of [overHttp(url, bob), overWebSocket(t, wsUrl, bob)]) {
    const faults = []
    open(t, link).subscribe({ query: nonsense }).subscribe({ next: ({ error }) => faults.push(error), error: unexpected })
    await until(() => faults.length > 0, 'the client hears of the fault')
    assert.ok(CombinedGraphQLErrors.is(faults[0]))
    assert.match(faults[0].message, /nonsense/)
    assert.equal(faults[0].errors[0].extensions.code, 'QUERY_REJECTED')
  }
})

test('after a tunnel the WebSocket comes back by itself, misses nothing and repeats nothing', async (t) => {
  const tunnel = await startTunnel(t, url)
  await passTunnel(t, tunnel, open(t, keepPlace.concat(overWebSocket(t, tunnel.wsUrl, bob))))
})

test('after a tunnel a multipart subscription comes back by a RetryLink, misses nothing and repeats nothing', async (t) => {
  const tunnel = await startTunnel(t, url)
  const isSignedOut = (error) => error.errors?.[0].extensions.code === 'UNAUTHENTICATED'
  const retryIf = (error, { operationType }) => operationType === OperationTypeNode.SUBSCRIPTION && !isSignedOut(error)
  const retry = new RetryLink({ attempts: { max: Infinity, retryIf }, delay: { initial: 20 } }) // by default 300 ms
  await passTunnel(t, tunnel, open(t, ApolloLink.from([retry, keepPlace, overHttp(tunnel.url, bob)])))
})

const sha256 = (text) => createHash('sha256').update(text).digest('hex')

for (const useGETForHashedQueries of [false, true]) {
  const method = useGETForHashedQueries ? 'GET' : 'POST'
  test(`a query by its hash is sent whole once, and known to everybody after that (${method})`, async (t) => {
    // A document of its own: the server has not seen it before.
    const query = gql(`query Persisted${method}($id: ID!) { conversation(id: $id) { id lastSeq } viewer { user { handle } } }`)
    const ask = async (token) => {
      const requests = []
      const noting = async (uri, options) => {
        const answer = await fetch(uri, options)
        const request = options.body ? JSON.parse(options.body) : Object.fromEntries(new URL(uri).searchParams)
        const { errors } = await answer.clone().json()
        requests.push([options.method, 'query' in request ? 'whole' : 'hash', errors?.[0]?.message])
        return answer
      }
      const persisted = createPersistedQueryLink({ sha256, useGETForHashedQueries })
      const client = open(t, persisted.concat(overHttp(url, token, { fetch: noting })))
      const { data } = await client.query({ query, variables: { id: conversationId } })
      assert.equal(data.conversation.id, conversationId)
      return { requests, handle: data.viewer.user.handle }
    }
    const first = [[method, 'hash', 'PersistedQueryNotFound'], ['POST', 'whole', undefined]]
    assert.deepEqual(await ask(bob), { requests: first, handle: 'bob' })
    assert.deepEqual(await ask(alice), { requests: [[method, 'hash', undefined]], handle: 'alice' })
  })
}

test('a mutation by its hash is run once, by POST', async (t) => {
  const mutation = gql(SEND.replace('ChatSendMutation', 'PersistedSendMutation'))
  const methods = []
  const noting = (uri, options) => {
    methods.push(options.method)
    return fetch(uri, options)
  }
  const persisted = createPersistedQueryLink({ sha256, useGETForHashedQueries: true })
  const client = open(t, persisted.concat(overHttp(url, alice, { fetch: noting })))
  const { conversation } = await start(alice)
  for (const [times, text] of [[1, 'whole'], [2, 'by hash']]) {
    const { data } = await client.mutate({ mutation, variables: { input: { conversationId, text } } })
    assert.deepEqual(data.sendMessage.userErrors, [])
    assert.equal(data.sendMessage.messageEdge.node.seq, conversation.lastSeq + times)
  }
  assert.deepEqual(methods, ['POST', 'POST', 'POST'])
})
