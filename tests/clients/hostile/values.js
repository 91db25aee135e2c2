// Hostile words and values: strings without an end, numbers without a limit, cursors and ids that nobody gave out.
import { many, nested } from './bytes.js'

const headers = (token) => [`Authorization: ${token}`]

/** Text that is hardly a document, of somebody who is signed in. */
function words({ token }) {
  const search = (literal) => `{users(search:${literal}){edges{cursor}}}`
  return [
    { name: 'no text at all', query: '', verdict: 'no request', only: ['POST', 'GET', 'socket', 'events', 'multipart', 'stream'] },
    { name: 'one space', query: ' ' },
    { name: 'a byte order mark', query: '\ufeff{__typename}', verdict: ['told ok', 'refused QUERY_REJECTED'] },
    { name: 'byte order marks all over', query: '\ufeff{\ufeff__typename\ufeff}\ufeff', verdict: ['told ok', 'refused QUERY_REJECTED'] },
    { name: 'a NUL', query: '{__type\0name}' },
    { name: 'NULs', query: '\0'.repeat(30_000) },
    { name: 'control characters', query: '{__typename \u0001\u0002\u001b[2J\u007f}' },
    { name: 'letters that look like others', query: '{__tуpename}' },
    { name: 'text from right to left', query: '{\u202eemanepyt__}' },
    { name: 'quotes without an end', query: search('"al') },
    { name: '30,000 quotes', query: search('"'.repeat(30_000)) },
    { name: 'a block string without an end', query: search('"""al') },
    { name: 'a block string that ends in an escape', query: search('"""al\\"""') },
    { name: 'four quotes', query: search('""""') },
    { name: 'brackets behind a string without an end', query: search(`"""" ${nested(6_000, '1')}`) },
    { name: 'brackets behind a line break in a string', query: search(`"a\n ${nested(6_000, '1')}`) },
    { name: 'brackets behind a carriage return in a comment', query: search(`"al" #\r ${nested(6_000, '1')}`) },
    {
      name: 'brackets behind a line separator in a comment',
      query: `{__typename #\u2028${nested(2_000, '1')}\n}`,
      verdict: ['told ok', 'refused QUERY_REJECTED'],
    },
    { name: 'a block string of 10,000 lines', query: search(`"""${'\n \t '.repeat(7_000)}"""`), verdict: 'told BAD_USER_INPUT' },
    { name: 'a block string of 30 KB of line breaks', query: search(`"""${'\r'.repeat(30_000)}"""`), verdict: 'told BAD_USER_INPUT' },
    { name: 'a string of 30 KB', query: search(`"${'a'.repeat(30_000)}"`), verdict: 'told BAD_USER_INPUT' },
    { name: 'a string of 5,000 escapes', query: search(`"${'\\u0061'.repeat(5_000)}"`), verdict: 'told BAD_USER_INPUT' },
    { name: 'a comment of 30 KB', query: `#${'{'.repeat(30_000)}\n{__typename}`, verdict: 'told ok' },
    { name: 'a comment of 30 KB without an end', query: `{__typename}#${'{'.repeat(30_000)}`, verdict: 'told ok' },
    { name: '10,000 comments', query: `${'#\n'.repeat(10_000)}{__typename}`, verdict: 'told ok' },
    { name: 'an escape beyond Unicode', query: search('"\\u{110000}"') },
    { name: 'an escape of 1,000 digits', query: search(`"\\u{${'0'.repeat(1_000)}61}"`) },
    { name: 'half a pair of surrogates', query: search('"\\ud800"') },
    { name: 'surrogates the wrong way round', query: search('"\\udc00\\ud800"') },
    { name: 'an escape that is none', query: search('"\\x41"') },
    { name: 'an integer of 30,000 digits', query: `{channels(first:${'9'.repeat(30_000)}){edges{cursor}}}` },
    { name: 'an integer of 19 digits', query: '{channels(first:9223372036854775807){edges{cursor}}}' },
    { name: 'an integer of 20 digits', query: '{channels(first:18446744073709551616){edges{cursor}}}' },
    { name: 'a fraction of 30,000 digits', query: `{channels(first:0.${'1'.repeat(30_000)}){edges{cursor}}}` },
    { name: 'a number beyond all numbers', query: '{channels(first:1e999999){edges{cursor}}}' },
    { name: 'an exponent of 10,000 digits', query: `{channels(first:1e${'9'.repeat(10_000)}){edges{cursor}}}` },
    { name: 'a page of -1', query: '{channels(first:-1){edges{cursor}}}', verdict: ['told BAD_USER_INPUT', 'refused QUERY_REJECTED'] },
    { name: 'a page of -2147483648', query: '{channels(first:-2147483648){edges{cursor}}}', verdict: ['told BAD_USER_INPUT', 'refused QUERY_REJECTED'] },
    { name: 'a page of 2147483647', query: '{channels(first:2147483647){edges{cursor}}}', verdict: ['told BAD_USER_INPUT', 'refused QUERY_REJECTED'] },
    { name: 'a schema of its own', query: 'type Query{a:Int} extend type Query{b:Int}' },
    { name: 'a language of its own', query: "SELECT * FROM user; DROP TABLE user; --'" },
  ].map((each) => ({ ...each, headers: headers(token) }))
}

