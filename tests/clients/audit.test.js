// GraphQL over HTTP as graphql-http audits it: every MUST, SHOULD and MAY.
import { serverAudits } from 'graphql-http'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startServer } from './support/server.js'

let server

before(async () => {
  server = await startServer(['--introspection', 'on'])
})

after(() => server?.stop())

for (const { id, name } of serverAudits({ url: 'http://unused.invalid/graphql' })) {
  test(`${id} ${name}`, async () => {
    const audit = serverAudits({ url: server.url, fetchFn: fetch }).find((one) => one.id === id)
    const result = await audit.fn()
    assert.equal(result.status, 'ok', result.reason)
  })
}
