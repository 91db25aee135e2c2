// Waiting without guessing how long: for a condition, up to a limit.
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'

/**
 * Resolves as soon as `condition()` is true.
 *
 * @param {() => unknown} condition looked at every few milliseconds
 * @param {string} what is waited for, for the one who reads the failure
 * @param {number} limit in milliseconds
 */
export async function until(condition, what, limit = 15_000) {
  const end = Date.now() + limit
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${limit} ms for this: ${what}`)
    await pause(5)
  }
}

/** For the `error` of a stream that should have none. */
export function unexpected(error) {
  throw error instanceof Error ? error : new Error(inspect(error))
}
