// Hostile JSON: what stands where a request should be.
import { deflateSync, gzipSync } from 'node:zlib'
import { many, nested } from './bytes.js'

const QUERY = '"query":"{__typename}"'
/** A request with something more in it. */
const withMore = (more) => `{${QUERY},${more}}`
/** A request whose variables hold this. */
const holding = (value) => `{"query":"query($v:ID!){node(id:$v){id}}","variables":{"v":${value}}}`

/** Deep. */
function deep() {
  const depths = [100, 127, 1_000, 60_000, 100_000]
  const places = {
    'the body': (value) => value,
    'the query': (value) => `{"query":${value}}`,
    variables: holding,
    extensions: (value) => withMore(`"extensions":{"x":${value}}`),
    'a member that nobody knows': (value) => withMore(`"x":${value}`),
  }
  const anything = ['no request', 'told ok', 'refused QUERY_REJECTED', 'refused BAD_USER_INPUT', 'told BAD_USER_INPUT']
  const verdict = (depth) => (depth > 10_000 ? 'too many values' : depth > 200 ? 'no request' : anything)
  return Object.entries(places).flatMap(([place, write]) =>
    depths.flatMap((depth) => [
      { name: `lists ${depth} deep in ${place}`, body: write(nested(depth, '1')), verdict: verdict(depth) },
      { name: `objects ${depth} deep in ${place}`, body: write(nested(depth, '1', '{"a":', '}')), verdict: verdict(depth) },
    ]),
  )
}

/** Wide, or of the wrong shape. */
function shapes() {
  const shapes = [
    'null',
    'true',
    '7',
    '"{__typename}"',
    '[]',
    '{}',
    '[{"query":"{__typename}"}]',
    '{"query":null}',
    '{"query":7}',
    '{"query":["{__typename}"]}',
    '{"query":{"a":1}}',
  ]
  return [
    ...shapes.map((body) => ({ name: `the body ${body}`, body })),
    { name: 'no body', body: '', only: ['POST', 'events', 'multipart'] },
    { name: '5,000 requests in a list', body: `[${many(5_000, () => `{${QUERY}}`, ',')}]`, verdict: 'too many values' },
    ...['[]', '7', '"a"', 'true'].map((value) => ({
      name: `the variables ${value}`,
      body: withMore(`"variables":${value}`),
      verdict: ['no request', 'told ok'],
    })),
    ...['[]', '7', '{}', 'true'].map((value) => ({ name: `the operation name ${value}`, body: withMore(`"operationName":${value}`) })),
    ...['[]', '7', '"a"'].map((value) => ({ name: `the extensions ${value}`, body: withMore(`"extensions":${value}`), verdict: ['no request', 'told ok'] })),
    { name: 'an operation name of 200 KB', body: withMore(`"operationName":"${'x'.repeat(200_000)}"`), verdict: 'refused QUERY_REJECTED' },
    { name: 'a member’s name of 200 KB', body: withMore(`"${'x'.repeat(200_000)}":1`), verdict: ['told ok', 'no request'] },
    { name: 'two queries', body: `{${QUERY},${QUERY}}` },
    { name: '10,000 times the query', body: `{${many(10_000, () => QUERY, ',')}}`, verdict: 'too many values' },
    { name: '10,000 members that nobody knows', body: withMore(many(10_000, (n) => `"x${n}":${n}`, ',')), verdict: 'too many values' },
    { name: '10,000 variables', body: withMore(`"variables":{${many(10_000, (n) => `"v${n}":${n}`, ',')}}`), verdict: 'too many values' },
    { name: '10,000 times one variable', body: withMore(`"variables":{${many(10_000, () => '"v":1', ',')}}`), verdict: 'too many values' },
    { name: '100,000 values in a variable', body: holding(`[${many(100_000, () => '1', ',')}]`), verdict: 'too many values' },
    { name: '80,000 empty lists in a variable', body: holding(`[${many(80_000, () => '[]', ',')}]`), verdict: 'too many values' },
    { name: '80,000 empty objects in extensions', body: withMore(`"extensions":{"x":[${many(80_000, () => '{}', ',')}]}`), verdict: 'too many values' },
    { name: '40,000 members in extensions', body: withMore(`"extensions":{${many(20_000, (n) => `"e${n}":${n}`, ',')}}`), verdict: 'too many values' },
    { name: 'variables whose names are no names', body: withMore('"variables":{"":1,"$":2,"\\u0000":3}'), verdict: 'told ok' },
    {
      name: 'an upload',
      body: '{"query":"mutation($f:Upload!){a(f:$f)}","variables":{"f":null}}',
      verdict: ['refused QUERY_REJECTED', 'refused BAD_USER_INPUT'],
    },
  ]
}

