// Responses as the specification says: each shape runs on the program and, with the same results of resolvers, in
// graphql-js on the printed schema.
import { buildSchema } from 'graphql'
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { answer, key } from './conformance/reference.js'
import { known } from './conformance/known.js'
import { BROKEN, breakPeople, play } from './conformance/scenario.js'
import { failures, mutations } from './conformance/shapes/failures.js'
import { introspection } from './conformance/shapes/introspection.js'
import { grammar, operations, rules, undecided } from './conformance/shapes/refusals.js'
import { conditions, selections } from './conformance/shapes/selections.js'
import { misfits, variables } from './conformance/shapes/variables.js'
import { load } from './conformance/world.js'
import { startServer } from './support/server.js'

const groups = { selections, conditions, variables, operations, introspection, failures, mutations, misfits, undecided, grammar, rules }

/** Groups of requests that are at fault themselves. */
const refusals = new Set([misfits, undecided, grammar, rules])

const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'))
const directory = mkdtempSync(join(tmpdir(), 'parlor-'))
let server, scenario, world

before(async () => {
  // The database, which is broken later, has to be found; and what is broken would fill the log.
  const { TMPDIR, PARLOR_LOG } = process.env
  Object.assign(process.env, { TMPDIR: directory, PARLOR_LOG: 'off' })
  server = await startServer(['--demo', '--rate-limits', 'off'])
  for (const [name, value] of Object.entries({ TMPDIR, PARLOR_LOG })) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  scenario = await play(server)
  const ask = async (query, variables) => {
    const { data, errors } = JSON.parse(await send({ query, variables }))
    assert.ok(!errors, JSON.stringify(errors))
    return data
  }
  world = await load(ask, new Set(BROKEN))
  await breakPeople(scenario, directory)
})

after(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** What the program answers to a request of Alice, or of nobody, as text. */
async function send({ as, ...body }) {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...(as !== 'nobody' && { authorization: scenario.tokens.alice }),
    },
    body: JSON.stringify(body),
  })
  return response.text()
}

/** A shape as a request, with the identifiers of the scenario for their names. */
function request(shape) {
  const text = JSON.stringify(typeof shape === 'string' ? { query: shape } : shape)
  return JSON.parse(text.replaceAll(/<(\w+)>/g, (_, name) => scenario.names[name] ?? assert.fail(`no ${name} in the scenario`)))
}

/** JSON in which lists of things with names are sorted by them. */
const sorted = (value) =>
  JSON.stringify(value, (_, it) => (Array.isArray(it) && it.every((item) => item?.name) ? it.toSorted((a, b) => (a.name < b.name ? -1 : 1)) : it))

/** Why the program's answer is not what the specification says; nothing when it is. */
function difference(text, expected, isOrdered) {
  const given = JSON.parse(text)
  const { data, errors, extensions, ...rest } = given
  if (JSON.stringify(given) !== text) return 'the JSON is not plain: a key twice, or an odd notation'
  if (Object.keys(rest).length > 0) return `other keys: ${Object.keys(rest)}`
  if (errors && !(errors.length > 0 && errors.every(({ message }) => typeof message === 'string'))) return 'errors that are none'
  if (expected.refused) {
    if ('data' in given) return 'the request is at fault, so there is no `data`'
    return errors ? undefined : 'the request is at fault, and nothing is told'
  }
  if (!('data' in given)) return '`data` is left out though the request ran'
  const write = isOrdered ? JSON.stringify : sorted
  if (write(data) !== write(expected.data)) return '`data` is another'
  const paths = (errors ?? []).map(({ path }) => key(path))
  const wrong = paths.find((path) => !expected.failures.has(path))
  if (wrong) return `nothing failed at ${wrong}`
  const twice = paths.find((path, n) => paths.indexOf(path) !== n)
  if (twice) return `${twice} is told twice`
  for (const [place, causes] of expected.nulls) {
    if (!paths.some((path) => causes.has(path))) return `the cause of the null at ${place} is not told`
  }
}

for (const [group, shapes] of Object.entries(groups)) {
  describe(group, () => {
    for (const [name, shape] of Object.entries(shapes)) {
      test(name, async () => {
        const asked = request(shape)
        const text = await send(asked)
        const expected = await answer(schema, world, asked, { isSignedIn: asked.as !== 'nobody' })
        const { refused, data, errors } = expected
        assert.equal(Boolean(refused), refusals.has(shapes), `the shape is in the wrong group: ${refused?.[0]}`)
        const why = difference(text, expected, group !== 'introspection')
        if (known[name]) assert.ok(why, `it does not differ any more, so it can go from conformance/known.js: ${known[name]}`)
        if (!why || known[name]) return
        const told = (refused ?? errors)?.map(({ message, path }) => ({ message, path }))
        const reference = JSON.stringify(refused ? { errors: told } : { errors: told, data })
        assert.fail([why, `request:    ${JSON.stringify(asked)}`, `the program: ${text}`, `graphql-js:  ${reference}`].join('\n'))
      })
    }
  })
}
