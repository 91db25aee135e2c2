// Shapes in which the program is known to differ from the specification, and why that is borne. A shape that does not
// differ any more must go from here.
const oneOf = 'async-graphql looks at @oneOf when it executes: null and an error of the field instead of a refusal'
const nested = 'apollo-compiler does not look at variables within lists and input objects; the value is looked at'

export const known = {
  'a literal -0 is 0': 'async-graphql reads -0 as a float and refuses it for an Int',
  'a schema without a description': 'async-graphql describes every schema, in words of its own',
  'the names and sorts of all types': 'async-graphql lists Float, though nothing uses it',
  'an interface': 'async-graphql gives null for the interfaces of an interface that has none',
  'two of what only one may be given of': oneOf,
  'none of what one must be given of': oneOf,
  'null for the one that must be given': oneOf,
  'the one and a null': oneOf,
  'a variable that may be null in a list without nulls': nested,
  'a variable that may be null in a field of an input object that may not': nested,
  'a field of an input object twice': 'both readers take the last of the two',
}