/** Cursors, ids and numbers of somebody who is signed in. */
function places({ token, conversation }) {
  const cursor = (after) => ({ query: 'query($a:String){viewer{conversations(after:$a){edges{cursor}}}}', variables: { a: after } })
  const events = (after) => ({
    query: 'subscription($a:String){events(after:$a){cursor}}',
    variables: { a: after },
    only: ['socket', 'events', 'multipart', 'stream'],
  })
  const node = (id) => ({ query: 'query($i:ID!){node(id:$i){id}}', variables: { i: id } })
  const messages = (seq) => ({
    query: 'query($c:ID!$s:Int){conversation(id:$c){messages(afterSeq:$s,first:1){edges{cursor}}}}',
    variables: { c: conversation, s: seq },
  })
  const long = 'A'.repeat(200_000)
  const forged = {
    'that is empty': '',
    'of 200 KB': long,
    'that is no base64': '§§§§',
    'with a NUL': 'AAAA\0AAAA',
    'of zeros': 'A'.repeat(32),
    'of ones': '_'.repeat(32),
    'with numbers that never end': Buffer.from([1, ...Array(8).fill(0), ...Array(2_000).fill(0xff)]).toString('base64url'),
    'of somebody else’s shape': Buffer.from('{"createdAt":"now","id":1}').toString('base64url'),
    'with a quote': "' OR 1=1 --",
  }
  const cases = Object.entries(forged).flatMap(([what, text]) => [
    { name: `a page after a cursor ${what}`, ...cursor(text), verdict: 'told BAD_USER_INPUT' },
    { name: `events after a cursor ${what}`, ...events(text), verdict: 'told ok' },
    { name: `a node with an id ${what}`, ...node(text), verdict: ['told ok', 'told BAD_USER_INPUT'] },
  ])
  const kinds = [7, 7.5, -1e308, true, null, [], {}, ['a'], [['a']], { a: 'b' }, '\ud83d\ude00', 1e21]
  cases.push(
    ...kinds.map((kind) => ({
      name: `a node with the id ${JSON.stringify(kind)}`,
      ...node(kind),
      verdict: ['told ok', 'told BAD_USER_INPUT', 'refused BAD_USER_INPUT', 'refused QUERY_REJECTED'],
    })),
  )
  cases.push(
    ...kinds.map((kind) => ({
      name: `a page after the cursor ${JSON.stringify(kind)}`,
      ...cursor(kind),
      verdict: ['told ok', 'told BAD_USER_INPUT', 'refused BAD_USER_INPUT', 'refused QUERY_REJECTED'],
    })),
  )
  cases.push(
    ...[-1, -2147483648, 2147483647, 2147483648, 9e18, 1.5, '1'].map((seq) => ({
      name: `messages after number ${seq}`,
      ...messages(seq),
      verdict: ['told ok', 'told BAD_USER_INPUT', 'refused BAD_USER_INPUT', 'refused QUERY_REJECTED'],
    })),
  )
  return cases.map((each) => ({ ...each, headers: headers(token) }))
}

