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
import { MIB, cost, keepNothing } from './process.js'
import { cpuMax, isGood, memoryMax, run } from './run.js'

const RATIO_MAX = 1.5
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

const percentile = (values, share) => values.sort((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))]
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

async function round(honest) {
  const until = performance.now() + SECONDS * 1_000
  // Over one connection each; the two do not wait for each other. Nobody may send more than 20 messages a second.
  const [asked, heard] = await Promise.all([paced(honest.asker.asks, 5, until), paced(honest.talker.talks, 55, until)])
  return { 'ask and be answered': percentile(asked, 0.99), 'send and hear it': percentile(heard, 0.99) }
}

/** Does something under attack. The attacker is another process, of the sort that runs only when nobody else wants to. */
async function attacked(server, number, work) {
  const settings = { port: server.port, who: server.who.hostile, first: number * SECONDS * PER_SECOND, perSecond: PER_SECOND, only: ONLY }
  const program = ['--idle', '0', process.execPath, join(import.meta.dirname, 'attacker.js'), JSON.stringify(settings)]
  const attacker = spawn('chrt', program, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  try {
    await once(attacker, 'message')
    attacker.send('go')
    await sleep(500)
    const result = await work()
    attacker.send('stop')
    const [{ sent, ended }] = await once(attacker, 'message')
    return { ...result, sent, ended }
  } finally {
    attacker.kill('SIGKILL')
    // The server sees its sockets close.
    await sleep(1_000)
  }
}

/** Quiet and attacked by turns; the medians over the rounds count. */
const besides = () =>
  serve(async (server) => {
    const honest = { asker: await Honest.start(server.port, server.who.honest), talker: await Honest.start(server.port, server.who.honest) }
    await round(honest)
    const rounds = { quiet: [], attacked: [] }
    for (let number = 0; number < ROUNDS; number++) {
      rounds.quiet.push(await round(honest))
      rounds.attacked.push(await attacked(server, number, () => round(honest)))
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
  const { quiet, attacked: beside } = await besides()
  console.log(`\nMilliseconds at the 99th percentile, medians of ${ROUNDS} rounds of ${SECONDS} s; cases sent ${beside.map(({ sent }) => sent)}`)
  for (const what of Object.keys(quiet[0])) {
    const [before, under] = [quiet, beside].map((rounds) => median(rounds.map((each) => each[what])))
    const ratio = under / before
    if (ratio > RATIO_MAX) broken++
    console.log(`${what}: quiet ${before.toFixed(2)}, attacked ${under.toFixed(2)}: ${ratio.toFixed(2)} times ${ratio > RATIO_MAX ? '!' : ''}`)
  }
}

// Last, for the setting is for all processes to come.
if (WHAT.includes('memory')) {
  keepNothing()
  table('MiB of memory', await costs('peak'), memoryMax, (value) => (value / MIB).toFixed(1))
}
process.exitCode = broken > 0 ? 1 : 0
