// A connection of which every byte is ours, and which can read what a server says: answers of HTTP, events, frames.
import { connect } from 'node:net'
import { Answer, verdict } from './answer.js'
import { FRAME, frame, frames } from './bytes.js'

export class Wire {
  /** What was read and belongs to nothing yet. */
  #bytes = Buffer.alloc(0)
  #answer = new Answer()
  #isSocket = false
  #wake = () => {}
  #end

  #isPolite

  /** Answers of HTTP, and what was said on a socket, in their order: `{ how, … }`. */
  heard = []
  isClosed = false

  /** Whether anything was read. */
  hasBegun = false

  /** A connection to a port of this machine; a polite one answers pings. */
  constructor(port, isPolite = false) {
    this.#isPolite = isPolite
    this.#end = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#end.on('data', (data) => this.#read(data))
    this.#end.on('error', () => {})
    this.#end.on('close', () => {
      this.isClosed = true
      this.#answer.over()
      this.#read(Buffer.alloc(0))
    })
  }

  #read(data) {
    this.hasBegun ||= data.length > 0
    let bytes = this.#bytes.length > 0 ? Buffer.concat([this.#bytes, data]) : data
    while (!this.#isSocket) {
      bytes = this.#answer.take(bytes)
      if (!this.#answer.how) break
      if (this.#answer.status !== 100) this.heard.push(this.#answer)
      this.#isSocket = this.#answer.status === 101
      this.#answer = new Answer()
    }
    if (this.#isSocket) {
      const [found, rest] = frames(bytes)
      bytes = rest
      for (const { code, payload } of found) this.#hear(code, payload)
    }
    this.#bytes = bytes
    this.#wake()
  }

  #hear(code, payload) {
    if (code === FRAME.close) this.heard.push({ how: `close ${payload.length < 2 ? 'bare' : payload.readUInt16BE(0)}` })
    if (code === FRAME.ping && this.#isPolite) this.send(frame(payload, { code: FRAME.pong }))
    if (code !== FRAME.text) return
    const said = JSON.parse(payload)
    const how = said.type === 'next' || said.type === 'error' ? `${said.type} ${verdict(said.payload)}` : said.type
    this.heard.push({ how, said })
  }

  /** Writes, and waits until it has gone; says whether it could. */
  send(bytes) {
    if (this.isClosed || this.#end.destroyed || this.#end.writableEnded) return Promise.resolve(false)
    return new Promise((resolve) => this.#end.write(bytes, (error) => resolve(!error)))
  }

  /** Nothing more will be sent. */
  finish() {
    this.#end.end()
    return true
  }

  /** Stops reading, or reads again. */
  read(does) {
    if (does) this.#end.resume()
    else this.#end.pause()
    return true
  }

  /** Ends it without a word. */
  drop(rudely = false) {
    if (rudely) this.#end.resetAndDestroy()
    else this.#end.destroy()
  }

  /** Waits until the condition gives something, or the connection is closed and it does not, or `within` is over. */
  until(condition, within) {
    return new Promise((resolve) => {
      const done = (result) => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve(result)
      }
      const look = () => {
        const found = condition()
        if (found) done(found)
        else if (this.isClosed) done(undefined)
      }
      const timer = setTimeout(() => done(undefined), within)
      this.#wake = look
      look()
    })
  }
}
