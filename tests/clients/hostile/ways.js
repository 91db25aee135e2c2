// The ways in: the same hostile request over each, and what each way makes of the same verdict.
import { createHash } from 'node:crypto'
import { BODY_BYTES_MAX, HEAD_BYTES_MAX, get, post, say, upgrade } from './bytes.js'

const hash = (query) => createHash('sha256').update(query).digest('hex')

/** Opens a socket and says who we are. */
export const open = (payload, options) => [upgrade(options), { hears: '101' }, say({ type: 'connection_init', payload }), { hears: 'connection_ack' }]

const subscribe = (json) => say(Buffer.concat([Buffer.from('{"id":"1","type":"subscribe","payload":'), json, Buffer.from('}')]))

/** How a POST ends. */
const http = {
  refused: (code) => `400 ${code}`,
  told: (code) => `200 ${code}`,
  'no request': () => '400 BAD_USER_INPUT',
  'too large': () => ['413 BAD_USER_INPUT', 'closed'],
  packed: () => '415 BAD_USER_INPUT',
  'too many values': () => '400 BAD_USER_INPUT',
}

/** How events end that were begun by a POST. */
const events = { ...http, refused: (code) => `event ${code}`, told: (code) => `event ${code}` }

/** Where one way ends otherwise than another with the same verdict is no matter of ours. */
const parts = { ...http, refused: (code) => [`400 ${code}`, `part ${code}`], told: (code) => [`200 ${code}`, `part ${code}`] }

const PARTS = 'multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json'

/**
 * For each way: `steps` that send a body, JSON unless the case is of something else, and the `ends` of each verdict.
 * A verdict is `refused CODE` (nothing ran), `told CODE` (it ran), `no request`, `too large`,
 * `too many values` or `packed`.
 */
const ways = {
  POST: { steps: (json, headers) => [post(json, headers)], ends: http },
  socket: {
    steps: (json, headers) => [...open(undefined, { headers }), subscribe(json)],
    ends: {
      refused: (code) => `error ${code}`,
      told: (code) => `next ${code}`,
      'no request': () => 'close 4400',
      'too large': () => ['close 1009', 'closed'],
      'too many values': () => 'close 1009',
    },
  },
  events: { steps: (json, headers) => [post(json, headers, 'text/event-stream')], ends: events },
  multipart: { steps: (json, headers) => [post(json, headers, PARTS)], ends: parts },
  stream: { steps: (json, headers) => [{ reserves: headers }, (token) => post(json, [...headers, token])], ends: events },
}

/** A case for a body in one way in. */
function over(way, { name, headers = [], ...rest }, json, verdict) {
  const { steps, ends } = ways[way]
  // A socket's message has some words around it.
  const words = json.length <= BODY_BYTES_MAX - (way === 'socket' ? 64 : 0) ? verdict : 'too large'
  const alternatives = [words].flat().flatMap((each) => {
    const kind = Object.keys(ends).find((known) => each.startsWith(known))
    return ends[kind](each.slice(kind.length + 1))
  })
  return { name: `${name}, by ${way}`, way, steps: steps(json, headers), ends: alternatives, ...rest }
}

/** The same request in a query string. */
function byGet({ name, headers, ...rest }, parameters, verdict) {
  const bytes = get(parameters, headers)
  const ends = bytes.length > HEAD_BYTES_MAX ? ['414', '431', 'closed'] : over('POST', { name }, '', verdict).ends
  // It must be posted, whatever else is wrong with it.
  if (/^mutation/.test(parameters.query)) ends.push('405 QUERY_REJECTED')
  return { name: `${name}, by GET`, way: 'GET', steps: [bytes], ends, ...rest }
}

/**
 * A hostile document over every way in.
 *
 * @param document `name`; `query`; `variables`, `operationName`, `extensions` if it has any; `verdict`, `refused
 *   QUERY_REJECTED` unless said; `only`, the ways, when it is not all of them
 */
export function everyWay({ query, variables, operationName, extensions, verdict = 'refused QUERY_REJECTED', only, ...rest }) {
  const parameters = { query, variables, operationName, extensions }
  const written = (more) => Buffer.from(JSON.stringify({ ...parameters, extensions: { ...extensions, ...more } }))
  const persistedQuery = { version: 1, sha256Hash: hash(query) }
  const cases = [
    ...['POST', 'socket', 'events', 'multipart'].map((way) => over(way, rest, written(), verdict)),
    over('stream', rest, written({ operationId: '1' }), verdict),
    { ...over('POST', rest, written({ persistedQuery }), verdict), way: 'persisted', name: `${rest.name}, to be persisted` },
    byGet(rest, parameters, verdict),
  ]
  return cases.filter(({ way }) => !only || only.includes(way))
}

/** Hostile bytes where a request's JSON should be, over every way that takes any JSON. */
export function everyBody({ body, verdict = 'no request', only = ['POST', 'socket', 'events', 'multipart'], ...rest }) {
  return only.map((way) => over(way, rest, Buffer.from(body), verdict))
}
