// What alice may see, loaded from the server by plain queries, and given again by resolvers that do what the server's do.

/** Somebody asked for what the server refuses; where, is all that counts. */
const refuse = (why) => {
  throw new Error(why)
}

const REQUEST = 'id createdAt closedAt status sender { id } recipient { id }'

const VIEWER = `{
  viewer {
    id unreadCount user { id }
    sessions { id createdAt deviceName expiresAt isCurrent lastUsedAt }
    blocks(first: 100) { edges { cursor node { id createdAt user { id } } } }
    friends(first: 100) { edges { cursor node { id createdAt friend { id } } } }
    received: friendRequests(direction: RECEIVED, status: null, first: 100) { edges { cursor node { ${REQUEST} } } }
    sent: friendRequests(direction: SENT, status: null, first: 100) { edges { cursor node { ${REQUEST} } } }
    active: conversations(first: 100) { edges { cursor node { id } } }
    archived: conversations(archived: true, first: 100) { edges { cursor node { id } } }
  }
  channels(first: 100) { edges { cursor node { id } } }
}`

const CONVERSATION = `query($id: ID!) {
  conversation(id: $id) {
    id archivedAt createdAt invitePolicy kind lastSeq memberCount postingPolicy title topic viewerUnreadCount
    peer { id }
    viewerMembership { id }
    viewerCan { addMembers archive changeRoles delete join leave removeMembers send sendRefusal update }
    bans(first: 100) { edges { cursor node { id } } }
    members(first: 100) { edges { cursor node { id joinedAt readSeq role user { id } } } }
  }
}`

const MESSAGES = `query($id: ID!) {
  conversation(id: $id) {
    messages(first: 100) {
      edges { cursor node { id idempotencyKey seq sentAt text viewerReadStatus sender { id } readBy(first: 10) { edges { cursor node { id } } } } }
    }
  }
}`

const USER = `query($id: ID!) {
  user(by: { id: $id }) {
    id avatarUrl createdAt displayName handle
    presence { id lastSeenAt status }
    mutualFriends(first: 100) { edges { cursor node { id } } }
    viewerRelationship {
      status
      block { id } friendship { id } pendingRequest { id }
      requestHistory(first: 100) { edges { cursor node { ${REQUEST} } } }
    }
  }
}`

/** A page as the server makes it. */
function page(edges, { after, before, first, last }, isCut = before != null) {
  if (first != null && last != null) refuse('both ends')
  const size = first ?? last ?? 20
  if (size < 1 || size > 100) refuse('no such size')
  const place = (cursor) => {
    const at = edges.findIndex((edge) => edge.cursor === cursor)
    return at < 0 ? refuse('no such cursor') : at
  }
  const from = after == null ? 0 : place(after) + 1
  const to = before == null ? edges.length : place(before)
  const between = edges.slice(from, to)
  const isFromBack = last != null
  const some = isFromBack ? between.slice(-size) : between.slice(0, size)
  const more = between.length > size
  return {
    edges: some,
    pageInfo: {
      endCursor: some.at(-1)?.cursor ?? null,
      hasNextPage: isFromBack ? isCut : more,
      hasPreviousPage: isFromBack ? more : after != null,
      startCursor: some[0]?.cursor ?? null,
    },
  }
}

const counted = (edges, args) => ({ ...page(edges, args), totalCount: edges.length })

/** A payload with nothing in it but the reason. */
const refused = (empty, code, ...inputPath) => ({ ...empty, userErrors: [{ code, inputPath: inputPath.length ? inputPath : null }] })

/**
 * Loads everything; `ask(query, variables)` gives an operation's data. The root object for graphql-js, whose context is
 * `{ isSignedIn }`. Those in `broken` fail when they are looked up.
 */
