// What a process costs, as Linux tells it.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export const MIB = 1024 * 1024

/** Has an allocator give back at once what it does not need: memory then is what is in use. For processes to come. */
export const keepNothing = () => Object.assign(process.env, { MIMALLOC_PURGE_DELAY: '0', MIMALLOC_ALLOW_THP: '0' })

/** Memory of a process in bytes: its own, all that it has with what was read of files, and the most since `forgetPeak`. */
export function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const bytes = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]) * 1024
  return { own: bytes('RssAnon'), files: bytes('RssFile'), all: bytes('VmRSS'), peak: bytes('VmHWM') }
}

const forgetPeak = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** Milliseconds for which each thread of a process was on a core. */
function threads(pid) {
  const times = new Map()
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      times.set(thread, Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e6)
    } catch {
      // It has ended meanwhile.
    }
  }
  return times
}

/** Milliseconds on a core since then; those of threads that have ended are not known. */
function since(pid, then) {
  let sum = 0
  for (const [thread, time] of threads(pid)) sum += time - (then.get(thread) ?? 0)
  return sum
}

/** Waits until a process has nothing to do: it was on a core for less than half a millisecond in the last five. */
async function idle(pid) {
  for (let rounds = 0; rounds < 200; rounds++) {
    const before = threads(pid)
    await sleep(5)
    if (since(pid, before) < 0.5) return
  }
}

/**
 * What a process spends on something.
 *
 * @param work what is done; the process is done with it when it has nothing more to do, if `isThorough`
 * @returns `result` of the work; `cpu` in milliseconds; `kept`, bytes of memory that it has more than before; `peak`, bytes
 *   that it had more at some time, its own program left out, which is read from a file as it is needed
 */
export async function cost(pid, work, isThorough = false) {
  forgetPeak(pid)
  const [before, begun] = [memory(pid), threads(pid)]
  const result = await work()
  if (isThorough) await idle(pid)
  const cpu = since(pid, begun)
  const after = memory(pid)
  const program = Math.max(0, after.files - before.files)
  return { result, cpu, kept: after.own - before.own, peak: Math.max(0, after.peak - before.all - program) }
}

/** Milliseconds for which the cores of the machine were busy with anybody else than some processes. */
export function busyWithOthers(pids) {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1').split('\n')[0].split(/ +/).slice(1).map(Number)
  const own = pids.map((pid) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' '))
  // In hundredths of a second, all of them.
  const mine = own.reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0)
  return (user + nice + system + irq + softirq + steal - mine) * 10
}
