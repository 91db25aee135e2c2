// How values come in: literals, variables, defaults, and what is left out.

const friends = 'friends(first: $n) { edges { node { friend { handle } } } pageInfo { hasNextPage } }'
const titles = 'edges { node { title } }'
const listed = 'viewer { friendRequests(direction: RECEIVED, status: $s) { totalCount edges { node { status } } } }'

export const variables = {
  'a variable left out for an argument with a default gives the default': {
    query: `query($a: Boolean) { viewer { conversations(archived: $a) { ${titles} } } }`,
  },

  'a variable that may be null and is not': {
    query: `query($a: Boolean = true) { viewer { conversations(archived: $a) { ${titles} } } }`,
  },

  "the operation's default goes before the argument's": {
    query: `query($a: Boolean! = true, $u: Boolean = true) { viewer { a: conversations(archived: $a) { ${titles} } b: conversations(unreadOnly: $u) { ${titles} } } }`,
  },

  "what is given goes before the operation's default": {
    query: `query($a: Boolean! = true) { viewer { conversations(archived: $a, first: 1) { ${titles} } } }`,
    variables: { a: false },
  },

  'null for an argument that is never null is an error of its field, not of the request': {
    query: `query($a: Boolean = true) { viewer { id conversations(archived: $a) { ${titles} } } }`,
    variables: { a: null },
  },

  'null for an argument that must be given is an error of its field': {
    query: 'query($n: Int = 1) { conversation(id: "<weekend>") { title message(seq: $n) { text } } }',
    variables: { n: null },
  },

  'a variable left out for an argument that may be left out': { query: `query($n: Int) { viewer { ${friends} } }` },

  'a variable left out for a text that may be left out': { query: `query($s: String, $a: String) { channels(search: $s, after: $a) { ${titles} } }` },

  'variables left out in a fragment, and below a list': {
    query: 'query($n: Int, $r: [MemberRole!]) { conversation(id: "<weekend>") { ...F } } fragment F on Conversation { messages(last: 2) { edges { node { readBy(first: $n) { edges { node { role } } } } } } members(roles: $r, last: $n) { edges { node { role } } } }',
  },

  'null for an argument that may be left out': { query: `query($n: Int) { viewer { ${friends} } }`, variables: { n: null } },

  'a value for an argument that may be left out': { query: `query($n: Int) { viewer { ${friends} } }`, variables: { n: 1 } },

  'a default of an operation in place of what is left out': { query: `query($n: Int = 1) { viewer { ${friends} } }`, variables: {} },

  "null in place of an operation's default": { query: `query($n: Int = 1) { viewer { ${friends} } }`, variables: { n: null } },

  'a default that may be null: an argument left out': '{ viewer { friendRequests(direction: SENT) { totalCount } bob: user { handle } } }',

  'a default that may be null: a literal null': '{ viewer { friendRequests(direction: RECEIVED, status: null) { totalCount edges { node { status } } } } }',

  'a default that may be null: a variable left out': { query: `query($s: FriendRequestStatus) { ${listed} }` },

  'a default that may be null: a variable that is null': { query: `query($s: FriendRequestStatus) { ${listed} }`, variables: { s: null } },

  'a default that may be null: a variable with another default': { query: `query($s: FriendRequestStatus = ACCEPTED) { ${listed} }` },

  'a default that may be null: a variable with the default null': { query: `query($s: FriendRequestStatus = null) { ${listed} }` },

  'an enum as a variable': { query: `query($s: FriendRequestStatus!) { ${listed} }`, variables: { s: 'ACCEPTED' } },

  'an input object as a variable': { query: 'query($by: UserByInput!) { user(by: $by) { handle } }', variables: { by: { handle: 'carol' } } },

  'an input object as a default': { query: 'query($by: UserByInput! = { handle: "bob" }) { user(by: $by) { handle } }' },

  'a variable within an input object': { query: 'query($h: String!) { user(by: { handle: $h }) { handle } }', variables: { h: 'bob' } },

  'variables within a list': { query: 'query($a: ID!, $b: ID!) { nodes(ids: [$a, "nobody", $b, "<bob>"]) { id } }', variables: { a: '<alice>', b: '<weekend>' } },

  'one value where a list is wanted: a literal': `{ viewer { conversations(kinds: CHANNEL) { ${titles} } } nodes(ids: "<bob>") { id } }`,

  'one value where a list is wanted: variables': {
    query: `query($k: [ConversationKind!], $i: [ID!]!) { viewer { conversations(kinds: $k) { ${titles} } } nodes(ids: $i) { id } }`,
    variables: { k: 'CHANNEL', i: '<bob>' },
  },

  'one value where a list is wanted: a default': { query: `query($k: [ConversationKind!] = CHANNEL) { viewer { conversations(kinds: $k) { ${titles} } } }` },

  'a list as a default': { query: `query($k: [ConversationKind!]! = [CHANNEL, DIRECT]) { viewer { conversations(kinds: $k) { ${titles} } } }` },

  'an empty list is not a list left out': '{ nodes(ids: []) { id } }',

  'null where a list may be left out': { query: `query($k: [ConversationKind!]) { viewer { conversations(kinds: $k, first: 2) { ${titles} } } }`, variables: { k: null } },

  'an identifier may be a whole number': { query: 'query($id: ID!) { a: node(id: 5) { id } b: node(id: $id) { id } c: nodes(ids: [1, "<bob>", $id]) { id } }', variables: { id: 7 } },

  'the ends of Int': {
    query: 'query($max: Int!, $min: Int!) { conversation(id: "<weekend>") { a: message(seq: 2147483647) { id } b: message(seq: -2147483648) { id } c: message(seq: $max) { id } d: message(seq: $min) { id } } }',
    variables: { max: 2147483647, min: -2147483648 },
  },

  'a literal -0 is 0': '{ conversation(id: "<weekend>") { message(seq: -0) { id } } }',

  'variables that no operation knows are nothing': { query: 'query($n: Int) { viewer { friends(first: $n) { totalCount } } }', variables: { n: 1, other: [{ x: null }], Int: 3 } },

  'null for all variables': { query: `query($n: Int = 1) { viewer { ${friends} } }`, variables: null },

  'a variable in a fragment, and in several places': {
    query: 'query($n: Int, $u: ID!) { viewer { ...F } a: user(by: { id: $u }) { ...M } } fragment F on Viewer { friends(first: $n) { edges { cursor } } } fragment M on User { id mutualFriends(first: $n) { edges { node { handle } } } }',
    variables: { n: 1, u: '<bob>' },
  },

  'a variable that is never null where it may be': { query: 'query($k: [ConversationKind!]!, $n: Int!) { viewer { conversations(kinds: $k, first: $n) { edges { node { title } } } } }', variables: { k: ['GROUP', 'GROUP'], n: 2 } },

  'fields of an input object that are left out have their defaults': {
    query: 'mutation($k: CreatableConversationKind!, $m: [ID!]!) { a: createConversation(input: { title: "x", kind: $k, memberIds: $m }) { conversationEdge { cursor } userErrors { code inputPath } } b: createConversation(input: { title: "x", memberIds: ["<alice>", "<dave>"] }) { userErrors { inputPath code } } }',
    variables: { k: 'GROUP', m: '<dave>' },
  },

  'a field of an input object that a variable leaves out has its default': {
    query: 'mutation($k: CreatableConversationKind = GROUP, $t: String, $m: [ID!]! = ["<dave>"]) { createConversation(input: { title: "x", topic: $t, kind: $k, memberIds: $m }) { userErrors { code inputPath } } }',
  },

  'left out, null and a value are three things in an input object': {
    query: `mutation($c: ID!, $left: String, $null: String) {
      a: updateConversation(input: { conversationId: $c, topic: "Set" }) { conversation { topic } }
      b: updateConversation(input: { conversationId: $c, topic: $left }) { conversation { topic } }
      c: updateConversation(input: { conversationId: $c, topic: $null }) { conversation { topic } }
    }`,
    variables: { c: '<scratch>', null: null },
  },

  'left out and null are two things in a variable that is an input object': {
    query: 'mutation($a: UpdateConversationInput!, $b: UpdateConversationInput!, $c: UpdateConversationInput!) { a: updateConversation(input: $a) { conversation { topic } } b: updateConversation(input: $b) { conversation { topic } } c: updateConversation(input: $c) { conversation { topic } } }',
    variables: { a: { conversationId: '<scratch>', topic: 'Set' }, b: { conversationId: '<scratch>' }, c: { conversationId: '<scratch>', topic: null } },
  },
}

