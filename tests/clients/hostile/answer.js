// An answer of HTTP as it is read: bytes go in as they come, and how it ended comes out.
import { gunzipSync } from 'node:zlib'

const GAP = Buffer.from('\r\n\r\n')

/** What the errors of a response say: the first one's code, or `ok`. */
export function verdict(response) {
  const errors = Array.isArray(response) ? response : response?.errors
  return errors?.length ? (errors[0].extensions?.code ?? 'no code') : 'ok'
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** How a stream of results went, once it has told anything. */
const streams = {
  'text/event-stream': (text) => {
    const event = text.match(/^event: (next|complete)\n(?:id: .*\n)?data: (.*)\n/m)
    const data = event && parsed(event[2])
    return event && `event ${event[1] === 'next' ? verdict(data?.payload ?? data) : 'complete'}`
  },
  'multipart/mixed': (text) => {
    const part = parsed(text.match(/\r\n\r\n(\{.+\})\r\n--/)?.[1])
    return part && ('payload' in part ? `part ${verdict(part.payload ?? part)}` : undefined)
  },
}

/** One answer. `how` it ended is known when it is over: a status and, of JSON, a code; or what a stream told first. */
export class Answer {
  #pieces = []
  #length = 0
  /** Bytes of the body that are still to come, of a chunk of it, or nothing where only the end of the connection tells. */
  #left
  #isChunked = false
  #stream

  /** Takes what it can of some bytes and gives back the rest. */
  take(bytes) {
    if (!this.headers) {
      const gap = bytes.indexOf(GAP)
      if (gap < 0) return bytes
      this.#read(bytes.toString('latin1', 0, gap))
      bytes = bytes.subarray(gap + GAP.length)
    }
    while (!this.how && (bytes.length > 0 || this.#left === 0)) {
      const before = bytes.length
      bytes = this.#isChunked && this.#left === undefined ? this.#chunk(bytes) : this.#body(bytes)
      if (bytes.length === before && this.#left !== 0) break
    }
    return bytes
  }

  #read(head) {
    const [line, ...lines] = head.split('\r\n')
    this.status = Number(line.split(' ')[1])
    this.headers = new Map(lines.map((header) => [header.slice(0, header.indexOf(':')).toLowerCase(), header.slice(header.indexOf(':') + 1).trim()]))
    const kind = this.headers.get('content-type') ?? ''
    this.#stream = streams[kind.split(';')[0]]
    this.#isChunked = this.headers.get('transfer-encoding') === 'chunked'
    const length = this.headers.get('content-length')
    if (this.status < 200 || this.status === 204) this.how = `${this.status}`
    else if (length !== undefined) this.#left = Number(length)
  }

  /** The size of the next chunk, which stands on a line of its own; the line before it ends the chunk before. */
  #chunk(bytes) {
    const line = bytes.toString('latin1', 0, 24).match(/^(?:\r\n)?([0-9a-f]+)\r\n/i)
    if (!line) return bytes
    this.#left = parseInt(line[1], 16)
    if (this.#left === 0) this.#isChunked = false
    return bytes.subarray(line[0].length + (this.#left === 0 ? 2 : 0))
  }

  #body(bytes) {
    const taken = bytes.subarray(0, this.#left)
    this.#pieces.push(taken)
    this.#length += taken.length
    if (this.#left !== undefined) this.#left -= taken.length
    if (this.#left === 0 && !this.#isChunked) this.over()
    if (this.#left === 0 && this.#isChunked) {
      this.#left = undefined
      // What a stream tells comes in one chunk.
      this.how = this.#stream?.(this.text) ?? undefined
    }
    return bytes.subarray(taken.length)
  }

  /** Nothing more of it will come. */
  over() {
    if (!this.headers || this.how) return
    const isJson = this.headers.get('content-type')?.includes('json')
    this.how = this.#stream?.(this.text) ?? (isJson ? `${this.status} ${verdict(parsed(this.text))}` : `${this.status}`)
  }

  get text() {
    const bytes = Buffer.concat(this.#pieces, this.#length)
    return (this.headers.get('content-encoding') === 'gzip' ? gunzipSync(bytes) : bytes).toString()
  }
}