/** What is within every limit of a document, and yet as much as there can be, by somebody who can read a `full` conversation. */
function work({ token, conversation, full }) {
  const c = conversation
  /** The same field 190 times, with fragments for what is selected. */
  const times = (declared, field, selected = 'id', rest = '', count = 190) => `${declared}{${many(count, (n) => `a${n}:${field}{${selected}}`)}}${rest}`
  const send = (i, count) => ({
    query: times('mutation($i:SendMessageInput!)', 'sendMessage(input:$i)', 'userErrors{code}', '', count),
    variables: { i: { conversationId: c, ...i } },
  })
  const one = (i) => ({ query: 'mutation($i:SendMessageInput!){sendMessage(input:$i){userErrors{code}}}', variables: { i: { conversationId: c, ...i } } })
  const read = (page, count) => ({
    query: times('query($c:ID!)', 'conversation(id:$c)', '...F', `fragment F on Conversation{messages(last:100){edges{${page}}}}`, count),
    variables: { c: full },
    readsLong: true,
  })
  const lists = Object.fromEntries(
    Array.from({ length: 20 }, (_, list) => [`v${list}`, Array.from({ length: 95 }, (_, n) => `${c.slice(0, -4)}${1_000 + list * 95 + n}`)]),
  )
  const streams = ['socket', 'events', 'multipart', 'stream']
  const told = ['told ok', 'told BAD_USER_INPUT', 'told RATE_LIMITED', 'told QUERY_REJECTED', 'refused QUERY_REJECTED', 'refused BAD_USER_INPUT']
  return [
    { name: 'a string of 200 KB used 190 times', query: times('query($v:ID!)', 'node(id:$v)'), variables: { v: 'x'.repeat(200_000) } },
    { name: 'a list of 1,900 ids used 190 times', query: times('query($v:[ID!]!)', 'nodes(ids:$v)'), variables: { v: Object.values(lists).flat() } },
    {
      name: 'an object of 1,900 fields used 190 times',
      query: times('query($v:UserByInput!)', 'user(by:$v)'),
      variables: { v: Object.fromEntries(Array.from({ length: 1_900 }, (_, n) => [`f${n}`, n])) },
    },
    { name: '100 ids looked up 190 times', query: times('query($v:[ID!]!)', 'nodes(ids:$v)'), variables: { v: Array(100).fill(c) } },
    { name: '100 ids looked up 20 times', query: times('query($v:[ID!]!)', 'nodes(ids:$v)', 'id', '', 20), variables: { v: Array(100).fill(c) } },
    {
      name: '1,900 ids looked up once',
      query: `query(${many(20, (n) => `$v${n}:[ID!]!`)}){${many(20, (n) => `a${n}:nodes(ids:$v${n}){id}`)}}`,
      variables: lists,
    },
    {
      name: '1,900 ids looked up 9 times',
      query: `query(${many(20, (n) => `$v${n}:[ID!]!`)}){${many(180, (n) => `a${n}:nodes(ids:$v${n % 20}){id}`)}}`,
      variables: lists,
    },
    {
      name: '1,000 things by names of 25 KB',
      query: `query($v:[ID!]!){${many(10, (n) => `a${n}:nodes(ids:$v){...F}`)}} fragment F on Node{${'a'.repeat(25_000)}:id}`,
      variables: { v: Array(100).fill(c) },
    },
    { name: '190 searches for people', query: `{${many(190, (n) => `a${n}:users(search:"al${n}"){edges{cursor}}`)}}` },
    { name: '150 searches for channels', query: `{${many(150, (n) => `a${n}:channels(search:"al${n}"){edges{cursor}}`)}}` },
    { name: '90 searches for people', query: `{${many(90, (n) => `a${n}:users(search:"al${n}",first:1){edges{cursor}}`)}}` },
    { name: '150 pages of conversations', query: `{viewer{${many(150, (n) => `a${n}:conversations(first:5){edges{cursor}}`)}}}` },
    { name: '150 people by their handles', query: `{${many(150, (n) => `a${n}:user(by:{handle:"a${n}"}){id}`)}}` },
    {
      name: '190 log-ins',
      query: times('mutation($i:LogInInput!)', 'logIn(input:$i)', 'userErrors{code}'),
      variables: { i: { handle: 'nobody', password: 'wrong password' } },
      hashes: true,
    },
    { name: '190 messages of one letter', ...send({ text: 'x' }, 190) },
    { name: '50 messages of one letter', ...send({ text: 'x' }, 50) },
    { name: '50 messages of 10,000 letters', ...send({ text: 'x'.repeat(10_000) }, 50) },
    ...[1, 2, 8, 18, 190].map((count) => ({ name: `${count} times 100 messages of 40 KB`, ...read('node{text}', count) })),
    ...[8, 18, 190].map((count) => ({ name: `${count} times 100 messages of 40 KB without their texts`, ...read('cursor node{id sender{id}}', count) })),
    {
      name: '50 groups',
      query: times('mutation($i:CreateConversationInput!)', 'createConversation(input:$i)', 'userErrors{code}', '', 50),
      variables: { i: { kind: 'GROUP', title: 'g', memberIds: [] } },
    },
    { name: 'a message of 200 KB', ...one({ text: 'x'.repeat(200_000) }) },
    { name: 'a message of 60,000 marks on one letter', ...one({ text: `a${'\u0301'.repeat(60_000)}` }) },
    { name: 'a message of NULs', ...one({ text: '\0'.repeat(100) }) },
    {
      name: '190 listeners in one operation',
      query: times('subscription($c:ID!)', 'messageSent(conversationId:$c)'),
      variables: { c },
      only: streams,
      verdict: 'refused QUERY_REJECTED',
    },
    {
      name: 'the presence of 1,900 people',
      query: 'subscription($u:[ID!]!){presence(userIds:$u){__typename}}',
      variables: { u: Object.values(lists).flat() },
      only: streams,
    },
    {
      name: 'who types in 1,900 conversations',
      query: 'subscription($u:[ID!]!){typing(conversationIds:$u){__typename}}',
      variables: { u: Object.values(lists).flat() },
      only: streams,
    },
  ].map((each) => ({ verdict: told, ...each, headers: headers(token) }))
}

/** All of them, for somebody with a token, a conversation and a full one. */
export const values = (who) => [...words(who), ...places(who), ...work(who)]
