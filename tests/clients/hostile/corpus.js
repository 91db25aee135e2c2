// Everything that a hostile client might send, over every way in. Nothing of it is stored: it is made when it is needed.
import { bodies } from './bodies.js'
import { documents } from './documents.js'
import { http } from './http.js'
import { sockets } from './sockets.js'
import { values } from './values.js'
import { everyBody, everyWay } from './ways.js'

/**
 * The corpus. A case is `name`, `way` in, `steps` for `run`, and `ends`: how it may end, one or several.
 *
 * @param who `token` of somebody, a `conversation` of theirs, and a `full` one, with a hundred of the longest messages
 */
export function corpus(who) {
  const cases = [...documents().flatMap(everyWay), ...values(who).flatMap(everyWay), ...bodies().flatMap(everyBody), ...http(who), ...sockets(who)]
  const names = new Set(cases.map(({ name }) => name))
  const twice = cases.find(({ name }) => !names.delete(name))
  if (twice) throw new Error(`two cases have the name ${twice.name}`)
  return { quick: cases.filter(({ isSlow }) => !isSlow), slow: cases.filter(({ isSlow }) => isSlow) }
}
