// Fields that fail: where the null goes, what stays, and which path is told. Erin and Frank are broken.

const page = '{ edges { cursor } }'
const people = 'edges { node { user { handle } } }'

export const failures = {
  'a field that fails and may be null is null, and its neighbours stay': '{ viewer { id friends(first: 1000) { totalCount } user { handle } } }',

  'a page size is 1 to 100': `{ viewer { id a: friends(first: 0) ${page} b: friends(first: -1) ${page} c: friends(first: 101) ${page} d: friends(first: 100) ${page} } }`,

  'a cursor of another list, or none at all, fails': `{ conversation(id: "<weekend>") { title a: members(after: "x") ${page} b: members(after: "") ${page} c: members(before: "!") ${page} d: messages(after: "dQ") ${page} } }`,

  'both ends at once fail': `{ conversation(id: "<weekend>") { members(first: 1, last: 1) ${page} title messages(first: 1, last: 1) ${page} } }`,

  'numbers below 0 fail': `{ conversation(id: "<weekend>") { a: messages(afterSeq: -1) ${page} b: messages(beforeSeq: -1) ${page} c: messages(afterSeq: 0) { pageInfo { hasPreviousPage } } } }`,

  'a field at the root fails alone': `{ users(search: "x") ${page} viewer { id } channels(first: 0) ${page} a: nodes(ids: []) { id } }`,

  'the only field fails: data is there': `{ channels(first: 0) ${page} }`,

  'for nobody fields fail alone': { query: `{ users(search: "al") ${page} channels ${page} user(by: { handle: "bob" }) { handle } }`, as: 'nobody' },

  'an alias is in the path': `{ v: viewer { f: friends(first: 0) ${page} g: friends(first: 1) { totalCount } } w: viewer { id blocks(first: 0) ${page} } }`,

  'a fragment is not in the path': `
    { viewer { ...F ... on Viewer { b: blocks(first: 0) ${page} } ... { ... { id c: blocks(first: 0) ${page} } } } }
    fragment F on Viewer { friends(first: 0) ${page} ...G }
    fragment G on Node { ... on Viewer { conversations(first: 0) ${page} } }`,

  'an index of a list is in the path': `{ nodes(ids: ["<alice>", "nobody", "<weekend>", "<book>", "<bob>"]) { id ... on Conversation { title members(first: 0) ${page} } } }`,

  'indices of lists within lists are in the path': `{
    viewer { conversations(kinds: [GROUP], first: 2) { edges { node { title members(last: 1) { edges { node { user { handle mutualFriends(first: 0) ${page} } role } } } } } } }
  }`,

  'a field fails where there is one and not where there is none': `{ viewer { conversations(first: 6) { edges { node { title peer { handle mutualFriends(first: 0) ${page} } message(seq: 2) { seq readBy(first: 0) ${page} } } } } } }`,

  'a field that fails twice under two aliases fails twice': `{ viewer { a: friends(first: 0) ${page} b: friends(first: 0) ${page} } }`,

  'a field that is asked for twice fails once': `{ viewer { friends(first: 0) ${page} id friends(first: 0) { totalCount } } }`,

  'what is asked for twice fails once below, too': `{ viewer { user { mutualFriends(first: 0) ${page} } } viewer { user { handle mutualFriends(first: 0) { pageInfo { endCursor } } } } }`,

  'a field fails in one of two merged selections': `{ conversation(id: "<weekend>") { members(first: 1) { edges { node { user { handle } } } } members(first: 1) { edges { node { user { mutualFriends(first: 0) ${page} } } } } } }`,

  'a field that may be null fails in some items of a list': '{ conversation(id: "<crowd>") { messages { edges { node { seq sender { handle } text } } } } }',

  'a scalar beside a failure stays, whatever the order': '{ conversation(id: "<crowd>") { a: message(seq: 2) { sender { handle } text } b: message(seq: 2) { text sender { handle } } c: message(seq: 2) { sender { handle } } } }',

  'a request whose sender fails': '{ viewer { friendRequests(direction: RECEIVED) { totalCount edges { node { id sender { handle } recipient { handle } } } } } }',

  'a root field fails for its object': '{ node(id: "<erin>") { id } user(by: { id: "<frank>" }) { id } a: user(by: { handle: "bob" }) { handle } }',

  'a list fails as a whole': '{ nodes(ids: ["<alice>", "<erin>"]) { id } users(search: "er") { edges { node { id } } } viewer { id } }',

  'more than a hundred identifiers fail': { query: 'query($ids: [ID!]!) { nodes(ids: $ids) { id } viewer { id } }', variables: { ids: Array(101).fill('x') } },

  'a field that is never null takes its object with it': '{ node(id: "<erinInCrowd>") { ... on Membership { role user { handle } } } viewer { id } }',

  'a field that is never null takes the item that may be null': '{ nodes(ids: ["<bobInCrowd>", "<erinInCrowd>", "nobody", "<frankInCrowd>", "<aliceInCrowd>"]) { id ... on Membership { user { handle } role } } }',

  'a field that is never null takes items, list and page up to the field that may be null': `{ conversation(id: "<crowd>") { title members(first: 3) { pageInfo { hasNextPage } ${people} } memberCount } }`,

  'it is taken only where it fails': `{ conversation(id: "<crowd>") { a: members(first: 2) { ${people} } b: members(first: 3) { ${people} } c: members(last: 1) { ${people} } } }`,

  'a block of somebody who cannot be read takes the page': '{ viewer { id blocks { edges { cursor node { id user { handle } } } } friends { totalCount } } }',

  'what is never null and fails in a fragment': `
    { conversation(id: "<crowd>") { members(first: 3) { edges { ...E } } title } }
    fragment E on MembershipEdge { cursor node { ...M } }
    fragment M on Membership { role ... on Node { id ... on Membership { user { ...U } } } }
    fragment U on User { handle }`,

  'what is never null and fails under an alias': '{ c: conversation(id: "<crowd>") { m: members(first: 3) { e: edges { n: node { u: user { h: handle } } } } } }',

  'failures at several depths are told each': `{
    conversation(id: "<crowd>") {
      members(first: 3) { ${people} }
      messages(first: 2) { edges { node { seq sender { handle } readBy(first: 0) ${page} } } }
      bad: members(first: 0) ${page}
    }
    users(search: "x") ${page}
  }`,

  'a failure in each item of a list, and one that takes one': `{
    nodes(ids: ["<aliceInCrowd>", "<erinInCrowd>", "<crowd>"]) {
      ... on Membership { user { handle } conversation { members(first: 0) ${page} } }
      ... on Conversation { title messages(first: 0) ${page} }
    }
  }`,

  'far below lists within lists': '{ viewer { conversations(kinds: [GROUP]) { edges { node { title members(first: 3) { edges { node { conversation { lastSeq } user { handle } } } } } } } } }',

  'a failure within what another takes away is told or not': `{
    conversation(id: "<crowd>") { title members(first: 3) { edges { node { conversation { messages(first: 0) ${page} title } user { handle } } } } }
  }`,

  'two that race to the same null': `{ conversation(id: "<crowd>") { title members { ${people} } } }`,

  'two that race to the same null from different depths': `{ conversation(id: "<crowd>") { members { edges { node { id role user { handle } conversation { members(first: 3) { ${people} } } } } } } }`,

  'two that race within one item': '{ node(id: "<erinInCrowd>") { ... on Membership { a: user { handle } b: user { id } role } } }',

  'races in several places, each to its own null': '{ nodes(ids: ["<erinInCrowd>", "<bobInCrowd>", "<frankInCrowd>"]) { ... on Membership { a: user { handle } b: user { handle } } } conversation(id: "<crowd>") { members { edges { node { user { id } } } } } }',
}

