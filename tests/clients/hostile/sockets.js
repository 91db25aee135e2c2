// Broken WebSockets: frames that are none, messages that never end, floods of everything that may be said.
import { BODY_BYTES_MAX, FRAME, close, frame, many, nested, say, upgrade } from './bytes.js'
import { open } from './ways.js'

const PING = '{"type":"ping"}'
const UPGRADED = [upgrade(), { hears: '101' }]
/** What a server makes of a frame that it cannot read. */
const BROKEN = ['closed', 'close 1002']
/** Nobody has so much to say. */
const TOO_MUCH = ['close 1013', 'closed']
const NO_TEXT = ['closed', 'close 1007', 'close 4400']
const SLOW = 60_000

const bytes = (text) => Buffer.from(text, 'latin1')
const subscribe = (id, query = '{__typename}', more) => say({ id, type: 'subscribe', payload: { query, ...more } })
const all = (count, make) => Buffer.concat(Array.from({ length: count }, (_, n) => make(n)))

/** Sent by somebody who is through the greeting. */
const then = (name, what, ends, more) => ({ name, steps: [...open(), ...[what].flat()], ends, ...more })
/** Whatever it was, the socket lives: it still answers a ping. */
const lives = (name, what, more) => then(name, [...[what].flat(), say(PING)], 'pong', { last: /^pong$/, ...more })

/** Openings. */
function openings() {
  const opened = (name, options, ends, more = []) => ({ name, steps: [upgrade(options), ...more], ends })
  const bare = (text) =>
    bytes(
      upgrade()
        .toString('latin1')
        .replace(...text),
    )
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
  const refused = ['400', '400 BAD_USER_INPUT', '405', '426', '101']
  return [
    opened('no protocol', { protocol: '' }, 'close 4406'),
    { name: 'no protocol at all', steps: [bare(['Sec-WebSocket-Protocol: graphql-transport-ws\r\n', ''])], ends: 'close 4406' },
    opened('another protocol', { protocol: 'graphql-ws' }, 'close 4406'),
    opened('10,000 protocols', { protocol: many(10_000, (n) => `p${n}`, ',') }, 'close 4406'),
    opened('protocols of noise', { protocol: '\xff,,,;' }, ['close 4406', '400']),
    ...[
      ['no key', [`${key}\r\n`, '']],
      ['a key of 100 KB', [key, `Sec-WebSocket-Key: ${'a'.repeat(100_000)}`]],
      ['a key of noise', [key, 'Sec-WebSocket-Key: \xff\xfe']],
      ['version 8', ['Version: 13', 'Version: 8']],
      ['version 99999999999', ['Version: 13', 'Version: 99999999999']],
      ['a POST', ['GET', 'POST']],
      ['another upgrade', ['Upgrade: websocket', 'Upgrade: h2c']],
      ['HTTP/1.0', ['HTTP/1.1', 'HTTP/1.0']],
      ['a body', ['Host: parlor', 'Host: parlor\r\nContent-Length: 5']],
    ].map(([what, text]) => ({
      name: `an opening with ${what}`,
      steps: [bare(text), { finish: true }],
      ends: [...refused, '415', '415 BAD_USER_INPUT', 'closed'],
    })),
    { name: 'HTTP on a socket', steps: [...UPGRADED, bytes('GET /graphql HTTP/1.1\r\nHost: parlor\r\n\r\n')], ends: BROKEN },
    { name: 'a socket that says all at once', steps: [Buffer.concat([upgrade(), say('{"type":"connection_init"}'), subscribe('1')])], ends: 'next ok' },
    { name: 'a socket, and gone', steps: [...UPGRADED, { drop: 'rudely' }], ends: 'gone' },
    { name: 'a socket, and no more to come', steps: [...UPGRADED, { finish: true }], ends: ['closed', 'close bare'] },
    { name: '100 openings at once', steps: [all(100, () => upgrade())], ends: ['closed', 'close 1002'] },
  ]
}

