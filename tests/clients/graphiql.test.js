// GraphiQL as a person uses it: in a real browser, against the program, with a token typed into the headers.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { accessSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'

const root = join(import.meta.dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'parlor-'))
let program, url, tokens, browser

/** The browser that is installed: no test downloads one. */
function executablePath() {
  const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  for (const path of known) {
    try {
      accessSync(path)
      return path
    } catch {
      // the next one
    }
  }
  throw new Error('no browser; apt-get install chromium')
}

before(async () => {
  const database = `sqlite://${join(directory, 'chat.db')}?mode=rwc`
  program = spawn(join(root, 'target/debug/parlor'), ['serve', '--demo', '--listen', '127.0.0.1:0', '--database-url', database])
  program.stderr.pipe(process.stderr)
  tokens = {}
  for await (const line of createInterface({ input: program.stdout })) {
    const person = line.match(/^ {2}(\w+) +(\{.*\})$/)
    if (person) tokens[person[1]] = person[2]
    url = line.match(/^Parlor is ready at (.*)$/)?.[1]
    if (url) break
  }
  assert.ok(url, 'the server should say that it is ready')
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  browser = await chromium.launch({ executablePath: executablePath(), args })
})

after(async () => {
  await browser?.close()
  program?.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

async function post(headers, query, variables) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  })
  return (await answer.json()).data
}

/** GraphiQL's editors are CodeMirror; its own interface is the surest way to fill them. */
async function fill(page, section, text) {
  await page.evaluate(([selector, value]) => document.querySelector(selector).CodeMirror.setValue(value), [`${section} .CodeMirror`, text])
}

test('GraphiQL follows a conversation with a token typed into its headers, and loads nothing from elsewhere', async () => {
  const page = await browser.newPage()
  const faults = []
  const foreign = []
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('request', (request) => new URL(request.url()).host !== new URL(url).host && !request.url().startsWith('data:') && foreign.push(request.url()))
  await page.goto(new URL('/', url).href)
  await page.waitForSelector('.graphiql-query-editor .CodeMirror')

  const bob = JSON.parse(tokens.bob)
  const list = await post(bob, '{viewer{conversations{edges{node{id title}}}}}')
  const { id } = list.viewer.conversations.edges[0].node
  await fill(page, '.graphiql-query-editor', `subscription { messageSent(conversationId: "${id}") { text sender { displayName } } }`)
  await page.getByRole('button', { name: 'Headers' }).click()
  await fill(page, '.graphiql-editor-tool .graphiql-editor:not(.hidden)', tokens.alice)
  await page.locator('.graphiql-execute-button').click()
  await page.waitForSelector('.graphiql-execute-button[aria-label*="Stop"]')

  const text = `hello, page ${Date.now()}`
  const send = 'mutation($i:SendMessageInput!){sendMessage(input:$i){userErrors{code}}}'
  // The stream starts when the server has read the subscription; until then nothing is shown, so say it until it is.
  const shown = page.waitForFunction((words) => document.querySelector('.result-window')?.textContent.includes(words), text)
  const saying = setInterval(() => post(bob, send, { i: { conversationId: id, text } }), 300)
  try {
    await shown
  } finally {
    clearInterval(saying)
  }
  const result = await page.locator('.result-window').textContent()
  assert.match(result, /Bob Cratchit/)
  assert.deepEqual(faults, [])
  assert.deepEqual(foreign, [])
  await page.close()
})
