// What a hostile client might send, over every way in: all of it ends as it should and takes little memory, and whoever is
// honest is answered as ever. What it costs in time is measured by hostile/measure.js.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { corpus } from './hostile/corpus.js'
import { Honest, people } from './hostile/honest.js'
import { MIB, cost, keepNothing, memory } from './hostile/process.js'
import { isGood, memoryMax, run } from './hostile/run.js'
import { startServer } from './support/server.js'

/** What the server may keep of all of it together: documents and pages of its database that it remembers. */
const KEPT_MAX = 64 * MIB

/** What the server tells its operator; it comes through our own. */
const told = []
const { write } = process.stderr
process.stderr.write = (text, ...rest) => {
  told.push(String(text))
  return write.call(process.stderr, text, ...rest)
}

let server, port, honest, cases, slow, atFirst

before(async () => {
  keepNothing()
  server = await startServer(['--demo'])
  port = new URL(server.url).port
  const who = await people(server.url, server.tokens)
  honest = await Honest.start(port, who.honest)
  cases = corpus(who.hostile)
  atFirst = memory(server.pid)
  // They wait, most of the time; the others run meanwhile.
  slow = Promise.all(cases.slow.map(async (hostile) => ({ hostile, end: await run(port, hostile) })))
})

after(async () => {
  honest?.leave()
  await server?.stop()
  process.stderr.write = write
})

const wrongEnd = ({ name, ends }, end) => `${name}: ended with ${end}, not with ${[ends].flat().join(' or ')}`

/** Runs a case and says what is wrong about it. What takes too much is tried again: it may have been somebody else. */
async function fault(hostile, tries = 3) {
  const spent = await cost(server.pid, () => run(port, hostile))
  if (!isGood(hostile, spent.result)) return wrongEnd(hostile, spent.result)
  if (!server.isAlive()) return `${hostile.name}: ended the server`
  if (!(await honest.asks())) return `${hostile.name}: nobody else was answered`
  if (spent.peak <= memoryMax(hostile)) return undefined
  return tries > 1 ? fault(hostile, tries - 1) : `${hostile.name}: took ${(spent.peak / MIB).toFixed(1)} MiB`
}

for (const way of ['POST', 'GET', 'socket', 'events', 'stream', 'multipart', 'persisted', 'HTTP']) {
  test(`what is hostile ends as it should and takes little memory, by ${way}`, async () => {
    const faults = []
    for (const hostile of cases.quick.filter((each) => each.way === way)) {
      const found = await fault(hostile)
      if (found) faults.push(found)
      assert.ok(server.isAlive(), found)
    }
    assert.deepEqual(faults, [])
  })
}

test('who keeps the server waiting is sent away', async () => {
  const ended = await slow
  assert.deepEqual(
    ended.filter(({ hostile, end }) => !isGood(hostile, end)).map(({ hostile, end }) => wrongEnd(hostile, end)),
    [],
  )
})

test('after all of it the server is as it was', async () => {
  assert.ok(await honest.talks(), 'a message should be heard')
  assert.deepEqual(
    told.filter((text) => /panicked|ERROR/.test(text)),
    [],
  )
  const kept = memory(server.pid).own - atFirst.own
  assert.ok(kept < KEPT_MAX, `the server has ${(kept / MIB).toFixed(1)} MiB more than before`)
})
