// The hostile clients, in a process of their own: what they cost themselves is not to be felt by the honest one.
// Started by measure.js, which says where the server is and when to begin; it ends with its process.
import { corpus } from './corpus.js'
import { run } from './run.js'

const { port, who, first, perSecond, only } = JSON.parse(process.argv[2])
const { quick, slow } = corpus(who)
const cases = quick.filter(({ name }) => new RegExp(only).test(name))

/** Far apart in the corpus, so that one moment's cases are of several kinds. */
const STRIDE = 997

let next = first

process.once('message', () => {
  for (const hostile of slow) run(port, hostile)
  setInterval(() => run(port, cases[(next++ * STRIDE) % cases.length]), 1_000 / perSecond)
})
process.once('disconnect', () => process.exit())
process.send('ready')
