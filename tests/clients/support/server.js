// A server of its own for each test file: the program, on a database in a temporary directory.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(import.meta.dirname, '../../..')

/**
 * Starts the program, `PARLOR_PROGRAM` or the one that `cargo test` has just built.
 *
 * @param {string[]} flags further flags of `parlor serve`
 * @returns `url` of the endpoint, `pid`, `tokens` of the demo's people by handle (with `--demo`), and `stop()`
 */
export async function startServer(flags = []) {
  const directory = mkdtempSync(join(tmpdir(), 'parlor-'))
  const database = `sqlite://${join(directory, 'chat.db')}?mode=rwc`
  const program = process.env.PARLOR_PROGRAM ?? join(root, 'target/debug/parlor')
  const server = spawn(program, ['serve', '--listen', '127.0.0.1:0', '--database-url', database, ...flags])
  server.stderr.pipe(process.stderr)
  const tokens = {}
  let url
  for await (const line of createInterface({ input: server.stdout })) {
    const person = line.match(/^ {2}(\w+) +(\{.*\})$/)
    if (person) tokens[person[1]] = JSON.parse(person[2]).authorization
    url = line.match(/^Parlor is ready at (.*)$/)?.[1]
    if (url) break
  }
  if (!url) throw new Error('the server should say that it is ready')
  const stop = async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGKILL')
      await ended
    }
    rmSync(directory, { recursive: true, force: true })
  }
  return { url, pid: server.pid, tokens, isAlive: () => server.exitCode === null && server.signalCode === null, stop }
}

/** Runs one operation over plain HTTP; the response as JSON. */
export async function post(url, token, query, variables) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: token }) },
    body: JSON.stringify({ query, variables }),
  })
  return answer.json()
}
