// Broken HTTP: requests that are none, that never end, that say one thing and do another.
import { GRAPHQL_JSON, get, head, many, post, request } from './bytes.js'

const JSON_TYPE = 'Content-Type: application/json'
const GOOD = '{"query":"{__typename}"}'
const SCHEMA = '{"query":"{__schema{types{name description fields{name description args{name description}}}}}"}'
/** What a server makes of a request that it cannot read. */
const REFUSED = ['400', 'closed']
/** Time for the server's own patience to end: 30 seconds for a head, and some. */
const SLOW = 45_000

const bytes = (text) => Buffer.from(text, 'latin1')
const posted = (headers, body = GOOD) => bytes(head('POST /graphql', [JSON_TYPE, `Accept: ${GRAPHQL_JSON}`, ...headers]) + body)
const one = (name, text, ends = REFUSED, more) => ({ name, steps: [Buffer.isBuffer(text) ? text : bytes(text)], ends, ...more })

/** First lines. */
function lines() {
  return [
    one('noise', Buffer.from(Array.from({ length: 4_000 }, (_, n) => (n * n * 17 + n * 3) % 256))),
    one('a NUL for a request', '\0\r\n\r\n'),
    one('the greeting of TLS', Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(512, 7), bytes('\r\n\r\n')])),
    one('the greeting of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'),
    one('HTTP/0.9', 'GET /graphql\r\n\r\n'),
    one('HTTP/3.7', 'GET /graphql HTTP/3.7\r\nHost: x\r\n\r\n'),
    one('HTTP/1.1 twice', 'GET /graphql HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n'),
    one('a method of 100 KB', `${'A'.repeat(100_000)} /graphql HTTP/1.1\r\nHost: x\r\n\r\n`, ['400', '405', '431', 'closed']),
    one('a method that is no word', 'G@T{} /graphql HTTP/1.1\r\nHost: x\r\n\r\n'),
    one('a path of 70 KB', head(`GET /${'a'.repeat(70_000)}`), ['414', 'closed']),
    one('a path of 2 MB', head(`GET /${'a'.repeat(2_000_000)}`), ['414', '431', 'closed']),
    one('a query string of 60,000 ampersands', head(`GET /graphql?${'&'.repeat(60_000)}`), ['400 BAD_USER_INPUT', '405']),
    one('a query string of 10,000 queries', head(`GET /graphql?${many(10_000, () => 'q=a', '&')}`), ['400 BAD_USER_INPUT', '405']),
    one('a query string with bad escapes', head('GET /graphql?query=%zz%&query=%ff%fe', [`Accept: ${GRAPHQL_JSON}`]), [
      '400 BAD_USER_INPUT',
      '400 QUERY_REJECTED',
      '405',
    ]),
    one('a query string with a NUL', head('GET /graphql?query=%00', [`Accept: ${GRAPHQL_JSON}`]), ['400 BAD_USER_INPUT', '400 QUERY_REJECTED', '405']),
    one('a mutation in a query string', get({ query: 'mutation{logOut(input:{}){userErrors{code}}}' }), '405 QUERY_REJECTED'),
    one('a subscription in a query string', get({ query: 'subscription{events{cursor}}' }), '406 QUERY_REJECTED'),
    one('the endpoint of another server', head('GET http://elsewhere/graphql'), ['400', '400 BAD_USER_INPUT', '403', '405', '421']),
    one('a path that goes up', head('GET /graphiql/../../../../etc/passwd'), '404'),
    one('a path that goes up in disguise', head('GET /graphiql/%2e%2e%2f%2e%2e%2fetc%2fpasswd'), ['404', '400']),
    one('a path with bad UTF-8', head('GET /graphiql/%ff%fe'), ['404', '400']),
    one('an asterisk', head('OPTIONS *'), ['404', '400', '204', '200', '405']),
    ...['CONNECT', 'TRACE', 'PATCH', 'PROPFIND', 'BREW'].map((method) =>
      one(`the method ${method}`, head(`${method} /graphql`), ['400', '404', '405', '501', 'closed']),
    ),
    one('a DELETE of nothing', head('DELETE /graphql'), ['400', '400 BAD_USER_INPUT', '404', '405']),
    one('line breaks alone', '', [...REFUSED, '431'], { steps: [bytes('\r\n'.repeat(50_000)), { finish: true }] }),
  ]
}

