// An honest client beside the hostile ones: it asks over one connection, sends a message and hears it on its socket.
import { post, say } from './bytes.js'
import { Wire } from './wire.js'
import { open } from './ways.js'

const WITHIN = 10_000

export class Honest {
  #http
  #socket
  #token
  #conversation
  #count = 0

  /** A client of the server at a port, for somebody with a token and a conversation. */
  static async start(port, { token, conversation }) {
    const client = new Honest()
    client.#token = token
    client.#conversation = conversation
    client.#http = new Wire(port)
    client.#socket = new Wire(port, true)
    for (const step of open({ authorization: token })) {
      if (Buffer.isBuffer(step)) await client.#socket.send(step)
      else await client.#hear(client.#socket, ({ how }) => how === step.hears)
    }
    const query = `subscription{messageSent(conversationId:"${conversation}"){text}}`
    client.#socket.send(say({ id: '1', type: 'subscribe', payload: { query } }))
    client.#socket.heard = []
    // The stream has begun when it tells something.
    while (!(await client.#talk(200))) continue
    return client
  }

  async #hear(wire, is, within = WITHIN) {
    const found = await wire.until(() => wire.heard.find(is), within)
    wire.heard = []
    return found
  }

  async #ask(query, variables) {
    this.#http.send(post(JSON.stringify({ query, variables }), [`Authorization: ${this.#token}`]))
    return (await this.#hear(this.#http, () => true))?.how
  }

  async #talk(within = WITHIN) {
    const text = `honest ${process.pid} ${this.#count++}`
    const heard = this.#hear(this.#socket, ({ said }) => said?.payload?.data?.messageSent?.text === text, within)
    const query = 'mutation($i:SendMessageInput!){sendMessage(input:$i){userErrors{code}}}'
    const sent = await this.#ask(query, { i: { conversationId: this.#conversation, text } })
    return sent === '200 ok' && (await heard) !== undefined
  }

  /** Asks something; whether it was answered as it should be. */
  asks = async () => (await this.#ask('{viewer{id unreadCount}}')) === '200 ok'

  /** Sends a message and waits to hear it; whether it was. */
  talks = () => this.#talk()

  leave() {
    this.#http.drop()
    this.#socket.drop()
  }
}

async function ask(url, token, query, variables) {
  const headers = { 'content-type': 'application/json', authorization: token }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  return (await answer.json()).data
}

/**
 * Two of the demo's people: an honest one with a conversation to talk in, and a hostile one with another, and with one to
 * read from that is `full`: a hundred of the longest messages, in bytes as they are and as JSON has them.
 */
export async function people(url, { alice, bob, carol }) {
  const { viewer } = await ask(url, alice, '{viewer{conversations{edges{node{id kind}}}}}')
  const of = (kind) => viewer.conversations.edges.map(({ node }) => node).filter((node) => node.kind === kind)
  const [[full, books], [direct]] = [of('GROUP'), of('DIRECT')].map((nodes) => nodes.map(({ id }) => id))
  const sends = Array.from({ length: 50 }, (_, n) => `a${n}:sendMessage(input:$i){userErrors{code}}`)
  const fill = (token, letter) => {
    const i = { conversationId: full, text: letter.repeat(10_000) }
    return ask(url, token, `mutation($i:SendMessageInput!){${sends.join(' ')}}`, { i })
  }
  await fill(alice, '\u{1f600}')
  await fill(carol, '\u0001')
  return { honest: { token: bob, conversation: books }, hostile: { token: alice, conversation: direct, full } }
}