const int = 'query($v: Int) { viewer { friends(first: $v) { totalCount } } }'
const bool = `query($v: Boolean!) { viewer { conversations(archived: $v) { ${titles} } } }`
const text = 'query($v: String) { channels(search: $v) { edges { cursor } } }'
const id = 'query($v: ID!) { node(id: $v) { id } }'
const ids = 'query($v: [ID!]!) { nodes(ids: $v) { id } }'
const kinds = `query($v: [ConversationKind!]) { viewer { conversations(kinds: $v) { ${titles} } } }`
const by = 'query($v: UserByInput!) { user(by: $v) { id } }'
const send = 'mutation($v: SendMessageInput!) { sendMessage(input: $v) { userErrors { code } } }'
const message = { conversationId: '<weekend>', text: '' }

/** Variables that do not fit: nothing runs. */
export const misfits = {
  'a variable that must be given is not': { query: id },
  'a variable that must be given is null': { query: id, variables: { v: null } },
  'a variable in a list must be given and is not': { query: 'query($a: ID!) { nodes(ids: ["<alice>", $a]) { id } }' },
  'a text for an Int': { query: int, variables: { v: '1' } },
  'a fraction for an Int': { query: int, variables: { v: 1.5 } },
  'a truth value for an Int': { query: int, variables: { v: true } },
  'a number too large for an Int': { query: int, variables: { v: 2147483648 } },
  'a number too small for an Int': { query: int, variables: { v: -2147483649 } },
  'a list for an Int': { query: int, variables: { v: [1] } },
  'an object for an Int': { query: int, variables: { v: {} } },
  'a number for a truth value': { query: bool, variables: { v: 1 } },
  'a text for a truth value': { query: bool, variables: { v: 'true' } },
  'a number for a text': { query: text, variables: { v: 1 } },
  'a truth value for a text': { query: text, variables: { v: false } },
  'a list for a text': { query: text, variables: { v: ['a'] } },
  'a truth value for an identifier': { query: id, variables: { v: true } },
  'a fraction for an identifier': { query: id, variables: { v: 1.5 } },
  'a list for an identifier': { query: id, variables: { v: ['<alice>'] } },
  'null in a list without nulls': { query: ids, variables: { v: ['<alice>', null] } },
  'null for a list that must be given': { query: ids, variables: { v: null } },
  'a list in a list': { query: ids, variables: { v: [['<alice>']] } },
  'a wrong value deep in a list': { query: ids, variables: { v: ['<alice>', {}] } },
  'a value that the enum has not': { query: kinds, variables: { v: ['GROUPS'] } },
  'a value of an enum in lower case': { query: kinds, variables: { v: ['group'] } },
  'a number for an enum': { query: kinds, variables: { v: [0] } },
  'a text for an input object': { query: by, variables: { v: 'alice' } },
  'a list for an input object': { query: by, variables: { v: [{ handle: 'alice' }] } },
  'a field that the input object has not': { query: send, variables: { v: { ...message, seq: 1 } } },
  'a field that must be given is not': { query: send, variables: { v: { text: 'x' } } },
  'a field that must be given is null': { query: send, variables: { v: { conversationId: '<weekend>', text: null } } },
  'a field of a wrong type': { query: send, variables: { v: { ...message, text: 1 } } },
  'two of what only one may be given of': { query: by, variables: { v: { handle: 'alice', id: '<alice>' } } },
  'none of what one must be given of': { query: by, variables: { v: {} } },
  'null for the one that must be given': { query: by, variables: { v: { handle: null } } },
  'the one and a null': { query: by, variables: { v: { handle: 'alice', id: null } } },
  'a variable that does not fit counts where its field is left out': { query: 'query($v: Int) { __typename viewer @skip(if: true) { friends(first: $v) { totalCount } } }', variables: { v: 'x' } },
  'a variable that does not fit counts where its fragment does not apply': { query: 'query($v: Int) { node(id: "<alice>") { id ... on Conversation { members(first: $v) { edges { cursor } } } } }', variables: { v: 'x' } },
  'a condition that is no truth value': { query: 'query($v: Boolean!) { __typename @include(if: $v) }', variables: { v: 'yes' } },
  'a condition that must be given is not': { query: 'query($v: Boolean!) { __typename @include(if: $v) a: __typename }' },
}
