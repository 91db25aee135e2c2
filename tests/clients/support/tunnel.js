// The train's tunnel: a TCP proxy between a client and the server, to cut connections with.
import { connect, createServer } from 'node:net'

/**
 * A proxy until the end of a test.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} target URL of the server's endpoint
 * @returns `url` and `wsUrl` that lead through the proxy, `accepted` and `refused` connections so far,
 *   `enter()`, which cuts every connection and refuses new ones, `leave()`, which lets them in again, and
 *   `silence()`, after which nothing more comes through the connections that are open, and neither end is told
 */
export async function startTunnel(t, target) {
  const { hostname, port, pathname } = new URL(target)
  const sockets = new Set()
  let inside = false
  const proxy = createServer((client) => {
    if (inside) {
      tunnel.refused += 1
      return client.destroy()
    }
    tunnel.accepted += 1
    const server = connect(Number(port), hostname)
    for (const [from, to] of [[client, server], [server, client]]) {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const cut = () => sockets.forEach((socket) => socket.destroy())
  const address = `127.0.0.1:${proxy.address().port}${pathname}`
  const tunnel = {
    url: `http://${address}`,
    wsUrl: `ws://${address}`,
    accepted: 0,
    refused: 0,
    enter() {
      inside = true
      cut()
    },
    leave() {
      inside = false
    },
    silence() {
      sockets.forEach((socket) => socket.unpipe())
    },
  }
  t.after(() => {
    proxy.close()
    cut()
  })
  return tunnel
}
