// Relay 21: a fetch function of its own, graphql-ws for subscriptions, artifacts of relay-compiler.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { commitMutation, Environment, fetchQuery, Network, Observable, RecordSource, requestSubscription, Store } from 'relay-runtime'
import WebSocket from 'ws'
import { EVENTS, LISTEN, messagesOf, SEND, START, startCast } from './support/cast.js'
import { compile } from './support/relay.js'
import { startTunnel } from './support/tunnel.js'
import { unexpected, until } from './support/wait.js'

const { url, wsUrl, alice, bob, conversationId, start, say, throughTunnel, stop } = await startCast()
after(stop)
const [startQuery, sendMutation, listenSubscription, eventsSubscription] = await compile('Chat', [START, SEND, LISTEN, EVENTS])

/** An environment as an app has one; the options of the socket are explained in graphql_ws.test.js. */
function open(t, token, socketUrl = wsUrl) {
  const ask = async ({ text: query }, variables) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: token, 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    })
    return answer.json()
  }
  const socket = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: token },
    retryAttempts: Infinity,
    shouldRetry: (reason) => reason.code !== 4403,
    retryWait: () => pause(20),
  })
  t.after(() => socket.dispose())
  const listen = ({ name: operationName, text: query }, variables) =>
    Observable.create((sink) => {
      // The socket keeps this object and subscribes with it again after a break; so note in it how far one heard.
      const payload = { operationName, query, variables: { ...variables } }
      return socket.subscribe(payload, {
        ...sink,
        next(result) {
          const { events, messageSent } = result.data ?? {}
          if (events) payload.variables.after = events.cursor
          if (messageSent) payload.variables.afterSeq = messageSent.seq
          sink.next(result)
        },
        error: (fault) => sink.error(Array.isArray(fault) ? new AggregateError(fault, fault[0].message) : fault),
      })
    })
  return new Environment({ network: Network.create(ask, listen), store: new Store(new RecordSource()) })
}

function follow(t, environment, subscription, variables, onNext) {
  const { dispose } = requestSubscription(environment, { subscription, variables, onNext, onError: unexpected })
  t.after(dispose)
}

const commit = (environment, mutation, variables) =>
  new Promise((onCompleted, onError) => commitMutation(environment, { mutation, variables, onCompleted, onError }))

test('relay-compiler refuses a document that the schema does not allow', async () => {
  await assert.rejects(compile('Chat', ['query ChatBadQuery { viewer { shoeSize } }']), /shoeSize/)
})

test('Bob asks over HTTP and hears over a WebSocket what Alice says', async (t) => {
  const [his, hers] = [open(t, bob), open(t, alice)]
  const { viewer, conversation } = await fetchQuery(his, startQuery, { conversationId }).toPromise()
  assert.equal(viewer.user.handle, 'bob')

  const heard = []
  const variables = { conversationId, afterSeq: conversation.lastSeq }
  follow(t, his, listenSubscription, variables, ({ messageSent }) => heard.push(messageSent))
  const { sendMessage } = await commit(hers, sendMutation, { input: { conversationId, text: 'to a store' } })
  assert.deepEqual(sendMessage.userErrors, [])

  await until(() => heard.length > 0, 'Bob hears Alice')
  const [message] = heard
  assert.equal(message.text, 'to a store')
  assert.equal(message.sender.handle, 'alice')
  assert.equal(message.seq, conversation.lastSeq + 1)
  const { id } = sendMessage.messageEdge.node
  assert.equal(message.id, id)
  assert.equal(his.getStore().getSource().get(id).text, 'to a store')
})

test('a fault of the program is the error of a request', async (t) => {
  const environment = open(t, bob)
  const variables = { conversationId, afterSeq: 1_000_000 }
  const fault = await new Promise((onError) => requestSubscription(environment, { subscription: listenSubscription, variables, onError }))
  assert.equal(fault.errors[0].extensions.code, 'BAD_USER_INPUT')
})

test('after a tunnel the stream comes back by itself, misses nothing and repeats nothing', async (t) => {
  const tunnel = await startTunnel(t, url)
  const heard = []
  const { viewer } = await start(bob)
  follow(t, open(t, bob, tunnel.wsUrl), eventsSubscription, { after: viewer.eventCursor }, ({ events }) => heard.push(...messagesOf(events)))
  await throughTunnel(tunnel, heard)
})