/** Frames that are none. */
function broken() {
  const codes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]
  const lengths = {
    'of 2^63 bytes': 1n << 63n,
    'of 2^64 - 1 bytes': (1n << 64n) - 1n,
    'of 2^62 bytes': 1n << 62n,
    'of 1 GB': 1_000_000_000n,
    'of one byte too many': BigInt(BODY_BYTES_MAX) + 1n,
  }
  const letters = { none: [0xff], half: [0xc3], 'too long': [0xc0, 0xaf], 'half a pair': [0xed, 0xa0, 0x80], 'beyond Unicode': [0xf4, 0x90, 0x80, 0x80] }
  return [
    then('a frame without a mask', frame(PING, { masked: false }), BROKEN),
    ...[1, 2, 3, 4, 5, 6, 7].map((reserved) => then(`a frame with the reserved bits ${reserved}`, frame(PING, { reserved }), BROKEN)),
    ...codes.map((code) => then(`a frame with the code ${code}`, frame(PING, { code }), BROKEN)),
    ...Object.entries(lengths).map(([what, length]) => then(`a frame ${what}`, frame('x', { says: [64, length] }), ['close 1009', ...BROKEN])),
    lives('a length written with 8 bytes too many', frame(PING, { says: [64, PING.length] })),
    then('a ping of 126 bytes', frame('x'.repeat(126), { code: FRAME.ping }), BROKEN),
    then('a ping of 200 KB', frame('x'.repeat(200_000), { code: FRAME.ping }), BROKEN),
    then('half a ping', frame('x', { code: FRAME.ping, final: false }), BROKEN),
    then('half a close', frame('', { code: FRAME.close, final: false }), BROKEN),
    then('a second half without a first', frame('x', { code: FRAME.more }), BROKEN),
    then(
      'two first halves',
      all(2, () => frame('{', { final: false })),
      BROKEN,
    ),
    then('a binary frame', frame(PING, { code: FRAME.binary }), 'close 4400'),
    ...Object.entries(letters).map(([what, letter]) => then(`a letter that is ${what}`, frame(Buffer.from(letter)), NO_TEXT)),
    then('a letter cut in two, and wrong', [frame(Buffer.from([0x22, 0xc3]), { final: false }), frame(Buffer.from([0x22]), { code: FRAME.more })], NO_TEXT),
    lives('a letter cut in two', [
      frame(Buffer.from('{"type":"ping","payload":"\xc3', 'latin1'), { final: false }),
      frame(Buffer.from('\xa9"}', 'latin1'), { code: FRAME.more }),
    ]),
    then('a message of one byte too many', frame('x'.repeat(BODY_BYTES_MAX + 1)), ['close 1009', 'closed']),
    then('a message of 10 MB', frame('x'.repeat(10_000_000)), ['close 1009', 'closed']),
    then(
      'fragments of 1 MB',
      [frame('[', { final: false }), all(100, () => frame('x'.repeat(10_000), { code: FRAME.more, final: false }))],
      ['close 1009', 'closed'],
    ),
    lives('10,000 fragments of one byte', [
      frame('{"type":"ping"', { final: false }),
      all(10_000, () => frame(' ', { code: FRAME.more, final: false })),
      frame('}', { code: FRAME.more }),
    ]),
    lives('50,000 fragments of nothing', [
      frame('{"type":"ping"', { final: false }),
      all(50_000, () => frame('', { code: FRAME.more, final: false })),
      frame('}', { code: FRAME.more }),
    ]),
    then(
      '5,000 fragments with pings between them',
      [
        frame('{"type":"ping"', { final: false }),
        all(5_000, (n) => frame('', n % 2 ? { code: FRAME.ping } : { code: FRAME.more, final: false })),
        frame('}', { code: FRAME.more }),
      ],
      TOO_MUCH,
    ),
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2_999, 5_000, 65_535].map((code) =>
      then(`a close with the code ${code}`, close(code), [`close ${code}`, 'close 1002', 'close bare', 'closed']),
    ),
    then('a close with half a code', frame('x', { code: FRAME.close }), BROKEN),
    then('a close with a reason that is no text', close(1_000, Buffer.from([0xff])), ['closed', 'close 1007', 'close 1002', 'close 1000']),
    then(
      '1,000 closes',
      all(1_000, () => close(1_000)),
      ['close 1000', 'closed'],
    ),
    then('a close, and on it goes', [close(1_000), all(1_000, (n) => subscribe(`${n}`))], ['close 1000', 'closed']),
  ]
}

