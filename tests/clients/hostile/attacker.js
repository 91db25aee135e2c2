// The hostile clients, in a process of their own: what they cost themselves is not to be felt by the honest one.
// Started by measure.js, which says where the server is and when to begin; it ends with its process.
import { setPriority } from 'node:os'
import { corpus } from './corpus.js'
import { run } from './run.js'

const { port, who, first, perSecond } = JSON.parse(process.argv[2])
const { quick, slow } = corpus(who)

/** Far apart in the corpus, so that one moment's cases are of several kinds. */
const STRIDE = 997

process.once('message', () => {
  setPriority(19)
  for (const hostile of slow) run(port, hostile)
  let next = first
  setInterval(() => run(port, quick[(next++ * STRIDE) % quick.length]), 1_000 / perSecond)
})
process.once('disconnect', () => process.exit())
process.send({ isReady: true, count: quick.length })