/** Heads. */
function headers() {
  const token = (value, ends = '401 UNAUTHENTICATED') =>
    one(`the token ${value.slice(0, 12)} of ${value.length} letters`, post(GOOD, [`Authorization: ${value}`]), ends)
  return [
    one('a header of 200 KB', head('GET /graphql', [`X: ${'a'.repeat(200_000)}`]), ['431', 'closed']),
    one('a header’s name of 100 KB', head('GET /graphql', [`${'X'.repeat(100_000)}: a`]), ['400', '431', 'closed']),
    one('101 headers', head('GET /health/live', Array(101).fill('X: a')), ['200', '431']),
    one('10,000 headers', head('GET /graphql', Array(10_000).fill('X: a')), ['431', 'closed']),
    one('a header without a colon', head('GET /graphql', ['nothing'])),
    one('a space before the colon', head('GET /graphql', ['Content-Length : 5'])),
    one('a header that goes on in the next line', head('GET /graphql', ['X: a\r\n b']), ['400', '405', '400 BAD_USER_INPUT', 'closed']),
    one('a NUL in a header', head('GET /graphql', ['X: a\0b'])),
    one('a carriage return in a header', head('GET /graphql', ['X: a\rY: b'])),
    one('no host', 'GET /health/live HTTP/1.1\r\n\r\n', ['200', '400']),
    one('two hosts', head('GET /health/live', ['Host: other']), ['200', '400']),
    one('a host of noise', 'GET /health/live HTTP/1.1\r\nHost: \xff\xfe@{}\r\n\r\n', ['200', '400']),
    token('Bearer '),
    token('Bearer  '),
    token(`Bearer ${'a'.repeat(8_000)}`),
    token(`${'a '.repeat(4_000)}`),
    token('Bearer \xe9\xe8\xff'),
    token(`Bearer ${'\xff'.repeat(8_000)}`),
    token('Basic YWxpY2U6YWxpY2U='),
    token('Bearer a\tb'),
    one('two tokens', post(GOOD, ['Authorization: Bearer a', 'Authorization: Bearer b']), '401 UNAUTHENTICATED'),
    one('a token of 300 KB', post(GOOD, [`Authorization: Bearer ${'a'.repeat(300_000)}`]), ['401 UNAUTHENTICATED', '431', 'closed']),
    one('Accept of 60 KB', post(GOOD, [], many(10_000, () => 'a/b;q=0', ', ').slice(0, 60_000)), ['200 ok', '406', '406 BAD_USER_INPUT']),
    one('Accept of noise', post(GOOD, [], '\xff;;;,,,q=9e99'), ['200 ok', '406', '406 BAD_USER_INPUT']),
    ...[
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      'application/json\xff',
      `application/json;${'a=b;'.repeat(10_000)}`,
      ';',
      `${'a'.repeat(60_000)}/json`,
    ].map((kind) =>
      one(`a body of the type ${kind.slice(0, 40)}`, request('POST /graphql', [`Content-Type: ${kind}`, `Accept: ${GRAPHQL_JSON}`], GOOD), [
        '415 BAD_USER_INPUT',
        '200 ok',
      ]),
    ),
    one('two types of a body', request('POST /graphql', ['Content-Type: text/plain', JSON_TYPE, `Accept: ${GRAPHQL_JSON}`], GOOD), [
      '415 BAD_USER_INPUT',
      '200 ok',
      '400 BAD_USER_INPUT',
    ]),
    one('an event stream’s token of 60 KB', post(GOOD, [`X-GraphQL-Event-Stream-Token: ${'a'.repeat(60_000)}`]), [
      '200 ok',
      '400 BAD_USER_INPUT',
      '404',
      '404 BAD_USER_INPUT',
      '401',
      '401 UNAUTHENTICATED',
    ]),
    one('an event stream that nobody reserved', head('GET /graphql?token=nothing', ['Accept: text/event-stream']), [
      '404',
      '404 BAD_USER_INPUT',
      '400 BAD_USER_INPUT',
      '405',
      '401',
    ]),
    one('an origin elsewhere', post(GOOD, ['Origin: http://elsewhere.example']), ['403', '403 FORBIDDEN']),
    one('an origin of noise', post(GOOD, ['Origin: \xff\xfe']), ['403', '403 FORBIDDEN']),
    one('two origins', post(GOOD, ['Origin: http://parlor', 'Origin: http://parlor']), ['403', '403 FORBIDDEN']),
    one('a page elsewhere', get({ query: '{__typename}' }, ['Sec-Fetch-Site: cross-site']), ['403', '403 FORBIDDEN']),
    one('somebody behind 5,000 proxies', post(GOOD, [`X-Forwarded-For: ${many(5_000, () => '10.0.0.1', ',')}`]), '200 ok'),
    one('a name of a request that would spoil a log', post(GOOD, ['X-Request-Id: "}\x1b[2J<script>']), ['200 ok', '400']),
  ]
}