/** Messages that are none. */
function messages() {
  const wrong = [
    '',
    ' ',
    'x',
    '[]',
    '7',
    'null',
    '""',
    '{}',
    '{"type":null}',
    '{"type":7}',
    '{"type":"dance"}',
    '{"type":"PING"}',
    '{"type":"ping"',
    '{"type":"ping"}}',
    '{"type":"ping","type":"pong"}',
    '{"type":"subscribe"}',
    '{"type":"subscribe","id":"1"}',
    '{"type":"subscribe","id":"1","payload":null}',
    '{"type":"subscribe","id":"1","payload":"x"}',
    '{"type":"subscribe","id":7,"payload":{"query":"{a}"}}',
    '{"type":"subscribe","id":null,"payload":{"query":"{a}"}}',
    '{"type":"subscribe","id":["1"],"payload":{"query":"{a}"}}',
    '{"type":"subscribe","id":"\\ud800","payload":{"query":"{a}"}}',
    '{"type":"subscribe","id":"1","payload":{}}',
    '{"type":"subscribe","id":"1","payload":{"query":""}}',
    '{"type":"complete"}',
    '{"type":"complete","id":7}',
    '{"type":"next","id":"1","payload":{}}',
    '{"type":"connection_ack"}',
  ]
  const greeting = (name, what, ends, more) => ({ name, steps: [...UPGRADED, ...[what].flat()], ends, ...more })
  return [
    ...wrong.map((text) => then(`the message ${text}`, say(text), 'close 4400')),
    then('a message of 100,000 lists in lists', say(nested(100_000, '1')), 'close 1009'),
    then('a ping of 60,000 lists in lists', say(`{"type":"ping","payload":${nested(60_000, '1')}}`), 'close 1009'),
    then('a ping of 200 KB in JSON', say({ type: 'ping', payload: { a: 'x'.repeat(200_000) } }), 'pong'),
    then('a ping of 80,000 lists', say(`{"type":"ping","payload":{"a":[${many(80_000, () => '[]', ',')}]}}`), 'close 1009'),
    then('a pong of 200 KB in JSON', [say({ type: 'pong', payload: { a: 'x'.repeat(200_000) } }), say(PING)], 'pong'),
    greeting('a subscription before the greeting', subscribe('1'), 'close 4401'),
    greeting(
      '10,000 subscriptions before the greeting',
      all(10_000, (n) => subscribe(`${n}`)),
      ['close 4401', 'closed'],
    ),
    greeting(
      '10,000 pings before the greeting',
      all(10_000, () => say(PING)),
      TOO_MUCH,
      { answers: 10_000 },
    ),
    greeting(
      '10,000 greetings',
      all(10_000, () => say('{"type":"connection_init"}')),
      ['close 4429', 'closed'],
    ),
    greeting('a greeting of 200 KB', [say({ type: 'connection_init', payload: { a: 'x'.repeat(200_000) } }), say(PING)], 'pong'),
    greeting('a greeting of 60,000 lists in lists', say(`{"type":"connection_init","payload":${nested(60_000, '1')}}`), 'close 1009'),
    ...['7', '"x"', '[]', '{"headers":7}', '{"headers":[]}'].map((payload) =>
      greeting(`a greeting with ${payload}`, [say(`{"type":"connection_init","payload":${payload}}`), say(PING)], ['pong', 'close 4400']),
    ),
    ...['7', '{}', '[]', '""', '"Bearer"', '"\\u0000"', '"Bearer é"', `"${'a'.repeat(8_000)}"`, `"Bearer ${'é'.repeat(50_000)}"`].map((token) =>
      greeting(
        `a greeting with the token ${token.slice(0, 12)} of ${token.length} letters`,
        say(`{"type":"connection_init","payload":{"authorization":${token}}}`),
        'close 4403',
      ),
    ),
    greeting(
      'a greeting with 10,000 tokens',
      say(`{"type":"connection_init","payload":{${many(10_000, (n) => `"authorization${n}":"x"`, ',')},"AUTHORIZATION":"x"}}`),
      'close 1009',
    ),
  ]
}

