// Runs one hostile case against a server, and tells how it ended.
import { setTimeout as sleep } from 'node:timers/promises'
import { head } from './bytes.js'
import { MIB } from './process.js'
import { Wire } from './wire.js'

/** Time for a server to answer what it can answer at once, on a busy machine. */
const WITHIN = 15_000

/** What is heard on the way to the end. */
const ON_THE_WAY = /^(101|201|202|connection_ack|ping)$/

const TOKEN = 'X-GraphQL-Event-Stream-Token'

/** A case that runs: its connection, the stream of events beside it if it has one, and when its time is over. */
class Run {
  #wires
  #hostile
  #token
  #over

  constructor(port, hostile) {
    this.port = port
    this.#hostile = hostile
    this.#wires = [new Wire(port)]
    this.#over = performance.now() + (hostile.within ?? WITHIN)
  }

  get #heard() {
    return this.#wires.flatMap((wire) => wire.heard)
  }

  #left = () => Math.max(0, this.#over - performance.now())

  /** What was heard that may be the end. */
  #ending = () => {
    const { answers = 1, last = /./ } = this.#hostile
    const counted = this.#heard.filter(({ how }) => !ON_THE_WAY.test(how) && last.test(how))
    return this.#heard.find(({ how }) => how.startsWith('close ')) ?? counted[answers - 1]
  }

  /** Takes one step; says whether there can be another. */
  async #take(step) {
    const wire = this.#wires[0]
    if (Buffer.isBuffer(step)) return wire.send(step)
    if (typeof step === 'function') return wire.send(step(this.#token))
    if (step.pause) return sleep(step.pause, this.#left() > 0 && !wire.isClosed)
    if (step.finish) return wire.finish()
    if ('read' in step) return wire.read(step.read)
    // It may have ended before it began.
    if (step.hears) return wire.until(() => this.#heard.some(({ how }) => how === step.hears) || this.#ending(), this.#left())
    if (step.reserves) return this.#reserve(step.reserves)
    for (const byte of step.trickle) {
      // When the server has said something, what is left need not be sent.
      if (this.#ending() || this.#left() === 0 || !(await wire.send(Buffer.of(byte)))) return false
      await sleep(step.every)
    }
    return true
  }

  /** Reserves a stream of events and opens it. */
  async #reserve(headers) {
    const [wire] = this.#wires
    await wire.send(Buffer.from(head('PUT /graphql', ['Content-Length: 0', ...headers])))
    const reserved = await wire.until(() => wire.heard.at(-1), this.#left())
    if (reserved?.status !== 201) return false
    this.#token = `${TOKEN}: ${reserved.text}`
    const stream = new Wire(this.port)
    this.#wires.push(stream)
    await stream.send(Buffer.from(head('GET /graphql', ['Accept: text/event-stream', this.#token, ...headers])))
    return stream.until(() => stream.hasBegun, this.#left())
  }

  async end() {
    const { steps } = this.#hostile
    const leaves = steps.at(-1)?.drop
    for (const step of leaves ? steps.slice(0, -1) : steps) {
      if (!(await this.#take(step))) break
    }
    if (leaves) return this.#drop(leaves === 'rudely') ?? 'gone'
    const [wire, stream] = this.#wires
    const end = stream ? await Promise.race([wire, stream].map((one) => one.until(this.#ending, this.#left()))) : await wire.until(this.#ending, this.#left())
    this.#drop()
    return end?.how ?? (wire.isClosed ? 'closed' : 'silent')
  }

  #drop(rudely = false) {
    for (const wire of this.#wires) wire.drop(rudely)
  }
}

/**
 * Runs a case.
 *
 * @param port of the server
 * @param hostile a case of the corpus: `steps`; `answers` to wait for, 1 unless said; `last`, what the answer that counts
 *   looks like; `within` how many milliseconds
 * @returns how it ended: a status and a code, as in `400 QUERY_REJECTED`; what a socket said last, as in `close 4400` or
 *   `next ok`; `closed`, `gone` when we left, or `silent`
 */
export const run = (port, hostile) => new Run(port, hostile).end()

/** Whether a case ended in one of the ways that it may. */
export const isGood = (hostile, end) => [hostile.ends].flat().includes(end)

/**
 * Bytes that a case may take. There are two exceptions, whoever asks for them: a password's hash takes 19 MiB; and a page of a
 * hundred of the longest messages is 4 MB of text by itself, which is there as rows, as values and as JSON, and two pages may
 * be read at once.
 */
export const memoryMax = ({ hashes, readsLong }) => (hashes ? 24 : readsLong ? 24 : 4) * MIB

/** Milliseconds of a core that a case may take; a password's hash takes 20 of them. */
export const cpuMax = ({ hashes }) => (hashes ? 100 : 50)