export async function load(ask, broken) {
  const objects = new Map()
  const edgesOf = (connection, make) =>
    connection?.edges.map(({ cursor, node }) => ({
      cursor,
      get node() {
        return make ? make(node) : objects.get(node.id)
      },
    }))
  const user = (found, context) => {
    if (!found) return null
    const it = objects.get(found.id)
    return broken.has(it.handle) ? refuse('broken') : it
  }
  const people = new Set()
  const add = (typename, object) => {
    objects.set(object.id, { __typename: typename, ...object })
    return object.id
  }
  const addRequests = (connection) => {
    for (const { node } of connection.edges) {
      for (const person of [node.sender, node.recipient]) people.add(person.id)
      add('FriendRequest', { ...node, sender: () => user(node.sender), recipient: () => user(node.recipient) })
    }
  }

  const { viewer, channels } = await ask(VIEWER)
  addRequests(viewer.received)
  addRequests(viewer.sent)
  people.add(viewer.user.id)
  for (const session of viewer.sessions) add('Session', session)
  for (const { node } of viewer.blocks.edges) {
    people.add(node.user.id)
    add('Block', { ...node, user: () => user(node.user) })
  }
  for (const { node } of viewer.friends.edges) {
    people.add(node.friend.id)
    add('Friendship', { ...node, friend: () => user(node.friend) })
  }
  const lists = { active: edgesOf(viewer.active), archived: edgesOf(viewer.archived), channels: edgesOf(channels) }
  for (const { node } of [...viewer.active.edges, ...viewer.archived.edges]) {
    const { conversation } = await ask(CONVERSATION, node)
    const { messages } = (await ask(MESSAGES, node)).conversation
    const { bans, members, peer, viewerMembership } = conversation
    const self = () => objects.get(node.id)
    for (const { node: member } of members.edges) {
      people.add(member.user.id)
      add('Membership', { ...member, userId: member.user.id, conversation: self, user: () => user(member.user) })
    }
    const memberEdges = edgesOf(members)
    const messageEdges = []
    const addMessage = (cursor, { sender, readBy, ...message }) => {
      if (sender) people.add(sender.id)
      const readers = edgesOf(readBy)
      const readStatus = ({ userId }) => {
        const member = memberEdges.find((edge) => edge.node.userId === userId)?.node
        return member ? (message.seq <= member.readSeq ? 'READ' : 'UNREAD') : null
      }
      const found = { ...message, conversation: self, readBy: (args) => page(readers, args), readStatus, sender: () => user(sender) }
      messageEdges.push({ cursor, node: objects.get(add('Message', found)) })
    }
    for (const edge of messages.edges) addMessage(edge.cursor, edge.node)
    add('Conversation', {
      ...conversation,
      addMessage,
      bans: (args) => (bans ? page(edgesOf(bans), args) : null),
      lastMessage: () => messageEdges.at(-1)?.node ?? null,
      members: ({ roles, ...args }) => page(memberEdges.filter(({ node: member }) => !roles?.length || roles.includes(member.role)), args),
      message: ({ seq }) => messageEdges.find(({ node: message }) => message.seq === seq)?.node ?? null,
      messages: ({ afterSeq, beforeSeq, ...args }) => {
        if (afterSeq < 0 || beforeSeq < 0) refuse('no such number')
        const between = messageEdges.filter(({ node: { seq } }) => seq > (afterSeq ?? 0) && seq < (beforeSeq ?? Infinity))
        const { edges, pageInfo } = page(between, args, args.before != null || beforeSeq != null)
        return { edges, pageInfo: { ...pageInfo, hasPreviousPage: pageInfo.hasPreviousPage || (args.last == null && afterSeq != null) } }
      },
      peer: () => user(peer),
      viewerMembership: () => viewerMembership && objects.get(viewerMembership.id),
    })
  }
  const idOf = ({ id }) => objects.get(id)
  for (const id of people) {
    const found = (await ask(USER, { id })).user
    const between = found.viewerRelationship
    if (between) addRequests(between.requestHistory)
    const history = between && edgesOf(between.requestHistory)
    const relationship = between && {
      status: between.status,
      block: () => between.block && idOf(between.block),
      friendship: () => between.friendship && idOf(between.friendship),
      pendingRequest: () => between.pendingRequest && idOf(between.pendingRequest),
      requestHistory: (args) => counted(history, args),
    }
    const mutual = edgesOf(found.mutualFriends)
    const visible = (value) => (args, { isSignedIn }) => (isSignedIn ? value(args) : null)
    add('User', {
      ...found,
      mutualFriends: visible((args) => {
        const some = page(mutual ?? [], args)
        return mutual ? some : null
      }),
      presence: visible(() => found.presence && { ...found.presence, user: () => user(found) }),
      viewerRelationship: visible(() => relationship),
    })
  }
  const requests = { RECEIVED: edgesOf(viewer.received), SENT: edgesOf(viewer.sent) }
  add('Viewer', {
    id: viewer.id,
    blocks: (args) => page(edgesOf(viewer.blocks), args),
    conversations: ({ archived, kinds, unreadOnly, ...args }) => {
      const some = lists[archived ? 'archived' : 'active'].filter(
        ({ node }) => (!kinds?.length || kinds.includes(node.kind)) && (!unreadOnly || node.viewerUnreadCount > 0),
      )
      return page(some, args)
    },
    friendRequests: ({ direction, status, ...args }) => counted(requests[direction].filter(({ node }) => status == null || node.status === status), args),
    friends: (args) => counted(edgesOf(viewer.friends), args),
    sessions: viewer.sessions.map(idOf),
    unreadCount: viewer.unreadCount,
    user: () => user(viewer.user),
  })

  const node = ({ id }, { isSignedIn }) => {
    const found = objects.get(id)
    if (found?.__typename === 'User') return user(found)
    return isSignedIn ? found ?? null : null
  }
  const signedIn = (resolve) => (args, context) => (context.isSignedIn ? resolve(args, context) : refuse('nobody is signed in'))
  const search = (edges, matches, args) => page(edges.filter(matches), args)
  const handles = [...objects.values()].filter((it) => it.__typename === 'User').sort((a, b) => (a.handle < b.handle ? -1 : 1))
  const userEdges = handles.map((it) => ({ cursor: Buffer.from(`u${it.handle}`).toString('base64url'), node: it }))
  const change = (resolve) => signedIn(({ input }, context) => resolve(input, context))
  const conversation = (id, context) => {
    const found = node({ id }, context)
    return found?.__typename === 'Conversation' ? found : null
  }

  return {
    channels: signedIn(({ search: text, ...args }) =>
      search(lists.channels, (edge) => !text || edge.node.title.toLowerCase().split(' ').some((word) => word.startsWith(text)), args),
    ),
    conversation: ({ id }, context) => conversation(id, context),
    node,
    nodes: ({ ids }, context) => (ids.length > 100 ? refuse('too many') : ids.map((id) => node({ id }, context))),
    user: ({ by }) => {
      const found = by.handle == null ? objects.get(by.id) : handles.find((it) => it.handle === by.handle)
      return found?.__typename === 'User' ? user(found) : null
    },
    users: signedIn(({ search: text, ...args }) => {
      if (text.length < 2 || text.length > 32) refuse('no such length')
      const matches = ({ node: it }) => it.handle.startsWith(text) || it.displayName.toLowerCase().startsWith(text)
      if (userEdges.some((edge) => matches(edge) && broken.has(edge.node.handle))) refuse('broken')
      return search(userEdges, matches, args)
    }),
    viewer: (_, { isSignedIn }) => (isSignedIn ? objects.get(viewer.id) : null),

    createConversation: change(({ memberIds }) => refused({ conversationEdge: null }, 'NOT_FRIENDS', 'memberIds', String(memberIds.length - 1))),
    logIn: (_, context) => {
      if (context.hasTried) refuse('one password')
      context.hasTried = true
      return refused({ token: null, viewer: null }, 'INVALID_CREDENTIALS')
    },
    markRead: change(({ conversationId, seq }, context) => {
      const found = conversation(conversationId, context)
      if (seq < 0 || seq > found.lastSeq) return refused({ membership: null }, 'INVALID_INPUT', 'seq')
      return { membership: found.viewerMembership(), userErrors: [] }
    }),
    sendMessage: change(({ conversationId, text, idempotencyKey }, context) => {
      const found = conversation(conversationId, context)
      if (!text) return refused({ messageEdge: null, wasDuplicate: false }, 'INVALID_INPUT', 'text')
      if (!found) return refused({ messageEdge: null, wasDuplicate: false }, 'NOT_FOUND', 'conversationId')
      const sent = (key) => found.messages({}).edges.find((edge) => edge.node.idempotencyKey === key)
      const known = idempotencyKey && sent(idempotencyKey)
      if (known) return { messageEdge: known, userErrors: [], wasDuplicate: true }
      const seq = ++found.lastSeq
      found.addMessage(null, { id: `${conversationId}/${seq}`, idempotencyKey, seq, text, sender: viewer.user })
      return { messageEdge: { node: found.lastMessage() }, userErrors: [], wasDuplicate: false }
    }),
    setTyping: change(({ conversationId }, context) => ({ conversation: conversation(conversationId, context), userErrors: [] })),
    updateConversation: change(({ conversationId, title, topic }, context) => {
      const found = conversation(conversationId, context)
      if (title !== undefined) found.title = title
      if (topic !== undefined) found.topic = topic
      return { conversation: { ...found }, userErrors: [] }
    }),
  }
}
