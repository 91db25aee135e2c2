// What goes over a wire, byte by byte: HTTP requests and WebSocket frames, good ones and any other.

const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78])

/** The longest body, and message on a socket, that the server reads. */
export const BODY_BYTES_MAX = 256 * 1024
/** The longest head of a request. */
export const HEAD_BYTES_MAX = 64 * 1024
/** The media type whose status says how it went. */
export const GRAPHQL_JSON = 'application/graphql-response+json'

/** Many small pieces: `make` for each number, put together. */
export const many = (count, make, between = ' ') => Array.from({ length: count }, (_, n) => make(n)).join(between)

/** Something in brackets, in brackets, … */
export const nested = (depth, inside, open = '[', close = ']') => open.repeat(depth) + inside + close.repeat(depth)

/** A request's head; `headers` are lines, so that the same one can come twice. */
export function head(line, headers = []) {
  return ['Host: parlor', ...headers].reduce((text, header) => `${text}${header}\r\n`, `${line} HTTP/1.1\r\n`) + '\r\n'
}

/** Something with a body of a known length. */
export function request(line, headers, body = '') {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(head(line, [...headers, `Content-Length: ${bytes.length}`]), 'latin1'), bytes])
}

/** JSON posted to the endpoint; `headers` come after the ones that every client sends. */
export function post(json, headers = [], accept = GRAPHQL_JSON) {
  return request('POST /graphql', ['Content-Type: application/json', `Accept: ${accept}`, ...headers], json)
}

/** A GraphQL request in a query string. Values that are no text are written as JSON. */
export function get(parameters, headers = []) {
  const written = (value) => (Buffer.isBuffer(value) ? percent(value) : encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value)))
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const query = pairs.map(([name, value]) => `${name}=${written(value)}`).join('&')
  return Buffer.from(head(`GET /graphql?${query}`, [`Accept: ${GRAPHQL_JSON}`, ...headers]), 'latin1')
}

const percent = (bytes) => Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

/** The request that opens a WebSocket. */
export function upgrade({ protocol = 'graphql-transport-ws', headers = [], path = '/graphql' } = {}) {
  const lines = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
  return Buffer.from(head(`GET ${path}`, [...lines, ...headers]), 'latin1')
}

/** Operation codes of frames. */
export const FRAME = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }

/**
 * A frame as a client sends it, or as none should.
 *
 * @param {Buffer | string} payload
 * @param options `says`: the length that the head states, as `[bits, value]`, when it is not the payload's own
 */
export function frame(payload, { code = FRAME.text, final = true, masked = true, reserved = 0, says } = {}) {
  const bytes = Buffer.from(payload)
  const [bits, length] = says ?? [bytes.length < 126 ? 7 : bytes.length < 65_536 ? 16 : 64, bytes.length]
  const first = (final ? 0x80 : 0) | (reserved << 4) | code
  const mask = masked ? 0x80 : 0
  let start
  if (bits === 7) {
    start = Buffer.from([first, mask | length])
  } else if (bits === 16) {
    start = Buffer.from([first, mask | 126, 0, 0])
    start.writeUInt16BE(Number(length), 2)
  } else {
    start = Buffer.from([first, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0])
    start.writeBigUInt64BE(BigInt(length), 2)
  }
  if (!masked) return Buffer.concat([start, bytes])
  return Buffer.concat([start, MASK, bytes.map((byte, n) => byte ^ MASK[n % 4])])
}

/** A close frame, with whatever number for a code. */
export function close(code, reason = '') {
  const number = Buffer.alloc(2)
  number.writeUInt16BE(code)
  return frame(Buffer.concat([number, Buffer.from(reason)]), { code: FRAME.close })
}

/** A message of the socket protocol. */
export const say = (message) => frame(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))

/** The frames that lie whole at the front of some bytes, and what is left. */
export function frames(bytes) {
  const found = []
  let at = 0
  while (bytes.length - at >= 2) {
    const short = bytes[at + 1] & 0x7f
    const wide = short === 126 ? 2 : short === 127 ? 8 : 0
    if (bytes.length - at < 2 + wide) break
    const length = wide === 0 ? short : wide === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    const start = at + 2 + wide
    if (bytes.length < start + length) break
    found.push({ code: bytes[at] & 0x0f, payload: bytes.subarray(start, start + length) })
    at = start + length
  }
  return [found, bytes.subarray(at)]
}