/** Lengths and chunks. */
function lengths() {
  const chunked = (text, ends = REFUSED) => [posted(['Transfer-Encoding: chunked'], text), ends]
  const spaces = (count) => `${'1\r\n \r\n'.repeat(count)}18\r\n${GOOD}\r\n0\r\n\r\n`
  return [
    ...['-1', '+24', '24, 24', '2 4', 'x', '99999999999999999999999', '0x18', ''].map((length) =>
      one(`a body of ${length || 'no'} bytes`, posted([`Content-Length: ${length}`]), ['400', '400 BAD_USER_INPUT', 'closed', '200 ok']),
    ),
    one('two lengths', posted(['Content-Length: 24', 'Content-Length: 3'])),
    one('two lengths that agree', posted(['Content-Length: 24', 'Content-Length: 24']), ['400', '200 ok', 'closed']),
    one('a length that is too short', posted(['Content-Length: 5']), '400 BAD_USER_INPUT'),
    one('a length and chunks', posted(['Content-Length: 3', 'Transfer-Encoding: chunked'], `18\r\n${GOOD}\r\n0\r\n\r\n`), ['400', '200 ok', 'closed']),
    ...['gzip', 'identity', 'chunked, identity', 'chunked, chunked', '\x0bchunked', 'xchunked'].map((coding) =>
      one(`the coding ${coding}`, posted([`Transfer-Encoding: ${coding}`], `18\r\n${GOOD}\r\n0\r\n\r\n`), [
        '400',
        '400 BAD_USER_INPUT',
        '501',
        'closed',
        '200 ok',
      ]),
    ),
    one('a chunk of more than 64 bits', ...chunked(`${'f'.repeat(17)}\r\n`, ['400', '400 BAD_USER_INPUT', '413 BAD_USER_INPUT', 'closed'])),
    one(
      'a chunk of zeros',
      ...chunked(`${'0'.repeat(100_000)}18\r\n${GOOD}\r\n0\r\n\r\n`, ['400', '400 BAD_USER_INPUT', '413 BAD_USER_INPUT', 'closed', '200 ok']),
    ),
    one('a chunk of -1', ...chunked('-1\r\n', ['400', '400 BAD_USER_INPUT', '413 BAD_USER_INPUT', 'closed'])),
    one(
      'a chunk with 200 KB beside it',
      ...chunked(`18;${'x'.repeat(200_000)}\r\n${GOOD}\r\n0\r\n\r\n`, ['400', '400 BAD_USER_INPUT', '413 BAD_USER_INPUT', 'closed', '200 ok']),
    ),
    one(
      '20,000 chunks with words beside them',
      ...chunked(`${'1;a=b\r\n \r\n'.repeat(20_000)}18\r\n${GOOD}\r\n0\r\n\r\n`, ['400', '400 BAD_USER_INPUT', '413 BAD_USER_INPUT', 'closed', '200 ok']),
    ),
    one('200,000 chunks of one byte', ...chunked(spaces(200_000), ['400 BAD_USER_INPUT', 'closed'])),
    one('chunks without an end', ...chunked('10000\r\n'.padEnd(65_543, ' ').concat('\r\n').repeat(6), ['413 BAD_USER_INPUT', 'closed'])),
    one(
      '10,000 trailers',
      ...chunked(`18\r\n${GOOD}\r\n0\r\n${'X: a\r\n'.repeat(10_000)}\r\n`, ['400', '400 BAD_USER_INPUT', '413 BAD_USER_INPUT', '431', 'closed', '200 ok']),
    ),
    one(
      'a trailer of 500 KB',
      ...chunked(`18\r\n${GOOD}\r\n0\r\nX: ${'a'.repeat(500_000)}\r\n\r\n`, ['400', '400 BAD_USER_INPUT', '413 BAD_USER_INPUT', '431', 'closed', '200 ok']),
    ),
    one('a body of 10 MB', post('x'.repeat(10_000_000)), ['413 BAD_USER_INPUT', 'closed']),
    one('a body of 10 MB of another type', request('POST /graphql', ['Content-Type: text/plain'], 'x'.repeat(10_000_000)), ['415 BAD_USER_INPUT', 'closed']),
    one('a body of 10 MB at another path', request('POST /health/live', [], 'x'.repeat(10_000_000)), ['405', 'closed']),
    one('an expectation that is none', posted(['Expect: a-miracle', 'Content-Length: 24']), ['417', '200 ok']),
  ]
}