const typing = 'setTyping(input: { conversationId: "<weekend>", isTyping: false })'
const duplicate = 'sendMessage(input: { conversationId: "<weekend>", text: "Said once", idempotencyKey: "once" })'
const logIn = 'logIn(input: { handle: "alice", password: "not this one" })'

export const mutations = {
  'changes run one after the other, in the order in which they are asked for': `mutation {
    b: updateConversation(input: { conversationId: "<scratch>", title: "One" }) { conversation { title } }
    a: updateConversation(input: { conversationId: "<scratch>", title: "Two" }) { conversation { title } }
    c: updateConversation(input: { conversationId: "<scratch>", topic: null }) { conversation { title } }
    d: updateConversation(input: { conversationId: "<scratch>", title: "Scratch" }) { conversation { title } userErrors { code } }
  }`,

  'what is refused is no error': 'mutation { a: sendMessage(input: { conversationId: "<weekend>", text: "" }) { messageEdge { cursor } wasDuplicate userErrors { code inputPath __typename } } markRead(input: { conversationId: "<weekend>", seq: 99 }) { membership { id } userErrors { inputPath code } } __typename }',

  'a change that fails is null, and the next one runs': `mutation {
    a: ${logIn} { userErrors { code inputPath } viewer { id } }
    b: ${logIn} { userErrors { code } }
    c: ${typing} { conversation { title } }
    d: ${logIn} { userErrors { code } }
    e: ${duplicate} { wasDuplicate messageEdge { node { seq } } }
  }`,

  'nobody changes nothing: each field fails alone': { query: `mutation { a: ${typing} { userErrors { code } } b: ${duplicate} { wasDuplicate } __typename }`, as: 'nobody' },

  'a change is done when what is asked of its result fails': `mutation {
    markRead(input: { conversationId: "<weekend>", seq: 1 }) { membership { readSeq conversation { title members(first: 0) ${page} } } userErrors { code } }
    ${typing} { conversation { title } }
  }`,

  'what is never null takes the result with it as far as it may be null': `mutation {
    ${duplicate} { messageEdge { node { seq conversation { title } readBy(first: 0) ${page} } } userErrors { code } }
    a: setTyping(input: { conversationId: "<crowd>", isTyping: false }) { conversation { title members(first: 3) { ${people} } } userErrors { code } }
    b: ${typing} { userErrors { code } }
  }`,

  'a change that is left out is not made': 'mutation { sendMessage(input: { conversationId: "<scratch>", text: "No" }) @skip(if: true) { wasDuplicate } ... @include(if: false) { other: sendMessage(input: { conversationId: "<scratch>", text: "No" }) { wasDuplicate } } next: sendMessage(input: { conversationId: "<scratch>", text: "Yes" }) { messageEdge { node { seq } } } }',

  'a change that is asked for twice under one key is made once': `mutation { ${logIn} { userErrors { code } } ${logIn} { viewer { id } userErrors { inputPath } } }`,

  'a message that is asked for twice under one key is sent once': `mutation {
    sendMessage(input: { conversationId: "<scratch>", text: "Once more", idempotencyKey: "fresh" }) { first: wasDuplicate messageEdge { node { seq } } }
    sendMessage(input: { conversationId: "<scratch>", text: "Once more", idempotencyKey: "fresh" }) { second: wasDuplicate messageEdge { node { text } } }
  }`,

  'a message without a key that is asked for twice under one key of the response is sent once': `mutation {
    sendMessage(input: { conversationId: "<scratch>", text: "Only this" }) { messageEdge { node { seq text } } }
    ...Again
    next: sendMessage(input: { conversationId: "<scratch>", text: "And this" }) { messageEdge { node { seq } } }
  }
  fragment Again on Mutation { sendMessage(input: { conversationId: "<scratch>", text: "Only this" }) { wasDuplicate messageEdge { node { conversation { lastSeq } } } } }`,
}
