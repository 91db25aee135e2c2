// Which keys come, in which order, and what is under them. `<weekend>` and the like are identifiers of the scenario.

export const selections = {
  'keys come in the order in which they are asked for': '{ viewer { user { handle displayName id createdAt } unreadCount id } __typename }',

  'an alias is the key, also when it is the name of another field': '{ b: viewer { unreadCount: id id: unreadCount } a: __typename viewer: user(by: { handle: "bob" }) { handle: displayName displayName: handle } }',

  'a field under several aliases is there several times': `{
    conversation(id: "<weekend>") { second: message(seq: 2) { text } first: message(seq: 1) { text } none: message(seq: 99) { text } again: message(seq: 2) { seq } }
  }`,

  'what is selected of one field in several places is merged at the first': '{ viewer { user { handle } unreadCount user { id handle displayName } id user { avatarUrl } } viewer { id user { id createdAt } } }',

  'lists are merged item by item': `{
    conversation(id: "<crowd>") {
      members { edges { cursor node { role } } }
      title
      members { pageInfo { hasNextPage } edges { node { id role } cursor } pageInfo { endCursor hasNextPage } }
    }
  }`,

  'a list that may have nulls is merged item by item': '{ nodes(ids: ["<alice>", "nobody", "<weekend>"]) { id } nodes(ids: ["<alice>", "nobody", "<weekend>"]) { __typename ... on User { handle } } }',

  'fields with equal arguments in another order are merged': '{ conversation(id: "<weekend>") { messages(first: 2, afterSeq: 1) { edges { cursor } } messages(afterSeq: 1, first: 2) { edges { node { seq } } } } }',

  'fragments put their keys where they stand': `
    { viewer { ...B id ... on Viewer { user { handle } } ...A } }
    fragment A on Viewer { unreadCount user { displayName } }
    fragment B on Viewer { user { id } }`,

  'a fragment may be spread many times, within others and beside them': `
    { viewer { user { ...U } } bob: user(by: { handle: "bob" }) { ...U ...U displayName ... { ...U } } }
    fragment U on User { ...Name handle }
    fragment Name on User { displayName ...Id }
    fragment Id on Node { id }`,

  'types narrow and widen again through interfaces': `
    { node(id: "<alice>") { ... on Node { id ... on User { handle ... on Node { ... on User { displayName } __typename } } } ...U } }
    fragment U on User { createdAt ...N }
    fragment N on Node { id ... on Conversation { title } ... on User { avatarUrl } }`,

  'a fragment on an interface applies to the objects that implement it': '{ viewer { ... on Node { id } user { ...N } } } fragment N on Node { __typename id }',

  'what is meant for other types is not there': '{ node(id: "<alice>") { ... on Conversation { title id } ... on Message { text } } nodes(ids: ["<alice>", "<weekend>"]) { ... on Conversation { title } } }',

  'each object of a list has what is meant for its type': `{
    nodes(ids: ["<weekend>", "<alice>", "nobody", "<fromDave>", "<friendship>", "<block>", "<aliceInCrowd>", "<direct>"]) {
      __typename
      ... on Conversation { kind title peer { handle } }
      ... on User { handle }
      id
      ... on FriendRequest { status sender { handle } recipient { handle } closedAt }
      ... on Friendship { friend { handle } }
      ... on Block { user { handle } createdAt }
      ... on Membership { role user { handle } conversation { title } }
    }
  }`,

  'the same key may be another field for another type': `{
    nodes(ids: ["<weekend>", "<alice>"]) { ... on Conversation { name: title when: createdAt } ... on User { name: avatarUrl when: createdAt } }
  }`,

  'a fragment without a type is of the type around it': '{ ... { viewer { ... { id ... { unreadCount } } } } }',

  '__typename is everywhere, also at the roots and under an alias': `{
    __typename
    root: __typename
    viewer { __typename kind: __typename conversations(first: 1) { __typename edges { __typename node { __typename viewerCan { __typename } } } pageInfo { __typename } } }
    node(id: "<weekend>") { __typename }
    ... on Query { again: __typename }
  }`,

  '__typename alone is enough': '{ __typename }',

  'a request without anything to find is null, and nothing else': '{ node(id: "nobody") { id } user(by: { handle: "nobody" }) { id } conversation(id: "<alice>") { id } }',

  'an empty list is a list': '{ channels(search: "zzz") { edges { node { id } } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } }',

  'for nobody there is no viewer and no error': { query: '{ viewer { id } user(by: { handle: "bob" }) { handle presence { status } viewerRelationship { status } mutualFriends { edges { cursor } } } node(id: "<weekend>") { id } }', as: 'nobody' },

  'commas, comments, a byte order mark and line breaks mean nothing': '\ufeff# hello { }\r\n{,viewer # { here\n{,,id,user{handle,\tid},},}\n# end',

  'a keyword may be a name': '{ query: viewer { mutation: id fragment: unreadCount type: user { on: handle true: id null: id } } } ',

  'strings are what they say, in each notation': {
    query: String.raw`{
      a: user(by: { handle: "\u0061lice" }) { handle }
      b: user(by: { handle: """alice""" }) { handle }
      c: user(by: { handle: """
          alice
        """ }) { handle }
      d: channels(search: "\"\\\/\b\f\n\r\t\u00e4") { edges { cursor } }
      e: user(by: { handle: "" }) { handle }
      f: channels(search: "los\u0074") { edges { node { title } } }
    }`,
  },

  'a text comes back as it was sent': '{ conversation(id: "<crowd>") { message(seq: 5) { text } } }',

  'pages and all that is in them': `{
    viewer {
      friends(first: 1) { totalCount edges { cursor node { friend { handle presence { status user { handle } } viewerRelationship { status friendship { id } requestHistory { totalCount } } } } } pageInfo { hasNextPage } }
      friendRequests(direction: SENT) { totalCount edges { node { id status } } }
      conversations(kinds: [GROUP], first: 2) {
        edges { node { title memberCount viewerUnreadCount viewerMembership { readSeq } lastMessage { text sender { handle } } members(last: 2, roles: [MEMBER]) { edges { node { role user { handle } } } } } }
      }
    }
  }`,

  'read marks as they stand': `{
    conversation(id: "<weekend>") {
      messages(last: 4) { edges { node { seq viewerReadStatus readStatus(userId: "<carol>") bob: readStatus(userId: "<bob>") readBy { edges { node { user { handle } } } } idempotencyKey } } pageInfo { hasPreviousPage } }
    }
  }`,
}

