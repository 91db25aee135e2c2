// relay-compiler, as `npx relay-compiler` runs it in an app, in a directory of its own.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Compiles documents against schema.graphql.
 *
 * @param {string} module name of the file they stand in, with which the name of each begins
 * @param {string[]} documents
 * @returns the artifacts in the order of the documents
 */
export async function compile(module, documents) {
  const directory = mkdtempSync(join(tmpdir(), 'parlor-relay-'))
  try {
    const write = (name, text) => writeFileSync(join(directory, name), text)
    copyFileSync(join(import.meta.dirname, '../../../schema.graphql'), join(directory, 'schema.graphql'))
    mkdirSync(join(directory, '__generated__'))
    write('package.json', '{"type":"module"}')
    write('relay.config.json', JSON.stringify({
      src: '.',
      schema: 'schema.graphql',
      artifactDirectory: '__generated__',
      language: 'javascript',
      eagerEsModules: true,
      customScalarTypes: { DateTime: 'string' },
    }))
    // An app's build turns each `graphql` into an import of the artifact; here they are imported below.
    write(`${module}.js`, documents.map((text) => `graphql\`${text}\`\n`).join(''))
    const compiler = createRequire(import.meta.url).resolve('relay-compiler/cli.js')
    const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, '--noWatchman'], { cwd: directory, encoding: 'utf8' })
    if (status !== 0) throw new Error(`relay-compiler refuses:\n${stdout}${stderr}`)
    const names = documents.map((text) => text.match(/(?:query|mutation|subscription) (\w+)/)[1])
    const load = async (name) => (await import(join(directory, '__generated__', `${name}.graphql.js`))).default
    return await Promise.all(names.map(load))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