/** Numbers and text that JSON allows, or does not. */
function words() {
  const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)))
  const wrong = {
    'a byte that is none': [0xff],
    'half a letter': [0xc3],
    'a letter too long': [0xc0, 0xaf],
    'half a pair': [0xed, 0xa0, 0x80],
    'a letter beyond Unicode': [0xf4, 0x90, 0x80, 0x80],
  }
  return [
    ...[
      '1e999999',
      '-1e999999',
      '1e-999999',
      `${'9'.repeat(100_000)}`,
      `0.${'0'.repeat(100_000)}1`,
      `1e${'9'.repeat(100_000)}`,
      '-0',
      '123456789012345678901234567890',
    ].map((number) => ({
      name: `the number ${number.slice(0, 20)} of ${number.length} letters`,
      body: holding(number),
      verdict: ['no request', 'told ok', 'told BAD_USER_INPUT', 'refused QUERY_REJECTED', 'refused BAD_USER_INPUT'],
    })),
    ...['NaN', 'Infinity', '+1', '01', '0x10', '1.', '.5', "'a'", 'undefined', '[1,]', '{"a":1,}', '"a', '"\t"', '"\\x41"', '"\\u12"', '/* */1'].map(
      (text) => ({ name: `${text} for a value`, body: holding(text) }),
    ),
    { name: 'half a pair of surrogates in a variable', body: holding('"\\ud800"'), verdict: 'no request' },
    { name: 'half a pair of surrogates in the query', body: '{"query":"{a \\udc00}"}' },
    { name: 'a NUL in a variable', body: holding('"\\u0000"'), verdict: ['told ok', 'told BAD_USER_INPUT'] },
    { name: 'NULs for a body', body: '\0'.repeat(1_000) },
    { name: 'a NUL behind the body', body: `{${QUERY}}\0`, only: ['POST', 'events', 'multipart'] },
    { name: 'a second body behind the body', body: `{${QUERY}}{${QUERY}}`, only: ['POST', 'events', 'multipart'] },
    { name: '200 KB of spaces before the body', body: `${' '.repeat(200_000)}{${QUERY}}`, verdict: 'told ok' },
    { name: '200 KB of spaces', body: ' '.repeat(200_000) },
    { name: '200 KB of open brackets', body: '['.repeat(200_000), verdict: 'too many values' },
    { name: '200 KB of backslashes in a string', body: `{"query":"${'\\\\'.repeat(100_000)}"}`, verdict: 'refused QUERY_REJECTED' },
    { name: '200 KB of escapes in a string', body: `{"query":"${'\\u0020'.repeat(35_000)}"}`, verdict: 'refused QUERY_REJECTED' },
    { name: 'a body of 1 MB', body: withMore(`"x":"${'x'.repeat(1_000_000)}"`) },
    { name: 'UTF-16', body: bytes(Buffer.from(`\ufeff{${QUERY}}`, 'utf16le')), only: ['POST', 'events', 'multipart'] },
    { name: 'a byte order mark before the body', body: bytes([0xef, 0xbb, 0xbf], `{${QUERY}}`), only: ['POST', 'events', 'multipart'] },
    ...Object.entries(wrong).map(([what, letter]) => ({
      name: `${what} in the query`,
      body: bytes('{"query":"{', letter, '}"}'),
      only: ['POST', 'events', 'multipart'],
    })),
    { name: 'random bytes', body: Buffer.from(Array.from({ length: 5_000 }, (_, n) => (n * n * 31 + n * 7) % 251)), only: ['POST', 'events', 'multipart'] },
  ]
}

/** Little that unpacks to much: nobody here may unpack it. */
function bombs() {
  const zeros = Buffer.alloc(64 * 1024 * 1024)
  const spaces = Buffer.alloc(64 * 1024 * 1024, ' ')
  const only = ['POST', 'events', 'multipart']
  const verdict = 'packed'
  const packed = {
    gzip: gzipSync(zeros),
    deflate: deflateSync(spaces),
    'gzip, gzip': gzipSync(gzipSync(spaces)),
    br: Buffer.alloc(1_000, 0x5b),
    zstd: Buffer.alloc(1_000, 0x28),
    identity: gzipSync(spaces),
    nonsense: gzipSync(zeros),
  }
  return Object.entries(packed).map(([encoding, body]) => ({ name: `64 MiB as ${encoding}`, headers: [`Content-Encoding: ${encoding}`], body, only, verdict }))
}

/** What is wrong with persisting. */
function persisted() {
  const extension = (value) => `{"extensions":{"persistedQuery":${value}}}`
  const both = (value) => withMore(`"extensions":{"persistedQuery":${value}}`)
  const none = 'a'.repeat(64)
  const unknown = ['refused PERSISTED_QUERY_NOT_FOUND', 'told PERSISTED_QUERY_NOT_FOUND']
  const refused = ['no request', 'told ok', 'refused BAD_USER_INPUT', 'refused QUERY_REJECTED', 'told BAD_USER_INPUT']
  return [
    { name: 'a hash that nobody knows', body: extension(`{"version":1,"sha256Hash":"${none}"}`), verdict: unknown },
    { name: 'a hash that is another’s', body: both(`{"version":1,"sha256Hash":"${none}"}`), verdict: refused },
    ...['7', 'null', '[]', '""', '"x"', `"${'z'.repeat(64)}"`, `"${'a'.repeat(200_000)}"`, `"${'A'.repeat(64)}"`].map((hash) => ({
      name: `the hash ${hash.slice(0, 10)} of ${hash.length} letters`,
      body: both(`{"version":1,"sha256Hash":${hash}}`),
      verdict: refused,
    })),
    ...['2', '-1', '"1"', 'null', '1e99', '[]'].map((version) => ({
      name: `version ${version} of persisting`,
      body: both(`{"version":${version},"sha256Hash":"${none}"}`),
      verdict: refused,
    })),
    ...['7', '[]', '"x"', 'true', '{}', nested(100, '1')].map((value) => ({
      name: `the persisting ${value.slice(0, 10)}`,
      body: both(value),
      verdict: refused,
    })),
  ]
}

/** All of them. */
export const bodies = () => [deep(), shapes(), words(), bombs(), persisted()].flat()