/** Too much of what is good. */
function floods() {
  const listen = 'subscription{events{cursor}}'
  const end = (id) => say({ type: 'complete', id })
  const flood = (name, make, count = 10_000) => then(name, all(count, make), TOO_MUCH, { answers: 2 * count })
  return [
    lives(
      '500 pings',
      all(500, () => frame('', { code: FRAME.ping })),
    ),
    flood('10,000 pings', () => frame('', { code: FRAME.ping })),
    flood('10,000 pings of 125 bytes', () => frame('x'.repeat(125), { code: FRAME.ping })),
    flood('10,000 pongs', () => frame('', { code: FRAME.pong })),
    flood('10,000 pings in JSON', () => say(PING)),
    flood('10,000 pongs in JSON', () => say('{"type":"pong"}')),
    flood('10,000 ends of what nobody began', (n) => end(`${n}`)),
    flood('10,000 queries', (n) => subscribe(`${n}`)),
    flood('10,000 subscriptions', (n) => subscribe(`${n}`, listen)),
    flood('10,000 bad documents', (n) => subscribe(`${n}`, '{')),
    flood('10,000 bad documents, each another', (n) => subscribe(`${n}`, `{a${n}}`)),
    flood('2,000 queries, each ended at once', (n) => Buffer.concat([subscribe(`${n}`), end(`${n}`)]), 2_000),
    flood('2,000 queries of one id, each ended at once', () => Buffer.concat([subscribe('1'), end('1')]), 2_000),
    lives(
      '400 queries, each ended at once',
      all(400, (n) => Buffer.concat([subscribe(`${n}`), end(`${n}`)])),
    ),
    then(
      '10,000 subscriptions of one id',
      all(10_000, () => subscribe('1', '{__schema{types{name}}}')),
      ['close 4409', ...TOO_MUCH],
      { answers: 20_000 },
    ),
    then('an id of 200 KB', subscribe('x'.repeat(200_000)), 'close 4400'),
    then('an id of 100,000 quotes', subscribe('"'.repeat(100_000)), 'close 4400'),
    then('an id of NULs', subscribe('\0'.repeat(40_000)), 'close 4400'),
    then('an empty id', subscribe(''), ['next ok', 'close 4400']),
    then(
      '33 ids of 200 KB',
      all(33, (n) => subscribe(`${n}${'x'.repeat(200_000)}`)),
      'close 4400',
    ),
    then('a ping in the middle of a flood of noise', [say(PING), Buffer.alloc(100_000, 0xfe)], ['closed', 'pong', 'close 1002']),
  ]
}

/** As much as a session may have, by somebody with a token. */
function listeners({ token, conversation }) {
  const mine = open({ authorization: token })
  const query = 'subscription($c:ID!){messageSent(conversationId:$c){text}}'
  const listen = (n) => subscribe(`${n}`, query, { variables: { c: conversation } })
  return [
    { name: '32 listeners and 9,968 more', steps: [...mine, all(10_000, listen)], answers: 20_000, ends: TOO_MUCH },
    {
      name: '5,000 listeners, each sent away at once',
      steps: [...mine, all(5_000, (n) => Buffer.concat([listen(n), say({ type: 'complete', id: `${n}` })]))],
      answers: 10_000,
      ends: TOO_MUCH,
    },
    { name: '40 listeners', steps: [...mine, all(40, listen)], answers: 8, last: /^error/, ends: 'error RATE_LIMITED' },
    {
      name: '32 listeners with 200 KB of variables each',
      steps: [...mine, all(32, (n) => subscribe(`${n}`, query, { variables: { c: conversation, more: 'x'.repeat(200_000) } })), say(PING)],
      last: /^pong$/,
      ends: 'pong',
    },
    { name: '32 listeners, and gone', steps: [...mine, all(32, listen), { drop: 'rudely' }], ends: 'gone' },
  ]
}

/** Those that wait for the server's patience to end. */
function slow() {
  const wait = (name, steps, ends, more) => ({ name, steps, ends, within: SLOW, isSlow: true, ...more })
  const late = 'close 4408'
  const deaf = [...open(), { read: false }, all(120, () => say({ type: 'ping', payload: { a: 'x'.repeat(200_000) } }))]
  return [
    wait('a socket that says nothing', UPGRADED, late),
    wait(
      'a socket that says no greeting but pings',
      [...UPGRADED, ...Array.from({ length: 30 }, () => [frame('', { code: FRAME.ping }), { pause: 300 }]).flat()],
      late,
    ),
    wait('a greeting, one byte at a time', [...UPGRADED, { trickle: frame('{"type":"connection_init"}'.padEnd(100)), every: 100 }], late),
    wait('a frame that does not end', [...UPGRADED, frame('{', { says: [64, 100_000] })], late),
    wait(
      'fragments that do not end',
      [...UPGRADED, ...Array.from({ length: 100 }, (_, n) => [frame('', { code: n ? FRAME.more : FRAME.text, final: false }), { pause: 100 }]).flat()],
      late,
    ),
    wait('somebody who asks for 24 MB and reads nothing', deaf, ['closed', 'close 4499']),
  ]
}

/** All of them, for somebody with a token and a conversation. */
export const sockets = (who) =>
  [openings(), broken(), messages(), floods(), listeners(who), slow()].flat().map((each) => ({ ...each, way: 'socket', name: `${each.name}, by socket` }))