/** Several at once, some and none. */
function manners() {
  const half = post(GOOD).subarray(0, -10)
  return [
    { name: '100 requests at once', steps: [Buffer.concat(Array(100).fill(post(GOOD)))], answers: 100, ends: '200 ok' },
    { name: '100 bad requests at once', steps: [Buffer.concat(Array(100).fill(post('{')))], answers: 100, ends: '400 BAD_USER_INPUT' },
    { name: '100 requests by GET at once', steps: [Buffer.concat(Array(100).fill(get({ query: '{__typename}' })))], answers: 100, ends: ['200 ok', '405'] },
    {
      name: '20 documents of 980 fields, each another',
      steps: [Buffer.concat(Array.from({ length: 20 }, (_, n) => post(JSON.stringify({ query: `{a${n} ${'a '.repeat(980)}}` }))))],
      answers: 20,
      ends: '400 QUERY_REJECTED',
    },
    { name: '10 schemas, packed', steps: [Buffer.concat(Array(10).fill(post(SCHEMA, ['Accept-Encoding: gzip'])))], answers: 10, ends: '200 ok' },
    { name: 'a good request and noise', steps: [Buffer.concat([post(GOOD), Buffer.alloc(5_000, 0xfe)])], answers: 2, ends: REFUSED },
    { name: 'a request within a request', steps: [post(`${GOOD}${head('POST /graphql')}`)], ends: '400 BAD_USER_INPUT' },
    { name: 'half a head, and no more to come', steps: [bytes('POST /graphql HTTP/1.1\r\nHost: '), { finish: true }], ends: REFUSED },
    { name: 'half a body, and no more to come', steps: [half, { finish: true }], ends: ['closed', '400', '400 BAD_USER_INPUT'] },
    {
      name: 'half a chunk, and no more to come',
      steps: [posted(['Transfer-Encoding: chunked'], '18\r\n{"qu'), { finish: true }],
      ends: ['closed', '400', '400 BAD_USER_INPUT'],
    },
    { name: 'a request, and no more to come', steps: [post(GOOD), { finish: true }], ends: ['200 ok', 'closed'] },
    { name: 'a head, and gone', steps: [half, { drop: 'rudely' }], ends: 'gone' },
    { name: 'a request, and gone', steps: [post(GOOD), { drop: 'rudely' }], ends: 'gone' },
    { name: '30 schemas, and gone', steps: [Buffer.concat(Array(30).fill(post(SCHEMA))), { drop: 'rudely' }], ends: 'gone' },
    { name: 'a request in small pieces', steps: [{ trickle: post(GOOD), every: 0 }], ends: '200 ok' },
    {
      name: '10 schemas, read late',
      steps: [{ read: false }, Buffer.concat(Array(10).fill(post(SCHEMA))), { pause: 200 }, { read: true }],
      answers: 10,
      ends: '200 ok',
    },
  ]
}