export const conditions = {
  '@skip and @include with literals': '{ viewer { id @skip(if: true) unreadCount @skip(if: false) user @include(if: true) { handle @include(if: false) id } } }',

  '@skip and @include with variables': {
    query: 'query($yes: Boolean!, $no: Boolean!) { viewer { a: id @skip(if: $yes) b: id @skip(if: $no) c: id @include(if: $yes) d: id @include(if: $no) } }',
    variables: { yes: true, no: false },
  },

  'with both, a field needs to be included and not skipped': '{ a: __typename @skip(if: false) @include(if: true) b: __typename @skip(if: true) @include(if: true) c: __typename @skip(if: false) @include(if: false) d: __typename @include(if: false) @skip(if: true) }',

  'whole fragments are skipped and included': {
    query: `
      query($yes: Boolean!) { viewer { ...A @skip(if: $yes) ...B @include(if: $yes) ... @include(if: $yes) { c: id } ... on Node @skip(if: $yes) { d: id } ... on Viewer @include(if: true) { e: id @skip(if: $yes) f: id } } }
      fragment A on Viewer { a: id }
      fragment B on Viewer { b: id g: unreadCount @skip(if: $yes) }`,
    variables: { yes: true },
  },

  'what everything is left out of is an empty object': '{ viewer { id @skip(if: true) ... @include(if: false) { unreadCount } } }',

  'when everything is left out, data is an empty object': '{ viewer @skip(if: true) { id } ... @include(if: false) { __typename } }',

  'objects of a list may be empty, too': '{ conversation(id: "<weekend>") { members { edges { node @include(if: true) { id @skip(if: true) } } } } }',

  'what is left out in one place and not in another is there': '{ viewer { id @skip(if: true) unreadCount id user @include(if: false) { handle } user { id } } }',

  'an error in what is left out is none': '{ viewer { friends(first: 1000) @skip(if: true) { totalCount } id ... @include(if: false) { blocks(first: 0) { edges { cursor } } } } }',

  '__typename can be left out': '{ __typename @skip(if: true) viewer { __typename @include(if: false) id } }',

  "a condition's variable that is left out has its default": {
    query: 'query($yes: Boolean = true, $no: Boolean! = false) { viewer { a: id @include(if: $yes) b: id @skip(if: $yes) c: id @include(if: $no) d: id @skip(if: $no) } }',
  },

  "a condition's default gives way to what is given": {
    query: 'query($yes: Boolean = false, $no: Boolean! = true) { viewer { a: id @include(if: $yes) b: id @skip(if: $yes) c: id @include(if: $no) d: id @skip(if: $no) } }',
    variables: { yes: true, no: false },
  },

  'a variable may be there for a condition of __typename alone': {
    query: 'query($yes: Boolean!) { a: __typename @include(if: $yes) b: __typename @skip(if: $yes) viewer { __typename @skip(if: $yes) id } }',
    variables: { yes: true },
  },

  'a fragment is left out by a default': {
    query: 'query($all: Boolean! = false, $some: Boolean! = true) { viewer { id ...Rest @include(if: $all) ... @include(if: $some) { ...User } } } fragment Rest on Viewer { unreadCount } fragment User on Viewer { user { handle @skip(if: $some) id @include(if: $some) } }',
  },
}
