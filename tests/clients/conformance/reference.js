// What the specification says about a request: graphql-js runs it.
import { TypeInfo, defaultFieldResolver, execute, isListType, isNonNullType, parse, validate, visit, visitWithTypeInfo } from 'graphql'
import { setImmediate } from 'node:timers/promises'

/** A path as text. */
export const key = (path) => JSON.stringify(path ?? [])

const isBelow = (path, above) => path.length > above.length && above.every((step, n) => step === path[n])

function keys(path) {
  const steps = []
  for (let at = path; at; at = at.prev) steps.unshift(at.key)
  return steps
}

/** Where an error at `path` leaves its null: at the nearest place that may be null. */
function nulled(path, types) {
  const isNullable = (at) => {
    let type
    let indices = 0
    for (let end = at.length; end > 0 && !type; end--) {
      type = types.get(key(at.slice(0, end)))
      if (!type) indices++
    }
    for (; indices > 0; indices--) {
      if (isNonNullType(type)) type = type.ofType
      if (!isListType(type)) throw new Error(`no list at ${key(at)}`)
      type = type.ofType
    }
    return !isNonNullType(type)
  }
  const at = [...path]
  while (at.length > 0 && !isNullable(at)) at.pop()
  return at
}

/**
 * Answers a request. `refused`: the request is at fault, nothing runs, there is no `data`. Else `data`, the places of
 * `failures` that were met or could have been, and for each null that one of them left, `nulls`, which of them may be
 * told as its cause. An execution may stop what would be thrown away, so not all failures have to be told.
 */
export async function answer(schema, rootValue, { query, variables, operationName }, contextValue) {
  let document
  try {
    document = parse(query)
  } catch (error) {
    return { refused: [error] }
  }
  const faults = validate(schema, document)
  if (faults.length > 0) return { refused: faults }

  const failures = new Map()
  const types = new Map()
  const fieldResolver = async (source, args, context, info) => {
    const path = keys(info.path)
    types.set(key(path), info.returnType)
    try {
      return await defaultFieldResolver(source, args, context, info)
    } catch (error) {
      failures.set(key(path), path)
      throw error
    }
  }
  const result = await execute({ schema, document, rootValue, contextValue, variableValues: variables, operationName, fieldResolver })
  // Those whose failure was too late to count are met here.
  await setImmediate()
  if (!('data' in result)) return { refused: result.errors }

  // A field whose arguments were no good was not resolved; the error names a node within it.
  const typeInfo = new TypeInfo(schema)
  const typesAt = new Map()
  const enter = (node) => void typesAt.set(node, typeInfo.getType())
  visit(document, visitWithTypeInfo(typeInfo, { enter }))
  for (const { path = [], nodes } of result.errors ?? []) {
    failures.set(key(path), path)
    if (path.length > 0 && !types.has(key(path))) types.set(key(path), typesAt.get(nodes[0]))
  }
  const paths = [...failures.values()]
  const places = paths.map((path) => nulled(path, types))
  const nulls = new Map()
  places.forEach((place, n) => {
    if (places.some((other) => isBelow(place, other))) return
    const causes = nulls.get(key(place)) ?? nulls.set(key(place), new Set()).get(key(place))
    causes.add(key(paths[n]))
  })
  return { data: result.data, errors: result.errors, failures: new Set(failures.keys()), nulls }
}