/** Streams of events that were reserved. */
function streams({ token, conversation }) {
  const mine = [`Authorization: ${token}`]
  const begin = (id, query = '{__typename}') => post(JSON.stringify({ query, extensions: { operationId: id } }), mine).toString('latin1')
  const on = (stream, text) => bytes(text.replaceAll('Host: parlor', `Host: parlor\r\n${stream}`))
  const reserved = (name, texts, ends, more) => ({ name, steps: [{ reserves: mine }, (stream) => on(stream, texts.join(''))], ends, ...more })
  const listen = `subscription{messageSent(conversationId:"${conversation}"){id}}`
  return [
    reserved('an operation without a name', [post(GOOD, mine).toString('latin1')], '400 BAD_USER_INPUT'),
    ...[7, null, [], {}].map((id) => reserved(`an operation with the name ${JSON.stringify(id)}`, [begin(id)], '400 BAD_USER_INPUT')),
    reserved('an operation with a name of 200 KB', [begin('x'.repeat(200_000))], ['event ok', '400 BAD_USER_INPUT']),
    reserved('an operation of somebody else', [post(GOOD).toString('latin1')], '404 BAD_USER_INPUT'),
    reserved('two operations of one name', [begin('1', listen), begin('1', listen)], '409 BAD_USER_INPUT'),
    reserved(
      '40 listeners on one stream',
      Array.from({ length: 40 }, (_, n) => begin(`${n}`, listen)),
      '429 RATE_LIMITED',
    ),
    reserved('a second reader', [head('GET /graphql', mine)], '409 BAD_USER_INPUT'),
    reserved('100 ends of what nobody began', [head('DELETE /graphql?operationId=x', mine).repeat(100)], '200', { answers: 100 }),
    { name: '1,100 reservations', steps: [bytes(head('PUT /graphql', ['Content-Length: 0']).repeat(1_100))], ends: '503 UNAVAILABLE' },
  ]
}

/** Those that wait for the server's patience to end. */
function slow() {
  const late = ['408', '408 BAD_USER_INPUT', 'closed']
  const wait = (name, steps, ends = late) => ({ name, steps, ends, within: SLOW, isSlow: true })
  return [
    wait('nothing at all', []),
    wait('one letter', [bytes('P')]),
    wait('half a first line', [bytes('POST /gra')]),
    wait('half a head', [bytes('POST /graphql HTTP/1.1\r\nHost: parlor\r\nX: ')]),
    wait('a head, one byte at a time', [{ trickle: bytes(head('POST /graphql', [`X: ${'a'.repeat(500)}`])), every: 300 }]),
    wait(
      'a head, one line at a time',
      [bytes('POST /graphql HTTP/1.1\r\n'), ...Array.from({ length: 200 }, () => [bytes('X: a\r\n'), { pause: 500 }]).flat()],
      [...late, '400'],
    ),
    wait('empty lines, one at a time', Array.from({ length: 200 }, () => [bytes('\r\n'), { pause: 500 }]).flat(), [...late, '400']),
    wait('a body that does not come', [posted(['Content-Length: 24'], '')]),
    wait('a body, one byte at a time', [posted(['Content-Length: 500'], ''), { trickle: Buffer.from(' '.repeat(500)), every: 100 }]),
    wait('chunks, one byte at a time', [posted(['Transfer-Encoding: chunked'], ''), { trickle: bytes('1\r\n \r\n'.repeat(100)), every: 50 }]),
    wait('a chunk that does not come', [posted(['Transfer-Encoding: chunked'], '10000\r\n')]),
    wait('trailers that do not come', [posted(['Transfer-Encoding: chunked'], `18\r\n${GOOD}\r\n0\r\nX: `)]),
    wait('an invitation to go on, not taken', [posted(['Expect: 100-continue', 'Content-Length: 24'], '')]),
    wait('a body of 18 EB that does not come', [posted(['Content-Length: 18446744073709551612'], '')], [...late, '413 BAD_USER_INPUT']),
    wait(
      'a chunk of 18 EB that does not come',
      [posted(['Transfer-Encoding: chunked'], 'ffffffffffffffff\r\n')],
      [...late, '400 BAD_USER_INPUT', '413 BAD_USER_INPUT'],
    ),
    wait(
      'somebody who asks for 300 schemas and reads nothing',
      [{ read: false }, Buffer.concat(Array(300).fill(post(SCHEMA))), { trickle: Buffer.alloc(100, ' '), every: 500 }],
      'closed',
    ),
    { ...wait('a second request that does not come', [post(GOOD), { hears: '200 ok' }, bytes('POST /graphql HTTP/1.1\r\n')]), answers: 2 },
    { ...wait('a second request that does not even begin', [post(GOOD)]), answers: 2 },
  ]
}

/** All of them, for somebody with a token and a conversation. */
export const http = (who) =>
  [lines(), headers(), lengths(), manners(), slow(), streams(who)].flat().map((each) => ({ way: 'HTTP', ...each, name: `${each.name}, by HTTP` }))
