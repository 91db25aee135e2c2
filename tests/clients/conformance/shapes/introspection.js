// The schema about itself. The order of its lists is nobody's business.

const TYPE = 'kind name ofType { kind name ofType { kind name ofType { kind name } } }'

export const introspection = {
  'the roots': '{ __schema { __typename queryType { name kind } mutationType { name } subscriptionType { name description } } }',
  'a schema without a description': '{ __schema { description } }',
  'the names and sorts of all types': '{ __schema { types { kind name } } }',
  'what a type is for': '{ a: __type(name: "Conversation") { ...D } b: __type(name: "UserErrorCode") { ...D } c: __type(name: "Event") { ...D } d: __type(name: "CreateConversationInput") { ...D } e: __type(name: "Mutation") { ...D } f: __type(name: "BlockEdge") { ...D } } fragment D on __Type { kind description }',
  'an object: its fields, their types and arguments': `{ __type(name: "Conversation") { kind name description fields { name description type { ${TYPE} } args { name description type { ${TYPE} } defaultValue } isDeprecated deprecationReason } } }`,
  'an object: what it implements and what it is not': '{ __type(name: "User") { interfaces { kind name } possibleTypes { name } enumValues { name } inputFields { name } ofType { name } specifiedByURL isOneOf } }',
  'an object that implements nothing': '{ __type(name: "PageInfo") { interfaces { name } possibleTypes { name } } }',
  'defaults are written as literals': `{ viewer: __type(name: "Viewer") { fields { name args { name defaultValue type { ${TYPE} } } } } create: __type(name: "CreateConversationInput") { inputFields { name defaultValue type { ${TYPE} } } } remove: __type(name: "RemoveMemberInput") { inputFields { name defaultValue } } }`,
  'an interface': `{ __type(name: "Node") { kind name description fields { name type { ${TYPE} } } interfaces { name } possibleTypes { kind name } enumValues { name } inputFields { name } isOneOf } }`,
  'an interface of events': '{ __type(name: "Event") { possibleTypes { name interfaces { name } } } }',
  'an enum': '{ __type(name: "MemberRole") { kind name description enumValues { name description isDeprecated deprecationReason } fields { name } interfaces { name } possibleTypes { name } inputFields { name } } }',
  'an enum with what is deprecated': '{ __type(name: "UserErrorCode") { enumValues(includeDeprecated: true) { name isDeprecated } } }',
  'an input object': `{ __type(name: "SendMessageInput") { kind name description inputFields { name description type { ${TYPE} } defaultValue isDeprecated deprecationReason } fields { name } isOneOf } }`,
  'an input object of which one field is given': `{ __type(name: "UserByInput") { kind isOneOf inputFields(includeDeprecated: true) { name type { ${TYPE} } } } }`,
  'a scalar with a specification': '{ __type(name: "DateTime") { kind name description specifiedByURL fields { name } isOneOf } }',
  'scalars that every schema has': '{ a: __type(name: "Int") { kind name specifiedByURL } b: __type(name: "ID") { kind name } c: __type(name: "Boolean") { kind name fields { name } } d: __type(name: "String") { kind name } }',
  'types of the introspection itself': '{ a: __type(name: "__Type") { kind name fields { name } } b: __type(name: "__TypeKind") { kind enumValues { name } } }',
  'a type that is not there': '{ __type(name: "Nothing") { name } }',
  'a type by a variable': { query: 'query($n: String!, $d: Boolean = true) { __type(name: $n) { name fields(includeDeprecated: $d) { name } } }', variables: { n: 'PageInfo' } },
  'an introspection among other fields': '{ viewer { id } __type(name: "Node") { name __typename } a: __typename ...F } fragment F on Query { __schema { queryType { ...T } } } fragment T on __Type { kind name }',
  'directives, their arguments, and whether they repeat': `{ __schema { directives { __typename name isRepeatable args { name type { ${TYPE} } defaultValue } } } }`,
}
