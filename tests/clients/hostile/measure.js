// What hostile requests cost, measured, and what an honest client notices of them:
//
//     PARLOR_PROGRAM=target/release/parlor node tests/clients/hostile/measure.js
//
// Each case may take 50 ms of a core and 4 MiB, and who is honest may wait 1.5 times as long at the 99th percentile while
// all cases come in again and again. Exits with 1 when a bound is broken. ROUNDS, SECONDS and PER_SECOND change the attack,
// ONLY is a pattern for the names of the cases, WHAT some of `cpu`, `memory`, `honest`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from '../support/server.js'
import { corpus } from './corpus.js'
import { Honest, people } from './honest.js'
import { MIB, busyWithOthers, cost, keepNothing } from './process.js'
import { cpuMax, isGood, memoryMax, run } from './run.js'

const RATIO_MAX = 1.5
/** Cores that others may take while the honest client is measured; with more the round is repeated. */
const OTHERS_MAX = 0.25
/** What takes more is tried again, and the least counts: somebody else may have been busy. */
const AGAIN = { cpu: 20, peak: 3.5 * MIB }

const { ROUNDS = 5, SECONDS = 10, PER_SECOND = 50, ONLY = '.', WHAT = 'cpu memory honest' } = process.env
let broken = 0

async function serve(work) {
  const server = await startServer(['--demo'])
  const port = new URL(server.url).port
  try {
    return await work({ port, pid: server.pid, who: await people(server.url, server.tokens) })
  } finally {
    await server.stop()
  }
}

/** Runs each case alone and takes down what it cost, `cpu` or `peak` memory; the greatest first. */
const costs = (what) =>
  serve(async ({ port, pid, who }) => {
    const rows = []
    for (const hostile of corpus(who.hostile).quick.filter(({ name }) => new RegExp(ONLY).test(name))) {
      let least = { [what]: Infinity }
      for (let tries = 0; tries < 3 && least[what] > AGAIN[what]; tries++) {
        const spent = await cost(pid, () => run(port, hostile), true)
        if (spent[what] < least[what]) least = spent
      }
      rows.push({ hostile, end: least.result, value: least[what] })
    }
    return rows.sort((one, other) => other.value - one.value)
  })

function table(title, rows, max, write) {
  const over = rows.filter(({ hostile, value }) => value > max(hostile))
  broken += over.length
  console.log(`\n${title}: ${over.length} of ${rows.length} cases take too much`)
  for (const { hostile, end, value } of rows.slice(0, Math.max(10, over.length))) {
    console.log(`${write(value).padStart(10)} ${value > max(hostile) ? '!' : ' '} ${hostile.name} → ${end}`)
  }
}

const percentile = (values, share) => values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))]
const median = (values) => percentile(values, 0.5)

/** Does something every so often; milliseconds that it took, from when it was due if the one before was late. */
async function paced(work, every, until) {
  const took = []
  for (let due = performance.now(); due < until; due += every) {
    const early = due - performance.now()
    if (early > 0) await sleep(early)
    const begun = early > 0 ? performance.now() : due
    if (!(await work())) throw new Error('an honest client was not served')
    took.push(performance.now() - begun)
  }
  return took
}

/** What an honest client waits at the 99th percentile, and how many cores others than `pids` took meanwhile. */
async function round(honest, pids) {
  const [begun, busy] = [performance.now(), busyWithOthers(pids)]
  const until = begun + SECONDS * 1_000
  // Over one connection each; the two do not wait for each other. Nobody may send more than 20 messages a second.
  const [asked, heard] = await Promise.all([paced(honest.asker.asks, 5, until), paced(honest.talker.talks, 55, until)])
  const others = (busyWithOthers(pids) - busy) / (performance.now() - begun)
  return { asks: percentile(asked, 0.99), sends: percentile(heard, 0.99), others }
}

/** A round under attack. The attacker is another process, of the sort that runs only when nobody else wants to. */
async function attacked(server, honest, number) {
  const settings = { port: server.port, who: server.who.hostile, first: number * SECONDS * PER_SECOND, perSecond: PER_SECOND, only: ONLY }
  const program = ['--idle', '0', process.execPath, join(import.meta.dirname, 'attacker.js'), JSON.stringify(settings)]
  const attacker = spawn('chrt', program, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  try {
    await once(attacker, 'message')
    attacker.send('go')
    await sleep(500)
    return await round(honest, [process.pid, server.pid, attacker.pid])
  } finally {
    attacker.kill('SIGKILL')
    // The server sees its sockets close.
    await sleep(1_000)
  }
}

/** Tries until nobody else was busy; what it gave at last. */
async function calm(work) {
  for (let tries = 1; ; tries++) {
    const result = await work()
    if (result.others < OTHERS_MAX || tries === 3) return result
    await sleep(5_000)
  }
}

/** Quiet and attacked by turns. */
const besides = () =>
  serve(async (server) => {
    const honest = { asker: await Honest.start(server.port, server.who.honest), talker: await Honest.start(server.port, server.who.honest) }
    const quiet = () => round(honest, [process.pid, server.pid])
    await quiet()
    const rounds = { quiet: [], attacked: [] }
    for (let number = 0; number < ROUNDS; number++) {
      rounds.quiet.push(await calm(quiet))
      rounds.attacked.push(await calm(() => attacked(server, honest, number)))
    }
    honest.asker.leave()
    honest.talker.leave()
    return rounds
  })

if (WHAT.includes('cpu')) {
  const rows = await costs('cpu')
  table('Milliseconds of a core', rows, cpuMax, (value) => value.toFixed(1))
  const sum = rows.reduce((total, { value }) => total + value, 0)
  console.log(`all of them together ${sum.toFixed(0)}, one of them ${(sum / rows.length).toFixed(2)}`)
  const bad = rows.filter(({ hostile, end }) => !isGood(hostile, end))
  broken += bad.length
  console.log(`\nEnds: ${bad.length} of ${rows.length} cases end as they should not`)
  for (const { hostile, end } of bad) console.log(`  ${hostile.name}: ${end}, not ${[hostile.ends].flat().join(' or ')}`)
}

if (WHAT.includes('honest')) {
  const rounds = await besides()
  console.log(`\nMilliseconds at the 99th percentile, ${ROUNDS} rounds of ${SECONDS} s, ${PER_SECOND} cases a second`)
  for (const what of ['asks', 'sends']) {
    const [quiet, beside] = [rounds.quiet, rounds.attacked].map((some) => some.map((each) => each[what]))
    const ratio = median(beside) / median(quiet)
    if (ratio > RATIO_MAX) broken++
    const list = (values) => `${median(values).toFixed(2)} (${values.map((value) => value.toFixed(2)).join(' ')})`
    console.log(`who ${what}: quiet ${list(quiet)}, attacked ${list(beside)}: ${ratio.toFixed(2)} times ${ratio > RATIO_MAX ? '!' : ''}`)
  }
  console.log(`cores that others took: ${[...rounds.quiet, ...rounds.attacked].map(({ others }) => others.toFixed(2)).join(' ')}`)
}

// Last, for the setting is for all processes to come.
if (WHAT.includes('memory')) {
  keepNothing()
  table('MiB of memory', await costs('peak'), memoryMax, (value) => (value / MIB).toFixed(1))
}
process.exitCode = broken > 0 ? 1 : 0
